"""One call of the command line: its workspace, how it speaks and where it prints."""

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from console.i18n import Speaker
from console.progress import Bars
from sync.run import NO_PROGRESS, Progress


@dataclass(frozen=True)
class Session:
    """The global options of one call.

    stdout carries the result and nothing else (a table, or with --json one document); stderr carries everything else.
    """

    folder: Path
    as_json: bool = False
    show_progress: bool = True
    verbose: bool = False
    say: Speaker = field(default_factory=Speaker)
    out: Console = field(default_factory=lambda: Console(file=sys.stdout, soft_wrap=not sys.stdout.isatty()))
    err: Console = field(default_factory=lambda: Console(file=sys.stderr, soft_wrap=not sys.stderr.isatty()))

    def tell(self, sentence: str, /, **values: object) -> None:
        """A message for people, on stderr."""
        self.err.print(self.say(sentence, **values), highlight=False, markup=False)

    def result(self, document: Any, *shown: Table | str) -> None:
        """The command's result: `document` with --json, else what is `shown`."""
        if self.as_json:
            sys.stdout.write(json.dumps(msgspec.to_builtins(document), ensure_ascii=False, indent=2) + "\n")
            return
        for part in shown:
            self.out.print(part, highlight=False, markup=False)

    @contextmanager
    def progress(self) -> Iterator[Progress]:
        """Bars where a person watches, silence elsewhere."""
        if not self.show_progress or self.as_json or not sys.stderr.isatty():
            yield NO_PROGRESS
            return
        with Bars(self.err) as bars:
            yield bars


def log_to_stderr(verbose: bool) -> None:
    """Logs are events with fields on stderr: warnings, or everything with -v."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(EventFormatter())
    logger = logging.getLogger("kpisync")
    logger.handlers[:] = [handler]
    logger.setLevel(logging.DEBUG if verbose else logging.WARNING)
    logger.propagate = False


class EventFormatter(logging.Formatter):
    """`12:00:01 info crm.retry why="HTTP 503" wait_seconds=2`."""

    _PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

    def format(self, record: logging.LogRecord) -> str:
        fields = {name: value for name, value in vars(record).items() if name not in self._PLAIN}
        told = " ".join(f"{name}={json.dumps(value, ensure_ascii=False, default=str)}" for name, value in fields.items())
        moment = self.formatTime(record, "%H:%M:%S")
        return f"{moment} {record.levelname.lower()} {record.getMessage()} {told}".rstrip()
