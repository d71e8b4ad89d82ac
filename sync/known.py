"""Numbers have a history: each tracked value as it was known, by which run, until something else was known.

A value of a period that was over when it was last known, and that is another one now, is a restatement: a changed past.
"""

import hashlib
import io

import msgspec
import polars as pl
from sqlalchemy import Connection, bindparam, insert, select, update

from kpi_engine.periods import DAY_MS, period_end, to_date
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


class Learnt(msgspec.Struct, frozen=True):
    """How many values of a past that was over are others now, and whether everything was worth keeping."""

    restated: int
    everything: bool


def named(values: pl.DataFrame) -> str:
    """Which KPIs and grains these are, and by what they are divided."""
    split = values["dimension"].drop_nulls().str.split("=").list.first().unique()
    return " ".join(sorted({*values["kpi"].unique(), *values["grain"].unique(), *split}))


def digest_of(values: pl.DataFrame) -> str:
    """Another text for other values."""
    told = io.BytesIO()
    values.select(*_key(), *TOLD).write_ipc(told, compression="uncompressed")
    return hashlib.blake2b(told.getbuffer(), digest_size=16).hexdigest()


def learn(sql: Connection, connection: str, run: str, as_of: Millis, values: pl.DataFrame, year_start: int) -> Learnt:
    """Keep those of `values` that are new or differ from what is known.

    What was computed for an earlier moment than the known value teaches nothing new.
    """
    told = values.select(*_key(), *TOLD)
    compared = told.join(
        _latest(sql, connection, values["kpi"].unique().to_list()),
        on=KEY,
        how="left",
        suffix="_known",
        nulls_equal=True,
    )
    differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_known")) for name in TOLD)
    news = compared.filter(pl.col("as_of").is_null() | (differs & (pl.col("as_of") <= as_of)))
    outdated = news.filter(pl.col("as_of").is_not_null())
    if not outdated.is_empty():
        keys = outdated.select(pl.col(name).alias(f"_{name}") for name in KEY).to_dicts()
        sql.execute(_OUTDATE, [{"_connection": connection, **key} for key in keys])
    if not news.is_empty():
        common = {"connection": connection, "run": run, "as_of": as_of, "latest": True}
        sql.execute(insert(KNOWN), [common | row for row in news.select(*KEY, *TOLD).to_dicts()])
    replaced = outdated.select("as_of", "grain", "period_start").iter_rows()
    restated = sum(_was_over(known_at, grain, start, year_start) for known_at, grain, start in replaced)
    return Learnt(restated, everything=compared.filter(differs & (pl.col("as_of") > as_of)).is_empty())


def _key() -> list[pl.Expr]:
    """The key columns as they are stored."""
    return [
        pl.col("kpi", "rep", "grain"),
        pl.col("period_start").cast(pl.Int32),
        pl.col("dimension").fill_null(""),
    ]


def _was_over(as_of: int, grain: str, start: int, year_start: int) -> bool:
    """Whether the period was over when its value was last known, whatever the time zone."""
    return as_of // DAY_MS > period_end(start, grain, year_start) + 1


_OUTDATE = (
    update(KNOWN)
    .where(KNOWN.c.connection == bindparam("_connection"), KNOWN.c.latest.is_(True))
    .where(*(KNOWN.c[name] == bindparam(f"_{name}") for name in KEY))
    .values(latest=False)
)

_LATEST = pl.Schema(
    {
        **{name: pl.Utf8() for name in KEY},
        "period_start": pl.Int32(),
        "as_of": pl.Int64(),
        **{name: pl.Float64() for name in TOLD},
        "n": pl.Int64(),
        "reason": pl.Utf8(),
    }
)


def _latest(sql: Connection, connection: str, kpis: list[str]) -> pl.DataFrame:
    columns = [KNOWN.c[name] for name in (*KEY, "as_of", *TOLD)]
    there = select(*columns).where(KNOWN.c.connection == connection, KNOWN.c.latest.is_(True))
    rows = sql.execute(there.where(KNOWN.c.kpi.in_(kpis))).all()
    return pl.DataFrame([tuple(row) for row in rows], schema=_LATEST, orient="row")


def history(sql: Connection, connection: str, key: Key) -> list[Known]:
    """Everything that was ever known of one value, the oldest first."""
    columns = (KNOWN.c[name] for name in ("run", "as_of", *KEY, *TOLD))
    query = select(*columns).where(KNOWN.c.connection == connection)
    query = query.where(*(KNOWN.c[name] == part for name, part in zip(KEY, key, strict=True)))
    rows = sql.execute(query.order_by(KNOWN.c.as_of, KNOWN.c.run)).mappings()
    return [Known(**{**row, "period_start": to_date(row["period_start"]).isoformat()}) for row in rows]
