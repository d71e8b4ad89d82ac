"""The past of the few records of which it matters: since when a contact is opted out, who owned a deal at its close."""

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from connectors.hubspot.facts import Facts
from connectors.hubspot.portal import Portal
from connectors.hubspot.wire import deals, people
from connectors.hubspot.wire.shapes import BadRow, Row, Unclear


def with_history(
    portal: Portal, facts: Facts, kind: str, rows: Sequence[Row]
) -> tuple[Sequence[Row], Sequence[BadRow]]:
    """The same records, with the history of what matters of them, but for those whose history HubSpot failed to give:
    without it a deal would be credited to the wrong rep. HubSpot gives fifty a call."""
    match kind:
        case "contacts":
            ids, names = _needing(people.needs_history, rows), facts.defined("contacts", people.HISTORY)
        case "deals":
            ids, names = _needing(deals.needs_history, rows), ["hubspot_owner_id"]
        case _:
            return rows, ()
    if not ids or not names:
        return rows, ()
    found = portal.batch_read(kind, ids, [], history=names)
    past = {row.id: row.history for row in found.rows}
    missed = {one.id for one in found.bad}
    told = [replace(row, history=past[row.id]) if row.id in past else row for row in rows if row.id not in missed]
    return told, found.bad


def _needing(needs: Callable[[Row], bool], rows: Sequence[Row]) -> list[str]:
    """The ids of the records of which the past must be looked up; unclear ones are told apart when translated."""
    ids = []
    for row in rows:
        try:
            if not row.archived and needs(row):
                ids.append(row.id)
        except Unclear:
            continue
    return ids
