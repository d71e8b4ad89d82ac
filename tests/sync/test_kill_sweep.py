"""A run of 450 rows dies at its boundaries; the next one leaves CRM and ledger as if nothing had happened.

All boundaries: KPISYNC_SWEEP=all uv run pytest tests/sync/test_kill_sweep.py -s
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

FEW = "16"
POINTS = [] if os.environ.get("KPISYNC_SWEEP") == "all" else [FEW]
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("crm", ["salesforce", "hubspot"])
def test_a_run_killed_anywhere_is_finished_by_the_next_one_and_can_be_taken_back(crm: str) -> None:
    # A process of its own: the sweep forks, which the engine's threads in this one would not survive.
    command = [sys.executable, "-m", "tests.sync.kill_sweep", crm, *POINTS]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    swept = json.loads(done.stdout)
    print(swept["said"])
    assert swept["rows"] == 450
    assert len(swept["points"]) >= int(FEW)
    assert (swept["losses"], swept["doubles"], swept["not_back"]) == ([], [], [])
