"""The race against peers: what counts as a record, who goes first, which ratio is told, who is left out and why."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.peers import (
    Contender,
    NotInstalled,
    Run,
    Start,
    catalog_in,
    count_records,
    installed,
    kpisync_pull,
    pointed_at,
    race,
    report,
    rows_in,
    run,
    runnable,
)
from benchmarks.peers_salesforce import configured, selected
from benchmarks.peers_serving import Watched
from benchmarks.sandbox_to_cache import NOW
from crm_sandbox.salesforce import Org
from crm_sandbox.seed import volume_world
from crm_sandbox.serving import Sandbox

LINES = (
    b'{"type": "SCHEMA", "stream": "Task", "schema": {"properties": {"RECORD": {}}}}\n',
    b'{"type": "RECORD", "stream": "Task", "record": {"Id": "00T1"}, "version": 1}\n',
    b'{"type":"RECORD","stream":"deals","record":{"id":"7"},"time_extracted":"2026-11-25T10:30:00Z"}\n',
    b'{"type":"RECORD","record":{"stream":"Opportunity","data":{"Id":"0061"},"emitted_at":1}}\n',
    b'{"type":"LOG","log":{"level":"INFO","message":"{\\"type\\":\\"RECORD\\",\\"stream\\":\\"x\\"}"}}\n',
    b'{"type": "STATE", "value": {"bookmarks": {"Task": {"SystemModstamp": "RECORD"}}}}\n',
    b"INFO a line that is no JSON\n",
)


def told(whole: float, extract: float, cpu: float = 1.0, **arrived: int) -> Run:
    return Run(whole, extract, cpu, 90.0, arrived)


def contender(name: str) -> Contender:
    return Contender(name, lambda _: Start(("true",)))


US, SLOW, FAST = (contender(name) for name in ("ours", "slow", "fast"))


def test_only_records_count_whichever_of_the_two_protocols_writes_them() -> None:
    assert count_records(LINES) == {"Task": 1, "deals": 1, "Opportunity": 1}


def test_another_one_goes_first_each_round_and_a_warm_up_does_not_count() -> None:
    order: list[str] = []

    def measure(each: Contender) -> Run:
        order.append(each.name)
        return told(float(len(order)), 1.0, Task=2)

    expected = {name: {"Task": 2} for name in ("ours", "slow", "fast")}
    rounds = race((US, SLOW, FAST), expected, times=2, measure=measure)
    assert order == ["fast", "ours", "slow", "ours", "slow", "fast", "slow", "fast", "ours"]
    assert [turn["ours"].whole for turn in rounds] == [4.0, 9.0]


def test_who_brings_fewer_records_than_there_are_ends_the_race() -> None:
    with pytest.raises(SystemExit, match=r"slow brought \{'Task': 1\} instead of \{'Task': 2\}"):
        race((SLOW,), {"slow": {"Task": 2}}, times=1, measure=lambda _: told(1.0, 1.0, Task=1))


def test_ratios_are_taken_round_by_round_for_both_clocks_and_the_computing() -> None:
    rounds = [
        {"ours": told(2.0, 1.0, 2.0), "peer": told(8.0, 7.0, 6.0)},
        {"ours": told(5.0, 2.0, 2.0), "peer": told(10.0, 8.0, 8.0)},
        {"ours": told(3.0, 1.0, 2.0), "peer": told(9.0, 9.0, 9.0)},
    ]
    lines = report(rounds, "ours").splitlines()
    assert lines[-2] == (
        "peer / ours: whole process 3.00 (min 2.00, max 4.00); "
        "from the first request 7.00 (min 4.00, max 9.00); computing 4.00 (min 3.00, max 4.50)"
    )
    assert lines[1].split() == ["ours", "2.00", "3.00", "5.00", "1.00", "1.00", "2.00", "2.00", "2.00", "2.00", "90"]
    assert lines[-1] == "min, median, max over 3 rounds"


def test_a_peer_that_cannot_be_installed_or_run_is_named_with_the_reason() -> None:
    def missing(_: Path) -> Contender:
        raise AssertionError("never made")

    def uninstallable(folder: Path, requirement: str) -> Path:
        raise NotInstalled(f"there is no {requirement} in {folder.name}")

    contenders, said = installed({"tap==1": missing}, Path("index"), uninstallable)
    assert (contenders, said) == ([], ["tap==1 could not be installed: there is no tap==1 in index"])

    def measure(each: Contender) -> Run:
        if each is SLOW:
            raise subprocess.CalledProcessError(1, ("slow",), stderr="Traceback\nValueError: no host\n")
        return told(1.0, 1.0)

    running, said = runnable((FAST, SLOW), measure)
    assert (running, said) == ([FAST], ["slow could not be run: ValueError: no host"])


def test_a_singer_catalog_is_left_with_the_asked_objects_and_fields() -> None:
    entries = [{"breadcrumb": [], "metadata": {"table-key-properties": ["Id"]}}] + [
        {"breadcrumb": ["properties", name], "metadata": {"inclusion": "available"}} for name in ("Id", "Amount", "Fax")
    ]
    streams = [{"stream": name, "metadata": json.loads(json.dumps(entries))} for name in ("Opportunity", "Lead")]
    (left,) = selected({"streams": streams}, {"Opportunity": (["Id", "Amount"], True)})["streams"]
    assert left["stream"] == "Opportunity"
    assert left["metadata"][0]["metadata"]["replication-key"] == "SystemModstamp"
    assert [entry["metadata"]["selected"] for entry in left["metadata"]] == [True, True, True, False]


def test_a_catalog_is_found_among_a_peers_logs_or_alone() -> None:
    streams = {"streams": [{"name": "Opportunity"}, {"name": "Lead"}]}
    among_logs = f'{{"type":"LOG","log":{{}}}}\n{{"type":"CATALOG","catalog":{json.dumps(streams)}}}\n'
    assert catalog_in(json.dumps(streams, indent=4)) == streams
    assert configured(catalog_in(among_logs)) == {
        "streams": [
            {
                "stream": {"name": "Opportunity"},
                "sync_mode": "full_refresh",
                "destination_sync_mode": "append",
            }
        ]
    }


A_PEER = """
import os, sys, time
from urllib.request import urlopen
time.sleep(0.3)
urlopen(os.environ["KPISYNC_BENCH_CRM"] + "/services/data").read()
print('{"type": "RECORD", "stream": "Task", "record": {}}')
"""


def test_a_run_counts_what_came_out_and_starts_the_second_clock_at_the_first_request() -> None:
    with Sandbox(Watched(Org(volume_world(NOW, deals=1, calls=1)))) as sandbox:
        peer = Contender("peer", lambda _: Start((sys.executable, "-c", A_PEER), pointed_at(sandbox.url)))
        first, second = (run(peer, sandbox.url) for _ in range(2))
    assert (first.arrived, second.arrived) == ({"Task": 1}, {"Task": 1})
    assert all(0 < one.extract < one.whole - 0.3 for one in (first, second))


def test_the_command_itself_runs_and_its_cache_is_counted() -> None:
    """Ours in a race is `kpisync pull` as it is installed, in a workspace of its own."""
    settings = '[connections.race]\ncrm = "salesforce"\nlogin_url = "{url}"\nclient_id = "sandbox"\n'
    with Sandbox(Watched(Org(volume_world(NOW, deals=7, calls=5)))) as sandbox:
        ours = Contender(
            "ours",
            lambda folder: kpisync_pull(settings.format(url=sandbox.url), {"CLIENT_SECRET": "sandbox-secret"}, folder),
        )
        assert run(ours, sandbox.url).arrived == {"deal": 7, "interaction": 5}


def test_the_hosts_of_the_vendors_are_replaced_inside_a_peers_http_library() -> None:
    asks = "import requests; print(requests.get('https://login.salesforce.com/services/data').json()[0]['version'])"
    with Sandbox(Org(volume_world(NOW, deals=0, calls=0))) as sandbox:
        done = subprocess.run([sys.executable, "-c", asks], env=pointed_at(sandbox.url), capture_output=True, text=True)
    assert done.stdout.strip() == "31.0", done.stderr


def test_rows_are_counted_in_the_tables_of_a_file(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "raw.db") as tables:
        tables.execute("CREATE TABLE Task (Id)")
        tables.execute("INSERT INTO Task VALUES ('1'), ('2'), ('3')")
    assert rows_in(tmp_path / "raw.db", ("Task",)) == {"Task": 3}
