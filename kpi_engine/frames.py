"""Records as frames: for every kind one table whose columns are the record's fields, in fixed types.

Ids and text are Utf8, moments and money Int64 (UTC milliseconds, millionths), plain dates Int32 (days since 1970).
`interaction` has one column more, `day`: the local day of its rep's zone, else the company's; where there is no moment,
its plain date. A cache works it out once, when a record lands; `interaction_day` is the rule.
"""

from collections.abc import Iterable, Mapping
from typing import Any, get_args, get_type_hints

import msgspec
import polars as pl

from kpi_engine.periods import local_day, zone_of
from kpi_engine.records import KINDS, Company, Day, Interaction, Micros, Millis, Record, Rep

Tables = Mapping[str, pl.LazyFrame]

_DTYPES: dict[Any, pl.DataType] = {
    str: pl.Utf8(),
    int: pl.Int64(),
    float: pl.Float64(),
    bool: pl.Boolean(),
    Millis: pl.Int64(),
    Micros: pl.Int64(),
    Day: pl.Int32(),
}


def _schema(kind: str) -> pl.Schema:
    hints = get_type_hints(KINDS[kind])
    columns = {name: _dtype(hints[name]) for name in KINDS[kind].__struct_fields__}
    return pl.Schema({**columns, "day": pl.Int32()} if kind == "interaction" else columns)


def _dtype(hint: Any) -> pl.DataType:
    if hint in _DTYPES:
        return _DTYPES[hint]
    (plain,) = (choice for choice in get_args(hint) if choice is not type(None))
    return _DTYPES[plain]


SCHEMAS: dict[str, pl.Schema] = {kind: _schema(kind) for kind in KINDS}
"""The columns of every table; what a cache hands over has exactly these."""


def zones(reps: Iterable[Rep], company: Company) -> dict[str, str]:
    """Rep id → time zone. Nobody's records, and those of unknown reps, follow the company's zone."""
    return {rep.id: zone_of(rep.time_zone, company.time_zone) for rep in reps if rep.known and not rep.deleted}


def interaction_day(interaction: Interaction, zone_of_rep: Mapping[str, str], company: Company) -> Day | None:
    """The day that an interaction belongs to."""
    if interaction.at is None:
        return interaction.on
    return local_day(interaction.at, zone_of_rep.get(interaction.rep or "") or zone_of(company.time_zone))


def from_records(records: Iterable[Record], company: Company) -> Tables:
    """A table for every kind, empty ones too."""
    found: dict[str, list[Record]] = {kind: [] for kind in KINDS}
    kind_of = {struct: kind for kind, struct in KINDS.items()}
    for record in records:
        found[kind_of[type(record)]].append(record)
    zone_of_rep = zones((rep for rep in found["rep"] if isinstance(rep, Rep)), company)
    tables = {kind: _table(kind, rows) for kind, rows in found.items() if kind != "interaction"}
    days = [interaction_day(row, zone_of_rep, company) for row in found["interaction"] if isinstance(row, Interaction)]
    return {**tables, "interaction": _table("interaction", found["interaction"], days)}


def _table(kind: str, records: list[Record], days: list[Day | None] | None = None) -> pl.LazyFrame:
    rows = [msgspec.structs.astuple(record) for record in records]
    if days is not None:
        rows = [(*row, day) for row, day in zip(rows, days, strict=True)]
    return pl.DataFrame(rows, schema=SCHEMAS[kind], orient="row").lazy()
