"""Sends a plan's changes and notes each outcome as it arrives.

What is to be sent is noted first, and a value counts as shown only once the CRM confirmed it. Dying in the middle costs
one repeated upsert for what was under way, never a lost or doubled number, because every record is written under its
own key.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import msgspec

from connectors.contract import Change, Connector, Refused, Written
from connectors.errors import GuardStopped
from sync.progress import Progress

OUTCOMES_AT_ONCE = 200
"""How many outcomes are noted in one go: about one call of the CRM."""


class Notes(Protocol):
    """Where it is noted what is about to be sent, and what became of it."""

    def promise(self, changes: Sequence[Change]) -> None:
        """Keep what is about to be sent."""
        ...

    def note(self, outcomes: Sequence[Written | Refused]) -> None:
        """Keep them; what was written counts as shown from now on."""
        ...


class Pushed(msgspec.Struct, frozen=True):
    """How many changes the CRM took, those that it refused, and how many were not sent after too many refusals."""

    written: int
    refused: tuple[Refused, ...]
    unsent: int = 0


def stopped_early(refused: int, unsent: int) -> GuardStopped | None:
    """What to tell of a push that ended after too many refusals, None if it went through."""
    if not unsent:
        return None
    return GuardStopped(
        "KPI-GUARD-009",
        f"After {refused} refused records {unsent} more were not sent.",
        "`kpisync runs show` names each with its reason; the next run sends the rest.",
    )


def send(
    connector: Connector, changes: Sequence[Change], notes: Notes, progress: Progress, *, max_refused: int
) -> Pushed:
    """Push `changes`; whatever arrived before a failure is noted before the failure goes on.

    After more than `max_refused` refusals nothing more is sent: something is wrong with all of them. The next run
    plans the rest again.
    """
    written, refused = 0, []
    progress.start("write", len(changes))
    if changes:
        notes.promise(changes)
    try:
        for outcomes in _noted(connector.push(changes), notes):
            written += sum(isinstance(outcome, Written) for outcome in outcomes)
            refused += [outcome for outcome in outcomes if isinstance(outcome, Refused)]
            progress.advance("write", len(outcomes))
            if len(refused) > max_refused:
                break
    finally:
        progress.finish("write")
    return Pushed(written, tuple(refused), len(changes) - written - len(refused))


def _noted(outcomes: Iterable[Written | Refused], notes: Notes) -> Iterator[Sequence[Written | Refused]]:
    waiting: list[Written | Refused] = []
    try:
        for outcome in outcomes:
            waiting.append(outcome)
            if len(waiting) == OUTCOMES_AT_ONCE:
                notes.note(waiting)
                done, waiting = waiting, []
                yield done
    finally:
        if waiting:
            notes.note(waiting)
    if waiting:
        yield waiting
