"""The ledger's tables: small ones, written through SQLModel; the two that grow with the numbers go in by many rows."""

from sqlalchemy import BigInteger, Index, Table
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

VERSION = 3
"""Of the tables below. A newer ledger is refused; an older one gets the tables that it lacks."""


class LedgerTable(SQLModel, registry=registry()):
    """The ledger's own family of tables, apart from the cache's: a cache can be made again, a ledger cannot."""


class LedgerAbout(LedgerTable, table=True):
    """What the ledger says about itself, and switches that outlive a process (a paused schedule)."""

    __tablename__ = "ledger_about"

    connection: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    value: str


class RunRow(LedgerTable, table=True):
    """One run: what was to be done and how it ended. `counts` and `capabilities` are JSON."""

    __tablename__ = "ledger_run"
    __table_args__ = (Index("ledger_run_serial", "connection", "serial"),)

    id: str = Field(primary_key=True)
    serial: int
    connection: str
    what: str
    state: str
    started: int = Field(sa_type=BigInteger)
    finished: int | None = Field(default=None, sa_type=BigInteger)
    counts: str = "{}"
    plan: str | None = None
    code: str | None = None
    message: str | None = None
    capabilities: str | None = None


class ShownRow(LedgerTable, table=True):
    """What the CRM last confirmed to show for one record. `fields` is JSON: field → value."""

    __tablename__ = "ledger_shown"

    connection: str = Field(primary_key=True)
    surface: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    fields: str
    run: str
    at: int = Field(sa_type=BigInteger)


class SignedRow(LedgerTable, table=True):
    """That a record was found to show what it should, and a digest of what that was. Only ever a shortcut."""

    __tablename__ = "ledger_signed"

    connection: str = Field(primary_key=True)
    surface: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    signature: int = Field(sa_type=BigInteger)


class OutcomeRow(LedgerTable, table=True):
    """What the CRM answered to one change. `before` and `after` are JSON, so that a run can be taken back."""

    __tablename__ = "ledger_outcome"
    __table_args__ = (Index("ledger_outcome_state", "connection", "state"),)

    run: str = Field(primary_key=True)
    surface: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    connection: str
    rep: str | None
    state: str
    before: str
    after: str
    new: bool
    record: str | None = None
    code: str | None = None
    reason: str | None = None
    advice: str | None = None
    retry: bool = False
    at: int = Field(sa_type=BigInteger)


class PlanRow(LedgerTable, table=True):
    """A plan, whole, under the digest of its content."""

    __tablename__ = "ledger_plan"

    connection: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    made: int = Field(sa_type=BigInteger)
    content: str


class KnownRow(LedgerTable, table=True):
    """A tracked value as it was known after a run; a row only where it differs from what was known before."""

    __tablename__ = "ledger_known"
    __table_args__ = (
        Index("ledger_known_value", "connection", "kpi", "rep", "grain", "period_start"),
        Index("ledger_known_latest", "connection", "latest"),
    )

    connection: str = Field(primary_key=True)
    run: str = Field(primary_key=True)
    kpi: str = Field(primary_key=True)
    rep: str = Field(primary_key=True)
    grain: str = Field(primary_key=True)
    period_start: int = Field(primary_key=True)
    dimension: str = Field(primary_key=True)
    latest: bool
    as_of: int = Field(sa_type=BigInteger)
    value: float | None
    numerator: float | None
    denominator: float | None
    n: int | None = Field(default=None, sa_type=BigInteger)
    reason: str | None


class ClosureRow(LedgerTable, table=True):
    """Days whose numbers in the CRM stay as they are, and why; until they are opened again, and why."""

    __tablename__ = "ledger_closure"

    connection: str = Field(primary_key=True)
    serial: int = Field(primary_key=True)
    first: int
    last: int
    reason: str
    closed_at: int = Field(sa_type=BigInteger)
    reopened_at: int | None = Field(default=None, sa_type=BigInteger)
    reopened_because: str | None = None


def _own(model: type[SQLModel]) -> Table:
    table: Table = model.__table__  # type: ignore[attr-defined]
    return table


ABOUT, RUNS, SHOWN, SIGNED = _own(LedgerAbout), _own(RunRow), _own(ShownRow), _own(SignedRow)
OUTCOMES, PLANS, KNOWN, CLOSURES = _own(OutcomeRow), _own(PlanRow), _own(KnownRow), _own(ClosureRow)
