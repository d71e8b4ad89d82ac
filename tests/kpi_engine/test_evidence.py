"""The short list of records that stands beside a value: the ones that its numerator counts, the latest first."""

from datetime import date
from typing import Any

import polars as pl
import pytest
from busy_november import busy_floor
from sales_floor import ANA, AS_OF, COMPANY, at, call, event, lead, rep, reply, won
from sales_floor import email as sent

from kpi_engine.catalog import CATALOG
from kpi_engine.compute import EVIDENCE, Evident, compute
from kpi_engine.evidence import MOST
from kpi_engine.explain import explain
from kpi_engine.frames import from_records
from kpi_engine.records import Record

NOVEMBER = date(2026, 11, 1)


def listed(kpi: str, *records: Record | list[Record], who: str = "ana", dimension: str | None = None) -> dict[str, Any]:
    flat = [row for found in records for row in ([found] if isinstance(found, Record) else found)]
    parts = compute(
        from_records(flat, COMPANY), COMPANY, at(AS_OF), grains=["month"], evident=Evident((kpi,), ("month",))
    )
    rows = parts["month" + EVIDENCE].filter(
        pl.col("rep") == who, pl.col("period_start") == NOVEMBER, pl.col("dimension").eq_missing(dimension)
    )
    assert rows.height == 1
    return rows.row(0, named=True)


def test_a_count_lists_its_records_the_latest_first() -> None:
    calls = [*call("c1", "2026-11-02 09:00"), *call("c2", "2026-11-04 09:00"), *call("c3", "2026-11-03 09:00")]
    row = listed("calls_made", ANA, calls, call("c4", "2026-10-30 09:00"))
    assert (row["kind"], row["ids"], row["total"]) == ("interaction", ["c2", "c3", "c1"], 3)


def test_a_share_lists_what_its_numerator_counts() -> None:
    """Two threads, one with an answer."""
    mails = [*sent("e1", "2026-11-02 09:00", thread="t"), *sent("e2", "2026-11-02 10:00")]
    assert listed("email_reply_rate", ANA, mails, reply("r1", "2026-11-03 09:00", "t"))["ids"] == ["e1"]


def test_the_snapshot_lists_the_leads_of_its_day() -> None:
    """60 points of two forms today: 70 of 100. The other lead did nothing."""
    forms = [
        event("f1", "l1", "form_submission", "2026-11-20 09:00"),
        event("f2", "l1", "form_submission", "2026-11-20 10:00"),
    ]
    row = listed("engaged_leads", ANA, lead("l1", "2026-11-02 09:00"), lead("l2", "2026-11-02 09:00"), *forms)
    assert (row["kind"], row["ids"]) == ("lead", ["l1"])


def test_a_team_lists_the_records_of_all_its_members() -> None:
    team = [rep("bob"), rep("ana", "bob")]
    row = listed("deals_won", *team, won("d1", "2026-11-03"), won("d2", "2026-11-04", who="bob"), who="team:bob")
    assert row["ids"] == ["d2", "d1"]


def test_each_channel_lists_its_own() -> None:
    leads = [lead("l1", "2026-11-02 09:00", channel="Web"), lead("l2", "2026-11-02 09:00", channel="Phone")]
    assert listed("leads_created", ANA, *leads, dimension="channel=Web")["ids"] == ["l1"]
    assert listed("leads_created", ANA, *leads)["ids"] == ["l1", "l2"]


def test_the_list_is_short_and_says_how_many_there_are() -> None:
    many = [row for n in range(MOST + 5) for row in call(f"c{n}", f"2026-11-02 {8 + n // 60:02}:{n % 60:02}")]
    row = listed("calls_made", ANA, many)
    assert (len(row["ids"]), row["total"]) == (MOST, MOST + 5)


@pytest.mark.parametrize("kpi", [kpi.key for kpi in CATALOG if kpi.numerator.how != "quota"])
def test_the_list_is_the_numerator_of_the_explanation(kpi: str) -> None:
    floor = busy_floor()
    told = explain(floor.tables, floor.company, floor.as_of, kpi, "ana", "month", NOVEMBER)
    counted = {entry.id for entry in told.counted if entry.part == "numerator" and entry.contribution}
    asked = Evident((kpi,), ("month",))
    rows = compute(floor.tables, floor.company, floor.as_of, grains=["month"], evident=asked)["month" + EVIDENCE]
    mine = rows.filter(pl.col("rep") == "ana", pl.col("period_start") == NOVEMBER, pl.col("dimension").is_null())
    assert {identity for ids in mine["ids"] for identity in ids} >= counted
    assert sum(mine["total"]) == len([entry for entry in told.counted if entry.part == "numerator"])
