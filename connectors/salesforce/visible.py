"""What this user sees of the org's objects: described once, then remembered for as long as Salesforce says it stands.

Descriptions are the largest answers of a run with nothing new. One conditional question after the whole list of objects
takes their place. What it cannot tell, a permission that somebody gave or took, is covered by an age limit, and by
forgetting whenever something turns out to be otherwise.
"""

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Protocol

import httpx
import msgspec

from connectors.salesforce.vendor import Field, Vendor

BELIEVED = timedelta(days=1)
"""From this age on everything is described again, whatever Salesforce says."""

SAME_SECOND = timedelta(seconds=1)
"""HTTP dates have whole seconds: a change may share its second with our look."""


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


class _Note(msgspec.Struct, frozen=True):
    """What `whose` user saw at a moment of the server's; None: an object that is not there for them."""

    whose: tuple[str, ...]
    at: datetime
    seen: dict[str, dict[str, Field] | None]


class Visible:
    """The visible fields of one org. Thread-safe.

    whose        who looks, as far as it is known: nothing is remembered of a nobody
    server_time  the date of the latest answer, None before the first
    ask          the list of all objects, if it changed since a date: a 304 where it did not
    """

    def __init__(
        self,
        vendor: Vendor,
        notebook: Notebook,
        *,
        whose: Callable[[], tuple[str, ...] | None],
        server_time: Callable[[], datetime | None],
        ask: Callable[[str], httpx.Response],
    ) -> None:
        self._vendor = vendor
        self._notebook = notebook
        self._whose = whose
        self._server_time = server_time
        self._ask = ask
        self._lock = threading.Lock()
        self._seen: dict[str, dict[str, Field] | None] | None = None
        self._at: datetime | None = None
        self._noted: frozenset[str] | None = None
        """The objects in the note; None: not known."""

    def look_at(self, names: Sequence[str]) -> None:
        """Find out what is visible of these objects, in as few calls as possible."""
        with self._lock:
            seen = self._begun()
            unknown = [name for name in names if name not in seen]
            if unknown and self._at is None:
                self._at = self._server_time()
            found = self._vendor.fields(unknown) if unknown else {}
            seen |= {name: found.get(name) for name in unknown}

    def fields(self, name: str) -> dict[str, Field]:
        """The visible fields of an object by name; none where the object is not visible."""
        self.look_at([name])
        return (self._seen or {}).get(name) or {}

    def remembered(self) -> bool:
        """Whether an earlier look still stands; asks Salesforce the first time."""
        with self._lock:
            return bool(self._begun())

    def keep(self) -> None:
        """Note down what was seen, for the next process."""
        whose = self._whose()
        if whose is None or self._at is None or not self._seen or self._noted == self._seen.keys():
            return
        self._notebook.write(msgspec.json.encode(_Note(whose, self._at, self._seen)).decode())
        self._noted = frozenset(self._seen)

    def doubt(self) -> None:
        """Something was not as it had been seen: the next process looks again."""
        if self._noted != frozenset():
            self._notebook.write(None)
            self._noted = frozenset()

    def look_again(self) -> None:
        """Forget everything, because we have changed it."""
        with self._lock:
            self._seen, self._at = {}, None
        self.doubt()

    def _begun(self) -> dict[str, dict[str, Field] | None]:
        if self._seen is None:
            note = self._standing()
            self._seen = dict(note.seen) if note else {}
            self._at = note.at if note else None
            self._noted = frozenset(self._seen) or None
        return self._seen

    def _standing(self) -> _Note | None:
        """The note, if it is this user's, not too old, and nothing changed since it was made."""
        text = self._notebook.read()
        try:
            note = msgspec.json.decode(text, type=_Note) if text else None
        except msgspec.MsgspecError:  # another version of ours wrote it
            return None
        if note is None or note.whose != self._whose():
            return None
        answer = self._ask(format_datetime((note.at - SAME_SECOND).astimezone(UTC), usegmt=True))
        now = self._server_time()
        stands = answer.status_code == 304 and now is not None and note.at <= now < note.at + BELIEVED
        return note if stands else None
