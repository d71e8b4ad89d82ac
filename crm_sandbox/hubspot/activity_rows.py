"""Calls, e-mails, meetings, messages and tasks of a world as HubSpot holds them, with the gaps real portals have."""

from collections import defaultdict
from datetime import UTC, datetime, time, timedelta

from crm_sandbox.hubspot.registry import Registry, guid, text_moment
from crm_sandbox.hubspot.store import Values
from crm_sandbox.hubspot.values import millis
from crm_sandbox.world import Call, Email, Meeting, Message, Seller, Todo

DISPOSITIONS = {
    "Busy": "9d9162e7-6cf3-4944-bf63-4dff82258764",
    "Connected": "f240bbac-87c9-4f6e-bf70-924b57d47db7",
    "Left live message": "a4c4c377-d246-4b32-a13b-75a56a4cd0ff",
    "Left voicemail": "b2cf5968-551e-4856-9783-52b3da59a7d0",
    "No answer": "73a0d17f-1163-4015-bdd5-ec830791da20",
    "Wrong number": "17b47fee-58de-441e-a44c-c6300d46f273",
}
"""HubSpot's own call outcomes. Portals add others with GUIDs of their own."""

DIRECTIONS = {"out": "OUTBOUND", "in": "INBOUND"}
MAIL_DIRECTIONS = {"out": "EMAIL", "in": "INCOMING_EMAIL", "forwarded": "FORWARDED_EMAIL"}
CALL_STATES = {"planned": "QUEUED", "cancelled": "CANCELED", "failed": "FAILED"}
MAIL_STATES = {"sent": "SENT", "bounced": "BOUNCED", "scheduled": "SCHEDULED", "failed": "FAILED"}
OUTCOMES = {
    "completed": "COMPLETED",
    "scheduled": "SCHEDULED",
    "rescheduled": "RESCHEDULED",
    "no_show": "NO_SHOW",
    "cancelled": "CANCELED",
}
DUE_HOUR = time(9)


def disposition(label: str) -> str:
    """The GUID of a call outcome."""
    return DISPOSITIONS.get(label) or guid("call disposition", label)


def activities(registry: Registry) -> None:
    """All activities. What HubSpot cannot hold stays out: internal calls and drafts of e-mails."""
    labels = dict.fromkeys([*DISPOSITIONS, *(call.outcome for call in registry.world.calls if call.outcome)])
    definition = registry.store.tables["0-48"].properties["hs_call_disposition"]
    definition.offer([(disposition(label), label) for label in labels])
    for place, call in enumerate(registry.world.calls):
        if call.direction != "internal":
            _call(registry, call, place)
    replies = _replies(registry)
    for place, email in enumerate(registry.world.emails):
        if email.status in MAIL_STATES:
            _email(registry, email, place, replies)
    for meeting in registry.world.meetings:
        _meeting(registry, meeting)
    for message in registry.world.messages:
        _message(registry, message)
    for todo in registry.world.todos:
        _todo(registry, todo)


def _call(registry: Registry, call: Call, place: int) -> None:
    table = registry.store.tables["0-48"]
    values: Values = {
        "hs_timestamp": text_moment(call.at),
        "hs_call_title": "Call",
        "hs_call_direction": DIRECTIONS.get(call.direction or ""),
        "hs_call_disposition": disposition(call.outcome) if call.outcome else None,
        "hs_call_duration": None if call.seconds is None else str(call.seconds * 1000),
        "hs_call_status": _call_state(call),
        "hs_call_external_id": call.external_id,
        "hs_call_source": "INTEGRATIONS_PLATFORM" if call.external_id else None,
        **registry.signed(call.seller, by_creator=place % 37 == 5),
    }
    made = min(call.at, registry.world.now)
    touched = registry.past(made + timedelta(seconds=call.seconds or 0))
    row = registry.insert(table, "call", call.key, values, created=made, modified=touched)
    registry.link_all(table, row, call.people, call.deals)
    registry.archive_soon(table, row, deleted=call.deleted)


def _call_state(call: Call) -> str | None:
    """A call logged by hand has no state; a missed one is written in lower case by some diallers."""
    if call.status != "completed":
        return CALL_STATES[call.status]
    if call.outcome is None and call.seconds is None:
        return None
    if call.outcome == "No answer":
        return "missed" if call.direction == "in" else "NO_ANSWER"
    return "BUSY" if call.outcome == "Busy" else "COMPLETED"


def _replies(registry: Registry) -> dict[str, list[datetime]]:
    """When somebody answered, by thread."""
    found: dict[str, list[datetime]] = defaultdict(list)
    for email in registry.world.emails:
        if email.thread and email.direction == "in" and not email.out_of_office and not email.deleted:
            found[email.thread].append(email.at)
    return found


def _email(registry: Registry, email: Email, place: int, replies: dict[str, list[datetime]]) -> None:
    table = registry.store.tables["0-49"]
    sent = email.direction != "in"
    values: Values = {
        "hs_timestamp": text_moment(email.at),
        "hs_email_subject": email.subject,
        "hs_email_direction": MAIL_DIRECTIONS[email.direction],
        "hs_email_status": MAIL_STATES[email.status],
        "hs_email_thread_id": email.thread,
        "hs_email_message_id": None if email.noted_only else email.message_id,
        "hs_email_logged_from": "CRM" if email.noted_only else "EMAIL_INTEGRATION",
        "hs_incoming_email_is_out_of_office": "true" if email.out_of_office else None if sent else "false",
        **_addresses(registry, email),
        **registry.signed(email.seller, by_creator=sent and place % 29 == 7),
        **_tracking(email, replies),
        **_bounce(email),
    }
    made = min(email.at, registry.world.now)
    touched = registry.past(made, *email.opens, *email.clicks, grace=timedelta(seconds=1))
    row = registry.insert(table, "email", email.key, values, created=made, modified=touched)
    if email.tracked and email.opens:
        counted = [(moment, str(number)) for number, moment in enumerate(sorted(email.opens), 1)]
        registry.history(row, "hs_email_open_count", [*counted], "EMAIL")
    if email.tracked and email.clicks:
        counted = [(moment, str(number)) for number, moment in enumerate(sorted(email.clicks), 1)]
        registry.history(row, "hs_email_click_count", [*counted], "EMAIL")
    registry.link_all(table, row, email.people, email.deals)
    registry.archive_soon(table, row, deleted=email.deleted)


def _addresses(registry: Registry, email: Email) -> Values:
    seller = registry.sellers.get(email.seller or "")
    ours = seller.email if seller is not None else "team@example.com"
    theirs = ";".join(registry.prospects[key].email for key in email.people if key in registry.prospects) or None
    owner = registry.owner_of(email.seller)
    sent = email.direction != "in"
    mine = None if owner is None or not _is_person(seller) else owner.id
    return {
        "hs_email_from_email": ours if sent else theirs,
        "hs_email_to_email": theirs if sent else ours,
        "hs_owner_ids_from": mine if sent else None,
        "hs_owner_ids_to": None if sent else mine,
    }


def _is_person(seller: Seller | None) -> bool:
    return seller is not None and seller.kind == "person"


def _tracking(email: Email, replies: dict[str, list[datetime]]) -> Values:
    """Only a tracked e-mail has counters."""
    if email.direction != "out":
        return {}
    if not email.tracked:
        return {"hs_not_tracking_opens_or_clicks": "true"}
    answered = sum(at > email.at for at in replies.get(email.thread or "", ()))
    return {
        "hs_email_tracker_key": guid("tracker", email.key),
        "hs_not_tracking_opens_or_clicks": "false",
        "hs_email_sent_count": "1",
        "hs_email_open_count": str(len(email.opens)),
        "hs_email_click_count": str(len(email.clicks)),
        "hs_email_reply_count": str(answered),
    }


def _bounce(email: Email) -> Values:
    if email.status != "bounced":
        return {}
    return {
        "hs_email_bounce_error_detail_message": "550 5.1.1 The e-mail account does not exist",
        "hs_email_bounce_error_detail_status_code": "550",
    }


def _meeting(registry: Registry, meeting: Meeting) -> None:
    table = registry.store.tables["0-47"]
    outcome = OUTCOMES[meeting.outcome] if meeting.outcome else None
    if outcome == "CANCELED" and millis(meeting.start) // 60_000 % 2:
        outcome = "CANCELLED"  # both spellings are found in portals
    values: Values = {
        "hs_timestamp": text_moment(meeting.start),
        "hs_meeting_title": "Meeting",
        "hs_meeting_start_time": text_moment(meeting.start),
        "hs_meeting_end_time": text_moment(meeting.end),
        "hs_meeting_outcome": outcome,
        **registry.signed(meeting.seller),
    }
    touched = registry.past(meeting.booked, meeting.end, grace=timedelta(seconds=1))
    row = registry.insert(table, "meeting", meeting.key, values, created=meeting.booked, modified=touched)
    registry.link_all(table, row, meeting.people, meeting.deals)
    registry.archive_soon(table, row, deleted=meeting.deleted)


def _message(registry: Registry, message: Message) -> None:
    table = registry.store.tables["0-18"]
    values: Values = {
        "hs_timestamp": text_moment(message.at),
        "hs_communication_channel_type": message.channel,
        "hs_communication_logged_from": "CRM",
        "hs_communication_body": "…",
        **registry.signed(message.seller),
    }
    made = min(message.at, registry.world.now)
    row = registry.insert(table, "message", message.key, values, created=made, modified=registry.past(made))
    registry.link_all(table, row, message.people, message.deals)
    registry.archive_soon(table, row, deleted=message.deleted)


def _todo(registry: Registry, todo: Todo) -> None:
    table = registry.store.tables["0-27"]
    due = None
    if todo.due is not None:
        due = datetime.combine(todo.due, DUE_HOUR, registry.zone(todo.seller)).astimezone(UTC)
    values: Values = {
        "hs_timestamp": text_moment(due),
        "hs_task_subject": "Follow up",
        "hs_task_type": "TODO",
        "hs_task_priority": "NONE",
        "hs_task_status": "COMPLETED" if todo.done else "NOT_STARTED",
        "hs_task_completion_date": text_moment(todo.done),
        **registry.signed(todo.seller),
    }
    touched = registry.past(todo.created, todo.done)
    row = registry.insert(table, "todo", todo.key, values, created=todo.created, modified=touched)
    registry.link_all(table, row, todo.people, todo.deals)
    registry.archive_soon(table, row, deleted=todo.deleted)
