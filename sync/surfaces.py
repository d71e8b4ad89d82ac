"""From computed values to what each surface of the CRM should show.

* A KPI record for every tracked KPI, rep and period of the chosen grains, by channel or band too where the KPI has
  them. A team's records belong to its manager and say `team` where others say their dimension. `unassigned`, `all` and
  people whom the CRM does not know as users have none.
* The current month on the person, for active reps whose person record the CRM lets us write.
* The engagement score on every lead that is open.
* What was shown and is no longer true of anything (the rep's only deal of that month became someone else's) is blanked.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from connectors.contract import KPI_RECORD_FIELDS, FieldValue, Surface
from kpi_engine.catalog import BY_KEY
from kpi_engine.periods import period_end, period_start, to_date, to_day
from kpi_engine.records import Company, Rep
from sync.plan import Confirmed, Desired, Place, rounded

TEAM = "team"
NAME_LENGTH = 80
"""What the CRM's name field holds."""

NUMBERS = ("value", "numerator", "denominator", "n", "target", "attainment", "previous", "change")
TOLD = (*NUMBERS, "reason", "state")
"""The fields of a KPI record that speak of the value; the others say which value it is."""

IDENTITY = tuple(name for name in KPI_RECORD_FIELDS if name not in TOLD)

NO_DATA = "no_data"

Row = Mapping[str, Any]


def kpi_records(
    values: pl.DataFrame, company: Company, reps: Mapping[str, Rep], confirmed: Mapping[Place, Confirmed]
) -> list[Desired]:
    """A record for each row of `values` that belongs to a person of the CRM, and a blank one for what is no more."""
    records = [
        record for row in values.iter_rows(named=True) if (record := _kpi_record(row, company, reps)) is not None
    ]
    wanted = {record.key for record in records}
    scope = {(record.fields["kpi"], record.fields["grain"]) for record in records}
    return records + list(_no_longer_true(confirmed, wanted, scope))


def _kpi_record(row: Row, company: Company, reps: Mapping[str, Rep]) -> Desired | None:
    """The record of one value, None if it is nobody's."""
    person = str(row["rep"]).removeprefix("team:")
    rep = reps.get(person)
    if rep is None or not rep.known or rep.deleted:
        return None
    is_team = row["rep"] != person
    kpi, grain, start = BY_KEY[row["kpi"]], str(row["grain"]), to_day(row["period_start"])
    dimension = row["dimension"] or ""
    key = [
        company.connection,
        kpi.key,
        str(row["rep"]),
        grain,
        to_date(start).isoformat(),
        *([dimension] if dimension else []),
    ]
    end = period_end(start, grain, company.fiscal_year_start)
    label = kpi.label.said("en")
    said: dict[str, FieldValue] = {
        "name": _name(label, f"Team {rep.name}" if is_team else rep.name, grain, start, dimension),
        "rep": person,
        "kpi": kpi.key,
        "label": label,
        "family": kpi.family.name.said("en"),
        "unit": kpi.unit.value,
        "direction": kpi.direction.value,
        "grain": grain,
        "period_start": to_date(start).isoformat(),
        "period_end": to_date(end).isoformat(),
        "dimension": ", ".join(part for part in (TEAM if is_team else "", dimension) if part),
        "reason": row["reason"],
        "state": row["state"],
    }
    said.update({name: number(row[name]) for name in NUMBERS})
    fields = {name: said[name] for name in KPI_RECORD_FIELDS}
    return Desired(
        surface=Surface.KPI_RECORDS, key=":".join(key), rep=person, fields=fields, makes=True, starts=start, ends=end
    )


def _name(label: str, who: str, grain: str, start: int, dimension: str) -> str:
    """`Calls made · Ana Ruiz · 2026-11`, as long as the CRM's name field is."""
    parts = [label, who, period_name(grain, start), *([dimension] if dimension else [])]
    return " · ".join(parts)[:NAME_LENGTH].rstrip()


def period_name(grain: str, start: int) -> str:
    """A period for people: 2026-11-25, 2026-W48, 2026-11, 2026-Q4 (of calendar months), 2026."""
    when = to_date(start)
    match grain:
        case "week":
            year, week, _ = when.isocalendar()
            return f"{year}-W{week:02d}"
        case "month":
            return f"{when:%Y-%m}"
        case "quarter" | "year":
            return f"{grain} from {when:%Y-%m}"
        case _:
            return when.isoformat()


def _no_longer_true(
    confirmed: Mapping[Place, Confirmed], wanted: set[str], scope: set[tuple[FieldValue, FieldValue]]
) -> Iterator[Desired]:
    """Records that we wrote, of KPIs and grains that we still write, whose row is no more: nothing is known of them."""
    for (surface, key), known in confirmed.items():
        if surface is not Surface.KPI_RECORDS or key in wanted:
            continue
        fields = known.fields
        if (fields.get("kpi"), fields.get("grain")) in scope and fields.get("reason") != NO_DATA:
            blank = {name: NO_DATA if name == "reason" else None for name in TOLD}
            starts, ends = (to_day(date.fromisoformat(str(fields[name]))) for name in ("period_start", "period_end"))
            rep = str(fields.get("rep") or "")
            yield Desired(surface=surface, key=key, rep=rep or None, fields=blank, starts=starts, ends=ends)


def person_fields(
    values: pl.DataFrame, today: Mapping[str, date], reps: Iterable[Rep], kpis: Sequence[str], company: Company
) -> list[Desired]:
    """KPI key → value of the month that it is for each active rep. `values` are monthly, without dimensions."""
    shown = {(rep, kpi, start): value for rep, kpi, start, value in _keyed(values)}
    found = []
    for rep in reps:
        if not (rep.active and rep.known and not rep.deleted and rep.person_record and rep.id in today):
            continue
        start = period_start(to_day(today[rep.id]), "month", company.fiscal_year_start)
        fields = {kpi: number(shown.get((rep.id, kpi, to_date(start)))) for kpi in kpis}
        end = period_end(start, "month", company.fiscal_year_start)
        key = rep.person_record
        found.append(Desired(surface=Surface.PERSON_FIELDS, key=key, rep=rep.id, fields=fields, starts=start, ends=end))
    return found


def _keyed(values: pl.DataFrame) -> Iterable[tuple[str, str, date, float | None]]:
    return values.select("rep", "kpi", "period_start", "value").iter_rows()


def lead_scores(scores: pl.DataFrame) -> list[Desired]:
    """The score of every open lead."""
    return [
        Desired(surface=Surface.LEAD_SCORES, key=lead, rep=None, fields={"score": number(score), "level": level})
        for lead, score, level in scores.select("lead", "score", "level").iter_rows()
    ]


def number(value: float | None) -> FieldValue:
    """A computed number as a field takes it, rounded as the CRM rounds; nothing stays nothing."""
    return None if value is None else rounded(value)
