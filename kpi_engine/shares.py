"""What every working day carries of an amount agreed for a longer time: quotas and targets, in exact fractions."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from typing import TypeVar

from kpi_engine.periods import WorkingDays

Number = TypeVar("Number", int, Fraction)


@dataclass(frozen=True)
class Agreed:
    """An amount for the days of [starts, ends); `kind` and `id` name the record that says so.

    `since`: the first day on which it is agreed; earlier days of its time carry nothing of it.
    `grain`: the grain for which a target is given.
    """

    starts: int
    ends: int
    amount: Fraction
    kind: str = ""
    id: str = ""
    since: int | None = None
    grain: str | None = None


class Shares:
    """Every working day of an agreed time carries an equal part of its amount; a period adds up its days.

    A day is covered by the first tier that has anything for it, and there by the finest time that holds it.
    """

    def __init__(self, tiers: Sequence[Sequence[Agreed]], calendar: WorkingDays, first: int, last: int) -> None:
        self._first, self._last, self._calendar = first, last, calendar
        covering = self._covering(tiers)
        self._row_of_day = covering
        part = {agreed: _part(agreed, calendar) for agreed in set(covering) if agreed is not None}
        working = [day in calendar for day in range(first, last + 1)]
        days = list(zip(working, covering, strict=True))
        nothing = Fraction(0)
        self._amount = _running((part[row] if works and row is not None else nothing for works, row in days), nothing)
        self._working = _running((int(works) for works in working), 0)
        self._bare = _running((int(works and row is None) for works, row in days), 0)
        self._covered = _running((int(row is not None) for row in covering), 0)

    def _covering(self, tiers: Sequence[Sequence[Agreed]]) -> list[Agreed | None]:
        painted: list[Agreed | None] = [None] * (self._last - self._first + 1)
        for tier in reversed(tiers):
            for agreed in sorted(tier, key=lambda row: (row.starts - row.ends, row.starts, row.since or 0)):
                starts = agreed.starts if agreed.since is None else max(agreed.starts, agreed.since)
                begin, end = max(starts, self._first), min(agreed.ends, self._last + 1)
                painted[begin - self._first : max(end, begin) - self._first] = [agreed] * max(end - begin, 0)
        return painted

    def over(self, starts: int, ends: int) -> Fraction | None:
        """The amount of [starts, ends); None if a working day of it is not covered, or it has neither."""
        begin, end = starts - self._first, ends - self._first
        if self._working[end] == self._working[begin]:
            return Fraction(0) if self._covered[end] > self._covered[begin] else None
        if self._bare[end] > self._bare[begin]:
            return None
        return self._amount[end] - self._amount[begin]

    def made_of(self, starts: int, ends: int) -> list[tuple[Agreed, Fraction]]:
        """What each agreed time adds to the amount of [starts, ends)."""
        days = (self._row_of_day[day - self._first] for day in range(starts, ends) if day in self._calendar)
        how_many = Counter(row for row in days if row is not None)
        return [(row, _part(row, self._calendar) * count) for row, count in how_many.items()]


def _part(agreed: Agreed, calendar: WorkingDays) -> Fraction:
    days = calendar.count(agreed.starts, agreed.ends - 1)
    return agreed.amount / days if days else Fraction(0)


def _running(parts: Iterable[Number], nothing: Number) -> list[Number]:
    """Sums up to each day; the first is nothing."""
    return list(accumulate(parts, initial=nothing))
