"""Parts in, values out: divided, rounded once, with the reason where there is none, targets, comparison and marks."""

from collections.abc import Iterable, Iterator
from datetime import date

import polars as pl

from kpi_engine.catalog import BY_KEY, direction, every_kpi, places
from kpi_engine.compute import Parts
from kpi_engine.declaring import Dimension, Kpi, Part
from kpi_engine.exact import by, quotient
from kpi_engine.goals import targets_of, with_goal
from kpi_engine.periods import GRAINS, period_start, to_day
from kpi_engine.records import Company, Millis
from kpi_engine.rolling import records_column
from kpi_engine.sheets import ROW, Sheet, Sheets
from kpi_engine.targets import Targets

NO_DATA = "no_data"
NOT_AVAILABLE = "not_available"
SMALL_SAMPLE_BELOW = 30
Z_95 = 1.959963984540054

COLUMNS = (
    "rep",
    "kpi",
    "grain",
    "period_start",
    "dimension",
    "value",
    "numerator",
    "denominator",
    "n",
    "reason",
    "missing",
    "target",
    "attainment",
    "expected",
    "pace",
    "state",
    "previous",
    "change",
    "marks",
    "interval_low",
    "interval_high",
)


def values(
    parts: Parts,
    company: Company,
    as_of: Millis,
    *,
    kpis: Iterable[str] | None = None,
    grain: str | None = None,
    rep: str | None = None,
    period: date | None = None,
    dimension: str | None = None,
) -> pl.DataFrame:
    """One row a value. `period` is any day of the period; `dimension` is `channel`, `band`, one of their rows
    (`channel=Web`) or `""` for undivided values only. Everything is given where nothing is asked for."""
    wanted = every_kpi() if kpis is None else tuple(BY_KEY[key] for key in kpis)
    rows: list[pl.DataFrame] = []
    for each in [one for one in GRAINS if one in parts] if grain is None else (grain,):
        rows.extend(_of_grain(parts, company, each, wanted, rep, period, dimension))
    return pl.concat(rows) if rows else _nothing()


def one_by_one(parts: Parts, company: Company, kpis: Iterable[str], grain: str) -> Iterator[pl.DataFrame]:
    """The same rows of one grain, a KPI or one way of splitting it at a time: whoever goes through many reps need not
    hold them all."""
    yield from _of_grain(parts, company, grain, tuple(BY_KEY[key] for key in kpis), None, None, None)


def _nothing() -> pl.DataFrame:
    text = ("rep", "kpi", "grain", "dimension", "reason", "missing", "state")
    kinds: dict[str, pl.DataType] = {name: pl.Utf8() if name in text else pl.Float64() for name in COLUMNS}
    others: dict[str, pl.DataType] = {"period_start": pl.Date(), "n": pl.Int64(), "marks": pl.List(pl.Utf8)}
    return pl.DataFrame(schema=pl.Schema({**kinds, **others}))


def _of_grain(
    parts: Parts,
    company: Company,
    grain: str,
    wanted: tuple[Kpi, ...],
    rep: str | None,
    period: date | None,
    dimension: str | None,
) -> Iterator[pl.DataFrame]:
    """A frame for each KPI and way of splitting it, one after the other."""
    sheets = Sheets(parts, company, grain, rep)
    everyone = parts[grain].filter(pl.col("dimension").is_null()).select("rep", "period_start")
    targets = _targets(parts, company, everyone)
    kept = _kept(company, grain, period, dimension)
    for kpi in wanted:
        goals = targets_of(kpi, targets, grain, everyone, parts["team"]) if targets else None
        for split in (None, *kpi.dimensions):
            if _asked_for(split, dimension):
                found = _of_sheet(kpi, sheets.sheet(split), company, goals)
                yield found.filter(kept)


def _targets(parts: Parts, company: Company, everyone: pl.DataFrame) -> Targets | None:
    if not company.targets or everyone.is_empty():
        return None
    teams: dict[str, tuple[str, ...]] = {}
    for rep, team in parts["team"].iter_rows():
        boss = team.removeprefix("team:")
        teams[boss] = (*teams.get(boss, ()), rep)
    days = everyone.select(pl.col("period_start").cast(pl.Int32))["period_start"]
    return Targets(company, teams, int(str(days.min())), int(str(days.max())))


def _asked_for(split: Dimension | None, dimension: str | None) -> bool:
    if dimension is None:
        return True
    return dimension == "" if split is None else dimension.split("=")[0] == split


def _kept(company: Company, grain: str, period: date | None, dimension: str | None) -> pl.Expr:
    kept = pl.lit(value=True)
    if period is not None:
        start = period_start(to_day(period), grain, company.fiscal_year_start)
        kept &= pl.col("period_start") == pl.lit(start).cast(pl.Int32).cast(pl.Date)
    if dimension and "=" in dimension:
        kept &= pl.col("dimension") == dimension
    return kept


def _of_sheet(kpi: Kpi, sheet: Sheet, company: Company, goals: pl.DataFrame | None) -> pl.DataFrame:
    decimals = places(kpi)
    every = divided(kpi, sheet.rows, company, sheet.split)
    before = every["value"].gather(sheet.before).alias("previous")
    steps = ((pl.col("value") - pl.col("previous")) * 10.0**decimals).round()
    now = pl.concat([every.head(len(before)), sheet.times, before.to_frame()], how="horizontal")
    compared = now.with_columns(
        by(steps, 10**decimals).alias("change"), _wilson(kpi, -1, "interval_low"), _wilson(kpi, 1, "interval_high")
    )
    undivided = goals if goals is not None and sheet.split is None else pl.DataFrame()
    named = with_goal(compared, kpi, direction(kpi, company), undivided, decimals).with_columns(
        kpi=pl.lit(kpi.key), grain=pl.lit(sheet.grain)
    )
    return named.select(COLUMNS)


def divided(kpi: Kpi, rows: pl.DataFrame, company: Company, split: Dimension | None) -> pl.DataFrame:
    """The KPI's value, parts, `n`, reason, missing source and marks for each of `rows`."""
    above, below = kpi.numerator, kpi.denominator
    value = quotient(rows[above.name], rows[below.name] if below else None, places(kpi), above.scale)
    frame = rows.lazy().select(
        *ROW,
        *_FLAGS,
        value,
        _in_units(above).alias("numerator"),
        (_in_units(below) if below else pl.lit(1.0)).alias("denominator"),
        pl.col(records_column(below or above)).fill_null(0).alias("n"),
        _missing(kpi, company, split).alias("missing"),
    )
    unavailable = pl.col("missing").is_not_null()
    reason = pl.when(unavailable).then(pl.lit(NOT_AVAILABLE)).when(pl.col("value").is_null()).then(pl.lit(NO_DATA))
    known = [
        pl.when(~unavailable).then(pl.col(name)).alias(name) for name in ("value", "numerator", "denominator", "n")
    ]
    marked = frame.with_columns(*known, reason=reason).with_columns(marks=_marks(kpi, company, split))
    return marked.drop(_FLAGS).collect()


_FLAGS = ["limits", "deals_without_amount"]


def _in_units(part: Part) -> pl.Expr:
    return by(pl.col(part.name).cast(pl.Float64), part.scale)


def _missing(kpi: Kpi, company: Company, split: Dimension | None) -> pl.Expr:
    """The first source without which there is no value, null where there is one."""
    for source in (*kpi.needs, *_needs_of_parts(kpi, split)):
        if source in company.missing:
            return pl.lit(source)
    nothing = pl.lit(None, dtype=pl.Utf8)
    if any(part.how == "quota" for part in kpi.parts):
        return pl.when(pl.col("quota").is_null()).then(pl.lit("quotas")).otherwise(nothing)
    if "campaign_costs" in kpi.needs:
        none_left = (pl.col("campaign_cost__n") == 0) & (pl.col("campaigns_uncosted") > 0)
        return pl.when(none_left).then(pl.lit("campaign_costs")).otherwise(nothing)
    if split is Dimension.BAND or "deal_sizes" in kpi.needs:
        return pl.when(pl.col("limits") == "none").then(pl.lit("deal_sizes")).otherwise(nothing)
    return nothing


def _needs_of_parts(kpi: Kpi, split: Dimension | None) -> Iterator[str]:
    """What a KPI cannot do without because of what it adds up."""
    if any(part.of == "revenue" for part in kpi.parts):
        yield "deal_splits"
    if any(part.of == "deal_touches" for part in kpi.parts):
        yield from ("deal_people", "email_people")
    if split is Dimension.CHANNEL:
        yield "lead_channels"
    if split is Dimension.BAND or "deal_sizes" in kpi.needs or any(part.stuff == "money" for part in kpi.parts):
        yield "exchange_rates"


def _marks(kpi: Kpi, company: Company, split: Dimension | None) -> pl.Expr:
    there = pl.col("value").is_not_null()
    marks = [pl.when(there).then(pl.lit(mark)) for source, mark in kpi.clouded_by if source in company.missing]
    if kpi.share_of_cases:
        marks.append(pl.when(there & (pl.col("n") < SMALL_SAMPLE_BELOW)).then(pl.lit("small_sample")))
    if split is Dimension.BAND or "deal_sizes" in kpi.needs:
        marks.append(pl.when(there & (pl.col("limits") == "provisional")).then(pl.lit("provisional")))
    if kpi.key == "revenue":
        marks.append(pl.when(pl.col("deals_without_amount") > 0).then(pl.lit("deals_without_amount")))
    if not marks:
        return pl.lit([], dtype=pl.List(pl.Utf8))
    return pl.concat_list(marks).list.drop_nulls()


def _wilson(kpi: Kpi, side: int, name: str) -> pl.Expr:
    """An end of the 95 % Wilson interval of a share of cases, null for everything else."""
    if not kpi.share_of_cases:
        return pl.lit(None, dtype=pl.Float64).alias(name)
    cases = pl.when(pl.col("value").is_not_null()).then(pl.col("denominator"))
    share = pl.col("numerator") / cases
    square = Z_95 * Z_95
    spread = Z_95 * (share * (1 - share) / cases + square / (4 * cases * cases)).sqrt()
    end = (share + square / (2 * cases) + side * spread) / (1 + square / cases)
    return by((end.clip(0.0, 1.0) * 10_000).round(), 10_000).alias(name)
