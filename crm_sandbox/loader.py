"""A folder of files → a world: the data set is recognised by its files, several become one company."""

import dataclasses
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from crm_sandbox.loading import maven, neutral, uci
from crm_sandbox.loading.sheet import UnreadableFolder
from crm_sandbox.world import World

__all__ = ["UnreadableFolder", "load"]

RECOGNISED = (
    f"Recognised are: {maven.PIPELINE} with {maven.TEAMS} (Maven CRM Sales Opportunities); "
    f"{' or '.join(uci.FILES)} (UCI Bank Marketing); "
    f"or CSV or JSON Lines files named {', '.join(neutral.KINDS)}"
)


def load(folder: Path, now: datetime) -> World:
    """The company in `folder` and in the folders directly inside it, as it is seen at `now` (aware).

    Raises `UnreadableFolder`, which names file, line and column.
    """
    if now.tzinfo is None:
        raise ValueError("`now` has no time zone: pass an aware datetime, for example datetime.now(UTC).")
    if not folder.is_dir():
        raise UnreadableFolder(f"{folder} is not a folder. Name the folder that holds the files.")
    moment = now.astimezone(UTC).replace(microsecond=0)
    places = (folder, *sorted(path for path in folder.iterdir() if path.is_dir()))
    worlds = [
        source.load(place, moment) for place in places for source in (maven, uci, neutral) if source.is_here(place)
    ]
    if not worlds:
        raise UnreadableFolder(f"Nothing in {folder} is known. {RECOGNISED}.")
    return _one_company(worlds)


def _one_company(worlds: list[World]) -> World:
    """All of them under the first one's currency and time zone. Each thing keeps its key, so keys must differ."""
    first = worlds[0]
    if len(worlds) == 1:
        return first
    united: dict[str, Any] = {
        field: tuple(thing for world in worlds for thing in getattr(world, field)) for field in neutral.KINDS
    }
    for field, things in united.items():
        keys = Counter(thing.key for thing in things if hasattr(thing, "key"))
        twice = next((key for key, times in keys.items() if times > 1), None)
        if twice is not None:
            raise UnreadableFolder(f"Two of the folders hold {field} with the key {twice!r}. Load them one at a time.")
    name = " + ".join(world.name for world in worlds)
    return dataclasses.replace(first, name=name, **united)
