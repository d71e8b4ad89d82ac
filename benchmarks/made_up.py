"""Makes a cache of a company that never was, as large as wanted: `python -m benchmarks.made_up 1000000 company.db`.

For each interaction 0.3 leads, 0.2 deals, 0.23 engagement events and 1.4 links, over 24 months and 500 reps (or as many
as asked for) in six time zones. A lead's interactions are with its owner; every second lead of three has a deal, won,
lost or open. The rows are written straight into the cache's tables: how fast records land is another question.
"""

import argparse
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from kpi_engine.records import Day, Deal, Event, Interaction, Lead, Link, Micros, Millis, Record, Rep
from sync.cache import Cache
from sync.tables import COLUMNS, KIND_OF, NO_DAY, NOBODY

CONNECTION = "made-up"
DAY_MS = 86_400_000
LAST = 20_781
"""The last day, 2026-11-24."""

DAYS = 730
NOW = Millis((LAST + 1) * DAY_MS - 1)

ZONES = ("UTC", "Europe/Madrid", "Europe/Berlin", "America/New_York", "America/Chicago", "America/Los_Angeles")
CHANNELS = ("Web", "Referral", "Event", "Cold call", None)
MEANS = ("email",) * 10 + ("call",) * 7 + ("meeting",) * 2 + ("message",)


def records_of(rep: int, interactions: int, seed: int) -> Iterator[Record]:
    """One rep, and everything of his or hers."""
    dice = Random(seed * 1_000_003 + rep)
    name = f"r{rep:05}"
    manager = None if rep % 10 == 0 else f"r{rep - rep % 10:05}"
    zone = ZONES[rep % len(ZONES)]
    yield Rep(
        id=name, modified=Millis(1), name=name, email=None, active=True, known=True, manager=manager, time_zone=zone
    )
    leads = max(1, int(interactions * 0.3))
    created = sorted(dice.randrange(LAST - DAYS, LAST) for _ in range(leads))
    for number, day in enumerate(created):
        yield from _lead(dice, name, number, day)
    for number in range(interactions):
        yield from _interaction(dice, name, number, created)
    for number in range(int(interactions * 0.23)):
        yield _event(dice, name, number, created)


def _at(dice: Random, day: int) -> Millis:
    """A moment that belongs to the same day in all of the zones."""
    return Millis(day * DAY_MS + dice.randrange(9 * 3600, 21 * 3600) * 1000)


def _has_deal(number: int) -> bool:
    return number % 3 != 0


def _lead(dice: Random, rep: str, number: int, day: int) -> Iterator[Record]:
    lead, deal = f"l{rep}{number:06}", f"d{rep}{number:06}"
    moment = _at(dice, day)
    converted = _has_deal(number)
    yield Lead(
        id=lead,
        modified=moment,
        owner=rep,
        created_at=moment,
        channel=dice.choice(CHANNELS),
        converted=converted,
        converted_on=Day(day + dice.randrange(20)) if converted else None,
        deal=deal if converted else None,
        status=None if number % 7 else "unqualified",
    )
    if converted:
        closed = number % 4 != 1
        yield Deal(
            id=deal,
            modified=moment,
            owner=rep,
            created_at=moment,
            amount=None if number % 31 == 0 else Micros(dice.randrange(500, 90_000) * 1_000_000),
            closed=closed,
            won=closed and number % 4 != 2,
            closed_on=Day(day + dice.randrange(10, 60)) if closed else None,
        )
        yield Link(id=f"{deal}>{lead}", modified=moment, from_kind="deal", from_id=deal, to_kind="person", to_id=lead)


def _interaction(dice: Random, rep: str, number: int, created: Sequence[int]) -> Iterator[Record]:
    place = dice.randrange(len(created))
    lead, ident = f"l{rep}{place:06}", f"i{rep}{number:07}"
    day = min(created[place] + int(dice.expovariate(1 / 25)), LAST)
    at, means = _at(dice, day), dice.choice(MEANS)
    inbound = dice.random() < 0.3
    outcome = "no_show" if means == "meeting" and dice.random() < 0.1 else "done"
    yield Interaction(
        id=ident,
        modified=at,
        kind=means,
        rep=rep,
        direction="in" if inbound else "out",
        outcome=outcome,
        at=at,
        ended_at=Millis(at + 1_800_000) if means == "meeting" else None,
        created_at=at,
        duration_ms=dice.randrange(900_000) if means == "call" else None,
        disposition=dice.choice(("connected", "no answer", None)) if means == "call" else None,
        tracked=True if means == "email" else None,
        opened=dice.random() < 0.4 if means == "email" else None,
        clicked=dice.random() < 0.1 if means == "email" else None,
        bounced=dice.random() < 0.02 if means == "email" else None,
        thread=f"t{lead}" if means == "email" else None,
    )
    yield Link(id=f"{ident}>{lead}", modified=at, from_kind="interaction", from_id=ident, to_kind="person", to_id=lead)
    if _has_deal(place) and number % 3 == 0:
        deal = f"d{rep}{place:06}"
        yield Link(
            id=f"{ident}>{deal}", modified=at, from_kind="interaction", from_id=ident, to_kind="deal", to_id=deal
        )


def _event(dice: Random, rep: str, number: int, created: Sequence[int]) -> Event:
    place = dice.randrange(len(created))
    day = min(created[place] + int(dice.expovariate(1 / 10)), LAST)
    kind = dice.choice(("page_view", "page_view", "email_open", "email_click", "document", "form_submission"))
    at = _at(dice, day)
    return Event(id=f"e{rep}{number:07}", modified=at, person=f"l{rep}{place:06}", kind=kind, at=at)


def make(path: Path, interactions: int, reps: int = 500, seed: int = 1) -> None:
    """The whole cache, in place of what is there."""
    for ending in ("", "-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
    Cache.open(f"sqlite:///{path}", CONNECTION).close()
    with sqlite3.connect(path) as sql:
        sql.execute("PRAGMA synchronous=OFF")
        for rep in range(reps):
            write(sql, records_of(rep, interactions // reps, seed))
        sql.execute("INSERT INTO cache_about VALUES (?, 'changes', '1')", (CONNECTION,))
        sql.execute("INSERT INTO cache_about VALUES (?, 'company_zone', 'UTC')", (CONNECTION,))


def write(sql: sqlite3.Connection, records: Iterable[Record]) -> None:
    """Records into the tables."""
    rows: dict[str, list[tuple[Any, ...]]] = {}
    for record in records:
        kind = KIND_OF[type(record)]
        rows.setdefault(kind, []).append(_row(kind, record))
    for kind, some in rows.items():
        columns = ", ".join(f'"{name}"' for name in COLUMNS[kind])
        places = ", ".join("?" * len(COLUMNS[kind]))
        ordered = sorted(some, key=lambda row: row[-1]) if kind == "interaction" else some
        sql.executemany(f"INSERT INTO {kind} ({columns}) VALUES ({places})", ordered)


def _row(kind: str, record: Record) -> tuple[Any, ...]:
    values = (CONNECTION, *msgspec.structs.astuple(record))
    if kind != "interaction":
        return values
    assert isinstance(record, Interaction)
    day = NO_DAY if record.at is None else record.at // DAY_MS
    place = COLUMNS[kind].index("rep")
    return (*values[:place], record.rep or NOBODY, *values[place + 1 :], day)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("interactions", type=int)
    parser.add_argument("path", type=Path)
    parser.add_argument("--reps", type=int, default=500)
    asked = parser.parse_args()
    make(asked.path, asked.interactions, asked.reps)


if __name__ == "__main__":
    main()
