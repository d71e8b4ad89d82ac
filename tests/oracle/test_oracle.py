"""The oracle itself, held against examples worked out by hand from the catalogue."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from kpi_engine.records import Rate, Target

from .days import Period, period_of
from .examples import (
    at,
    call,
    email,
    event,
    lead,
    link,
    meeting,
    november,
    on,
    oracle,
    person,
    quota,
    rep,
    split,
    task,
    won,
)
from .oracle import Result
from .outlook import Outlooks, wilson

ANA = rep("ana")
BOB = rep("bob", manager="ana")


def test_a_fiscal_year_from_april_has_quarters_from_april() -> None:
    assert period_of("quarter", date(2026, 2, 14), 4) == Period("quarter", date(2026, 1, 1), date(2026, 4, 1))
    assert period_of("year", date(2026, 2, 14), 4) == Period("year", date(2025, 4, 1), date(2026, 4, 1))
    assert period_of("week", date(2027, 1, 1), 1).start == date(2026, 12, 28)


def test_a_call_belongs_to_the_day_on_the_reps_own_clock() -> None:
    # 23:30 UTC on 2 November is already the 3rd in Auckland and still the 2nd in Los Angeles.
    moment = at("2026-11-02 23:30", "UTC")
    records = (
        rep("east", time_zone="Pacific/Auckland"),
        rep("west", time_zone="America/Los_Angeles"),
        call("c1", "2026-11-02 10:00", rep="east", at=moment),
        call("c2", "2026-11-02 10:00", rep="west", at=moment),
    )
    rows = oracle(*records).values()
    assert rows["east", "calls_made", "day", date(2026, 11, 3), None].value == 1
    assert rows["west", "calls_made", "day", date(2026, 11, 2), None].value == 1
    assert rows["west", "calls_made", "day", date(2026, 11, 3), None].value == 0


def test_no_calls_make_a_blank_rate_and_a_count_of_zero() -> None:
    asked = oracle(ANA, email("e1", "2026-11-03 10:00"))
    assert november(asked, "calls_made").value == 0
    rate = november(asked, "call_answer_rate")
    assert (rate.value, rate.reason) == (None, "no_data")


def test_two_of_three_calls_were_answered() -> None:
    asked = oracle(
        ANA,
        call("c1", "2026-11-03 10:00", disposition="connected", duration_ms=90_000),
        call("c2", "2026-11-03 11:00", duration_ms=30_000),
        call("c3", "2026-11-03 12:00", disposition="connected to voicemail", duration_ms=90_000),
        call("c4", "2026-11-03 13:00", outcome="planned"),
        call("c5", "2026-11-03 14:00", direction="in", disposition="connected"),
    )
    assert november(asked, "call_answer_rate").value == Decimal("0.6667")
    assert november(asked, "talk_minutes").value == Decimal("2.00")
    assert november(asked, "average_call_minutes").value == Decimal("1.00")


def test_the_same_call_logged_twice_within_a_minute_counts_once() -> None:
    first = call("c1", "2026-11-03 10:00:00")
    again = call("c2", "2026-11-03 10:01:00", disposition="connected", duration_ms=60_000)
    third = call("c3", "2026-11-03 10:01:01")
    asked = oracle(ANA, first, again, third, *(link(each, "p1") for each in (first, again, third)))
    assert november(asked, "calls_made").value == 2
    assert november(asked, "calls_answered").value == 1, "the kept call is filled from the other"


def test_calls_to_different_people_are_different_calls() -> None:
    one, other = call("c1", "2026-11-03 10:00:00"), call("c2", "2026-11-03 10:00:30")
    asked = oracle(ANA, one, other, link(one, "p1"), link(other, "p2"))
    assert november(asked, "calls_made").value == 2


def test_a_task_that_logged_an_email_is_that_email() -> None:
    logged = email("a-task", "2026-11-03 09:00", rep="bob")
    sent = email("e1", "2026-11-03 10:00", logs="a-task", bounced=True)
    asked = oracle(ANA, BOB, logged, sent)
    assert november(asked, "emails_sent").value == 1
    assert november(asked, "emails_sent", "bob").value == 0
    assert november(asked, "email_bounce_rate").value == Decimal("1.0000")


def test_one_of_two_threads_opened_by_ana_has_a_reply() -> None:
    asked = oracle(
        ANA,
        email("e1", "2026-11-03 10:00", thread="t1"),
        email("e2", "2026-11-20 10:00", thread="t1", direction="in"),
        email("e3", "2026-11-03 10:00", thread="t2"),
        email("e4", "2026-11-04 10:00", thread="t2", direction="in", automatic=True),
        email("e5", "2026-11-05 10:00", thread="t3", direction="in"),
        email("e6", "2026-11-06 10:00", thread="t3"),
    )
    rate = november(asked, "email_reply_rate")
    assert (rate.value, rate.numerator, rate.denominator, rate.n) == (Decimal("0.5000"), 1, 2, 2)


def test_a_call_on_friday_is_followed_up_until_tuesday() -> None:
    friday, other = (
        call("c1", "2026-11-06 17:00", duration_ms=60_000),
        call("c2", "2026-11-06 18:00", duration_ms=60_000),
    )
    in_time, late = task("t1", "2026-11-10 23:59"), task("t2", "2026-11-11 00:00")
    links = (link(friday, "p1"), link(in_time, "p1"), link(other, "p2"), link(late, "p2"))
    rate = november(oracle(ANA, friday, other, in_time, late, *links), "call_follow_up_rate")
    assert (rate.value, rate.n) == (Decimal("0.5000"), 2)
    too_early = oracle(ANA, friday, in_time, *links, as_of="2026-11-10 23:30")
    assert november(too_early, "call_follow_up_rate").reason == "no_data"


def test_a_touchpoint_with_a_person_goes_to_the_deal_open_then() -> None:
    older = won("d1", "2026-11-10", created_at=at("2026-10-01 09:00"))
    newer = won("d2", "2026-11-20", created_at=at("2026-11-11 09:00"))
    on_the_last_day, between, after = (
        call("c1", "2026-11-10 23:00"),
        meeting("m1", "2026-11-10 23:30"),
        call("c2", "2026-11-21 08:00"),
    )
    links = [link(deal, "p1") for deal in (older, newer)]
    links += [link(each, "p1") for each in (on_the_last_day, between, after)]
    asked = oracle(ANA, older, newer, on_the_last_day, between, after, *links)
    per_deal = november(asked, "touchpoints_per_won_deal")
    assert (per_deal.value, per_deal.numerator, per_deal.n) == (Decimal("1.00"), 2, 2)
    follow_ups = november(asked, "follow_ups_per_won_deal")
    assert (follow_ups.value, follow_ups.numerator, follow_ups.denominator) == (Decimal("1.00"), 1, 1)
    assert november(asked, "effort_per_won_deal").value == Decimal("1.50")


def test_before_a_deal_only_ninety_days_count() -> None:
    deal = won("d1", "2026-11-20", created_at=at("2026-11-01 09:00"))
    just, too_early = call("c1", "2026-08-03 00:00"), call("c2", "2026-08-02 23:59")
    asked = oracle(ANA, deal, just, too_early, *(link(each, "d1", "deal") for each in (just, too_early)))
    assert november(asked, "touchpoints_per_won_deal").value == Decimal("1.00")


def test_money_is_summed_exactly_and_rounded_once_half_even() -> None:
    rate = Rate(id="r1", modified=at("2026-01-01"), currency="USD", rate="3")
    deals = [won(f"d{number}", "2026-11-10", 0.015, currency="USD") for number in range(3)]
    asked = oracle(ANA, rate, *deals)
    assert november(asked, "revenue").numerator == Fraction(15, 1000)
    assert november(asked, "revenue").value == Decimal("0.02")
    assert november(asked, "average_deal_value").value == Decimal("0.00"), "0.005 goes to the even neighbour"


def test_a_split_divides_revenue_and_nothing_else() -> None:
    splits = split("s1", "d1", "ana", 250_000), split("s2", "d1", "bob", 750_000)
    asked = oracle(ANA, BOB, won("d1", "2026-11-10", 1000), *splits)
    assert november(asked, "revenue").value == Decimal("250.00")
    assert november(asked, "revenue", "bob").value == Decimal("750.00")
    assert november(asked, "revenue", "team:ana").value == Decimal("1000.00")
    assert november(asked, "revenue_share", "bob").value == Decimal("0.7500")
    assert [november(asked, "deals_won", who).value for who in ("ana", "bob")] == [1, 0]
    assert november(asked, "average_deal_value").value == Decimal("1000.00")


def test_a_deal_to_be_closed_tomorrow_is_not_won_yet() -> None:
    asked = oracle(ANA, won("d1", "2026-11-30"), won("d2", "2026-12-01"))
    assert november(asked, "deals_won").value == 1


def test_bands_are_the_terciles_of_all_deals_won() -> None:
    deals = [won(f"d{number}", "2026-11-10", amount) for number, amount in enumerate((100, 200, 300, 400))]
    asked = oracle(ANA, *deals)
    # Positions 1 and 2 of 0 … 3: limits 200 and 300; large: 300 and 400 of 1000.
    share = november(asked, "large_deal_share")
    assert (share.value, share.provisional) == (Decimal("0.7000"), True)
    assert november(asked, "sales_cycle_days", dimension="band=medium").n == 1
    assert november(oracle(ANA, *deals[:2]), "large_deal_share").reason == "not_available"


def test_a_form_of_three_weeks_ago_scores_half() -> None:
    asked = oracle(ANA, lead("l1", "2026-11-01 09:00"), event("f1", "l1", "form_submission", "2026-11-09 12:00"))
    # raw = 30 × 2^(−21/21) = 15 on 30 November; 100 × (1 − e^−0.3) = 25.918…
    owner, score, level = asked.scores()["l1"]
    assert (owner, level) == ("ana", "warming")
    assert score == pytest.approx(25.9181779, abs=1e-6)
    assert november(asked, "average_engagement").value == Decimal("25.92")


def test_a_lead_that_opted_out_scores_nothing() -> None:
    opted_out = lead("l1", "2026-11-01 09:00", opted_out=True)
    asked = oracle(ANA, opted_out, event("f1", "l1", "form_submission", "2026-11-30 12:00", 2.0))
    assert asked.scores()["l1"] == ("ana", 0.0, "disengaged")


def test_a_converted_lead_is_open_until_the_day_before() -> None:
    asked = oracle(ANA, lead("l1", "2026-11-01 09:00", converted=True, converted_on=on("2026-11-12")))
    rows = asked.values()
    assert rows["ana", "open_leads", "day", date(2026, 11, 11), None].value == 1
    assert rows["ana", "open_leads", "day", date(2026, 11, 12), None].value == 0


def test_leads_by_channel_with_one_deal_for_two_leads() -> None:
    how = {"converted": True, "converted_on": on("2026-11-12"), "deal": "d1"}
    asked = oracle(
        ANA,
        lead("l1", "2026-11-02 09:00", channel="Web", **how),
        lead("l2", "2026-11-01 09:00", channel=" ", **how),
        lead("l3", "2026-11-01 09:00", channel="Web"),
        won("d1", "2026-11-20", 900),
    )
    assert november(asked, "leads_created", "all", "channel=Web").value == 2
    assert november(asked, "lead_win_rate", "all", "channel=Web").value == Decimal("0.5000")
    assert november(asked, "revenue_per_lead", "all", "channel=Web").value == Decimal("0.00")
    assert november(asked, "revenue_per_lead", "ana", "channel=unknown").value == Decimal("900.00")
    assert november(asked, "interested_leads").value == 2


def test_opting_out_is_held_against_the_contacts_owner_once() -> None:
    when = {"opted_out": True, "opted_out_at": at("2026-11-05 10:00")}
    asked = oracle(
        ANA, BOB, person("p1", **when), lead("l1", "2026-10-01 09:00", owner="bob", person="p1", **when),
        email("e1", "2026-11-03 10:00"), email("e2", "2026-11-03 11:00"), email("e3", "2026-11-03 12:00", bounced=True),
    )  # fmt: skip
    assert november(asked, "email_unsubscribe_rate").value == Decimal("0.5000")
    assert november(asked, "email_unsubscribe_rate", "bob").reason == "no_data"


def test_a_quota_row_gives_every_working_day_an_equal_part() -> None:
    # The fourth quarter of 2026 has 22 + 21 + 23 = 66 working days, November 21.
    year_row = quota("q1", "ana", "2026-10-01", "2027-01-01", 6600)
    asked = oracle(ANA, year_row, won("d1", "2026-11-10", 1050))
    assert november(asked, "quota").value == Decimal("2100.00")
    assert november(asked, "quota_attainment").value == Decimal("0.5000")
    assert asked.values()["ana", "quota", "week", date(2026, 11, 9), None].value == Decimal("500.00")


def test_a_teams_quota_is_that_of_those_who_manage_nobody() -> None:
    quotas = quota("q1", "ana", "2026-11-01", "2026-12-01", 9000), quota("q2", "bob", "2026-11-01", "2026-12-01", 500)
    asked = oracle(ANA, BOB, rep("cy", manager="bob"), *quotas, won("d1", "2026-11-10", 100, owner="cy"))
    assert november(asked, "quota", "team:ana").reason == "not_available"
    asked = oracle(ANA, BOB, *quotas, won("d1", "2026-11-10", 100))
    assert november(asked, "quota", "team:ana").value == Decimal("500.00")
    assert november(asked, "quota_attainment", "team:ana").value == Decimal("0.2000")


def test_who_left_has_rows_only_where_there_are_records() -> None:
    left = rep("cy", active=False)
    rows = oracle(ANA, left, call("c1", "2026-11-03 10:00", rep="cy"), call("c2", "2026-11-04 10:00")).values()
    assert ("cy", "emails_sent", "day", date(2026, 11, 3), None) in rows
    assert ("cy", "emails_sent", "day", date(2026, 11, 4), None) not in rows
    assert not [row for row in rows if row[0] == "unassigned"]


def test_a_daily_target_holds_for_a_month_as_its_working_days() -> None:
    target = Target(kpi="calls_made", scope="everyone", grain="day", value="2", from_on=on("2026-01-01"))
    asked = oracle(ANA, call("c1", "2026-11-03 10:00"), targets=(target,), as_of="2026-11-16 12:00")
    month = Period("month", date(2026, 11, 1), date(2026, 12, 1))
    outlook = Outlooks(asked).outlook("calls_made", "ana", month, november(asked, "calls_made"))
    # 21 working days in November, 11 of them up to the 16th.
    assert (outlook.target, outlook.expected, outlook.state) == (Fraction(42), Fraction(22), "at_risk")
    assert outlook.pace == Fraction(1, 22)


def test_a_running_month_is_compared_up_to_the_same_working_day() -> None:
    # 16 November is the 11th working day; the 11th of October was the 15th.
    calls = [call(f"c{day}", f"2026-10-{day:02} 10:00") for day in (1, 15, 16)]
    asked = oracle(ANA, *calls, as_of="2026-11-16 12:00")
    previous = Outlooks(asked).previous("calls_made", "ana", Period("month", date(2026, 11, 1), date(2026, 12, 1)))
    assert previous is not None
    assert previous.value == 2


def test_wilson_of_eight_in_ten_runs_from_49_to_94_percent() -> None:
    interval = wilson(Result(Decimal("0.8"), Fraction(8), Fraction(10), 10, None))
    assert interval == pytest.approx((0.4902, 0.9433), abs=1e-4)
