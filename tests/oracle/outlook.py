"""What a value means beside its target and its past: attainment, pace, state, previous, change, interval, marks."""

import math
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from kpi_engine.records import EVERYONE, UNASSIGNED

from .days import ONE_DAY, CutPeriod, Period, period_of
from .oracle import MEDIANS, NOT_AVAILABLE, PLACES, SUMS, Oracle, Result, ratio, rounded
from .quotas import ADD_UP, Targets

LESS_IS_BETTER = {
    "email_bounce_rate",
    "email_unsubscribe_rate",
    "effort_per_won_deal",
    "sales_cycle_days",
    "median_sales_cycle_days",
    "deals_lost",
    "calls_per_won_deal",
    "emails_per_won_deal",
}
SHARES_OF_CASES = {
    "email_bounce_rate",
    "email_open_rate",
    "email_click_rate",
    "email_reply_rate",
    "call_answer_rate",
    "call_follow_up_rate",
    "response_rate",
    "engagement_rate",
    "win_rate",
    "interest_rate",
    "lead_win_rate",
}
FEW_CASES = 30
Z_95 = 1.959963984540054
ON_PACE = Fraction(95, 100)
BEHIND = Fraction(8, 10)


UNITS = {"average_engagement": "score", "quota": "money", "open_leads": "count", "engaged_leads": "count"}


def unit_of(kpi: str) -> str:
    """The unit that decides the places."""
    if kpi in SUMS:
        return SUMS[kpi].unit
    return MEDIANS[kpi][0] if kpi in MEDIANS else UNITS.get(kpi, "ratio")


@dataclass(frozen=True)
class Outlook:
    """A value beside its target. The quotients are unrounded."""

    target: Fraction | None
    attainment: Fraction | None
    expected: Fraction | None
    pace: Fraction | None
    state: str


def quotient(kpi: str, value: Fraction, wanted: Fraction) -> Fraction | None:
    """value / wanted, or wanted / value where less is better; None where 0 would divide or nothing is wanted."""
    above, below = (wanted, value) if kpi in LESS_IS_BETTER else (value, wanted)
    return None if wanted == 0 or below == 0 else above / below


def state_of(
    kpi: str, value: Fraction, attainment: Fraction | None, pace: Fraction | None, expected: Fraction | None
) -> str:
    """met, on_pace, behind, at_risk or none.

    Silent: KPIs of neither direction are seen as if more were better; who is expected to have nothing yet is on pace.
    """
    if kpi in LESS_IS_BETTER and value == 0:
        return "met"
    if attainment is None:
        return "none"
    if attainment >= 1:
        return "met"
    if expected is None:
        return "none"
    if pace is None:
        return "on_pace" if expected == 0 and kpi not in LESS_IS_BETTER else "at_risk"
    if pace >= ON_PACE:
        return "on_pace"
    return "behind" if pace >= BEHIND else "at_risk"


def wilson(result: Result) -> tuple[float, float] | None:
    """The 95 % Wilson interval of a share of cases."""
    if result.value is None or not result.denominator:
        return None
    n = float(result.denominator)
    share = float(result.numerator or 0) / n
    middle = (share + Z_95**2 / (2 * n)) / (1 + Z_95**2 / n)
    half = Z_95 / (1 + Z_95**2 / n) * math.sqrt(share * (1 - share) / n + Z_95**2 / (4 * n * n))
    return middle - half, middle + half


def marks(kpi: str, result: Result) -> set[str]:
    """`small_sample` below 30 cases, `provisional` where the size bands are."""
    found = {"provisional"} if result.provisional and result.value is not None else set()
    if kpi in SHARES_OF_CASES and result.value is not None and result.n < FEW_CASES:
        found.add("small_sample")
    return found


class Outlooks:
    """Targets and comparisons for the oracle's values without a dimension."""

    def __init__(self, oracle: Oracle) -> None:
        self._oracle = oracle
        self._targets = Targets(oracle.company, oracle.staff)

    def period(self, grain: str, start: date) -> Period:
        """The period of a row."""
        return period_of(grain, start, self._oracle.company.fiscal_year_start)

    def _members(self, key: str) -> list[str]:
        return self._oracle.staff.teams()[key.removeprefix("team:")] if key.startswith("team:") else [key]

    def _calendar(self, key: str) -> str:
        """Silent: a team has its manager's working days and today."""
        return key.removeprefix("team:")

    def _today(self, key: str) -> date:
        return self._oracle.staff.today(self._calendar(key))

    def _working_days(self, key: str, first: date, end: date) -> list[date]:
        days = Period("day", first, max(first, end)).days()
        return [day for day in days if self._oracle.staff.works(self._calendar(key), day)]

    def _elapsed(self, key: str, period: Period) -> list[date]:
        """The working days elapsed; today counts."""
        return self._working_days(key, period.start, min(period.end, self._today(key) + ONE_DAY))

    def target(self, kpi: str, key: str, period: Period) -> Fraction | None:
        """The target of a rep or a team."""
        if key in (UNASSIGNED, EVERYONE):
            return None
        if key.startswith("team:"):
            present = [member for member in self._members(key) if self._oracle.has_row(member, period)]
            return self._targets.of_team(kpi, key.removeprefix("team:"), present, period)
        return self._targets.of_rep(kpi, key, period)[0]

    def outlook(self, kpi: str, key: str, period: Period, result: Result) -> Outlook:
        """Attainment, expected, pace and state, from the rounded value."""
        target = self.target(kpi, key, period)
        if target is None:
            return Outlook(None, None, None, None, "none")
        expected = self.expected(kpi, key, period, target) if kpi in ADD_UP else target
        if result.value is None:
            return Outlook(target, None, expected, None, "none")
        value = Fraction(result.value)
        attainment = quotient(kpi, value, target)
        pace = quotient(kpi, value, expected) if expected is not None else None
        return Outlook(target, attainment, expected, pace, state_of(kpi, value, attainment, pace, expected))

    def expected(self, kpi: str, key: str, period: Period, target: Fraction) -> Fraction | None:
        """The target's part for the working days elapsed.

        Silent: where nobody works nothing is expected.
        """
        working = self._working_days(key, period.start, period.end)
        return target * len(self._elapsed(key, period)) / len(working) if working else None

    def previous(self, kpi: str, key: str, period: Period) -> Result | None:
        """The whole previous period, or the previous up to the same working day; of a day the previous working day.

        None where the rep had no row then. Silent: quotas are those of the whole previous period.
        """
        before = self._previous_period(key, period)
        if before is None or not self._had_row(key, before):
            return None
        oracle, members = self._oracle, self._members(key)
        cut = self._cuts(key, period, before) if key.startswith("team:") else self._cut(key, period, before)
        if kpi == "quota":
            return oracle.value(kpi, key, members, before)
        if kpi == "revenue_share":  # Silent: everyone's revenue is cut by each one's own working days, too
            cut = self._cuts(key, period, before)
        if kpi == "quota_attainment":
            quota = oracle.quota(key, members, before)
            revenue = oracle.value("revenue", key, members, cut).numerator or Fraction(0)
            return NOT_AVAILABLE if quota is None else ratio("ratio", revenue, *quota)
        return oracle.value(kpi, key, members, cut)

    def show(self, kpi: str, key: str, period: Period, result: Result) -> dict[str, object]:
        """What stands beside a value, as the engine shows it."""
        places = PLACES[unit_of(kpi)]
        outlook, before = self.outlook(kpi, key, period, result), self.previous(kpi, key, period)
        previous = before.value if before is not None else None
        interval = wilson(result) if kpi in SHARES_OF_CASES else None
        return {
            "target": shown(outlook.target, max(places, PLACES["average"])),
            "attainment": shown(outlook.attainment, PLACES["ratio"]),
            "expected": shown(outlook.expected, max(places, PLACES["average"])),
            "pace": shown(outlook.pace, PLACES["ratio"]),
            "state": outlook.state,
            "previous": previous,
            "change": change(result.value, previous),
            "interval_low": rounded(interval[0], PLACES["ratio"]) if interval else None,
            "interval_high": rounded(interval[1], PLACES["ratio"]) if interval else None,
        }

    def _had_row(self, key: str, period: Period) -> bool:
        return period.end > self._oracle.first_day and key in {each for each, _ in self._oracle.scopes(period)}

    def _previous_period(self, key: str, period: Period) -> Period | None:
        day = period.start - ONE_DAY
        if period.grain != "day":
            return self.period(period.grain, day)
        while day >= self._oracle.first_day:
            if self._oracle.staff.works(self._calendar(key), day):
                return self.period("day", day)
            day -= ONE_DAY
        return None

    def _cuts(self, key: str, period: Period, before: Period) -> Period:
        """Silent: a team's previous period is cut by each member's own working days, for others by the manager's."""
        ends = {rep: self._cut(rep, period, before).end for rep in [*self._oracle.staff.known, UNASSIGNED]}
        return CutPeriod(before.grain, before.start, self._cut(key, period, before).end, ends)

    def _cut(self, key: str, period: Period, before: Period) -> Period:
        """The previous period up to its k-th working day, k working days of the current one having elapsed."""
        if period.grain == "day" or period.last < self._today(key):
            return before
        elapsed = len(self._elapsed(key, period))
        working = self._working_days(key, before.start, before.end)
        if elapsed > len(working):
            return before
        return Period(before.grain, before.start, working[elapsed - 1] + ONE_DAY if elapsed else before.start)


def change(now: Decimal | None, before: Decimal | None) -> Decimal | None:
    """Silent: the difference of the rounded values."""
    return None if now is None or before is None else now - before


def shown(number: Fraction | None, places: int) -> Decimal | None:
    """Rounded, or nothing."""
    return None if number is None else rounded(number, places)
