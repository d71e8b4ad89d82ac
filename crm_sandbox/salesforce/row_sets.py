"""Collections: up to 200 records in one call, one result each in the order of the request."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from crm_sandbox.salesforce.errors import Refusal, unreadable
from crm_sandbox.salesforce.ids import canonical
from crm_sandbox.salesforce.pages import json_response
from crm_sandbox.salesforce.records import Records, body_of, fields_of
from crm_sandbox.salesforce.schema import Sight
from crm_sandbox.salesforce.store import plain
from crm_sandbox.serving import Request, Response

MOST_RECORDS = 200
MOST_READ = 2000
MOST_READ_BY_URL = 800
MOST_CHUNKS = 10
ROLLED_BACK = Refusal(
    400,
    "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "Record rolled back because not all records were valid and the request was using AllOrNone header",
)

Result = dict[str, Any]


class RowSets:
    """Answers under /composite/sobjects for one user and version."""

    def __init__(self, records: Records) -> None:
        self.records = records
        self.writing = records.writing
        self.sights = records.sights

    def answer(self, request: Request, path: Sequence[str]) -> Response:
        """`path` is what follows /composite/sobjects."""
        match request.method, list(path):
            case "POST", []:
                return self._write(request, self._create)
            case "PATCH", []:
                return self._write(request, self._update)
            case "DELETE", []:
                return self._delete(request)
            case "PATCH", [name, key]:
                return self._upsert(request, name, key)
            case "GET" | "POST", [name]:
                return self._read(request, name)
        raise Refusal(404, "NOT_FOUND", "The requested resource does not exist")

    def _write(self, request: Request, one: Callable[[Mapping[str, Any]], Result]) -> Response:
        records, whole = _records(request)
        self._together(records)
        return json_response(200, self._each(records, one, whole))

    def _create(self, sent: Mapping[str, Any]) -> Result:
        record = self.writing.create(self._sight(sent), sent)
        return {"id": record, "success": True, "errors": []}

    def _update(self, sent: Mapping[str, Any]) -> Result:
        sight = self._sight(sent)
        text = next((value for name, value in sent.items() if name.lower() == "id"), None)
        if text is None:
            raise Refusal(400, "MISSING_ARGUMENT", "Id not specified in an update call")
        record = self.writing.record_of(sight, text)
        self.writing.update(sight, record, sent)
        return {"id": record, "success": True, "errors": []}

    def _upsert(self, request: Request, name: str, key_name: str) -> Response:
        records, whole = _records(request)
        sight = self.sights.get(name.lower())
        if sight is None:
            raise Refusal(404, "NOT_FOUND", "The requested resource does not exist")
        key = self.writing.external_key(sight, key_name)
        if not key.external_id:
            raise Refusal(400, "INVALID_FIELD", f"{key.name} is not an external ID field")
        keys = [next((v for n, v in one.items() if n.lower() == key.name.lower()), None) for one in records]

        def fold(value: Any) -> str:
            return plain(value, case_sensitive=key.case_sensitive)

        times = Counter(fold(value) for value in keys if value is not None)

        def one(sent: Mapping[str, Any]) -> Result:
            if self._sight(sent).thing.name != sight.thing.name:
                raise Refusal(400, "INVALID_TYPE", f"Record type does not match the request: {sight.thing.name}")
            value = next((v for n, v in sent.items() if n.lower() == key.name.lower()), None)
            if value is not None and times[fold(value)] > 1:
                raise Refusal(400, "DUPLICATE_VALUE", f"Duplicate external id specified: {value}", [key.name])
            record, created = self.writing.upsert(sight, key, value, sent)
            return {"id": record, "success": True, "errors": [], "created": created}

        return json_response(200, self._each(records, one, whole))

    def _delete(self, request: Request) -> Response:
        ids = [one for one in (request.param("ids") or "").split(",") if one]
        _not_too_many(len(ids), MOST_RECORDS)
        whole = (request.param("allOrNone") or "").lower() == "true"

        def one(sent: Mapping[str, Any]) -> Result:
            record = canonical(sent["id"])
            if record is None:
                raise Refusal(400, "MALFORMED_ID", f"bad id {sent['id']}")
            self.writing.delete(record)
            return {"id": record, "success": True, "errors": []}

        return json_response(200, self._each([{"id": text} for text in ids], one, whole))

    def _read(self, request: Request, name: str) -> Response:
        sight = self.sights.get(name.lower())
        if sight is None:
            raise Refusal(404, "NOT_FOUND", "The requested resource does not exist")
        if request.method == "POST":
            body = fields_of(request)
            ids, fields, most = body.get("ids") or [], body.get("fields") or [], MOST_READ
        else:
            ids = [one for one in (request.param("ids") or "").split(",") if one]
            fields = [one for one in (request.param("fields") or "").split(",") if one]
            most = MOST_READ_BY_URL
        if not ids or not fields:
            raise Refusal(400, "MISSING_ARGUMENT", "ids and fields are required")
        _not_too_many(len(ids), most)
        return json_response(200, [self._shown(sight, text, fields) for text in ids])

    def _shown(self, sight: Sight, text: str, fields: Sequence[str]) -> Any:
        record = self.writing.record_of(sight, text)
        row = self.writing.store.table(sight.thing.name).rows.get(record)
        if row is None or row.get("IsDeleted"):
            return None
        return self.records.shown(sight, record, fields)

    def _each(
        self, records: Sequence[Mapping[str, Any]], one: Callable[[Mapping[str, Any]], Result], whole: bool
    ) -> list[Result]:
        """Every record's result; with allOrNone a single bad one undoes the good ones."""
        before = self.writing.store.savepoint() if whole else None
        results = []
        for sent in records:
            try:
                results.append(one(sent))
            except Refusal as refusal:
                if refusal.code == "JSON_PARSER_ERROR":
                    raise
                results.append(refused(refusal))
        if before is not None and not all(result["success"] for result in results):
            self.writing.store.roll_back(before)
            results = [refused(ROLLED_BACK) if result["success"] else result for result in results]
        return results

    def _sight(self, sent: Mapping[str, Any]) -> Sight:
        name = _type_name(sent)
        if name is None:
            raise Refusal(400, "INVALID_TYPE", "attributes.type is missing")
        sight = self.sights.get(name.lower())
        if sight is None:
            raise Refusal(400, "INVALID_TYPE", f"sObject type '{name}' is not supported.")
        return sight

    def _together(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Not too many runs of one type, and no setup objects beside others."""
        names = [str(_type_name(one)) for one in records]
        chunks = 1 + sum(before != after for before, after in pairwise(names))
        if chunks > MOST_CHUNKS:
            message = (
                f"Cannot have more than {MOST_CHUNKS} chunks in a single operation. "
                "Please rearrange the data to reduce chunking."
            )
            raise Refusal(400, "LIMIT_EXCEEDED", message)
        things = [sight.thing for name in dict.fromkeys(names) if (sight := self.sights.get(name.lower()))]
        setup = next((thing.name for thing in things if thing.setup), None)
        if setup and len(things) > 1:
            other = next(thing.name for thing in things if thing.name != setup)
            message = (
                "DML operation on setup object is not permitted after you have updated a non-setup object "
                f"(or vice versa): {setup}, original object: {other}"
            )
            raise Refusal(400, "MIXED_DML_OPERATION", message)


def _type_name(sent: Mapping[str, Any]) -> str | None:
    named = sent.get("attributes")
    name = named.get("type") if isinstance(named, dict) else None
    return name if isinstance(name, str) else None


def refused(refusal: Refusal) -> Result:
    """A failed row: it has no id at all."""
    return {"success": False, "errors": [refusal.as_row()]}


def _records(request: Request) -> tuple[list[Mapping[str, Any]], bool]:
    body = body_of(request)
    records = body.get("records") if isinstance(body, dict) else None
    if not isinstance(records, list) or not all(isinstance(one, dict) for one in records):
        raise unreadable("records: an array of objects is required")
    _not_too_many(len(records), MOST_RECORDS)
    return records, bool(body.get("allOrNone", False))


def _not_too_many(count: int, most: int) -> None:
    if count > most:
        message = f"record limit reached. cannot submit more than {most} records into this call"
        raise Refusal(400, "EXCEEDED_ID_LIMIT", message)
