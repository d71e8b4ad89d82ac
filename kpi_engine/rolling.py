"""From records to parts: the populations of a company summed by rep and period, for teams, channels and bands too.

What adds up is said in Narwhals. Medians are taken exactly, of the records of the whole period, in Polars.
"""

from collections.abc import Iterable
from typing import Any

import narwhals.stable.v2 as nw
import polars as pl

from kpi_engine.catalog import CATALOG
from kpi_engine.declaring import Kpi, Part
from kpi_engine.populations import Frame, collected, portable
from kpi_engine.populations.money import MONEY

KEYS = ("rep", "period_start")


def parts_by_population(kpis: Iterable[Kpi]) -> dict[str, tuple[Part, ...]]:
    """Population → the parts that these KPIs make of it."""
    found: dict[str, dict[str, Part]] = {}
    for kpi in kpis:
        for part in kpi.parts:
            if part.how in ("sum", "median"):
                found.setdefault(part.of, {})[part.name] = part
    return {of: tuple(parts.values()) for of, parts in found.items()}


PARTS_OF: dict[str, tuple[Part, ...]] = parts_by_population(CATALOG)
"""Population → the parts that are made of it, for our KPIs and those of this company (`kpi_engine.registry`)."""

DTYPES: dict[str, Any] = {
    "count": pl.Int64(),
    "millis": pl.Int64(),
    "days": pl.Int64(),
    "money": MONEY,
    "score": MONEY,
}


def records_column(part: Part) -> str:
    """The column that holds how many records a part is made of; a count is its own."""
    return part.name if part.stuff == "count" else f"{part.name}__n"


def dtype(part: Part) -> Any:
    return MONEY if part.how == "median" else DTYPES[part.stuff]


def contributions(rows: Frame, parts: Iterable[Part], keys: tuple[str, ...]) -> pl.DataFrame:
    """`rows` with a column for what each adds to each part, and one for whether it is one of its records."""
    weighted = "weight" in rows.collect_schema().names()
    added: dict[str, nw.Expr] = {}
    for part in parts:
        one: nw.Expr = nw.col("weight") if weighted else nw.lit(1)
        added[records_column(part)] = one if part.where is None else nw.when(part.where).then(one)
        if part.stuff != "count":
            added[part.name] = part.contribution()
    return collected(rows.select(*keys, **added))


def summed(adding: pl.DataFrame, parts: Iterable[Part], keys: tuple[str, ...]) -> pl.DataFrame:
    """The parts that add up, by `keys`."""
    kinds = {records_column(part): pl.Int64() for part in parts} | {part.name: DTYPES[part.stuff] for part in parts}
    sums = [nw.col(name).sum() for name in kinds]
    found = collected(portable(adding).group_by(*keys).agg(*sums))
    return found.with_columns(pl.col(name).cast(kind) for name, kind in kinds.items())


def medians(amounts: pl.DataFrame, name: str, keys: tuple[str, ...]) -> pl.DataFrame:
    """The median by `keys`, exactly: the middle value, or half of the two middle ones; `amounts` has each `worth` as
    often as its `records` say."""
    many = pl.col("records").cast(pl.UInt32)
    each = amounts.select(*keys, pl.col("worth").repeat_by(many)).explode("worth")
    ordered = each.group_by(keys).agg(pl.col("worth").sort(), pl.len().cast(pl.Int64).alias("_many"))
    low, high = (pl.col("_many") - 1) // 2, pl.col("_many") // 2
    middle = (pl.col("worth").list.get(low) + pl.col("worth").list.get(high)) / 2
    return ordered.select(*keys, middle.cast(MONEY).alias(name), pl.col("_many").alias(f"{name}__n"))


def for_teams(rows: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """The rows of reps, once more under the key of each team that the rep is in."""
    return rows.join(members, on="rep").with_columns(rep=pl.col("team")).drop("team")
