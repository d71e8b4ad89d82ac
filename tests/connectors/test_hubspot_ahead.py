"""Pages that are fetched ahead come in their order, and nobody fetches for someone who is gone."""

from collections.abc import Iterator
from threading import Event
from threading import enumerate as threads

import pytest

from connectors.hubspot.ahead import ahead


def test_everything_comes_in_its_order() -> None:
    assert list(ahead(iter(range(50)), 3)) == list(range(50))


def test_of_nothing_comes_nothing() -> None:
    assert list(ahead(iter(()), 3)) == []


def test_so_many_are_fetched_while_the_first_is_worked_on() -> None:
    """The first is being worked on, two wait, and one more is in the hand of the one who fetches."""
    fetched: list[int] = []
    fourth = Event()

    def things() -> Iterator[int]:
        for number in range(10):
            fetched.append(number)
            if number == 3:
                fourth.set()
            yield number

    coming = ahead(things(), 2)
    assert next(coming) == 0
    assert fourth.wait(10)
    assert fetched == [0, 1, 2, 3]
    assert list(coming) == list(range(1, 10))


def test_a_failure_is_raised_after_what_came_before_it() -> None:
    def things() -> Iterator[int]:
        yield 1
        raise ValueError("the second page")

    coming = ahead(things(), 3)
    assert next(coming) == 1
    with pytest.raises(ValueError, match="the second page"):
        next(coming)


def test_who_stops_taking_stops_the_fetching() -> None:
    coming = ahead(iter(range(1000)), 2)
    assert next(coming) == 0
    fetching = [thread for thread in threads() if thread.name == "hubspot-ahead"]
    coming.close()  # type: ignore[attr-defined]
    for thread in fetching:
        thread.join(10)
    assert [thread for thread in fetching if thread.is_alive()] == []
