"""From records to parts: the populations of a company summed by rep and period, for teams, channels and bands too.

What adds up is said in Narwhals. Medians are taken exactly, of the records of the whole period, in Polars.
"""

from collections.abc import Iterable
from typing import Any

import narwhals.stable.v2 as nw
import polars as pl

from kpi_engine.catalog import CATALOG
from kpi_engine.declaring import Part
from kpi_engine.populations import Frame, collected, portable
from kpi_engine.populations.money import MONEY

KEYS = ("rep", "period_start")


def _parts_by_population() -> dict[str, tuple[Part, ...]]:
    found: dict[str, dict[str, Part]] = {}
    for kpi in CATALOG:
        for part in kpi.parts:
            if part.how in ("sum", "median"):
                found.setdefault(part.of, {})[part.name] = part
    return {of: tuple(parts.values()) for of, parts in found.items()}


PARTS_OF: dict[str, tuple[Part, ...]] = _parts_by_population()
"""Population → the parts that are made of it."""

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


def medians(rows: Frame, part: Part, keys: tuple[str, ...]) -> pl.DataFrame:
    """The median by `keys`, exactly: the middle value, or half of the two middle ones."""
    worth = collected(rows.with_columns(_worth=part.contribution())).filter(pl.col("_worth").is_not_null())
    ordered = worth.group_by(keys).agg(pl.col("_worth").cast(MONEY).sort(), pl.len().cast(pl.Int64).alias("_many"))
    low, high = (pl.col("_many") - 1) // 2, pl.col("_many") // 2
    middle = (pl.col("_worth").list.get(low) + pl.col("_worth").list.get(high)) / 2
    return ordered.select(*keys, middle.cast(MONEY).alias(part.name), pl.col("_many").alias(records_column(part)))


def for_teams(rows: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """The rows of reps, once more under the key of each team that the rep is in."""
    return rows.join(members, on="rep").with_columns(rep=pl.col("team")).drop("team")


def rolled(rows: Frame, parts: tuple[Part, ...], members: pl.DataFrame, extra: tuple[str, ...] = ()) -> pl.DataFrame:
    """All `parts` of one population by rep and period (and `extra`), teams included."""
    keys = (*KEYS, *extra)
    adding = tuple(part for part in parts if part.how == "sum")
    own = summed(contributions(rows, adding, keys), adding, keys)
    sums = [pl.col(name).sum() for name in own.columns if name not in keys]
    teams = for_teams(own, members).sort(keys).group_by(keys, maintain_order=True).agg(sums)
    found = pl.concat([own, teams.select(own.columns)])
    for part in parts:
        if part.how == "median":
            every = collected(rows)
            with_teams = portable(pl.concat([every, for_teams(every, members).select(every.columns)]))
            found = found.join(medians(with_teams, part, keys), on=keys, how="left")
    return found


def placed(rows: Frame, calendar: pl.DataFrame, evaluated: pl.DataFrame | None) -> Frame:
    """`rows` with `period_start`: by their day, or, for a snapshot, the periods that are evaluated on that day."""
    if evaluated is None:
        return rows.join(portable(calendar.select("day", "period_start", "year")), on="day")
    return rows.join(portable(evaluated.rename({"evaluated": "day"})), on=["rep", "day"])
