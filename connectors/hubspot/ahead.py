"""Fetching ahead: while one page is worked on, those that follow are on their way."""

from collections.abc import Iterator
from queue import Full, Queue
from threading import Event, Thread
from typing import TypeVar

T = TypeVar("T")

LOOK_UP = 0.1
"""Seconds after which a fetching thread looks up whether anybody still waits for it."""


class _Ended:
    """Nothing more comes, or `failure` does."""

    def __init__(self, failure: BaseException | None = None) -> None:
        self.failure = failure


def ahead(things: Iterator[T], number: int) -> Iterator[T]:
    """The same things in the same order, fetched by a thread of its own, which is at the most `number` ahead. What the
    thread runs into is raised where the thing would have come. Who stops taking them stops the thread."""
    waiting: Queue[T | _Ended] = Queue(number)
    stop = Event()

    def offer(thing: T | _Ended) -> bool:
        while not stop.is_set():
            try:
                waiting.put(thing, timeout=LOOK_UP)
            except Full:
                continue
            return True
        return False

    def fetch() -> None:
        try:
            taken = all(offer(thing) for thing in things)
        except BaseException as failure:  # raised again by the one who waits
            offer(_Ended(failure))
        else:
            if taken:
                offer(_Ended())

    Thread(target=fetch, name="hubspot-ahead", daemon=True).start()
    try:
        while True:
            thing = waiting.get()
            if not isinstance(thing, _Ended):
                yield thing
            elif thing.failure is not None:
                raise thing.failure
            else:
                return
    finally:
        stop.set()
