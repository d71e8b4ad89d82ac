"""The one place where the clock is read, and where a date on the command line becomes a moment."""

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from kpi_engine.periods import period_end, to_day
from kpi_engine.records import Day, Millis


def now_millis() -> Millis:
    """This moment. Everything below the command line is told the time."""
    return Millis(int(datetime.now(UTC).timestamp() * 1000))


def as_of_millis(said: str | None, now: Millis, zone: str) -> Millis:
    """`--as-of` as a moment: a bare date means the end of that day in the company's zone, a moment without a zone
    is the company's. Raises ValueError for anything else."""
    if said is None:
        return now
    try:
        return _moment(said, zone)
    except (ValueError, OverflowError):
        raise ValueError(f"{said!r} is no moment; write a date, 2026-11-25, or 2026-11-25T18:00") from None


def _moment(said: str, zone: str) -> Millis:
    if len(said) == len("2026-11-25"):
        midnight = datetime.combine(date.fromisoformat(said) + timedelta(days=1), time(), ZoneInfo(zone))
        return Millis(int(midnight.timestamp() * 1000) - 1)
    moment = datetime.fromisoformat(said)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(zone))
    return Millis(int(moment.timestamp() * 1000))


def shown_moment(millis: int | None, zone: str) -> str:
    """A moment for people: `2026-11-25 13:04`."""
    if millis is None:
        return "–"
    return datetime.fromtimestamp(millis / 1000, ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")


def day_in_period(said: str) -> date:
    """A day of the period meant: `2026-11-25`, `2026-W48`, `2026-11`, `2026-Q4` or `2026`. Quarters and years are the
    calendar's; name a day where the fiscal year is another. Raises ValueError."""
    for pattern, first_day in _PERIODS.items():
        found = re.fullmatch(pattern, said.strip().upper())
        if found:
            with suppress(ValueError):  # the thirteenth month
                return first_day(*map(int, found.groups()))
    raise ValueError(f"{said!r} is no period; write 2026-11-25, 2026-W48, 2026-11, 2026-Q4 or 2026")


def days_of_period(said: str) -> tuple[Day, Day]:
    """The first and the last day of the period meant, by the calendar. Raises ValueError."""
    first = to_day(day_in_period(said))
    (grain,) = (grain for grain, pattern in zip(_GRAINS, _PERIODS, strict=True) if _means(pattern, said))
    return first, period_end(first, grain, 1)


def _means(pattern: str, said: str) -> bool:
    return re.fullmatch(pattern, said.strip().upper()) is not None


_GRAINS = ("day", "week", "month", "quarter", "year")

_PERIODS: dict[str, Callable[..., date]] = {
    r"(\d{4})-(\d\d)-(\d\d)": date,
    r"(\d{4})-W(\d\d?)": lambda year, week: date.fromisocalendar(year, week, 1),
    r"(\d{4})-(\d\d)": lambda year, month: date(year, month, 1),
    r"(\d{4})-Q([1-4])": lambda year, quarter: date(year, 3 * quarter - 2, 1),
    r"(\d{4})": lambda year: date(year, 1, 1),
}


def iso(millis: int | None) -> str | None:
    """A moment for programs, in UTC; None stays None."""
    return None if millis is None else datetime.fromtimestamp(millis / 1000, UTC).isoformat(timespec="seconds")
