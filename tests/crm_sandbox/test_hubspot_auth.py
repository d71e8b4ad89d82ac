"""Tokens, scopes and OAuth of the pretend HubSpot."""

import json
from urllib.parse import urlencode

from hubspot_company import Client

from crm_sandbox.hubspot import ALL_SCOPES, SANDBOX_CLIENT, SANDBOX_REFRESH_TOKEN

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def form(client: Client, path: str, status: int, **fields: str) -> dict[str, object]:
    sent = {"client_id": SANDBOX_CLIENT[0], "client_secret": SANDBOX_CLIENT[1], **fields}
    response = client.send("POST", path, urlencode(sent).encode(), FORM)
    assert response.status == status, response.body
    read: dict[str, object] = json.loads(response.body)
    return read


def refreshed(client: Client, token: str = SANDBOX_REFRESH_TOKEN) -> dict[str, object]:
    return form(client, "/oauth/2026-09/token", 200, grant_type="refresh_token", refresh_token=token)


def test_a_request_without_a_known_token_is_401_and_told_so() -> None:
    client = Client(token="pat-na1-unknown")
    body = client.get("/crm/owners/2026-09", 401)
    assert body["category"] == "INVALID_AUTHENTICATION"
    assert body["message"].startswith("Authentication credentials not found.")


def test_the_correlation_id_of_an_error_is_in_its_header_too() -> None:
    response = Client(token="x").send("GET", "/crm/owners/2026-09")
    assert json.loads(response.body)["correlationId"] == response.headers["x-hubspot-correlation-id"]


def test_logged_emails_need_two_scopes_and_both_are_named() -> None:
    client = Client(scopes=ALL_SCOPES - {"sales-email-read"})
    client.get("/crm/objects/2026-09/calls")
    body = client.get("/crm/objects/2026-09/emails", 403)
    assert body["category"] == "MISSING_SCOPES"
    assert body["errors"][0]["context"]["requiredGranularScopes"] == ["crm.objects.contacts.read", "sales-email-read"]


def test_reading_scopes_do_not_allow_writing() -> None:
    client = Client(scopes={"crm.objects.users.read"})
    user = client.id_of("person_record", "ana")
    body = client.patch(f"/crm/objects/2026-09/users/{user}", {"properties": {"hs_job_title": "AE"}}, 403)
    assert body["errors"][0]["context"]["requiredGranularScopes"] == ["crm.objects.users.write"]


def test_a_refreshed_token_works_for_half_an_hour_and_then_says_that_it_expired() -> None:
    client = Client()
    answer = refreshed(client)
    assert answer["expires_in"] == 1800
    assert answer["refresh_token"] == SANDBOX_REFRESH_TOKEN
    client.token = str(answer["access_token"])
    assert len(client.token) > 512
    client.hands.pass_time(1799)
    client.get("/crm/owners/2026-09")
    client.hands.pass_time(61)
    body = client.get("/crm/owners/2026-09", 401)
    assert (body["category"], body["message"]) == (
        "EXPIRED_AUTHENTICATION",
        "The OAuth token used to make this call expired 60 second(s) ago.",
    )


def test_a_refresh_token_that_nobody_issued_is_an_invalid_grant() -> None:
    body = form(Client(), "/oauth/v1/token", 400, grant_type="refresh_token", refresh_token="na1-other")
    assert (body["error"], body["status"]) == ("invalid_grant", "BAD_REFRESH_TOKEN")


def test_with_rotation_an_old_refresh_token_is_spent() -> None:
    client = Client()
    client.portal.rules.rotate_refresh_tokens = True
    second = str(refreshed(client)["refresh_token"])
    assert second != SANDBOX_REFRESH_TOKEN
    spent = form(client, "/oauth/2026-09/token", 400, grant_type="refresh_token", refresh_token=SANDBOX_REFRESH_TOKEN)
    assert spent["status"] == "BAD_REFRESH_TOKEN"
    assert refreshed(client, second)["token_use"] == "access_token"


def test_a_wrong_client_secret_is_no_matter_of_the_grant() -> None:
    body = form(Client(), "/oauth/2026-09/token", 400, grant_type="refresh_token", client_secret="wrong")
    assert (body["error"], body["status"]) == ("invalid_client", "BAD_CLIENT_SECRET")


def test_introspection_tells_a_live_token_from_a_dead_one() -> None:
    client = Client()
    token = str(refreshed(client)["access_token"])
    client.hands.pass_time(11)
    live = form(client, "/oauth/2026-09/token/introspect", 200, token=token)
    assert (live["active"], live["expires_in"], live["hub_id"]) == (True, 1789, 24_613_507)
    assert form(client, "/oauth/2026-09/token/introspect", 200, token="other") == {"active": False}


def test_tokens_are_only_given_for_forms() -> None:
    response = Client().send("POST", "/oauth/2026-09/token", {"grant_type": "refresh_token"})
    assert response.status == 415


def test_a_revoked_refresh_token_leaves_the_access_token_alive() -> None:
    client = Client()
    client.token = str(refreshed(client)["access_token"])
    form(client, "/oauth/2026-09/token/revoke", 200, token=SANDBOX_REFRESH_TOKEN)
    client.get("/crm/owners/2026-09")
    gone = form(client, "/oauth/2026-09/token", 400, grant_type="refresh_token", refresh_token=SANDBOX_REFRESH_TOKEN)
    assert gone["error"] == "invalid_grant"
