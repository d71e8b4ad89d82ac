"""`kpisync`: builds the program, reads the global options wherever they stand, and turns errors into exit codes."""

import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn

import typer
import typer.main

from config.errors import OwnKpiError, SettingsError
from config.settings import make_own_kpis_known
from connectors.errors import CrmError, GuardStopped, NotAllowed
from console.commands import connect, demo, everyday, numbers, operate, periods, sandbox, setup, targets
from console.exit_codes import Exit
from console.i18n import Speaker, language_of
from console.session import Session, log_to_stderr
from sync.errors import LockHeld

FLAGS = {"--json": "as_json", "--no-progress": "no_progress", "-v": "verbose", "--verbose": "verbose"}
VALUES = {"--workspace": "workspace", "--lang": "lang"}

GLOBAL_HELP = """Options of every command: --workspace DIR, --json, --no-progress, -v, --lang en|es.

Exit codes: 0 done · 1 failed · 2 wrong usage or settings · 3 done, but with refused records ·
4 not allowed to sign in · 5 a guard stopped it (nothing written) · 6 another run holds the lock."""

SET_UP, EVERYDAY, OPERATE, NUMBERS, TRY = "Set up", "Everyday", "Operate", "Numbers", "Try"

COMMANDS = (
    ("demo", demo.demo_command, TRY),
    ("sandbox", sandbox.sandbox_command, TRY),
    ("init", setup.init_command, SET_UP),
    ("connect", connect.connect_command, SET_UP),
    ("disconnect", connect.disconnect_command, SET_UP),
    ("doctor", setup.doctor_command, SET_UP),
    ("provision", setup.provision_command, SET_UP),
    ("unprovision", setup.unprovision_command, SET_UP),
    ("pull", everyday.pull_command, EVERYDAY),
    ("compute", everyday.compute_command, EVERYDAY),
    ("plan", everyday.plan_command, EVERYDAY),
    ("push", everyday.push_command, EVERYDAY),
    ("run", everyday.run_command, EVERYDAY),
    ("rollback", everyday.rollback_command, EVERYDAY),
    ("kpis", numbers.kpis_command, NUMBERS),
    ("values", numbers.values_command, NUMBERS),
    ("explain", numbers.explain_command, NUMBERS),
    ("leads", numbers.leads_command, NUMBERS),
    ("serve", operate.serve_command, OPERATE),
    ("status", operate.status_command, OPERATE),
)

WITHOUT_SETTINGS = ("demo", "sandbox", "init")
"""Commands that have nothing to do with the KPIs of the workspace that they are called in."""

GROUPS = (
    ("target", targets.target_app, NUMBERS),
    ("period", periods.period_app, NUMBERS),
    ("schedule", operate.schedule_app, OPERATE),
    ("runs", operate.runs_app, OPERATE),
)


def program(say: Speaker) -> Any:
    """The whole program, its help in the speaker's language."""
    app = typer.Typer(
        name="kpisync",
        help="Sales KPIs from Salesforce and HubSpot: pulled, computed, explained, written back.",
        epilog=GLOBAL_HELP,
        no_args_is_help=True,
        add_completion=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
    )
    for name, function, panel in COMMANDS:
        app.command(name, rich_help_panel=say(panel))(function)
    for name, group, panel in GROUPS:
        app.add_typer(group, name=name, rich_help_panel=say(panel))
    command = typer.main.get_command(app)
    _translate(command, say)
    return command


def _translate(command: Any, say: Speaker) -> None:
    """Every help text of a command and of those below it."""
    command.help = say(command.help) if command.help else command.help
    command.epilog = say(command.epilog) if command.epilog else command.epilog
    for option in (*command.params, command.get_help_option(typer.Context(command))):
        if getattr(option, "help", None):
            option.help = say(option.help)
        if hasattr(option, "rich_help_panel"):
            option.rich_help_panel = say("Arguments") if option.param_type_name == "argument" else say("Options")
    for below in getattr(command, "commands", {}).values():
        _translate(below, say)


def global_options(arguments: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """The global options, which may stand before or after the command, and everything else in its order."""
    found: dict[str, Any] = {}
    rest: list[str] = []
    waiting = iter(arguments)
    for word in waiting:
        name, has_value, value = word.partition("=")
        if word in FLAGS:
            found[FLAGS[word]] = True
        elif name in VALUES:
            found[VALUES[name]] = value if has_value else next(waiting, "")
        else:
            rest.append(word)
    return found, rest


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """The command line."""
    found, rest = global_options(sys.argv[1:] if arguments is None else arguments)
    say = Speaker(language_of({"KPISYNC_LANG": found["lang"]} if "lang" in found else dict(os.environ)))
    if rest == ["--version"]:
        sys.stdout.write(f"kpisync {version('kpisync')}\n")
        sys.exit(Exit.DONE)
    session = Session(
        folder=Path(found.get("workspace") or os.environ.get("KPISYNC_WORKSPACE") or "."),
        as_json=found.get("as_json", False),
        show_progress=not found.get("no_progress", False),
        verbose=found.get("verbose", False),
        say=say,
    )
    log_to_stderr(session.verbose)
    sys.exit(_run(session, rest))


def _run(session: Session, rest: list[str]) -> int:
    """The exit code of a command; what went wrong is told on stderr in a sentence with its code and what to do."""
    try:
        if rest and rest[0] not in WITHOUT_SETTINGS and "--help" not in rest:
            make_own_kpis_known(session.folder)
        done = program(session.say).main(args=rest, prog_name="kpisync", obj=session, standalone_mode=False)
        return int(done or Exit.DONE)
    except (SettingsError, CrmError) as error:
        tell_error(session, error)
        return _left_by(error)
    except typer.Exit as done:
        return done.exit_code
    except (typer.Abort, KeyboardInterrupt):
        session.tell("Interrupted; what was finished until then stays.")
        return 130
    except typer.TyperException as error:
        session.tell("{text} See kpisync --help.", text=error)
        return Exit.USAGE


def tell_error(session: Session, error: SettingsError | CrmError) -> None:
    """What went wrong, in the words of whoever found out; in Spanish also what its code means and what to do."""
    told = error.said(session.say.language) if isinstance(error, OwnKpiError) else error
    session.tell("{text}", text=told)
    session.tell_code(error.code)


def _left_by(error: SettingsError | CrmError) -> Exit:
    match error:
        case SettingsError():
            return Exit.USAGE
        case LockHeld():
            return Exit.LOCKED
        case GuardStopped():
            return Exit.GUARD
        case NotAllowed():
            return Exit.NOT_ALLOWED
        case _:
            return Exit.FAILED
