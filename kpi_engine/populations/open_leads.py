"""Open leads on every day, with their scores: the state that the snapshots of a period's end are taken from.

Scores decay from day to day, so that each open lead with a history has a row a day, made by spreading stretches of
days: Polars. Leads without a history have the score 0; they are counted, not spread.
"""

from collections.abc import Iterator

import narwhals.stable.v2 as nw
import polars as pl

from kpi_engine.exact import by
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


def stretches(spans: pl.DataFrame, points: Frame, silent: Frame, rules: Engagement) -> pl.DataFrame:
    """(lead, rep, first, from, to, grown, silent_from): stretches of days on which an open lead has a history to which
    nothing was added. `grown` is what was added so far, in points of the lead's first day."""
    gained = collected(points).join(spans, on="lead").filter(pl.col("day") <= pl.col("last"))
    age = (pl.col("day") - pl.col("first")).cast(pl.Float64)
    lasting = gained.with_columns(grown=pl.col("points") * (2.0 ** by(age, rules.half_life_days)))
    lasting = lasting.with_columns(day=pl.max_horizontal("day", "first")).sort("lead", "day", "grown")
    # One after the other: how a sum adds up floats depends on where they lie, and that on the batch.
    so_far = lasting.with_columns(pl.col("grown").cum_sum().over("lead"))
    added = so_far.group_by("lead", "day", maintain_order=True).agg(pl.col("grown").last())
    until = (pl.col("day").shift(-1).over("lead") - 1).fill_null(pl.col("last"))
    found = added.join(spans, on="lead", maintain_order="left").with_columns(to=until.cast(pl.Int32))
    heard = found.join(collected(silent), on="lead", how="left")
    return heard.select("lead", "rep", "first", pl.col("day").alias("from"), "to", "grown", "silent_from")


def still_open(spans: pl.DataFrame, parts: pl.DataFrame) -> pl.DataFrame:
    """(lead, rep, first, from, grown, silent_from) of the leads that are open today, and the stretch that they are in:
    null for a lead without a history. What their score will be on the days to come if nothing else happens."""
    today = spans.filter(pl.col("last") == pl.col("today")).select("lead", "rep", "first", "last")
    history = parts.select("lead", "from", "grown", "silent_from", last="to")
    return today.join(history, on=["lead", "last"], how="left").drop("last")


def on_day(parts: pl.DataFrame, day: int) -> pl.DataFrame:
    """Of stretches those that hold this day, with `day`."""
    there = parts.filter(pl.col("from") <= day, pl.col("to") >= day)
    return there.with_columns(day=pl.lit(day, dtype=pl.Int32))


def score(rules: Engagement) -> pl.Expr:
    """The score on the `day` of a stretch."""
    age = (pl.col("day") - pl.col("first")).cast(pl.Float64)
    raw = pl.col("grown") * (2.0 ** by(-age, rules.half_life_days))
    silenced = (pl.col("day") >= pl.col("silent_from")).fill_null(value=False)
    return pl.when(silenced).then(0.0).otherwise(100 * (1 - by(-raw, rules.scale).exp()))


def open_leads(spans: pl.DataFrame, parts: pl.DataFrame, since: int, rules: Engagement) -> Iterator[Frame]:
    """(rep, day, score, engaged, weight): a row a day and lead with a history, and one a rep and day for those without;
    in portions, because they are by far the most rows that the engine makes."""
    yield as_population(_without_history(spans, parts, since), rules)
    lasting = parts.filter(pl.col("to") >= since).with_columns(pl.max_horizontal("from", pl.lit(since)).alias("from"))
    many = (pl.col("to") - pl.col("from") + 1).cum_sum() // PORTION
    for some in lasting.with_columns(_portion=many).partition_by("_portion"):
        days = some.with_columns(day=pl.int_ranges("from", pl.col("to") + 1, dtype=pl.Int32)).explode("day")
        yield as_population(days.select("rep", "day", score=score(rules), weight=pl.lit(1, dtype=pl.Int64)), rules)


PORTION = 2_000_000
"""So many rows, or a few more."""


def as_population(rows: pl.DataFrame, rules: Engagement) -> Frame:
    """Rows of leads and days, with what is counted and added up."""
    return portable(rows.with_columns(engaged=pl.col("score") >= rules.engaged, score=summable(pl.col("score"))))


def _without_history(spans: pl.DataFrame, parts: pl.DataFrame, since: int) -> pl.DataFrame:
    """(rep, day, score, weight): how many open leads of a rep have the score 0 because nothing ever happened."""
    ends = spans.group_by("rep").agg(today=pl.col("last").max(), first=pl.col("first").min())
    grid = ends.select(
        "rep", day=pl.int_ranges(pl.max_horizontal("first", pl.lit(since)), pl.col("today") + 1, dtype=pl.Int32)
    ).explode("day")
    begun = parts.group_by("lead", "rep").agg(first=pl.col("from").min(), last=pl.col("to").max())
    steps = pl.concat([_steps(spans, since, 1), _steps(begun, since, -1)])
    changes = steps.group_by("rep", "day").agg(pl.col("step").sum())
    totals = (
        grid.filter(pl.col("day").is_not_null())
        .sort("rep", "day")
        .join(changes, on=["rep", "day"], how="left", maintain_order="left")
        .with_columns(weight=pl.col("step").fill_null(0).cum_sum().over("rep"))
    )
    return totals.filter(pl.col("weight") > 0).select("rep", "day", score=pl.lit(0.0), weight="weight")


def _steps(spans: pl.DataFrame, since: int, one: int) -> pl.DataFrame:
    """Where spans of days begin and end, from `since` on."""
    later = spans.filter(pl.col("last") >= since)
    first = pl.max_horizontal("first", pl.lit(since)).cast(pl.Int32)
    step = pl.lit(one, dtype=pl.Int64)
    return pl.concat(
        [later.select("rep", day=first, step=step), later.select("rep", day=pl.col("last") + 1, step=-step)]
    )


def open_then(spans: pl.DataFrame, parts: pl.DataFrame, evaluated: pl.DataFrame, rules: Engagement) -> Frame:
    """(rep, period_start, day, kind, id, score, engaged) of each lead that is open when a period is `evaluated`."""
    days = evaluated.select("rep", "period_start", day="evaluated")
    there = spans.join(days, on="rep").filter(pl.col("first") <= pl.col("day"), pl.col("day") <= pl.col("last"))
    dated = parts.join(days.select("rep", "day").unique(), on="rep")
    scored = dated.filter(pl.col("from") <= pl.col("day"), pl.col("day") <= pl.col("to"))
    rows = there.join(scored.select("lead", "day", score=score(rules)), on=["lead", "day"], how="left")
    rows = rows.with_columns(pl.col("score").fill_null(0.0), kind=pl.lit("lead"))
    columns = ("rep", "period_start", "day", "kind", pl.col("lead").alias("id"), "score")
    return portable(rows.select(*columns, engaged=pl.col("score") >= rules.engaged))


def summable(score: pl.Expr) -> pl.Expr:
    """Twelve places: sums of floats would depend on the order of the leads."""
    return score.cast(MONEY)
