"""The association endpoints: batch read with paging for each record, batch create and archive, single links, labels."""

from collections.abc import Iterable
from typing import Any

from crm_sandbox.hubspot import errors
from crm_sandbox.hubspot.call import Call, decode_cursor, encode_cursor, limited, next_page
from crm_sandbox.hubspot.errors import answer
from crm_sandbox.hubspot.reading import batch_answer, demand_tier, located
from crm_sandbox.hubspot.shapes import LinkBatch, LinkedBatch, LinkType, UnlinkBatch
from crm_sandbox.hubspot.store import Row, Store, Table
from crm_sandbox.hubspot.values import is_number
from crm_sandbox.serving import Response

MOST_READ = 1_000
MOST_CREATED = 2_000
MOST_ARCHIVED = 100
WITHOUT_SINGLE_READ = "2026-09"
"""The version that no longer has the GET of one record's associations."""


def answer_associations(store: Store, call: Call) -> Response:
    """Everything below /crm/associations/{version} and /crm/v4/associations."""
    if len(call.rest) < 3:
        raise errors.not_found()
    source, target = store.table(call.rest[0]), store.table(call.rest[1])
    match call.method, *call.rest[2:]:
        case "POST", "batch", "read":
            return _batch_read(store, source, target, call)
        case "POST", "batch", "create":
            return _batch_create(store, source, target, call)
        case "POST", "batch", "associate", "default":
            return _batch_create(store, source, target, call)
        case "POST", "batch", "archive":
            return _batch_archive(store, source, target, call)
        case "GET", "labels":
            return _labels(store, source, target, call)
        case _:
            raise errors.not_found()


def answer_single(store: Store, source: Table, call: Call) -> Response:
    """Links of one record: /crm/objects/{version}/{type}/{id}/associations/{to}[/{to id}]."""
    rest = [part for part in call.rest[3:] if part != "default"]
    if not rest:
        raise errors.not_found()
    target = store.table(rest[0])
    row = located(source, call.rest[1])
    match call.method, len(rest):
        case "GET", 1 if call.version != WITHOUT_SINGLE_READ:
            _demand(store, call, source, target)
            page = _page_of(store, source, target, row.id, call.request.param("after"))
            return answer(200, {"results": page["to"], **({"paging": page["paging"]} if "paging" in page else {})})
        case "PUT", 2:
            _demand(store, call, source, target, write=True)
            types = call.body(list[LinkType]) if call.request.body else []
            labels = create_links(store, source, row, rest[1], types, target=target)
            return answer(200, _link_made(source, row.id, target, int(rest[1]), labels))
        case "DELETE", 2:
            _demand(store, call, source, target, write=True)
            store.links.remove(source.kind.type_id, row.id, target.kind.type_id, int(rest[1]))
            return Response(204)
        case _:
            raise errors.not_found()


def create_links(
    store: Store, source: Table, row: Row, to_id: str, types: Iterable[LinkType], *, target: Table | None = None
) -> list[str]:
    """Link a record to another one under these types (none: the default type); returns their labels."""
    numbers = [entry["associationTypeId"] for entry in types]
    target = target or _target_of(store, source, numbers)
    pair = (source.kind.type_id, target.kind.type_id)
    known = store.links.types(*pair)
    wrong = next((number for number in numbers if number not in known), None)
    if wrong is not None or not known:
        raise errors.invalid(
            f"Association type {wrong} does not exist between {source.kind.plural} and {target.kind.plural}"
        )
    if not is_number(to_id):
        raise errors.not_numeric(to_id)
    other = target.find(int(to_id))
    if other is None or other.archived_at is not None:
        raise errors.not_found()
    numbers = numbers or known[:1]
    if store.links.add(pair[0], row.id, pair[1], other.id, *numbers):
        _count_contacts(store, source, row, target, other)
    return [label for number in numbers if (label := store.links.labels[(pair, number)])]


def _target_of(store: Store, source: Table, numbers: list[int]) -> Table:
    for (source_id, target_id), number in store.links.labels:
        if source_id == source.kind.type_id and numbers and number == numbers[0]:
            return store.tables[target_id]
    raise errors.invalid(f"Unknown association type {numbers} of {source.kind.plural}")


def _count_contacts(store: Store, source: Table, row: Row, target: Table, other: Row) -> None:
    """A deal counts its contacts, so that linking one is a change of the deal."""
    for table, deal, end in ((source, row, target), (target, other, source)):
        if table.kind.type_id == "0-3" and end.kind.type_id == "0-1":
            contacts = store.links.of("0-3", deal.id, "0-1")
            store.write(table, deal, {"num_associated_contacts": str(len(contacts))}, source="CALCULATED")


def _demand(store: Store, call: Call, source: Table, target: Table, *, write: bool = False) -> None:
    for table in (source, target):
        call.demand(*(table.kind.write if write else table.kind.read))
        demand_tier(store, table)


def _batch_read(store: Store, source: Table, target: Table, call: Call) -> Response:
    _demand(store, call, source, target)
    results: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    for wanted in limited(call.body(LinkedBatch)["inputs"], MOST_READ):
        record_id = str(wanted["id"])
        row = source.find(int(record_id)) if is_number(record_id) else None
        page = (
            None
            if row is None or row.archived_at is not None
            else _page_of(store, source, target, row.id, wanted.get("after"))
        )
        if page and page["to"]:
            results.append({"from": {"id": record_id}, **page})
        else:
            failed.append(_nothing_linked(source, target, record_id))
    results.sort(key=lambda result: (int(result["from"]["id"]) * 2_654_435_761) & 0xFFFFFFFF)
    return batch_answer(store, results, failed)


def _page_of(store: Store, source: Table, target: Table, record_id: int, after: str | None) -> dict[str, Any]:
    pair = (source.kind.type_id, target.kind.type_id)
    ends = store.links.of(pair[0], record_id, pair[1])
    if not ends:
        return {"to": []}
    linked = sorted((to_id, types) for to_id, types in ends.items() if target.rows[to_id].archived_at is None)
    last = decode_cursor(after) if after else -1
    rest = [entry for entry in linked if entry[0] > last]
    size = store.rules.association_page
    as_text = store.rules.associated_ids_as_text
    shown = [
        {
            "toObjectId": str(to_id) if as_text else to_id,
            "associationTypes": [
                {
                    "category": store.links.categories[(pair, number)],
                    "typeId": number,
                    "label": store.links.labels[(pair, number)],
                }
                for number in types
            ],
        }
        for to_id, types in rest[:size]
    ]
    page: dict[str, Any] = {"to": shown}
    if len(rest) > size:
        page["paging"] = next_page(encode_cursor(rest[size - 1][0]))
    return page


def _nothing_linked(source: Table, target: Table, record_id: str) -> dict[str, Any]:
    return {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
        "message": f"No {target.kind.singular} is associated with {source.kind.singular} {record_id}.",
        "context": {
            "fromObjectId": [record_id],
            "fromObjectType": [source.kind.singular],
            "toObjectType": [target.kind.singular],
        },
    }


def _batch_create(store: Store, source: Table, target: Table, call: Call) -> Response:
    _demand(store, call, source, target, write=True)
    results: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    for wanted in limited(call.body(LinkBatch)["inputs"], MOST_CREATED):
        from_id, to_id = str(wanted["from"]["id"]), str(wanted["to"]["id"])
        try:
            row = located(source, from_id)
            labels = create_links(store, source, row, to_id, wanted.get("types") or (), target=target)
        except errors.Refusal as refusal:
            category = refusal.category or "OBJECT_NOT_FOUND"
            context = {"fromObjectId": [from_id], "toObjectId": [to_id]}
            failed.append({"status": "error", "category": category, "message": refusal.message, "context": context})
        else:
            results.append(_link_made(source, row.id, target, int(to_id), labels))
    return batch_answer(store, results, failed, 201)


def _link_made(source: Table, from_id: int, target: Table, to_id: int, labels: list[str]) -> dict[str, Any]:
    return {
        "fromObjectTypeId": source.kind.type_id,
        "fromObjectId": from_id,
        "toObjectTypeId": target.kind.type_id,
        "toObjectId": to_id,
        "labels": labels,
    }


def _batch_archive(store: Store, source: Table, target: Table, call: Call) -> Response:
    _demand(store, call, source, target, write=True)
    for wanted in limited(call.body(UnlinkBatch)["inputs"], MOST_ARCHIVED):
        from_id = str(wanted["from"]["id"])
        for end in wanted["to"]:
            to_id = str(end["id"])
            if is_number(from_id) and is_number(to_id):
                store.links.remove(source.kind.type_id, int(from_id), target.kind.type_id, int(to_id))
    return Response(204)


def _labels(store: Store, source: Table, target: Table, call: Call) -> Response:
    _demand(store, call, source, target)
    pair = (source.kind.type_id, target.kind.type_id)
    results = [
        {
            "category": store.links.categories[(pair, number)],
            "typeId": number,
            "label": store.links.labels[(pair, number)],
        }
        for number in store.links.types(*pair)
    ]
    return answer(200, {"results": results})
