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

from console.errors import BY_CODE
from console.i18n import Speaker
from console.progress import Bars
from sync.progress import NO_PROGRESS, Progress

WIDE = 200
"""How wide a table is where no terminal says: wide enough for a key."""


def _console(stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, width=None if stream.isatty() else WIDE)


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
    out: Console = field(default_factory=lambda: _console(stderr=False))
    err: Console = field(default_factory=lambda: _console(stderr=True))

    def tell(self, sentence: str, /, **values: object) -> None:
        """A message for people, on stderr."""
        self.err.print(self.say(sentence, **values), highlight=False, markup=False, soft_wrap=True)

    def tell_code(self, code: str) -> None:
        """What an error code means, for those who do not read English: the messages themselves are English."""
        if self.say.language != "en" and code in BY_CODE:
            known, language = BY_CODE[code], self.say.language
            self.tell(
                "{code}: {title}. {fix}", code=code, title=known.title.said(language), fix=known.fix.said(language)
            )

    def result(self, document: Any, *shown: Table | str) -> None:
        """The command's result: `document` with --json, else what is `shown`."""
        if self.as_json:
            self.document(document)
            return
        for part in shown:
            self.table(part)

    def document(self, document: Any, file: Path | None = None) -> None:
        """A JSON document."""
        plain = msgspec.to_builtins(document, str_keys=True)
        self.text(json.dumps(plain, ensure_ascii=False, indent=2) + "\n", file)

    def text(self, text: str, file: Path | None = None) -> None:
        """Text as it is."""
        if file is None:
            sys.stdout.write(text)
        else:
            file.write_text(text, encoding="utf-8")
            self.tell("Written to {file}.", file=file)

    def table(self, table: Table | str, file: Path | None = None) -> None:
        """Something drawn for a terminal."""
        if file is None:
            self.out.print(table, highlight=False, markup=False)
            return
        with file.open("w", encoding="utf-8") as out:
            Console(file=out, width=WIDE).print(table, highlight=False, markup=False)
        self.tell("Written to {file}.", file=file)

    @contextmanager
    def progress(self) -> Iterator[Progress]:
        """Bars where a person watches, silence elsewhere."""
        if not self.show_progress or not sys.stderr.isatty():
            yield NO_PROGRESS
            return
        with Bars(self.err, self.say.word) as bars:
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
        told = " ".join(
            f"{name}={json.dumps(value, ensure_ascii=False, default=str)}" for name, value in fields.items()
        )
        moment = self.formatTime(record, "%H:%M:%S")
        return f"{moment} {record.levelname.lower()} {record.getMessage()} {told}".rstrip()
