"""What an admin says about this org: which results mean an answer, what a text message is, how meetings ended."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from connectors.salesforce import Mappings
from connectors.salesforce.settings import MessageObject
from crm_sandbox.salesforce import Features
from crm_sandbox.world import Call, Meeting, Message, Prospect, World
from kpi_engine.records import Company, Interaction, Link, Millis
from kpi_engine.values import values
from sync.cache import Cache
from sync.run import Job, Options, look, pull, score
from sync.scoring import computed
from tests.connectors.salesforce_world import NOW, House, ago, house, read, records, small_world

PEOPLE = (
    Prospect("lea", "Lea Roy", "lea@x.example", "X", "ana", ago(days=90)),
    Prospect("eva", "Eva Sol", "eva@x.example", "X", "ana", ago(days=90), is_lead=False),
)
SESSIONS = MessageObject(
    object="MessagingSession", at="StartTime", people=("LeadId", "EndUserContactId"), deals=("OpportunityId",)
)
SAID = Mappings(
    answered_results=("Gesprochen", " Termin vereinbart "),
    message_object=SESSIONS,
    meeting_outcome_field="Outcome__c",
    meeting_outcomes={"No_Show": "no_show"},
)


def world() -> World:
    """In November Ana made three calls, two of them answered, wrote two messages and met one person of two."""
    calls = tuple(
        Call(f"c{n}", "ana", ("lea",), (), ago(days=3, hours=n), outcome=result, seconds=60)
        for n, result in enumerate(("Gesprochen", "TERMIN VEREINBART", "Besetzt"))
    )
    met = tuple(
        Meeting(f"m{n}", "ana", ("lea",), (), ago(days=n), ago(days=n, hours=-1), ago(days=9), outcome=outcome)
        for n, outcome in enumerate(("completed", "no_show"), start=4)
    )
    texts = tuple(Message(f"t{n}", "ana", (who,), ("deal",), ago(days=2)) for n, who in enumerate(("lea", "eva")))
    return small_world(calls=0, calls_too=calls, prospects=PEOPLE, meetings=met, messages=texts)


@pytest.fixture
def office() -> Iterator[House]:
    features = Features(messaging_sessions=True, outcome_field="Outcome__c")
    with house(world(), features=features) as opened:
        yield opened


def months(house: House, folder: Any, **settings: Any) -> dict[str, tuple[Any, list[str]]]:
    """Ana's values of November with their marks."""
    options = Options(track=("calls_made",))
    job, _ = look(
        Job(name="acme", connector=house.again(**settings), company=Company(connection="acme"), options=options)
    )
    cache = Cache.open(f"sqlite:///{folder}/cache.db", "acme")
    pull(job, cache)
    score(job, cache, as_of=Millis(round(NOW.timestamp() * 1000)))
    told = computed(cache, {"month"})
    rows = values(
        told.parts, told.company, told.as_of, grain="month", rep=house.key("seller", "ana"), period=NOW.date()
    )
    cache.close()
    return {row["kpi"]: (row["value"], row["marks"]) for row in rows.iter_rows(named=True) if row["dimension"] is None}


def test_an_admin_s_words_for_results_messages_and_outcomes_reach_the_numbers(office: House, tmp_path: Any) -> None:
    plain = months(office, tmp_path)
    assert plain["calls_made"][0] == 3
    assert plain["calls_answered"][0] == 0  # nobody knows what "Gesprochen" means
    assert plain["touchpoints"] == (5, ["no_shows_unknown"])  # three calls and two meetings
    told = months(office, tmp_path, mappings=SAID)  # the same cache: what was read before is read again
    assert told["calls_answered"][0] == 2
    assert told["call_answer_rate"][0] == pytest.approx(2 / 3, abs=1e-4)
    assert told["touchpoints"] == (6, [])  # three calls, one meeting held and two messages


def test_a_text_message_hangs_on_the_people_and_the_deal_that_its_lookups_name(office: House) -> None:
    pages = read(office.again(mappings=SAID), "text_messages")
    found = records(pages, Interaction)
    assert {(one.kind, one.rep, one.direction) for one in found.values()} == {
        ("message", office.key("seller", "ana"), None)
    }
    links = {(link.from_id, link.to_kind, link.to_id) for link in records(pages, Link).values()}
    deal = office.key("sale", "deal")
    assert links == {
        (office.key("message", "t0"), "person", office.key("prospect", "lea")),
        (office.key("message", "t0"), "deal", deal),
        (office.key("message", "t1"), "person", office.key("prospect", "eva")),
        (office.key("message", "t1"), "deal", deal),
    }


def test_a_field_for_the_direction_of_messages_tells_who_wrote_them(office: House) -> None:
    told = msgspec.structs.replace(SESSIONS, direction="ChannelType", outgoing=("TEXT",))
    pages = read(office.again(mappings=Mappings(message_object=told)), "text_messages")
    assert {one.direction for one in records(pages, Interaction).values()} == {"out"}


def test_an_object_for_messages_that_is_not_there_is_a_gap_and_no_stream(office: House) -> None:
    office.org.schema.switch(messaging_sessions=False)
    found = office.again(mappings=SAID).capabilities()
    assert "text_messages" not in found.streams
    [gap] = [gap for gap in found.gaps if gap.source == "messages"]
    assert "MessagingSession" in gap.reason


@pytest.mark.parametrize(
    "said",
    [
        {"meeting_outcomes": {"no show": "noshow"}},
        {"message_object": {"object": "SMS__c/../User"}},
        {"message_object": {"object": "SMS__c", "owner": "OwnerId"}},
    ],
)
def test_a_mapping_that_means_nothing_is_refused_at_the_start(said: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(said, Mappings)
