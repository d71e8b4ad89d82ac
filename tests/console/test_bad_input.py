"""Bad input gets a clear error and loses nothing: the documented exit code, what to do, a cache that still works."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import CRMS, SECRETS, Office, Said, at, kpisync

from crm_sandbox.hubspot import Portal
from crm_sandbox.salesforce import EVERYTHING, Org, change, lock
from crm_sandbox.serving import Fault
from crm_sandbox.world import Call, Prospect, Sale, Seller, World

Opened = Callable[[str, World], Office]

NOW = at("2026-11-25T12:00")
ANA = Seller("ana", "Ana Ruiz", "ana@example.com", created=at("2025-01-01T00:00"))
QUEUE = Seller("queue", "Inbound queue", "queue@example.com", kind="queue", created=at("2025-01-01T00:00"))


def call(key: str, seller: str | None = "ana") -> Call:
    return Call(key, seller, (), (), at("2026-11-10T09:00"), outcome="Connected", seconds=90)


CALLS = tuple(call(f"c{n}") for n in range(3))
SMALL = World("A small company", NOW, sellers=(ANA, QUEUE), calls=CALLS)


def no_secret_in(said: Said) -> None:
    for secret in SECRETS.values():
        assert secret not in said.out + said.err
    assert "Traceback" not in said.err


def calls_made(room: Office, rep: str = "ana@example.com") -> int | None:
    """What `kpisync values` says of this month; None where there is no such row."""
    said = room.kpisync(
        "values", "--kpi", "calls_made", "--rep", rep, "--grain", "month", "--period", "2026-11", "--format", "jsonl"
    )
    assert said.code == 0, said.err
    return next((row["value"] for row in said.lines), None)


@pytest.fixture(params=CRMS)
def room(request: pytest.FixtureRequest, office: Opened) -> Office:
    """A provisioned workspace that has run once."""
    opened = office(request.param, SMALL)
    assert opened.kpisync("provision").code == 0
    assert opened.kpisync("run").code == 0
    assert calls_made(opened) == 3
    return opened


def test_a_wrong_secret_is_not_allowed_in_and_says_where_to_look(room: Office) -> None:
    wrong = {"KPISYNC_ACME_CLIENT_SECRET": "guessed-secret", "KPISYNC_ACME_TOKEN": "guessed-token"}
    said = room.kpisync("run", secrets=wrong)
    assert said.code == 4
    assert "KPI-SF-" in said.err or "KPI-HS-" in said.err
    assert "guessed" not in said.err
    no_secret_in(said)
    assert calls_made(room) == 3


def test_a_missing_secret_names_the_variable_to_set(room: Office) -> None:
    said = room.kpisync("run", secrets={"KPISYNC_ACME_CLIENT_SECRET": "", "KPISYNC_ACME_TOKEN": ""})
    assert said.code == 2
    assert "KPI-CFG-002" in said.err
    assert ("KPISYNC_ACME_TOKEN" if room.crm == "hubspot" else "KPISYNC_ACME_CLIENT_SECRET") in said.err
    assert calls_made(room) == 3
    looked = room.kpisync("doctor", secrets={"KPISYNC_ACME_CLIENT_SECRET": "", "KPISYNC_ACME_TOKEN": ""})
    assert looked.code == 1
    assert "KPI-CFG-002" in looked.out


def test_an_unknown_setting_is_named_with_the_nearest_one(room: Office) -> None:
    room.settings("[guards]\nmax_changed_shar = 0.5")
    said = room.kpisync("run")
    assert said.code == 2
    assert "guards.max_changed_shar (did you mean max_changed_share?)" in said.err
    room.settings()
    assert calls_made(room) == 3


def test_an_unknown_kpi_in_the_settings_is_named_with_the_nearest_one(room: Office) -> None:
    room.settings('[kpis]\ntrack = ["calls_maid"]')
    said = room.kpisync("run")
    assert said.code == 2
    assert "there is no KPI 'calls_maid' (did you mean calls_made?)" in said.err


@pytest.mark.parametrize("words", [("explain", "calls_maid", "ana@example.com"), ("values", "--kpi", "calls_maid")])
def test_an_unknown_kpi_on_the_command_line_is_named_with_the_nearest_one(room: Office, words: tuple[str, ...]) -> None:
    said = room.kpisync(*words)
    assert said.code == 2
    assert "did you mean calls_made?" in said.err


def test_an_unknown_rep_is_named(room: Office) -> None:
    said = room.kpisync("explain", "calls_made", "nobody@example.com")
    assert said.code == 2
    assert "nobody@example.com" in said.err


@pytest.mark.parametrize("said", ["2031-02-30", "next week", "9999-12-31"])
def test_what_is_no_moment_is_named_with_how_to_write_one(room: Office, said: str) -> None:
    told = room.kpisync("compute", "--as-of", said)
    assert told.code == 2
    assert (
        told.err.strip()
        == f"KPI-CFG-001: --as-of: '{said}' is no moment; write a date, 2026-11-25, or 2026-11-25T18:00."
    )


@pytest.mark.parametrize("words", [("values", "--period", "2026-13"), ("period", "close", "2026-W60", "--reason", "x")])
def test_what_is_no_period_is_named_with_how_to_write_one(room: Office, words: tuple[str, ...]) -> None:
    told = room.kpisync(*words)
    assert told.code == 2
    assert f"'{words[-1] if words[0] == 'values' else words[2]}' is no period; write 2026-11-25, 2026-W48" in told.err


def test_an_unreachable_host_is_named_and_the_cache_still_answers(room: Office) -> None:
    key = "login_url" if room.crm == "salesforce" else "base_url"
    room.settings(**{key: "http://127.0.0.1:9"})
    said = room.kpisync("run")
    assert said.code == 1
    assert "127.0.0.1:9" in said.err
    no_secret_in(said)
    assert calls_made(room) == 3


def test_a_folder_without_settings_is_told_what_to_run(tmp_path: Path) -> None:
    said = kpisync(tmp_path / "empty", "run")
    assert said.code == 2
    assert "kpisync init" in said.err


def test_a_record_without_owner_is_collected_and_written_to_nobody(office: Opened) -> None:
    world = World("Ownerless", NOW, sellers=(ANA, QUEUE), calls=(*CALLS, call("stray", None), call("queued", "queue")))
    room = office("salesforce", world)
    room.kpisync("provision")
    assert room.kpisync("run").code == 0
    assert calls_made(room) == 3
    assert calls_made(room, "unassigned") == 2
    assert not any(":unassigned:" in key for key in room.shown())


def page_of_calls(crm: str) -> str:
    """The requests that bring the calls: Salesforce's queries, HubSpot's lists and searches of calls."""
    return "GET /services/data/v66.0/queryAll" if crm == "salesforce" else "/objects/2026-09/calls|/0-48"


@pytest.mark.parametrize("crm", CRMS)
def test_a_half_sent_page_is_asked_for_again(crm: str, office: Opened) -> None:
    room = office(crm, SMALL)
    room.kpisync("provision")
    room.sandbox.faults.append(Fault(page_of_calls(crm), "half"))
    assert room.kpisync("run").code == 0
    assert any(entry.fault == "half" for entry in room.sandbox.log)
    assert calls_made(room) == 3


@pytest.mark.slow
def test_pages_that_are_always_half_sent_end_the_run_and_the_next_one_completes_it(office: Opened) -> None:
    room = office("salesforce", SMALL)
    room.kpisync("provision")
    room.sandbox.faults.append(Fault(page_of_calls("salesforce"), "half", times=None))
    broken = room.kpisync("run")
    assert broken.code == 1
    assert "KPI-SF-" in broken.err
    no_secret_in(broken)
    room.sandbox.faults.clear()
    assert room.kpisync("run").code == 0
    assert calls_made(room) == 3


def test_a_corrupt_cache_is_told_apart_and_says_what_to_do(room: Office) -> None:
    (room.folder / "kpisync.db").write_bytes(b"this is no database" * 1000)
    for leftover in ("kpisync.db-wal", "kpisync.db-shm"):
        (room.folder / leftover).unlink(missing_ok=True)
    said = room.kpisync("run")
    assert said.code == 1
    assert "KPI-CACHE-" in said.err
    assert "kpisync.db" in said.err


def test_a_run_that_would_empty_what_was_shown_is_stopped_and_writes_nothing(office: Opened) -> None:
    deals = tuple(
        Sale(
            f"d{n}",
            f"Deal {n}",
            ((at("2026-01-01T00:00"), "ana"),),
            at("2026-01-01T00:00"),
            "won",
            at(f"2026-{n:02}-05T00:00").date(),
        )
        for n in range(1, 12)
    )
    room = office("salesforce", World("Wins", NOW, sellers=(ANA,), sales=deals))
    room.settings('[kpis]\ntrack = ["deals_won"]\nwrite_grains = ["month"]')
    room.kpisync("provision")
    assert room.kpisync("run").code == 0
    org = room.sandbox.crm
    assert isinstance(org, Org)
    for deal in deals:
        change(org, "Opportunity", org.id_of("sale", deal.key), {"StageName": "Closed Lost"})
    before = len(room.sandbox.log)
    said = room.kpisync("run")
    assert said.code == 5
    assert "KPI-GUARD-003" in said.err
    assert room.writes(before) == []


def test_rows_that_the_crm_refuses_are_named_and_the_rest_lands(office: Opened) -> None:
    room = office("salesforce", SMALL)
    room.kpisync("provision")
    org = room.sandbox.crm
    assert isinstance(org, Org)
    org.schema.switch(permissions=EVERYTHING - {"ManageInternalUsers"})
    said = room.kpisync("run")
    assert said.code == 3
    assert "Manage Internal Users" in said.err
    assert any(":calls_made:" in key for key in room.shown())
    assert calls_made(room) == 3


@pytest.mark.parametrize("crm", CRMS)
def test_three_bad_rows_are_named_with_advice_and_the_others_are_written(crm: str, office: Opened) -> None:
    leads = tuple(
        Prospect(f"l{n}", f"Lead {n}", f"l{n}@p.example", f"Firm {n}", "ana", at("2026-10-01T09:00")) for n in range(20)
    )
    room = office(crm, World("Twenty leads", NOW, sellers=(ANA,), prospects=leads))
    room.kpisync("provision")
    pretended = room.sandbox.crm
    bad = [room.sandbox.crm.id_of("prospect", f"l{n}") for n in (3, 7, 11)]
    if isinstance(pretended, Org):
        lock(pretended, bad, times=100)
    else:
        assert isinstance(pretended, Portal)
        pretended.desk.change({"required": {"contacts": ["company"]}})
        for lead in bad:
            pretended.set("contacts", lead, {"company": None})
    said = room.kpisync("run", "--json")
    assert said.code == 3
    report = said.document["acme"]
    assert sorted(one["change"]["key"] for one in report["refused"]) == sorted(bad)
    assert all(one["code"] and one["reason"] and one["advice"] for one in report["refused"])
    assert report["written"] == report["planned"] - 3
    shown = room.kpisync("runs", "show", report["run"], "--json").document
    assert {one["key"] for one in shown["outcomes"] if one["state"] == "refused"} == set(bad)


HOLD_THE_LOCK = """
import sys, time
from pathlib import Path
from sync.lock import only_run
with only_run(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_process_leaves_and_a_killed_ones_lock_is_taken_over(office: Opened) -> None:
    room = office("salesforce", SMALL)
    room.kpisync("provision")
    root = Path(__file__).parents[2]
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD_THE_LOCK, str(room.folder)], cwd=root, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        said = room.kpisync("run")
        assert said.code == 6
        assert "KPI-LOCK-001" in said.err
    finally:
        holder.kill()
        holder.wait()
    assert room.kpisync("run").code == 0
    assert calls_made(room) == 3
