"""The cache: the CRM's records as we last saw them, and what the engine keeps between runs.

A page is absorbed whole with its cursor, or not at all: a run that dies anywhere goes on without loss or doubles.
The cache is only a copy: whatever happens to it, `kpisync pull --full` makes it again.
"""

import io
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Self

import msgspec
import polars as pl
from sqlalchemy import ColumnElement, Connection, Table, delete, func, insert, inspect, select, text

from connectors.contract import Page, Unread
from connectors.errors import GuardStopped
from kpi_engine.frames import SCHEMAS
from kpi_engine.periods import GRAINS, zone_of
from sync import days, sweep
from sync.database import Database
from sync.errors import CacheUnusable
from sync.landing import Lander
from sync.tables import ABOUT, CURSORS, NO_DAY, NOBODY, PARTS, RECORDS, UNREAD, VERSION, CacheTable

log = logging.getLogger("kpisync.cache")

ROWS_AT_ONCE = 50_000
"""How many rows travel from the database to a frame in one go, and how many rows of a frame make one stored slice."""

COMPUTED = "computed/"
"""The beginning of the names of frames that one computation made together."""

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
            landed = Lander(sql, self.connection, zone).land(page)
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

    def sweep(self, finished: Iterable[str]) -> int:
        """Mark as deleted what did not come since `forget_everything`; how many records that were.

        `finished` are the streams that were read to their end; one that brought not a single page does not count, for
        the CRM may have closed it to us. As long as one is missing nothing is swept.
        """
        with self._database.writing() as sql:
            awaited = self._about(sql, "sweeping")
            begun = set(sql.execute(select(CURSORS.c.stream).where(self._here(CURSORS))).scalars())
            gone = None if awaited is None else sweep.end(sql, self.connection, awaited, begun & set(finished))
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

    def tables(self, kinds: Sequence[str] = tuple(SCHEMAS)) -> Mapping[str, pl.LazyFrame]:
        """The records as the engine reads them, deleted ones included; one consistent view of all of them."""
        with self._database.reading() as sql:
            return {kind: self._frame(sql, kind).lazy() for kind in kinds}

    def _frame(self, sql: Connection, kind: str) -> pl.DataFrame:
        """A record table with the engine's columns, read on the driver's own cursor in large portions."""
        schema, table = SCHEMAS[kind], RECORDS[kind]
        columns = [_as_it_was(table, name) for name in schema]
        query = select(*columns).where(self._here(table))
        compiled = query.compile(sql, compile_kwargs={"literal_binds": True})
        cursor = sql.connection.cursor()
        try:
            cursor.execute(str(compiled))
            portions = []
            while rows := cursor.fetchmany(ROWS_AT_ONCE):
                portions.append(_portion(rows, schema))
        finally:
            cursor.close()
        return pl.concat(portions, rechunk=True) if portions else pl.DataFrame(schema=schema)

    # ------------------------------------------------------------------ what the engine keeps

    def write(self, name: str, frame: pl.DataFrame) -> None:
        """Keep a frame under a name, in place of the one before."""
        with self._database.writing() as sql:
            self._write(sql, name, frame)

    def read(self, name: str) -> pl.DataFrame | None:
        """The frame that was kept under this name, None if there is none."""
        with self._database.reading() as sql:
            return self._read(sql, name)

    def keep(self, frames: Mapping[str, pl.DataFrame], made_of: str) -> None:
        """Keep what was computed, whole, in place of what was computed before. `made_of` says from what."""
        with self._database.writing() as sql:
            sql.execute(delete(PARTS).where(self._here(PARTS), PARTS.c.name.startswith(COMPUTED, autoescape=True)))
            for name, frame in frames.items():
                self._write(sql, COMPUTED + name, frame)
            self._remember(sql, "computed", made_of)

    def made_of(self) -> str | None:
        """From what the kept frames were computed, None if nothing was computed yet."""
        with self._database.reading() as sql:
            return self._about(sql, "computed")

    def kept(self, grains: Collection[str] | None = None) -> dict[str, pl.DataFrame]:
        """What was computed last, by name; of the frames of grains only those that are asked for."""
        with self._database.reading() as sql:
            query = select(PARTS.c.name).where(
                self._here(PARTS), PARTS.c.name.startswith(COMPUTED, autoescape=True), PARTS.c.slice == 0
            )
            names = [name.removeprefix(COMPUTED) for name in sorted(sql.execute(query).scalars())]
            wanted = [name for name in names if grains is None or _grain_of(name) in (None, *grains)]
            found = {name: self._read(sql, COMPUTED + name) for name in wanted}
        return {name: frame for name, frame in found.items() if frame is not None}

    def _write(self, sql: Connection, name: str, frame: pl.DataFrame) -> None:
        slices = list(frame.iter_slices(ROWS_AT_ONCE)) or [frame]
        rows = [
            {"connection": self.connection, "name": name, "slice": number, "frame": _packed(part)}
            for number, part in enumerate(slices)
        ]
        sql.execute(delete(PARTS).where(self._here(PARTS), PARTS.c.name == name))
        sql.execute(insert(PARTS), rows)

    def _read(self, sql: Connection, name: str) -> pl.DataFrame | None:
        query = select(PARTS.c.frame).where(self._here(PARTS), PARTS.c.name == name).order_by(PARTS.c.slice)
        slices = [pl.read_ipc(io.BytesIO(packed)) for packed in sql.execute(query).scalars()]
        return pl.concat(slices) if slices else None

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


def _packed(frame: pl.DataFrame) -> bytes:
    packed = io.BytesIO()
    frame.write_ipc(packed, compression="lz4")
    return packed.getvalue()
