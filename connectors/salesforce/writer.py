"""Writes our numbers into Salesforce: two hundred rows a call, or very many by a Bulk job, and an outcome for each."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, assert_never

import httpx
import msgspec

from connectors.contract import Change, FieldValue, Refused, Surface, Written
from connectors.errors import NotAllowed, Throttled, Unreachable
from connectors.salesforce import bulk_writing
from connectors.salesforce.answers import Complaint, complaints, complaints_in, failure, garbled
from connectors.salesforce.bulk_writing import JOB_ROWS
from connectors.salesforce.names import KEY_FIELD, KPI_FIELDS, KPI_OBJECT, SCORE_FIELDS, person_field
from connectors.salesforce.org import Org
from connectors.salesforce.refusals import CLOSED, FIELD_CLOSED, LOCKED, OBJECT_MISSING, PARTLY_MALFORMED, refused
from connectors.salesforce.vendor import Field, format_soql

SIZES = (200, 50, 10, 1)
"""Rows a call: what collections take; then, for rows that someone else holds, ever fewer."""

NOT_WORTH_A_JOB = 2_000
"""A job takes some ten calls and a minute; so many rows take ten calls anyway."""

NO_COLUMNS = frozenset({"attributes", "id"})

NEVER_BY_BULK = frozenset({"User"})
"""A set-up object: its rows are few, and each has rules of its own that a call tells of at once."""

KEYS_A_QUERY = 80
"""How many keys a query carries that is sent as a URL."""

ABSENT = frozenset({"ENTITY_IS_DELETED", "NOT_FOUND", "INVALID_CROSS_REFERENCE_KEY"})

NAMED_FIELD = re.compile(r"(?:No such column|Invalid field name|fields?:?) '?([A-Za-z]\w*__c)'?")


@dataclass(frozen=True)
class Outgoing:
    """A change as Salesforce takes it. `closed`: fields of `change` that it will not let us write."""

    change: Change
    sobject: str
    body: Mapping[str, Any]
    closed: tuple[str, ...] = ()


Outcome = Written | Refused
Result = str | tuple[Complaint, ...]
"""The id of the record that was written, or what Salesforce has against it."""


def sobject_of(change: Change) -> str:
    """The object that a change is written to."""
    match change.surface:
        case Surface.KPI_RECORDS:
            return KPI_OBJECT
        case Surface.PERSON_FIELDS:
            return "User"
        case Surface.LEAD_SCORES:
            return "Contact" if change.key.startswith("003") else "Lead"
        case _:
            assert_never(change.surface)


def api_names(surface: Surface, fields: Iterable[str]) -> dict[str, str]:
    """Our fields → their API names."""
    match surface:
        case Surface.KPI_RECORDS:
            return {field: KPI_FIELDS[field] for field in fields if field in KPI_FIELDS}
        case Surface.PERSON_FIELDS:
            return {field: person_field(field) for field in fields}
        case Surface.LEAD_SCORES:
            return {field: SCORE_FIELDS[field] for field in fields if field in SCORE_FIELDS}
        case _:
            assert_never(surface)


class Writer:
    """Writes to one org."""

    def __init__(self, org: Org) -> None:
        self._org = org

    def push(self, changes: Iterable[Change]) -> Iterator[Outcome]:
        """Send changes; one outcome for each. Objects never share a call: users and other records must not."""
        waiting: dict[str, dict[str, Outgoing]] = {}
        leaving: list[Change] = []
        changes = tuple(changes)
        sizes = Counter(sobject_of(change) for change in changes if not change.gone)
        for change in changes:
            if change.gone:
                leaving.append(change)
                continue
            outgoing = self._outgoing(change)
            if isinstance(outgoing, Refused):
                yield outgoing
                continue
            call = waiting.setdefault(outgoing.sobject, {})
            # A key that comes twice in one call makes Salesforce refuse both.
            if change.key in call or len(call) == self._most(outgoing.sobject, sizes):
                yield from self._land(tuple(waiting.pop(outgoing.sobject).values()))
                call = waiting.setdefault(outgoing.sobject, {})
            call[change.key] = outgoing
        for call in waiting.values():
            yield from self._land(tuple(call.values()))
        for start in range(0, len(leaving), KEYS_A_QUERY):
            yield from self._remove(leaving[start : start + KEYS_A_QUERY])

    def _most(self, sobject: str, sizes: Mapping[str, int]) -> int:
        """How many rows of an object go together: a Bulk job's where there are many, else a call's."""
        many = sizes[sobject] > self._org.settings.bulk_write_from and sobject not in NEVER_BY_BULK
        return JOB_ROWS if many else SIZES[0]

    def _land(self, rows: Sequence[Outgoing]) -> Iterator[Outcome]:
        """Send rows by a Bulk job where they are many; what it did not bring in goes the ordinary way."""
        few = len(rows) <= min(self._org.settings.bulk_write_from, NOT_WORTH_A_JOB)
        if few or rows[0].sobject in NEVER_BY_BULK:
            yield from self._in_calls(rows)
            return
        upsert = rows[0].change.surface is Surface.KPI_RECORDS
        key = KEY_FIELD if upsert else "Id"
        table = [
            {key: row.change.key, **{name: value for name, value in row.body.items() if name not in NO_COLUMNS}}
            for row in rows
        ]
        results = bulk_writing.written(self._org, rows[0].sobject, key, table, upsert=upsert)
        again: list[Outgoing] = []
        for row in rows:
            result = results.get(row.change.key)
            other = row if result is None else _another_way(row, result)
            if other is not None:
                again.append(other)
            elif result is not None:
                yield _outcome(row, result)
        yield from self._in_calls(again)

    def _in_calls(self, rows: Sequence[Outgoing]) -> Iterator[Outcome]:
        for start in range(0, len(rows), SIZES[0]):
            yield from self._send(rows[start : start + SIZES[0]])

    def _remove(self, changes: Sequence[Change]) -> Iterator[Outcome]:
        """Delete KPI records by their keys; one that is not there (any more) is as it should be."""
        keys = [change.key for change in changes]
        where = format_soql("{field:literal} IN {keys}", field=KEY_FIELD, keys=keys)
        soql = f"SELECT Id, {KEY_FIELD} FROM {KPI_OBJECT} WHERE {where}"  # noqa: S608
        response = self._org.call("GET", "/query", "the KPI records to remove", params={"q": soql})
        try:
            ids = {row[KEY_FIELD]: str(row["Id"]) for row in msgspec.json.decode(response.content)["records"]}
        except (msgspec.DecodeError, KeyError, TypeError):
            raise garbled("the KPI records to remove") from None
        results = self._deleted([ids[key] for key in keys if key in ids])
        for change in changes:
            result = results.get(ids.get(change.key, ""), "")
            absent = not isinstance(result, str) and any(one.code in ABSENT for one in result)
            if isinstance(result, str) or absent:
                yield Written(change, ids.get(change.key))
            else:
                yield refused(change, result[0], KPI_OBJECT)

    def _deleted(self, ids: Sequence[str]) -> Mapping[str, Result]:
        """What became of each record that was to be deleted; doing it twice leaves it as deleted."""
        if not ids:
            return {}
        path, params = f"{self._org.root}/composite/sobjects", {"ids": ",".join(ids), "allOrNone": "false"}
        response = self._org.transport.send("DELETE", path, params=params, safe=True)
        if not response.is_success:
            return dict.fromkeys(ids, _call_refused(response, KPI_OBJECT))
        try:
            results = [_result(entry) for entry in msgspec.json.decode(response.content)]
        except (msgspec.DecodeError, TypeError, AttributeError):
            raise garbled("the removal of KPI records") from None
        if len(results) != len(ids):
            raise garbled("the removal of KPI records")
        return dict(zip(ids, results, strict=True))

    def _outgoing(self, change: Change) -> Outgoing | Refused:
        """The row to send, with those of its fields that are there and open to us."""
        sobject = sobject_of(change)
        visible = self._org.fields(sobject)
        by_key = change.surface is Surface.KPI_RECORDS
        if not visible or (by_key and KEY_FIELD not in visible):
            return refused(change, Complaint(OBJECT_MISSING, ""), sobject)
        names = api_names(change.surface, change.after)
        writable = {ours: name for ours, name in names.items() if name in visible and _open(visible[name])}
        closed = tuple(sorted(names.get(ours, ours) for ours in change.after if ours not in writable))
        if not writable:
            return refused(change, Complaint(FIELD_CLOSED, "", closed), sobject)
        values = {name: fitted(change.after[ours], visible[name]) for ours, name in writable.items()}
        key = {KEY_FIELD: change.key} if by_key else {"id": change.key}
        return Outgoing(change, sobject, {"attributes": {"type": sobject}, **key, **values}, closed)

    def _send(self, rows: Sequence[Outgoing]) -> Iterator[Outcome]:
        """Send one call; rows that may land another way go again, in smaller calls."""
        for attempt, size in enumerate(SIZES):
            if attempt:
                self._org.sleep(float(attempt))
            again: list[Outgoing] = []
            for start in range(0, len(rows), size):
                part = rows[start : start + size]
                for row, result in zip(part, self._sent(part), strict=True):
                    other = None if size == SIZES[-1] else _another_way(row, result)
                    if other is None:
                        yield _outcome(row, result)
                    else:
                        again.append(other)
            if not again:
                return
            rows = again

    def _sent(self, rows: Sequence[Outgoing]) -> Sequence[Result]:
        """What became of each row of one call; results come in the order sent, and have no other name."""
        sobject = rows[0].sobject
        upsert = rows[0].change.surface is Surface.KPI_RECORDS
        path = f"/composite/sobjects/{sobject}/{KEY_FIELD}" if upsert else "/composite/sobjects"
        body = {"allOrNone": False, "records": [row.body for row in rows]}
        # By key or by id the same call twice leaves the same values, so it may be repeated.
        response = self._org.transport.send("PATCH", self._org.root + path, json=body, safe=True)
        if not response.is_success:
            return [_call_refused(response, sobject)] * len(rows)
        try:
            results = [_result(entry) for entry in msgspec.json.decode(response.content)]
        except (msgspec.DecodeError, TypeError, AttributeError):
            raise garbled(f"the update of {sobject}") from None
        if len(results) != len(rows):
            raise garbled(f"the update of {sobject}")
        return results


def _open(field: Field) -> bool:
    # The key decides only in Salesforce whether a record is made or changed; either right will do here.
    return field.updateable or field.createable


def fitted(value: FieldValue, field: Field) -> FieldValue:
    """A value as the field holds it: a number in its decimal places, a text in its length, a user or nobody."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        if field.type == "reference":
            return value if value.startswith("005") else None  # `all`, `unassigned` and teams are no users
        return value[: field.length] if field.length else value
    rounded = Decimal(str(value)).quantize(Decimal(1).scaleb(-field.scale), ROUND_HALF_EVEN)
    return int(rounded) if field.scale == 0 else float(rounded)


def _result(entry: dict[str, Any]) -> Result:
    if entry.get("success"):
        return str(entry.get("id") or "")
    return complaints_in(entry.get("errors") or []) or (Complaint("UNKNOWN_EXCEPTION", ""),)


def _call_refused(response: httpx.Response, sobject: str) -> tuple[Complaint, ...]:
    """A call that was refused whole: its rows carry the reason, unless nothing more can work at all."""
    error = failure(response, f"the update of {sobject}")
    stops = isinstance(error, Throttled | Unreachable) or response.status_code == 401
    if stops:
        raise error
    found = complaints(response)
    if isinstance(error, NotAllowed) or not found:
        return (Complaint(found[0].code if found else f"HTTP_{response.status_code}", ""),)
    return tuple(replace(one, fields=one.fields or tuple(NAMED_FIELD.findall(one.message))) for one in found)


def _another_way(row: Outgoing, result: Result) -> Outgoing | None:
    """The row as it may still land, None where it has landed or cannot."""
    if isinstance(result, str):
        return None
    if any(one.code in LOCKED | PARTLY_MALFORMED for one in result):
        return row
    named = {field for one in result if one.code in CLOSED for field in one.fields}
    closed = named & row.body.keys() - {KEY_FIELD, "id", "attributes"}
    body = {name: value for name, value in row.body.items() if name not in closed}
    if not closed or body.keys() <= {KEY_FIELD, "id", "attributes"}:
        return None
    return replace(row, body=body, closed=tuple(sorted({*row.closed, *closed})))


def _outcome(row: Outgoing, result: Result) -> Outcome:
    if not isinstance(result, str):
        return refused(row.change, result[0], row.sobject)
    if row.closed:
        # The other fields were written; saying so keeps this change on the list until all of it is.
        return refused(row.change, Complaint(FIELD_CLOSED, "", row.closed), row.sobject)
    return Written(row.change, result or None)
