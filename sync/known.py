"""Numbers have a history: each tracked value as it was known, by which run, until something else was known.

A value of a period that was over when it was last known, and that is another one now, is a restatement: a changed past.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import polars as pl
from sqlalchemy import Connection, bindparam, insert, select, update

from kpi_engine.periods import DAY_MS, period_end, to_date, to_day
from kpi_engine.records import Millis
from sync.history import KNOWN

Key = tuple[str, str, str, int, str]
KEY = ("kpi", "rep", "grain", "period_start", "dimension")
TOLD = ("value", "numerator", "denominator", "n", "reason")


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """A value as it was known after `run`. `dimension` is blank for undivided values."""

    run: str
    as_of: Millis
    kpi: str
    rep: str
    grain: str
    period_start: str
    dimension: str
    value: float | None
    numerator: float | None
    denominator: float | None
    n: int | None
    reason: str | None


def learn(sql: Connection, connection: str, run: str, as_of: Millis, values: pl.DataFrame, year_start: int) -> int:
    """Keep those of `values` that are new or differ from what is known; how many of them change the past.

    What was computed for an earlier moment than the known value teaches nothing new.
    """
    latest = _latest(sql, connection)
    rows, outdated, restated = [], [], 0
    for key, told in _keyed(values):
        known = latest.get(key)
        if known is not None and (known[1:] == told or known[0] > as_of):
            continue
        if known is not None:
            outdated.append({f"_{name}": part for name, part in zip(KEY, key, strict=True)})
            restated += known[0] // DAY_MS > period_end(key[3], key[2], year_start) + 1
        rows.append(dict(zip((*KEY, *TOLD), (*key, *told), strict=True)))
    common = {"connection": connection, "run": run, "as_of": as_of, "latest": True}
    if outdated:
        sql.execute(_OUTDATE, [{"_connection": connection, **key} for key in outdated])
    if rows:
        sql.execute(insert(KNOWN), [common | row for row in rows])
    return restated


_OUTDATE = (
    update(KNOWN)
    .where(KNOWN.c.connection == bindparam("_connection"), KNOWN.c.latest.is_(True))
    .where(*(KNOWN.c[name] == bindparam(f"_{name}") for name in KEY))
    .values(latest=False)
)


def _latest(sql: Connection, connection: str) -> Mapping[Key, tuple[Any, ...]]:
    columns = (KNOWN.c[name] for name in (*KEY, "as_of", *TOLD))
    rows = sql.execute(select(*columns).where(KNOWN.c.connection == connection, KNOWN.c.latest.is_(True))).all()
    return {tuple(row[: len(KEY)]): tuple(row[len(KEY) :]) for row in rows}


def _keyed(values: pl.DataFrame) -> Iterator[tuple[Key, tuple[Any, ...]]]:
    for kpi, rep, grain, start, dimension, *told in values.select(*KEY, *TOLD).iter_rows():
        yield (kpi, rep, grain, to_day(start), dimension or ""), tuple(told)


def history(sql: Connection, connection: str, key: Key) -> list[Known]:
    """Everything that was ever known of one value, the oldest first."""
    columns = (KNOWN.c[name] for name in ("run", "as_of", *KEY, *TOLD))
    query = select(*columns).where(KNOWN.c.connection == connection)
    query = query.where(*(KNOWN.c[name] == part for name, part in zip(KEY, key, strict=True)))
    rows = sql.execute(query.order_by(KNOWN.c.as_of, KNOWN.c.run)).mappings()
    return [Known(**{**row, "period_start": to_date(row["period_start"]).isoformat()}) for row in rows]
