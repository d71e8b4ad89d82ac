"""Property definitions and their groups: list, read, create, change, archive."""

import re
from typing import Any

import msgspec

from crm_sandbox.hubspot import errors
from crm_sandbox.hubspot.call import Call, limited
from crm_sandbox.hubspot.catalog import FIELD_TYPES, Property
from crm_sandbox.hubspot.errors import Refusal, answer
from crm_sandbox.hubspot.reading import batch_answer, demand_tier
from crm_sandbox.hubspot.shapes import GroupBody, NameBatch, PropertyBatch, PropertyBody
from crm_sandbox.hubspot.store import Store, Table, group
from crm_sandbox.hubspot.values import iso
from crm_sandbox.serving import Response

MOST_PROPERTIES = 1_000
MOST_UNIQUE = 10
_NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")
_EXTRAS = ("numberDisplayHint", "showCurrencySymbol", "currencyPropertyName", "textDisplayHint")


def answer_properties(store: Store, call: Call) -> Response:
    """Everything below /crm/properties/{version}/{object}."""
    if not call.rest:
        raise errors.not_found()
    table = store.table(call.rest[0])
    demand_tier(store, table)
    if call.method == "GET" or call.rest[1:] == ("batch", "read"):
        call.demand_any(*_readers(table))
    else:
        call.demand_any(*table.kind.define)
        _demand_user_properties(store, table)
    match call.method, *call.rest[1:]:
        case "GET", "groups":
            return answer(200, {"results": list(table.groups.values())})
        case _, "groups", *rest:
            return _answer_groups(table, call, rest)
        case ("GET",):
            return _list(table, archived=call.flag("archived"))
        case ("POST",):
            return answer(201, shown(_create(store, table, call.body(PropertyBody))))
        case "POST", "batch", what:
            return _batch(store, table, call, what)
        case "GET", name:
            return answer(200, shown(_known(table, name)))
        case "PATCH", name:
            return answer(200, shown(_change(store, table, name, call.body(PropertyBody))))
        case "DELETE", name:
            _archive(store, table, name)
            return Response(204)
        case _:
            raise errors.not_found()


def _readers(table: Table) -> tuple[str, ...]:
    plural = "custom" if table.kind.custom else table.kind.plural
    return (table.kind.read[0], f"crm.schemas.{plural}.read", *table.kind.define)


def _demand_user_properties(store: Store, table: Table) -> None:
    if table.kind.type_id == "0-115" and not store.rules.user_properties:
        raise Refusal(403, "This account does not allow custom properties on users.")


def _known(table: Table, name: str) -> Property:
    definition = table.properties.get(name)
    if definition is None:
        raise Refusal(404, f"Property '{name}' does not exist.", "OBJECT_NOT_FOUND")
    return definition


def _list(table: Table, *, archived: bool) -> Response:
    listed = table.archived_properties if archived else table.properties
    return answer(200, {"results": [shown(definition) for definition in listed.values()]})


def shown(definition: Property) -> dict[str, Any]:
    """A definition on the wire."""
    body: dict[str, Any] = {
        "updatedAt": iso(definition.updated),
        "createdAt": iso(definition.created),
        "name": definition.name,
        "label": definition.label,
        "type": definition.type,
        "fieldType": definition.field_type,
        "description": definition.description,
        "groupName": definition.group,
        "options": [
            {"label": label, "value": value, "displayOrder": place, "hidden": False}
            for place, (value, label) in enumerate(definition.options)
        ],
        "displayOrder": definition.display_order,
        "calculated": definition.field_type == "calculation_equation",
        "externalOptions": definition.owners,
        "archived": definition.archived,
        "hasUniqueValue": definition.unique,
        "hidden": definition.hidden,
        "hubspotDefined": definition.standard,
        "modificationMetadata": {
            "archivable": not definition.standard,
            "readOnlyDefinition": definition.standard,
            "readOnlyOptions": definition.standard,
            "readOnlyValue": definition.read_only,
        },
        "formField": definition.form_field,
        **definition.extras,
    }
    if definition.owners:
        body["referencedObjectType"] = "OWNER"
    return body


def parsed(body: PropertyBody, now: int, group_name: str | None = None) -> Property:
    """A definition from what was sent; whatever is wrong with it is a 400."""
    name, type_, field_type = body.get("name", ""), body.get("type", ""), body.get("fieldType", "")
    if not _NAME.fullmatch(name):
        raise errors.invalid(
            f"Property name '{name}' must be lower case, start with a letter and have at most 100 characters"
        )
    if field_type not in FIELD_TYPES.get(type_, ()):
        raise errors.invalid(f"Property type '{type_}' cannot have the field type '{field_type}' ({name})")
    if not body.get("label"):
        raise errors.invalid(f"Property '{name}' needs a label")
    owners = bool(body.get("externalOptions")) and body.get("referencedObjectType") == "OWNER"
    options = _options(body)
    if type_ in {"enumeration", "bool"} and not options and not owners:
        raise errors.invalid(f"Property '{name}' needs options")
    if type_ == "bool" and {value for value, _ in options} != {"true", "false"}:
        raise errors.invalid(f"The options of '{name}' must be true and false")
    return Property(
        name,
        type_,
        field_type,
        body["label"],
        group_name or body.get("groupName") or "",
        options,
        unique=bool(body.get("hasUniqueValue")),
        owners=owners,
        description=body.get("description") or "",
        hidden=bool(body.get("hidden")),
        form_field=bool(body.get("formField")),
        display_order=_place(body.get("displayOrder")),
        extras={name: value for name, value in body.items() if name in _EXTRAS and value is not None},
        created=now,
        updated=now,
    )


def _place(order: int | None) -> int:
    """Where it is listed; -1 is behind everything that has a place."""
    return -1 if order is None else order


def _options(body: PropertyBody) -> tuple[tuple[str, str], ...]:
    return tuple((option["value"], option["label"]) for option in body.get("options") or ())


def _create(store: Store, table: Table, body: PropertyBody) -> Property:
    definition = parsed(body, store.now())
    if definition.group not in table.groups:
        raise errors.invalid(f"Property group '{definition.group}' does not exist")
    if definition.name in table.properties:
        raise Refusal(
            409,
            f"A property named '{definition.name}' already exists.",
            "OBJECT_ALREADY_EXISTS",
            subCategory="PropertyDefinitionError.PROPERTY_EXISTS",
        )
    own = [known for known in table.properties.values() if not known.standard]
    if len(own) >= MOST_PROPERTIES:
        raise errors.invalid(f"{table.kind.plural} already have {MOST_PROPERTIES} custom properties")
    if definition.unique and sum(known.unique for known in own) >= MOST_UNIQUE:
        raise errors.invalid(f"{table.kind.plural} already have {MOST_UNIQUE} unique properties")
    add_property(table, definition)
    return definition


def add_property(table: Table, definition: Property) -> None:
    """Make a property known to its object."""
    table.archived_properties.pop(definition.name, None)
    table.properties[definition.name] = definition
    if definition.unique:
        table.unique.setdefault(definition.name, {})


def _change(store: Store, table: Table, name: str, body: PropertyBody) -> Property:
    definition = _known(table, name)
    if definition.standard:
        raise errors.invalid(f"Property '{name}' is defined by HubSpot and cannot be changed")
    if body.get("hasUniqueValue") not in {None, definition.unique}:
        raise errors.invalid(f"hasUniqueValue of '{name}' can only be set when it is created")
    before = msgspec.convert(shown(definition), PropertyBody)
    changed = parsed({**before, **body, "name": name}, definition.created)
    if changed.group not in table.groups:
        raise errors.invalid(f"Property group '{changed.group}' does not exist")
    changed.updated = store.now()
    table.properties[name] = changed
    return changed


def _archive(store: Store, table: Table, name: str) -> None:
    definition = table.properties.get(name)
    if definition is None:
        return
    if definition.standard:
        raise errors.invalid(f"Property '{name}' is defined by HubSpot and cannot be deleted")
    del table.properties[name]
    table.unique.pop(name, None)
    definition.archived = True
    definition.updated = store.now()
    table.archived_properties[name] = definition
    for row in table.rows.values():
        if name in row.values:
            row.values = {known: value for known, value in row.values.items() if known != name}
            row.indexed = row.values if row.indexed is not None else None
    table.version += 1


def _batch(store: Store, table: Table, call: Call, what: str) -> Response:
    match what:
        case "create":
            return _batch_create(store, table, limited(call.body(PropertyBatch)["inputs"]))
        case "read":
            return _batch_read(store, table, _names(call))
        case "archive":
            for name in _names(call):
                _archive(store, table, name)
            return Response(204)
        case _:
            raise errors.not_found()


def _names(call: Call) -> list[str]:
    return [entry["name"] for entry in limited(call.body(NameBatch)["inputs"])]


def _batch_create(store: Store, table: Table, inputs: list[PropertyBody]) -> Response:
    made: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    for entry in inputs:
        try:
            made.append(shown(_create(store, table, entry)))
        except Refusal as refusal:
            failed.append(_failure(refusal, entry.get("name", "")))
    return batch_answer(store, made, failed, 201)


def _batch_read(store: Store, table: Table, names: list[str]) -> Response:
    found = [shown(table.properties[name]) for name in names if name in table.properties]
    failed = [
        _failure(Refusal(404, f"Property '{name}' does not exist.", "OBJECT_NOT_FOUND"), name)
        for name in names
        if name not in table.properties
    ]
    return batch_answer(store, found, failed)


def _failure(refusal: Refusal, name: str) -> dict[str, Any]:
    return {
        "status": "error",
        "category": refusal.category,
        "message": refusal.message,
        "context": {"name": [name]},
    }


def _answer_groups(table: Table, call: Call, rest: list[str]) -> Response:
    match call.method, *rest:
        case ("POST",):
            return _create_group(table, call.body(GroupBody))
        case "GET", name if name in table.groups:
            return answer(200, table.groups[name])
        case "PATCH", name if name in table.groups:
            body = call.body(GroupBody)
            table.groups[name] = {**table.groups[name], **body, "name": name}
            return answer(200, table.groups[name])
        case "DELETE", name:
            if any(definition.group == name for definition in table.properties.values()):
                raise errors.invalid(f"Property group '{name}' still has properties")
            table.groups.pop(name, None)
            return Response(204)
        case _:
            raise errors.not_found()


def _create_group(table: Table, body: GroupBody) -> Response:
    name = body.get("name", "")
    if not _NAME.fullmatch(name) or not body.get("label"):
        raise errors.invalid(f"A property group needs a name in lower case and a label, not '{name}'")
    if name in table.groups:
        raise Refusal(409, f"A property group named '{name}' already exists.", "OBJECT_ALREADY_EXISTS")
    table.groups[name] = group(name, body["label"], _place(body.get("displayOrder")))
    return answer(201, table.groups[name])
