"""A plan for people: as a table, as CSV, as a page that needs nothing else, and as a document for programs."""

import csv
import io
import json
from collections.abc import Iterator
from html import escape
from typing import Any

from rich.table import Table

from connectors.contract import Change, FieldValue, Surface
from console.i18n import Speaker
from sync.plan import Drift, Plan

SHOWN_IN_TABLE = 40
"""Rows of the table on a terminal; the other formats hold them all."""

COLUMNS = ("surface", "key", "rep", "kpi", "field", "before", "after")

BESIDE = frozenset({"evidence", "trend", "as_of"})
"""Fields that go with the number; where a person looks through a table they would only be in the way."""

REMOVED = "(the record is removed)"

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #1b1f24; }
table { border-collapse: collapse; width: 100%; } th, td { padding: .3rem .6rem; border-bottom: 1px solid #d8dee4; }
th { text-align: left; position: sticky; top: 0; background: #fff; } td.number { text-align: right; }
.warning { background: #fff8c5; padding: .5rem .8rem; } .stop { background: #ffebe9; padding: .5rem .8rem; }
@media (prefers-color-scheme: dark) {
  body, th { background: #0d1117; color: #e6edf3; } th, td { border-color: #30363d; }
  .warning { background: #3b2e04; } .stop { background: #4c1012; }
}
"""


Row = tuple[str, str, str, str, str, FieldValue, FieldValue]
"""In the order of `COLUMNS`."""


def rows(plan: Plan) -> Iterator[Row]:
    """One row for each field that would change."""
    for change in plan.changes:
        about = (change.surface.value, change.key, change.rep or "")
        if change.gone:
            yield *about, _kpi_of(change, ""), REMOVED, change.before.get("value"), None
        for name, after in change.after.items():
            yield *about, _kpi_of(change, name), name, change.before.get(name), after


def _kpi_of(change: Change, field: str) -> str:
    """The KPI that a field speaks of; a lead's score is none."""
    match change.surface:
        case Surface.KPI_RECORDS:
            return change.key.split(":")[1]
        case Surface.PERSON_FIELDS:
            return field
        case Surface.LEAD_SCORES:
            return ""


def as_document(plan: Plan) -> dict[str, Any]:
    """The plan for programs."""
    return {
        "plan": plan.id,
        "connection": plan.connection,
        "records": len(plan.changes),
        "unchanged": plan.unchanged,
        "calls": plan.calls,
        "daily_share": plan.daily_share,
        "warnings": list(plan.warnings),
        "stops": [{"code": stop.code, "message": stop.message, "advice": stop.advice} for stop in plan.stops],
        "drift": [
            {
                "surface": drift.surface.value,
                "key": drift.key,
                "field": drift.field,
                "confirmed": drift.confirmed,
                "shown": drift.shown,
            }
            for drift in plan.drift
        ],
        "changes": [dict(zip(COLUMNS, row, strict=True)) for row in rows(plan)],
    }


def as_table(plan: Plan, say: Speaker) -> Table:
    """The first changes, for a terminal: of a new record only its number."""
    table = Table(title=headline(plan, say), title_justify="left")
    for column in COLUMNS:
        table.add_column(say(column), justify="right" if column in {"before", "after"} else "left", overflow="fold")
    changed = list(rows(plan))
    made = {change.key for change in plan.changes if change.new and change.surface is Surface.KPI_RECORDS}
    told = [row for row in changed if row[4] not in BESIDE and (row[1] not in made or row[4] == "value")]
    for row in told[:SHOWN_IN_TABLE]:
        table.add_row(*(cell_text(row[4], cell) for cell in row))
    if len(changed) > len(told[:SHOWN_IN_TABLE]):
        rest = len(changed) - len(told[:SHOWN_IN_TABLE])
        table.caption = say("{n} more; --format csv, json or html shows them all.", n=rest)
    return table


def drift_text(drift: Drift, say: Speaker) -> str:
    """A field that someone changed in the CRM, as a sentence."""
    return say(
        "Changed in the CRM: {key}, {field}: we wrote {confirmed}, it shows {shown}.",
        key=drift.key,
        field=drift.field,
        confirmed=cell_text(drift.field, drift.confirmed) or "–",
        shown=cell_text(drift.field, drift.shown) or "–",
    )


def as_csv(plan: Plan) -> str:
    """Every change, as CSV with a header."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([_text(cell) for cell in row] for row in rows(plan))
    return out.getvalue()


def as_html(plan: Plan, say: Speaker) -> str:
    """A page of its own, without scripts and without anything from elsewhere."""
    notes = [f'<p class="stop">{escape(f"{s.code}: {s.message} {s.advice}")}</p>' for s in plan.stops]
    notes += [f'<p class="warning">{escape(told)}</p>' for told in plan.warnings]
    notes += [f'<p class="warning">{escape(drift_text(drift, say))}</p>' for drift in plan.drift]
    head = "".join(f"<th>{escape(say(column))}</th>" for column in COLUMNS)
    body = "\n".join("<tr>" + "".join(_cell(row[4], cell) for cell in row) + "</tr>" for row in rows(plan))
    return (
        f'<!doctype html>\n<html lang="{say.language}"><head><meta charset="utf-8">\n'
        f"<title>kpisync · {escape(plan.id)}</title><style>{STYLE}</style></head><body>\n"
        f"<h1>{escape(headline(plan, say))}</h1>\n{''.join(notes)}\n"
        f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table></body></html>\n"
    )


def headline(plan: Plan, say: Speaker) -> str:
    """The plan in a sentence."""
    share = "" if plan.daily_share is None else f" ({plan.daily_share:.2%})"
    return say(
        "Plan {id} for {connection}: {records} records change, {unchanged} stay; {calls} calls{share}.",
        id=plan.id,
        connection=plan.connection,
        records=len(plan.changes),
        unchanged=plan.unchanged,
        calls=plan.calls,
        share=share,
    )


def _cell(field: str, value: FieldValue) -> str:
    kind = ' class="number"' if isinstance(value, int | float) else ""
    return f"<td{kind}>{escape(cell_text(field, value))}</td>"


def cell_text(field: str, value: FieldValue) -> str:
    """A value as people read it: of a list of records only how many of what they are."""
    text = _text(value)
    if field != "evidence" or not text.startswith("{"):
        return text
    told = json.loads(text)
    return f"{told['total']} × {told['kind']}"


def _text(value: FieldValue) -> str:
    return "" if value is None else str(value)
