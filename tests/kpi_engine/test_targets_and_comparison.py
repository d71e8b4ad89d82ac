"""Targets, attainment, pace, comparison with the period before, intervals and marks. Today is Friday, 20 November 2026.

November 2026 has 21 working days, 15 of which have come by the 20th; the week of the 16th has come to its end.
"""

from typing import Any

import pytest
from sales_floor import ANA, Floor, call, lead, lost, on, quota, rep, target, won

from kpi_engine.records import Company, Record, Target


def calls(many: int, who: str = "ana", day: str = "2026-11-02") -> list[Record]:
    rows: list[Record] = []
    for n in range(many):
        rows += call(f"{who}{day}-{n}", f"{day} {8 + n // 50:02}:{n % 50:02}", who)
    return rows


def with_targets(*targets: Target, **more: Any) -> Company:
    return Company(connection="acme", targets=targets, **more)


def calls_row(
    many: int, *targets: Target, grain: str = "month", period: str = "2026-11-01", **more: Any
) -> dict[str, Any]:
    floor = Floor(ANA, calls(many), company=with_targets(*targets, **more))
    return floor.row("calls_made", grain=grain, period=period)


# ── which target holds ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_target_of_the_periods_own_grain_holds_as_it_is() -> None:
    both = (target("calls_made", "50", "day"), target("calls_made", "300", "month"))
    assert calls_row(1, *both)["target"] == 300
    assert calls_row(1, *both, grain="day", period="2026-11-02")["target"] == 50


def test_a_longer_period_adds_up_the_working_days_of_a_daily_target() -> None:
    """Five working days of 50 in a week; 21 in November, 20 with a holiday."""
    daily = target("calls_made", "50", "day")
    assert calls_row(1, daily, grain="week", period="2026-11-02")["target"] == 250
    assert calls_row(1, daily)["target"] == 1050
    assert calls_row(1, daily, holidays=frozenset({on("2026-11-09")}))["target"] == 1000


def test_a_shorter_period_has_its_share_of_the_working_days() -> None:
    """210 in November's 21 working days: 50 in a week of five."""
    assert calls_row(1, target("calls_made", "210", "month"), grain="week", period="2026-11-09")["target"] == 50


def test_other_kpis_keep_the_value_in_every_grain() -> None:
    company = with_targets(target("win_rate", "0.25", "month"))
    floor = Floor(ANA, won("d1", "2026-11-03"), lost("d2", "2026-11-03"), company=company)
    assert floor.row("win_rate", grain="week", period="2026-11-02")["target"] == 0.25


def test_the_narrowest_scope_wins_even_if_its_grain_must_be_converted() -> None:
    company = with_targets(
        target("calls_made", "300", "month"),
        target("calls_made", "10", "day", "team:boss"),
        target("calls_made", "20", "day", "rep:ana"),
    )
    floor = Floor(
        rep("boss"), rep("ana", manager="boss"), rep("ben", manager="boss"), rep("cid"), calls(1), company=company
    )
    assert floor.row("calls_made", "ana")["target"] == 420
    assert floor.row("calls_made", "ben")["target"] == 210
    assert floor.row("calls_made", "cid")["target"] == 300
    assert floor.row("calls_made", "team:boss")["target"] == 210


def test_a_later_target_replaces_the_earlier_one_from_its_day_on() -> None:
    """Ten working days of 10 until the 15th and eleven of 20: 320."""
    rising = (target("calls_made", "10", "day"), target("calls_made", "20", "day", since="2026-11-16"))
    assert calls_row(1, *rising, grain="day", period="2026-11-13")["target"] == 10
    assert calls_row(1, *rising, grain="day", period="2026-11-16")["target"] == 20
    assert calls_row(1, *rising)["target"] == 320


def test_a_period_that_the_target_does_not_cover_has_none() -> None:
    late = target("calls_made", "10", "day", since="2026-11-16")
    assert calls_row(1, late)["target"] is None
    assert calls_row(1, late, grain="week", period="2026-11-16")["target"] == 50


def test_a_team_without_its_own_target_has_the_sum_of_its_members_where_that_adds_up() -> None:
    company = with_targets(target("calls_made", "300", "month"), target("win_rate", "0.3", "month"))
    floor = Floor(rep("boss"), rep("ana", manager="boss"), rep("ben", manager="boss"), calls(1), company=company)
    assert floor.row("calls_made", "team:boss")["target"] == 900
    assert floor.row("win_rate", "team:boss")["target"] is None


def test_a_teams_own_target_is_the_teams() -> None:
    company = with_targets(target("calls_made", "500", "month", "team:boss"))
    floor = Floor(rep("boss"), rep("ana", manager="boss"), calls(1), company=company)
    assert floor.row("calls_made", "team:boss")["target"] == 500


# ── attainment, pace, state ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("made", "attainment", "pace", "state"),
    [
        (42, 1.0, 1.4, "met"),
        (30, 0.7143, 1.0, "on_pace"),
        (28, 0.6667, 0.9333, "behind"),
        (20, 0.4762, 0.6667, "at_risk"),
    ],
)
def test_pace_compares_with_what_is_expected_by_today(made: int, attainment: float, pace: float, state: str) -> None:
    """42 a month: after 15 of 21 working days 30 are expected."""
    row = calls_row(made, target("calls_made", "42", "month"))
    assert (row["attainment"], row["expected"], row["pace"], row["state"]) == (attainment, 30, pace, state)


def test_a_finished_period_is_expected_to_be_whole() -> None:
    floor = Floor(ANA, calls(20, day="2026-10-05"), company=with_targets(target("calls_made", "40", "month")))
    row = floor.row("calls_made", period="2026-10-01")
    assert (row["expected"], row["pace"], row["state"]) == (40, 0.5, "at_risk")


def test_where_less_is_better_the_target_is_divided_by_the_value() -> None:
    """Two lost deals of at most one: 1 / 2."""
    company = with_targets(target("deals_lost", "1", "month"))
    floor = Floor(ANA, rep("ben"), lost("d1", "2026-10-06"), lost("d2", "2026-10-06"), company=company)
    row = floor.row("deals_lost", period="2026-10-01")
    assert (row["attainment"], row["state"]) == (0.5, "at_risk")
    row = floor.row("deals_lost", "ben", period="2026-10-01")
    assert (row["value"], row["attainment"], row["state"]) == (0, None, "met")


def test_without_a_target_there_is_nothing_to_attain() -> None:
    row = Floor(ANA, calls(1)).row("calls_made")
    assert (row["target"], row["attainment"], row["pace"], row["state"]) == (None, None, None, "none")


def test_a_target_of_zero_cannot_be_attained() -> None:
    row = calls_row(1, target("calls_made", "0", "month"))
    assert (row["attainment"], row["state"]) == (None, "none")


def test_a_blank_value_has_no_state() -> None:
    floor = Floor(ANA, calls(1), company=with_targets(target("win_rate", "0.5")))
    assert floor.row("win_rate")["state"] == "none"


# ── comparison ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_finished_period_is_compared_with_the_whole_one_before() -> None:
    floor = Floor(ANA, calls(3, day="2026-09-30"), calls(5, day="2026-10-05"))
    row = floor.row("calls_made", period="2026-10-01")
    assert (row["previous"], row["change"]) == (3, 2)


def test_the_current_period_is_compared_up_to_the_same_working_day() -> None:
    """The 20th is November's 15th working day; October's 15th is the 21st."""
    floor = Floor(ANA, calls(2, day="2026-10-21"), calls(4, day="2026-10-22"), calls(5))
    row = floor.row("calls_made")
    assert (row["previous"], row["change"]) == (2, 3)
    assert floor.value("calls_made", period="2026-10-01") == 6


def test_a_ratio_of_the_current_period_is_compared_over_the_same_part_of_the_one_before() -> None:
    floor = Floor(ANA, won("d1", "2026-10-21"), lost("d2", "2026-10-22"), won("d3", "2026-11-03"))
    assert floor.row("win_rate")["previous"] == 1


def test_open_leads_are_compared_with_those_of_the_same_working_day() -> None:
    floor = Floor(ANA, lead("l1", "2026-10-21 09:00"), lead("l2", "2026-10-22 09:00"))
    row = floor.row("open_leads")
    assert (row["value"], row["previous"], row["change"]) == (2, 1, 1)


def test_attainment_so_far_is_compared_with_the_whole_quota_before() -> None:
    """October: 200 of 1,000 by its 15th working day."""
    floor = Floor(
        ANA,
        quota("ana", "2026-10-01", "2026-11-01", 1000),
        quota("ana", "2026-11-01", "2026-12-01", 1000),
        won("d1", "2026-10-21", 200),
        won("d2", "2026-10-22", 700),
        won("d3", "2026-11-03", 300),
    )
    assert floor.row("quota_attainment")["previous"] == 0.2


AT_THE_TURN = "2026-11-15 12:00"
"""A Sunday evening in Auckland's yesterday: there it is Monday the 16th already, in Madrid still the 15th."""


def test_a_team_spread_over_zones_is_compared_whichever_week_its_manager_is_in() -> None:
    """Ben in Auckland began the week of the 16th: his week before counts up to its Monday. Ana in Madrid did not."""
    east, west = rep("ben", "ana", "Pacific/Auckland"), rep("ana", None, "Europe/Madrid")
    before = [*calls(1, "ben", "2026-11-03"), *calls(2, "ben", "2026-11-09")]
    done = [*before, *calls(3, "ben", "2026-11-10"), *calls(4, "ana", "2026-11-10")]
    floor = Floor(east, west, done, as_of=AT_THE_TURN)
    assert floor.row("calls_made", "ben", "week", "2026-11-16")["previous"] == 2
    assert floor.row("calls_made", "team:ana", "week", "2026-11-16")["previous"] == 2
    older = floor.row("calls_made", "team:ana", "week", "2026-11-09")
    assert (older["value"], older["previous"]) == (9, 1)


def test_a_monday_is_compared_with_the_friday_before() -> None:
    floor = Floor(ANA, calls(2, day="2026-11-13"), calls(9, day="2026-11-15"), calls(5, day="2026-11-16"))
    row = floor.row("calls_made", grain="day", period="2026-11-16")
    assert (row["previous"], row["change"]) == (2, 3)


def test_the_first_period_has_nothing_to_be_compared_with() -> None:
    row = Floor(ANA, calls(5)).row("calls_made")
    assert (row["previous"], row["change"]) == (None, None)


# ── intervals and marks ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_share_of_cases_carries_its_wilson_interval() -> None:
    """8 of 10: the textbook's 0.4902 … 0.9433."""
    answered = [row for n in range(8) for row in call(f"a{n}", f"2026-11-02 1{n}:00", disposition="connected")]
    floor = Floor(ANA, answered, call("x", "2026-11-03 09:00"), call("y", "2026-11-03 10:00"))
    row = floor.row("call_answer_rate")
    assert (row["interval_low"], row["interval_high"], row["marks"]) == (0.4902, 0.9433, ["small_sample"])


def test_thirty_cases_are_no_small_sample() -> None:
    assert Floor(ANA, calls(30)).row("call_answer_rate")["marks"] == []
    assert Floor(ANA, calls(29)).row("call_answer_rate")["marks"] == ["small_sample"]


def test_a_count_has_no_interval() -> None:
    row = Floor(ANA, calls(3)).row("calls_made")
    assert (row["interval_low"], row["interval_high"], row["marks"]) == (None, None, [])


def test_an_admin_may_turn_a_kpis_direction_round() -> None:
    """Fewer calls are better here: 2 of at most 4 is met, 8 are half as good as asked."""
    company = with_targets(target("calls_made", "4", "month"), directions={"calls_made": "less"})
    assert Floor(ANA, calls(2), company=company).row("calls_made")["state"] == "met"
    assert Floor(ANA, calls(8), company=company).row("calls_made")["attainment"] == 0.5


def test_a_monthly_target_set_today_holds_for_this_month_whole_and_not_for_the_one_before() -> None:
    """Its share of a week, though, holds from its day on: five of 21 working days, 42 × 5 / 21."""
    today = target("calls_made", "42", "month", since="2026-11-16")
    floor = Floor(ANA, calls(1), calls(1, day="2026-10-05"), company=with_targets(today))
    assert floor.row("calls_made")["target"] == 42
    assert floor.row("calls_made", period="2026-10-01")["target"] is None
    assert floor.row("calls_made", grain="week", period="2026-11-16")["target"] == 10
    assert floor.row("calls_made", grain="week", period="2026-11-09")["target"] is None


def test_a_rate_wanted_from_today_on_is_wanted_of_the_current_period() -> None:
    company = with_targets(target("win_rate", "0.25", "month", since="2026-11-20"))
    floor = Floor(ANA, won("d1", "2026-11-03"), lost("d2", "2026-10-03"), company=company)
    assert floor.row("win_rate")["target"] == 0.25
    assert floor.row("win_rate", grain="week", period="2026-11-16")["target"] == 0.25
    assert floor.row("win_rate", period="2026-10-01")["target"] is None


def test_a_monthly_rate_that_starts_after_a_week_is_not_that_weeks() -> None:
    company = with_targets(target("win_rate", "0.25", "month", since="2026-11-16"))
    floor = Floor(ANA, won("d1", "2026-11-03"), company=company)
    assert floor.row("win_rate", grain="week", period="2026-11-02")["target"] is None
