"""Writes many rows of one object by a Bulk API 2.0 job: one upload, and what became of each row.

A job that a killed run left behind could still write old numbers over new ones: it is stopped before a new one begins.
"""

import csv
import io
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import httpx
import msgspec

from connectors.errors import Throttled, Unreachable
from connectors.salesforce.answers import Complaint, accepted, failure
from connectors.salesforce.bulk import BulkRefused, Job, clear_away, job_in, wait_for
from connectors.salesforce.bulk_result import lines_in
from connectors.salesforce.org import Org

JOB_ROWS = 25_000
"""Rows of one job: some ten megabytes, of the hundred that an upload may have."""

CLEARED = "#N/A"
"""What clears a field; a blank leaves it alone."""

ENDED = frozenset({"JobComplete", "Failed", "Aborted"})

Result = str | tuple[Complaint, ...]


class _Known(msgspec.Struct):
    id: str
    state: str = ""
    object: str = ""
    createdById: str = ""


class _Jobs(msgspec.Struct):
    records: list[_Known]


def written(org: Org, sobject: str, key: str, rows: Sequence[Mapping[str, Any]], *, upsert: bool) -> dict[str, Result]:
    """What became of each row by its key; a row that Salesforce did not get to, or all of them, are missing.

    `key` is the column that says which record a row is: an external key to upsert by, or the id.
    """
    body = {
        "object": sobject,
        "operation": "upsert" if upsert else "update",
        "contentType": "CSV",
        "columnDelimiter": "COMMA",
        "lineEnding": "LF",
        **({"externalIdFieldName": key} if upsert else {}),
    }
    _stop_what_was_left(org, sobject)
    made = org.transport.send("POST", f"{org.root}/jobs/ingest", json=body)
    if not made.is_success:
        _raise_if_all_is_over(made)
        return {}
    address = f"{org.root}/jobs/ingest/{job_in(made).id}"
    try:
        job = _carried_out(org, address, _table(rows))
    except BulkRefused:
        job = None
    found = dict(_results(org, address, key)) if job and job.state in {"JobComplete", "Failed"} else {}
    clear_away(org, address)
    return found


def _carried_out(org: Org, address: str, table: bytes) -> Job:
    """Upload the rows and wait for the job to end; a repeated step that had been done already does no harm."""
    headers = {"Content-Type": "text/csv; charset=UTF-8"}
    _raise_if_all_is_over(org.transport.send("PUT", f"{address}/batches", content=table, headers=headers))
    _raise_if_all_is_over(org.transport.send("PATCH", address, json={"state": "UploadComplete"}, safe=True))
    seen = org.transport.send("GET", address)
    if seen.is_success and job_in(seen).state == "Open":
        raise BulkRefused  # neither the upload nor its end arrived
    return wait_for(org, address)


def _raise_if_all_is_over(response: httpx.Response) -> None:
    """An allowance that is used up, a session that ended: nothing more can be written in any way."""
    if response.is_success:
        return
    error = failure(response, "a Bulk upload")
    if isinstance(error, Throttled | Unreachable) or response.status_code == 401:
        raise error


def _stop_what_was_left(org: Org, sobject: str) -> None:
    """Jobs of ours for this object that have not ended: nobody waits for them any more."""
    response = org.transport.send("GET", f"{org.root}/jobs/ingest", params={"jobType": "V2Ingest"})
    try:
        known = msgspec.json.decode(response.content, type=_Jobs).records if response.is_success else []
    except msgspec.MsgspecError:
        return
    for job in known:
        if job.object == sobject and job.createdById == org.user_id and job.state not in ENDED:
            clear_away(org, f"{org.root}/jobs/ingest/{job.id}")


def _table(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """The rows as CSV; what a row does not say stays blank, which leaves the field alone."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(row[name]) if name in row else "" for name in columns] for row in rows)
    return text.getvalue().encode()


def _cell(value: Any) -> str:
    if value is None or value == "":
        return CLEARED
    return str(value).lower() if isinstance(value, bool) else str(value)


def _results(org: Org, address: str, key: str) -> Iterator[tuple[str, Result]]:
    for kind in ("successfulResults", "failedResults"):
        with tempfile.TemporaryFile() as file:
            response = org.transport.send("GET", f"{address}/{kind}", headers={"Accept": "text/csv"}, into=file)
            accepted(response, "the results of a Bulk upload")
            lines = lines_in(file)
            header = next(lines, [])
            for line in lines:
                row = dict(zip(header, line, strict=False))
                yield row.get(key, ""), row["sf__Id"] if kind == "successfulResults" else _complaints(row["sf__Error"])


def _complaints(error: str) -> tuple[Complaint, ...]:
    """`CODE:message:FIELD OTHER --` as Salesforce's own complaint."""
    code, _, rest = error.partition(":")
    message, _, fields = rest.rpartition(":")
    return (Complaint(code, message, tuple(name for name in fields.replace(",", " ").split() if name != "--")),)
