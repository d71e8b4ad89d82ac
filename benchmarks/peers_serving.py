"""The one server of a race against peers: a pretend CRM that tells when its first request came."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks import serving
from benchmarks.peers import FIRST_CALL
from crm_sandbox.serving import Crm, Request, Response


class Watched:
    """A CRM and when it was first asked since it was told to forget; `time.monotonic` is the whole machine's clock."""

    def __init__(self, crm: Crm) -> None:
        self._crm = crm
        self._first: float | None = None

    def answer(self, request: Request) -> Response:
        """The CRM's own answer."""
        if self._first is None:
            self._first = time.monotonic()
        return self._crm.answer(request)

    def control(self, request: Request) -> Response:
        """When the first request came, null if none did; DELETE forgets it."""
        if request.path != FIRST_CALL:
            return self._crm.control(request)
        if request.method == "DELETE":
            self._first = None
            return Response(204)
        return Response.of_json(200, self._first)


def tell_and_wait(**told: Any) -> None:
    """Called by the server's process: say where it is, then serve until stdin ends."""
    print(json.dumps(told), flush=True)
    sys.stdin.read()


@contextmanager
def served(module: str, records: int) -> Iterator[dict[str, Any]]:
    """`python -m MODULE serve` in a process of its own; what it told."""
    with serving.served(module, "--records", str(records)) as told:
        yield json.loads(told)
