"""Staying signed in to Salesforce: where it lives, tokens that end, and 401s that no new token helps."""

import socket
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import trustme
from salesforce_world import SECRETS, house, read, small_world

from connectors.consent import Ended, question
from connectors.errors import CrmError, NotAllowed, Throttled
from connectors.salesforce import SalesforceConsent, SalesforceSettings, connect
from connectors.salesforce.auth import TOKEN_PATH
from crm_sandbox.salesforce import CLIENT_ID, CLIENT_SECRET, Org
from crm_sandbox.serving import Fault, Sandbox

GONE = '[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]'
LOGIN_HOSTS = (
    "acme.my.salesforce.com",  # My Domain
    "acme--uat.sandbox.my.salesforce.com",  # a sandbox
    "acme-dev-ed.develop.my.salesforce.com",
    "acme.my.salesforce.mil",  # Government Cloud
    "acme.my.sfcrmproducts.cn",  # China
)


def refreshing(box: Sandbox, **secrets: str) -> tuple[SalesforceSettings, dict[str, str]]:
    known = {"CLIENT_SECRET": CLIENT_SECRET, "REFRESH_TOKEN": "first-refresh", **secrets}
    return SalesforceSettings(login_url=box.url, client_id=CLIENT_ID, auth="refresh_token"), known


@contextmanager
def behind_tls(box: Sandbox, host: str, folder: Path, patch: pytest.MonkeyPatch) -> Iterator[str]:
    """The sandbox's address at this host, as the world sees a CRM: over TLS, by a name that resolves."""
    here = socket.getaddrinfo
    patch.setattr(
        socket, "getaddrinfo", lambda name, *rest, **more: here("127.0.0.1" if name == host else name, *rest, **more)
    )
    patch.setenv("SSL_CERT_FILE", str(folder / "ca.pem"))
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    inside = (httpx.URL(box.url).host, httpx.URL(box.url).port or 0)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_forward, args=(listening, context, inside), daemon=True).start()
        yield f"https://{host}:{listening.getsockname()[1]}"


def _forward(listening: socket.socket, context: ssl.SSLContext, inside: tuple[str, int]) -> None:
    with suppress(OSError):  # the listener was closed: the test is over
        while True:
            caller, _ = listening.accept()
            outer, inner = context.wrap_socket(caller, server_side=True), socket.create_connection(inside)
            for one, other in ((outer, inner), (inner, outer)):
                threading.Thread(target=_pump, args=(one, other), daemon=True).start()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while part := source.recv(65536):
            target.sendall(part)
        target.close()


@pytest.mark.parametrize("host", LOGIN_HOSTS)
def test_a_full_login_address_is_used_to_the_letter_whatever_its_host(
    host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    org = Org(small_world())
    with Sandbox(org) as box, behind_tls(box, host, tmp_path, monkeypatch) as address:
        org.auth.instance_url = address
        connector = connect(SalesforceSettings(login_url=f"{address}/", client_id=CLIENT_ID), SECRETS.get)
        assert len(read(connector, "users")) == 1
        assert box.log[0].path == TOKEN_PATH
        connector.close()
        page = SalesforceConsent(SalesforceSettings(login_url=address, client_id=CLIENT_ID), SECRETS.get).page(QUESTION)
        assert page.startswith(f"{address}/services/oauth2/authorize?")


def test_the_generic_login_host_is_refused_for_client_credentials_with_advice_to_name_my_domain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = Sandbox(Org(small_world()))
    with box, behind_tls(box, "login.salesforce.com", tmp_path, monkeypatch) as address:
        connector = connect(SalesforceSettings(login_url=address, client_id=CLIENT_ID), SECRETS.get)
        with pytest.raises(NotAllowed, match="KPI-SF-018") as refused:
            read(connector, "users")
    assert "My Domain" in refused.value.advice


def test_an_org_that_moved_is_found_at_its_new_address_with_the_next_token() -> None:
    org = Org(small_world(), refresh_token="first-refresh")
    with Sandbox(org) as before, Sandbox(org) as after:
        settings, secrets = refreshing(before)
        connector = connect(settings, secrets.get)
        read(connector, "users")
        assert after.log == []
        org.auth.instance_url = after.url
        read(connector, "users")
        assert after.log == []  # the old token and the old address are still good
        org.auth.expire_all()
        seen = len(before.log)
        read(connector, "users")
        assert [entry.path for entry in before.log[seen:]][-1] == TOKEN_PATH
        assert after.log != []


def test_of_many_threads_that_lose_their_session_one_signs_in() -> None:
    with house() as home:
        streams = [name for name in home.connector.capabilities().streams if name in {"users", "tasks", "deals"}]
        assert len(streams) >= 2
        home.org.auth.expire_all()
        signed_in = len(home.sent(TOKEN_PATH))
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda stream: read(home.connector, stream), streams * 4))
        assert len(home.sent(TOKEN_PATH)) == signed_in + 1


def test_a_401_is_answered_with_one_new_session_and_one_more_try() -> None:
    with house() as home:
        read(home.connector, "users")
        home.box.log.clear()
        home.box.faults.append(Fault("GET .*/query", "answer", status=401, body=GONE, times=None))
        with pytest.raises(NotAllowed, match="KPI-SF-010"):
            read(home.connector, "users")
        assert [(entry.path == TOKEN_PATH, entry.status) for entry in home.box.log] == [
            (False, 401),
            (True, 200),
            (False, 401),
        ]


@pytest.mark.parametrize(
    "message",
    ["This session is not valid for use with the REST API", "Connected app is not attached to Agent"],
)
def test_a_401_that_stays_for_every_token_is_told_at_once(message: str) -> None:
    body = f'[{{"message":"{message}","errorCode":"INVALID_SESSION_ID"}}]'
    with house() as home:
        read(home.connector, "users")
        home.box.log.clear()
        home.box.faults.append(Fault("GET .*/query", "answer", status=401, body=body, times=None))
        with pytest.raises(NotAllowed, match="KPI-SF-053") as told:
            read(home.connector, "users")
        assert "scope *api*" in told.value.advice
        assert [entry.status for entry in home.box.log] == [401]


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (400, '{"error":"invalid_grant","error_description":"expired access/refresh token"}', NotAllowed, "KPI-SF-019"),
        (400, '{"error":"invalid_client_id"}', NotAllowed, "KPI-SF-018"),
        (400, '[{"errorCode":"invalid_grant","message":"no matter"}]', NotAllowed, "KPI-SF-019"),
        (403, '[{"errorCode":"REQUEST_LIMIT_EXCEEDED","message":"TotalRequests"}]', Throttled, "KPI-SF-020"),
    ],
)
def test_a_refused_refresh_is_understood_as_object_and_as_array(
    status: int, body: str, kind: type[CrmError], code: str
) -> None:
    with Sandbox(Org(small_world(), refresh_token="first-refresh")) as box:
        box.faults.append(Fault(f"POST {TOKEN_PATH}", "answer", status=status, body=body, times=None))
        settings, secrets = refreshing(box)
        with pytest.raises(kind, match=code):
            read(connect(settings, secrets.get, sleep=lambda _: None), "users")


def test_a_connection_that_was_revoked_asks_for_a_person() -> None:
    org = Org(small_world(), refresh_token="first-refresh")
    with Sandbox(org) as box:
        settings, secrets = refreshing(box)
        connector = connect(settings, secrets.get)
        read(connector, "users")
        org.auth.revoke("first-refresh")
        with pytest.raises(NotAllowed, match="KPI-SF-019") as told:
            read(connector, "users")
        assert "kpisync connect" in told.value.advice
        assert "first-refresh" not in str(told.value)


def test_processes_that_share_a_connection_go_on_with_what_the_other_was_given_last() -> None:
    org = Org(small_world(), refresh_token="first-refresh")
    org.auth.apps[CLIENT_ID] = replace(org.auth.apps[CLIENT_ID], rotates=True)
    with Sandbox(org) as box:
        settings, secrets = refreshing(box)
        run, doctor = (connect(settings, secrets.get, keep_secret=secrets.__setitem__) for _ in range(2))
        for process in (run, doctor, run, doctor, doctor, run):
            assert len(read(process, "users")) == 1
            org.auth.expire_all()
        assert list(org.auth.refresh_tokens) == [secrets["REFRESH_TOKEN"]]


def test_a_token_that_another_process_had_replaced_a_moment_ago_is_looked_up_again() -> None:
    org = Org(small_world(), refresh_token="first-refresh")
    org.auth.apps[CLIENT_ID] = replace(org.auth.apps[CLIENT_ID], rotates=True)
    with Sandbox(org) as box:
        settings, secrets = refreshing(box)
        stale = [secrets["REFRESH_TOKEN"]]  # what this process read just before the other one was done
        assert read(connect(settings, secrets.get, keep_secret=secrets.__setitem__), "users")
        late = connect(
            settings,
            lambda name: stale.pop() if name == "REFRESH_TOKEN" and stale else secrets.get(name),
            keep_secret=secrets.__setitem__,
        )
        assert len(read(late, "users")) == 1


def test_a_refresh_token_that_cannot_be_kept_is_not_gone_on_with() -> None:
    org = Org(small_world(), refresh_token="first-refresh")
    org.auth.apps[CLIENT_ID] = replace(org.auth.apps[CLIENT_ID], rotates=True)

    def no_place(name: str, value: str) -> None:
        raise OSError("the disk is full")

    with Sandbox(org) as box:
        settings, secrets = refreshing(box)
        with pytest.raises(OSError, match="full"):
            read(connect(settings, secrets.get, keep_secret=no_place), "users")
        assert [entry.path for entry in box.log] == [TOKEN_PATH]


def test_an_app_without_a_secret_signs_in_with_its_refresh_token_alone() -> None:
    org = Org(small_world(), refresh_token="first-refresh")
    org.auth.apps[CLIENT_ID] = replace(org.auth.apps[CLIENT_ID], public=True)
    with Sandbox(org) as box:
        settings, secrets = refreshing(box)
        del secrets["CLIENT_SECRET"]
        assert len(read(connect(settings, secrets.get), "users")) == 1


QUESTION = question("http://localhost:8766/connected")


def test_a_person_s_code_becomes_a_refresh_token_and_says_whose_it_is() -> None:
    org = Org(small_world())
    with Sandbox(org) as box:
        settings, secrets = refreshing(box)
        consent = SalesforceConsent(settings, secrets.get)
        back = httpx.URL(httpx.get(consent.page(QUESTION)).headers["Location"])
        assert back.params["state"] == QUESTION.state
        joined = consent.exchange(QUESTION, back.params["code"])
        assert joined.refresh_token in org.auth.refresh_tokens
        assert joined.organisation == org.store.organisation
        assert joined.person == org.auth.username_of(org.integration)
        assert joined.refresh_token not in repr(joined)
        assert QUESTION.verifier not in repr(QUESTION)


@pytest.mark.parametrize("missing", ["refresh_token", "api"])
def test_an_app_that_grants_too_little_is_refused_with_the_scope_s_name(missing: str) -> None:
    org = Org(small_world())
    with Sandbox(org) as box:
        settings, secrets = refreshing(box)
        consent = SalesforceConsent(settings, secrets.get)
        scopes = frozenset({"api", "refresh_token"} - {missing})
        code = org.auth.new_code(CLIENT_ID, org.integration, QUESTION.challenge, scopes=scopes)
        with pytest.raises(NotAllowed, match=f"KPI-SF-051: .*scope {missing}"):
            consent.exchange(QUESTION, code)


def test_a_given_token_is_ended_where_it_came_from() -> None:
    org = Org(small_world(), access_token="00D!given")
    with Sandbox(org) as box:
        settings = SalesforceSettings(login_url=box.url, auth="access_token", instance_url=box.url)
        consent = SalesforceConsent(settings, {"ACCESS_TOKEN": "00D!given"}.get)
        assert consent.revoke() is Ended.REVOKED
        assert org.auth.tokens == {}
        assert consent.revoke() is Ended.GONE
