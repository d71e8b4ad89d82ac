"""Reps' rows in, teams' rows out; and those of everyone: each channel over all reps, and everyone's revenue.

All but medians and lists of records adds up. `sums` keeps what was added up as it is, so that the rows of some reps can
be taken out again and put in anew; `shown` makes of it what a value is read from.
"""

import polars as pl

from kpi_engine.conclude import AWAY, ROWS, Parts, as_parts, columns, median_columns
from kpi_engine.evidence import merged
from kpi_engine.ground import Ground
from kpi_engine.periods import period_start
from kpi_engine.records import EVERYONE
from kpi_engine.rolling import for_teams, medians

GROUPS = "_groups"
"""Ending of the frames of sums."""

COMPANY = "company"
"""The name of the frame with what is the same for everyone: of each frame and period the revenue, and the bands."""

_ROW = ("rep", "period_start", "dimension")


def sums(rows: Parts, ground: Ground, names: list[str]) -> Parts:
    """What the reps' frames of these names add up to, for every team and for everyone."""
    return {name + GROUPS: _sums(rows[name], rows[name + AWAY], ground) for name in names}


def _sums(rows: pl.DataFrame, away: pl.DataFrame, ground: Ground) -> pl.DataFrame:
    own = pl.concat([rows, away.with_columns(dimension=pl.lit(None, dtype=pl.Utf8))], how="diagonal")
    manages = pl.col("rep").is_in(list(ground.teams))
    leaves = own.with_columns(pl.when(~manages).then(pl.col(name)).alias(name) for name in ("quota", "quota__n"))
    everyones = rows.filter(~pl.col("dimension").str.starts_with("band=").fill_null(value=False))
    every = [for_teams(leaves, ground.members).select(own.columns), everyones.with_columns(rep=pl.lit(EVERYONE))]
    return _added_up(pl.concat(every, how="diagonal"))


def _added_up(rows: pl.DataFrame) -> pl.DataFrame:
    adding = [name for name in columns() if name not in (*_ROW, *_medians_and_counts())]
    return rows.group_by(_ROW).agg(pl.col(adding).sum())


def _medians_and_counts() -> list[str]:
    return [column for name in median_columns() for column in (name, f"{name}__n")]


def together(one: Parts, other: Parts) -> Parts:
    """The sums of two sets of reps."""
    return {name: _added_up(pl.concat([one[name], frame])) if name in one else frame for name, frame in other.items()}


def changed(before: Parts, taken: Parts, put: Parts) -> Parts:
    """Sums after `taken` were taken out of them and `put` was put in. Frames without anything left in a row lose it."""
    found = {}
    for name, sums_before in before.items():
        less = taken[name].with_columns(-pl.col(column) for column in taken[name].columns if column not in _ROW)
        every = pl.concat([sums_before, less, put[name]], how="diagonal").group_by(_ROW).agg(pl.exclude(_ROW).sum())
        found[name] = every.filter((pl.col(ROWS) != 0) | (pl.col("quota__n") != 0)).select(sums_before.columns)
    return found


def shown(added: Parts, found_medians: Parts) -> Parts:
    """The rows of teams, and those of channels over all reps, by the names of the reps' frames."""
    return {name: _shown(added[name + GROUPS], found_medians[name]) for name in found_medians}


def _shown(rows: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    there = rows.filter(pl.col(ROWS) > 0, (pl.col("rep") != EVERYONE) | pl.col("dimension").is_not_null())
    quotas = [pl.when(pl.col("quota__n") > 0).then(pl.col(name)).alias(name) for name in ("quota", "quota__n")]
    with_medians = there.with_columns(quotas).join(found, on=list(_ROW), how="left", nulls_equal=True)
    return as_parts(with_medians)


def counted(rows: pl.DataFrame) -> pl.DataFrame:
    """(rep, undivided, channels): how many rows each of these groups has."""
    dimension = pl.col("dimension")
    return rows.group_by("rep").agg(
        undivided=dimension.is_null().sum().cast(pl.Int64),
        channels=dimension.str.starts_with("channel=").fill_null(value=False).sum().cast(pl.Int64),
    )


def team_medians(spread: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """The medians of teams, by row: of all amounts of the period, and of those in each band.

    `spread` is (rep, period_start, band, part, worth, records).
    """
    theirs = for_teams(spread, members).select(spread.columns)
    band = pl.concat_str(pl.lit("band="), pl.col("band"))
    whole = theirs.with_columns(dimension=pl.lit(None, dtype=pl.Utf8))
    by_band = theirs.filter(pl.col("band").is_not_null()).with_columns(dimension=band)
    every = pl.concat([whole, by_band])
    found = every.select(_ROW).unique()
    for name in median_columns():
        of_part = medians(every.filter(pl.col("part") == name), name, _ROW)
        found = found.join(of_part, on=list(_ROW), how="left", nulls_equal=True)
    return found


def of_everyone(added: Parts, ground: Ground, names: list[str]) -> pl.DataFrame:
    """(of, period_start, everyones_revenue, everyones_revenue__n, limits) of every frame's periods."""
    frames = []
    for name in names:
        everyone = (pl.col("rep") == EVERYONE) & pl.col("dimension").is_null()
        theirs = added[name + GROUPS].filter(everyone).sort("period_start")
        told = theirs.select(
            pl.lit(name).alias("of"),
            "period_start",
            everyones_revenue="revenue",
            everyones_revenue__n="revenue__n",
        )
        frames.append(told.join(_limits(told["period_start"], ground), on="period_start"))
    return pl.concat(frames)


def _limits(starts: pl.Series, ground: Ground) -> pl.DataFrame:
    """(period_start, limits): whether the bands are final, provisional or none in each period's fiscal year."""
    years = {start: period_start(start, "year", ground.year_start) for start in starts.cast(pl.Int32).to_list()}
    by_year = ground.limits_of(sorted(set(years.values())))
    told = dict(by_year.select("year", "limits").iter_rows())
    return pl.DataFrame(
        {"period_start": starts, "limits": [told[year] for year in years.values()]},
        schema_overrides={"limits": pl.Utf8},
    )


def with_company(rows: pl.DataFrame, name: str, parts: Parts) -> pl.DataFrame:
    """Undivided rows of a frame, with what is the same for everyone."""
    same = parts[COMPANY].filter(pl.col("of") == name).drop("of")
    return rows.join(same, on="period_start", how="left", maintain_order="left")


def team_evidence(rows: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """The records behind the teams' values, from the lists of the members."""
    return merged(for_teams(rows, members).select(rows.columns))
