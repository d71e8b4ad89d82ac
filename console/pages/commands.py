"""docs/commands.md: every command with its options, from the program itself."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from console.cli import program
from console.i18n import Speaker
from console.pages.markdown import page, table

HEAD = """# The commands

Every option of every command. These come before or after any command:

| option | does |
| --- | --- |
| `--workspace DIR` | the folder with `kpisync.toml`; default: `KPISYNC_WORKSPACE`, else the current folder |
| `--json` | the result as one JSON document on stdout, and nothing else there |
| `--no-progress` | no progress bars |
| `-v`, `--verbose` | logs every event on stderr |
| `--lang en\\|es` | the language; default: `KPISYNC_LANG`, else the system's |
| `--version` | the version |

Results go to stdout, messages and progress to stderr. A secret is never an argument.

| exit code | means |
| --- | --- |
| 0 | done |
| 1 | failed |
| 2 | wrong usage or settings |
| 3 | done, but with refused records |
| 4 | not allowed to sign in |
| 5 | a guard stopped it; nothing was written |
| 6 | another run holds the lock |"""


def commands_page() -> str:
    """The page."""
    commands = _below(program(Speaker("en")), "kpisync")
    return page(HEAD, *(f"## {name}\n\n{_help(command, name)}" for name, command in commands))


def _below(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Every command below this one by its whole name."""
    for word, inner in getattr(command, "commands", {}).items():
        yield f"{name} {word}", inner
        yield from _below(inner, f"{name} {word}")


def _help(command: Any, name: str) -> str:
    options = [option for option in command.params if option.name != "help"]
    if getattr(command, "commands", None):
        return str(command.help)
    usage = " ".join([name, *map(_in_usage, options)])
    parts = [command.help, f"```text\n{usage}\n```"]
    if options:
        parts.append(table(("option", "does", "default"), map(_row, options)))
    return "\n\n".join(parts)


def _in_usage(option: Any) -> str:
    name, value = max(option.opts, key=len), _value(option)
    if option.param_type_name == "argument":
        return value
    return f"[{name} {value}]" if value else f"[{name}]"


def _value(option: Any) -> str:
    """What stands for an option's value; nothing for a switch."""
    if getattr(option, "is_flag", False):
        return ""
    chosen = option.type_descriptor.annotation
    if isinstance(chosen, type) and issubclass(chosen, StrEnum):
        return "|".join(chosen)
    return str(option.metavar or option.name.upper())


def _row(option: Any) -> tuple[str, str, str]:
    argument = option.param_type_name == "argument"
    names = [_value(option)] if argument else [*option.opts, *option.secondary_opts]
    shown = ", ".join(f"`{name}`" for name in names)
    return shown, option.help or "", "needed" if argument else _default(option)


def _default(option: Any) -> str:
    match option.default:
        case None | False | ():
            return ""
        case True:
            return f"`{option.opts[0]}`"
        case StrEnum(value=value) | value:
            return f"`{value}`"
