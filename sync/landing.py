"""Lands a page of records in the cache, inside a transaction that someone else opened.

What arrives is compared with what is stored: only a difference is a change, an older copy never replaces a newer one,
and the CRM's echo of our own writes (another modification stamp, the same record) moves the stamp and nothing else.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, insert, select

from connectors.contract import Page
from kpi_engine.records import KINDS, Interaction, Link, Record
from sync import before, days
from sync.tables import COLUMNS, CURSORS, KIND_OF, NOBODY, RECORDS, UNREAD

Row = tuple[Any, ...]

ID, MODIFIED, DELETED = 1, 2, 3
"""Where every record's tuple keeps what all kinds have; the connection comes first."""

FROZEN = {kind: 1 + KINDS[kind].__struct_fields__.index("channel") for kind in ("lead", "deal")}
"""Where the channel is in the tuple: the first one that is not blank stays for good."""

_REP = Interaction.__struct_fields__.index("rep")
_FROM = 1 + Link.__struct_fields__.index("from_kind")


@dataclass
class Landed:
    """What a page really changed: records by kind, how many of them are deletions; and older copies left aside."""

    changed: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    deleted: int = 0
    stale: dict[tuple[str, str], int] = field(default_factory=dict)
    fresh: dict[tuple[str, str], int] = field(default_factory=dict)

    def note(self, kind: str, old: Row | None, new: Row) -> None:
        """Count a change once: as a deletion if the record is gone now and was not before."""
        if new[DELETED] and not (old and old[DELETED]):
            self.deleted += 1
        else:
            self.changed[kind] += 1


class Lander:
    """Lands one page for one connection."""

    def __init__(self, sql: Connection, connection: str, company_zone: str, *, followed: bool = False) -> None:
        self._sql = sql
        self._connection = connection
        self._company_zone = company_zone
        self._followed = followed
        self._landed = Landed()

    def land(self, page: Page) -> Landed:
        """Rows, deletions, links, small tables read in full, unread notes and the cursor."""
        by_kind = _newest(page.rows)
        for kind in KINDS:  # reps come first: their zones decide the days of the interactions beside them
            if kind != "link" and kind in by_kind:
                self._land(kind, by_kind[kind])
        self._relink(by_kind.get("link", {}), page.relinked)
        for kind in page.whole:
            self._vanish(kind, self._missing(kind, by_kind.get(kind, {})))
        for kind, ids in _by_kind(page.gone).items():
            self._vanish(kind, [id_ for id_ in ids if id_ not in by_kind.get(kind, {})])
        self._note_unread(page)
        self._go_on_at(page.stream, page.cursor)
        return self._landed

    def _land(self, kind: str, records: Mapping[str, Record]) -> None:
        """Write what is new or differs."""
        stored = self._stored(kind, records)
        zones_then = self._zones(records) if kind == "rep" else {}
        writes: list[Row] = []
        changed: list[tuple[str, Row | None]] = []
        for new in self._tuples(kind, records.values()):
            old = stored.get(new[ID])
            if old is not None and new[MODIFIED] < old[MODIFIED]:
                self._landed.stale[kind, new[ID]] = new[MODIFIED]
                continue
            self._landed.fresh[kind, new[ID]] = new[MODIFIED]
            settled = _settled(kind, old, new)
            if settled != old:
                writes.append(settled)
                if old is None or _content(settled) != _content(old):
                    self._landed.note(kind, old, settled)
                    changed.append((new[ID], old))
        self._follow(kind, changed)
        self._write(kind, writes)
        if kind == "rep":
            self._follow_zones(zones_then, records)

    def _tuples(self, kind: str, records: Iterable[Record]) -> list[Row]:
        if kind != "interaction":
            return [(self._connection, *msgspec.structs.astuple(record)) for record in records]
        interactions = [record for record in records if isinstance(record, Interaction)]
        zones = self._zones({record.rep for record in interactions if record.rep})
        rows = []
        for record in interactions:
            values = msgspec.structs.astuple(record)
            rep = record.rep or NOBODY
            day = days.day_of(record.at, record.on, zones.get(rep, self._company_zone))
            rows.append((self._connection, *values[:_REP], rep, *values[_REP + 1 :], day))
        return rows

    def _zones(self, reps: Iterable[str]) -> dict[str, str]:
        return days.zones_of(self._sql, self._connection, reps)

    def _follow_zones(self, before: Mapping[str, str], reps: Iterable[str]) -> None:
        """Days of reps whose zone is another one now (or was the company's, as long as they were unknown)."""
        after = self._zones(reps)
        zone = self._company_zone
        moved = {rep: after.get(rep, zone) for rep in reps if before.get(rep, zone) != after.get(rep, zone)}
        self._landed.changed["interaction"] += days.move(self._sql, self._connection, moved)

    def _relink(self, records: Mapping[str, Record], relinked: Sequence[tuple[str, str, str]]) -> None:
        """Land links, and let go of those that their end no longer has. What hangs on an older copy is older too."""
        stale = self._landed.stale
        links = {id_: link for id_, link in records.items() if isinstance(link, Link)}
        current = {id_: link for id_, link in links.items() if (link.from_kind, link.from_id) not in stale}
        ends = {end for end in relinked if end[:2] not in stale}
        there = self._links_of(ends)  # read first: what lands now is not lost, and a first load finds nothing here
        self._land("link", current)
        lost = [old for old in there if old[ID] not in current and not old[DELETED]]
        self._vanish("link", [old[ID] for old in lost], {old[ID]: self._removed_at(old) for old in lost})

    def _removed_at(self, link: Row) -> int:
        """The stamp of a link's removal: that of the record it hung on, so that an older page cannot bring it back."""
        own: int = link[MODIFIED]
        return max(own, self._landed.fresh.get((link[_FROM], link[_FROM + 1]), 0))

    def _links_of(self, ends: Iterable[tuple[str, str, str]]) -> list[Row]:
        found: list[Row] = []
        statement = hanging(self._sql.dialect.name)
        with closing(self._sql.connection.cursor()) as cursor:
            for (from_kind, to_kind), ids in _by_ends(ends).items():
                for some in days.chunks(ids):
                    cursor.execute(statement, (*_padded(some), self._connection, from_kind, to_kind))
                    found.extend(tuple(row) for row in cursor.fetchall())
        return found

    def _missing(self, kind: str, records: Mapping[str, Record]) -> list[str]:
        """Live records of a kind that its whole table no longer has."""
        table = RECORDS[kind].c
        query = select(table.id).where(table.connection == self._connection, table.deleted.is_(False))
        return [id_ for id_ in self._sql.execute(query).scalars() if id_ not in records]

    def _vanish(self, kind: str, ids: Sequence[str], stamps: Mapping[str, int] | None = None) -> None:
        """Mark records as deleted; what is unknown or deleted already stays as it is."""
        stored = self._stored(kind, ids)
        live = [row for row in stored.values() if not row[DELETED]]
        stamp = stamps or {}
        gone = [(*row[:MODIFIED], stamp.get(row[ID], row[MODIFIED]), True, *row[DELETED + 1 :]) for row in live]
        self._follow(kind, [(row[ID], row) for row in live])
        self._write(kind, gone)
        self._landed.deleted += len(gone)

    def _follow(self, kind: str, changed: Sequence[tuple[str, Row | None]]) -> None:
        """Keep what changes as it was."""
        if self._followed:
            before.note(self._sql, self._connection, kind, changed)

    def _stored(self, kind: str, ids: Iterable[str]) -> dict[str, Row]:
        """What is stored under these ids, on the driver's own cursor like the writing."""
        return stored(self._sql, self._connection, kind, ids)

    def _write(self, kind: str, rows: Sequence[Row]) -> None:
        """One compiled statement, many rows, on the driver's own cursor: ten times faster than the ORM."""
        if rows:
            with closing(self._sql.connection.cursor()) as cursor:
                cursor.executemany(upsert(kind, self._sql.dialect.name), rows)

    def _note_unread(self, page: Page) -> None:
        """Remember what could not be understood, and forget it once it could."""
        table = UNREAD.c
        here = (table.connection == self._connection) & (table.stream == page.stream)
        known = set(self._sql.execute(select(table.id).where(here)).scalars())
        read_now = known & {row.id for row in page.rows}
        for some in days.chunks(read_now | {note.id for note in page.unread}):
            self._sql.execute(delete(UNREAD).where(here, table.id.in_(some)))
        notes = {note.id: self._keyed(stream=page.stream, id=note.id, reason=note.reason) for note in page.unread}
        if notes:
            self._sql.execute(insert(UNREAD), list(notes.values()))

    def _go_on_at(self, stream: str, cursor: str) -> None:
        self._sql.execute(delete(CURSORS).where(CURSORS.c.connection == self._connection, CURSORS.c.stream == stream))
        self._sql.execute(insert(CURSORS), self._keyed(stream=stream, value=cursor))

    def _keyed(self, **values: str) -> dict[str, str]:
        return {"connection": self._connection, **values}


def stored(sql: Connection, connection: str, kind: str, ids: Iterable[str]) -> dict[str, Row]:
    """The records of a kind under these ids, as they are stored."""
    statement = find(kind, sql.dialect.name)
    found: dict[str, Row] = {}
    with closing(sql.connection.cursor()) as cursor:
        for some in days.chunks(ids):
            cursor.execute(statement, (*_padded(some), connection))
            found.update((row[ID], tuple(row)) for row in cursor.fetchall())
    return found


@cache
def upsert(kind: str, dialect: str) -> str:
    """The statement that lands a record of this kind: one text, made once. An older copy changes nothing."""
    columns = COLUMNS[kind]
    places = ", ".join([_PLACE.get(dialect, "?")] * len(columns))
    others = ", ".join(f'"{name}" = excluded."{name}"' for name in columns if name not in ("connection", "id"))
    return (  # nothing but our own names
        f"INSERT INTO {kind} ({_named(columns)}) VALUES ({places}) "  # noqa: S608
        f"ON CONFLICT (connection, id) DO UPDATE SET {others} WHERE excluded.modified >= {kind}.modified"
    )


@cache
def find(kind: str, dialect: str) -> str:
    """The statement that finds `IDS_AT_ONCE` records of a kind: the ids first, the connection last."""
    return _looked_up(kind, "id", dialect)


@cache
def hanging(dialect: str) -> str:
    """The statement that finds the links of `IDS_AT_ONCE` records: their ids first, the connection, the two kinds."""
    place = _PLACE.get(dialect, "?")
    return f"{_looked_up('link', 'from_id', dialect)} AND link.from_kind = {place} AND link.to_kind = {place}"


def _looked_up(kind: str, column: str, dialect: str) -> str:
    """Asked with `IN (…)` SQLite walks the whole clustered table; the cross join makes it look every id up."""
    place = _PLACE.get(dialect, "?")
    asked = ", ".join([f"({place})"] * days.IDS_AT_ONCE)
    columns = _named(f"{kind}.{name}" for name in COLUMNS[kind])
    return (
        f"WITH asked (id) AS (VALUES {asked}) SELECT {columns} FROM asked CROSS JOIN {kind} "  # noqa: S608
        f"WHERE {kind}.connection = {place} AND {kind}.{column} = asked.id"
    )


def _padded(ids: Sequence[str]) -> tuple[str, ...]:
    """As many ids as one statement asks for; nothing has the blank one."""
    return (*ids, *[""] * (days.IDS_AT_ONCE - len(ids)))


_PLACE = {"postgresql": "%s"}
"""How a driver marks a value's place, where it is not a question mark."""


def _named(columns: Iterable[str]) -> str:
    return ", ".join(".".join(f'"{part}"' for part in name.split(".")) for name in columns)


def _newest(rows: Iterable[Record]) -> dict[str, dict[str, Record]]:
    """The records by kind and id; of two copies in one page the newer one, of two equally new ones the later."""
    found: dict[str, dict[str, Record]] = defaultdict(dict)
    for row in rows:
        copies = found[KIND_OF[type(row)]]
        other = copies.get(row.id)
        if other is None or row.modified >= other.modified:
            copies[row.id] = row
    return found


def _settled(kind: str, old: Row | None, new: Row) -> Row:
    """The record as it is to be stored: a channel that was once known stays."""
    place = FROZEN.get(kind)
    if old is None or place is None or not old[place]:
        return new
    return (*new[:place], old[place], *new[place + 1 :])


def _content(row: Row) -> Row:
    """What the record says, without the stamp that every touch moves."""
    return (*row[:MODIFIED], *row[MODIFIED + 1 :])


def _by_kind(gone: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for kind, id_ in gone:
        found[kind].append(id_)
    return found


def _by_ends(ends: Iterable[tuple[str, str, str]]) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for from_kind, from_id, to_kind in ends:
        found[from_kind, to_kind].append(from_id)
    return found
