"""Days and periods: which local day a moment falls on, where a period starts and ends, which days are working days.

A day is an integer, days since 1970-01-01, so that arithmetic is plain. Periods are half-open; a week is ISO (Monday),
quarters and years follow the fiscal year.
"""

from bisect import bisect_left, bisect_right
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from kpi_engine.records import Company, Day, Millis

Grain = Literal["day", "week", "month", "quarter", "year"]
GRAINS: tuple[Grain, ...] = get_args(Grain)

DAY_MS = 86_400_000
EPOCH = date(1970, 1, 1)
MONTHS_OF: dict[str, int] = {"month": 1, "quarter": 3, "year": 12}

_KNOWN_FROM, _KNOWN_UNTIL = 1990, 2045
"""Between these years a zone's clock changes are looked up in a list; outside, in the zone itself."""


def to_day(when: date) -> Day:
    return Day((when - EPOCH).days)


def to_date(day: int) -> date:
    return EPOCH + timedelta(days=day)


@cache
def zone_of(name: str | None, otherwise: str = "UTC") -> str:
    """`name` if it is a time zone, else `otherwise` if that is one, else UTC."""
    for candidate in (name, otherwise):
        if candidate and _is_zone(candidate):
            return candidate
    return "UTC"


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (OSError, ValueError):  # ZoneInfoNotFoundError is a KeyError in disguise, caught below
        return False
    except KeyError:
        return False
    return True


def offset(at: int, zone: str) -> int:
    """How far the zone's clock is ahead of UTC at that moment, in milliseconds."""
    moments, offsets = clock_changes(zone)
    if moments[0] <= at < moments[-1]:
        return offsets[bisect_right(moments, at) - 1]
    return _offset(at, zone)


def _offset(at: int, zone: str) -> int:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at)
    ahead = moment.astimezone(ZoneInfo(zone)).utcoffset()
    return int(ahead.total_seconds() * 1000) if ahead is not None else 0


@cache
def clock_changes(zone: str) -> tuple[list[int], list[int]]:
    """The moments at which the zone's offset changes and the offset from each on; the first and last bound the list."""
    first = (date(_KNOWN_FROM, 1, 1) - EPOCH).days * DAY_MS
    last = (date(_KNOWN_UNTIL, 1, 1) - EPOCH).days * DAY_MS
    moments, offsets = [first], [_offset(first, zone)]
    for at in range(first, last, DAY_MS):
        ahead = _offset(at + DAY_MS, zone)
        if ahead != offsets[-1]:
            moments.append(_change_between(at, at + DAY_MS, offsets[-1], zone))
            offsets.append(ahead)
    return [*moments, last], [*offsets, offsets[-1]]


def _change_between(before: int, after: int, ahead: int, zone: str) -> int:
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (middle, after) if _offset(middle, zone) == ahead else (before, middle)
    return after


def local_day(at: Millis, zone: str) -> Day:
    """The calendar day on which that moment falls in the zone."""
    return Day((at + offset(at, zone)) // DAY_MS)


def day_starts_at(day: int, zone: str) -> Millis:
    """The first moment of that local day."""
    moments, offsets = clock_changes(zone)
    midnight = day * DAY_MS
    near = bisect_right(moments, midnight)
    around = {offset(midnight, zone), *offsets[max(near - 2, 0) : near + 2]}
    starts = [midnight - ahead for ahead in around if local_day(Millis(midnight - ahead), zone) == day]
    earliest = min(starts) if starts else midnight - offset(midnight, zone)
    return Millis(earliest)


@lru_cache(maxsize=1 << 16)
def period_start(day: int, grain: str, fiscal_year_start: int = 1) -> Day:
    """The first day of the period that holds `day`."""
    match grain:
        case "day":
            return Day(day)
        case "week":
            return Day(day - weekday(day))
        case "month" | "quarter" | "year":
            when = to_date(day)
            months = when.year * 12 + when.month - 1
            into = (months - (fiscal_year_start - 1)) % MONTHS_OF[grain]
            year, month = divmod(months - into, 12)
            return to_day(date(year, month + 1, 1))
        case _:
            raise ValueError(f"{grain!r} is not a period. Use one of {', '.join(GRAINS)}.")


@lru_cache(maxsize=1 << 16)
def following_start(day: int, grain: str, fiscal_year_start: int = 1) -> Day:
    """The first day after the period that holds `day`."""
    start = period_start(day, grain, fiscal_year_start)
    match grain:
        case "day":
            return Day(start + 1)
        case "week":
            return Day(start + 7)
        case _:
            when = to_date(start)
            year, month = divmod(when.year * 12 + when.month - 1 + MONTHS_OF[grain], 12)
            return to_day(date(year, month + 1, 1))


def period_end(day: int, grain: str, fiscal_year_start: int = 1) -> Day:
    """The last day of the period that holds `day`."""
    return Day(following_start(day, grain, fiscal_year_start) - 1)


def previous_start(day: int, grain: str, fiscal_year_start: int = 1) -> Day:
    """The first day of the period before the one that holds `day`."""
    return period_start(period_start(day, grain, fiscal_year_start) - 1, grain, fiscal_year_start)


def starts_between(first: int, last: int, grain: str, fiscal_year_start: int = 1) -> list[Day]:
    """The starts of all periods that hold a day of first … last."""
    starts = []
    start = period_start(first, grain, fiscal_year_start)
    while start <= last:
        starts.append(start)
        start = following_start(start, grain, fiscal_year_start)
    return starts


def weekday(day: int) -> int:
    """0 is Monday."""
    return (day + 3) % 7


class WorkingDays:
    """Monday to Friday, less holidays and one rep's days off."""

    def __init__(self, free: frozenset[Day]) -> None:
        self._free = sorted(day for day in free if weekday(day) < 5)
        self._is_free = frozenset(self._free)

    def __contains__(self, day: int) -> bool:
        return weekday(day) < 5 and day not in self._is_free

    def count(self, first: int, last: int) -> int:
        """How many of first … last, both included, are working days."""
        if last < first:
            return 0
        holidays = bisect_right(self._free, last) - bisect_left(self._free, first)
        return _weekdays_before(last + 1) - _weekdays_before(first) - holidays

    def after(self, day: int, how_many: int) -> Day:
        """The n-th working day after `day`."""
        while how_many:
            day += 1
            how_many -= day in self
        return Day(day)

    def before(self, day: int) -> Day:
        """The last working day before `day`."""
        day -= 1
        while day not in self:
            day -= 1
        return Day(day)

    def nth(self, first: int, last: int, number: int) -> Day:
        """The n-th working day of first … last; `last` if there are fewer, the day before `first` for none."""
        if number <= 0:
            return Day(first - 1)
        if self.count(first, last) < number:
            return Day(last)
        return self.after(first - 1, number)


def _weekdays_before(day: int) -> int:
    weeks, rest = divmod(day + 3, 7)
    return weeks * 5 + min(rest, 5)


def working_days(company: Company, rep: str | None = None) -> WorkingDays:
    """The working days of a rep, or of the company."""
    return _calendar(company.holidays | company.days_off.get(rep or "", frozenset()))


@lru_cache(maxsize=4096)
def _calendar(free: frozenset[Day]) -> WorkingDays:
    return WorkingDays(free)
