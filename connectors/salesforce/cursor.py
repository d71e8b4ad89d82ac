"""Where a stream has got to: written into the cache with every page, so that a kill at any point loses nothing.

A pass reads everything changed since `since`, in the order of (stamp, id). The next pass begins a little before the
server's time at which this one was asked, because a row may become visible up to ten minutes after its stamp.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Self

import msgspec

from connectors.errors import Unreadable
from connectors.salesforce.rows import Row


class Cursor(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A place in a stream.

    since        the pass takes what changed from here on (None: everything)
    until        where the next pass begins, set once this one has been asked
    at, last_id  the last row handed over of an unfinished pass
    job, locator a Bulk job in progress and the next part of its result
    checked      up to when the log of deletions was compared
    asked        what every row up to here was asked for, and by which of the admin's words it was understood
    """

    since: datetime | None = None
    until: datetime | None = None
    at: datetime | None = None
    last_id: str | None = None
    job: str | None = None
    locator: str | None = None
    checked: datetime | None = None
    asked: tuple[str, ...] | None = None

    @classmethod
    def read(cls, text: str | None) -> Self:
        """The cursor in a text of ours; the beginning where there is none."""
        if text is None:
            return cls()
        try:
            return msgspec.json.decode(text, type=cls)
        except msgspec.MsgspecError:
            raise Unreadable(
                "KPI-SF-032",
                "The stored place in a Salesforce stream cannot be understood.",
                "Run `kpisync pull --full` to read everything again.",
            ) from None

    @property
    def text(self) -> str:
        """The cursor as it is stored."""
        return msgspec.json.encode(self).decode()

    @property
    def fresh(self) -> bool:
        """Whether this is the beginning of a stream."""
        return self.since is None and self.until is None and self.job is None

    def asking(self, asked: Collection[str]) -> "Cursor":
        """From now on with these questions; the beginning where an earlier row was not asked one of them.

        A field that was hidden until now is blank in all the rows that did not change since: only reading them again
        tells what is in it. One that is hidden from now on is simply asked for no more.
        """
        if self.asked is None or not set(asked) <= set(self.asked):
            return Cursor(checked=self.checked, asked=tuple(sorted(asked)))
        return msgspec.structs.replace(self, asked=tuple(sorted(asked)))

    def due(self, every: timedelta) -> bool:
        """Whether a finished pass should compare the log of deletions again."""
        finished = self.at is None and self.job is None
        return finished and self.since is not None and self.checked is not None and self.since - self.checked >= every

    def past(self, rows: Sequence[Row]) -> "Cursor":
        """After these rows, which came in order."""
        if not rows:
            return self
        return msgspec.structs.replace(self, at=rows[-1].stamp, last_id=rows[-1].Id)

    def finished(self) -> "Cursor":
        """The beginning of the next pass."""
        return Cursor(since=self.until, checked=self.checked or self.until, asked=self.asked)


def literal(moment: datetime) -> str:
    """A moment as SOQL takes it: no quotes, UTC, whole seconds (earlier rather than later)."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def condition(stamp: str, cursor: Cursor) -> str:
    """The WHERE clause of what is still to come, blank for everything."""
    if cursor.at is None:
        return f" WHERE {stamp} >= {literal(cursor.since)}" if cursor.since else ""
    reached = literal(cursor.at)
    if cursor.at.microsecond or cursor.last_id is None:
        return f" WHERE {stamp} >= {reached}"
    # Many rows of one import share a stamp, so the id decides within it; the first term lets the index be used.
    return f" WHERE {stamp} >= {reached} AND ({stamp} > {reached} OR Id > '{cursor.last_id}')"
