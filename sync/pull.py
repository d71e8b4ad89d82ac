"""Reads the CRM's streams side by side and absorbs their pages one after the other.

Reps come first: their time zones decide the days of everything else. A stream that fails does not take the others with
it; what they delivered stays in the cache, and the next pull goes on from every cursor.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Queue
from threading import Event

import msgspec

from connectors.contract import Connector, Page
from connectors.errors import CrmError
from sync.cache import Cache
from sync.progress import Progress

STREAMS_AT_ONCE = 4
"""The transport keeps the CRM's pace; more streams would only wait for each other."""

PAGES_WAITING = 8
"""How many pages may wait to be absorbed before the readers wait too: memory stays flat."""


class Pulled(msgspec.Struct, frozen=True, kw_only=True):
    """What a pull really changed in the cache.

    rows     records that are new or differ, by kind
    deleted  records that are gone now
    unread   records that could not be understood
    skipped  stream → why it was not read, or not to its end
    """

    rows: Mapping[str, int]
    deleted: int
    unread: int
    skipped: Mapping[str, str]


class _Ended(msgspec.Struct, frozen=True):
    """A stream is read, or has failed."""

    stream: str
    failure: BaseException | None = None


class Pull:
    """One pull. `connector.read` runs in threads; the cache is written by the thread that calls."""

    def __init__(self, connector: Connector, cache: Cache, company_zone: str, progress: Progress) -> None:
        self._connector = connector
        self._cache = cache
        self._zone = company_zone
        self._progress = progress
        self._changed: Counter[str] = Counter()
        self._deleted = 0
        self._unread = 0
        self.failures: dict[str, BaseException] = {}

    def read(self, streams: Sequence[str]) -> None:
        """Read the first stream, then the others side by side. Failures are kept in `failures`."""
        self._side_by_side(streams[:1])
        if not self.failures:
            self._side_by_side(streams[1:])

    def pulled(self, skipped: Mapping[str, str]) -> Pulled:
        """What has come of it."""
        failed = {stream: str(failure) for stream, failure in self.failures.items()}
        return Pulled(
            rows=dict(self._changed), deleted=self._deleted, unread=self._unread, skipped={**skipped, **failed}
        )

    def _side_by_side(self, streams: Sequence[str]) -> None:
        if not streams:
            return
        arrivals: Queue[Page | _Ended] = Queue(PAGES_WAITING)
        stop = Event()
        cursors = {stream: self._cache.cursor(stream) for stream in streams}
        with ThreadPoolExecutor(STREAMS_AT_ONCE, thread_name_prefix="stream") as pool:
            readers = [pool.submit(self._deliver, stream, cursors[stream], arrivals, stop) for stream in streams]
            try:
                for arrival in _until_all_ended(arrivals, len(streams)):
                    self._take(arrival, stop)
            finally:
                stop.set()
                _let_go(arrivals, readers)

    def _deliver(self, stream: str, cursor: str | None, arrivals: "Queue[Page | _Ended]", stop: Event) -> None:
        """A reader's whole life: pages into the queue, then how it ended."""
        failure: BaseException | None = None
        try:
            for page in self._connector.read(stream, cursor) if not stop.is_set() else ():
                arrivals.put(page)
                if stop.is_set():
                    break
        except BaseException as error:  # noqa: BLE001 - handed to the thread that absorbs
            failure = error
        arrivals.put(_Ended(stream, failure))

    def _take(self, arrival: Page | _Ended, stop: Event) -> None:
        if isinstance(arrival, _Ended):
            self._progress.finish(arrival.stream)
            if arrival.failure is not None:
                self.failures[arrival.stream] = arrival.failure
                if not isinstance(arrival.failure, CrmError):
                    stop.set()  # a defect of ours: nothing is gained by reading on
            return
        absorbed = self._cache.absorb(arrival, self._zone)
        self._changed.update(absorbed.changed)
        self._deleted += absorbed.deleted
        self._unread += absorbed.unread
        self._progress.advance(arrival.stream, len(arrival.rows), arrival.total)


def _until_all_ended(arrivals: "Queue[Page | _Ended]", streams: int) -> Iterator[Page | _Ended]:
    while streams:
        arrival = arrivals.get()
        streams -= isinstance(arrival, _Ended)
        yield arrival


def _let_go(arrivals: "Queue[Page | _Ended]", readers: Sequence["Future[None]"]) -> None:
    """Empty the queue until no reader waits for room in it."""
    while not all(reader.done() for reader in readers):
        while not arrivals.empty():
            arrivals.get_nowait()
        for reader in readers:
            reader.cancel()
        _wait_a_moment(readers)


def _wait_a_moment(readers: Sequence["Future[None]"]) -> None:
    from concurrent.futures import FIRST_COMPLETED, wait

    wait(readers, timeout=0.05, return_when=FIRST_COMPLETED)
