"""How much memory `kpisync pull` takes of a HubSpot at 40,000 records, and of one with nothing in it.

    python -m benchmarks.hubspot_memory [--records 40000]

Half of the records are deals, half are calls, each with a person. The pretend HubSpot runs in a process of its own; the
pull is another one, does what the command does (sign in, look, read every stream, absorb) into an empty SQLite cache,
and says at its end how large it ever was. An empty portal shows what the program itself takes. The peak is to stay
below 150 MB.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.hubspot_rate import served
from benchmarks.salesforce_memory import MEGABYTE, largest

TOKEN = "pat-sandbox"
"""The pretend HubSpot's own; asking it would put the whole sandbox into the memory that is measured."""


@dataclass(frozen=True)
class Peak:
    """A pull: the largest it ever was in memory, the deals and calls in the cache at its end, its calls to HubSpot."""

    megabytes: float
    records: int
    calls: int


def pull(url: str) -> None:
    """Pull everything into an empty cache and print what it took."""
    from connectors.hubspot import HubSpotSettings, connect
    from sync.cache import Cache
    from sync.progress import NO_PROGRESS
    from sync.pull import Pull

    with tempfile.TemporaryDirectory() as folder, connect(HubSpotSettings(base_url=url), {"TOKEN": TOKEN}.get) as crm:
        found = crm.capabilities()
        cache = Cache.open(f"sqlite:///{folder}/cache.db", "bench")
        pulling = Pull(crm, cache, found.time_zone or "UTC", NO_PROGRESS, at_once=found.streams_at_once)
        pulling.read(found.streams)
        if pulling.failures:
            raise SystemExit(str(pulling.failures))
        peak, counts = largest(), cache.counts()
        cache.close()
        records = counts["deal"] + counts["interaction"]
        print(json.dumps({"megabytes": peak / MEGABYTE, "records": records, "calls": crm.calls()}))


def measure(records: int) -> Peak:
    """The peak of a pull of so many records, half of them deals and half calls."""
    with served({"deals": records // 2, "calls": records // 2}, "enterprise", 0.0) as url:
        command = [sys.executable, "-m", "benchmarks.hubspot_memory", "pull", "--url", url]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    peak = Peak(**json.loads(done.stdout))
    if peak.records != records:
        raise SystemExit(f"Of {records} records {peak.records} arrived.")
    return peak


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="?", default="measure", choices=("measure", "pull"))
    parser.add_argument("--records", type=int, default=40_000)
    parser.add_argument("--url", default="")
    asked = parser.parse_args(arguments)
    if asked.part == "pull":
        pull(asked.url)
        return
    for peak in (measure(0), measure(asked.records)):
        print(f"{peak.records:>10,} records  {peak.megabytes:>6.0f} MB at the most  {peak.calls:>5,} calls")


if __name__ == "__main__":
    main()
