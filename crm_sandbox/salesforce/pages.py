"""Queries over REST: pages of at most 2,000 rows, locators that stay readable, every page the same each time."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from crm_sandbox.salesforce.errors import Refusal
from crm_sandbox.salesforce.ids import record_id
from crm_sandbox.salesforce.soql.run import Found
from crm_sandbox.serving import Response

LARGEST_PAGE = 2000
SMALLEST_ASKED = 200
MOST_OPEN = 500
"""So many queries stay readable; the oldest go first (Salesforce keeps them for two days)."""

SHORT_PAGE_EVERY = 5
"""Every so many pages one comes a little short, as Salesforce may do at any time."""

encode = msgspec.json.Encoder(decimal_format="number").encode
JSON = {"Content-Type": "application/json;charset=UTF-8"}


def json_response(status: int, value: Any, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer in which decimals are numbers with all their digits."""
    return Response(status, encode(value), {**JSON, **(headers or {})})


@dataclass
class Cursor:
    """An open query: its rows as of when it ran, and where each page that was read ended."""

    found: Found
    resource: str
    ends: dict[int, int] = field(default_factory=dict)


class Pages:
    """The open queries of an organisation. `sizes`: the next pages are at most so long, round and round."""

    def __init__(self) -> None:
        self.sizes: Sequence[int] = ()
        self._cursors: dict[str, Cursor] = {}
        self._served = 0
        self._opened = 0

    def first(self, found: Found, resource: str, options: str | None) -> Response:
        """The first page of a fresh result; `resource` is /services/data/vXX/query."""
        cursor = Cursor(found, resource)
        if len(found.rows) <= self._size(options, 0):
            cursor.ends[0] = len(found.rows)
            return self._page(cursor, "", 0, options)
        self._opened += 1
        locator = record_id("0r8", self._opened)
        self._cursors[locator] = cursor
        if len(self._cursors) > MOST_OPEN:
            del self._cursors[next(iter(self._cursors))]
        return self._page(cursor, locator, 0, options)

    def next(self, locator: str, options: str | None) -> Response:
        """The page behind a nextRecordsUrl."""
        name, _, start = locator.rpartition("-")
        cursor = self._cursors.get(name)
        if cursor is None or not start.isdigit() or int(start) > len(cursor.found.rows):
            raise Refusal(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        return self._page(cursor, name, int(start), options)

    def forget(self) -> None:
        """All locators have expired."""
        self._cursors.clear()

    def _page(self, cursor: Cursor, locator: str, start: int, options: str | None) -> Response:
        if start not in cursor.ends:
            size = self._size(options, len(cursor.ends))
            self._served += 1
            cursor.ends[start] = min(start + size, len(cursor.found.rows))
        end = cursor.ends[start]
        shape = cursor.found.shape
        done = end >= len(cursor.found.rows)
        body: dict[str, Any] = {"totalSize": cursor.found.total, "done": done}
        if not done:
            body["nextRecordsUrl"] = f"{cursor.resource}/{locator}-{end}"
        body["records"] = [shape(row) for row in cursor.found.rows[start:end]]
        return json_response(200, body)

    def _size(self, options: str | None, page: int) -> int:
        asked = re.search(r"batchSize\s*=\s*(\d+)", options or "", re.IGNORECASE)
        size = min(max(int(asked[1]), SMALLEST_ASKED), LARGEST_PAGE) if asked else LARGEST_PAGE
        if self.sizes:
            return max(1, min(size, self.sizes[self._served % len(self.sizes)]))
        return size - 7 if page % SHORT_PAGE_EVERY == SHORT_PAGE_EVERY - 1 else size
