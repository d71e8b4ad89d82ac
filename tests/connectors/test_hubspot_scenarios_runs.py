"""Whole runs against a pretend portal that behaves as badly as real ones may: what the next run makes of them."""

from datetime import datetime
from pathlib import Path

import pytest
from hubspot_world import NOW, Desk, Notebook, ago, cursor, desk, rows

from connectors.contract import KpiField, NotProvisioned, Provisioned, Surface
from connectors.errors import NotAllowed
from connectors.hubspot import HubSpotSettings, connect
from crm_sandbox.hubspot import SANDBOX_TOKEN
from crm_sandbox.serving import Fault
from kpi_engine.records import Company, Day, Interaction, Millis
from sync.cache import Cache
from sync.ledger import Ledger
from sync.run import Job, Options, Report, run

AS_OF = Millis(int(NOW.timestamp() * 1000))
KPIS = ("calls_made", "deals_won")
FIELDS = [KpiField(key, key, "count", 0) for key in KPIS]
SINCE = Day(AS_OF // 86_400_000 - 60)


class Books:
    """A cache, a ledger and a job, over one portal."""

    def __init__(self, opened: Desk, folder: Path) -> None:
        list(opened.hubspot.provision(FIELDS))
        url = f"sqlite:///{folder}/kpisync.db"
        self.cache, self.ledger = Cache.open(url, "acme"), Ledger.open(url, "acme")
        options = Options(track=KPIS, write_grains=("month",), since=SINCE)
        self.job = Job(name="acme", connector=opened.hubspot, company=Company(connection="acme"), options=options)

    def run(self, *, full: bool = False) -> Report:
        return run(self.job, self.cache, self.ledger, now=AS_OF, as_of=AS_OF, full=full)

    def living(self, kind: str) -> set[str]:
        """The ids of what counts."""
        table = self.cache.tables()[kind].collect()
        return {id_ for id_, deleted in table.select("id", "deleted").iter_rows() if not deleted}


def test_what_we_wrote_ourselves_is_no_change_for_the_next_run(tmp_path: Path) -> None:
    moment = [NOW]
    with desk(clock=lambda: moment[0]) as opened:
        books = Books(opened, tmp_path)
        first = books.run()
        moment[0] = ago(seconds=-60)
        scored = opened.portal.record("contacts", opened.id_of("prospect", "lea"))["properties"]
        second = books.run()
        assert first.written > 10
        assert scored["kpi_engagement_score"]
        assert scored["lastmodifieddate"] >= NOW.isoformat().replace("+00:00", "Z")
        assert (second.pulled.rows, second.pulled.deleted, second.planned) == ({}, 0, 0)


@pytest.mark.parametrize("lag", [2.0, 30.0])
def test_a_search_that_lags_costs_no_change_however_the_reads_fall(lag: float) -> None:
    moment: list[datetime] = [NOW]
    with desk(clock=lambda: moment[0], index_lag=lag) as opened:
        call = opened.id_of("call", "c1")
        pages = opened.read("calls")
        for second in range(1, 62, 4):
            moment[0] = ago(seconds=-second)
            opened.portal.set("calls", call, {"hs_call_duration": str(second * 1000)})
            pages += opened.read("calls", cursor(pages))
        moment[0] = ago(seconds=-120)
        pages += opened.read("calls", cursor(pages))
        assert [row.duration_ms for row in rows(pages, Interaction) if row.id == call][-1] == 61_000
        assert opened.read("calls", cursor(pages)) == []


def test_what_was_archived_and_forgotten_by_hubspot_goes_with_the_next_full_run(tmp_path: Path) -> None:
    moment = [NOW]
    with desk(clock=lambda: moment[0]) as opened:
        opened.portal.rules.kept_days = 90
        books = Books(opened, tmp_path)
        books.run()
        won = opened.id_of("sale", "won")
        opened.portal.archive("deals", won)
        moment[0] = ago(days=-91)
        books.run()
        assert won in books.living("deal")  # nothing tells of it any more
        books.run(full=True)
        assert books.living("deal") == {opened.id_of("sale", "open")}


def test_an_edition_that_is_lost_is_an_error_once_and_from_then_on_only_its_streams_are_missing(tmp_path: Path) -> None:
    with desk() as opened:
        books = Books(opened, tmp_path)
        books.run()
        opened.portal.desk.change({"tier": "professional"})
        with pytest.raises(NotAllowed, match="page views"):
            books.run()
        report = books.run()
        missing = {gap.source for gap in opened.hubspot.capabilities().gaps}
        assert {"page_views", "kpi_records"} <= missing
        assert report.refused == ()


def test_records_that_can_no_longer_be_shown_make_the_next_look_ask_again() -> None:
    notebook = Notebook()
    with desk() as opened:
        settings = HubSpotSettings(base_url=opened.box.url)
        with connect(settings, {"TOKEN": SANDBOX_TOKEN}.get, sleep=opened.clock.sleep, notebook=notebook) as hubspot:
            list(hubspot.provision(FIELDS))
            assert Surface.KPI_RECORDS in hubspot.capabilities().surfaces
            opened.portal.desk.change({"tier": "professional"})
            with pytest.raises(NotAllowed, match="KPI-HS-012"):
                hubspot.show(Surface.KPI_RECORDS, ["a:k:1"], ["value"])
            assert notebook.note is None
            assert hubspot.capabilities().surfaces == {Surface.PERSON_FIELDS, Surface.LEAD_SCORES}


def test_what_is_ours_can_be_removed_after_a_downgrade_but_for_the_object_that_is_closed() -> None:
    with desk() as opened:
        list(opened.hubspot.provision(FIELDS))
        opened.portal.desk.change({"tier": "professional"})
        done = list(opened.hubspot.unprovision(FIELDS))
        assert [each.what for each in done if isinstance(each, NotProvisioned)] == ["custom object sales_kpi"]
        assert {each.what for each in done if isinstance(each, Provisioned) and each.made} >= {
            "users property kpi_calls_made",
            "contacts property kpi_engagement_score",
        }


def test_a_run_in_which_every_kind_of_call_fails_once_ends_as_an_undisturbed_one(tmp_path: Path) -> None:
    paths = ("owners", "users", "contacts", "deals", "calls", "associations", "pipelines", "campaigns", "batch/upsert")
    shown = []
    for number, faults in enumerate(([], [Fault(path, "answer", status=502, body="<html>") for path in paths])):
        folder = tmp_path / str(number)
        folder.mkdir()
        with desk() as opened:
            books = Books(opened, folder)
            opened.box.faults += faults
            report = books.run()
            shown.append((opened.portal.fingerprint(), report.pulled.rows, report.written))
            assert all(fault.seen for fault in faults)
    assert shown[0] == shown[1]
