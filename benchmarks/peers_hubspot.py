"""HubSpot: `kpisync pull` against meltano-tap-hubspot, tap-hubspot and bare hubspot-api-client.

    python -m benchmarks.peers_hubspot [--records 20000] [--times 5] [--environments DIR]

One pretend HubSpot that enforces no limits, in a process of its own, with that many deals and as many calls, for all.
Ours is the real command with a fresh workspace: sign in, look at the portal, read every stream and what hangs on its
records, absorb into the cache. The peers come from the package index, each into an environment of its own (kept in DIR,
else made anew), and only extract: their records are counted as they come out and go nowhere, and nobody asks them for
associations. meltano-tap-hubspot cannot leave properties out; tap-hubspot reads version 1 of HubSpot's interface, which
`benchmarks/hubspot_v1.py` answers; both know no host but HubSpot's own, which is replaced inside their HTTP library
(`benchmarks/pointing`). The bare client copies into plain tables the properties that ours asked for.

Every contender has to bring every record.
"""

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from urllib.request import urlopen

from benchmarks.peers import (
    Contender,
    Start,
    command_line,
    found_out,
    installed,
    kpisync_pull,
    pointed_at,
    race,
    report,
    rows_in,
    run,
    runnable,
    written,
)

OURS = "kpisync pull"
MELTANO, SINGER, BARE = "meltano-tap-hubspot==0.10.1", "tap-hubspot==4.5.0", "hubspot-api-client==12.0.0"
KINDS = ("deals", "calls")
TOKEN = "pat-sandbox"
SINCE = "2020-01-01T00:00:00Z"

Properties = Mapping[str, list[str]]
"""deals, calls → the properties that our pull asked for."""


def serve(records: int) -> None:
    """The pretend HubSpot, until stdin ends."""
    from benchmarks.hubspot_v1 import WithVersionOne
    from benchmarks.peers_serving import Watched, tell_and_wait
    from benchmarks.sandbox_to_cache import NOW
    from crm_sandbox.hubspot import Portal
    from crm_sandbox.seed import volume_world
    from crm_sandbox.serving import Sandbox

    portal = Portal(volume_world(NOW, deals=records, calls=records), enforce_limits=False)
    with Sandbox(Watched(WithVersionOne(portal, TOKEN))) as sandbox:
        tell_and_wait(url=sandbox.url)


def ours(url: str) -> Contender:
    """The command itself, in a workspace of its own."""
    return Contender(OURS, partial(kpisync_pull, _WORKSPACE.format(url=url), {"TOKEN": TOKEN}))


_WORKSPACE = """[connections.race]
crm = "hubspot"
base_url = "{url}"
auth = "token"
"""


def asked_properties(url: str) -> dict[str, list[str]]:
    """What our pull asked of deals and calls, from the pretend portal's own log."""
    with urlopen(f"{url}/_control/requests") as answer:
        return properties_in(json.load(answer))


def properties_in(log: list[Mapping[str, str]]) -> dict[str, list[str]]:
    """The properties of the lists of deals and calls in a log of requests."""
    asked = {}
    for entry in log:
        kind = entry["path"].rpartition("/")[2]
        listed = parse_qs(entry["query"]).get("properties")
        if kind in KINDS and entry["method"] == "GET" and listed:
            asked[kind] = listed[0].split(",")
    return asked


def meltano(programs: Path, url: str) -> Contender:
    """meltano-tap-hubspot, told to read deals and calls."""
    tap = str(programs / "tap-hubspot")
    config = {"access_token": TOKEN}
    catalog = chosen(found_out([tap, "--discover"], config, url), dict.fromkeys(KINDS))

    def start(folder: Path) -> Start:
        config_file, catalog_file = written(folder / "config.json", config), written(folder / "catalog.json", catalog)
        return Start((tap, "--config", config_file, "--catalog", catalog_file), pointed_at(url))

    return Contender(MELTANO, start)


def singer(programs: Path, url: str, properties: Properties) -> Contender:
    """tap-hubspot, told to read deals with these properties, and engagements."""
    tap = str(programs / "tap-hubspot")
    config = {"api_key": TOKEN, "start_date": SINCE, "select_fields_by_default": "false"}
    of_deals = {"dealId", *(f"property_{name}" for name in properties["deals"])}
    catalog = chosen(found_out([tap, "--discover"], config, url), {"deals": of_deals, "engagements": None})

    def start(folder: Path) -> Start:
        config_file, catalog_file = written(folder / "config.json", config), written(folder / "catalog.json", catalog)
        return Start((tap, "--config", config_file, "--properties", catalog_file), pointed_at(url))

    return Contender(SINGER, start)


def chosen(catalog: Any, fields: Mapping[str, set[str] | None]) -> Any:
    """A singer catalog in which these streams are selected and no others, with these of their fields (None: all)."""
    for stream in catalog["streams"]:
        wanted = stream["tap_stream_id"] in fields
        names = fields.get(stream["tap_stream_id"])
        for entry in stream["metadata"]:
            name = entry["breadcrumb"][-1] if entry["breadcrumb"] else None
            entry["metadata"]["selected"] = wanted and (name is None or names is None or name in names)
    return catalog


def bare(programs: Path, url: str, properties: Properties) -> Contender:
    """hubspot-api-client and sqlite3."""
    script = str(Path(__file__).with_name("bare_hubspot.py"))

    def start(folder: Path) -> Start:
        asked = written(folder / "asked.json", properties)
        command = (str(programs / "python"), script, url, TOKEN, asked, str(folder / "raw.db"))
        return Start(command, {}, partial(rows_in, folder / "raw.db", KINDS))

    return Contender(BARE, start)


def compare(records: int, times: int, folder: Path) -> None:
    """Install, serve, race, print."""
    from benchmarks.peers_serving import served

    with served("benchmarks.peers_hubspot", records) as told:
        url = told["url"]
        measure = partial(run, url=url)
        us = ours(url)
        measure(us)
        properties = asked_properties(url)
        makers: dict[str, Callable[[Path], Contender]] = {
            MELTANO: lambda programs: meltano(programs, url),
            SINGER: lambda programs: singer(programs, url, properties),
            BARE: lambda programs: bare(programs, url, properties),
        }
        contenders, missing = installed(makers, folder)
        running, failed = runnable(contenders, measure)
        expected = {
            OURS: {"deal": records, "interaction": records},
            MELTANO: dict.fromkeys(KINDS, records),
            SINGER: {"deals": records, "engagements": records},
            BARE: dict.fromkeys(KINDS, records),
        }
        rounds = race((us, *running), expected, times=times, measure=measure, warm_ups=0)
    print(f"{records:,} deals and {records:,} calls; tap-hubspot reads them by version 1, prepared beforehand")
    print("\n".join((report(rounds, OURS), *missing, *failed)))


if __name__ == "__main__":
    command_line(str(__doc__), serve, compare)
