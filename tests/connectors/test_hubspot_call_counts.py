"""How many calls a sync costs, counted by the portal itself: a first load, a sync with nothing new, a large write."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from math import ceil

import pytest
from hubspot_world import NOW, Clock, Desk, Notebook, ago, cursor, desk, rows, small_world

from connectors.contract import Change, KpiField, Refused, Surface, Written
from connectors.hubspot import HubSpotConnector, HubSpotMappings, HubSpotSettings, connect
from connectors.hubspot.answers import MissingScope
from crm_sandbox.hubspot import SANDBOX_TOKEN
from crm_sandbox.hubspot.marketing import Filled
from crm_sandbox.world import Allotment, Call, Email, Meeting, Message, Promotion, Prospect, Sale, Todo, World
from kpi_engine.records import Campaign, Deal, Event, Interaction, Person, Quota, Record, Rep, Split, Task

N = 2050
PAIRS: dict[str, tuple[type[Record], int, int]] = {
    "contacts": (Person, 0, N),
    "deals": (Deal, 1, N),
    "calls": (Interaction, 2, N),
    "emails": (Interaction, 2, N),
    "meetings": (Interaction, 2, N),
    "communications": (Interaction, 2, N),
    "tasks": (Task, 2, N),
    "goals": (Quota, 0, 130),
}
"""Stream → what our records of it are called, for how many other kinds associations are asked, how many there are."""

SEARCHED = ("users", "contacts", "deals", "calls", "emails", "meetings", "communications", "tasks", "goal_targets")


def crowded_world() -> World:
    """N of everything; every tenth deal went to somebody else after its close, every hundredth person opted out."""
    each = range(N)
    closed = [ago(days=20, minutes=n) for n in each]
    return small_world(
        prospects=tuple(
            Prospect(
                f"p{n}", f"P {n}", f"p{n}@p.test", "P", "ana", ago(days=30), opted_out=None if n % 100 else ago(days=5)
            )
            for n in each
        ),
        sales=tuple(
            Sale(
                f"s{n}",
                f"Deal {n}",
                ((ago(days=60), "ana"), *(((ago(days=3), "ben"),) if n % 50 == 0 else ())),
                ago(days=60),
                "won",
                closed[n].date(),
                closed[n],
                Decimal(100),
                people=(f"p{n}",),
            )
            for n in each
        ),
        calls=tuple(Call(f"c{n}", "ana", (f"p{n}",), (f"s{n}",), ago(days=9, minutes=n)) for n in each),
        emails=tuple(
            Email(f"e{n}", "ana", (f"p{n}",), (), "out", ago(days=9, minutes=n), "Hi", f"t{n}", f"<{n}@x>")
            for n in each
        ),
        messages=tuple(Message(f"m{n}", "ana", (f"p{n}",), (), ago(days=9, minutes=n)) for n in each),
        meetings=tuple(
            Meeting(f"g{n}", "ana", (f"p{n}",), (), ago(days=9, minutes=n), ago(days=8), ago(days=12)) for n in each
        ),
        todos=tuple(Todo(f"d{n}", "ana", (f"p{n}",), (), ago(days=9, minutes=n), date(2026, 11, 25)) for n in each),
        allotments=tuple(
            Allotment("ana", date(2000 + n // 12, n % 12 + 1, 1), date(2000 + n // 12, n % 12 + 1, 28), Decimal(5))
            for n in range(130)
        ),
    )


@pytest.fixture(scope="module")
def crowded() -> Iterator[Desk]:
    with desk(crowded_world()) as opened:
        yield opened


@dataclass
class Company:
    """A company that syncs again and again, each time with a new connector, as a scheduled run does."""

    desk: Desk
    notebook: Notebook = field(default_factory=Notebook)
    cursors: dict[str, str] = field(default_factory=dict)
    time: float = 1_800_000_000.0
    managers: Mapping[str, str] = field(default_factory=dict)

    def connector(self) -> HubSpotConnector:
        clock = Clock()
        return connect(
            HubSpotSettings(base_url=self.desk.box.url, mappings=HubSpotMappings(managers=self.managers)),
            {"TOKEN": SANDBOX_TOKEN}.get,
            sleep=clock.sleep,
            clock=clock,
            now=lambda: self.time,
            notebook=self.notebook,
        )

    def sync(self) -> dict[str, list[Record]]:
        """One look and one read of every stream; what came, by stream, where anything did."""
        came: dict[str, list[Record]] = {}
        self.desk.box.log.clear()
        with self.connector() as connector:
            for stream in connector.capabilities().streams:
                pages = list(connector.read(stream, self.cursors.get(stream)))
                if pages:
                    self.cursors[stream] = cursor(pages)
                    came[stream] = [row for page in pages for row in page.rows]
        return came


@pytest.fixture
def company() -> Iterator[Company]:
    with desk() as opened:
        yield Company(opened)


@pytest.mark.parametrize("stream", PAIRS)
def test_a_first_load_costs_its_pages_its_associations_and_at_most_twenty_calls_more(
    crowded: Desk, stream: str
) -> None:
    kind, pairs, records = PAIRS[stream]
    with Company(crowded).connector() as connector:
        crowded.box.log.clear()
        assert len(rows(list(connector.read(stream, None)), kind)) == records
    paths = [path for _, path, _ in crowded.calls()]
    associations = [path for path in paths if "/crm/associations/" in path]
    assert len(associations) == ceil(records / 1000) * pairs
    assert len(paths) <= ceil(records / 100) + len(associations) + 20


def test_a_sync_with_nothing_new_costs_a_search_an_object_and_five_calls(company: Company) -> None:
    company.sync()
    assert set(company.sync()) == {"campaigns"}
    searched = {path.rsplit("/", 2)[1] for _, path, _ in company.desk.calls() if path.endswith("/search")}
    assert searched == set(SEARCHED)
    assert len(company.desk.calls()) <= len(SEARCHED) + 5


def test_a_look_at_an_unchanged_portal_is_one_call_and_finds_the_same(company: Company) -> None:
    with company.connector() as first:
        looked = first.capabilities()
    company.desk.box.log.clear()
    with company.connector() as second:
        again = second.capabilities()
    assert len(company.desk.calls()) == 1
    assert again == looked


def test_ten_thousand_rows_are_written_with_a_hundred_calls_and_five() -> None:
    kpi = KpiField("calls_made", "Calls made", "count", 0)
    with desk() as opened:
        list(opened.hubspot.provision([kpi]))
        changes = [
            Change(
                surface=Surface.KPI_RECORDS,
                key=f"acme:calls_made:ana:day:{n}",
                rep=opened.id_of("seller", "ana"),
                before={},
                after={"name": f"Row {n}", "value": n},
                new=True,
            )
            for n in range(10_000)
        ]
        with Company(opened).connector() as connector:
            opened.box.log.clear()
            outcomes = list(connector.push(changes))
        assert all(isinstance(outcome, Written) for outcome in outcomes)
        assert len(outcomes) == len(opened.portal.records("sales_kpi")) == 10_000
        assert len(opened.calls()) <= 105


def test_a_new_rep_and_another_time_zone_are_noticed_by_the_next_sync(company: Company) -> None:
    company.sync()
    ana = company.desk.id_of("person_record", "ana")
    company.desk.portal.set("users", ana, {"hs_standard_time_zone": "Asia/Tokyo"})
    zones = {rep.name: rep.time_zone for rep in company.sync()["owners"] if isinstance(rep, Rep)}
    assert zones["Ana Ruiz"] == "Asia/Tokyo"
    assert "owners" not in company.sync()


def test_another_manager_in_the_settings_is_noticed_by_the_next_sync(company: Company) -> None:
    company.sync()
    company.managers = {"ana@x.test": "ben@x.test"}
    managers = {rep.name: rep.manager for rep in company.sync()["owners"] if isinstance(rep, Rep)}
    assert managers["Ana Ruiz"] == company.desk.id_of("seller", "ben")


def test_someone_who_left_is_noticed_by_the_next_sync(company: Company) -> None:
    company.sync()
    company.desk.portal.desk.deactivate(company.desk.id_of("seller", "ben"))
    assert {rep.name: rep.active for rep in company.sync()["owners"] if isinstance(rep, Rep)}["Ben Ode"] is False


def test_what_nothing_tells_of_is_read_again_after_an_hour(company: Company) -> None:
    company.sync()
    company.time += 3599
    assert set(company.sync()) == {"campaigns"}
    company.time += 1
    assert {"owners", "currencies", "deal_splits", "forms"} <= set(company.sync())


def test_a_clock_that_was_set_back_makes_everything_be_asked_again(company: Company) -> None:
    company.sync()
    company.time -= 1
    assert {"owners", "currencies", "deal_splits", "forms"} <= set(company.sync())


def test_what_a_campaign_cost_is_noticed_by_the_next_sync(company: Company) -> None:
    company.sync()
    record = company.desk.portal.records("campaigns")[0]["id"]
    company.desk.portal.set("campaigns", record, {"hs_spend_items_sum_amount": "1300"})
    assert [each.cost for each in company.sync()["campaigns"] if isinstance(each, Campaign)] == [1_300_000_000]


def test_a_hundred_and_fifty_campaigns_are_read_whole_when_one_is_new_and_cost_one_call_when_none_is() -> None:
    promotions = tuple(Promotion(f"p{n}", f"Promotion {n}", "ana", date(2026, 3, 1), Decimal(n)) for n in range(150))
    with desk(small_world(promotions=promotions)) as opened:
        company = Company(opened)
        assert len(company.sync()["campaigns"]) == 150
        assert "campaigns" not in company.sync()
        assert sum(path.endswith("/campaigns/2026-09") for _, path, _ in opened.calls()) == 1
        first = opened.portal.records("campaigns")[0]["id"]
        opened.portal.set("campaigns", first, {"hs_spend_items_sum_amount": "7"})
        costs = {each.name: each.cost for each in company.sync()["campaigns"] if isinstance(each, Campaign)}
        assert len(costs) == 150
        assert costs["Promotion 0"] == 7_000_000


def test_a_form_that_was_sent_is_noticed_by_the_next_sync(company: Company) -> None:
    company.sync()
    carl, portal = company.desk.id_of("prospect", "carl"), company.desk.portal
    form = next(iter(portal.marketing.forms))
    portal.marketing.filled.append(Filled(form, "carl@p.test", round(NOW.timestamp() * 1000), 900))
    portal.set("contacts", carl, {"recent_conversion_date": NOW.isoformat()})
    assert [event.person for event in company.sync()["forms"] if isinstance(event, Event)] == [carl]
    assert "forms" not in company.sync()


def test_a_deal_that_is_split_is_noticed_by_the_next_sync(company: Company) -> None:
    company.sync()
    won, ana, ben = (company.desk.id_of(*each) for each in (("sale", "won"), ("seller", "ana"), ("seller", "ben")))
    company.desk.portal.splits.replace(int(won), [(ana, Decimal("0.25")), (ben, Decimal("0.75"))])
    company.desk.portal.set("deals", won, {"hs_is_deal_split": "true"})
    shares = {each.rep: each.share for each in company.sync()["deal_splits"] if isinstance(each, Split)}
    assert shares == {ana: 250_000, ben: 750_000}


def test_a_scope_that_was_given_or_taken_is_noticed_by_the_next_look(company: Company) -> None:
    company.sync()
    narrow = company.desk.portal.gate.credentials[SANDBOX_TOKEN]
    company.desk.portal.gate.credentials[SANDBOX_TOKEN] = replace(narrow, scopes=narrow.scopes - {"forms"})
    with company.connector() as connector:
        assert "forms" not in connector.capabilities().streams
    company.desk.portal.gate.credentials[SANDBOX_TOKEN] = narrow
    with company.connector() as connector:
        assert "forms" in connector.capabilities().streams


def test_what_was_provisioned_or_removed_is_noticed_by_the_next_look(company: Company) -> None:
    company.sync()
    kpi = KpiField("calls_made", "Calls made", "count", 0)
    with company.connector() as connector:
        list(connector.provision([kpi]))
    with company.connector() as connector:
        assert connector.capabilities().surfaces == set(Surface)
        list(connector.unprovision([kpi]))
    with company.connector() as connector:
        assert connector.capabilities().surfaces == frozenset()


def test_a_property_that_vanished_is_missed_by_the_look_after_the_refusal(company: Company) -> None:
    with company.connector() as connector:
        list(connector.provision([KpiField("calls_made", "Calls made", "count", 0)]))
        assert Surface.LEAD_SCORES in connector.capabilities().surfaces
    for name in ("kpi_engagement_score", "kpi_engagement_level"):
        company.desk.portal.store.table("contacts").properties.pop(name)
    lea = company.desk.id_of("prospect", "lea")
    change = Change(surface=Surface.LEAD_SCORES, key=lea, rep=None, before={}, after={"score": 4})
    with company.connector() as connector:
        assert Surface.LEAD_SCORES in connector.capabilities().surfaces
        assert [type(outcome) for outcome in connector.push([change])] == [Refused]
    with company.connector() as connector:
        assert Surface.LEAD_SCORES not in connector.capabilities().surfaces


def test_an_edition_that_lost_a_stream_is_asked_again_after_the_refusal(company: Company) -> None:
    company.sync()
    company.desk.portal.rules.tier = "starter"
    with company.connector() as connector:
        assert "page_views" in connector.capabilities().streams
        with pytest.raises(MissingScope):
            list(connector.read("page_views", company.cursors["page_views"]))
    with company.connector() as connector:
        assert "page_views" not in connector.capabilities().streams


def test_a_note_of_another_version_is_worth_nothing(company: Company) -> None:
    company.notebook.note = '{"streams": 7}'
    assert set(company.sync()) >= {"owners", "contacts", "deals", "calls"}
