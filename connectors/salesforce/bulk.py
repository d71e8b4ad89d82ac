"""Bulk API 2.0 query jobs: whether to have one, how it is begun, waited for and cleared away.

The job stands in the cursor, so a killed run goes on with the same one for as long as Salesforce keeps it (a week).
"""

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import httpx
import msgspec

from connectors.errors import CrmError, Throttled
from connectors.salesforce.answers import failure, garbled
from connectors.salesforce.bulk_result import PartGone, Result, answers_in
from connectors.salesforce.cursor import Cursor
from connectors.salesforce.org import Org, asked_at
from connectors.salesforce.rows import Answer, Row

log = logging.getLogger("kpisync.salesforce")

POLLS = 400
SLOWEST_POLL = 10.0


class BulkRefused(Exception):
    """Salesforce will not do this by Bulk; the ordinary query will."""


class Job(msgspec.Struct):
    """A job as Salesforce shows it."""

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
        raise refusal(response)
    return job_in(response).id, asked_at(response)


def parts(org: Org, cursor: Cursor, shape: type[Row], stream: str) -> Iterator[tuple[Answer[Row], Cursor]]:
    """The rows of a job's result from the cursor's locator on, each page with the place after it.

    Pages of one part of the result carry the place of its beginning, all but the last: the part can be fetched again.
    """
    assert cursor.job is not None
    address = address_of(org, cursor.job)
    try:
        total = _finished(org, address)
        with Result(org, address, total, cursor.locator) as result:
            while True:
                with result.part(cursor.locator) as part:
                    beginning = cursor
                    cursor = msgspec.structs.replace(cursor, locator=part.next) if part.next else cursor.finished()
                    for answer, is_last in answers_in(part, shape, stream):
                        yield replace(answer, total=total), cursor if is_last else beginning
                if part.next is None:
                    break
    except PartGone:
        clear_away(org, address)
        raise BulkRefused from None
    except BulkRefused:
        clear_away(org, address)
        raise
    clear_away(org, address)


def address_of(org: Org, job: str) -> str:
    """Where a query job is asked about."""
    return f"{org.root}/jobs/query/{job}"


def _finished(org: Org, address: str) -> int | None:
    """Wait until the job is done; how many rows it found."""
    job = wait_for(org, address)
    if job.state != "JobComplete":
        raise BulkRefused
    return job.numberRecordsProcessed


def wait_for(org: Org, address: str) -> Job:
    """The job once it has ended, or as it is when it took too long."""
    wait = 1.0
    for _ in range(POLLS):
        response = org.transport.send("GET", address)
        if not response.is_success:
            raise refusal(response)
        seen = job_in(response)
        if seen.state in {"JobComplete", "Failed", "Aborted"}:
            return seen
        org.sleep(wait)
        wait = min(wait * 1.5, SLOWEST_POLL)
    return seen


def clear_away(org: Org, address: str) -> None:
    """Delete a job, stopping it first if it still runs. Where that fails Salesforce does it within a week."""
    try:
        response = org.transport.send("DELETE", address)
        if response.status_code == 400:  # only an ended job can be deleted
            org.transport.send("PATCH", address, json={"state": "Aborted"}, safe=True)
            org.transport.send("DELETE", address)
    except CrmError as error:
        log.info("salesforce.job_left", extra={"code": error.code})


def job_in(response: httpx.Response) -> Job:
    """The job that an answer shows."""
    try:
        return msgspec.json.decode(response.content, type=Job)
    except msgspec.MsgspecError:
        raise garbled("a Bulk job") from None


def refusal(response: httpx.Response) -> Exception:
    """Why a job cannot be had: an allowance that is used up stops the run, all else is left to the ordinary way."""
    error = failure(response, "a Bulk job")
    unavailable = response.status_code in {400, 403, 404, 409} and not isinstance(error, Throttled)
    return BulkRefused() if unavailable else error
