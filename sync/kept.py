"""The frames that the engine keeps between runs, in slices, so that what changed can be read and written by itself."""

import io
from collections.abc import Iterable, Iterator, Mapping

import polars as pl
from sqlalchemy import Connection, Select, delete, insert, select

from sync.days import chunks
from sync.tables import PARTS

Slices = Mapping[int, pl.DataFrame]


def write(sql: Connection, connection: str, name: str, slices: Slices) -> None:
    """Keep these slices of a frame in place of those before; the others stay. An empty slice but the first is none."""
    here = (PARTS.c.connection == connection) & (PARTS.c.name == name)
    for some in chunks(slices):
        sql.execute(delete(PARTS).where(here, PARTS.c.slice.in_(some)))
    rows = [
        {"connection": connection, "name": name, "slice": number, "frame": packed(frame)}
        for number, frame in slices.items()
        if number == 0 or not frame.is_empty()
    ]
    if rows:
        sql.execute(insert(PARTS), rows)


def forget(sql: Connection, connection: str) -> None:
    """Let go of every frame."""
    sql.execute(delete(PARTS).where(PARTS.c.connection == connection))


def names(sql: Connection, connection: str, beginning: str) -> list[str]:
    """The names that begin like this, in their order."""
    named = PARTS.c.name.startswith(beginning, autoescape=True)
    return sorted(sql.execute(select(PARTS.c.name).where(PARTS.c.connection == connection, named).distinct()).scalars())


def read(sql: Connection, connection: str, name: str, slices: Iterable[int] | None = None) -> pl.DataFrame | None:
    """The frame, or these slices of it, one after the other; None if nothing of it is kept."""
    query = select(PARTS.c.slice, PARTS.c.frame).where(PARTS.c.connection == connection, PARTS.c.name == name)
    found = [told for _, told in sorted(_found(sql, query, slices))]
    return pl.concat([pl.read_ipc(io.BytesIO(told)) for told in found]) if found else None


def _found(
    sql: Connection, query: Select[tuple[int, bytes]], slices: Iterable[int] | None
) -> Iterator[tuple[int, bytes]]:
    if slices is None:
        yield from map(tuple, sql.execute(query).all())
        return
    for some in chunks(slices):
        yield from map(tuple, sql.execute(query.where(PARTS.c.slice.in_(some))).all())


def packed(frame: pl.DataFrame) -> bytes:
    """A frame in Arrow's file format: exact for every type."""
    told = io.BytesIO()
    frame.write_ipc(told, compression="lz4")
    return told.getvalue()
