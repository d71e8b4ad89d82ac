"""The transport against a real server that misbehaves on purpose."""

import json
import logging
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import httpx
import pytest

from connectors.errors import NotAllowed, Unreachable
from connectors.transport import ACCEPT, SIGN_IN, Policy, Ruling, Transport, retry
from crm_sandbox.serving import Fault, Request, Response, Sandbox

SECRET = "s3cr3t-token"


@dataclass
class Clerk:
    """A CRM that counts: every request gets the number of requests so far."""

    tokens: set[str] = field(default_factory=lambda: {SECRET})
    seen: list[Request] = field(default_factory=list)

    def answer(self, request: Request) -> Response:
        self.seen.append(request)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if request.path != "/open" and token not in self.tokens:
            return Response.of_json(401, {"code": "expired"})
        return Response.of_json(200, {"number": len(self.seen)})

    def control(self, request: Request) -> Response:
        return Response(404)


def rule(response: httpx.Response) -> Ruling:
    match response.status_code:
        case 401:
            return SIGN_IN
        case 429:
            return retry(wait=float(response.headers["retry-after"]))
        case 503:
            return retry()
        case _:
            return ACCEPT


@dataclass
class Desk:
    """A transport, the server it talks to, and the waits that it asked for."""

    clerk: Clerk
    sandbox: Sandbox
    waits: list[float] = field(default_factory=list)
    tokens: Iterator[str] = field(default_factory=lambda: iter([SECRET, SECRET, SECRET]))

    def transport(self, **other: Callable[..., None]) -> Transport:
        def sign_in(_: Transport) -> Mapping[str, str]:
            return {"Authorization": f"Bearer {next(self.tokens)}"}

        return Transport(
            self.sandbox.url,
            Policy(rule, attempts=4),
            sign_in,
            code="KPI-XX-001",
            sleep=self.waits.append,
            **other,  # type: ignore[arg-type]
        )


@pytest.fixture
def desk() -> Iterator[Desk]:
    clerk = Clerk()
    with Sandbox(clerk) as sandbox:
        yield Desk(clerk, sandbox)


def test_an_answer_is_handed_over_and_counted(desk: Desk) -> None:
    transport = desk.transport()
    assert transport.send("GET", "/deals").json() == {"number": 1}
    assert (transport.counters.requests, transport.counters.retries, transport.counters.sign_ins) == (1, 0, 1)
    assert transport.counters.received == len('{"number":1}')


@pytest.mark.parametrize("trouble", ["reset", "half", "garble", "commit_then_drop"])
def test_a_get_that_breaks_twice_is_answered_the_third_time(desk: Desk, trouble: str) -> None:
    desk.sandbox.faults.append(Fault("GET /deals", trouble, times=2))
    transport = desk.transport()
    assert "number" in transport.send("GET", "/deals").json()
    assert (transport.counters.requests, transport.counters.retries) == (3, 2)


@pytest.mark.parametrize("trouble", ["reset", "half", "garble"])
def test_a_get_that_stays_broken_is_unreachable_after_four_attempts(desk: Desk, trouble: str) -> None:
    desk.sandbox.faults.append(Fault("GET /deals", trouble, times=None))
    with pytest.raises(Unreachable, match=r"KPI-XX-001: .* \(GET /deals: "):
        desk.transport().send("GET", "/deals?q=ana@example.com")
    assert len(desk.waits) == 3


def test_a_post_whose_answer_was_lost_is_not_sent_again(desk: Desk) -> None:
    desk.sandbox.faults.append(Fault("POST /deals", "commit_then_drop"))
    with pytest.raises(Unreachable):
        desk.transport().send("POST", "/deals", json={})
    assert [request.path for request in desk.clerk.seen] == ["/deals"]


def test_a_post_that_is_known_to_be_safe_is_sent_again(desk: Desk) -> None:
    desk.sandbox.faults.append(Fault("POST /search", "commit_then_drop"))
    assert desk.transport().send("POST", "/search", json={"a": 1}, safe=True).json() == {"number": 2}
    assert [json.loads(request.body) for request in desk.clerk.seen] == [{"a": 1}, {"a": 1}]


def test_a_post_that_never_left_is_tried_again() -> None:
    waits: list[float] = []
    transport = Transport("http://127.0.0.1:9", Policy(rule), lambda _: {}, code="KPI-XX-001", sleep=waits.append)
    with pytest.raises(Unreachable, match="ConnectError"):
        transport.send("POST", "/deals", json={})
    assert len(waits) == 4


def test_the_crm_s_own_word_decides_how_long_to_wait(desk: Desk) -> None:
    desk.sandbox.faults.append(Fault("/deals", "answer", status=429, headers={"Retry-After": "7"}, times=2))
    desk.transport().send("GET", "/deals")
    assert desk.waits == [7.0, 7.0]


def test_waits_grow_where_the_crm_names_none(desk: Desk) -> None:
    desk.sandbox.faults.append(Fault("/deals", "answer", status=503, times=3))
    desk.transport().send("GET", "/deals")
    first, second, third = desk.waits  # half a second doubled each time, and up to one second of chance
    assert 0.5 <= first <= 1.5
    assert 1.0 <= second <= 2.0
    assert 2.0 <= third <= 3.0


def test_an_answer_that_keeps_saying_later_is_handed_over_in_the_end(desk: Desk) -> None:
    desk.sandbox.faults.append(Fault("/deals", "answer", status=503, times=None))
    assert desk.transport().send("GET", "/deals").status_code == 503


def test_a_lost_session_is_renewed_once_and_the_request_sent_again(desk: Desk) -> None:
    desk.tokens = iter(["stale", SECRET])
    transport = desk.transport()
    assert transport.send("POST", "/deals", json={}, headers={"X-Size": "200"}).json() == {"number": 2}
    assert transport.counters.sign_ins == 2
    assert [request.headers["X-Size"] for request in desk.clerk.seen] == ["200", "200"]


def test_a_session_that_stays_refused_is_not_renewed_for_ever(desk: Desk) -> None:
    desk.tokens = iter(["stale", "staler", "stalest"])
    transport = desk.transport()
    assert transport.send("GET", "/deals").status_code == 401
    assert transport.counters.sign_ins == 2


def test_many_threads_that_lose_a_session_sign_in_once(desk: Desk) -> None:
    desk.tokens = iter(["old", "new"])
    desk.clerk.tokens = {"old"}
    transport = desk.transport()
    transport.send("GET", "/deals")
    desk.clerk.tokens = {"new"}
    together = threading.Barrier(8)

    def ask() -> None:
        together.wait()
        assert transport.send("GET", "/deals").status_code == 200

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert transport.counters.sign_ins == 2


def test_a_token_is_never_sent_to_another_host(desk: Desk) -> None:
    with Sandbox(Clerk()) as stranger, pytest.raises(NotAllowed, match="outside"):
        desk.transport().send("GET", stranger.url + "/deals")


def test_an_unsigned_request_carries_no_token(desk: Desk) -> None:
    desk.transport().send("GET", desk.sandbox.url + "/open", signed=False)
    assert "Authorization" not in desk.clerk.seen[0].headers


def test_a_token_that_cannot_be_a_header_is_not_quoted_in_the_error(desk: Desk) -> None:
    desk.tokens = iter([f"{SECRET}\nX: y"] * 9)
    with pytest.raises(Unreachable) as caught:
        desk.transport().send("GET", "/deals")
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_neither_token_nor_query_nor_body_reaches_a_log(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    desk.sandbox.faults.append(Fault("/deals", "answer", status=503))
    desk.transport().send("POST", "/deals", safe=True, params={"q": "ana@example.com"}, json={"name": "Ana Ruiz"})
    heard = "\n".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    assert "crm.retry" in heard
    assert not any(private in heard for private in (SECRET, "ana@example.com", "Ana Ruiz"))


@pytest.mark.parametrize("trouble", ["reset", "half", "commit_then_drop"])
def test_a_request_to_which_no_answer_came_is_told_of_as_lost(desk: Desk, trouble: str) -> None:
    desk.sandbox.faults.append(Fault("GET /deals", trouble, times=2))
    asked: list[httpx.Request] = []
    lost: list[httpx.Request] = []
    answered: list[httpx.Response] = []
    transport = desk.transport(pace=asked.append, on_lost=lost.append, on_response=answered.append)
    transport.send("GET", "/deals")
    assert lost == asked[:2]
    assert [response.request for response in answered] == asked[2:]
