"""Our own neutral format: one CSV or JSON Lines file for each kind of thing in a world.

The files are named after the world's fields: `sellers.csv`, `prospects.jsonl`, `calls.csv` … and hold the columns (or
keys) of that kind, in any order; optional ones may be left out. `world.json` may give `name`, `time_zone`, `currency`
and `fiscal_year_start`.

In CSV an empty cell means "nothing"; moments are ISO 8601 with an offset or `Z`; a list is joined with `;`
(`people`: `pat;kim`), a pair with `=` (`splits`: `ana=60;zoe=40`, `owners`: `2026-01-05T09:00:00Z=ana`).
"""

import dataclasses
import re
import types
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import msgspec

from crm_sandbox.loading.checks import check_references, check_values, in_utc
from crm_sandbox.loading.sheet import Place, UnreadableFolder, rows
from crm_sandbox.world import World

KINDS: dict[str, type] = {
    name: get_args(hint)[0] for name, hint in get_type_hints(World).items() if get_origin(hint) is tuple
}
"""The world's fields that are files, with the kind of thing in each."""


class _Header(msgspec.Struct, forbid_unknown_fields=True):
    name: str = "A company"
    time_zone: str = "UTC"
    currency: str = "USD"
    fiscal_year_start: int = 1


def is_here(folder: Path) -> bool:
    return any(_file(folder, field) for field in KINDS)


def load(folder: Path, now: datetime) -> World:
    placed = {field: tuple(_things(path, kind)) for field, kind in KINDS.items() if (path := _file(folder, field))}
    check_references(placed)
    things = {field: tuple(thing for _, thing in page) for field, page in placed.items()}
    header = _header(folder / "world.json")
    return World(header.name, now, header.time_zone, header.currency, header.fiscal_year_start, **things)


def _file(folder: Path, field: str) -> Path | None:
    found = [path for ending in ("csv", "jsonl") if (path := folder / f"{field}.{ending}").is_file()]
    if len(found) > 1:
        raise UnreadableFolder(f"{folder.name} holds both {found[0].name} and {found[1].name}. Remove one of them.")
    return found[0] if found else None


def _header(path: Path) -> _Header:
    if not path.is_file():
        return _Header()
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Header)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnreadableFolder(f"{path.name}: {error}.") from error


def _things(path: Path, kind: type) -> Iterator[tuple[Place, Any]]:
    known = [column.name for column in dataclasses.fields(kind)]
    for place, facts in (_csv if path.suffix == ".csv" else _json_lines)(path, kind):
        unknown = next((column for column in facts if column not in known), None)
        if unknown:
            place.wrong(unknown, f"there is no such column; known are {', '.join(known)}")
        yield place, _thing(place, kind, facts)


def _thing(place: Place, kind: type, facts: dict[str, Any]) -> Any:
    try:
        thing: Any = msgspec.convert(facts, kind, strict=False)
    except msgspec.ValidationError as error:
        place.wrong(*_complaint(str(error)))
    check_values(place, thing)
    return in_utc(thing)


def _complaint(message: str) -> tuple[str | None, str]:
    """(column, what is wrong) from msgspec's words: "Expected `int`, got `str` - at `$.seconds`"."""
    if missing := re.search(r"missing required field `(\w+)`", message):
        return missing[1], "it is missing"
    words, _, where = message.partition(" - at ")
    column = re.search(r"\$\.(\w+)", where)
    return column[1] if column else None, words


def _json_lines(path: Path, kind: type) -> Iterator[tuple[Place, dict[str, Any]]]:
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        place = Place(path.name, number)
        try:
            facts = msgspec.json.decode(line) if line.strip() else None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            place.wrong(None, str(error))
        if facts is not None and not isinstance(facts, dict):
            place.wrong(None, "a line holds one JSON object")
        if facts is not None:
            yield place, facts


def _csv(path: Path, kind: type) -> Iterator[tuple[Place, dict[str, Any]]]:
    for row in rows(path, ()):
        yield Place(row.file, row.line), dict(_cells(kind, row.cells))


def _cells(kind: type, cells: Any) -> Iterator[tuple[str, Any]]:
    shapes = _shapes(kind)
    for column, text in cells.items():
        shape = shapes.get(column, "text")
        if shape == "list":
            yield column, tuple(filter(None, text.split(";")))
        elif shape == "pairs":
            yield column, tuple(tuple(part or None for part in pair.split("=", 1)) for pair in text.split(";") if pair)
        elif text:
            yield column, text
        elif shape == "nullable":
            yield column, None


@cache
def _shapes(kind: type) -> dict[str, str]:
    """How a column's cell is written: text, nullable, list or pairs."""
    return {name: _shape(hint) for name, hint in get_type_hints(kind).items()}


def _shape(hint: Any) -> str:
    if get_origin(hint) is tuple:
        return "pairs" if get_origin(get_args(hint)[0]) is tuple else "list"
    return "nullable" if isinstance(hint, types.UnionType) else "text"
