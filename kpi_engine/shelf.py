"""What is kept of a computation: frames by name, in slices, so that what changed is read and written by itself.

Each rep belongs to one of a number of slices, and so does each team.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol
from zlib import crc32

import polars as pl

from kpi_engine.compute import frames_of
from kpi_engine.conclude import AWAY, EVIDENCE
from kpi_engine.daily import Evident
from kpi_engine.ground import Ground
from kpi_engine.periods import GRAINS
from kpi_engine.records import EVERYONE, Company, Day
from kpi_engine.scores import scored

Work = dict[str, dict[int, pl.DataFrame]]
"""Name → slice → frame. Slice 0 is what belongs to nobody or everyone, or an empty frame that tells the columns; those
above are the reps', those below the teams'."""

COMPUTED, DAYS, SUMS, COUNTS = "computed/", "days/", "sums/", "counts/"
WAITING, LIMITS = "clock/waiting", "bands/limits"
"""Beginnings of the names of frames: what a value is read from; and what an increment needs beside it."""

SCORES, OPEN = "scores", "open_leads"

ROW_DAYS_A_SLICE, ROW_DAYS_AT_ONCE = 1_000, 50_000
"""So many days, of one rep or several, make a slice; so many are concluded at once."""

NAMES = frames_of(GRAINS)


class Shelf(Protocol):
    """Where the frames of the last computation stand."""

    def read(self, name: str, slices: Iterable[int] | None = None) -> pl.DataFrame:
        """These slices of a frame, or all of them; an empty frame with its columns where they hold nothing."""


@dataclass(frozen=True)
class Asked:
    """For what values are computed. `slices` is the number of slices, `recorded` the first day with a record."""

    company: Company
    since: Day | None
    evident: Evident
    slices: int
    recorded: Day | None

    def slice_of(self, rep: str) -> int:
        return 1 + crc32(rep.encode()) % self.slices

    def group_slice_of(self, group: str) -> int:
        return 0 if group == EVERYONE else -1 - crc32(group.encode()) % self.slices


def how_many_slices(ground: Ground) -> int:
    return 1 + len(ground.today) * _days(ground) // ROW_DAYS_A_SLICE


def some_slices(asked: Asked, ground: Ground, wanted: Collection[int] | None = None) -> Iterator[set[int]]:
    """Slices by and by, so many that their reps' days make a frame of a size that fits anywhere."""
    reps: dict[int, int] = Counter(map(asked.slice_of, ground.today))
    some: set[int] = set()
    height = 0
    for number in sorted(reps if wanted is None else reps.keys() & wanted):
        some.add(number)
        height += reps[number] * _days(ground)
        if height > ROW_DAYS_AT_ONCE:
            yield some
            some, height = set(), 0
    if some:
        yield some


def _days(ground: Ground) -> int:
    """How many days a rep may have rows for: none if the first is still to come."""
    return max(ground.last - ground.first + 1, 0)


def place_of(name: str) -> str:
    """Under which name a frame of rows is kept."""
    return f"{DAYS if name.endswith(AWAY) else COMPUTED}{name}"


def lists_of(evident: Evident) -> list[str]:
    """The names of the frames of evidence."""
    return [grain + EVIDENCE for grain in evident.grains]


def with_scores(still_open: pl.DataFrame, ground: Ground, asked: Asked, touched: Collection[int] | None = None) -> Work:
    """The leads that are still open, and their scores."""
    scores = scored(still_open, ground.reps, asked.company)
    return {
        **split({OPEN: still_open}, asked.slice_of, "rep", touched),
        **split({COMPUTED + SCORES: scores}, asked.slice_of, "owner", touched),
    }


def split(
    frames: Mapping[str, pl.DataFrame],
    slice_of: Callable[[str], int],
    by: str = "rep",
    wanted: Collection[int] | None = None,
) -> Work:
    """Frames in slices by rep or group; of `wanted` slices those too that are empty: they replace what they held."""
    work: Work = {}
    for name, frame in frames.items():
        numbers = {who: slice_of(who) for who in frame[by].unique()}
        numbered = frame.with_columns(_slice=pl.col(by).replace_strict(numbers, return_dtype=pl.Int64))
        parts = numbered.partition_by("_slice", as_dict=True, include_key=False)
        slices = {int(number): part for (number,), part in parts.items()}
        work[name] = {0: frame.clear(), **{number: frame.clear() for number in wanted or ()}, **slices}
    return work
