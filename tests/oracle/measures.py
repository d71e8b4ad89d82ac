"""What the KPIs are made of: for each measure the records that count, whose they are, on which day, and how much."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cached_property

from kpi_engine.records import Campaign, Company

from .activities import Activities, Activity
from .days import plain
from .deals import Deals, Effort, Money
from .leads import Leads
from .people import People, Records, Staff

RECORDS_IN_A_PERIOD = (
    "activities",
    "tasks",
    "won",
    "lost",
    "revenue",
    "leads",
    "opted out",
    "campaigns",
)
"""Silent: a rep's records in a period are activities (inbound ones too), tasks created, deals closed, leads created,
people who opted out and campaigns begun there; open leads at its end come on top."""


@dataclass(frozen=True)
class Entry:
    """One record's part in a measure: whose, on which day, how much."""

    rep: str
    day: date
    quantity: Fraction
    channel: str | None = None
    deal: str | None = None


class Measures:
    """Every measure of a company."""

    def __init__(self, records: Records, company: Company, as_of: int) -> None:
        self._records = records
        self._company = company
        self.staff = Staff(records, company, as_of)
        self.people = People(records, self.staff, as_of)
        self.activities = Activities(records, self.staff, self.people, as_of)
        self.deals = Deals(records, company, self.staff, self.people, as_of)
        self.leads = Leads(
            records, self.staff, self.people, self.activities, self.deals, company.lead_deal_from_links, as_of
        )
        self.effort = Effort(self.deals, self.activities, self.staff, self.leads.converted_into)

    @cached_property
    def by_rep(self) -> dict[str, dict[str, list[Entry]]]:
        """measure → rep → entries."""
        found: dict[str, dict[str, list[Entry]]] = {}
        for measure, entries in self.all.items():
            found[measure] = defaultdict(list)
            for entry in entries:
                found[measure][entry.rep].append(entry)
        return found

    @cached_property
    def all(self) -> dict[str, list[Entry]]:
        """What every additive KPI is made of."""
        return {
            **self._email_measures(),
            **self._call_measures(),
            **self._touchpoint_measures(),
            **self._deal_measures(),
            **self._lead_measures(),
            "campaigns": [Entry(rep, day, Fraction(1)) for rep, day, _ in self.campaigns],
        }

    def _entries(self, activities: Iterable[Activity]) -> list[Entry]:
        return [Entry(each.rep, self.activities.day(each), Fraction(1)) for each in activities]

    def _email_measures(self) -> dict[str, list[Entry]]:
        found = self.activities
        return {
            "sent": self._entries(found.emails_sent()),
            "bounced": self._entries(each for each in found.emails_sent() if each.what.bounced is True),
            "delivered": self._entries(found.emails_delivered()),
            "delivered, answered": self._entries(each for each in found.emails_delivered() if found.has_reply(each)),
            "tracked": self._entries(found.tracked()),
            "opened": self._entries(each for each in found.tracked() if found.opened(each)),
            "clicked": self._entries(each for each in found.tracked() if found.clicked(each)),
            "threads opened": self._entries(found.threads_opened()),
            "threads answered": self._entries(each for each in found.threads_opened() if found.has_reply(each)),
            "opted out": [Entry(each.rep, each.day, Fraction(1)) for each in self.people.opt_outs()],
        }

    def _call_measures(self) -> dict[str, list[Entry]]:
        found = self.activities
        answered = found.calls_answered()
        return {
            "calls": self._entries(found.calls_made()),
            "answered": self._entries(answered),
            "talk": [
                Entry(each.rep, found.day(each), Fraction(each.what.duration_ms or 0, 60_000)) for each in answered
            ],
            "answered, duration known": self._entries(each for each in answered if each.what.duration_ms is not None),
            "to follow up": self._entries(found.calls_to_follow_up()),
            "followed up": self._entries(each for each in found.calls_to_follow_up() if found.followed_up(each)),
        }

    def _touchpoint_measures(self) -> dict[str, list[Entry]]:
        found = self.activities
        return {
            "activities": self._entries(found.all),
            "tasks": [Entry(rep, day, Fraction(1)) for rep, day in found.tasks_created()],
            "touchpoints": self._entries(found.touchpoints),
            "held": self._entries(found.meetings_held()),
            "missed": self._entries(found.meetings_missed()),
        }

    def _deal_measures(self) -> dict[str, list[Entry]]:
        deals, touchpoints = self.deals, {deal.id: len(self.effort.of_deal[deal.id]) for deal in self.deals.won}
        measures: dict[str, list[Entry]] = {
            name: [] for name in ("revenue", "worth", "won, with amount", "won, touched")
        }
        measures |= {name: [] for name in ("won", "cycle", "touchpoints of won", "follow-ups of won")}
        for deal in deals.won:
            day, amount = deals.close_day(deal), deals.amount(deal)

            def note(measure: str, quantity: int | Fraction, rep: str, day: date = day, id: str = deal.id) -> None:
                measures[measure].append(Entry(rep, day, Fraction(quantity), deal=id))

            owner = deals.owner(deal)
            note("won", 1, owner)
            note("cycle", deals.cycle_days(deal), owner)
            note("touchpoints of won", touchpoints[deal.id], owner)
            if touchpoints[deal.id]:
                note("won, touched", 1, owner)
                note("follow-ups of won", touchpoints[deal.id] - 1, owner)
            if amount is not None:
                note("won, with amount", 1, owner)
                note("worth", amount, owner)
            for rep, share in deals.shares(deal):
                note("revenue", (amount or 0) * share, rep)
        measures["lost"] = [
            Entry(deals.owner(deal), deals.close_day(deal), Fraction(1), deal=deal.id) for deal in deals.lost
        ]
        return measures

    def _lead_measures(self) -> dict[str, list[Entry]]:
        measures: dict[str, list[Entry]] = {name: [] for name in ("leads", "interested", "leads won", "lead revenue")}
        for lead in self.leads.living:
            rep, day, channel = self.leads.owner(lead), self.leads.day(lead, lead.created_at), self.leads.channel(lead)
            measures["leads"].append(Entry(rep, day, Fraction(1), channel=channel))
            if lead.id in self.leads.interested_leads:
                measures["interested"].append(Entry(rep, day, Fraction(1), channel=channel))
            if self.leads.won_deal(lead) is not None:
                measures["leads won"].append(Entry(rep, day, Fraction(1), channel=channel))
            earned = self.leads.earns(lead)
            if earned is not None:
                measures["lead revenue"].append(
                    Entry(rep, day, self.deals.amount(earned) or Fraction(0), channel=channel)
                )
        return measures

    @cached_property
    def campaigns(self) -> list[tuple[str, date, tuple[Fraction, Fraction] | None]]:
        """Owner, start, and (won amount, cost) of each campaign that has started; no pair without a cost."""
        money = Money(self._records, self._company)
        found: list[tuple[str, date, tuple[Fraction, Fraction] | None]] = []
        for campaign in self._records.all(Campaign):
            rep = self.staff.key(campaign.owner)
            if campaign.deleted or campaign.starts_on is None or plain(campaign.starts_on) > self.staff.today(rep):
                continue
            start = plain(campaign.starts_on)
            cost = money.home(campaign.cost, campaign.currency, start)
            won = [self.deals.amount(deal) or Fraction(0) for deal in self.deals.won if deal.campaign == campaign.id]
            found.append((rep, start, (sum(won, Fraction(0)), cost) if cost else None))
        return found
