"""Computing what changed gives what computing everything gives, to the last digit, whatever changed.

Each world is landed in a cache in several steps: at first some records are missing and some say what another one of
their kind says; each step puts some of it right. After every step only what changed is computed, and compared with a
cache that computes everything from the same records, in batches of a few. `KPISYNC_WORLDS` sets how many worlds.
"""

import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import msgspec
import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from connectors.contract import Page
from kpi_engine.compute import Evident
from kpi_engine.conclude import Parts
from kpi_engine.periods import DAY_MS
from kpi_engine.records import Day, Millis, Record
from sync import batches, scoring
from sync.cache import Cache

from .worlds import World, worlds

ASKED = os.environ.get("KPISYNC_WORLDS")
WORLDS = int(ASKED or 48)

EVIDENT = Evident(
    ("calls_made", "win_rate", "revenue", "open_leads", "leads_created", "large_deal_share"), ("month", "week")
)

REFERENCES = ("Rep", "Campaign", "Quota", "Rate")
"""What everyone's records refer to; changes of these are few here, because they make everything be computed anew."""


@dataclass(frozen=True)
class Step:
    """Records that arrive together, those that vanish, and when values are computed."""

    arrive: tuple[Record, ...]
    vanish: tuple[tuple[str, str], ...]
    as_of: Millis


@dataclass(frozen=True)
class Course:
    """A world, and the steps in which it comes to be."""

    world: World
    since: Day | None
    steps: tuple[Step, ...]


@st.composite
def courses(draw: st.DrawFn) -> Course:
    world = draw(worlds())
    movable = [record for record in world.records if type(record).__name__ not in REFERENCES]
    fate = draw(st.lists(st.sampled_from("kkkkkmaav"), min_size=len(movable), max_size=len(movable)))
    late, early = [], [record for record in world.records if type(record).__name__ in REFERENCES]
    for record, what in zip(movable, fate, strict=True):
        like = [other for other in movable if type(other) is type(record)]
        if what != "m":
            early.append(_as(record, draw(st.sampled_from(like))) if what == "a" else record)
        late.append((what, record))
    half = draw(st.integers(0, len(late)))
    hours = draw(st.sampled_from((0, 0, 1, 5, 30, 60, 200)))
    steps = [Step(tuple(early), (), Millis(world.as_of - hours * 3_600_000))]
    for some, as_of in ((late[:half], world.as_of - hours * 1_800_000), (late[half:], world.as_of)):
        arrive = tuple(
            msgspec.structs.replace(record, modified=10 + record.modified) for what, record in some if what in "ma"
        )
        vanish = tuple((type(record).__name__.lower(), record.id) for what, record in some if what == "v")
        steps.append(Step(arrive, vanish, Millis(as_of)))
    since = draw(st.sampled_from((None, -40, -10, -3)))
    first = None if since is None else Day(world.as_of // DAY_MS + since)
    return Course(world, first, tuple(steps))


def _as(record: Record, other: Record) -> Record:
    """The other record under the id of this one: what this one said before it changed."""
    return msgspec.structs.replace(other, id=record.id, modified=record.modified)


@contextmanager
def caches(*names: str) -> Iterator[Sequence[Cache]]:
    with tempfile.TemporaryDirectory() as folder:
        opened = [Cache.open(f"sqlite:///{Path(folder) / name}.db", "acme") for name in names]
        yield opened
        for cache in opened:
            cache.close()


def computed(cache: Cache, course: Course, step: Step, number: int, *, full: bool) -> Parts:
    page = Page(stream="all", rows=step.arrive, cursor=str(number), gone=step.vanish)
    cache.absorb(page, course.world.company.time_zone)
    scoring.score(cache, course.world.company, step.as_of, course.since, EVIDENT, full=full)
    found = scoring.computed(cache)
    return {**found.parts, "scores": found.scores}


ways: Counter[str] = Counter()


@settings(
    max_examples=max(1, WORLDS // 4),
    phases=(Phase.explicit, Phase.generate),
    derandomize=ASKED is None,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(courses())
def test_what_is_computed_from_changes_is_what_is_computed_from_everything(course: Course) -> None:
    with caches("one", "other") as (one, other), patch.object(scoring, "FULL_FROM", 2.0):
        for number, step in enumerate(course.steps):
            with patch.object(scoring, "whole", wraps=scoring.whole) as everything:
                found = computed(one, course, step, number, full=False)
            if number > 0:
                ways["everything" if everything.called else "changes"] += 1
            with patch.object(scoring, "AT_ONCE", 0), patch.object(batches, "BATCH", 4):
                expected = computed(other, course, step, number, full=True)
            assert found.keys() == expected.keys()
            for name, frame in expected.items():
                assert _ordered(found[name]).equals(_ordered(frame)), (number, name, _differ(found[name], frame))


def _ordered(frame: pl.DataFrame) -> pl.DataFrame:
    plain = [name for name, kind in frame.schema.items() if not kind.is_nested()]
    return frame.sort(plain)


def _differ(one: pl.DataFrame, other: pl.DataFrame) -> str:
    found, expected = one.rows(), other.rows()
    lost, more = [row for row in expected if row not in found], [row for row in found if row not in expected]
    return f"expected {lost[:3]}, found {more[:3]}"


def test_a_good_part_of_the_changes_was_computed_as_changes() -> None:
    """In worlds of a few days the rest moves the first day, the bands of everyone's deals or the date."""
    if not ways:
        pytest.skip("the worlds were not asked for")
    assert ways["changes"] * 3 > ways["everything"]
