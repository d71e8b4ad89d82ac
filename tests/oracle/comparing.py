"""The engine asked about a world, and what in its answer differs from the oracle's."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import polars as pl

from kpi_engine.compute import compute
from kpi_engine.frames import from_records
from kpi_engine.values import values

from .days import GRAINS
from .oracle import MEDIANS, Key, Number, Result
from .worlds import World

TINY = 1e-6


@dataclass(frozen=True)
class Difference:
    """One row on which the two disagree."""

    row: Key
    what: str
    engine: object
    oracle: object


def engine_rows(world: World, grains: tuple[str, ...] = GRAINS) -> dict[Key, dict[str, Any]]:
    """What the engine makes of a world, by key."""
    tables = from_records(world.records, world.company)
    frame = values(compute(tables, world.company, world.as_of, grains=grains), world.company, world.as_of)
    return by_key(frame)


def by_key(frame: pl.DataFrame) -> dict[Key, dict[str, Any]]:
    """The rows of the engine's frame by rep, KPI, grain, first day and dimension."""
    return {key_of(row): row for row in frame.iter_rows(named=True)}


def key_of(row: dict[str, Any]) -> Key:
    """rep, KPI, grain, the period's first day, dimension."""
    start = row["period_start"]
    assert isinstance(start, date)
    return row["rep"], row["kpi"], row["grain"], start, row["dimension"]


def exact(number: object) -> Fraction:
    """A number of a frame, as the decimal it shows."""
    return Fraction(str(number))


def close(one: object, other: Number | None) -> bool:
    """Equal but for the last digits of a float."""
    if one is None or other is None:
        return one is None and other is None
    return abs(float(exact(one)) - float(other)) <= TINY * max(1.0, abs(float(other)))


def same_value(engine: object, oracle: Decimal | None) -> bool:
    """Equal to the last digit of the unit."""
    if engine is None or oracle is None:
        return engine is None and oracle is None
    return exact(engine) == Fraction(oracle)


def differences(engine: dict[Key, dict[str, Any]], oracle: dict[Key, Result]) -> Iterator[Difference]:
    """Rows that only one has, and rows that differ in value, parts, n or reason."""
    for row in sorted(engine.keys() | oracle.keys(), key=repr):
        if row not in engine or row not in oracle:
            yield Difference(row, "row", row in engine, row in oracle)
        else:
            yield from _in_a_row(row, engine[row], oracle[row])


def _in_a_row(row: Key, engine: dict[str, Any], oracle: Result) -> Iterator[Difference]:
    if engine["reason"] != oracle.reason:
        yield Difference(row, "reason", engine["reason"], oracle.reason)
    elif not same_value(engine["value"], oracle.value):
        yield Difference(row, "value", engine["value"], oracle.value)
    # What is not available has no parts worth comparing; neither has a median of nothing.
    if oracle.reason == "not_available" or (oracle.value is None and row[1] in MEDIANS):
        return
    for part in ("numerator", "denominator"):
        if not close(engine[part], getattr(oracle, part)):
            yield Difference(row, part, engine[part], getattr(oracle, part))
    if engine["n"] != oracle.n:
        yield Difference(row, "n", engine["n"], oracle.n)


def same(engine: object, oracle: object) -> bool:
    """Texts equal, numbers to the last digit, floats but for it."""
    if isinstance(oracle, float):
        return engine is not None and close(engine, oracle)
    if isinstance(oracle, Decimal) or oracle is None:
        return same_value(engine, oracle)
    return engine == oracle
