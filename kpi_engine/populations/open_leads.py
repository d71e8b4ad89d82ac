"""Open leads on every day, with their scores: the state that the snapshots of a period's end are taken from.

Scores decay from day to day, so that each open lead with a history has a row a day, made by spreading ranges of days
and a running sum: Polars. Leads without a history have the score 0; they are counted, not spread.
"""

import narwhals.stable.v2 as nw
import polars as pl

from kpi_engine.populations.frame import Frame, collected, portable
from kpi_engine.populations.money import MONEY
from kpi_engine.records import Engagement


def open_spans(leads: Frame) -> pl.DataFrame:
    """(lead, rep, first, last) of the days on which a lead is open: not converted by then, not disqualified."""
    last = nw.coalesce(nw.col("converted_day") - 1, nw.col("today"))
    spans = leads.filter(~nw.col("disqualified")).select(
        "rep", "today", lead=nw.col("id"), first=nw.col("day"), last=last.cast(nw.Int32)
    )
    return collected(spans.filter(nw.col("last") >= nw.col("first")))


def scored_days(spans: pl.DataFrame, points: Frame, silent: Frame, since: int, rules: Engagement) -> pl.DataFrame:
    """(lead, rep, day, score) of every day on which an open lead has a history, from `since` on."""
    gained = collected(points).join(spans, on="lead").filter(pl.col("day") <= pl.col("last"))
    age = (pl.col("day") - pl.col("first")).cast(pl.Float64)
    lasting = gained.with_columns(grown=pl.col("points") * (2.0 ** (age / rules.half_life_days)))
    lasting = lasting.with_columns(day=pl.max_horizontal("day", "first")).sort("lead", "day", "grown")
    lasting = lasting.group_by("lead", "day", maintain_order=True).agg(pl.col("grown").sum())
    begun = lasting.group_by("lead").agg(begins=pl.col("day").min())
    days = (
        spans.join(begun, on="lead")
        .with_columns(day=pl.int_ranges("begins", pl.col("last") + 1, dtype=pl.Int32))
        .explode("day")
        .sort("lead", "day")
    )
    running = days.join(lasting, on=["lead", "day"], how="left", maintain_order="left").with_columns(
        grown=pl.col("grown").fill_null(0.0).cum_sum().over("lead")
    )
    age = (pl.col("day") - pl.col("first")).cast(pl.Float64)
    raw = pl.col("grown") * (2.0 ** (-age / rules.half_life_days))
    quiet = running.filter(pl.col("day") >= since).join(collected(silent), on="lead", how="left", maintain_order="left")
    silenced = (pl.col("day") >= pl.col("silent_from")).fill_null(value=False)
    score = pl.when(silenced).then(0.0).otherwise(100 * (1 - (-raw / rules.scale).exp()))
    return quiet.select("lead", "rep", "day", score=score)


def open_leads(spans: pl.DataFrame, scored: pl.DataFrame, since: int, rules: Engagement) -> Frame:
    """(rep, day, score, engaged, weight): a row a scored lead, and one a rep and day for the leads without a score."""
    steps = pl.concat(
        [
            spans.select("rep", day=pl.max_horizontal("first", pl.lit(since)), step=pl.lit(1)).filter(
                spans["last"] >= since
            ),
            spans.filter(pl.col("last") >= since).select("rep", day=pl.col("last") + 1, step=pl.lit(-1)),
        ]
    )
    changes = steps.group_by("rep", "day").agg(pl.col("step").sum())
    ends = spans.group_by("rep").agg(today=pl.col("today").max(), first=pl.col("first").min())
    grid = ends.select(
        "rep", day=pl.int_ranges(pl.max_horizontal("first", pl.lit(since)), pl.col("today") + 1, dtype=pl.Int32)
    ).explode("day")
    totals = (
        grid.sort("rep", "day")
        .join(changes.with_columns(pl.col("day").cast(pl.Int32)), on=["rep", "day"], how="left", maintain_order="left")
        .with_columns(open=pl.col("step").fill_null(0).cum_sum().over("rep"))
    )
    with_score = scored.group_by("rep", "day").agg(scored=pl.len())
    rest = (
        totals.join(with_score, on=["rep", "day"], how="left")
        .select("rep", "day", score=pl.lit(0.0), weight=pl.col("open").cast(pl.Int64) - pl.col("scored").fill_null(0))
        .filter(pl.col("weight") > 0)
    )
    every = pl.concat([scored.select("rep", "day", "score", weight=pl.lit(1, dtype=pl.Int64)), rest])
    return portable(every.with_columns(engaged=pl.col("score") >= rules.engaged, score=summable(pl.col("score"))))


def open_then(spans: pl.DataFrame, scored: pl.DataFrame, evaluated: pl.DataFrame, rules: Engagement) -> Frame:
    """(rep, period_start, day, kind, id, score, engaged) of each lead that is open when a period is `evaluated`."""
    days = evaluated.select("rep", "period_start", day="evaluated")
    there = spans.join(days, on="rep").filter(pl.col("first") <= pl.col("day"), pl.col("day") <= pl.col("last"))
    rows = there.join(scored.select("lead", "day", "score"), on=["lead", "day"], how="left")
    rows = rows.with_columns(pl.col("score").fill_null(0.0), kind=pl.lit("lead"))
    columns = ("rep", "period_start", "day", "kind", pl.col("lead").alias("id"), "score")
    return portable(rows.select(*columns, engaged=pl.col("score") >= rules.engaged))


def summable(score: pl.Expr) -> pl.Expr:
    """Twelve places: sums of floats would depend on the order of the leads."""
    return score.cast(MONEY)
