"""Deals: who closed them when, what they are worth at home, how large they are, and which touchpoints are theirs."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from functools import cached_property

from kpi_engine.records import Company, Deal, Link, Rate, Split

from .activities import Activities, Activity
from .days import months_later, period_of, plain
from .people import People, Records, Staff

MICROS = 1_000_000
DAYS_BEFORE_CREATION = 90
ENOUGH_FOR_A_YEARS_TERCILES = 30
FEWEST_FOR_TERCILES = 3


class Money:
    """Amounts in the home currency, exact."""

    def __init__(self, records: Records, company: Company) -> None:
        self._home = company.home_currency
        self._rates = [rate for rate in records.all(Rate) if not rate.deleted]

    def home(self, micros: int | None, currency: str | None, on: date) -> Fraction | None:
        """By the dated rate of that day, else by the static one.

        Silent: without any rates amounts stand as they are; where there are rates, but none for this currency and day,
        the amount is unknown.
        """
        if micros is None:
            return None
        amount = Fraction(micros, MICROS)
        if currency is None or currency == self._home:
            return amount
        rate = self._rate(currency, on)
        if rate is None:
            return None if self._rates else amount
        return amount / Fraction(rate.rate)

    def _rate(self, currency: str, on: date) -> Rate | None:
        """Silent: of two dated rates the one that began last."""
        mine = [rate for rate in self._rates if rate.currency == currency]
        dated = [
            rate
            for rate in mine
            if (rate.from_on is not None or rate.until_on is not None)
            and (rate.from_on is None or plain(rate.from_on) <= on)
            and (rate.until_on is None or on < plain(rate.until_on))
        ]
        if dated:
            return min(dated, key=lambda rate: (-(rate.from_on if rate.from_on is not None else -(10**9)), rate.id))
        static = [rate for rate in mine if rate.from_on is None and rate.until_on is None]
        return min(static, key=lambda rate: rate.id, default=None)


@dataclass(frozen=True)
class Limits:
    """Where `medium` and where `large` begin; provisional where they come from all deals won by `as_of`."""

    medium: Fraction
    large: Fraction
    provisional: bool


def tercile(amounts: list[Fraction], part: Fraction) -> Fraction:
    """The quantile with linear interpolation, both ends included."""
    ordered = sorted(amounts)
    position = part * (len(ordered) - 1)
    below = position.__floor__()
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (position - below) * (ordered[above] - ordered[below])


class Deals:
    """The deals that exist at `as_of`: neither deleted, nor merged away, nor created later."""

    def __init__(self, records: Records, company: Company, staff: Staff, people: People, as_of: int) -> None:
        self._records = records
        self._company = company
        self._staff = staff
        self._people = people
        self._as_of = as_of
        self._money = Money(records, company)
        self.living = [
            deal
            for deal in sorted(records.all(Deal), key=lambda deal: (deal.created_at, deal.id))
            if not deal.deleted and deal.merged_into is None and deal.created_at <= as_of
        ]
        self.by_id = {deal.id: deal for deal in self.living}

    # --- whose, when ----------------------------------------------------------------------------------------------

    def owner(self, deal: Deal) -> str:
        """The owner at close where history tells, else the present one."""
        return self._staff.key(deal.owner_at_close if deal.owner_at_close is not None else deal.owner)

    def created_on(self, deal: Deal) -> date:
        """Its creation's day in the closing owner's zone."""
        return self._staff.day(self.owner(deal), deal.created_at)

    def closed_on(self, deal: Deal) -> date | None:
        """The day on which it was closed; None while it is open at `as_of` (a close still to come is none yet)."""
        owner = self.owner(deal)
        if not deal.closed:
            return None
        if deal.closed_at is not None:
            return self._staff.day(owner, deal.closed_at) if deal.closed_at <= self._as_of else None
        if deal.closed_on is not None and plain(deal.closed_on) <= self._staff.today(owner):
            return plain(deal.closed_on)
        return None

    def close_day(self, deal: Deal) -> date:
        """The day of a deal that is known to be closed."""
        day = self.closed_on(deal)
        assert day is not None
        return day

    @cached_property
    def won(self) -> list[Deal]:
        """Deals won by `as_of`."""
        return [deal for deal in self.living if deal.won and self.closed_on(deal) is not None]

    @cached_property
    def lost(self) -> list[Deal]:
        """Deals lost by `as_of`."""
        return [deal for deal in self.living if not deal.won and self.closed_on(deal) is not None]

    def cycle_days(self, deal: Deal) -> int:
        """Whole days from creation to close, never below 0."""
        return max(0, (self.close_day(deal) - self.created_on(deal)).days)

    # --- worth ----------------------------------------------------------------------------------------------------

    def amount(self, deal: Deal) -> Fraction | None:
        """The whole amount of a closed deal in the home currency; None: it has none."""
        if deal.amount_home is not None:
            return Fraction(deal.amount_home, MICROS)
        return self._money.home(deal.amount, deal.currency, self.close_day(deal))

    def shares(self, deal: Deal) -> list[tuple[str, Fraction]]:
        """Reps and their shares of the revenue: the splits, else all of it is the owner's.

        Silent: splits are taken as they stand; their sum is not corrected.
        """
        shares = [
            (self._staff.key(split.rep), Fraction(split.share, MICROS))
            for split in self._records.all(Split)
            if not split.deleted and self._surviving(split.deal) == deal.id
        ]
        return shares or [(self.owner(deal), Fraction(1))]

    def _surviving(self, id: str) -> str:
        seen = {id}
        deal = self._records.get(Deal, id)
        while deal is not None and deal.merged_into is not None and deal.merged_into not in seen:
            id = deal.merged_into
            seen.add(id)
            deal = self._records.get(Deal, id)
        return id

    def surviving(self, id: str | None) -> Deal | None:
        """The living deal behind an id, through merges."""
        return self.by_id.get(self._surviving(id)) if id is not None else None

    def limits(self, day: date) -> Limits | None:
        """The limits of the size bands for a period that begins on `day`; None with fewer than 3 deals."""
        if self._company.band_limits is not None:
            medium, large = self._company.band_limits
            return Limits(Fraction(medium, MICROS), Fraction(large, MICROS), provisional=False)
        year = period_of("year", day, self._company.fiscal_year_start)
        start = months_later(year.start, -12)
        amounts = {deal.id: amount for deal in self.won if (amount := self.amount(deal)) is not None}
        before = [
            amounts[deal.id] for deal in self.won if deal.id in amounts and start <= self.close_day(deal) < year.start
        ]
        if len(before) >= ENOUGH_FOR_A_YEARS_TERCILES:
            return Limits(tercile(before, Fraction(1, 3)), tercile(before, Fraction(2, 3)), provisional=False)
        if len(amounts) < FEWEST_FOR_TERCILES:
            return None
        everything = list(amounts.values())
        return Limits(tercile(everything, Fraction(1, 3)), tercile(everything, Fraction(2, 3)), provisional=True)

    def band(self, deal: Deal, limits: Limits | None) -> str | None:
        """small < first limit ≤ medium < second limit ≤ large; a deal without an amount has no band."""
        amount = self.amount(deal)
        if amount is None or limits is None:
            return None
        if amount < limits.medium:
            return "small"
        return "medium" if amount < limits.large else "large"

    # --- people ---------------------------------------------------------------------------------------------------

    @cached_property
    def contacts(self) -> dict[str, set[str]]:
        """Deal → the people linked to it."""
        contacts: dict[str, set[str]] = defaultdict(set)
        for link in self._records.all(Link):
            if not link.deleted and link.from_kind == "deal" and link.to_kind == "person":
                contacts[self._surviving(link.from_id)].add(self._people.who(link.to_id))
        return contacts


class Effort:
    """Which touchpoints belong to which deal, by whomever they were."""

    def __init__(
        self, deals: Deals, activities: Activities, staff: Staff, leads_converted_into: dict[str, set[str]]
    ) -> None:
        self._deals = deals
        self._activities = activities
        self._staff = staff
        self._people = {
            deal.id: deals.contacts.get(deal.id, set()) | leads_converted_into.get(deal.id, set())
            for deal in deals.living
        }

    @cached_property
    def of_deal(self) -> dict[str, list[Activity]]:
        """Deal → its touchpoints."""
        found: dict[str, list[Activity]] = defaultdict(list)
        for touchpoint in self._activities.touchpoints:
            for deal in self._belongs_to(touchpoint):
                found[deal.id].append(touchpoint)
        return found

    def _belongs_to(self, touchpoint: Activity) -> list[Deal]:
        """The deals it is linked to, as far as it lies in their time; linked to none: one deal of its people.

        Silent: what is linked to a deal is never handed to another one through people.
        """
        linked = [self._deals.by_id[id] for id in touchpoint.deals if id in self._deals.by_id]
        if linked:
            return [deal for deal in linked if self._in_its_time(touchpoint, deal)]
        theirs = [deal for deal in self._deals.living if self._people[deal.id] & touchpoint.people]
        claiming = self._claiming(touchpoint, theirs)
        return [claiming] if claiming is not None else []

    def _day(self, touchpoint: Activity, deal: Deal) -> date:
        return self._activities.day(touchpoint, self._deals.owner(deal))

    def _in_its_time(self, touchpoint: Activity, deal: Deal) -> bool:
        """From 90 days before creation to the close date, whole last day included."""
        from_day = self._deals.created_on(deal) - timedelta(days=DAYS_BEFORE_CREATION)
        return from_day <= self._day(touchpoint, deal) and self._not_closed_before(touchpoint, deal)

    def _not_closed_before(self, touchpoint: Activity, deal: Deal) -> bool:
        closed = self._deals.closed_on(deal)
        return closed is None or self._day(touchpoint, deal) <= closed

    def _existed(self, touchpoint: Activity, deal: Deal) -> bool:
        at = touchpoint.what.at
        if at is not None:
            return deal.created_at <= at
        return self._deals.created_on(deal) <= self._day(touchpoint, deal)

    def _claiming(self, touchpoint: Activity, theirs: list[Deal]) -> Deal | None:
        """The deal open then, the most recently created; none open: the first created in the following 90 days.

        Silent: a deal is open through its whole last day; two created at once: the smaller id.
        """
        open_then = [
            deal for deal in theirs if self._existed(touchpoint, deal) and self._not_closed_before(touchpoint, deal)
        ]
        if open_then:
            return min(open_then, key=lambda deal: (-deal.created_at, deal.id))
        following = [
            deal
            for deal in theirs
            if not self._existed(touchpoint, deal)
            and (self._deals.created_on(deal) - self._day(touchpoint, deal)).days <= DAYS_BEFORE_CREATION
        ]
        return min(following, key=lambda deal: (deal.created_at, deal.id), default=None)
