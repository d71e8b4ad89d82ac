"""One run a workspace."""

import subprocess
import sys
from pathlib import Path

import pytest

from sync.errors import LockHeld
from sync.lock import only_run

HOLD = """
import sys, time
from pathlib import Path
from sync.lock import only_run
with only_run(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_process_is_told_who_holds_the_lock_and_takes_it_over_when_that_one_is_killed(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(LockHeld, match=f"process {holder.pid}"), only_run(tmp_path):
        pass
    holder.kill()
    holder.wait()
    with only_run(tmp_path):
        assert (tmp_path / "kpisync.lock").exists()


def test_a_lock_is_free_again_after_a_failure(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), only_run(tmp_path):
        raise ZeroDivisionError
    with only_run(tmp_path):
        pass
