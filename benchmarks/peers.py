"""What a race against peers needs: each in an environment of its own, one server, records counted, rounds in turn.

`benchmarks.peers_salesforce` and `benchmarks.peers_hubspot` are the races. A contender's time is taken twice: its whole
process, start-up included, and only from the moment at which the server saw its first request until its process ended.
"""

import argparse
import json
import os
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

ROOT = Path(__file__).parents[1]

MEGABYTE = 1_000_000

POINTING = Path(__file__).with_name("pointing")
"""The folder whose `sitecustomize` sends a peer's calls to the pretend CRM."""

FIRST_CALL = "/_control/first-call"
"""Where the server of a race tells when its first request came; see `benchmarks.peers_serving`."""

A_RECORD = re.compile(rb'\A\{"type": ?"RECORD", ?(?:"record": ?\{)?"stream": ?"([^"]+)"')
"""A record on stdout: singer's names its stream next to its type, Airbyte's inside the record."""


class NotInstalled(Exception):
    """A peer could not be had; the text is what the installer said last."""


@dataclass(frozen=True)
class Start:
    """How one run of a contender is started. `landed` counts what lies in its own database at the end, by stream, if
    it has one; otherwise the records on its stdout count."""

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    landed: Callable[[], Mapping[str, int]] | None = None


@dataclass(frozen=True)
class Contender:
    """A name, and what to start in a fresh folder."""

    name: str
    start: Callable[[Path], Start]


@dataclass(frozen=True)
class Run:
    """One process: `whole`, `extract` (from the first request on) and `cpu` in seconds, its largest size, what came."""

    whole: float
    extract: float
    cpu: float
    megabytes: float
    arrived: Mapping[str, int]


Round = Mapping[str, Run]
"""One run of each contender, beside each other in time."""


def environment(folder: Path, requirement: str) -> Path:
    """The folder of programs of an environment that holds this package and nothing of ours; made where it is not yet.

    Raises `NotInstalled`.
    """
    home = folder / requirement.replace("==", "-")
    programs, done = home / ("Scripts" if sys.platform == "win32" else "bin"), home / "installed"
    if done.exists():
        return programs
    shutil.rmtree(home, ignore_errors=True)
    uv = shutil.which("uv")
    venv.create(home, with_pip=uv is None)
    python = str(programs / "python")
    pip = [uv, "pip", "install", "--python", python] if uv else [python, "-m", "pip", "install"]
    installed = subprocess.run([*pip, "--quiet", requirement], capture_output=True, text=True)
    if installed.returncode:
        raise NotInstalled((installed.stderr.strip().splitlines() or ["the installer said nothing"])[-1])
    done.touch()
    return programs


def pointed_at(url: str) -> dict[str, str]:
    """The variables that send a peer's calls to this server."""
    return {"KPISYNC_BENCH_CRM": url, "PYTHONPATH": str(POINTING)}


def kpisync_pull(settings: str, secrets: Mapping[str, str], folder: Path) -> Start:
    """`kpisync pull` in a folder with these settings."""
    (folder / "kpisync.toml").write_text(settings)
    return Start(
        (sys.executable, "-c", "from console.cli import main; main()", "--no-progress", "pull"),
        {"PYTHONPATH": str(ROOT), **{f"KPISYNC_RACE_{name}": secret for name, secret in secrets.items()}},
        partial(rows_in, folder / "kpisync.db", ("deal", "interaction")),
    )


def installed(
    makers: Mapping[str, Callable[[Path], Contender]],
    folder: Path,
    environment: Callable[[Path, str], Path] = environment,
) -> tuple[list[Contender], list[str]]:
    """Those that could be installed and know what there is to read, and a sentence on each of the others."""
    contenders: list[Contender] = []
    failed: list[str] = []
    for requirement, maker in makers.items():
        try:
            contenders.append(maker(environment(folder, requirement)))
        except NotInstalled as missing:
            failed.append(f"{requirement} could not be installed: {missing}")
        except subprocess.CalledProcessError as failure:
            last = (str(failure.stderr).strip().splitlines() or ["it said nothing"])[-1]
            failed.append(f"{requirement} could not find out what there is to read: {last}")
    return contenders, failed


def found_out(command: Sequence[str], config: Any, url: str) -> Any:
    """What a peer says it can read here: its last JSON value that holds streams."""
    with tempfile.TemporaryDirectory() as folder:
        whole = (*command, "--config", written(Path(folder) / "config.json", config))
        done = subprocess.run(whole, env={**os.environ, **pointed_at(url)}, check=True, capture_output=True, text=True)
    return catalog_in(done.stdout)


def catalog_in(said: str) -> Any:
    """Singer's peers print their catalog over many lines and nothing else, Airbyte's in one line among its logs."""
    lines = [line for line in said.splitlines() if line.startswith('{"type":"CATALOG"')]
    return json.loads(lines[-1] if lines else said)


def rows_in(database: Path, tables: Sequence[str]) -> dict[str, int]:
    """How many rows these tables of a SQLite file hold."""
    with sqlite3.connect(database) as opened:
        return {table: opened.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}


def written(path: Path, content: Any) -> str:
    """The path of a JSON file with this content."""
    path.write_text(json.dumps(content))
    return str(path)


def count_records(lines: Iterable[bytes]) -> Counter[str]:
    """How many records of which stream a peer wrote; schemas, states and logs are none."""
    found = (A_RECORD.match(line[:200]) for line in lines)
    return Counter(record[1].decode() for record in found if record)


def run(contender: Contender, url: str) -> Run:
    """One process from start to end, in an empty folder. Raises CalledProcessError with what it complained about."""
    _forget_first_call(url)
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as complaints:
        start = contender.start(Path(folder))
        begun = time.monotonic()
        process = subprocess.Popen(
            start.command,
            stdout=subprocess.PIPE,
            stderr=complaints,
            cwd=folder,
            env={**os.environ, **start.environment},
        )
        assert process.stdout is not None
        with closing(process.stdout):
            arrived: Mapping[str, int] = count_records(process.stdout)
        _, status, used = os.wait4(process.pid, 0)  # the only way to the memory of exactly this child
        ended = time.monotonic()
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            complaints.seek(0)
            said = complaints.read().decode(errors="replace")
            raise subprocess.CalledProcessError(process.returncode, start.command, stderr=said)
        if start.landed:
            arrived = start.landed()
    first = _first_call(url)
    size = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    done = Run(ended - begun, ended - first, used.ru_utime + used.ru_stime, size / MEGABYTE, arrived)
    print(f"{contender.name}: {done.whole:.2f} s, {done.cpu:.2f} s of them computing", file=sys.stderr, flush=True)
    return done


def _first_call(url: str) -> float:
    """When the server saw the first request since it was told to forget, on the clock that all processes share."""
    with urlopen(url + FIRST_CALL) as answer:
        return float(json.load(answer))


def _forget_first_call(url: str) -> None:
    with urlopen(Request(url + FIRST_CALL, method="DELETE")):
        pass


def race(
    contenders: Sequence[Contender],
    expected: Mapping[str, Mapping[str, int]],
    *,
    times: int,
    measure: Callable[[Contender], Run],
    warm_ups: int = 1,
) -> list[Round]:
    """Rounds in which each runs once, another one first each time. Raises SystemExit where other records arrived than
    `expected` says for that contender: who reads less is no peer."""
    rounds: list[Round] = []
    for number in range(-warm_ups, times):
        begin = number % len(contenders)
        turn = {each.name: measure(each) for each in (*contenders[begin:], *contenders[:begin])}
        for name, one in turn.items():
            if dict(one.arrived) != dict(expected[name]):
                raise SystemExit(f"{name} brought {dict(one.arrived)} instead of {dict(expected[name])}.")
        if number >= 0:
            rounds.append(turn)
    return rounds


def runnable(contenders: Iterable[Contender], measure: Callable[[Contender], Run]) -> tuple[list[Contender], list[str]]:
    """Those whose first run ends well, and a sentence on each of the others."""
    running: list[Contender] = []
    failed: list[str] = []
    for each in contenders:
        try:
            measure(each)
        except subprocess.CalledProcessError as failure:
            last = (str(failure.stderr).strip().splitlines() or ["it said nothing"])[-1]
            failed.append(f"{each.name} could not be run: {last}")
        else:
            running.append(each)
    return running, failed


def report(rounds: Sequence[Round], ours: str) -> str:
    """A table of all contenders, and for each peer how many times as long as ours it took."""
    names = list(rounds[0])
    width = max(map(len, names))
    clocks = "  ".join(f"{clock:>26}" for clock in ("whole process, s", "from the first request, s", "computing, s"))
    head = f"{'':{width}}  {clocks}  {'peak MB':>8}"
    lines = [_line(name, [turn[name] for turn in rounds], width) for name in names]
    ratios = [_ratios(name, ours, rounds) for name in names if name != ours]
    return "\n".join((head, *lines, *ratios, f"min, median, max over {len(rounds)} rounds"))


def _line(name: str, runs: Sequence[Run], width: int) -> str:
    times = (_three([each.whole for each in runs]), _three([each.extract for each in runs]))
    peak = max(each.megabytes for each in runs)
    return f"{name:{width}}  {'  '.join(times)}  {_three([each.cpu for each in runs])}  {peak:8.0f}"


def _ratios(name: str, ours: str, rounds: Sequence[Round]) -> str:
    """Round by round: two neighbours in time meet the same machine."""
    pairs = [(turn[name], turn[ours]) for turn in rounds]
    return (
        f"{name} / {ours}: whole process {_ratio([one.whole / other.whole for one, other in pairs])}; "
        f"from the first request {_ratio([one.extract / other.extract for one, other in pairs])}; "
        f"computing {_ratio([one.cpu / other.cpu for one, other in pairs])}"
    )


def _three(values: Sequence[float]) -> str:
    return f"{min(values):8.2f} {statistics.median(values):8.2f} {max(values):8.2f}"


def _ratio(ratios: Sequence[float]) -> str:
    return f"{statistics.median(ratios):.2f} (min {min(ratios):.2f}, max {max(ratios):.2f})"


def command_line(about: str, serve: Callable[[int], None], compare: Callable[[int, int, Path], None]) -> None:
    """What both races take: how many records of each of the two objects, how many rounds, where the peers are kept."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="?", default="compare", choices=("compare", "serve"))
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--environments", type=Path, help="where the peers are kept; default: made anew each time")
    asked = parser.parse_args()
    if asked.part == "serve":
        serve(asked.records)
        return
    with tempfile.TemporaryDirectory() as passing:
        folder = asked.environments or Path(passing)
        compare(asked.records, asked.times, folder.absolute())
