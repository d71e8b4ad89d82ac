"""What HubSpot's answers mean: which are worth another try, and what the others ask their reader to do.

Keyed on status, category and policy name, never on the words of a message, because those are HubSpot's to change.
"""

from typing import Any

import httpx
import msgspec

from connectors.errors import CrmError, NotAllowed, Throttled, Unreachable, Unreadable
from connectors.transport import ACCEPT, SIGN_IN, Policy, Ruling, retry

PATIENCE = 60.0
"""Seconds that a run waits for HubSpot; a longer wait is left to the next run."""

BURST_WAIT = 10.0
SECOND_WAIT = 1.0
LOCK_WAIT = 2.0

PASSING = frozenset({408, 500, 502, 503, 504, 521, 523, 524})
"""Answers of a server (or of the network in front of it) that had a bad moment."""

BEYOND_REPAIR = frozenset({522, 525, 526})


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """An error body, every part of it optional."""

    status: int
    category: str = ""
    message: str = ""
    codes: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    policy: str = ""
    correlation: str = ""
    errors: tuple[dict[str, Any], ...] = ()


class MissingScope(NotAllowed):
    """One family of records is closed to this token; everything else goes on."""

    def __init__(self, problem: Problem, what: str) -> None:
        self.scopes = problem.scopes
        names = ", ".join(problem.scopes)
        super().__init__(
            "KPI-HS-012",
            f"HubSpot does not let this token at {what}{f' (it lacks {names})' if names else ''}.",
            f"Add the scope {names} to the service key or app, then run kpisync doctor."
            if names
            else "The portal's edition or the token's scopes do not include it; everything else works without it.",
        )


class Absent(CrmError):
    """404: there is no such thing. Often a fact rather than a fault, so callers catch it."""


class Rejected(CrmError):
    """400 or 409: HubSpot understood the request and does not want it. `problem` says what it named."""

    def __init__(self, problem: Problem, what: str) -> None:
        super().__init__(
            "KPI-HS-040",
            f"HubSpot rejects {what}: {problem.message or problem.category or problem.status}.",
            "This is a fault in kpisync or in a mapping; please report it with the text above.",
        )
        self.problem = problem


def policy() -> Policy:
    """HubSpot's answers as the transport understands them."""
    return Policy(rule=ruling, attempts=6, slowest=30.0)


def ruling(response: httpx.Response) -> Ruling:
    """What to do with this answer."""
    match response.status_code:
        case 401:
            return SIGN_IN
        case 423:
            return retry(LOCK_WAIT)
        case 429:
            return _throttled(response)
        case 477:
            wait = told_wait(response)
            return retry(wait) if wait is not None and wait <= PATIENCE else ACCEPT
        case status if status in PASSING:
            return retry(told_wait(response))
        case _:
            return ACCEPT


def _throttled(response: httpx.Response) -> Ruling:
    name = problem_of(response).policy
    if name == "DAILY":
        return ACCEPT
    wait = told_wait(response)
    if wait is not None:
        return retry(wait) if wait <= PATIENCE else ACCEPT
    return retry(SECOND_WAIT if name == "SECONDLY" else BURST_WAIT)


def told_wait(response: httpx.Response) -> float | None:
    """Retry-After in seconds, where HubSpot sends one (it mostly does not)."""
    text = response.headers.get("retry-after", "")
    return float(text) if text.isdigit() else None


def problem_of(response: httpx.Response) -> Problem:
    """The error body, or as much of it as there is (a gateway answers HTML)."""
    try:
        body = msgspec.json.decode(response.content)
    except msgspec.DecodeError:
        return Problem(status=response.status_code)
    if not isinstance(body, dict):
        return Problem(status=response.status_code)
    errors = tuple(each for each in _list(body.get("errors")) if isinstance(each, dict))
    contexts = [body.get("context"), *(each.get("context") for each in errors)]
    return Problem(
        status=response.status_code,
        category=str(body.get("category") or body.get("error") or ""),
        message=str(body.get("message") or body.get("error_description") or ""),
        codes=tuple(str(each["code"]) for each in errors if each.get("code")),
        scopes=tuple(dict.fromkeys(scope for context in contexts for scope in _scopes(context))),
        policy=str(body.get("policyName") or ""),
        correlation=str(body.get("correlationId") or ""),
        errors=errors,
    )


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with one property of a row."""

    error: str = ""
    message: str = ""
    name: str = ""


def faults_in(message: str) -> list[Fault]:
    """What a validation message says property by property: a batch answer carries it as JSON inside the sentence."""
    start = message.find("[{")
    if start < 0:
        return []
    try:
        return msgspec.json.decode(message[start : message.rfind("]") + 1], type=list[Fault])
    except msgspec.DecodeError:
        return []


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _scopes(context: object) -> list[str]:
    if not isinstance(context, dict):
        return []
    names = ("requiredGranularScopes", "missingScopes", "requiredScopes")
    return [str(scope) for name in names for scope in _list(context.get(name))]


def error_of(response: httpx.Response, what: str) -> CrmError:
    """The error that this answer is. `what` names the thing asked for in a reader's words."""
    problem = problem_of(response)
    reference = f" (HubSpot's reference: {problem.correlation})" if problem.correlation else ""
    match response.status_code:
        case 401 | 530:
            return NotAllowed(
                "KPI-HS-010",
                f"HubSpot does not accept the token{reference}.",
                "It may have been rotated or revoked. Create a service key (Settings → Keys → Service keys) and store "
                "it with kpisync init.",
            )
        case 403:
            return MissingScope(problem, what)
        case 404:
            return Absent("KPI-HS-041", f"HubSpot has no {what}.", "Check that it exists in this portal.")
        case 400 | 409 | 414:
            return Rejected(problem, what)
        case 429 if problem.policy == "DAILY":
            return Throttled(
                "KPI-HS-020",
                "The portal's allowance of API calls for today is used up.",
                "It starts anew at midnight in the portal's time zone; the next run goes on from here.",
            )
        case 429:
            return Throttled(
                "KPI-HS-021",
                "HubSpot keeps asking us to slow down.",
                "Another app may be using the same token; the next run goes on from here.",
            )
        case 477:
            return Throttled(
                "KPI-HS-022",
                "HubSpot is moving this portal to another data centre.",
                "This can take up to a day; the next run goes on from here.",
            )
        case status if status in BEYOND_REPAIR:
            return Unreachable(
                "KPI-HS-031",
                f"HubSpot's network cannot reach its own servers (HTTP {status}){reference}.",
                "If this lasts, contact HubSpot's support; nothing was lost.",
            )
        case status if status >= 500 or status in {408, 423}:
            return Unreachable(
                "KPI-HS-030",
                f"HubSpot does not answer properly for {what} (HTTP {status}){reference}.",
                "The next run goes on from here; see status.hubspot.com if it lasts.",
            )
        case status if status >= 300:
            return Unreadable(
                "KPI-HS-042",
                f"HubSpot answers HTTP {status} for {what}, which its documentation does not name{reference}.",
                "Please report this.",
            )
        case _:
            return Unreadable(
                "KPI-HS-043", f"HubSpot's answer for {what} is not the JSON it documents{reference}.", "Run again."
            )
