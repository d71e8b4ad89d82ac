"""A rolling window as the one who counts it sees it, kept by one who only knows when requests left and were answered.

HubSpot counts a request when it arrives, somewhere between its leaving and its answer. Two arrivals are as far apart as
the two leavings, less what delayed the first on its way; and that is hardly more than what it took longer than the
quickest of many did. So a request takes up room until an interval and a margin after its answer, less the quickest
round trip, and while it is on its way: no limit is passed however unevenly the network takes its time, and hardly
anything is lost because it is far away.
"""

from bisect import bisect_right

A_MOMENT = 0.02
"""Seconds until we look again whether a request on its way was answered."""

MARGIN = 0.05
"""Seconds added to every interval, for even the quickest request may have been delayed a little."""

ENOUGH = 20
"""Round trips after which the quickest of them is believed to be a quick one; until then none of them is taken off."""


class Window:
    """At most `limit` requests in any `interval` of seconds, those of other programs included; no limit: None."""

    def __init__(self, limit: int | None, interval: float) -> None:
        self.limit = limit
        self.interval = interval
        self._on_their_way = 0
        self._answers: list[float] = []
        self._quickest = float("inf")
        self._trips = 0
        self._others = 0
        self._told_at = 0.0

    def wait(self, now: float) -> float:
        """How many seconds until there may be room; 0: there is room now."""
        if self.limit is None:
            return 0.0
        room_for = self.interval + MARGIN - (min(self._quickest, self.interval) if self._trips >= ENOUGH else 0.0)
        past = self._answered_by(now - room_for)
        recent = len(self._answers) - past
        too_many = self._on_their_way + recent + self._others - self.limit
        if too_many < 0:
            return 0.0
        if too_many < recent:
            return self._answers[past + too_many] + room_for - now
        if self._on_their_way:
            return A_MOMENT
        # Others fill all of it. What they do now only an answer tells, so after an interval one request goes and asks.
        return max(0.0, self._told_at + self.interval - now)

    def leave(self) -> bool:
        """A request leaves; whether it is counted."""
        if self.limit is None:
            return False
        self._on_their_way += 1
        return True

    def answered(self, sent_at: float, now: float) -> None:
        """A request that is counted was answered, or will not be."""
        self._on_their_way -= 1
        self._quickest = min(self._quickest, now - sent_at)
        self._trips += 1
        del self._answers[: self._answered_by(now - 2 * self.interval)]
        self._answers.append(now)

    def fill(self, now: float) -> None:
        """As though it were full: what a process before this one used of it, nobody tells."""
        self._answers = [now] * (self.limit or 0)

    def used(self, number: int, now: float) -> None:
        """So many were counted in the interval before the answer that came now; those that are not ours are others'."""
        ours = len(self._answers) - self._answered_by(now - self.interval)
        self._others, self._told_at = max(0, number - ours), now

    def _answered_by(self, moment: float) -> int:
        return bisect_right(self._answers, moment)
