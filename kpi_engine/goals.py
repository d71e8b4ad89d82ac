"""Targets beside values: attainment, what is expected by now, pace and state."""

from fractions import Fraction

import polars as pl

from kpi_engine.declaring import Direction, Kpi
from kpi_engine.exact import quotient
from kpi_engine.populations.money import MONEY
from kpi_engine.populations.quotas import as_decimal
from kpi_engine.targets import Targets

ON_PACE = 0.95
BEHIND = 0.8

SCHEMA = pl.Schema({"rep": pl.Utf8(), "period_start": pl.Date(), "target": MONEY})


def targets_of(kpi: Kpi, targets: Targets, grain: str, everyone: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """(rep, period_start, target) for the reps and teams that have one; `everyone` is who has a row in which period.

    A team without a target of its own has the sum of its members' for KPIs that add up. A target for the quota is the
    quota itself.
    """
    if kpi.key not in targets.kpis or kpi.key == "quota":
        return pl.DataFrame(schema=SCHEMA)
    known: dict[tuple[tuple[str, ...], int, int], Fraction | None] = {}
    rows = []
    for rep, start in everyone.select("rep", pl.col("period_start").cast(pl.Int32)).iter_rows():
        scopes = targets.scopes(kpi.key, rep)
        if not scopes:
            continue
        calendar = targets.calendar(rep)
        key = (scopes, id(calendar), start)
        if key not in known:
            known[key] = targets.value(kpi.key, scopes, calendar, grain, start, adds_up=kpi.adds_up)
        target = known[key]
        if target is not None:
            rows.append((rep, start, as_decimal(target)))
    schema = pl.Schema({"rep": pl.Utf8(), "period_start": pl.Int32(), "target": MONEY})
    own = pl.DataFrame(rows, schema=schema, orient="row").with_columns(pl.col("period_start").cast(pl.Date))
    if not kpi.adds_up:
        return own
    summed = own.join(members, on="rep").group_by(rep=pl.col("team"), period_start=pl.col("period_start"))
    of_teams = summed.agg(pl.col("target").sum()).join(own, on=["rep", "period_start"], how="anti")
    return pl.concat([own, of_teams.select(own.columns)])


def with_goal(values: pl.DataFrame, kpi: Kpi, better: Direction, targets: pl.DataFrame, places: int) -> pl.DataFrame:
    """`values` with target, attainment, expected, pace and state; needs its `elapsed` and `working` days."""
    if targets.is_empty():
        return values.with_columns(
            *(pl.lit(None, dtype=pl.Float64).alias(name) for name in ("target", "attainment", "expected", "pace")),
            state=pl.lit("none"),
        )
    joined = values.join(targets, on=["rep", "period_start"], how="left", maintain_order="left")
    expected = pl.col("target").cast(pl.Float64)
    if kpi.adds_up:
        expected = expected * pl.col("elapsed") / pl.when(pl.col("working") > 0).then(pl.col("working"))
    rows = joined.with_columns(expected=expected, goal=pl.col("target").cast(pl.Float64))
    rows = rows.with_columns(
        attainment=_reached(rows["value"], rows["goal"], better), pace=_reached(rows["value"], rows["expected"], better)
    )
    rows = rows.with_columns(_state(better).alias("state"))
    shown = max(places, 2)
    return rows.with_columns(
        target=quotient(rows["target"], None, shown), expected=quotient(rows["expected"], None, shown)
    ).drop("goal")


def _reached(value: pl.Series, goal: pl.Series, better: Direction) -> pl.Series:
    """Value / goal, the other way round where less is better; null where that would divide by 0."""
    if better is Direction.LESS:
        nothing = (value == 0) | (goal == 0)
        return quotient(goal.set(nothing.fill_null(value=False), None), value, 4)
    return quotient(value, goal, 4)


def _state(better: Direction) -> pl.Expr:
    value, goal, expected = pl.col("value"), pl.col("goal"), pl.col("expected")
    if better is Direction.LESS:
        met = (value <= goal) | (value == 0)
        pace = pl.when(value != 0).then(expected / value)
        nothing_due = pl.lit(value=False)
    else:
        met = (value >= goal) & (goal != 0)
        pace = pl.when(expected != 0).then(value / expected)
        nothing_due = (expected == 0) & (goal != 0)
    steady = pace.round(9)
    return (
        pl.when(value.is_null() | goal.is_null() | (goal == 0) & (value != 0))
        .then(pl.lit("none"))
        .when(met)
        .then(pl.lit("met"))
        .when(nothing_due | (steady >= ON_PACE))
        .then(pl.lit("on_pace"))
        .when(steady >= BEHIND)
        .then(pl.lit("behind"))
        .when(steady.is_not_null())
        .then(pl.lit("at_risk"))
        .otherwise(pl.lit("none"))
    )
