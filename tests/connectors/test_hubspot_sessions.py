"""Staying signed in to HubSpot: what a refused sign-in asks for, tokens that end, and scopes one by one."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest
from hubspot_world import Clock, small_world

from connectors.consent import Ended, question
from connectors.errors import CrmError, NotAllowed, Unreachable
from connectors.hubspot import (
    OPTIONAL_SCOPES,
    HubSpotConnector,
    HubSpotConsent,
    HubSpotMappings,
    HubSpotSettings,
    connect,
)
from connectors.hubspot.streams import streams
from crm_sandbox.hubspot import SANDBOX_CLIENT, SANDBOX_REFRESH_TOKEN, SANDBOX_TOKEN, Portal
from crm_sandbox.serving import Fault, Sandbox

TOKEN_PATH, OWNERS = "/oauth/2026-09/token", "/crm/owners/2026-09"
QUESTION = question("http://localhost:8766/connected")


class Connection:
    """A portal, its server and a connector that signs in by OAuth; `secrets` may be changed."""

    def __init__(self, portal: Portal, box: Sandbox) -> None:
        self.portal, self.box, self.clock = portal, box, Clock()
        self.secrets = {"CLIENT_SECRET": SANDBOX_CLIENT[1], "REFRESH_TOKEN": SANDBOX_REFRESH_TOKEN}
        self.settings = HubSpotSettings(base_url=box.url, login_url=box.url, auth="oauth", client_id=SANDBOX_CLIENT[0])

    def hubspot(self) -> HubSpotConnector:
        keep = self.secrets.__setitem__
        return connect(self.settings, self.secrets.get, sleep=self.clock.sleep, clock=self.clock, store=keep)

    def consent(self) -> HubSpotConsent:
        return HubSpotConsent(self.settings, self.secrets.get, self.clock.sleep)

    def agreed(self) -> str:
        """The code that a super admin's browser brings."""
        answer = httpx.get(self.consent().page(QUESTION))
        assert answer.status_code == 302, answer.text
        return httpx.URL(answer.headers["Location"]).params["code"]

    def asked(self, path: str = TOKEN_PATH) -> int:
        return sum(entry.path == path for entry in self.box.log)


@pytest.fixture
def connection() -> Iterator[Connection]:
    with opened() as made:
        yield made


@contextmanager
def opened(**rules: object) -> Iterator[Connection]:
    portal = Portal(small_world(), enforce_limits=False)
    portal.desk.change(rules)
    with Sandbox(portal) as box:
        yield Connection(portal, box)


@pytest.mark.parametrize(
    ("status", "body", "kind", "code", "advice"),
    [
        (400, '{"error":"invalid_grant","status":"BAD_REFRESH_TOKEN"}', NotAllowed, "KPI-HS-013", "kpisync connect"),
        (400, '{"error":"access_denied","status":"BAD_HUB"}', NotAllowed, "KPI-HS-013", "kpisync connect"),
        (400, '{"error":"invalid_client","status":"BAD_CLIENT_SECRET"}', NotAllowed, "KPI-HS-014", "client secret"),
        (400, '{"error":"invalid_client","status":"BAD_CLIENT_ID"}', NotAllowed, "KPI-HS-014", "client_id"),
        (429, '{"policyName":"SECONDLY"}', Unreachable, "KPI-HS-032", "next run"),
        (503, "<html>down</html>", Unreachable, "KPI-HS-032", "next run"),
    ],
    ids=["reconnect", "reconnect, the portal is gone", "settings", "settings, id", "later, throttled", "later, down"],
)
def test_a_refused_sign_in_says_whether_to_reconnect_to_mend_the_settings_or_to_wait(
    connection: Connection, status: int, body: str, kind: type[CrmError], code: str, advice: str
) -> None:
    connection.box.faults.append(Fault(f"POST {TOKEN_PATH}", "answer", status=status, body=body, times=None))
    with connection.hubspot() as hubspot, pytest.raises(kind, match=code) as told:
        list(hubspot.read("owners", None))
    assert advice in told.value.advice
    assert {name in str(told.value) for name in connection.secrets.values()} == {False}


def test_what_passes_by_itself_costs_no_connection(connection: Connection) -> None:
    connection.box.faults.append(Fault(f"POST {TOKEN_PATH}", "answer", status=503, body="<html>down</html>"))
    with connection.hubspot() as hubspot:
        with pytest.raises(Unreachable, match="KPI-HS-032"):
            list(hubspot.read("owners", None))
        assert list(hubspot.read("owners", None))
    assert connection.secrets["REFRESH_TOKEN"] == SANDBOX_REFRESH_TOKEN


def test_of_many_threads_whose_token_ended_one_renews_it(connection: Connection) -> None:
    with connection.hubspot() as hubspot:
        list(hubspot.read("owners", None))
        connection.portal.gate.expire()
        with ThreadPoolExecutor(8) as pool:
            list(
                pool.map(lambda stream: list(hubspot.read(stream, None)), ["owners", "contacts", "deals", "calls"] * 3)
            )
    assert connection.asked() == 2


def test_of_many_threads_that_come_when_a_token_is_old_one_renews_it(connection: Connection) -> None:
    with connection.hubspot() as hubspot:
        list(hubspot.read("owners", None))
        connection.clock.now += 1800 * 0.75
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: list(hubspot.read("owners", None)), range(12)))
    assert connection.asked() == 2
    assert 401 not in {entry.status for entry in connection.box.log}


def test_a_token_that_no_renewal_helps_is_tried_twice_and_no_more(connection: Connection) -> None:
    with connection.hubspot() as hubspot:
        list(hubspot.read("owners", None))
        connection.box.log.clear()
        connection.box.faults.append(Fault("GET /crm/owners", "answer", status=401, body="{}", times=None))
        with pytest.raises(NotAllowed, match="KPI-HS-010"):
            list(hubspot.read("owners", None))
    asked = [(entry.method, entry.status) for entry in connection.box.log if entry.path in {TOKEN_PATH, OWNERS}]
    assert asked == [("GET", 401), ("POST", 200), ("GET", 401)]


def test_processes_that_share_a_connection_go_on_with_what_the_other_was_given_last() -> None:
    with opened(rotate_refresh_tokens=True) as connection, connection.hubspot() as run, connection.hubspot() as doctor:
        for process in (run, doctor, run, doctor, doctor, run):
            assert list(process.read("owners", None))
            connection.portal.gate.expire()
        assert list(connection.portal.gate.refresh_tokens) == [connection.secrets["REFRESH_TOKEN"]]


def test_a_token_that_another_process_had_replaced_a_moment_ago_is_looked_up_again() -> None:
    with opened(rotate_refresh_tokens=True) as connection:
        stale = [connection.secrets["REFRESH_TOKEN"]]  # what this process read just before the other one was done
        with connection.hubspot() as run:
            assert list(run.read("owners", None))
        late = connect(
            connection.settings,
            lambda name: stale.pop() if name == "REFRESH_TOKEN" and stale else connection.secrets.get(name),
            store=connection.secrets.__setitem__,
        )
        with late:
            assert list(late.read("owners", None))


def test_a_service_key_that_was_rotated_and_stored_is_taken_up_in_the_middle_of_a_run(connection: Connection) -> None:
    connection.secrets["TOKEN"] = SANDBOX_TOKEN
    settings = HubSpotSettings(base_url=connection.box.url)
    with connect(settings, connection.secrets.get, sleep=connection.clock.sleep, clock=connection.clock) as hubspot:
        assert list(hubspot.read("owners", None))
        connection.portal.gate.expire(SANDBOX_TOKEN)
        connection.portal.gate.grant("pat-new")
        with pytest.raises(NotAllowed, match="KPI-HS-010"):
            list(hubspot.read("owners", None))
        connection.secrets["TOKEN"] = "pat-new"
        assert list(hubspot.read("owners", None))


def test_scopes_that_do_not_come_with_the_token_are_asked_for() -> None:
    with opened(tokens_tell_scopes=False, withheld_scopes=["forms"]) as connection:
        connection.secrets["REFRESH_TOKEN"] = connection.consent().exchange(QUESTION, connection.agreed()).refresh_token
        with connection.hubspot() as hubspot:
            assert "forms" not in hubspot.capabilities().streams
        assert connection.asked(f"{TOKEN_PATH}/introspect") == 2  # once when connecting, once when looking


def test_connecting_says_whose_portal_it_is_and_what_was_not_granted() -> None:
    with opened(withheld_scopes=["sales-email-read", "crm.objects.goals.read"]) as connection:
        joined = connection.consent().exchange(QUESTION, connection.agreed())
        assert (joined.organisation, joined.person) == ("24613507", "admin@sandbox.invalid")
        assert joined.lacking == ("sales-email-read", "crm.objects.goals.read")
        assert joined.refresh_token not in repr(joined)


CLOSED_BY = {
    scope: [stream.name for stream in streams(HubSpotMappings(leads="leads_object")) if scope in stream.scopes]
    for scope in OPTIONAL_SCOPES
}


@pytest.mark.parametrize("scope", [scope for scope in OPTIONAL_SCOPES if CLOSED_BY[scope]])
def test_a_scope_that_a_portal_does_not_grant_closes_what_needs_it_and_is_named(scope: str) -> None:
    everything = [stream.name for stream in streams(HubSpotMappings(leads="leads_object"))]
    with opened(withheld_scopes=[scope]) as connection:
        connection.settings = HubSpotSettings(
            base_url=connection.box.url,
            login_url=connection.box.url,
            auth="oauth",
            client_id=SANDBOX_CLIENT[0],
            mappings=HubSpotMappings(leads="leads_object"),
        )
        connection.secrets["REFRESH_TOKEN"] = connection.consent().exchange(QUESTION, connection.agreed()).refresh_token
        with connection.hubspot() as hubspot:
            found = hubspot.capabilities()
            assert [name for name in everything if name not in found.streams] == CLOSED_BY[scope]
            assert [gap for gap in found.gaps if scope in gap.reason + gap.advice] != []
            assert list(hubspot.read("contacts", None))


def test_ending_the_access_ends_the_refresh_token_and_a_second_time_is_no_error(connection: Connection) -> None:
    consent = connection.consent()
    assert consent.revoke() is Ended.REVOKED
    assert connection.portal.gate.refresh_tokens == {}
    assert consent.revoke() in {Ended.REVOKED, Ended.GONE}
    with connection.hubspot() as hubspot, pytest.raises(NotAllowed, match="KPI-HS-013"):
        hubspot.capabilities()


def test_a_service_key_cannot_be_ended_from_here() -> None:
    assert HubSpotConsent(HubSpotSettings(), {"TOKEN": "pat-na1-x"}.get).revoke() is Ended.NOTHING
