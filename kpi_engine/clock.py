"""What the clock alone changes: records with a moment that is still to come."""

import polars as pl

from kpi_engine.frames import Tables
from kpi_engine.periods import DAY_MS
from kpi_engine.records import Millis

SCHEMA = pl.Schema({"kind": pl.Utf8(), "id": pl.Utf8(), "first": pl.Int64(), "last": pl.Int64()})

_HOUR_MS = 3_600_000

_EARLIEST, _LATEST = -14 * _HOUR_MS, DAY_MS + 12 * _HOUR_MS
"""Somewhere on earth a date begins so much before midnight UTC, and elsewhere it is over so much after."""

_MOMENTS = {
    "interaction": ("at", "ended_at", "created_at", "opened_at", "clicked_at"),
    "lead": ("created_at", "qualified_at", "converted_at", "opted_out_at", "bounced_at"),
    "deal": ("created_at", "closed_at"),
    "event": ("at",),
    "task": ("created_at",),
    "person": ("opted_out_at", "bounced_at"),
}

_DATES = {"interaction": ("on",), "lead": ("converted_on",), "deal": ("closed_on",), "event": ("on",)}

_ID = {"event": "person"}
"""Where a record is found by another one's id."""


def to_come(tables: Tables, as_of: Millis) -> pl.DataFrame:
    """(kind, id, first, last): records that will say something else from a moment between `first` and `last` on,
    though nothing about them changes. An event goes by its person."""
    found = [
        tables[kind].filter(last > as_of).select(kind=pl.lit(kind), id=_ID.get(kind, "id"), first=first, last=last)
        for kind in _MOMENTS
        for first, last in _spans(kind)
    ]
    rows = pl.concat(pl.collect_all(found))
    return rows.select(SCHEMA.names()).cast(SCHEMA)


def _spans(kind: str) -> list[tuple[pl.Expr, pl.Expr]]:
    moments = [(pl.col(name), pl.col(name)) for name in _MOMENTS[kind]]
    starts = [pl.col(name).cast(pl.Int64) * DAY_MS for name in _DATES.get(kind, ())]
    return [*moments, *((start + _EARLIEST, start + _LATEST) for start in starts)]


def keys(tables: Tables) -> pl.DataFrame:
    """(kind, id) of every record that the clock could change."""
    found = [tables[kind].select(kind=pl.lit(kind), id=_ID.get(kind, "id")) for kind in _MOMENTS]
    return pl.concat(pl.collect_all(found)).unique()


def come(waiting: pl.DataFrame, then: Millis, now: Millis) -> pl.DataFrame:
    """Those whose moment may have come since `then`."""
    return waiting.filter(pl.col("first") <= now, pl.col("last") > then)
