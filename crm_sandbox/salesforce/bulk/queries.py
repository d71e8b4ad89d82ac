"""Bulk API 2.0 query jobs: asynchronous to look at, their results stable until the job is deleted."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from crm_sandbox.salesforce.bulk.csv_text import DELIMITERS, LINE_ENDINGS, written
from crm_sandbox.salesforce.errors import Refusal, not_found
from crm_sandbox.salesforce.ids import canonical, record_id
from crm_sandbox.salesforce.pages import json_response
from crm_sandbox.salesforce.records import fields_of
from crm_sandbox.salesforce.soql.run import Asker, Found, run
from crm_sandbox.salesforce.soql.text import ByType, Children, Column, Function, parse
from crm_sandbox.salesforce.store import Store
from crm_sandbox.serving import Request, Response

TERMINAL = frozenset({"JobComplete", "Failed", "Aborted"})
LARGEST_PART = 50_000
PARALLEL_LINKS = 5


@dataclass
class QueryJob:
    """A query job; its answer is as of its creation."""

    record: str
    operation: str
    thing: str
    user: str
    version: str
    created: str
    delimiter: str
    ending: str
    pending: int
    found: Found | None = None
    failure: str | None = None
    aborted: bool = False

    @property
    def state(self) -> str:
        if self.aborted:
            return "Aborted"
        if self.pending > 0:
            return "InProgress"
        return "Failed" if self.failure else "JobComplete"


class BulkQueries:
    """Answers under /jobs/query. `polls`: how many looks at a job see it unfinished; `fail_next`: a job that fails;
    `part`: the rows behind each of the links that can be followed side by side."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.polls = 1
        self.fail_next: str | None = None
        self.part = LARGEST_PART
        self._jobs: dict[str, QueryJob] = {}
        self._made = 0

    def answer(self, request: Request, path: Sequence[str], user: str, asker: Asker) -> Response:
        """`path` is what follows /jobs/query; `asker` sees what a query (not a queryAll) of the user sees."""
        match request.method, list(path):
            case "POST", []:
                return self._create(request, user, asker)
            case "GET", []:
                records = [self._shown(job) for job in self._jobs.values()]
                return json_response(200, {"done": True, "records": records, "nextRecordsUrl": None})
            case method, [name, *rest]:
                return self._one(method, self._job(name), rest, request, asker)
        raise not_found()

    def _create(self, request: Request, user: str, asker: Asker) -> Response:
        sent = fields_of(request)
        operation, text = sent.get("operation"), sent.get("query")
        if operation not in {"query", "queryAll"} or not isinstance(text, str):
            raise Refusal(400, "INVALIDJOB", "InvalidJob : operation must be query or queryAll, with a query")
        select = parse(text)
        thing = self._readable(select.source, asker)
        _supported(text)
        job = QueryJob(
            record_id("750", self._number()),
            operation,
            thing,
            user,
            asker.version,
            self.store.now(),
            str(sent.get("columnDelimiter", "COMMA")),
            str(sent.get("lineEnding", "LF")),
            self.polls,
        )
        if job.delimiter not in DELIMITERS or job.ending not in LINE_ENDINGS or sent.get("contentType", "CSV") != "CSV":
            raise Refusal(400, "INVALIDJOB", "InvalidJob : unknown contentType, columnDelimiter or lineEnding")
        self._run(job, text, asker)
        self._jobs[job.record] = job
        return json_response(200, {**self._shown(job), "state": "UploadComplete"})

    def _run(self, job: QueryJob, text: str, asker: Asker) -> None:
        """The answer as of now, or why the job will fail."""
        job.failure, self.fail_next = self.fail_next, None
        every = Asker(**{**vars(asker), "all_rows": job.operation == "queryAll", "bulk": True})
        try:
            found = run(self.store, text, every)
            _no_compounds(found, asker, job.thing)
            job.found = found
        except Refusal as refusal:
            job.failure = f"{refusal.code}: {refusal.message}"

    def _readable(self, name: str, asker: Asker) -> str:
        sight = asker.sights.get(name.lower())
        if sight is not None and not sight.thing.bulk:
            message = f"Entity '{sight.thing.name}' is not supported by the Bulk API."
            raise Refusal(400, "INVALIDENTITY", message)
        return sight.thing.name if sight else name

    def _one(self, method: str, job: QueryJob, path: Sequence[str], request: Request, asker: Asker) -> Response:
        if job.version != asker.version:
            message = f"The job was created with API version {job.version}, not {asker.version}"
            raise Refusal(409, "API_VERSION_MISMATCH", message)
        match method, list(path):
            case "GET", []:
                shown = self._shown(job)
                job.pending = max(0, job.pending - 1)
                return json_response(200, shown)
            case "GET", ["results"]:
                return self._results(job, request)
            case "GET", ["resultPages"]:
                return self._links(job, request)
            case "PATCH", []:
                return self._abort(job, request)
            case "DELETE", []:
                if job.state not in TERMINAL:
                    raise Refusal(400, "API_ERROR", "The job must be in a terminal state to be deleted")
                del self._jobs[job.record]
                return Response(204)
        raise not_found()

    def _results(self, job: QueryJob, request: Request) -> Response:
        found = self._finished(job)
        start = _offset(request.param("locator"), len(found.rows))
        asked = request.param("maxRecords") or str(LARGEST_PART)
        if not asked.isdigit() or int(asked) < 1:
            raise Refusal(400, "INVALID_PARAMETER", "maxRecords must be a number of at least 1")
        size = min(int(asked), self.part)
        end = min(start + size, len(found.rows))
        body = written(found.rows[start:end], found.columns, DELIMITERS[job.delimiter], LINE_ENDINGS[job.ending])
        headers = {
            "Content-Type": "text/csv",
            "Sforce-Locator": _locator(end) if end < len(found.rows) else "null",
            "Sforce-NumberOfRecords": str(end - start),
        }
        return Response(200, body, headers)

    def _links(self, job: QueryJob, request: Request) -> Response:
        """Up to five places from which results can be fetched side by side."""
        found = self._finished(job)
        total = len(found.rows)
        start = _offset(request.param("locator"), total)
        part = self.part
        home = f"/services/data/v{job.version}/jobs/query/{job.record}"
        starts = list(range(start, max(total, start + 1), part))[:PARALLEL_LINKS]
        after = starts[-1] + part
        body: dict[str, Any] = {
            "resultPages": [{"resultUrl": f"{home}/results?locator={_locator(place)}"} for place in starts],
            "nextRecordsUrl": f"{home}/resultPages?locator={_locator(after)}" if after < total else None,
            "done": after >= total,
        }
        return json_response(200, body)

    def _abort(self, job: QueryJob, request: Request) -> Response:
        if fields_of(request).get("state") != "Aborted":
            raise Refusal(400, "INVALIDJOBSTATE", "InvalidJobState : a query job can only be aborted")
        job.aborted = job.state not in TERMINAL
        return json_response(200, self._shown(job))

    def _finished(self, job: QueryJob) -> Found:
        if job.state != "JobComplete" or job.found is None:
            status = {"InProgress": "IN_PROGRESS"}.get(job.state, job.state.upper())
            message = f"The job isn't in JobComplete state. Current status: {status}"
            raise Refusal(412, "JOB_NOT_COMPLETE", message)
        return job.found

    def _job(self, name: str) -> QueryJob:
        job = self._jobs.get(canonical(name) or "")
        if job is None:
            raise not_found()
        return job

    def _number(self) -> int:
        self._made += 1
        return self._made

    def _shown(self, job: QueryJob) -> dict[str, Any]:
        done = job.state == "JobComplete"
        failed = {"errorMessage": job.failure} if job.state == "Failed" else {}
        return {
            "id": job.record,
            "operation": job.operation,
            "object": job.thing,
            "createdById": job.user,
            "createdDate": job.created,
            "systemModstamp": job.created,
            "state": job.state,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(job.version),
            "jobType": "V2Query",
            "lineEnding": job.ending,
            "columnDelimiter": job.delimiter,
            "numberRecordsProcessed": len(job.found.rows) if done and job.found else 0,
            "retries": 0,
            "totalProcessingTime": 120 if done else 0,
            "isPkChunkingSupported": True,
            **failed,
        }


def _supported(text: str) -> None:
    """Raises for what a bulk query cannot do."""
    select = parse(text)
    functions = [item.operand for item in select.items if isinstance(item, Column)]
    nested = any(isinstance(item, Children | ByType) for item in select.items)
    aggregates = any(isinstance(one, Function) and one.name != "FIELDS" for one in functions)
    if nested or aggregates or select.group or select.offset:
        message = "Bulk queries take no GROUP BY, OFFSET, TYPEOF, aggregate functions or nested queries"
        raise Refusal(400, "API_ERROR", message)


def _no_compounds(found: Found, asker: Asker, thing: str) -> None:
    sight = asker.sights[thing.lower()]
    for name, _ in found.columns:
        one = sight.field(name)
        if one is not None and one.type in {"address", "location", "base64"}:
            raise Refusal(400, "FUNCTIONALITY_NOT_ENABLED", "Selecting compound data not supported in Bulk Query")


def _locator(offset: int) -> str:
    return base64.urlsafe_b64encode(f"r{offset}".encode()).decode().rstrip("=")


def _offset(locator: str | None, total: int) -> int:
    """The row that a locator stands for. Raises INVALID_LOCATOR."""
    if locator is None:
        return 0
    try:
        text = base64.urlsafe_b64decode(locator + "=" * (-len(locator) % 4)).decode()
        offset = int(text.removeprefix("r"))
    except ValueError as wrong:
        raise Refusal(400, "INVALID_LOCATOR", "invalid locator") from wrong
    if not text.startswith("r") or offset > total:
        raise Refusal(400, "INVALID_LOCATOR", "invalid locator")
    return offset
