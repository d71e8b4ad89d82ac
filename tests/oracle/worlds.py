"""Small nasty worlds of records: ties, doubles, edges of days, zones and periods, and all that CRMs leave blank."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, cast

import msgspec
from hypothesis import strategies as st

from kpi_engine.records import (
    Company,
    Deal,
    Event,
    Micros,
    Millis,
    Record,
    Target,
    Task,
)

from .happenings import (
    LEADS,
    PERSONS,
    REPS,
    THEMES,
    Times,
    deals,
    drawn,
    interactions,
    links,
    maybe,
    money_records,
    numbered,
    persons_and_leads,
    rarely,
    reps,
)

STARTS = (
    date(2025, 12, 26),  # the turn of the year and of the ISO year
    date(2026, 3, 5),  # Los Angeles changes its clocks, Madrid follows, Santiago and Auckland go the other way
    date(2026, 3, 27),  # the quarter ends
    date(2026, 9, 1),  # Santiago changes its clocks at midnight
    date(2026, 9, 24),
    date(2024, 2, 25),  # a leap day
)
SPANS = (2, 5, 9, 9, 35, 35, 70, 100)


@dataclass(frozen=True)
class World:
    """Records, the company's conventions and the moment of looking."""

    records: tuple[Record, ...]
    company: Company
    as_of: Millis

    def __repr__(self) -> str:
        """Only what differs from the default, so that a failing world can be read."""
        lines = [brief(record) for record in self.records]
        return "\n".join([f"as_of={self.as_of}", brief(self.company), *lines])


def brief(struct: msgspec.Struct) -> str:
    """A record with its set fields only, as code."""
    fields = [
        f"{name}={getattr(struct, name)!r}"
        for name, default in zip(struct.__struct_fields__, _defaults(type(struct)), strict=True)
        if getattr(struct, name) != default
    ]
    return f"{type(struct).__name__}({', '.join(fields)})"


def _defaults(kind: type[msgspec.Struct]) -> list[Any]:
    return [
        field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
        for field in msgspec.structs.fields(kind)
    ]


@st.composite
def targets(draw: st.DrawFn, times: Times) -> tuple[Target, ...]:
    """A few targets of every scope and grain."""
    fields = drawn(
        6,
        kpi=st.sampled_from(("quota", "calls_made", "revenue", "win_rate", "deals_lost", "open_leads")),
        scope=st.sampled_from(("everyone", "rep:ana", "rep:bob", "team:ana")),
        grain=st.sampled_from(("day", "week", "month", "quarter", "year")),
        value=st.sampled_from(("0", "1", "2.5", "0.3", "100", "1234.56")),
        from_on=times.days(early=40),
    )
    found = [Target(**each) for each in draw(fields)]
    # What a team's quota target means for its members is not a thing to guess: quotas of teams are sums.
    return tuple(each for each in found if not (each.kpi == "quota" and each.scope.startswith("team:")))


@st.composite
def companies(draw: st.DrawFn, times: Times, *, from_links: bool) -> Company:
    """Conventions: fiscal years, holidays, days off, what the CRM cannot tell."""
    sources = ("clicks", "opens", "bounces", "opt_out_dates", "campaign_costs", "form_submissions")
    days_off = draw(st.dictionaries(st.sampled_from(REPS[:3]), st.frozensets(times.days(), max_size=3), max_size=2))
    return Company(
        connection="acme",
        time_zone=draw(st.sampled_from(("UTC", "Europe/Madrid", "America/Los_Angeles"))),
        home_currency="USD",
        fiscal_year_start=draw(st.sampled_from((1, 1, 2, 4, 10))),
        holidays=draw(st.frozensets(times.days(), max_size=3)),
        days_off=days_off,
        missing={source: "not read" for source in sorted(draw(st.sets(st.sampled_from(sources), max_size=2)))},
        lead_deal_from_links=from_links,
        band_limits=draw(st.sampled_from((None, None, (Micros(1_000_000), Micros(33_330_000))))),
        targets=draw(targets(times)),
    )


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A company with everything that can go wrong, looked at in the middle of it."""
    from_links = draw(st.booleans())
    times = Times(draw(st.sampled_from(STARTS)), draw(st.sampled_from(SPANS)))
    staff = draw(reps())
    people = draw(persons_and_leads(times, from_links=from_links))
    theme = draw(st.sampled_from(THEMES))
    happened = draw(interactions(times, theme))
    business = draw(deals(times, from_links=from_links))
    planned = drawn(
        4,
        rep=st.sampled_from(theme.whose),
        created_at=times.moments(),
        deleted=rarely,
        logs_activity=rarely,
    )
    tasks = numbered(Task, "t", draw(planned))
    events = draw(
        drawn(
            8,
            person=st.sampled_from((*PERSONS, *LEADS)),
            kind=st.sampled_from(("form_submission", "page_view", "document", "email_open", "email_click")),
            at=maybe(times.moments(early=30, late=1)),
            on=maybe(times.days(early=30, late=1)),
            amount=st.sampled_from((1.0, 1.0, 2.5, 4.0, 12.0)),
            deleted=rarely,
        )
    )
    ends = [("interaction", each.id) for each in happened] + [("task", each.id) for each in tasks]
    ends += [("deal", each.id) for each in business if isinstance(each, Deal) and not each.id.startswith("old")]
    as_of = draw(
        Times(times.start + timedelta(days=draw(st.integers(times.span * 2 // 3, times.span + 4))), 0).moments()
    )
    company = draw(companies(times, from_links=from_links))
    records = [*staff, *people, *happened, *business, *tasks, *numbered(Event, "e", events)]
    records += [*draw(money_records(times)), *draw(links(ends, theme))]
    return World(tuple(cast("list[Record]", records)), company, as_of)
