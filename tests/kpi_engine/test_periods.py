"""Days, periods and working days."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sales_floor import at, on

from kpi_engine.periods import (
    WorkingDays,
    day_starts_at,
    following_start,
    local_day,
    period_end,
    period_start,
    previous_start,
    starts_between,
    to_date,
    to_day,
    zone_of,
)
from kpi_engine.records import Day, Millis


@pytest.mark.parametrize(
    ("grain", "fiscal", "first", "last"),
    [
        ("day", 1, "2026-11-18", "2026-11-18"),
        ("week", 1, "2026-11-16", "2026-11-22"),
        ("month", 1, "2026-11-01", "2026-11-30"),
        ("quarter", 1, "2026-10-01", "2026-12-31"),
        ("year", 1, "2026-01-01", "2026-12-31"),
        ("quarter", 2, "2026-11-01", "2027-01-31"),
        ("quarter", 12, "2026-09-01", "2026-11-30"),
        ("year", 4, "2026-04-01", "2027-03-31"),
        ("year", 12, "2025-12-01", "2026-11-30"),
    ],
)
def test_18_november_2026_lies_in_this_period(grain: str, fiscal: int, first: str, last: str) -> None:
    day = on("2026-11-18")
    assert (period_start(day, grain, fiscal), period_end(day, grain, fiscal)) == (on(first), on(last))


def test_a_week_before_1970_starts_on_monday_too() -> None:
    assert period_start(to_day(date(1969, 12, 31)), "week") == to_day(date(1969, 12, 29))


def test_an_unknown_period_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="Use one of day, week, month, quarter, year"):
        period_start(Day(0), "decade")


@given(st.integers(0, 40_000), st.sampled_from(["day", "week", "month", "quarter", "year"]), st.integers(1, 12))
def test_periods_follow_each_other_without_gap(day: int, grain: str, fiscal: int) -> None:
    start, following = period_start(day, grain, fiscal), following_start(day, grain, fiscal)
    assert start <= day < following
    assert period_start(following, grain, fiscal) == following
    assert previous_start(following, grain, fiscal) == start


def test_the_starts_between_two_days_include_the_period_of_the_first() -> None:
    assert starts_between(on("2026-10-15"), on("2026-12-01"), "month") == [
        on("2026-10-01"),
        on("2026-11-01"),
        on("2026-12-01"),
    ]


@settings(deadline=None)
@given(
    st.integers(0, 2_208_988_800_000),
    st.sampled_from(["Europe/Madrid", "America/New_York", "Asia/Kathmandu", "Pacific/Apia", "Africa/Casablanca"]),
)
def test_the_local_day_is_that_of_the_zone_itself(moment: int, zone: str) -> None:
    there = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=moment)).astimezone(ZoneInfo(zone))
    assert to_date(local_day(Millis(moment), zone)) == there.date()


def test_a_day_starts_where_the_day_before_ends() -> None:
    """29 March 2026 has 23 hours in Madrid, 25 October 25."""
    spring = day_starts_at(on("2026-03-29"), "Europe/Madrid"), day_starts_at(on("2026-03-30"), "Europe/Madrid")
    autumn = day_starts_at(on("2026-10-25"), "Europe/Madrid"), day_starts_at(on("2026-10-26"), "Europe/Madrid")
    assert spring[0] == at("2026-03-28 23:00")
    assert (spring[1] - spring[0], autumn[1] - autumn[0]) == (23 * 3_600_000, 25 * 3_600_000)


def test_a_day_that_starts_at_one_because_midnight_does_not_exist() -> None:
    """In Asuncion the clocks went from 23:59 to 01:00 on 1 October 2023."""
    start = day_starts_at(on("2023-10-01"), "America/Asuncion")
    assert local_day(start, "America/Asuncion") == on("2023-10-01")
    assert local_day(Millis(start - 1), "America/Asuncion") == on("2023-09-30")


def test_an_unknown_zone_falls_back() -> None:
    assert zone_of("Mars/Olympus", "Europe/Madrid") == "Europe/Madrid"
    assert zone_of(None, "Mars/Olympus") == "UTC"


def test_working_days_are_monday_to_friday_less_what_is_free() -> None:
    """November 2026 has 21; the holiday on Monday the 9th is one, the one on Sunday the 8th none."""
    days = WorkingDays(frozenset({on("2026-11-09"), on("2026-11-08")}))
    assert days.count(on("2026-11-01"), on("2026-11-30")) == 20
    assert on("2026-11-09") not in days


def test_the_second_working_day_after_a_thursday_is_a_monday() -> None:
    assert WorkingDays(frozenset()).after(on("2026-11-05"), 2) == on("2026-11-09")


def test_the_working_day_before_a_monday_is_a_friday() -> None:
    assert WorkingDays(frozenset()).before(on("2026-11-16")) == on("2026-11-13")


def test_the_nth_working_day_of_a_month_ends_with_the_month() -> None:
    days = WorkingDays(frozenset())
    first, last = on("2026-10-01"), on("2026-10-31")
    assert days.nth(first, last, 15) == on("2026-10-21")
    assert days.nth(first, last, 99) == last
    assert days.nth(first, last, 0) == on("2026-09-30")
