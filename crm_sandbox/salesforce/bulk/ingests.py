"""Bulk API 2.0 ingest jobs: one upload a job, results by row, a job with failed rows is complete all the same."""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crm_sandbox.salesforce.bulk.csv_text import CLEARED, DELIMITERS, LINE_ENDINGS, lines_of, read
from crm_sandbox.salesforce.errors import Refusal, not_found
from crm_sandbox.salesforce.ids import canonical, record_id
from crm_sandbox.salesforce.pages import json_response
from crm_sandbox.salesforce.records import fields_of
from crm_sandbox.salesforce.schema import Sight
from crm_sandbox.salesforce.store import Store
from crm_sandbox.salesforce.writing import Writing
from crm_sandbox.serving import Request, Response

OPERATIONS = frozenset({"insert", "update", "upsert", "delete", "hardDelete"})
LARGEST_UPLOAD = 150 * 1024 * 1024


@dataclass
class IngestJob:
    """An ingest job. state: Open, UploadComplete, InProgress, JobComplete, Failed, Aborted."""

    record: str
    thing: str
    operation: str
    external_id: str | None
    delimiter: str
    ending: str
    user: str
    version: str
    created: str
    state: str = "Open"
    pending: int = 0
    upload: bytes | None = None
    header: list[str] = field(default_factory=list)
    succeeded: list[list[str]] = field(default_factory=list)
    failed: list[list[str]] = field(default_factory=list)
    failure: str | None = None


class BulkIngests:
    """Answers under /jobs/ingest. `polls`: how many looks at a job see it unfinished."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.polls = 1
        self._jobs: dict[str, IngestJob] = {}
        self._made = 0

    def answer(self, request: Request, path: Sequence[str], writing: Writing, version: str) -> Response:
        """`path` is what follows /jobs/ingest."""
        match request.method, list(path):
            case "POST", []:
                return self._create(request, writing, version)
            case "GET", []:
                records = [self._shown(job) for job in self._jobs.values()]
                return json_response(200, {"done": True, "records": records, "nextRecordsUrl": None})
            case method, [name, *rest]:
                job = self._jobs.get(canonical(name) or "")
                if job is None:
                    raise not_found()
                if job.version != version:
                    message = f"The job was created with API version {job.version}, not {version}"
                    raise Refusal(409, "API_VERSION_MISMATCH", message)
                return self._one(method, job, rest, request, writing)
        raise not_found()

    def _create(self, request: Request, writing: Writing, version: str) -> Response:
        sent = fields_of(request)
        sight = writing.sights.get(str(sent.get("object")).lower())
        operation = sent.get("operation")
        if sight is None or not sight.thing.bulk:
            raise Refusal(
                400, "INVALIDENTITY", f"InvalidEntity : {sent.get('object')} is not supported by the Bulk API"
            )
        if operation not in OPERATIONS or sent.get("contentType", "CSV") != "CSV":
            raise Refusal(400, "INVALIDJOB", "InvalidJob : unknown operation or contentType")
        key = sent.get("externalIdFieldName")
        if operation == "upsert":
            writing.external_key(sight, str(key))
        self._made += 1
        job = IngestJob(
            record_id("750", 500_000 + self._made),
            sight.thing.name,
            operation,
            key if operation == "upsert" else None,
            str(sent.get("columnDelimiter", "COMMA")),
            str(sent.get("lineEnding", "LF")),
            writing.user,
            version,
            self.store.now(),
        )
        if job.delimiter not in DELIMITERS or job.ending not in LINE_ENDINGS:
            raise Refusal(400, "INVALIDJOB", "InvalidJob : unknown columnDelimiter or lineEnding")
        self._jobs[job.record] = job
        return json_response(200, self._shown(job))

    def _one(self, method: str, job: IngestJob, path: Sequence[str], request: Request, writing: Writing) -> Response:
        match method, list(path):
            case "PUT", ["batches"]:
                return self._upload(job, request)
            case "PATCH", []:
                return self._patch(job, request, writing)
            case "GET", []:
                self._advance(job)
                return json_response(200, self._shown(job))
            case "GET", ["successfulResults"]:
                return self._rows(job, ["sf__Id", "sf__Created"], job.succeeded)
            case "GET", ["failedResults"]:
                return self._rows(job, ["sf__Id", "sf__Error"], job.failed)
            case "GET", ["unprocessedrecords"]:
                return self._rows(job, [], [])
            case "DELETE", []:
                if job.state not in {"JobComplete", "Failed", "Aborted"}:
                    raise Refusal(400, "INVALIDJOBSTATE", "InvalidJobState : the job is not finished")
                del self._jobs[job.record]
                return Response(204)
        raise not_found()

    def _upload(self, job: IngestJob, request: Request) -> Response:
        if job.state != "Open" or job.upload is not None:
            raise Refusal(400, "INVALIDJOBSTATE", "InvalidJobState : the job takes one upload while it is open")
        if not request.headers.get("Content-Type", "").lower().startswith("text/csv"):
            raise Refusal(415, "UNSUPPORTED_MEDIA_TYPE", "Content-Type text/csv is required")
        if len(request.body) > LARGEST_UPLOAD:
            raise Refusal(413, "REQUEST_TOO_LARGE", "the upload is larger than 150 MB")
        job.upload = request.body
        return Response(201)

    def _patch(self, job: IngestJob, request: Request, writing: Writing) -> Response:
        match fields_of(request).get("state"):
            case "UploadComplete" if job.state == "Open" and job.upload is not None:
                job.state, job.pending = "UploadComplete", self.polls
                self._run(job, writing)
            case "Aborted" if job.state in {"Open", "UploadComplete", "InProgress"}:
                job.state = "Aborted"
            case state:
                raise Refusal(400, "INVALIDJOBSTATE", f"InvalidJobState : {job.state} cannot become {state}")
        return json_response(200, self._shown(job))

    def _advance(self, job: IngestJob) -> None:
        if job.state not in {"UploadComplete", "InProgress"}:
            return
        if job.pending > 0:
            job.state, job.pending = "InProgress", job.pending - 1
        else:
            job.state = "Failed" if job.failure else "JobComplete"

    def _run(self, job: IngestJob, writing: Writing) -> None:
        """Carry out every row; what a row is refused for is its result."""
        sight = writing.sights[job.thing.lower()]
        step = self._step(job, sight, writing)
        try:
            job.header, rows = read(job.upload or b"", DELIMITERS[job.delimiter])
            for row in rows:
                self._row(job, row, step)
        except (csv.Error, Refusal) as wrong:
            job.failure = wrong.message if isinstance(wrong, Refusal) else f"InvalidBatch : {wrong}"
        job.upload = b""

    def _row(self, job: IngestJob, row: list[str], step: Callable[[Mapping[str, Any]], tuple[str, bool]]) -> None:
        if len(row) != len(job.header):
            wrong = f"INVALID_CSV:The number of columns ({len(row)}) differs from the header's ({len(job.header)}):--"
            job.failed.append(["", wrong, *row])
            return
        try:
            record, created = step(_sent(job.header, row))
            job.succeeded.append([record, "true" if created else "false", *row])
        except Refusal as refusal:
            known = next((text for name, text in zip(job.header, row, strict=True) if name.lower() == "id"), "")
            job.failed.append([known, refusal.as_bulk(), *row])

    def _step(self, job: IngestJob, sight: Sight, writing: Writing) -> Callable[[Mapping[str, Any]], tuple[str, bool]]:
        def known(sent: Mapping[str, Any]) -> str:
            return writing.record_of(sight, next((value for name, value in sent.items() if name.lower() == "id"), None))

        def update(sent: Mapping[str, Any]) -> tuple[str, bool]:
            record = known(sent)
            writing.update(sight, record, sent)
            return record, False

        def upsert(sent: Mapping[str, Any]) -> tuple[str, bool]:
            key = writing.external_key(sight, job.external_id or "")
            value = next((value for name, value in sent.items() if name.lower() == key.name.lower()), None)
            return writing.upsert(sight, key, value, sent)

        def delete(sent: Mapping[str, Any]) -> tuple[str, bool]:
            record = known(sent)
            writing.delete(record)
            if job.operation == "hardDelete" and sight.thing.deletable:
                self.store.forget(sight.thing, record)
            return record, False

        def insert(sent: Mapping[str, Any]) -> tuple[str, bool]:
            return writing.create(sight, sent), True

        return {"insert": insert, "update": update, "upsert": upsert}.get(job.operation, delete)

    def _rows(self, job: IngestJob, own: list[str], rows: list[list[str]]) -> Response:
        if job.state not in {"JobComplete", "Failed", "Aborted"}:
            raise Refusal(400, "INVALIDJOBSTATE", f"InvalidJobState : the job is {job.state}")
        body = lines_of([*own, *job.header], rows, DELIMITERS[job.delimiter], LINE_ENDINGS[job.ending])
        return Response(200, body, {"Content-Type": "text/csv"})

    def _shown(self, job: IngestJob) -> dict[str, Any]:
        finished = job.state in {"JobComplete", "Failed"}
        failed = {"errorMessage": job.failure} if job.state == "Failed" else {}
        return {
            "id": job.record,
            "operation": job.operation,
            "object": job.thing,
            "createdById": job.user,
            "createdDate": job.created,
            "systemModstamp": job.created,
            "state": job.state,
            "externalIdFieldName": job.external_id,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(job.version),
            "jobType": "V2Ingest",
            "contentUrl": f"services/data/v{job.version}/jobs/ingest/{job.record}/batches",
            "lineEnding": job.ending,
            "columnDelimiter": job.delimiter,
            "retries": 0,
            "numberRecordsProcessed": len(job.succeeded) + len(job.failed) if finished else 0,
            "numberRecordsFailed": len(job.failed) if finished else 0,
            "totalProcessingTime": 0,
            **failed,
        }


def _sent(header: Sequence[str], row: Sequence[str]) -> dict[str, Any]:
    """A CSV row as a record: blank leaves a field alone, #N/A clears it, `Rep__r.Key__c` names a parent."""
    sent: dict[str, Any] = {}
    for name, text in zip(header, row, strict=True):
        parent, dot, key = name.partition(".")
        if text == "":
            continue
        if dot:
            sent[parent] = {key.rpartition(".")[2]: text}
        else:
            sent[name] = None if text == CLEARED else text
    return sent
