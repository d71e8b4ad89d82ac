"""The result of a Bulk query: parts that lie in files of their own, fetched side by side where Salesforce offers that.

A part may have fifty thousand rows: it is never held in memory, only as many of its rows as make a page. Where the next
part begins is what the header of the one before says; the links to parts are a hint of what will be asked for.
"""

import csv
import tempfile
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from types import TracebackType
from typing import IO, Self
from urllib.parse import parse_qs, urlsplit

import msgspec

from connectors.errors import Unreachable
from connectors.salesforce.answers import accepted
from connectors.salesforce.org import Org
from connectors.salesforce.rows import Answer, Row, rows_in_csv

PART = 10_000
"""Rows in one part of a result where its size is ours to choose."""

PAGE = 2_000
"""Rows handed over at a time, as many as an ordinary query's page has."""

SIDE_BY_SIDE = 3
"""Parts fetched ahead; the org's own limit of long calls holds on top of it."""

FETCHES = 3
"""How often a part is fetched that does not hold what it promises."""

NOT_READY = 60
WAIT = 10.0

csv.field_size_limit(10_000_000)


class PartGone(Exception):
    """The job, or this place in its result, is not there any more."""


class _Link(msgspec.Struct):
    # One edition of the reference says resultUrl, Salesforce's own samples resultLink.
    resultUrl: str | None = None
    resultLink: str | None = None


class _Links(msgspec.Struct):
    resultPages: list[_Link] = []
    nextRecordsUrl: str | None = None
    nextRecordUrl: str | None = None


@dataclass(frozen=True)
class Part:
    """A part of a result in a file that vanishes when it is closed. `next`: where the next begins, None: the end."""

    file: IO[bytes]
    rows: int
    next: str | None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()


class Result:
    """The parts of one job's result."""

    def __init__(self, org: Org, address: str, total: int | None, start: str | None) -> None:
        self._org = org
        self._address = address
        self._pool = ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix="bulk")
        self._ahead: dict[str | None, Future[Part]] = {}
        self._linked: deque[str] = deque()
        self._more: str | None = None
        if total is None or total > PART:
            self._ask_for_links(start)
        # The first link is the place that was asked about, whatever it was called there.
        self._also_called = {start: self._linked[0]} if self._linked else {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        for fetched in self._ahead.values():
            fetched.cancel()
        self._pool.shutdown(wait=True)
        for fetched in self._ahead.values():
            if not fetched.cancelled() and fetched.exception() is None:
                fetched.result().file.close()

    def part(self, locator: str | None) -> Part:
        """The part that begins there."""
        self._fetch_ahead()
        fetched = self._ahead.pop(self._also_called.get(locator, locator), None)
        self._fetch_ahead()
        return fetched.result() if fetched else self._fetch(locator, PART)

    def _fetch_ahead(self) -> None:
        """Have as many of the linked parts on their way as may be."""
        while len(self._ahead) < SIDE_BY_SIDE:
            if not self._linked and self._more:
                self._ask_for_links(self._more)
            if not self._linked:
                return
            place = self._linked.popleft()
            self._ahead[place] = self._pool.submit(self._fetch, place, None)

    def _ask_for_links(self, start: str | None) -> None:
        """The places of the next parts; none where this version does not offer them."""
        params = {"locator": start} if start else {}
        response = self._org.transport.send("GET", f"{self._address}/resultPages", params=params)
        self._more = None
        if not response.is_success:
            return
        try:
            links = msgspec.json.decode(response.content, type=_Links)
        except msgspec.MsgspecError:
            return
        places = [_locator_in(link.resultUrl or link.resultLink) for link in links.resultPages]
        self._linked.extend(place for place in places if place)
        self._more = _locator_in(links.nextRecordsUrl or links.nextRecordUrl)

    def _fetch(self, locator: str | None, most: int | None) -> Part:
        """A part that holds what it promises."""
        for _ in range(FETCHES):
            file = tempfile.TemporaryFile()  # noqa: SIM115 - the part closes it
            try:
                promised, following = self._download(locator, most, file)
                rows = _count(file)
            except BaseException:
                file.close()
                raise
            if rows is not None and promised in {None, rows}:
                return Part(file, rows, following)
            file.close()
        raise Unreachable(
            "KPI-SF-006",
            f"Salesforce promised {promised} rows in a part of a Bulk result and sent {rows or 'something garbled'}.",
            "Nothing was lost, the next run fetches them again.",
        )

    def _download(self, locator: str | None, most: int | None, file: IO[bytes]) -> tuple[int | None, str | None]:
        """Fetch a part into the file; how many rows it promises, and where the next one begins."""
        params = {**({"maxRecords": str(most)} if most else {}), **({"locator": locator} if locator else {})}
        path, headers = f"{self._address}/results", {"Accept": "text/csv"}
        for _ in range(NOT_READY):
            with self._org.long_calls:
                response = self._org.transport.send("GET", path, params=params, headers=headers, into=file)
            # One edition of the reference says 412 for "not ready yet", another 204.
            if response.status_code not in {204, 412}:
                break
            self._org.sleep(WAIT)
        if response.status_code in {400, 404, 409}:
            raise PartGone
        accepted(response, "a part of a Bulk result")
        promised = response.headers.get("sforce-numberofrecords", "")
        following = response.headers.get("sforce-locator", "null")
        # The literal word is how Salesforce says that this was the last part.
        return int(promised) if promised.isdigit() else None, None if following == "null" else following


def answers_in(part: Part, shape: type[Row], stream: str) -> Iterator[tuple[Answer[Row], bool]]:
    """A part's rows page by page, and whether this page is its last."""
    lines = lines_in(part.file)
    header = next(lines, [])
    left = part.rows
    while True:
        page = [dict(zip(header, line, strict=False)) for line in islice(lines, PAGE)]
        left -= len(page)
        yield rows_in_csv(page, shape, stream), left <= 0
        if left <= 0:
            return


def _count(file: IO[bytes]) -> int | None:
    """How many rows the file has; None where it is no such table."""
    try:
        return max(0, sum(1 for _ in lines_in(file)) - 1)
    except csv.Error:
        return None


def lines_in(file: IO[bytes]) -> Iterator[Sequence[str]]:
    """The lines of a CSV, its header first. Raises csv.Error where it is none."""
    file.seek(0)
    # NUL bytes occur inside values, and end a line for Python's reader.
    text = (line.replace(b"\x00", b"").decode("utf-8", "replace") for line in file)
    yield from csv.reader(text, strict=True)


def _locator_in(address: str | None) -> str | None:
    return next(iter(parse_qs(urlsplit(address or "").query).get("locator", ())), None)
