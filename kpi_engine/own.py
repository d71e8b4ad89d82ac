"""A company's own KPIs: composed of parts that there are, and every one tried out before it is let in.

A KPI is tried out on the empty frames of its populations: what cannot be evaluated there can be evaluated nowhere.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache, reduce
from typing import Any

import narwhals.stable.v2 as nw
import polars as pl

from kpi_engine.catalog import CATALOG
from kpi_engine.conditions import NotUnderstood, condition, mentioned
from kpi_engine.declaring import Dimension, Direction, Family, Kpi, Part, Stuff, Text, Unit
from kpi_engine.frames import SCHEMAS
from kpi_engine.populations import NAMES, Frame, Populations, collected
from kpi_engine.records import Company, Millis
from kpi_engine.rolling import records_column
from kpi_engine.sources import SOURCES
from kpi_engine.wording import unmet_rule

OWN = Family(9, Text("Our own", "Propios"))
"""The family of KPIs that name none."""

PARTS: dict[str, Part] = {part.name: part for kpi in CATALOG for part in kpi.parts}
"""The parts of our KPIs by name."""

NEEDED_FOR: dict[str, str] = {
    "answered": "answers",
    "bounced": "bounces",
    "clicked": "clicks",
    "clicked_at": "clicks",
    "followed": "tasks",
    "has_reply": "replies",
    "opened": "opens",
    "opened_at": "opens",
    "replied": "replies",
}
"""Column → the source without which nobody knows what it says."""

KEY = re.compile(r"(?=.{1,36}$)[a-z][a-z0-9]*(_[a-z0-9]+)*")
TAKEN = frozenset(
    ("rep", "day", "records", "channel", "period_start", "whole_amount", "band", "if_band", "year", "dimension")
)
"""What a part cannot be called: its name becomes a column beside these."""

WITH_BAND = ("closed_deals", "deal_touches", "revenue")


@dataclass(frozen=True)
class Unfit(Exception):
    """A KPI that cannot be: the part of its declaration that is wrong, and why."""

    place: str
    why: Text

    def __str__(self) -> str:
        return f"{self.place}: {self.why.en}"


@dataclass(frozen=True, kw_only=True)
class Composed:
    """A numerator or denominator as an admin composes it: a part that there is, or the records of a population."""

    part: str | None = None
    of: str | None = None
    sum: str | None = None
    where: str | None = None


@cache
def columns_of(population: str) -> Mapping[str, Any]:
    """The columns that a KPI can speak of, by name."""
    return {name: kind for name, kind in _empty(population).collect_schema().items() if not name.startswith("_")}


@cache
def _empty(population: str) -> Frame:
    nothing = {kind: pl.LazyFrame(schema=schema) for kind, schema in SCHEMAS.items()}
    frame = Populations(nothing, Company(connection="none"), Millis(0))[population]
    if population in WITH_BAND:
        frame = frame.with_columns(band=nw.lit(None, dtype=nw.String))
    return frame


def composed(
    key: str,
    label: Text,
    sentence: Text,
    unit: Unit,
    numerator: Composed,
    denominator: Composed | None,
    condition_of_both: str | None,
    direction: Direction,
    *,
    share_of_cases: bool,
) -> Kpi:
    """The KPI that is made of these. Raises `Unfit`."""
    name = key if denominator is None else f"{key}_cases"
    above = _part(name, "numerator", numerator, condition_of_both)
    below = None if denominator is None else _part(f"{key}_base", "denominator", denominator, condition_of_both)
    parts = [part for part in (above, below) if part is not None]
    said = [text for text in (condition_of_both, numerator.where, denominator and denominator.where) if text]
    return Kpi(
        key=key,
        family=OWN,
        label=label,
        unit=unit,
        sentence=sentence,
        numerator=above,
        denominator=below,
        direction=direction,
        dimensions=(Dimension.CHANNEL,) if all(part.of == "leads_created" for part in parts) else (),
        needs=_needs(parts, [numerator, denominator], said),
        clouded_by=_together(parts, "clouded_by"),
        share_of_cases=share_of_cases,
        snapshot=any(part.of == "open_leads" for part in parts),
    )


def _part(name: str, place: str, said: Composed, shared: str | None) -> Part:
    part = _base(place, said)
    texts = [(f"{place}.where", said.where), ("filter", shared)]
    if part.how not in ("sum", "median") and (shared or said.where):
        why = Text(f"{part.name} is not made of single records", f"{part.name} no se compone de registros sueltos")
        raise Unfit("filter" if shared else f"{place}.where", why)
    wheres = [_condition(where, text, part) for where, text in texts if text is not None]
    if said.part is not None and not wheres:
        return part
    every = [*wheres, *([] if part.where is None else [part.where])]
    both = reduce(lambda one, other: one & other, every) if every else None
    told = " and ".join(f"({text})" for _, text in texts if text is not None)
    otherwise = unmet_rule(told) if told else part.otherwise
    return replace(part, name=name, where=both, otherwise=otherwise)


def _base(place: str, said: Composed) -> Part:
    """The part that is named, or the one that the records of a population make."""
    match said:
        case Composed(part=str(name), of=None, sum=None):
            return PARTS[_known(f"{place}.part", name, PARTS, Text("part", "componente"))]
        case Composed(part=None, of=str(population), sum=None):
            return Part("", _known(f"{place}.of", population, NAMES, Text("population", "población")))
        case Composed(part=None, of=str(population), sum=str(column)):
            _known(f"{place}.of", population, NAMES, Text("population", "población"))
            _known(f"{place}.sum", column, columns_of(population), Text("column", "columna"))
            return Part("", population, amount=nw.col(column), stuff=_stuff(place, population, column))
    why = Text("name either a `part`, or `of` and perhaps `sum`", "nombra un `part`, o bien `of` y quizá `sum`")
    raise Unfit(place, why)


def _known(place: str, name: str, known: Iterable[str], what: Text) -> str:
    if name in known:
        return name
    listed = ", ".join(sorted(known))
    why = Text(f"there is no {what.en} {name}; there are {listed}", f"no existe {what.es} {name}; existen {listed}")
    raise Unfit(place, why)


def _stuff(place: str, population: str, column: str) -> Stuff:
    kind = columns_of(population)[column]
    if column == "duration_ms":
        return "millis"
    if column == "cycle_days":
        return "days"
    if column == "score":
        return "score"
    if isinstance(kind, nw.Decimal):
        return "money"
    raise Unfit(f"{place}.sum", Text(f"{column} cannot be added up", f"{column} no se puede sumar"))


def _condition(place: str, text: str, part: Part) -> Any:
    try:
        return condition(text, columns_of(part.of))
    except NotUnderstood as error:
        english = f"at character {error.position} of {text!r}, {error.why.en}"
        spanish = f"en el carácter {error.position} de {text!r}, {error.why.es}"
        raise Unfit(place, Text(english, spanish)) from None


def _needs(parts: Iterable[Part], said: Iterable[Composed | None], conditions: Iterable[str]) -> tuple[str, ...]:
    """The sources without which the value is not available: those of our KPIs of the same parts or populations, and
    those of the columns that are spoken of."""
    named = [PARTS[one.part] for one in said if one is not None and one.part is not None]
    columns = [NEEDED_FOR[name] for text in conditions for name in mentioned(text) if name in NEEDED_FOR]
    found = [*_together([*parts, *named], "needs"), *sorted(columns)]
    return tuple(dict.fromkeys(found))


def _together(parts: Iterable[Part], what: str) -> tuple[Any, ...]:
    """What all our KPIs with the same part, else all those of the same population, have in common."""
    found: dict[Any, None] = {}
    for part in parts:
        same = [kpi for kpi in CATALOG if part.name in [one.name for one in kpi.parts]]
        akin = same or [kpi for kpi in CATALOG if part.of in [one.of for one in kpi.parts]]
        common = [each for each in getattr(akin[0], what) if all(each in getattr(kpi, what) for kpi in akin)]
        found |= dict.fromkeys(common)
    return tuple(found)


def try_out(own: Iterable[Kpi]) -> None:
    """Raises `Unfit`, its place beginning with the KPI's key, for the first KPI that cannot stand beside the others."""
    keys = {kpi.key for kpi in CATALOG}
    parts = dict(PARTS)
    for kpi in own:
        if not KEY.fullmatch(kpi.key):
            why = Text(
                "a key is of small letters, digits and `_`, and no longer than 36",
                "una clave consta de minúsculas, cifras y `_`, y no pasa de 36",
            )
            raise Unfit(kpi.key, why)
        if kpi.key in keys:
            raise Unfit(kpi.key, Text("there is another KPI with this key", "ya hay otro KPI con esta clave"))
        keys.add(kpi.key)
        for place, part in zip(("numerator", "denominator"), kpi.parts, strict=False):
            _try_out_part(f"{kpi.key}.{place}", part, parts)
        for source in kpi.needs:
            _known(f"{kpi.key}.needs", source, SOURCES, Text("source", "fuente"))


def _try_out_part(place: str, part: Part, parts: dict[str, Part]) -> None:
    if repr(parts.setdefault(part.name, part)) != repr(part):
        raise Unfit(place, Text(f"another part is called {part.name}", f"otro componente se llama {part.name}"))
    if part.name in PARTS:
        return
    if part.how not in ("sum", "median"):
        why = Text(f"only our own parts can be `{part.how}`", f"solo los componentes propios de kpisync son {part.how}")
        raise Unfit(place, why)
    _known(place, part.of, NAMES, Text("population", "población"))
    if {part.name, records_column(part)} & TAKEN or not KEY.fullmatch(part.name):
        raise Unfit(place, Text(f"a part cannot be called {part.name}", f"un componente no puede llamarse {part.name}"))
    try:
        evaluated = collected(_empty(part.of).select(where=_where(part), adds=part.contribution()))
    except Exception as error:  # whatever somebody else's expression may raise
        first = next(iter(str(error).strip().splitlines()), type(error).__name__)
        english = f"cannot be evaluated over the columns of {part.of}: {first}"
        raise Unfit(place, Text(english, f"no se puede evaluar sobre las columnas de {part.of}: {first}")) from None
    if evaluated.schema["where"] != pl.Boolean:
        raise Unfit(place, Text("the `where` is not true or false", "su `where` no es verdadero o falso"))
    if not evaluated.schema["adds"].is_numeric():
        raise Unfit(place, Text("the `amount` is not a number", "su `amount` no es un número"))


def _where(part: Part) -> Any:
    return nw.lit(True) if part.where is None else part.where
