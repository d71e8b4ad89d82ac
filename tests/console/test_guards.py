"""Guards: a run that would do harm stops with exit code 5, writes nothing, and says what to do."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from command_line import CRMS, Office, Said, at

from crm_sandbox.hubspot import ALL_SCOPES, SANDBOX_TOKEN, Portal
from crm_sandbox.salesforce import Org, change, lock
from crm_sandbox.serving import Sandbox
from crm_sandbox.world import Call, Seller, World

Opened = Callable[[str, World], Office]

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
TEAM = tuple(
    Seller(f"s{n}", f"Seller {n}", f"seller{n}@example.com", created=at("2025-01-01T00:00")) for n in range(12)
)


def calls(day: str) -> tuple[Call, ...]:
    """One call of each seller."""
    return tuple(
        Call(f"{seller.key}-{day}", seller.key, (), (), at(f"{day}T09:00"), outcome="Connected", seconds=90)
        for seller in TEAM
    )


FLOOR = World("Twelve sellers", NOW, sellers=TEAM, calls=(*calls("2026-10-12"), *calls("2026-11-10")))
TRACK = '[kpis]\ntrack = ["calls_made"]\nwrite_grains = ["month"]\n'


def stopped(room: Office, code: str, *words: str) -> Said:
    """Run, and see it stopped by a guard before it wrote anything."""
    before = len(room.sandbox.log)
    said = room.kpisync(*(words or ("run",)))
    assert said.code == 5, said.err
    assert code in said.err
    assert room.writes(before) == []
    assert room.kpisync("status", "--json").document["acme"]["last_run"]["state"] == "stopped"
    return said


@pytest.fixture(params=CRMS)
def room(request: pytest.FixtureRequest, office: Opened) -> Office:
    """A provisioned workspace of twelve sellers that has run once."""
    opened = office(request.param, FLOOR)
    opened.settings(TRACK)
    assert opened.kpisync("provision").code == 0
    assert opened.kpisync("run").code == 0
    return opened


def take_calls_away(room: Office) -> None:
    """From now on the CRM does not let us see calls."""
    crm = room.sandbox.crm
    if isinstance(crm, Org):
        crm.schema.switch(absent={"Task"})
    else:
        assert isinstance(crm, Portal)
        crm.gate.grant(SANDBOX_TOKEN, ALL_SCOPES - {"crm.objects.contacts.read"})


def test_another_organisation_behind_the_same_name_is_not_written_to(room: Office) -> None:
    world = World("Somebody else", NOW, sellers=TEAM)
    run = room.kpisync("runs", "list", "--json").document[0]["run"]
    crm = Org(world, number=2) if room.crm == "salesforce" else Portal(world, portal_id=2, enforce_limits=False)
    with Sandbox(crm) as box:
        elsewhere = Office(room.folder, room.crm, box)
        elsewhere.settings(TRACK)
        for words in (("run",), ("push",), ("rollback", run)):
            stopped(elsewhere, "KPI-GUARD-002", *words)


def test_calls_that_can_no_longer_be_read_empty_no_number_until_somebody_says_so(room: Office) -> None:
    take_calls_away(room)
    stopped(room, "KPI-GUARD-008")
    assert set(room.shown().values()) == {1.0}
    plan = room.kpisync("plan", "--json").document["plan"]
    assert room.kpisync("push", "--approve", plan).code == 0
    assert set(room.shown().values()) == {None}
    assert room.kpisync("run").code == 0


def test_a_crm_without_a_single_rep_is_not_written_to(office: Opened) -> None:
    room = office("hubspot", World("Nobody", NOW))
    room.kpisync("provision")
    stopped(room, "KPI-GUARD-001")


def test_a_number_that_too_many_reps_would_lose_is_kept(office: Opened) -> None:
    room = office("salesforce", FLOOR)
    room.settings(TRACK + "[guards]\nmax_changed_share = 1.0\n")
    room.kpisync("provision")
    room.kpisync("run")
    org = room.sandbox.crm
    assert isinstance(org, Org)
    for made in calls("2026-10-12"):
        change(org, "Task", org.id_of("call", made.key), {"Status": "Not Started"})
    assert "12 of 12 reps" in stopped(room, "KPI-GUARD-007").err


def test_a_run_that_would_take_too_many_of_the_days_calls_is_stopped(office: Opened) -> None:
    room = office("salesforce", FLOOR)
    room.settings(TRACK + "[guards]\napi_budget_share = 0.0001\n")
    room.kpisync("provision")
    assert "api_budget_share" in stopped(room, "KPI-SF-021").err


def test_after_too_many_refusals_nothing_more_is_sent(office: Opened) -> None:
    """The limit is looked at after each answer of the CRM; what stands behind it is not sent."""
    room = office("salesforce", FLOOR)
    room.settings('[kpis]\ntrack = ["calls_made", "revenue"]\n[guards]\nmax_refused = 2\n')
    room.kpisync("provision")
    org = room.sandbox.crm
    assert isinstance(org, Org)
    room.kpisync("pull")
    room.kpisync("compute")
    planned = [one["key"] for one in room.kpisync("plan", "--json").document["changes"]]
    lock(org, list(dict.fromkeys(planned))[:5], times=100)
    said = room.kpisync("run")
    assert said.code == 3
    assert "were not sent after so many refusals (guards.max_refused)" in said.err
    assert said.err.count("Refused: ") == 5
