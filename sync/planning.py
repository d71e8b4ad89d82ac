"""Gathers what a plan is made of: the values that should be shown, what was confirmed, and what the CRM shows now."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from math import ceil

import msgspec
import polars as pl

from connectors.contract import Capabilities, Change, Connector, Surface
from connectors.errors import GuardStopped
from kpi_engine.periods import DAY_MS, period_start, previous_start, to_date, to_day
from kpi_engine.records import Day, Millis, Rep
from kpi_engine.values import one_by_one, values
from sync import surfaces
from sync.cache import Cache
from sync.closing import Closure, is_closed
from sync.job import Job
from sync.ledger import Ledger
from sync.plan import Desired, Drift, Fields, Limits, Place, Plan, in_question, plan, same, shown_already
from sync.retired import retired
from sync.scoring import Computed, computed_as_of, evident, reps_of
from sync.sheet import evidence_in, in_doubt, kpi_sheet, lead_sheet, not_among, person_sheet
from sync.showing import SIGNATURES, Showing

ShownNow = dict[Place, Fields]


LOOKING_SHARE = 0.01
"""Whoever asks for a plan sees what was changed by hand, as long as looking takes no more than this share of the day's
calls."""


USUAL_CALLS = 100_000
"""The allowance that is assumed where a CRM does not say it: the least of the editions that have an API."""


def make(
    job: Job, found: Capabilities, cache: Cache, ledger: Ledger, as_of: Millis, *, check_everything: bool | None
) -> Plan:
    """The plan for the values as of that moment. `check_everything` asks the CRM for all records of ours, not only for
    those in question; None: if they are few enough."""
    known = computed_as_of(cache, job.company, as_of, job.options.since, evident(job.options))
    settle(job, ledger)
    confirmed = ledger.shown()
    on, warnings = surfaces_in_use(job, found)
    if check_everything is None:
        check_everything = _calls_to_look(confirmed, on, found) <= LOOKING_SHARE * (found.daily_calls or USUAL_CALLS)
    wanted, settled = _desired(job, known, cache, ledger, confirmed, on, sure=not check_everything)
    desired, closed = _apart(wanted, ledger.closures(), confirmed)
    asked = desired if check_everything else list(in_question(desired, confirmed))
    now = shown_now(job.connector, asked)
    right = list(shown_already(asked, now))
    ledger.confirm(right)
    _sign(ledger, desired, {one.place for one in asked} - {one.place for one in right})
    return plan(
        job.name,
        desired,
        now,
        confirmed,
        asked={one.place for one in asked},
        limits=limits(job, found),
        warnings=(*warnings, *known.warnings, *closed),
        overwrite_drift=job.options.overwrite_drift,
        attempted=ledger.attempted(),
        without=sorted(cache.streams() - set(found.streams) - ledger.does_without()),
        settled=settled,
    )


def _apart(
    wanted: list[Desired], closures: Sequence[Closure], confirmed: Showing
) -> tuple[list[Desired], Sequence[str]]:
    """What is wanted of periods that are open, and a sentence about those that are closed."""
    closed = [one for one in wanted if one.surface is Surface.KPI_RECORDS and is_closed(one.key, closures)]
    if not closed:
        return wanted, ()
    shut = {one.place for one in closed}
    others = len(list(in_question(closed, confirmed)))
    told = f"{others} records of closed periods would say something else now, and stay as they are."
    return [one for one in wanted if one.place not in shut], (told,) if others else ()


def _calls_to_look(confirmed: Showing, on: Iterable[Surface], found: Capabilities) -> int:
    return sum(ceil(confirmed.signatures(surface).height / found.rows_a_call) for surface in on)


def _sign(ledger: Ledger, desired: Iterable[Desired], wrong: Set[Place]) -> None:
    """Of what is shown rightly nothing more is asked until it should show something else."""
    right: dict[Surface, list[tuple[str, int]]] = {}
    for one in desired:
        if one.signature is not None and one.place not in wrong:
            right.setdefault(one.surface, []).append((one.key, one.signature))
    for surface, signed in right.items():
        ledger.sign(surface, pl.DataFrame(signed, schema=SIGNATURES, orient="row"))


def settle(job: Job, ledger: Ledger) -> None:
    """Find out what became of what was under way when a run died."""
    sent = [outcome.change for outcome in ledger.under_way()]
    if sent:
        now = shown_now(job.connector, map(_after, sent))
        ledger.settle([change for change in sent if not differences(change, now)])


def undo(job: Job, found: Capabilities, ledger: Ledger, run: str) -> Plan:
    """The plan that puts back what the changes of a run replaced, wherever the CRM still shows what the run wrote."""
    settle(job, ledger)
    written = [outcome.change for outcome in ledger.outcomes(run, "written")]
    now = shown_now(job.connector, map(_after, written))
    moved = [each for change in written for each in differences(change, now)]
    left = {(drift.surface, drift.key) for drift in moved}
    desired = [_before(change) for change in written if (change.surface, change.key) not in left]
    told = (
        f"{len(left)} records show something else than that run wrote. They were changed since, and stay as they are."
    )
    made = plan(
        job.name,
        desired,
        now,
        {},
        asked={one.place for one in desired},
        limits=limits(job, found),
        warnings=[told] if left else (),
    )
    return msgspec.structs.replace(made, drift=tuple(moved))


def check_unmoved(job: Job, changes: Sequence[Change]) -> None:
    """Raises `GuardStopped` if the CRM no longer shows what it showed when these changes were planned.

    What shows the new value already is no obstacle: the plan may have been half written before.
    """
    now = shown_now(job.connector, map(_after, changes))
    moved = [change for change in changes if differences(change, now) and _moved(change, now)]
    if moved:
        raise GuardStopped(
            "KPI-GUARD-006",
            f"{len(moved)} of {len(changes)} records show something else than when this plan was made; the first is "
            f"{moved[0].key}.",
            "Nothing was written. `kpisync plan` makes a plan of what is there now.",
        )


def _moved(change: Change, now: ShownNow) -> bool:
    there = now.get((change.surface, change.key))
    if there is None or change.new:
        return (there is None) != change.new
    return any(not same(there.get(field), value) for field, value in _fields_before(change).items())


def _fields_before(change: Change) -> Fields:
    """The fields in question as they were; a removal's are all that it had."""
    return change.before if change.gone else {field: change.before.get(field) for field in change.after}


def differences(change: Change, now: ShownNow) -> Sequence[Drift]:
    """Where the CRM shows something else than this change wrote; nothing where it landed and is untouched."""
    there = now.get((change.surface, change.key))
    if change.gone:
        return [] if there is None else [Drift(change.surface, change.key, "", None, "(made again)")]
    shown = there or {}
    return [
        Drift(change.surface, change.key, field, value, shown.get(field))
        for field, value in change.after.items()
        if there is None or not same(value, shown.get(field))
    ]


def _after(change: Change) -> Desired:
    """What a record shows after a change; a removal asks for what was there."""
    fields = change.before if change.gone else change.after
    return Desired(surface=change.surface, key=change.key, rep=change.rep, fields=fields)


def _before(change: Change) -> Desired:
    """What a record showed before a change. One that the run made is removed, one that it removed is made again."""
    fields = _fields_before(change)
    gone = change.new
    return Desired(surface=change.surface, key=change.key, rep=change.rep, fields=fields, makes=change.gone, gone=gone)


def limits(job: Job, found: Capabilities) -> Limits:
    """What the guards hold the plan against."""
    return Limits(
        max_changed_share=job.options.max_changed_share,
        max_reps_losing_share=job.options.max_reps_losing_share,
        api_budget_share=job.options.api_budget_share,
        rows_a_call=found.rows_a_call,
        calls_so_far=job.connector.calls(),
        daily_calls=found.daily_calls,
        daily_calls_left=found.daily_calls_left,
    )


def _desired(
    job: Job,
    known: Computed,
    cache: Cache,
    ledger: Ledger,
    confirmed: Showing,
    on: Sequence[Surface],
    *,
    sure: bool,
) -> tuple[list[Desired], int]:
    """What should be shown and is not known to be, and how many records are known to be right.

    Without `sure` everything is in doubt.
    """
    reps = reps_of(cache)
    tracked = _learnt(ledger, known, _tracked(job, known))
    wanted: list[Desired] = []
    settled = 0
    if Surface.KPI_RECORDS not in on:
        deque(tracked, maxlen=0)
    for surface in on:
        match surface:
            case Surface.KPI_RECORDS:
                found, right = _kpi_records(job, known, tracked, confirmed, reps, sure=sure)
            case Surface.PERSON_FIELDS:
                found, right = _person_fields(job, known, confirmed, reps, sure=sure)
            case Surface.LEAD_SCORES:
                found, right = _lead_scores(known, cache, confirmed, sure=sure)
        wanted += found
        settled += right
    return wanted, settled


def _person_fields(
    job: Job, known: Computed, confirmed: Showing, reps: Mapping[str, Rep], *, sure: bool
) -> tuple[list[Desired], int]:
    """The same for the people."""
    surface, company, track = Surface.PERSON_FIELDS, known.company, job.options.track
    month = values(known.parts, company, known.as_of, kpis=track, grain="month", dimension="")
    today = dict(known.parts["rep"].select("rep", "today").iter_rows())
    there = [rep for rep in reps.values() if rep.known and not rep.deleted and rep.person_record]
    people = [
        (rep.id, rep.person_record, to_date(period_start(to_day(today[rep.id]), "month", company.fiscal_year_start)))
        for rep in there
        if rep.active and rep.id in today
    ]
    schema = {"rep": pl.Utf8, "key": pl.Utf8, "period_start": pl.Date}
    sheet = person_sheet(month, pl.DataFrame(people, schema=schema, orient="row"), track)
    doubtful = in_doubt(sheet, confirmed.signatures(surface)) if sure else sheet
    right = frozenset(sheet["rep"]) - frozenset(doubtful["rep"])
    left = [rep for rep in there if rep.id not in right]
    confirmed.look_up(surface, [rep.person_record for rep in left if rep.person_record])
    asked = month.filter(pl.col("rep").is_in(doubtful["rep"].implode()))
    signatures = dict(doubtful.select("rep", "signature").iter_rows())
    return surfaces.person_fields(asked, today, left, track, company, confirmed, signatures), len(right)


def _lead_scores(known: Computed, cache: Cache, confirmed: Showing, *, sure: bool) -> tuple[list[Desired], int]:
    """The same for the leads."""
    surface = Surface.LEAD_SCORES
    shown, sheet = confirmed.signatures(surface), lead_sheet(known.scores)
    doubtful = in_doubt(sheet, shown) if sure else sheet
    vanished = shown.join(sheet.select("key"), on="key", how="anti")["key"].to_list()
    confirmed.look_up(surface, [*vanished, *doubtful["key"]])
    closed = [key for key in vanished if confirmed[surface, key].fields]
    leads = cache.tables(["lead"])["lead"] if closed else pl.LazyFrame()
    return surfaces.lead_scores(doubtful, leads, closed), sheet.height - doubtful.height


def _kpi_records(
    job: Job,
    known: Computed,
    tracked: Iterable[pl.DataFrame],
    confirmed: Showing,
    reps: Mapping[str, Rep],
    *,
    sure: bool,
) -> tuple[list[Desired], int]:
    """The same for the KPI records."""
    surface = Surface.KPI_RECORDS
    written = {(kpi, grain) for kpi in job.options.track for grain in job.options.write_grains}
    beside = {"as_of": surfaces.as_of_text(known.as_of)}
    shown, evidence = confirmed.signatures(surface), evidence_in(known.parts)
    wanted: list[Desired] = []
    right = [pl.Series("signature", [], dtype=pl.Int64)]
    for some in tracked:
        sheet = kpi_sheet(some, known.company, reps, shown, evidence)
        doubtful = in_doubt(sheet, shown) if sure else sheet
        wanted += surfaces.kpi_records(doubtful, known.company, beside)
        right.append(sheet.join(doubtful, on="signature", how="anti")["signature"])
    found_right, asked = pl.concat(right), [one.key for one in wanted]
    vanished = not_among(shown, found_right, asked)
    confirmed.look_up(surface, [*vanished, *asked])
    over = [(key, confirmed[surface, key]) for key in vanished]
    wanted += surfaces.no_longer_true(over, written, _written_since(job, known), beside)
    wanted += retired(over, written, day_of(known.as_of), _kept_since(job, known))
    return wanted, len(found_right)


def _learnt(ledger: Ledger, known: Computed, tracked: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """The same values, once the ledger has kept what is new about them."""
    for some in tracked:
        ledger.learn(known.as_of, some, known.company.fiscal_year_start)
        yield some


def _tracked(job: Job, known: Computed) -> Iterator[pl.DataFrame]:
    """The values of the KPIs and grains that are written, divided by channel and band too; those of one KPI at a time,
    so that memory stays flat."""
    oldest = _kept_since(job, known)
    for grain in job.options.write_grains:
        for found in one_by_one(known.parts, known.company, job.options.track, grain):
            yield found if oldest is None else found.filter(pl.col("period_start") >= to_date(oldest))


def _written_since(job: Job, known: Computed) -> Day | None:
    """Before that day no record is touched because its value is no more."""
    starts = [day for day in (job.options.since, _kept_since(job, known)) if day is not None]
    return max(starts, default=None)


def _kept_since(job: Job, known: Computed) -> Day | None:
    """Periods that begin before that day have no records in the CRM any more."""
    if job.options.keep_months is None:
        return None
    first = period_start(day_of(known.as_of), "month", 1)
    for _ in range(job.options.keep_months):
        first = previous_start(first, "month", 1)
    return first


def day_of(moment: Millis) -> Day:
    """The day of a moment in UTC; a day more or less is nothing where months are kept."""
    return Day(moment // DAY_MS)


def surfaces_in_use(job: Job, found: Capabilities) -> tuple[Sequence[Surface], Sequence[str]]:
    """Where numbers are written, and a sentence for each surface that was asked for and cannot be."""
    chosen = {surface: job.options.surfaces.get(surface) for surface in Surface}
    on = [surface for surface in Surface if chosen[surface] is not False and surface in found.surfaces]
    reasons = {gap.source: f"{gap.reason} {gap.advice}" for gap in found.gaps}
    missing = [surface for surface in Surface if chosen[surface] is True and surface not in found.surfaces]
    why = [
        f"{surface.value} is switched on, but the CRM has no place for it. {reasons.get(surface, '')}"
        for surface in missing
    ]
    return on, [sentence.strip() for sentence in why]


def shown_now(connector: Connector, asked: Iterable[Desired]) -> ShownNow:
    """What the CRM shows for these, asked surface by surface."""
    by_surface: dict[Surface, list[Desired]] = {}
    for one in asked:
        by_surface.setdefault(one.surface, []).append(one)
    found: ShownNow = {}
    for surface, wanted in by_surface.items():
        fields = tuple(dict.fromkeys(field for one in wanted for field in (*one.fields, *one.beside)))
        answer = connector.show(surface, [one.key for one in wanted], fields)
        found.update({(surface, key): shown for key, shown in answer.items()})
    return found
