"""The portal's day of calls: what is left of it, however its answers overtake each other."""

import pytest

from connectors.errors import Throttled
from connectors.hubspot.day import Day
from connectors.hubspot.window import A_MOMENT


def test_requests_on_their_way_may_be_the_last_ones_and_their_answers_are_waited_for() -> None:
    day = Day(1.0, 1.0)
    day.told(1000, 3, 0.0, 1.0)
    assert day.wait(997, 2, 1.0) == 0.0
    assert day.wait(998, 3, 1.0) == A_MOMENT


def test_of_two_answers_that_overtook_each_other_the_one_that_tells_of_less_is_believed() -> None:
    day = Day(1.0, 1.0)
    day.told(1000, 4, 0.0, 1.0)
    day.told(1000, 5, 0.5, 1.5)
    assert day.left == 4


def test_more_is_left_where_a_later_question_is_told_so_for_a_new_day_has_begun() -> None:
    day = Day(1.0, 1.0)
    day.told(1000, 4, 0.0, 1.0)
    day.told(1000, 999, 2.0, 3.0)
    assert day.left == 999


def test_a_search_and_a_lost_request_are_counted_although_nothing_tells_of_them() -> None:
    day = Day(1.0, 1.0)
    day.told(1000, 1, 0.0, 1.0)
    day.one_less()
    with pytest.raises(Throttled, match="midnight"):
        day.wait(3, 0, 2.0)


def test_where_nothing_is_told_of_the_day_nobody_waits() -> None:
    day = Day(0.25, 0.8)
    day.one_less()
    assert day.wait(10_000, 20, 0.0) == 0.0
