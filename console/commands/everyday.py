"""Everyday: pull, compute, plan, push, run."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from config.errors import SettingsError
from connectors.contract import Capabilities, Refused
from console import plan_formats
from console.alerts import tell_refusals, told_to_ops
from console.exit_codes import Exit
from console.session import Session
from console.timing import as_of_millis, now_millis
from console.workspace import Workspace
from kpi_engine.records import Millis
from sync.cache import Cache
from sync.errors import PlanUnknown
from sync.ledger import Ledger
from sync.lock import only_run
from sync.plan import Plan
from sync.pull import Pulled
from sync.push import Pushed
from sync.run import Job, look, make_plan, pull, push, roll_back, run, score

AsOf = Annotated[str | None, typer.Option("--as-of", metavar="ISO", help="As of this date or moment instead of now.")]
ConnectionName = Annotated[
    str | None, typer.Option("--connection", "-c", metavar="NAME", help="Only this connection; default: all.")
]
Full = Annotated[bool, typer.Option("--full", help="From the beginning instead of where the last one stopped.")]

DRIFTS_TOLD = 20
"""So many fields that someone changed in the CRM are named on a terminal; the other formats name all."""


class PlanFormat(StrEnum):
    """How a plan is shown."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    HTML = "html"


@dataclass(frozen=True)
class Desk:
    """One connection with everything that working on it needs."""

    job: Job
    capabilities: Capabilities
    cache: Cache
    ledger: Ledger
    now: Millis

    def as_of(self, said: str | None) -> Millis:
        """`--as-of` in the company's time zone."""
        try:
            return as_of_millis(said, self.now, self.job.company.time_zone)
        except ValueError as error:
            raise SettingsError([f"--as-of: {error}."]) from None


@contextmanager
def at_work(workspace: Workspace, name: str, doing: str | None = None, *, afresh: bool = False) -> Iterator[Desk]:
    """A connection with cache and ledger open, after a look at what its CRM can do.

    What is `doing` is written down as a run, also where already the sign-in fails.
    """
    with workspace.job(name, afresh=afresh) as job, workspace.cache(name) as cache, workspace.ledger(name) as ledger:
        now = now_millis()
        with nullcontext() if doing is None else ledger.running(doing, now=now):
            ready, capabilities = look(job)
            yield Desk(ready, capabilities, cache, ledger, now)


def pull_command(
    context: typer.Context,
    full: Full = False,
    objects: Annotated[
        list[str] | None, typer.Option("--object", metavar="NAME", help="Only this object; may be repeated.")
    ] = None,
    connection: ConnectionName = None,
) -> None:
    """CRM → cache."""
    session: Session = context.obj
    workspace = Workspace(session.folder)
    told: dict[str, Pulled] = {}
    with only_run(workspace.folder):
        for name in workspace.connections(connection):
            with at_work(workspace, name, afresh=full) as desk, session.progress() as progress:
                told[name] = pull(desk.job, desk.cache, full=full, streams=objects or None, progress=progress)
                tell_unread(session, desk.cache)
            tell_pulled(session, name, told[name])
    session.result(told)


def compute_command(
    context: typer.Context, as_of: AsOf = None, full: Full = False, connection: ConnectionName = None
) -> None:
    """Cache → values, for every period from the first record (or kpis.since) on."""
    session: Session = context.obj
    workspace = Workspace(session.folder)
    told = {}
    with only_run(workspace.folder):
        for name in workspace.connections(connection):
            with at_work(workspace, name) as desk:
                told[name] = score(desk.job, desk.cache, as_of=desk.as_of(as_of), full=full)
            session.tell(
                "{name}: {values} values of {periods} periods.",
                name=name,
                values=told[name].values,
                periods=told[name].periods,
            )
    session.result(told)


def plan_command(
    context: typer.Context,
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write it to a file.")] = None,
    form: Annotated[PlanFormat, typer.Option("--format", help="How it is shown.")] = PlanFormat.TABLE,
    as_of: AsOf = None,
    full: Annotated[
        bool, typer.Option("--full", help="Look at everything of ours in the CRM, however many calls that takes.")
    ] = False,
    connection: ConnectionName = None,
) -> None:
    """What a write-back would change, field by field, and its cost in API calls; writes nothing."""
    session: Session = context.obj
    workspace = Workspace(session.folder)
    plans = []
    for name in workspace.connections(connection):
        with at_work(workspace, name) as desk:
            moment = desk.as_of(as_of)
            plans.append(make_plan(desk.job, desk.cache, desk.ledger, as_of=moment, check_everything=full or None))
    show_plans(session, plans, form, out)


def push_command(
    context: typer.Context,
    approve: Annotated[
        str | None, typer.Option("--approve", metavar="PLAN_ID", help="Write exactly this plan, guards or not.")
    ] = None,
    as_of: AsOf = None,
    connection: ConnectionName = None,
) -> None:
    """Write back what `plan` shows."""
    session: Session = context.obj
    workspace = Workspace(session.folder)
    told: dict[str, Pushed] = {}
    with only_run(workspace.folder):
        for name in workspace.connections(connection):
            with at_work(workspace, name, "push") as desk, session.progress() as progress:
                plan = make_plan(desk.job, desk.cache, desk.ledger, as_of=desk.as_of(as_of))
                told[name] = push(desk.job, desk.ledger, plan, approved=approve, progress=progress)
            tell_pushed(session, name, told[name])
    session.result(told)
    leave_by(told.values())


def run_command(
    context: typer.Context,
    as_of: AsOf = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Everything but writing to the CRM.")] = False,
    full: Full = False,
    connection: ConnectionName = None,
) -> None:
    """Pull, compute, plan and push."""
    session: Session = context.obj
    workspace = Workspace(session.folder)
    told = {}
    with only_run(workspace.folder):
        for name in workspace.connections(connection):
            with (
                told_to_ops(workspace, name),
                at_work(workspace, name, "dry run" if dry_run else "run") as desk,
                session.progress() as progress,
            ):
                report = run(
                    desk.job,
                    desk.cache,
                    desk.ledger,
                    now=desk.now,
                    as_of=desk.as_of(as_of),
                    dry_run=dry_run,
                    full=full,
                    progress=progress,
                )
                tell_unread(session, desk.cache)
            told[name] = report
            tell_refusals(workspace, name, report)
            tell_pulled(session, name, report.pulled)
            if dry_run:
                session.tell("{name}: {n} records would change; nothing was written.", name=name, n=report.planned)
            else:
                tell_pushed(session, name, report)
    session.result(told)
    leave_by(told.values())


def rollback_command(
    context: typer.Context,
    run_id: Annotated[str, typer.Argument(metavar="RUN_ID", help="The run to take back.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be put back.")] = False,
    connection: ConnectionName = None,
) -> None:
    """Put back what the CRM showed before a run."""
    session: Session = context.obj
    workspace = Workspace(session.folder)
    name = connection_of(workspace, run_id, connection)
    with (
        only_run(workspace.folder),
        at_work(workspace, name, "plan" if dry_run else "push") as desk,
        session.progress() as progress,
    ):
        desk.cache.belong_to(desk.capabilities.organisation)
        plan = roll_back(desk.job, desk.ledger, run_id)
        pushed = None if dry_run else push(desk.job, desk.ledger, plan, approved=plan.id, progress=progress)
    if pushed is None:
        show_plans(session, [plan], PlanFormat.TABLE, None)
        return
    tell_notes(session, plan)
    tell_pushed(session, name, pushed)
    session.result(pushed)
    leave_by([pushed])
    if plan.drift:
        raise typer.Exit(Exit.REFUSED)


def connection_of(workspace: Workspace, run_id: str, connection: str | None) -> str:
    """Whose run it is."""
    for name in workspace.connections(connection):
        with workspace.ledger(name) as ledger:
            if any(one.id == run_id for one in ledger.runs(limit=10_000)):
                return name
    raise PlanUnknown("KPI-RUN-001", f"There is no run {run_id}.", "`kpisync runs list` shows them.")


def tell_pulled(session: Session, name: str, pulled: Pulled) -> None:
    """What a pull brought, and what it had to leave."""
    read = sum(pulled.rows.values())
    session.tell("{name}: {n} records new or changed, {d} deleted.", name=name, n=read, d=pulled.deleted)
    for stream, reason in pulled.skipped.items():
        session.tell("{name}: {stream} was not read: {reason}", name=name, stream=stream, reason=reason)


def tell_unread(session: Session, cache: Cache) -> None:
    """The records that could not be understood, by name."""
    for unread in cache.unread():
        session.tell(
            "Not understood: {stream} {id}: {reason}", stream=unread.stream, id=unread.id, reason=unread.reason
        )


def tell_pushed(session: Session, name: str, pushed: Any) -> None:
    """What was written, and what the CRM refused with its reason and our advice."""
    session.tell("{name}: {n} records written, {r} refused.", name=name, n=pushed.written, r=len(pushed.refused))
    for refused in pushed.refused:
        tell_refused(session, refused)
    if pushed.unsent:
        session.tell(
            "{name}: {n} records were not sent after so many refusals (guards.max_refused); the next run sends them.",
            name=name,
            n=pushed.unsent,
        )


def tell_refused(session: Session, refused: Refused) -> None:
    """One refusal."""
    session.tell(
        "Refused: {key}: {code}: {reason} {advice}",
        key=refused.change.key,
        code=refused.code,
        reason=refused.reason,
        advice=refused.advice,
    )


def show_plans(session: Session, plans: list[Plan], form: PlanFormat, out: Path | None) -> None:
    """Plans in the format that was asked for, on stdout or in a file."""
    if session.as_json or form is PlanFormat.JSON:
        document: Any = [plan_formats.as_document(plan) for plan in plans]
        session.document(document[0] if len(document) == 1 else document, out)
    elif form is PlanFormat.CSV:
        session.text("".join(map(plan_formats.as_csv, plans)), out)
    elif form is PlanFormat.HTML:
        session.text("".join(plan_formats.as_html(plan, session.say) for plan in plans), out)
    else:
        for plan in plans:
            session.table(plan_formats.as_table(plan, session.say), out)
            tell_notes(session, plan)
            for stop in plan.stops:
                session.tell("{code}: {message} {advice}", code=stop.code, message=stop.message, advice=stop.advice)
                session.tell_code(stop.code)


def tell_notes(session: Session, plan: Plan) -> None:
    """What a person should know of a plan: its warnings, and what someone changed in the CRM by hand."""
    for warning in plan.warnings:
        session.tell("{text}", text=warning)
    for drift in plan.drift[:DRIFTS_TOLD]:
        session.tell("{text}", text=plan_formats.drift_text(drift, session.say))


def leave_by(pushed: Any) -> None:
    """Leave with the exit code for refused records if there are any."""
    if any(one.refused for one in pushed):
        raise typer.Exit(Exit.REFUSED)
