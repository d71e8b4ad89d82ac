"""What Salesforce says when it refuses, in the three shapes that it uses: REST array, collection row, OAuth object."""

from collections.abc import Sequence
from typing import Any


class Refusal(Exception):
    """A request, or one row of it, that Salesforce refuses."""

    def __init__(self, status: int, code: str, message: str, fields: Sequence[str] = ()) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.fields = tuple(fields)

    def as_rest(self) -> dict[str, Any]:
        """One element of a REST error array."""
        named = {"fields": list(self.fields)} if self.fields else {}
        return {"message": self.message, "errorCode": self.code, **named}

    def as_row(self) -> dict[str, Any]:
        """One error of a collection row, which says `statusCode` where REST says `errorCode`."""
        return {"statusCode": self.code, "message": self.message, "fields": list(self.fields)}

    def as_bulk(self) -> str:
        """The text of `sf__Error`: code, message and fields, `--` where no field is to blame."""
        return f"{self.code}:{self.message}:{','.join(self.fields) or '--'}"


class OAuthRefusal(Exception):
    """The token endpoint's refusal: an object, not an array; the description may be missing."""

    def __init__(self, error: str, description: str | None, status: int = 400) -> None:
        super().__init__(error)
        self.error = error
        self.description = description
        self.status = status

    def as_body(self) -> dict[str, str]:
        described = {"error_description": self.description} if self.description else {}
        return {"error": self.error, **described}


def not_found(message: str = "The requested resource does not exist") -> Refusal:
    return Refusal(404, "NOT_FOUND", message)


def session_gone() -> Refusal:
    return Refusal(401, "INVALID_SESSION_ID", "Session expired or invalid")


def unreadable(message: str) -> Refusal:
    """The body is not what the resource takes."""
    return Refusal(400, "JSON_PARSER_ERROR", message)


def malformed_id(value: str, field: str | None = None) -> Refusal:
    where = f"{field}: " if field else ""
    return Refusal(400, "MALFORMED_ID", f"{where}id value of incorrect type: {value}", [field] if field else ())
