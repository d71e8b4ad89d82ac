"""SOQL's relative dates (TODAY, LAST_N_DAYS:30, THIS_FISCAL_QUARTER) as half-open ranges of days."""

from collections.abc import Callable
from datetime import date, timedelta

Range = tuple[date, date]


def span(name: str, count: int | None, today: date, fiscal_start: int) -> Range | None:
    """The days that a relative date means, or None where there is no such literal."""
    if count is None:
        return _fixed(name, today, fiscal_start)
    return _counted(name, count, today, fiscal_start)


def months_after(first: date, months: int) -> date:
    """The first day of the month so many months after `first`'s."""
    years, month = divmod(first.month - 1 + months, 12)
    return date(first.year + years, month + 1, 1)


def _fixed(name: str, today: date, fiscal_start: int) -> Range | None:
    days = {"YESTERDAY": -1, "TODAY": 0, "TOMORROW": 1}
    if name in days:
        start = today + timedelta(days[name])
        return start, start + timedelta(1)
    if name in {"LAST_90_DAYS", "NEXT_90_DAYS"}:
        return _counted(name.replace("90", "N"), 90, today, fiscal_start)
    which, _, unit = name.partition("_")
    shift = {"LAST": -1, "THIS": 0, "NEXT": 1}.get(which)
    step = _units(fiscal_start).get(unit)
    return step(today, shift, shift + 1) if step and shift is not None else None


def _counted(name: str, count: int, today: date, fiscal_start: int) -> Range | None:
    match name:
        case "LAST_N_DAYS":
            return today - timedelta(count), today + timedelta(1)
        case "NEXT_N_DAYS":
            return today + timedelta(1), today + timedelta(count + 1)
        case "N_DAYS_AGO":
            return today - timedelta(count), today - timedelta(count - 1)
    for unit, step in _units(fiscal_start).items():
        if name == f"LAST_N_{unit}S":
            return step(today, -count, 0)
        if name == f"NEXT_N_{unit}S":
            return step(today, 1, count + 1)
        if name == f"N_{unit}S_AGO":
            return step(today, -count, 1 - count)
    return None


def _units(fiscal_start: int) -> dict[str, Callable[[date, int, int], Range]]:
    """unit → (today, from, to) → the range from `from` to `to` units after the current one's start."""

    def weeks(today: date, start: int, end: int) -> Range:
        sunday = today - timedelta((today.weekday() + 1) % 7)
        return sunday + timedelta(weeks=start), sunday + timedelta(weeks=end)

    def months(length: int, first: int) -> Callable[[date, int, int], Range]:
        def step(today: date, start: int, end: int) -> Range:
            into = (today.month - first) % 12 % length
            current = months_after(today.replace(day=1), -into)
            return months_after(current, start * length), months_after(current, end * length)

        return step

    return {
        "WEEK": weeks,
        "MONTH": months(1, 1),
        "QUARTER": months(3, 1),
        "YEAR": months(12, 1),
        "FISCAL_QUARTER": months(3, fiscal_start),
        "FISCAL_YEAR": months(12, fiscal_start),
    }
