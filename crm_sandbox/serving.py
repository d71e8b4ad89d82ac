"""The HTTP side that both pretend CRMs share: a real server on a loopback port, a request log, latency and faults.

A CRM is an object with `answer(request) -> Response`; everything about HTTP (header case, gzip, keep-alive, resets) is
here, everything about a vendor is there. `answer` runs in the sandbox's own thread, one request at a time.
"""

import asyncio
import gzip
import json
import logging
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, Self
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web
from multidict import CIMultiDict

GZIP_FROM = 1024
"""Bodies from this many bytes on are compressed for clients that accept it."""

CHUNK = 64 * 1024
"""Bytes of one piece of a body that is sent in pieces."""

LARGEST_BODY = 200 * 1024 * 1024
"""More than either CRM takes (Salesforce: 150 MB for a bulk upload), so that the refusal is the CRM's own."""

LONGEST_LINE = 64 * 1024
"""A request line or header; a CRM that takes less of a URL says so itself."""

FAULTS = ("answer", "commit_then_drop", "reset", "half", "garble", "delay")

READS_BY_POST = re.compile(
    r"/(search|batch/read|introspect|token|access-token-info|revoke|jobs/query)(/|$)|/composite/sobjects/\w+/?$"
)
"""Posts that change no record. The last one is Salesforce's retrieval of many records by their ids."""

SECRET_IN_PATH = re.compile(r"(?<=-tokens/)[^/]+")
"""HubSpot describes a token at an address that holds the token itself."""

log = logging.getLogger("crm_sandbox")


@dataclass(frozen=True)
class Request:
    """What a client sent. `path` is as it came, still percent-encoded; `query` is decoded and keeps repeated names and
    their order; `headers` finds names in any case."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes

    def param(self, name: str, default: str | None = None) -> str | None:
        """The first value of a query parameter."""
        return next((value for key, value in self.query if key == name), default)

    def params(self, name: str) -> list[str]:
        """Every value of a repeated query parameter."""
        return [value for key, value in self.query if key == name]

    def json(self) -> Any:
        """The body as JSON; raises ValueError where it is none."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Response:
    """What goes back. `headers` are sent in exactly this case; a `chunked` body goes in pieces without a length."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    chunked: bool = False

    @classmethod
    def of_json(cls, status: int, value: Any, headers: Mapping[str, str] | None = None) -> Self:
        """A JSON answer with the content type that both CRMs use."""
        return cls(
            status, msgspec.json.encode(value), {"Content-Type": "application/json;charset=UTF-8", **(headers or {})}
        )


class Crm(Protocol):
    """A pretend CRM: one call in, one answer out. `control` serves the paths under `/_control/` that only it knows."""

    def answer(self, request: Request) -> Response: ...

    def control(self, request: Request) -> Response: ...


@dataclass
class Fault:
    """Something that goes wrong on purpose.

    path      a regular expression searched in "METHOD /path"
    after     how many matching requests pass untouched first
    times     how many are hit then (None: all of them)
    do        answer   `status`, `body`, `headers` instead of the real answer; the CRM never sees the request
              commit_then_drop   the CRM carries the request out, but the connection closes without an answer
              reset    the connection closes before the CRM sees the request
              half     the real answer's headers and half of its body, then the connection closes
              garble   the real answer with its body cut in the middle but a matching Content-Length
              delay    the real answer after `seconds`

    The first rule that strikes is the only one that acts on a request; those after it do not count it.
    """

    path: str
    do: str
    after: int = 0
    times: int | None = 1
    status: int = 503
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    seen: int = 0

    def __post_init__(self) -> None:
        if self.do not in FAULTS:
            raise ValueError(f"There is no fault {self.do!r}; known are {', '.join(FAULTS)}.")

    def strikes(self, request: Request) -> bool:
        """Count this request if it matches, and say whether it is hit."""
        if not re.search(self.path, f"{request.method} {request.path}"):
            return False
        self.seen += 1
        number = self.seen - self.after
        return number > 0 and (self.times is None or number <= self.times)


@dataclass(frozen=True)
class Logged:
    """One request as the sandbox saw it, `at` a moment in seconds of a clock that only goes forward. Tokens and bodies
    are not kept."""

    method: str
    path: str
    query: str
    status: int
    received: int
    sent: int
    fault: str | None = None

    writes: bool = False
    at: float = 0.0


def could_write(request: Request) -> bool:
    """Whether a request could change a CRM. A search or a batch read is a POST that does not."""
    if request.method not in {"POST", "PATCH", "PUT", "DELETE"} or READS_BY_POST.search(request.path):
        return False
    return not _only_gets(request)


def _only_gets(request: Request) -> bool:
    """Whether it is a Salesforce batch of nothing but GETs."""
    if not request.path.rstrip("/").endswith("/composite/batch"):
        return False
    try:
        return all(inner["method"] == "GET" for inner in request.json()["batchRequests"])
    except (ValueError, KeyError, TypeError):
        return False  # the CRM will refuse it; until then it could be anything


class Sandbox:
    """Runs one pretend CRM in a thread of its own: `with Sandbox(crm) as sandbox: … sandbox.url`."""

    def __init__(self, crm: Crm, *, port: int = 0, latency: float = 0.0, faults: list[Fault] | None = None) -> None:
        self.crm = crm
        self.latency = latency
        self.faults = faults or []
        self.log: list[Logged] = []
        self.url = ""
        self._port = port
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._main, name="crm-sandbox", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        if self._failure:
            raise self._failure
        return self

    def __exit__(self, *_: object) -> None:
        if self._loop and self._stop:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _main(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as failure:  # handed to the thread that waits in __enter__
            self._failure = failure
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = web.Server(
            self._handle,
            request_factory=_request,
            access_log=None,
            max_line_size=LONGEST_LINE,
            max_field_size=LONGEST_LINE,
        )
        runner = web.ServerRunner(server, shutdown_timeout=0.5)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self._port)
        await site.start()
        port = runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{port}"
        self._ready.set()
        await self._stop.wait()
        await runner.cleanup()

    async def _handle(self, incoming: web.BaseRequest) -> web.StreamResponse:
        request = Request(
            incoming.method,
            incoming.rel_url.raw_path,
            tuple(parse_qsl(incoming.rel_url.raw_query_string, keep_blank_values=True)),
            incoming.headers,
            await incoming.read(),
        )
        if request.path.startswith("/_control/"):
            return await self._send(incoming, self._control(request))
        if self.latency:
            await asyncio.sleep(self.latency)
        fault = next((rule for rule in self.faults if rule.strikes(request)), None)
        at = time.monotonic()
        response = self._answer(request, fault)
        self._note(request, response, fault, at)
        return await self._deliver(incoming, response, fault)

    def _answer(self, request: Request, fault: Fault | None) -> Response:
        match fault and fault.do:
            case "reset":
                return Response(0)
            case "answer":
                assert fault is not None
                return Response(fault.status, fault.body.encode(), fault.headers)
            case _:
                return self._carry_out(request)

    def _carry_out(self, request: Request) -> Response:
        """The CRM's own answer; a mistake of the sandbox's own is a 500 that says so."""
        try:
            return self.crm.answer(request)
        except Exception as mistake:
            log.exception("sandbox.mistake", extra={"method": request.method, "path": _shown_path(request)})
            words = f"The sandbox itself made a mistake: {type(mistake).__name__}: {mistake}"
            return Response(500, words.encode(), {"Content-Type": "text/plain;charset=UTF-8"})

    def _note(self, request: Request, response: Response, fault: Fault | None, at: float) -> None:
        self.log.append(
            Logged(
                request.method,
                _shown_path(request),
                "&".join(f"{name}={value}" for name, value in request.query),
                response.status,
                len(request.body),
                len(response.body),
                fault.do if fault else None,
                could_write(request),
                at,
            )
        )

    async def _deliver(self, incoming: web.BaseRequest, response: Response, fault: Fault | None) -> web.StreamResponse:
        match fault and fault.do:
            case "reset" | "commit_then_drop":
                return _hang_up(incoming)
            case "half":
                whole = len(response.body)
                length = {} if response.chunked else {"Content-Length": str(whole)}
                partial = web.StreamResponse(status=response.status, headers={**response.headers, **length})
                if response.chunked:
                    partial.enable_chunked_encoding()
                await partial.prepare(incoming)
                await partial.write(response.body[: whole // 2])
                if incoming.transport is not None:
                    incoming.transport.close()
                return partial
            case "garble":
                return await self._send(incoming, replace(response, body=response.body[: len(response.body) // 2]))
            case "delay":
                assert fault is not None
                await asyncio.sleep(fault.seconds)
        return await self._send(incoming, response)

    async def _send(self, incoming: web.BaseRequest, response: Response) -> web.StreamResponse:
        headers, body = CIMultiDict(response.headers), response.body
        if len(body) >= GZIP_FROM and _takes_gzip(incoming.headers.get("Accept-Encoding", "")):
            body = gzip.compress(body, compresslevel=1)
            headers["Content-Encoding"] = "gzip"
        if not response.chunked:
            return web.Response(status=response.status, body=body, headers=headers)
        streamed = web.StreamResponse(status=response.status, headers=headers)
        streamed.enable_chunked_encoding()
        await streamed.prepare(incoming)
        for start in range(0, len(body), CHUNK):
            await streamed.write(body[start : start + CHUNK])
        await streamed.write_eof()
        return streamed

    def _add_faults(self, request: Request) -> Response:
        try:
            self.faults.extend([Fault(**rule) for rule in request.json()])
        except (TypeError, ValueError) as error:
            return Response.of_json(400, {"message": f"Send a list of faults: {error}"})
        return Response(204)

    def _control(self, request: Request) -> Response:
        match request.method, request.path:
            case "GET", "/_control/requests":
                rows = [vars(entry) for entry in self.log]
                return Response.of_json(200, rows)
            case "DELETE", "/_control/requests":
                self.log.clear()
                return Response(204)
            case "POST", "/_control/faults":
                return self._add_faults(request)
            case "DELETE", "/_control/faults":
                self.faults.clear()
                return Response(204)
            case "POST", "/_control/latency":
                self.latency = float(request.json())
                return Response(204)
            case _:
                return self.crm.control(request)


def _request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
    """aiohttp's request, with room for a bulk upload."""
    return web.BaseRequest(
        message, payload, protocol, writer, task, asyncio.get_running_loop(), client_max_size=LARGEST_BODY
    )


def _shown_path(request: Request) -> str:
    return SECRET_IN_PATH.sub("…", request.path)


def _takes_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding header names gzip without forbidding it (`gzip;q=0`)."""
    return any(re.fullmatch(r"\s*gzip\s*(;\s*q=(?!0(\.0*)?\s*$).*)?", part) for part in accepted.lower().split(","))


def _hang_up(incoming: web.BaseRequest) -> web.StreamResponse:
    if incoming.transport is not None:
        incoming.transport.abort()
    return web.Response(status=500)  # never reaches the client: its connection is gone
