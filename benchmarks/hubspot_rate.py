"""How much of what HubSpot allows a pull uses when HubSpot is far away, and whether it is ever refused.

    python -m benchmarks.hubspot_rate [--tier starter] [--latency 0.2] [--windows 4] [--kinds 7]

The pretend portal runs in a process of its own, answers every call after that latency, and enforces the limits of the
edition: calls in any ten seconds, searches in any second. Of each of the first so many kinds (e-mails, calls, contacts,
deals, meetings, messages, tasks) it holds as many records as it takes to fill that many windows. Measured is
`kpisync pull`: at first into an empty cache, which lists; then after somebody edited every record at once, which
searches. Everything is counted by the portal's own log of requests, and everything has to arrive.
"""

import argparse
import json
import sys
import tempfile
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.request import Request, urlopen

from benchmarks import serving

NOW = datetime(2026, 11, 25, 10, 30, tzinfo=UTC)
ALLOWED = {"free": 100, "starter": 100, "professional": 190, "enterprise": 190}
"""Calls in ten seconds."""

WINDOW = 10.0
SEARCHES = 5
"""In any second, whatever the edition."""

KINDS = ("emails", "calls", "contacts", "deals", "meetings", "communications", "tasks")
PAIRS = {"contacts": 0, "deals": 1}
"""For how many other kinds the associations of a kind are read: two where nothing else is said."""


@dataclass(frozen=True)
class Counted:
    """Calls of which so many are allowed in any `interval`, as the portal saw them: the moments, and how many of them
    were answered 429."""

    allowed: int
    interval: float
    moments: tuple[float, ...]
    refused: int

    @property
    def busiest(self) -> int:
        """The most in any interval."""
        ends = (bisect_left(self.moments, at + self.interval) for at in self.moments)
        return max((end - number for number, end in enumerate(ends)), default=0)

    @property
    def share(self) -> float | None:
        """The part used of what is allowed, in whole intervals. Not in the first, whose calls may come all at once, and
        not in the begun one at the end. None: it was over too soon to tell."""
        if not self.moments:
            return None
        begin, lasted = self.moments[0], self.moments[-1] - self.moments[0]
        whole = int(lasted / self.interval)
        if whole < 2:
            return None
        first, last = (bisect_left(self.moments, begin + number * self.interval) for number in (1, whole))
        return (last - first) / (self.allowed * (whole - 1))

    @property
    def share_of_all(self) -> float:
        """The same from the first call to the last."""
        return len(self.moments) * self.interval / (self.allowed * (self.moments[-1] - self.moments[0]))


@dataclass(frozen=True)
class Pulled:
    """One pull as the portal saw it, and how many rows it brought."""

    name: str
    rows: int
    seconds: float
    calls: Counted
    searches: Counted

    def lines(self) -> Iterator[str]:
        refused = self.calls.refused + self.searches.refused
        calls, searches = self.calls, self.searches
        yield (
            f"  {self.name}: {self.rows:,} rows in {self.seconds:.1f} s by {len(calls.moments):,} calls and "
            f"{len(searches.moments)} searches; answered 429: {refused}"
        )
        for what, counted in (("calls", calls), ("searches", searches)):
            if counted.share is not None and len(counted.moments) > 10 * len(KINDS):
                yield (
                    f"    {what}: {counted.share:.1%} of the {counted.allowed} allowed in {counted.interval:.0f} s, "
                    f"{counted.share_of_all:.1%} with beginning and end; {counted.busiest} when it was busiest"
                )


def busy_world(sizes: dict[str, int]) -> Any:
    """So many records of each kind."""
    from crm_sandbox.world import Call, Email, Meeting, Message, Prospect, Sale, Seller, Todo, World

    made, people = NOW - timedelta(days=60), max(1, sizes.get("contacts", 0))

    def each(kind: str) -> Iterator[tuple[int, tuple[str], datetime]]:
        return ((n, (f"p{n % people}",), NOW - timedelta(days=9, minutes=n)) for n in range(sizes.get(kind, 0)))

    return World(
        "Busy",
        NOW,
        sellers=(Seller("ana", "Ana Ruiz", "ana@example.com"),),
        prospects=tuple(Prospect(f"p{n}", f"P {n}", f"p{n}@example.com", "P", "ana", made) for n in range(people)),
        sales=tuple(
            Sale(f"s{n}", f"Deal {n}", ((made, "ana"),), made, "won", at.date(), at, Decimal(n), people=who)
            for n, who, at in each("deals")
        ),
        calls=tuple(Call(f"c{n}", "ana", who, (), at) for n, who, at in each("calls")),
        emails=tuple(
            Email(f"e{n}", "ana", who, (), "out", at, "Hello", f"t{n}", f"<{n}@example.com>")
            for n, who, at in each("emails")
        ),
        messages=tuple(Message(f"m{n}", "ana", who, (), at) for n, who, at in each("communications")),
        meetings=tuple(
            Meeting(f"g{n}", "ana", who, (), at, at + timedelta(minutes=30), made) for n, who, at in each("meetings")
        ),
        todos=tuple(Todo(f"d{n}", "ana", who, (), at, date(2026, 11, 25)) for n, who, at in each("tasks")),
    )


def sizes_of(kinds: Sequence[str], calls: int) -> dict[str, int]:
    """As many records of each as it takes for so many calls: pages of a hundred, associations by the thousand."""
    for_a_thousand = sum(10 + PAIRS.get(kind, 2) for kind in kinds)
    return dict.fromkeys(kinds, 1000 * calls // for_a_thousand)


def serve(sizes: dict[str, int], tier: str, latency: float) -> None:
    """The pretend HubSpot, until stdin ends. Prints its address first."""
    from crm_sandbox.hubspot import Portal
    from crm_sandbox.serving import Sandbox

    with Sandbox(Portal(busy_world(sizes), tier=tier), latency=latency) as sandbox:
        print(sandbox.url, flush=True)
        sys.stdin.read()


@contextmanager
def served(sizes: dict[str, int], tier: str, latency: float) -> Iterator[str]:
    words = ("--sizes", json.dumps(sizes), "--tier", tier, "--latency", str(latency))
    with serving.served("benchmarks.hubspot_rate", *words) as url:
        yield url


def measure(tier: str, latency: float, sizes: dict[str, int]) -> tuple[Pulled, Pulled]:
    """Pull everything, edit everything, pull again."""
    from sync.cache import Cache

    with served(sizes, tier, latency) as url, tempfile.TemporaryDirectory() as folder:
        cache = Cache.open(f"sqlite:///{folder}/cache.db", "bench")
        loaded = _pulled("first load", url, cache, ALLOWED[tier])
        for kind in sizes:
            _tell(url, "touch", {"object": kind, "at": (NOW + timedelta(minutes=20)).isoformat()})
        changed = _pulled("everything edited", url, cache, ALLOWED[tier])
        kept = cache.counts()
        cache.close()
    missing = {kind: size for kind, size in sizes.items() if size > kept[KEPT_AS[kind]]}
    if missing or loaded.rows < sum(sizes.values()) or changed.rows < sum(sizes.values()):
        raise SystemExit(f"Not everything arrived: {missing or sizes}; in the cache are {kept}")
    return loaded, changed


KEPT_AS = {
    "contacts": "person",
    "deals": "deal",
    "tasks": "task",
    **dict.fromkeys(("calls", "emails", "meetings", "communications"), "interaction"),
}


class Came:
    """Counts the rows that a pull brings, links and all."""

    def __init__(self) -> None:
        self.rows = 0

    def start(self, stream: str) -> None:
        pass

    def advance(self, stream: str, rows: int, total: int | None) -> None:
        self.rows += rows

    def finish(self, stream: str) -> None:
        pass


def _pulled(name: str, url: str, cache: Any, allowed: int) -> Pulled:
    from connectors.hubspot import HubSpotSettings, connect
    from crm_sandbox.hubspot import SANDBOX_TOKEN
    from sync.pull import Pull

    with urlopen(Request(f"{url}/_control/requests", method="DELETE")):
        pass
    with connect(HubSpotSettings(base_url=url), {"TOKEN": SANDBOX_TOKEN}.get) as crm:
        found = crm.capabilities()
        came = Came()
        pull = Pull(crm, cache, found.time_zone or "UTC", came, at_once=found.streams_at_once)
        pull.read(found.streams)
    if pull.failures:
        raise SystemExit(str(pull.failures))
    with urlopen(f"{url}/_control/requests") as answer:
        log = json.load(answer)
    seconds = log[-1]["at"] - log[0]["at"]
    searches = [entry for entry in log if entry["path"].endswith("/search")]
    others = [entry for entry in log if not entry["path"].endswith("/search")]
    return Pulled(name, came.rows, seconds, _counted(allowed, WINDOW, others), _counted(SEARCHES, 1.0, searches))


def _counted(allowed: int, interval: float, entries: Sequence[Any]) -> Counted:
    moments = sorted(entry["at"] for entry in entries)
    return Counted(allowed, interval, tuple(moments), sum(entry["status"] == 429 for entry in entries))


def _tell(url: str, what: str, body: Any) -> None:
    with urlopen(Request(f"{url}/_control/{what}", json.dumps(body).encode(), method="POST")):
        pass


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="?", default="measure", choices=("measure", "serve"))
    parser.add_argument("--tier", choices=tuple(ALLOWED), default="starter")
    parser.add_argument("--latency", type=float, default=0.2)
    parser.add_argument("--windows", type=float, default=6)
    parser.add_argument("--kinds", type=int, default=len(KINDS))
    parser.add_argument("--sizes", type=json.loads, help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    sizes = asked.sizes or sizes_of(KINDS[: asked.kinds], int(asked.windows * ALLOWED[asked.tier]))
    if asked.part == "serve":
        serve(sizes, asked.tier, asked.latency)
        return
    each = max(sizes.values())
    print(f"{asked.tier}, {asked.latency * 1000:.0f} ms to every answer, {each:,} each of {', '.join(sizes)}:")
    for pulled in measure(asked.tier, asked.latency, sizes):
        print(*pulled.lines(), sep="\n")


if __name__ == "__main__":
    main()
