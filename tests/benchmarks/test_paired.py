"""The paired measurement: order, ratio, what a process tells of itself."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.paired import Comparison, Contender, Run, alternate, report, run

ROOT = Path(__file__).parents[2]

SLOW, FAST = Contender("slow", ("slow",)), Contender("fast", ("fast",))


def script(text: str) -> Contender:
    return Contender("script", (sys.executable, "-c", text))


def test_the_order_changes_from_pair_to_pair_and_warm_ups_do_not_count() -> None:
    seen: list[str] = []

    def measure(contender: Contender) -> Run:
        seen.append(contender.name)
        return Run(float(len(seen)), 0.0, 0.0)

    comparison = alternate(SLOW, FAST, times=3, warm_ups=1, measure=measure)
    assert seen == ["fast", "slow", "slow", "fast", "fast", "slow", "slow", "fast"]
    assert [(one.seconds, other.seconds) for one, other in comparison.pairs] == [(3, 4), (6, 5), (7, 8)]


def test_ratios_are_taken_pair_by_pair() -> None:
    pairs = tuple((Run(a, 0, 0), Run(b, 0, 0)) for a, b in ((3.0, 1.0), (8.0, 4.0), (10.0, 2.0)))
    comparison = Comparison(SLOW, FAST, pairs)
    assert comparison.ratios == (3.0, 2.0, 5.0)
    assert "ratio slow / fast: median 3.00 (min 2.00, max 5.00) over 3 pairs" in report(comparison)


def test_a_report_names_minimum_median_maximum_memory_and_rate() -> None:
    pairs = tuple(
        (Run(seconds, 0.5, mib, 100), Run(1.0, 0.1, 9.0)) for seconds, mib in ((2.0, 30.0), (4.0, 40.0), (5.0, 7.0))
    )
    slow, fast = report(Comparison(SLOW, FAST, pairs)).splitlines()[1:3]
    assert slow.split() == ["slow", "2.000", "4.000", "5.000", "0.500", "40", "25"]
    assert fast.split() == ["fast", "1.000", "1.000", "1.000", "0.100", "9"]


def test_a_process_may_say_how_long_the_part_that_counts_took() -> None:
    told = run(script("print('noise'); print('{\"seconds\": 0.25, \"records\": 7}')"))
    assert (told.seconds, told.records) == (0.25, 7)


MEASURED = """
import sys
from benchmarks.paired import Contender, run
for text in ("pass", "x = bytearray(200 * 2**20)"):
    told = run(Contender("script", (sys.executable, "-c", text)))
    print(told.seconds, told.records, told.peak_mib)
"""


def test_a_process_that_says_nothing_counts_whole_with_its_own_memory() -> None:
    """Measured by a small process: a child cannot show less memory than the one it was born from had."""
    told = subprocess.run([sys.executable, "-c", MEASURED], cwd=ROOT, capture_output=True, text=True, check=True)
    small, large = (line.split() for line in told.stdout.splitlines())
    assert float(small[0]) > 0
    assert small[1] == "None"
    assert float(large[2]) - float(small[2]) > 150


def test_a_process_that_fails_is_an_error_with_its_own_words() -> None:
    with pytest.raises(subprocess.CalledProcessError) as raised:
        run(script("raise SystemExit('out of luck')"))
    assert "out of luck" in raised.value.stderr
