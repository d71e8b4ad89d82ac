"""Works out the local day of interactions, and does so again when a time zone changes.

A moment belongs to the day that its rep's wall calendar showed: the rep's own time zone, else the company's. The engine
never meets a time zone for an interaction; it reads `day`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from sqlalchemy import Connection, bindparam, select, update

from kpi_engine.periods import local_day, zone_of
from kpi_engine.records import Day, Millis
from sync.tables import NO_DAY, RECORDS

Id = TypeVar("Id", str, int)

INTERACTIONS = RECORDS["interaction"].c
REPS = RECORDS["rep"].c

IDS_AT_ONCE = 500
"""How many ids one statement asks for; SQLite and PostgreSQL both take far more, the plan stays the same."""


def chunks(ids: Iterable[Id]) -> Iterator[Sequence[Id]]:
    """The ids in portions for one statement each."""
    every = list(ids)
    for start in range(0, len(every), IDS_AT_ONCE):
        yield every[start : start + IDS_AT_ONCE]


def day_of(at: Millis | None, on: Day | None, zone: str) -> int:
    """The local day of a moment, else the plain date, else `NO_DAY`."""
    if at is not None:
        return local_day(at, zone)
    return NO_DAY if on is None else on


def zones_of(sql: Connection, connection: str, reps: Iterable[str]) -> dict[str, str]:
    """The own time zone of those of `reps` that have one. Unknown and deleted reps follow the company."""
    found: dict[str, str] = {}
    for some in chunks(reps):
        query = select(REPS.id, REPS.time_zone).where(
            REPS.connection == connection,
            REPS.id.in_(some),
            REPS.time_zone.is_not(None),
            REPS.known.is_(True),
            REPS.deleted.is_(False),
        )
        found.update((rep, zone) for rep, zone in sql.execute(query).all() if zone_of(zone, "") == zone)
    return found


def move(sql: Connection, connection: str, zones: Mapping[str, str]) -> int:
    """Work out the days of these reps' interactions in their new zones; how many moved to another day."""
    moved = 0
    for rep, zone in zones.items():
        query = select(INTERACTIONS.id, INTERACTIONS.at, INTERACTIONS.day).where(
            INTERACTIONS.connection == connection, INTERACTIONS.rep == rep, INTERACTIONS.at.is_not(None)
        )
        days = ((id_, day, local_day(at, zone)) for id_, at, day in sql.execute(query).all())
        changes = [{"_connection": connection, "_id": id_, "_day": new} for id_, day, new in days if day != new]
        if changes:
            sql.execute(_SET_DAY, changes)
        moved += len(changes)
    return moved


def move_the_zoneless(sql: Connection, connection: str, company_zone: str) -> int:
    """Work out the days of everyone who has no zone of his or her own, after the company moved to `company_zone`."""
    query = select(INTERACTIONS.rep).where(INTERACTIONS.connection == connection).distinct()
    reps = list(sql.execute(query).scalars())
    own = zones_of(sql, connection, reps)
    return move(sql, connection, {rep: company_zone for rep in reps if rep not in own})


_SET_DAY = (
    update(RECORDS["interaction"])
    .where(INTERACTIONS.connection == bindparam("_connection"), INTERACTIONS.id == bindparam("_id"))
    .values(day=bindparam("_day"))
)
