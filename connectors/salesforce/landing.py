"""From a page of Salesforce's rows to a page of our records: fetches what rows leave out, and maps them by wire.

A row that cannot be mapped becomes `Unread`; the rest of its page goes on.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import TypeVar, cast

import msgspec

from connectors.contract import Page, Unread
from connectors.errors import NotAllowed, Unreadable
from connectors.salesforce import activities, wire
from connectors.salesforce import rows as sf
from connectors.salesforce.org import Org
from connectors.salesforce.rows import Answer, Row
from connectors.salesforce.sources import Source, asked_fields
from connectors.salesforce.vendor import format_soql
from kpi_engine.records import Record

R = TypeVar("R", bound=Row)

IDS_A_QUERY = 300
"""Ids in one IN list: a URL with its headers may be 16 kB long."""

MOST_CHANGES = 10_000
"""So many changes of owner are held in memory during a first load: five megabytes."""


class Landing:
    """Turns pages of one org into pages of ours."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._lock = threading.Lock()
        self._sellers: Mapping[str, str] | None = None
        self._revenue_splits: frozenset[str] | None = None
        self._asked_for_all = False
        self._all_owner_changes: Mapping[str, Sequence[sf.OwnerChange]] | None = None

    def shape(self, source: Source) -> type[Row]:
        """The shape of a source's rows here; an Event's has the admin's own outcome field."""
        outcome = self._org.settings.mappings.meeting_outcome_field
        if source.stream == "events" and outcome and outcome in self._org.fields("Event"):
            return sf.with_outcome_field(outcome)
        return source.shape

    def asks(self, source: Source) -> frozenset[str]:
        """Everything by which a row of a source is understood here: its fields, those beside it, the admin's words."""
        mappings = self._org.settings.mappings
        own = asked_fields(self.shape(source), self._org.fields(source.sobject))
        beside = {
            f"{sobject}.{name}"
            for sobject, shape in BESIDE.get(source.stream, {}).items()
            for name in asked_fields(shape, self._org.fields(sobject))
        }
        words: dict[str, object] = {
            "tasks": mappings.message_task_types,
            "events": (mappings.meeting_outcome_field, mappings.meeting_outcomes),
            "text_messages": mappings.message_object,
        }
        said = msgspec.json.encode(words.get(source.stream), order="sorted").decode()
        return frozenset({*own, *beside, said})

    def page(self, source: Source, answer: Answer[Row], cursor: str, total: int | None, *, first_load: bool) -> Page:
        """The records of a page. On a first load there are no older links to replace."""
        rows, unread = mapped(answer.rows, self._mapper(source.stream, answer.rows, first_load), source.stream)
        return Page(
            stream=source.stream,
            rows=rows,
            cursor=cursor,
            total=total,
            unread=(*answer.unread, *unread),
            relinked=() if first_load else tuple(_relinked(source.stream, answer.rows)),
            gone=() if first_load else tuple(_no_longer(source.stream, answer.rows, rows)),
        )

    def vanished(self, source: Source, since: datetime, until: datetime) -> tuple[tuple[str, str], ...]:
        """What the log of deletions names and no query shows any more, not even among the deleted."""
        log_starts = until - timedelta(days=15) + timedelta(hours=1)
        try:
            log = self._org.vendor.deleted(source.sobject, max(since, log_starts), until)
        except (Unreadable, NotAllowed):
            return ()  # not every object has such a log; what the bin shows has been read
        ids = [str(entry["id"]) for entry in log.get("deletedRecords", ())]
        wheres = (format_soql(" WHERE Id IN {ids}", ids=some) for some in _chunks(ids))
        select = f"SELECT Id FROM {source.sobject}"  # noqa: S608
        still = {row.Id for row in self._org.rows_of([select + where for where in wheres], Row, all_rows=True)}
        return tuple((kind, id_) for id_ in ids if id_ not in still for kind in KINDS_OF.get(source.stream, ()))

    def _mapper(self, stream: str, rows: Sequence[Row], first_load: bool) -> Callable[[Row], list[Record]]:
        mappings = self._org.settings.mappings
        match stream:
            case "opportunities":
                changes = self._owner_changes(cast(Sequence[sf.OpportunityRow], rows), first_load)
                return lambda row: wire.deal(cast(sf.OpportunityRow, row), changes.get(row.Id, ()))
            case "splits":
                types = self._revenue_split_types()
                return lambda row: wire.split(cast(sf.SplitRow, row), types)
            case "tasks":
                more = self._more_people("TaskRelation", "TaskId", cast(Sequence[sf.TaskRow], rows))
                return lambda row: activities.task(cast(sf.TaskRow, row), more, mappings)
            case "events":
                more = self._more_people("EventRelation", "EventId", cast(Sequence[sf.EventRow], rows))
                return lambda row: activities.meeting(cast(sf.EventRow, row), more, mappings)
            case "text_messages" if (text := mappings.message_object) is not None:
                return lambda row: activities.text_message(cast(sf.MessageRow, row), text)
            case "emails":
                sellers, owners = self._senders(cast(Sequence[sf.EmailRow], rows))
                return lambda row: activities.email(cast(sf.EmailRow, row), sellers, owners)
            case _:
                return cast(Callable[[Row], list[Record]], PLAIN[stream])

    def _owner_changes(
        self, rows: Sequence[sf.OpportunityRow], first_load: bool
    ) -> Mapping[str, Sequence[sf.OwnerChange]]:
        """The changes of owner of the closed deals on a page."""
        visible = self._org.fields("OpportunityFieldHistory")
        closed = [row.Id for row in rows if row.IsClosed and not row.IsDeleted]
        asked = asked_fields(sf.OwnerChange, visible)
        if not closed or not {"OpportunityId", "Field", "NewValue"} <= set(asked):
            return {}
        query = f"SELECT {', '.join(asked)} FROM OpportunityFieldHistory WHERE Field = 'Owner'"  # noqa: S608
        every = self._every_owner_change(query) if first_load and len(closed) > IDS_A_QUERY else self._all_owner_changes
        if first_load and every is not None:
            return every
        wheres = (format_soql(" AND OpportunityId IN {ids}", ids=ids) for ids in _chunks(closed))
        return _by_deal(self._org.rows_of([query + where for where in wheres], sf.OwnerChange))

    def _every_owner_change(self, query: str) -> Mapping[str, Sequence[sf.OwnerChange]] | None:
        """All changes of owner there are, so that not every page of a first load asks; None if they are too many."""
        with self._lock:
            if not self._asked_for_all:
                self._asked_for_all = True
                found = list(islice(self._org.rows(query, sf.OwnerChange), MOST_CHANGES + 1))
                self._all_owner_changes = _by_deal(found) if len(found) <= MOST_CHANGES else None
            return self._all_owner_changes

    def _more_people(
        self, relation: str, key: str, rows: Sequence[sf.TaskRow] | Sequence[sf.EventRow]
    ) -> Mapping[str, Sequence[str]]:
        """All people of the activities that have several; their own rows name only the first."""
        several = [row.Id for row in rows if (row.WhoCount or 0) > 1 and not row.IsDeleted]
        asked = asked_fields(sf.ActivityPersonRow, self._org.fields(relation))
        if not several or not {key, "RelationId"} <= set(asked):
            return {}
        found: dict[str, list[str]] = {}
        query = f"SELECT {', '.join(asked)} FROM {relation}"  # noqa: S608
        wheres = (format_soql(" WHERE {key:literal} IN {ids}", key=key, ids=ids) for ids in _chunks(several))
        for row in self._org.rows_of([query + where for where in wheres], sf.ActivityPersonRow):
            if row.RelationId and not row.IsDeleted:
                found.setdefault(getattr(row, key) or "", []).append(row.RelationId)
        return found

    def _senders(self, rows: Sequence[sf.EmailRow]) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """Users by e-mail address, and owners of the tasks that alone know whose an e-mail is."""
        if not rows:
            return {}, {}
        sellers = self._users_by_address()
        unclear = sorted(
            {row.ActivityId for row in rows if row.ActivityId and activities.needs_activity_owner(row, sellers)}
        )
        if "OwnerId" not in self._org.fields("Task"):
            return sellers, {}
        queries = [format_soql("SELECT Id, OwnerId FROM Task WHERE Id IN {ids}", ids=ids) for ids in _chunks(unclear)]
        found = self._org.rows_of(queries, sf.TaskRow, all_rows=True)
        return sellers, {task.Id: task.OwnerId for task in found if task.OwnerId}

    def _users_by_address(self) -> Mapping[str, str]:
        with self._lock:
            if self._sellers is None:
                asked = asked_fields(sf.UserRow, self._org.fields("User"))
                query = f"SELECT {', '.join(asked)} FROM User"  # noqa: S608
                self._sellers = by_address(self._org.rows(query, sf.UserRow)) if asked else {}
            return self._sellers

    def _revenue_split_types(self) -> frozenset[str]:
        """The types of split that divide a deal's amount."""
        with self._lock:
            if self._revenue_splits is None:
                query = "SELECT Id, SplitField, IsTotalValidated FROM OpportunitySplitType"
                types = self._org.rows(query, sf.SplitTypeRow)
                self._revenue_splits = frozenset(
                    kind.Id
                    for kind in types
                    if kind.IsTotalValidated and (kind.SplitField or "").removeprefix("Opportunity.") == "Amount"
                )
            return self._revenue_splits


BESIDE: Mapping[str, Mapping[str, type[Row]]] = {
    "opportunities": {"OpportunityFieldHistory": sf.OwnerChange},
    "splits": {"OpportunitySplitType": sf.SplitTypeRow},
    "tasks": {"TaskRelation": sf.ActivityPersonRow},
    "events": {"EventRelation": sf.ActivityPersonRow},
}
"""Objects that say something about the rows of a stream."""

PLAIN: dict[str, object] = {
    "users": wire.rep,
    "leads": wire.lead,
    "contacts": wire.person,
    "contact_roles": wire.contact_role,
    "email_people": activities.email_person,
    "voice_calls": activities.voice_call,
    "campaigns": wire.campaign,
    "campaign_members": wire.campaign_response,
}
"""The streams whose rows say everything themselves."""


def by_address(users: Iterable[sf.UserRow]) -> Mapping[str, str]:
    """User ids by lower-cased e-mail address. An address that two people share says nothing about who wrote."""
    found: dict[str, set[str]] = {}
    for user in users:
        if user.UserType == "Standard":
            for address in {(user.Email or "").strip().lower(), (user.SenderEmail or "").strip().lower()} - {""}:
                found.setdefault(address, set()).add(user.Id)
    return {address: next(iter(ids)) for address, ids in found.items() if len(ids) == 1}


def _by_deal(changes: Iterable[sf.OwnerChange]) -> Mapping[str, Sequence[sf.OwnerChange]]:
    found: dict[str, list[sf.OwnerChange]] = {}
    for change in changes:
        found.setdefault(change.OpportunityId or "", []).append(change)
    return found


def mapped(
    rows: Sequence[Row], records_of: Callable[[Row], list[Record]], stream: str
) -> tuple[list[Record], list[Unread]]:
    found: list[Record] = []
    unread: list[Unread] = []
    for row in rows:
        try:
            found += records_of(row)
        except (ArithmeticError, ValueError) as misfit:
            unread.append(Unread(stream, row.Id, f"a value out of range ({type(misfit).__name__})"))
    return found, unread


LINKED = {
    "tasks": (("task", "person"), ("task", "deal"), ("interaction", "person"), ("interaction", "deal")),
    "events": (("interaction", "person"), ("interaction", "deal")),
    "emails": (("interaction", "deal"),),
    "voice_calls": (("interaction", "person"), ("interaction", "deal")),
    "text_messages": (("interaction", "person"), ("interaction", "deal")),
}
"""Which links a row of a stream states completely. An e-mail's people are rows of their own."""


def _relinked(stream: str, rows: Sequence[Row]) -> Iterator[tuple[str, str, str]]:
    for from_kind, to_kind in LINKED.get(stream, ()):
        for row in rows:
            yield from_kind, row.Id, to_kind


KINDS_OF = {
    "leads": ("lead",),
    "contacts": ("person",),
    "opportunities": ("deal",),
    "contact_roles": ("link",),
    "splits": ("split",),
    "tasks": ("task", "interaction"),
    "events": ("interaction",),
    "emails": ("interaction",),
    "email_people": ("link",),
    "voice_calls": ("interaction",),
    "text_messages": ("interaction",),
    "campaigns": ("campaign",),
    "campaign_members": ("event",),
}
"""Which records a row of a stream is."""

STATES = {"tasks": ("interaction",), "events": ("interaction",), "campaign_members": ("event",), "splits": ("split",)}
"""What a row may be or not be: a task re-typed from a call to a to-do is no interaction any more."""


def _no_longer(stream: str, rows: Sequence[Row], found: Sequence[Record]) -> Iterator[tuple[str, str]]:
    for kind in STATES.get(stream, ()):
        still = {record.id for record in found if type(record).__name__.lower() == kind}
        for row in rows:
            if row.Id not in still:
                yield kind, row.Id


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), IDS_A_QUERY):
        yield ids[start : start + IDS_A_QUERY]
