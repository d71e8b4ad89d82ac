"""Days, zones and periods: which calendar day a moment is, where a day begins, and which periods there are."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DAY = date(1970, 1, 1)
ONE_DAY = timedelta(days=1)

GRAINS = ("day", "week", "month", "quarter", "year")


def plain(day: int) -> date:
    """The date of a `Day`: days since 1970."""
    return EPOCH_DAY + timedelta(days=day)


@lru_cache(maxsize=100_000)
def day_of(moment: int, zone: str) -> date:
    """The calendar day on which the clock of `zone` shows this moment (UTC milliseconds)."""
    return (EPOCH + timedelta(milliseconds=moment)).astimezone(ZoneInfo(zone)).date()


@lru_cache(maxsize=100_000)
def start_of(day: date, zone: str) -> int:
    """The moment at which the day begins in `zone`."""
    return (datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)) - EPOCH) // timedelta(milliseconds=1)


@dataclass(frozen=True)
class Period:
    """[start, end) of a grain."""

    grain: str
    start: date
    end: date

    def holds(self, day: date) -> bool:
        """Whether the day lies in it."""
        return self.start <= day < self.end

    def of(self, rep: str) -> "Period":
        """What of it is counted for a rep: all of it."""
        return self

    @property
    def last(self) -> date:
        """Its last day."""
        return self.end - ONE_DAY

    def days(self) -> Iterator[date]:
        """Its days in order."""
        day = self.start
        while day < self.end:
            yield day
            day += ONE_DAY


@dataclass(frozen=True)
class CutPeriod(Period):
    """A period that ends earlier for some."""

    ends: Mapping[str, date]

    def of(self, rep: str) -> Period:
        """What of it is counted for a rep."""
        return Period(self.grain, self.start, self.ends.get(rep, self.end))


def months_later(first_of_month: date, months: int) -> date:
    """The first day of the month so many months later (earlier, if negative)."""
    count = first_of_month.year * 12 + first_of_month.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def period_of(grain: str, day: date, fiscal_year_start: int) -> Period:
    """The period of this grain that holds the day. Quarters and years follow the fiscal year."""
    if grain == "day":
        return Period(grain, day, day + ONE_DAY)
    if grain == "week":
        monday = day - day.weekday() * ONE_DAY
        return Period(grain, monday, monday + 7 * ONE_DAY)
    month = day.replace(day=1)
    months = {"month": 1, "quarter": 3, "year": 12}[grain]
    start = months_later(month, -((month.month - fiscal_year_start) % months))
    return Period(grain, start, months_later(start, months))


def periods(grain: str, first: date, last: date, fiscal_year_start: int) -> Iterator[Period]:
    """The periods of a grain from the one that holds `first` to the one that holds `last`."""
    period = period_of(grain, first, fiscal_year_start)
    while period.start <= last:
        yield period
        period = period_of(grain, period.end, fiscal_year_start)
