"""A small sales floor for the worked examples: people, calls, e-mails, deals, said in one line each.

Moments are written as text in UTC (`"2026-11-02 09:00"`), plain dates as `"2026-11-02"`, money in whole units.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl

from kpi_engine.compute import Parts, compute
from kpi_engine.frames import from_records
from kpi_engine.periods import to_day
from kpi_engine.records import (
    Campaign,
    Company,
    Day,
    Deal,
    Event,
    Interaction,
    Lead,
    Link,
    Micros,
    Millis,
    Person,
    Quota,
    Rate,
    Record,
    Rep,
    Split,
    Target,
    Task,
)
from kpi_engine.values import values

COMPANY = Company(connection="acme")
AS_OF = "2026-11-20 18:00"
"""A Friday."""

FIRST = Millis(0)


def at(when: str) -> Millis:
    return Millis(int(datetime.fromisoformat(when).replace(tzinfo=UTC).timestamp() * 1000))


def on(when: str) -> Day:
    return to_day(date.fromisoformat(when))


def money(amount: str | int) -> Micros:
    return Micros(int(Decimal(amount) * 1_000_000))


def rep(name: str, manager: str | None = None, zone: str | None = None, **more: Any) -> Rep:
    return Rep(
        **{
            "id": name,
            "name": name.title(),
            "email": f"{name}@example.com",
            "active": True,
            "known": True,
            "modified": FIRST,
            "manager": manager,
            "time_zone": zone,
            **more,
        }
    )


ANA = rep("ana")


def links(of: str, of_kind: str, people: Iterable[str] = (), deals: Iterable[str] = ()) -> list[Record]:
    found: list[Record] = []
    for kind, ends in (("person", people), ("deal", deals)):
        for end in ends:
            key = f"{of_kind}:{of}>{kind}:{end}"
            found.append(Link(id=key, modified=FIRST, from_kind=of_kind, from_id=of, to_kind=kind, to_id=end))
    return found


def _interaction(
    key: str, who: str | None, when: str, people: Iterable[str], deals: Iterable[str], **more: Any
) -> list[Record]:
    moment = {"on": on(when)} if len(when) == 10 else {"at": at(when)}
    row = Interaction(**{"id": key, "modified": FIRST, "rep": who, **moment, **more})
    return [row, *links(key, "interaction", people, deals)]


def call(
    key: str, when: str, who: str | None = "ana", people: Iterable[str] = (), deals: Iterable[str] = (), **more: Any
) -> list[Record]:
    """An outbound call that nobody answered, unless said otherwise."""
    usual = {"direction": "out", "outcome": "done", "disposition": "no answer"}
    return _interaction(key, who, when, people, deals, **{"kind": "call", **usual, **more})


def email(
    key: str, when: str, who: str | None = "ana", people: Iterable[str] = (), deals: Iterable[str] = (), **more: Any
) -> list[Record]:
    """An e-mail sent, in a thread of its own unless said otherwise."""
    return _interaction(
        key, who, when, people, deals, **{"kind": "email", "direction": "out", "outcome": "done", **more}
    )


def reply(
    key: str, when: str, thread: str, who: str | None = "ana", people: Iterable[str] = (), **more: Any
) -> list[Record]:
    return email(key, when, who, people, direction="in", thread=thread, **more)


def message(key: str, when: str, who: str | None = "ana", people: Iterable[str] = (), **more: Any) -> list[Record]:
    return _interaction(key, who, when, people, (), **{"kind": "message", "outcome": "done", **more})


def meeting(
    key: str,
    start: str,
    end: str,
    who: str | None = "ana",
    people: Iterable[str] = (),
    deals: Iterable[str] = (),
    **more: Any,
) -> list[Record]:
    """A meeting without a recorded outcome."""
    return _interaction(key, who, start, people, deals, **{"kind": "meeting", "ended_at": at(end), **more})


def task(
    key: str, created: str, who: str | None = "ana", people: Iterable[str] = (), deals: Iterable[str] = (), **more: Any
) -> list[Record]:
    row = Task(**{"id": key, "modified": FIRST, "rep": who, "created_at": at(created), **more})
    return [row, *links(key, "task", people, deals)]


def lead(key: str, created: str, who: str | None = "ana", **more: Any) -> Lead:
    return Lead(**{"id": key, "modified": FIRST, "owner": who, "created_at": at(created), **more})


def person(key: str, who: str | None = "ana", **more: Any) -> Person:
    return Person(**{"id": key, "modified": FIRST, "owner": who, **more})


def event(key: str, who: str, kind: str, when: str, amount: float = 1.0) -> Event:
    moment = {"on": on(when)} if len(when) == 10 else {"at": at(when)}
    return Event(id=key, modified=FIRST, person=who, kind=kind, amount=amount, **moment)


def deal(
    key: str,
    created: str,
    who: str | None = "ana",
    amount: str | int | None = None,
    people: Iterable[str] = (),
    **more: Any,
) -> list[Record]:
    """An open deal."""
    worth = None if amount is None else money(amount)
    row = Deal(**{"id": key, "modified": FIRST, "owner": who, "created_at": at(created), "amount": worth, **more})
    return [row, *links(key, "deal", people)]


def won(
    key: str,
    closed: str,
    amount: str | int | None = 100,
    who: str | None = "ana",
    created: str = "2026-10-01 09:00",
    people: Iterable[str] = (),
    **more: Any,
) -> list[Record]:
    return deal(key, created, who, amount, people, closed=True, won=True, closed_on=on(closed), **more)


def lost(
    key: str, closed: str, who: str | None = "ana", created: str = "2026-10-01 09:00", **more: Any
) -> list[Record]:
    return deal(key, created, who, 100, closed=True, closed_on=on(closed), **more)


def split(of: str, who: str, percent: int) -> Split:
    return Split(id=f"{of}/{who}", modified=FIRST, deal=of, rep=who, share=percent * 10_000)


def campaign(key: str, starts: str, cost: str | int | None, who: str | None = "ana", **more: Any) -> Campaign:
    worth = None if cost is None else money(cost)
    return Campaign(id=key, modified=FIRST, owner=who, starts_on=on(starts), cost=worth, **more)


def quota(who: str, starts: str, ends: str, amount: str | int, **more: Any) -> Quota:
    """For [starts, ends)."""
    key = f"{who}/{starts}/{ends}"
    return Quota(id=key, modified=FIRST, rep=who, starts_on=on(starts), ends_on=on(ends), amount=money(amount), **more)


def rate(currency: str, number: str, since: str | None = None, until: str | None = None) -> Rate:
    key = f"{currency}/{since}"
    first, last = (None if day is None else on(day) for day in (since, until))
    return Rate(id=key, modified=FIRST, currency=currency, rate=number, from_on=first, until_on=last)


def target(kpi: str, value: str, grain: str = "month", scope: str = "everyone", since: str = "2026-01-01") -> Target:
    return Target(kpi=kpi, scope=scope, grain=grain, value=value, from_on=on(since))


class Floor:
    """The values of a company that consists of these records."""

    def __init__(self, *records: Record | Iterable[Record], company: Company = COMPANY, as_of: str = AS_OF) -> None:
        flat = [row for found in records for row in ([found] if isinstance(found, Record) else found)]
        self.company, self.as_of = company, at(as_of)
        self.tables = from_records(flat, company)
        self._parts: dict[str, Parts] = {}

    def parts(self, grain: str) -> Parts:
        if grain not in self._parts:
            self._parts[grain] = compute(self.tables, self.company, self.as_of, grains=[grain])
        return self._parts[grain]

    def rows(self, kpi: str, grain: str = "month", **asked: Any) -> pl.DataFrame:
        return values(self.parts(grain), self.company, self.as_of, kpis=[kpi], grain=grain, **asked)

    def row(
        self, kpi: str, rep: str = "ana", grain: str = "month", period: str = "2026-11-01", dimension: str = ""
    ) -> dict[str, Any]:
        """The one row of a value."""
        found = self.rows(kpi, rep=rep, grain=grain, period=date.fromisoformat(period), dimension=dimension)
        assert found.height == 1, f"{found.height} rows of {kpi}"
        return found.row(0, named=True)

    def value(
        self, kpi: str, rep: str = "ana", grain: str = "month", period: str = "2026-11-01", dimension: str = ""
    ) -> float | None:
        found: float | None = self.row(kpi, rep, grain, period, dimension)["value"]
        return found

    def has(self, rep: str, grain: str = "month", period: str = "2026-11-01", dimension: str = "") -> bool:
        """Whether there is a row."""
        found = self.rows("leads_created", rep=rep, grain=grain, period=date.fromisoformat(period), dimension=dimension)
        return found.height > 0
