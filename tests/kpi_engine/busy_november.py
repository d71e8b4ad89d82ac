"""A November in which something of everything happened, so that no KPI is blank."""

from collections.abc import Iterable
from functools import cache

from sales_floor import (
    Floor,
    at,
    call,
    campaign,
    deal,
    email,
    event,
    lead,
    lost,
    meeting,
    message,
    on,
    person,
    quota,
    rate,
    rep,
    reply,
    split,
    target,
    task,
    won,
)  # fmt: skip

from kpi_engine.records import Company, Record

COMPANY = Company(
    connection="acme",
    home_currency="EUR",
    holidays=frozenset({on("2026-11-09")}),
    targets=(target("quota", "3000", "month", "rep:cid"), target("calls_made", "50", "day")),
)


def busy_records() -> list[Record | Iterable[Record]]:
    """Boss leads Ana, Ben and Cid."""
    done = {"converted": True, "converted_on": on("2026-11-10")}
    return [
        rep("boss"),
        rep("ana", manager="boss", zone="Europe/Madrid"),
        rep("ben", manager="boss", zone="America/New_York"),
        rep("cid", manager="boss"),
        rate("USD", "1.3"),
        [person("p1", opted_out=True, opted_out_at=at("2026-11-12 09:00")), person("p2", "ben")],
        lead("l1", "2026-11-02 09:00", channel="Web", person="p1", deal="d1", **done),
        lead("l2", "2026-11-03 09:00", channel="Web"),
        lead("l3", "2026-11-03 09:00", "ben", channel="Fair", deal="d2", **done),
        lead("l4", "2026-10-03 09:00"),
        lead("l5", "2026-11-03 09:00", status="junk"),
        lead("l6", "2026-11-03 09:00", deleted=True),
        event("f1", "l2", "form_submission", "2026-11-19 09:00", 2),
        event("f2", "l4", "page_view", "2026-11-18 09:00", 3),
        email("e1", "2026-11-02 10:00", people=["l1"], thread="t1", tracked=True, opened=True, clicked=True),
        reply("r1", "2026-11-03 10:00", "t1", people=["l1"]),
        email("e2", "2026-11-04 10:00", people=["l2"], thread="t1", tracked=True, opened=False),
        email("e3", "2026-11-04 11:00", bounced=True),
        email("e4", "2026-11-04 12:00", "ben", people=["p2"], tracked=True, opened=True),
        email("e5", "2026-11-04 12:30", outcome="draft"),
        call("c1", "2026-11-05 10:00", people=["l1"], disposition="connected", duration_ms=61_234),
        call("c2", "2026-11-05 10:00:30", people=["p1"], disposition="connected"),
        call("c3", "2026-11-06 10:00", people=["l2"], disposition="connected"),
        call("c4", "2026-11-06 11:00", "ben", people=["p2"]),
        call("c5", "2026-11-06 12:00", direction="in"),
        task("s1", "2026-11-06 09:00", people=["l1"]),
        message("m1", "2026-11-06 13:00", people=["p2"]),
        meeting("v1", "2026-11-12 09:00", "2026-11-12 10:00", people=["p1"], deals=["d1"]),
        meeting("v2", "2026-11-12 11:00", "2026-11-12 12:00", outcome="no_show"),
        won("d1", "2026-11-13", "1000.10", created="2026-11-10 09:00", people=["p1"], campaign="fair", currency="USD"),
        won("d2", "2026-11-16", "250", "ben", created="2026-11-10 09:00", people=["p2"]),
        won("d3", "2026-11-16", "90", created="2026-10-10 09:00"),
        won("d4", "2026-11-17", None),
        won("d5", "2026-11-23", 77),
        lost("d6", "2026-11-17"),
        deal("d7", "2026-11-01 09:00", amount=5),
        [split("d3", "ana", 60), split("d3", "cid", 40)],
        campaign("fair", "2026-11-02", 200),
        campaign("free", "2026-11-02", None),
        quota("ana", "2026-10-01", "2027-01-01", 9000),
        quota("ben", "2026-11-01", "2026-12-01", 2000),
        quota("boss", "2026-11-01", "2026-12-01", 9999),
    ]


@cache
def busy_floor() -> Floor:
    return Floor(*busy_records(), company=COMPANY)
