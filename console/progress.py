"""Progress bars for people, plain lines for logs, silence for machines; always on stderr."""

from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn


class Bars:
    """What the sync tells while it works, as bars: one for each thing that is under way."""

    def __init__(self, console: Console, word: Callable[[str], str]) -> None:
        self._word = word
        self._bars = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._open: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bars.stop()

    def start(self, what: str, total: int | None = None) -> None:
        """Something begins; `total` steps, if anyone knows."""
        self._open[what] = self._bars.add_task(self._word(what), total=total)

    def advance(self, what: str, n: int = 1, total: int | None = None) -> None:
        """`n` more steps of `what` are done."""
        if what not in self._open:
            self.start(what, total)
        self._bars.update(self._open[what], advance=n, total=total)

    def finish(self, what: str) -> None:
        """`what` is done."""
        task = self._open.pop(what, None)
        if task is not None:
            self._bars.remove_task(task)
