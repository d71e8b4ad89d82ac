"""The state of the portal's contents in a few characters, so that two states can be compared to the byte."""

import hashlib
from collections.abc import Iterator

from crm_sandbox.hubspot.store import Store, Table

STAMPS = frozenset(
    {"createdate", "hs_createdate", "lastmodifieddate", "hs_lastmodifieddate", "hubspot_owner_assigneddate"}
)
"""Properties that say when, not what."""


def fingerprints(store: Store) -> dict[str, str]:
    """One for each object, for the definitions and for the links; and one of them all under `all`.

    Stamps are left out. So are the ids and the archived rows of custom objects: the same rows made again are the same.
    """
    found = {table.kind.singular: _digest(_rows(table)) for table in store.tables.values()}
    found["definitions"] = _digest(_definitions(store))
    found["associations"] = _digest(_links(store))
    found["all"] = _digest(iter([f"{name}={value}" for name, value in sorted(found.items())]))
    return found


def _digest(lines: Iterator[str]) -> str:
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode())
        digest.update(b"\n")
    return digest.hexdigest()[:32]


def _rows(table: Table) -> Iterator[str]:
    """Rows in an order of their own contents where ids do not count."""
    custom = table.kind.custom
    numbers = table.live if custom else sorted(table.rows)
    lines = []
    for number in numbers:
        row = table.rows[number]
        kept = sorted(
            (name, value)
            for name, value in row.values.items()
            if value is not None
            and name not in STAMPS
            and not name.startswith("hs_v2_date_")
            and not (custom and name == "hs_object_id")
        )
        lines.append(repr((row.archived_at is not None, kept)))
    yield from sorted(lines) if custom else lines


def _definitions(store: Store) -> Iterator[str]:
    for table in sorted(store.tables.values(), key=lambda table: table.kind.singular):
        for name, definition in sorted(table.properties.items()):
            facts = (definition.type, definition.field_type, definition.label, definition.group, definition.options)
            yield repr((table.kind.singular, name, facts, definition.unique))
        yield repr((table.kind.singular, sorted(table.groups)))


def _links(store: Store) -> Iterator[str]:
    for source, from_id, target, to_id, types in store.links.each():
        if not (store.tables[source].kind.custom or store.tables[target].kind.custom):
            yield repr((source, from_id, target, to_id, types))
