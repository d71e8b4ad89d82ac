"""The HTTP side of the sandbox, seen from a plain socket and from httpx."""

import gzip
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from crm_sandbox.serving import Fault, Request, Response, Sandbox, could_write

BIG = "x" * 5000


@dataclass
class Echo:
    """A CRM that says what it was asked and remembers it."""

    asked: list[Request] = field(default_factory=list)

    def answer(self, request: Request) -> Response:
        self.asked.append(request)
        if request.path == "/big":
            return Response(200, BIG.encode(), {"Content-Type": "text/plain"})
        if request.path == "/mistake":
            raise KeyError("nothing here")
        told = {"method": request.method, "path": request.path, "query": request.query, "bytes": len(request.body)}
        return Response.of_json(200, told, {"Sforce-Limit-Info": "api-usage=1/10", "X-HubSpot-RateLimit-Max": "100"})

    def control(self, request: Request) -> Response:
        return Response.of_json(200, {"control": request.path})


@pytest.fixture
def crm() -> Echo:
    return Echo()


@pytest.fixture
def sandbox(crm: Echo) -> Iterator[Sandbox]:
    with Sandbox(crm) as running:
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=sandbox.url) as http:
        yield http


def raw(sandbox: Sandbox, *requests: str) -> bytes:
    """What comes back on one connection, byte for byte; the last request asks to close it."""
    host, _, port = sandbox.url.removeprefix("http://").partition(":")
    answer = b""
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        for request in requests:
            connection.sendall(request.encode())
        while part := connection.recv(65536):
            answer += part
    return answer


def test_an_answer_carries_status_body_and_headers(client: httpx.Client) -> None:
    answer = client.get("/a/b")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json;charset=UTF-8"
    assert answer.json() == {"method": "GET", "path": "/a/b", "query": [], "bytes": 0}


def test_header_names_keep_their_case_on_the_wire(sandbox: Sandbox) -> None:
    answer = raw(sandbox, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert b"\r\nSforce-Limit-Info: api-usage=1/10\r\n" in answer
    assert b"\r\nX-HubSpot-RateLimit-Max: 100\r\n" in answer


def test_the_crm_finds_request_headers_in_any_case(crm: Echo, client: httpx.Client) -> None:
    client.get("/", headers={"aUTHorization": "Bearer t"})
    assert crm.asked[0].headers["Authorization"] == "Bearer t"
    assert crm.asked[0].headers.get("AUTHORIZATION") == "Bearer t"


def test_a_percent_encoded_path_arrives_as_it_was_sent(sandbox: Sandbox, crm: Echo) -> None:
    raw(sandbox, "GET /objects/a%2Fb/%C3%B1%20%7E?q=a%26b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert crm.asked[0].path == "/objects/a%2Fb/%C3%B1%20%7E"
    assert crm.asked[0].query == (("q", "a&b"),)


def test_a_query_keeps_order_repeats_blanks_and_plus_signs(crm: Echo, client: httpx.Client) -> None:
    client.get("/?b=2&a=1&b=3&empty=&q=SELECT+Id%20FROM%20X%2BY")
    request = crm.asked[0]
    assert request.query == (("b", "2"), ("a", "1"), ("b", "3"), ("empty", ""), ("q", "SELECT Id FROM X+Y"))
    assert request.param("b") == "2"
    assert request.params("b") == ["2", "3"]
    assert request.param("none", "otherwise") == "otherwise"


def test_large_answers_are_gzipped_for_those_who_accept_it(client: httpx.Client) -> None:
    zipped = client.get("/big", headers={"Accept-Encoding": "deflate, GZIP;q=0.5"})
    assert zipped.headers["content-encoding"] == "gzip"
    assert zipped.text == BIG
    assert int(zipped.headers["content-length"]) < 200


@pytest.mark.parametrize("accepted", ["identity", "", "gzip;q=0", "gzip; q=0.0", "gzipped"])
def test_answers_are_plain_for_those_who_do_not(client: httpx.Client, accepted: str) -> None:
    plain = client.get("/big", headers={"Accept-Encoding": accepted})
    assert "content-encoding" not in plain.headers
    assert plain.headers["content-length"] == "5000"


def test_small_answers_are_never_gzipped(client: httpx.Client) -> None:
    assert "content-encoding" not in client.get("/", headers={"Accept-Encoding": "gzip"}).headers


def test_a_gzipped_request_body_is_unpacked(crm: Echo, client: httpx.Client) -> None:
    client.post("/", content=gzip.compress(b'{"a":1}'), headers={"Content-Encoding": "gzip"})
    assert crm.asked[0].json() == {"a": 1}


def test_one_connection_carries_many_requests(sandbox: Sandbox) -> None:
    ask = "GET /{} HTTP/1.1\r\nHost: x\r\n{}\r\n"
    answer = raw(sandbox, ask.format(1, ""), ask.format(2, ""), ask.format(3, "Connection: close\r\n"))
    assert answer.count(b"HTTP/1.1 200 OK") == 3


def test_a_body_of_many_megabytes_is_taken(client: httpx.Client) -> None:
    assert client.put("/upload", content=b"x" * 20_000_000).json()["bytes"] == 20_000_000


def test_a_url_longer_than_sixteen_thousand_characters_is_taken(crm: Echo, client: httpx.Client) -> None:
    client.get("/", params={"q": "x" * 20_000})
    assert crm.asked[0].param("q") == "x" * 20_000


def test_threads_are_served_at_the_same_time(sandbox: Sandbox) -> None:
    sandbox.latency = 0.05
    statuses: list[int] = []
    threads = [threading.Thread(target=lambda: statuses.append(httpx.get(sandbox.url).status_code)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 8
    assert len(sandbox.log) == 8


def test_a_fault_can_answer_in_the_crms_place(sandbox: Sandbox, crm: Echo, client: httpx.Client) -> None:
    sandbox.faults.append(Fault("GET /x", "answer", status=429, body='{"no":1}', headers={"Retry-After": "7"}))
    answer = client.get("/x")
    assert (answer.status_code, answer.headers["Retry-After"], answer.json()) == (429, "7", {"no": 1})
    assert crm.asked == []
    assert client.get("/x").status_code == 200


def test_a_reset_closes_the_connection_before_the_crm_sees_anything(
    sandbox: Sandbox, crm: Echo, client: httpx.Client
) -> None:
    sandbox.faults.append(Fault("POST", "reset"))
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        client.post("/x", json={})
    assert crm.asked == []
    assert [(entry.status, entry.fault) for entry in sandbox.log] == [(0, "reset")]


def test_a_commit_can_happen_though_its_answer_is_lost(sandbox: Sandbox, crm: Echo, client: httpx.Client) -> None:
    sandbox.faults.append(Fault("PATCH /record", "commit_then_drop"))
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        client.patch("/record", json={"a": 1})
    assert [request.json() for request in crm.asked] == [{"a": 1}]
    assert [(entry.status, entry.fault) for entry in sandbox.log] == [(200, "commit_then_drop")]


def test_half_an_answer_ends_in_the_middle_of_its_body(sandbox: Sandbox) -> None:
    sandbox.faults.append(Fault("/big", "half"))
    head, _, body = raw(sandbox, "GET /big HTTP/1.1\r\nHost: x\r\n\r\n").partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK")
    assert b"Content-Length: 5000" in head
    assert body == b"x" * 2500


def test_a_client_notices_half_an_answer(sandbox: Sandbox, client: httpx.Client) -> None:
    sandbox.faults.append(Fault("/big", "half"))
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        client.get("/big")
    assert client.get("/big").text == BIG


def test_a_garbled_answer_looks_whole_but_is_no_json(sandbox: Sandbox, client: httpx.Client) -> None:
    sandbox.faults.append(Fault("/x", "garble"))
    answer = client.get("/x")
    assert answer.status_code == 200
    assert int(answer.headers["content-length"]) == len(answer.content)
    with pytest.raises(json.JSONDecodeError):
        answer.json()


def test_a_delay_outlasts_an_impatient_client_but_the_crm_did_it(
    sandbox: Sandbox, crm: Echo, client: httpx.Client
) -> None:
    sandbox.faults.append(Fault("/x", "delay", seconds=30))
    with pytest.raises(httpx.ReadTimeout):
        client.get("/x", timeout=0.2)
    assert len(crm.asked) == 1


def test_faults_wait_for_their_turn_and_end(sandbox: Sandbox, client: httpx.Client) -> None:
    sandbox.faults.append(Fault("GET /x", "answer", after=1, times=2, status=503))
    assert [client.get("/x").status_code for _ in range(5)] == [200, 503, 503, 200, 200]


def test_a_fault_without_end_goes_on(sandbox: Sandbox, client: httpx.Client) -> None:
    sandbox.faults.append(Fault("GET /x", "answer", times=None, status=500))
    assert [client.get("/x").status_code for _ in range(3)] == [500, 500, 500]
    assert client.get("/y").status_code == 200


def test_a_fault_that_does_not_exist_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match=r"no fault 'explode'; known are answer, commit_then_drop"):
        Fault("/", "explode")


def test_a_mistake_of_the_sandbox_itself_says_so(client: httpx.Client, sandbox: Sandbox) -> None:
    answer = client.get("/mistake")
    assert answer.status_code == 500
    assert answer.text == "The sandbox itself made a mistake: KeyError: 'nothing here'"
    assert sandbox.log[0].status == 500


def test_the_log_holds_what_was_asked_and_no_token(sandbox: Sandbox, client: httpx.Client) -> None:
    client.post("/oauth/v1/access-tokens/very-secret", content=b"abc", headers={"Authorization": "Bearer very-secret"})
    client.get("/big?limit=2", headers={"Accept-Encoding": "identity"})
    first, second = sandbox.log
    assert (first.method, first.path, first.received) == ("POST", "/oauth/v1/access-tokens/…", 3)
    assert (second.query, second.status, second.sent) == ("limit=2", 200, 5000)
    assert "secret" not in repr(sandbox.log)


@pytest.mark.parametrize(
    ("method", "path", "writes"),
    [
        ("GET", "/services/data/v66.0/query", False),
        ("POST", "/services/oauth2/token", False),
        ("POST", "/services/data/v66.0/jobs/query", False),
        ("DELETE", "/services/data/v66.0/jobs/query/750xx", False),
        ("POST", "/services/data/v66.0/composite/sobjects/Account", False),
        ("POST", "/crm/objects/2026-09/calls/search", False),
        ("POST", "/crm/v3/objects/calls/search/", False),
        ("POST", "/crm/associations/2026-09/deals/calls/batch/read", False),
        ("POST", "/services/data/v66.0/composite/sobjects", True),
        ("PATCH", "/services/data/v66.0/composite/sobjects/Sales_KPI__c/External_Key__c", True),
        ("POST", "/services/data/v66.0/jobs/ingest", True),
        ("PUT", "/services/data/v66.0/jobs/ingest/750xx/batches", True),
        ("POST", "/crm/objects/2026-09/sales_kpi/batch/upsert", True),
        ("DELETE", "/crm/objects/2026-09/sales_kpi/1", True),
    ],
)
def test_only_requests_that_can_change_a_crm_are_writes(method: str, path: str, writes: bool) -> None:
    assert could_write(Request(method, path, (), {}, b"")) is writes


def test_a_batch_of_reads_is_no_write_and_one_write_makes_it_one() -> None:
    read, write = {"method": "GET", "url": "v66.0/limits"}, {"method": "PATCH", "url": "v66.0/sobjects/User/005"}
    for inner, writes in [([read, read], False), ([read, write], True)]:
        body = json.dumps({"batchRequests": inner}).encode()
        assert could_write(Request("POST", "/services/data/v66.0/composite/batch", (), {}, body)) is writes


def test_the_control_paths_steer_a_sandbox_from_another_process(client: httpx.Client, sandbox: Sandbox) -> None:
    assert client.post("/_control/faults", json=[{"path": "/x", "do": "answer", "status": 418}]).status_code == 204
    assert client.get("/x").status_code == 418
    requests: list[dict[str, Any]] = client.get("/_control/requests").json()
    assert [(entry["path"], entry["status"], entry["fault"], entry["writes"]) for entry in requests] == [
        ("/x", 418, "answer", False)
    ]
    assert client.delete("/_control/requests").status_code == 204
    assert client.get("/_control/requests").json() == []
    assert client.delete("/_control/faults").status_code == 204
    assert client.post("/_control/latency", json=0.001).status_code == 204
    assert sandbox.latency == 0.001
    assert client.get("/_control/clock").json() == {"control": "/_control/clock"}


@pytest.mark.parametrize("rules", [[{"path": "/x", "do": "explode"}], [{"wrong": 1}], "no list", 5])
def test_faults_that_make_no_sense_are_refused(client: httpx.Client, sandbox: Sandbox, rules: object) -> None:
    answer = client.post("/_control/faults", json=rules)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("Send a list of faults: ")
    assert sandbox.faults == []


def test_leaving_the_sandbox_closes_its_port(crm: Echo) -> None:
    with Sandbox(crm) as running:
        assert httpx.get(running.url).status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(running.url)


def test_a_port_that_is_taken_is_an_error_where_the_sandbox_is_started(sandbox: Sandbox) -> None:
    taken = int(sandbox.url.rpartition(":")[2])
    with pytest.raises(OSError, match="address already in use"), Sandbox(Echo(), port=taken):
        pass
