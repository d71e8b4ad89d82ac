"""Salesforce: `kpisync pull` against tap-salesforce, airbyte-source-salesforce and bare simple-salesforce.

    python -m benchmarks.peers_salesforce [--records 20000] [--times 5] [--environments DIR]

One pretend Salesforce, in a process of its own, with that many opportunities and as many tasks, for all. Ours is the
real command with a fresh workspace: sign in, look at the organisation, read every stream, absorb into the cache. The
peers come from the package index, each into an environment of its own (kept in DIR, else made anew), and only extract:
their records are counted as they come out and go nowhere. tap-salesforce reads by REST just the fields that ours asked
for; Airbyte's source cannot leave fields out and chooses the Bulk API by itself. The bare client copies ours's fields
into plain tables.

Every contender has to bring every record. Peers know no sign-in host but Salesforce's own: it is replaced inside their
HTTP library (`benchmarks/pointing`); the instance's address they are told by the sign-in itself.
"""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

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
from benchmarks.sandbox_to_cache import NOW, OBJECTS, asked_fields

OURS = "kpisync pull"
SINGER, AIRBYTE, BARE = "tap-salesforce==2.8.1", "airbyte-source-salesforce==2.10.3", "simple-salesforce==1.12.10"
REFRESH_TOKEN = "the-peers-refresh-token"
APP = {"client_id": "sandbox", "client_secret": "sandbox-secret", "refresh_token": REFRESH_TOKEN}

Fields = Mapping[str, tuple[list[str], bool]]
"""object → the fields that our pull asked for, and whether deleted rows too."""


def serve(records: int) -> None:
    """The pretend Salesforce, until stdin ends."""
    from benchmarks.peers_serving import Watched, tell_and_wait
    from crm_sandbox.salesforce import Org
    from crm_sandbox.seed import volume_world
    from crm_sandbox.serving import Sandbox

    org = Org(volume_world(NOW, deals=records, calls=records), refresh_token=REFRESH_TOKEN)
    with Sandbox(Watched(org)) as sandbox:
        tell_and_wait(url=sandbox.url)


def ours(url: str) -> Contender:
    """The command itself, in a workspace of its own."""
    return Contender(OURS, partial(kpisync_pull, _WORKSPACE.format(url=url), {"CLIENT_SECRET": "sandbox-secret"}))


_WORKSPACE = """[connections.race]
crm = "salesforce"
login_url = "{url}"
auth = "client_credentials"
client_id = "sandbox"
"""


def singer(programs: Path, url: str, fields: Fields) -> Contender:
    """tap-salesforce by REST, told to read these objects and fields."""
    tap = str(programs / "tap-salesforce")
    config = {**APP, "start_date": "2020-01-01T00:00:00Z", "api_type": "REST", "select_fields_by_default": "false"}
    catalog = selected(found_out([tap, "--discover"], config, url), fields)

    def start(folder: Path) -> Start:
        config_file, catalog_file = written(folder / "config.json", config), written(folder / "catalog.json", catalog)
        return Start((tap, "--config", config_file, "--properties", catalog_file), pointed_at(url))

    return Contender(SINGER, start)


def selected(catalog: Any, fields: Fields) -> Any:
    """A singer catalog in which these objects and fields are chosen, by their modification stamp."""
    streams = [stream for stream in catalog["streams"] if stream["stream"] in fields]
    for stream in streams:
        for entry in stream["metadata"]:
            if entry["breadcrumb"]:
                entry["metadata"]["selected"] = entry["breadcrumb"][1] in fields[stream["stream"]][0]
            else:
                entry["metadata"] |= {
                    "selected": True,
                    "replication-method": "INCREMENTAL",
                    "replication-key": "SystemModstamp",
                }
    return {"streams": streams}


def airbyte(programs: Path, url: str) -> Contender:
    """Airbyte's source, a full refresh: half the time of its incremental mode here, which waits for a job a month."""
    source = str(programs / "source-salesforce")
    config = {**APP, "auth_type": "Client", "start_date": "2020-01-01"}
    catalog = configured(found_out([source, "discover"], config, url))

    def start(folder: Path) -> Start:
        config_file, catalog_file = written(folder / "config.json", config), written(folder / "catalog.json", catalog)
        return Start((source, "read", "--config", config_file, "--catalog", catalog_file), pointed_at(url))

    return Contender(AIRBYTE, start)


def configured(message: Any) -> Any:
    """What Airbyte's source is to read, out of what it found."""
    return {
        "streams": [
            {"stream": stream, "sync_mode": "full_refresh", "destination_sync_mode": "append"}
            for stream in message["catalog"]["streams"]
            if stream["name"] in OBJECTS
        ]
    }


def bare(programs: Path, url: str, fields: Fields) -> Contender:
    """simple-salesforce and sqlite3."""
    script = str(Path(__file__).with_name("bare_salesforce.py"))

    def start(folder: Path) -> Start:
        asked = written(folder / "asked.json", fields)
        command = (str(programs / "python"), script, url, asked, str(folder / "raw.db"))
        return Start(command, {}, partial(rows_in, folder / "raw.db", OBJECTS))

    return Contender(BARE, start)


def compare(records: int, times: int, folder: Path) -> None:
    """Install, serve, race, print."""
    from benchmarks.peers_serving import served

    with served("benchmarks.peers_salesforce", records) as told:
        url = told["url"]
        measure = partial(run, url=url)
        us = ours(url)
        measure(us)
        fields = asked_fields(url)
        makers: dict[str, Callable[[Path], Contender]] = {
            SINGER: lambda programs: singer(programs, url, fields),
            AIRBYTE: lambda programs: airbyte(programs, url),
            BARE: lambda programs: bare(programs, url, fields),
        }
        contenders, missing = installed(makers, folder)
        running, failed = runnable(contenders, measure)
        both = dict.fromkeys(OBJECTS, records)
        expected = {OURS: {"deal": records, "interaction": records}} | {each.name: both for each in running}
        rounds = race((us, *running), expected, times=times, measure=measure, warm_ups=0)
    print(f"{records:,} opportunities and {records:,} tasks by REST; Airbyte's source by Bulk, as it chooses")
    print("\n".join((report(rounds, OURS), *missing, *failed)))


if __name__ == "__main__":
    command_line(str(__doc__), serve, compare)
