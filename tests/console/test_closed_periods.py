"""A period that was closed keeps its numbers in the CRM, until somebody opens it again."""

from collections.abc import Callable

import pytest
from command_line import CRMS, Office, at

from crm_sandbox.world import Call, Seller, World

Opened = Callable[[str, World], Office]

NOW = at("2026-11-25T12:00")
ANA = Seller("ana", "Ana Ruiz", "ana@example.com", created=at("2025-01-01T00:00"))
DAYS = ("2026-09-03", "2026-10-12", "2026-10-13", "2026-11-10")
CALLS = tuple(Call(day, "ana", (), (), at(f"{day}T09:00"), outcome="Connected", seconds=90) for day in DAYS)
CONVERSATIONS = '[kpis]\ntrack = ["calls_made"]\nwrite_grains = ["month", "quarter"]\n'


@pytest.fixture(params=CRMS)
def room(request: pytest.FixtureRequest, office: Opened) -> Office:
    """Two calls in October, one in September and in November; October is closed."""
    opened = office(request.param, World("A small company", NOW, sellers=(ANA,), calls=CALLS))
    opened.settings(CONVERSATIONS)
    assert opened.kpisync("provision").code == 0
    assert opened.kpisync("run").code == 0
    assert opened.kpisync("period", "close", "2026-10", "--reason", "commission paid").code == 0
    return opened


TARGET = '[[targets]]\nkpi = "calls_made"\ngrain = "month"\nvalue = 10\nfrom = 2026-01-01\n'
"""With it every month's record says something else than before."""


def test_what_the_crm_shows_for_a_closed_month_stays_and_the_quarter_around_it_moves_on(room: Office) -> None:
    room.settings(CONVERSATIONS + TARGET)
    planned = room.kpisync("plan", "--format", "csv")
    assert ":month:2026-09-01" in planned.out
    assert ":month:2026-10-01" not in planned.out
    assert ":quarter:2026-10-01" in planned.out
    (told,) = room.kpisync("plan", "--json").document["warnings"]
    assert told == "1 records of closed periods would say something else now, and stay as they are."
    assert room.kpisync("run").code == 0
    again = room.kpisync("plan", "--json").document
    assert again["changes"] == []


def test_once_it_is_open_again_the_next_run_writes_it_and_both_reasons_are_kept(room: Office) -> None:
    room.settings(CONVERSATIONS + TARGET)
    assert room.kpisync("run").code == 0
    assert room.kpisync("period", "reopen", "2026-Q4", "--reason", "a deal was missing").code == 0
    planned = room.kpisync("plan", "--format", "csv")
    assert ":month:2026-10-01" in planned.out
    (closure,) = room.kpisync("period", "list", "--json").document
    assert (closure["first"], closure["last"], closure["reason"], closure["reopened_because"]) == (
        "2026-10-01",
        "2026-10-31",
        "commission paid",
        "a deal was missing",
    )


def test_opening_what_is_not_closed_is_a_mistake_that_is_named(room: Office) -> None:
    said = room.kpisync("period", "reopen", "2026-09", "--reason", "to see")
    assert said.code == 2
    assert "Nothing within 2026-09 is closed for acme" in said.err
    assert room.kpisync("period", "close", "last month", "--reason", "to see").code == 2
