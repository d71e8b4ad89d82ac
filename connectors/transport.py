"""One HTTP policy for every CRM: timeouts, retries, pace, one sign-in at a time, counters, redaction.

A connector says what its vendor's answers mean (`Policy`); this room does the waiting and the repeating. Nothing here
knows a vendor, and nothing outside opens a connection.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

import httpx
import tenacity

from connectors.errors import Unreachable

log = logging.getLogger("kpisync.transport")

TIMEOUT = httpx.Timeout(connect=10.0, read=120.0, write=60.0, pool=30.0)
"""Neither vendor client sets one; a query may take the CRM's own two minutes."""

SECRET_HEADERS = frozenset({"authorization", "cookie", "set-cookie"})


class Verdict(Enum):
    """What to do with an answer."""

    ACCEPT = auto()
    RETRY = auto()
    SIGN_IN = auto()


@dataclass(frozen=True)
class Ruling:
    """A verdict; `wait` is the CRM's own word on how many seconds to wait, None: back off as usual."""

    verdict: Verdict
    wait: float | None = None


ACCEPT = Ruling(Verdict.ACCEPT)
SIGN_IN = Ruling(Verdict.SIGN_IN)


def retry(wait: float | None = None) -> Ruling:
    """Try again, after `wait` seconds if the CRM named a time."""
    return Ruling(Verdict.RETRY, wait)


@dataclass(frozen=True)
class Policy:
    """What a vendor's answers mean.

    rule       an answer → what to do. ACCEPT hands it to the caller, whatever its status
    attempts   how often one request is sent at the most
    slowest    the longest back-off in seconds
    """

    rule: Callable[[httpx.Response], Ruling]
    attempts: int = 5
    slowest: float = 60.0


@dataclass
class Counters:
    """What went over the wire since the start, for budgets, benchmarks and tests."""

    requests: int = 0
    retries: int = 0
    sign_ins: int = 0
    received: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)


class Transport:
    """Sends requests for one connection; thread-safe.

    `sign_in` returns the headers that authorise a request; it is called once at first and once more whenever the CRM
    says that they no longer do, by one thread at a time however many wait. `pace` blocks until a request of its kind
    may leave (a rate limit), `sleep` is time's, so that tests need not wait.
    """

    def __init__(
        self,
        base_url: str,
        policy: Policy,
        sign_in: Callable[["Transport"], Mapping[str, str]],
        *,
        code: str,
        pace: Callable[[httpx.Request], None] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        on_response: Callable[[httpx.Response], None] | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.counters = Counters()
        self._policy = policy
        self._sign_in = sign_in
        self._code = code
        self._pace = pace
        self._sleep = sleep
        self._on_response = on_response
        self._http = httpx.Client(timeout=TIMEOUT, follow_redirects=False)
        self._authorised: Mapping[str, str] | None = None
        self._lock = threading.Lock()

    def close(self) -> None:
        self._http.close()

    def send(
        self,
        method: str,
        path: str,
        *,
        signed: bool = True,
        safe: bool | None = None,
        headers: Mapping[str, str] | None = None,
        **content: Any,
    ) -> httpx.Response:
        """The CRM's answer, after as many repeats as the policy allows.

        `path` is absolute on `base_url`, or a whole URL. `safe` says that repeating does no harm (default: GET, HEAD,
        PUT and DELETE are safe, POST and PATCH are not); an unsafe request is repeated only where the CRM's answer proves
        that it was not carried out. `content` is httpx's (`params`, `json`, `content`, `data`, `files`).
        Raises `Unreachable` when no answer came or the answer stayed unusable.
        """
        repeatable = safe if safe is not None else method in {"GET", "HEAD", "PUT", "DELETE"}
        signed_in_again = False
        attempts = tenacity.wait_exponential_jitter(initial=0.5, max=self._policy.slowest)
        for attempt in range(1, self._policy.attempts + 1):
            used = self.authorisation() if signed else {}
            last = attempt == self._policy.attempts
            try:
                response = self._once(method, path, {**(headers or {}), **used}, content)
            except httpx.TransportError as failure:
                if last or not (repeatable or isinstance(failure, httpx.ConnectError)):
                    raise self._unreachable(method, path, type(failure).__name__) from failure
                self._back_off(attempts, attempt, None, type(failure).__name__)
                continue
            ruling = self._policy.rule(response)
            if ruling.verdict is Verdict.SIGN_IN and signed and not signed_in_again:
                signed_in_again = True
                self._forget(used)
                continue
            if ruling.verdict is Verdict.RETRY and repeatable and not last:
                self._back_off(attempts, attempt, ruling.wait, f"HTTP {response.status_code}")
                continue
            return response
        raise self._unreachable(method, path, "the answer stayed unusable")

    def authorisation(self) -> Mapping[str, str]:
        """The headers that authorise a request, signing in first if nobody has."""
        with self._lock:
            if self._authorised is None:
                self.counters.sign_ins += 1
                self._authorised = self._sign_in(self)
            return self._authorised

    def _forget(self, used: Mapping[str, str]) -> None:
        """Sign in again next time, unless another thread has done so since `used` was handed out."""
        with self._lock:
            if self._authorised is used:
                self._authorised = None

    def _once(self, method: str, path: str, headers: Mapping[str, str], content: Mapping[str, Any]) -> httpx.Response:
        url = path if path.startswith("http") else self.base_url + path
        request = self._http.build_request(method, url, headers=dict(headers), **content)
        if self._pace:
            self._pace(request)
        response = self._http.send(request)
        with self.counters.lock:
            self.counters.requests += 1
            self.counters.received += len(response.content)
        if self._on_response:
            self._on_response(response)
        log.debug("crm.request", extra={"method": method, "path": request.url.path, "status": response.status_code})
        return response

    def _back_off(self, waits: tenacity.wait_exponential_jitter, attempt: int, told: float | None, why: str) -> None:
        state = tenacity.RetryCallState(tenacity.Retrying(), None, (), {})
        state.attempt_number = attempt
        seconds = told if told is not None else waits(state)
        with self.counters.lock:
            self.counters.retries += 1
        log.info("crm.retry", extra={"why": why, "wait_seconds": round(seconds, 1), "attempt": attempt})
        self._sleep(seconds)

    def _unreachable(self, method: str, path: str, why: str) -> Unreachable:
        host = httpx.URL(self.base_url).netloc.decode()
        where = f"{method} {path.split('?')[0]}"
        return Unreachable(
            self._code,
            f"{host} cannot be reached ({where}: {why}).",
            "Check the network and the address in kpisync.toml; nothing was lost, the next run goes on from here.",
        )
