"""`kpisync`: builds the program, reads the global options wherever they stand, and turns errors into exit codes."""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn

import typer
import typer.main

from config.errors import OwnKpiError, SettingsError
from config.settings import make_own_kpis_known
from connectors.errors import CrmError, GuardStopped, NotAllowed
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
    ("demo", "demo", TRY),
    ("sandbox", "sandbox", TRY),
    ("init", "setup", SET_UP),
    ("connect", "connect", SET_UP),
    ("disconnect", "connect", SET_UP),
    ("doctor", "setup", SET_UP),
    ("provision", "setup", SET_UP),
    ("unprovision", "setup", SET_UP),
    ("pull", "everyday", EVERYDAY),
    ("compute", "everyday", EVERYDAY),
    ("plan", "everyday", EVERYDAY),
    ("push", "everyday", EVERYDAY),
    ("run", "everyday", EVERYDAY),
    ("rollback", "everyday", EVERYDAY),
    ("kpis", "numbers", NUMBERS),
    ("values", "numbers", NUMBERS),
    ("explain", "numbers", NUMBERS),
    ("leads", "numbers", NUMBERS),
    ("serve", "operate", OPERATE),
    ("status", "operate", OPERATE),
)
"""A command, the module of `console.commands` that has its function, and its panel in the help."""

WITHOUT_SETTINGS = ("demo", "sandbox", "init")
"""Commands that have nothing to do with the KPIs of the workspace that they are called in."""

GROUPS = (
    ("target", "targets", NUMBERS),
    ("period", "periods", NUMBERS),
    ("schedule", "operate", OPERATE),
    ("runs", "operate", OPERATE),
)
"""The same for commands that have commands below them."""


def program(say: Speaker, only: str | None = None) -> Any:
    """The whole program, its help in the speaker's language; or with `only` one command of it.

    A module is loaded for the commands that are wanted: a pull has no use for the web server and the pretend CRMs,
    which would double its start and take a fifth of its memory.
    """
    app = typer.Typer(
        name="kpisync",
        help="Sales KPIs from Salesforce and HubSpot: pulled, computed, explained, written back.",
        epilog=GLOBAL_HELP,
        no_args_is_help=True,
        add_completion=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
    )
    app.callback()(_no_options_of_its_own)  # without one Typer takes a single command for the whole program
    for name, module, panel in COMMANDS:
        if only in (None, name):
            app.command(name, rich_help_panel=say(panel))(_of(module, f"{name}_command"))
    for name, module, panel in GROUPS:
        if only in (None, name):
            app.add_typer(_of(module, f"{name}_app"), name=name, rich_help_panel=say(panel))
    command = typer.main.get_command(app)
    _translate(command, say)
    return command


def _no_options_of_its_own() -> None:
    """The global options are read before, wherever they stand."""


def _of(module: str, name: str) -> Any:
    return getattr(import_module(f"console.commands.{module}"), name)


def _wanted(rest: Sequence[str]) -> str | None:
    """The command that was called, None where all have to be known: for the help, or because it is none of them."""
    first = rest[0] if rest else ""
    return first if any(first == name for name, *_ in (*COMMANDS, *GROUPS)) else None


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
        done = program(session.say, _wanted(rest)).main(
            args=rest, prog_name="kpisync", obj=session, standalone_mode=False
        )
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
