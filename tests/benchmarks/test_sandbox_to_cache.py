"""The benchmark of the way into the cache runs, and both contenders carry the same records."""

import re

import pytest

from benchmarks.sandbox_to_cache import compare


@pytest.mark.slow
def test_both_contenders_carry_the_same_objects_and_the_ratio_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    counts = compare(records=30, times=1)
    assert counts == {"kpisync pull → cache": 60, "simple-salesforce → sqlite3": 60}
    said = capsys.readouterr().out
    assert re.search(r'"Opportunity": \[\["Id", .*"Amount"', said)
    assert re.search(r"ratio .* median \d+\.\d\d .* over 1 pairs", said)
