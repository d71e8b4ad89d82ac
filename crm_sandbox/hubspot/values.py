"""Property values: always text or null, checked by the type of their property, stored in one form."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from crm_sandbox.hubspot.catalog import Property
from crm_sandbox.hubspot.errors import Problem

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = 86_400_000
LONGEST_TEXT = 65_536
LARGEST_NUMBER = Decimal(10) ** 18
FIRST_MOMENT, LAST_MOMENT = -30_610_224_000_000, 253_370_764_800_000
"""The years 1000 to 9999: what lies outside is a slip."""
FIRST_PLAUSIBLE_MILLIS = 100_000_000_000
"""Smaller positive numbers are seconds that somebody forgot to multiply (1973 in milliseconds)."""

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?")
_WHOLE = re.compile(r"-?[0-9]+")
_ID = re.compile(r"[0-9]{1,19}")
_ADDRESS = re.compile(r"[^@\s;,]+@[^@\s;,]+\.[^@\s;,.]+")


def is_number(text: str) -> bool:
    """Whether this can be a record id, an offset or a page size."""
    return _ID.fullmatch(text) is not None


def is_decimal(text: str) -> bool:
    """Whether this is a number as a number property takes it."""
    return _NUMBER.fullmatch(text) is not None


def millis(moment: datetime) -> int:
    """Milliseconds since 1970."""
    since = moment - EPOCH
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000


def midnight(day: date) -> int:
    """The day's start in UTC, in milliseconds since 1970."""
    return (day - EPOCH.date()).days * DAY


@lru_cache(maxsize=65_536)
def iso(moment: int) -> str:
    """Milliseconds as HubSpot writes them: UTC with a Z, and no fraction where it is zero."""
    text = (EPOCH + timedelta(milliseconds=moment)).replace(tzinfo=None)
    return text.isoformat(timespec="milliseconds" if moment % 1000 else "seconds") + "Z"


@lru_cache(maxsize=65_536)
def moment_of(text: str) -> int | None:
    """The milliseconds that a date, a moment or a number of milliseconds means, None where it is none of them."""
    if _WHOLE.fullmatch(text):
        found = int(text)
    else:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return None
        found = millis(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    return found if FIRST_MOMENT <= found <= LAST_MOMENT else None


def plain(number: Decimal) -> str:
    """A number without exponent and without idle zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def as_text(raw: Any) -> str:
    """A JSON scalar as the text that HubSpot keeps."""
    match raw:
        case bool():
            return "true" if raw else "false"
        case int():
            return str(raw)
        case float():
            return plain(Decimal(repr(raw)))
        case _:
            return str(raw)


def checked(definition: Property, text: str, before: str | None) -> str | Problem:
    """The value as it will be kept, or what is wrong with it. `before` is the present value (`;x` adds to it)."""
    match definition.type:
        case "number":
            return _number(definition.name, text)
        case "bool":
            return text if text in {"true", "false"} else _no_option(definition, text)
        case "date":
            return _date(definition.name, text)
        case "datetime":
            return _datetime(definition.name, text)
        case "enumeration":
            return _enumeration(definition, text, before)
        case _:
            return _text(definition.name, text)


def _number(name: str, text: str) -> str | Problem:
    if is_decimal(text) and abs(Decimal(text)) < LARGEST_NUMBER:
        return text
    return Problem(name, "INVALID_INTEGER", f"{text} was not a valid number.")


def _date(name: str, text: str) -> str | Problem:
    moment = moment_of(text)
    if moment is None:
        return Problem(name, "INVALID_DATE", f"{text} was not a valid date.")
    if moment % DAY:
        return Problem(name, "INVALID_DATE", f"{text} is at a time that is not midnight UTC.")
    return iso(moment)[:10]


def _datetime(name: str, text: str) -> str | Problem:
    moment = moment_of(text)
    if moment is None or (_WHOLE.fullmatch(text) and 0 < moment < FIRST_PLAUSIBLE_MILLIS):
        return Problem(name, "INVALID_DATE", f"{text} was not a valid long or ISO 8601 moment.")
    return iso(moment)


def _enumeration(definition: Property, text: str, before: str | None) -> str | Problem:
    if definition.field_type != "checkbox":
        return text if definition.allows(text) else _no_option(definition, text)
    chosen = [part for part in text.split(";") if part]
    wrong = next((part for part in chosen if not definition.allows(part)), None)
    if wrong is not None:
        return _no_option(definition, wrong)
    kept = before.split(";") if before and text.startswith(";") else []
    return ";".join(dict.fromkeys([*kept, *chosen]))


def _no_option(definition: Property, text: str) -> Problem:
    allowed = [value for value, _ in definition.options]
    return Problem(definition.name, "INVALID_OPTION", f"{text} was not one of the allowed options: {allowed}")


def _text(name: str, text: str) -> str | Problem:
    if len(text) > LONGEST_TEXT:
        return Problem(name, "PROPERTY_TOO_LARGE", f"The value is longer than {LONGEST_TEXT} characters.")
    if name == "email" and not _ADDRESS.fullmatch(text):
        return Problem(name, "INVALID_EMAIL", f"Email address {text} is invalid")
    return text
