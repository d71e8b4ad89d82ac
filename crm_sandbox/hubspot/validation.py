"""Whether values may be written: property by property, and what is required of the whole record."""

from collections.abc import Mapping

from crm_sandbox.hubspot import errors
from crm_sandbox.hubspot.call import Call
from crm_sandbox.hubspot.catalog import ACTIVITIES, Property
from crm_sandbox.hubspot.errors import Problem
from crm_sandbox.hubspot.shapes import Scalar
from crm_sandbox.hubspot.store import Row, Store, Table, Values
from crm_sandbox.hubspot.values import as_text, checked

STRICT_VERSION = "2026-09"
"""From this version on, what an admin made required is required of the API too."""

NEEDS_A_MOMENT = frozenset(kind.type_id for kind in ACTIVITIES)
"""Activities cannot be made without `hs_timestamp`."""


def refuse_for_users(table: Table, what: str) -> None:
    """People are invited in the settings, not made here."""
    if table.kind.type_id == "0-115":
        raise errors.invalid(f"Users cannot be {what} here: use the user provisioning API")


def clean_values(
    store: Store, table: Table, call: Call, properties: Mapping[str, Scalar], row: Row | None
) -> Values | list[Problem]:
    """The values as they will be kept, or everything that is wrong with them."""
    if row is None:
        refuse_for_users(table, "created")
        if store.now() < table.ready_at:
            raise errors.unknown_object(table.kind.type_id)
    clean: Values = {}
    problems: list[Problem] = []
    for name, raw in properties.items():
        if raw is None:
            continue  # a null says nothing; only "" clears
        value = _one(store, table, name, as_text(raw), row)
        if isinstance(value, Problem):
            problems.append(value)
        else:
            clean[name] = value
    return problems or _lacking(store, table, call, clean, row) or clean


def _one(store: Store, table: Table, name: str, text: str, row: Row | None) -> str | Problem | None:
    definition = table.properties.get(name)
    if definition is None:
        return Problem(name, "PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist')
    if definition.read_only:
        return Problem(name, "READ_ONLY_VALUE", f'"{name}" is a read only property; its value cannot be set.')
    if text == "":
        return None
    if definition.owners and text not in store.owners:
        return Problem(name, "INVALID_OPTION", f"{text} is not the id of an owner of this account")
    value = checked(definition, text, row.values.get(name) if row else None)
    if isinstance(value, Problem):
        return value
    return _unshared(table, definition, value, row)


def _unshared(table: Table, definition: Property, value: str, row: Row | None) -> str | Problem:
    if not definition.unique:
        return value
    other = table.find_unique(definition.name, value)
    if other is None or (row is not None and other.id == row.id):
        return value
    return Problem(
        definition.name, "CONFLICTING_UNIQUE_VALUE", f'The value "{value}" of {definition.name} is taken by {other.id}'
    )


def twins(table: Table, clean: Values, taken: set[tuple[str, str]]) -> list[Problem]:
    """Unique values that come twice in one batch."""
    own = [(name, value.lower()) for name in table.unique if (value := clean.get(name)) is not None]
    found = [
        Problem(name, "CONFLICTING_UNIQUE_VALUE", f'The value "{value}" of {name} comes twice in this batch')
        for name, value in own
        if (name, value) in taken
    ]
    taken.update(own)
    return found


def _lacking(store: Store, table: Table, call: Call, clean: Values, row: Row | None) -> list[Problem]:
    """Required properties that would be empty afterwards: the object's own on create, the admin's from 2026-09 on."""
    names = list(table.required) if row is None else [name for name in table.required if name in clean]
    if row is None and table.kind.type_id in NEEDS_A_MOMENT:
        names.append("hs_timestamp")
    if call.version == STRICT_VERSION:
        names += store.rules.required.get(table.kind.type_id, [])
    after = {**(row.values if row else {}), **clean}
    return [
        Problem(name, "MISSING_REQUIRED_PROPERTY", f'Property "{name}" is required')
        for name in dict.fromkeys(names)
        if after.get(name) is None
    ]
