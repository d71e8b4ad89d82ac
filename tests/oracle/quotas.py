"""What is wanted: quotas of reps and teams, and the targets of every KPI, for each period."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from kpi_engine.records import EVERYONE, UNASSIGNED, Company, Quota, Target

from .days import GRAINS, ONE_DAY, Period, period_of, plain
from .deals import Money
from .people import Records, Staff

ADD_UP = {
    "emails_sent",
    "calls_made",
    "calls_answered",
    "talk_minutes",
    "touchpoints",
    "revenue",
    "deals_won",
    "deals_lost",
    "quota",
    "leads_created",
    "interested_leads",
}
"""Denominator 1 and not a snapshot (a median is no sum either): what adds up over days."""


@dataclass(frozen=True)
class Wanted:
    """A quota and how many reps' quotas it adds up."""

    amount: Fraction
    reps: int


class Targets:
    """The configured targets."""

    def __init__(self, company: Company, staff: Staff) -> None:
        self._company = company
        self._staff = staff

    def _scopes(self, key: str) -> list[str]:
        """The scopes that hold for a rep, the narrowest first.

        Silent: a team's target holds for each member, the nearest manager's first (a manager belongs to the own team),
        and for the team's row as it stands; nobody's records have no targets.
        """
        if key in (UNASSIGNED, EVERYONE):
            return []
        teams = [each for each in (key, *self._staff.managers_above(key)) if each in self._staff.teams()]
        return [f"rep:{key}", *(f"team:{manager}" for manager in teams), "everyone"]

    def _in_force(self, kpi: str, scope: str, day: date) -> dict[str, Target]:
        """Grain → the latest target of a scope that is in force on a day."""
        found: dict[str, Target] = {}
        for target in sorted(self._company.targets, key=lambda target: target.from_on):
            if (target.kpi, target.scope) == (kpi, scope) and plain(target.from_on) <= day:
                found[target.grain] = target
        return found

    def _narrowest(self, kpi: str, scopes: list[str], grain: str, day: date) -> Target | None:
        """The narrowest scope wins, then the grain's own target. Silent: else the finest grain given."""
        for scope in scopes:
            found = self._in_force(kpi, scope, day)
            if found:
                return found.get(grain) or found[min(found, key=GRAINS.index)]
        return None

    def of_rep(self, kpi: str, key: str, period: Period) -> tuple[Fraction | None, bool]:
        """The target of a rep, and whether it was given for exactly this grain."""
        return self._target(kpi, self._scopes(key), period, lambda day: self._staff.works(key, day))

    def of_team(self, kpi: str, manager: str, present: list[str], period: Period) -> Fraction | None:
        """Its own target, else the sum of its members' for what adds up.

        Silent: its calendar is the manager's; who has no row in the period has no target there.
        """
        own = self._own(kpi, manager, period)
        if own is not None or kpi not in ADD_UP:
            return own
        theirs = [target for member in present if (target := self.of_rep(kpi, member, period)[0]) is not None]
        return sum(theirs, Fraction(0)) if theirs else None

    def _own(self, kpi: str, manager: str, period: Period) -> Fraction | None:
        return self._target(kpi, [f"team:{manager}"], period, lambda day: self._staff.works(manager, day))[0]

    def _target(
        self, kpi: str, scopes: list[str], period: Period, works: Callable[[date], bool]
    ) -> tuple[Fraction | None, bool]:
        own = self._narrowest(kpi, scopes, period.grain, period.last)
        if kpi not in ADD_UP:
            return (None, False) if own is None else (value_of(own), own.grain == period.grain)
        if own is not None and own.grain == period.grain:
            return value_of(own), True
        return self._converted(kpi, scopes, period, works), False

    def _converted(self, kpi: str, scopes: list[str], period: Period, works: Callable[[date], bool]) -> Fraction | None:
        """The sum of its working days, each with its share of the target in force that day; a day without one: none."""
        working = [day for day in period.days() if works(day)]
        total = Fraction(0)
        for day in working or [period.start]:
            target = self._narrowest(kpi, scopes, period.grain, day)
            if target is None:
                return None
            if working:
                its = period_of(target.grain, day, self._company.fiscal_year_start)
                total += value_of(target) / sum(works(each) for each in its.days())
        return total


def value_of(target: Target) -> Fraction:
    """A target's value, exact."""
    return Fraction(Decimal(target.value))


class Quotas:
    """The revenue quotas: the CRM's rows and, where the CRM has none, the configured target for `quota`."""

    def __init__(self, records: Records, company: Company, staff: Staff) -> None:
        self._staff = staff
        self._money = Money(records, company)
        self._targets = Targets(company, staff)
        # Silent: an amount without a rate is unknown, and an unknown quota is none.
        self._amounts = {
            row.id: amount
            for row in records.all(Quota)
            if (amount := self._money.home(row.amount, row.currency, plain(row.starts_on))) is not None
        }
        living = [row for row in records.all(Quota) if not row.deleted and row.ends_on > row.starts_on]
        self._rows = [row for row in living if row.id in self._amounts]

    def of_rep(self, key: str, period: Period, *, only_rows: bool = False) -> Fraction | None:
        """The row or target of exactly that period; else the rows' working days; else the target converted."""
        if key == UNASSIGNED:
            return None
        mine = [row for row in self._rows if row.rep == key]
        exact = [row for row in mine if (plain(row.starts_on), plain(row.ends_on)) == (period.start, period.end)]
        if exact:
            return self._amounts[min(exact, key=lambda row: row.id).id]
        target, own_grain = (None, False) if only_rows else self._targets.of_rep("quota", key, period)
        if target is not None and own_grain:
            return target
        from_days = self._from_days(key, mine, period)
        return from_days if from_days is not None else target

    def _from_days(self, key: str, rows: list[Quota], period: Period) -> Fraction | None:
        """Each working day's part of the finest row that covers it; a working day without one: no quota.

        Silent: a period without a working day has the quota 0 if a row covers one of its days.
        """
        working = [day for day in period.days() if self._staff.works(key, day)]
        if not working:
            return Fraction(0) if any(self._covering(rows, day) for day in period.days()) else None
        total = Fraction(0)
        for day in working:
            row = self._covering(rows, day)
            if row is None:
                return None
            total += self._amounts[row.id] / self._working_days(key, row)
        return total

    @staticmethod
    def _covering(rows: list[Quota], day: date) -> Quota | None:
        """The finest row: the fewest days. Silent: of two as fine the later start, then the smaller id."""
        covering = [row for row in rows if plain(row.starts_on) <= day < plain(row.ends_on)]
        return min(covering, key=lambda row: (row.ends_on - row.starts_on, -row.starts_on, row.id), default=None)

    def _working_days(self, key: str, row: Quota) -> int:
        days = (plain(row.starts_on) + each * ONE_DAY for each in range(row.ends_on - row.starts_on))
        return sum(self._staff.works(key, day) for day in days)

    def of_team(self, members: list[str], period: Period, present: Callable[[str], bool]) -> Wanted | None:
        """The sum over the members who manage nobody, those without a quota left out; none if none has one.

        Silent: who has no row in the period has no target there, only what the CRM gives.
        """
        amounts = [
            amount
            for member in members
            if not self._staff.below(member)
            and (amount := self.of_rep(member, period, only_rows=not present(member))) is not None
        ]
        return Wanted(sum(amounts, Fraction(0)), len(amounts)) if amounts else None
