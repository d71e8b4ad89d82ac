"""Short ways to write down records for the hand-worked examples: Madrid in November 2026, by its clocks."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from kpi_engine.records import (
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
    Record,
    Rep,
    Split,
    Task,
)

from .days import EPOCH, EPOCH_DAY
from .oracle import Oracle, Result

ZONE = "Europe/Madrid"


def at(when: str, zone: str = ZONE) -> Millis:
    """A moment: "2026-11-03 10:00" in Madrid."""
    moment = datetime.fromisoformat(when).replace(tzinfo=ZoneInfo(zone))
    return Millis(round((moment - EPOCH).total_seconds() * 1000))


def on(when: str) -> Day:
    """A plain date."""
    return Day((date.fromisoformat(when) - EPOCH_DAY).days)


def euros(amount: float) -> Micros:
    """Money."""
    return Micros(round(amount * 1_000_000))


def rep(id: str, **more: Any) -> Rep:
    """An active rep in Madrid."""
    fields = {"name": id, "email": None, "active": True, "known": True, "time_zone": ZONE, **more}
    return Rep(id=id, modified=Millis(0), **fields)


def call(id: str, when: str, **more: Any) -> Interaction:
    """A call that Ana made."""
    fields: dict[str, Any] = {
        "kind": "call",
        "rep": "ana",
        "direction": "out",
        "outcome": "done",
        "at": at(when),
        **more,
    }
    return Interaction(id=id, modified=Millis(0), **fields)


def email(id: str, when: str, **more: Any) -> Interaction:
    """An e-mail that Ana sent."""
    return call(id, when, **{"kind": "email", **more})


def meeting(id: str, when: str, **more: Any) -> Interaction:
    """A meeting of Ana's."""
    return call(id, when, **{"kind": "meeting", "direction": None, **more})


def task(id: str, created: str, **more: Any) -> Task:
    """A next step of Ana's."""
    return Task(id=id, modified=Millis(0), created_at=at(created), **{"rep": "ana", **more})


def won(id: str, closed: str, amount: float | None = 1000, **more: Any) -> Deal:
    """A deal that Ana won, created three weeks before November."""
    fields: dict[str, Any] = {
        "owner": "ana",
        "created_at": at("2026-10-10 09:00"),
        "closed": True,
        "won": True,
        "closed_on": on(closed),
        "amount": None if amount is None else euros(amount),
        **more,
    }
    return Deal(id=id, modified=Millis(0), **fields)


def lead(id: str, created: str, **more: Any) -> Lead:
    """A lead of Ana's."""
    return Lead(id=id, modified=Millis(0), created_at=at(created), **{"owner": "ana", **more})


def person(id: str, **more: Any) -> Person:
    """A contact of Ana's."""
    return Person(id=id, modified=Millis(0), **{"owner": "ana", **more})


def event(id: str, who: str, kind: str, when: str, amount: float = 1.0) -> Event:
    """What a person did."""
    return Event(id=id, modified=Millis(0), person=who, kind=kind, at=at(when), amount=amount)


def split(id: str, deal: str, who: str | None, share: int) -> Split:
    """A share of a deal in millionths."""
    return Split(id=id, modified=Millis(0), deal=deal, rep=who, share=share)


def quota(id: str, who: str, starts: str, ends: str, amount: float) -> Quota:
    """A revenue quota for [starts, ends)."""
    return Quota(id=id, modified=Millis(0), rep=who, starts_on=on(starts), ends_on=on(ends), amount=euros(amount))


def link(what: Record, to: str, to_kind: str = "person") -> Link:
    """An interaction, task or deal belongs to a person or deal."""
    kind = type(what).__name__.lower()
    return Link(id=f"{what.id}-{to}", modified=Millis(0), from_kind=kind, from_id=what.id, to_kind=to_kind, to_id=to)


def oracle(*records: Record, as_of: str = "2026-11-30 20:00", **company: Any) -> Oracle:
    """The oracle asked about these records."""
    fields = {"connection": "acme", "time_zone": ZONE, "home_currency": "EUR", **company}
    return Oracle(records, Company(**fields), at(as_of))


def november(asked: Oracle, kpi: str, who: str = "ana", dimension: str | None = None) -> Result:
    """A KPI's value in November 2026."""
    return asked.values()[who, kpi, "month", date(2026, 11, 1), dimension]
