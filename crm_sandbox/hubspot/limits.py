"""How much is allowed: a sliding window of ten seconds for each token, searches a second, calls a day."""

from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from crm_sandbox.hubspot.auth import Credential
from crm_sandbox.hubspot.errors import Refusal
from crm_sandbox.hubspot.store import Store
from crm_sandbox.hubspot.values import EPOCH, iso, millis

WINDOW = 10.0
BURST = {"free": 100, "starter": 100, "professional": 190, "enterprise": 190}
DAILY = {"free": 250_000, "starter": 250_000, "professional": 625_000, "enterprise": 1_000_000}


class Meter:
    """Counts calls and refuses those past the limits. `ticks` is a clock in seconds that only goes forward."""

    def __init__(self, store: Store, ticks: Callable[[], float]) -> None:
        self._store = store
        self._ticks = ticks
        self._calls: dict[str, deque[float]] = {}
        self._searches: deque[float] = deque()
        self._day = ""
        self.used_today = 0

    @property
    def burst(self) -> int:
        """Calls a token may make in ten seconds."""
        return self._store.rules.burst or BURST[self._store.rules.tier]

    @property
    def daily(self) -> int:
        """Calls the portal may take in a day."""
        return self._store.rules.daily or DAILY[self._store.rules.tier]

    def count(self, credential: Credential, *, search: bool) -> dict[str, str]:
        """Count one call: the headers of its answer, or a 429. A portal that enforces nothing tells of no limits."""
        self._turn_the_day()
        rules = self._store.rules
        if self.used_today >= self.daily and rules.enforce_limits:
            raise self._refused("daily", "DAILY", credential, search=search)
        self.used_today += 1
        if search:
            self._count(self._searches, 1.0, rules.search_rate, "secondly", "SECONDLY", credential)
            return {}
        calls = self._calls.setdefault(credential.token, deque())
        self._count(calls, WINDOW, self.burst, "ten_secondly_rolling", "TEN_SECONDLY_ROLLING", credential)
        return self.headers(credential) if rules.enforce_limits else {}

    def _count(
        self, calls: deque[float], window: float, limit: int, name: str, policy: str, credential: Credential
    ) -> None:
        now = self._ticks()
        while calls and calls[0] <= now - window:
            calls.popleft()
        if len(calls) >= limit and self._store.rules.enforce_limits:
            raise self._refused(name, policy, credential, search=calls is self._searches)
        calls.append(now)

    def headers(self, credential: Credential) -> dict[str, str]:
        """What is left. The daily pair is not told to OAuth tokens."""
        used = len(self._calls.get(credential.token, ()))
        left = str(max(0, self.burst - used))
        found = {
            "X-HubSpot-RateLimit-Max": str(self.burst),
            "X-HubSpot-RateLimit-Remaining": left,
            "X-HubSpot-RateLimit-Interval-Milliseconds": str(round(WINDOW * 1000)),
            "X-HubSpot-RateLimit-Secondly": str(self.burst // 10),
            "X-HubSpot-RateLimit-Secondly-Remaining": str(min(self.burst // 10, int(left))),
        }
        if credential.kind != "oauth":
            found["X-HubSpot-RateLimit-Daily"] = str(self.daily)
            found["X-HubSpot-RateLimit-Daily-Remaining"] = str(max(0, self.daily - self.used_today))
        return found

    def usage(self) -> dict[str, Any]:
        """The day so far, as the usage endpoint tells it."""
        self._turn_the_day()
        return {
            "name": "private-apps-api-calls-daily",
            "usageLimit": self.daily,
            "currentUsage": self.used_today,
            "collectedAt": iso(self._store.now()),
            "fetchStatus": "SUCCESS",
            "resetsAt": iso(self._next_midnight()),
        }

    def reset(self) -> None:
        """Forget every count."""
        self._calls.clear()
        self._searches.clear()
        self.used_today = 0

    def _local(self) -> datetime:
        moment = EPOCH + timedelta(milliseconds=self._store.now())
        return moment.astimezone(ZoneInfo(self._store.time_zone))

    def _turn_the_day(self) -> None:
        today = self._local().date().isoformat()
        if today != self._day:
            self._day, self.used_today = today, 0

    def _next_midnight(self) -> int:
        here = self._local()
        tomorrow = datetime.combine(here.date() + timedelta(days=1), time(), here.tzinfo)
        return millis(tomorrow.astimezone(UTC))

    def _refused(self, name: str, policy: str, credential: Credential, *, search: bool) -> Refusal:
        refusal = Refusal(
            429,
            f"You have reached your {name} limit.",
            errorType="RATE_LIMIT",
            policyName=policy,
            groupName=f"publicapi:private-apps-api-calls-{name.replace('_', '-')}",
        )
        refusal.headers = {} if search else self.headers(credential)
        if self._store.rules.retry_after:
            refusal.headers["Retry-After"] = "1" if search else "10"
        return refusal
