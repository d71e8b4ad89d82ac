"""Which target holds for a rep, a KPI and a period: the narrowest scope, its own grain, the latest date.

A target given for a grain holds for that grain, for each period on whose last day it is in force. KPIs that add up are
converted over working days, each day by the target in force on it; a period with a working day that no target covers
has none. Other KPIs keep the value in every grain.
"""

from collections.abc import Iterable
from fractions import Fraction
from functools import cached_property

import msgspec

from kpi_engine.periods import (
    GRAINS,
    WorkingDays,
    following_start,
    period_end,
    period_start,
    starts_between,
    working_days,
)
from kpi_engine.records import EVERYONE, UNASSIGNED, Company, Target
from kpi_engine.shares import Agreed, Shares

Scopes = tuple[str, ...]


def chain_of(rep: str, teams: dict[str, tuple[str, ...]]) -> Scopes:
    """The scopes that a rep stands in, the narrowest first: the rep, the smallest team, …, everyone."""
    around = sorted((boss for boss, team in teams.items() if rep in team), key=lambda boss: (len(teams[boss]), boss))
    return (f"rep:{rep}", *(f"team:{boss}" for boss in around), "everyone")


class ScopeTargets:
    """The targets of one KPI in one scope."""

    def __init__(self, scope: str, targets: Iterable[Target], fiscal_year_start: int) -> None:
        self._scope, self._year = scope, fiscal_year_start
        self._by_grain: dict[str, list[Target]] = {}
        for target in sorted(targets, key=lambda target: target.from_on):
            self._by_grain.setdefault(target.grain, []).append(target)

    def own(self, grain: str, start: int) -> Fraction | None:
        """The value given for exactly this grain, in force on the period's last day."""
        return self._in_force(grain, period_end(start, grain, self._year))

    def _in_force(self, grain: str, day: int) -> Fraction | None:
        begun = [target for target in self._by_grain.get(grain, ()) if target.from_on <= day]
        return Fraction(begun[-1].value) if begun else None

    def begun(self, day: int) -> bool:
        """Whether a target of any grain is in force on that day."""
        return any(target.from_on <= day for targets in self._by_grain.values() for target in targets)

    def any_grain(self, day: int) -> Fraction | None:
        """The value of the finest grain in force on that day, for KPIs that do not add up."""
        found = (self._in_force(grain, day) for grain in GRAINS)
        return next((value for value in found if value is not None), None)

    def agreed(self, first: int, last: int) -> list[Agreed]:
        """Every period between two days with each value that holds for days of it."""
        return [
            Agreed(start, ends, Fraction(target.value), "target", f"{self._scope} {grain}", target.from_on, grain)
            for grain, targets in self._by_grain.items()
            for start in starts_between(first, last, grain, self._year)
            for ends in (following_start(start, grain, self._year),)
            for target in targets
            if target.from_on < ends
        ]


class Targets:
    """The targets of a company, by KPI and scope, over the days `first` … `last`."""

    def __init__(self, company: Company, teams: dict[str, tuple[str, ...]], first: int, last: int) -> None:
        year = company.fiscal_year_start
        self._company, self._teams = company, teams
        self.first = min(period_start(first, grain, year) for grain in GRAINS)
        self.last = max(period_end(last, grain, year) for grain in GRAINS)
        grouped: dict[tuple[str, str], list[Target]] = {}
        for target in company.targets:
            grouped.setdefault((target.kpi, target.scope), []).append(target)
        self._of = {key: ScopeTargets(key[1], rows, year) for key, rows in grouped.items()}
        self._shares: dict[tuple[str, Scopes, int, str], Shares] = {}
        self._agreed: dict[tuple[str, str], list[Agreed]] = {}

    def without_any(self) -> "Targets":
        """The same days and calendars, with nothing wanted."""
        nothing = msgspec.structs.replace(self._company, targets=())
        return Targets(nothing, self._teams, self.first, self.last)

    @cached_property
    def kpis(self) -> frozenset[str]:
        return frozenset(kpi for kpi, _ in self._of)

    def scopes(self, kpi: str, rep: str) -> Scopes:
        """Those of the rep's scopes that have a target for the KPI; a team's key has its own scope only."""
        if rep in (UNASSIGNED, EVERYONE):
            return ()
        chain = (rep,) if rep.startswith("team:") else chain_of(rep, self._teams)
        return tuple(scope for scope in chain if (kpi, scope) in self._of)

    def calendar(self, rep: str) -> WorkingDays:
        return working_days(self._company, rep.removeprefix("team:"))

    def _tiers(self, kpi: str, scopes: Scopes, grain: str) -> list[list[Agreed]]:
        """What is agreed for each period: the narrowest scope first, in each what is given for `grain`."""
        tiers = []
        for scope in scopes:
            rows = self._rows(kpi, scope)
            tiers += [[row for row in rows if (row.grain == grain) is own] for own in (True, False)]
        return tiers

    def _rows(self, kpi: str, scope: str) -> list[Agreed]:
        key = (kpi, scope)
        if key not in self._agreed:
            self._agreed[key] = self._of[key].agreed(self.first, self.last)
        return self._agreed[key]

    def value(
        self, kpi: str, scopes: Scopes, calendar: WorkingDays, grain: str, start: int, *, adds_up: bool
    ) -> Fraction | None:
        """The target of the period that starts on `start`: the narrowest scope with one on its last day decides."""
        own = self.own(kpi, scopes, grain, start)
        if own is not None:
            return own
        if adds_up:
            ends = following_start(start, grain, self._company.fiscal_year_start)
            return self.shares(kpi, scopes, calendar, grain).over(start, ends)
        last = period_end(start, grain, self._company.fiscal_year_start)
        scope = self._narrowest(kpi, scopes, last)
        return self._of[kpi, scope].any_grain(last) if scope is not None else None

    def own(self, kpi: str, scopes: Scopes, grain: str, start: int) -> Fraction | None:
        """The value of exactly this grain, unless a narrower scope has one of another grain."""
        scope = self._narrowest(kpi, scopes, period_end(start, grain, self._company.fiscal_year_start))
        return self._of[kpi, scope].own(grain, start) if scope is not None else None

    def _narrowest(self, kpi: str, scopes: Scopes, day: int) -> str | None:
        return next((scope for scope in scopes if self._of[kpi, scope].begun(day)), None)

    def shares(self, kpi: str, scopes: Scopes, calendar: WorkingDays, grain: str) -> Shares:
        """What each working day of a period of `grain` carries."""
        key = (kpi, scopes, id(calendar), grain)
        if key not in self._shares:
            tiers = self._tiers(kpi, scopes, grain)
            self._shares[key] = Shares(tiers, calendar, self.first, self.last)
        return self._shares[key]
