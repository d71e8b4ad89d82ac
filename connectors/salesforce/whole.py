"""Small tables whose deletions leave no trace: read in full, unless their count and latest stamp are as they were."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeVar, cast

import msgspec

from connectors.contract import Page, Unread
from connectors.salesforce import rows as sf
from connectors.salesforce import wire
from connectors.salesforce.org import Org
from connectors.salesforce.rows import Row
from connectors.salesforce.sources import Source, asked_fields
from kpi_engine.records import Record

R = TypeVar("R", bound=Row)

TABLES: Mapping[str, Mapping[str, type[Row]]] = {
    "quotas": {"ForecastingQuota": sf.QuotaRow},
    "rates": {"CurrencyType": sf.CurrencyRow, "DatedConversionRate": sf.DatedRateRow},
}
"""The tables that a stream consists of."""


class Mark(msgspec.Struct, frozen=True):
    """How a table was: a new row or a changed one moves the latest stamp, one that went away lowers the count."""

    count: int
    latest: datetime | None


class Marks(msgspec.Struct, frozen=True):
    """The cursor of such a stream: its tables as they were read, what of them, and the setting that chose rows."""

    tables: dict[str, Mark]
    asked: dict[str, tuple[str, ...]] = {}
    chosen: str | None = None


class _Told(msgspec.Struct):
    n: int
    latest: datetime | None = None


class _Aggregate(msgspec.Struct):
    records: list[_Told]


def page(org: Org, source: Source, cursor: str | None) -> Page:
    """The stream as it is now; a page of nothing where it is as it was when it gave this cursor."""
    before = _read(cursor)
    if before is not None and cursor is not None and _unchanged(org, source.stream, before):
        return Page(stream=source.stream, rows=(), cursor=cursor)
    found = {name: _all(org, name, shape) for name, shape in TABLES[source.stream].items()}
    if source.stream == "quotas":
        rows, unread = _quotas(org, source, cast(list[sf.QuotaRow], found["ForecastingQuota"]))
    else:
        rates = cast(list[sf.DatedRateRow], found["DatedConversionRate"])
        rows, unread = wire.rates(cast(list[sf.CurrencyRow], found["CurrencyType"]), rates), ()
    marks = Marks(
        {name: _mark(of) for name, of in found.items()},
        _asked(org, source.stream),
        org.settings.mappings.forecasting_type,
    )
    return Page(
        stream=source.stream,
        rows=rows,
        cursor=msgspec.json.encode(marks).decode(),
        whole=source.whole,
        total=len(rows),
        unread=unread,
    )


def _read(cursor: str | None) -> Marks | None:
    try:
        return msgspec.json.decode(cursor, type=Marks) if cursor else None
    except msgspec.MsgspecError:
        return None  # an earlier version of ours read such a table in full each time


def _mark(rows: Sequence[Row]) -> Mark:
    stamps = [row.SystemModstamp for row in rows if row.SystemModstamp is not None]
    return Mark(len(rows), max(stamps, default=None))


def _unchanged(org: Org, stream: str, before: Marks) -> bool:
    """Whether every table is as it was; what cannot be told counts as changed."""
    if before.tables.keys() != TABLES[stream].keys() or before.chosen != org.settings.mappings.forecasting_type:
        return False
    if before.asked != _asked(org, stream):
        return False
    return all(_told(org, name) == mark for name, mark in before.tables.items())


def _asked(org: Org, stream: str) -> dict[str, tuple[str, ...]]:
    return {name: asked_fields(shape, org.fields(name)) for name, shape in TABLES[stream].items()}


def _told(org: Org, sobject: str) -> Mark | None:
    """What Salesforce says of a table without showing it; None where it has no stamps, or does not say."""
    visible = org.fields(sobject)
    if not visible:
        return Mark(0, None)
    if "SystemModstamp" not in visible:
        return None
    soql = f"SELECT COUNT(Id) n, MAX(SystemModstamp) latest FROM {sobject}"  # noqa: S608
    response = org.transport.send("GET", f"{org.root}/query", params={"q": soql})
    try:
        [told] = msgspec.json.decode(response.content, type=_Aggregate).records
    except (msgspec.MsgspecError, ValueError):
        return None
    return Mark(told.n, told.latest)


def _all(org: Org, sobject: str, shape: type[R]) -> list[R]:
    """A small table in full; empty where it cannot be seen."""
    asked = asked_fields(shape, org.fields(sobject))
    return list(org.rows(f"SELECT {', '.join(asked)} FROM {sobject}", shape)) if asked else []  # noqa: S608


def _quotas(org: Org, source: Source, found: list[sf.QuotaRow]) -> tuple[list[Record], tuple[Unread, ...]]:
    # Rows of one product family are parts of a plan, not a rep's quota.
    found = [row for row in found if row.IsAmount is not False and not row.ProductFamily]
    if not found:
        return [], ()
    wanted = _forecast_of_quotas(org, found)
    if not wanted:
        # Several forecasts plan the same reps in their own ways; adding or choosing would be a guess.
        reason = "several forecasts hold quotas: name the one that counts in mappings.forecasting_type"
        return [], (Unread(source.stream, "", reason),)
    periods = {row.Id: row for row in _all(org, "Period", sf.PeriodRow)}
    return wire.quotas((row for row in found if row.ForecastingTypeId in wanted), periods), ()


def _forecast_of_quotas(org: Org, found: Sequence[sf.QuotaRow]) -> frozenset[str | None]:
    """The forecasts whose quotas count: the admin's choice, else the only one that has any."""
    chosen = org.settings.mappings.forecasting_type
    used = {row.ForecastingTypeId for row in found}
    if chosen is None:
        return frozenset(used if len(used) == 1 else ())
    types = _all(org, "ForecastingType", sf.ForecastingTypeRow)
    return frozenset(kind.Id for kind in types if kind.DeveloperName == chosen)
