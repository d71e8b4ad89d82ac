"""Which records a KPI counts: one frame for each population, with the rules of every KPI applied.

Each row of a population is a record that counts, with at least `rep` (the key), `day`, `kind` and `id`. What a KPI says
about a population (kpi_engine/catalog.py) are expressions over its columns.
"""

from collections.abc import Iterator
from functools import cached_property

import narwhals.stable.v2 as nw
import polars as pl

from kpi_engine.frames import Tables
from kpi_engine.periods import DAY_MS
from kpi_engine.populations import (
    activity,
    calls,
    campaigns,
    deals,
    engagement,
    identity,
    interest,
    leads,
    mail,
    money,
    open_leads,
    reps,
    touches,
)
from kpi_engine.populations.frame import Frame, collected, local_day, portable, settled, yes
from kpi_engine.populations.reps import owned
from kpi_engine.records import Company, Millis

NAMES = (
    "emails",
    "threads",
    "opt_outs",
    "campaigns",
    "campaign_returns",
    "calls",
    "touchpoints",
    "approaches",
    "closed_deals",
    "deal_touches",
    "revenue",
    "leads_created",
    "open_leads",
)

_MOMENTS = {
    "interaction": ("at", "created_at", "opened_at", "clicked_at"),
    "lead": ("created_at", "converted_at", "opted_out_at", "bounced_at"),
    "deal": ("created_at", "closed_at"),
    "event": ("at",),
    "task": ("created_at",),
    "person": ("opted_out_at", "bounced_at"),
}


class Populations:
    """The populations of one company at `as_of`; each is worked out once, when it is first asked for."""

    def __init__(self, tables: Tables, company: Company, as_of: Millis) -> None:
        self.tables = tables
        self.company = company
        self.as_of = as_of
        self.since = -(10**6)
        self.reps = reps.known_reps(self.table("rep"), company, as_of)
        self.zones = self.reps["zone"].unique().sort().to_list()
        self.span = self._span()

    def table(self, kind: str) -> Frame:
        return portable(self.tables[kind])

    def __getitem__(self, name: str) -> Frame:
        if name not in NAMES:
            raise KeyError(f"there is no population {name!r}")
        found: Frame = getattr(self, name)
        return found

    def _span(self) -> tuple[int, int]:
        """The first and last moment there is, with a margin for deadlines and windows."""
        bounds = [
            self.tables[kind].select(
                first=pl.min_horizontal(pl.col(columns).min()), last=pl.max_horizontal(pl.col(columns).max())
            )
            for kind, columns in _MOMENTS.items()
        ]
        found = pl.concat(pl.collect_all(bounds))
        first, last = found["first"].min(), found["last"].max()
        lowest = min(self.as_of, int(str(first))) if first is not None else self.as_of
        highest = max(self.as_of, int(str(last))) if last is not None else self.as_of
        return lowest - DAY_MS, highest + 100 * DAY_MS

    # ── who and what belongs together ────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def same_people(self) -> Frame:
        return identity.same_people(self.table("person"), self.table("lead"))

    @cached_property
    def same_deals(self) -> Frame:
        return identity.same_deals(self.table("deal"))

    @cached_property
    def exchange(self) -> money.Rates:
        return money.rates(self.table("rate"), self.company.home_currency)

    @cached_property
    def activity(self) -> activity.Activity:
        return activity.activity(
            self.table("interaction"), self.table("link"), self.reps, self.same_people, self.same_deals, self.as_of
        )

    # ── e-mail ───────────────────────────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def mails(self) -> Frame:
        return settled(mail.mails(self.activity.happened))

    @cached_property
    def emails(self) -> Frame:
        return _records(mail.emails(self.mails, self.as_of))

    @cached_property
    def delivered(self) -> Frame:
        return self.emails.filter(nw.col("delivered"))

    @cached_property
    def threads(self) -> Frame:
        return settled(_records(mail.threads(self.mails)))

    @cached_property
    def silenced(self) -> Frame:
        return leads.silenced(self.table("person"), self.table("lead"), self.same_people, self.as_of)

    @cached_property
    def opt_outs(self) -> Frame:
        return leads.opt_outs(
            self.table("person"),
            self.table("lead"),
            self.silenced,
            self.same_people,
            self.reps,
            self.zones,
            self.span,
        )

    @cached_property
    def every_campaign(self) -> Frame:
        return campaigns.campaigns(self.table("campaign"), self.reps, self.exchange)

    @cached_property
    def campaigns(self) -> Frame:
        return self.every_campaign.filter(nw.col("rule").is_null())

    @cached_property
    def campaign_returns(self) -> Frame:
        return nw.concat([self.campaign_gains, self.campaign_costs])

    @cached_property
    def campaign_gains(self) -> Frame:
        return campaigns.gains(self.campaigns, self.deals)

    @cached_property
    def campaign_costs(self) -> Frame:
        return campaigns.costs(self.campaigns)

    # ── calls and touchpoints ────────────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def made(self) -> Frame:
        return settled(calls.calls_made(self.activity.happened, self.company.answered_labels))

    @cached_property
    def seen(self) -> Frame:
        """(rep, day) of everything that a rep did or got, whether or not a KPI counts it."""
        created = owned(
            self.table("task").filter(~nw.col("deleted"), nw.col("created_at") <= self.as_of), "rep", self.reps
        )
        tasks = created.select("rep", day=local_day("created_at", "zone", self.zones, self.span))
        return settled(nw.concat([self.activity.happened.select("rep", "day"), tasks]))

    @cached_property
    def calls(self) -> Frame:
        tasks = calls.planned_tasks(self.table("task"), self.reps, self.zones, self.span)
        about = calls.task_subjects(self.table("link"), self.same_people, self.same_deals)
        next_steps = calls.steps(self.activity, self.delivered, tasks, about, zones=self.zones, span=self.span)
        due = calls.with_deadline(self.made, self.company)
        return _records(calls.with_follow_up(due, self.activity, next_steps))

    @cached_property
    def touchpoints(self) -> Frame:
        return touches.touchpoints(self.activity, self.delivered, self.made)

    @cached_property
    def approaches(self) -> Frame:
        return settled(touches.approaches(self.activity, self.delivered, self.made))

    # ── deals ────────────────────────────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def every_deal(self) -> Frame:
        return deals.deals(self.table("deal"), self.reps, self.zones, self.span, self.as_of)

    @cached_property
    def deals(self) -> Frame:
        """Deals that exist, with their amount at home."""
        return settled(deals.with_home_amount(deals.standing(self.every_deal), self.exchange))

    @cached_property
    def deal_contacts(self) -> Frame:
        return deals.contacts(self.table("link"), self.same_people, self.same_deals)

    @cached_property
    def deal_people(self) -> Frame:
        return deals.deal_people(self.deals, self.deal_contacts, self.leads_with_deal)

    @cached_property
    def deal_touches(self) -> Frame:
        near = touches.candidates(self.touchpoints, self.activity, self.deals, self.deal_people)
        return touches.deal_touches(near, self.deals, self.zones, self.span)

    @cached_property
    def closed_deals(self) -> Frame:
        return settled(deals.closed_deals(self.deals, self.deal_touches))

    @cached_property
    def won_deals(self) -> Frame:
        return self.closed_deals.filter(nw.col("won"))

    @cached_property
    def revenue(self) -> Frame:
        return settled(deals.revenue(self.won_deals, self.table("split"), self.same_deals, self.reps))

    # ── leads ────────────────────────────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def every_lead(self) -> Frame:
        return leads.leads(
            self.table("lead"),
            self.reps,
            self.same_people,
            self.zones,
            self.span,
            self.as_of,
            self.company.disqualifying_statuses,
        )

    @cached_property
    def leads_with_deal(self) -> Frame:
        counted = self.every_lead.filter(nw.col("rule").is_null())
        if self.company.lead_deal_from_links:
            return leads.with_deal_of_contact(counted, self.deals, self.deal_contacts, self.zones, self.span)
        return leads.with_named_deal(counted, self.deals, self.same_deals)

    @cached_property
    def signs(self) -> Frame:
        answers = mail.replies(self.mails)
        return engagement.signs(
            self.table("event"),
            self.activity,
            answers,
            self.emails,
            self.same_people,
            rules=self.company.engagement,
            labels=self.company.answered_labels,
        )

    @cached_property
    def dated_signs(self) -> Frame:
        return engagement.dated_signs(self.signs, self.leads_with_deal, self.zones, self.span, self.as_of)

    @cached_property
    def points(self) -> Frame:
        return engagement.points(self.dated_signs, self.company.engagement)

    @cached_property
    def silent_days(self) -> Frame:
        return engagement.silent_days(self.leads_with_deal, self.silenced, leads.ALWAYS, self.zones, self.span)

    @cached_property
    def interest(self) -> Frame:
        """(lead, why) of the leads that showed interest."""
        rules = self.company.engagement
        hot = interest.early_scores(self.leads_with_deal, self.points, self.silent_days, self.as_of, rules)
        return interest.interested(
            self.leads_with_deal, self.signs, self.activity, hot, self.zones, self.span, self.as_of, rules
        )

    @cached_property
    def leads_created(self) -> Frame:
        shown = self.interest.select(nw.col("lead").alias("_lead")).unique().with_columns(interested=nw.lit(True))
        won = leads.with_won_amount(self.leads_with_deal, self.deals)
        joined = won.join(shown, left_on="id", right_on="_lead", how="left")
        return settled(joined.with_columns(interested=yes(nw.col("interested"))))

    @cached_property
    def open_spans(self) -> pl.DataFrame:
        return open_leads.open_spans(self.leads_with_deal)

    @cached_property
    def stretches(self) -> pl.DataFrame:
        return open_leads.stretches(self.open_spans, self.points, self.silent_days, self.company.engagement)

    @property
    def still_open(self) -> pl.DataFrame:
        """The leads that are open today, with what their score follows from."""
        return open_leads.still_open(self.open_spans, self.stretches)

    @property
    def open_leads_in_portions(self) -> Iterator[Frame]:
        """Each open lead on every day from `since` on."""
        return open_leads.open_leads(self.open_spans, self.stretches, self.since, self.company.engagement)

    @property
    def open_leads(self) -> Frame:
        """All portions at once: for small populations."""
        return nw.concat(list(self.open_leads_in_portions))

    def open_leads_then(self, evaluated: pl.DataFrame) -> Frame:
        """Each lead that is open when a period is evaluated for its rep."""
        return open_leads.open_then(self.open_spans, self.stretches, evaluated, self.company.engagement)

    def open_leads_on(self, day: int) -> Frame:
        """(rep, id, score, unrounded, engaged) of each lead that is open on one day."""
        spans = self.open_spans.filter(pl.col("first") <= day, pl.col("last") >= day)
        scored = open_leads.on_day(self.stretches, day)
        score = scored.select("lead", score=open_leads.score(self.company.engagement))
        rows = spans.join(score, on="lead", how="left").with_columns(pl.col("score").fill_null(0.0))
        return portable(
            rows.select(
                "rep",
                id="lead",
                kind=pl.lit("lead"),
                day=pl.lit(day, dtype=pl.Int32),
                score=open_leads.summable(pl.col("score")),
                unrounded="score",
                engaged=pl.col("score") >= self.company.engagement.engaged,
                weight=pl.lit(1, dtype=pl.Int64),
            ).sort("id")
        )


def _records(interactions: Frame) -> Frame:
    """`kind` of a population's row is its table; an interaction's own kind is `means`."""
    return interactions.with_columns(means=nw.col("kind"), kind=nw.lit("interaction"))


__all__ = ["NAMES", "Frame", "Populations", "collected", "portable"]
