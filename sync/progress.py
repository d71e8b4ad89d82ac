"""What the sync tells while it works; who listens is someone else's choice."""

from typing import Protocol


class Progress(Protocol):
    """Several things may be under way at once; each is known by its name."""

    def start(self, what: str, total: int | None = None) -> None:
        """Something begins; `total` steps, if anyone knows."""
        ...

    def advance(self, what: str, n: int = 1, total: int | None = None) -> None:
        """`n` more steps of `what` are done; of `total`, where that has become known."""
        ...

    def finish(self, what: str) -> None:
        """`what` is done."""
        ...


class _NoProgress:
    """Nobody listens."""

    def start(self, what: str, total: int | None = None) -> None: ...

    def advance(self, what: str, n: int = 1, total: int | None = None) -> None: ...

    def finish(self, what: str) -> None: ...


NO_PROGRESS: Progress = _NoProgress()
