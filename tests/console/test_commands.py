"""Setting up, looking before writing, writing, taking back, and running on a schedule."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from command_line import CRMS, SECRETS, Office, at, kpisync

from crm_sandbox.salesforce import CLIENT_ID, Org, change
from crm_sandbox.world import Call, Prospect, Sale, Seller, World

Opened = Callable[[str, World], Office]

NOW = at("2026-11-25T12:00")
START = at("2026-01-05T00:00")
BOSS = Seller("boss", "Bea Soto", "bea@example.com", created=START)
ANA = Seller("ana", "Ana Ruiz", "ana@example.com", manager="boss", created=START)
LEE = Seller("lee", "Jordan Lee", "lee@example.com", manager="boss", created=START)
COMPANY = World(
    "A small company",
    NOW,
    sellers=(BOSS, ANA, LEE),
    prospects=(Prospect("p1", "Pat Doe", "pat@example.org", "Acme", "ana", START, channel="Web"),),
    calls=tuple(
        Call(f"c{n}", "ana", ("p1",), (), at(f"2026-11-{n:02}T09:00"), outcome="Connected", seconds=90) for n in (3, 4)
    ),
    sales=(Sale("d1", "Deal", ((START, "ana"),), START, "won", at("2026-11-05T00:00").date(), at("2026-11-05T12:00")),),
)


NOON = ("--as-of", "2026-11-25T12:00:00Z")
FEW = '[kpis]\ntrack = ["calls_made", "deals_won"]\nwrite_grains = ["week", "month"]\nsince = 2026-10-01\n'
"""Two KPIs of two months: what is tested here does not need more records in the CRM."""


@pytest.fixture(params=CRMS)
def room(request: pytest.FixtureRequest, office: Opened) -> Office:
    opened = office(request.param, COMPANY)
    opened.settings(FEW)
    return opened


# ── set up ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_init_adds_a_connection_and_keeps_what_people_wrote(tmp_path: Path) -> None:
    file = tmp_path / "kpisync.toml"
    file.write_text("# ours\n[company]\nfiscal_year_start = 4  # April\n")
    words = ("init", "--non-interactive", "--crm", "hubspot", "--name", "acme")
    assert kpisync(tmp_path, *words).code == 0
    assert file.read_text().startswith("# ours\n[company]\nfiscal_year_start = 4  # April\n")
    assert kpisync(tmp_path, "target", "list", "--json").document == []
    again = kpisync(tmp_path, *words)
    assert again.code == 2
    assert "has a connection 'acme' already" in again.err


def test_init_without_a_terminal_asks_nothing_and_names_the_secret_that_is_still_needed(tmp_path: Path) -> None:
    words = ("init", "--non-interactive", "--crm", "salesforce", "--name", "eu-sales")
    missing = kpisync(tmp_path, *words)
    assert missing.code == 2
    assert not (tmp_path / "kpisync.toml").exists()
    said = kpisync(tmp_path, *words, "--login-url", "https://acme.my.salesforce.com", "--client-id", "3MVG9")
    assert said.code == 0
    assert "KPISYNC_EU_SALES_CLIENT_SECRET" in said.err


def test_doctor_says_what_works_and_what_is_missing(room: Office) -> None:
    room.kpisync("provision")
    said = room.kpisync("doctor", "--json")
    assert said.code == 0, said.err
    found = {finding["what"]: finding for finding in said.document}
    assert found["sign-in"]["state"] == found["cache"]["state"] == "ok"
    assert any(finding["state"] == "note" and finding["fix"] for finding in said.document)


def test_doctor_says_where_everything_is_computed_and_what_is_missing_for_it(
    room: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = Office(tmp_path, room.crm, room.sandbox)
    elsewhere.settings('[engine]\nkind = "spark"\nmaster = "local[4]"')
    java = tmp_path / "java"
    java.write_text("#!/bin/sh\n")
    java.chmod(0o755)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    (found,) = [one for one in elsewhere.kpisync("doctor", "--json").document if one["what"] == "engine"]
    assert (found["state"], found["detail"]) == ("ok", "Spark: local[4]")
    java.unlink()
    said = elsewhere.kpisync("doctor", "--json")
    assert said.code == 1
    (found,) = [one for one in said.document if one["what"] == "KPI-ENGINE-002"]
    assert "openjdk-17-jre-headless" in found["fix"]


def test_doctor_tells_a_wrong_sign_in_with_its_fix(room: Office) -> None:
    said = room.kpisync("doctor", "--json", secrets=dict.fromkeys(SECRETS, "guessed"))
    assert said.code == 1
    wrong = [finding for finding in said.document if finding["state"] == "wrong"]
    assert wrong
    assert all(finding["fix"] for finding in wrong)


def test_provisioning_shows_first_makes_once_and_is_taken_back_whole(room: Office) -> None:
    before = len(room.sandbox.log)
    dry = room.kpisync("provision", "--dry-run", "--json").document["acme"]
    assert all(thing["made"] for thing in dry)
    made = room.kpisync("provision", "--json").document["acme"]
    assert [thing["what"] for thing in made if thing["made"]] == [thing["what"] for thing in dry if thing["made"]]
    assert len(room.sandbox.log) > before
    again = len(room.sandbox.log)
    assert not any(thing["made"] for thing in room.kpisync("provision", "--json").document["acme"])
    assert room.writes(again) == []
    assert room.kpisync("unprovision").code == 0
    rest = room.kpisync("unprovision", "--json").document["acme"]
    assert not any(thing["made"] for thing in rest)


def test_the_field_of_a_kpi_that_is_no_longer_tracked_is_taken_back_too(room: Office) -> None:
    room.settings('[kpis]\ntrack = ["calls_made", "deals_won"]\n')
    made = {thing["what"] for thing in room.kpisync("provision", "--json").document["acme"] if thing["made"]}
    room.settings('[kpis]\ntrack = ["calls_made"]\n')
    gone = {thing["what"] for thing in room.kpisync("unprovision", "--json").document["acme"] if thing["made"]}
    fields = {what for what in made if "deals_won" in what.lower()}
    assert fields
    assert fields <= gone


# ── everyday ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_plan_is_shown_in_every_format_and_writes_nothing(room: Office, tmp_path: Path) -> None:
    room.kpisync("provision")
    room.kpisync("pull")
    before = len(room.sandbox.log)
    plan = room.kpisync("plan", *NOON, "--format", "json").document
    rows = room.kpisync("plan", *NOON, "--format", "csv").out.splitlines()
    page = tmp_path / "plan.html"
    room.kpisync("plan", *NOON, "--format", "html", "--out", str(page))
    table = room.kpisync("plan", *NOON)
    assert room.writes(before) == []
    assert plan["records"] > 0
    assert rows[0] == "surface,key,rep,kpi,field,before,after"
    assert len(rows) == len(plan["changes"]) + 1
    assert plan["plan"] in table.out
    html = page.read_text()
    assert all(row["key"] in html for row in plan["changes"])
    assert "http" not in html.replace("http-equiv", "")
    assert "<script" not in html


def test_an_approved_plan_is_written_as_it_was(room: Office) -> None:
    room.kpisync("provision")
    room.kpisync("pull")
    plan = room.kpisync("plan", "--format", "json").document
    pushed = room.kpisync("push", "--approve", plan["plan"], "--json")
    assert pushed.code == 0, pushed.err
    assert pushed.document["acme"]["written"] == plan["records"]
    assert room.kpisync("push", "--approve", "no-such-plan").code == 1


def test_a_dry_run_writes_nothing(room: Office) -> None:
    room.kpisync("provision")
    before = len(room.sandbox.log)
    report = room.kpisync("run", "--dry-run", "--json").document["acme"]
    assert report["planned"] > 0
    assert report["written"] == 0
    assert room.writes(before) == []
    assert room.shown() == {}


def test_the_crm_shows_the_numbers_on_records_and_people(room: Office) -> None:
    room.kpisync("provision")
    assert room.kpisync("run", "--as-of", "2026-11-25").code == 0
    shown = room.shown()
    rep = room.sandbox.crm.id_of("seller", "ana")  # type: ignore[attr-defined]
    assert shown[f"acme:calls_made:{rep}:month:2026-11-01"] == 2
    assert shown[f"acme:calls_made:{rep}:week:2026-11-02"] == 2
    if isinstance(room.sandbox.crm, Org):
        (user,) = [row for row in room.sandbox.crm.rows("User") if row["Id"] == rep]
        assert user["KPI_Calls_Made__c"] == 2
    else:
        users = room.sandbox.crm.records("users")  # type: ignore[attr-defined]
        assert [
            row["properties"]["kpi_calls_made"] for row in users if row["properties"]["hubspot_owner_id"] == rep
        ] == ["2"]


def test_only_one_object_can_be_pulled(room: Office) -> None:
    told = room.kpisync("pull", "--object", "users" if room.crm == "salesforce" else "owners", "--json")
    assert told.code == 0, told.err
    assert set(told.document["acme"]["rows"]) <= {"rep"}
    unknown = room.kpisync("pull", "--object", "unicorns")
    assert "unicorns" in unknown.err


def test_what_a_run_wrote_can_be_looked_up_and_put_back(office: Opened) -> None:
    room = office("salesforce", COMPANY)
    room.settings(FEW)
    room.kpisync("provision")
    room.kpisync("run")
    org = room.sandbox.crm
    assert isinstance(org, Org)
    first = room.shown()
    change(org, "Task", org.id_of("call", "c3"), {"CallType": "Inbound"})
    report = room.kpisync("run", "--json").document["acme"]
    assert report["written"] > 0
    assert room.shown() != first
    runs = room.kpisync("runs", "list", "--json").document
    assert runs[0]["run"] == report["run"]
    told = room.kpisync("runs", "show", report["run"], "--json").document
    changed = {(row["key"], row["field"]): (row["before"], row["after"]) for row in told["outcomes"]}
    rep = org.id_of("seller", "ana")
    month = f"acme:calls_made:{rep}:month:2026-11-01"
    assert changed[month, "value"] == (2, 1)
    row = next(row for row in told["outcomes"] if (row["key"], row["field"]) == (month, "value"))
    assert (row["why"], row["came"], row["went"]) == ("other records count", [], [org.id_of("call", "c3")])
    assert row["at"].startswith("20")
    shown = room.kpisync("runs", "show", report["run"]).out
    assert f"other records count: 2 → 1; − {org.id_of('call', 'c3')}" in " ".join(shown.split())
    assert room.kpisync("rollback", report["run"]).code == 0
    assert room.shown() == first
    assert room.kpisync("runs", "show", "no-such-run").code == 1


# ── targets ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_target_is_set_kept_and_measured_against(room: Office) -> None:
    assert (
        room.kpisync("target", "set", "calls_made", "4", "--scope", "rep:ana@example.com", "--from", "2026-01-01").code
        == 0
    )
    assert room.kpisync("target", "list", "--json").document == [
        {"kpi": "calls_made", "scope": "rep:ana@example.com", "grain": "month", "value": 4.0, "from": "2026-01-01"}
    ]
    room.kpisync("pull")
    room.kpisync("compute", "--as-of", "2026-11-30")
    words = (
        "values",
        "--kpi",
        "calls_made",
        "--rep",
        "ana@example.com",
        "--grain",
        "month",
        "--period",
        "2026-11",
        "--json",
    )
    (row,) = room.kpisync(*words).document
    assert (row["value"], row["target"], row["attainment"]) == (2, 4, 0.5)


def test_targets_are_imported_whole_or_not_at_all(room: Office, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text(
        "kpi,scope,grain,value,from\ncalls_made,everyone,day,5,2026-01-01\nrevenue,everyone,month,9000,2026-01-01\n"
    )
    bad.write_text("kpi,scope,grain,value,from\ncalls_maid,everyone,day,5,2026-01-01\n")
    assert room.kpisync("target", "import", str(good)).code == 0
    said = room.kpisync("target", "import", str(bad))
    assert said.code == 2
    assert "calls_maid" in said.err
    assert len(room.kpisync("target", "list", "--json").document) == 2


# ── operate ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_schedule_is_told_paused_and_resumed(office: Opened) -> None:
    room = office("hubspot", COMPANY)
    room.settings('[schedule]\npull = "15m"\nwrite = "0 7 * * mon-fri"\ntime_zone = "Europe/Madrid"')
    assert room.kpisync("schedule", "list", "--json").document["schedule"]["pull"] == "15m"
    coming = room.kpisync("schedule", "next", "-n", "6", "--json").document
    assert len(coming) == 6
    assert [one["at"] for one in coming] == sorted(one["at"] for one in coming)
    assert room.kpisync("schedule", "pause").code == 0
    assert room.kpisync("schedule", "list", "--json").document["paused_since"]["acme"] is not None
    assert room.kpisync("schedule", "resume").code == 0
    assert room.kpisync("schedule", "list", "--json").document["paused_since"]["acme"] is None


def test_status_tells_freshness_and_the_last_run(room: Office) -> None:
    room.kpisync("provision")
    room.kpisync("run")
    told = room.kpisync("status", "--json").document["acme"]
    assert told["records"] > 0
    assert told["last_run"]["state"] == "done"
    assert told["next_run"] is not None


def program(*words: str) -> list[str]:
    return [sys.executable, "-c", "from console.cli import main; main()", *words]


def until(true: Callable[[], bool], server: "Server") -> None:
    """Wait for something the server does; gives up after a minute, or as soon as the server does, with what it said."""
    given_up = time.monotonic() + 60
    while not true():
        if time.monotonic() > given_up or server.process.poll() is not None:
            raise AssertionError(f"it did not happen; the server said: {server.said()}")
        time.sleep(0.5)  # the pretend CRM answers from this very process


@dataclass(frozen=True)
class Server:
    """The program in a process of its own. It writes into files: a pipe that nobody reads would fill and hold it up."""

    process: "subprocess.Popen[bytes]"
    out: Path
    err: Path

    def said(self) -> str:
        return self.out.read_text() + self.err.read_text()


@pytest.fixture
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """`started(words, …)` starts the program; whatever still runs at the end is stopped."""
    running: list[subprocess.Popen[bytes]] = []

    def start(*words: str) -> Server:
        folder = tmp_path_factory.mktemp("server")
        out, err = folder / "out", folder / "err"
        environment = {**os.environ, **SECRETS, "PYTHONUNBUFFERED": "1"}
        with out.open("wb") as to_out, err.open("wb") as to_err:
            process = subprocess.Popen(
                program(*words), cwd=Path(__file__).parents[2], env=environment, stdout=to_out, stderr=to_err
            )
        running.append(process)
        return Server(process, out, err)

    yield start
    for process in running:
        process.kill()
        process.wait()


def test_serve_works_on_its_schedule_and_stops_when_it_is_told_to(
    office: Opened, started: Callable[..., Server]
) -> None:
    room = office("salesforce", COMPANY)
    room.settings(FEW + '[schedule]\npull = "1s"\nwrite = "2s"')
    room.kpisync("provision")
    server = started("--workspace", str(room.folder), "serve", "--no-console")
    until(lambda: bool(room.shown()), server)
    until(lambda: ("run", "done") in runs(room), server)
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(timeout=60) == 0, server.said()
    assert "Stopped." in server.said()


def runs(room: Office) -> set[tuple[str, str]]:
    """What ran and how it ended."""
    return {(run["what"], run["state"]) for run in room.kpisync("runs", "list", "--json").document}


@pytest.mark.parametrize("crm", CRMS)
def test_the_sandbox_says_where_it_is_and_how_to_get_in(
    crm: str, tmp_path: Path, started: Callable[..., Server]
) -> None:
    faults = tmp_path / "faults.json"
    faults.write_text(json.dumps([{"path": "token|details", "do": "answer", "status": 503, "times": 1}]))
    server = started("sandbox", "--crm", crm, "--faults", str(faults), "--json")
    until(lambda: server.out.read_text().rstrip().endswith("}"), server)
    told = json.loads(server.out.read_text())
    assert told["crm"] == crm
    secrets = {"KPISYNC_ACME_CLIENT_SECRET": told.get("client_secret", ""), "KPISYNC_ACME_TOKEN": told.get("token", "")}
    address = "login_url" if crm == "salesforce" else "base_url"
    (tmp_path / "kpisync.toml").write_text(
        f'[connections.acme]\ncrm = "{crm}"\n{address} = "{told["url"]}"\n'
        + (f'client_id = "{CLIENT_ID}"\n' if crm == "salesforce" else "")
    )
    assert kpisync(tmp_path, "doctor", secrets=secrets).code == 0


def test_a_folder_or_a_list_of_faults_that_cannot_be_understood_is_told(tmp_path: Path) -> None:
    assert kpisync(tmp_path, "sandbox", "--data", str(tmp_path)).code == 2
    (tmp_path / "faults.json").write_text('[{"path": "x", "do": "explode"}]')
    assert kpisync(tmp_path, "sandbox", "--faults", str(tmp_path / "faults.json")).code == 2
