"""Records as they were when values were last computed, kept from the moment that they change.

With them the engine takes out of the values what the old records had put in, and puts in what the new ones say.
"""

from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from sync.tables import BEFORE

Row = tuple[Any, ...]


def note(sql: Connection, connection: str, kind: str, rows: Iterable[tuple[str, Row | None]]) -> None:
    """Note records by id as they were before a change; what is noted already was so earlier, and stays."""
    noted = [
        {
            "connection": connection,
            "kind": kind,
            "id": id_,
            "record": None if row is None else msgspec.msgpack.encode(row),
        }
        for id_, row in rows
    ]
    if noted:
        insert = (postgresql if sql.dialect.name == "postgresql" else sqlite).insert
        sql.execute(insert(BEFORE).on_conflict_do_nothing(), noted)


def read(sql: Connection, connection: str) -> dict[str, dict[str, Row | None]]:
    """Kind → id → the record as it was, None where there was none."""
    found: dict[str, dict[str, Row | None]] = {}
    query = select(BEFORE.c.kind, BEFORE.c.id, BEFORE.c.record).where(BEFORE.c.connection == connection)
    for kind, id_, record in sql.execute(query):
        found.setdefault(kind, {})[id_] = None if record is None else tuple(msgspec.msgpack.decode(record))
    return found


def forget(sql: Connection, connection: str) -> None:
    """Begin anew."""
    sql.execute(delete(BEFORE).where(BEFORE.c.connection == connection))
