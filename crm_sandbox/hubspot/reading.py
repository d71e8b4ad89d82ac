"""Reading records: how one looks on the wire, list, single, batch read and search of an object."""

from collections.abc import Iterable
from typing import Any, Protocol

from crm_sandbox.hubspot import errors
from crm_sandbox.hubspot.call import Call, encode_cursor, limited, next_page
from crm_sandbox.hubspot.catalog import TIERS
from crm_sandbox.hubspot.errors import answer
from crm_sandbox.hubspot.shapes import ReadBatch
from crm_sandbox.hubspot.store import Row, Store, Table, Values
from crm_sandbox.hubspot.values import is_number, iso
from crm_sandbox.serving import Response

PAGE = 100
PAGE_WITH_HISTORY = 50


class Drawing(Protocol):
    """Shows a row as JSON; with `values`, as it was when it had those."""

    def __call__(self, row: Row, values: Values | None = None) -> dict[str, Any]: ...


def demand_tier(store: Store, table: Table) -> None:
    """The portal's subscription must include the object."""
    if TIERS.index(store.rules.tier) < TIERS.index(table.kind.tier):
        raise errors.not_in_this_tier(table.kind.plural, table.kind.tier.capitalize())


def demand_read(call: Call, store: Store, table: Table) -> None:
    """The token must be allowed to read the object."""
    call.demand(*table.kind.read)
    demand_tier(store, table)


def chosen(table: Table, asked: Iterable[str], default: Iterable[str] = ()) -> tuple[str, ...]:
    """The properties to return: those asked for that exist (others are left out silently), and always the stamps."""
    names = dict.fromkeys(asked) or dict.fromkeys(default)
    return tuple(dict.fromkeys([*(name for name in names if name in table.properties), *table.kind.stamps]))


def drawn(store: Store, table: Table, names: tuple[str, ...], history: tuple[str, ...] = ()) -> Drawing:
    """How the rows of one answer are shown."""
    base = f"https://app.hubspot.com/contacts/{store.portal_id}/record/{table.kind.type_id}/"

    def draw(row: Row, values: Values | None = None) -> dict[str, Any]:
        get = (row.values if values is None else values).get
        shown: dict[str, Any] = {
            "id": str(row.id),
            "properties": {name: get(name) for name in names},
            "createdAt": iso(row.created),
            "updatedAt": get(table.kind.modified),
            "archived": row.archived_at is not None,
            "url": f"{base}{row.id}",
        }
        if row.archived_at is not None:
            shown["archivedAt"] = iso(row.archived_at)
        if history:
            shown["propertiesWithHistory"] = {name: past(row, name) for name in history}
        return shown

    return draw


def past(row: Row, name: str) -> list[dict[str, Any]]:
    """Every value a property had, the newest first."""
    versions = (row.history or {}).get(name)
    if versions is None:
        present = row.values.get(name)
        versions = [(row.created, present, "IMPORT")] if present is not None else []
    return [
        {"value": value or "", "timestamp": iso(moment), "sourceType": source, "sourceId": None}
        for moment, value, source in reversed(versions)
    ]


def list_rows(store: Store, table: Table, call: Call) -> Response:
    """GET of the collection: by id, nothing but paging and the archived switch."""
    demand_read(call, store, table)
    history = chosen_history(table, call.names("propertiesWithHistory"))
    limit = call.limit(10, PAGE_WITH_HISTORY if history else PAGE)
    store.purge(table)
    rows, more = table.page(call.after(), limit, archived=call.flag("archived"))
    draw = drawn(store, table, chosen(table, call.names("properties"), table.kind.searchable), history)
    results = [draw(row) for row in rows]
    _project_links(store, table, rows, results, call.names("associations"))
    body: dict[str, Any] = {"results": results}
    if more:
        body["paging"] = next_page(encode_cursor(rows[-1].id))
    return answer(200, body)


def read_row(store: Store, table: Table, call: Call) -> Response:
    """GET of one record, by id or by a unique property."""
    demand_read(call, store, table)
    store.purge(table)
    row = located(table, call.rest[1], call.request.param("idProperty"), archived=call.flag("archived"))
    history = chosen_history(table, call.names("propertiesWithHistory"))
    draw = drawn(store, table, chosen(table, call.names("properties"), table.kind.searchable), history)
    shown = draw(row)
    _project_links(store, table, [row], [shown], call.names("associations"))
    return answer(200, shown)


def batch_read(store: Store, table: Table, call: Call) -> Response:
    """Up to 100 records by id or unique property; what is missing is an error beside the results."""
    demand_read(call, store, table)
    store.purge(table)
    body = call.body(ReadBatch)
    history = chosen_history(table, body.get("propertiesWithHistory") or ())
    inputs = limited(body["inputs"], PAGE_WITH_HISTORY if history else PAGE)
    draw = drawn(store, table, chosen(table, body.get("properties") or (), table.kind.searchable), history)
    found: dict[int, Row] = {}
    missing: list[str] = []
    for row_input in inputs:
        wanted = str(row_input["id"])
        row = lookup(table, wanted, body.get("idProperty"))
        if row is None or (row.archived_at is not None) != call.flag("archived"):
            missing.append(wanted)
        else:
            found[row.id] = row
    errors_found = [not_found_error(table, missing)] if missing else []
    return batch_answer(store, [draw(row) for row in shuffled(found.values())], errors_found)


def lookup(table: Table, wanted: str, id_property: str | None) -> Row | None:
    """The row of an id or of a unique value, None where there is none."""
    if id_property and id_property != "hs_object_id":
        if id_property not in table.unique:
            raise errors.invalid(f"Property {id_property} is not a unique property of {table.kind.plural}")
        return table.find_unique(id_property, wanted)
    return table.find(int(wanted)) if is_number(wanted) else None


def located(table: Table, wanted: str, id_property: str | None = None, *, archived: bool = False) -> Row:
    """The same, but a missing one is a 404."""
    if not id_property and not is_number(wanted):
        raise errors.not_numeric(wanted)
    row = lookup(table, wanted, id_property)
    if row is None or (row.archived_at is not None) != archived:
        raise errors.not_found()
    return row


def chosen_history(table: Table, names: Iterable[str]) -> tuple[str, ...]:
    """The properties whose past is asked for."""
    return tuple(name for name in dict.fromkeys(names) if name in table.properties)


def shuffled(rows: Iterable[Row]) -> list[Row]:
    """Rows in an order that has nothing to do with the request, but is the same every time."""
    return sorted(rows, key=lambda row: (row.id * 2_654_435_761) & 0xFFFFFFFF)


def not_found_error(table: Table, missing: list[str]) -> dict[str, Any]:
    """The error of a batch about records that are not there."""
    return {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "message": f"Could not get some {table.kind.singular.upper()} objects, they may be deleted or not exist."
        " Check that ids are valid.",
        "context": {"ids": missing},
    }


def batch_answer(store: Store, results: list[Any], failed: list[dict[str, Any]], good: int = 200) -> Response:
    """The envelope of every batch: 207 as soon as something failed."""
    now = iso(store.now())
    body: dict[str, Any] = {"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now}
    if failed:
        body |= {"numErrors": len(failed), "errors": failed}
    return answer(207 if failed else good, body)


def _project_links(
    store: Store, table: Table, rows: list[Row], shown: list[dict[str, Any]], targets: list[str]
) -> None:
    for target in targets:
        other = store.table(target)
        for row, record in zip(rows, shown, strict=True):
            listed = list(_listed_links(store, table, other, row))
            if listed:
                record.setdefault("associations", {})[other.kind.plural] = {"results": listed}


def _listed_links(store: Store, table: Table, other: Table, row: Row) -> Iterable[dict[str, str]]:
    name = f"{table.kind.singular}_to_{other.kind.singular}"
    pair = (table.kind.type_id, other.kind.type_id)
    for to_id, types in store.links.of(table.kind.type_id, row.id, other.kind.type_id).items():
        if other.rows[to_id].archived_at is not None:
            continue
        labelled = any(store.links.labels[(pair, number)] for number in types)
        yield {"id": str(to_id), "type": name}
        if labelled and len(types) > 1:
            yield {"id": str(to_id), "type": f"{name}_unlabeled"}
