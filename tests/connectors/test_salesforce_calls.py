"""What reading and writing costs in Salesforce calls, counted by the pretend org's own log of requests."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from math import ceil
from pathlib import Path

import pytest

from connectors.contract import Change, KpiField, Page, Surface, Written
from connectors.salesforce import SalesforceConnector, connect, landing
from crm_sandbox.salesforce import change, clock_ahead, insert, security
from crm_sandbox.seed import demo_world
from crm_sandbox.serving import Fault, Logged
from crm_sandbox.world import Call, Email, Meeting, Promotion, Prospect, Sale, Seller, World
from kpi_engine.records import Company, Day, Deal, Quota, Rate, Record
from sync.cache import Cache
from sync.ledger import Ledger
from sync.run import Job, Options, Report, run
from tests.connectors.salesforce_world import NOW, SECRETS, House, ago, house, read, records, small_world

KPIS = tuple(KpiField(key, key, "count", 0) for key in ("calls_made", "deals_won"))
PAGE = 2_000
REPS = tuple(f"rep-{number}" for number in range(20))


@dataclass
class Paper:
    """A notebook that outlives a connector."""

    note: str | None = None

    def read(self) -> str | None:
        return self.note

    def write(self, note: str | None) -> None:
        self.note = note


def with_notebook(here: House, paper: Paper) -> SalesforceConnector:
    """The connector of one more run, which finds the notes of the last one."""
    return connect(here.settings, SECRETS.get, sleep=here.waits.append, notebook=paper)


def busy_company() -> World:
    """Leads, contacts, deals, calls, meetings with several people, e-mails, a campaign: 40,000 records and more."""
    day = timedelta(days=1)
    people = tuple(
        Prospect(
            f"p-{n}", f"P {n}", f"p{n}@there.example", f"Firm {n % 50}", REPS[n % 20], ago(days=300), is_lead=n < 4000
        )
        for n in range(6_000)
    )
    sales = tuple(
        Sale(
            f"sale-{n}",
            f"Deal {n}",
            ((ago(days=200), REPS[n % 20]),),
            ago(days=200),
            "won",
            ago(days=n % 90).date(),
            ago(days=n % 90),
            Decimal(100 + n),
            people=(f"p-{4000 + n % 2000}",) if n % 2 else (),
        )
        for n in range(7_900)
    )
    calls = tuple(
        Call(f"call-{n}", REPS[n % 20], (f"p-{n % 6000}",), (), ago(days=n % 100), outcome="Connected", seconds=60)
        for n in range(11_800)
    )
    meetings = tuple(
        Meeting(
            f"meeting-{n}",
            REPS[n % 20],
            (f"p-{4000 + n % 2000}", f"p-{4000 + (n + 1) % 2000}") if n % 20 == 0 else (f"p-{n % 6000}",),
            (),
            start := ago(days=1 + n % 50),
            start + timedelta(hours=1),
            start - day,
        )
        for n in range(1_900)
    )
    emails = tuple(
        Email(
            f"mail-{n}",
            REPS[n % 20],
            (f"p-{n % 6000}",),
            (),
            "out",
            ago(days=n % 100),
            "Hello",
            f"thread-{n}",
            f"<{n}@acme>",
        )
        for n in range(3_900)
    )
    return World(
        "Acme",
        NOW,
        sellers=tuple(Seller(rep, rep, f"{rep}@acme.example", created=ago(days=900)) for rep in REPS),
        prospects=people,
        sales=sales,
        calls=calls,
        meetings=meetings,
        emails=emails,
        promotions=(Promotion("fair", "Fair", REPS[0], ago(days=90).date(), Decimal(1000)),),
    )


def handed_over(deals: int) -> World:
    """Won deals of Ana's that Bo got the day before yesterday."""
    sales = tuple(
        Sale(
            f"sale-{n}",
            f"Deal {n}",
            ((ago(days=200), "ana"), (ago(days=2), "bo")),
            ago(days=200),
            "won",
            ago(days=30).date(),
            ago(days=30),
            Decimal(100),
        )
        for n in range(deals)
    )
    return small_world(sales_too=sales)


def objects_of(log: list[Logged]) -> set[str]:
    """The objects that were queried."""
    return {found[1] for entry in log if (found := re.search(r"q=SELECT .+? FROM (\w+)", entry.query))}


def test_a_first_load_of_forty_thousand_records_takes_its_pages_and_at_most_fifteen_calls_more() -> None:
    with house(busy_company()) as here:
        found: list[Record] = []
        for stream in here.connector.capabilities().streams:
            found += [row for page in read(here.connector, stream) for row in page.rows]
        assert len(found) > 40_000
        rows = {name: len(here.org.rows(name, deleted=True)) for name in objects_of(here.box.log)}
        assert sum(rows.values()) > 40_000
        pages = sum(ceil(number / PAGE) for number in rows.values())  # an empty object has none
        assert len(here.box.log) <= pages + 15
        assert not here.sent("/jobs/")


def owners(pages: list[Page]) -> Counter[tuple[str | None, str | None]]:
    """How many deals have this owner today and that one at their close."""
    return Counter((deal.owner, deal.owner_at_close) for deal in records(pages, Deal).values())


@pytest.mark.parametrize("most", [10_000, 100], ids=["all at once", "by the page"])
def test_changes_of_owner_are_read_all_at_once_unless_they_are_too_many_to_be_held(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(landing, "MOST_CHANGES", most)
    with house(handed_over(1_300)) as here:
        pages = read(here.connector, "opportunities")
        ana, bo = here.key("seller", "ana"), here.key("seller", "bo")
        assert owners(pages)[bo, ana] == 1_300
        assert len(here.sent("/composite/batch")) == (1 if most == 100 else 0)  # five questions of 300 ids in one call


def test_a_query_that_fails_among_others_is_asked_by_itself() -> None:
    with house(handed_over(900)) as here:
        cursor = read(here.connector, "opportunities")[-1].cursor
        for number in range(700):
            change(here.org, "Opportunity", here.key("sale", f"sale-{number}"), {"Amount": 5})
        failed = {"statusCode": 400, "result": [{"errorCode": "QUERY_TIMEOUT", "message": ""}]}
        body = json.dumps({"hasErrors": True, "results": [failed] * 3})
        crm = here.again()
        crm.capabilities()
        here.box.faults.append(Fault("POST .*/composite/batch", "answer", status=200, body=body))
        pages = read(crm, "opportunities", cursor)
        assert owners(pages) == {(here.key("seller", "bo"), here.key("seller", "ana")): 700}


@pytest.fixture
def demo() -> Iterator[House]:
    with house(demo_world(NOW, size="small")) as here:
        assert list(here.connector.provision(KPIS))
        here.connector.capabilities()
        clock_ahead(here.org, 60)
        yield here


def round_trip(here: House, paper: Paper, folder: Path) -> tuple[Report, list[Logged]]:
    """A run of a process of its own, and the requests that it sent."""
    here.box.log.clear()
    cache = Cache.open(f"sqlite:///{folder}/cache.db", "acme")
    ledger = Ledger.open(f"sqlite:///{folder}/cache.db", "acme")
    crm = with_notebook(here, paper)
    now = int(NOW.timestamp() * 1000)
    options = Options(track=("calls_made", "deals_won"), write_grains=("month",), since=Day(now // 86_400_000 - 62))
    job = Job(name="acme", connector=crm, company=Company(connection="acme"), options=options)
    try:
        return run(job, cache, ledger, now=now, as_of=now), list(here.box.log)  # type: ignore[arg-type]
    finally:
        for thing in (crm, cache, ledger):
            thing.close()
        clock_ahead(here.org, 3600)


def test_a_sync_with_nothing_new_takes_two_calls_an_object_at_most_and_only_short_answers(
    demo: House, tmp_path: Path
) -> None:
    paper = Paper()
    first, _ = round_trip(demo, paper, tmp_path)
    assert first.written > 0
    round_trip(demo, paper, tmp_path)  # sees once more the people whose numbers the first one wrote
    report, log = round_trip(demo, paper, tmp_path)
    assert (dict(report.pulled.rows), report.planned) == ({}, 0)
    streams = len(with_notebook(demo, paper).capabilities().streams)
    assert streams >= 13
    assert len(log) <= 2 * streams
    asked = [re.search(r" FROM (\w+)", entry.query) for entry in log]
    names = [found[1] for found in asked if found]
    assert max(names.count(name) for name in names) <= 2
    assert [entry for entry in log if max(entry.sent, entry.received) > 1_000] == []


def test_what_was_seen_is_asked_for_again_once_salesforce_says_that_it_changed(demo: House) -> None:
    paper = Paper()
    with_notebook(demo, paper).capabilities()
    security(demo.org, {"Task.CallDisposition": "hidden"})
    clock_ahead(demo.org, 60)
    assert "answers" in {gap.source for gap in with_notebook(demo, paper).capabilities().gaps}


def test_what_was_seen_is_believed_for_a_day_and_not_longer(demo: House) -> None:
    paper = Paper()
    for passed, described in ((0, 1), (3600, 0), (86_400, 1), (60, 0)):
        clock_ahead(demo.org, passed)
        demo.box.log.clear()
        with_notebook(demo, paper).capabilities()
        assert len(demo.sent("/composite/batch")) == described


def test_nothing_is_remembered_while_something_of_ours_cannot_be_written() -> None:
    with house(small_world()) as here:
        clock_ahead(here.org, 60)
        paper = Paper()
        with_notebook(here, paper).capabilities()
        assert paper.note is None
        list(here.connector.provision(KPIS))
        assert Surface.KPI_RECORDS in with_notebook(here, paper).capabilities().surfaces


def test_a_refused_row_makes_the_next_run_look_again(demo: House) -> None:
    paper = Paper()
    crm = with_notebook(demo, paper)
    crm.capabilities()
    assert paper.note is not None
    nobody = Change(surface=Surface.LEAD_SCORES, key="00Q00000000nobody", rep=None, before={}, after={"score": 1.0})
    list(crm.push([nobody]))
    assert paper.note is None


def test_a_note_that_cannot_be_read_is_as_good_as_none(demo: House) -> None:
    paper = Paper('{"whose": 1}')
    assert len(with_notebook(demo, paper).capabilities().streams) >= 13
    assert '"seen"' in str(paper.note)


def test_another_user_s_note_is_not_believed(demo: House) -> None:
    paper = Paper()
    with_notebook(demo, paper).capabilities()
    assert paper.note is not None
    paper.note = paper.note.replace(demo.org.integration, "005000000000009AAA")
    demo.box.log.clear()
    with_notebook(demo, paper).capabilities()
    assert len(demo.sent("/composite/batch")) == 1


def test_small_tables_are_read_in_full_only_when_they_changed(demo: House) -> None:
    crm = demo.again()
    streams = [name for name in crm.capabilities().streams if name in {"quotas", "rates"}]
    assert streams
    for stream in streams:
        [first] = read(crm, stream)
        assert first.rows
        demo.box.log.clear()
        [second] = read(crm, stream, first.cursor)
        assert (second.rows, second.whole, second.cursor) == ((), (), first.cursor)
        assert all(entry.sent < 300 for entry in demo.box.log)


def test_a_changed_quota_and_a_deleted_one_are_seen(demo: House) -> None:
    crm = demo.again()
    [first] = read(crm, "quotas")
    clock_ahead(demo.org, 60)
    quota = demo.org.rows("ForecastingQuota")[0]
    change(demo.org, "ForecastingQuota", str(quota["Id"]), {"QuotaAmount": 77})
    [second] = read(crm, "quotas", first.cursor)
    assert any(found.amount == 77_000_000 for found in records([second], Quota).values())
    thing = demo.org.schema.thing("ForecastingQuota")
    assert thing is not None
    demo.org.store.forget(thing, str(quota["Id"]))
    [third] = read(crm, "quotas", second.cursor)
    assert (len(third.rows), third.whole) == (len(second.rows) - 1, ("quota",))


def test_a_new_exchange_rate_is_seen(demo: House) -> None:
    crm = demo.again()
    [first] = read(crm, "rates")
    clock_ahead(demo.org, 60)
    insert(demo.org, "DatedConversionRate", {"IsoCode": "GBP", "ConversionRate": "0.5", "StartDate": "2026-11-01"})
    [second] = read(crm, "rates", first.cursor)
    assert len(records([second], Rate)) == len(records([first], Rate)) + 1


def kpi_records(number: int) -> list[Change]:
    return [
        Change(
            surface=Surface.KPI_RECORDS,
            key=f"acme:calls_made:{n}:month:2026-11-01",
            rep=None,
            before={},
            after={"value": float(n), "kpi": "calls_made"},
            new=True,
        )
        for n in range(number)
    ]


@pytest.mark.parametrize(("number", "calls"), [(10_000, 50 + 5), (12_000, 15)], ids=["by collections", "by Bulk"])
def test_ten_thousand_kpi_rows_take_fifty_calls_and_five_more_and_above_that_a_job_of_fifteen(
    number: int, calls: int
) -> None:
    with house(small_world()) as here:
        list(here.connector.provision(KPIS))
        crm = here.again()
        here.box.log.clear()
        outcomes = list(crm.push(kpi_records(number)))
        assert all(isinstance(outcome, Written) for outcome in outcomes)
        assert len(here.org.rows("Sales_KPI__c")) == number
        assert len(here.box.log) <= calls
