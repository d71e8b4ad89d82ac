"""The words in which a KPI is declared: units, directions, families, and the parts of numerator and denominator."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

import narwhals.stable.v2 as nw

from kpi_engine.periods import GRAINS

Expression = nw.Expr
col = nw.col


class Unit(StrEnum):
    """What a value is measured in."""

    COUNT = "count"
    RATIO = "ratio"
    MONEY = "money"
    MINUTES = "minutes"
    DAYS = "days"
    SCORE = "score"


class Direction(StrEnum):
    """Which way is better."""

    MORE = "more"
    LESS = "less"
    NEITHER = "neither"


class Dimension(StrEnum):
    """What a KPI can also be split by."""

    CHANNEL = "channel"
    BAND = "band"


@dataclass(frozen=True)
class Text:
    """A text in the languages of the product."""

    en: str
    es: str

    def said(self, language: str) -> str:
        return self.es if language == "es" else self.en


@dataclass(frozen=True)
class Family:
    """A question that a group of KPIs answers."""

    number: int
    name: Text


Stuff = Literal["count", "money", "millis", "days", "score"]
"""What a part adds up: records, money and engagement scores (decimals), milliseconds, whole days."""


@dataclass(frozen=True)
class Part:
    """A numerator or denominator: the records of a population for which `where` holds, counted or `amount` summed.

    `how` says how a part comes about: `sum` adds up over days; `median` is taken of the records of the whole period;
    `everyone` is the sum over all reps, the same for each of them; `quota` belongs to the period, not to records.
    `otherwise` says why a record for which `where` does not hold is left out.
    """

    name: str
    of: str
    where: Expression | None = None
    amount: Expression | None = None
    stuff: Stuff = "count"
    how: Literal["sum", "median", "everyone", "quota"] = "sum"
    otherwise: str = ""

    @property
    def scale(self) -> int:
        """How many of `stuff` make one of the KPI's unit."""
        return 60_000 if self.stuff == "millis" else 1

    def contribution(self) -> Any:
        """What one record adds."""
        worth = nw.lit(1) if self.amount is None else self.amount
        return worth if self.where is None else nw.when(self.where).then(worth)


def count(name: str, of: str, where: Expression | None = None, otherwise: str = "") -> Part:
    """How many records."""
    return Part(name, of, where, otherwise=otherwise)


def total(
    name: str, of: str, amount: Expression, stuff: Stuff, where: Expression | None = None, otherwise: str = ""
) -> Part:
    """The sum of an amount."""
    return Part(name, of, where, amount, stuff, otherwise=otherwise)


def median(
    name: str, of: str, amount: Expression, stuff: Stuff, where: Expression | None = None, otherwise: str = ""
) -> Part:
    """The median of an amount over the records of the whole period."""
    return Part(name, of, where, amount, stuff, how="median", otherwise=otherwise)


ALWAYS: tuple[str, ...] = GRAINS


@dataclass(frozen=True, kw_only=True)
class Kpi:
    """One number: what it says, and how it comes about.

    denominator     None is 1: a count, a sum or a median
    needs           sources without which the value is not available (see `kpi_engine.sources`)
    clouded_by      source → the mark that values carry where that source is missing
    share_of_cases  a share of cases: carries an interval and the mark for small samples
    snapshot        the state at the period's end; does not add up over days
    """

    key: str
    family: Family
    label: Text
    unit: Unit
    sentence: Text
    numerator: Part
    denominator: Part | None = None
    direction: Direction = Direction.MORE
    grains: tuple[str, ...] = ALWAYS
    dimensions: tuple[Dimension, ...] = ()
    headline: bool = False
    needs: tuple[str, ...] = ()
    clouded_by: tuple[tuple[str, str], ...] = ()
    share_of_cases: bool = False
    snapshot: bool = False

    @property
    def adds_up(self) -> bool:
        """Whether a longer period is the sum of its days."""
        return self.denominator is None and not self.snapshot and self.numerator.how in ("sum", "quota")

    @property
    def parts(self) -> tuple[Part, ...]:
        return (self.numerator,) if self.denominator is None else (self.numerator, self.denominator)


PLACES: dict[Unit, int] = {
    Unit.COUNT: 0,
    Unit.RATIO: 4,
    Unit.MONEY: 2,
    Unit.MINUTES: 2,
    Unit.DAYS: 2,
    Unit.SCORE: 2,
}


def places(kpi: Kpi) -> int:
    """Decimal places of the KPI's value; averages of counts have two."""
    if kpi.unit is Unit.COUNT and kpi.denominator is not None:
        return 2
    return PLACES[kpi.unit]
