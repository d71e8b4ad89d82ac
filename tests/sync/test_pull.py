"""Streams are read side by side, and no failure leaves anyone waiting."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.contract import Page
from connectors.errors import Throttled, Unreachable
from connectors.memory import MemoryCrm
from kpi_engine.records import Record
from sync.cache import Cache
from sync.errors import CacheUnusable
from sync.progress import NO_PROGRESS
from sync.pull import PAGES_WAITING, Pull
from tests.sync.worlds import call, lead, rep


class Listener:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []

    def start(self, what: str, total: int | None = None) -> None:
        self.told.append(("start", what, total))

    def advance(self, what: str, n: int = 1, total: int | None = None) -> None:
        self.told.append(("advance", what, n, total))

    def finish(self, what: str) -> None:
        self.told.append(("finish", what))


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache.open(f"sqlite:///{tmp_path}/cache.db", "acme")


def many_calls(number: int) -> list[Record]:
    return [call(f"c{one}", "ana", "2026-03-02T10:00") for one in range(number)]


def test_what_is_under_way_is_told_stream_by_stream(cache: Cache) -> None:
    crm = MemoryCrm({"reps": [rep("ana")], "calls": many_calls(3)}, page_size=2)
    listener = Listener()
    Pull(crm, cache, "UTC", listener).read(["reps", "calls"])
    assert listener.told == [
        ("start", "reps", None),
        ("advance", "reps", 1, 1),
        ("finish", "reps"),
        ("start", "calls", None),
        ("advance", "calls", 2, 3),
        ("advance", "calls", 1, 3),
        ("finish", "calls"),
    ]


def test_the_reps_are_in_the_cache_before_anything_else_is_read(cache: Cache) -> None:
    known: list[int] = []

    class Watching(MemoryCrm):
        def read(self, stream: str, cursor: str | None) -> Iterator[Page]:
            known.append(cache.counts()["rep"])
            return super().read(stream, cursor)

    crm = Watching({"reps": [rep("ana"), rep("ben")], "calls": many_calls(1), "leads": [lead("l1", "ana")]})
    Pull(crm, cache, "UTC", NO_PROGRESS).read(["reps", "calls", "leads"])
    assert known == [0, 2, 2]


def test_streams_are_read_at_the_same_time(cache: Cache) -> None:
    together = threading.Barrier(3, timeout=30)

    class Meeting(MemoryCrm):
        def read(self, stream: str, cursor: str | None) -> Iterator[Page]:
            if stream != "reps":
                together.wait()  # breaks unless three readers are here at once
            return super().read(stream, cursor)

    crm = Meeting(
        {"reps": [rep("ana")], "calls": many_calls(1), "leads": [lead("l1", "ana")], "more": [lead("l2", "ana")]}
    )
    pulling = Pull(crm, cache, "UTC", NO_PROGRESS)
    pulling.read(["reps", "calls", "leads", "more"])
    assert pulling.failures == {}


def test_without_reps_nothing_else_is_read(cache: Cache) -> None:
    crm = MemoryCrm({"reps": [rep("ana")], "calls": many_calls(1)})
    crm.fail("reps", Unreachable("KPI-MEM-002", "The line is dead.", "Try again."))
    pulling = Pull(crm, cache, "UTC", NO_PROGRESS)
    pulling.read(["reps", "calls"])
    assert set(pulling.failures) == {"reps"}
    assert cache.counts()["interaction"] == 0


def test_a_failing_stream_is_told_beside_what_the_others_brought(cache: Cache) -> None:
    crm = MemoryCrm({"reps": [rep("ana")], "calls": many_calls(5), "leads": [lead("l1", "ana")]}, page_size=2)
    crm.fail("leads", Throttled("KPI-MEM-003", "Too many requests.", "Wait."))
    pulling = Pull(crm, cache, "UTC", NO_PROGRESS)
    pulling.read(["reps", "calls", "leads"])
    pulled = pulling.pulled({})
    assert pulled.rows == {"rep": 1, "interaction": 5}
    assert pulled.skipped == {"leads": "KPI-MEM-003: Too many requests. Wait."}


def test_a_cache_that_cannot_be_written_ends_the_reading_of_long_streams(cache: Cache) -> None:
    # A record without a kind breaks the cache's own rules, as a defective connector might.
    broken = call("b", "ana", "2026-03-02T10:00", kind=None)
    crm = MemoryCrm({"reps": [rep("ana")], "broken": [broken], "calls": many_calls(PAGES_WAITING * 10)}, page_size=1)
    with pytest.raises(CacheUnusable):
        Pull(crm, cache, "UTC", NO_PROGRESS).read(["reps", "broken", "calls"])
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("stream")]


def test_a_defect_of_a_connector_is_raised_as_it_is(cache: Cache) -> None:
    class Defective(MemoryCrm):
        def read(self, stream: str, cursor: str | None) -> Iterator[Page]:
            if stream == "calls":
                raise ZeroDivisionError
            return super().read(stream, cursor)

    crm = Defective({"reps": [rep("ana")], "calls": [], "leads": [lead("l1", "ana")]})
    with pytest.raises(ZeroDivisionError):
        Pull(crm, cache, "UTC", NO_PROGRESS).read(["reps", "calls", "leads"])


def test_as_many_streams_are_read_at_once_as_the_crm_can_use(cache: Cache) -> None:
    """Each of eight streams waits until all eight are being read."""
    streams = [f"s{number}" for number in range(8)]
    all_here = threading.Barrier(8)

    class Patient(MemoryCrm):
        def read(self, stream: str, cursor: str | None) -> Iterator[Page]:
            if stream != "reps":
                all_here.wait(10)
            yield Page(stream=stream, rows=[], cursor="1")

    crm = Patient({"reps": [], **{stream: [] for stream in streams}})
    pulling = Pull(crm, cache, "UTC", NO_PROGRESS, at_once=8)
    pulling.read(["reps", *streams])
    assert pulling.failures == {}
    assert {cache.cursor(stream) for stream in streams} == {"1"}
