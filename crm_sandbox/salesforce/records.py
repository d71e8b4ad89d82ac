"""The resources of single records: describe, create, read, update, delete, upsert by external id."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

from crm_sandbox.salesforce.errors import Refusal, not_found, unreadable
from crm_sandbox.salesforce.ids import canonical
from crm_sandbox.salesforce.pages import encode, json_response
from crm_sandbox.salesforce.replication import deleted, updated
from crm_sandbox.salesforce.schema import Sight, described, entity_tag, listed, seen
from crm_sandbox.salesforce.writing import Writing
from crm_sandbox.serving import Request, Response


def body_of(request: Request) -> Any:
    """The request's JSON with exact decimals. Raises JSON_PARSER_ERROR."""
    try:
        return json.loads(request.body, parse_float=Decimal)
    except ValueError as wrong:
        raise unreadable(f"Unexpected character in the request body: {wrong}") from wrong


def fields_of(request: Request) -> Mapping[str, Any]:
    """The body of a single record's write: an object."""
    body = body_of(request)
    if not isinstance(body, dict):
        raise unreadable("Can not deserialize SObject out of START_ARRAY token")
    return body


class Records:
    """Answers under /sobjects for one user and version; `described_since` is when a describe last changed."""

    def __init__(self, writing: Writing, version: str, described_since: datetime) -> None:
        self.writing = writing
        self.version = version
        self.described_since = described_since
        self.sights = writing.sights

    def answer(self, request: Request, path: Sequence[str]) -> Response:
        """`path` is what follows /sobjects."""
        if not path:
            return self._global(request)
        sight = seen(self.sights, path[0])
        match request.method, list(path[1:]):
            case "GET", []:
                return json_response(200, {"objectDescribe": listed(sight, self.version), "recentItems": []})
            case "POST", []:
                return self._create(sight, fields_of(request))
            case "GET", ["describe"]:
                return self._describe(sight, request)
            case "GET", ["updated"]:
                return updated(self.writing.store, sight, request)
            case "GET", ["deleted"]:
                return deleted(self.writing.store, sight, request)
            case method, [record]:
                return self._one(method, sight, record, request)
            case method, [key, value]:
                return self._by_key(method, sight, key, value, request)
        raise not_found()

    def _global(self, request: Request) -> Response:
        listing = [listed(sight, self.version) for sight in self.sights.values()]
        body = encode({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": listing})
        return cached(request, body, self.described_since)

    def _describe(self, sight: Sight, request: Request) -> Response:
        return cached(request, encode(described(sight, self.version, self.sights)), self.described_since)

    def _create(self, sight: Sight, sent: Mapping[str, Any]) -> Response:
        record = self.writing.create(sight, sent)
        location = f"/services/data/v{self.version}/sobjects/{sight.thing.name}/{record}"
        return json_response(201, {"id": record, "success": True, "errors": []}, {"Location": location})

    def _one(self, method: str, sight: Sight, text: str, request: Request) -> Response:
        record = canonical(text)
        if record is None or not record.startswith(sight.thing.prefix):
            message = f"Provided external ID field does not exist or is not accessible: {text}"
            raise not_found(message)
        match method:
            case "GET":
                return self._read(sight, record, request)
            case "PATCH":
                self.writing.update(sight, record, fields_of(request))
                return Response(204)
            case "DELETE":
                self._existing(sight, record)
                self.writing.delete(record)
                return Response(204)
        raise Refusal(405, "METHOD_NOT_ALLOWED", f"HTTP Method '{method}' not allowed. Allowed are GET,PATCH,DELETE")

    def _read(self, sight: Sight, record: str, request: Request) -> Response:
        self._existing(sight, record)
        wanted = request.param("fields")
        return json_response(200, self.shown(sight, record, wanted.split(",") if wanted else None))

    def shown(self, sight: Sight, record: str, wanted: Sequence[str] | None) -> dict[str, Any]:
        """The record with the wanted fields, or all visible ones."""
        row = self.writing.store.table(sight.thing.name).rows[record]
        url = f"/services/data/v{self.version}/sobjects/{sight.thing.name}/{record}"
        fields = list(sight.fields.values())
        if wanted is not None:
            fields = [_known(sight, name.strip()) for name in wanted]
        values = {one.name: row.get(one.name, one.default) for one in fields}
        return {"attributes": {"type": sight.thing.name, "url": url}, **values}

    def _existing(self, sight: Sight, record: str) -> None:
        row = self.writing.store.table(sight.thing.name).rows.get(record)
        if row is None:
            raise not_found()
        if row.get("IsDeleted"):
            raise Refusal(404, "ENTITY_IS_DELETED", "entity is deleted")

    def _by_key(self, method: str, sight: Sight, name: str, value: str, request: Request) -> Response:
        key = self.writing.external_key(sight, name)
        if key.type == "id":
            return self._one(method, sight, value, request)
        held = self.writing.matches(sight, key, value)
        if len(held) > 1:
            home = f"/services/data/v{self.version}/sobjects/{sight.thing.name}"
            return json_response(300, [f"{home}/{record}" for record in held])
        match method:
            case "GET" | "DELETE":
                if not held:
                    raise not_found()
                return self._one(method, sight, held[0], request)
            case "PATCH":
                return self._upsert(sight, name, value, request)
        raise Refusal(405, "METHOD_NOT_ALLOWED", f"HTTP Method '{method}' not allowed. Allowed are GET,PATCH,DELETE")

    def _upsert(self, sight: Sight, name: str, value: str, request: Request) -> Response:
        sent = fields_of(request)
        key = self.writing.external_key(sight, name)
        if any(one.lower() == key.name.lower() for one in sent):
            message = f"The {key.name} field should not be specified in the sobject data."
            raise Refusal(400, "INVALID_FIELD", message, [key.name])
        only = (request.param("updateOnly") or "").lower() == "true"
        record, created = self.writing.upsert(sight, key, value, sent, update_only=only)
        return json_response(201 if created else 200, {"id": record, "success": True, "errors": [], "created": created})


def _known(sight: Sight, name: str) -> Any:
    one = sight.field(name)
    if one is None:
        raise Refusal(400, "INVALID_FIELD", f"No such column '{name}' on entity '{sight.thing.name}'", [name])
    return one


def cached(request: Request, body: bytes, since: datetime) -> Response:
    """200 with its tag and date, or 304 without a body where the client has this very state."""
    tag = entity_tag(body)
    headers = {"ETag": tag, "Last-Modified": format_datetime(since, usegmt=True)}
    if _has_it(request, tag, since):
        return Response(304, b"", headers)
    return Response(200, body, {**headers, "Content-Type": "application/json;charset=UTF-8"})


def _has_it(request: Request, tag: str, since: datetime) -> bool:
    sent = request.headers.get("If-None-Match")
    if sent is not None:
        return tag in sent or tag.replace("--gzip", "") in sent
    try:
        return parsedate_to_datetime(request.headers.get("If-Modified-Since", "")) >= since.replace(microsecond=0)
    except (ValueError, TypeError):  # no date, or one without a zone
        return False
