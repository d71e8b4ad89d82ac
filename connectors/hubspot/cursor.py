"""Where a stream of CRM records was left off.

A cursor never depends on our clock: it holds the newest modification stamp that HubSpot itself had shown when a pass
began. What changes during a pass is newer than that and comes with the next one.
"""

import msgspec

OVERLAP = 300_000
"""Milliseconds that are read again, because HubSpot's search shows a change only some time after it was made."""

REMEMBERED = 500
"""How many recently archived records a cursor names, so that the overlap does not bring them again."""


class Cursor(msgspec.Struct, frozen=True, omit_defaults=True):
    """loaded    the first load is over
    after     where the first load goes on
    newest    everything up to this stamp has been read
    recent    how many records had a stamp in the five minutes before `newest`
    total     how many records there were. If one search still finds as many, as many recent ones and none newer, then
              nothing was changed, made, archived or shown late
    until     a pass is under way, up to this stamp …
    last      … and past this id
    due       the archive has not been looked at since the last change
    archived  everything archived up to this moment is known
    gone      the ids of those that were archived in the five minutes before it
    lacked    the properties that the portal did not define or show while this was read
    """

    loaded: bool = False
    after: str | None = None
    newest: int = 0
    recent: int = 0
    total: int = 0
    until: int | None = None
    last: str = "0"
    due: bool = False
    archived: int = 0
    gone: tuple[str, ...] = ()
    lacked: tuple[str, ...] = ()

    @property
    def since(self) -> int:
        return max(0, self.newest - OVERLAP)

    def text(self) -> str:
        return msgspec.json.encode(self).decode()


def cursor_of(text: str | None) -> Cursor:
    """The cursor that a page carried, or the beginning."""
    return msgspec.json.decode(text, type=Cursor) if text else Cursor()


def within(stamps: list[int], newest: int) -> int:
    """How many stamps lie in the overlap that ends at `newest`."""
    return sum(1 for stamp in stamps if newest - OVERLAP <= stamp <= newest)
