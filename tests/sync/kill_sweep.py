"""Kills a run at each of its boundaries and looks at what the next run makes of it.

    python -m tests.sync.kill_sweep salesforce|hubspot [POINTS]

A boundary is: before a request, after its answer, before a commit to the cache or the ledger. The run is a process of
its own that really dies there. The CRM is another process, and lives on. Both start from the same prepared state at
every point: a fork of one organisation and a copy of one workspace. POINTS are spread evenly; without it all are swept.

The preparing process computes nothing itself: the engine's threads would not survive a fork.
"""

import hashlib
import json
import os
import shutil
import sqlite3
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Engine, event

from connectors import hubspot, salesforce
from connectors.contract import Connector, KpiField
from crm_sandbox.hubspot import SANDBOX_TOKEN, Portal
from crm_sandbox.hubspot.fingerprint import fingerprints
from crm_sandbox.salesforce import CLIENT_ID, CLIENT_SECRET, Org, fingerprint
from crm_sandbox.serving import Request, Response, Sandbox
from crm_sandbox.world import Call, Prospect, Sale, Seller, World
from kpi_engine.records import Company, Day, Millis
from sync.cache import Cache
from sync.ledger import Ledger
from sync.run import Job, Options, pull, push, roll_back, run, score

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
AS_OF = Millis(int(NOW.timestamp() * 1000))
KPIS = ("calls_made", "deals_won")
SINCE = Day((datetime(2025, 12, 1, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).days)
REPS, LEADS = 15, 75
ROWS = 450
"""15 reps x 2 KPIs x 12 months, a person record for each rep, and 75 leads."""

KILLED = 9


def world() -> World:
    """Every rep made a call and won a deal in each of twelve months; every rep has five leads."""
    months = [datetime(2025 + (11 + n) // 12, (11 + n) % 12 + 1, 10, 9, tzinfo=UTC) for n in range(12)]
    reps = [f"rep-{n:02}" for n in range(REPS)]
    created = NOW - timedelta(days=700)
    return World(
        "Acme",
        NOW,
        sellers=tuple(Seller(rep, f"Rep {rep}", f"{rep}@acme.example", created=created) for rep in reps),
        prospects=tuple(
            Prospect(f"lead-{n}", f"Lead {n}", f"lead{n}@p.example", f"Firm {n}", reps[n % REPS], months[3])
            for n in range(LEADS)
        ),
        sales=tuple(
            Sale(f"{rep}-{n}", "Deal", ((day, rep),), day, "won", day.date(), day, Decimal(1000))
            for rep in reps
            for n, day in enumerate(months)
        ),
        calls=tuple(
            Call(f"{rep}-{n}", rep, (), (f"{rep}-{n}",), day, "out", "Connected", 60)
            for rep in reps
            for n, day in enumerate(months)
        ),
    )


@dataclass
class Watched:
    """A pretend CRM that remembers how often each row was written."""

    name: str
    crm: Any
    written: Counter[str] = field(default_factory=Counter)

    def answer(self, request: Request) -> Response:
        response: Response = self.crm.answer(request)
        if request.body and response.status < 300:
            self.written.update(self._rows(request))
        return response

    def control(self, request: Request) -> Response:
        answer: Response = self.crm.control(request)
        return answer

    def _rows(self, request: Request) -> list[str]:
        if self.name == "salesforce" and request.method == "PATCH" and "/composite/sobjects" in request.path:
            return [row.get("External_Key__c") or row["id"] for row in request.json()["records"]]
        if self.name == "hubspot" and request.path.endswith(("/batch/upsert", "/batch/update")):
            return [row["id"] for row in request.json()["inputs"]]
        return []

    def state(self) -> str:
        """Everything in the CRM in a few characters; stamps do not count."""
        if self.name == "hubspot":
            return fingerprints(self.crm.store)["all"]
        objects = fingerprint(self.crm)["objects"]
        # What was removed lies in the recycle bin, and a record made again has another id.
        objects["Sales_KPI__c"] = sorted(str(_told(row)) for row in self.crm.rows("Sales_KPI__c"))
        return hashlib.sha256(json.dumps(objects, sort_keys=True).encode()).hexdigest()


def _told(row: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """A row's own fields; who made it and when is not what it says."""
    return sorted((name, value) for name, value in row.items() if name.endswith("__c") or name in {"Name", "OwnerId"})


def watched(name: str) -> Watched:
    crm = Org(world()) if name == "salesforce" else Portal(world(), enforce_limits=False)
    return Watched(name, crm)


def connect(name: str, url: str) -> Connector:
    if name == "salesforce":
        settings = salesforce.SalesforceSettings(login_url=url, client_id=CLIENT_ID)
        return salesforce.connect(settings, {"CLIENT_SECRET": CLIENT_SECRET}.get, sleep=_no_rest)
    portal = hubspot.HubSpotSettings(base_url=url)
    return hubspot.connect(portal, {"TOKEN": SANDBOX_TOKEN}.get, sleep=_no_rest)


def _no_rest(_seconds: float) -> None:
    """Between two tries: the pretend CRM is ready at once."""


# ---------------------------------------------------------------------- the processes


class Boundaries:
    """Counts the boundaries that a run crosses, and dies at one of them."""

    def __init__(self, die_at: int | None) -> None:
        self.crossed = 0
        self._die_at = die_at
        self._lock = threading.Lock()

    def cross(self, *_: object) -> None:
        with self._lock:
            self.crossed += 1
            if self.crossed == self._die_at:
                os._exit(KILLED)

    def watch(self) -> None:
        send = httpx.Client.send

        def sent(client: httpx.Client, request: httpx.Request, **how: Any) -> httpx.Response:
            self.cross()
            response = send(client, request, **how)
            self.cross()
            return response

        httpx.Client.send = sent  # type: ignore[method-assign,assignment]
        event.listen(Engine, "commit", self.cross)


Work = Callable[[str, Path], None]


class Worker:
    """A process that waits for the CRM's address and then works."""

    def __init__(self, work: Work, folder: Path) -> None:
        ears, self._mouth = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._mouth)
            url = os.read(ears, 200).decode()
            code = 1
            try:
                if url:
                    work(url, folder)
                code = 0
            except BaseException as failure:  # told by the exit code; there is nobody above us
                sys.stderr.write(f"{type(failure).__name__}: {failure}\n")
            finally:
                sys.stderr.flush()
                os._exit(code)
        os.close(ears)

    def go(self, url: str) -> int:
        os.write(self._mouth, url.encode())
        os.close(self._mouth)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def open_job(name: str, url: str) -> Job:
    options = Options(track=KPIS, write_grains=("month",), since=SINCE)
    return Job(name="acme", connector=connect(name, url), company=Company(connection="acme"), options=options)


def books(folder: Path) -> tuple[Cache, Ledger]:
    url = f"sqlite:///{folder}/kpisync.db"
    return Cache.open(url, "acme"), Ledger.open(url, "acme")


def prepared(name: str) -> Work:
    """Everything is read and computed, nothing written."""

    def work(url: str, folder: Path) -> None:
        job, (cache, _) = open_job(name, url), books(folder)
        pull(job, cache)
        score(job, cache, as_of=AS_OF)

    return work


def running(name: str, die_at: int | None) -> Work:
    """One run, which dies at a boundary; it leaves the number of those that it crossed."""

    def work(url: str, folder: Path) -> None:
        job, (cache, ledger) = open_job(name, url), books(folder)
        boundaries = Boundaries(die_at)
        boundaries.watch()
        run(job, cache, ledger, now=AS_OF, as_of=AS_OF)
        (folder / "crossed").write_text(str(boundaries.crossed))

    return work


def taken_back(name: str) -> Work:
    """Every run that wrote, or may have, is rolled back, the latest first."""

    def work(url: str, folder: Path) -> None:
        job, (_, ledger) = open_job(name, url), books(folder)
        for one in ledger.runs():
            if one.what == "run":
                push(job, ledger, roll_back(job, ledger, one.id))

    return work


# ---------------------------------------------------------------------- one point


@dataclass(frozen=True)
class Seen:
    """What there was after a killed run and the next one."""

    first: int
    second: int
    crm: str
    shown: list[list[str]]
    outcomes: list[list[str]]
    known: int
    written: dict[str, int]
    back: str


def in_a_world(crm: Watched, folder: Path, works: list[Work]) -> Any:
    """Fork the CRM; let one process after the other work with it; what the CRM then says."""
    answer = folder / "answer.json"
    pid = os.fork()
    if pid == 0:
        try:
            workers = [Worker(work, folder) for work in works]
            with Sandbox(crm) as box:
                told: list[Any] = []
                for worker in workers:
                    told.append({"exit": worker.go(box.url), "crm": crm.state(), "written": dict(crm.written)})
                    told[-1] |= ledger_of(folder)
            answer.write_text(json.dumps(told))
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    return json.loads(answer.read_text())


def ledger_of(folder: Path) -> dict[str, Any]:
    """What the ledger holds, but for who wrote it when."""
    with sqlite3.connect(folder / "kpisync.db") as sql:
        shown = sql.execute("SELECT surface, key, fields FROM ledger_shown ORDER BY 1, 2").fetchall()
        outcomes = sql.execute(
            "SELECT surface, key, state, before, after FROM ledger_outcome ORDER BY 1, 2, 3"
        ).fetchall()
        known = sql.execute("SELECT count(*) FROM ledger_known").fetchone()[0]
    return {"shown": shown, "outcomes": outcomes, "known": known}


def seen(crm: Watched, prepared_folder: Path, die_at: int | None) -> tuple[Seen, int | None]:
    """A run that dies at a boundary, the next one, and then both taken back."""
    folder = Path(tempfile.mkdtemp(prefix="sweep"))
    try:
        shutil.copytree(prepared_folder, folder, dirs_exist_ok=True)
        works = [running(crm.name, die_at), running(crm.name, None), taken_back(crm.name)]
        first, second, back = in_a_world(crm, folder, works)
        crossed = folder / "crossed"
        count = int(crossed.read_text()) if die_at is None and crossed.exists() else None
        if die_at is None:
            second = first | {"exit": second["exit"]}
        told = {name: second[name] for name in ("crm", "shown", "outcomes", "known", "written")}
        return Seen(first=first["exit"], second=second["exit"], back=back["crm"], **told), count
    finally:
        shutil.rmtree(folder)


# ---------------------------------------------------------------------- the sweep


@dataclass
class Swept:
    """What a sweep found. `losses`: points after which the CRM or the ledger was not as after an undisturbed run;
    `doubles`: points at which a row was written more than twice; `not_back`: where rolling back left a trace."""

    crm: str
    boundaries: int
    rows: int
    points: list[int] = field(default_factory=list)
    losses: list[int] = field(default_factory=list)
    doubles: list[int] = field(default_factory=list)
    not_back: list[int] = field(default_factory=list)

    def note(self, point: int, found: Seen, undisturbed: Seen, before: str) -> None:
        self.points.append(point)
        same = all(getattr(found, name) == getattr(undisturbed, name) for name in ("crm", "shown", "outcomes", "known"))
        if not same or found.first != KILLED or found.second != 0:
            self.losses.append(point)
        if max(found.written.values(), default=0) > 2:
            self.doubles.append(point)
        if found.back != before:
            self.not_back.append(point)

    def __str__(self) -> str:
        return (
            f"{self.crm}: {self.rows} rows, {len(self.points)} of {self.boundaries} points swept, "
            f"{len(self.losses)} losses, {len(self.doubles)} doubles, {len(self.not_back)} not put back"
        )


def sweep(name: str, points: int | None = None) -> Swept:
    """Kill a run at `points` of its boundaries, or at all of them."""
    crm = watched(name)
    with Sandbox(crm) as box:
        connector = connect(name, box.url)
        list(connector.provision([KpiField(key=key, label=key, unit="count", places=0) for key in KPIS]))
        connector.close()
    crm.written.clear()
    before = crm.state()
    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder)
        in_a_world(crm, ready, [prepared(name)])
        undisturbed, count = seen(crm, ready, None)
        assert count is not None, "The undisturbed run failed."
        swept = Swept(name, count, len(undisturbed.written))
        for point in evenly(count, points):
            found, _ = seen(crm, ready, point)
            swept.note(point, found, undisturbed, before)
        if undisturbed.back != before:
            swept.not_back.append(0)
    return swept


def evenly(count: int, wanted: int | None) -> list[int]:
    """`wanted` of the numbers 1 … count, the first and the last among them."""
    if wanted is None or wanted >= count:
        return list(range(1, count + 1))
    return sorted({1 + round(number * (count - 1) / (wanted - 1)) for number in range(wanted)})


def main(arguments: list[str]) -> int:
    name, *few = arguments
    swept = sweep(name, int(few[0]) if few else None)
    sys.stdout.write(json.dumps({**vars(swept), "said": str(swept)}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
