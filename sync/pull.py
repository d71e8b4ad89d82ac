"""Reads the CRM's streams side by side and absorbs their pages one after the other.

Reps come first: their time zones decide the days of everything else. A stream that fails does not take the others with
it; what they delivered stays in the cache, and the next pull goes on from every cursor.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import Full, Queue
from threading import Event

import msgspec

from connectors.contract import Connector, Page
from connectors.errors import CrmError
from sync.cache import Cache
from sync.progress import Progress

PAGES_WAITING = 2
"""How many pages may wait to be absorbed before the readers wait too: memory stays flat. Absorbing is slower than
reading, so more of them would only lie there."""


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
    """One pull. `connector.read` runs in threads, `at_once` of them: more than the CRM's pace needs would only wait for
    each other. The cache is written by the thread that calls."""

    def __init__(
        self, connector: Connector, cache: Cache, company_zone: str, progress: Progress, *, at_once: int = 4
    ) -> None:
        self._connector = connector
        self._cache = cache
        self._zone = company_zone
        self._progress = progress
        self._at_once = at_once
        self._changed: Counter[str] = Counter()
        self._deleted = 0
        self._unread = 0
        self.failures: dict[str, CrmError] = {}

    def read(self, streams: Sequence[str]) -> None:
        """Read the first stream, then the others side by side. Failures are kept in `failures`."""
        self._side_by_side(streams[:1])
        if not self.failures:
            self._side_by_side(streams[1:])

    def sweep(self, streams: Sequence[str]) -> None:
        """After everything was read again: let go of what did not come."""
        self._deleted += self._cache.sweep(stream for stream in streams if stream not in self.failures)

    def pulled(self, skipped: Mapping[str, str]) -> Pulled:
        """What has come of it."""
        failed = {stream: str(failure) for stream, failure in self.failures.items()}
        return Pulled(
            rows=dict(self._changed), deleted=self._deleted, unread=self._unread, skipped={**skipped, **failed}
        )

    def _side_by_side(self, streams: Sequence[str]) -> None:
        if not streams:
            return
        arrivals: Queue[Arrival] = Queue(PAGES_WAITING)
        stop = Event()
        cursors = {stream: self._cache.cursor(stream) for stream in streams}
        with ThreadPoolExecutor(self._at_once, thread_name_prefix="stream") as pool:
            for stream in streams:
                self._progress.start(stream)
                pool.submit(self._deliver, stream, cursors[stream], arrivals, stop)
            try:
                for arrival in _until_all_ended(arrivals, len(streams)):
                    self._take(arrival)
            finally:
                stop.set()  # after a failure of ours the readers must not wait for room in the queue

    def _deliver(self, stream: str, cursor: str | None, arrivals: "Queue[Arrival]", stop: Event) -> None:
        """A reader's whole life: pages into the queue, then how it ended."""
        failure: BaseException | None = None
        try:
            for page in self._connector.read(stream, cursor) if not stop.is_set() else ():
                if not _offer(arrivals, page, stop):
                    return
        except BaseException as error:  # raised again by the thread that absorbs
            failure = error
        _offer(arrivals, _Ended(stream, failure), stop)

    def _take(self, arrival: "Arrival") -> None:
        if isinstance(arrival, _Ended):
            self._progress.finish(arrival.stream)
            self._note_end(arrival)
            return
        absorbed = self._cache.absorb(arrival, self._zone)
        self._changed.update(absorbed.changed)
        self._deleted += absorbed.deleted
        self._unread += absorbed.unread
        self._progress.advance(arrival.stream, len(arrival.rows), arrival.total)

    def _note_end(self, ended: _Ended) -> None:
        """The CRM's failures wait until the other streams are read; one of our own ends everything."""
        if isinstance(ended.failure, CrmError):
            self.failures[ended.stream] = ended.failure
        elif ended.failure is not None:
            raise ended.failure


Arrival = Page | _Ended


def _until_all_ended(arrivals: "Queue[Arrival]", streams: int) -> Iterator[Arrival]:
    while streams:
        arrival = arrivals.get()
        streams -= isinstance(arrival, _Ended)
        yield arrival


def _offer(arrivals: "Queue[Arrival]", arrival: Arrival, stop: Event) -> bool:
    """Put it into the queue as soon as there is room; False if nobody waits for it any more."""
    while not stop.is_set():
        try:
            arrivals.put(arrival, timeout=0.1)
        except Full:
            continue
        return True
    return False
