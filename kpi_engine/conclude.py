"""Days in, rows out: each rep's periods, by channel and by deal size band, with the records behind them.

Who is left out (`only`) costs nothing: a rep's rows follow from that rep's days and from what `kpi_engine.ground` knows
of everyone. Teams and everyone are what their members' rows add up to (`kpi_engine.groups`).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

import polars as pl

from kpi_engine.daily import ASSUMING, NO_BAND, NOTHING_EVIDENT, SIZED, Daily, Evident
from kpi_engine.evidence import evidence
from kpi_engine.ground import SO_FAR, Ground, Placement
from kpi_engine.periods import GRAINS
from kpi_engine.populations import collected, portable
from kpi_engine.populations.bands import with_band
from kpi_engine.populations.quotas import rep_quotas
from kpi_engine.records import UNASSIGNED
from kpi_engine.rolling import KEYS, PARTS_OF, medians, records_column

Parts = dict[str, pl.DataFrame]

EVIDENCE = "_evidence"
"""Ending of the frames that list the records behind a grain's values."""

AWAY = "_away"
"""Ending of the frames of quotas that reps without a row have: they count for their teams."""

SPREAD = "_spread"
"""Ending of the frames of the amounts in each period of which a median is taken."""

BY_BAND = ("closed_deals", "deal_touches")

ROWS = "rows"
"""The column that tells of how many reps' rows a row is made."""


def conclude_reps(
    days: Daily,
    ground: Ground,
    only: Collection[str],
    grains: Iterable[str] = GRAINS,
    evident: Evident = NOTHING_EVIDENT,
    starts: Mapping[str, Collection[int]] | None = None,
) -> Parts:
    """The rows of these reps, whose days these are: for each grain its frame, the one with `SO_FAR`, and what teams
    need beside them (`AWAY`, `SPREAD`). With `starts` only the periods of a grain that begin then."""
    found: Parts = {}
    for grain in grains:
        asked = None if starts is None else starts[grain]
        whole = ground.place(grain, only, asked)
        found |= _of_grain(days, ground, whole, grain)
        if grain in evident.grains:
            found[grain + EVIDENCE] = _evidence(days, ground, whole, evident.kpis)
        if grain != "day":
            cut = _where_there_is_a_row(ground.place(grain + SO_FAR, only, asked), found[grain])
            found |= _of_grain(days, ground, cut, grain + SO_FAR)
    return found


def _where_there_is_a_row(cut: Placement, whole: pl.DataFrame) -> Placement:
    there = whole.filter(pl.col("dimension").is_null()).select("rep", pl.col("period_start").cast(pl.Int32))
    return replace(cut, always=cut.always.join(there, on=KEYS, how="semi"))


def _evidence(days: Daily, ground: Ground, place: Placement, kpis: tuple[str, ...]) -> pl.DataFrame:
    """The records behind the values of one grain."""
    rows = _sized(_in_periods(days["listed"], place), ground.limits(place))
    then = days["listed_open"].filter(pl.col("grain") == place.grain)
    then = then.join(place.evaluated, on=KEYS, how="semi")
    return evidence(pl.concat([rows, then], how="diagonal"), kpis)


def _in_periods(days: pl.DataFrame, place: Placement) -> pl.DataFrame:
    """Rows of days, with the period that each falls into."""
    there = days.join(place.calendar, on="day")
    if place.cut:
        return there.join(place.evaluated, on=KEYS).filter(pl.col("day") <= pl.col("evaluated")).drop("evaluated")
    return there


def _sized(rows: pl.DataFrame, limits: pl.DataFrame) -> pl.DataFrame:
    """Rows with their `band`; of those that were worked out for any band only the ones for the band it is."""
    banded = collected(with_band(portable(rows), portable(limits)))
    if "if_band" not in rows.columns:
        return banded
    right = pl.col("if_band") == pl.col("band").fill_null(NO_BAND)
    return banded.filter(pl.col("if_band").is_null() | right).drop("if_band")


@dataclass(frozen=True)
class _Rows:
    """The days in the periods of one grain.

    single   those that know neither size nor snapshot, and the snapshots of the days on which periods are evaluated
    sized    those of deals, by the name of their frame, with `band`
    """

    single: tuple[pl.DataFrame, ...]
    sized: dict[str, pl.DataFrame]
    spread: pl.DataFrame
    channels: pl.DataFrame


def _placed(days: Daily, place: Placement, limits: pl.DataFrame) -> _Rows:
    evaluated = place.evaluated.rename({"evaluated": "day"})
    sized = [name for each in SIZED for name in (each, each + ASSUMING) if name in days]
    return _Rows(
        single=(_in_periods(days["days"], place), days["open"].join(evaluated, on=["rep", "day"])),
        sized={name: _sized(_in_periods(days[name], place), limits) for name in sized},
        spread=_sized(_in_periods(days["spread"], place), limits),
        channels=_in_periods(days["channels"], place),
    )


def _of_grain(days: Daily, ground: Ground, place: Placement, name: str) -> Parts:
    """The wide frame of one grain and what stands beside it."""
    limits = ground.limits(place)
    rows = _placed(days, place, limits)
    present = _present(place, rows)
    base = present
    quotas, away = _quotas(ground, place, present)
    added_up = [_summed(frame, KEYS) for frame in (*rows.single, *rows.sized.values())]
    for frame in (_summed(pl.concat(added_up, how="diagonal"), KEYS), *_medians(rows.spread, KEYS), quotas):
        base = base.join(frame, on=list(KEYS), how="left")
    whole = with_zeros(base).with_columns(dimension=pl.lit(None, dtype=pl.Utf8))
    frame = pl.concat([whole, *_split(rows)], how="diagonal").with_columns(pl.lit(1, dtype=pl.Int64).alias(ROWS))
    return {name: as_parts(frame), name + AWAY: away, name + SPREAD: _lasting(rows.spread.drop("day", "year"))}


def spread_in_periods(
    spread: pl.DataFrame, ground: Ground, name: str, starts: Collection[int] | None = None
) -> pl.DataFrame:
    """The amounts of which medians are taken, in the periods of the frame of that name (which begin then)."""
    place = ground.place(name, ground.today, starts)
    return _lasting(_sized(_in_periods(spread, place), ground.limits(place)).drop("day", "year"))


def with_zeros(rows: pl.DataFrame) -> pl.DataFrame:
    """No record is 0; no quota, or nothing to take a median of, is null."""
    never_zero = {"quota", "quota__n", *median_columns()}
    counted = [name for name in rows.columns if rows.schema[name].is_numeric() and name not in never_zero]
    return rows.with_columns(pl.col(name).fill_null(0) for name in counted if name not in KEYS)


def as_parts(rows: pl.DataFrame) -> pl.DataFrame:
    """The columns of a grain's frame, in their order, its rows in theirs."""
    return _lasting(rows).select(columns()).sort("rep", "period_start", "dimension", nulls_last=False)


def columns() -> list[str]:
    """Of a grain's frame."""
    parts = [part for parts in PARTS_OF.values() for part in parts]
    named = dict.fromkeys(column for part in parts for column in (part.name, records_column(part)))
    return [*KEYS, "dimension", *named, "quota", "quota__n", "campaigns_uncosted", "deals_without_amount", ROWS]


def _lasting(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(pl.col("period_start").cast(pl.Int32).cast(pl.Date))


def _present(place: Placement, rows: _Rows) -> pl.DataFrame:
    """Who has a row: every active rep, and every rep with a record in the period."""
    if place.cut:
        return place.always
    every = pl.concat([place.always, *(frame.select(KEYS) for frame in rows.single)]).unique()
    return every.join(place.evaluated.select(KEYS), on=KEYS, how="semi")


def _summed(rows: pl.DataFrame, keys: tuple[str, ...]) -> pl.DataFrame:
    """What the days add up to; how many records a day has says nothing of a part."""
    sums = [name for name in rows.columns if name not in _NO_SUMS and name not in keys]
    return rows.group_by(keys).agg(pl.col(sums).sum())


_NO_SUMS = {*KEYS, "day", "year", "records", "whole_amount", "band"}


def _medians(spread: pl.DataFrame, keys: tuple[str, ...]) -> list[pl.DataFrame]:
    """A frame for each part that is a median, by `keys`."""
    return [medians(spread.filter(pl.col("part") == name), name, keys) for name in median_columns()]


def median_columns() -> list[str]:
    """The parts that are medians."""
    return [part.name for parts in PARTS_OF.values() for part in parts if part.how == "median"]


def _quotas(ground: Ground, place: Placement, present: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Quotas of those who have a row, and of those who have none. The latter have no target there, only what the CRM
    gives; nobody has a quota in a period that has not begun where he or she is."""
    starts = sorted(place.evaluated["period_start"].unique())
    who = sorted(set(place.evaluated["rep"]) - {UNASSIGNED})
    crm, company, agreed = ground.quotas, ground.company, ground.targets
    own = rep_quotas(who, crm, agreed, company, place.grain, starts)
    by_crm = rep_quotas([rep for rep in who if rep in crm], crm, agreed.without_any(), company, place.grain, starts)
    away = by_crm.join(present, on=KEYS, how="anti").join(place.evaluated.select(KEYS), on=KEYS, how="semi")
    return own.join(present, on=KEYS, how="semi"), _lasting(away)


def _split(rows: _Rows) -> list[pl.DataFrame]:
    """The rows of dimensions, where there are records: each channel and each deal size band."""
    channels = _summed(rows.channels, (*KEYS, "channel"))
    return [_as_dimension(channels, "channel"), _as_dimension(_by_band(rows), "band")]


def _by_band(rows: _Rows) -> pl.DataFrame:
    keys = (*KEYS, "band")
    sized = [rows.sized[name].filter(pl.col("band").is_not_null()) for name in BY_BAND]
    closed, touches = (_summed(frame, keys) for frame in sized)
    bands = closed.join(touches, on=keys, how="left")
    for frame in _medians(rows.spread.filter(pl.col("band").is_not_null()), keys):
        bands = bands.join(frame, on=keys, how="left")
    added_up = [name for name in touches.columns if name not in keys]
    return bands.with_columns(pl.col(name).fill_null(0) for name in added_up)


def _as_dimension(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    return frame.with_columns(dimension=pl.concat_str(pl.lit(f"{name}="), pl.col(name))).drop(name)
