"""Calls, e-mails, meetings, messages and tasks become interactions and next steps."""

from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from connectors.hubspot.wire import activities
from connectors.hubspot.wire.activities import DISPOSITIONS, Context
from connectors.hubspot.wire.people import Directory
from connectors.hubspot.wire.shapes import Row, Unclear
from kpi_engine.records import Interaction, Millis

AT = "2026-03-02T09:00:00Z"
AT_MS = 1_772_442_000_000
CONNECTED = "f240bbac-87c9-4f6e-bf70-924b57d47db7"
OWN = "11111111-2222-3333-4444-555555555555"

CONTEXT = Context(
    directory=Directory(frozenset({"41"}), {"9001": "41"}),
    dispositions={**DISPOSITIONS, OWN: "spoke with contact"},
    zone=ZoneInfo("America/New_York"),
)


def row(**properties: str | None) -> Row:
    base = {"hs_timestamp": AT, "hs_createdate": AT, "hs_lastmodifieddate": AT, "hubspot_owner_id": "41"}
    return Row(id="900", properties={**base, **properties})


def call(**properties: str | None) -> Interaction:
    return activities.call(row(**properties), CONTEXT)


def email(**properties: str | None) -> Interaction:
    return activities.email(row(**properties), CONTEXT)


def meeting(**properties: str | None) -> Interaction:
    return activities.meeting(row(**properties), CONTEXT)


def test_a_call_is_read_whole() -> None:
    made = call(
        hs_call_direction="OUTBOUND",
        hs_call_status="COMPLETED",
        hs_call_disposition=CONNECTED,
        hs_call_duration="185000",
        hs_call_external_id="tel-1",
    )
    assert made == Interaction(
        id="900",
        modified=Millis(AT_MS),
        kind="call",
        rep="41",
        direction="out",
        outcome="done",
        at=Millis(AT_MS),
        created_at=Millis(AT_MS),
        duration_ms=185_000,
        disposition="connected",
        external_id="tel-1",
    )


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("COMPLETED", "done"),
        ("BUSY", "done"),
        ("NO_ANSWER", "done"),
        ("missed", "done"),
        ("FAILED", "failed"),
        ("CANCELED", "cancelled"),
        ("QUEUED", "planned"),
        ("UNKNOWN", None),
        (None, None),
    ],
)
def test_the_status_of_a_call_is_compared_in_any_case(status: str | None, outcome: str | None) -> None:
    assert call(hs_call_status=status).outcome == outcome


@pytest.mark.parametrize(
    ("disposition", "label"),
    [(CONNECTED, "connected"), (OWN, "spoke with contact"), ("not-listed", "not-listed"), (None, None), ("", None)],
)
def test_a_disposition_is_its_label(disposition: str | None, label: str | None) -> None:
    assert call(hs_call_disposition=disposition).disposition == label


def test_an_activity_without_owner_is_its_creators() -> None:
    assert call(hubspot_owner_id=None, hs_created_by_user_id="9001").rep == "41"
    assert call(hubspot_owner_id=None, hs_created_by_user_id="9999").rep is None
    assert call(hubspot_owner_id="", hs_created_by_user_id=None).rep is None


def test_a_tracked_email_tells_what_became_of_it() -> None:
    sent = email(
        hs_email_direction="EMAIL",
        hs_email_status="SENT",
        hs_email_tracker_key="abc",
        hs_email_open_count="2",
        hs_email_click_count=None,
        hs_email_thread_id="t1",
        hs_email_message_id="<m1>",
    )
    assert (sent.direction, sent.outcome, sent.bounced) == ("out", "done", False)
    assert (sent.tracked, sent.opened, sent.clicked) == (True, True, False)
    assert (sent.thread, sent.message_id) == ("t1", "<m1>")


def test_an_untracked_email_does_not_say_whether_it_was_opened() -> None:
    sent = email(hs_email_direction="EMAIL", hs_email_status="SENT", hs_email_open_count="0")
    assert (sent.tracked, sent.opened, sent.clicked) == (False, None, None)


@pytest.mark.parametrize(
    "how", [{"hs_email_status": "BOUNCED"}, {"hs_email_status": "SENT", "hs_email_bounce_error_detail_message": "no"}]
)
def test_a_bounced_email_was_sent_and_bounced(how: dict[str, str]) -> None:
    sent = email(hs_email_direction="EMAIL", **how)
    assert (sent.outcome, sent.bounced) == ("done", True)


@pytest.mark.parametrize(
    ("status", "outcome"), [("SCHEDULED", "planned"), ("SENDING", "planned"), ("FAILED", "failed"), (None, None)]
)
def test_an_email_that_has_not_left_is_not_done(status: str | None, outcome: str | None) -> None:
    assert email(hs_email_direction="EMAIL", hs_email_status=status).outcome == outcome


def test_a_forwarded_email_is_neither_sent_nor_received() -> None:
    assert email(hs_email_direction="FORWARDED_EMAIL", hs_email_status="SENT").direction == "internal"


@pytest.mark.parametrize(
    ("subject", "automatic"),
    [
        ("Out of Office: back on Monday", True),
        ("RESPUESTA AUTOMÁTICA: hola", True),
        ("Auto: received", True),
        ("Re: out of office supplies", False),
        (None, False),
    ],
)
def test_an_automatic_reply_is_known_by_its_subject(subject: str | None, automatic: bool) -> None:
    received = email(hs_email_direction="INCOMING_EMAIL", hs_email_subject=subject)
    assert (received.direction, received.outcome, received.automatic) == ("in", "done", automatic)


def test_an_automatic_reply_is_known_by_its_flag() -> None:
    assert email(hs_email_direction="INCOMING_EMAIL", hs_incoming_email_is_out_of_office="true").automatic
    assert not email(hs_email_direction="EMAIL", hs_email_subject="Out of office").automatic


@pytest.mark.parametrize(
    ("outcome", "ours"),
    [
        (None, None),
        ("SCHEDULED", None),
        ("COMPLETED", "done"),
        ("RESCHEDULED", "rescheduled"),
        ("NO_SHOW", "no_show"),
        ("CANCELED", "cancelled"),
        ("CANCELLED", "cancelled"),
        ("Went to lunch", "done"),
    ],
)
def test_the_outcome_of_a_meeting(outcome: str | None, ours: str | None) -> None:
    assert meeting(hs_meeting_outcome=outcome).outcome == ours


def test_a_meeting_is_at_its_start() -> None:
    held = meeting(hs_meeting_start_time="2026-03-02T09:30:00Z", hs_meeting_end_time="2026-03-02T10:00:00Z")
    assert (held.at, held.ended_at, held.created_at) == (AT_MS + 1_800_000, AT_MS + 3_600_000, AT_MS)


def test_a_message_has_no_direction() -> None:
    message = activities.communication(row(hs_communication_channel_type="SMS"), CONTEXT)
    assert (message.kind, message.direction, message.outcome) == ("message", None, "done")


def test_a_task_is_due_on_the_portals_calendar() -> None:
    # 03:00 in UTC on 3 March is still 2 March in New York; 2 March 2026 is day 20514.
    task = activities.task(row(hs_timestamp="2026-03-03T03:00:00Z", hs_task_status="completed"), CONTEXT)
    assert (task.due_on, task.done, task.created_at, task.logs_activity) == (20_514, True, AT_MS, False)


def test_an_archived_activity_is_deleted() -> None:
    gone = replace(row(), archived=True, archived_at="2026-03-02T09:00:01Z")
    assert (activities.call(gone, CONTEXT).deleted, activities.call(gone, CONTEXT).modified) == (True, AT_MS + 1000)


def test_an_activity_without_a_moment_is_unclear() -> None:
    with pytest.raises(Unclear, match=r"^hs_timestamp is missing$"):
        call(hs_timestamp=None)
