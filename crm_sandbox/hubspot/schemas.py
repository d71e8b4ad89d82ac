"""Custom objects: their schemas, what they may be associated with, and how many the subscription allows."""

import re
from typing import Any

from crm_sandbox.hubspot import errors
from crm_sandbox.hubspot.call import Call
from crm_sandbox.hubspot.catalog import ACTIVITIES, TIERS, custom_type, standard_properties
from crm_sandbox.hubspot.definitions import MOST_PROPERTIES, add_property, parsed, shown
from crm_sandbox.hubspot.errors import Refusal, answer
from crm_sandbox.hubspot.shapes import AssociationBody, SchemaBody
from crm_sandbox.hubspot.store import Store, Table, group
from crm_sandbox.hubspot.values import iso
from crm_sandbox.serving import Response

MOST_TYPES = 10
FIRST_TYPE = 3_465_404
FIRST_RECORD = 31_800_000_017
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_CHANGEABLE = (
    "labels",
    "description",
    "primaryDisplayProperty",
    "secondaryDisplayProperties",
    "searchableProperties",
    "requiredProperties",
)


def answer_schemas(store: Store, call: Call) -> Response:
    """Everything below /crm-object-schemas/{version}/schemas."""
    writes = call.method != "GET"
    call.demand_any(
        *(["crm.schemas.custom.write"] if writes else ["crm.schemas.custom.read", "crm.schemas.custom.write"])
    )
    if writes and store.rules.tier != TIERS[-1]:
        raise errors.not_in_this_tier("custom objects", "Enterprise")
    match call.method, *call.rest:
        case ("GET",):
            return answer(200, {"results": [_shown(store, type_id) for type_id in store.schemas]})
        case ("POST",):
            return answer(201, _shown(store, _create(store, call.body(SchemaBody))))
        case "GET", name:
            return answer(200, _shown(store, _known(store, name).kind.type_id))
        case "PATCH", name:
            return answer(200, _change(store, _known(store, name), call.body(SchemaBody)))
        case "DELETE", name:
            return _delete(store, _known(store, name))
        case "POST", name, "associations":
            return _associate(store, _known(store, name), call.body(AssociationBody))
        case _:
            raise errors.not_found()


def _known(store: Store, name: str) -> Table:
    type_id = store.names.get(name.lower())
    if type_id is None or type_id not in store.schemas:
        raise errors.not_found()
    return store.tables[type_id]


def _create(store: Store, body: SchemaBody) -> str:
    name = body.get("name", "")
    _refuse_name(store, name)
    if "labels" not in body:
        raise errors.invalid("An object needs a singular and a plural label")
    now = store.now()
    group_name = f"{name.lower()}_information"
    properties = [parsed(entry, now, entry.get("groupName") or group_name) for entry in body.get("properties") or ()]
    _refuse_unknown(body, {definition.name for definition in properties})
    others = [store.table(other).kind.type_id for other in body.get("associatedObjects") or ()]
    type_id, first_record = _next_type(store)
    kind = custom_type(type_id, name, store.portal_id, tuple(body.get("searchableProperties") or ()))
    table = Table(kind, standard_properties("custom"), first_record)
    table.groups = {group_name: group(group_name, f"{body['labels']['singular']} information")}
    for definition in table.properties.values():
        definition.group = group_name
    for definition in properties:
        table.groups.setdefault(definition.group, group(definition.group, definition.group))
        add_property(table, definition)
    table.required = tuple(body.get("requiredProperties") or ())
    table.ready_at = now + round(store.rules.schema_delay * 1000)
    store.add_table(table)
    store.schemas[type_id] = _schema(body, iso(now))
    for other in [*(kind.type_id for kind in ACTIVITIES), *others]:
        _link(store, table, other)
    return type_id


def _refuse_name(store: Store, name: str) -> None:
    if not _NAME.fullmatch(name):
        raise errors.invalid(f"Object name '{name}' must start with a letter and hold only letters, digits and _")
    if name.lower() in store.names:
        raise Refusal(409, f"An object type named '{name}' already exists.", "OBJECT_ALREADY_EXISTS")
    if len(store.schemas) >= MOST_TYPES:
        raise errors.invalid(f"This account already has {MOST_TYPES} custom objects")


def _refuse_unknown(body: SchemaBody, known: set[str]) -> None:
    """Everything that a schema mentions must be defined in it."""
    mentioned = {
        body.get("primaryDisplayProperty", ""),
        *(body.get("secondaryDisplayProperties") or ()),
        *(body.get("requiredProperties") or ()),
        *(body.get("searchableProperties") or ()),
    }
    if unknown := sorted(mentioned - known):
        raise errors.invalid(f"Properties {unknown} are mentioned but not defined in the schema")


def _next_type(store: Store) -> tuple[str, int]:
    """An object type id that was never used, and the id of its first record."""
    place = store.custom_types_made
    store.custom_types_made += 1
    return f"2-{FIRST_TYPE + 7 * place}", FIRST_RECORD + place * 1_000_000_000


def _schema(body: SchemaBody, now: str) -> dict[str, Any]:
    return {
        "name": body["name"],
        "labels": body["labels"],
        "description": body.get("description"),
        "primaryDisplayProperty": body["primaryDisplayProperty"],
        "secondaryDisplayProperties": body.get("secondaryDisplayProperties") or [],
        "requiredProperties": body.get("requiredProperties") or [],
        "searchableProperties": body.get("searchableProperties") or [],
        "associatedObjects": [],
        "allowsSensitiveProperties": body.get("allowsSensitiveProperties") or False,
        "createdAt": now,
        "updatedAt": now,
    }


def _link(store: Store, table: Table, other: str) -> int:
    target = store.table(other).kind.type_id
    existing = store.links.default(table.kind.type_id, target)
    if existing is not None:
        return existing
    store.schemas[table.kind.type_id]["associatedObjects"].append(target)
    return store.links.define_own(table.kind.type_id, target)


def _associate(store: Store, table: Table, body: AssociationBody) -> Response:
    target = store.table(body["toObjectTypeId"])
    number = _link(store, table, target.kind.type_id)
    return answer(201, _association(table, target.kind.type_id, number))


def _association(table: Table, target: str, number: int) -> dict[str, Any]:
    return {
        "id": str(number),
        "fromObjectTypeId": table.kind.type_id,
        "toObjectTypeId": target,
        "name": f"{table.kind.singular}_to_{target}",
    }


def _change(store: Store, table: Table, body: SchemaBody) -> dict[str, Any]:
    schema = store.schemas[table.kind.type_id]
    changes = {name: value for name, value in body.items() if name in _CHANGEABLE and value is not None}
    _refuse_unknown({**_mentions(schema), **body}, set(table.properties))
    schema.update(changes)
    table.required = tuple(schema["requiredProperties"])
    schema["updatedAt"] = iso(store.now())
    return _shown(store, table.kind.type_id)


def _mentions(schema: dict[str, Any]) -> SchemaBody:
    return {"primaryDisplayProperty": schema["primaryDisplayProperty"]}


def _delete(store: Store, table: Table) -> Response:
    if table.live:
        raise errors.invalid(f"{table.kind.plural} still has {len(table.live)} records: delete them first")
    store.links.drop_type(table.kind.type_id)
    store.drop_table(table.kind.type_id)
    return Response(204)


def _shown(store: Store, type_id: str) -> dict[str, Any]:
    table, schema = store.tables[type_id], store.schemas[type_id]
    associations = [
        _association(table, target, number)
        for target in schema["associatedObjects"]
        if (number := store.links.default(type_id, target)) is not None
    ]
    return {
        **schema,
        "id": type_id.removeprefix("2-"),
        "objectTypeId": type_id,
        "fullyQualifiedName": table.kind.plural,
        "archived": False,
        "properties": [shown(definition) for definition in table.properties.values()],
        "associations": associations,
    }


def answer_limits(store: Store, call: Call) -> Response:
    """/crm/limits/{version}/…: how much of what the subscription allows is used."""
    match call.method, *call.rest:
        case "GET", "custom-object-types":
            limit = MOST_TYPES if store.rules.tier == TIERS[-1] else 0
            return answer(200, _share(limit, len(store.schemas)))
        case "GET", "custom-properties":
            return answer(200, {"byObjectType": [_property_share(table) for table in store.tables.values()]})
        case "GET", "records":
            listed = [_record_share(table) for table in store.tables.values()]
            return answer(200, {"hubspotDefinedObjectTypes": listed})
        case "GET", "pipelines":
            listed = [
                {"objectTypeId": type_id, **_share(100, len(pipelines))}
                for type_id, pipelines in store.pipelines.items()
            ]
            return answer(200, {"hubspotDefinedObjectTypes": listed})
        case _:
            raise errors.not_found()


def _share(limit: int, usage: int) -> dict[str, Any]:
    return {"limit": limit, "usage": usage, "percentage": usage / limit if limit else 0}


def _property_share(table: Table) -> dict[str, Any]:
    own = sum(not definition.standard for definition in table.properties.values())
    return {"objectTypeId": table.kind.type_id, **_share(MOST_PROPERTIES, own)}


def _record_share(table: Table) -> dict[str, Any]:
    return {"objectTypeId": table.kind.type_id, **_share(15_000_000, len(table.live))}
