"""The cache: the CRM's records as we last saw them, and what the engine keeps between runs.

A page is absorbed whole with its cursor, or not at all: a run that dies anywhere goes on without loss or doubles.
The cache is only a copy: whatever happens to it, `kpisync pull --full` makes it again.
"""

import hashlib
import logging
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import msgspec
import polars as pl
from sqlalchemy import ColumnElement, Connection, Table, delete, func, insert, inspect, select, text

from connectors.contract import Page, Unread
from connectors.errors import GuardStopped
from kpi_engine.frames import SCHEMAS, Tables
from kpi_engine.periods import GRAINS, zone_of
from kpi_engine.records import Millis
from sync import before, circles, days, kept, sweep
from sync.database import Database
from sync.errors import CacheUnusable
from sync.landing import Lander
from sync.tables import ABOUT, CURSORS, NO_DAY, NOBODY, RECORDS, UNREAD, VERSION, CacheTable

log = logging.getLogger("kpisync.cache")

ROWS_AT_ONCE = 50_000
"""How many rows travel from the database to a frame in one go."""

Dtype = pl.DataType | type[pl.DataType]
Schema = Mapping[str, Dtype]

EVERY_CONNECTION = ""
"""The key of what the file as a whole says about itself."""


class Absorbed(msgspec.Struct, frozen=True):
    """What a page really changed.

    changed   records that are new or differ from what was stored, by kind
    deleted   records that are gone now and were not before
    unread    records that could not be understood
    """

    changed: Mapping[str, int]
    deleted: int
    unread: int


class Cache:
    """One connection's part of the cache."""

    def __init__(self, database: Database, connection: str) -> None:
        self._database = database
        self.connection = connection
        self._zone: str | None = None

    @classmethod
    def open(cls, url: str, connection: str, *, busy_milliseconds: int = 30_000) -> Self:
        """The cache at `url`, made if it is not there.

        Tables of an older version are emptied (the next pull fills them again), those of a newer one are refused.
        """
        database = Database(url, busy_milliseconds=busy_milliseconds)
        with database.reading() as sql:
            found = _version(sql)
        if found != VERSION:  # only then is the write lock needed: looking must work beside a run
            _prepare(database, found)
        return cls(database, connection)

    def close(self) -> None:
        self._database.close()

    # ------------------------------------------------------------------ the CRM's records

    def absorb(self, page: Page, company_zone: str) -> Absorbed:
        """Rows, deletions, links, unread notes and the cursor in one transaction."""
        zone = zone_of(company_zone)
        with self._database.writing() as sql:
            moved = self._settle_in(sql, zone)
            followed = self._about(sql, "followed") is not None
            landed = Lander(sql, self.connection, zone, followed=followed).land(page)
            landed.changed["interaction"] += moved
            if self._about(sql, "sweeping") is not None:
                sweep.note(sql, self.connection, page)
            changed = {kind: n for kind, n in landed.changed.items() if n}
            if changed or landed.deleted:
                self._change(sql)
        self._zone = zone
        return Absorbed(changed=changed, deleted=landed.deleted, unread=len(page.unread))

    def live_in(self, company_zone: str) -> int:
        """Say which zone the company works in; how many interactions belong to another day since the last time."""
        zone = zone_of(company_zone)
        with self._database.writing() as sql:
            moved = self._settle_in(sql, zone)
            if moved:
                self._change(sql)
        self._zone = zone
        return moved

    def state(self) -> str:
        """Another text whenever any record is another; the same text as long as none is."""
        with self._database.reading() as sql:
            return self._about(sql, "changes") or "0"

    def _change(self, sql: Connection) -> None:
        self._remember(sql, "changes", str(int(self._about(sql, "changes") or 0) + 1))

    def _settle_in(self, sql: Connection, zone: str) -> int:
        if self._zone == zone:
            return 0
        before = self._about(sql, "company_zone")
        if before == zone:
            return 0
        self._remember(sql, "company_zone", zone)
        return days.move_the_zoneless(sql, self.connection, zone) if before is not None else 0

    def belong_to(self, organisation: str) -> None:
        """Remember whose records these are; another organisation's never mix with them."""
        with self._database.writing() as sql:
            known = self._about(sql, "organisation")
            if known is None:
                self._remember(sql, "organisation", organisation)
        if known not in (None, organisation):
            raise GuardStopped(
                "KPI-GUARD-002",
                f"The connection {self.connection} now signs in to {organisation}, but its cache holds {known}.",
                "Give the other organisation a connection name of its own in kpisync.toml, or correct the sign-in.",
            )

    def organisation(self) -> str | None:
        """Whose records these are, None before the first pull."""
        with self._database.reading() as sql:
            return self._about(sql, "organisation")

    def note(self) -> str | None:
        """What the connector wrote down about its CRM the last time."""
        with self._database.reading() as sql:
            return self._about(sql, "crm")

    def keep_note(self, note: str | None) -> None:
        """Keep that in place of the note before; None: there is none any more."""
        with self._database.writing() as sql:
            if note is None:
                sql.execute(delete(ABOUT).where(self._here(ABOUT), ABOUT.c.name == "crm"))
            else:
                self._remember(sql, "crm", note)

    def cursor(self, stream: str) -> str | None:
        """Where `stream` is to be read on, None: from the beginning."""
        with self._database.reading() as sql:
            query = select(CURSORS.c.value).where(self._here(CURSORS), CURSORS.c.stream == stream)
            return sql.execute(query).scalar()

    def streams(self) -> frozenset[str]:
        """The streams that were ever read, those too that a full pull has forgotten and still waits for."""
        with self._database.reading() as sql:
            begun = sql.execute(select(CURSORS.c.stream).where(self._here(CURSORS))).scalars()
            return frozenset(begun) | sweep.awaited(self._about(sql, "sweeping"))

    def forget(self, stream: str) -> None:
        """Read `stream` from the beginning next time. Its records stay."""
        with self._database.writing() as sql:
            sql.execute(delete(CURSORS).where(self._here(CURSORS), CURSORS.c.stream == stream))

    def forget_everything(self) -> None:
        """Read every stream from the beginning; then `sweep` lets go of what did not come."""
        with self._database.writing() as sql:
            self._remember(sql, "sweeping", sweep.begin(sql, self.connection))

    def whole_again(self, now: Millis, every: int) -> None:
        """Forget everything, as `forget_everything` does, if that or the first read is `every` milliseconds ago."""
        with self._database.writing() as sql:
            begun = self._about(sql, "whole")
            if self._about(sql, "sweeping") is not None or (begun is not None and now < int(begun) + every):
                return
            self._remember(sql, "whole", str(now))
            if sql.execute(select(CURSORS.c.stream).where(self._here(CURSORS))).first() is not None:
                self._remember(sql, "sweeping", sweep.begin(sql, self.connection))

    def sweep(self, finished: Iterable[str]) -> int:
        """Mark as deleted what did not come since `forget_everything`; how many records that were.

        `finished` are the streams that were read to their end; one that brought not a single page does not count, for
        the CRM may have closed it to us. As long as one is missing nothing is swept.
        """
        with self._database.writing() as sql:
            awaited = self._about(sql, "sweeping")
            begun = set(sql.execute(select(CURSORS.c.stream).where(self._here(CURSORS))).scalars())
            followed = self._about(sql, "followed") is not None
            done = begun & set(finished)
            gone = None if awaited is None else sweep.end(sql, self.connection, awaited, done, followed=followed)
            if gone is not None:
                sql.execute(delete(ABOUT).where(self._here(ABOUT), ABOUT.c.name == "sweeping"))
            if gone:
                self._change(sql)
        return gone or 0

    def unread(self) -> Sequence[Unread]:
        """The records that could not be understood and have not come readable since."""
        with self._database.reading() as sql:
            query = select(UNREAD.c.stream, UNREAD.c.id, UNREAD.c.reason).where(self._here(UNREAD))
            return [Unread(*row) for row in sql.execute(query.order_by(UNREAD.c.stream, UNREAD.c.id))]

    def counts(self, kinds: Sequence[str] = tuple(RECORDS)) -> dict[str, int]:
        """How many live records there are of each of these kinds."""
        with self._database.reading() as sql:
            return {
                kind: sql.execute(
                    select(func.count()).select_from(table).where(self._here(table), table.c.deleted.is_(False))
                ).scalar_one()
                for kind, table in ((kind, RECORDS[kind]) for kind in kinds)
            }

    def size(self) -> int:
        """How many records there are, deleted ones included."""
        with self._database.reading() as sql:
            here = [select(func.count()).select_from(table).where(self._here(table)) for table in RECORDS.values()]
            return sum(sql.execute(query).scalar_one() for query in here)

    def tables(self, kinds: Sequence[str] = tuple(SCHEMAS)) -> Tables:
        """The records as the engine reads them, deleted ones included; one consistent view of all of them."""
        with self._database.reading() as sql:
            return {kind: self._frame(sql, kind).lazy() for kind in kinds}

    @contextmanager
    def in_batches(self, at_once: int | None = None) -> Iterator[Iterator[Tables]]:
        """The records in batches (of about so many) that have nothing to do with each other: all but what everyone's
        records refer to. One consistent view of all of them."""
        # Here and not above: scipy takes 40 MB and half a second, which a pull or a short history has no use for.
        from sync import batches

        with self._database.reading() as sql, tempfile.TemporaryDirectory(prefix="kpisync-") as folder:
            columns = {kind: tuple(SCHEMAS[kind]) for kind in batches.KINDS}
            yield batches.in_batches(lambda kind, some: self._portions(sql, kind, some), columns, Path(folder), at_once)

    def _frame(self, sql: Connection, kind: str) -> pl.DataFrame:
        """A record table with the engine's columns."""
        return pl.concat(list(self._portions(sql, kind, tuple(SCHEMAS[kind]))), rechunk=True)

    def _portions(self, sql: Connection, kind: str, names: Sequence[str]) -> Iterator[pl.DataFrame]:
        """Columns of a record table, read on the driver's own cursor in large portions; the first one is empty."""
        table = RECORDS[kind]
        schema = {name: SCHEMAS[kind][name] for name in names}
        columns = [_as_it_was(table, name) for name in names]
        query = select(*columns).where(self._here(table))
        compiled = query.compile(sql, compile_kwargs={"literal_binds": True})
        cursor = sql.connection.cursor()
        try:
            cursor.execute(str(compiled))
            yield pl.DataFrame(schema=schema)
            while rows := cursor.fetchmany(ROWS_AT_ONCE):
                yield _portion(rows, schema)
        finally:
            cursor.close()

    def digest(self, kinds: Sequence[str]) -> str:
        """Another text for other records of these kinds; a touch that changes nothing in them is no change."""
        told = hashlib.blake2b(digest_size=16)
        with self._database.reading() as sql:
            for kind in kinds:
                stamp = [] if kind == "quota" else ["modified"]  # of two quotas for the same time the later one counts
                told.update(kept.packed(self._frame(sql, kind).drop(stamp).sort("id")))
        return told.hexdigest()

    def around_changes(
        self, also: Iterable[tuple[str, str]], *, beside: Sequence[str], most: int
    ) -> tuple[Tables, Tables] | None:
        """The records that have to do with one that changed since values were kept, or with one of `also` (kind, id):
        as they were then, and as they are; beside them the kinds that everyone's records refer to, whole.

        None if they are more than `most`, or if nobody followed what changed.
        """
        with self._database.reading() as sql:
            if self._about(sql, "followed") is None:
                return None
            around = circles.around(sql, self.connection, also, most)
            if around is None:
                return None
            whole = {kind: self._frame(sql, kind).lazy() for kind in beside}
            return {**whole, **_tables(around.before)}, {**whole, **_tables(around.after)}

    # ------------------------------------------------------------------ what the engine keeps

    def read(self, name: str, slices: Iterable[int] | None = None) -> pl.DataFrame:
        """The frame that is kept under this name, or these slices of it: none of its rows where they hold nothing."""
        with self._database.reading() as sql:
            first = kept.read(sql, self.connection, name, [0])
            found = kept.read(sql, self.connection, name, slices)
        if first is None:
            raise LookupError(f"nothing is kept under the name {name}")
        return first.clear() if found is None else found

    def keep(
        self,
        frames: Iterable[Mapping[str, kept.Slices]],
        made_of: str,
        footing: str,
        *,
        state: str,
        anew: bool = True,
    ) -> None:
        """Keep what was computed in place of what was computed before; unless `anew`, only in place of these slices.

        `made_of` says from what, `footing` on what it stands. From now on records are kept as they were when they
        change, unless some have changed already since the cache was in this `state`.
        """
        with self._database.writing() as sql:
            if anew:
                kept.forget(sql, self.connection)
            for name, slices in (each for some in frames for each in some.items()):
                kept.write(sql, self.connection, name, slices)
            self._remember(sql, "computed", made_of)
            self._remember(sql, "footing", footing)
            before.forget(sql, self.connection)
            if (self._about(sql, "changes") or "0") == state:
                self._remember(sql, "followed", state)
                circles.index(sql)
            else:
                sql.execute(delete(ABOUT).where(self._here(ABOUT), ABOUT.c.name == "followed"))

    def made_of(self) -> str | None:
        """From what the kept frames were computed, None if nothing was computed yet."""
        with self._database.reading() as sql:
            return self._about(sql, "computed")

    def footing(self) -> str | None:
        """On what they stand."""
        with self._database.reading() as sql:
            return self._about(sql, "footing")

    def kept(self, beginning: str, grains: Collection[str] | None = None) -> dict[str, pl.DataFrame]:
        """The frames whose names begin like this, by the rest of the name; of those of grains only `grains`."""
        with self._database.reading() as sql:
            names = [name.removeprefix(beginning) for name in kept.names(sql, self.connection, beginning)]
            wanted = [name for name in names if grains is None or _grain_of(name) in (None, *grains)]
            found = {name: kept.read(sql, self.connection, beginning + name) for name in wanted}
        return {name: frame for name, frame in found.items() if frame is not None}

    # ------------------------------------------------------------------ its own health

    def integrity(self) -> str | None:
        """What is damaged, None if nothing is."""
        if self._database.engine.dialect.name != "sqlite":
            return None
        with self._database.reading() as sql:  # not quick_check: it reports sound clustered tables as damaged
            found = list(sql.execute(text("PRAGMA integrity_check")).scalars())
        return None if found == ["ok"] else "; ".join(found[:5])

    def _here(self, table: Table) -> ColumnElement[bool]:
        return table.c.connection == self.connection

    def _about(self, sql: Connection, name: str) -> str | None:
        return _fact(sql, self.connection, name)

    def _remember(self, sql: Connection, name: str, value: str) -> None:
        _set_fact(sql, self.connection, name, value)


def _grain_of(name: str) -> str | None:
    """Of which grain a computed frame is, None where it is of none."""
    return next((grain for grain in GRAINS if name.split("_")[0] == grain), None)


def _version(sql: Connection) -> int | None:
    """The version of the tables that are there, None if there are none."""
    if not inspect(sql).has_table(ABOUT.name):
        return None
    return int(_fact(sql, EVERY_CONNECTION, "version") or 0)


def _prepare(database: Database, found: int | None) -> None:
    """Make the tables, in place of older ones."""
    if found is not None and found > VERSION:
        raise CacheUnusable(
            "KPI-CACHE-007",
            f"{database.place} was written by a newer kpisync (its tables are version {found}, ours {VERSION}).",
            "Update kpisync, or give this version a cache of its own in [cache] url.",
        )
    with database.writing() as sql:
        if found is not None:
            log.warning("cache.rebuilt", extra={"found": found, "known": VERSION})
            CacheTable.metadata.drop_all(sql)
        CacheTable.metadata.create_all(sql)
        _set_fact(sql, EVERY_CONNECTION, "version", str(VERSION))


def _fact(sql: Connection, connection: str, name: str) -> str | None:
    query = select(ABOUT.c.value).where(ABOUT.c.connection == connection, ABOUT.c.name == name)
    return sql.execute(query).scalar()


def _set_fact(sql: Connection, connection: str, name: str, value: str) -> None:
    sql.execute(delete(ABOUT).where(ABOUT.c.connection == connection, ABOUT.c.name == name))
    sql.execute(insert(ABOUT), {"connection": connection, "name": name, "value": value})


def _as_it_was(table: Table, name: str) -> ColumnElement[Any]:
    """A column with the record's own None where the clustering key could not hold one."""
    column = table.c[name]
    if table.name == "interaction" and name in ("rep", "day"):
        return func.nullif(column, NOBODY if name == "rep" else NO_DAY).label(name)
    return column


def _portion(rows: Sequence[Sequence[Any]], schema: Schema) -> pl.DataFrame:
    columns = zip(schema.items(), zip(*rows, strict=True), strict=True)
    return pl.DataFrame([_series(name, dtype, values) for (name, dtype), values in columns])


def _series(name: str, dtype: Dtype, values: Sequence[Any]) -> pl.Series:
    """SQLite keeps truth as 0 and 1, which Polars does not take for Booleans by itself."""
    if dtype == pl.Boolean:
        return pl.Series(name, values, pl.Int8).cast(pl.Boolean)
    return pl.Series(name, values, dtype)


def _tables(rows: Mapping[str, Sequence[Sequence[Any]]]) -> Tables:
    """Stored records as the engine reads them."""
    return {kind: _records(kind, some).lazy() for kind, some in rows.items()}


def _records(kind: str, rows: Sequence[Sequence[Any]]) -> pl.DataFrame:
    if not rows:
        return pl.DataFrame(schema=SCHEMAS[kind])
    frame = _portion([row[1:] for row in rows], SCHEMAS[kind])
    if kind != "interaction":
        return frame
    known = {"rep": NOBODY, "day": NO_DAY}
    return frame.with_columns(pl.when(pl.col(name) != none).then(pl.col(name)) for name, none in known.items())
