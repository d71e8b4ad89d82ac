"""What may happen in a small nasty world: reps, people, activities, deals and money, drawn by Hypothesis."""

from dataclasses import dataclass
from datetime import date, timedelta
from operator import itemgetter
from typing import Any

import msgspec
from hypothesis import strategies as st

from kpi_engine.records import (
    Campaign,
    Day,
    Deal,
    Interaction,
    Lead,
    Link,
    Micros,
    Millis,
    Person,
    Quota,
    Rate,
    Record,
    Rep,
    Split,
)

from .days import EPOCH_DAY, months_later, start_of

ZONES = ("America/Santiago", "Pacific/Auckland", "Europe/Madrid", "America/Los_Angeles", "Asia/Kathmandu")
REPS = ("ana", "bob", "cy", "dee")
WHOSE = ("ana", "bob", "ana", "bob", "cy", "dee", "queue", "gone", None)
"""To whom records belong; `queue` is no person and of `gone` there is no record."""

PERSONS = ("p0", "p1", "p2")
LEADS = ("l0", "l1", "l2", "l3")
DEALS = ("d0", "d1", "d2", "d3", "d4", "d5")
CAMPAIGNS = ("c0", "c1", "c2")

HOUR = 3_600_000
TIMES_OF_DAY = (0, 0, -1, 1, 9 * HOUR, 9 * HOUR, 9 * HOUR + 30_000, 9 * HOUR + 60_000, 9 * HOUR + 60_001, 15 * HOUR)
AMOUNTS = (None, 0, 5_000, 15_000, 25_000, 35_000, 1_000_000, 10_010_000, 33_330_000, 100_005_000, 1_000_000_000)
CHANNELS = (None, "", "Web", "Web", "Trade show", "unknown")
STATUSES = (None, None, "new", "working", "junk", "unqualified", "closed - not converted")
DISPOSITIONS = (
    None,
    None,
    "connected",
    "connected",
    "spoke with contact",
    "busy",
    "no answer",
    "connected to voicemail",
)
DURATIONS = (None, 0, 300, 900, 1_500, 29_999, 30_000, 30_001, 95_700, 600_000)
OUTCOMES = (None, "done", "done", "done", "done", "done", "done", "planned", "cancelled", "failed")
MEETING_OUTCOMES = (None, "done", "done", "done", None, "no_show", "no_show", "rescheduled", "cancelled", "planned")
MAYBE = (None, True, True, False)
RATE_FIELDS = ("currency", "rate", "from_on", "until_on")
THREAD_OF = {"x1": "t1", "x2": "t2", "x3": "t3"}
RARELY = (*(False,) * 9, True)
SPLITS = (
    (),
    (),
    (("ana", 500_000), ("bob", 500_000)),
    (("ana", 333_333), ("bob", 333_333), ("cy", 333_334)),
    (("bob", 1_000_000),),
    (("queue", 250_000), (None, 250_000), ("ana", 500_000)),
)


@dataclass(frozen=True)
class Times:
    """The stretch of days in which a world happens."""

    start: date
    span: int

    def dates(self, early: int = 0, late: int = 0) -> st.SearchStrategy[date]:
        """A day of the stretch, or so many days before or after; mostly one of a few busy days."""
        busy = st.sampled_from((0, 1, 2, self.span // 2, self.span // 2 + 1, self.span))
        anyhow = st.integers(-early, self.span + late)
        return st.one_of(busy, busy, anyhow).map(lambda day: self.start + timedelta(days=day))

    def days(self, early: int = 0, late: int = 0) -> st.SearchStrategy[Day]:
        """A plain date."""
        return self.dates(early, late).map(as_day)

    def moments(self, early: int = 0, late: int = 0) -> st.SearchStrategy[Millis]:
        """A moment, often at the edge of a day in somebody's zone, or a minute from another."""
        return st.builds(
            lambda day, zone, time: Millis(start_of(day, zone) + time),
            self.dates(early, late),
            st.sampled_from(ZONES[:3]),
            st.sampled_from(TIMES_OF_DAY),
        )


def as_day(day: date) -> Day:
    """Days since 1970."""
    return Day((day - EPOCH_DAY).days)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """None or that."""
    return st.none() | strategy


def numbered(kind: type[Record], prefix: str, fields: list[dict[str, Any]]) -> list[Any]:
    """Records with ids in order."""
    return [kind(id=f"{prefix}{number}", modified=Millis(0), **each) for number, each in enumerate(fields)]


def drawn(most: int, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Up to so many sets of fields, often many."""
    each = st.fixed_dictionaries(fields)
    return st.one_of(*(st.lists(each, min_size=few, max_size=most) for few in (0, most // 2, most * 3 // 4)))


@dataclass(frozen=True)
class Theme:
    """What a world is about: which kinds of interaction, whose, to what they may belong. Few choices make many ties."""

    kinds: tuple[str, ...]
    whose: tuple[str | None, ...]
    ends: tuple[tuple[str, str], ...]


EVERYTHING = Theme(
    ("email", "call", "call", "meeting", "message", "email"),
    WHOSE,
    (*(("person", id) for id in (*PERSONS, *LEADS)), *(("deal", id) for id in DEALS)),
)
FEW = (("person", "p0"), ("person", "l0"), ("person", "l1"), ("deal", "d0"), ("deal", "d1"))
THEMES = (
    EVERYTHING,
    EVERYTHING,
    Theme(("email",), ("ana", "bob", None), FEW),
    Theme(("call", "call", "call", "message", "meeting", "email"), ("ana", "ana", "bob"), FEW),
    Theme(("meeting", "call", "email"), ("ana", "bob"), FEW),
)

whose = st.sampled_from(WHOSE)
rarely = st.sampled_from(RARELY)


@st.composite
def reps(draw: st.DrawFn) -> list[Rep]:
    """Two to four reps in a chain or a circle of managers, and a queue."""
    count = draw(st.integers(2, 4))
    names = REPS[:count]
    found = [
        Rep(
            id=name,
            modified=Millis(0),
            name=name.title(),
            email=None,
            active=not draw(rarely),
            known=True,
            manager=draw(st.sampled_from([None, *names, "queue"])),
            time_zone=zone,
        )
        for name, zone in zip(names, (ZONES[0], ZONES[1], None, draw(st.sampled_from(ZONES))), strict=False)
    ]
    queue = Rep(
        id="queue", modified=Millis(0), name="Queue", email=None, active=True, known=False, time_zone=ZONES[1],
    )  # fmt: skip
    return [*found, queue]


@st.composite
def persons_and_leads(draw: st.DrawFn, times: Times, *, from_links: bool) -> list[Record]:
    """Contacts and leads: merged, deleted, converted, opted out."""
    opting = {"opted_out": rarely, "opted_out_at": maybe(times.moments()), "bounced_at": st.none() | times.moments()}
    persons = draw(drawn(3, owner=whose, deleted=rarely, **opting))
    leads = draw(
        drawn(
            4,
            owner=whose,
            deleted=rarely,
            created_at=times.moments(early=20),
            channel=st.sampled_from(CHANNELS),
            status=st.sampled_from(STATUSES),
            qualified_at=maybe(times.moments()),
            converted=st.booleans(),
            converted_at=maybe(times.moments(late=2)),
            converted_on=maybe(times.days(late=2)),
            person=st.sampled_from([None, *PERSONS]),
            deal=st.sampled_from([None, *DEALS]),
            **opting,
        )
    )
    for fields in [*persons, *leads]:
        if not fields["opted_out"]:
            fields["opted_out_at"] = None
        if not draw(rarely):
            fields["bounced_at"] = None
    for number, fields in enumerate(persons):
        fields["merged_into"] = draw(st.sampled_from([None] * 4 + list(PERSONS[:number])))
    for number, fields in enumerate(leads):
        fields["merged_into"] = draw(st.sampled_from([None] * 6 + list(LEADS[:number])))
        if fields["merged_into"] is not None:
            fields["person"] = None
        _one_way_of_converting(fields, from_links=from_links)
    return [*numbered(Person, "p", persons), *numbered(Lead, "l", leads)]


def _one_way_of_converting(fields: dict[str, Any], *, from_links: bool) -> None:
    """HubSpot knows the moment and no deal, Salesforce the date and the deal."""
    fields["converted_on" if from_links else "converted_at"] = None
    if from_links:
        fields["deal"] = None
    if not fields["converted"]:
        fields.update(converted_at=None, converted_on=None, deal=None)


@st.composite
def interactions(draw: st.DrawFn, times: Times, theme: Theme) -> list[Interaction]:
    """E-mails, calls, messages and meetings, often twice."""
    fields = draw(
        drawn(
            14,
            kind=st.sampled_from(theme.kinds),
            rep=st.sampled_from(theme.whose),
            deleted=rarely,
            direction=st.sampled_from(("out", "out", "out", "in", None, "internal")),
            outcome=st.integers(0, 9),
            at=times.moments(early=3),
            plain=rarely,
            on=times.days(early=3),
            lasts=st.sampled_from((None, 0, 1, HOUR, 26 * HOUR)),
            booked=maybe(times.moments(early=5)),
            duration_ms=st.sampled_from(DURATIONS),
            disposition=st.sampled_from(DISPOSITIONS),
            answered_by_crm=st.sampled_from((None, None, True, False)),
            flags=st.tuples(*[st.sampled_from(MAYBE)] * 4),
            seen_at=maybe(times.moments(late=2)),
            automatic=rarely,
            key=st.sampled_from((None, None, "x1", "x2", "x3")),
            thread=st.sampled_from((None, "t1", "t2")),
            logs=st.sampled_from((None, None, None, *range(14))),
        )
    )
    found: list[Interaction] = []
    logging: set[str] = set()
    for number, each in enumerate(fields):
        activity = _interaction(number, each)
        logged = next((one for one in found if one.id == activity.logs), None)
        # A log belongs to one activity of its kind and direction, has no key of its own and logs nothing.
        alike = logged is not None and (logged.kind, logged.direction) == (activity.kind, activity.direction)
        if logged is None or not alike or {logged.id, activity.id} & logging or logged.logs:
            activity = msgspec.structs.replace(activity, logs=None)
        else:
            logging |= {logged.id}
            found[found.index(logged)] = msgspec.structs.replace(logged, message_id=None, external_id=None)
        found.append(activity)
    return found


def _interaction(number: int, drawn: dict[str, Any]) -> Interaction:
    """Only the fields that this kind can have."""
    kind, at = drawn["kind"], None if drawn["plain"] else drawn["at"]
    own: dict[str, Any] = {}
    if kind == "email":
        tracked, opened, clicked, bounced = drawn["flags"]
        own = {
            "tracked": tracked,
            "opened": opened,
            "clicked": clicked,
            "bounced": bounced,
            "automatic": drawn["automatic"],
            "opened_at": drawn["seen_at"] if opened else None,
            "clicked_at": drawn["seen_at"] if clicked else None,
            # The same message lies in the same thread, if the CRM knows it.
            "thread": THREAD_OF.get(drawn["key"], drawn["thread"]) if drawn["thread"] else None,
            "message_id": drawn["key"],
        }
    if kind == "call":
        own = {name: drawn[name] for name in ("duration_ms", "disposition", "answered_by_crm")}
    if kind == "meeting":
        own = {"created_at": drawn["booked"]}
        if at is not None and drawn["lasts"] is not None:
            own["ended_at"] = at + drawn["lasts"]
    return Interaction(
        id=f"i{number}",
        modified=Millis(0),
        deleted=drawn["deleted"],
        kind=kind,
        rep=drawn["rep"],
        direction=None if kind == "meeting" else drawn["direction"],
        outcome=(MEETING_OUTCOMES if kind == "meeting" else OUTCOMES)[drawn["outcome"]],
        at=at,
        on=drawn["on"] if at is None else None,
        external_id=None if kind == "email" else drawn["key"],
        logs=f"i{drawn['logs']}" if drawn["logs"] is not None and kind in ("email", "call") else None,
        **own,
    )


@st.composite
def deals(draw: st.DrawFn, times: Times, *, from_links: bool) -> list[Record]:
    """Deals with odd amounts, currencies, splits, changed owners and every kind of close date."""
    fields = draw(
        drawn(
            6,
            owner=whose,
            owner_at_close=st.sampled_from((None, None, *REPS, "queue")),
            deleted=rarely,
            created_at=times.moments(early=100),
            amount=st.sampled_from(AMOUNTS),
            currency=st.sampled_from((None, "USD", "USD", "EUR", "EUR", "JPY", "XXX")),
            amount_home=st.none(),
            stage=st.sampled_from(("won", "won", "won", "lost", "open")),
            closed_at=times.moments(late=3),
            closed_on=maybe(times.days(late=3)),
            campaign=st.sampled_from((None, *CAMPAIGNS)),
        )
    )
    for number, each in enumerate(fields):
        stage = each.pop("stage")
        each.update(closed=stage != "open", won=stage == "won")
        each["merged_into"] = draw(st.sampled_from([None] * 8 + list(DEALS[:number])))
        each["closed_at" if not from_links or stage == "open" else "closed_on"] = None
        if from_links:
            each["amount_home"], each["currency"] = each["amount"] if each["currency"] else None, None
            each["owner_at_close"] = None
    splits = [
        Split(id=f"s{number}{place}", modified=Millis(0), deal=f"d{number}", rep=rep, share=share)
        for number in range(len(fields))
        for place, (rep, share) in enumerate(draw(st.sampled_from(SPLITS)))
        if not from_links
    ]
    return [*numbered(Deal, "d", fields), *splits, *_last_years(draw(st.sampled_from((0,) * 15 + (29, 30))), times)]


def _last_years(count: int, times: Times) -> list[Deal]:
    """So many deals won in one day two months ago: enough, or just not enough, for the terciles of a fiscal year."""
    day = times.start - timedelta(days=60)
    return [
        Deal(
            id=f"old{number}",
            modified=Millis(0),
            owner="bob",
            created_at=Millis(start_of(day, "UTC")),
            closed=True,
            won=True,
            closed_on=as_day(day),
            amount=Micros(number * 7_000_001),
        )
        for number in range(count)
    ]


@st.composite
def money_records(draw: st.DrawFn, times: Times) -> list[Record]:
    """Rates, campaigns and quotas of different lengths."""
    turn = draw(times.days())
    rates = [
        ("EUR", draw(st.sampled_from(("0.8", "0.9", "3"))), None, None),
        ("EUR", "0.875", None, turn),
        ("EUR", "0.7", turn, Day(turn + 5)),
        ("JPY", "155.55", None, None),
        ("JPY", "151.2", turn, None),
    ]
    some = draw(st.sets(st.sampled_from(rates)))
    campaigns = draw(
        drawn(
            3,
            owner=whose,
            deleted=rarely,
            starts_on=maybe(times.days(early=30, late=3)),
            cost=st.sampled_from((None, 0, 1_000_000, 33_330_000, 500_000_000)),
            currency=st.sampled_from((None, "USD", "EUR", "XXX")),
        )
    )
    # Two quotas of one rep for one period are a mistake in the CRM; which of them holds is no rule of ours.
    whose_when = itemgetter("rep", "starts_on", "ends_on")
    rows = draw(st.lists(_quota_fields(times), max_size=5, unique_by=whose_when))
    return [
        *numbered(Rate, "r", [dict(zip(RATE_FIELDS, each, strict=True)) for each in sorted(some, key=repr)]),
        *numbered(Campaign, "c", campaigns),
        *numbered(Quota, "q", rows),
    ]  # fmt: skip


@st.composite
def _quota_fields(draw: st.DrawFn, times: Times) -> dict[str, Any]:
    """A quota row of a month, a quarter, a year or a few days."""
    months = draw(st.sampled_from((0, 1, 1, 3, 12)))
    start = draw(times.dates(early=20))
    if months:
        start = start.replace(day=1)
    end = months_later(start, months) if months else start + timedelta(days=draw(st.integers(1, 12)))
    return {
        "rep": draw(st.sampled_from((*REPS, "queue"))),
        "starts_on": as_day(start),
        "ends_on": as_day(end),
        "amount": draw(st.sampled_from((0, 1_000_000, 10_000_000, 1_234_560_000))),
        "currency": draw(st.sampled_from((None, "USD", "EUR"))),
        "deleted": draw(rarely),
    }


@st.composite
def links(draw: st.DrawFn, ends: list[tuple[str, str]], theme: Theme) -> list[Link]:
    """What hangs on whom: people (contacts and leads) and deals, sometimes ones that do not exist."""
    found = []
    for from_kind, from_id in ends:
        allowed = [end for end in theme.ends if from_kind != "deal" or end[0] == "person"]
        for to_kind, to_id in sorted(draw(st.sets(st.sampled_from(allowed), max_size=3))):
            found.append({"from_kind": from_kind, "from_id": from_id, "to_kind": to_kind, "to_id": to_id})
    return [
        Link(id=f"k{number}", modified=Millis(0), deleted=draw(rarely), **each) for number, each in enumerate(found)
    ]
