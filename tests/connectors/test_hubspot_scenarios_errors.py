"""Everything HubSpot says no with, met by the real connector in the middle of its work: waited out, or told apart."""

from collections.abc import Callable, Iterator

import pytest
from hubspot_world import Desk, cursor, desk, rows

from connectors.contract import Change, KpiField, NotProvisioned, Provisioned, Refused, Surface, Written
from connectors.errors import CrmError, NotAllowed, Throttled, Unreachable
from crm_sandbox.hubspot import faults
from crm_sandbox.serving import Fault
from kpi_engine.records import Interaction

KPIS = (KpiField("calls_made", "Calls made", "count", 0),)
LIST, SEARCH, BATCH, LINKS = "GET .*/calls$", "calls/search", "calls/batch/read", "associations"
CALLS = "objects/.*/calls"
HTML = {"Content-Type": "text/html"}


@pytest.fixture
def ready() -> Iterator[Desk]:
    with desk() as opened:
        list(opened.hubspot.provision(KPIS))
        yield opened


def searched_too_fast(path: str) -> Fault:
    body = '{"status":"error","message":"You have reached your secondly limit.","policyName":"SECONDLY"}'
    return Fault(path, "answer", status=429, body=body, times=3)


def expired(path: str) -> Fault:
    body = '{"status":"error","category":"EXPIRED_AUTHENTICATION","message":"The OAuth token used expired 9 s ago."}'
    return Fault(path, "answer", status=401, body=body)


PASSING: dict[str, Callable[[str], Fault]] = {
    "burst": faults.burst,
    "search a second": searched_too_fast,
    "expired token": expired,
    "lock": faults.locked,
    "short migration": lambda path: faults.migrating(path, seconds=20),
    "reset": lambda path: Fault(path, "reset"),
    "half an answer": lambda path: Fault(path, "half"),
    "garbled": lambda path: Fault(path, "garble"),
    **{
        f"gateway {status}": lambda path, status=status: faults.gateway(path, status)  # type: ignore[misc]
        for status in (500, 502, 503, 504, 521, 523, 524)
    },
}
"""What passes by itself."""


@pytest.mark.parametrize("where", [LIST, SEARCH, BATCH, LINKS])
@pytest.mark.parametrize("what", PASSING)
def test_what_passes_is_waited_out_and_nothing_is_lost_wherever_it_happens(what: str, where: str) -> None:
    with desk() as opened:
        struck = PASSING[what](where)
        opened.box.faults.append(struck)
        after = cursor(opened.read("calls"))
        for key in ("c1", "c2"):
            opened.portal.set("calls", opened.id_of("call", key), {"hs_call_duration": "9000"})
        changed = {row.duration_ms for row in rows(opened.read("calls", after), Interaction)}
        assert struck.seen > 0
        assert changed == {9000}


@pytest.mark.parametrize(
    ("what", "waited"),
    [("burst", 10.0), ("search a second", 1.0), ("lock", 2.0), ("short migration", 20.0)],
)
def test_each_refusal_is_given_its_own_time(what: str, waited: float) -> None:
    with desk(faults=[PASSING[what]("calls/search")]) as opened:
        opened.read("calls")
        assert waited in opened.clock.slept


LASTING: dict[str, tuple[Fault, type[CrmError], str]] = {
    "token revoked": (faults.signed_out(CALLS), NotAllowed, "KPI-HS-010"),
    "blocked at the edge": (Fault(CALLS, "answer", status=530, times=None), NotAllowed, "KPI-HS-010"),
    "edition": (Fault(CALLS, "answer", status=403, body="{}", times=None), NotAllowed, "KPI-HS-012"),
    "no such path": (
        Fault(CALLS, "answer", status=404, body='{"status":"error","message":"resource not found"}', times=None),
        CrmError,
        "KPI-HS-041",
    ),
    "address too long": (
        Fault(CALLS, "answer", status=414, body="<html>", headers=HTML, times=None),
        CrmError,
        "KPI-HS-040",
    ),
    "day used up": (faults.day_used_up(CALLS), Throttled, "KPI-HS-020"),
    "never slow enough": (faults.burst(CALLS, times=None), Throttled, "KPI-HS-021"),
    "moving for a day": (faults.migrating(CALLS, seconds=86_400, times=None), Throttled, "KPI-HS-022"),
    "locked for good": (faults.locked(CALLS, times=None), Unreachable, "KPI-HS-030"),
    **{
        f"down with {status}": (faults.gateway(CALLS, status, times=None), Unreachable, "KPI-HS-030")
        for status in (502, 503, 504, 524)
    },
    **{
        f"broken at the edge with {status}": (faults.gateway(CALLS, status, times=None), Unreachable, "KPI-HS-031")
        for status in (522, 525, 526)
    },
}
"""What does not pass: the error's kind says what to do about it."""


@pytest.mark.parametrize("what", LASTING)
def test_what_lasts_is_an_error_that_says_what_to_do(what: str) -> None:
    fault, kind, code = LASTING[what]
    fault.seen = 0
    with desk() as opened:
        opened.box.faults.append(fault)
        with pytest.raises(kind) as caught:
            opened.read("calls")
        assert caught.value.code == code
        assert caught.value.advice
        assert len(rows(opened.read("meetings"), Interaction)) == 1


@pytest.mark.parametrize("what", ["day used up", "moving for a day", "token revoked", "edition"])
def test_what_cannot_pass_is_not_tried_again_and_again(what: str) -> None:
    fault, kind, _ = LASTING[what]
    fault.seen = 0
    with desk() as opened:
        opened.box.faults.append(fault)
        with pytest.raises(kind):
            opened.read("calls")
        assert fault.seen <= 2


def score(ready: Desk, value: float = 1.0) -> Change:
    lea = ready.id_of("prospect", "lea")
    return Change(surface=Surface.LEAD_SCORES, key=lea, rep=None, before={}, after={"score": value})


@pytest.mark.parametrize("what", PASSING)
def test_a_write_that_meets_what_passes_is_made_once(ready: Desk, what: str) -> None:
    ready.box.faults.append(PASSING[what]("contacts/batch/update"))
    (outcome,) = ready.hubspot.push([score(ready)])
    assert isinstance(outcome, Written)
    shown = ready.portal.record("contacts", ready.id_of("prospect", "lea"))["properties"]
    assert shown["kpi_engagement_score"] == "1.0"


def test_a_write_whose_answer_is_lost_after_it_was_made_is_made_again_and_changes_nothing(ready: Desk) -> None:
    record = Change(surface=Surface.KPI_RECORDS, key="a:k:1", rep=None, before={}, after={"value": 1.0}, new=True)
    ready.box.faults += [Fault("batch/upsert", "commit_then_drop"), Fault("batch/update", "commit_then_drop")]
    outcomes = list(ready.hubspot.push([record, score(ready)]))
    assert [type(each) for each in outcomes] == [Written, Written]
    assert len(ready.portal.records("sales_kpi")) == 1


WRONG_VALUES = {
    "PROPERTY_DOESNT_EXIST": "provision",
    "READ_ONLY_VALUE": "read-only",
    "INVALID_OPTION": "list",
    "MISSING_REQUIRED_PROPERTY": "required",
    "INVALID_INTEGER": "provision",
    "INVALID_LONG": "provision",
    "INVALID_NUMBER": "provision",
    "INVALID_DATE": "provision",
}


@pytest.mark.parametrize("inside", [True, False], ids=["inside the message", "as errors of the call"])
@pytest.mark.parametrize("code", WRONG_VALUES)
def test_every_fault_of_a_value_refuses_its_row_with_advice(ready: Desk, code: str, inside: bool) -> None:
    one = f'{{"isValid":false,"message":"no","error":"{code}","name":"kpi_engagement_score"}}'
    quoted = one.replace('"', '\\"')
    message = f"Property values were not valid: [{quoted}]" if inside else "no"
    errors = "" if inside else f',"errors":[{{"message":"no","code":"{code}","context":{{"propertyName":["x"]}}}}]'
    body = f'{{"status":"error","category":"VALIDATION_ERROR","message":"{message}"{errors}}}'
    ready.box.faults.append(Fault("contacts/batch/update", "answer", status=400, body=body))
    (refused,) = ready.hubspot.push([score(ready)])
    assert isinstance(refused, Refused)
    assert (refused.code, refused.reason) == (code, "no")
    assert WRONG_VALUES[code] in refused.advice


def test_a_scope_that_is_missing_for_writing_refuses_its_rows_and_the_others_are_written(ready: Desk) -> None:
    record = Change(surface=Surface.KPI_RECORDS, key="a:k:1", rep=None, before={}, after={"value": 1.0}, new=True)
    ready.box.faults.append(Fault("contacts/batch/update", "answer", status=403, body="{}", times=None))
    outcomes = {each.change.surface: each for each in ready.hubspot.push([record, score(ready)])}
    assert isinstance(outcomes[Surface.KPI_RECORDS], Written)
    refused = outcomes[Surface.LEAD_SCORES]
    assert isinstance(refused, Refused)
    assert "KPI-HS-012" in refused.reason


@pytest.mark.parametrize("what", PASSING)
@pytest.mark.parametrize("path", ["POST .*/schemas$", "POST .*/properties/.*/users$", "GET .*/schemas$"])
def test_provisioning_ends_whole_whatever_passes_in_between(what: str, path: str) -> None:
    with desk() as opened:
        opened.box.faults.append(PASSING[what](path))
        done: list[Provisioned | NotProvisioned] = []
        try:
            done = list(opened.hubspot.provision(KPIS))
        except Unreachable:
            done = list(opened.hubspot.provision(KPIS))
        assert not [each for each in done if isinstance(each, NotProvisioned)]
        assert opened.hubspot.capabilities().surfaces == set(Surface)
        assert len(opened.portal.store.schemas) == 1


@pytest.mark.parametrize("path", ["POST .*/schemas$", "POST .*/properties/.*/users$", "POST .*/groups$"])
def test_what_was_made_although_the_answer_was_lost_is_not_made_twice(path: str) -> None:
    with desk() as opened:
        opened.box.faults.append(Fault(path, "commit_then_drop"))
        assert not [each for each in opened.hubspot.provision(KPIS) if isinstance(each, NotProvisioned)]
        assert opened.hubspot.capabilities().surfaces == set(Surface)
        assert len(opened.portal.store.schemas) == 1
