"""The ledger's outbox: what is on its way to the CRM, what became of it, and what the CRM shows since.

Everything here happens inside a transaction that the ledger opens: an outcome and what is shown because of it are
written together or not at all.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import ColumnElement, Connection, Table, delete, insert, select, update
from sqlmodel import Session, col
from sqlmodel import select as pick

from connectors.contract import Change, FieldValue, Refused, Surface, Written
from kpi_engine.records import Millis
from sync.history import OUTCOMES, SHOWN, OutcomeRow
from sync.plan import Place, canonical
from sync.showing import unsign

SENT = "sent"

ROWS_AT_ONCE = 500


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What the CRM answered to one change. state: written | refused | sent (on its way, or the run died over it)."""

    run: str
    change: Change
    state: str
    record: str | None
    code: str | None
    reason: str | None
    advice: str | None
    retry: bool
    at: Millis


@dataclass(frozen=True)
class Outbox:
    """One connection's outbox, inside one transaction at one moment."""

    sql: Connection
    connection: str
    at: Millis

    def promise(self, run: str, changes: Sequence[Change]) -> None:
        """These are about to be sent."""
        self._keep(run, {_place(change): self._row(run, change) for change in changes})

    def note(self, run: str, outcomes: Sequence[Written | Refused]) -> None:
        """This is what became of them; what was written counts as shown from now on."""
        self._keep(run, {_place(outcome.change): self._outcome(run, outcome) for outcome in outcomes})
        self._landed(run, [outcome.change for outcome in outcomes if isinstance(outcome, Written)])

    def settle(self, run: str, landed: Sequence[Change]) -> None:
        """Nothing is under way any more: these had landed, by the run that sent them, and the others never did."""
        sent = self._here(OUTCOMES) & (OUTCOMES.c.state == SENT)
        for surface, keys in _by_surface([_place(change) for change in landed]):
            there = sent & (OUTCOMES.c.surface == surface.value) & OUTCOMES.c.key.in_(keys)
            self.sql.execute(update(OutcomeRow).where(there).values(state="written"))
        self._landed(run, landed)
        self.sql.execute(delete(OUTCOMES).where(sent))

    def show(self, run: str, shown: Mapping[Place, bytes | None]) -> None:
        """Each of these shows this from now on; None: it is there no more."""
        common = {"connection": self.connection, "run": run, "at": self.at}
        rows = [
            common | {"surface": surface.value, "key": key, "fields": text.decode()}
            for (surface, key), text in shown.items()
            if text is not None
        ]
        unsign(self.sql, self.connection, list(shown))
        for surface, keys in _by_surface(list(shown)):
            old = self._here(SHOWN) & (SHOWN.c.surface == surface.value) & SHOWN.c.key.in_(keys)
            self.sql.execute(delete(SHOWN).where(old))
        if rows:
            self.sql.execute(insert(SHOWN), rows)

    def outcomes(self, *which: bool) -> Sequence[Outcome]:
        """Those that fit, by surface and key."""
        query = pick(OutcomeRow).where(OutcomeRow.connection == self.connection, *which)
        with Session(self.sql) as session:
            rows = session.exec(query.order_by(col(OutcomeRow.surface), col(OutcomeRow.key))).all()
            return [_read(row) for row in rows]

    def _landed(self, run: str, changes: Sequence[Change]) -> None:
        before = self._shown_of([change.key for change in changes])
        self.show(run, {_place(change): _after(change, before) for change in changes})

    def _keep(self, run: str, rows: Mapping[Place, Mapping[str, object]]) -> None:
        for surface, keys in _by_surface(list(rows)):
            known = (OUTCOMES.c.run == run) & (OUTCOMES.c.surface == surface.value) & OUTCOMES.c.key.in_(keys)
            self.sql.execute(delete(OUTCOMES).where(known))
        if rows:
            self.sql.execute(insert(OUTCOMES), list(rows.values()))

    def _row(self, run: str, change: Change) -> dict[str, object]:
        """A change on its way."""
        return {
            "run": run,
            "state": SENT,
            "record": None,
            "code": None,
            "reason": None,
            "advice": None,
            "retry": False,
            "surface": change.surface.value,
            "key": change.key,
            "connection": self.connection,
            "rep": change.rep,
            "before": _json(change.before),
            "after": _json(change.after),
            "new": change.new,
            "at": self.at,
        }

    def _outcome(self, run: str, outcome: Written | Refused) -> dict[str, object]:
        row = self._row(run, outcome.change)
        if isinstance(outcome, Written):
            return {**row, "state": "written", "record": outcome.record_id}
        told = {"state": "refused", "record": None, "code": outcome.code, "reason": outcome.reason}
        return {**row, **told, "advice": outcome.advice, "retry": outcome.retry}

    def _shown_of(self, keys: Sequence[str]) -> dict[tuple[str, str], str]:
        found: dict[tuple[str, str], str] = {}
        for some in _portions(keys):
            query = select(SHOWN.c.surface, SHOWN.c.key, SHOWN.c.fields).where(self._here(SHOWN), SHOWN.c.key.in_(some))
            found.update(((surface, key), fields) for surface, key, fields in self.sql.execute(query).all())
        return found

    def _here(self, table: Table) -> ColumnElement[bool]:
        return table.c.connection == self.connection


def _read(row: OutcomeRow) -> Outcome:
    change = Change(
        surface=Surface(row.surface),
        key=row.key,
        rep=row.rep,
        before=msgspec.json.decode(row.before, type=dict[str, FieldValue]),
        after=msgspec.json.decode(row.after, type=dict[str, FieldValue]),
        new=row.new,
        gone=not row.new and row.after == "{}",  # a change that changes nothing is none: it removed the record
    )
    return Outcome(
        run=row.run,
        change=change,
        state=row.state,
        record=row.record,
        code=row.code,
        reason=row.reason,
        advice=row.advice,
        retry=row.retry,
        at=Millis(row.at),
    )


def _place(change: Change) -> Place:
    return (change.surface, change.key)


def _after(change: Change, shown: Mapping[tuple[str, str], str]) -> bytes | None:
    """What the record shows after this change: what was confirmed, as the CRM had it, with the new values."""
    if change.gone:
        return None
    known = shown.get((change.surface.value, change.key))
    fields: dict[str, FieldValue] = msgspec.json.decode(known) if known and not change.new else {}
    return canonical({**fields, **change.before, **change.after})


def _by_surface(places: Sequence[Place]) -> Iterator[tuple[Surface, Sequence[str]]]:
    """The keys of each surface, in portions that one query can name."""
    for surface in {surface for surface, _ in places}:
        for keys in _portions([key for kind, key in places if kind == surface]):
            yield surface, keys


def _portions(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(keys), ROWS_AT_ONCE):
        yield keys[start : start + ROWS_AT_ONCE]


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
