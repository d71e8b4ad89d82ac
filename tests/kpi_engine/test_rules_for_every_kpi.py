"""The rules that hold for every KPI, each with an example that a sales manager can follow."""

from datetime import date

import pytest
from busy_november import COMPANY as BUSY
from busy_november import busy_records
from sales_floor import (
    ANA,
    AS_OF,
    COMPANY,
    FIRST,
    Floor,
    at,
    call,
    deal,
    email,
    lead,
    meeting,
    message,
    quota,
    rate,
    rep,
    won,
)

from kpi_engine.compute import compute
from kpi_engine.frames import from_records
from kpi_engine.periods import to_day
from kpi_engine.records import Company, Person, Record

# ── value, zero denominator, not available ───────────────────────────────────────────────────────────────────────────


def test_a_ratio_stands_beside_its_parts() -> None:
    """Three calls, one of them answered: 1 / 3."""
    floor = Floor(
        ANA,
        call("c1", "2026-11-02 09:00", disposition="connected"),
        call("c2", "2026-11-03 09:00"),
        call("c3", "2026-11-04 09:00"),
    )
    row = floor.row("call_answer_rate")
    assert (row["value"], row["numerator"], row["denominator"], row["n"]) == (0.3333, 1, 3, 3)


def test_nothing_divided_by_nothing_is_blank_with_a_reason() -> None:
    row = Floor(ANA, email("e1", "2026-11-02 09:00")).row("call_answer_rate")
    assert (row["value"], row["reason"]) == (None, "no_data")


def test_what_the_crm_cannot_tell_is_not_available_and_says_why() -> None:
    company = Company(connection="acme", missing={"clicks": "no click tracking"})
    row = Floor(ANA, email("e1", "2026-11-02 09:00", tracked=True), company=company).row("email_click_rate")
    assert (row["value"], row["numerator"], row["reason"], row["missing"]) == (None, None, "not_available", "clicks")


def test_not_available_wins_over_no_data() -> None:
    company = Company(connection="acme", missing={"clicks": "no click tracking"})
    row = Floor(ANA, company=company).row("email_click_rate")
    assert row["reason"] == "not_available"


def test_a_count_of_nothing_is_zero() -> None:
    row = Floor(ANA, email("e1", "2026-11-02 09:00")).row("calls_made")
    assert (row["value"], row["reason"], row["denominator"], row["n"]) == (0, None, 1, 0)


# ── rounding ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_half_a_cent_goes_to_the_even_neighbour() -> None:
    """2.03 / 2 = 1.015, and 1.02 is even; a float quotient would say 1.01."""
    floor = Floor(ANA, won("d1", "2026-11-03", "1.00"), won("d2", "2026-11-04", "1.03"))
    assert floor.value("average_deal_value") == 1.02


def test_two_halves_below_an_even_cent_go_down() -> None:
    """2.05 / 2 = 1.025: 1.02 is even."""
    assert (
        Floor(ANA, won("d1", "2026-11-03", "1.00"), won("d2", "2026-11-04", "1.05")).value("average_deal_value") == 1.02
    )


def test_converted_money_is_rounded_once() -> None:
    """Three times 1.00 at a rate of 3 is 1.00, not three times 0.33."""
    floor = Floor(
        ANA,
        rate("USD", "3"),
        *(won(f"d{n}", "2026-11-03", "1.00", currency="USD") for n in range(3)),
        company=Company(connection="acme", home_currency="EUR"),
    )
    assert floor.value("revenue") == 1.00


# ── roll-up and teams ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_month_adds_up_its_days_before_it_divides() -> None:
    """1 of 1 on Monday and 0 of 3 on Tuesday are 1 of 4, not the average of 100 % and 0 %."""
    floor = Floor(
        ANA,
        call("c0", "2026-11-02 09:00", disposition="connected"),
        *(call(f"c{n}", f"2026-11-03 1{n}:00") for n in range(1, 4)),
    )
    assert floor.value("call_answer_rate", grain="day", period="2026-11-02") == 1
    assert floor.value("call_answer_rate") == 0.25


def test_a_team_is_the_manager_and_everyone_below() -> None:
    """Carla leads Ben, Ben leads Ana: Carla's team made 1 + 2 + 3 calls, Ben's 2 + 3."""
    floor = Floor(
        rep("carla"),
        rep("ben", manager="carla"),
        rep("ana", manager="ben"),
        call("c1", "2026-11-02 09:00", "carla"),
        *(call(f"b{n}", f"2026-11-03 1{n}:00", "ben") for n in range(2)),
        *(call(f"a{n}", f"2026-11-04 1{n}:00", "ana") for n in range(3)),
    )
    assert floor.value("calls_made", "team:carla") == 6
    assert floor.value("calls_made", "team:ben") == 5
    assert floor.value("calls_made", "ben") == 2


def test_managers_who_manage_each_other_do_not_hang_the_engine() -> None:
    floor = Floor(rep("ana", manager="ben"), rep("ben", manager="ana"), call("c1", "2026-11-02 09:00"))
    assert floor.value("calls_made", "team:ben") == 1


def test_the_median_of_a_team_is_taken_of_its_deals_not_of_medians() -> None:
    """Ana won 1, 2 and 90; Ben won 10: the middle of 1, 2, 10, 90 is 6."""
    floor = Floor(
        rep("boss"),
        rep("ana", manager="boss"),
        rep("ben", manager="boss"),
        *(won(f"a{amount}", "2026-11-03", amount) for amount in (1, 2, 90)),
        won("b", "2026-11-03", 10, "ben"),
    )
    row = floor.row("median_deal_value", "team:boss")
    assert (row["value"], row["numerator"], row["denominator"], row["n"]) == (6, 6, 1, 4)


# ── days and periods ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_moment_belongs_to_the_day_of_the_reps_own_zone() -> None:
    """23:30 UTC on 31 October is 00:30 on 1 November in Madrid (winter time)."""
    madrid, london = rep("ana", zone="Europe/Madrid"), rep("ben", zone="Europe/London")
    floor = Floor(madrid, london, call("c1", "2026-10-31 23:30"), call("c2", "2026-10-31 23:30", "ben"))
    assert floor.value("calls_made", "ana") == 1
    assert floor.value("calls_made", "ben") == 0


def test_the_clocks_going_back_do_not_move_a_call_to_another_day() -> None:
    """On 25 October 2026 Madrid is at UTC+2 until 01:00 UTC and at UTC+1 after: 22:30 UTC of the 24th and 22:30 of the
    25th are 00:30 and 23:30 of the same local day."""
    floor = Floor(rep("ana", zone="Europe/Madrid"), call("c1", "2026-10-24 22:30"), call("c2", "2026-10-25 22:30"))
    assert floor.value("calls_made", grain="day", period="2026-10-25") == 2


def test_a_rep_without_a_zone_follows_the_company() -> None:
    company = Company(connection="acme", time_zone="Asia/Tokyo")
    floor = Floor(ANA, call("c1", "2026-11-01 15:00"), company=company)
    assert floor.value("calls_made", grain="day", period="2026-11-02") == 1


def test_a_plain_date_is_never_shifted() -> None:
    floor = Floor(rep("ana", zone="America/Los_Angeles"), call("c1", "2026-11-02"), won("d1", "2026-11-02", 10))
    assert floor.value("calls_made", grain="day", period="2026-11-02") == 1
    assert floor.value("deals_won", grain="day", period="2026-11-02") == 1


def test_a_close_with_a_moment_belongs_to_the_day_of_the_closing_owners_zone() -> None:
    """20:00 UTC is already the next day in Tokyo, where the closing owner lives."""
    floor = Floor(
        rep("ana"),
        rep("yui", zone="Asia/Tokyo"),
        deal(
            "d1",
            "2026-10-01 09:00",
            "ana",
            10,
            closed=True,
            won=True,
            closed_at=at("2026-11-06 20:00"),
            owner_at_close="yui",
        ),
    )
    assert floor.value("deals_won", "yui", "day", "2026-11-07") == 1


def test_weeks_start_on_monday() -> None:
    floor = Floor(ANA, call("c1", "2026-11-01 09:00"), call("c2", "2026-11-02 09:00"))
    assert floor.value("calls_made", grain="week", period="2026-11-02") == 1


def test_quarters_and_years_follow_the_fiscal_year() -> None:
    """With a fiscal year from February, October is the last month of the third quarter."""
    company = Company(connection="acme", fiscal_year_start=2)
    floor = Floor(ANA, call("c1", "2026-10-31 09:00"), call("c2", "2026-11-01 09:00"), company=company)
    assert floor.value("calls_made", grain="quarter", period="2026-08-01") == 1
    assert floor.value("calls_made", grain="quarter", period="2026-11-01") == 1
    assert floor.value("calls_made", grain="year", period="2026-02-01") == 2


# ── as of ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_nothing_later_than_as_of_counts() -> None:
    floor = Floor(ANA, call("c1", "2026-11-20 18:00"), call("c2", "2026-11-20 18:01"), as_of=AS_OF)
    assert floor.value("calls_made") == 1


def test_a_plain_date_after_the_reps_own_day_does_not_count() -> None:
    """At 18:00 UTC it is the 20th in Madrid and the 21st in Tokyo."""
    floor = Floor(
        rep("ana", zone="Europe/Madrid"),
        rep("yui", zone="Asia/Tokyo"),
        call("c1", "2026-11-21"),
        call("c2", "2026-11-21", "yui"),
    )
    assert floor.value("calls_made", "ana") == 0
    assert floor.value("calls_made", "yui") == 1


def test_a_deal_won_with_a_close_date_to_come_is_not_won_yet() -> None:
    floor = Floor(ANA, won("d1", "2026-11-20", 10), won("d2", "2026-11-21", 10))
    assert floor.value("deals_won") == 1


def test_there_is_no_period_after_as_of() -> None:
    floor = Floor(ANA, call("c1", "2026-11-02 09:00"))
    assert floor.rows("calls_made", grain="day")["period_start"].max() == date(2026, 11, 20)


# ── money ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_foreign_amount_is_divided_by_the_rate_of_its_close_date() -> None:
    """110 dollars at 1.1 are 100 euros until October, at 1.25 they are 88 from November on."""
    rates = (rate("USD", "1.1", "2026-01-01", "2026-11-01"), rate("USD", "1.25", "2026-11-01"), rate("USD", "2"))
    floor = Floor(
        ANA,
        *rates,
        won("d1", "2026-10-31", 110, currency="USD"),
        won("d2", "2026-11-01", 110, currency="USD"),
        company=Company(connection="acme", home_currency="EUR"),
    )
    assert floor.value("revenue", period="2026-10-01") == 100
    assert floor.value("revenue") == 88


def test_without_a_dated_rate_the_static_one_holds() -> None:
    company = Company(connection="acme", home_currency="EUR")
    floor = Floor(ANA, rate("USD", "2"), won("d1", "2026-11-03", 110, currency="USD"), company=company)
    assert floor.value("revenue") == 55


def test_an_amount_without_any_rate_is_unknown_not_guessed() -> None:
    company = Company(connection="acme", home_currency="EUR")
    floor = Floor(ANA, rate("USD", "2"), won("d1", "2026-11-03", 110, currency="XYZ"), company=company)
    assert floor.value("revenue") == 0
    assert floor.row("revenue")["marks"] == ["deals_without_amount"]
    assert floor.row("average_deal_value")["reason"] == "no_data"


def test_what_the_crm_converted_itself_is_taken_over() -> None:
    company = Company(connection="acme", home_currency="EUR")
    floor = Floor(ANA, won("d1", "2026-11-03", 110, currency="USD", amount_home=101_500_000), company=company)
    assert floor.value("revenue") == 101.5


# ── credit ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_deal_is_credited_to_its_owner_at_close() -> None:
    floor = Floor(ANA, rep("ben"), won("d1", "2026-11-03", 10, "ben", owner_at_close="ana"))
    assert (floor.value("deals_won", "ana"), floor.value("deals_won", "ben")) == (1, 0)


def test_an_activity_with_several_people_counts_once() -> None:
    floor = Floor(ANA, call("c1", "2026-11-02 09:00", people=["p1", "p2", "p3"]))
    assert floor.value("calls_made") == 1


def test_nobodys_and_a_queues_records_are_collected_as_unassigned() -> None:
    floor = Floor(
        ANA,
        rep("queue", known=False),
        call("c1", "2026-11-02 09:00", None),
        call("c2", "2026-11-02 10:00", "queue"),
        call("c3", "2026-11-02 11:00", "stranger"),
    )
    assert floor.value("calls_made", "unassigned") == 3
    assert not floor.has("queue")


# ── deleted, merged, not done ────────────────────────────────────────────────────────────────────────────────────────


def test_deleted_records_do_not_count() -> None:
    floor = Floor(
        ANA,
        call("c1", "2026-11-02 09:00", deleted=True),
        won("d1", "2026-11-03", 10, deleted=True),
        lead("l1", "2026-11-02 09:00", deleted=True),
    )
    assert floor.value("calls_made") == 0
    assert floor.value("deals_won") == 0
    assert floor.value("leads_created") == 0


def test_a_merged_lead_does_not_count_and_its_history_is_the_survivors() -> None:
    """The duplicate answered a call; the survivor is interested for it."""
    floor = Floor(
        ANA,
        lead("kept", "2026-11-02 08:00"),
        lead("twin", "2026-11-02 08:30", merged_into="kept", deleted=True),
        call("c1", "2026-11-02 09:00", people=["twin"], disposition="connected"),
    )
    assert floor.value("leads_created") == 1
    assert floor.value("interested_leads") == 1


@pytest.mark.parametrize("outcome", ["planned", "cancelled", "failed", "draft"])
def test_what_is_not_done_yet_is_no_activity(outcome: str) -> None:
    floor = Floor(
        ANA,
        call("c1", "2026-11-02 09:00", outcome=outcome),
        email("e1", "2026-11-02 09:00", outcome=outcome),
        message("m1", "2026-11-02 09:00", outcome=outcome),
    )
    assert floor.value("touchpoints") == 0


def test_a_meeting_that_has_not_ended_is_no_activity() -> None:
    floor = Floor(ANA, meeting("m1", "2026-11-20 17:30", "2026-11-20 18:30"), meeting("m2", "2026-11-20 17:00", AS_OF))
    assert floor.value("touchpoints") == 1


# ── one person ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_lead_and_the_contact_it_became_have_one_history() -> None:
    """Two answered calls, one with each, on the day of the value: 100 × (1 − e^(−30/50)) = 45.12."""
    floor = Floor(
        ANA,
        lead("l1", "2026-11-02 08:00", person="p1"),
        Person(id="p1", modified=FIRST, owner="ana"),
        call("c1", "2026-11-20 09:00", people=["p1"], disposition="connected"),
        call("c2", "2026-11-20 10:00", people=["l1"], disposition="connected"),
    )
    assert floor.value("average_engagement") == 45.12


# ── rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_active_rep_has_a_row_in_every_period_since_the_first_record() -> None:
    floor = Floor(ANA, rep("idle"), call("c1", "2026-09-30 09:00"))
    assert floor.rows("calls_made", rep="idle", grain="month")["value"].to_list() == [0, 0, 0]


def test_an_inactive_rep_has_a_row_only_where_there_are_records() -> None:
    floor = Floor(
        ANA, rep("gone", active=False), call("c1", "2026-10-05 09:00", "gone"), call("c2", "2026-09-07 09:00")
    )
    assert floor.has("gone", period="2026-10-01")
    assert not floor.has("gone", period="2026-11-01")
    assert not floor.has("gone", period="2026-09-01")


def test_open_leads_are_records_of_their_owner_at_every_periods_end() -> None:
    floor = Floor(ANA, rep("gone", active=False), lead("l1", "2026-09-07 09:00", "gone"))
    assert floor.value("open_leads", "gone", period="2026-11-01") == 1


def test_a_quota_alone_makes_no_row() -> None:
    floor = Floor(ANA, rep("gone", active=False), quota("gone", "2026-11-01", "2026-12-01", 100))
    assert not floor.has("gone")


def test_since_cuts_the_history_but_not_what_it_adds_up_to() -> None:
    floor = Floor(ANA, lead("l1", "2026-08-03 09:00"), call("c1", "2026-09-07 09:00"), call("c2", "2026-11-02 09:00"))
    parts = compute(floor.tables, COMPANY, floor.as_of, since=to_day(date(2026, 11, 1)))
    month = floor.parts("month")["month"]
    whole = month.filter(month["period_start"] == date(2026, 11, 1))
    assert parts["month"].equals(whole)


def test_an_empty_crm_has_zeros_for_the_present_period() -> None:
    floor = Floor(ANA)
    assert floor.rows("calls_made", rep="ana", grain="month")["value"].to_list() == [0]


def test_a_company_without_anybody_has_no_values() -> None:
    assert Floor().rows("calls_made").height == 0


def test_the_order_in_which_records_come_changes_nothing() -> None:
    """Not even in the last digit of a sum."""
    records = [row for found in busy_records() for row in ([found] if isinstance(found, Record) else found)]
    forward = compute(from_records(records, BUSY), BUSY, at(AS_OF))
    backward = compute(from_records(records[::-1], BUSY), BUSY, at(AS_OF))
    assert [name for name in forward if not forward[name].equals(backward[name])] == []
