"""The faults of the real HubSpot, as a client sees them over HTTP."""

from collections.abc import Iterator

import httpx
import pytest
from hubspot_company import WORLD

from crm_sandbox.hubspot import Portal, faults
from crm_sandbox.serving import Fault, Sandbox

OWNERS = "/crm/owners/2026-09"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(Portal(WORLD)) as running:
        yield running


def statuses(sandbox: Sandbox, fault: Fault, calls: int = 3) -> list[int]:
    sandbox.faults.append(fault)
    return [ask(sandbox).status_code for _ in range(calls)]


def ask(sandbox: Sandbox) -> httpx.Response:
    return httpx.get(f"{sandbox.url}{OWNERS}", headers={"Authorization": "Bearer pat-sandbox"})


def test_a_lock_passes(sandbox: Sandbox) -> None:
    assert statuses(sandbox, faults.locked("owners", times=2)) == [423, 423, 200]


def test_a_migration_says_when_to_come_back(sandbox: Sandbox) -> None:
    sandbox.faults.append(faults.migrating("owners", seconds=3600))
    response = ask(sandbox)
    assert (response.status_code, response.headers["Retry-After"]) == (477, "3600")


def test_a_gateway_answers_in_html(sandbox: Sandbox) -> None:
    sandbox.faults.append(faults.gateway("owners", 524))
    response = ask(sandbox)
    assert (response.status_code, response.headers["Content-Type"]) == (524, "text/html; charset=UTF-8")
    assert response.text.startswith("<!DOCTYPE html>")


def test_a_token_may_end_in_the_middle_of_a_run(sandbox: Sandbox) -> None:
    assert statuses(sandbox, faults.signed_out("owners", after=1)) == [200, 401, 401]


def test_limits_can_be_hit_without_making_the_calls(sandbox: Sandbox) -> None:
    assert statuses(sandbox, faults.burst("owners"), 2) == [429, 200]
    sandbox.faults[:] = [faults.day_used_up("owners")]
    body = ask(sandbox).json()
    assert (body["policyName"], "category" in body) == ("DAILY", False)
