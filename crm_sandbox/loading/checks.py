"""What a thing of the neutral format must fulfil beyond its types, so that no slip becomes a wrong number silently."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from crm_sandbox.loading.sheet import Place
from crm_sandbox.world import Call, Email, Meeting, Prospect, Sale, Seller

Thing = TypeVar("Thing")
Placed = Sequence[tuple[Place, Any]]

_CHOICES: dict[tuple[type, str], tuple[str | None, ...]] = {
    (Seller, "kind"): ("person", "queue", "robot"),
    (Prospect, "status"): ("new", "working", "qualified", "unqualified"),
    (Email, "direction"): ("out", "in", "forwarded"),
    (Email, "status"): ("sent", "bounced", "draft", "scheduled", "failed"),
    (Call, "direction"): ("out", "in", "internal", None),
    (Call, "status"): ("completed", "planned", "cancelled", "failed"),
    (Meeting, "outcome"): ("completed", "scheduled", "rescheduled", "no_show", "cancelled", None),
    (Sale, "stage"): ("open", "won", "lost"),
}

_REFERENCES = {
    "sellers": {"seller", "owner", "owners", "manager", "splits"},
    "prospects": {"people", "prospect", "merged_into", "responses"},
    "sales": {"deals", "deal"},
    "promotions": {"campaign"},
}
"""Columns that hold the keys of another file's things."""


def check_values(place: Place, thing: Any) -> None:
    for column, value in _values(thing):
        choices = _CHOICES.get((type(thing), column))
        if choices and value not in choices:
            place.wrong(column, f"{value!r} is not known; known are {', '.join(filter(None, choices))}")
        if isinstance(value, datetime) and value.tzinfo is None:
            place.wrong(column, "the moment has no offset; write it as 2026-12-31T09:00:00Z")
        if isinstance(value, Decimal) and not value.is_finite():
            place.wrong(column, f"{value} is no number")
    if isinstance(thing, Seller) and not _is_zone(thing.time_zone):
        place.wrong("time_zone", f"{thing.time_zone!r} is no time zone; write it as Europe/Madrid")
    if isinstance(thing, Sale) and not thing.owners:
        place.wrong("owners", "a deal has at least one owner; write nobody as 2026-12-31T09:00:00Z=")


def check_references(placed: Mapping[str, Placed]) -> None:
    """Every key that is mentioned belongs to something, and no key to two things."""
    keys = {field: _keys(page) for field, page in placed.items()}
    for page in placed.values():
        for place, thing in page:
            _check_mentions(place, thing, keys)


def in_utc(thing: Thing) -> Thing:
    """The same with every moment in UTC."""
    columns = dataclasses.fields(thing)  # type: ignore[arg-type]  # all things of a world are dataclasses
    changed = {column.name: _utc(getattr(thing, column.name)) for column in columns}
    return dataclasses.replace(thing, **changed)  # type: ignore[type-var]


def _utc(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_utc, value))
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _keys(page: Placed) -> frozenset[str]:
    seen: set[str] = set()
    for place, thing in page:
        key = getattr(thing, "key", None)
        if key in seen:
            place.wrong("key", f"{key!r} is used twice")
        if key is not None:
            seen.add(key)
    return frozenset(seen)


def _check_mentions(place: Place, thing: Any, keys: Mapping[str, frozenset[str]]) -> None:
    for column, value in _values(thing):
        if not isinstance(value, str):
            continue
        for field, columns in _REFERENCES.items():
            if column in columns and value not in keys.get(field, frozenset()):
                place.wrong(column, f"{value!r} is not a key in {field}")


def _values(thing: Any) -> Iterator[tuple[str, Any]]:
    """Every single value with its column, those in lists and pairs too."""
    for column in dataclasses.fields(thing):
        waiting = [getattr(thing, column.name)]
        while waiting:
            value = waiting.pop()
            if isinstance(value, tuple):
                waiting.extend(value)
            else:
                yield column.name, value
