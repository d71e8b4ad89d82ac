"""`kpisync runs retry`: what the CRM refused is tried again with what is right by now, and nothing else is written."""

from collections.abc import Callable
from typing import Any

import pytest
from command_line import Office, at

from crm_sandbox.salesforce import EVERYTHING, Org, change
from crm_sandbox.world import Call, Seller, World

Opened = Callable[[str, World], Office]

NOW = at("2026-11-25T12:00")
ANA = Seller("ana", "Ana Ruiz", "ana@example.com", created=at("2026-01-01T00:00"))
CALLS = tuple(
    Call(f"c{day}", "ana", (), (), at(f"2026-11-{day:02}T09:00"), outcome="Connected", seconds=90) for day in (3, 4)
)


@pytest.fixture
def room(office: Opened) -> Office:
    """A company whose CRM refused the fields on people in the first run, and takes them now."""
    room = office("salesforce", World("A small company", NOW, sellers=(ANA,), calls=CALLS))
    room.settings('[kpis]\ntrack = ["calls_made"]\nwrite_grains = ["month"]')
    room.kpisync("provision")
    org(room).schema.switch(permissions=EVERYTHING - {"ManageInternalUsers"})
    assert room.kpisync("run").code == 3
    assert on_the_person(room) is None
    org(room).schema.switch(permissions=EVERYTHING)
    return room


def org(room: Office) -> Org:
    assert isinstance(room.sandbox.crm, Org)
    return room.sandbox.crm


def on_the_person(room: Office) -> Any:
    """Ana's calls of this month, as her user shows them."""
    ana = org(room).id_of("seller", "ana")
    return next(row.get("KPI_Calls_Made__c") for row in org(room).rows("User") if row["Id"] == ana)


def last_run(room: Office) -> dict[str, Any]:
    found: dict[str, Any] = room.kpisync("runs", "list", "--json").document[0]
    return found


def test_what_was_refused_is_written_once_it_is_allowed_and_then_nothing_is_left_to_retry(room: Office) -> None:
    refused = last_run(room)["run"]
    told = room.kpisync("runs", "retry", refused, "--json")
    assert told.code == 0, told.err
    assert (told.document["acme"]["written"], told.document["acme"]["refused"]) == (1, [])
    assert on_the_person(room) == 2
    assert (last_run(room)["what"], last_run(room)["state"]) == ("retry", "done")
    before = len(room.sandbox.log)
    assert room.kpisync("runs", "retry", refused, "--json").document["acme"]["written"] == 0
    assert room.writes(before) == []


def test_a_retry_writes_what_is_right_by_now_and_only_where_it_was_refused(room: Office) -> None:
    refused, records = last_run(room)["run"], room.shown()
    change(org(room), "Task", org(room).id_of("call", "c3"), {"CallType": "Inbound"})
    room.kpisync("pull")
    room.kpisync("compute")
    assert room.kpisync("runs", "retry", refused).code == 0
    assert on_the_person(room) == 1
    assert room.shown() == records  # the next run's business: these were not refused


def test_a_retry_that_is_refused_again_says_so(room: Office) -> None:
    refused = last_run(room)["run"]
    org(room).schema.switch(permissions=EVERYTHING - {"ManageInternalUsers"})
    said = room.kpisync("runs", "retry", refused)
    assert said.code == 3
    assert "Manage Internal Users" in said.err


def test_a_retry_can_be_looked_at_first_and_an_unknown_run_is_told(room: Office) -> None:
    before = len(room.sandbox.log)
    said = room.kpisync("runs", "retry", last_run(room)["run"], "--dry-run", "--json")
    assert [change["field"] for change in said.document["changes"]] == ["calls_made"]
    assert room.writes(before) == []
    assert room.kpisync("runs", "retry", "no-such-run").code == 1
