"""The ways into a pretend org: each once, and what is said when it stays shut."""

import json
import traceback
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from connectors.errors import CrmError, NotAllowed, Throttled, Unreachable
from connectors.salesforce import SalesforceConnector, SalesforceSettings, connect
from connectors.salesforce.settings import checked_address
from crm_sandbox.salesforce import CLIENT_ID, CLIENT_SECRET, App, Org
from crm_sandbox.serving import Fault, Sandbox
from tests.connectors.salesforce_world import read, small_world

USERNAME = "integration"


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def public(key: rsa.RSAPrivateKey) -> str:
    return (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


@pytest.fixture
def org() -> Org:
    return Org(small_world(), access_token="00D!given", refresh_token="first-refresh")


@pytest.fixture
def box(org: Org) -> Iterator[Sandbox]:
    with Sandbox(org) as opened:
        yield opened


def settings(box: Sandbox, **other: str) -> SalesforceSettings:
    return SalesforceSettings(**{"login_url": box.url, "client_id": CLIENT_ID, **other})  # type: ignore[arg-type]


def signed_in(connector: SalesforceConnector) -> bool:
    return len(read(connector, "users")) == 1


def test_client_credentials_let_the_app_s_own_user_in(box: Sandbox) -> None:
    assert signed_in(connect(settings(box), {"CLIENT_SECRET": CLIENT_SECRET}.get))


def test_a_given_token_lets_its_owner_in(box: Sandbox) -> None:
    given = settings(box, auth="access_token", instance_url=box.url, client_id="")
    assert signed_in(connect(given, {"ACCESS_TOKEN": "00D!given\n"}.get))


def test_a_signed_assertion_lets_its_user_in(key: rsa.RSAPrivateKey) -> None:
    org = Org(small_world(), public_key=public(key))
    username = next(str(row["Username"]) for row in org.rows("User") if row["Id"] == org.integration)
    with Sandbox(org) as box:
        assert signed_in(connect(settings(box, auth="jwt", username=username), {"PRIVATE_KEY": pem(key)}.get))


def test_a_refresh_token_lets_its_owner_in(box: Sandbox) -> None:
    secrets = {"CLIENT_SECRET": CLIENT_SECRET, "REFRESH_TOKEN": "first-refresh"}
    assert signed_in(connect(settings(box, auth="refresh_token"), secrets.get))


def test_a_refresh_token_that_was_replaced_is_stored_before_it_is_used() -> None:
    app = App(CLIENT_ID, CLIENT_SECRET, rotates=True)
    org = Org(small_world(), apps=[app], refresh_token="first-refresh")
    with Sandbox(org) as box:
        secrets = {"CLIENT_SECRET": CLIENT_SECRET, "REFRESH_TOKEN": "first-refresh"}
        calls_when_stored: list[int] = []

        def keep(name: str, value: str) -> None:
            calls_when_stored.append(len(box.log))
            secrets[name] = value

        connector = connect(settings(box, auth="refresh_token"), secrets.get, keep_secret=keep)
        assert signed_in(connector)
        assert secrets["REFRESH_TOKEN"] != "first-refresh"
        assert calls_when_stored == [1]  # after the sign-in, before the first call with its token
        org.auth.expire_all()
        assert signed_in(connector)
        assert signed_in(connect(settings(box, auth="refresh_token"), secrets.get, keep_secret=keep))


@pytest.mark.parametrize("secret", ["s3cr3t-but-not-it", "täglich"])
def test_a_wrong_secret_is_refused_in_words_that_do_not_quote_it(box: Sandbox, secret: str) -> None:
    with pytest.raises(NotAllowed, match="KPI-SF-018") as caught:
        signed_in(connect(settings(box), {"CLIENT_SECRET": secret}.get))
    assert "CLIENT_SECRET" in caught.value.advice
    assert secret not in "".join(traceback.format_exception(caught.value))


def test_a_secret_that_is_not_stored_is_named(box: Sandbox) -> None:
    with pytest.raises(NotAllowed, match=r"CLIENT_SECRET .* is not stored"):
        signed_in(connect(settings(box), {}.get))


def test_a_private_key_that_is_none_is_refused_without_quoting_it(box: Sandbox) -> None:
    with pytest.raises(NotAllowed, match="KPI-SF-015") as caught:
        signed_in(connect(settings(box, auth="jwt", username="x"), {"PRIVATE_KEY": "-----BEGIN half a key"}.get))
    assert "half a key" not in str(caught.value)


def test_an_expired_given_token_cannot_be_renewed_and_the_advice_says_what_to_do(box: Sandbox, org: Org) -> None:
    given = settings(box, auth="access_token", instance_url=box.url)
    connector = connect(given, {"ACCESS_TOKEN": "00D!given"}.get)
    org.auth.revoke("00D!given")
    with pytest.raises(NotAllowed, match="KPI-SF-010") as caught:
        signed_in(connector)
    assert "fresh token" in caught.value.advice
    assert len(box.log) <= 4  # refused, asked once more, and no further


def test_a_token_bound_to_a_device_is_refused_clearly(box: Sandbox) -> None:
    grant = {"access_token": "x", "instance_url": box.url, "token_type": "DPoP"}
    box.faults.append(Fault("POST .*/token", "answer", status=200, body=json.dumps(grant)))
    with pytest.raises(NotAllowed, match="KPI-SF-014"):
        signed_in(connect(settings(box), {"CLIENT_SECRET": CLIENT_SECRET}.get))


def test_a_page_that_is_not_salesforce_s_is_recognised(box: Sandbox) -> None:
    box.faults.append(Fault("POST .*/token", "answer", status=200, body="<html>Welcome</html>"))
    with pytest.raises(NotAllowed, match="KPI-SF-013"):
        signed_in(connect(settings(box), {"CLIENT_SECRET": CLIENT_SECRET}.get))


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (403, '[{"errorCode":"REQUEST_LIMIT_EXCEEDED","message":"TotalRequests Limit exceeded."}]', Throttled),
        (503, "<html>down</html>", Unreachable),
        (400, '{"error":"invalid_grant"}', NotAllowed),
        (400, "", NotAllowed),
    ],
)
def test_the_sign_in_s_refusals_are_told_apart(box: Sandbox, status: int, body: str, error: type[CrmError]) -> None:
    box.faults.append(Fault("POST .*/token", "answer", status=status, body=body, times=None))
    with pytest.raises(error):
        signed_in(connect(settings(box), {"CLIENT_SECRET": CLIENT_SECRET}.get, sleep=lambda _: None))


def test_calls_go_where_salesforce_says_that_the_company_lives(org: Org, box: Sandbox) -> None:
    with Sandbox(Org(small_world())) as generic:
        grant = {"access_token": "00D!given", "instance_url": box.url, "id": "https://x/id/00D/005", "issued_at": "1"}
        generic.faults.append(Fault("POST .*/token", "answer", status=200, body=json.dumps(grant)))
        assert signed_in(connect(settings(generic), {"CLIENT_SECRET": CLIENT_SECRET}.get))
        assert [entry.path for entry in generic.log] == ["/services/oauth2/token"]
        assert box.log


@pytest.mark.parametrize(
    "address",
    [
        "http://acme.my.salesforce.com",
        "acme.my.salesforce.com",
        "http://127.0.0.1.evil.example",
        "ftp://x",
        "",
        "https://",
    ],
)
def test_a_secret_is_never_sent_in_the_clear(address: str) -> None:
    with pytest.raises(NotAllowed, match="KPI-SF-001"):
        connect(SalesforceSettings(login_url=address), {}.get)


@pytest.mark.parametrize("address", ["https://acme.my.salesforce.com/", "http://127.0.0.1:8800", "http://[::1]:80"])
def test_https_and_loopback_addresses_are_taken(address: str) -> None:
    assert checked_address(address) == address.rstrip("/")


def test_a_version_that_the_org_does_not_speak_is_named_with_those_that_it_does(box: Sandbox) -> None:
    with pytest.raises(NotAllowed, match=r"KPI-SF-012: .*99\.0") as caught:
        connect(settings(box, api_version="99.0"), {"CLIENT_SECRET": CLIENT_SECRET}.get).capabilities()
    assert "68.0" in caught.value.advice
