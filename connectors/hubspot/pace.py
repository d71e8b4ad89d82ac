"""How fast HubSpot lets us ask: the rolling window, the search window and the daily allowance, learnt from its headers.

A refused request counts against an app's standing, so the pace is kept rather than found out by being refused. Where
the portal sends no rate headers there is nothing to keep, and nobody waits.
"""

import threading
import time
from collections.abc import Callable

import httpx

from connectors.hubspot.day import Day
from connectors.hubspot.window import Window

FIRST_BURST = 100
"""What the smallest edition allows in one window; assumed until the first answer says more."""

INTERVAL = 10.0
RESERVE = 0.97
"""The share of a window that we use. What other programs use of it HubSpot tells with each answer, a little late."""

SEARCHES = 5
SEARCH_INTERVAL = 1.0
"""HubSpot counts the searches of an account by the second, and no header tells of them."""

SEARCHES_BESIDE_OTHERS = 3
"""Once a search was refused although we kept to the limit: another app of the account searches, too."""

SENT_AT = "kpisync.sent_at"
WINDOWS = "kpisync.windows"


class Pace:
    """The transport's hooks: `before` a request leaves, `after` its answer, and `lost` where none came."""

    def __init__(
        self,
        day: Day | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.day = day or Day(1.0, 1.0)
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._window = Window(int(FIRST_BURST * RESERVE), INTERVAL)
        self._searches = Window(SEARCHES, SEARCH_INTERVAL)
        self._searches.fill(clock())
        self._told = False
        self._told_at = 0.0
        self._sent = 0
        self._on_their_way = 0

    def before(self, request: httpx.Request) -> None:
        """Wait until this request may leave. Raises `Throttled` when nothing is left of today, and `GuardStopped` when
        what is left is not for us."""
        window = self._searches if _is_search(request) else self._window
        while True:
            with self._lock:
                now = self._clock()
                wait = max(self.day.wait(self._sent, self._on_their_way, now), window.wait(now))
                if wait <= 0:
                    self._leave(request, window, now)
                    return
            self._sleep(wait)

    def after(self, response: httpx.Response) -> None:
        """Learn the limits that this answer tells."""
        limit = _number(response, "x-hubspot-ratelimit-max")
        with self._lock:
            now = self._clock()
            self._settle(response.request, now)
            if limit is not None:
                self._learn(response, limit, now)
            elif response.status_code == 429:
                self._keep_to_the_books(response.request)
            elif _is_search(response.request):
                self.day.one_less()
            elif response.is_success and not self._told:
                self._told = True
                self._window.limit = None
                self._searches.limit = None

    def lost(self, request: httpx.Request) -> None:
        """No answer came; HubSpot may have counted the request all the same."""
        with self._lock:
            self._settle(request, self._clock())
            self.day.one_less()

    def _leave(self, request: httpx.Request, window: Window, now: float) -> None:
        self._sent += 1
        self._on_their_way += 1
        request.extensions[SENT_AT] = now
        request.extensions[WINDOWS] = [window] if window.leave() else []

    def _settle(self, request: httpx.Request, now: float) -> None:
        """It is not on its way any more."""
        if WINDOWS not in request.extensions:
            return
        self._on_their_way -= 1
        for window in request.extensions.pop(WINDOWS):
            window.answered(request.extensions[SENT_AT], now)

    def _learn(self, response: httpx.Response, limit: int, now: float) -> None:
        sent_at = float(response.request.extensions.get(SENT_AT, now))
        interval = _number(response, "x-hubspot-ratelimit-interval-milliseconds")
        self._told = True
        self._window.limit = max(1, int(limit * RESERVE))
        self._window.interval = interval / 1000 if interval else INTERVAL
        self._searches.limit = self._searches.limit or SEARCHES
        left = _number(response, "x-hubspot-ratelimit-remaining")
        if left is not None:
            self._window.used(self._window.limit - left, now)  # a few of others find room in the reserve
        daily, daily_left = (_number(response, f"x-hubspot-ratelimit-{name}") for name in ("daily", "daily-remaining"))
        self.day.told(daily, daily_left, sent_at, now)

    def _keep_to_the_books(self, refused: httpx.Request) -> None:
        """Refused without being told why: keep to what HubSpot documents for the smallest edition."""
        self._window.limit = self._window.limit or int(FIRST_BURST * RESERVE)
        self._searches.limit = SEARCHES_BESIDE_OTHERS if _is_search(refused) else self._searches.limit or SEARCHES


def _is_search(request: httpx.Request) -> bool:
    return request.url.path.endswith("/search")


def _number(response: httpx.Response, header: str) -> int | None:
    text = response.headers.get(header, "")
    return int(text) if text.isdigit() else None
