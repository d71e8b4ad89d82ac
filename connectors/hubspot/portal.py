"""One HubSpot account over the wire: pages, searches, batches and associations, each an honest answer or an error.

Knows what HubSpot's endpoints take and how much at once; what the records mean is for `wire`, what to ask for is for
the reader and the writer.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any, TypeVar

import httpx
import msgspec

from connectors.errors import CrmError, Unreachable, Unreadable
from connectors.hubspot.ahead import ahead
from connectors.hubspot.answers import error_of
from connectors.hubspot.paths import Paths
from connectors.hubspot.wire import shapes
from connectors.hubspot.wire.shapes import BadRow, Row, RowError, Rows
from connectors.transport import Transport

PAGE = 100
SEARCH_PAGE = 200
BATCH = 100
HISTORY_BATCH = 50
ASSOCIATION_BATCH = 1000
ASIDE = 4
"""Batches that are written at once; more would only queue in HubSpot's window."""

POOL = 12
"""Batches that are on their way at once for all streams together. The largest edition allows nineteen requests a
second: with answers that take a fifth of one, four would do; twelve do with slower answers, too."""

PAGES_AHEAD = 5
"""Pages of a list that may wait to be worked on. Only a page tells where the next one begins, so they come one after
the other, and should not have to wait for anything else."""

T = TypeVar("T")


class Definition(msgspec.Struct, frozen=True, rename="camel"):
    """A property as the portal defines it."""

    name: str
    type: str = "string"
    group_name: str = ""
    description: str | None = None
    has_unique_value: bool = False
    options: list[dict[str, Any]] = []
    modification_metadata: dict[str, Any] = {}

    @property
    def read_only(self) -> bool:
        return bool(self.modification_metadata.get("readOnlyValue"))


class Definitions(msgspec.Struct, frozen=True):
    results: list[Definition] = []


class Found(msgspec.Struct, frozen=True):
    """What a search found: how many in all, and the first page of them."""

    total: int
    rows: list[Row]


class Batch(msgspec.Struct, frozen=True):
    """What a batch read brought: the records, and those that are not shaped like one or that HubSpot failed to give."""

    rows: list[Row]
    bad: list[BadRow]


class Hanging(msgspec.Struct, frozen=True):
    """What hangs on each record (one without anything is missing), and of which records HubSpot failed to tell."""

    of: dict[str, list[str]]
    untold: frozenset[str]


class Portal:
    """Thread-safe. Every call may raise the errors of `answers`."""

    def __init__(self, transport: Transport, paths: Paths) -> None:
        self.transport = transport
        self.paths = paths
        self._aside = ThreadPoolExecutor(POOL, thread_name_prefix="hubspot")

    def close(self) -> None:
        self._aside.shutdown(cancel_futures=True)
        self.transport.close()

    def get(self, path: str, what: str, params: Mapping[str, str] | None = None) -> bytes:
        return _answered(self.transport.send("GET", path, params=dict(params or {})), what)

    def post(self, path: str, what: str, body: Any, *, safe: bool = True) -> bytes:
        """`safe`: repeating it does no harm, which holds for searches, batch reads, upserts and updates."""
        return _answered(self.send("POST", path, body, safe=safe), what)

    def send(self, method: str, path: str, body: Any = None, *, safe: bool = True) -> httpx.Response:
        """The raw answer, for callers to whom a refusal is an outcome."""
        if body is None:
            return self.transport.send(method, path, safe=safe)
        content = msgspec.json.encode(body)
        return self.transport.send(
            method, path, safe=safe, content=content, headers={"Content-Type": "application/json"}
        )

    def read(self, path: str, what: str, shape: type[T], params: Mapping[str, str] | None = None) -> T:
        """An answer of a known shape."""
        return decoded(self.get(path, what, params), shape, what)

    def pages(
        self, kind: str, properties: Sequence[str], *, after: str | None = None, archived: bool = False
    ) -> Iterator[Rows]:
        """All records of a kind, a hundred at a time, in the order of their ids. The next pages are on their way while
        the present one is worked on."""
        page = self.page(kind, properties, after=after, archived=archived)
        yield page
        if page.after is not None:
            yield from ahead(self._following(kind, properties, page.after, archived=archived), PAGES_AHEAD)

    def page(self, kind: str, properties: Sequence[str], *, after: str | None = None, archived: bool = False) -> Rows:
        """The first page, or the one that a page's `after` names."""
        params = {"limit": str(PAGE), "properties": ",".join(properties), "archived": str(archived).lower()}
        where = {"after": after} if after is not None else {}
        return _rows(self.get(self.paths.records(kind), kind, {**params, **where}), kind)

    def _following(self, kind: str, properties: Sequence[str], after: str | None, *, archived: bool) -> Iterator[Rows]:
        while after is not None:
            page = self.page(kind, properties, after=after, archived=archived)
            yield page
            after = page.after

    def search(
        self, kind: str, filters: Sequence[Mapping[str, str]], *, sort: str, descending: bool = False, limit: int = 200
    ) -> Found:
        """The first page of what matches every filter: ids and stamps only."""
        body = {
            "filterGroups": [{"filters": list(filters)}] if filters else [],
            "sorts": [{"propertyName": sort, "direction": "DESCENDING" if descending else "ASCENDING"}],
            "properties": [sort] if sort != "hs_object_id" else [],
            "limit": limit,
        }
        page = _rows(self.post(f"{self.paths.records(kind)}/search", kind, body), kind)
        return Found(page.total if page.total is not None else len(page.results), page.results)

    def batch_read(
        self,
        kind: str,
        ids: Sequence[str],
        properties: Sequence[str],
        *,
        history: Sequence[str] = (),
        id_property: str | None = None,
    ) -> Batch:
        """Records by id, as many as exist. Of a merged record HubSpot answers the one that it was merged into."""

        def ask(part: Sequence[str]) -> Rows:
            body: dict[str, Any] = {"inputs": [{"id": each} for each in part], "properties": list(properties)}
            if history:
                body["propertiesWithHistory"] = list(history)
            if id_property:
                body["idProperty"] = id_property
            return _rows(self.post(f"{self.paths.records(kind)}/batch/read", kind, body), kind)

        size = HISTORY_BATCH if history else BATCH
        answers = self._side_by_side(ask, ids, size)
        failed = _failed([error for answer in answers for error in answer.errors], kind, "ids", "id")
        if failed:
            again = self._side_by_side(ask, list(failed), size)
            answers += again
            failed = _failed([error for answer in again for error in answer.errors], kind, "ids", "id")
        once = {row.id: row for answer in answers for row in answer.results}
        missed = [BadRow(each, f"HubSpot failed to read it: {why}") for each, why in failed.items()]
        return Batch(list(once.values()), [*(bad for answer in answers for bad in answer.bad), *missed])

    def associations(self, kind: str, to: str, ids: Sequence[str]) -> Hanging:
        """What hangs on each of these records."""
        found = self._hanging(kind, to, ids)
        if not found.untold:
            return found
        again = self._hanging(kind, to, sorted(found.untold))
        return Hanging({**found.of, **again.of}, again.untold)

    def _hanging(self, kind: str, to: str, ids: Sequence[str]) -> Hanging:
        path, what = self.paths.associations(kind, to), f"associations of {kind} with {to}"

        def ask(part: Sequence[str]) -> Hanging:
            found: dict[str, list[str]] = {}
            untold: set[str] = set()
            inputs: list[dict[str, str]] = [{"id": each} for each in part]
            while inputs:
                answer = decoded_with(shapes.associations, self.post(path, what, {"inputs": inputs}), what)
                untold |= set(_failed(answer.errors, what, "fromObjectId"))
                inputs = []
                for one in answer.results:
                    known = found.setdefault(str(one.from_.id), [])
                    known.extend(str(each.to_object_id) for each in one.to)
                    if one.paging and one.paging.next:
                        inputs.append({"id": str(one.from_.id), "after": str(one.paging.next.after)})
            return Hanging(found, frozenset(untold))

        answers = self._side_by_side(ask, ids, ASSOCIATION_BATCH)
        untold = frozenset(each for answer in answers for each in answer.untold)
        together = {one: others for answer in answers for one, others in answer.of.items() if one not in untold}
        # One pair may be associated in several ways, and then comes several times.
        return Hanging({one: list(dict.fromkeys(others)) for one, others in together.items()}, untold)

    def definitions(self, kind: str) -> list[Definition]:
        """The properties that this portal defines for a kind."""
        return self.read(self.paths.properties(kind), f"properties of {kind}", Definitions).results

    def together(self, tasks: Sequence[Callable[[], T]]) -> Iterator[T]:
        """What each task gives, in their order; they run side by side. What succeeded comes before an error is raised.
        A task must not itself use anything that runs side by side."""
        running = [self._aside.submit(task) for task in tasks]
        failures = []
        for each in running:
            failure = each.exception()
            if failure is None:
                yield each.result()
            else:
                failures.append(failure)
        if failures:
            raise failures[0]

    def _side_by_side(self, ask: Callable[[Sequence[str]], T], ids: Sequence[str], size: int) -> list[T]:
        parts = list(batches(ids, size))
        if len(parts) <= 1:
            return [ask(part) for part in parts]
        return list(self._aside.map(ask, parts))


def batches(things: Iterable[T], size: int) -> Iterator[Sequence[T]]:
    """Consecutive parts of at most `size`."""
    rest = iter(things)
    while part := tuple(islice(rest, size)):
        yield part


def _failed(errors: Iterable[RowError], what: str, *names: str) -> dict[str, str]:
    """The rows that HubSpot could not answer, and why: those are not gone. Being told that there is nothing is an
    answer; a failure that names no row could be anybody's, so that the whole call counts for nothing."""
    failed: dict[str, str] = {}
    for error in errors:
        if error.nothing_there:
            continue
        why, ids = error.category or error.code or "no reason given", error.about(*names)
        if not ids:
            raise Unreachable(
                "KPI-HS-030",
                f"HubSpot answers a part of {what} with an error that names no record ({why}).",
                "The next run goes on from here; see status.hubspot.com if it lasts.",
            )
        failed |= dict.fromkeys(ids, why)
    return failed


def _answered(response: httpx.Response, what: str) -> bytes:
    if response.status_code not in {200, 201, 202, 204, 207}:
        raise error_of(response, what)
    return response.content


def _rows(body: bytes, what: str) -> Rows:
    return decoded_with(shapes.rows, body, what)


def decoded(body: bytes, shape: type[T], what: str) -> T:
    return decoded_with(lambda raw: msgspec.json.decode(raw, type=shape), body, what)


def decoded_with(decode: Callable[[bytes], T], body: bytes, what: str) -> T:
    """The answer in its shape, or an error that names the place."""
    try:
        return decode(body)
    except msgspec.DecodeError as error:
        raise unreadable(what, error) from error


def unreadable(what: str, error: Exception) -> CrmError:
    return Unreadable(
        "KPI-HS-043",
        f"HubSpot's answer for {what} is not what it documents ({error}).",
        "Run again; if it stays, please report it.",
    )
