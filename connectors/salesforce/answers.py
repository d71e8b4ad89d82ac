"""What Salesforce's answers mean: which to repeat, which to sign in for, which to stop at, and in what words."""

from dataclasses import dataclass
from typing import Any

import httpx
import msgspec

from connectors.errors import CrmError, NotAllowed, Throttled, Unreachable, Unreadable
from connectors.transport import ACCEPT, SIGN_IN, Policy, Ruling, retry


@dataclass(frozen=True)
class Complaint:
    """One error as Salesforce words it."""

    code: str
    message: str
    fields: tuple[str, ...] = ()


def complaints(response: httpx.Response) -> tuple[Complaint, ...]:
    """Every error in a body. REST sends an array, sign-in an object, collections say `statusCode`, the edge HTML."""
    try:
        body = msgspec.json.decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ()
    return complaints_in(body)


def complaints_in(body: Any) -> tuple[Complaint, ...]:
    """The errors in a decoded body, or in the `errors` of one row."""
    entries = body if isinstance(body, list) else [body]
    return tuple(_complaint(entry) for entry in entries if isinstance(entry, dict))


def _complaint(entry: dict[str, Any]) -> Complaint:
    code = entry.get("errorCode") or entry.get("statusCode") or entry.get("error") or entry.get("exceptionCode") or ""
    message = entry.get("message") or entry.get("error_description") or entry.get("exceptionMessage") or ""
    return Complaint(str(code), str(message), tuple(str(name) for name in entry.get("fields") or ()))


LONG_CALLS = "ConcurrentPerOrgLongTxn"
"""Too many calls that take longer than twenty seconds: a matter of a minute, unlike the day's allowance."""

TRANSIENT = frozenset({406, 420, 429, 500, 502, 503, 504})
"""406 and 420 come from Salesforce's edge without a body and pass by themselves."""

NEVER_AGAIN = ("not valid for use with the REST API", "not attached to Agent")
"""A 401 with one of these texts stays whatever token is used."""


def _barred(response: httpx.Response) -> bool:
    return response.status_code == 401 and any(text in response.text for text in NEVER_AGAIN)


def _ruling(response: httpx.Response) -> Ruling:
    if response.status_code < 400:
        return ACCEPT
    if response.status_code == 401:
        return ACCEPT if _barred(response) else SIGN_IN
    if response.status_code == 403 and LONG_CALLS in response.text:
        return retry(wait=30.0)
    if response.status_code in TRANSIENT:
        return retry()
    return ACCEPT


POLICY = Policy(rule=_ruling)


class QueryBroken(Exception):
    """A query that can be asked another way; the reader catches this, nobody else sees it."""

    def __init__(self, complaint: Complaint) -> None:
        super().__init__(complaint.code)
        self.complaint = complaint


ASKED_ANOTHER_WAY = frozenset(
    {"INVALID_QUERY_LOCATOR", "QUERY_TIMEOUT", "QUERY_TOO_COMPLICATED", "INVALID_FIELD", "INVALID_TYPE"}
)


def accepted(response: httpx.Response, what: str) -> httpx.Response:
    """The answer if it is a success, else the error that its reader can do something about."""
    if response.is_success:
        return response
    raise failure(response, what)


def answered(response: httpx.Response, what: str) -> httpx.Response:
    """The answer to a query; raises `QueryBroken` where asking another way may help."""
    if not response.is_success:
        for complaint in complaints(response)[:1]:
            if complaint.code in ASKED_ANOTHER_WAY:
                raise QueryBroken(complaint)
    return accepted(response, what)


def gave_up(broken: QueryBroken, what: str) -> CrmError:
    """The error for a query that no other way helped."""
    code = broken.complaint.code
    if code in {"QUERY_TIMEOUT", "INVALID_QUERY_LOCATOR"}:
        return Unreachable(
            "KPI-SF-004",
            f"Salesforce could not finish {what} ({code}).",
            "Nothing was lost, the next run goes on from here; if it stays, ask Salesforce for an index.",
        )
    return Unreadable(
        "KPI-SF-034",
        f"Salesforce refuses {what} ({code}).",
        "Run `kpisync doctor`; if it finds nothing, report this code.",
    )


def failure(response: httpx.Response, what: str) -> CrmError:
    """The error that an answer stands for. Salesforce's own message stays out: it may quote what was written."""
    found = complaints(response)
    first = found[0] if found else Complaint(f"HTTP {response.status_code}", "")
    status = response.status_code
    if first.code == "REQUEST_LIMIT_EXCEEDED":
        return Throttled(
            "KPI-SF-020",
            f"Salesforce refused {what}: the company's API calls of the last 24 hours are used up.",
            "The next scheduled run goes on from here; raise the allowance in Salesforce, or pull less often.",
        )
    if _barred(response):
        return NotAllowed(
            "KPI-SF-053",
            f"Salesforce takes no session of this app for {what}, however often we sign in.",
            "Give the External Client App the scope *api* and connect it to nothing else (an agent, a mobile app).",
        )
    if status == 401:
        return NotAllowed(
            "KPI-SF-010",
            f"Salesforce no longer accepts the session ({what}: {first.code}).",
            "Run `kpisync doctor`; with auth = access_token store a fresh token.",
        )
    if status == 403:
        return NotAllowed(
            "KPI-SF-011",
            f"Salesforce does not allow {what} ({first.code}).",
            "Give the integration user API access and the permission set `Sales KPI Writer`.",
        )
    if status == 410 or first.code == "UNSUPPORTED_API_VERSION":
        return NotAllowed(
            "KPI-SF-012",
            f"Salesforce has retired the API version that was asked for ({what}).",
            'Set api_version = "66.0" or later in kpisync.toml.',
        )
    if status in TRANSIENT:
        return Unreachable(
            "KPI-SF-002",
            f"Salesforce did not answer {what} (HTTP {status}, after several tries).",
            "See status.salesforce.com; nothing was lost, the next run goes on from here.",
        )
    return Unreadable(
        "KPI-SF-030",
        f"Salesforce refused {what} ({first.code}, HTTP {status}).",
        "Run `kpisync doctor`; if all is well there, report this code with the command that was run.",
    )


def garbled(what: str) -> Unreadable:
    """An answer that is not what Salesforce's own contract says."""
    return Unreadable(
        "KPI-SF-031",
        f"Salesforce's answer to {what} does not have the shape that it should have.",
        "Check that api_version in kpisync.toml is between 46.0 and the newest of your org; else report this.",
    )
