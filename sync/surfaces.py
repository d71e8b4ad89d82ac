"""From computed values to what each surface of the CRM should show.

* A KPI record for every tracked KPI, rep and period of the chosen grains, by channel or band too where the KPI has
  them. A team's records belong to its manager and say `team` where others say their dimension. `unassigned`, `all` and
  people whom the CRM does not know as users have none.
* The current month on the person, for active reps whose person record the CRM lets us write.
* The engagement score on every lead that is open; a lead that was disqualified shows none.
* What was shown and is no longer true of anything (the rep's only deal of that month became someone else's) is blanked.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

import msgspec
import polars as pl

from connectors.contract import FieldValue, Surface
from kpi_engine.catalog import BY_KEY
from kpi_engine.periods import period_end, period_start, to_date, to_day
from kpi_engine.records import Company, Day, Millis, Rep
from sync.plan import Confirmed, Desired, Place, rounded
from sync.sheet import COLUMNS, MORE, NUMBERS, WHOSE

TEAM = "team"
NAME_LENGTH = 80
"""What the CRM's name field holds."""

TOLD = (*NUMBERS, "reason", "state", "trend", "evidence")
"""The fields of a KPI record that speak of the value; the others say which value it is."""

NO_DATA = "no_data"

_PERSON = Surface.PERSON_FIELDS


def kpi_records(
    sheet: pl.DataFrame, company: Company, beside: Mapping[str, FieldValue] | None = None
) -> Iterator[Desired]:
    """A record for each row of a `kpi_sheet`; `beside` is told along with whatever changes."""
    for row in sheet.select(*COLUMNS, *WHOSE, *MORE, "key", "signature").iter_rows():
        yield _kpi_record(row, company, beside or {})


def as_of_text(moment: Millis) -> str:
    """A moment for people: 2026-11-25 10:30 UTC."""
    return f"{datetime.fromtimestamp(moment / 1000, UTC):%Y-%m-%d %H:%M} UTC"


class _Period(msgspec.Struct, frozen=True):
    starts: int
    ends: int
    first: str
    last: str
    name: str


@cache
def _period(grain: str, start: date, fiscal_year_start: int) -> _Period:
    starts = to_day(start)
    ends = period_end(starts, grain, fiscal_year_start)
    return _Period(starts, ends, start.isoformat(), to_date(ends).isoformat(), period_name(grain, start))


@cache
def _described(label: str, family: str, unit: str, direction: str) -> Mapping[str, str]:
    """What a record says of its KPI; many say the same."""
    return {"label": label, "family": family, "unit": unit, "direction": direction}


def _about(kpi: str) -> Mapping[str, str]:
    known = BY_KEY[kpi]
    return _described(known.label.en, known.family.name.en, known.unit.value, known.direction.value)


def _kpi_record(row: Sequence[Any], company: Company, beside: Mapping[str, FieldValue]) -> Desired:
    """The record of one value."""
    _, kpi, grain, start, dimension, *numbers, reason, state = row[: len(COLUMNS)]
    person, whose, is_team, trend, kind, ids, total, key, signature = row[len(COLUMNS) :]
    period, about = _period(grain, start, company.fiscal_year_start), _about(kpi)
    listed = None if kind is None else msgspec.json.encode({"kind": kind, "ids": ids, "total": total}).decode()
    fields: dict[str, FieldValue] = {
        "name": _name(about["label"], whose, period.name, dimension),
        "rep": person,
        "kpi": kpi,
        **about,
        "grain": grain,
        "period_start": period.first,
        "period_end": period.last,
        "dimension": (f"{TEAM}, {dimension}" if dimension else TEAM) if is_team else dimension or "",
        **{name: rounded(number) for name, number in zip(NUMBERS, numbers, strict=True)},
        "reason": reason,
        "state": state,
        "trend": trend,
        "evidence": listed,
    }
    return Desired(
        surface=Surface.KPI_RECORDS,
        key=key,
        rep=person,
        fields=fields,
        makes=True,
        starts=period.starts,
        ends=period.ends,
        beside=beside,
        signature=signature,
    )


def _name(label: str, who: str, period: str, dimension: str | None) -> str:
    """`Calls made · Ana Ruiz · 2026-11`, as long as the CRM's name field is."""
    whole = f"{label} · {who} · {period} · {dimension}" if dimension else f"{label} · {who} · {period}"
    return whole[:NAME_LENGTH].rstrip()


def period_name(grain: str, start: date) -> str:
    """A period for people: 2026-11-25, 2026-W48, 2026-11, and quarters and years by the month in which they begin."""
    match grain:
        case "week":
            year, week, _ = start.isocalendar()
            return f"{year}-W{week:02d}"
        case "month":
            return f"{start:%Y-%m}"
        case "quarter" | "year":
            return f"{grain} from {start:%Y-%m}"
        case _:
            return start.isoformat()


def no_longer_true(
    shown: Iterable[tuple[str, Confirmed]],
    scope: Set[tuple[FieldValue, FieldValue]],
    since: Day | None,
    beside: Mapping[str, FieldValue],
) -> Iterator[Desired]:
    """Of the records that are `shown` though they have no row any more: nothing is known of them.

    Records of KPIs and grains outside of `scope`, and of what lies before `since`, stay as they are.
    """
    for key, known in shown:
        fields = known.fields
        if (fields.get("kpi"), fields.get("grain")) in scope and fields.get("reason") != NO_DATA:
            blank = {name: NO_DATA if name == "reason" else None for name in TOLD}
            starts, ends = (to_day(date.fromisoformat(str(fields[name]))) for name in ("period_start", "period_end"))
            if since is not None and starts < since:
                continue
            rep = str(fields.get("rep") or "") or None
            surface = Surface.KPI_RECORDS
            yield Desired(surface=surface, key=key, rep=rep, fields=blank, starts=starts, ends=ends, beside=beside)


def person_fields(
    values: pl.DataFrame,
    today: Mapping[str, date],
    reps: Iterable[Rep],
    kpis: Sequence[str],
    company: Company,
    confirmed: Mapping[Place, Confirmed] | None = None,
    signatures: Mapping[str, int] | None = None,
) -> list[Desired]:
    """KPI key → value of the month that it is for each active rep. `values` are monthly, without dimensions.

    What a person shows by our hand and no longer should is blanked: KPIs that were switched off, and every number of
    someone who has left.
    """
    showing = confirmed or {}
    shown = {(rep, kpi, start): value for rep, kpi, start, value in _keyed(values)}
    found = []
    for rep in reps:
        if not (rep.known and not rep.deleted and rep.person_record):
            continue
        key, known = rep.person_record, showing.get((_PERSON, rep.person_record))
        shows = {} if known is None else known.fields
        if not rep.active or rep.id not in today:
            if shows:
                found.append(Desired(surface=_PERSON, key=key, rep=rep.id, fields=dict.fromkeys(shows)))
            continue
        start = period_start(to_day(today[rep.id]), "month", company.fiscal_year_start)
        fields: dict[str, FieldValue] = dict.fromkeys(kpi for kpi in shows if kpi not in kpis)
        fields |= {kpi: rounded(shown.get((rep.id, kpi, to_date(start)))) for kpi in kpis}
        end = period_end(start, "month", company.fiscal_year_start)
        signature = (signatures or {}).get(rep.id)
        found.append(
            Desired(surface=_PERSON, key=key, rep=rep.id, fields=fields, starts=start, ends=end, signature=signature)
        )
    return found


def _keyed(values: pl.DataFrame) -> Iterable[tuple[str, str, date, float | None]]:
    return values.select("rep", "kpi", "period_start", "value").iter_rows()


def lead_scores(sheet: pl.DataFrame, leads: pl.LazyFrame, closed: Sequence[str]) -> list[Desired]:
    """The score of every open lead of a `lead_sheet`, and a blank for those that show one and are open no more.

    A converted lead keeps the score with which it was converted: Salesforce lets nobody write it again.
    """
    there = pl.col("id").is_in(closed) & ~pl.col("deleted") & ~pl.col("converted") & pl.col("merged_into").is_null()
    blank = leads.filter(there).select("id").collect()["id"] if closed else ()
    rows = sheet.select("key", "score", "level", "signature").iter_rows()
    return [_scored(*row) for row in rows] + [_scored(lead, None, None, None) for lead in blank]


def _scored(lead: str, score: float | None, level: str | None, signature: int | None) -> Desired:
    fields: Mapping[str, FieldValue] = {"score": rounded(score), "level": level}
    return Desired(surface=Surface.LEAD_SCORES, key=lead, rep=None, fields=fields, signature=signature)
