"""What a run did, for people and for programs: every field that was written or refused, when, and why it changed."""

from collections.abc import Iterable, Sequence
from typing import Any

from rich.table import Table

from connectors.contract import FieldValue
from console.i18n import Speaker
from console.plan_formats import BESIDE, REMOVED, cell_text
from console.timing import iso
from sync.outbox import Outcome
from sync.why import Why, why

COLUMNS = ("surface", "key", "field", "before", "after", "state", "when", "why")

NAMED = 5
"""So many records that came or went are named in a table; --json names all."""


def as_documents(outcomes: Iterable[Outcome]) -> list[dict[str, Any]]:
    """One object for each field, for programs."""
    return [_document(outcome, *field) for outcome in outcomes for field in _fields(outcome)]


def _document(outcome: Outcome, field: str, before: FieldValue, after: FieldValue) -> dict[str, Any]:
    cause = why(outcome.change, outcome.at)
    return {
        "surface": outcome.change.surface.value,
        "key": outcome.change.key,
        "rep": outcome.change.rep,
        "field": field,
        "before": before,
        "after": after,
        "state": outcome.state,
        "at": iso(outcome.at),
        "why": str(cause.cause),
        "kind": cause.kind,
        "came": list(cause.came),
        "went": list(cause.went),
        "restated": cause.restated,
        "code": outcome.code,
        "reason": outcome.reason,
        "advice": outcome.advice,
    }


def as_table(title: str, outcomes: Sequence[Outcome], say: Speaker) -> Table:
    """For a terminal; the cause stands in the first line of each record."""
    table = Table(title=title, title_justify="left")
    for column in COLUMNS:
        table.add_column(say(column), overflow="fold")
    for outcome in outcomes:
        cause = why_text(why(outcome.change, outcome.at), say)
        for field, before, after in _fields(outcome):
            if field in BESIDE:
                continue
            table.add_row(
                say.word(outcome.change.surface.value),
                outcome.change.key,
                field,
                cell_text(field, before),
                cell_text(field, after),
                _state(outcome, say),
                iso(outcome.at),
                cause,
            )
            cause = ""
    return table


def _fields(outcome: Outcome) -> Iterable[tuple[str, FieldValue, FieldValue]]:
    change = outcome.change
    if change.gone:
        yield REMOVED, change.before.get("value"), None
    for field, after in change.after.items():
        yield field, change.before.get(field), after


def _state(outcome: Outcome, say: Speaker) -> str:
    return f"{outcome.code}: {outcome.reason} {outcome.advice}" if outcome.code else say.word(outcome.state)


def why_text(cause: Why, say: Speaker) -> str:
    """`other records count: 2 → 3; + 00T1, 00T2; − 00T3 (the period was over)`."""
    text = say.word(cause.cause)
    if cause.records is not None:
        text += ": {} → {}".format(*cause.records)
    for sign, ids in (("+", cause.came), ("−", cause.went)):
        if ids:
            text += f"; {sign} {', '.join(ids[:NAMED])}{'…' if len(ids) > NAMED else ''}"
    return f"{text} ({say('the period was over')})" if cause.restated else text
