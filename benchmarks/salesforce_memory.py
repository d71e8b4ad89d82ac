"""How much memory `kpisync pull` takes of a Salesforce: at 40,000 records by REST, and at 400,000 by Bulk.

    python -m benchmarks.salesforce_memory [--rest 40000] [--bulk 400000]

Half of the records are opportunities, half are tasks. The pretend Salesforce runs in a process of its own; the pull is
another one, does what the command does (sign in, look, read every stream, absorb) into an empty SQLite cache, and says
at its end how large it ever was. An empty org shows what the program itself takes. Two figures matter: the peak by REST
is to stay below 150 MB, and the peak by Bulk is to be the same within a tenth.
"""

import argparse
import json
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.serving import served

MEGABYTE = 1_000_000

APP, SECRET = "sandbox", "sandbox-secret"
"""The pretend Salesforce's own app; asking it would put the whole sandbox into the memory that is measured."""


@dataclass(frozen=True)
class Peak:
    """A pull: the largest it ever was in memory, the records in the cache at its end, its calls, how long it took."""

    megabytes: float
    records: int
    calls: int
    seconds: float


def pull(url: str, bulk_from: int) -> None:
    """Pull everything into an empty cache and print what it took."""
    from connectors.salesforce import SalesforceSettings, connect
    from sync.cache import Cache
    from sync.progress import NO_PROGRESS
    from sync.pull import Pull

    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        settings = SalesforceSettings(login_url=url, client_id=APP, bulk_from=bulk_from)
        connector = connect(settings, {"CLIENT_SECRET": SECRET}.get)
        found = connector.capabilities()
        cache = Cache.open(f"sqlite:///{folder}/cache.db", "bench")
        pulling = Pull(connector, cache, found.time_zone or "UTC", NO_PROGRESS)
        pulling.read(found.streams)
        if pulling.failures:
            raise SystemExit(str(pulling.failures))
        seconds = time.perf_counter() - begun
        peak = largest()
        counts = cache.counts()
        cache.close()
    print(
        json.dumps(
            {
                "megabytes": peak / MEGABYTE,
                "records": counts["deal"] + counts["interaction"],
                "calls": connector.calls(),
                "seconds": seconds,
            }
        )
    )


def largest() -> int:
    """The most bytes that this process ever had in memory."""
    status = Path("/proc/self/status")
    if status.exists():
        # The operating system's own figure for a child begins with the size of the process that it was born from.
        told = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        assert told is not None
        return int(told[1]) * 1024
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else used * 1024


def measure(records: int, *, by_bulk: bool) -> Peak:
    """The peak of a pull of so many records, half of them deals and half calls."""
    with served("benchmarks.salesforce_memory", "--each", str(records // 2)) as url:
        command = [sys.executable, "-m", "benchmarks.salesforce_memory", "pull", "--url", url]
        command += ["--bulk-from", "1" if by_bulk else str(10 * records + 1)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    peak = Peak(**json.loads(done.stdout))
    if peak.records != records:
        raise SystemExit(f"Of {records} records {peak.records} arrived.")
    return peak


def compare(rest: int, bulk: int) -> tuple[Peak, Peak]:
    """Measure and print."""
    nothing, by_rest, by_bulk = (
        measure(0, by_bulk=False),
        measure(rest, by_bulk=False),
        measure(bulk, by_bulk=True),
    )
    for name, peak in (("an empty org", nothing), ("by REST", by_rest), ("by Bulk", by_bulk)):
        print(
            f"{name:14} {peak.records:>10,} records  {peak.megabytes:>6.0f} MB at the most  {peak.calls:>5,} calls"
            f"  {peak.seconds:>6.1f} s"
        )
    print(f"Bulk / REST: {by_bulk.megabytes / by_rest.megabytes:.2f}")
    return by_rest, by_bulk


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="?", default="compare", choices=("compare", "serve", "pull"))
    parser.add_argument("--rest", type=int, default=40_000)
    parser.add_argument("--bulk", type=int, default=400_000)
    parser.add_argument("--each", type=int, default=0)
    parser.add_argument("--url", default="")
    parser.add_argument("--bulk-from", type=int, default=50_000)
    asked = parser.parse_args(arguments)
    match asked.part:
        case "serve":
            from benchmarks.sandbox_to_cache import serve

            serve(asked.each)
        case "pull":
            pull(asked.url, asked.bulk_from)
        case _:
            compare(asked.rest, asked.bulk)


if __name__ == "__main__":
    main()
