"""The ledger: what was done, what the CRM was last confirmed to show, what it refused, and what was known when.

Unlike the cache it cannot be made again. Each call is a transaction of its own; a run that is killed leaves everything
that was noted until then.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Self

import msgspec
import polars as pl
from sqlalchemy import ColumnElement, Connection, Table, delete, func, insert, inspect, select, update
from sqlmodel import Session, col
from sqlmodel import select as pick

from connectors.contract import Capabilities, Change, FieldValue, Refused, Surface, Written
from connectors.errors import CrmError, GuardStopped
from kpi_engine.records import Day, Millis
from sync import closing
from sync.closing import Closure
from sync.database import Database
from sync.errors import CacheUnusable, PlanUnknown
from sync.history import ABOUT, OUTCOMES, PLANS, VERSION, LedgerTable, OutcomeRow, PlanRow, RunRow
from sync.known import Known, digest_of, history, learn, named
from sync.outbox import SENT, Outbox, Outcome
from sync.plan import Desired, Place, Plan, canonical
from sync.showing import Showing, sign

PAUSED = "paused"
LEARNED = "learned "
WITHOUT = "does without"

ALONE = ("run", "dry run", "pull", "push", "retry")
"""What holds the workspace's lock while it works: when it begins, a run that is still open was killed."""

OUTCOMES_KEPT_MS = 90 * 86_400_000
"""How long each outcome is kept: a run can be taken back, and a refusal looked up, for ninety days."""

PLANS_KEPT = 20


def clock() -> Millis:
    """The time now, for the ledger's own stamps; no number depends on it."""
    return Millis(time.time_ns() // 1_000_000)


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run. state: running | done | refused (done, with refused records) | stopped (by a guard) | failed | died."""

    id: str
    what: str
    state: str
    started: Millis
    finished: Millis | None
    counts: Mapping[str, int]
    plan: str | None
    code: str | None
    message: str | None


class Entry:
    """The run that is being written down: what it counts, by which plan, what the CRM was able to do."""

    def __init__(self, run: str) -> None:
        self.run = run
        self.counts: dict[str, int] = {}
        self.plan: str | None = None
        self.capabilities: Capabilities | None = None


class Ledger:
    """One connection's part of the ledger."""

    def __init__(self, database: Database, connection: str, clock: Callable[[], Millis]) -> None:
        self._database = database
        self._clock = clock
        self._entry: Entry | None = None
        self.connection = connection

    @classmethod
    def open(cls, url: str, connection: str, *, clock: Callable[[], Millis] = clock) -> Self:
        """The ledger at `url`, made if it is not there. It may live in the cache's file."""
        database = Database(url)
        with database.reading() as sql:
            found = _version(sql)
        if found is None or found < VERSION:
            with database.writing() as sql:
                LedgerTable.metadata.create_all(sql)
                sql.execute(delete(ABOUT).where(ABOUT.c.connection == "", ABOUT.c.name == "version"))
                sql.execute(insert(ABOUT), {"connection": "", "name": "version", "value": str(VERSION)})
        elif found > VERSION:
            raise CacheUnusable(
                "KPI-CACHE-007",
                f"{database.place} was written by a newer kpisync (its ledger is version {found}, ours {VERSION}).",
                "Update kpisync; the ledger holds the history and is never thrown away.",
            )
        return cls(database, connection, clock)

    def close(self) -> None:
        self._database.close()

    # ------------------------------------------------------------------ runs

    @contextmanager
    def running(self, what: str, *, now: Millis | None = None) -> Iterator[Entry]:
        """Write a run down from its start to its end, however it ends. Inside another run it is that run."""
        if self._entry is not None:
            yield self._entry
            return
        self._entry = entry = self._begin(what, self._clock() if now is None else now)
        try:
            yield entry
        except GuardStopped as stopped:
            self._end(entry, "stopped", stopped.code, stopped.message)
            raise
        except CrmError as failure:
            self._end(entry, "failed", failure.code, failure.message)
            raise
        except BaseException as failure:
            self._end(entry, "failed", None, type(failure).__name__)
            raise
        else:
            self._end(entry, "refused" if entry.counts.get("refused") else "done")
        finally:
            self._entry = None

    def _begin(self, what: str, now: Millis) -> Entry:
        moment = datetime.fromtimestamp(now / 1000, UTC)
        with self._database.writing() as sql, Session(sql) as session:
            if what in ALONE:
                session.execute(update(RunRow).where(self._is("running")).values(state="died"))
                self._tidy(sql, now)
            serial = 1 + (session.exec(pick(func.max(RunRow.serial))).one() or 0)
            id_ = f"{moment:%Y%m%dT%H%M%S}-{serial}"
            session.add(
                RunRow(id=id_, serial=serial, connection=self.connection, what=what, state="running", started=now)
            )
            session.flush()
        return Entry(id_)

    def _tidy(self, sql: Connection, now: Millis) -> None:
        """Let go of the details of long ago. What is shown, the runs and what was known when stay for good."""
        sql.execute(delete(OUTCOMES).where(self._here(OUTCOMES), OUTCOMES.c.at < now - OUTCOMES_KEPT_MS))
        recent = select(PLANS.c.made).where(self._here(PLANS)).order_by(PLANS.c.made.desc()).offset(PLANS_KEPT - 1)
        oldest = sql.execute(recent.limit(1)).scalar()
        if oldest is not None:
            sql.execute(delete(PLANS).where(self._here(PLANS), PLANS.c.made < oldest))

    def _end(self, entry: Entry, state: str, code: str | None = None, message: str | None = None) -> None:
        ended = {
            "state": state,
            "finished": self._clock(),
            "counts": _json(entry.counts),
            "plan": entry.plan,
            "code": code,
            "message": message,
            "capabilities": _json(entry.capabilities) if entry.capabilities else None,
        }
        with self._database.writing() as sql:
            sql.execute(update(RunRow).where(col(RunRow.id) == entry.run).values(**ended))

    def _is(self, state: str) -> ColumnElement[bool]:
        return (col(RunRow.connection) == self.connection) & (col(RunRow.state) == state)

    def runs(self, limit: int = 50) -> Sequence[Run]:
        """The last runs, the latest first."""
        query = pick(RunRow).where(col(RunRow.connection) == self.connection)
        with self._database.reading() as sql, Session(sql) as session:
            rows = session.exec(query.order_by(col(RunRow.serial).desc()).limit(limit)).all()
            return [_run(row) for row in rows]

    def run(self, id: str) -> Run:
        """One run. Raises `PlanUnknown`."""
        with self._database.reading() as sql, Session(sql) as session:
            row = session.get(RunRow, id)
            if row is None or row.connection != self.connection:
                raise PlanUnknown("KPI-RUN-001", f"There is no run {id}.", "`kpisync runs list` shows them.")
            return _run(row)

    def capabilities(self) -> Capabilities | None:
        """What the CRM was able to do when we last looked."""
        query = pick(RunRow.capabilities).where(
            col(RunRow.connection) == self.connection, col(RunRow.capabilities).is_not(None)
        )
        with self._database.reading() as sql, Session(sql) as session:
            found = session.exec(query.order_by(col(RunRow.serial).desc())).first()
        return msgspec.json.decode(found, type=Capabilities) if found else None

    # ------------------------------------------------------------------ what the CRM shows

    def shown(self) -> Showing:
        """What the CRM last confirmed to show, by surface and key."""
        return Showing(self._database, self.connection)

    def sign(self, surface: Surface, signed: pl.DataFrame) -> None:
        """Note that these records, (key, signature), were found to show what they should."""
        with self._database.writing() as sql:
            sign(sql, self.connection, surface, signed)

    def confirm(self, seen: Sequence[Desired]) -> None:
        """Note that the CRM was seen to show these, though we had no word of it."""
        with self.running("plan") as entry, self._outbox() as outbox:
            outbox.show(entry.run, {one.place: canonical(one.fields) for one in seen})

    def promise(self, changes: Sequence[Change]) -> None:
        """Keep what is about to be sent, before it is: should the run die, the next one asks what became of it."""
        with self.running("push") as entry, self._outbox() as outbox:
            outbox.promise(entry.run, changes)

    def note(self, outcomes: Sequence[Written | Refused]) -> None:
        """Keep outcomes; what was written counts as shown from now on."""
        with self.running("push") as entry, self._outbox() as outbox:
            outbox.note(entry.run, outcomes)

    def under_way(self) -> Sequence[Outcome]:
        """What runs that have died had sent, or were about to send."""
        return self._outcomes(OutcomeRow.state == SENT)

    def settle(self, landed: Sequence[Change]) -> None:
        """Nothing is under way any more: these had landed, by the run that sent them, and the others never did."""
        with self.running("plan") as entry, self._outbox() as outbox:
            outbox.settle(entry.run, landed)

    def outcomes(self, run: str, state: str | None = None) -> Sequence[Outcome]:
        """What the CRM answered in a run; state `written`, `refused` or `sent`, None: all."""
        return self._outcomes(OutcomeRow.run == run, *([OutcomeRow.state == state] if state else []))

    def attempted(self) -> Mapping[Place, Mapping[str, FieldValue]]:
        """What was sent to records that refused it last: some of its fields may show it all the same."""
        refused = sorted(self._outcomes(OutcomeRow.state == "refused"), key=lambda one: one.at)
        return {(one.change.surface, one.change.key): one.change.after for one in refused}

    def _outcomes(self, *which: bool) -> Sequence[Outcome]:
        with self._database.reading() as sql:
            return Outbox(sql, self.connection, self._clock()).outcomes(*which)

    @contextmanager
    def _outbox(self) -> Iterator[Outbox]:
        with self._database.writing() as sql:
            yield Outbox(sql, self.connection, self._clock())

    # ------------------------------------------------------------------ what was known when

    def learn(self, as_of: Millis, values: pl.DataFrame, fiscal_year_start: int) -> int:
        """Keep what is newly known of some KPIs' values; how many of them change a past that was over."""
        name, digest = LEARNED + named(values), digest_of(values)
        if self._decided(name) == digest:
            return 0
        with self.running("plan") as entry, self._database.writing() as sql:
            learnt = learn(sql, self.connection, entry.run, as_of, values, fiscal_year_start)
            self._write_down(sql, name, digest if learnt.everything else None)
        return learnt.restated

    def history(self, kpi: str, rep: str, grain: str, start: Day, dimension: str = "") -> Sequence[Known]:
        """Everything that was ever known of one value, the oldest first."""
        with self._database.reading() as sql:
            return history(sql, self.connection, (kpi, rep, grain, start, dimension))

    # ------------------------------------------------------------------ plans and switches

    def keep_plan(self, plan: Plan) -> None:
        """Keep a plan, so that exactly this one can be approved later."""
        row = {"connection": self.connection, "id": plan.id, "made": self._clock(), "content": _json(plan)}
        with self._database.writing() as sql:
            sql.execute(delete(PLANS).where(self._here(PLANS), PLANS.c.id == plan.id))
            sql.execute(insert(PLANS), row)

    def plan(self, id: str | None = None) -> Plan:
        """The plan with this id, the latest without one. Raises `PlanUnknown`."""
        query = pick(PlanRow).where(PlanRow.connection == self.connection).order_by(col(PlanRow.made).desc())
        if id is not None:
            query = query.where(PlanRow.id == id)
        with self._database.reading() as sql, Session(sql) as session:
            row = session.exec(query).first()
            if row is None:
                named = f"plan {id}" if id else "plan yet"
                raise PlanUnknown("KPI-RUN-002", f"There is no {named}.", "`kpisync plan` makes one and says its id.")
            return msgspec.json.decode(row.content, type=Plan)

    # ------------------------------------------------------------------ what was decided

    def pause(self) -> None:
        """Let the schedule rest for this connection, until `resume`; it outlives the process."""
        self._decide(PAUSED, str(self._clock()))

    def resume(self) -> None:
        """Let the schedule work again."""
        self._decide(PAUSED, None)

    def paused_since(self) -> Millis | None:
        """Since when the schedule rests, None if it does not."""
        found = self._decided(PAUSED)
        return Millis(int(found)) if found else None

    def close_period(self, first: Day, last: Day, reason: str) -> None:
        """What the CRM shows for these days stays as it is."""
        with self._database.writing() as sql:
            closing.close(sql, self.connection, first, last, reason, self._clock())

    def reopen_period(self, first: Day, last: Day, reason: str) -> int:
        """Open again what was closed within these days; how many closures that ends."""
        with self._database.writing() as sql:
            return closing.reopen(sql, self.connection, first, last, reason, self._clock())

    def closures(self) -> Sequence[Closure]:
        """What was closed, and opened again."""
        with self._database.reading() as sql:
            return closing.closures(sql, self.connection)

    def do_without(self, streams: Iterable[str]) -> None:
        """These streams may be missing from now on: a person approved a plan without them."""
        self._decide(WITHOUT, _json(sorted(streams)))

    def does_without(self) -> frozenset[str]:
        """The streams that may be missing."""
        return frozenset(msgspec.json.decode(self._decided(WITHOUT) or "[]", type=list[str]))

    def _decide(self, name: str, value: str | None) -> None:
        with self._database.writing() as sql:
            self._write_down(sql, name, value)

    def _write_down(self, sql: Connection, name: str, value: str | None) -> None:
        sql.execute(delete(ABOUT).where(self._here(ABOUT), ABOUT.c.name == name))
        if value is not None:
            sql.execute(insert(ABOUT), {"connection": self.connection, "name": name, "value": value})

    def _decided(self, name: str) -> str | None:
        with self._database.reading() as sql:
            return sql.execute(select(ABOUT.c.value).where(self._here(ABOUT), ABOUT.c.name == name)).scalar()

    def _here(self, table: Table) -> ColumnElement[bool]:
        return table.c.connection == self.connection


def _version(sql: Connection) -> int | None:
    if not inspect(sql).has_table(ABOUT.name):
        return None
    query = select(ABOUT.c.value).where(ABOUT.c.connection == "", ABOUT.c.name == "version")
    return int(sql.execute(query).scalar_one())


def _run(row: RunRow) -> Run:
    return Run(
        id=row.id,
        what=row.what,
        state=row.state,
        started=Millis(row.started),
        finished=None if row.finished is None else Millis(row.finished),
        counts=msgspec.json.decode(row.counts, type=dict[str, int]),
        plan=row.plan,
        code=row.code,
        message=row.message,
    )


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
