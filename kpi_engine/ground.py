"""What every conclusion starts from: who sells, where, since when; the periods there are, and the sizes of deals."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from kpi_engine.frames import Tables
from kpi_engine.periods import following_start, period_end, period_start, previous_start, starts_between, working_days
from kpi_engine.populations import collected, portable
from kpi_engine.populations.bands import limits_by_year, limits_frame
from kpi_engine.populations.money import rates
from kpi_engine.populations.quotas import crm_quotas
from kpi_engine.populations.reps import known_reps, team_key, teams
from kpi_engine.records import UNASSIGNED, Company, Day, Millis
from kpi_engine.rolling import KEYS
from kpi_engine.shares import Agreed
from kpi_engine.targets import Targets

SO_FAR = "_so_far"
"""Ending of the frames that hold the previous period up to the working day which the current one has reached."""

_EVALUATED = {"rep": pl.Utf8, "period_start": pl.Int32, "evaluated": pl.Int32}


@dataclass(frozen=True)
class Placement:
    """Which period a record falls into.

    calendar    (day, period_start, year): the periods, and the fiscal year of each period's first day
    evaluated   (rep, period_start, evaluated): the day on which a rep's snapshot is taken
    cut         whether records after `evaluated` are left out
    always      (rep, period_start) that have a row even without records; where `cut`, if the whole period has one
    """

    grain: str
    calendar: pl.DataFrame
    evaluated: pl.DataFrame
    cut: bool
    always: pl.DataFrame


class Ground:
    """Of the tables only reps, quotas and rates are looked at.

    `won` is (day, whole_amount, records) of every deal won, `recorded` the first day there is (None: there is none),
    `limits` what `won` says of the bands, if that is known already.
    """

    def __init__(
        self,
        tables: Tables,
        company: Company,
        as_of: Millis,
        *,
        won: pl.DataFrame,
        recorded: Day | None,
        limits: pl.DataFrame | None = None,
    ) -> None:
        self.company = company
        self.year_start = company.fiscal_year_start
        self.reps = known_reps(portable(tables["rep"]), company, as_of)
        self.today: dict[str, int] = dict(self.reps.select("rep", "today").iter_rows())
        self.last = max(self.today.values())
        self.first = Day(recorded if recorded is not None else min(self.today.values()))
        self.recorded = recorded
        self.won = won
        self._limits = limits
        self._tables = tables
        self.teams = teams(self.reps)
        pairs = [(rep, team_key(boss)) for boss, team in self.teams.items() for rep in team]
        self.members = pl.DataFrame(pairs, schema={"rep": pl.Utf8, "team": pl.Utf8}, orient="row")

    @cached_property
    def targets(self) -> Targets:
        return Targets(self.company, self.teams, self.first, self.last)

    @cached_property
    def quotas(self) -> dict[str, list[Agreed]]:
        exchange = rates(portable(self._tables["rate"]), self.company.home_currency)
        return crm_quotas(portable(self._tables["quota"]), exchange)

    def limits(self, place: Placement) -> pl.DataFrame:
        """The limits of the bands in each of the placement's fiscal years."""
        return self.limits_of(place.calendar["year"].unique().sort().to_list())

    def limits_of(self, years: list[int]) -> pl.DataFrame:
        """Of `every_limit` those of some years."""
        return self.every_limit.filter(pl.col("year").is_in(years))

    @cached_property
    def every_limit(self) -> pl.DataFrame:
        """(year, first_limit, second_limit, limits) of every fiscal year in which a period may begin."""
        if self._limits is not None:
            return self._limits
        before = previous_start(period_start(self.first, "year", self.year_start), "year", self.year_start)
        years = starts_between(before, self.last, "year", self.year_start)
        return collected(limits_frame(limits_by_year(self.won, self.company, [*years])))

    # ── periods ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def place(self, name: str, only: Collection[str], asked: Collection[int] | None = None) -> Placement:
        """The placement of the frame of that name, for these reps and (unless None) the periods that start then."""
        grain = name.removesuffix(SO_FAR)
        return self._whole(grain, only, asked) if grain == name else self._previous_so_far(grain, only, asked)

    def _whole(self, grain: str, only: Collection[str], asked: Collection[int] | None) -> Placement:
        """Every period from the first day to today."""
        every = starts_between(self.first, self.last, grain, self.year_start)
        starts = [start for start in every if asked is None or start in asked]
        ends = [period_end(start, grain, self.year_start) for start in starts]
        periods = pl.DataFrame(
            {"period_start": starts, "_end": ends}, schema=dict.fromkeys(("period_start", "_end"), pl.Int32)
        )
        who = self.reps.filter(pl.col("rep").is_in(list(only))).select("rep", "today", _first=self._first_start(grain))
        evaluated = who.join(periods, how="cross").filter(
            pl.col("_first") <= pl.col("period_start"), pl.col("period_start") <= pl.col("today")
        )
        evaluated = evaluated.select(*KEYS, evaluated=pl.min_horizontal("_end", "today").cast(pl.Int32))
        active = self.reps.filter(pl.col("active"))["rep"]
        always = evaluated.filter(pl.col("rep").is_in(active.implode())).select(KEYS)
        return Placement(grain, self._calendar(grain, starts), evaluated, cut=False, always=always)

    def _first_start(self, grain: str) -> pl.Expr:
        """The first period that a rep's rows may hold: that of everyone's first record; without any, of today."""
        if self.recorded is not None:
            return pl.lit(period_start(self.first, grain, self.year_start), dtype=pl.Int32)
        starts = {day: period_start(day, grain, self.year_start) for day in set(self.today.values())}
        return pl.col("today").replace_strict(starts, return_dtype=pl.Int32)

    def _previous_so_far(self, grain: str, only: Collection[str], asked: Collection[int] | None) -> Placement:
        """The period before each current one, up to the same working day.

        At the turn of a period the current one is not the same everywhere: then each rep has a share in both, for teams
        that are spread over time zones.
        """
        year = self.year_start
        current = {period_start(today, grain, year) for today in self.today.values()}
        recorded = {day: period_start(day, grain, year) for day in {self.first, *self.today.values()}}
        rows = []
        for rep in sorted(only):
            today = self.today[rep]
            days = working_days(self.company, None if rep == UNASSIGNED else rep)
            first = recorded[today if self.recorded is None else self.first]
            for start in current:
                before = previous_start(start, grain, year)
                last = period_end(before, grain, year)
                if before >= first and (asked is None or before in asked):
                    over = period_end(start, grain, year) < today
                    rows.append((rep, before, last if over else days.nth(before, last, days.count(start, today))))
        evaluated = pl.DataFrame(rows, schema=_EVALUATED, orient="row")
        starts = sorted(evaluated["period_start"].unique())
        return Placement(grain, self._calendar(grain, starts), evaluated, cut=True, always=evaluated.select(KEYS))

    def _calendar(self, grain: str, starts: list[Day]) -> pl.DataFrame:
        rows = [
            (day, start, period_start(start, "year", self.year_start))
            for start in starts
            for day in range(start, following_start(start, grain, self.year_start))
        ]
        return pl.DataFrame(rows, schema=dict.fromkeys(("day", "period_start", "year"), pl.Int32), orient="row")
