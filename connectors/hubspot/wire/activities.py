"""Calls, e-mails, meetings, messages and tasks: what a rep did and plans to do."""

from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec

from connectors.hubspot.wire.people import Directory
from connectors.hubspot.wire.shapes import (
    DAY_MS,
    Properties,
    Row,
    Unclear,
    flag,
    label,
    modified,
    moment,
    text,
    whole,
)
from kpi_engine.records import Day, Interaction, Millis, Task

COMMON = (
    "hs_timestamp",
    "hubspot_owner_id",
    "hs_created_by_user_id",
    "hs_createdate",
    "hs_lastmodifieddate",
    "hs_merged_object_ids",
)

CALL_PROPERTIES = (
    *COMMON,
    "hs_call_direction",
    "hs_call_disposition",
    "hs_call_duration",
    "hs_call_status",
    "hs_call_external_id",
)

EMAIL_PROPERTIES = (
    *COMMON,
    "hs_email_subject",
    "hs_email_direction",
    "hs_email_status",
    "hs_email_thread_id",
    "hs_email_message_id",
    "hs_email_tracker_key",
    "hs_not_tracking_opens_or_clicks",
    "hs_email_open_count",
    "hs_email_click_count",
    "hs_email_bounce_error_detail_status_code",
    "hs_email_bounce_error_detail_message",
    "hs_incoming_email_is_out_of_office",
)
"""The subject is asked for to recognise an automatic reply and is not kept; bodies are never asked for."""

MEETING_PROPERTIES = (*COMMON, "hs_meeting_start_time", "hs_meeting_end_time", "hs_meeting_outcome")
COMMUNICATION_PROPERTIES = (*COMMON, "hs_communication_channel_type")
TASK_PROPERTIES = (*COMMON, "hs_task_status", "hs_task_completion_date")

DISPOSITIONS: Mapping[str, str] = {
    "9d9162e7-6cf3-4944-bf63-4dff82258764": "busy",
    "f240bbac-87c9-4f6e-bf70-924b57d47db7": "connected",
    "a4c4c377-d246-4b32-a13b-75a56a4cd0ff": "left live message",
    "b2cf5968-551e-4856-9783-52b3da59a7d0": "left voicemail",
    "73a0d17f-1163-4015-bdd5-ec830791da20": "no answer",
    "17b47fee-58de-441e-a44c-c6300d46f273": "wrong number",
}
"""HubSpot's own call results; a portal adds its own, with ids of their own."""

CALL_DIRECTIONS = {"inbound": "in", "outbound": "out", "internal": "internal"}

CALL_OUTCOMES = {
    "completed": "done",
    "busy": "done",
    "no_answer": "done",
    "missed": "done",
    "failed": "failed",
    "canceled": "cancelled",
    "cancelled": "cancelled",
    "queued": "planned",
    "ringing": "planned",
    "connecting": "planned",
    "calling_crm_user": "planned",
    "in_progress": "planned",
    "hold": "planned",
}

EMAIL_DIRECTIONS = {"email": "out", "incoming_email": "in", "forwarded_email": "internal"}
"""A forwarded e-mail is a copy sent to the CRM: neither written to a customer nor by one."""

EMAIL_OUTCOMES = {
    "sent": "done",
    "bounced": "done",
    "failed": "failed",
    "scheduled": "planned",
    "sending": "planned",
}

MEETING_OUTCOMES = {
    "scheduled": None,
    "rescheduled": "rescheduled",
    "no_show": "no_show",
    "no show": "no_show",
    "canceled": "cancelled",
    "cancelled": "cancelled",
}
"""SCHEDULED is what a meeting is until someone notes how it went; one of the portal's own means that it was held."""

AUTOMATIC_SUBJECTS = (
    "out of office",
    "automatic reply",
    "auto-reply",
    "autoreply",
    "auto:",
    "fuera de la oficina",
    "fuera de oficina",
    "respuesta automática",
    "ausente de la oficina",
)


class Context(msgspec.Struct, frozen=True):
    """What an activity cannot be understood without."""

    directory: Directory
    dispositions: Mapping[str, str]
    zone: ZoneInfo


def call(row: Row, context: Context) -> Interaction:
    properties = row.properties
    status = label(properties, "hs_call_status")
    return Interaction(
        id=row.id,
        modified=modified(row, "hs_lastmodifieddate"),
        deleted=row.archived,
        kind="call",
        rep=context.directory.doer(properties),
        direction=CALL_DIRECTIONS.get(label(properties, "hs_call_direction") or ""),
        outcome=CALL_OUTCOMES.get(status) if status else None,  # a call noted by hand mostly has no status
        at=_at(properties, "hs_timestamp"),
        created_at=moment(properties, "hs_createdate"),
        duration_ms=whole(properties, "hs_call_duration"),
        disposition=_disposition(properties, context),
        external_id=text(properties, "hs_call_external_id"),
    )


def _disposition(properties: Properties, context: Context) -> str | None:
    value = label(properties, "hs_call_disposition")
    return context.dispositions.get(value, value) if value else None


def email(row: Row, context: Context) -> Interaction:
    properties = row.properties
    direction = EMAIL_DIRECTIONS.get(label(properties, "hs_email_direction") or "")
    outgoing = direction == "out"
    status = label(properties, "hs_email_status")
    bounced = outgoing and _bounced(properties, status)
    tracked = outgoing and _tracked(properties)
    return Interaction(
        id=row.id,
        modified=modified(row, "hs_lastmodifieddate"),
        deleted=row.archived,
        kind="email",
        rep=context.directory.doer(properties),
        direction=direction,
        outcome=_email_outcome(status, outgoing, bounced),
        at=_at(properties, "hs_timestamp"),
        created_at=moment(properties, "hs_createdate"),
        tracked=tracked if outgoing else None,
        opened=(whole(properties, "hs_email_open_count") or 0) > 0 if tracked else None,
        clicked=(whole(properties, "hs_email_click_count") or 0) > 0 if tracked else None,
        bounced=bounced if outgoing else None,
        automatic=direction == "in" and _automatic(properties),
        thread=text(properties, "hs_email_thread_id"),
        message_id=text(properties, "hs_email_message_id"),
    )


def _email_outcome(status: str | None, outgoing: bool, bounced: bool) -> str | None:
    if bounced:
        return "done"
    if status:
        return EMAIL_OUTCOMES.get(status)
    # An incoming e-mail has arrived; an outgoing one without a status is not known to have left.
    return None if outgoing else "done"


def _bounced(properties: Properties, status: str | None) -> bool:
    detail = ("hs_email_bounce_error_detail_status_code", "hs_email_bounce_error_detail_message")
    return status == "bounced" or any(text(properties, name) for name in detail)


def _tracked(properties: Properties) -> bool:
    return bool(text(properties, "hs_email_tracker_key")) and not flag(properties, "hs_not_tracking_opens_or_clicks")


def _automatic(properties: Properties) -> bool:
    subject = label(properties, "hs_email_subject") or ""
    return flag(properties, "hs_incoming_email_is_out_of_office") or subject.startswith(AUTOMATIC_SUBJECTS)


def meeting(row: Row, context: Context) -> Interaction:
    properties = row.properties
    outcome = label(properties, "hs_meeting_outcome")
    start = moment(properties, "hs_meeting_start_time")
    return Interaction(
        id=row.id,
        modified=modified(row, "hs_lastmodifieddate"),
        deleted=row.archived,
        kind="meeting",
        rep=context.directory.doer(properties),
        outcome=MEETING_OUTCOMES.get(outcome, "done") if outcome else None,
        at=start if start is not None else _at(properties, "hs_timestamp"),
        ended_at=moment(properties, "hs_meeting_end_time"),
        created_at=moment(properties, "hs_createdate"),
    )


def communication(row: Row, context: Context) -> Interaction:
    """A text, WhatsApp or LinkedIn message. HubSpot does not say who wrote it."""
    properties = row.properties
    return Interaction(
        id=row.id,
        modified=modified(row, "hs_lastmodifieddate"),
        deleted=row.archived,
        kind="message",
        rep=context.directory.doer(properties),
        outcome="done",
        at=_at(properties, "hs_timestamp"),
        created_at=moment(properties, "hs_createdate"),
    )


def task(row: Row, context: Context) -> Task:
    """A next step. `hs_timestamp` is when it is due; it was planned when it was created."""
    properties = row.properties
    created = moment(properties, "hs_createdate")
    due = moment(properties, "hs_timestamp")
    if created is None:
        raise Unclear("hs_createdate is missing")
    return Task(
        id=row.id,
        modified=modified(row, "hs_lastmodifieddate"),
        deleted=row.archived,
        rep=context.directory.doer(properties),
        created_at=created,
        due_on=local_day(due, context.zone) if due is not None else None,
        done=label(properties, "hs_task_status") == "completed",
    )


def local_day(at: Millis, zone: ZoneInfo) -> Day:
    """The calendar day of a moment in a time zone."""
    local = datetime.fromtimestamp(at / 1000, UTC).astimezone(zone)
    offset = local.utcoffset()
    return Day((at + (int(offset.total_seconds() * 1000) if offset else 0)) // DAY_MS)


def _at(properties: Properties, name: str) -> Millis:
    at = moment(properties, name)
    if at is None:
        raise Unclear(f"{name} is missing")
    return at
