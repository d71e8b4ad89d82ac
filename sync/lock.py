"""One run a workspace: the lock is the operating system's, so that it falls when its process does."""

from collections.abc import Iterator
from contextlib import contextmanager
from os import getpid
from pathlib import Path

from filelock import FileLock, Timeout

from sync.errors import LockHeld

FILE_NAME = "kpisync.lock"
HOLDER = "kpisync.lock.holder"


@contextmanager
def only_run(workspace: Path, *, wait_seconds: float = 0.0) -> Iterator[None]:
    """Hold the workspace's lock. Raises `LockHeld` if another process has it after `wait_seconds`.

    A lock left behind by a killed process is free: it was the operating system's, not the file's.
    """
    lock, holder = FileLock(workspace / FILE_NAME), workspace / HOLDER
    try:
        lock.acquire(timeout=wait_seconds)
    except Timeout as taken:
        raise LockHeld(
            "KPI-LOCK-001",
            f"Another run works in {workspace}{_who(holder)}; this one did nothing.",
            "Wait until it has finished. `kpisync status` shows what it does.",
        ) from taken
    try:
        holder.write_text(str(getpid()), encoding="utf-8")
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _who(holder: Path) -> str:
    try:
        return f" (process {holder.read_text(encoding='utf-8')})"
    except OSError:
        return ""
