"""Reading everything again, and then letting go of what did not come: after it the cache is what a new one would be.

A CRM tells of deletions for some weeks only, and some deletions (a purge, a lost link) it never tells. While everything
is read anew each page notes what it brought; once every stream that ever brought something has been read to its end,
what was not noted is gone. Until then nothing is: a stream that failed, or may no longer be read, says nothing about
its records. A process that dies in between goes on with the next pull.
"""

from collections.abc import Iterable

import msgspec
from sqlalchemy import ColumnElement, Connection, Table, and_, delete, insert, select, update

from connectors.contract import Page
from sync import before
from sync.tables import COLUMNS, CURSORS, KIND_OF, RECORDS, SEEN

ANY_KIND = ""
"""The kind of a record that came but could not be understood: whatever it is, it is there."""


def begin(sql: Connection, connection: str) -> str:
    """Forget every cursor; the streams that are to be read to their end before anything is swept, as a text."""
    here = _here(CURSORS, connection)
    known = sorted(sql.execute(select(CURSORS.c.stream).where(here)).scalars())
    sql.execute(delete(CURSORS).where(here))
    sql.execute(delete(SEEN).where(_here(SEEN, connection)))
    return msgspec.json.encode(known).decode()


def awaited(said: str | None) -> frozenset[str]:
    """The streams that a sweep still waits for."""
    return frozenset(msgspec.json.decode(said, type=list[str])) if said else frozenset()


def note(sql: Connection, connection: str, page: Page) -> None:
    """Note what a page brought."""
    came = {(KIND_OF[type(row)], row.id) for row in page.rows} | {(ANY_KIND, one.id) for one in page.unread}
    by_kind: dict[str, list[str]] = {}
    for kind, id_ in came:
        by_kind.setdefault(kind, []).append(id_)
    for kind, ids in by_kind.items():
        _forget(sql, connection, kind, ids)
        sql.execute(insert(SEEN), [{"connection": connection, "kind": kind, "id": id_} for id_ in ids])


def end(
    sql: Connection, connection: str, awaited: str, finished: Iterable[str], *, followed: bool = False
) -> int | None:
    """Mark as deleted what did not come; how many records that were. None: not every awaited stream is finished."""
    if not set(msgspec.json.decode(awaited, type=list[str])) <= set(finished):
        return None
    gone = sum(_sweep(sql, connection, kind, table, followed=followed) for kind, table in RECORDS.items())
    sql.execute(delete(SEEN).where(_here(SEEN, connection)))
    return gone


def _sweep(sql: Connection, connection: str, kind: str, table: Table, *, followed: bool) -> int:
    came = select(SEEN.c.id).where(_here(SEEN, connection), SEEN.c.kind.in_((kind, ANY_KIND)))
    absent = and_(_here(table, connection), table.c.deleted.is_(False), table.c.id.not_in(came))
    if followed:
        rows = sql.execute(select(*(table.c[name] for name in COLUMNS[kind])).where(absent))
        before.note(sql, connection, kind, [(row.id, tuple(row)) for row in rows])
    return sql.execute(update(table).where(absent).values(deleted=True)).rowcount


def _forget(sql: Connection, connection: str, kind: str, ids: list[str]) -> None:
    for start in range(0, len(ids), 500):
        some = SEEN.c.id.in_(ids[start : start + 500])
        sql.execute(delete(SEEN).where(_here(SEEN, connection), SEEN.c.kind == kind, some))


def _here(table: Table, connection: str) -> ColumnElement[bool]:
    return table.c.connection == connection
