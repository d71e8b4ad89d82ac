"""Writing records: create, update, archive, merge, and the batches with their partial failures."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crm_sandbox.hubspot import errors
from crm_sandbox.hubspot.associations import create_links
from crm_sandbox.hubspot.call import Call, limited
from crm_sandbox.hubspot.errors import Problem, Refusal, answer, problem_text
from crm_sandbox.hubspot.reading import (
    batch_answer,
    chosen,
    demand_tier,
    drawn,
    located,
    lookup,
    not_found_error,
    shuffled,
)
from crm_sandbox.hubspot.shapes import Merge, WriteBatch, WriteRow
from crm_sandbox.hubspot.store import Row, Store, Table, Values
from crm_sandbox.hubspot.validation import clean_values, refuse_for_users, twins
from crm_sandbox.serving import Response


@dataclass(frozen=True)
class Failed:
    """A row of a batch that was not written."""

    problems: list[Problem]
    trace: str | None


def demand_write(call: Call, store: Store, table: Table) -> None:
    """The token must be allowed to write the object."""
    call.demand(*table.kind.write)
    demand_tier(store, table)


def create(store: Store, table: Table, call: Call) -> Response:
    """POST to the collection: one new record."""
    demand_write(call, store, table)
    body = call.body(WriteRow)
    row = _made(store, table, call, body)
    return answer(201, _shown(store, table, row, body.get("properties") or {}))


def update(store: Store, table: Table, call: Call) -> Response:
    """PATCH of one record."""
    demand_write(call, store, table)
    properties = call.body(WriteRow).get("properties") or {}
    row = located(table, call.rest[1], call.request.param("idProperty"))
    clean = clean_values(store, table, call, properties, row)
    if isinstance(clean, list):
        raise _refusal(store, table, clean)
    store.write(table, row, clean)
    return answer(200, _shown(store, table, row, properties))


def archive(store: Store, table: Table, call: Call) -> Response:
    """DELETE of one record; deleting what is not there is fine."""
    demand_write(call, store, table)
    row = lookup(table, call.rest[1], call.request.param("idProperty"))
    if row is not None:
        refuse_for_users(table, "deleted")
        store.archive(table, row)
    return Response(204)


def merge(store: Store, table: Table, call: Call) -> Response:
    """POST …/merge: `objectIdToMerge` disappears into `primaryObjectId`."""
    demand_write(call, store, table)
    body = call.body(Merge)
    winner = located(table, str(body["primaryObjectId"]))
    loser = located(table, str(body["objectIdToMerge"]))
    if winner is loser:
        raise errors.invalid("A record cannot be merged with itself")
    store.merge(table, winner, loser)
    return answer(200, _shown(store, table, winner, {}))


def batch_archive(store: Store, table: Table, call: Call) -> Response:
    """POST …/batch/archive."""
    demand_write(call, store, table)
    refuse_for_users(table, "deleted")
    for row_input in limited(call.body(WriteBatch)["inputs"]):
        row = lookup(table, str(row_input.get("id", "")), None)
        if row is not None:
            store.archive(table, row)
    return Response(204)


def batch_create(store: Store, table: Table, call: Call) -> Response:
    """POST …/batch/create: all or nothing, unless every row carries a trace id."""
    demand_write(call, store, table)
    inputs = limited(call.body(WriteBatch)["inputs"])
    ready: list[tuple[WriteRow, Values]] = []
    failed: list[Failed] = []
    taken: set[tuple[str, str]] = set()
    for row_input in inputs:
        clean = clean_values(store, table, call, row_input.get("properties") or {}, None)
        problems = clean if isinstance(clean, list) else twins(table, clean, taken)
        if problems or isinstance(clean, list):
            failed.append(Failed(problems, _trace(row_input)))
        else:
            ready.append((row_input, clean))
    _fail_whole(store, table, inputs, failed)
    made = [_inserted(store, table, call, clean, row_input) for row_input, clean in ready]
    results = [_shown(store, table, row, row.values) for row in shuffled(made)]
    return batch_answer(store, results, [_error(store, entry) for entry in failed], 201)


def batch_update(store: Store, table: Table, call: Call) -> Response:
    """POST …/batch/update."""
    demand_write(call, store, table)
    inputs = limited(call.body(WriteBatch)["inputs"])
    targets = [lookup(table, str(row.get("id", "")), row.get("idProperty")) for row in inputs]
    known = [row for row in targets if row is not None]
    if len({row.id for row in known}) < len(known):
        raise errors.invalid("Duplicate IDs found in batch input: an id may come only once")
    missing = [
        str(row_input.get("id", ""))
        for row_input, row in zip(inputs, targets, strict=True)
        if row is None or row.archived_at is not None
    ]
    pairs = [
        (row_input, row)
        for row_input, row in zip(inputs, targets, strict=True)
        if row is not None and row.archived_at is None
    ]
    written, failed = _write_all(store, table, call, pairs, inputs)
    errors_found = [_error(store, entry) for entry in failed]
    if missing:
        errors_found.append(not_found_error(table, missing))
    results = [_shown(store, table, row, properties) for row, properties in written]
    return batch_answer(store, results, errors_found)


def batch_upsert(store: Store, table: Table, call: Call) -> Response:
    """POST …/batch/upsert: by a unique property; `new` says which rows were made."""
    demand_write(call, store, table)
    inputs = limited(call.body(WriteBatch)["inputs"])
    name = _upsert_key(table, inputs)
    keys = [str(row_input.get("id", "")) for row_input in inputs]
    if len({key.lower() for key in keys}) < len(keys):
        raise errors.invalid("Duplicate IDs found in batch input: an id may come only once")
    plans: list[tuple[WriteRow, Row | None, Values]] = []
    failed: list[Failed] = []
    for row_input, key in zip(inputs, keys, strict=True):
        row = table.find_unique(name, key)
        properties = {**(row_input.get("properties") or {}), **({name: key} if row is None else {})}
        if row is None:
            refuse_for_users(table, "created")
        clean = clean_values(store, table, call, properties, row)
        if isinstance(clean, list):
            failed.append(Failed(clean, _trace(row_input)))
        else:
            plans.append((row_input, row, clean))
    _fail_whole(store, table, inputs, failed)
    results = []
    for row_input, row, clean in plans:
        if row is None:
            made = _inserted(store, table, call, clean, row_input)
            results.append({**_shown(store, table, made, clean), "new": True})
        else:
            store.write(table, row, clean)
            results.append({**_shown(store, table, row, {**clean, name: None}), "new": False})
    results.sort(key=lambda shown: (int(shown["id"]) * 2_654_435_761) & 0xFFFFFFFF)
    return batch_answer(store, results, [_error(store, entry) for entry in failed])


def _upsert_key(table: Table, inputs: list[WriteRow]) -> str:
    names = {row_input.get("idProperty") for row_input in inputs}
    if len(names) != 1:
        raise errors.invalid("Every input of an upsert must have the same idProperty")
    name = names.pop()
    if not isinstance(name, str) or name not in table.unique or name == "hs_object_id":
        raise errors.invalid(f"idProperty {name} is not a unique property of {table.kind.plural}")
    return name


def _write_all(
    store: Store,
    table: Table,
    call: Call,
    pairs: list[tuple[WriteRow, Row]],
    inputs: list[WriteRow],
) -> tuple[list[tuple[Row, Mapping[str, Any]]], list[Failed]]:
    clean_rows: list[tuple[Row, Values, Mapping[str, Any]]] = []
    failed: list[Failed] = []
    for row_input, row in pairs:
        properties = row_input.get("properties") or {}
        clean = clean_values(store, table, call, properties, row)
        if isinstance(clean, list):
            failed.append(Failed(clean, _trace(row_input)))
        else:
            clean_rows.append((row, clean, properties))
    _fail_whole(store, table, inputs, failed)
    for row, clean, _ in clean_rows:
        store.write(table, row, clean)
    order = {row.id: place for place, row in enumerate(shuffled(row for row, _, _ in clean_rows))}
    written = sorted(((row, properties) for row, _, properties in clean_rows), key=lambda pair: order[pair[0].id])
    return written, failed


def _trace(row_input: WriteRow) -> str | None:
    trace = row_input.get("objectWriteTraceId")
    return None if trace is None else str(trace)


def _fail_whole(store: Store, table: Table, inputs: list[WriteRow], failed: list[Failed]) -> None:
    """Rows fail one by one only where each can be named; otherwise the first bad one takes the batch with it."""
    traces = [_trace(row_input) for row_input in inputs]
    named = None not in traces and len(set(traces)) == len(traces)
    if failed and (not named or store.rules.batches_fail_whole):
        raise _refusal(store, table, failed[0].problems)


def _error(store: Store, failed: Failed) -> dict[str, Any]:
    message = problem_text(failed.problems, store.portal_id)
    inner = {
        "message": message,
        "code": failed.problems[0].code,
        "context": {"propertyName": [problem.name for problem in failed.problems]},
    }
    return {
        "status": "error",
        "category": "VALIDATION_ERROR",
        "message": message,
        "context": {"objectWriteTraceId": [failed.trace]},
        "errors": [inner],
    }


def _shown(store: Store, table: Table, row: Row, written: Mapping[str, Any]) -> dict[str, Any]:
    return drawn(store, table, chosen(table, written))(row)


def _made(store: Store, table: Table, call: Call, body: WriteRow) -> Row:
    clean = clean_values(store, table, call, body.get("properties") or {}, None)
    if isinstance(clean, list):
        raise _refusal(store, table, clean)
    return _inserted(store, table, call, clean, body)


def _inserted(store: Store, table: Table, call: Call, clean: Values, body: WriteRow) -> Row:
    now = store.now()
    row = store.insert(table, clean, created=now, modified=now)
    for link in body.get("associations") or ():
        create_links(store, table, row, str(link["to"]["id"]), link.get("types") or [])
    return row


def _refusal(store: Store, table: Table, problems: list[Problem]) -> Refusal:
    twin = next((problem for problem in problems if problem.code == "CONFLICTING_UNIQUE_VALUE"), None)
    if twin is not None and table.kind.type_id == "0-1":
        known = twin.message.rsplit(" ", 1)[-1]
        return Refusal(409, f"Contact already exists. Existing ID: {known}", "CONFLICT")
    return errors.invalid_values(problems, store.portal_id)
