"""Records a second from a Salesforce into our cache, against the bare client into raw SQLite.

    python -m benchmarks.sandbox_to_cache [--records 20000] [--times 11]

The pretend Salesforce runs in a process of its own with that many opportunities and as many tasks. One contender is
what `kpisync pull` does: sign in, look at the organisation, read users, opportunities and tasks, absorb their pages.
The other is simple-salesforce's `query_all_iter` for the same objects and exactly the fields that ours asked for, into
plain `sqlite3` tables. Both start with an empty file.

Single pairs differ by far more than the contenders do where others use the machine too: do not trust fewer than eleven.
"""

import argparse
import json
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.request import Request, urlopen

from benchmarks.bare_salesforce import copy_all
from benchmarks.paired import Contender, alternate, report, run
from benchmarks.serving import served

NOW = datetime(2026, 11, 25, 10, 30, tzinfo=UTC)
OBJECTS = ("Opportunity", "Task")
STREAMS = ("users", "opportunities", "tasks")


def serve(records: int) -> None:
    """The pretend Salesforce, until stdin ends. Prints its address first."""
    from crm_sandbox.salesforce import Org
    from crm_sandbox.seed import volume_world
    from crm_sandbox.serving import Sandbox

    with Sandbox(Org(volume_world(NOW, deals=records, calls=records))) as sandbox:
        print(sandbox.url, flush=True)
        sys.stdin.read()


def ours(url: str) -> None:
    """Pull into an empty cache."""
    from connectors.salesforce import SalesforceSettings, connect
    from crm_sandbox.salesforce import CLIENT_ID, CLIENT_SECRET
    from sync.cache import Cache
    from sync.progress import NO_PROGRESS
    from sync.pull import Pull

    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        connector = connect(
            SalesforceSettings(login_url=url, client_id=CLIENT_ID), {"CLIENT_SECRET": CLIENT_SECRET}.get
        )
        found = connector.capabilities()
        cache = Cache.open(f"sqlite:///{folder}/cache.db", "bench")
        pull = Pull(connector, cache, found.time_zone or "UTC", NO_PROGRESS)
        pull.read(STREAMS)
        seconds = time.perf_counter() - begun
        if pull.failures:
            raise SystemExit(str(pull.failures))
        counts = cache.counts()
        cache.close()
    print(json.dumps({"seconds": seconds, "records": counts["deal"] + counts["interaction"], "kept": counts}))


def bare(url: str, asked: Path) -> None:
    """The same objects and fields by the vendor's client into plain tables."""
    queries: dict[str, tuple[list[str], bool]] = json.loads(asked.read_text())
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        records = copy_all(url, queries, Path(folder) / "raw.db")
        seconds = time.perf_counter() - begun
    print(json.dumps({"seconds": seconds, "records": records}))


def asked_fields(url: str) -> dict[str, tuple[list[str], bool]]:
    """object → (the fields that our pull asked for, whether deleted rows too), from the sandbox's own log."""
    with urlopen(f"{url}/_control/requests") as answer:
        log = json.load(answer)
    with urlopen(Request(f"{url}/_control/requests", method="DELETE")):
        pass
    asked = {}
    for entry in log:
        query = re.search(r"q=SELECT (.+?) FROM (\w+)", entry["query"])
        if query and query[2] in OBJECTS and "Id" in query[1].split(", "):
            asked[query[2]] = (query[1].split(", "), "/queryAll" in entry["path"])
    return asked


def compare(records: int, times: int) -> dict[str, int | None]:
    """Serve, look at what ours asks for, measure and print. Returns how many records each contender carried."""
    me = (sys.executable, "-m", "benchmarks.sandbox_to_cache")
    with (
        served("benchmarks.sandbox_to_cache", "--records", str(records)) as url,
        tempfile.TemporaryDirectory() as folder,
    ):
        pulling = Contender("kpisync pull → cache", (*me, "ours", "--url", url))
        run(pulling)
        asked = Path(folder) / "asked.json"
        asked.write_text(json.dumps(asked_fields(url)))
        copying = Contender("simple-salesforce → sqlite3", (*me, "bare", "--url", url, "--asked", str(asked)))
        print(f"{records:,} opportunities and {records:,} tasks; fields: {asked.read_text()}")
        compared = alternate(pulling, copying, times=times)
    print(report(compared))
    one, other = compared.pairs[-1]
    return {pulling.name: one.records, copying.name: other.records}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="?", default="compare", choices=("compare", "serve", "ours", "bare"))
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--times", type=int, default=11)
    parser.add_argument("--url", default="")
    parser.add_argument("--asked", type=Path, default=Path())
    asked = parser.parse_args(arguments)
    match asked.part:
        case "serve":
            serve(asked.records)
        case "ours":
            ours(asked.url)
        case "bare":
            bare(asked.url, asked.asked)
        case _:
            compare(asked.records, asked.times)


if __name__ == "__main__":
    main()
