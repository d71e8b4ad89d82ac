"""What was found out about a portal and is believed for an hour, so that a sync with nothing new need not ask again.

Only what changes rarely and what HubSpot lets nobody ask cheaply: which streams the edition has, where our numbers can
be shown. Whose portal it is and what the token may do is asked every time; another answer makes the notes worthless.
"""

import logging
from collections.abc import Mapping
from typing import Protocol

import msgspec

from connectors.contract import Capabilities, Gap

log = logging.getLogger("kpisync.hubspot")

BELIEVED = 3_600.0
"""Seconds after which everything that cannot be asked cheaply is asked again."""


def fresh(then: float, now: float) -> bool:
    """Whether something found out at `then` is still believed; after a clock was set back it is not."""
    return then <= now < then + BELIEVED


class Notebook(Protocol):
    """Where a note outlives the process. It may be lost at any time."""

    def read(self) -> str | None: ...

    def write(self, note: str | None) -> None: ...


class Blank:
    """The notebook of a connector that nobody gave one."""

    def read(self) -> str | None:
        return None

    def write(self, note: str | None) -> None:
        pass


class Asked(msgspec.Struct, frozen=True):
    """What the notes are an answer to: the portal, the token's scopes where HubSpot tells them, the settings."""

    portal: str
    scopes: tuple[str, ...] | None
    version: str
    leads: str


class Note(msgspec.Struct, frozen=True):
    """closed   the streams that this token or edition does not have
    hidden   what is missing because properties are
    """

    at: float
    asked: Asked
    found: Capabilities
    closed: Mapping[str, tuple[Gap, ...]]
    hidden: tuple[Gap, ...] = ()


class Notes:
    """One portal's notes. `now` is the time of day in seconds: the notes outlive the process, and so its own clock."""

    def __init__(self, notebook: Notebook) -> None:
        self._notebook = notebook

    def about(self, asked: Asked, now: float) -> Note | None:
        """What is known and still believed."""
        text = self._notebook.read()
        try:
            note = msgspec.json.decode(text, type=Note) if text else None
        except msgspec.DecodeError:  # another version of kpisync wrote it
            return None
        return note if note and note.asked == asked and fresh(note.at, now) else None

    def keep(self, note: Note) -> None:
        self._notebook.write(msgspec.json.encode(note).decode())

    def forget(self) -> None:
        """Something was not as noted: ask again next time."""
        self._notebook.write(None)
