"""Leads: created, open, converted, interested, and how engaged they are."""

import math
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

from kpi_engine.records import Deal, Event, Lead

from .activities import Activities
from .days import ONE_DAY, plain, start_of
from .deals import Deals
from .people import People, Records, Staff

DISQUALIFYING = {"unqualified", "disqualified", "closed - not converted", "closed - unqualified", "junk"}
INTEREST_MS = 30 * 24 * 3600 * 1000
ENGAGED_FROM = 50
DISENGAGED_BELOW = 20

WEIGHT_AND_CAP = {
    "form_submission": (30, 2),
    "meeting": (30, 2),
    "reply": (20, 2),
    "answered_call": (15, 2),
    "document": (3, 10),
    "email_click": (5, 5),
    "page_view": (1, 10),
    "email_open": (1, 3),
}


@dataclass(frozen=True)
class Sign:
    """Something a person did that shows interest."""

    kind: str
    at: int | None
    on: date | None
    amount: float = 1.0


def level(score: float) -> str:
    """Decided on the unrounded score."""
    if score >= ENGAGED_FROM:
        return "engaged"
    return "disengaged" if score < DISENGAGED_BELOW else "warming"


class Leads:
    """The leads that exist at `as_of`: neither deleted, nor merged away, nor created later."""

    def __init__(
        self,
        records: Records,
        staff: Staff,
        people: People,
        activities: Activities,
        deals: Deals,
        from_links: bool,
        as_of: int,
    ) -> None:
        self._records = records
        self._staff = staff
        self._people = people
        self._activities = activities
        self._deals = deals
        self._from_links = from_links
        self._as_of = as_of
        self._scores: dict[tuple[str, date], float] = {}
        self.living = [
            lead
            for lead in sorted(records.all(Lead), key=lambda lead: (lead.created_at, lead.id))
            if not lead.deleted and lead.merged_into is None and lead.created_at <= as_of
        ]

    def owner(self, lead: Lead) -> str:
        """Its present owner."""
        return self._staff.key(lead.owner)

    def day(self, lead: Lead, moment: int) -> date:
        """The day of a moment in the lead owner's zone."""
        return self._staff.day(self.owner(lead), moment)

    def channel(self, lead: Lead) -> str:
        """Blank is `unknown`."""
        return (lead.channel or "").strip() or "unknown"

    # --- converted, open ------------------------------------------------------------------------------------------

    def converted(self, lead: Lead) -> date | None:
        """The day of its conversion by `as_of`. Silent: without moment and date it was converted at its creation."""
        if not lead.converted:
            return None
        if lead.converted_at is None and lead.converted_on is not None:
            day = plain(lead.converted_on)
            return day if day <= self._staff.today(self.owner(lead)) else None
        moment = lead.converted_at if lead.converted_at is not None else lead.created_at
        return self.day(lead, moment) if moment <= self._as_of else None

    def open_on(self, lead: Lead, day: date) -> bool:
        """Created, not converted by then, not disqualified (as it stands today)."""
        converted = self.converted(lead)
        return (
            self.day(lead, lead.created_at) <= day
            and (converted is None or converted > day)
            and lead.status not in DISQUALIFYING
        )

    def deal(self, lead: Lead) -> Deal | None:
        """The deal of its conversion: named by the CRM, else the earliest linked one created that day or later."""
        converted = self.converted(lead)
        if converted is None:
            return None
        if lead.deal is not None:
            return self._deals.surviving(lead.deal)
        if not self._from_links:
            return None
        person = self._people.who(lead.id)
        candidates = [
            deal
            for deal in self._deals.living
            if person in self._deals.contacts.get(deal.id, ()) and self.day(lead, deal.created_at) >= converted
        ]
        return min(candidates, key=lambda deal: (deal.created_at, deal.id), default=None)

    @cached_property
    def converted_into(self) -> dict[str, set[str]]:
        """Deal → the people whose leads were converted into it."""
        people: dict[str, set[str]] = defaultdict(set)
        for lead in self.living:
            deal = self.deal(lead)
            if deal is not None:
                people[deal.id].add(self._people.who(lead.id))
        return people

    def won_deal(self, lead: Lead) -> Deal | None:
        """Its deal, if that is won by `as_of`."""
        deal = self.deal(lead)
        return deal if deal in self._deals.won else None

    def earns(self, lead: Lead) -> Deal | None:
        """Its won deal, unless an earlier lead has the same one."""
        deal = self.won_deal(lead)
        first = next((each for each in self.living if self.won_deal(each) == deal), None)
        return deal if first == lead else None

    # --- engagement -----------------------------------------------------------------------------------------------

    @cached_property
    def _signs(self) -> dict[str, list[Sign]]:
        """Person → what he or she did by `as_of`."""
        signs: dict[str, list[Sign]] = defaultdict(list)
        for event in self._records.all(Event):
            if not event.deleted:
                on = plain(event.on) if event.on is not None else None
                signs[self._people.who(event.person)].append(Sign(event.kind, event.at, on, event.amount))
        groups = {
            "meeting": self._activities.meetings_held(),
            "reply": self._activities.replies(),
            "answered_call": self._activities.answered_either_way(),
        }
        for kind, activities in groups.items():
            for each in activities:
                for person in each.people:
                    signs[person].append(
                        Sign(kind, each.what.at, plain(each.what.on) if each.what.on is not None else None)
                    )
        for email in self._activities.emails_sent():
            sent_on = plain(email.what.on) if email.what.on is not None else None
            for person in email.people:
                if self._activities.opened(email):
                    signs[person].append(Sign("email_open", email.what.opened_at or email.what.at, sent_on))
                if self._activities.clicked(email):
                    signs[person].append(Sign("email_click", email.what.clicked_at or email.what.at, sent_on))
        return signs

    def _sign_day(self, lead: Lead, sign: Sign) -> date | None:
        """Its day in the lead owner's zone; None if that is not known or later than `as_of`."""
        if sign.at is not None:
            return self.day(lead, sign.at) if sign.at <= self._as_of else None
        return sign.on if sign.on is not None and sign.on <= self._staff.today(self.owner(lead)) else None

    def raw(self, lead: Lead, day: date) -> float:
        """Σ weight × min(amount of the day, cap) × 2^(−age / 21)."""
        amounts: dict[tuple[str, date], float] = defaultdict(float)
        for sign in self._signs[self._people.who(lead.id)]:
            on = self._sign_day(lead, sign)
            if on is not None and on <= day and sign.kind in WEIGHT_AND_CAP:
                amounts[sign.kind, on] += sign.amount
        return math.fsum(
            WEIGHT_AND_CAP[kind][0] * min(amount, WEIGHT_AND_CAP[kind][1]) * 2 ** (-(day - on).days / 21)
            for (kind, on), amount in amounts.items()
        )

    def score(self, lead: Lead, day: date) -> float:
        """0 to 100, unrounded, on an evaluation day."""
        if (lead.id, day) not in self._scores:
            silent = self._people.opted_out_or_bounced_by(self._people.who(lead.id), day, self.owner(lead))
            self._scores[lead.id, day] = 0.0 if silent else 100 * (1 - math.exp(-self.raw(lead, day) / 50))
        return self._scores[lead.id, day]

    # --- interest -------------------------------------------------------------------------------------------------

    def _within(self, lead: Lead, at: int | None, on: date | None) -> bool:
        """Within 30 × 24 h of creation and by `as_of`.

        Silent: not before creation; a plain date from the creation's day to the day on which that time ends.
        """
        until = lead.created_at + INTEREST_MS
        if at is not None:
            return lead.created_at <= at <= min(until, self._as_of)
        if on is None or on > self._staff.today(self.owner(lead)):
            return False
        return self.day(lead, lead.created_at) <= on <= self.day(lead, until)

    def interested(self, lead: Lead) -> bool:
        """Wrote, called, answered, met, submitted a form, was qualified or converted, or scored 50 soon enough."""
        person = self._people.who(lead.id)
        contacts = [
            *self._activities.inbound(),
            *self._activities.answered_either_way(),
            *self._activities.meetings_held(),
        ]
        moments: list[tuple[int | None, date | None]] = [
            (each.what.at, plain(each.what.on) if each.what.on is not None else None)
            for each in contacts
            if person in each.people
        ]
        moments += [(sign.at, sign.on) for sign in self._signs[person] if sign.kind == "form_submission"]
        moments.append((lead.qualified_at, None))
        if lead.converted and lead.converted_on is not None and lead.converted_at is None:
            moments.append((None, plain(lead.converted_on)))
        elif lead.converted:
            moments.append((lead.converted_at if lead.converted_at is not None else lead.created_at, None))
        return any(self._within(lead, at, on) for at, on in moments) or self._scored_soon(lead)

    def _scored_soon(self, lead: Lead) -> bool:
        """A score of 50 at the end of a day that ends within 30 × 24 h of creation, and by `as_of`."""
        until = min(lead.created_at + INTEREST_MS, self._as_of)
        first = self.day(lead, lead.created_at)
        for day in (first + timedelta(days=each) for each in range(32)):
            end = start_of(day + ONE_DAY, self._staff.zone(self.owner(lead)))
            if lead.created_at <= end <= until and self.score(lead, day) >= ENGAGED_FROM:
                return True
        return False

    @cached_property
    def interested_leads(self) -> set[str]:
        """Ids of the leads that showed interest soon after they came."""
        return {lead.id for lead in self.living if self.interested(lead)}
