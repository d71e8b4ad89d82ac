"""Signing in to the pretend Salesforce: grants, their refusals, and tokens that end."""

import base64
import hashlib
import json
import time
from dataclasses import replace

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from salesforce_company import COMPANY, Client, client, form

from crm_sandbox.salesforce import App, Org

TOKEN_URL = "/services/oauth2/token"


def basic(client_id: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()}


def signed_in(crm: Client, body: bytes, headers: dict[str, str] | None = None) -> tuple[int, dict[str, str]]:
    response = crm.call("POST", TOKEN_URL, body, headers={"Authorization": "", **(headers or {})})
    return response.status, json.loads(response.body)


def works(crm: Client, token: str) -> bool:
    return Client(crm.org, token).call("GET", "limits").status == 200


def test_client_credentials_come_in_the_body_or_as_basic_header():
    crm = client()
    in_body = form(grant_type="client_credentials", client_id="sandbox", client_secret="sandbox-secret")
    status, body = signed_in(crm, in_body)
    assert status == 200
    assert works(crm, body["access_token"])
    status, body = signed_in(crm, form(grant_type="client_credentials"), basic("sandbox", "sandbox-secret"))
    assert status == 200
    assert works(crm, body["access_token"])


def test_the_answer_has_no_expiry_and_no_refresh_token_but_names_instance_and_user():
    crm = client()
    _, body = signed_in(crm, form(grant_type="client_credentials"), basic("sandbox", "sandbox-secret"))
    assert "expires_in" not in body
    assert "refresh_token" not in body
    assert body["instance_url"] == "http://127.0.0.1"
    assert body["id"].split("/")[-2:] == [crm.org.store.organisation, crm.org.integration]
    assert body["access_token"].startswith(f"{crm.org.store.organisation[:15]}!")
    assert isinstance(body["issued_at"], str)
    assert len(body["issued_at"]) == 13


@pytest.mark.parametrize(
    ("client_id", "secret", "error"),
    [("nobody", "sandbox-secret", "invalid_client_id"), ("sandbox", "wrong", "invalid_client")],
)
def test_wrong_credentials_are_refused_with_an_object(client_id: str, secret: str, error: str):
    status, body = signed_in(client(), form(grant_type="client_credentials"), basic(client_id, secret))
    assert status == 400
    assert body["error"] == error


def test_an_app_without_a_running_user_is_refused():
    org = Org(COMPANY)
    org.auth.apps["bare"] = App("bare", "secret")
    status, body = signed_in(Client(org), form(grant_type="client_credentials"), basic("bare", "secret"))
    assert (status, body["error"]) == (400, "invalid_grant")


@pytest.fixture(scope="module")
def keys() -> tuple[str, str]:
    """A private and a public key as PEM."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return (
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode(),
        private.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode(),
    )


def assertion(private: str, **claims: object) -> bytes:
    usual = {
        "iss": "sandbox",
        "sub": "bea@example.com",
        "aud": "https://login.salesforce.com",
        "exp": time.time() + 180,
    }
    token = jwt.encode({**usual, **claims}, private, algorithm="RS256")
    return form(grant_type="urn:ietf:params:oauth:grant-type:jwt-bearer", assertion=token)


def test_a_signed_jwt_signs_its_subject_in(keys: tuple[str, str]):
    private, public = keys
    crm = client(public_key=public)
    status, body = signed_in(crm, assertion(private))
    assert status == 200
    assert body["id"].endswith(crm.org.id_of("seller", "boss"))


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": "nobody@example.com"},
        {"sub": "omar@example.com"},  # not active any more
        {"exp": 1_700_000_000},
        {"aud": "https://elsewhere.example"},
        {"iss": "other"},
    ],
)
def test_a_jwt_with_a_wrong_claim_is_refused(keys: tuple[str, str], claims: dict[str, object]):
    private, public = keys
    status, _ = signed_in(client(public_key=public), assertion(private, **claims))
    assert status == 400


def test_a_jwt_signed_by_another_key_is_refused(keys: tuple[str, str]):
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = other.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    assert signed_in(client(public_key=keys[1]), assertion(pem)) == (
        400,
        {"error": "invalid_grant", "error_description": "invalid assertion"},
    )


def refresh(crm: Client, token: str) -> tuple[int, dict[str, str]]:
    fields = {"client_id": "sandbox", "client_secret": "sandbox-secret", "refresh_token": token}
    return signed_in(crm, form(grant_type="refresh_token", **fields))


def test_a_refresh_token_can_be_used_again_without_rotation():
    crm = client(refresh_token="keep")
    assert [refresh(crm, "keep")[0], refresh(crm, "keep")[0]] == [200, 200]


def test_rotation_hands_out_a_new_refresh_token_and_ends_the_old_one():
    crm = client(refresh_token="first")
    crm.org.auth.apps["sandbox"] = replace(crm.org.auth.apps["sandbox"], rotates=True)
    status, body = refresh(crm, "first")
    assert status == 200
    assert refresh(crm, "first") == (
        400,
        {"error": "invalid_grant", "error_description": "expired access/refresh token"},
    )
    assert refresh(crm, body["refresh_token"])[0] == 200


def test_an_authorisation_code_is_good_for_one_exchange_with_its_verifier():
    crm = client()
    challenge = base64.urlsafe_b64encode(hashlib.sha256(b"verifier").digest()).decode().rstrip("=")

    def exchange(code: str, verifier: str) -> int:
        fields = {
            "client_id": "sandbox",
            "client_secret": "sandbox-secret",
            "code": code,
            "code_verifier": verifier,
            "redirect_uri": "http://localhost:8766/connected",
        }
        return signed_in(crm, form(grant_type="authorization_code", **fields))[0]

    code = crm.org.auth.new_code("sandbox", crm.org.integration, challenge)
    assert exchange(code, "verifier") == 200
    assert exchange(code, "verifier") == 400
    assert exchange(crm.org.auth.new_code("sandbox", crm.org.integration, challenge), "guess") == 400


def test_expired_and_revoked_tokens_answer_401_in_the_array_form():
    crm = client()
    assert crm.call("GET", "limits").status == 200
    crm.send("POST", "/_control/tokens", {"expire": True})
    gone = [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]
    assert crm.send("GET", "limits") == (401, gone)
    _, body = signed_in(crm, form(grant_type="client_credentials"), basic("sandbox", "sandbox-secret"))
    again = Client(crm.org, body["access_token"])
    assert again.call("GET", "limits").status == 200
    assert crm.call("POST", "/services/oauth2/revoke", form(token=body["access_token"])).status == 200
    assert again.send("GET", "limits") == (401, gone)


def test_tokens_can_end_after_so_many_more_requests():
    crm = client()
    crm.send("POST", "/_control/tokens", {"expire_after": 2})
    assert [crm.call("GET", "limits").status for _ in range(3)] == [200, 200, 401]


@pytest.mark.parametrize(
    "audience", ["https://acme.my.salesforce.com", "http://127.0.0.1", "https://test.salesforce.com"]
)
def test_a_jwt_may_be_made_for_any_of_the_sign_in_hosts(keys: tuple[str, str], audience: str):
    private, public = keys
    assert signed_in(client(public_key=public), assertion(private, aud=audience))[0] == 200


def test_introspection_tells_whether_a_token_lives_and_whose_it_is():
    crm = client()
    _, body = signed_in(crm, form(grant_type="client_credentials"), basic("sandbox", "sandbox-secret"))

    def introspect() -> dict[str, object]:
        sent = form(token=body["access_token"], client_id="sandbox", client_secret="sandbox-secret")
        return dict(
            json.loads(crm.call("POST", "/services/oauth2/introspect", sent, headers={"Authorization": ""}).body)
        )

    alive = introspect()
    assert (alive["active"], alive["username"]) == (True, "kpi.integration@sandbox.invalid")
    crm.org.auth.expire_all()
    assert introspect() == {"active": False}


def test_the_identity_resources_say_who_is_signed_in():
    crm = client()
    me = crm.get("/services/oauth2/userinfo")
    assert me["user_id"] == crm.org.integration
    assert crm.get(f"/id/{crm.org.store.organisation}/{me['user_id']}")["organization_id"] == crm.org.store.organisation
