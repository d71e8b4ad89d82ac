"""Runs two commands alternately, each time in a fresh process, and compares them pair by pair.

    python -m benchmarks.paired --times 7 "python -c 'sum(range(10**7))'" "python -c 'sum(range(10**6))'"

A machine that others use too makes single times worthless; the ratio of two neighbours in time stays. A command may say
how long the part that counts took, and how many records it did, in JSON on its last line: `{"seconds": 1.5,
"records": 40000}`. Otherwise the whole process counts.
"""

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO, Any


@dataclass(frozen=True)
class Contender:
    """A name for the report and a command line."""

    name: str
    command: tuple[str, ...]


@dataclass(frozen=True)
class Run:
    """One process. `seconds` is the part that counts, `cpu` and `peak_mib` are the whole process's.

    A process that needs less memory than the measuring one shows that one's (about 15 MiB): it was born from it.
    """

    seconds: float
    cpu: float
    peak_mib: float
    records: int | None = None


@dataclass(frozen=True)
class Comparison:
    """Runs number i of both stood beside each other in time."""

    first: Contender
    second: Contender
    pairs: tuple[tuple[Run, Run], ...]

    @property
    def ratios(self) -> tuple[float, ...]:
        """How many times as long the first took as the second, pair by pair."""
        return tuple(one.seconds / other.seconds for one, other in self.pairs)


def run(contender: Contender) -> Run:
    """One process from start to end. Raises CalledProcessError with what it wrote to stderr."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as complaints:
        begun = time.perf_counter()
        process = subprocess.Popen(contender.command, stdout=out, stderr=complaints)
        _, status, used = os.wait4(process.pid, 0)  # the only way to the memory of exactly this child
        whole = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        said, errors = _content(out), _content(complaints)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, contender.command, said, errors)
    told = _told(said)
    peak_mib = used.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    return Run(told.get("seconds", whole), used.ru_utime + used.ru_stime, peak_mib, told.get("records"))


def alternate(
    first: Contender, second: Contender, *, times: int, warm_ups: int = 1, measure: Callable[[Contender], Run] = run
) -> Comparison:
    """`times` pairs, the order changing from pair to pair, after some that do not count."""
    pairs = []
    for number in range(-warm_ups, times):
        if number % 2:
            other = measure(second)
            pair = (measure(first), other)
        else:
            pair = (measure(first), measure(second))
        if number >= 0:
            pairs.append(pair)
    return Comparison(first, second, tuple(pairs))


def report(comparison: Comparison) -> str:
    """A table of both, and the ratio of times with its spread."""
    names = (comparison.first.name, comparison.second.name)
    sides: tuple[list[Run], list[Run]] = (
        [one for one, _ in comparison.pairs],
        [other for _, other in comparison.pairs],
    )
    width = max(map(len, names))
    head = f"{'':{width}}  {'min':>8} {'median':>8} {'max':>8}  {'cpu':>8}  {'peak MiB':>8}  {'records/s':>10}"
    lines = [_line(name, runs, width) for name, runs in zip(names, sides, strict=True)]
    ratios = comparison.ratios
    middle = statistics.median(ratios)
    ratio = f"ratio {names[0]} / {names[1]}: median {middle:.2f} (min {min(ratios):.2f}, max {max(ratios):.2f})"
    return "\n".join((head, *lines, f"{ratio} over {len(ratios)} pairs; seconds, less is faster"))


def _line(name: str, runs: Sequence[Run], width: int) -> str:
    seconds = [each.seconds for each in runs]
    middle = statistics.median(seconds)
    cpu = statistics.median(each.cpu for each in runs)
    peak = max(each.peak_mib for each in runs)
    records = runs[0].records
    rate = f"{records / middle:>10,.0f}" if records else f"{'':>10}"
    return f"{name:{width}}  {min(seconds):8.3f} {middle:8.3f} {max(seconds):8.3f}  {cpu:8.3f}  {peak:8.0f}  {rate}"


def _content(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


def _told(said: str) -> dict[str, Any]:
    lines = said.strip().splitlines()
    try:
        told = json.loads(lines[-1]) if lines else None
    except json.JSONDecodeError:
        return {}
    return told if isinstance(told, dict) else {}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("first", help="a command line")
    parser.add_argument("second", help="the one to compare it with")
    parser.add_argument("--times", type=int, default=7, help="how many pairs count")
    asked = parser.parse_args(arguments)
    first, second = (Contender(line, tuple(shlex.split(line))) for line in (asked.first, asked.second))
    print(report(alternate(first, second, times=asked.times)))


if __name__ == "__main__":
    main()
