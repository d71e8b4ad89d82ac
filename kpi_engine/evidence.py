"""The records behind many values at once: for each rep, period and dimension the latest ones that a numerator counts.

`kpi_engine.explain` takes one value apart completely; this is the short list that can stand beside every value.
"""

from collections.abc import Iterable

import polars as pl

from kpi_engine.catalog import BY_KEY
from kpi_engine.rolling import KEYS

MOST = 100
"""So many records are listed; their number is told whole."""

SCHEMA = pl.Schema(
    {
        "rep": pl.Utf8(),
        "period_start": pl.Date(),
        "dimension": pl.Utf8(),
        "kpi": pl.Utf8(),
        "kind": pl.Utf8(),
        "ids": pl.List(pl.Utf8()),
        "days": pl.List(pl.Int32()),
        "total": pl.Int64(),
    }
)

_KEY = ("rep", "period_start", "dimension")


def evidence(rows: pl.DataFrame, kpis: Iterable[str]) -> pl.DataFrame:
    """`SCHEMA` for the KPIs whose numerator is made of records.

    `rows` are (rep, period_start, day, kpi, kind, id, channel, band): what each numerator counts.
    """
    found = [_of_kpi(rows.filter(pl.col("kpi") == key), key) for key in kpis]
    return pl.concat(found) if found else pl.DataFrame(schema=SCHEMA)


def merged(lists: pl.DataFrame) -> pl.DataFrame:
    """Several lists of each value made one."""
    each = lists.explode("ids", "days").rename({"ids": "id", "days": "day"}).sort(*_LATEST, descending=[True, False])
    key = (*_KEY, "kpi")
    listed = each.group_by(key, maintain_order=True).agg(*_list())
    totals = lists.group_by(key).agg(pl.col("total").sum())
    return listed.join(totals, on=list(key), nulls_equal=True, maintain_order="left").select(SCHEMA.names())


_LATEST = ("day", "id")


def _list() -> list[pl.Expr]:
    return [pl.col("kind").first(), pl.col("id").head(MOST).alias("ids"), pl.col("day").head(MOST).alias("days")]


def _of_kpi(rows: pl.DataFrame, key: str) -> pl.DataFrame:
    splits = [str(dimension) for dimension in BY_KEY[key].dimensions]
    every = rows.select(*KEYS, "kind", "id", "day", *splits).sort(*_LATEST, descending=[True, False])
    undivided = every.with_columns(dimension=pl.lit(None, dtype=pl.Utf8))
    divided = [
        every.filter(pl.col(name).is_not_null()).with_columns(dimension=pl.concat_str(pl.lit(f"{name}="), pl.col(name)))
        for name in splits
    ]
    return pl.concat([_listed(each, key) for each in (undivided, *divided)])


def _listed(rows: pl.DataFrame, key: str) -> pl.DataFrame:
    listed = rows.group_by(_KEY, maintain_order=True).agg(*_list(), pl.len().cast(pl.Int64).alias("total"))
    named = listed.with_columns(kpi=pl.lit(key), period_start=pl.col("period_start").cast(pl.Int32).cast(pl.Date))
    return named.select(SCHEMA.names())
