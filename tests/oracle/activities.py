"""What happened: interactions freed of doubles, and which are calls made, e-mails sent, replies, touchpoints."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import msgspec

from kpi_engine.records import Deal, Interaction, Link, Task

from .days import ONE_DAY, plain, start_of
from .people import People, Records, Staff

ANSWERED = {"connected", "answered", "spoke", "spoke with contact", "conversation"}
ANSWERED_FROM_MS = 30_000
SAME_WITHIN_MS = 60_000


@dataclass(frozen=True)
class Activity:
    """An interaction that took place, with whom it counts for and to what it belongs."""

    what: Interaction
    rep: str
    people: frozenset[str]
    deals: frozenset[str]

    @property
    def direction(self) -> str | None:
        """Calls and messages without a direction are outbound.

        Silent: an e-mail without one is neither sent nor received.
        """
        return self.what.direction or ("out" if self.what.kind in ("call", "message") else None)


@dataclass(frozen=True)
class NextStep:
    """Something a rep did for people or deals: what follows up a call."""

    rep: str
    people: frozenset[str]
    deals: frozenset[str]
    at: int | None
    on: date


class Activities:
    """Everything that took place by `as_of`, each once."""

    def __init__(self, records: Records, staff: Staff, people: People, as_of: int) -> None:
        self._records = records
        self._staff = staff
        self._people = people
        self._as_of = as_of
        self._ends = self._read_links()
        took_place = [self._activity(each) for each in records.all(Interaction) if self._took_place(each)]
        self.all = self._once(took_place)
        self._threads: dict[str, list[Activity]] = defaultdict(list)
        for activity in self.all:
            if activity.what.kind == "email":
                self._threads[self.thread(activity)].append(activity)

    # --- what belongs to whom -------------------------------------------------------------------------------------

    def _read_links(self) -> dict[tuple[str, str, str], set[str]]:
        """(from kind, from id, to kind) → the people or deals, merged ones under their survivor."""
        ends: dict[tuple[str, str, str], set[str]] = defaultdict(set)
        for link in self._records.all(Link):
            if not link.deleted:
                end = self._people.who(link.to_id) if link.to_kind == "person" else self.surviving_deal(link.to_id)
                ends[link.from_kind, link.from_id, link.to_kind].add(end)
        return ends

    def surviving_deal(self, id: str) -> str:
        """The deal into which this one was merged, else itself."""
        seen = {id}
        deal = self._records.get(Deal, id)
        while deal is not None and deal.merged_into is not None and deal.merged_into not in seen:
            id = deal.merged_into
            seen.add(id)
            deal = self._records.get(Deal, id)
        return id

    def linked(self, kind: str, id: str, to_kind: str) -> frozenset[str]:
        """The people or deals to which an interaction, task or deal is linked."""
        return frozenset(self._ends.get((kind, id, to_kind), ()))

    def _activity(self, what: Interaction) -> Activity:
        return Activity(
            what,
            self._staff.key(what.rep),
            self.linked("interaction", what.id, "person"),
            self.linked("interaction", what.id, "deal"),
        )

    # --- what took place ------------------------------------------------------------------------------------------

    def _took_place(self, what: Interaction) -> bool:
        """Not deleted, not undone, not later than `as_of`; a meeting (a missed one too) is over by then.

        Silent: a call or message without a recorded outcome is done, an outbound e-mail without one was not sent.
        A meeting without an end ends after its duration, else with its start.
        """
        if what.deleted or not self._by_as_of(what.at, what.on, what.rep):
            return False
        if what.kind == "email" and what.direction == "out":
            return what.outcome == "done"
        if what.kind != "meeting":
            return what.outcome in (None, "done")
        end = what.ended_at
        if end is None and what.at is not None:
            end = what.at + (what.duration_ms or 0)  # type: ignore[assignment]  # Millis + int
        return what.outcome not in ("cancelled", "rescheduled") and (end is None or end <= self._as_of)

    def _by_as_of(self, at: int | None, on: int | None, rep: str | None) -> bool:
        if at is not None:
            return at <= self._as_of
        return on is not None and plain(on) <= self._staff.today(self._staff.key(rep))

    def day(self, activity: Activity, key: str | None = None) -> date:
        """Its day, in the zone of its rep or of the rep given; a plain date is never shifted."""
        what = activity.what
        if what.at is not None:
            return self._staff.day(key if key is not None else activity.rep, what.at)
        assert what.on is not None
        return plain(what.on)

    def _order(self, activity: Activity) -> tuple[int, str]:
        """Silent: among moments a plain date stands at the start of its day in its rep's zone."""
        at = activity.what.at
        return (
            at if at is not None else start_of(self.day(activity), self._staff.zone(activity.rep)),
            activity.what.id,
        )

    def later(self, one: Activity | NextStep, other: Activity) -> bool:
        """Strictly later. Silent: where one has no moment, only a later day is certain to be later."""
        at = one.at if isinstance(one, NextStep) else one.what.at
        if at is not None and other.what.at is not None:
            return at > other.what.at
        return (one.on if isinstance(one, NextStep) else self.day(one)) > self.day(other)

    # --- the same activity twice ----------------------------------------------------------------------------------

    def _once(self, activities: list[Activity]) -> list[Activity]:
        """Each activity once: first by shared ids, then by rep, person and minute."""
        by_ids = [self._united(group) for group in self._share_an_id(activities)]
        kept: list[Activity] = []
        for activity in sorted(by_ids, key=self._order):
            first = next((each for each in kept if self._same_within_a_minute(each, activity)), None)
            if first is None:
                kept.append(activity)
            else:
                kept[kept.index(first)] = self._unite(first, activity)
        return kept

    def _share_an_id(self, activities: list[Activity]) -> list[list[Activity]]:
        """Groups connected by a message id (e-mails), an external id (the others) or `logs`."""
        groups: list[list[Activity]] = []
        for activity in activities:
            touching = [group for group in groups if any(self._same_id(activity, each) for each in group)]
            groups = [group for group in groups if group not in touching]
            groups.append([activity, *(each for group in touching for each in group)])
        return groups

    @staticmethod
    def _same_id(one: Activity, other: Activity) -> bool:
        a, b = one.what, other.what
        if a.kind != b.kind:
            return False
        if a.logs == b.id or b.logs == a.id:
            return True
        if a.kind == "email":
            return a.message_id is not None and a.message_id == b.message_id
        return a.external_id is not None and a.external_id == b.external_id

    def _united(self, group: list[Activity]) -> Activity:
        """One activity of a group: the earliest stays.

        Silent: a record that another one points to merely logs it, so the pointing one stays.
        """
        logged = {each.what.logs for each in group}
        kept, *others = sorted(group, key=lambda each: (each.what.id in logged, self._order(each)))
        for other in others:
            kept = self._unite(kept, other)
        return kept

    def _unite(self, kept: Activity, other: Activity) -> Activity:
        """What the kept one lacks is filled from the other, links are united."""
        lacks = {
            name: getattr(other.what, name) for name in kept.what.__struct_fields__ if getattr(kept.what, name) is None
        }
        what = msgspec.structs.replace(kept.what, **lacks)
        return Activity(what, self._staff.key(what.rep), kept.people | other.people, kept.deals | other.deals)

    @staticmethod
    def _same_within_a_minute(first: Activity, activity: Activity) -> bool:
        """Calls, meetings and messages. Silent: it takes two moments; links united earlier count."""
        a, b = first.what, activity.what
        return (
            a.kind == b.kind != "email"
            and (first.rep, first.direction) == (activity.rep, activity.direction)
            and bool(first.people & activity.people)
            and a.at is not None
            and b.at is not None
            and 0 <= b.at - a.at <= SAME_WITHIN_MS
        )

    # --- what it was ----------------------------------------------------------------------------------------------

    def _which(self, *tests: Callable[[Activity], bool]) -> list[Activity]:
        return [each for each in self.all if all(test(each) for test in tests)]

    def calls_made(self) -> list[Activity]:
        """Completed and outbound, whatever the result."""
        return self._which(lambda each: each.what.kind == "call" and each.direction == "out")

    def answered(self, call: Activity) -> bool:
        """The disposition says so, or the CRM knows; without any disposition: at least 30 s long."""
        what = call.what
        if what.disposition is not None:
            return what.disposition in ANSWERED or what.answered_by_crm is True
        # Silent: a call that the CRM knows was never connected was not answered, however long it rang.
        return what.answered_by_crm is True or (
            what.answered_by_crm is None and (what.duration_ms or 0) >= ANSWERED_FROM_MS
        )

    def calls_answered(self) -> list[Activity]:
        """Calls made that were answered."""
        return [each for each in self.calls_made() if self.answered(each)]

    def emails_sent(self) -> list[Activity]:
        """Outbound e-mails, bounced ones included."""
        return self._which(lambda each: each.what.kind == "email" and each.direction == "out")

    def emails_delivered(self) -> list[Activity]:
        """Sent and not bounced."""
        return [each for each in self.emails_sent() if each.what.bounced is not True]

    def tracked(self) -> list[Activity]:
        """Delivered e-mails for which the CRM recorded tracking."""
        return [each for each in self.emails_delivered() if each.what.tracked is True]

    def opened(self, email: Activity) -> bool:
        """Opened by `as_of`."""
        return email.what.opened is True and (email.what.opened_at is None or email.what.opened_at <= self._as_of)

    def clicked(self, email: Activity) -> bool:
        """Clicked by `as_of`."""
        return email.what.clicked is True and (email.what.clicked_at is None or email.what.clicked_at <= self._as_of)

    def messages_sent(self) -> list[Activity]:
        """Outbound messages."""
        return self._which(lambda each: each.what.kind == "message" and each.direction == "out")

    def meetings_held(self) -> list[Activity]:
        """Over and not missed; one without a recorded outcome counts as held."""
        return self._which(lambda each: each.what.kind == "meeting" and each.what.outcome != "no_show")

    def meetings_missed(self) -> list[Activity]:
        """No-shows."""
        return self._which(lambda each: each.what.kind == "meeting" and each.what.outcome == "no_show")

    @cached_property
    def touchpoints(self) -> list[Activity]:
        """A delivered e-mail, a call made, an outbound message or a meeting held."""
        return [*self.emails_delivered(), *self.calls_made(), *self.messages_sent(), *self.meetings_held()]

    def inbound(self) -> list[Activity]:
        """Somebody wrote or called: inbound e-mails (not automatic), messages and calls."""
        return self._which(
            lambda each: each.what.kind in ("email", "message", "call"),
            lambda each: each.direction == "in" and not each.what.automatic,
        )

    def answered_either_way(self) -> list[Activity]:
        """Answered calls, outbound or inbound."""
        return self._which(
            lambda each: each.what.kind == "call" and each.direction in ("out", "in") and self.answered(each)
        )

    # --- threads and replies --------------------------------------------------------------------------------------

    def thread(self, email: Activity) -> str:
        """Its thread; an e-mail without a thread id is a thread of its own."""
        return f"thread {email.what.thread}" if email.what.thread is not None else f"alone {email.what.id}"

    def is_reply(self, email: Activity, to: Activity) -> bool:
        """An inbound, not automatic e-mail in the same thread, later than the outbound one."""
        return (
            email.direction == "in"
            and not email.what.automatic
            and self.thread(email) == self.thread(to)
            and self.later(email, to)
        )

    def has_reply(self, sent: Activity) -> bool:
        """Whether an outbound e-mail has a reply."""
        return any(self.is_reply(email, sent) for email in self._threads[self.thread(sent)])

    def replies(self) -> list[Activity]:
        """Inbound e-mails that reply to an outbound one."""
        return [
            email
            for thread in self._threads.values()
            for email in thread
            if any(sent.direction == "out" and self.is_reply(email, sent) for sent in thread)
        ]

    def threads_opened(self) -> list[Activity]:
        """The first messages of the threads that a rep opened; first among all messages, inbound included."""
        firsts = [min(thread, key=self._order) for thread in self._threads.values()]
        return [first for first in firsts if first.direction == "out"]

    # --- following up a call --------------------------------------------------------------------------------------

    @cached_property
    def next_steps(self) -> list[NextStep]:
        """Tasks created (not only logging), meetings booked (even if cancelled), e-mails delivered, messages, calls."""
        steps = [
            self._booked("task", each.id, each.rep, each.created_at)
            for each in self._records.all(Task)
            if not each.deleted and not each.logs_activity
        ]
        steps += [
            self._booked("interaction", each.id, each.rep, each.created_at)
            for each in self._records.all(Interaction)
            # Silent: a meeting of which nobody knows when it was booked follows up nothing.
            if each.kind == "meeting" and not each.deleted and each.created_at is not None
        ]
        done: Iterable[Activity] = [*self.emails_delivered(), *self.messages_sent(), *self.calls_made()]
        steps += [NextStep(each.rep, each.people, each.deals, each.what.at, self.day(each)) for each in done]
        return [step for step in steps if step.at is None or step.at <= self._as_of]

    def tasks_created(self) -> list[tuple[str, date]]:
        """Whose tasks were created on which day, those that only log an activity included."""
        tasks = [each for each in self._records.all(Task) if not each.deleted]
        keys = [(self._staff.key(each.rep), each.created_at) for each in tasks if each.created_at <= self._as_of]
        return [(key, self._staff.day(key, at)) for key, at in keys]

    def _booked(self, kind: str, id: str, rep: str | None, at: int | None) -> NextStep:
        assert at is not None
        key = self._staff.key(rep)
        people, deals = self.linked(kind, id, "person"), self.linked(kind, id, "deal")
        return NextStep(key, people, deals, at, self._staff.day(key, at))

    def follow_up_until(self, call: Activity) -> date:
        """The second working day after the call's day."""
        day, working = self.day(call), 0
        while working < 2:
            day += ONE_DAY
            working += self._staff.works(call.rep, day)
        return day

    def calls_to_follow_up(self) -> list[Activity]:
        """Answered calls whose second working day is over by `as_of`."""
        return [
            call
            for call in self.calls_answered()
            if start_of(self.follow_up_until(call) + ONE_DAY, self._staff.zone(call.rep)) <= self._as_of
        ]

    def followed_up(self, call: Activity) -> bool:
        """The same rep took a next step with the same person or deal in time."""
        until = self.follow_up_until(call)
        return any(
            step.rep == call.rep
            and (step.people & call.people or step.deals & call.deals)
            and self.later(step, call)
            and step.on <= until
            for step in self.next_steps
        )
