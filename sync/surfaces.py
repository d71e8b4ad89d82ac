"""From computed values to what each surface of the CRM should show.

* A KPI record for every tracked KPI, rep and period of the chosen grains, by channel or band too where the KPI has
  them. A team's records belong to its manager and say `team` where others say their dimension. `unassigned`, `all` and
  people whom the CRM does not know as users have none.
* The current month on the person, for active reps whose person record the CRM lets us write.
* The engagement score on every lead that is open; a lead that was disqualified shows none.
* What was shown and is no longer true of anything (the rep's only deal of that month became someone else's) is blanked.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

import msgspec
import polars as pl

from connectors.contract import FieldValue, Surface
from kpi_engine.catalog import BY_KEY
from kpi_engine.compute import EVIDENCE
from kpi_engine.periods import GRAINS, period_end, period_start, to_date, to_day
from kpi_engine.records import Company, Day, Millis, Rep
from sync.plan import Confirmed, Desired, Place, rounded

TEAM = "team"
NAME_LENGTH = 80
"""What the CRM's name field holds."""

NUMBERS = ("value", "numerator", "denominator", "n", "target", "attainment", "previous", "change")
TOLD = (*NUMBERS, "reason", "state", "trend", "evidence")
"""The fields of a KPI record that speak of the value; the others say which value it is."""

TREND_PERIODS = 12
TREND_LENGTH = 255
"""What the CRM's text field holds."""

NO_DATA = "no_data"

_PERSON = Surface.PERSON_FIELDS

COLUMNS = ("rep", "kpi", "grain", "period_start", "dimension", *NUMBERS, "reason", "state")


ValueKey = tuple[Any, ...]
"""rep, KPI, grain, first day, dimension: what says which value it is."""


def kpi_records(
    values: pl.DataFrame,
    company: Company,
    reps: Mapping[str, Rep],
    confirmed: Mapping[Place, Confirmed],
    since: Day | None = None,
    evidence: Mapping[ValueKey, str] | None = None,
    beside: Mapping[str, FieldValue] | None = None,
) -> list[Desired]:
    """A record for each row of `values` that belongs to a person of the CRM, and a blank one for what is no more.

    A channel or band without a value gets no record of its own; one that lost its value is blanked. `evidence` is
    the list of records to each value, `beside` is told along with whatever changes.
    """
    people = {key: _whose(key, reps) for key in values["rep"].unique()}
    listed, along = evidence or {}, beside or {}
    records = []
    for row, trend in zip(values.select(COLUMNS).iter_rows(), trends(values), strict=True):
        whose, is_whole, has_value = people[row[0]], row[4] is None, row[5] is not None
        if whose is not None:
            record = _kpi_record(row, whose, company, {"trend": trend, "evidence": listed.get(row[:5])}, along)
            if is_whole or has_value or record.place in confirmed:
                records.append(record)
    wanted = {record.key for record in records}
    scope = {(kpi, grain) for kpi, grain in values.select("kpi", "grain").unique().iter_rows()}
    return records + list(_no_longer_true(confirmed, wanted, scope, since, along))


def trends(values: pl.DataFrame) -> list[str]:
    """To each row its value and those of the periods before it, the oldest first; a blank where there is none."""
    numbered = values.select("rep", "kpi", "grain", "dimension", "period_start", "value").with_row_index("row")
    lines: dict[int, str] = {}
    line: list[str] = []
    whose = None
    for row, *key, _, value in numbered.sort("rep", "kpi", "grain", "dimension", "period_start").iter_rows():
        if key != whose:
            whose, line = key, []
        line = [*line[1 - TREND_PERIODS :], "" if value is None else f"{rounded(value)}"]
        lines[row] = _as_long_as_fits(line)
    return [lines[row] for row in range(values.height)]


def _as_long_as_fits(line: list[str]) -> str:
    text = ",".join(line)
    return text if len(text) <= TREND_LENGTH else _as_long_as_fits(line[1:])


def evidence_texts(parts: Mapping[str, pl.DataFrame]) -> dict[ValueKey, str]:
    """The records behind each value as the text that the CRM keeps."""
    texts: dict[ValueKey, str] = {}
    for grain in GRAINS:
        frame = parts.get(grain + EVIDENCE)
        if frame is not None:
            for rep, start, dimension, kpi, kind, ids, total in frame.iter_rows():
                told = {"kind": kind, "ids": ids, "total": total}
                texts[rep, kpi, grain, start, dimension] = msgspec.json.encode(told).decode()
    return texts


def as_of_text(moment: Millis) -> str:
    """A moment for people: 2026-11-25 10:30 UTC."""
    return f"{datetime.fromtimestamp(moment / 1000, UTC):%Y-%m-%d %H:%M} UTC"


class _Whose(msgspec.Struct, frozen=True):
    """Whose record it is: the person's id, and the name by which people know the person or the team."""

    person: str
    name: str
    is_team: bool


def _whose(key: str, reps: Mapping[str, Rep]) -> _Whose | None:
    person = key.removeprefix("team:")
    rep = reps.get(person)
    if rep is None or not rep.known or rep.deleted:
        return None
    is_team = person != key
    return _Whose(person, f"Team {rep.name}" if is_team else rep.name, is_team)


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
def _described(kpi: str) -> Mapping[str, str]:
    """What a record says of its KPI."""
    known = BY_KEY[kpi]
    return {
        "label": known.label.said("en"),
        "family": known.family.name.said("en"),
        "unit": known.unit.value,
        "direction": known.direction.value,
    }


def _kpi_record(
    row: Sequence[Any],
    whose: _Whose,
    company: Company,
    more: Mapping[str, FieldValue],
    beside: Mapping[str, FieldValue],
) -> Desired:
    """The record of one value; `row` is in the order of `COLUMNS`."""
    rep, kpi, grain, start, dimension, *numbers, reason, state = row
    period, about = _period(grain, start, company.fiscal_year_start), _described(kpi)
    split = f":{dimension}" if dimension else ""
    fields: dict[str, FieldValue] = {
        "name": _name(about["label"], whose.name, period.name, dimension),
        "rep": whose.person,
        "kpi": kpi,
        **about,
        "grain": grain,
        "period_start": period.first,
        "period_end": period.last,
        "dimension": (f"{TEAM}, {dimension}" if dimension else TEAM) if whose.is_team else dimension or "",
        **{name: rounded(number) for name, number in zip(NUMBERS, numbers, strict=True)},
        "reason": reason,
        "state": state,
        **more,
    }
    return Desired(
        surface=Surface.KPI_RECORDS,
        key=f"{company.connection}:{kpi}:{rep}:{grain}:{period.first}{split}",
        rep=whose.person,
        fields=fields,
        makes=True,
        starts=period.starts,
        ends=period.ends,
        beside=beside,
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


def _no_longer_true(
    confirmed: Mapping[Place, Confirmed],
    wanted: set[str],
    scope: set[tuple[FieldValue, FieldValue]],
    since: Day | None,
    beside: Mapping[str, FieldValue],
) -> Iterator[Desired]:
    """Records that we wrote, of KPIs and grains that we still write, whose row is no more: nothing is known of them.

    What lies before `since` is not computed any more and stays as it is.
    """
    for (surface, key), known in confirmed.items():
        if surface is not Surface.KPI_RECORDS or key in wanted:
            continue
        fields = known.fields
        if (fields.get("kpi"), fields.get("grain")) in scope and fields.get("reason") != NO_DATA:
            blank = {name: NO_DATA if name == "reason" else None for name in TOLD}
            starts, ends = (to_day(date.fromisoformat(str(fields[name]))) for name in ("period_start", "period_end"))
            if since is not None and starts < since:
                continue
            rep = str(fields.get("rep") or "")
            yield Desired(
                surface=surface, key=key, rep=rep or None, fields=blank, starts=starts, ends=ends, beside=beside
            )


def person_fields(
    values: pl.DataFrame,
    today: Mapping[str, date],
    reps: Iterable[Rep],
    kpis: Sequence[str],
    company: Company,
    confirmed: Mapping[Place, Confirmed] | None = None,
) -> list[Desired]:
    """KPI key → value of the month that it is for each active rep. `values` are monthly, without dimensions.

    What a person shows by our hand and no longer should is blanked: KPIs that were switched off, and every number of
    someone who has left.
    """
    showing = {place[1]: known.fields for place, known in (confirmed or {}).items() if place[0] is _PERSON}
    shown = {(rep, kpi, start): value for rep, kpi, start, value in _keyed(values)}
    found = []
    for rep in reps:
        if not (rep.known and not rep.deleted and rep.person_record):
            continue
        key, shows = rep.person_record, showing.get(rep.person_record, {})
        if not rep.active or rep.id not in today:
            if shows:
                found.append(Desired(surface=_PERSON, key=key, rep=rep.id, fields=dict.fromkeys(shows)))
            continue
        start = period_start(to_day(today[rep.id]), "month", company.fiscal_year_start)
        fields: dict[str, FieldValue] = dict.fromkeys(kpi for kpi in shows if kpi not in kpis)
        fields |= {kpi: rounded(shown.get((rep.id, kpi, to_date(start)))) for kpi in kpis}
        end = period_end(start, "month", company.fiscal_year_start)
        found.append(Desired(surface=_PERSON, key=key, rep=rep.id, fields=fields, starts=start, ends=end))
    return found


def _keyed(values: pl.DataFrame) -> Iterable[tuple[str, str, date, float | None]]:
    return values.select("rep", "kpi", "period_start", "value").iter_rows()


def lead_scores(scores: pl.DataFrame, leads: pl.LazyFrame, confirmed: Mapping[Place, Confirmed]) -> list[Desired]:
    """The score of every open lead, and a blank for one that is open no more.

    A converted lead keeps the score with which it was converted: Salesforce lets nobody write it again.
    """
    shown = {lead: (score, level) for lead, score, level in scores.select("lead", "score", "level").iter_rows()}
    known = (place[1] for place, fields in confirmed.items() if place[0] is Surface.LEAD_SCORES and fields.fields)
    closed = [lead for lead in known if lead not in shown]
    there = pl.col("id").is_in(closed) & ~pl.col("deleted") & ~pl.col("converted") & pl.col("merged_into").is_null()
    blank = leads.filter(there).select("id").collect()["id"] if closed else ()
    return [_scored(lead, *told) for lead, told in shown.items()] + [_scored(lead, None, None) for lead in blank]


def _scored(lead: str, score: float | None, level: str | None) -> Desired:
    return Desired(surface=Surface.LEAD_SCORES, key=lead, rep=None, fields={"score": rounded(score), "level": level})
