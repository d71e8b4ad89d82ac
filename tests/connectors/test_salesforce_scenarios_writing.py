"""Rows that an admin's own rules refuse: each is named with what to do about it, and everything else lands."""

from collections.abc import Iterator

import pytest

from connectors.contract import Change, FieldValue, KpiField, Refused, Surface, Written
from connectors.salesforce.refusals import OTHERWISE
from crm_sandbox.salesforce import forbid, lock
from crm_sandbox.world import Prospect
from tests.connectors.salesforce_world import House, ago, house, small_world

KPIS = (KpiField("calls_made", "Calls made", "count", 0),)
PEOPLE = tuple(Prospect(key, key.title(), f"{key}@x.example", "X", "ana", ago(days=9)) for key in ("lea", "eva"))

ADVICE = {
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": "validation rule",
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": "trigger or flow",
    "CANNOT_EXECUTE_FLOW_TRIGGER": "flow",
    "APEX_ERROR": "trigger",
    "MIXED_DML_OPERATION": "trigger or flow on User",
    "DUPLICATES_DETECTED": "duplicate rule",
    "TRANSFER_REQUIRES_READ": "Sales KPI Viewer",
    "INACTIVE_OWNER_OR_USER": "active user",
    "INSUFFICIENT_ACCESS_OR_READONLY": "Manage Internal Users",
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": "user record",
    "INVALID_CROSS_REFERENCE_KEY": "no longer exists",
    "ENTITY_IS_DELETED": "recycle bin",
    "STORAGE_LIMIT_EXCEEDED": "storage is full",
    "STRING_TOO_LONG": "kpisync provision",
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": "kpisync provision",
    "NUMBER_OUTSIDE_VALID_RANGE": "kpisync explain",
    "REQUIRED_FIELD_MISSING": "made required",
    "DUPLICATE_VALUE": "delete the older",
    "CANNOT_UPDATE_CONVERTED_LEAD": "nothing to do",
}
"""A row's code → a piece of the advice that its reader gets."""


@pytest.fixture(scope="module")
def ready() -> Iterator[House]:
    with house(small_world(prospects=PEOPLE)) as opened:
        list(opened.connector.provision(KPIS))
        yield opened


def record(number: int) -> Change:
    after: dict[str, FieldValue] = {"name": f"Calls made {number}", "kpi": "calls_made", "value": float(number)}
    return Change(surface=Surface.KPI_RECORDS, key=f"acme:{number}", rep=None, before={}, after=after, new=True)


def person(house: House, who: str) -> Change:
    key = house.key("seller", who)
    return Change(surface=Surface.PERSON_FIELDS, key=key, rep=key, before={}, after={"calls_made": 7})


def score(house: House, who: str) -> Change:
    key = house.key("prospect", who)
    return Change(surface=Surface.LEAD_SCORES, key=key, rep=None, before={}, after={"score": 12.5})


def pushed(house: House, *changes: Change) -> dict[str, Written | Refused]:
    return {outcome.change.key: outcome for outcome in house.connector.push(changes)}


@pytest.mark.parametrize("code", ADVICE)
def test_a_rule_of_the_admin_s_refuses_its_row_with_advice_and_no_other(ready: House, code: str) -> None:
    changes = [record(number) for number in range(3)]
    forbid(ready.org, [changes[1].key], code, "words of an admin: lea@x.example")
    outcomes = pushed(ready, *changes)
    ready.org.locks.refused.clear()
    refused = outcomes.pop(changes[1].key)
    assert isinstance(refused, Refused)
    assert (refused.code, refused.retry) == (code, False)
    assert ADVICE[code] in refused.advice
    assert refused.advice != OTHERWISE
    assert "lea@x.example" not in refused.reason
    assert all(isinstance(outcome, Written) for outcome in outcomes.values())


def test_a_rule_on_one_user_or_lead_keeps_no_other_user_or_lead_from_its_numbers(ready: House) -> None:
    ana, lea = person(ready, "ana"), score(ready, "lea")
    forbid(ready.org, [ana.key], "MIXED_DML_OPERATION")
    forbid(ready.org, [lea.key], "FIELD_CUSTOM_VALIDATION_EXCEPTION")
    outcomes = pushed(ready, ana, person(ready, "bo"), lea, score(ready, "eva"), record(9))
    ready.org.locks.refused.clear()
    assert {key for key, outcome in outcomes.items() if isinstance(outcome, Refused)} == {ana.key, lea.key}
    [bo] = [row for row in ready.org.rows("User") if row["Id"] == ready.key("seller", "bo")]
    assert bo["KPI_Calls_Made__c"] == 7


def test_a_rule_is_obeyed_by_a_bulk_job_too(ready: House) -> None:
    changes = [record(number) for number in range(100, 2_110)]
    forbid(ready.org, [changes[5].key], "FIELD_CUSTOM_VALIDATION_EXCEPTION", "no: not here")
    outcomes = {each.change.key: each for each in ready.again(bulk_write_from=2_001).push(changes)}
    ready.org.locks.refused.clear()
    assert ready.sent("jobs/ingest")
    [refused] = [outcome for outcome in outcomes.values() if isinstance(outcome, Refused)]
    assert (refused.change.key, refused.code) == (changes[5].key, "FIELD_CUSTOM_VALIDATION_EXCEPTION")
    assert "validation rule" in refused.advice


def test_what_somebody_else_holds_for_long_is_for_the_next_run_and_what_breaks_a_rule_is_not(ready: House) -> None:
    held, broken = record(20), record(21)
    lock(ready.org, [held.key], times=99)
    forbid(ready.org, [broken.key], "FIELD_CUSTOM_VALIDATION_EXCEPTION")
    outcomes = pushed(ready, held, broken)
    ready.org.locks.refused.clear()
    assert {key: outcome.retry for key, outcome in outcomes.items() if isinstance(outcome, Refused)} == {
        held.key: True,
        broken.key: False,
    }
