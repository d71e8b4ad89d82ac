"""Authlib, an OAuth client that we did not write, gets into both pretend CRMs: consent, code, refresh, revoke."""

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from hubspot_company import WORLD
from salesforce_company import COMPANY

from crm_sandbox.hubspot import SANDBOX_CLIENT, Portal
from crm_sandbox.salesforce import CLIENT_ID, CLIENT_SECRET, Org
from crm_sandbox.serving import Sandbox

BACK = "http://localhost:8766/connected"
VERIFIER = "v" * 43


@pytest.fixture
def salesforce() -> Iterator[tuple[Org, Sandbox]]:
    org = Org(COMPANY)
    with Sandbox(org) as box:
        yield org, box


@pytest.fixture
def hubspot() -> Iterator[tuple[Portal, Sandbox]]:
    portal = Portal(WORLD)
    with Sandbox(portal) as box:
        yield portal, box


def client(client_id: str, secret: str, scope: str) -> OAuth2Client:
    return OAuth2Client(
        client_id,
        secret,
        scope=scope,
        redirect_uri=BACK,
        code_challenge_method="S256",
        token_endpoint_auth_method="client_secret_post",
        revocation_endpoint_auth_method="client_secret_post",
    )


def sent_back(url: str) -> str:
    """Where the browser lands."""
    answer = httpx.get(url)
    assert answer.status_code == 302, answer.text
    return str(answer.headers["Location"])


def test_authlib_walks_through_salesforce_s_web_server_flow(salesforce: tuple[Org, Sandbox]) -> None:
    org, box = salesforce
    where = f"{box.url}/services/oauth2"
    with client(CLIENT_ID, CLIENT_SECRET, "api refresh_token") as app:
        url, state = app.create_authorization_url(f"{where}/authorize", code_verifier=VERIFIER)
        back = sent_back(url)
        assert parse_qs(urlsplit(back).query)["state"] == [state]
        token = app.fetch_token(f"{where}/token", authorization_response=back, state=state, code_verifier=VERIFIER)
        assert token["scope"] == "api refresh_token"
        assert app.get(f"{box.url}/services/oauth2/userinfo").json()["user_id"] == org.integration
        again = app.refresh_token(f"{where}/token")
        assert again["access_token"] != token["access_token"]
        assert app.revoke_token(f"{where}/revoke", token["refresh_token"]).status_code == 200
        assert app.get(f"{box.url}/services/oauth2/userinfo").status_code == 401
        with pytest.raises(OAuthError, match="invalid_grant"):
            app.refresh_token(f"{where}/token", refresh_token=token["refresh_token"])


def test_authlib_walks_through_hubspot_s_flow(hubspot: tuple[Portal, Sandbox]) -> None:
    _, box = hubspot
    token_url = f"{box.url}/oauth/2026-09/token"
    with client(*SANDBOX_CLIENT, "oauth crm.objects.owners.read") as app:
        url, state = app.create_authorization_url(f"{box.url}/oauth/authorize", code_verifier=VERIFIER)
        back = sent_back(url)
        token = app.fetch_token(token_url, authorization_response=back, state=state, code_verifier=VERIFIER)
        assert token["scopes"] == ["crm.objects.owners.read", "oauth"]
        assert app.get(f"{box.url}/crm/owners/2026-09").status_code == 200
        told = app.introspect_token(f"{token_url}/introspect", token["access_token"], "access_token").json()
        assert (told["active"], told["hub_domain"]) == (True, "sandbox.invalid")
        assert app.refresh_token(token_url)["access_token"] != token["access_token"]
        assert app.revoke_token(f"{token_url}/revoke", token["refresh_token"]).status_code == 200
        assert app.get(f"{box.url}/crm/owners/2026-09").status_code == 200  # what was handed out lives its half hour
        with pytest.raises(OAuthError, match="invalid_grant"):
            app.refresh_token(token_url, refresh_token=token["refresh_token"])


def code_of(url: str) -> str:
    return parse_qs(urlsplit(sent_back(url)).query)["code"][0]


GOOD_SALESFORCE = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "redirect_uri": BACK}
GOOD_HUBSPOT = {"client_id": SANDBOX_CLIENT[0], "client_secret": SANDBOX_CLIENT[1], "redirect_uri": BACK}


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"code_verifier": "w" * 43}, "invalid_grant"),
        ({"redirect_uri": BACK + "/"}, "redirect_uri_mismatch"),
        ({"client_secret": ""}, "invalid_client"),
        ({"code": "guessed"}, "invalid_grant"),
    ],
)
def test_a_salesforce_code_is_exchanged_only_by_whoever_asked_for_it(
    salesforce: tuple[Org, Sandbox], changed: dict[str, str], error: str
) -> None:
    _, box = salesforce
    with client(CLIENT_ID, CLIENT_SECRET, "api") as app:
        code = code_of(app.create_authorization_url(f"{box.url}/services/oauth2/authorize", code_verifier=VERIFIER)[0])
    form = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER, **GOOD_SALESFORCE, **changed}
    answer = httpx.post(f"{box.url}/services/oauth2/token", data=form)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"code_verifier": "w" * 43}, "BAD_CODE_VERIFIER"),
        ({"redirect_uri": BACK + "/"}, "BAD_REDIRECT_URI"),
        ({"client_secret": ""}, "BAD_CLIENT_SECRET"),
        ({"code": "guessed"}, "BAD_AUTH_CODE"),
    ],
)
def test_a_hubspot_code_is_exchanged_only_by_whoever_asked_for_it(
    hubspot: tuple[Portal, Sandbox], changed: dict[str, str], status: str
) -> None:
    _, box = hubspot
    with client(*SANDBOX_CLIENT, "oauth") as app:
        code = code_of(app.create_authorization_url(f"{box.url}/oauth/authorize", code_verifier=VERIFIER)[0])
    form = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER, **GOOD_HUBSPOT, **changed}
    answer = httpx.post(f"{box.url}/oauth/2026-09/token", data=form)
    assert (answer.status_code, answer.json()["status"]) == (400, status)


def test_a_code_is_good_once_and_not_for_long(salesforce: tuple[Org, Sandbox], hubspot: tuple[Portal, Sandbox]) -> None:
    (org, sf), (portal, hs) = salesforce, hubspot
    sf_page, hs_page = f"{sf.url}/services/oauth2/authorize", f"{hs.url}/oauth/authorize"
    for page, token_url, known, scope in (
        (sf_page, f"{sf.url}/services/oauth2/token", GOOD_SALESFORCE, "api"),
        (hs_page, f"{hs.url}/oauth/2026-09/token", GOOD_HUBSPOT, "oauth"),
    ):
        with client(known["client_id"], known["client_secret"], scope) as app:
            url, _ = app.create_authorization_url(page, code_verifier=VERIFIER)
        form = {"grant_type": "authorization_code", "code_verifier": VERIFIER, **known}
        used = code_of(url)
        assert [httpx.post(token_url, data={**form, "code": used}).status_code for _ in range(2)] == [200, 400]
        org.auth.code_seconds, portal.rules.code_seconds = -1.0, 0
        late = httpx.post(token_url, data={**form, "code": code_of(url)})
        assert "expired" in late.json()["error_description"]
        org.auth.code_seconds, portal.rules.code_seconds = 900.0, 600


def test_a_browser_is_sent_nowhere_for_an_app_or_an_address_that_is_not_known(
    salesforce: tuple[Org, Sandbox], hubspot: tuple[Portal, Sandbox]
) -> None:
    (org, sf), (_, hs) = salesforce, hubspot
    challenge = {"code_challenge": "c" * 43, "code_challenge_method": "S256", "state": "s"}
    sf_page, hs_page = f"{sf.url}/services/oauth2/authorize", f"{hs.url}/oauth/authorize"
    good = {"response_type": "code", "client_id": CLIENT_ID, "redirect_uri": BACK, **challenge}
    for wrong in (
        {"client_id": "x"},
        {"redirect_uri": BACK + "?x=1"},
        {"redirect_uri": "http://127.0.0.1:8766/connected"},
    ):
        assert httpx.get(sf_page, params={**good, **wrong}).status_code == 400
    org.auth.apps[CLIENT_ID] = replace(org.auth.apps[CLIENT_ID], installed=False)
    refused = httpx.get(sf_page, params=good)
    assert (refused.status_code, "app must be installed into org" in refused.text) == (400, True)
    good = {"client_id": SANDBOX_CLIENT[0], "redirect_uri": BACK, "scope": "oauth", **challenge}
    for wrong in (
        {"client_id": "x"},
        {"redirect_uri": BACK + "/"},
        {"scope": "crm.objects.calls.read"},
        {"scope": ""},
        {"code_challenge_method": "plain"},
    ):
        assert httpx.get(hs_page, params={**good, **wrong}).status_code == 400


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"scope": "api full"}, "invalid_scope"),
    ],
)
def test_salesforce_sends_the_browser_back_with_what_is_wrong_and_the_state(
    salesforce: tuple[Org, Sandbox], changed: dict[str, str], error: str
) -> None:
    _, box = salesforce
    good = {"response_type": "code", "client_id": CLIENT_ID, "redirect_uri": BACK, "state": "s p&c"}
    asked = {**good, "code_challenge": "c" * 43, **changed}
    answer = httpx.get(f"{box.url}/services/oauth2/authorize", params={k: v for k, v in asked.items() if v})
    told = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert (told["error"], told["state"]) == ([error], ["s p&c"])


def test_whoever_presses_deny_is_sent_back_without_a_code(
    salesforce: tuple[Org, Sandbox], hubspot: tuple[Portal, Sandbox]
) -> None:
    (_, sf), (_, hs) = salesforce, hubspot
    httpx.post(f"{sf.url}/_control/consent", json={"denies": True})
    httpx.post(f"{hs.url}/_control/settings", json={"consent_denied": True})
    for page, client_id, scope in (
        (f"{sf.url}/services/oauth2/authorize", CLIENT_ID, "api"),
        (f"{hs.url}/oauth/authorize", SANDBOX_CLIENT[0], "oauth"),
    ):
        with client(client_id, "", scope) as app:
            url, state = app.create_authorization_url(page, code_verifier=VERIFIER)
        told = parse_qs(urlsplit(sent_back(url)).query)
        assert (told["error"], told["state"], "code" in told) == (["access_denied"], [state], False)


def test_hubspot_grants_of_the_optional_scopes_what_the_portal_has(hubspot: tuple[Portal, Sandbox]) -> None:
    portal, box = hubspot
    portal.rules.withheld_scopes = ["sales-email-read", "forms"]
    asked = {"client_id": SANDBOX_CLIENT[0], "redirect_uri": BACK, "scope": "oauth"}
    page = f"{box.url}/oauth/authorize"
    back = httpx.get(page, params={**asked, "optional_scope": "forms content"}).headers["Location"]
    form = {"grant_type": "authorization_code", "code": parse_qs(urlsplit(back).query)["code"][0], **GOOD_HUBSPOT}
    assert httpx.post(f"{box.url}/oauth/2026-09/token", data=form).json()["scopes"] == ["content", "oauth"]
    refused = httpx.get(page, params={**asked, "scope": "oauth forms"})
    assert (refused.status_code, "forms" in refused.text) == (400, True)


def test_a_public_salesforce_app_needs_no_secret_but_its_verifier(salesforce: tuple[Org, Sandbox]) -> None:
    org, box = salesforce
    org.auth.apps[CLIENT_ID] = replace(org.auth.apps[CLIENT_ID], public=True)
    token_url = f"{box.url}/services/oauth2/token"
    with client(CLIENT_ID, "", "api refresh_token") as app:
        url, _ = app.create_authorization_url(f"{box.url}/services/oauth2/authorize", code_verifier=VERIFIER)
    form = {"client_id": CLIENT_ID, "redirect_uri": BACK, "grant_type": "authorization_code"}
    guess = httpx.post(token_url, data={**form, "code": code_of(url), "code_verifier": "w" * 43})
    assert guess.status_code == 400
    granted = httpx.post(token_url, data={**form, "code": code_of(url), "code_verifier": VERIFIER}).json()
    refreshing = {"grant_type": "refresh_token", "refresh_token": granted["refresh_token"], "client_id": CLIENT_ID}
    assert httpx.post(token_url, data=refreshing).status_code == 200
    assert httpx.post(token_url, data={**refreshing, "client_secret": "wrong"}).json()["error"] == "invalid_client"
