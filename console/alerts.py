"""Tells whoever looks after kpisync that a run was stopped or failed: in the log, and by the program of the settings.

Once for each trouble, not once for each run: a schedule meets the same wall every hour.
"""

import logging
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from connectors.errors import CrmError, GuardStopped
from console.workspace import Workspace
from sync.errors import LockHeld
from sync.push import stopped_early
from sync.run import Report

log = logging.getLogger("kpisync.alerts")

SECONDS = 30
"""How long the program may take."""


@contextmanager
def told_to_ops(workspace: Workspace, connection: str) -> Iterator[None]:
    """A CRM error that comes through here is told before it goes on. Another run's lock is no trouble."""
    try:
        yield
    except LockHeld:
        raise
    except CrmError as trouble:
        if _is_news(workspace, connection, trouble):
            _tell(workspace, connection, trouble)
        raise


def tell_refusals(workspace: Workspace, connection: str, report: Report) -> None:
    """What the CRM refused, for the log of a schedule that nobody watches; an alert if it was too much to go on."""
    if report.refused:
        first = report.refused[0]
        about = {"connection": connection, "refused": len(report.refused), "first": first.code, "why": first.reason}
        log.warning("run.refused", extra={**about, "advice": first.advice})
    trouble = stopped_early(len(report.refused), report.unsent)
    if trouble is not None and not _stopped_so_before(workspace, connection):
        _tell(workspace, connection, trouble)


def _stopped_so_before(workspace: Workspace, connection: str) -> bool:
    with workspace.ledger(connection) as ledger:
        return any(one.counts.get("unsent") for one in ledger.runs(limit=2)[1:])


def _is_news(workspace: Workspace, connection: str, trouble: CrmError) -> bool:
    """Whether the run before this one ended otherwise. A cache that cannot be opened is always news."""
    try:
        with workspace.ledger(connection) as ledger:
            ended = [one for one in ledger.runs(limit=2) if one.finished is not None]
    except CrmError:
        return True
    return len(ended) < 2 or ended[1].code != trouble.code


def _tell(workspace: Workspace, connection: str, trouble: CrmError) -> None:
    state = "stopped" if isinstance(trouble, GuardStopped) else "failed"
    log.error(f"run.{state}", extra={"connection": connection, "code": trouble.code, "why": trouble.message})
    command = workspace.settings.alerts.command
    if command:
        _run(command, connection, state, trouble)


def _run(command: list[str], connection: str, state: str, trouble: CrmError) -> None:
    """The sentence on the program's stdin, its parts in the environment, without our secrets.

    What goes wrong here must not hide the trouble itself.
    """
    about = {"CONNECTION": connection, "STATE": state, "CODE": trouble.code, "ADVICE": trouble.advice}
    others = {name: value for name, value in os.environ.items() if not name.startswith("KPISYNC_")}
    environment = {**others, **{f"KPISYNC_ALERT_{name}": value for name, value in about.items()}}
    try:
        subprocess.run(  # noqa: S603 - the admin's own program, named word by word in kpisync.toml
            command,
            input=f"kpisync {connection} {state}. {trouble}\n",
            env=environment,
            text=True,
            timeout=SECONDS,
            check=True,
            capture_output=True,
        )
    except (OSError, subprocess.SubprocessError) as failure:
        log.warning("alert.failed", extra={"command": command[0], "why": str(failure)})
