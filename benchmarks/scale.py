"""Computing the KPIs of a made-up company: everything, what a hundred changes touch, what one change in a hundred and
what another day does.

    python -m benchmarks.scale 100000 1000000 --folder /tmp/scale

Beside them two programs by hand that read the same records: pandas (from the same SQLite file) and DuckDB (from files,
which is made for it beforehand and not counted). They compute a fifth of what the engine does, the parts that need no
look at other records: e-mails, calls, touchpoints, leads, deals and revenue by rep and day, week, month, quarter and
year. No double is recognised, no follow-up, no score, no team, and nothing is kept. Both are in the dependency group
`benchmarks`. Every step is a process of its own; times are printed as ratios to computing everything.
"""

import argparse
import json
import random
import sqlite3
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.made_up import CONNECTION, LAST, NOW, make
from benchmarks.paired import Contender, Run, run
from kpi_engine.periods import DAY_MS
from kpi_engine.records import Millis

GRAINS = ("day", "week", "month", "quarter", "year")
STEPS = ("everything", "hundred", "hundredth", "day", "pandas", "duckdb")


def _cache(path: Path) -> Any:
    from sync.cache import Cache

    return Cache.open(f"sqlite:///{path}", CONNECTION)


def _score(path: Path, *, full: bool, as_of: Millis = NOW) -> dict[str, Any]:
    from kpi_engine.records import Company
    from sync import scoring

    cache, company = _cache(path), Company(connection=CONNECTION, home_currency="USD")
    begun = time.perf_counter()
    scored = scoring.score(cache, company, as_of, None, full=full)
    return {"seconds": time.perf_counter() - begun, "records": scored.values}


def everything(path: Path) -> dict[str, Any]:
    """Every value from every record, kept in the cache."""
    return _score(path, full=True)


def changed(path: Path, many: int) -> dict[str, Any]:
    """So many calls and e-mails of the last weeks go the other way; then only computing is timed."""
    import msgspec

    from connectors.contract import Page
    from kpi_engine.records import Interaction
    from sync.tables import COLUMNS

    with sqlite3.connect(path) as sql:
        names = ", ".join(f'"{name}"' for name in COLUMNS["interaction"][1:-1])
        recent = sql.execute(f"SELECT {names} FROM interaction WHERE day > ? ORDER BY id", (LAST - 60,)).fetchall()
    records = []
    for row in random.Random(time.time_ns()).sample(recent, min(many, len(recent))):
        told = dict(zip(COLUMNS["interaction"][1:-1], row, strict=True))
        other = "in" if told["direction"] == "out" else "out"
        told |= {"direction": other, "modified": told["modified"] + 1}
        records.append(msgspec.convert(told, Interaction, strict=False))
    cache = _cache(path)
    for start in range(0, len(records), 2_000):
        cache.absorb(Page(stream="changes", rows=records[start : start + 2_000], cursor=str(start)), "UTC")
    cache.close()
    return _score(path, full=False)


_COUNTS = {
    "emails_sent": "kind = 'email' AND direction = 'out'",
    "emails_opened": "kind = 'email' AND direction = 'out' AND opened",
    "emails_bounced": "kind = 'email' AND direction = 'out' AND bounced",
    "calls_made": "kind = 'call' AND direction = 'out'",
    "calls_answered": "kind = 'call' AND direction = 'out' AND disposition = 'connected'",
    "meetings": "kind = 'meeting' AND outcome = 'done'",
}


def with_duckdb(path: Path) -> dict[str, Any]:
    """SQL by hand over Parquet."""
    import duckdb

    folder = _parquet(path)
    begun = time.perf_counter()
    sql = duckdb.connect()
    counts = ", ".join(f"count(*) FILTER (WHERE {where}) AS {name}" for name, where in _COUNTS.items())
    rows = 0
    for grain in GRAINS:
        period = f"date_trunc('{grain}', DATE '1970-01-01' + CAST(day AS INTEGER))"
        closed = f"date_trunc('{grain}', DATE '1970-01-01' + CAST(closed_on AS INTEGER))"
        rows += len(
            sql.execute(
                f"""
                WITH acts AS (
                    SELECT rep, {period} AS p, {counts}, sum(duration_ms) FILTER (WHERE kind = 'call') AS talk
                    FROM '{folder}/interaction.parquet' GROUP BY ALL),
                deals AS (
                    SELECT owner AS rep, {closed} AS p, count(*) FILTER (WHERE won) AS won,
                           count(*) FILTER (WHERE NOT won) AS lost, sum(amount) FILTER (WHERE won) AS revenue,
                           median(amount) FILTER (WHERE won) AS middle
                    FROM '{folder}/deal.parquet' WHERE closed GROUP BY ALL),
                leads AS (
                    SELECT owner AS rep, date_trunc('{grain}', to_timestamp(created_at / 1000)::DATE) AS p,
                           count(*) AS created
                    FROM '{folder}/lead.parquet' GROUP BY ALL)
                SELECT * FROM acts FULL JOIN deals USING (rep, p) FULL JOIN leads USING (rep, p)
                """
            ).fetchnumpy()["rep"]
        )
    return {"seconds": time.perf_counter() - begun, "records": rows}


def with_pandas(path: Path) -> dict[str, Any]:
    """The same with pandas, from SQLite."""
    import pandas as pd

    begun = time.perf_counter()
    sql = sqlite3.connect(path)
    acts = pd.read_sql(
        "SELECT rep, day, kind, direction, outcome, opened, bounced, disposition, duration_ms FROM interaction", sql
    )
    deals = pd.read_sql("SELECT owner AS rep, closed_on AS day, won, amount FROM deal WHERE closed", sql)
    leads = pd.read_sql("SELECT owner AS rep, created_at / 86400000 AS day FROM lead", sql)
    out = acts["direction"] == "out"
    mail, call = out & (acts["kind"] == "email"), out & (acts["kind"] == "call")
    acts["emails_sent"], acts["calls_made"] = mail, call
    acts["emails_opened"], acts["emails_bounced"] = mail & (acts["opened"] == 1), mail & (acts["bounced"] == 1)
    acts["calls_answered"] = call & (acts["disposition"] == "connected")
    acts["meetings"] = (acts["kind"] == "meeting") & (acts["outcome"] == "done")
    acts["talk"] = acts["duration_ms"].where(acts["kind"] == "call")
    deals["lost"], deals["revenue"] = deals["won"] == 0, deals["amount"].where(deals["won"] == 1)
    leads["created"] = 1
    rows = 0
    for grain in GRAINS:
        frames = []
        for frame, sums in (
            (acts, [*_COUNTS, "talk"]),
            (deals, ["won", "lost", "revenue"]),
            (leads, ["created"]),
        ):
            dates = pd.to_datetime(frame["day"], unit="D")
            period = dates.dt.to_period({"day": "D", "week": "W", "month": "M", "quarter": "Q", "year": "Y"}[grain])
            grouped = frame.groupby([frame["rep"], period.rename("p")])
            frames.append(grouped[sums].sum())
            if "revenue" in sums:
                frames.append(grouped["revenue"].median().rename("middle").to_frame())
        rows += len(pd.concat(frames, axis=1))
    return {"seconds": time.perf_counter() - begun, "records": rows}


def _parquet(path: Path) -> Path:
    """The tables as Parquet files, made once."""
    folder = path.with_suffix(".parquet")
    if not folder.exists():
        folder.mkdir()
        for kind, frame in _cache(path).tables(["interaction", "deal", "lead"]).items():
            frame.collect().write_parquet(folder / f"{kind}.parquet")
    return folder


def measure(path: Path, interactions: int) -> dict[str, Run]:
    """One run of each step."""
    _parquet(path)
    found = {}
    for step in STEPS:
        command = (
            sys.executable,
            "-m",
            "benchmarks.scale",
            "--step",
            step,
            str(interactions),
            "--folder",
            str(path.parent),
        )
        found[step] = run(Contender(step, command))
    return found


def _step(step: str, path: Path, interactions: int) -> dict[str, Any]:
    if step == "everything":
        return everything(path)
    if step in ("hundred", "hundredth"):
        return changed(path, 100 if step == "hundred" else interactions // 100)
    if step == "day":
        return _score(path, full=False, as_of=Millis(NOW + DAY_MS))
    return with_pandas(path) if step == "pandas" else with_duckdb(path)


def table(found: dict[int, dict[str, Run]]) -> str:
    """Seconds, the ratio to computing everything, and memory."""
    lines = [f"{'interactions':>12}  {'step':<11} {'seconds':>8} {'of everything':>13} {'peak MiB':>9} {'values':>11}"]
    for interactions, steps in found.items():
        whole = steps["everything"].seconds
        lines += [
            f"{interactions:>12,}  {step:<11} {each.seconds:8.2f} {each.seconds / whole:13.3f} {each.peak_mib:9.0f} "
            f"{each.records or 0:>11,}"
            for step, each in steps.items()
        ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("interactions", type=int, nargs="+")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--step", choices=STEPS, help="one step alone, in this process")
    asked = parser.parse_args(arguments)
    if asked.step:
        (interactions,) = asked.interactions
        print(json.dumps(_step(asked.step, asked.folder / f"{interactions}.db", interactions)))
        return
    found: dict[int, dict[str, Run]] = {}
    for interactions in asked.interactions:
        path = asked.folder / f"{interactions}.db"
        if not path.exists():
            make(path, interactions, reps=max(500, interactions // 2_000))
        found[interactions] = measure(path, interactions)
        print(table(found), flush=True)


if __name__ == "__main__":
    main()
