"""How long a plan takes, against just reading both sides of it from SQLite.

    python -m benchmarks.plan [--reps 10000] [--times 7]

A workspace is prepared once: so many reps, each with forty values that the CRM was confirmed to show (twenty KPIs of
two months, each with a KPI record of its own; or, as `people`, forty KPIs on the person). One contender makes the plan
that puts one record in a hundred right: values, records, comparison, guards. The other only reads what was computed and
what was confirmed. That a plan is empty once everything was written is looked at while preparing.
"""

import argparse
import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.paired import Comparison, Contender, alternate, report

if TYPE_CHECKING:
    from kpi_engine.records import Interaction, Millis, Rep
    from sync.cache import Cache
    from sync.ledger import Ledger
    from sync.run import Job

NOW = datetime(2026, 2, 27, 12, tzinfo=UTC)
CALLED = (datetime(2026, 1, 12, 9, tzinfo=UTC), datetime(2026, 2, 10, 9, tzinfo=UTC))
VALUES = 40
KPIS_ON_RECORDS = VALUES // len(CALLED)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="?", default="compare", choices=("compare", "prepare", "plan", "read"))
    parser.add_argument("--reps", type=int, default=10_000)
    parser.add_argument("--times", type=int, default=7)
    parser.add_argument("--surface", choices=("records", "people"))
    parser.add_argument("--folder", type=Path, default=Path())
    asked = parser.parse_args(arguments)
    match asked.part:
        case "prepare":
            prepare(asked.folder, asked.reps, asked.surface)
        case "plan":
            make_the_plan(asked.folder, asked.surface)
        case "read":
            read_both_sides(asked.folder)
        case _:
            for surface in ("records", "people") if asked.surface is None else (asked.surface,):
                compare(asked.reps, asked.times, surface)


def compare(reps: int, times: int, surface: str) -> Comparison:
    """Prepare a workspace, measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        me = (sys.executable, "-m", "benchmarks.plan")
        where = ("--folder", folder, "--surface", surface)
        planning = Contender("plan", (*me, "plan", *where))
        reading = Contender("read both sides", (*me, "read", *where))
        subprocess.run((*me, "prepare", *where, "--reps", str(reps)), check=True)
        print(f"{reps:,} reps x {VALUES} values on {surface}")
        compared = alternate(planning, reading, times=times)
    print(report(compared))
    return compared


def prepare(folder: Path, reps: int, surface: str) -> None:
    """A workspace in which everything was computed and written once, so that the second plan was empty. Then the CRM
    lost one record in a hundred, and we what we knew of it."""
    from sync.run import look, make_plan, run

    job, cache, ledger = _desk(folder, surface, reps)
    report = run(job, cache, ledger, now=_millis(NOW), as_of=_millis(NOW))
    assert report.refused == ()
    job, _ = look(job)
    assert make_plan(job, cache, ledger, as_of=_millis(NOW)).changes == ()
    cache.close()
    ledger.close()
    with sqlite3.connect(folder / "kpisync.db") as database:
        for table in ("ledger_signed", "ledger_shown"):
            database.execute(f"DELETE FROM {table} WHERE key IN (SELECT key FROM ledger_shown WHERE rowid % 100 = 0)")


def make_the_plan(folder: Path, surface: str) -> None:
    """The plan that puts the hundredth right."""
    from sync.run import look, make_plan

    job, cache, ledger = _desk(folder, surface, 0)
    job, _ = look(job)
    begun = time.perf_counter()
    plan = make_plan(job, cache, ledger, as_of=_millis(NOW))
    seconds = time.perf_counter() - begun
    assert plan.changes or surface == "people", "a hundredth is to change; on people only what is there can"
    print(json.dumps({"seconds": seconds, "records": plan.unchanged + len(plan.changes)}))


def read_both_sides(folder: Path) -> None:
    """What was computed (of the grain that is written) and what the CRM was confirmed to show."""
    from sync.cache import Cache
    from sync.ledger import Ledger

    cache, ledger = Cache.open(_url(folder), "bench"), Ledger.open(_url(folder), "bench")
    begun = time.perf_counter()
    frames = cache.kept("computed/", ["month"])
    shown = dict(ledger.shown())
    seconds = time.perf_counter() - begun
    assert frames
    print(json.dumps({"seconds": seconds, "records": len(shown)}))


def _desk(folder: Path, surface: str, reps: int) -> "tuple[Job, Cache, Ledger]":
    from connectors.contract import KpiField, Surface
    from connectors.memory import MemoryCrm
    from kpi_engine.catalog import CATALOG
    from kpi_engine.records import Company
    from sync.cache import Cache
    from sync.job import Job, Options
    from sync.ledger import Ledger

    on_people = surface == "people"
    keys = [kpi.key for kpi in CATALOG][: VALUES if on_people else KPIS_ON_RECORDS]
    crm = MemoryCrm(_company(reps), page_size=2000)
    list(crm.provision([KpiField(key=key, label=key, unit="count", places=0) for key in keys]))
    surfaces = dict.fromkeys(Surface, False) | {Surface.PERSON_FIELDS if on_people else Surface.KPI_RECORDS: True}
    options = Options(track=tuple(keys), write_grains=() if on_people else ("month",), surfaces=surfaces)
    job = Job(name="bench", connector=crm, company=Company(connection="bench"), options=options)
    return job, Cache.open(_url(folder), "bench"), Ledger.open(_url(folder), "bench")


def _company(reps: int) -> "dict[str, list[Rep | Interaction]]":
    """Reps, and a call of each in both months."""
    from kpi_engine.records import Interaction, Rep

    names = [f"rep-{number}" for number in range(reps)]
    people = [
        Rep(id=name, name=name, email=None, active=True, known=True, modified=_millis(NOW), person_record=name)
        for name in names
    ]
    calls = [
        Interaction(
            id=f"{name}-{month}",
            modified=_millis(NOW),
            kind="call",
            rep=name,
            direction="out",
            outcome="done",
            at=_millis(day),
        )
        for name in names
        for month, day in enumerate(CALLED)
    ]
    return {"reps": [*people], "calls": [*calls]}


def _millis(moment: datetime) -> "Millis":
    from kpi_engine.records import Millis

    return Millis(int(moment.timestamp() * 1000))


def _url(folder: Path) -> str:
    return f"sqlite:///{folder}/kpisync.db"


if __name__ == "__main__":
    main()
