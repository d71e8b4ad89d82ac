"""The portal's day of API calls, which all its apps share: answers say what is left, and we stop before it is gone."""

from connectors.errors import GuardStopped, Throttled
from connectors.hubspot.window import A_MOMENT

ASK_AGAIN = 600.0
"""Seconds after which a used-up day is doubted: one request finds out whether midnight has passed over there."""


class Day:
    """How many calls a day has, and how many of them are left; None where HubSpot does not say (OAuth).

    share   the part of the day that one run may use
    limit   the part of the day that may be used by everybody together while we still call
    """

    def __init__(self, share: float, limit: float) -> None:
        self._share = share
        self._limit = limit
        self._told_at = 0.0
        self.calls: int | None = None
        self.left: int | None = None

    def wait(self, sent: int, on_their_way: int, now: float) -> float:
        """0 while there is something left of today. Requests on their way may be the last ones: their answers tell."""
        self._check_guards(sent)
        if self.left is None or self.left > on_their_way:
            return 0.0
        if on_their_way:
            return A_MOMENT
        if now < self._told_at + ASK_AGAIN:
            raise Throttled(
                "KPI-HS-020",
                "The portal's allowance of API calls for today is used up.",
                "It starts anew at midnight in the portal's time zone; the next run goes on from here.",
            )
        return 0.0

    def _check_guards(self, sent: int) -> None:
        if self.calls is None or self.left is None:
            return
        if self._share < 1 and sent >= int(self.calls * self._share):
            raise GuardStopped(
                "KPI-HS-023",
                f"This run has used the {sent} HubSpot calls that it may use of the day's {self.calls}.",
                "The next scheduled run goes on from here; raise guards.api_budget_share if that is too little.",
            )
        used = self.calls - self.left
        if self._limit < 1 and used >= self.calls * self._limit:
            raise GuardStopped(
                "KPI-HS-024",
                f"{used} of the portal's {self.calls} API calls of today are used; the rest is left to others.",
                "A run after midnight goes on from here; raise guards.api_day_share if kpisync may use more.",
            )

    def told(self, calls: int | None, left: int | None, sent_at: float, now: float) -> None:
        """What the answer that came now tells. Answers overtake each other: one that tells of more than an earlier one
        counts only if it was asked for later, when a new day had begun."""
        self.calls = calls or self.calls
        if left is not None and (self.left is None or left <= self.left or sent_at > self._told_at):
            self.left, self._told_at = left, now

    def one_less(self) -> None:
        """A call was counted whose answer tells nothing."""
        if self.left is not None:
            self.left -= 1
