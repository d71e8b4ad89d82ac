"""How fast HubSpot lets us ask: the rolling window, the search window and the daily allowance, learnt from its headers.

A refused request counts against an app's standing, so the pace is kept rather than found out by being refused. Where
the portal sends no rate headers there is nothing to keep, and nobody waits.
"""

import threading
import time
from bisect import insort
from collections import deque
from collections.abc import Callable

import httpx

from connectors.errors import Throttled

FIRST_BURST = 100
"""What the smallest edition allows in one window; assumed until the first answer says more."""

INTERVAL = 10.0
SEARCHES = 4
SEARCH_INTERVAL = 1.0
RESERVE = 0.9
"""The share of a window that we use, so that requests in flight never reach the edge."""

SLACK = 0.05
"""The share added to every window: HubSpot stamps a request when it arrives, we stamp it when it leaves."""

ASK_AGAIN = 600.0
"""Seconds after which a used-up day is doubted: one request finds out whether midnight has passed over there."""

SENT_AT = "kpisync.sent_at"


class Window:
    """At most `limit` requests in any `interval`. A request reserves its moment, then waits for it."""

    def __init__(self, limit: int | None, interval: float) -> None:
        self.limit = limit
        self.interval = interval
        self._moments: deque[float] = deque()

    def reserve(self, now: float) -> float:
        """The moment at which the next request may leave."""
        while self._moments and self._moments[0] <= now - 2 * self.interval:
            self._moments.popleft()
        moment = now
        if self.limit is not None and len(self._moments) >= self.limit:
            moment = max(now, self._moments[-self.limit] + self.interval * (1 + SLACK))
        self._moments.append(moment)
        return moment

    def used_by_others(self, used: int, sent_at: float, now: float) -> None:
        """HubSpot counted `used` requests when ours of `sent_at` arrived: those of others fill the window too."""
        ours = sum(1 for moment in self._moments if moment > sent_at - self.interval * (1 + SLACK))
        for _ in range(used - ours):
            insort(self._moments, now)  # some of ours may already have a later moment


class Pace:
    """The transport's two hooks: `before` a request leaves and `after` its answer."""

    def __init__(
        self, *, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._window = Window(int(FIRST_BURST * RESERVE), INTERVAL)
        self._searches = Window(SEARCHES, SEARCH_INTERVAL)
        self._told = False
        self._told_at = 0.0
        self.daily: int | None = None
        self.daily_left: int | None = None

    def before(self, request: httpx.Request) -> None:
        """Wait until this request may leave. Raises `Throttled` when nothing is left for today."""
        used_up = self.daily_left is not None and self.daily_left <= 0
        if used_up and self._clock() < self._told_at + ASK_AGAIN:
            raise Throttled(
                "KPI-HS-020",
                "The portal's allowance of API calls for today is used up.",
                "It starts anew at midnight in the portal's time zone; the next run goes on from here.",
            )
        with self._lock:
            now = self._clock()
            moment = self._window.reserve(now)
            if request.url.path.endswith("/search"):
                moment = max(moment, self._searches.reserve(moment))
        request.extensions[SENT_AT] = moment
        if moment > now:
            self._sleep(moment - now)

    def after(self, response: httpx.Response) -> None:
        """Learn the limits that this answer tells."""
        search = response.request.url.path.endswith("/search")
        limit = _number(response, "x-hubspot-ratelimit-max")
        with self._lock:
            if limit is not None:
                self._learn(response, limit)
            elif response.status_code == 429:
                self._keep_to_the_books()
            elif not search and not self._told:
                self._told = True
                self._window.limit = None
                self._searches.limit = None

    def _learn(self, response: httpx.Response, limit: int) -> None:
        self._told = True
        interval = _number(response, "x-hubspot-ratelimit-interval-milliseconds")
        self._window.limit = max(1, int(limit * RESERVE))
        self._window.interval = interval / 1000 if interval else INTERVAL
        self._searches.limit = SEARCHES
        left = _number(response, "x-hubspot-ratelimit-remaining")
        if left is not None:
            sent_at = float(response.request.extensions.get(SENT_AT, self._clock()))
            self._window.used_by_others(limit - left, sent_at, self._clock())
        self.daily = _number(response, "x-hubspot-ratelimit-daily") or self.daily
        daily_left = _number(response, "x-hubspot-ratelimit-daily-remaining")
        if daily_left is not None:
            self.daily_left, self._told_at = daily_left, self._clock()

    def _keep_to_the_books(self) -> None:
        """Refused without being told why: keep to what HubSpot documents for the smallest edition."""
        if self._window.limit is None:
            self._window.limit = int(FIRST_BURST * RESERVE)
        self._searches.limit = SEARCHES


def _number(response: httpx.Response, header: str) -> int | None:
    text = response.headers.get(header, "")
    return int(text) if text.isdigit() else None
