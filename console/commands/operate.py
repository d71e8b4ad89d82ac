"""Operate: schedule, serve, status, runs."""

from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any

import typer
from rich.table import Table

from console import run_formats
from console.alerts import tell_refusals, told_to_ops
from console.commands.everyday import (
    ConnectionName,
    PlanFormat,
    at_work,
    connection_of,
    leave_by,
    show_plans,
    tell_pushed,
)
from console.exit_codes import Exit
from console.session import Session
from console.timing import iso, now_millis, shown_moment
from console.workspace import Workspace
from sync.errors import PlanUnknown
from sync.ledger import Ledger, Run
from sync.lock import only_run
from sync.retry import plan_again
from sync.run import pull, push, run
from sync.schedule import Chore, Schedule, next_runs, serve, trigger_of

schedule_app = typer.Typer(help="When what runs.", no_args_is_help=True)
runs_app = typer.Typer(help="What ran, and what came of it.", no_args_is_help=True)

WHATS = ("pull", "write", "full")


def schedule_of(workspace: Workspace) -> Schedule:
    """The schedule of the settings, once every line of it can be understood."""
    said, company = workspace.settings.schedule, workspace.settings.company
    zone = said.time_zone or company.time_zone or "UTC"
    return Schedule(pull=said.pull, write=said.write, full=said.full, time_zone=zone)


@schedule_app.command("list")
def list_command(context: typer.Context) -> None:
    """What is scheduled."""
    session: Session = context.obj
    workspace = Workspace(session.folder)
    schedule = schedule_of(workspace)
    paused = {name: _paused(workspace, name) for name in workspace.connections()}
    table = Table()
    for column in ("what", "when", "time zone"):
        table.add_column(session.say(column))
    for what, when in schedule.whats().items():
        table.add_row(session.say.word(what), when, schedule.time_zone)
    session.result({"schedule": schedule.whats(), "time_zone": schedule.time_zone, "paused_since": paused}, table)
    for name, since in paused.items():
        if since is not None:
            moment = shown_moment(since, schedule.time_zone)
            session.tell("{name} rests since {moment}; `kpisync schedule resume` wakes it.", name=name, moment=moment)


@schedule_app.command("next")
def next_command(
    context: typer.Context, count: Annotated[int, typer.Option("-n", "--count", min=1, help="How many.")] = 5
) -> None:
    """The next runs."""
    session: Session = context.obj
    schedule = schedule_of(Workspace(session.folder))
    coming = next_runs(schedule, now_millis(), count)
    table = Table()
    for column in ("what", "when"):
        table.add_column(session.say(column))
    for one in coming:
        table.add_row(session.say.word(one.what), shown_moment(one.at, schedule.time_zone))
    moments = [{"what": one.what, "at": iso(one.at)} for one in coming]
    session.result(moments, table)


@schedule_app.command("pause")
def pause_command(context: typer.Context, connection: ConnectionName = None) -> None:
    """Let the schedule rest until `resume`."""
    session: Session = context.obj
    workspace = Workspace(session.folder)
    for name in workspace.connections(connection):
        with workspace.ledger(name) as ledger:
            ledger.pause()
        session.tell("{name} rests.", name=name)


@schedule_app.command("resume")
def resume_command(context: typer.Context, connection: ConnectionName = None) -> None:
    """Let the schedule work again."""
    session: Session = context.obj
    workspace = Workspace(session.folder)
    for name in workspace.connections(connection):
        with workspace.ledger(name) as ledger:
            ledger.resume()
        session.tell("{name} works again.", name=name)


def serve_command(
    context: typer.Context,
    host: Annotated[str, typer.Option("--host", metavar="HOST", help="Where the web console answers.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Its port.")] = 8765,
    no_scheduler: Annotated[bool, typer.Option("--no-scheduler", help="Without the schedule.")] = False,
    no_console: Annotated[bool, typer.Option("--no-console", help="Without the web console.")] = False,
) -> None:
    """Work on the schedule of kpisync.toml until it is interrupted."""
    session: Session = context.obj
    workspace = Workspace(session.folder)
    schedule = schedule_of(workspace)
    for when in schedule.whats().values():
        trigger_of(when, schedule.time_zone)
    if not no_console:
        session.tell(
            "There is no web console yet: nothing answers at {host}:{port}. The schedule runs without it.",
            host=host,
            port=port,
        )
    if no_scheduler:
        session.tell("Nothing to do without the schedule.")
        raise typer.Exit(Exit.USAGE)
    chores = [chore for name in workspace.connections() for chore in _chores(workspace, name)]
    for one in next_runs(schedule, now_millis(), len(WHATS)):
        session.tell(
            "Next: {what} at {moment}", what=session.say.word(one.what), moment=shown_moment(one.at, schedule.time_zone)
        )
    serve(chores, schedule)
    session.tell("Stopped.")


def _chores(workspace: Workspace, name: str) -> Iterator[Chore]:
    """What the schedule does for one connection."""
    paused = partial(_is_paused, workspace, name)
    yield Chore(name, "pull", partial(_pull_once, workspace, name), paused)
    yield Chore(name, "write", partial(_run_once, workspace, name, full=False), paused)
    yield Chore(name, "full", partial(_run_once, workspace, name, full=True), paused)


def _pull_once(workspace: Workspace, name: str) -> None:
    with (
        told_to_ops(workspace, name),
        only_run(workspace.folder),
        at_work(workspace, name, "pull") as desk,
    ):
        pull(desk.job, desk.cache)


def _run_once(workspace: Workspace, name: str, *, full: bool) -> None:
    with told_to_ops(workspace, name), only_run(workspace.folder), at_work(workspace, name, "run") as desk:
        report = run(desk.job, desk.cache, desk.ledger, now=desk.now, as_of=desk.now, full=full)
    tell_refusals(workspace, name, report)


def _paused(workspace: Workspace, name: str) -> int | None:
    with workspace.ledger(name) as ledger:
        return ledger.paused_since()


def _is_paused(workspace: Workspace, name: str) -> bool:
    return _paused(workspace, name) is not None


def status_command(context: typer.Context, connection: ConnectionName = None) -> None:
    """Freshness, last and next run, what is left of the day's API calls."""
    session: Session = context.obj
    workspace = Workspace(session.folder)
    schedule = schedule_of(workspace)
    told = {name: _status(workspace, name, schedule) for name in workspace.connections(connection)}
    table = Table()
    for column in ("connection", "organisation", "records", "last run", "state", "next run", "API calls left"):
        table.add_column(session.say(column), overflow="fold")
    for name, status in told.items():
        last = status["last_run"] or {}
        left = status["daily_calls_left"]
        row = (
            status["organisation"],
            status["records"],
            last.get("started"),
            session.say.word(last["state"]) if last else None,
            status["next_run"],
            left,
        )
        table.add_row(name, *("–" if cell is None else str(cell) for cell in row))
    session.result(told, table)
    for name, status in told.items():
        last = status["last_run"] or {}
        if last.get("state") in {"failed", "died", "stopped"} and last.get("message"):
            session.tell("{text}", text=f"{name}: {last['code'] or ''}: {last['message']}")


def _status(workspace: Workspace, name: str, schedule: Schedule) -> dict[str, Any]:
    with workspace.cache(name) as cache, workspace.ledger(name) as ledger:
        last = next(iter(ledger.runs(1)), None)
        found = ledger.capabilities()
        coming = next_runs(schedule, now_millis(), 1)
        return {
            "organisation": cache.organisation(),
            "records": sum(cache.counts().values()),
            "unread": len(cache.unread()),
            "last_run": _document(last) if last else None,
            "next_run": None if ledger.paused_since() else iso(coming[0].at),
            "paused_since": iso(ledger.paused_since()),
            "daily_calls": found.daily_calls if found else None,
            "daily_calls_left": found.daily_calls_left if found else None,
        }


@runs_app.command("list")
def runs_list_command(
    context: typer.Context,
    count: Annotated[int, typer.Option("-n", "--count", min=1, help="How many.")] = 20,
    connection: ConnectionName = None,
) -> None:
    """The last runs."""
    session: Session = context.obj
    workspace = Workspace(session.folder)
    table, told = Table(), []
    for column in ("run", "connection", "what", "state", "started", "finished", "counts", "message"):
        table.add_column(session.say(column), overflow="fold")
    for name in workspace.connections(connection):
        with workspace.ledger(name) as ledger:
            for one in ledger.runs(count):
                document = {"connection": name, **_document(one)}
                told.append(document)
                counts = ", ".join(f"{n} {session.say.word(what)}" for what, n in one.counts.items() if n)
                cells = (
                    one.id,
                    name,
                    session.say.word(one.what),
                    session.say.word(one.state),
                    document["started"],
                    document["finished"],
                )
                table.add_row(*(cell or "–" for cell in cells), counts, one.message or "")
    session.result(told, table)


@runs_app.command("show")
def runs_show_command(
    context: typer.Context, run_id: Annotated[str, typer.Argument(metavar="RUN_ID", help="The run.")]
) -> None:
    """One run: what was written where and when, why it changed, and what the CRM refused."""
    session: Session = context.obj
    workspace = Workspace(session.folder)
    for name in workspace.connections():
        with workspace.ledger(name) as ledger:
            found = _find(ledger, run_id)
            if found is not None:
                _show_run(session, name, ledger, found)
                return
    raise PlanUnknown("KPI-RUN-001", f"There is no run {run_id}.", "`kpisync runs list` shows them.")


def _find(ledger: Ledger, run_id: str) -> Run | None:
    try:
        return ledger.run(run_id)
    except PlanUnknown:
        return None


def _show_run(session: Session, name: str, ledger: Ledger, found: Run) -> None:
    outcomes = ledger.outcomes(found.id)
    title = f"{found.id} · {name} · {session.say.word(found.state)}"
    table = run_formats.as_table(title, outcomes, session.say)
    document = {"connection": name, **_document(found), "outcomes": run_formats.as_documents(outcomes)}
    session.result(document, table)


@runs_app.command("retry")
def runs_retry_command(
    context: typer.Context,
    run_id: Annotated[str, typer.Argument(metavar="RUN_ID", help="The run whose refused records are tried again.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be tried again.")] = False,
    connection: ConnectionName = None,
) -> None:
    """Write again what the CRM refused in a run, as far as it still shows something else."""
    session: Session = context.obj
    workspace = Workspace(session.folder)
    name = connection_of(workspace, run_id, connection)
    with (
        only_run(workspace.folder),
        at_work(workspace, name, "plan" if dry_run else "retry") as desk,
        session.progress() as progress,
    ):
        plan = plan_again(desk.job, desk.cache, desk.ledger, run_id)
        pushed = None if dry_run else push(desk.job, desk.ledger, plan, progress=progress)
    if pushed is None:
        show_plans(session, [plan], PlanFormat.TABLE, None)
        return
    tell_pushed(session, name, pushed)
    session.result({name: pushed})
    leave_by([pushed])


def _document(one: Run) -> dict[str, Any]:
    return {
        "run": one.id,
        "what": one.what,
        "state": one.state,
        "started": iso(one.started),
        "finished": iso(one.finished),
        "counts": dict(one.counts),
        "plan": one.plan,
        "code": one.code,
        "message": one.message,
    }
