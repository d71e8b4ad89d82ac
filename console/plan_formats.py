"""A plan for people: as a table, as CSV, as a page that needs nothing else, and as a document for programs."""

import csv
import io
from collections.abc import Iterator
from html import escape
from typing import Any

from rich.table import Table

from connectors.contract import FieldValue
from console.i18n import Speaker
from sync.plan import Plan

SHOWN_IN_TABLE = 40
"""Rows of the table on a terminal; the other formats hold them all."""

COLUMNS = ("surface", "key", "rep", "field", "before", "after")

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


def rows(plan: Plan) -> Iterator[tuple[str, str, str, str, FieldValue, FieldValue]]:
    """One row for each field that would change."""
    for change in plan.changes:
        if change.gone:
            yield change.surface.value, change.key, change.rep or "", REMOVED, change.before.get("value"), None
        for name, after in change.after.items():
            yield change.surface.value, change.key, change.rep or "", name, change.before.get(name), after


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
    """The first changes, for a terminal."""
    table = Table(title=headline(plan, say), title_justify="left")
    for column in COLUMNS:
        table.add_column(say(column), justify="right" if column in {"before", "after"} else "left", overflow="fold")
    changed = list(rows(plan))
    for row in changed[:SHOWN_IN_TABLE]:
        table.add_row(*(_text(cell) for cell in row))
    if len(changed) > SHOWN_IN_TABLE:
        table.caption = say("{n} more; --format csv, json or html shows them all.", n=len(changed) - SHOWN_IN_TABLE)
    return table


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
    notes += [f'<p class="warning">{escape(warning)}</p>' for warning in plan.warnings]
    head = "".join(f"<th>{escape(say(column))}</th>" for column in COLUMNS)
    body = "\n".join("<tr>" + "".join(map(_cell, row)) + "</tr>" for row in rows(plan))
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


def _cell(value: FieldValue) -> str:
    kind = ' class="number"' if isinstance(value, int | float) else ""
    return f"<td{kind}>{escape(_text(value))}</td>"


def _text(value: FieldValue) -> str:
    return "" if value is None else str(value)
