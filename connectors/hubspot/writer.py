"""Showing our numbers in HubSpot: KPI records upserted by their key, users and leads updated by id, a hundred a call.

HubSpot answers a batch in part (207) or rejects it as a whole (400). Either way every change gets its own outcome.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, assert_never

import httpx

from connectors.contract import Change, FieldValue, Refused, Surface, Written
from connectors.hubspot import ours
from connectors.hubspot.answers import Absent, MissingScope, Problem, error_of, faults_in, problem_of
from connectors.hubspot.facts import Facts
from connectors.hubspot.portal import ASIDE, BATCH, Portal, batches, decoded_with
from connectors.hubspot.wire import shapes
from connectors.hubspot.wire.shapes import Row, RowError, Rows

OWNER = "hubspot_owner_id"

Outcome = Written | Refused

LOOKS = 5
LOOK_AGAIN = 2.0
"""Seconds between two tries at an object that does not take records yet."""

ADVICE = {
    "PROPERTY_DOESNT_EXIST": "Run kpisync provision, which makes the missing property.",
    "READ_ONLY_VALUE": "An admin made this property read-only; allow the app to edit it in the property's settings.",
    "INVALID_OPTION": "The property was changed into a list; remove it and run kpisync provision.",
    **dict.fromkeys(
        ("INVALID_INTEGER", "INVALID_LONG", "INVALID_NUMBER", "INVALID_DOUBLE", "INVALID_DATE"),
        "The property was given another type; remove it and run kpisync provision.",
    ),
    "MISSING_REQUIRED_PROPERTY": "An admin made another property of this record required; fill it or lift the rule.",
    "OBJECT_NOT_FOUND": "The record is gone from HubSpot; the next pull notices it.",
    "MISSING_SCOPES": "Add the scope to the service key or app, then run kpisync push again.",
    "NOT_PROVISIONED": "Run kpisync provision first.",
    "NO_ANSWER": "The next push tries again.",
}
OTHERWISE = "HubSpot's own words are above; the next push tries again."

OWN_WORDS = frozenset({"VALIDATION_ERROR", "CONFLICT", "OBJECT_NOT_FOUND", "MISSING_SCOPES", "FORBIDDEN", ""})
"""Categories of what is wrong with a row; any other one tells of HubSpot's own trouble, which passes."""


class Writer:
    """Writes to one portal."""

    def __init__(self, portal: Portal, facts: Facts, lead_kind: str, sleep: Callable[[float], None]) -> None:
        self._portal = portal
        self._facts = facts
        self._lead_kind = lead_kind
        self._sleep = sleep
        self._patience = LOOKS

    def show(self, surface: Surface, keys: Sequence[str], fields: Sequence[str]) -> dict[str, dict[str, FieldValue]]:
        """What HubSpot shows now; a record that is not there is missing from the answer."""
        kind = self._kind(surface)
        if kind is None or not keys:
            return {}
        names = {field: vendor_name(surface, field) for field in fields}
        by_key = surface is Surface.KPI_RECORDS
        properties = [*names.values(), *([ours.KEY] if by_key else [])]
        try:
            rows = self._portal.batch_read(kind, keys, properties, id_property=ours.KEY if by_key else None).rows
        except Absent:
            return {}
        asked = set(keys)
        shown = {}
        for row in rows:
            key = row.properties.get(ours.KEY) if by_key else row.id
            if key in asked:
                shown[str(key)] = {field: shown_value(surface, field, row, name) for field, name in names.items()}
        return shown

    def push(self, changes: Iterable[Change]) -> Iterator[Outcome]:
        """One outcome for each change, as the answers arrive; a few batches are on their way at once."""
        for several in batches(_by_surface(changes), ASIDE):
            for answers in self._portal.together([partial(self._settle, each) for each in several]):
                yield from answers

    def _settle(self, batch: Sequence[Change]) -> list[Outcome]:
        leaving = [change for change in batch if change.gone]
        staying = [change for change in batch if not change.gone]
        sent = list(self._send(batch[0].surface, staying)) if staying else []
        return [*sent, *(self._remove(leaving) if leaving else ())]

    def _remove(self, batch: Sequence[Change]) -> Iterator[Outcome]:
        """Archive KPI records by their keys; one that is not there (any more) is as it should be."""
        kind = self._facts.kpi_object()
        if kind is None:
            yield from (Written(change, None) for change in batch)
            return
        keys = [change.key for change in batch]
        rows = self._portal.batch_read(kind, keys, [ours.KEY], id_property=ours.KEY).rows
        ids = {row.properties.get(ours.KEY): row.id for row in rows}
        path = f"{self._portal.paths.writing(kind)}/batch/archive"
        there = [{"id": ids[key]} for key in keys if key in ids]
        response = self._portal.send("POST", path, {"inputs": there}) if there else None
        if response is None or response.is_success:
            yield from (Written(change, ids.get(change.key)) for change in batch)
        elif response.status_code in {400, 403, 404, 409}:
            problem = problem_of(response)
            yield from (_refused(change, problem) for change in batch)
        else:
            raise error_of(response, f"removing {kind}")

    def _send(self, surface: Surface, batch: Sequence[Change], *, owners: bool = True) -> Iterator[Outcome]:
        kind = self._kind(surface)
        if kind is None:
            yield from _all_refused(batch, "NOT_PROVISIONED", f"HubSpot has no custom object {ours.OBJECT}")
            return
        upsert = surface is Surface.KPI_RECORDS
        path = f"{self._portal.paths.writing(kind)}/batch/{'upsert' if upsert else 'update'}"
        inputs = [self._input(change, number, owners=owners) for number, change in enumerate(batch)]
        response = self._delivered(surface, path, {"inputs": inputs})
        match response.status_code:
            case 200 | 201 | 207:
                answer = decoded_with(shapes.rows, response.content, f"{kind} batch")
                ownerless = _owner_refused(answer, batch) if owners else set()
                settled = _outcomes(surface, batch, answer)
                yield from (outcome for number, outcome in enumerate(settled) if number not in ownerless)
                if ownerless:
                    again = [change for number, change in enumerate(batch) if number in ownerless]
                    yield from self._send(surface, again, owners=False)
            case 400 | 409:
                yield from self._rejected(surface, batch, problem_of(response), owners=owners)
            case 403:
                problem = problem_of(response)
                yield from _all_refused(batch, problem.category or "FORBIDDEN", str(MissingScope(problem, kind)))
            case 404:
                yield from _all_refused(batch, "NOT_PROVISIONED", f"HubSpot does not know {kind}")
            case _:
                raise error_of(response, f"writing {kind}")

    def _delivered(self, surface: Surface, path: str, body: dict[str, Any]) -> httpx.Response:
        """The answer. A new custom object takes some seconds until it accepts records, and until then HubSpot says that
        it does not know it; so the first write of KPI records has patience."""
        response = self._portal.send("POST", path, body)
        while surface is Surface.KPI_RECORDS and self._patience and _unknown(response):
            self._patience -= 1
            self._sleep(LOOK_AGAIN)
            response = self._portal.send("POST", path, body)
        if surface is Surface.KPI_RECORDS and response.is_success:
            self._patience = 0
        return response

    def _rejected(
        self, surface: Surface, batch: Sequence[Change], problem: Problem, *, owners: bool
    ) -> Iterator[Outcome]:
        """HubSpot rejects the whole call for some rows: those it names are refused and the others sent again; where it
        names none, halves are tried until the bad row stands alone."""
        if owners and _names_owner(problem):
            yield from self._send(surface, batch, owners=False)
            return
        named = _named_rows(problem, len(batch))
        if len(batch) == 1:
            yield _refused(batch[0], problem)
        elif named:
            yield from (_refused(batch[number], problem, error) for number, error in named.items())
            rest = [change for number, change in enumerate(batch) if number not in named]
            if rest:
                yield from self._send(surface, rest, owners=owners)
        else:
            middle = len(batch) // 2
            yield from self._send(surface, batch[:middle], owners=owners)
            yield from self._send(surface, batch[middle:], owners=owners)

    def _input(self, change: Change, number: int, *, owners: bool) -> dict[str, Any]:
        properties = {vendor_name(change.surface, field): text_of(value) for field, value in change.after.items()}
        one: dict[str, Any] = {"id": change.key, "properties": properties, "objectWriteTraceId": str(number)}
        if change.surface is Surface.KPI_RECORDS:
            one["idProperty"] = ours.KEY
            properties[ours.KEY] = change.key
            if owners and change.new and self._may_own(change.rep):
                properties[OWNER] = str(change.rep)
        return one

    def _may_own(self, rep: str | None) -> bool:
        """HubSpot groups its reports by a record's owner, where the object has one and the rep is still there."""
        kind = self._facts.kpi_object()
        if rep is None or kind is None or not self._facts.defined(kind, (OWNER,)):
            return False
        return any(owner.id == rep and not owner.archived for owner in self._facts.owners())

    def _kind(self, surface: Surface) -> str | None:
        match surface:
            case Surface.KPI_RECORDS:
                return self._facts.kpi_object()
            case Surface.PERSON_FIELDS:
                return "users"
            case Surface.LEAD_SCORES:
                return self._lead_kind
            case _:
                assert_never(surface)


def _by_surface(changes: Iterable[Change]) -> Iterator[list[Change]]:
    """Full batches as they fill up, each of one surface, then what is left."""
    waiting: dict[Surface, list[Change]] = {}
    for change in changes:
        batch = waiting.setdefault(change.surface, [])
        batch.append(change)
        if len(batch) == BATCH:
            yield waiting.pop(change.surface)
    yield from waiting.values()


def vendor_name(surface: Surface, field: str) -> str:
    """HubSpot's name of one of our fields."""
    match surface:
        case Surface.KPI_RECORDS:
            return field
        case Surface.PERSON_FIELDS:
            return ours.person_property(field)
        case Surface.LEAD_SCORES:
            return ours.LEAD_FIELDS[field]
        case _:
            assert_never(surface)


def text_of(value: FieldValue) -> str:
    """A value as HubSpot takes it: always a text, a number without exponent, a blank clears."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else format(Decimal(repr(value)), "f")


def shown_value(surface: Surface, field: str, row: Row, name: str) -> FieldValue:
    """What a property shows, as our field has it. A text where a number belongs is shown as it is, and will differ."""
    value = row.properties.get(name)
    if not value:
        return None
    numeric = field in ours.NUMBERS if surface is Surface.KPI_RECORDS else field != "level"
    if not numeric:
        return value
    try:
        number = float(value)
    except ValueError:
        return value
    return int(number) if number.is_integer() and "." not in value else number


def _outcomes(surface: Surface, batch: Sequence[Change], answer: Rows) -> Iterator[Outcome]:
    """Each change's outcome from a batch answer, whose rows come in no order."""
    by_key = surface is Surface.KPI_RECORDS
    written = {(row.properties.get(ours.KEY) if by_key else row.id): row.id for row in answer.results}
    refused = {number: error for error in answer.errors for number in _numbers(error, batch)}
    for number, change in enumerate(batch):
        if number in refused:
            error = refused[number]
            passing = error.category not in OWN_WORDS and not error.code
            yield _refusal(change, error.code, error.category, error.message, retry=passing)
        elif change.key in written:
            yield Written(change, written[change.key])
        else:
            reason = "HubSpot's answer does not name this record"
            yield Refused(change, "NO_ANSWER", reason, ADVICE["NO_ANSWER"], retry=True)


def _numbers(error: RowError, batch: Sequence[Change]) -> set[int]:
    traces = _texts(error.context.get("objectWriteTraceId"))
    keys = {each for name in ("ids", "id") for each in _texts(error.context.get(name))}
    by_trace = {int(each) for each in traces if each.isdigit() and int(each) < len(batch)}
    return by_trace | {number for number, change in enumerate(batch) if change.key in keys}


def _unknown(response: httpx.Response) -> bool:
    """Not found, or a rejection that finds no fault with any row."""
    return response.status_code == 404 or (response.status_code == 400 and not problem_of(response).errors)


def _named_rows(problem: Problem, size: int) -> dict[int, dict[str, Any]]:
    named = {}
    for error in problem.errors:
        context = error.get("context")
        for each in _texts(context.get("objectWriteTraceId") if isinstance(context, dict) else None):
            if each.isdigit() and int(each) < size:
                named[int(each)] = error
    return named


def _owner_refused(answer: Rows, batch: Sequence[Change]) -> set[int]:
    """The rows whose owner HubSpot does not take (someone left since we looked)."""
    found: set[int] = set()
    for error in answer.errors:
        names = {*_texts(error.context.get("propertyName")), *(fault.name for fault in faults_in(error.message))}
        if OWNER in names:
            found |= _numbers(error, batch)
    return found


def _names_owner(problem: Problem) -> bool:
    contexts = [error.get("context") for error in problem.errors]
    named = {name for each in contexts if isinstance(each, dict) for name in _texts(each.get("propertyName"))}
    messages = [problem.message, *(str(error.get("message")) for error in problem.errors)]
    return OWNER in named.union(fault.name for message in messages for fault in faults_in(message))


def _texts(value: object) -> list[str]:
    if isinstance(value, list):
        return [str(each) for each in value]
    return [str(value)] if isinstance(value, str | int) else []


def _refused(change: Change, problem: Problem, error: Mapping[str, Any] | None = None) -> Refused:
    own = error or next(iter(problem.errors), {})
    return _refusal(change, str(own.get("code") or ""), problem.category, str(own.get("message") or problem.message))


def _refusal(change: Change, code: str, category: str, message: str, *, retry: bool = False) -> Refused:
    """By HubSpot's most exact word: the fault of a property, else the error's code, else its category."""
    faults = faults_in(message)
    code = code or next((fault.error for fault in faults if fault.error), category or "VALIDATION_ERROR")
    reason = "; ".join(fault.message for fault in faults if fault.message) or message or code
    return Refused(change, code, reason, ADVICE.get(code, OTHERWISE), retry=retry)


def _all_refused(batch: Sequence[Change], code: str, reason: str) -> Iterator[Refused]:
    return (Refused(change, code, reason, ADVICE.get(code, OTHERWISE)) for change in batch)
