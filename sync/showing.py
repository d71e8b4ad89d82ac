"""What the CRM was last confirmed to show, read no further than a plan needs it.

Of every record there are its key and, where it was found to show what it should, a signature of what that was: a record
whose signature is still the same needs no second look. What a record shows in full is read for those that are in doubt.
"""

from collections.abc import Iterator, Mapping, Sequence

import polars as pl
from sqlalchemy import ColumnElement, Connection, Table, and_, delete, insert, select

from connectors.contract import Surface
from sync.database import Database
from sync.history import SHOWN, SIGNED
from sync.plan import Confirmed, Place

AT_ONCE = 500
"""How many keys one query names."""

ROWS_AT_ONCE = 20_000
"""How many rows travel from the database to a frame in one go."""

MANY = 20_000
"""So many records are not looked up one by one: then everything is read."""

SIGNATURES = pl.Schema({"key": pl.Utf8(), "signature": pl.Int64()})


class Showing(Mapping[Place, Confirmed]):
    """Everything that one connection's CRM was confirmed to show."""

    def __init__(self, database: Database, connection: str) -> None:
        self._database = database
        self._connection = connection
        self._looked_at: dict[Place, Confirmed | None] = {}
        self._all: dict[Place, Confirmed] | None = None

    def signatures(self, surface: Surface) -> pl.DataFrame:
        """(key, signature) of every record of a surface; null where it was not found to show what it should."""
        same = and_(*(SHOWN.c[name] == SIGNED.c[name] for name in ("connection", "surface", "key")))
        query = select(SHOWN.c.key, SIGNED.c.signature).select_from(SHOWN.outerjoin(SIGNED, same))
        there = query.where(self._here(SHOWN), SHOWN.c.surface == surface.value)
        with self._database.reading() as sql:
            compiled = there.compile(sql, compile_kwargs={"literal_binds": True})
            cursor = sql.connection.cursor()
            try:
                cursor.execute(str(compiled))
                portions = [pl.DataFrame(schema=SIGNATURES)]
                while rows := cursor.fetchmany(ROWS_AT_ONCE):
                    portions.append(pl.DataFrame(rows, schema=SIGNATURES, orient="row"))
                return pl.concat(portions, rechunk=True)
            finally:
                cursor.close()

    def look_up(self, surface: Surface, keys: Sequence[str]) -> None:
        """Read what these records show, or everything if they are very many."""
        if self._all is not None or len(keys) > MANY:
            self._everything()
            return
        self._looked_at.update(dict.fromkeys(((surface, key) for key in keys), None))
        with self._database.reading() as sql:
            for start in range(0, len(keys), AT_ONCE):
                some = SHOWN.c.key.in_(keys[start : start + AT_ONCE])
                self._looked_at.update(self._read(sql, some & (SHOWN.c.surface == surface.value)))

    def __getitem__(self, place: Place) -> Confirmed:
        if self._all is None and place in self._looked_at:
            found = self._looked_at[place]
            if found is None:
                raise KeyError(place)
            return found
        return self._everything()[place]

    def __iter__(self) -> Iterator[Place]:
        return iter(self._everything())

    def __len__(self) -> int:
        return len(self._everything())

    def _everything(self) -> dict[Place, Confirmed]:
        if self._all is None:
            with self._database.reading() as sql:
                self._all = self._read(sql, None)
        return self._all

    def _read(self, sql: Connection, which: ColumnElement[bool] | None) -> dict[Place, Confirmed]:
        query = select(SHOWN.c.surface, SHOWN.c.key, SHOWN.c.fields, SHOWN.c.at).where(self._here(SHOWN))
        rows = sql.execute(query if which is None else query.where(which)).all()
        surfaces = {surface.value: surface for surface in Surface}
        return {(surfaces[surface], key): Confirmed(fields.encode(), at) for surface, key, fields, at in rows}

    def _here(self, table: Table) -> ColumnElement[bool]:
        return table.c.connection == self._connection


def sign(sql: Connection, connection: str, surface: Surface, signed: pl.DataFrame) -> None:
    """These records show what they should: (key, signature)."""
    _unsign(sql, connection, surface, signed["key"].to_list())
    common = {"connection": connection, "surface": surface.value}
    if not signed.is_empty():
        sql.execute(insert(SIGNED), [common | row for row in signed.iter_rows(named=True)])


def unsign(sql: Connection, connection: str, places: Sequence[Place]) -> None:
    """These records show something else now."""
    for surface in {surface for surface, _ in places}:
        _unsign(sql, connection, surface, [key for kind, key in places if kind == surface])


def _unsign(sql: Connection, connection: str, surface: Surface, keys: Sequence[str]) -> None:
    for start in range(0, len(keys), AT_ONCE):
        some = SIGNED.c.key.in_(keys[start : start + AT_ONCE])
        here = (SIGNED.c.connection == connection) & (SIGNED.c.surface == surface.value)
        sql.execute(delete(SIGNED).where(here & some))
