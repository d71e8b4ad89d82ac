"""Reads a large object for the first time through Bulk API 2.0: one job, its result in parts that can be fetched again.

A part is small enough to be held and to be repeated whole; the job and the next part's locator stand in the cursor, so
a killed run goes on with the same job for as long as Salesforce keeps it (a week).
"""

import csv
import io
from collections.abc import Iterator
from datetime import datetime

import httpx
import msgspec

from connectors.errors import Throttled, Unreachable
from connectors.salesforce.answers import accepted, failure, garbled
from connectors.salesforce.cursor import Cursor
from connectors.salesforce.org import Org, asked_at
from connectors.salesforce.rows import Answer, Row, rows_in_csv

PART = 10_000
"""Rows in one part of a result: a few megabytes."""

POLLS = 400
SLOWEST_POLL = 10.0

csv.field_size_limit(10_000_000)


class BulkRefused(Exception):
    """Salesforce will not do this by Bulk; the ordinary query will."""


class _Job(msgspec.Struct):
    id: str
    state: str = ""
    numberRecordsProcessed: int | None = None


class _Count(msgspec.Struct):
    name: str
    count: int


class _Counts(msgspec.Struct):
    sObjects: list[_Count]


def row_counts(org: Org, sobjects: tuple[str, ...]) -> dict[str, int]:
    """About how many rows each object has; what Salesforce does not count is missing from the answer."""
    asked = {"sObjects": ",".join(sobjects)}
    response = org.transport.send("GET", f"{org.root}/limits/recordCount", params=asked)
    if not response.is_success:
        return {}
    try:
        return {entry.name: entry.count for entry in msgspec.json.decode(response.content, type=_Counts).sObjects}
    except msgspec.MsgspecError:
        return {}


def start(org: Org, soql: str, *, all_rows: bool) -> tuple[str, datetime]:
    """A new job for a query without ORDER BY (which would keep Salesforce from splitting it), and the server's time."""
    body = {
        "operation": "queryAll" if all_rows else "query",
        "query": soql,
        "contentType": "CSV",
        "columnDelimiter": "COMMA",
        "lineEnding": "LF",
    }
    response = org.transport.send("POST", f"{org.root}/jobs/query", json=body)
    if not response.is_success:
        raise _refusal(response)
    return _job(response).id, asked_at(response)


def parts(org: Org, cursor: Cursor, shape: type[Row], stream: str) -> Iterator[tuple[Answer[Row], Cursor]]:
    """The parts of a job's result from the cursor's locator on, each with the place after it."""
    assert cursor.job is not None
    total = _finished(org, cursor.job)
    while True:
        response = _part(org, cursor.job, cursor.locator)
        found = _rows(response, shape, stream)
        answer = Answer(found.rows, None, total, found.unread)
        locator = response.headers.get("sforce-locator", "null")
        if locator == "null":  # the literal word is how Salesforce says that this was the last part
            yield answer, cursor.finished()
            org.transport.send("DELETE", f"{org.root}/jobs/query/{cursor.job}")
            return
        cursor = msgspec.structs.replace(cursor, locator=locator)
        yield answer, cursor


def _finished(org: Org, job: str) -> int | None:
    """Wait until the job is done; how many rows it found."""
    wait = 1.0
    for _ in range(POLLS):
        response = org.transport.send("GET", f"{org.root}/jobs/query/{job}")
        if not response.is_success:
            raise _refusal(response)
        seen = _job(response)
        if seen.state == "JobComplete":
            return seen.numberRecordsProcessed
        if seen.state in {"Failed", "Aborted"}:
            raise BulkRefused
        org.sleep(wait)
        wait = min(wait * 1.5, SLOWEST_POLL)
    raise BulkRefused


def _part(org: Org, job: str, locator: str | None) -> httpx.Response:
    params = {"maxRecords": str(PART), **({"locator": locator} if locator else {})}
    path = f"{org.root}/jobs/query/{job}/results"
    for _ in range(POLLS):
        response = org.transport.send("GET", path, params=params, headers={"Accept": "text/csv"})
        # One edition of the reference says 412 for "not ready yet", another 204.
        if response.status_code not in {204, 412}:
            break
        org.sleep(SLOWEST_POLL)
    if response.status_code in {400, 404, 409}:
        raise BulkRefused
    return accepted(response, "a part of a Bulk result")


def _rows(response: httpx.Response, shape: type[Row], stream: str) -> Answer[Row]:
    # NUL bytes occur inside values, and end a line for Python's reader.
    text = response.content.replace(b"\x00", b"").decode("utf-8", "replace")
    try:
        found = rows_in_csv(csv.DictReader(io.StringIO(text, newline=""), strict=True), shape, stream)
    except csv.Error:
        raise garbled("a part of a Bulk result") from None
    promised = response.headers.get("sforce-numberofrecords", "")
    if promised.isdigit() and int(promised) != len(found.rows) + len(found.unread):
        raise Unreachable(
            "KPI-SF-006",
            f"Salesforce promised {promised} rows of {stream} and sent {len(found.rows)}.",
            "Nothing was lost, the next run fetches them again.",
        )
    return found


def _job(response: httpx.Response) -> _Job:
    try:
        return msgspec.json.decode(response.content, type=_Job)
    except msgspec.MsgspecError:
        raise garbled("a Bulk job") from None


def _refusal(response: httpx.Response) -> Exception:
    """Why a job cannot be had: an allowance that is used up stops the run, all else is left to the ordinary query."""
    error = failure(response, "a Bulk query")
    unavailable = response.status_code in {400, 403, 404, 409} and not isinstance(error, Throttled)
    return BulkRefused() if unavailable else error
