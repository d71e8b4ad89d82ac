"""What someone changed in the CRM by hand is seen and left alone: by a plan, by its approval, by a rollback."""

from collections.abc import Callable
from typing import Any

import pytest
from command_line import CRMS, Office, at

from crm_sandbox.hubspot import Portal
from crm_sandbox.salesforce import Org, change
from crm_sandbox.world import Call, Seller, World

Opened = Callable[[str, World], Office]

ANA = Seller("ana", "Ana Ruiz", "ana@example.com", created=at("2026-01-01T00:00"))
DAYS = ("2026-10-12", "2026-11-03", "2026-11-10")
CALLS = tuple(Call(day, "ana", (), (), at(f"{day}T09:00"), outcome="Connected", seconds=90) for day in DAYS)
TRACK = '[kpis]\ntrack = ["calls_made"]\nwrite_grains = ["month"]\n'
NOON = ("--as-of", "2026-11-25T12:00:00Z")


@pytest.fixture(params=CRMS)
def room(request: pytest.FixtureRequest, office: Opened) -> Office:
    """One call in October, two in November, and the CRM shows them."""
    opened = office(request.param, World("A small company", at("2026-11-25T12:00"), sellers=(ANA,), calls=CALLS))
    opened.settings(TRACK)
    assert opened.kpisync("provision").code == 0
    assert opened.kpisync("run", *NOON).code == 0
    assert month(opened, "2026-11") == 2
    return opened


def record_of(room: Office, month: str) -> str:
    return f"acme:calls_made:{room.sandbox.crm.id_of('seller', 'ana')}:month:{month}-01"  # type: ignore[attr-defined]


def month(room: Office, month: str) -> Any:
    return room.shown()[record_of(room, month)]


def edit(room: Office, month: str, value: int) -> None:
    """Someone writes another value into our record."""
    crm, key = room.sandbox.crm, record_of(room, month)
    if isinstance(crm, Org):
        (row,) = [row for row in crm.rows("Sales_KPI__c") if row["External_Key__c"] == key]
        change(crm, "Sales_KPI__c", row["Id"], {"Value__c": value})
    else:
        assert isinstance(crm, Portal)
        (found,) = [row for row in crm.records("sales_kpi") if row["properties"]["external_key"] == key]
        crm.set("sales_kpi", found["id"], {"value": str(value)})


def call_is_no_more(room: Office, day: str) -> None:
    crm = room.sandbox.crm
    if isinstance(crm, Org):
        change(crm, "Task", crm.id_of("call", day), {"CallType": "Inbound"})
    else:
        assert isinstance(crm, Portal)
        crm.set("calls", crm.id_of("call", day), {"hs_call_direction": "INBOUND"})


def test_a_value_edited_by_hand_is_seen_and_stays_until_the_settings_say_otherwise(room: Office) -> None:
    edit(room, "2026-10", 99)
    seen = room.kpisync("plan", *NOON, "--json").document
    assert [(one["key"], one["field"], one["confirmed"], one["shown"]) for one in seen["drift"]] == [
        (record_of(room, "2026-10"), "value", 1, 99)
    ]
    assert seen["records"] == 0
    table = room.kpisync("plan", *NOON)
    assert f"Changed in the CRM: {record_of(room, '2026-10')}, value: we wrote 1, it shows 99." in table.err
    assert room.kpisync("run", *NOON, "--full").code == 0
    assert month(room, "2026-10") == 99
    room.settings(TRACK + "[guards]\noverwrite_drift = true\n")
    assert room.kpisync("run", *NOON, "--full").code == 0
    assert month(room, "2026-10") == 1


def test_a_plan_is_stale_once_the_crm_has_moved(room: Office) -> None:
    call_is_no_more(room, "2026-11-03")
    assert room.kpisync("pull", "--full").code == 0
    plan = room.kpisync("plan", *NOON, "--json").document
    assert plan["records"] == 2  # the record, and the field on Ana
    edit(room, "2026-11", 50)
    before = len(room.sandbox.log)
    said = room.kpisync("push", "--approve", plan["plan"])
    assert said.code == 5
    assert "KPI-GUARD-006" in said.err
    assert room.writes(before) == []
    edit(room, "2026-11", 2)
    assert room.kpisync("push", "--approve", plan["plan"]).code == 0
    assert month(room, "2026-11") == 1


def test_a_rollback_shows_first_puts_back_and_leaves_what_was_changed_since(room: Office) -> None:
    first = room.kpisync("runs", "list", "--json").document[0]["run"]
    edit(room, "2026-10", 99)
    before = len(room.sandbox.log)
    dry = room.kpisync("rollback", first, "--dry-run", "--json").document
    assert {(one["key"], one["field"]) for one in dry["changes"]} == {
        (record_of(room, "2026-11"), "(the record is removed)"),
        *((one["key"], "calls_made") for one in dry["changes"] if one["surface"] == "person_fields"),
    }
    assert room.writes(before) == []
    said = room.kpisync("rollback", first)
    assert said.code == 3
    assert "1 records show something else than that run wrote" in said.err
    assert room.shown() == {record_of(room, "2026-10"): 99}
