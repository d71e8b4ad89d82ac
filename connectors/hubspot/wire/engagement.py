"""Form submissions and page views: what people do on the web, for the engagement score."""

from collections.abc import Mapping
from typing import Any

import msgspec

from connectors.hubspot.wire.shapes import Paging, millis
from kpi_engine.records import Event, Millis


class Field(msgspec.Struct, frozen=True):
    name: str = ""
    value: Any = None


class Submission(msgspec.Struct, frozen=True, rename="camel"):
    """A filled-in form. It names no contact, only the e-mail address that was typed in."""

    submitted_at: int
    conversion_id: str | None = None
    values: list[Field] = []

    @property
    def email(self) -> str | None:
        typed = next((field.value for field in self.values if field.name == "email"), None)
        return typed.strip().lower() if isinstance(typed, str) and typed.strip() else None


class Submissions(msgspec.Struct, frozen=True):
    results: list[Submission] = []
    paging: Paging | None = None


def submission(form: str, one: Submission, contacts: Mapping[str, str]) -> Event | None:
    """None where no contact has the address."""
    person = contacts.get(one.email or "")
    if person is None:
        return None
    return Event(
        id=submission_id(form, one),
        modified=Millis(one.submitted_at),
        person=person,
        kind="form_submission",
        at=Millis(one.submitted_at),
    )


def submission_id(form: str, one: Submission) -> str:
    """HubSpot's id of the conversion; older submissions have none, and one form is sent once in a millisecond."""
    return one.conversion_id or f"{form}:{one.submitted_at}"


class Occurrence(msgspec.Struct, frozen=True, rename="camel"):
    """Something a visitor did."""

    id: str
    object_id: str | int
    occurred_at: str
    event_type: str = ""


class Occurrences(msgspec.Struct, frozen=True):
    results: list[Occurrence] = []
    paging: Paging | None = None


def page_view(one: Occurrence) -> Event:
    at = millis(one.occurred_at, "occurredAt")
    return Event(id=one.id, modified=at, person=str(one.object_id), kind="page_view", at=at)
