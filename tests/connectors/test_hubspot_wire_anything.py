"""Whatever a portal's users typed, a record is understood or named as unclear; it never breaks the page."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.hubspot.wire import activities, deals, people
from connectors.hubspot.wire.activities import Context
from connectors.hubspot.wire.people import Directory
from connectors.hubspot.wire.shapes import Row, Unclear, Version

CONTEXT = Context(Directory(frozenset({"41"}), {"9001": "41"}), {}, ZoneInfo("America/New_York"))

ODD = st.sampled_from(
    [
        "",
        "0",
        "-1",
        "1e400",
        "NaN",
        "²",
        "٣",
        "true",
        "9" * 40,
        "2026-02-30",
        "0001-01-01T00:00:00+14:00",
        "41;42",
        "\n",
    ]
)
USUAL = st.sampled_from(["2026-03-02T09:00:00Z", "2026-03-02", "1772442000000", "12.5", "lead", "EMAIL", "closedwon"])
VALUES = st.none() | ODD | USUAL | st.text(max_size=12)

KINDS: dict[str, tuple[tuple[str, ...], Callable[[Row], object]]] = {
    "contact": (people.CONTACT_PROPERTIES, lambda row: people.contact(row, changed=True)),
    "lead": (people.LEAD_PROPERTIES, lambda row: people.lead_object(row, None, {})),
    "deal": (deals.DEAL_PROPERTIES, lambda row: deals.deal(row, {})),
    "goal": (deals.GOAL_PROPERTIES, lambda row: deals.quota(row, CONTEXT.directory, ("revenue",))),
    "call": (activities.CALL_PROPERTIES, lambda row: activities.call(row, CONTEXT)),
    "email": (activities.EMAIL_PROPERTIES, lambda row: activities.email(row, CONTEXT)),
    "meeting": (activities.MEETING_PROPERTIES, lambda row: activities.meeting(row, CONTEXT)),
    "message": (activities.COMMUNICATION_PROPERTIES, lambda row: activities.communication(row, CONTEXT)),
    "task": (activities.TASK_PROPERTIES, lambda row: activities.task(row, CONTEXT)),
}


def complaint(translate: Callable[[Row], object], row: Row) -> str:
    """What is unclear about a record, blank where it is understood."""
    try:
        translate(row)
    except Unclear as unclear:
        return str(unclear)
    return ""


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40, deadline=None)
@given(draw=st.data())
def test_a_record_is_understood_or_unclear(kind: str, draw: st.DataObject) -> None:
    names, translate = KINDS[kind]
    properties = draw.draw(st.fixed_dictionaries({name: VALUES for name in names}))
    stamps = st.none() | USUAL | ODD
    past = st.lists(st.builds(Version, VALUES, stamps), max_size=3)
    row = Row(
        id="1",
        properties=properties,
        history=draw.draw(st.dictionaries(st.sampled_from(["hubspot_owner_id", *people.HISTORY]), past)),
        updated_at=draw.draw(stamps),
        created_at=draw.draw(stamps),
        archived=draw.draw(st.booleans()),
        archived_at=draw.draw(stamps),
    )
    subject = complaint(translate, row).split(" ")[0]
    assert subject in {"", *names, *people.HISTORY, "the", "history", "updatedAt", "archivedAt", "createdAt"}
