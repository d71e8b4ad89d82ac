"""How much is allowed: a sliding window of ten seconds for each token, searches a second, calls a day."""

from bisect import insort
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
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


@dataclass
class Bucket:
    """The calls of the last `window` seconds, those of other programs among them."""

    window: float
    name: str
    policy: str
    calls: deque[float] = field(default_factory=deque)
    others_until: float | None = None

    def turn(self, now: float, limit: int, others: float) -> None:
        """Let go of what is past, and let in what others did since the last call: so many a second, evenly spread, as
        far as there is room."""
        while self.calls and self.calls[0] <= now - self.window:
            self.calls.popleft()
        last = now - self.window if self.others_until is None else self.others_until
        for number in range(1, int((now - last) * others) + 1):
            self.others_until = moment = last + number / others
            if moment > now - self.window and len(self.calls) < limit:
                insort(self.calls, moment)


class Meter:
    """Counts calls and refuses those past the limits. `ticks` is a clock in seconds that only goes forward."""

    def __init__(self, store: Store, ticks: Callable[[], float]) -> None:
        self._store = store
        self._ticks = ticks
        self._buckets: dict[str, Bucket] = {}
        self._searches = Bucket(1.0, "secondly", "SECONDLY")
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
            self._count(self._searches, rules.search_rate, rules.other_searches, credential)
            return {}
        self._count(self._bucket(credential), self.burst, rules.other_calls, credential)
        return self.headers(credential) if rules.enforce_limits else {}

    def _count(self, bucket: Bucket, limit: int, others: float, credential: Credential) -> None:
        now = self._ticks()
        bucket.turn(now, limit, others)
        if len(bucket.calls) >= limit and self._store.rules.enforce_limits:
            raise self._refused(bucket.name, bucket.policy, credential, search=bucket is self._searches)
        bucket.calls.append(now)

    def _bucket(self, credential: Credential) -> Bucket:
        return self._buckets.setdefault(
            credential.token, Bucket(WINDOW, "ten_secondly_rolling", "TEN_SECONDLY_ROLLING")
        )

    def headers(self, credential: Credential) -> dict[str, str]:
        """What is left. The daily pair is not told to OAuth tokens."""
        used = len(self._bucket(credential).calls)
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
        self._buckets.clear()
        self._searches.calls.clear()
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
