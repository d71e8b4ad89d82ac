"""The round trip: pull → absorb → score → plan → push. A dry run is the same without the last word.

The time comes in from outside. A second run with nothing new plans nothing and writes nothing.
"""

from collections.abc import Sequence

import msgspec

from connectors.contract import Capabilities, Refused
from connectors.errors import GuardStopped
from kpi_engine.periods import DAY_MS
from kpi_engine.records import Millis
from sync import planning, scoring
from sync.cache import Cache
from sync.job import Job, Options
from sync.ledger import Ledger
from sync.plan import Plan
from sync.progress import NO_PROGRESS, Progress
from sync.pull import Pull, Pulled
from sync.push import Pushed, send
from sync.scoring import Scored

__all__ = [
    "NO_PROGRESS",
    "Job",
    "Options",
    "Progress",
    "Pulled",
    "Pushed",
    "Report",
    "Scored",
    "look",
    "make_plan",
    "pull",
    "push",
    "roll_back",
    "run",
    "score",
]


WHOLE_AGAIN = 8 * DAY_MS
"""After so long a run reads everything from the beginning, whoever forgot to ask for it: a CRM does not tell of every
record that went, or came into sight. A day more than a week, for those whose schedule does it on Sundays."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a run did. `planned`, `written` and `unsent` count records of the CRM, `computed` values."""

    run: str
    pulled: Pulled
    computed: int
    plan: str
    planned: int
    written: int
    refused: tuple[Refused, ...]
    unsent: int = 0


def run(
    job: Job,
    cache: Cache,
    ledger: Ledger,
    *,
    now: Millis,
    as_of: Millis,
    dry_run: bool = False,
    full: bool = False,
    progress: Progress = NO_PROGRESS,
) -> Report:
    """The whole round trip, written down in the ledger however it ends."""
    with ledger.running("dry run" if dry_run else "run", now=now) as entry:
        job, entry.capabilities = _looked(job)
        cache.whole_again(now, 0 if full else WHOLE_AGAIN)
        pulled = pull(job, cache, full=full, progress=progress)
        entry.counts |= {"read": sum(pulled.rows.values()), "deleted": pulled.deleted, "unread": pulled.unread}
        scored = score(job, cache, as_of=as_of, full=full, progress=progress)
        plan = make_plan(job, cache, ledger, as_of=as_of, check_everything=full)
        entry.counts |= {"computed": scored.values}
        pushed = Pushed(0, ()) if dry_run else push(job, ledger, plan, progress=progress)
        entry.counts |= {"calls": job.connector.calls()}
        return Report(
            run=entry.run,
            pulled=pulled,
            computed=scored.values,
            plan=plan.id,
            planned=len(plan.changes),
            written=pushed.written,
            refused=pushed.refused,
            unsent=pushed.unsent,
        )


def look(job: Job) -> tuple[Job, Capabilities]:
    """See what the CRM can do, and let it say what the settings leave open (an empty zone, no currency, month 0)."""
    found = job.connector.capabilities()
    said = job.company
    company = msgspec.structs.replace(
        said,
        time_zone=said.time_zone or found.time_zone or "UTC",
        home_currency=said.home_currency or found.home_currency,
        fiscal_year_start=said.fiscal_year_start or found.fiscal_year_start or 1,
    )
    ready = msgspec.structs.replace(job, company=job.connector.company_defaults(company), capabilities=found)
    return ready, found


def pull(
    job: Job,
    cache: Cache,
    *,
    full: bool = False,
    streams: Sequence[str] | None = None,
    progress: Progress = NO_PROGRESS,
) -> Pulled:
    """Read what is new in the CRM, or everything with `full`; only some `streams` if they are named.

    What could be read stays in the cache; then the first failure of a stream is raised.
    """
    job, found = _looked(job)
    cache.belong_to(found.organisation)
    cache.live_in(job.company.time_zone)
    wanted = [stream for stream in found.streams if streams is None or stream in streams]
    if full and streams is None:
        cache.forget_everything()
    elif full:
        for stream in wanted:
            cache.forget(stream)
    pulling = Pull(job.connector, cache, job.company.time_zone, progress, at_once=found.streams_at_once)
    pulling.read(wanted)
    for failure in pulling.failures.values():
        raise failure
    pulling.sweep(wanted)
    unknown = {stream: "This CRM has no such stream, or does not let us read it." for stream in streams or ()}
    return pulling.pulled({stream: why for stream, why in unknown.items() if stream not in found.streams})


def score(job: Job, cache: Cache, *, as_of: Millis, full: bool = False, progress: Progress = NO_PROGRESS) -> Scored:
    """Compute every value from the cache and keep what they are made of; what did not change is left as it is, unless
    with `full`."""
    progress.start("compute")
    listed = scoring.evident(job.options)
    options = job.options
    scored = scoring.score(cache, job.company, as_of, options.since, listed, full=full, on=options.spark)
    progress.finish("compute")
    return scored


def make_plan(job: Job, cache: Cache, ledger: Ledger, *, as_of: Millis, check_everything: bool | None = False) -> Plan:
    """What a write-back would change, kept in the ledger under its id.

    The CRM is asked only for what is in question, or for everything of ours with `check_everything` (None: if that is
    cheap).
    """
    job, found = _looked(job)
    with ledger.running("plan") as entry:
        cache.belong_to(found.organisation)
        _need_people(cache)
        plan = planning.make(job, found, cache, ledger, as_of, check_everything=check_everything)
        ledger.keep_plan(plan)
        entry.plan = plan.id
        entry.counts |= {"planned": len(plan.changes)}
    return plan


def roll_back(job: Job, ledger: Ledger, run_id: str) -> Plan:
    """The plan that puts back what the CRM showed before a run; records that the run made are removed.

    What someone changed since is left alone, and told as the plan's drift.
    The next run shows the computed values again: what has to change is the cause, not the number.
    """
    job, found = _looked(job)
    with ledger.running("plan") as entry:
        plan = planning.undo(job, found, ledger, ledger.run(run_id).id)
        ledger.keep_plan(plan)
        entry.plan = plan.id
    return plan


def push(
    job: Job, ledger: Ledger, plan: Plan, *, approved: str | None = None, progress: Progress = NO_PROGRESS
) -> Pushed:
    """Write the plan back; with `approved`, exactly the plan of that id, whatever the guards say.

    Raises `GuardStopped` before anything is written if a guard objects to a plan that nobody approved.
    """
    if approved is None:
        plan.check()
    else:
        plan = ledger.plan(approved)
        planning.check_unmoved(job, plan.changes)
        if plan.without:
            ledger.do_without(ledger.does_without() | set(plan.without))
    with ledger.running("push") as entry:
        entry.plan = plan.id
        pushed = send(job.connector, plan.changes, ledger, progress, max_refused=job.options.max_refused)
        entry.counts |= {"written": pushed.written, "refused": len(pushed.refused), "unsent": pushed.unsent}
    return pushed


def _looked(job: Job) -> tuple[Job, Capabilities]:
    return (job, job.capabilities) if job.capabilities is not None else look(job)


def _need_people(cache: Cache) -> None:
    """A CRM without a single rep is one that no longer lets us see them: nothing is written then."""
    if cache.counts(["rep"])["rep"] == 0:
        raise GuardStopped(
            "KPI-GUARD-001",
            f"The CRM of {cache.connection} shows us no reps at all.",
            "Run `kpisync doctor`: the permission to read users is missing, or nothing was pulled yet.",
        )
