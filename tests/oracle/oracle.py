"""The whole catalogue: every KPI as a numerator and a denominator, for every row there is."""

import math
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cached_property

from kpi_engine.records import EVERYONE, UNASSIGNED, Company, Lead, Record

from .days import GRAINS, Period, periods
from .deals import Limits
from .leads import ENGAGED_FROM, level
from .measures import RECORDS_IN_A_PERIOD, Entry, Measures
from .people import Records
from .quotas import Quotas

Number = Fraction | float
Key = tuple[str, str, str, date, str | None]
"""rep, kpi, grain, the period's first day, dimension."""

PLACES = {"count": 0, "average": 2, "money": 2, "ratio": 4, "minutes": 2, "days": 2, "score": 2}


@dataclass(frozen=True)
class Sum:
    """A KPI that adds up: the unit, the measures of the numerator and those of the denominator (none: 1)."""

    unit: str
    numerator: tuple[str, ...]
    denominator: tuple[str, ...] = ()
    lacks: str | None = None
    """The name of the source without which the CRM as a whole cannot tell."""


SUMS = {
    "emails_sent": Sum("count", ("sent",)),
    "email_bounce_rate": Sum("ratio", ("bounced",), ("sent",), lacks="bounces"),
    "email_open_rate": Sum("ratio", ("opened",), ("tracked",), lacks="opens"),
    "email_click_rate": Sum("ratio", ("clicked",), ("tracked",), lacks="clicks"),
    "email_reply_rate": Sum("ratio", ("threads answered",), ("threads opened",)),
    "email_unsubscribe_rate": Sum("ratio", ("opted out",), ("delivered",), lacks="opt_out_dates"),
    "calls_made": Sum("count", ("calls",)),
    "calls_answered": Sum("count", ("answered",)),
    "call_answer_rate": Sum("ratio", ("answered",), ("calls",)),
    "talk_minutes": Sum("minutes", ("talk",)),
    "average_call_minutes": Sum("minutes", ("talk",), ("answered, duration known",)),
    "call_follow_up_rate": Sum("ratio", ("followed up",), ("to follow up",)),
    "revenue_per_call": Sum("money", ("revenue",), ("calls",)),
    "touchpoints": Sum("count", ("touchpoints",)),
    "touchpoints_per_won_deal": Sum("average", ("touchpoints of won",), ("won",)),
    "follow_ups_per_won_deal": Sum("average", ("follow-ups of won",), ("won, touched",)),
    "effort_per_won_deal": Sum("average", ("touchpoints",), ("won",)),
    "response_rate": Sum(
        "ratio", ("answered", "delivered, answered", "held"), ("calls", "delivered", "held", "missed")
    ),
    "sales_cycle_days": Sum("days", ("cycle",), ("won",)),
    "revenue": Sum("money", ("revenue",)),
    "average_deal_value": Sum("money", ("worth",), ("won, with amount",)),
    "deals_won": Sum("count", ("won",)),
    "deals_lost": Sum("count", ("lost",)),
    "win_rate": Sum("ratio", ("won",), ("won", "lost")),
    "calls_per_won_deal": Sum("average", ("calls",), ("won",)),
    "emails_per_won_deal": Sum("average", ("sent",), ("won",)),
    "leads_created": Sum("count", ("leads",)),
    "interested_leads": Sum("count", ("interested",)),
    "interest_rate": Sum("ratio", ("interested",), ("leads",)),
    "lead_win_rate": Sum("ratio", ("leads won",), ("leads",)),
    "revenue_per_lead": Sum("money", ("lead revenue",), ("leads",)),
}

MEDIANS = {"median_sales_cycle_days": ("days", "cycle"), "median_deal_value": ("money", "worth")}
SNAPSHOTS = ("open_leads", "engaged_leads", "engagement_rate", "average_engagement")
BY_CHANNEL = ("leads_created", "interested_leads", "interest_rate", "lead_win_rate", "revenue_per_lead")
BY_BAND = ("touchpoints_per_won_deal", "follow_ups_per_won_deal", "sales_cycle_days", "median_sales_cycle_days")
BANDS = ("small", "medium", "large")
OTHERS = ("campaign_roi", "revenue_share", "large_deal_share", "quota", "quota_attainment")
KPIS = (*SUMS, *MEDIANS, *SNAPSHOTS, *OTHERS)


@dataclass(frozen=True)
class Result:
    """A value as the engine should give it; the parts are unrounded."""

    value: Decimal | None
    numerator: Number | None
    denominator: Number | None
    n: int
    reason: str | None
    provisional: bool = False


def rounded(number: Number, places: int) -> Decimal:
    """Half-even, once."""
    return Decimal(round(Fraction(number) * 10**places)).scaleb(-places)


def ratio(unit: str, numerator: Number, denominator: Number, n: int) -> Result:
    """Numerator over denominator; a zero denominator is blank, never 0."""
    if denominator == 0:
        return Result(None, numerator, denominator, n, "no_data")
    return Result(rounded(numerator / denominator, PLACES[unit]), numerator, denominator, n, None)


NOT_AVAILABLE = Result(None, None, None, 0, "not_available")


class Oracle:
    """Every number of a company at `as_of` (UTC milliseconds)."""

    def __init__(self, records: Iterable[Record], company: Company, as_of: int) -> None:
        self.records = Records(records)
        self.company = company
        self.as_of = as_of
        self.measures = Measures(self.records, company, as_of)
        self.staff = self.measures.staff
        self.deals = self.measures.deals
        self.leads = self.measures.leads
        self.quotas = Quotas(self.records, company, self.staff)
        self._limits: dict[date, Limits | None] = {}

    # --- rows -----------------------------------------------------------------------------------------------------

    @cached_property
    def first_day(self) -> date:
        """The day of the first record of all. Silent: with no record at all the day of `as_of`."""
        return min(self._days) if self._days else min(self.staff.today(key) for key in [*self.staff.known, UNASSIGNED])

    @cached_property
    def _days(self) -> set[date]:
        return {entry.day for measure in RECORDS_IN_A_PERIOD for entry in self.measures.all[measure]}

    def periods(self) -> Iterator[Period]:
        """Every period of every grain from the first record to `as_of`, wherever somebody has that day already."""
        last = max(self.staff.today(key) for key in [*self.staff.known, UNASSIGNED])
        for grain in GRAINS:
            yield from periods(grain, self.first_day, last, self.company.fiscal_year_start)

    def _evaluation_day(self, key: str, period: Period) -> date:
        return min(period.of(key).last, self.staff.today(key))

    def _open_leads(self, key: str, period: Period) -> list[Lead]:
        day = self._evaluation_day(key, period)
        return [lead for lead in self.leads.living if self.leads.owner(lead) == key and self.leads.open_on(lead, day)]

    def has_row(self, key: str, period: Period) -> bool:
        """Every active rep and every rep with a record in the period.

        Silent: a period has no row for a rep for whom it has not begun.
        """
        if period.start > self.staff.today(key) or (not self._days and not period.holds(self.staff.today(key))):
            return False
        return self.staff.active(key) or self._has_record(key, period)

    def _has_record(self, key: str, period: Period) -> bool:
        return any(
            period.holds(entry.day) for measure in RECORDS_IN_A_PERIOD for entry in self.measures.by_rep[measure][key]
        ) or bool(self._open_leads(key, period))

    def scopes(self, period: Period) -> Iterator[tuple[str, list[str]]]:
        """The rows' keys and whom each sums. Silent: a team has a row where one of its members has."""
        having = {key for key in [*self.staff.known, UNASSIGNED] if self.has_row(key, period)}
        for key in sorted(having):
            yield key, [key]
        for manager, members in self.staff.teams().items():
            if having & set(members):
                yield f"team:{manager}", members

    def values(self, grains: Collection[str] = GRAINS) -> dict[Key, Result]:
        """Every row there is (of these grains)."""
        rows: dict[Key, Result] = {}
        for period in self.periods():
            if period.grain not in grains:
                continue
            place = period.grain, period.start
            for key, members in self.scopes(period):
                for kpi in KPIS:
                    rows[key, kpi, *place, None] = self.value(kpi, key, members, period)
                rows.update(self._by_dimension(key, members, period))
            everyone = [*self.staff.known, UNASSIGNED]
            rows.update(self._by_channel(EVERYONE, everyone, period))
        return rows

    def _by_dimension(self, key: str, members: list[str], period: Period) -> dict[Key, Result]:
        rows = dict(self._by_channel(key, members, period))
        for band in BANDS:
            for kpi in BY_BAND:
                result = self.value(kpi, key, members, period, band=band) if self.limits(period) else NOT_AVAILABLE
                rows[key, kpi, period.grain, period.start, f"band={band}"] = result
        return rows

    def _by_channel(self, key: str, members: list[str], period: Period) -> Iterator[tuple[Key, Result]]:
        """Silent: a channel has a row where a lead came through it in the period."""
        for channel in {entry.channel for entry in self._within("leads", members, period)}:
            for kpi in BY_CHANNEL:
                result = self.value(kpi, key, members, period, channel=channel)
                yield (key, kpi, period.grain, period.start, f"channel={channel}"), result

    # --- values ---------------------------------------------------------------------------------------------------

    def _band(self, deal: str | None, period: Period) -> str | None:
        """The size band of a deal in a period, by the limits of the fiscal year in which the period begins."""
        return self.deals.band(self.deals.by_id[deal], self.limits(period)) if deal is not None else None

    def limits(self, period: Period) -> Limits | None:
        """The band limits of a period."""
        if period.start not in self._limits:
            self._limits[period.start] = self.deals.limits(period.start)
        return self._limits[period.start]

    def _within(
        self, measure: str, members: list[str], period: Period, channel: str | None = None, band: str | None = None
    ) -> list[Entry]:
        return [
            entry
            for member in members
            for entry in self.measures.by_rep[measure][member]
            if period.of(member).holds(entry.day)
            and (channel is None or entry.channel == channel)
            and (band is None or self._band(entry.deal, period) == band)
        ]

    def value(
        self,
        kpi: str,
        key: str,
        members: list[str],
        period: Period,
        channel: str | None = None,
        band: str | None = None,
    ) -> Result:
        """One value of the sum over `members`."""
        if kpi in SUMS:
            return self._sum(SUMS[kpi], members, period, channel, band)
        if kpi in MEDIANS:
            return self._median(kpi, members, period, band)
        if kpi in SNAPSHOTS:
            return self._snapshot(kpi, members, period)
        match kpi:
            case "campaign_roi":
                return self._campaign_roi(members, period)
            case "revenue_share":
                return self._revenue_share(members, period)
            case "large_deal_share":
                return self._large_deal_share(members, period)
            case "quota":
                return self._quota(key, members, period)
        return self._quota_attainment(key, members, period)

    def _sum(self, kpi: Sum, members: list[str], period: Period, channel: str | None, band: str | None) -> Result:
        if kpi.lacks in self.company.missing:
            return NOT_AVAILABLE
        above = [entry for name in kpi.numerator for entry in self._within(name, members, period, channel, band)]
        numerator = sum((entry.quantity for entry in above), Fraction(0))
        provisional = band is not None and self._provisional(period)
        if not kpi.denominator:
            return ratio(kpi.unit, numerator, Fraction(1), len(above))
        below = [entry for name in kpi.denominator for entry in self._within(name, members, period, channel, band)]
        found = ratio(kpi.unit, numerator, sum((entry.quantity for entry in below), Fraction(0)), len(below))
        return Result(found.value, found.numerator, found.denominator, found.n, found.reason, provisional)

    def _provisional(self, period: Period) -> bool:
        limits = self.limits(period)
        return limits is not None and limits.provisional

    def _median(self, kpi: str, members: list[str], period: Period, band: str | None) -> Result:
        unit, measure = MEDIANS[kpi]
        ordered = sorted(entry.quantity for entry in self._within(measure, members, period, band=band))
        if not ordered:
            return Result(None, None, None, 0, "no_data")
        middle = (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
        value = rounded(middle, PLACES[unit])
        provisional = band is not None and self._provisional(period)
        return Result(value, middle, Fraction(1), len(ordered), None, provisional)

    def _snapshot(self, kpi: str, members: list[str], period: Period) -> Result:
        """Open leads at the period's end, or at `as_of`, each evaluated in its owner's zone.

        Silent: an owner for whom the period has not begun adds none.
        """
        scores = [
            self.leads.score(lead, self._evaluation_day(member, period))
            for member in members
            if period.start <= self.staff.today(member)
            for lead in self._open_leads(member, period)
        ]
        engaged = sum(score >= ENGAGED_FROM for score in scores)
        match kpi:
            case "open_leads":
                return ratio("count", Fraction(len(scores)), Fraction(1), len(scores))
            case "engaged_leads":
                return ratio("count", Fraction(engaged), Fraction(1), engaged)
            case "engagement_rate":
                return ratio("ratio", Fraction(engaged), Fraction(len(scores)), len(scores))
        return ratio("score", math.fsum(scores), Fraction(len(scores)), len(scores))

    def _campaign_roi(self, members: list[str], period: Period) -> Result:
        if "campaign_costs" in self.company.missing:
            return NOT_AVAILABLE
        mine = [parts for rep, day, parts in self.measures.campaigns if rep in members and period.of(rep).holds(day)]
        with_cost = [parts for parts in mine if parts is not None]
        if mine and not with_cost:
            return NOT_AVAILABLE
        cost = sum((cost for _, cost in with_cost), Fraction(0))
        return ratio("ratio", sum((won for won, _ in with_cost), Fraction(0)) - cost, cost, len(with_cost))

    def _revenue_share(self, members: list[str], period: Period) -> Result:
        mine = self._within("revenue", members, period)
        everyones = self._within("revenue", [*self.staff.known, UNASSIGNED], period)
        total = sum((entry.quantity for entry in everyones), Fraction(0))
        return ratio("ratio", sum((entry.quantity for entry in mine), Fraction(0)), total, len(everyones))

    def _large_deal_share(self, members: list[str], period: Period) -> Result:
        if self.limits(period) is None:
            return NOT_AVAILABLE
        all_ = self._within("revenue", members, period)
        large = self._within("revenue", members, period, band="large")
        total = sum((entry.quantity for entry in all_), Fraction(0))
        found = ratio("ratio", sum((entry.quantity for entry in large), Fraction(0)), total, len(all_))
        return Result(found.value, found.numerator, found.denominator, found.n, found.reason, self._provisional(period))

    def quota(self, key: str, members: list[str], period: Period) -> tuple[Fraction, int] | None:
        """The quota of a rep or team and how many reps' it adds up."""
        if key.startswith("team:"):
            # Silent: a member for whom the period has not begun has no quota in it yet.
            begun = [member for member in members if period.start <= self.staff.today(member)]
            team = self.quotas.of_team(begun, period, lambda member: self.has_row(member, period))
            return (team.amount, team.reps) if team is not None else None
        amount = self.quotas.of_rep(key, period)
        return (amount, 1) if amount is not None else None

    def _quota(self, key: str, members: list[str], period: Period) -> Result:
        quota = self.quota(key, members, period)
        return NOT_AVAILABLE if quota is None else ratio("money", quota[0], Fraction(1), quota[1])

    def _quota_attainment(self, key: str, members: list[str], period: Period) -> Result:
        quota = self.quota(key, members, period)
        if quota is None:
            return NOT_AVAILABLE
        revenue = sum((entry.quantity for entry in self._within("revenue", members, period)), Fraction(0))
        return ratio("ratio", revenue, *quota)

    # --- scores ---------------------------------------------------------------------------------------------------

    def scores(self) -> dict[str, tuple[str, float, str]]:
        """Open lead → owner, unrounded score at `as_of`, level."""
        found = {}
        for lead in self.leads.living:
            owner = self.leads.owner(lead)
            today = self.staff.today(owner)
            if self.leads.open_on(lead, today):
                score = self.leads.score(lead, today)
                found[lead.id] = (owner, score, level(score))
        return found
