"""A pretend CRM in a process of its own, for as long as a benchmark needs it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def served(module: str, *words: str) -> Iterator[str]:
    """`python -m MODULE serve WORDS`, which serves until its stdin ends; the first line that it says."""
    command = (sys.executable, "-m", module, "serve", *words)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()
