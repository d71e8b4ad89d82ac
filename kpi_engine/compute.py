"""Tables in, parts out: the numerators and denominators of every KPI for every rep, team and period.

`compute` gives one wide frame a grain: `rep`, `period_start`, `dimension` (null, `channel=Web`, `band=large`) and a
column for each part. Ratios are left to `kpi_engine.values`. Beside them stand the frames of the periods that the
current ones are compared with (`month_so_far`: last month up to the same working day), the reps and the teams.

It takes two steps: what the records add to each day (`kpi_engine.daily`), and what follows from the days (`conclude`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from kpi_engine.daily import ASSUMING, NO_BAND, NOTHING_EVIDENT, SIZED, Daily, Evident, added, campaign_days, daily
from kpi_engine.evidence import evidence
from kpi_engine.frames import Tables
from kpi_engine.periods import (
    GRAINS,
    following_start,
    period_end,
    period_start,
    previous_start,
    starts_between,
    working_days,
)
from kpi_engine.populations import collected, portable
from kpi_engine.populations.bands import limits_by_year, limits_frame, with_band
from kpi_engine.populations.money import rates
from kpi_engine.populations.quotas import crm_quotas, rep_quotas
from kpi_engine.populations.reps import known_reps, team_key, teams
from kpi_engine.records import EVERYONE, UNASSIGNED, Company, Day, Millis
from kpi_engine.rolling import KEYS, PARTS_OF, for_teams, medians, records_column
from kpi_engine.shares import Agreed
from kpi_engine.targets import Targets

__all__ = ["EVIDENCE", "NOTHING_EVIDENT", "SO_FAR", "Evident", "Parts", "compute", "conclude"]

Parts = dict[str, pl.DataFrame]

SO_FAR = "_so_far"
"""Ending of the frames that hold the previous period up to the working day which the current one has reached."""

EVIDENCE = "_evidence"
"""Ending of the frames that list the records behind a grain's values."""

BY_BAND = ("closed_deals", "deal_touches")


def compute(
    tables: Tables,
    company: Company,
    as_of: Millis,
    *,
    since: Day | None = None,
    grains: Iterable[str] = GRAINS,
    evident: Evident = NOTHING_EVIDENT,
) -> Parts:
    """The parts of every period from the first record (or `since`) to `as_of`, and the evidence that was asked for."""
    days = [
        daily(tables, company, as_of, since=since, evident=evident),
        campaign_days(tables, company, as_of, evident),
    ]
    return conclude(added(days), tables, company, as_of, since=since, grains=grains, evident=evident)


def conclude(
    days: Daily,
    tables: Tables,
    company: Company,
    as_of: Millis,
    *,
    since: Day | None = None,
    grains: Iterable[str] = GRAINS,
    evident: Evident = NOTHING_EVIDENT,
) -> Parts:
    """The parts that follow from the days; of the tables only those of reps, quotas and rates are looked at."""
    counted = _Counted(days, tables, company, as_of, since)
    parts: Parts = {"rep": counted.reps.with_columns(today=_date(pl.col("today"))), "team": counted.members}
    for grain in grains:
        place = _whole_periods(counted, grain)
        parts[grain] = _of_grain(counted, place)
        if grain in evident.grains:
            parts[grain + EVIDENCE] = _evidence(counted, place, evident.kpis)
        if grain != "day":
            parts[grain + SO_FAR] = _of_grain(counted, _previous_so_far(counted, grain, parts[grain]))
    return parts


class _Counted:
    """What every grain starts from."""

    def __init__(self, days: Daily, tables: Tables, company: Company, as_of: Millis, since: Day | None) -> None:
        self.days = days
        self.company = company
        self.year_start = company.fiscal_year_start
        self.reps = known_reps(portable(tables["rep"]), company, as_of)
        self.today = dict(self.reps.select("rep", "today").iter_rows())
        self.last = max(self.today.values())
        recorded: int | None = days["days"]["day"].min() if since is None else since  # type: ignore[assignment]
        self.first = Day(recorded if recorded is not None else min(self.today.values()))
        self._recorded = recorded
        self._tables = tables
        self.teams = teams(self.reps)
        pairs = [(rep, team_key(boss)) for boss, team in self.teams.items() for rep in team]
        self.members = pl.DataFrame(pairs, schema={"rep": pl.Utf8, "team": pl.Utf8}, orient="row")

    def first_of(self, rep: str) -> int:
        """The first day that a rep's rows may hold: everyone's first record; without any, the rep's own today."""
        return self.today[rep] if self._recorded is None else self.first

    @cached_property
    def targets(self) -> Targets:
        return Targets(self.company, self.teams, self.first, self.last)

    @cached_property
    def quotas(self) -> dict[str, list[Agreed]]:
        exchange = rates(portable(self._tables["rate"]), self.company.home_currency)
        return crm_quotas(portable(self._tables["quota"]), exchange)


@dataclass(frozen=True)
class _Placement:
    """Which period a record falls into.

    calendar    (day, period_start, year): the periods, and the fiscal year of each period's first day
    evaluated   (rep, period_start, evaluated): the day on which a rep's snapshot is taken
    cut         whether records after `evaluated` are left out
    always      (rep, period_start) that have a row even without records
    """

    grain: str
    calendar: pl.DataFrame
    evaluated: pl.DataFrame
    cut: bool
    always: pl.DataFrame


def _whole_periods(counted: _Counted, grain: str) -> _Placement:
    starts = starts_between(counted.first, counted.last, grain, counted.year_start)
    rows = [
        (rep, start, min(period_end(start, grain, counted.year_start), today))
        for rep, today in counted.today.items()
        for start in starts
        if period_start(counted.first_of(rep), grain, counted.year_start) <= start <= today
    ]
    evaluated = _evaluated(rows)
    active = counted.reps.filter(pl.col("active"))["rep"]
    always = evaluated.filter(pl.col("rep").is_in(active.implode())).select(KEYS)
    return _Placement(grain, _calendar(counted, grain, starts), evaluated, cut=False, always=always)


def _previous_so_far(counted: _Counted, grain: str, whole: pl.DataFrame) -> _Placement:
    """The period before each current one, up to the same working day. At the turn of a period the current one is not
    the same everywhere: then each rep has a share in both, for teams that are spread over time zones."""
    year_start = counted.year_start
    current = {period_start(today, grain, year_start) for today in counted.today.values()}
    rows = []
    for rep, today in counted.today.items():
        days = working_days(counted.company, None if rep == UNASSIGNED else rep)
        recorded = period_start(counted.first_of(rep), grain, year_start)
        for start in current:
            before = previous_start(start, grain, year_start)
            last = period_end(before, grain, year_start)
            if before >= recorded:
                over = period_end(start, grain, year_start) < today
                rows.append((rep, before, last if over else days.nth(before, last, days.count(start, today))))
    evaluated = _evaluated(rows)
    starts = sorted(evaluated["period_start"].unique())
    there = whole.filter(pl.col("dimension").is_null()).select("rep", _days(pl.col("period_start")))
    always = evaluated.select(KEYS).join(there, on=KEYS, how="semi")
    return _Placement(grain, _calendar(counted, grain, starts), evaluated, cut=True, always=always)


def _evaluated(rows: Sequence[tuple[str, int, int]]) -> pl.DataFrame:
    schema = {"rep": pl.Utf8, "period_start": pl.Int32, "evaluated": pl.Int32}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _calendar(counted: _Counted, grain: str, starts: list[Day]) -> pl.DataFrame:
    rows = [
        (day, start, period_start(start, "year", counted.year_start))
        for start in starts
        for day in range(start, following_start(start, grain, counted.year_start))
    ]
    return pl.DataFrame(rows, schema={"day": pl.Int32, "period_start": pl.Int32, "year": pl.Int32}, orient="row")


def _limits(counted: _Counted, place: _Placement) -> pl.DataFrame:
    years = place.calendar["year"].unique().sort().to_list()
    return collected(limits_frame(limits_by_year(counted.days["won"], counted.company, years)))


def _evidence(counted: _Counted, place: _Placement, kpis: Sequence[str]) -> pl.DataFrame:
    """The records behind the values of one grain."""
    rows = _sized(_in_periods(counted.days["listed"], place), _limits(counted, place))
    then = counted.days["listed_open"].filter(pl.col("grain") == place.grain)
    then = then.join(place.evaluated, on=KEYS, how="semi")
    return evidence(pl.concat([rows, then], how="diagonal"), kpis, counted.members)


def _in_periods(days: pl.DataFrame, place: _Placement) -> pl.DataFrame:
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


def _placed(counted: _Counted, place: _Placement, limits: pl.DataFrame) -> _Rows:
    days = counted.days
    evaluated = place.evaluated.rename({"evaluated": "day"})
    sized = [name for each in SIZED for name in (each, each + ASSUMING) if name in days]
    return _Rows(
        single=(_in_periods(days["days"], place), days["open"].join(evaluated, on=["rep", "day"])),
        sized={name: _sized(_in_periods(days[name], place), limits) for name in sized},
        spread=_sized(_in_periods(days["spread"], place), limits),
        channels=_in_periods(days["channels"], place),
    )


def _of_grain(counted: _Counted, place: _Placement) -> pl.DataFrame:
    """The wide frame of one grain."""
    limits = _limits(counted, place)
    rows = _placed(counted, place, limits)
    present = _present(place, rows)
    base = pl.concat([present, for_teams(present, counted.members).unique()])
    added_up = [_summed(frame, KEYS) for frame in (*rows.single, *rows.sized.values())]
    for frame in (
        _with_teams(pl.concat(added_up, how="diagonal"), KEYS, counted.members),
        *_medians(rows.spread, KEYS, counted.members),
        _everyones_revenue(rows),
        _quotas(counted, place, present),
        _limits_of_periods(place, limits),
    ):
        base = base.join(frame, on=[key for key in KEYS if key in frame.columns], how="left")
    never_zero = {"quota", "quota__n", *_median_columns()}
    whole = base.with_columns(
        pl.col(name).fill_null(0) for name in base.columns if base.schema[name].is_numeric() and name not in never_zero
    ).with_columns(dimension=pl.lit(None, dtype=pl.Utf8))
    frame = pl.concat([whole, *_split(counted, rows)], how="diagonal")
    lasting = frame.with_columns(period_start=_date(pl.col("period_start")))
    return lasting.select(_columns()).sort("rep", "period_start", "dimension", nulls_last=False)


def _columns() -> list[str]:
    parts = [part for parts in PARTS_OF.values() for part in parts]
    named = dict.fromkeys(column for part in parts for column in (part.name, records_column(part)))
    more = ("everyones_revenue", "everyones_revenue__n", "quota", "quota__n")
    return [*KEYS, "dimension", *named, *more, "campaigns_uncosted", "deals_without_amount", "limits"]


def _present(place: _Placement, rows: _Rows) -> pl.DataFrame:
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


def _with_teams(rows: pl.DataFrame, keys: tuple[str, ...], members: pl.DataFrame) -> pl.DataFrame:
    """Rows of reps added up by `keys`, and once more for each team that the rep is in."""
    own = _summed(rows, keys)
    teams = _summed(for_teams(own, members), keys)
    return pl.concat([own, teams.select(own.columns)])


def _medians(spread: pl.DataFrame, keys: tuple[str, ...], members: pl.DataFrame) -> list[pl.DataFrame]:
    """A frame for each part that is a median, by `keys`."""
    every = pl.concat([spread, for_teams(spread, members).select(spread.columns)])
    return [medians(every.filter(pl.col("part") == name), name, keys) for name in _median_columns()]


def _median_columns() -> list[str]:
    return [part.name for parts in PARTS_OF.values() for part in parts if part.how == "median"]


def _everyones_revenue(rows: _Rows) -> pl.DataFrame:
    revenue = rows.sized["revenue"]
    return revenue.group_by("period_start").agg(
        everyones_revenue=pl.col("revenue").sum(), everyones_revenue__n=pl.col("records").sum()
    )


def _quotas(counted: _Counted, place: _Placement, present: pl.DataFrame) -> pl.DataFrame:
    """Quotas of reps, and of teams: the sum over the members who manage nobody. Who has no row in a period has no
    target there, only what the CRM gives; nobody has a quota in a period that has not begun where he or she is."""
    starts = sorted(place.evaluated["period_start"].unique())
    who = [rep for rep in counted.today if rep != UNASSIGNED]
    crm, company, agreed = counted.quotas, counted.company, counted.targets
    here = rep_quotas(who, crm, agreed, company, place.grain, starts).join(present, on=KEYS, how="semi")
    by_crm = rep_quotas(list(crm), crm, agreed.without_any(), company, place.grain, starts)
    away = by_crm.filter(pl.col("rep").is_in(who)).join(present, on=KEYS, how="anti")
    own = pl.concat([here, away]).join(place.evaluated.select(KEYS), on=KEYS, how="semi")
    leaves = own.filter(~pl.col("rep").is_in(list(counted.teams)))
    of_teams = for_teams(leaves, counted.members).group_by(KEYS).agg(pl.col("quota").sum(), pl.col("quota__n").sum())
    return pl.concat([own, of_teams])


def _limits_of_periods(place: _Placement, limits: pl.DataFrame) -> pl.DataFrame:
    of_year = limits.select("year", "limits")
    return place.calendar.select("period_start", "year").unique().join(of_year, on="year").drop("year")


def _split(counted: _Counted, rows: _Rows) -> list[pl.DataFrame]:
    """The rows of dimensions, where there are records: each channel (also over all reps) and each deal size band."""
    by_channel = _with_teams(rows.channels, (*KEYS, "channel"), counted.members)
    own = by_channel.filter(~pl.col("rep").str.starts_with("team:"))
    of_all = _summed(own, ("period_start", "channel")).with_columns(rep=pl.lit(EVERYONE))
    channels = pl.concat([by_channel, of_all.select(by_channel.columns)])
    return [_as_dimension(channels, "channel"), _as_dimension(_by_band(counted, rows), "band")]


def _by_band(counted: _Counted, rows: _Rows) -> pl.DataFrame:
    keys = (*KEYS, "band")
    sized = [rows.sized[name].filter(pl.col("band").is_not_null()) for name in BY_BAND]
    closed, touches = (_with_teams(frame, keys, counted.members) for frame in sized)
    bands = closed.join(touches, on=keys, how="left")
    for frame in _medians(rows.spread.filter(pl.col("band").is_not_null()), keys, counted.members):
        bands = bands.join(frame, on=keys, how="left")
    added_up = [name for name in touches.columns if name not in keys]
    return bands.with_columns(pl.col(name).fill_null(0) for name in added_up)


def _as_dimension(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    return frame.with_columns(dimension=pl.concat_str(pl.lit(f"{name}="), pl.col(name))).drop(name)


def _date(day: pl.Expr) -> pl.Expr:
    return day.cast(pl.Date)


def _days(date: pl.Expr) -> pl.Expr:
    return date.cast(pl.Int32)
