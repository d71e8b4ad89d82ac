"""One authenticated call, and how its parameters and body are understood."""

import base64
import binascii
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from crm_sandbox.hubspot import auth, errors
from crm_sandbox.hubspot.auth import Credential
from crm_sandbox.hubspot.values import is_number
from crm_sandbox.serving import Request

LONGEST_BATCH = 100

Shape = TypeVar("Shape")
Item = TypeVar("Item")


@dataclass(frozen=True)
class Call:
    """A request whose token was accepted. `version` is 2026-03, 2026-09, v3 or v4; `rest` the path below the family."""

    request: Request
    credential: Credential
    version: str
    rest: tuple[str, ...]

    @property
    def method(self) -> str:
        """The HTTP method."""
        return self.request.method

    def demand(self, *scopes: str) -> None:
        """All of these scopes are needed."""
        auth.demand(self.credential, *scopes)

    def demand_any(self, *scopes: str) -> None:
        """One of these scopes is needed."""
        auth.demand_any(self.credential, *scopes)

    def names(self, parameter: str) -> list[str]:
        """A list parameter, whether it is repeated or joined by commas."""
        return [name for value in self.request.params(parameter) for name in value.split(",") if name]

    def flag(self, parameter: str) -> bool:
        """A boolean parameter in any case."""
        return (self.request.param(parameter) or "").lower() == "true"

    def limit(self, default: int, most: int) -> int:
        """The page size; more than the endpoint allows is refused."""
        text = self.request.param("limit")
        if text is None:
            return default
        if not is_number(text) or not 1 <= int(text) <= most:
            raise errors.invalid(f"Invalid request: limit must be between 1 and {most}, not {text}")
        return int(text)

    def after(self) -> int:
        """The number that an opaque cursor stands for, -1 at the beginning."""
        text = self.request.param("after")
        return decode_cursor(text) if text else -1

    def body(self, shape: type[Shape]) -> Shape:
        """The JSON that was sent, if it has this shape; fields that the shape does not know are dropped."""
        try:
            return msgspec.json.decode(self.request.body, type=shape)
        except msgspec.DecodeError as error:
            raise errors.bad_json(str(error)) from error


def limited(inputs: list[Item], most: int = LONGEST_BATCH) -> list[Item]:
    """The rows of a batch, which must be some and not too many."""
    if not inputs:
        raise errors.invalid("Invalid request: the batch has no inputs")
    if len(inputs) > most:
        raise errors.invalid(f"Invalid request: {len(inputs)} inputs, but a batch holds at most {most}")
    return inputs


def encode_cursor(number: int) -> str:
    """An opaque cursor."""
    return base64.b64encode(f"{number}\n".encode()).decode()


def decode_cursor(text: str) -> int:
    """The number in a cursor of ours; anything else is refused."""
    try:
        return int(base64.b64decode(text, validate=True))
    except (ValueError, binascii.Error) as error:
        raise errors.invalid(f"Invalid request: unknown paging cursor {text}") from error


def next_page(cursor: str) -> dict[str, Any]:
    """The `paging` of a page that is not the last."""
    return {"next": {"after": cursor, "link": f"?after={cursor}"}}
