"""How HubSpot says no: one exception that carries status and body, and the bodies with a shape of their own."""

import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from crm_sandbox.serving import Response

JSON_TYPE = "application/json;charset=utf-8"

_encode = msgspec.json.Encoder().encode


def answer(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer."""
    return Response(status, _encode(value), {"Content-Type": JSON_TYPE, **(headers or {})})


class Refusal(Exception):
    """A request that HubSpot turns down. `more` are further fields of the body; None fields are left out."""

    def __init__(self, status: int, message: str, category: str | None = None, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.category = category
        self.more = more
        self.headers: dict[str, str] = {}

    def body(self, correlation: str) -> dict[str, Any]:
        """The error body; `correlation` is the id that the header repeats."""
        fields = {"status": "error", "message": self.message, "correlationId": correlation, "category": self.category}
        return {name: value for name, value in {**fields, **self.more}.items() if value is not None}


class Correlations:
    """Correlation ids: they look like UUIDs and are the same in every run."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def next(self) -> str:
        """The next id."""
        number = next(self._numbers)
        return f"a43683b0-5717-4ceb-80b4-{number:012x}"


def not_authenticated() -> Refusal:
    """No token, or one that nobody issued."""
    return Refusal(
        401,
        "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more details"
        " at https://developers.hubspot.com/docs/methods/auth/oauth-overview",
        "INVALID_AUTHENTICATION",
    )


def expired(seconds: int) -> Refusal:
    """A token that was good once."""
    return Refusal(
        401, f"The OAuth token used to make this call expired {seconds} second(s) ago.", "EXPIRED_AUTHENTICATION"
    )


def missing_scopes(scopes: Sequence[str]) -> Refusal:
    """The token may not do this; the scopes that would allow it are named."""
    problem = {
        "message": "One or more of the following scopes are required.",
        "context": {"requiredGranularScopes": list(scopes)},
    }
    return Refusal(
        403,
        "This app hasn't been granted all required scopes to make this call. Read more about required scopes here:"
        " https://developers.hubspot.com/scopes.",
        "MISSING_SCOPES",
        errors=[problem],
        links={"scopes": "https://developers.hubspot.com/scopes"},
    )


def not_in_this_tier(feature: str, tier: str) -> Refusal:
    """The portal's subscription lacks a feature."""
    return Refusal(403, f"This account does not have access to {feature}: it needs a {tier} subscription.")


def not_found() -> Refusal:
    """A record or definition that does not exist."""
    return Refusal(404, "resource not found")


def not_numeric(record_id: str) -> Refusal:
    """A record id that cannot be one."""
    return Refusal(
        404,
        "Object not found.  objectId are usually numeric.",
        "OBJECT_NOT_FOUND",
        context={"id": [record_id]},
    )


def unknown_object(name: str) -> Refusal:
    """An object type that this portal does not have."""
    return Refusal(400, f"Unable to infer object type from: {name}", "VALIDATION_ERROR")


def invalid(message: str, **more: Any) -> Refusal:
    """A request that is malformed."""
    return Refusal(400, message, "VALIDATION_ERROR", **more)


def unsupported_media() -> Refusal:
    """A body that does not say that it is JSON."""
    return Refusal(415, "Unsupported Media Type: send application/json.")


def bad_json(reason: str) -> Refusal:
    """A body that is not JSON or not of the expected shape."""
    return invalid(f"Invalid input JSON on line 1, column 1: {reason}")


def invalid_values(problems: Sequence["Problem"], portal_id: int) -> Refusal:
    """Property values that fail the validation: the whole list as text in the message, and once more as errors."""
    return invalid(problem_text(problems, portal_id), errors=[problem.as_error() for problem in problems])


def problem_text(problems: Sequence["Problem"], portal_id: int) -> str:
    """The message of a validation error: a sentence with the JSON of all problems."""
    listed = [
        {
            "isValid": False,
            "message": problem.message,
            "error": problem.code,
            "name": problem.name,
            "localizedErrorMessage": problem.message,
            "portalId": portal_id,
        }
        for problem in problems
    ]
    return f"Property values were not valid: {json.dumps(listed, ensure_ascii=False)}"


class Problem(msgspec.Struct, frozen=True):
    """One property value that does not pass."""

    name: str
    code: str
    message: str

    def as_error(self) -> dict[str, Any]:
        """The entry of an error body's `errors`."""
        return {"message": self.message, "code": self.code, "context": {"propertyName": [self.name]}}
