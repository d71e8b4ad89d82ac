"""Associations: which record belongs to which, under which association types, readable from both ends."""

from collections.abc import Iterator, Mapping

Pair = tuple[str, str]
Types = tuple[int, ...]

_STANDARD: tuple[tuple[str, str, int, int, str | None], ...] = (
    ("0-1", "0-2", 279, 280, None),
    ("0-1", "0-2", 1, 2, "Primary"),
    ("0-3", "0-1", 3, 4, None),
    ("0-3", "0-2", 341, 342, None),
    ("0-3", "0-2", 5, 6, "Primary"),
    ("0-48", "0-1", 194, 193, None),
    ("0-48", "0-2", 182, 181, None),
    ("0-48", "0-3", 206, 205, None),
    ("0-49", "0-1", 198, 197, None),
    ("0-49", "0-2", 186, 185, None),
    ("0-49", "0-3", 210, 209, None),
    ("0-47", "0-1", 200, 199, None),
    ("0-47", "0-2", 188, 187, None),
    ("0-47", "0-3", 212, 211, None),
    ("0-46", "0-1", 202, 201, None),
    ("0-46", "0-2", 190, 189, None),
    ("0-46", "0-3", 214, 213, None),
    ("0-27", "0-1", 204, 203, None),
    ("0-27", "0-2", 192, 191, None),
    ("0-27", "0-3", 216, 215, None),
    ("0-18", "0-1", 81, 82, None),
    ("0-18", "0-2", 87, 88, None),
    ("0-18", "0-3", 85, 86, None),
    ("0-48", "0-47", 399, 400, None),
    ("0-136", "0-1", 578, 579, "Primary"),
    ("0-136", "0-2", 610, 611, "Primary"),
    ("0-136", "0-3", 582, 583, None),
)
"""from, to, type id, type id of the way back, label."""


class Links:
    """All links. A link is known from both ends at once."""

    def __init__(self) -> None:
        self._ends: dict[Pair, dict[int, dict[int, Types]]] = {}
        self._back: dict[tuple[Pair, int], int] = {}
        self.labels: dict[tuple[Pair, int], str | None] = {}
        self.categories: dict[tuple[Pair, int], str] = {}
        self._known: dict[Pair, list[int]] = {}
        self._next_own = 17
        for source, target, forward, back, label in _STANDARD:
            self._define((source, target), forward, back, label, "HUBSPOT_DEFINED")

    def define_own(self, source: str, target: str, label: str | None = None) -> int:
        """A new association type between a custom object and another one; returns the id of the way there."""
        forward, back = self._next_own, self._next_own + 1
        self._next_own += 2
        self._define((source, target), forward, back, label, "USER_DEFINED")
        return forward

    def _define(self, pair: Pair, forward: int, back: int, label: str | None, category: str) -> None:
        for way, number, other in ((pair, forward, back), (pair[::-1], back, forward)):
            self._back[(way, number)] = other
            self._known.setdefault(way, []).append(number)
            self.labels[(way, number)] = label
            self.categories[(way, number)] = category

    def types(self, source: str, target: str) -> list[int]:
        """The association types between two objects, the unlabelled one first."""
        return self._known.get((source, target), [])

    def default(self, source: str, target: str) -> int | None:
        """The type to use when none is named."""
        return next(iter(self.types(source, target)), None)

    def add(self, source: str, from_id: int, target: str, to_id: int, *types: int) -> bool:
        """Link two records; whether anything is new."""
        pair = (source, target)
        known = self._ends.setdefault(pair, {}).setdefault(from_id, {})
        present = known.get(to_id, ())
        merged = tuple(dict.fromkeys((*present, *types)))
        if merged == present:
            return False
        known[to_id] = merged
        back = tuple(self._back[(pair, number)] for number in merged)
        self._ends.setdefault((target, source), {}).setdefault(to_id, {})[from_id] = back
        return True

    def remove(self, source: str, from_id: int, target: str, to_id: int, *types: int) -> bool:
        """Unlink two records (of these types, or altogether); whether anything was there."""
        pair = (source, target)
        present = self._ends.get(pair, {}).get(from_id, {}).get(to_id)
        if present is None:
            return False
        left = tuple(number for number in present if types and number not in types)
        back = tuple(self._back[(pair, number)] for number in left)
        self._put(pair, from_id, to_id, left)
        self._put((target, source), to_id, from_id, back)
        return True

    def _put(self, pair: Pair, from_id: int, to_id: int, types: Types) -> None:
        if types:
            self._ends[pair][from_id][to_id] = types
            return
        del self._ends[pair][from_id][to_id]
        if not self._ends[pair][from_id]:
            del self._ends[pair][from_id]

    def of(self, source: str, from_id: int, target: str) -> Mapping[int, Types]:
        """What a record is linked to, in the order in which it was linked."""
        return self._ends.get((source, target), {}).get(from_id, {})

    def move(self, source: str, old: int, new: int) -> None:
        """Give everything that hangs on one record to another one."""
        for pair in [pair for pair in self._ends if pair[0] == source]:
            for to_id, types in list(self.of(source, old, pair[1]).items()):
                self.remove(source, old, pair[1], to_id)
                self.add(source, new, pair[1], to_id, *types)

    def each(self) -> Iterator[tuple[str, int, str, int, Types]]:
        """Every link from every end, in a stable order."""
        for (source, target), ends in sorted(self._ends.items()):
            for from_id in sorted(ends):
                for to_id, types in sorted(ends[from_id].items()):
                    yield source, from_id, target, to_id, tuple(sorted(types))

    def drop_type(self, type_id: str) -> None:
        """Forget everything about a custom object."""
        for pair in [pair for pair in self._ends if type_id in pair]:
            del self._ends[pair]
        for key in [key for key in self._back if type_id in key[0]]:
            del self._back[key], self.labels[key], self.categories[key]
            self._known.pop(key[0], None)
