"""The company's day of API calls: every answer says how far it is used, and we stop before it is gone."""

import re

import httpx

from connectors.errors import GuardStopped

WHOLE = re.compile(r"(?<!per-app-)api-usage=(\d+)/(\d+)")
OURS = re.compile(r"per-app-api-usage=(\d+)/(\d+)")
"""An admin may give an app an allowance of its own within the company's."""


class Allowance:
    """How many calls are used, of how many.

    share   the part of the day that one run may use
    limit   the part of the day that may be used by everybody together while we still call
    """

    def __init__(self, share: float, limit: float) -> None:
        self._share = share
        self._limit = limit
        self._day: tuple[int, int] | None = None
        self._app: tuple[int, int] | None = None

    def note(self, response: httpx.Response) -> None:
        """What an answer says of it; a sign-in's says nothing."""
        said = response.headers.get("sforce-limit-info", "")
        whole, ours = WHOLE.search(said), OURS.search(said)
        if whole:
            self._day = int(whole[1]), int(whole[2])
            self._app = (int(ours[1]), int(ours[2])) if ours else None

    def left(self) -> tuple[int, int] | None:
        """The day's calls: allowed and left; where the app has fewer of its own, that is what is left."""
        if self._day is None:
            return None
        used, most = self._day
        ours = [self._app[1] - self._app[0]] if self._app else []
        return most, max(0, min([most - used, *ours]))

    def check(self, sent: int) -> None:
        """Stop before the next call if it would take more than it may. `sent`: how many this run has sent."""
        if self._day is None:
            return
        used, most = self._day
        allowed = int(most * self._share)
        if sent >= allowed:
            raise GuardStopped(
                "KPI-SF-021",
                f"This run has used the {allowed} Salesforce calls that it may use of the day's {most}.",
                "The next scheduled run goes on from here; raise guards.api_budget_share if that is too little.",
            )
        if used >= most * self._limit:
            raise _nearly_gone(f"{used} of the company's {most} Salesforce calls of the last 24 hours are used")
        if self._app and self._app[0] >= self._app[1]:
            raise _nearly_gone(f"All {self._app[1]} Salesforce calls that an admin allows this app a day are used")


def _nearly_gone(what: str) -> GuardStopped:
    return GuardStopped(
        "KPI-SF-022",
        f"{what}; the rest is left to others.",
        "The next scheduled run goes on from here; raise guards.api_day_share if kpisync may use more of the rest.",
    )
