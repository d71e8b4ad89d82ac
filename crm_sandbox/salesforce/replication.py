"""getUpdated and getDeleted: ids of what changed or was deleted in a span of time."""

from datetime import UTC, datetime, timedelta

from crm_sandbox.salesforce.errors import Refusal
from crm_sandbox.salesforce.pages import json_response
from crm_sandbox.salesforce.schema import Sight
from crm_sandbox.salesforce.store import Store, stamp
from crm_sandbox.serving import Request, Response

UPDATED_DAYS, DELETED_DAYS = 30, 15


def updated(store: Store, sight: Sight, request: Request) -> Response:
    """GET /sobjects/X/updated."""
    start, end = _span(store, sight, request, UPDATED_DAYS)
    rows = store.rows(sight.thing.name, archived=True)
    ids = [row["Id"] for row in rows if start <= row.get("SystemModstamp", "") < end]
    return json_response(200, {"ids": ids, "latestDateCovered": end})


def deleted(store: Store, sight: Sight, request: Request) -> Response:
    """GET /sobjects/X/deleted."""
    start, end = _span(store, sight, request, DELETED_DAYS)
    rows = store.rows(sight.thing.name, deleted=True, archived=True)
    gone = [
        {"id": row["Id"], "deletedDate": row["SystemModstamp"]}
        for row in rows
        if row.get("IsDeleted") and start <= row["SystemModstamp"] < end
    ]
    earliest = stamp(store.clock() - timedelta(days=DELETED_DAYS))
    return json_response(200, {"deletedRecords": gone, "earliestDateAvailable": earliest, "latestDateCovered": end})


def _span(store: Store, sight: Sight, request: Request, days: int) -> tuple[str, str]:
    if not sight.thing.deletable:
        raise Refusal(400, "INVALID_TYPE", f"{sight.thing.name} is not replicateable")
    start, end = _moment(request, "start"), _moment(request, "end")
    if start >= end:
        raise Refusal(400, "INVALID_REPLICATION_DATE", "startDate must be before endDate")
    if start < store.clock() - timedelta(days=days):
        raise Refusal(400, "INVALID_REPLICATION_DATE", f"startDate cannot be more than {days} days ago")
    return stamp(start), stamp(min(end, store.clock()))


def _moment(request: Request, name: str) -> datetime:
    text = request.param(name)
    try:
        when = datetime.fromisoformat(text or "")
    except ValueError as wrong:
        raise Refusal(400, "INVALID_REPLICATION_DATE", f"{name}: not a date: {text}") from wrong
    return when if when.tzinfo else when.replace(tzinfo=UTC)
