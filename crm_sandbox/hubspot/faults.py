"""What goes wrong with the real HubSpot, ready to be given to a `Sandbox`: `faults.locked("batch/upsert", times=2)`.

Every function takes the regular expression that is searched in "METHOD /path", and how many matching requests pass
(`after`) before how many are hit (`times`, None: all).
"""

import json

from crm_sandbox.hubspot.errors import JSON_TYPE
from crm_sandbox.serving import Fault

_CORRELATION = "a43683b0-5717-4ceb-80b4-0000000fa017"


def locked(path: str, *, after: int = 0, times: int | None = 1) -> Fault:
    """423: somebody else writes at the same moment; two seconds later it works."""
    return _told(423, "The record is locked: wait at least two seconds.", path, after, times)


def migrating(path: str, *, seconds: int, after: int = 0, times: int | None = 1) -> Fault:
    """477: the portal moves to another data centre, and says in how many seconds to come back."""
    fault = _told(477, "This account is being migrated to another data center.", path, after, times)
    fault.headers["Retry-After"] = str(seconds)
    return fault


def gateway(path: str, status: int = 502, *, after: int = 0, times: int | None = 1) -> Fault:
    """502, 503, 504, 521, 523, 524: a page of HTML from in front of HubSpot."""
    body = f"<!DOCTYPE html><html><head><title>{status}</title></head><body>Error {status}</body></html>"
    headers = {"Content-Type": "text/html; charset=UTF-8"}
    return Fault(path, "answer", after, times, status=status, body=body, headers=headers)


def signed_out(path: str, *, after: int = 0, times: int | None = None) -> Fault:
    """401 in the middle of a run: the token was rotated or revoked."""
    message = "Authentication credentials not found. This API supports OAuth 2.0 authentication"
    return _told(401, message, path, after, times, category="INVALID_AUTHENTICATION")


def burst(path: str, *, after: int = 0, times: int | None = 1) -> Fault:
    """429 for ten seconds' worth of calls, without any advice when to come back."""
    return _told(
        429,
        "You have reached your ten_secondly_rolling limit.",
        path,
        after,
        times,
        errorType="RATE_LIMIT",
        policyName="TEN_SECONDLY_ROLLING",
    )


def day_used_up(path: str, *, after: int = 0, times: int | None = None) -> Fault:
    """429 until midnight: trying again does not help."""
    message = "You have reached your daily limit."
    return _told(429, message, path, after, times, errorType="RATE_LIMIT", policyName="DAILY")


def _told(status: int, message: str, path: str, after: int, times: int | None, **more: str) -> Fault:
    body = json.dumps({"status": "error", "message": message, "correlationId": _CORRELATION, **more})
    headers = {"Content-Type": JSON_TYPE, "x-hubspot-correlation-id": _CORRELATION}
    return Fault(path, "answer", after, times, status=status, body=body, headers=headers)
