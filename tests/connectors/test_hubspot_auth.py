"""Signing in: a static token, or OAuth with a refresh token that may change."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import respx
from hubspot_world import Clock, small_world

from connectors.errors import NotAllowed, Unreachable
from connectors.hubspot import HubSpotConnector, HubSpotSettings, authorize_url, connect
from connectors.hubspot.answers import policy
from connectors.hubspot.auth import OAuth
from connectors.hubspot.settings import checked
from connectors.transport import Transport
from crm_sandbox.hubspot import SANDBOX_CLIENT, SANDBOX_REFRESH_TOKEN, Portal
from crm_sandbox.serving import Sandbox

TOKEN_PATH = "/oauth/2026-09/token"
API = "https://api.hubapi.com"


class Vault(dict[str, str]):
    """Secrets by name."""


@contextmanager
def oauth(vault: Vault, **rules: object) -> Iterator[tuple[Portal, Sandbox, HubSpotConnector, Clock]]:
    clock = Clock()
    portal = Portal(small_world(), enforce_limits=False)
    portal.desk.change(rules)
    with Sandbox(portal) as box:
        settings = HubSpotSettings(base_url=box.url, auth="oauth", client_id=SANDBOX_CLIENT[0])
        with connect(settings, vault.get, sleep=clock.sleep, clock=clock, store=vault.__setitem__) as hubspot:
            yield portal, box, hubspot, clock


def secrets() -> Vault:
    return Vault(CLIENT_SECRET=SANDBOX_CLIENT[1], REFRESH_TOKEN=SANDBOX_REFRESH_TOKEN)


def refreshes(box: Sandbox) -> int:
    return sum(entry.path == TOKEN_PATH for entry in box.log)


def test_oauth_signs_in_once_for_many_reads() -> None:
    with oauth(secrets()) as (_, box, hubspot, _clock):
        for stream in ("owners", "contacts", "deals"):
            list(hubspot.read(stream, None))
        assert refreshes(box) == 1


def test_a_token_is_renewed_before_it_ends() -> None:
    with oauth(secrets()) as (_, box, hubspot, clock):
        list(hubspot.read("owners", None))
        clock.now += 1800 * 0.75 - 1
        list(hubspot.read("owners", None))
        assert refreshes(box) == 1
        clock.now += 1
        list(hubspot.read("owners", None))
        assert refreshes(box) == 2
        assert 401 not in {entry.status for entry in box.log}


def test_a_token_that_ended_early_is_replaced() -> None:
    with oauth(secrets()) as (_, box, hubspot, _clock):
        list(hubspot.read("owners", None))
        httpx.post(f"{box.url}/_control/expire", json={})
        list(hubspot.read("contacts", None))
        assert refreshes(box) == 2


def test_a_rotated_refresh_token_is_stored_before_the_new_token_is_used() -> None:
    vault = secrets()
    used: list[bool] = []
    clock = Clock()
    portal = Portal(small_world(), enforce_limits=False)
    portal.rules.rotate_refresh_tokens = True
    with Sandbox(portal) as box:
        settings = HubSpotSettings(base_url=box.url, auth="oauth", client_id=SANDBOX_CLIENT[0])

        def store(name: str, value: str) -> None:
            used.append(any(entry.path != TOKEN_PATH for entry in box.log))
            vault[name] = value

        with connect(settings, vault.get, sleep=clock.sleep, clock=clock, store=store) as hubspot:
            list(hubspot.read("owners", None))
            clock.now += 1800
            list(hubspot.read("owners", None))
    assert used[0] is False
    assert len(used) == 2
    assert vault["REFRESH_TOKEN"] != SANDBOX_REFRESH_TOKEN


def test_a_revoked_connection_says_to_connect_again() -> None:
    with oauth(secrets()) as (portal, _, hubspot, _clock):
        portal.gate.refresh_tokens.clear()
        with pytest.raises(NotAllowed, match="KPI-HS-013") as caught:
            hubspot.capabilities()
        assert "kpisync connect" in caught.value.advice
        assert SANDBOX_REFRESH_TOKEN not in str(caught.value)


def test_a_wrong_client_is_a_fault_of_the_settings_and_not_of_the_connection() -> None:
    vault = secrets()
    vault["CLIENT_SECRET"] = "wrong"
    with oauth(vault) as (_, _box, hubspot, _clock), pytest.raises(NotAllowed, match="KPI-HS-014"):
        hubspot.capabilities()


def test_a_missing_secret_is_named_with_its_variable() -> None:
    settings = HubSpotSettings(name="acme-hs", base_url="http://127.0.0.1:9", auth="token")
    with connect(settings, Vault().get) as hubspot, pytest.raises(NotAllowed, match="KPISYNC_ACME_HS_TOKEN"):
        hubspot.capabilities()


def test_the_granted_scopes_decide_what_is_read() -> None:
    with oauth(secrets()) as (_, box, hubspot, _clock):
        assert "contacts" in hubspot.capabilities().streams
        assert not [entry for entry in box.log if entry.path.endswith("/introspect")]


@respx.mock
def test_scopes_that_come_with_no_token_are_asked_for() -> None:
    respx.post(API + TOKEN_PATH).respond(json={"access_token": "a", "expires_in": 1800})
    told = respx.post(f"{API}{TOKEN_PATH}/introspect").respond(json={"active": True, "scopes": ["oauth", "forms"]})
    sign_in = OAuth(HubSpotSettings(auth="oauth", client_id="c"), secrets().get, None, Clock())
    transport = Transport(API, policy(), sign_in, code="KPI-HS-030")
    assert sign_in.scopes(transport) == frozenset({"oauth", "forms"})
    assert parse_qs(told.calls[0].request.content.decode())["token"] == ["a"]


@respx.mock
@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"error": "invalid_grant", "status": "BAD_REFRESH_TOKEN"}, NotAllowed),
        (400, {"status": "BAD_HUB", "error": "access_denied"}, NotAllowed),
        (400, {"error": "invalid_client", "status": "BAD_CLIENT_SECRET"}, NotAllowed),
        (503, {}, Unreachable),
        (429, {}, Unreachable),
    ],
)
def test_a_failed_sign_in_is_sorted_by_what_to_do(status: int, body: dict[str, str], kind: type[Exception]) -> None:
    respx.post(API + TOKEN_PATH).respond(status, json=body)
    sign_in = OAuth(HubSpotSettings(auth="oauth", client_id="c"), secrets().get, None, Clock())
    with pytest.raises(kind):
        Transport(API, policy(), sign_in, code="KPI-HS-030").authorisation()


@respx.mock
def test_of_many_threads_one_renews_the_token() -> None:
    clock, go = Clock(), Event()

    def grant(_: httpx.Request) -> httpx.Response:
        go.wait(1)
        return httpx.Response(200, json={"access_token": "a", "expires_in": 1800, "scopes": ["oauth"]})

    asked = respx.post(API + TOKEN_PATH).mock(side_effect=grant)
    sign_in = OAuth(HubSpotSettings(auth="oauth", client_id="c"), secrets().get, None, clock)
    go.set()
    headers = Transport(API, policy(), sign_in, code="KPI-HS-030").authorisation()
    go.clear()
    clock.now += 1800
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(lambda: headers["Authorization"]) for _ in range(8)]
        go.set()
        assert {each.result() for each in waiting} == {"Bearer a"}
    assert asked.call_count == 2


def test_an_admin_is_sent_to_hubspot_with_required_and_optional_scopes() -> None:
    url = urlsplit(authorize_url("client", "http://localhost:8000/back", "s-1", "c-1"))
    asked = parse_qs(url.query)
    assert (url.netloc, url.path) == ("app.hubspot.com", "/oauth/authorize")
    assert (asked["client_id"], asked["redirect_uri"], asked["state"]) == (
        ["client"],
        ["http://localhost:8000/back"],
        ["s-1"],
    )
    assert (asked["code_challenge"], asked["code_challenge_method"]) == (["c-1"], ["S256"])
    assert "crm.objects.deals.read" in asked["scope"][0].split(" ")
    assert "sales-email-read" in asked["optional_scope"][0].split(" ")


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        (HubSpotSettings(base_url="http://api.hubapi.com"), "KPI-HS-001"),
        (HubSpotSettings(api_version="v2"), "KPI-HS-002"),
        (HubSpotSettings(api_version="2026-10"), "KPI-HS-002"),
        (HubSpotSettings(auth="oauth"), "KPI-HS-003"),
    ],
)
def test_settings_that_cannot_work_are_refused_before_anything_is_sent(settings: HubSpotSettings, code: str) -> None:
    with pytest.raises(NotAllowed, match=code):
        checked(settings)


def test_plain_http_is_for_this_machine_only() -> None:
    assert checked(HubSpotSettings(base_url="http://127.0.0.1:8080")).base_url == "http://127.0.0.1:8080"
