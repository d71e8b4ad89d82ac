"""Why a record of the CRM was changed, read from the change itself: each KPI record carries the records behind it.

The list of records is cut off after the latest hundred. Where it was, it cannot be told which records came or went, and
only their number is.
"""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum

import msgspec

from connectors.contract import Change, FieldValue, Surface
from kpi_engine.periods import DAY_MS, period_end, to_day
from kpi_engine.records import Millis
from sync.closing import KEY_PERIOD


class Cause(StrEnum):
    """What lies behind a change, in the words that `kpisync runs show` says."""

    FIRST = "shown for the first time"
    REMOVED = "had its time"
    RECORDS = "other records count"
    AMOUNTS = "the same records say something else"
    BELOW = "what it is divided by changed"
    TARGET = "another target"
    EARLIER = "an earlier period changed"
    PACE = "the days went on"
    LOST = "nothing counts any more"
    SCORE = "engagement came, or faded"
    PERSON = "the month's value changed"
    WORDS = "names and texts changed"


class Why(msgspec.Struct, frozen=True, kw_only=True):
    """Why a change was made.

    kind      of the records that `came` to count or `went` away, by the CRM's ids
    records   how many counted before and after, None where that is not told
    restated  the period was over already when it was changed
    """

    cause: Cause
    kind: str | None = None
    came: tuple[str, ...] = ()
    went: tuple[str, ...] = ()
    records: tuple[int, int] | None = None
    restated: bool = False


class _Evidence(msgspec.Struct, frozen=True):
    kind: str = ""
    ids: tuple[str, ...] = ()
    total: int = 0

    @property
    def is_whole(self) -> bool:
        return self.total == len(self.ids)


_NO_EVIDENCE = _Evidence()

_CAUSE_OF: tuple[tuple[Cause, frozenset[str]], ...] = (
    (Cause.AMOUNTS, frozenset({"numerator"})),
    (Cause.BELOW, frozenset({"denominator"})),
    (Cause.AMOUNTS, frozenset({"value", "n"})),
    (Cause.TARGET, frozenset({"target", "attainment"})),
    (Cause.EARLIER, frozenset({"previous", "change", "trend"})),
    (Cause.PACE, frozenset({"state"})),
)
"""The first of these whose fields changed is the cause."""


def why(change: Change, at: Millis) -> Why:
    """Why this change was made at that moment."""
    if change.gone:
        return Why(cause=Cause.REMOVED)
    if change.surface is Surface.LEAD_SCORES:
        return Why(cause=Cause.SCORE)
    if change.surface is Surface.PERSON_FIELDS:
        return Why(cause=Cause.PERSON if any(map(_told, change.before.values())) else Cause.FIRST)
    if change.new:
        return Why(cause=Cause.FIRST)
    restated = _was_over(change.key, at)
    before, after = _evidence(change.before), _evidence(change.after)
    if "evidence" in change.after and (set(before.ids), before.total) != (set(after.ids), after.total):
        return _by_records(before, after, restated=restated)
    if "value" in change.after and change.after["value"] is None:
        return Why(cause=Cause.LOST, restated=restated)
    return Why(cause=_cause(change), restated=restated)


def _by_records(before: _Evidence, after: _Evidence, *, restated: bool) -> Why:
    whole = before.is_whole and after.is_whole
    return Why(
        cause=Cause.RECORDS if after.total else Cause.LOST,
        kind=after.kind or before.kind,
        came=tuple(id for id in after.ids if id not in before.ids) if whole else (),
        went=tuple(id for id in before.ids if id not in after.ids) if whole else (),
        records=(before.total, after.total),
        restated=restated,
    )


def _cause(change: Change) -> Cause:
    return next((cause for cause, fields in _CAUSE_OF if fields & set(change.after)), Cause.WORDS)


def _told(value: FieldValue) -> bool:
    return value is not None and value != ""


def _evidence(fields: Mapping[str, FieldValue]) -> _Evidence:
    """The records that are listed; none where the list is empty, or was changed by hand beyond understanding."""
    text = fields.get("evidence")
    if not isinstance(text, str) or not text:
        return _NO_EVIDENCE
    try:
        return msgspec.json.decode(text, type=_Evidence)
    except msgspec.DecodeError:
        return _NO_EVIDENCE


def _was_over(key: str, at: Millis) -> bool:
    """Whether the record's period was over, with a day of slack for time zones."""
    found = KEY_PERIOD.search(key)
    if found is None:
        return False
    grain, start = found[1], date.fromisoformat(found[2])
    # Whatever the fiscal year: counted from the month in which the period begins, the period is a whole one.
    return at // DAY_MS > period_end(to_day(start), grain, start.month) + 1
