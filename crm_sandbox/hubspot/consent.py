"""The page on which a person connects an app: /oauth/authorize. Whoever comes is a super admin and presses Connect,
unless the rule `consent_denied` is set."""

import re
from collections.abc import Mapping
from html import escape
from urllib.parse import quote, urlencode, urlsplit

from crm_sandbox.hubspot.auth import ALL_SCOPES, SANDBOX_CLIENT, Gate
from crm_sandbox.hubspot.store import Rules
from crm_sandbox.serving import Request, Response

CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


class _Doubtful(Exception):
    """The app itself is in doubt: the person is told, and no browser is sent anywhere."""


def answer(gate: Gate, rules: Rules, request: Request) -> Response:
    """Where the browser goes next: back to the app with a code or an error, or nowhere.

    What is asked for as `scope` the portal must be able to give, all of it; of `optional_scope` it gives what it can.
    """
    asked = dict(request.query)
    try:
        callback, challenge = _checked(gate, asked)
        granted = _scopes(asked, frozenset(rules.withheld_scopes))
    except _Doubtful as doubt:
        page = f"<!doctype html><title>HubSpot</title><p>{escape(str(doubt))}</p>"
        return Response(400, page.encode(), {"Content-Type": "text/html;charset=utf-8"})
    state = {"state": asked["state"]} if "state" in asked else {}
    if rules.consent_denied:
        return _back(callback, {"error": "access_denied", "error_description": "the user denied access", **state})
    return _back(callback, {"code": gate.new_code(callback, challenge, granted), **state})


def _checked(gate: Gate, asked: Mapping[str, str]) -> tuple[str, str | None]:
    """Callback and challenge of a request that comes from the app that it names."""
    if asked.get("client_id") != SANDBOX_CLIENT[0]:
        raise _Doubtful("Authorization failed because the client ID isn't known.")
    callback, challenge = asked.get("redirect_uri", ""), asked.get("code_challenge")
    parts = urlsplit(callback)
    if callback not in gate.callbacks or (parts.scheme != "https" and parts.hostname != "localhost"):
        raise _Doubtful("Authorization failed because the redirect URL doesn't match the app's configuration.")
    if challenge is not None and not CHALLENGE.fullmatch(challenge):
        raise _Doubtful("Authorization failed because the code challenge isn't one.")
    if challenge is not None and asked.get("code_challenge_method") != "S256":
        raise _Doubtful("Authorization failed because only the code challenge method S256 is supported.")
    return callback, challenge


def _scopes(asked: Mapping[str, str], withheld: frozenset[str]) -> frozenset[str]:
    """What is granted."""
    needed, wanted = frozenset(asked.get("scope", "").split()), frozenset(asked.get("optional_scope", "").split())
    unknown = sorted((needed | wanted) - ALL_SCOPES)
    if unknown or not needed:
        raise _Doubtful(f"Authorization failed because scopes are missing or invalid: {', '.join(unknown)}")
    if needed & withheld:
        raise _Doubtful(f"This account can't give the app what it requires: {', '.join(sorted(needed & withheld))}")
    return needed | (wanted - withheld)


def _back(callback: str, told: Mapping[str, str]) -> Response:
    joint = "&" if "?" in callback else "?"
    return Response(302, b"", {"Location": f"{callback}{joint}{urlencode(told, quote_via=quote)}"})
