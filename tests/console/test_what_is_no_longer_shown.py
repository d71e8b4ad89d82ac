"""What the CRM no longer shows: KPIs and grains that were switched off, months that are over, and what is too old."""

from collections.abc import Callable

import pytest
from command_line import CRMS, Office, at

from crm_sandbox.world import Call, Seller, World

Opened = Callable[[str, World], Office]

NOW = at("2026-11-25T12:00")
ANA = Seller("ana", "Ana Ruiz", "ana@example.com", created=at("2025-01-01T00:00"))
DAYS = ("2026-08-03", "2026-10-12", "2026-11-10")
CALLS = tuple(Call(day, "ana", (), (), at(f"{day}T09:00"), outcome="Connected", seconds=90) for day in DAYS)
BOTH = '[kpis]\ntrack = ["calls_made", "deals_won"]\nwrite_grains = ["month"]\n'
CALLS_ONLY = '[kpis]\ntrack = ["calls_made"]\nwrite_grains = ["month"]\n'


@pytest.fixture(params=CRMS)
def room(request: pytest.FixtureRequest, office: Opened) -> Office:
    """Calls of August, October and November, and two KPIs of every month since."""
    opened = office(request.param, World("A small company", NOW, sellers=(ANA,), calls=CALLS))
    opened.settings(BOTH)
    assert opened.kpisync("provision").code == 0
    assert opened.kpisync("run").code == 0
    return opened


def months(room: Office) -> dict[str, list[str]]:
    """KPI → the months for which the CRM has a record."""
    found: dict[str, list[str]] = {}
    for key in sorted(room.shown()):
        _, kpi, _, _, month = key.split(":")
        found.setdefault(kpi, []).append(month[:7])
    return found


SINCE_AUGUST = ["2026-08", "2026-09", "2026-10", "2026-11"]


def test_a_kpi_that_is_switched_off_leaves_its_history_and_no_record_of_the_month_that_goes_on(room: Office) -> None:
    assert months(room) == {"calls_made": SINCE_AUGUST, "deals_won": SINCE_AUGUST}
    room.settings(CALLS_ONLY)
    planned = room.kpisync("plan", "--format", "csv")
    assert planned.out.count("(the record is removed)") == 1
    assert room.kpisync("run").code == 0
    assert months(room) == {"calls_made": SINCE_AUGUST, "deals_won": SINCE_AUGUST[:3]}
    before = len(room.sandbox.log)
    assert room.kpisync("run").code == 0
    assert room.writes(before) == []


def test_records_older_than_the_settings_keep_are_removed_and_come_back_with_the_rollback(room: Office) -> None:
    room.settings(BOTH + "keep_months = 1\n")
    report = room.kpisync("run", "--json").document["acme"]
    assert months(room) == {"calls_made": SINCE_AUGUST[2:], "deals_won": SINCE_AUGUST[2:]}
    assert room.kpisync("rollback", report["run"]).code == 0
    assert months(room) == {"calls_made": SINCE_AUGUST, "deals_won": SINCE_AUGUST}


def test_a_new_month_begins_empty_on_the_person_and_last_months_record_stays(room: Office) -> None:
    assert room.kpisync("run", "--as-of", "2026-12-01T12:00:00Z").code == 0
    shown = {key.split(":")[4]: value for key, value in room.shown().items() if ":calls_made:" in key}
    assert shown["2026-11-01"] == 1
    assert shown["2026-12-01"] == 0
    assert on_the_person(room) == 0


def on_the_person(room: Office) -> float | None:
    """Ana's calls of this month, as her user shows them."""
    from crm_sandbox.hubspot import Portal
    from crm_sandbox.salesforce import Org

    crm = room.sandbox.crm
    if isinstance(crm, Org):
        ana = crm.id_of("seller", "ana")
        value = next(row.get("KPI_Calls_Made__c") for row in crm.rows("User") if row["Id"] == ana)
    else:
        assert isinstance(crm, Portal)
        value = next(
            value for row in crm.records("users") if (value := row["properties"].get("kpi_calls_made")) is not None
        )
    return None if value in (None, "") else float(value)
