"""Very many rows are written by a Bulk job, each with an outcome of its own, whatever goes wrong on the way."""

import json
from collections.abc import Iterator
from contextlib import suppress

import pytest

from connectors.contract import Change, FieldValue, KpiField, Refused, Surface, Written
from connectors.errors import CrmError, Throttled
from crm_sandbox.salesforce import lock, security
from crm_sandbox.salesforce.store import Row
from crm_sandbox.serving import Fault
from crm_sandbox.world import Prospect
from tests.connectors.salesforce_world import House, ago, house, small_world

KPIS = (KpiField("calls_made", "Calls made", "count", 0),)
MANY = 30
THRESHOLD = 20


@pytest.fixture
def ready() -> Iterator[House]:
    people = tuple(Prospect(f"lead-{n}", f"Lead {n}", f"l{n}@x.example", "X", "ana", ago(days=9)) for n in range(MANY))
    with house(small_world(prospects=people), bulk_write_from=THRESHOLD) as here:
        list(here.connector.provision(KPIS))
        here.connector.capabilities()
        here.box.log.clear()
        yield here


def kpi_record(number: int, **after: FieldValue) -> Change:
    key = f"acme:calls_made:{number}:month:2026-11-01"
    values: dict[str, FieldValue] = {"kpi": "calls_made", "value": float(number), "name": f"Calls · {number}", **after}
    return Change(surface=Surface.KPI_RECORDS, key=key, rep=None, before={}, after=values, new=True)


def rows(here: House) -> dict[str, Row]:
    return {row["External_Key__c"]: row for row in here.org.rows("Sales_KPI__c")}


def jobs(here: House) -> list[object]:
    return list(here.org.bulk_ingests._jobs)


def test_up_to_the_threshold_rows_go_in_calls_and_above_it_by_a_job(ready: House) -> None:
    list(ready.connector.push([kpi_record(number) for number in range(THRESHOLD)]))
    assert not ready.sent("/jobs/ingest")
    outcomes = list(ready.connector.push([kpi_record(number) for number in range(MANY)]))
    assert all(isinstance(outcome, Written) and outcome.record_id for outcome in outcomes)
    assert [outcome.change.key for outcome in outcomes] == [kpi_record(number).key for number in range(MANY)]
    assert len(rows(ready)) == MANY
    assert len(ready.sent("/composite/sobjects")) == 1  # the twenty before
    assert jobs(ready) == []


def test_what_a_job_writes_is_what_calls_write(ready: House) -> None:
    odd = {
        "name": 'Calls, "made"',
        "evidence": '{"ids": ["a", "b"],\n "n": 2}',
        "value": 12.5,
        "reason": None,
        "period_start": "2026-11-01",
        "rep": ready.key("seller", "ana"),
        "n": 7,
    }
    by_job = [kpi_record(number, **odd) for number in range(MANY)]
    list(ready.connector.push(by_job))
    in_a_call = kpi_record(99, **odd)
    list(ready.connector.push([in_a_call]))
    found = rows(ready)
    own = {"Id", "External_Key__c", "Name", "CreatedDate", "LastModifiedDate", "SystemModstamp"}
    one, other = ({k: v for k, v in found[key].items() if k not in own} for key in (by_job[3].key, in_a_call.key))
    assert one == other
    assert one["Value__c"] == 12.5


def test_a_blank_is_cleared_and_what_is_not_named_stays(ready: House) -> None:
    list(ready.connector.push([kpi_record(number, reason="no_data") for number in range(MANY)]))
    changed = [
        Change(
            surface=Surface.KPI_RECORDS,
            key=kpi_record(number).key,
            rep=None,
            before={},
            after={"reason": None} if number % 2 else {"value": 1.0},
        )
        for number in range(MANY)
    ]
    list(ready.connector.push(changed))
    found = rows(ready)
    assert (found[changed[1].key].get("Reason__c"), found[changed[1].key]["Value__c"]) == (None, 1)
    assert (found[changed[4].key]["Reason__c"], found[changed[4].key]["Value__c"]) == ("no_data", 1)


def test_bad_rows_and_a_locked_one_do_not_keep_the_others_from_landing(ready: House) -> None:
    changes = [kpi_record(number) for number in range(MANY)]
    changes[3] = kpi_record(3, value=1e17)  # more than eighteen digits
    lock(ready.org, [changes[5].key], times=1)
    outcomes = {outcome.change.key: outcome for outcome in ready.connector.push(changes)}
    assert len(outcomes) == MANY
    refused = [outcome for outcome in outcomes.values() if isinstance(outcome, Refused)]
    assert [outcome.change.key for outcome in refused] == [changes[3].key]
    assert refused[0].code == "NUMBER_OUTSIDE_VALID_RANGE"
    assert "kpisync explain" in refused[0].advice
    assert len(rows(ready)) == MANY - 1
    assert len(ready.sent("/composite/sobjects/Sales_KPI__c")) == 1  # the locked row went again, by a call


def test_a_field_that_was_closed_in_the_meantime_is_left_out_and_named(ready: House) -> None:
    security(ready.org, {"Lead.KPI_Engagement_Level__c": "read_only"})
    leads = [ready.key("prospect", f"lead-{n}") for n in range(MANY)]
    changes = [
        Change(surface=Surface.LEAD_SCORES, key=lead, rep=None, before={}, after={"score": 5.0, "level": "engaged"})
        for lead in leads
    ]
    outcomes = list(ready.connector.push(changes))
    assert all(isinstance(outcome, Refused) and outcome.code == "FIELD_CLOSED" for outcome in outcomes)
    assert {row.get("KPI_Engagement_Score__c") for row in ready.org.rows("Lead")} == {5}


def test_scores_are_updated_by_id_and_never_make_a_lead(ready: House) -> None:
    leads = [ready.key("prospect", f"lead-{n}") for n in range(MANY - 1)] + ["00Q00000000nobody"]
    changes = [
        Change(surface=Surface.LEAD_SCORES, key=lead, rep=None, before={}, after={"score": 5.0}) for lead in leads
    ]
    outcomes = list(ready.connector.push(changes))
    [refused] = [outcome for outcome in outcomes if isinstance(outcome, Refused)]
    assert refused.change.key == "00Q00000000nobody"
    assert len(ready.org.rows("Lead")) == MANY
    assert len([entry for entry in ready.sent("/jobs/ingest") if entry.method == "PUT"]) == 1


def test_a_key_that_comes_twice_is_sent_in_two_goes_and_the_later_value_stays(ready: House) -> None:
    changes = [*(kpi_record(number) for number in range(MANY)), kpi_record(0, value=77.0)]
    assert all(isinstance(outcome, Written) for outcome in ready.connector.push(changes))
    assert rows(ready)[changes[0].key]["Value__c"] == 77


@pytest.mark.parametrize(
    "fault",
    [
        Fault("POST .*/jobs/ingest", "answer", status=400, body='[{"errorCode": "INVALIDENTITY", "message": ""}]'),
        Fault("PUT .*/batches", "answer", status=400, body='[{"errorCode": "INVALIDJOBSTATE", "message": ""}]'),
        Fault("PATCH .*/jobs/ingest", "answer", status=400, body='[{"errorCode": "INVALIDJOBSTATE", "message": ""}]'),
        Fault("PUT .*/batches", "commit_then_drop"),
        Fault("PATCH .*/jobs/ingest", "commit_then_drop"),
        Fault("GET .*/failedResults", "answer", status=503, times=2),
        Fault("GET .*/successfulResults", "half"),
        Fault("GET .*/jobs/ingest$", "answer", status=403, body="[]"),
        Fault("DELETE .*/jobs/ingest", "reset", times=5),
    ],
    ids=lambda fault: f"{fault.path.split('/')[-1]} {fault.do}",
)
def test_whatever_goes_wrong_with_a_job_the_rows_land_once(ready: House, fault: Fault) -> None:
    ready.box.faults.append(fault)
    outcomes = list(ready.connector.push([kpi_record(number) for number in range(MANY)]))
    assert [type(outcome) for outcome in outcomes] == [Written] * MANY
    assert [rows(ready)[kpi_record(number).key]["Value__c"] for number in range(MANY)] == list(range(MANY))
    assert len(ready.org.rows("Sales_KPI__c")) == MANY


def test_a_job_that_never_ends_is_stopped_and_the_rows_go_in_calls(ready: House) -> None:
    ready.org.bulk_ingests.polls = 10_000
    outcomes = list(ready.connector.push([kpi_record(number) for number in range(MANY)]))
    assert [type(outcome) for outcome in outcomes] == [Written] * MANY
    assert jobs(ready) == []
    assert ready.sent("/composite/sobjects/Sales_KPI__c")


def test_a_used_up_allowance_stops_the_push(ready: House) -> None:
    limit = json.dumps([{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}])
    ready.box.faults.append(Fault("PUT .*/batches", "answer", status=403, body=limit))
    with pytest.raises(Throttled):
        list(ready.connector.push([kpi_record(number) for number in range(MANY)]))
    assert not ready.sent("/composite/sobjects")


def test_killed_between_any_two_requests_and_done_again_every_row_is_there_once_and_no_job_is_left(
    ready: House,
) -> None:
    list(ready.connector.push([kpi_record(number) for number in range(MANY)]))
    requests = len(ready.box.log)
    assert requests >= 9
    for value, (point, arrived) in enumerate((p, a) for p in range(requests) for a in (False, True)):
        changes = [kpi_record(number, value=float(value)) for number in range(MANY)]
        dying = ready.again(bulk_write_from=THRESHOLD)
        dying.capabilities()
        ready.box.faults[:] = [Fault(".", "reset", after=point, times=None)]
        if arrived:
            ready.box.faults.insert(0, Fault(".", "commit_then_drop", after=point))
        with suppress(CrmError):  # the last request, clearing away, fails unnoticed
            list(dying.push(changes))
        ready.box.faults.clear()
        outcomes = list(ready.again(bulk_write_from=THRESHOLD).push(changes))
        assert [type(outcome) for outcome in outcomes] == [Written] * MANY
        assert [row["Value__c"] for row in ready.org.rows("Sales_KPI__c")] == [value] * MANY
        assert [job for job in ready.org.bulk_ingests._jobs.values() if job.state not in {"JobComplete"}] == []
