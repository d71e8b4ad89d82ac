"""Whoever looks after kpisync is told when a run was stopped or failed: once for each trouble, and by a program too."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import SECRETS, Office, at

from crm_sandbox.salesforce import Org, lock
from crm_sandbox.world import Call, Seller, World

Opened = Callable[[str, World], Office]

ANA = Seller("ana", "Ana Ruiz", "ana@example.com", created=at("2026-01-01T00:00"))
WORLD = World(
    "A small company",
    at("2026-11-25T12:00"),
    sellers=(ANA,),
    calls=tuple(
        Call(f"c{month}", "ana", (), (), at(f"2026-{month:02}-03T09:00"), outcome="Connected", seconds=90)
        for month in (1, 11)
    ),
)
KEEP = """
import os, sys
about = " ".join(os.environ[f"KPISYNC_ALERT_{name}"] for name in ("CONNECTION", "STATE", "CODE"))
open(sys.argv[1], "a").write(about + " | " + sys.stdin.read())
"""


@pytest.fixture
def room(office: Opened) -> Office:
    """A company that has run once, and a program that keeps what it is told."""
    room = office("salesforce", WORLD)
    program = json.dumps([sys.executable, "-c", KEEP, str(heard(room))])
    room.settings(f'[kpis]\ntrack = ["calls_made"]\nwrite_grains = ["month"]\n[alerts]\ncommand = {program}\n')
    assert room.kpisync("provision").code == 0
    assert room.kpisync("run").code == 0
    assert not heard(room).exists()
    return room


def heard(room: Office) -> Path:
    return room.folder / "heard"


def take_calls_away(room: Office, *, back: bool = False) -> None:
    org = room.sandbox.crm
    assert isinstance(org, Org)
    org.schema.switch(absent=set() if back else {"Task"})


def test_a_run_that_a_guard_stops_is_told_once_until_it_goes_well_again(room: Office) -> None:
    take_calls_away(room)
    said = room.kpisync("run")
    assert said.code == 5
    assert 'error run.stopped connection="acme" code="KPI-GUARD-008"' in said.err
    (told,) = heard(room).read_text().splitlines()
    assert told.startswith("acme stopped KPI-GUARD-008 | kpisync acme stopped. KPI-GUARD-008: The CRM no longer gives")
    again = room.kpisync("run")
    assert again.code == 5
    assert "run.stopped" not in again.err
    take_calls_away(room, back=True)
    assert room.kpisync("run").code == 0
    take_calls_away(room)
    assert room.kpisync("run").code == 5
    assert len(heard(room).read_text().splitlines()) == 2


def test_a_sign_in_that_fails_is_told_and_stands_in_the_history(room: Office) -> None:
    for _ in range(2):
        assert room.kpisync("run", secrets=dict.fromkeys(SECRETS, "guessed")).code == 4
    (told,) = heard(room).read_text().splitlines()
    assert told.startswith("acme failed KPI-SF-")
    assert "guessed" not in told
    last = room.kpisync("status", "--json").document["acme"]["last_run"]
    assert (last["what"], last["state"], last["code"]) == ("run", "failed", told.split()[2])


def test_a_program_that_is_not_there_hides_nothing(room: Office) -> None:
    room.settings('[kpis]\ntrack = ["calls_made"]\nwrite_grains = ["month"]\n[alerts]\ncommand = ["no-such-program"]\n')
    take_calls_away(room)
    said = room.kpisync("run")
    assert said.code == 5
    assert 'alert.failed command="no-such-program"' in said.err
    assert "KPI-GUARD-008" in said.err


def test_a_push_that_ends_after_too_many_refusals_is_told_and_the_refusals_stand_in_the_log(room: Office) -> None:
    org = room.sandbox.crm
    assert isinstance(org, Org)
    settings = (room.folder / "kpisync.toml").read_text().replace('["month"]', '["day"]')
    (room.folder / "kpisync.toml").write_text(settings + "[guards]\nmax_refused = 1\n")
    planned = room.kpisync("plan", "--json").document["changes"]
    days = sorted({one["key"] for one in planned})
    assert len(days) > 300  # more than are noted at once
    lock(org, days[:3], times=100)
    said = room.kpisync("run")
    assert said.code == 3
    assert 'warning run.refused connection="acme" refused=3' in said.err
    (told,) = heard(room).read_text().splitlines()
    assert told.startswith("acme stopped KPI-GUARD-009 | kpisync acme stopped. KPI-GUARD-009: After 3 refused records")
