"""The demo company: whole, repeatable, up to date, and with every awkward case in it."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from crm_sandbox.seed import demo_world
from crm_sandbox.seeding.cast import SELLING
from crm_sandbox.world import Call, Email, Meeting, Prospect, Sale, Todo, World

NOW = datetime(2026, 11, 25, 10, 30, 0, tzinfo=UTC)
WORLD = demo_world(NOW)

AWKWARD_MOMENTS = (
    datetime(2026, 1, 1, 0, 0, 0, tzinfo=UTC),
    datetime(2028, 2, 29, 12, 0, 0, tzinfo=UTC),
    datetime(2026, 3, 29, 1, 0, 0, tzinfo=UTC),
    datetime(2026, 10, 31, 23, 59, 59, tzinfo=UTC),
    datetime(2027, 5, 31, 6, 7, 8, tzinfo=UTC),
)


def pages(world: World) -> dict[str, tuple[Any, ...]]:
    return {name: page for name, page in vars(world).items() if isinstance(page, tuple)}


def singles(value: Any) -> Iterator[Any]:
    """Every single value in nested tuples."""
    for part in value if isinstance(value, tuple) else (value,):
        yield from singles(part) if isinstance(part, tuple) else (part,)


def values(thing: Any) -> Iterator[tuple[str, Any]]:
    for column in fields(thing):
        for value in singles(getattr(thing, column.name)):
            yield column.name, value


@pytest.fixture(params=[NOW, *AWKWARD_MOMENTS], ids=str)
def world(request: pytest.FixtureRequest) -> World:
    return WORLD if request.param == NOW else demo_world(request.param, size="small")


def test_the_same_seed_gives_the_same_world_and_another_one_another() -> None:
    assert demo_world(NOW) == WORLD
    assert demo_world(NOW, seed=8) != WORLD


def test_now_may_be_told_in_any_zone_and_loses_its_fraction() -> None:
    in_madrid = (NOW + timedelta(microseconds=999_999)).astimezone(ZoneInfo("Europe/Madrid"))
    assert demo_world(in_madrid, size="small") == demo_world(NOW, size="small")


def test_a_now_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        demo_world(datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point


@pytest.mark.parametrize(
    ("size", "least", "most"), [("small", 2900, 3200), ("demo", 7400, 7700), (12000, 11900, 12200)]
)
def test_a_world_has_about_as_many_records_as_asked_for(size: str | int, least: int, most: int) -> None:
    assert least <= sum(map(len, pages(demo_world(NOW, size=size)).values())) <= most


def test_no_key_is_used_twice(world: World) -> None:
    for page in pages(world).values():
        keys = Counter(thing.key for thing in page if hasattr(thing, "key"))
        assert [key for key, times in keys.items() if times > 1] == []


def test_every_key_that_is_mentioned_exists(world: World) -> None:
    known = {
        "sellers": ({"seller", "owner", "owners", "manager", "splits"}, {thing.key for thing in world.sellers}),
        "prospects": (
            {"people", "prospect", "merged_into", "responses"},
            {thing.key for thing in world.prospects},
        ),
        "sales": ({"deals", "deal"}, {thing.key for thing in world.sales}),
        "promotions": ({"campaign"}, {thing.key for thing in world.promotions}),
    }
    mentioned = [pair for page in pages(world).values() for thing in page for pair in values(thing)]
    for columns, keys in known.values():
        assert {value for column, value in mentioned if column in columns and isinstance(value, str)} <= keys


def test_no_two_people_share_an_address(world: World) -> None:
    addresses = Counter(person.email for person in world.prospects)
    assert max(addresses.values()) == 1


def test_every_moment_is_a_whole_second_in_utc(world: World) -> None:
    for page in pages(world).values():
        for thing in page:
            for column, value in values(thing):
                if isinstance(value, datetime):
                    assert (value.tzinfo, value.microsecond) == (UTC, 0), (thing, column)


def test_only_plans_are_later_than_now(world: World) -> None:
    allowed: dict[type, Callable[[Any], bool]] = {
        Email: lambda email: email.status == "scheduled",
        Call: lambda call: call.status == "planned",
        Meeting: lambda meeting: meeting.booked <= world.now,
        Sale: lambda sale: sale.key == "case-deal-won-in-the-future" and sale.created <= world.now,
    }
    for page in pages(world).values():
        for thing in page:
            late = [v for _, v in values(thing) if isinstance(v, datetime) and v > world.now]
            if late:
                assert allowed[type(thing)](thing), thing


def test_things_happen_in_order(world: World) -> None:
    for meeting in world.meetings:
        assert meeting.booked <= meeting.start < meeting.end
    for email in world.emails:
        assert all(email.at <= moment for moment in (*email.opens, *email.clicks))
    for sale in world.sales:
        starts = [moment for moment, _ in sale.owners]
        assert starts == sorted(starts)
        assert starts[0] == sale.created
    for person in world.prospects:
        later = (person.qualified, person.converted, person.opted_out, person.bounced)
        assert all(person.created <= moment for moment in later if moment)


def test_a_close_date_is_the_day_of_the_close_where_the_owner_lives(world: World) -> None:
    zones = {seller.key: ZoneInfo(seller.time_zone) for seller in world.sellers}
    for sale in world.sales:
        if sale.closed_at and len(sale.owners) == 1:
            zone = zones[sale.owner] if sale.owner else UTC
            assert sale.closed == sale.closed_at.astimezone(zone).date(), sale
        assert (sale.closed_at is None) == (sale.stage == "open")


def test_every_seller_has_calls_and_mail_today_and_a_deal_won_this_month(world: World) -> None:
    zones = {seller.key: ZoneInfo(seller.time_zone) for seller in world.sellers}
    for seller in SELLING:
        today = world.now.astimezone(zones[seller]).date()

        def is_today(moment: datetime, key: str | None, seller: str = seller, today: date = today) -> bool:
            return key == seller and moment.astimezone(zones[seller]).date() == today

        assert any(is_today(call.at, call.seller) for call in world.calls)
        assert any(is_today(email.at, email.seller) and email.direction == "out" for email in world.emails)
        won = [sale.closed for sale in world.sales if sale.stage == "won" and sale.owner == seller]
        assert any(today.replace(day=1) <= day <= today for day in won)


def test_history_goes_back_eighteen_months_and_is_densest_at_the_end() -> None:
    ages = Counter((NOW - call.at).days // 90 for call in WORLD.calls if call.at <= NOW)
    assert max(ages) == 6
    assert ages[0] > ages[1] > ages[2]


def test_managers_form_three_levels_and_zones_four_continents() -> None:
    managers = {seller.key: seller.manager for seller in WORLD.sellers}
    assert (managers["rohan"], managers["priya"], managers["carmen"], managers["elena"]) == (
        "priya",
        "carmen",
        "elena",
        None,
    )
    zones = {seller.time_zone for seller in WORLD.sellers}
    assert zones >= {"Europe/Madrid", "America/New_York", "America/Sao_Paulo", "Asia/Kolkata", "Pacific/Auckland"}
    assert Counter(seller.kind for seller in WORLD.sellers) == {"person": 14, "queue": 1, "robot": 1}


def test_one_seller_has_nothing_at_all_and_one_who_left_won_deals() -> None:
    noor = [thing for page in (WORLD.calls, WORLD.emails, WORLD.meetings, WORLD.sales) for thing in page]
    assert not [thing for thing in noor if "noor" in {value for _, value in values(thing)}]
    gael = next(seller for seller in WORLD.sellers if seller.key == "gael")
    assert not gael.active
    assert sum(sale.owner == "gael" and sale.stage == "won" for sale in WORLD.sales) >= 4


PEOPLE: dict[str, Callable[[Prospect], bool]] = {
    "a lead of nobody": lambda p: p.is_lead and p.owner is None,
    "a lead of a queue": lambda p: p.owner == "queue",
    "a lead of a robot": lambda p: p.owner == "robot",
    "a lead without channel": lambda p: p.is_lead and p.channel is None,
    "a lead made today": lambda p: p.created == NOW,
    "a merged lead": lambda p: p.is_lead and p.merged_into is not None,
    "a merged contact": lambda p: not p.is_lead and p.merged_into is not None,
    "one merged into one that was merged itself": lambda p: p.merged_into == "case-lead-merged",
    "a deleted lead": lambda p: p.is_lead and p.deleted,
    "a deleted contact": lambda p: not p.is_lead and p.deleted,
    "a dated opt-out": lambda p: p.opted_out is not None,
    "an undated opt-out": lambda p: p.opted_out_undated and p.opted_out is None,
    "a bounce": lambda p: p.bounced is not None,
    "a conversion with a deal": lambda p: p.converted is not None and p.deal is not None,
    "a conversion without": lambda p: p.converted is not None and p.deal is None,
    "an unqualified lead": lambda p: p.status == "unqualified",
    "a qualified lead that is still open": lambda p: p.qualified is not None and p.converted is None,
    "a line break in a company": lambda p: "\n" in p.company,
    "letters beyond the first plane": lambda p: any(ord(letter) > 0xFFFF for letter in p.name),
}


@pytest.mark.parametrize("case", PEOPLE)
def test_among_the_people_there_is(case: str) -> None:
    assert any(map(PEOPLE[case], WORLD.prospects))


SALES: dict[str, Callable[[Sale], bool]] = {
    "a deal won without amount": lambda s: s.stage == "won" and s.amount is None,
    "a deal won for nothing": lambda s: s.stage == "won" and s.amount == 0,
    "a negative amount": lambda s: s.amount is not None and s.amount < 0,
    "a huge amount": lambda s: s.amount == Decimal("9999999999.99"),
    "half a cent": lambda s: s.amount is not None and s.amount * 100 % 1 == Decimal("0.5"),
    "a deal without currency": lambda s: s.amount is not None and s.currency is None,
    "a backdated close": lambda s: s.closed_at is not None and s.closed_at < s.created,
    "a deal won in the future": lambda s: s.stage == "won" and s.closed > NOW.date(),
    "an overdue open deal": lambda s: s.stage == "open" and s.closed < NOW.date(),
    "a deal handed over before its close": lambda s: (
        s.closed_at is not None and s.created < s.owners[-1][0] < s.closed_at
    ),
    "a deal handed over after its close": lambda s: s.closed_at is not None and s.closed_at < s.owners[-1][0],
    "a deal of nobody": lambda s: s.owner is None,
    "a deal of a queue": lambda s: s.owner == "queue",
    "a deal of a robot": lambda s: s.owner == "robot",
    "a split in three": lambda s: len(s.splits) == 3,
    "a deal won without people": lambda s: s.stage == "won" and not s.people,
    "a lost deal": lambda s: s.stage == "lost",
    "a deleted deal": lambda s: s.deleted,
    "a deal won by a campaign": lambda s: s.stage == "won" and s.campaign is not None,
    "a line of 400 touchpoints": lambda s: s.key == "case-deal-many-touchpoints",
}


@pytest.mark.parametrize("case", SALES)
def test_among_the_deals_there_is(case: str) -> None:
    assert any(map(SALES[case], WORLD.sales))


def test_splits_add_up_to_the_whole_deal() -> None:
    assert {sum(share for _, share in sale.splits) for sale in WORLD.sales if sale.splits} == {Decimal(100)}


def test_one_deal_has_hundreds_of_touchpoints() -> None:
    touching = (thing for page in (WORLD.calls, WORLD.emails, WORLD.messages, WORLD.meetings) for thing in page)
    assert sum("case-deal-many-touchpoints" in thing.deals for thing in touching) >= 400


def test_calls_lie_just_in_and_just_out_of_the_time_that_a_deal_can_claim() -> None:
    calls = {call.key: call.at for call in WORLD.calls}
    deal = next(sale for sale in WORLD.sales if sale.key == "case-deal-touchpoint-window")
    assert (deal.created, deal.closed) == (datetime(2026, 9, 26, 9, tzinfo=UTC), date(2026, 10, 31))
    assert calls["case-call-window-91-days-before"] == datetime(2026, 6, 27, 22, 30, tzinfo=UTC)
    assert calls["case-call-window-90-days-before"] == datetime(2026, 6, 27, 23, 30, tzinfo=UTC)
    assert calls["case-call-window-last-day"] == datetime(2026, 10, 31, 23, 30, tzinfo=UTC)
    assert calls["case-call-window-day-after"] == datetime(2026, 11, 1, 0, 30, tzinfo=UTC)


def test_a_call_meets_three_rival_deals_of_which_one_is_lost_and_one_deleted() -> None:
    at = next(call.at for call in WORLD.calls if call.key == "case-call-rival-60")
    rivals = [sale for sale in WORLD.sales if sale.key.startswith("case-deal-rival-")]
    assert all(sale.created < at < (sale.closed_at or at) for sale in rivals)
    assert [(sale.stage, sale.deleted) for sale in rivals] == [("won", False), ("lost", False), ("won", True)]


def test_deals_come_in_every_currency_and_each_has_a_rate_of_its_month() -> None:
    assert {sale.currency for sale in WORLD.sales} == {"EUR", "USD", "GBP", "BRL", "INR", None}
    this_month = {rate.currency for rate in WORLD.rates if rate.starts == date(2026, 11, 1)}
    assert this_month == {"USD", "GBP", "BRL", "INR"}


CALLS: dict[str, Callable[[Call], bool]] = {
    **{
        f"a call that ended as {outcome}": lambda c, outcome=outcome: c.outcome == outcome  # type: ignore[misc]
        for outcome in (
            "Busy",
            "Connected",
            "Left live message",
            "Left voicemail",
            "No answer",
            "Wrong number",
            "Spoke with Contact",
            "Not connected",
        )
    },
    "29 seconds and no outcome": lambda c: c.outcome is None and c.seconds == 29,
    "30 seconds and no outcome": lambda c: c.outcome is None and c.seconds == 30,
    "no outcome and no duration": lambda c: c.outcome is None and c.seconds is None and c.status == "completed",
    "connected without duration": lambda c: c.outcome == "Connected" and c.seconds is None,
    "a failed call": lambda c: c.status == "failed",
    "a cancelled call": lambda c: c.status == "cancelled",
    "a planned call": lambda c: c.status == "planned" and c.at > NOW,
    "an inbound call": lambda c: c.direction == "in",
    "an internal call": lambda c: c.direction == "internal",
    "a call without direction": lambda c: c.direction is None,
    "a deleted call": lambda c: c.deleted,
    "a call of nobody": lambda c: c.seller is None,
    "a call to nobody": lambda c: not c.people,
}


@pytest.mark.parametrize("case", CALLS)
def test_among_the_calls_there_is(case: str) -> None:
    assert any(map(CALLS[case], WORLD.calls))


def test_calls_were_logged_twice_by_external_id_and_sixty_and_sixty_one_seconds_apart() -> None:
    calls = {call.key: call for call in WORLD.calls}
    external = [call.at for call in WORLD.calls if call.external_id == "dialler-77"]
    assert external[1] - external[0] == timedelta(minutes=5)
    for apart in (60, 61):
        first, second = (calls[f"case-call-twice-{apart}-{copy}"] for copy in "ab")
        assert second.at - first.at == timedelta(seconds=apart)


def test_a_last_second_of_the_month_in_mexico_is_the_next_month_in_madrid() -> None:
    call = next(call for call in WORLD.calls if call.key == "case-call-last-second-lucia")
    assert call.at == datetime(2026, 11, 1, 5, 59, 59, tzinfo=UTC)


EMAILS: dict[str, Callable[[Email], bool]] = {
    "a draft": lambda e: e.status == "draft",
    "a scheduled one": lambda e: e.status == "scheduled" and e.at > NOW,
    "a failed one": lambda e: e.status == "failed",
    "a bounced one": lambda e: e.status == "bounced",
    "an untracked one": lambda e: e.direction == "out" and not e.tracked,
    "a forwarded one": lambda e: e.direction == "forwarded",
    "an opened one": lambda e: len(e.opens) > 3,
    "one clicked though not opened": lambda e: bool(e.clicks) and not e.opens,
    "an automatic reply by flag": lambda e: e.out_of_office and e.subject.startswith("Re:"),
    "one by subject in English": lambda e: not e.out_of_office and e.subject.startswith("Out of office"),
    "one by subject in Spanish": lambda e: not e.out_of_office and e.subject.startswith("Respuesta automática"),
    "one that only looks automatic": lambda e: e.subject.startswith("Automotive"),
    "one without thread": lambda e: e.thread is None,
    "one noted by hand": lambda e: e.noted_only,
    "one of nobody": lambda e: e.seller is None,
    "one to three people": lambda e: len(e.people) == 3,
    "a deleted one": lambda e: e.deleted,
    "a line break in a subject": lambda e: "\n" in e.subject,
}


@pytest.mark.parametrize("case", EMAILS)
def test_among_the_emails_there_is(case: str) -> None:
    assert any(map(EMAILS[case], WORLD.emails))


def test_one_message_id_was_logged_twice() -> None:
    times = Counter(email.message_id for email in WORLD.emails)
    assert [key for key, count in times.items() if count > 1] == ["<case-mail-twice@mail.example.com>"]


def test_threads_were_answered_in_time_late_and_opened_by_the_other_side() -> None:
    emails = {email.key: email for email in WORLD.emails}
    late = emails["case-mail-answered-late-2"].at - emails["case-mail-answered-late-1"].at
    assert late == timedelta(days=75)
    assert emails["case-mail-opened-by-them-1"].direction == "in"
    assert emails["case-mail-opened-by-them-2"].direction == "out"


MEETINGS: dict[str, Callable[[Meeting], bool]] = {
    **{
        f"one with the outcome {outcome}": lambda m, outcome=outcome: m.outcome == outcome and m.end < NOW  # type: ignore[misc]
        for outcome in ("completed", "scheduled", "rescheduled", "no_show", "cancelled", None)
    },
    "one still to come": lambda m: m.start > NOW,
    "one that is running": lambda m: m.start < NOW < m.end,
    "one that is over this very second": lambda m: m.end == NOW,
    "one over midnight": lambda m: m.key == "case-meeting-over-midnight",
    "a deleted one": lambda m: m.deleted,
}


@pytest.mark.parametrize("case", MEETINGS)
def test_among_the_meetings_there_is(case: str) -> None:
    assert any(map(MEETINGS[case], WORLD.meetings))


TODOS: dict[str, Callable[[Todo], bool]] = {
    "one that is done": lambda t: t.done is not None,
    "one that was done late": lambda t: t.done is not None and t.due is not None and t.done.date() > t.due,
    "one that is overdue": lambda t: t.done is None and t.due is not None and t.due < NOW.date(),
    "one without a due date": lambda t: t.due is None,
    "one of nobody": lambda t: t.seller is None,
    "a deleted one": lambda t: t.deleted,
}


@pytest.mark.parametrize("case", TODOS)
def test_among_the_todos_there_is(case: str) -> None:
    assert any(map(TODOS[case], WORLD.todos))


def test_next_steps_come_within_the_second_working_day_or_a_second_after_it() -> None:
    calls = {call.key: call for call in WORLD.calls}
    steps = {todo.key: todo for todo in WORLD.todos}
    friday = calls["case-call-follow-todo-last-second"].at
    assert friday == datetime(2026, 11, 6, 15, tzinfo=UTC)
    assert steps["case-step-todo-last-second"].created == datetime(2026, 11, 10, 22, 59, 59, tzinfo=UTC)
    assert steps["case-step-todo-too-late"].created == datetime(2026, 11, 10, 23, 0, 0, tzinfo=UTC)
    assert steps["case-step-todo-at-the-same-second"].created == friday


def test_messages_go_by_every_channel() -> None:
    assert {message.channel for message in WORLD.messages} == {"SMS", "WHATS_APP", "LINKEDIN_MESSAGE"}


def test_campaigns_cost_something_nothing_or_nobody_knows_what() -> None:
    costs = {promotion.key: promotion.cost for promotion in WORLD.promotions}
    assert costs["promo-webinar"] == 4000
    assert costs["promo-free"] == 0
    assert costs["promo-unknown-cost"] is None
    assert any(promotion.starts == date(2026, 11, 1) for promotion in WORLD.promotions)
    assert any(promotion.starts > NOW.date() for promotion in WORLD.promotions)
    assert sum(len(promotion.responses) for promotion in WORLD.promotions) > 50


def test_quotas_are_monthly_quarterly_yearly_both_or_missing() -> None:
    def lengths(seller: str) -> set[int]:
        return {round((row.ends - row.starts).days / 30.4) for row in WORLD.allotments if row.seller == seller}

    assert (lengths("ana"), lengths("rohan"), lengths("aroha"), lengths("jordan")) == ({1}, {3}, {12}, {1, 3})
    assert lengths("noor") == lengths("priya") == set()
    gap = {row.starts for row in WORLD.allotments if row.seller == "zoe"}
    assert date(2026, 7, 1) not in gap
    assert {date(2026, 6, 1), date(2026, 8, 1)} <= gap
