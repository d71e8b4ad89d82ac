"""A window of so many requests is never passed, wherever between leaving and answer each of them was counted."""

from bisect import bisect_left
from heapq import heappop, heappush
from random import Random

import pytest

from connectors.hubspot.pace import RESERVE
from connectors.hubspot.window import A_MOMENT, Window


def sent(window: Window, at: float, answered: float) -> None:
    """One request and its answer."""
    assert window.wait(at) == 0.0
    window.leave()
    window.answered(at, answered)


def test_at_first_a_request_takes_up_room_until_an_interval_after_its_answer() -> None:
    """Any delay may have been on its way there. The margin is 0.05 s."""
    window = Window(2, 10.0)
    sent(window, 0.0, 0.5)
    sent(window, 1.0, 3.0)
    assert window.wait(4.0) == pytest.approx(6.55)
    assert window.wait(10.6) == 0.0


def test_later_the_quickest_round_trip_is_taken_off() -> None:
    """The quickest of nineteen takes 0.5 s. The twentieth is answered after 2 s: it was counted 1.5 s late at most."""
    window = Window(1, 10.0)
    for number in range(19):
        sent(window, 20.0 * number, 20.0 * number + 0.5)
    sent(window, 400.0, 402.0)
    assert window.wait(402.0) == pytest.approx(9.55)
    assert window.wait(411.6) == 0.0


def test_a_request_on_its_way_takes_up_room_for_as_long_as_it_takes() -> None:
    window = Window(1, 10.0)
    window.leave()
    assert window.wait(100.0) == A_MOMENT
    window.answered(100.0, 100.5)
    assert window.wait(101.0) == pytest.approx(9.55)


def test_no_limit_lets_everything_through_and_counts_nothing() -> None:
    window = Window(None, 10.0)
    assert [window.leave() for _ in range(1000)] == [False] * 1000
    assert window.wait(0.0) == 0.0


def test_what_another_program_uses_fills_the_window_too() -> None:
    """Of ninety counted one is ours: one more has room, and the next when our first is ten seconds old."""
    window = Window(91, 10.0)
    sent(window, 0.0, 0.0)
    window.used(90, 0.0)
    sent(window, 1.0, 1.0)
    assert window.wait(2.0) == pytest.approx(8.05)


def test_when_others_fill_all_of_it_one_request_goes_and_asks_after_an_interval() -> None:
    window = Window(90, 10.0)
    sent(window, 0.0, 0.0)
    window.used(91, 0.0)
    assert window.wait(0.0) == 10.0
    assert window.wait(10.0) == 0.0
    window.leave()
    assert window.wait(10.0) == A_MOMENT
    window.answered(10.0, 10.0)
    window.used(1, 10.0)
    assert window.wait(10.0) == 0.0


@pytest.mark.parametrize("limit", [100, 190])
@pytest.mark.parametrize(
    ("there", "back", "uneven"),
    [(0.2, 0.0, 0.0), (0.1, 0.1, 0.0), (0.01, 0.01, 0.01), (0.1, 0.1, 0.1), (0.1, 0.1, 1.0), (0.1, 5.0, 0.0)],
)
def test_no_ten_seconds_see_more_than_the_limit_and_a_steady_network_loses_nothing(
    limit: int, there: float, back: float, uneven: float
) -> None:
    ours = int(limit * RESERVE)
    arrivals = busy_portal(Window(ours, 10.0), there, back, uneven)
    busiest = max(bisect_left(arrivals, moment + 10.0) - number for number, moment in enumerate(arrivals))
    assert busiest <= (ours if uneven == 0.0 else limit)
    if uneven == 0.0 and there + back < 1.0:
        assert len(arrivals) >= 0.95 * limit * 100 / 10


def busy_portal(window: Window, there: float, back: float, uneven: float) -> list[float]:
    """When requests arrive at a portal in a hundred seconds in which twenty programs ask as fast as the window lets
    them. Each way takes its time and at the most `uneven` longer."""
    chance = Random(7)
    arrivals: list[float] = []
    on_their_way: list[tuple[float, float]] = []
    now = 0.0
    while now < 100.0:
        while on_their_way and on_their_way[0][0] <= now:
            answered, sent_at = heappop(on_their_way)
            window.answered(sent_at, answered)
        wait = window.wait(now)
        if wait <= 0.0 and len(on_their_way) < 20:
            window.leave()
            arrival = now + there + uneven * chance.random()
            arrivals.append(arrival)
            heappush(on_their_way, (arrival + back + uneven * chance.random(), now))
        else:
            now = min([now + wait if wait > 0 else 100.0, *(answered for answered, _ in on_their_way[:1])])
    return sorted(arrivals)
