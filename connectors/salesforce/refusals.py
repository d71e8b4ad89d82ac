"""Why Salesforce refused a row, and what its reader can do about it."""

from connectors.contract import Change, Refused
from connectors.salesforce.answers import Complaint

FIELD_CLOSED = "FIELD_CLOSED"
"""Ours: a field is not there or not open to this user; Salesforce was not asked, or said so before."""

OBJECT_MISSING = "OBJECT_MISSING"

LOCKED = frozenset({"UNABLE_TO_LOCK_ROW"})

PARTLY_MALFORMED = frozenset({"JSON_PARSER_ERROR", "MALFORMED_ID"})
"""Salesforce refuses a whole call for one row that it cannot parse."""

CLOSED = frozenset({"INVALID_FIELD_FOR_INSERT_UPDATE", "INVALID_FIELD"})

LATER = frozenset({"UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE", "QUERY_TIMEOUT", "REQUEST_RUNNING_TOO_LONG"})
"""The same row may land next time."""

PROVISION = "Run `kpisync provision`, and give the integration user the permission set `Sales KPI Writer`."

ADVICE: dict[str, str] = {
    FIELD_CLOSED: PROVISION,
    OBJECT_MISSING: PROVISION,
    "INVALID_TYPE": PROVISION,
    "NOT_FOUND": PROVISION,
    "INVALID_FIELD": PROVISION,
    "INVALID_FIELD_FOR_INSERT_UPDATE": PROVISION,
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": PROVISION,
    "REQUEST_RUNNING_TOO_LONG": "Automations of yours on this object took too long; the next run tries again.",
    "UNABLE_TO_LOCK_ROW": "Somebody else was changing this record; the next run tries again.",
    "INSUFFICIENT_ACCESS_OR_READONLY": (
        "Let the integration user edit this record; for fields of users it needs the permission Manage Internal Users."
    ),
    "INSUFFICIENT_ACCESS": (
        "Let the integration user edit this object; for fields of users it needs the permission Manage Internal Users."
    ),
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": "Let the integration user see the rep's user record.",
    "INVALID_CROSS_REFERENCE_KEY": "The rep or record no longer exists; pull again, then push.",
    "ENTITY_IS_DELETED": "The record is in the recycle bin; pull again, then push.",
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": "A validation rule of yours forbids it: exempt the integration user from it.",
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": "A trigger or flow of yours failed on it: exempt the integration user.",
    "MIXED_DML_OPERATION": "A trigger or flow on User changes other records: exempt the integration user from it.",
    "CANNOT_EXECUTE_FLOW_TRIGGER": "A flow of yours failed on it: exempt the integration user from it.",
    "APEX_ERROR": "A trigger of yours failed on it: exempt the integration user from it.",
    "FIELD_FILTER_VALIDATION_EXCEPTION": "A lookup filter of yours forbids it: exempt the integration user from it.",
    "DUPLICATES_DETECTED": (
        "A duplicate rule of yours blocks the record: merge the duplicates, or exempt the integration user from it."
    ),
    "TRANSFER_REQUIRES_READ": (
        "The record's owner may not read this object: give the owner the permission set `Sales KPI Viewer`."
    ),
    "INACTIVE_OWNER_OR_USER": ("The record belongs to somebody who left: hand it over to an active user."),
    "OP_WITH_INVALID_USER_TYPE_EXCEPTION": "This user is a machine or a guest, whom nobody may change: nothing to do.",
    "DUPLICATE_VALUE": "Another record carries this key: delete the older of the two.",
    "STRING_TOO_LONG": "Run `kpisync provision`: a field of ours is shorter than it should be.",
    "NUMBER_OUTSIDE_VALID_RANGE": "The number is larger than the field holds; look at it with `kpisync explain`.",
    "STORAGE_LIMIT_EXCEEDED": "The org's data storage is full: delete old KPI records, or write fewer grains.",
    "CANNOT_UPDATE_CONVERTED_LEAD": "The lead has been converted since: nothing to do.",
    "REQUIRED_FIELD_MISSING": "A field was made required in Salesforce: give it a default, or make it optional.",
}

OTHERWISE = "Look this code up in Salesforce's list of status codes; the other records were written."


def refused(change: Change, complaint: Complaint, where: str) -> Refused:
    """The refusal as a value. Salesforce's own sentence stays out: it may quote a customer."""
    named = f" Fields: {', '.join(complaint.fields)}." if complaint.fields else ""
    return Refused(
        change,
        complaint.code,
        f"{where} {change.key}: {complaint.code}.{named}",
        ADVICE.get(complaint.code, OTHERWISE),
        retry=complaint.code in LATER,
    )
