"""Fields that an org hides, shows again or means in another way: no number is ever made of the blanks in between."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from connectors.salesforce import Mappings
from crm_sandbox.salesforce import Features, security
from crm_sandbox.world import Allotment, Meeting, Message, Prospect, Sale
from kpi_engine.records import Deal, Interaction, Quota
from tests.connectors.salesforce_world import House, ago, house, read, records, small_world

RESULT = "Task.CallDisposition"
HISTORY = "OpportunityFieldHistory"


@pytest.fixture
def small() -> Iterator[House]:
    with house() as opened:
        yield opened


def results(house: House, cursor: str | None = None) -> tuple[str, set[str | None]]:
    """Where the next run goes on, and the results of the calls that this one read."""
    pages = read(house.again(), "tasks", cursor)
    return pages[-1].cursor, {call.disposition for call in records(pages, Interaction).values()}


def test_a_field_that_becomes_visible_is_read_of_the_old_rows_too(small: House) -> None:
    security(small.org, {RESULT: "hidden"})
    cursor, blank = results(small)
    assert blank == {None}
    security(small.org, {RESULT: "visible"})
    cursor, known = results(small, cursor)
    assert known == {"connected"}


def test_a_field_that_becomes_hidden_is_no_longer_asked_for_and_nothing_is_read_again(small: House) -> None:
    small.org.ahead += ago() - ago(hours=1)  # the overlap is over
    cursor, known = results(small)
    assert known == {"connected"}
    security(small.org, {RESULT: "hidden"})
    cursor, nothing = results(small, cursor)
    assert nothing == set()
    security(small.org, {RESULT: "visible"})
    assert results(small, cursor)[1] == {"connected"}  # what changed in between would be blank


def test_reading_old_rows_again_survives_a_kill_between_any_two_pages() -> None:
    with house(small_world(calls=900)) as here:
        here.org.pages.sizes = (200,)
        security(here.org, {RESULT: "hidden"})
        cursor, _ = results(here)
        security(here.org, {RESULT: "visible"})
        found: dict[str, str | None] = {}
        for _ in range(6):
            pages = here.again().read("tasks", cursor)
            page = next(pages)  # killed after every page
            cursor = page.cursor
            found |= {row.id: row.disposition for row in page.rows if isinstance(row, Interaction)}
        assert (len(found), set(found.values())) == (900, {"connected"})


def test_a_bulk_job_that_did_not_ask_for_a_field_is_dropped_once_the_field_is_visible() -> None:
    with house(small_world(calls=30), bulk_from=10) as here:
        security(here.org, {RESULT: "hidden"})
        begun = next(here.connector.read("tasks", None))  # killed while Salesforce works
        security(here.org, {RESULT: "visible"})
        assert results(here, begun.cursor)[1] == {"connected"}
        deleted = {entry.path for entry in here.sent("jobs/query/") if (entry.method, entry.status) == ("DELETE", 204)}
        assert len(deleted) == 2  # the one that was dropped, and the one in its place


def test_when_the_owner_of_deals_begins_to_be_tracked_closed_deals_find_who_closed_them() -> None:
    sold = Sale(
        "handed",
        "Handed over",
        ((ago(days=60), "ana"), (ago(days=5), "bo")),
        ago(days=60),
        "won",
        ago(days=30).date(),
        ago(days=30),
    )
    with house(small_world(sales_too=(sold,)), features=Features(absent=frozenset({HISTORY}))) as here:
        pages = read(here.connector, "opportunities")
        deal = here.key("sale", "handed")
        assert records(pages, Deal)[deal].owner_at_close is None
        here.org.schema.switch(absent=())
        again = records(read(here.again(), "opportunities", pages[-1].cursor), Deal)
        assert again[deal].owner_at_close == here.key("seller", "ana")


def test_old_tasks_become_text_messages_once_the_admin_says_which_type_means_one() -> None:
    text = Message("text", "ana", (), ("deal",), ago(days=40))
    with house(small_world(calls=0, messages=(text,)), mappings=Mappings(message_task_types=("WhatsApp",))) as here:
        pages = read(here.connector, "tasks")
        assert records(pages, Interaction) == {}
        told = here.again(mappings=Mappings(message_task_types=("WhatsApp", "SMS")))
        [found] = records(read(told, "tasks", pages[-1].cursor), Interaction).values()
        assert found.kind == "message"


def test_old_meetings_get_their_outcome_once_the_admin_names_its_field_and_lose_it_when_that_is_taken_back() -> None:
    person = Prospect("lea", "Lea Roy", "lea@x.example", "X", "ana", ago(days=90))
    met = Meeting("m", "ana", ("lea",), (), ago(days=30), ago(days=30, hours=-1), ago(days=31), outcome="no_show")
    features = Features(outcome_field="Outcome__c")
    named = Mappings(meeting_outcome_field="Outcome__c", meeting_outcomes={"no_show": "no_show", "no show": "no_show"})
    with house(small_world(prospects=(person,), meetings=(met,)), features=features) as here:

        def outcome(mappings: Mappings, cursor: str | None) -> tuple[str, str | None]:
            pages = read(here.again(mappings=mappings), "events", cursor)
            [meeting] = records(pages, Interaction).values()
            return pages[-1].cursor, meeting.outcome

        cursor, before = outcome(Mappings(), None)
        cursor, told = outcome(named, cursor)
        cursor, taken_back = outcome(Mappings(), cursor)
        assert (before, told, taken_back) == (None, "no_show", None)


def test_a_small_table_is_read_anew_when_a_field_of_it_becomes_visible() -> None:
    quota = Allotment("ana", ago(days=19).date(), ago(days=-11).date(), Decimal(1000))
    world = small_world(allotments=(quota,), currency="EUR")
    with house(world, features=Features(multi_currency=True)) as here:
        security(here.org, {"ForecastingQuota.CurrencyIsoCode": "hidden"})
        [first] = read(here.again(), "quotas")
        assert {row.currency for row in first.rows if isinstance(row, Quota)} == {None}
        security(here.org, {"ForecastingQuota.CurrencyIsoCode": "visible"})
        [second] = read(here.again(), "quotas", first.cursor)
        assert {row.currency for row in second.rows if isinstance(row, Quota)} == {"EUR"}
