"""Closed periods: what the CRM shows for them stays, whatever the numbers are now, until somebody opens them again.

Commissions are paid on them, reports were handed in. The ledger goes on to learn what the numbers would be.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import date

import msgspec
from sqlalchemy import Connection, func, insert, select, update

from kpi_engine.periods import period_end, to_day
from kpi_engine.records import Day, Millis
from sync.history import CLOSURES

KEY_PERIOD = re.compile(r":(day|week|month|quarter|year):(\d{4}-\d{2}-\d{2})(?::|$)")
"""The grain and the first day in the key of a KPI record."""


class Closure(msgspec.Struct, frozen=True, kw_only=True):
    """Days that were closed, and why; opened again or not."""

    first: Day
    last: Day
    reason: str
    closed_at: Millis
    reopened_at: Millis | None = None
    reopened_because: str | None = None


def close(sql: Connection, connection: str, first: Day, last: Day, reason: str, at: Millis) -> None:
    """Close the days from `first` to `last`."""
    here = CLOSURES.c.connection == connection
    serial = 1 + (sql.execute(select(func.max(CLOSURES.c.serial)).where(here)).scalar() or 0)
    row = {"connection": connection, "serial": serial, "first": first, "last": last, "reason": reason, "closed_at": at}
    sql.execute(insert(CLOSURES), row)


def reopen(sql: Connection, connection: str, first: Day, last: Day, reason: str, at: Millis) -> int:
    """Open what was closed within these days; how many closures that ends."""
    within = (CLOSURES.c.connection == connection) & (CLOSURES.c.first >= first) & (CLOSURES.c.last <= last)
    still = CLOSURES.c.reopened_at.is_(None)
    return sql.execute(update(CLOSURES).where(within, still).values(reopened_at=at, reopened_because=reason)).rowcount


def closures(sql: Connection, connection: str) -> Sequence[Closure]:
    """Every closure there was, in its order."""
    columns = [CLOSURES.c[name] for name in Closure.__struct_fields__]
    query = select(*columns).where(CLOSURES.c.connection == connection).order_by(CLOSURES.c.serial)
    return [Closure(**row) for row in sql.execute(query).mappings()]


def is_closed(key: str, closed: Iterable[Closure]) -> bool:
    """Whether the period of a KPI record lies within days that are closed."""
    found = KEY_PERIOD.search(key)
    if found is None:
        return False
    start = date.fromisoformat(found[2])
    # Whatever the fiscal year: counted from the month in which the period begins, the period is a whole one.
    first, last = to_day(start), period_end(to_day(start), found[1], start.month)
    return any(each.reopened_at is None and each.first <= first and last <= each.last for each in closed)
