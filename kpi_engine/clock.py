"""What the clock alone changes within a day: records with a moment still to come. A plain date waits for its day."""

import polars as pl

from kpi_engine.frames import Tables
from kpi_engine.records import Millis

SCHEMA = pl.Schema({"kind": pl.Utf8(), "id": pl.Utf8(), "at": pl.Int64()})

_MOMENTS = {
    "interaction": ("at", "ended_at", "created_at", "opened_at", "clicked_at"),
    "lead": ("created_at", "qualified_at", "converted_at", "opted_out_at", "bounced_at"),
    "deal": ("created_at", "closed_at"),
    "event": ("at",),
    "task": ("created_at",),
    "person": ("opted_out_at", "bounced_at"),
}

_ID = {"event": "person"}
"""Where a record is found by another one's id."""


def to_come(tables: Tables, as_of: Millis) -> pl.DataFrame:
    """(kind, id, at): records that will say something else from that moment on, though nothing about them changes. An
    event goes by its person."""
    found = [
        tables[kind].filter(pl.col(name) > as_of).select(kind=pl.lit(kind), id=_ID.get(kind, "id"), at=name)
        for kind, names in _MOMENTS.items()
        for name in names
    ]
    return pl.concat(pl.collect_all(found)).cast(SCHEMA)


def keys(tables: Tables) -> pl.DataFrame:
    """(kind, id) of every record that the clock could change."""
    found = [tables[kind].select(kind=pl.lit(kind), id=_ID.get(kind, "id")) for kind in _MOMENTS]
    return pl.concat(pl.collect_all(found)).unique()


def come(waiting: pl.DataFrame, now: Millis) -> pl.DataFrame:
    """Those whose moment has come."""
    return waiting.filter(pl.col("at") <= now)
