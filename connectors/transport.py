"""One HTTP policy for every CRM: timeouts, retries, pace, one sign-in at a time, counters, redaction.

A connector says what its vendor's answers mean (`Policy`); this room does the waiting and the repeating. Nothing here
knows a vendor, and nothing outside opens a connection.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import IO, Any

import httpx
import msgspec
import tenacity

from connectors.errors import NotAllowed, Unreachable

log = logging.getLogger("kpisync.transport")

TIMEOUT = httpx.Timeout(connect=10.0, read=120.0, write=60.0, pool=30.0)
"""Neither vendor client sets one; a query may take the CRM's own two minutes."""


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


class _TryAgain(Exception):
    """This attempt gave nothing usable. `answer` is what the CRM said, None where it said nothing whole."""

    def __init__(self, why: str, wait: float | None = None, answer: httpx.Response | None = None) -> None:
        super().__init__(why)
        self.why, self.wait, self.answer = why, wait, answer


class Transport:
    """Sends requests for one connection; thread-safe.

    `sign_in` returns the headers that authorise a request; it is called once at first and once more whenever the CRM
    says that they no longer do, by one thread at a time however many wait. It may move `base_url` where the CRM says
    that this company lives elsewhere. `pace` blocks until a request of its kind may leave (a rate limit) or raises;
    `sleep` is time's, so that tests need not wait. `on_response` sees every answer,
    `on_lost` every request to which none came.
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
        on_lost: Callable[[httpx.Request], None] | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.counters = Counters()
        self._policy = policy
        self._sign_in = sign_in
        self._code = code
        self._pace = pace
        self._sleep = sleep
        self._on_response = on_response
        self._on_lost = on_lost
        self._http = httpx.Client(timeout=TIMEOUT, follow_redirects=False)
        self._authorised: Mapping[str, str] | None = None
        self._lock = threading.Lock()
        logging.getLogger("httpx").addFilter(_without_query)

    def close(self) -> None:
        """Let go of the open connections."""
        self._http.close()

    def send(
        self,
        method: str,
        path: str,
        *,
        signed: bool = True,
        safe: bool | None = None,
        headers: Mapping[str, str] | None = None,
        into: IO[bytes] | None = None,
        **content: Any,
    ) -> httpx.Response:
        """The CRM's answer, after as many repeats as the policy allows.

        `path` is absolute on `base_url`, or a whole URL. `safe` says that repeating does no harm (default: GET, HEAD,
        PUT and DELETE are safe, POST and PATCH are not); an unsafe request is repeated only where it never left.
        `content` is httpx's (`params`, `json`, `content`, `data`, `files`). With `into` the body of a success goes into
        that file, from its beginning, and not into memory; the answer itself is left without one. An answer that says
        "try again" to the last attempt is handed over for the connector to name. Raises `Unreachable` when no whole
        answer came.
        """
        repeatable = safe if safe is not None else method in {"GET", "HEAD", "PUT", "DELETE"}
        attempts = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_TryAgain),
            stop=tenacity.stop_after_attempt(self._policy.attempts),
            wait=_as_told_or(tenacity.wait_exponential_jitter(multiplier=0.5, max=self._policy.slowest)),
            before_sleep=self._note_retry,
            sleep=self._sleep,
            reraise=True,
        )
        try:
            return attempts(self._attempt, method, path, signed, repeatable, headers or {}, into, content)
        except _TryAgain as gave_up:
            if gave_up.answer is not None:
                return gave_up.answer
            raise self._unreachable(method, path, gave_up.why) from None

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

    def _attempt(
        self,
        method: str,
        path: str,
        signed: bool,
        repeatable: bool,
        headers: Mapping[str, str],
        into: IO[bytes] | None,
        content: Mapping[str, Any],
    ) -> httpx.Response:
        """One try, with one more sign-in if the CRM asks for it; raises `_TryAgain` where another try may help."""
        used = self.authorisation() if signed else {}
        response = self._once(method, path, {**headers, **used}, into, content, repeatable)
        ruling = self._policy.rule(response)
        if ruling.verdict is Verdict.SIGN_IN and signed:
            self._forget(used)
            renewed = {**headers, **self.authorisation()}
            response = self._once(method, path, renewed, into, content, repeatable)
            ruling = self._policy.rule(response)
        if not repeatable:
            return response
        if ruling.verdict is Verdict.RETRY:
            raise _TryAgain(f"HTTP {response.status_code}", ruling.wait, response)
        if into is None and response.is_success and not _whole(response):
            raise _TryAgain("the answer was cut short or garbled")
        return response

    def _once(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        into: IO[bytes] | None,
        content: Mapping[str, Any],
        repeatable: bool,
    ) -> httpx.Response:
        request = self._http.build_request(method, self._url(path, headers), headers=dict(headers), **content)
        if self._pace:
            self._pace(request)
        with self.counters.lock:
            self.counters.requests += 1
        try:
            response = self._http.send(request, stream=into is not None)
            if into is not None:
                _pour(response, into)
        except httpx.RequestError as failure:
            if self._on_lost:
                self._on_lost(request)
            # Only the kind of failure goes on: its text may quote a header, and with it a token.
            why = type(failure).__name__
            never_left = isinstance(failure, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
            if repeatable or never_left:
                raise _TryAgain(why) from None
            raise self._unreachable(method, path, why) from None
        with self.counters.lock:
            self.counters.received += response.num_bytes_downloaded
        if self._on_response:
            self._on_response(response)
        log.debug("crm.request", extra={"method": method, "path": request.url.path, "status": response.status_code})
        return response

    def _url(self, path: str, headers: Mapping[str, str]) -> str:
        """The whole URL; a token goes to the CRM's own host only, whatever a link in an answer says."""
        if not path.startswith(("http://", "https://")):
            return self.base_url + path
        own, asked = httpx.URL(self.base_url), httpx.URL(path)
        same_host = (own.scheme, own.netloc) == (asked.scheme, asked.netloc)
        if not same_host and any(name.lower() == "authorization" for name in headers):
            raise NotAllowed(
                "KPI-NET-001",
                f"An address outside {own.host} was to be called with this connection's token ({asked.host}).",
                "Check the addresses in kpisync.toml; if they are right, report this with the CRM's name.",
            )
        return path

    def _note_retry(self, state: tenacity.RetryCallState) -> None:
        with self.counters.lock:
            self.counters.retries += 1
        failure = state.outcome.exception() if state.outcome else None
        why = failure.why if isinstance(failure, _TryAgain) else "unknown"
        seconds = round(state.upcoming_sleep, 1)
        log.info("crm.retry", extra={"why": why, "wait_seconds": seconds, "attempt": state.attempt_number})

    def _unreachable(self, method: str, path: str, why: str) -> Unreachable:
        own = httpx.URL(self.base_url)
        where = f"{method} {httpx.URL(path).path}"
        return Unreachable(
            self._code,
            f"{own.netloc.decode()} cannot be reached ({where}: {why}).",
            "Check the network and the address in kpisync.toml; nothing was lost, the next run goes on from here.",
        )


class _as_told_or(tenacity.wait.wait_base):
    """The CRM's own word on how long to wait, where it gave one."""

    def __init__(self, otherwise: tenacity.wait.wait_base) -> None:
        self._otherwise = otherwise

    def __call__(self, retry_state: tenacity.RetryCallState) -> float:
        failure = retry_state.outcome.exception() if retry_state.outcome else None
        if isinstance(failure, _TryAgain) and failure.wait is not None:
            return failure.wait
        return self._otherwise(retry_state)


def _pour(response: httpx.Response, into: IO[bytes]) -> None:
    """A success into the file, in place of what an earlier try left there; anything else is short and is read."""
    with closing(response):
        if not response.is_success:
            response.read()
            return
        into.seek(0)
        into.truncate()
        for chunk in response.iter_bytes():
            into.write(chunk)


def _whole(response: httpx.Response) -> bool:
    """Whether a body that claims to be JSON is; a proxy that gives up half-way keeps status and type."""
    if "json" not in response.headers.get("content-type", "") or not response.content:
        return True
    try:
        msgspec.json.decode(response.content, type=msgspec.Raw)
    except msgspec.DecodeError:
        return False
    return True


def _without_query(record: logging.LogRecord) -> bool:
    """httpx logs whole URLs; a query names customers (an e-mail in a search, a key in a filter)."""
    if isinstance(record.args, tuple):
        record.args = tuple(
            value.copy_with(query=None) if isinstance(value, httpx.URL) else value for value in record.args
        )
    return True
