"""What HubSpot's answers mean."""

import httpx
import pytest
from hubspot_world import cursor, desk, rows

from connectors.errors import CrmError, NotAllowed, Throttled, Unreachable, Unreadable
from connectors.hubspot.answers import MissingScope, Rejected, error_of, problem_of, ruling
from connectors.transport import Verdict
from crm_sandbox.serving import Fault
from kpi_engine.records import Interaction

SCOPES = (
    '{"status":"error","category":"MISSING_SCOPES","correlationId":"c-1","errors":[{"message":"…","context":'
    '{"requiredGranularScopes":["crm.objects.contacts.read","sales-email-read"]}}]}'
)


def answer(status: int, body: str = "", **headers: str) -> httpx.Response:
    return httpx.Response(status, text=body, headers={name.replace("_", "-"): value for name, value in headers.items()})


def limit(policy: str) -> str:
    return f'{{"status":"error","errorType":"RATE_LIMIT","policyName":"{policy}"}}'


@pytest.mark.parametrize(
    ("response", "verdict", "wait"),
    [
        (answer(200, "{}"), Verdict.ACCEPT, None),
        (answer(400, "{}"), Verdict.ACCEPT, None),
        (answer(401, "{}"), Verdict.SIGN_IN, None),
        (answer(403, SCOPES), Verdict.ACCEPT, None),
        (answer(423), Verdict.RETRY, 2.0),
        (answer(429, limit("TEN_SECONDLY_ROLLING")), Verdict.RETRY, 10.0),
        (answer(429, limit("SECONDLY")), Verdict.RETRY, 1.0),
        (answer(429, limit("SECONDLY"), retry_after="3"), Verdict.RETRY, 3.0),
        (answer(429, limit("DAILY")), Verdict.ACCEPT, None),
        (answer(429, "", retry_after="3600"), Verdict.ACCEPT, None),
        (answer(477, "", retry_after="30"), Verdict.RETRY, 30.0),
        (answer(477, "", retry_after="43200"), Verdict.ACCEPT, None),
        (answer(502, "<html>"), Verdict.RETRY, None),
        (answer(504, "<html>"), Verdict.RETRY, None),
        (answer(524, "<html>"), Verdict.RETRY, None),
        (answer(522, "<html>"), Verdict.ACCEPT, None),
    ],
)
def test_every_answer_has_its_ruling(response: httpx.Response, verdict: Verdict, wait: float | None) -> None:
    found = ruling(response)
    assert (found.verdict, found.wait) == (verdict, wait)


@pytest.mark.parametrize(
    ("response", "kind", "code"),
    [
        (answer(401), NotAllowed, "KPI-HS-010"),
        (answer(403, SCOPES), MissingScope, "KPI-HS-012"),
        (answer(403), MissingScope, "KPI-HS-012"),
        (answer(400), Rejected, "KPI-HS-040"),
        (answer(414), Rejected, "KPI-HS-040"),
        (answer(429, limit("DAILY")), Throttled, "KPI-HS-020"),
        (answer(429, limit("SECONDLY")), Throttled, "KPI-HS-021"),
        (answer(477, "", retry_after="43200"), Throttled, "KPI-HS-022"),
        (answer(502, "<html>"), Unreachable, "KPI-HS-030"),
        (answer(526, "<html>"), Unreachable, "KPI-HS-031"),
        (answer(302), Unreadable, "KPI-HS-042"),
    ],
)
def test_every_refusal_has_its_error(response: httpx.Response, kind: type[CrmError], code: str) -> None:
    error = error_of(response, "calls")
    assert type(error) is kind
    assert error.code == code
    assert error.advice


def test_a_missing_scope_is_named_to_its_reader() -> None:
    error = error_of(answer(403, SCOPES), "emails")
    assert isinstance(error, MissingScope)
    assert error.scopes == ("crm.objects.contacts.read", "sales-email-read")
    assert "sales-email-read" in error.advice


@pytest.mark.parametrize(
    "body",
    ["", "<html>", "[]", '"no"', '{"errors":"no"}', '{"errors":[7],"context":[]}', '{"context":{"missingScopes":7}}'],
)
def test_an_error_body_may_be_anything(body: str) -> None:
    assert problem_of(answer(503, body)).status == 503


def test_older_error_bodies_name_scopes_elsewhere() -> None:
    assert problem_of(answer(403, '{"context":{"missingScopes":["forms"]}}')).scopes == ("forms",)


@pytest.mark.parametrize(
    "fault",
    [
        Fault("calls", "answer", status=502, body="<html>Bad gateway</html>"),
        Fault("calls", "answer", status=423, body="{}"),
        Fault("calls", "answer", status=477, headers={"Retry-After": "5"}),
        Fault("calls", "reset"),
        Fault("calls", "half"),
        Fault("GET .*/objects/.*/calls", "garble"),
        Fault("associations/2026-09/calls/contacts", "answer", status=524),
    ],
    ids=lambda fault: f"{fault.do}-{fault.status}",
)
def test_a_bad_moment_of_the_network_loses_nothing(fault: Fault) -> None:
    with desk() as calm:
        expected = [page.rows for page in calm.read("calls")]
    with desk(faults=[fault]) as opened:
        assert [page.rows for page in opened.read("calls")] == expected


def test_a_token_that_is_refused_once_is_asked_for_again() -> None:
    with desk(faults=[Fault("GET .*/calls", "answer", status=401, body="{}")]) as opened:
        assert len(rows(opened.read("calls"), Interaction)) == 2


def test_a_portal_that_moves_house_for_a_day_is_left_alone() -> None:
    fault = Fault("calls", "answer", status=477, headers={"Retry-After": "43200"}, times=None)
    with desk(faults=[fault]) as opened, pytest.raises(Throttled, match="KPI-HS-022"):
        opened.read("calls")


def test_an_outage_in_the_middle_keeps_what_was_read() -> None:
    with desk() as opened:
        after = cursor(opened.read("calls"))
        opened.portal.set("calls", opened.id_of("call", "c1"), {"hs_call_duration": "9000"})
        opened.box.faults.append(Fault("calls/batch/read", "answer", status=503, times=None))
        with pytest.raises(Unreachable):
            opened.read("calls", after)
        opened.box.faults.clear()
        assert [row.duration_ms for row in rows(opened.read("calls", after), Interaction)] == [9000]
