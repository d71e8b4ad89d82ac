"""Where the CRM sends the browser back to: an address of this machine that takes one answer and then closes.

It listens on 127.0.0.1 alone. The CRMs allow plain http for `localhost` only, so that is what the address says; another
program on this machine that caught the answer could do nothing with it, because it does not know the verifier.
"""

import base64
import hashlib
import os
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from html import escape
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, urlsplit

from connectors.errors import NotAllowed
from console.i18n import Speaker

PORT = 8766
PATH = "/connected"
PATIENCE = 10.0
"""Seconds for a request to arrive whole: browsers open connections that they may never use."""

STYLE = "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:38rem;margin:4rem auto;padding:0 1rem}"
HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    + "'",
}

Said = Callable[[Speaker], tuple[str, str]]
"""A heading and a sentence, in the language of whoever reads it."""


@dataclass(frozen=True)
class Answer:
    """What the browser brought: a code, or the CRM's error."""

    code: str = field(default="", repr=False)
    error: str = ""
    description: str = field(default="", repr=False)


def address(port: int) -> str:
    """The address that the CRM has to know, to the letter."""
    return f"http://localhost:{port}{PATH}"


class Redirect:
    """Listens while it is entered: `with Redirect(port, state, say) as back: answer = back.wait(300); back.show(…)`.

    The browser is left waiting until `show`, so that its page tells how it ended.
    """

    def __init__(self, port: int, state: str, say: Speaker) -> None:
        self._port = port
        self._state = state
        self._say = say
        self._taken = threading.Lock()
        self._answer: Future[Answer] = Future()
        self._said: Future[Said] = Future()
        self._shown = threading.Event()

    def __enter__(self) -> Self:
        try:
            self._server = _Server(("127.0.0.1", self._port), _visit(self))
        except OSError:
            raise NotAllowed(
                "KPI-NET-003",
                f"Another program listens on port {self._port} of this machine.",
                "End it, or choose another with --port; the CRM's app must then name that address too.",
            ) from None
        listen = partial(self._server.serve_forever, poll_interval=0.05)
        threading.Thread(target=listen, name="redirect", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._said.done():
            self._said.set_result(_interrupted)
        self._server.shutdown()
        self._server.server_close()

    def wait(self, seconds: float) -> Answer:
        """What the browser brings. Raises `NotAllowed` if it does not come."""
        try:
            return self._answer.result(seconds)
        except TimeoutError:
            raise NotAllowed(
                "KPI-NET-002",
                f"Nobody came back from the CRM's page within {seconds:.0f} seconds.",
                "Run `kpisync connect` again and agree in the browser. If the browser showed an error instead of a "
                "question, compare the app's redirect address with the one that kpisync names.",
            ) from None

    def show(self, said: Said) -> None:
        """Tell the person in the browser how it ended, and wait until they were told."""
        self._said.set_result(said)
        self._shown.wait(PATIENCE)

    def page_for(self, target: str, language: str) -> tuple[int, str]:
        """Status and page for a visit at `target` (path and query), in the language that the browser asks for."""
        say = _speaker(language, self._say)
        where = urlsplit(target)
        if where.path != PATH:
            return 404, _page(say("There is nothing here."), "")
        told = dict(parse_qsl(where.query))
        if not secrets.compare_digest(told.get("state", "").encode(), self._state.encode()):
            sentence = say("It belongs to another sign-in than the one that waits. Nothing was changed; go on there.")
            return 400, _page(say("This link is not the one"), sentence)
        if not self._taken.acquire(blocking=False):
            return 410, _page(say("This link was used"), say("It works once. See the terminal for what came of it."))
        code, error = told.get("code", ""), told.get("error", "")
        self._answer.set_result(Answer(code, error or ("" if code else "no_code"), told.get("error_description", "")))
        return 200, _page(*self._said.result()(say))

    def was_shown(self) -> None:
        """The browser has the page of the answer."""
        if self._said.done():
            self._shown.set()


class _Server(ThreadingTCPServer):
    allow_reuse_address = os.name == "posix"  # elsewhere it would let another program take the port while we listen
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that hangs up is no event; the traceback would hold the address with the code."""


def _visit(redirect: Redirect) -> type[BaseHTTPRequestHandler]:
    class Visit(BaseHTTPRequestHandler):
        timeout = PATIENCE
        server_version = "kpisync"
        sys_version = ""

        def do_GET(self) -> None:
            status, page = redirect.page_for(self.path, self.headers.get("Accept-Language", ""))
            with suppress(OSError):  # the browser is gone; the terminal tells the same
                self.send_response(status)
                for name, value in HEADERS.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(page.encode())
                self.wfile.flush()
            if status == 200:
                redirect.was_shown()

        def log_message(self, format: str, *values: object) -> None:
            """Say nothing: the address holds the code."""

    return Visit


def _interrupted(say: Speaker) -> tuple[str, str]:
    return say("Not connected"), say("kpisync was interrupted; see the terminal.")


def _speaker(accepted: str, otherwise: Speaker) -> Speaker:
    """The language that the browser likes best of those we speak; else that of the terminal."""
    for part in accepted.split(","):
        match part.strip().lower()[:2]:
            case "es":
                return Speaker("es")
            case "en":
                return Speaker("en")
    return otherwise


def _page(heading: str, sentence: str) -> str:
    return (
        '<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>kpisync: {escape(heading)}</title><style>{STYLE}</style>"
        f"<main><h1>{escape(heading)}</h1><p>{escape(sentence)}</p></main>"
    )
