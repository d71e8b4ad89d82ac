"""Closing periods: what the CRM shows for them stays until they are opened again."""

from typing import Annotated

import typer
from rich.table import Table

from config.errors import SettingsError
from console.commands.everyday import ConnectionName
from console.session import Session
from console.timing import days_of_period, iso, shown_moment
from console.workspace import Workspace
from kpi_engine.periods import to_date
from kpi_engine.records import Day

period_app = typer.Typer(help="Periods whose numbers stay as they are.", no_args_is_help=True)

PeriodArgument = Annotated[
    str, typer.Argument(metavar="PERIOD", help="2026-11-25, 2026-W48, 2026-11, 2026-Q4 or 2026.")
]
Reason = Annotated[str, typer.Option("--reason", metavar="WHY", help="Why; it is kept with the closure.")]


@period_app.command("list")
def list_command(context: typer.Context, connection: ConnectionName = None) -> None:
    """What was closed and opened again, when and why."""
    session: Session = context.obj
    workspace = Workspace(session.folder)
    table = Table()
    for column in ("connection", "from", "to", "closed", "reason", "reopened", "because"):
        table.add_column(session.say(column))
    told = []
    for name in workspace.connections(connection):
        with workspace.ledger(name) as ledger:
            found = ledger.closures()
        for one in found:
            first, last = to_date(one.first).isoformat(), to_date(one.last).isoformat()
            closed = shown_moment(one.closed_at, "UTC")
            reopened = "" if one.reopened_at is None else shown_moment(one.reopened_at, "UTC")
            table.add_row(name, first, last, closed, one.reason, reopened, one.reopened_because or "")
            told.append(
                {
                    "connection": name,
                    "first": first,
                    "last": last,
                    "reason": one.reason,
                    "closed_at": iso(one.closed_at),
                    "reopened_at": iso(one.reopened_at),
                    "reopened_because": one.reopened_because,
                }
            )
    session.result(told, table)


@period_app.command("close")
def close_command(
    context: typer.Context, period: PeriodArgument, reason: Reason, connection: ConnectionName = None
) -> None:
    """Leave the KPI records of a period, and of all periods within it, as they are."""
    session: Session = context.obj
    first, last = _days(period)
    workspace = Workspace(session.folder)
    for name in workspace.connections(connection):
        with workspace.ledger(name) as ledger:
            ledger.close_period(first, last, reason)
        session.tell("{period} is closed for {name}.", period=period, name=name)


@period_app.command("reopen")
def reopen_command(
    context: typer.Context, period: PeriodArgument, reason: Reason, connection: ConnectionName = None
) -> None:
    """Let the next run write what was closed within a period."""
    session: Session = context.obj
    first, last = _days(period)
    workspace = Workspace(session.folder)
    for name in workspace.connections(connection):
        with workspace.ledger(name) as ledger:
            ended = ledger.reopen_period(first, last, reason)
        if not ended:
            raise SettingsError([f"Nothing within {period} is closed for {name}; `kpisync period list` shows what is."])
        session.tell("{period} is open again for {name}.", period=period, name=name)


def _days(period: str) -> tuple[Day, Day]:
    try:
        return days_of_period(period)
    except ValueError as error:
        raise SettingsError([str(error)]) from None
