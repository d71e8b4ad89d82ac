"""Salesforce's activities become interactions, tasks and links: pure functions, each oddity in a comment.

A Task may be a call, an e-mail, a text message, a to-do, or two of these at once; an Event is a meeting; an
EmailMessage and a VoiceCall are the thing itself, of which a Task may be only the log.
"""

from collections.abc import Mapping, Sequence

from connectors.salesforce import rows as sf
from connectors.salesforce.settings import Mappings, MessageObject
from connectors.salesforce.wire import created_of, day, label, millis, modified_of, seller
from kpi_engine.records import Interaction, Link, Millis, Record, Task

LEAD, CONTACT, OPPORTUNITY = "00Q", "003", "006"

AUTOMATIC = (
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
"""How the subject of an automatic reply begins, lower-cased."""

DIRECTIONS = {"outbound": "out", "inbound": "in", "internal": "internal"}

SENT, DRAFT = "3", "5"
"""EmailMessage.Status is a digit in a string."""

LOGGED_WITHIN_MS = 60_000
"""A task closed this soon after its creation only records what was done; later, it was a plan first."""


def _links(
    from_kind: str, row: sf.TaskRow | sf.EventRow, more: Mapping[str, Sequence[str]], modified: Millis
) -> list[Record]:
    ends = dict.fromkeys((row.WhoId, row.WhatId, *more.get(row.Id, ())))
    return [link for end in ends if end and (link := _link(from_kind, row.Id, end, modified, row.IsDeleted))]


def _link(from_kind: str, from_id: str, to: str, modified: Millis, deleted: bool) -> Link | None:
    prefix = to[:3]
    if prefix in {CONTACT, LEAD}:
        to_kind = "person"
    elif prefix == OPPORTUNITY:
        to_kind = "deal"
    else:
        return None  # an account, a case, a campaign: no KPI counts by these
    return Link(
        id=f"{from_kind}:{from_id}:{to}",
        modified=modified,
        deleted=deleted,
        from_kind=from_kind,
        from_id=from_id,
        to_kind=to_kind,
        to_id=to,
    )


def is_call(row: sf.TaskRow) -> bool:
    """Telephony fills the Call fields, people choose the type; either makes a call."""
    return (
        row.TaskSubtype == "Call"
        or row.Type == "Call"
        or row.CallType is not None
        or row.CallDurationInSeconds is not None
    )


def task_kind(row: sf.TaskRow, mappings: Mappings) -> str | None:
    """What a Task records: call | email | message, None for a plain to-do."""
    if is_call(row):
        return "call"
    if row.TaskSubtype == "Email":
        return "email"
    kinds = {name.lower() for name in mappings.message_task_types}
    return "message" if row.Type and row.Type.lower() in kinds else None


def task(row: sf.TaskRow, more: Mapping[str, Sequence[str]], mappings: Mappings) -> list[Record]:
    """A Task is a next step, and an interaction too where it records a call, an e-mail or a text message."""
    if row.IsRecurrence:
        return []  # the master of a series: its occurrences come as rows of their own
    modified = modified_of(row)
    kind = task_kind(row, mappings)
    log_only = kind is not None and _only_logs(row)
    found: list[Record] = [
        Task(
            id=row.Id,
            modified=modified,
            deleted=row.IsDeleted,
            rep=seller(row.OwnerId),
            created_at=created_of(row),
            due_on=day(row.ActivityDate),
            done=row.IsClosed,
            logs_activity=log_only,
        )
    ]
    if not log_only:
        found += _links("task", row, more, modified)
    if kind is not None:
        found.append(_logged(row, kind, modified))
        found += _links("interaction", row, more, modified)
    return found


def _only_logs(row: sf.TaskRow) -> bool:
    if not row.IsClosed:
        return False
    if row.CompletedDateTime is None or row.CreatedDate is None:
        return True
    return (row.CompletedDateTime - row.CreatedDate).total_seconds() * 1000 <= LOGGED_WITHIN_MS


def _logged(row: sf.TaskRow, kind: str, modified: Millis) -> Interaction:
    # CompletedDateTime is blank on rows closed before the field existed; a plain date is then all there is.
    at = row.CompletedDateTime
    on = row.ActivityDate if at is None and row.IsClosed else None
    if at is None and on is None:
        at = row.CreatedDate
    seconds = row.CallDurationInSeconds
    return Interaction(
        id=row.Id,
        modified=modified,
        deleted=row.IsDeleted,
        kind=kind,
        rep=seller(row.OwnerId),
        direction=_task_direction(row, kind),
        outcome="done" if row.IsClosed else "planned",
        at=millis(at),
        on=day(on),
        created_at=millis(row.CreatedDate),
        duration_ms=None if seconds is None else seconds * 1000,
        disposition=label(row.CallDisposition),
        tracked=False if kind == "email" else None,
        external_id=row.CallObject or None,
    )


def _task_direction(row: sf.TaskRow, kind: str) -> str | None:
    if kind == "email":
        return "out"  # what a rep logs as an e-mail is one that was sent
    return DIRECTIONS.get((row.CallType or "").lower()) if kind == "call" else None


def text_message(row: sf.MessageRow, source: MessageObject) -> list[Record]:
    """A record of the admin's own object for text messages."""
    modified = modified_of(row)
    said = label(row.Direction)
    way = "out" if said in {label(value) for value in source.outgoing} else "in"
    found: list[Record] = [
        Interaction(
            id=row.Id,
            modified=modified,
            deleted=row.IsDeleted,
            kind="message",
            rep=seller(row.Rep),
            direction=way if said else None,
            outcome="done",
            at=millis(row.At or row.CreatedDate),
            created_at=millis(row.CreatedDate),
        )
    ]
    ends = dict.fromkeys(getattr(row, name) for name in sf.linked(source))
    links = (_link("interaction", row.Id, end, modified, row.IsDeleted) for end in ends if end)
    return [*found, *(link for link in links if link)]


def meeting(row: sf.EventRow, more: Mapping[str, Sequence[str]], mappings: Mappings) -> list[Record]:
    """An Event. Each invitee has a copy of it (IsChild); the organiser's own row is the meeting."""
    if row.IsChild or row.IsRecurrence:
        return []
    modified = modified_of(row)
    outcomes = {label(said): outcome for said, outcome in mappings.meeting_outcomes.items()}
    all_day = row.IsAllDayEvent or row.StartDateTime is None
    minutes = row.DurationInMinutes
    # An all-day event has a date and no moment, whatever StartDateTime says (midnight UTC, in no one's zone).
    start_day = row.ActivityDate or (row.StartDateTime.date() if row.StartDateTime else None)
    found: list[Record] = [
        Interaction(
            id=row.Id,
            modified=modified,
            deleted=row.IsDeleted,
            kind="meeting",
            rep=seller(row.OwnerId),
            outcome=outcomes.get(label(row.Outcome) or ""),
            at=None if all_day else millis(row.StartDateTime),
            on=day(start_day) if all_day else None,
            ended_at=None if all_day else _end(row),
            created_at=millis(row.CreatedDate),
            duration_ms=None if minutes is None or all_day else minutes * 60_000,
        )
    ]
    return found + _links("interaction", row, more, modified)


def _end(row: sf.EventRow) -> Millis | None:
    if row.EndDateTime is not None:
        return millis(row.EndDateTime)
    start = millis(row.StartDateTime)
    if start is None or row.DurationInMinutes is None:
        return start
    return Millis(start + row.DurationInMinutes * 60_000)


def email(row: sf.EmailRow, sellers: Mapping[str, str], activity_owners: Mapping[str, str]) -> list[Record]:
    """An EmailMessage. `sellers`: e-mail address → user; `activity_owners`: the logging Task → its owner.

    It keeps no subject and no address: only whether the subject is an automatic reply's.
    """
    modified = modified_of(row)
    subject = (row.Subject or "").strip().lower()
    found: list[Record] = [
        Interaction(
            id=row.Id,
            modified=modified,
            deleted=row.IsDeleted,
            kind="email",
            rep=_sender(row, sellers, activity_owners),
            direction="in" if row.Incoming else "out",
            outcome=_email_outcome(row),
            at=millis(row.MessageDate or row.CreatedDate),
            created_at=millis(row.CreatedDate),
            automatic=row.Incoming and subject.startswith(AUTOMATIC),
            tracked=row.IsTracked,
            opened=row.IsOpened,
            opened_at=millis(row.FirstOpenedDate),
            bounced=row.IsBounced,
            thread=row.ThreadIdentifier or None,
            message_id=row.MessageIdentifier or None,
            reply_to=row.ReplyToEmailMessageId,
            logs=row.ActivityId,
        )
    ]
    link = _link("interaction", row.Id, row.RelatedToId, modified, row.IsDeleted) if row.RelatedToId else None
    return [*found, link] if link else found


def _email_outcome(row: sf.EmailRow) -> str:
    if row.Status == DRAFT:
        return "draft"
    # New, Read, Replied and Forwarded are states of incoming mail; an outgoing one that is not Sent has not left.
    return "done" if row.Incoming or row.Status == SENT else "planned"


def _sender(row: sf.EmailRow, sellers: Mapping[str, str], activity_owners: Mapping[str, str]) -> str | None:
    """Who of us an e-mail belongs to: EmailMessage has no owner.

    Of an incoming one only the logging Task knows; its creator is the mail gateway.
    """
    logged_by = seller(activity_owners.get(row.ActivityId or ""))
    if row.Incoming:
        return logged_by
    by_address = sellers.get((row.FromAddress or "").strip().lower())
    return seller(row.FromId) or by_address or logged_by or seller(row.CreatedById)


def needs_activity_owner(row: sf.EmailRow, sellers: Mapping[str, str]) -> bool:
    """Whether only the Task that logged it can say whose this e-mail is."""
    if row.ActivityId is None:
        return False
    known = seller(row.FromId) or sellers.get((row.FromAddress or "").strip().lower())
    return row.Incoming or not known


def email_person(row: sf.EmailPersonRow) -> list[Record]:
    """An EmailMessageRelation: one recipient or sender, where Salesforce knows the person."""
    if not row.RelationId or not row.EmailMessageId or row.RelationId[:3] not in {CONTACT, LEAD}:
        return []
    return [
        Link(
            id=row.Id,
            modified=modified_of(row),
            deleted=row.IsDeleted,
            from_kind="interaction",
            from_id=row.EmailMessageId,
            to_kind="person",
            to_id=row.RelationId,
        )
    ]


def voice_call(row: sf.VoiceCallRow) -> list[Record]:
    """A VoiceCall: the one object that knows when somebody picked up. The Task that logs it is the same call."""
    modified = modified_of(row)
    seconds = row.CallDurationInSeconds
    found: list[Record] = [
        Interaction(
            id=row.Id,
            modified=modified,
            deleted=row.IsDeleted,
            kind="call",
            rep=seller(row.UserId) or seller(row.OwnerId),
            direction=DIRECTIONS.get((row.CallType or "").lower()),
            outcome="done" if row.CallStartDateTime else "planned",
            at=millis(row.CallStartDateTime or row.CreatedDate),
            ended_at=millis(row.CallEndDateTime),
            created_at=millis(row.CreatedDate),
            duration_ms=None if seconds is None else seconds * 1000,
            disposition=label(row.CallDisposition),
            answered_by_crm=row.CallConnectDateTime is not None,
            logs=row.ActivityId,
        )
    ]
    to = row.RelatedRecordId
    link = _link("interaction", row.Id, to, modified, row.IsDeleted) if to else None
    return [*found, link] if link else found
