"""Targets: what is wanted of a KPI; kept in `kpisync.toml`, where people can read them."""

import csv
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import tomlkit
import typer
from rich.table import Table
from tomlkit.items import AoT

from config import settings as config
from config.errors import SettingsError
from console.session import Session
from console.workspace import Workspace

target_app = typer.Typer(help="What is wanted of a KPI.", no_args_is_help=True)

COLUMNS = ("kpi", "scope", "grain", "value", "from")


@target_app.command("list")
def list_command(context: typer.Context) -> None:
    """The targets of kpisync.toml."""
    session: Session = context.obj
    targets = Workspace(session.folder).settings.targets
    table = Table()
    for column in COLUMNS:
        table.add_column(session.say(column))
    rows = [
        {"kpi": one.kpi, "scope": one.scope, "grain": one.grain, "value": one.value, "from": one.from_.isoformat()}
        for one in targets
    ]
    for row in rows:
        table.add_row(*(str(row[column]) for column in COLUMNS))
    session.result(rows, table)


@target_app.command("set")
def set_command(
    context: typer.Context,
    kpi: Annotated[str, typer.Argument(metavar="KPI", help="The KPI's key.")],
    value: Annotated[float, typer.Argument(metavar="VALUE", help="What is wanted, in the KPI's own unit.")],
    grain: Annotated[str, typer.Option("--grain", help="day, week, month, quarter or year.")] = "month",
    scope: Annotated[str, typer.Option("--scope", help="everyone, team:MANAGER or rep:E-MAIL.")] = "everyone",
    from_: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="From this day on; default: today.")
    ] = None,
) -> None:
    """Want something of a KPI from a day on."""
    session: Session = context.obj
    row = {"kpi": kpi, "scope": scope, "grain": grain, "value": value, "from": from_ or date.today().isoformat()}  # noqa: DTZ011 - the admin's own day
    _keep(session, [row])


@target_app.command("import")
def import_command(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV with the columns kpi, scope, grain, value, from.")],
) -> None:
    """Add the targets of a CSV file."""
    session: Session = context.obj
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = list(csv.DictReader(lines))
    except OSError as error:
        raise SettingsError([f"{file} cannot be read: {error.strerror}."]) from error
    missing = [column for column in COLUMNS if rows and column not in rows[0]]
    if missing or not rows:
        raise SettingsError(
            [f"{file} needs the columns {', '.join(COLUMNS)}; missing: {', '.join(missing) or 'any row'}."]
        )
    _keep(session, rows)


def _keep(session: Session, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write targets into the settings; nothing is written unless all of it is valid."""
    file = session.folder / config.FILE_NAME
    config.read(session.folder)
    document = tomlkit.parse(file.read_text(encoding="utf-8"))
    targets = document.setdefault("targets", tomlkit.aot())
    kept = list(rows)
    for row in kept:
        _add(targets, row)
    text = tomlkit.dumps(document)
    config.parse(text)
    file.write_text(text, encoding="utf-8")
    session.tell("{n} targets added to {file}.", n=len(kept), file=config.FILE_NAME)


def _add(targets: AoT, row: Mapping[str, Any]) -> None:
    """One target; a target of the same KPI, scope, grain and day is replaced."""
    try:
        value, starts = float(row["value"]), date.fromisoformat(str(row["from"]))
    except ValueError as error:
        raise SettingsError([f"The target for {row['kpi']} cannot be understood: {error}."]) from None
    made = tomlkit.table()
    made.update({**{name: row[name] for name in ("kpi", "scope", "grain")}, "value": value, "from": starts})
    same = ("kpi", "scope", "grain", "from")
    for place, known in enumerate(targets):
        if all(known.get(name) == made[name] for name in same):
            targets[place] = made
            return
    targets.append(made)
