"""How a row looks in a query's answer: attributes, chosen fields, parents as nested records."""

from collections.abc import Callable, Mapping
from typing import Any

from crm_sandbox.salesforce.fields import Field
from crm_sandbox.salesforce.schema import NAME
from crm_sandbox.salesforce.soql.reach import Getter, Reach
from crm_sandbox.salesforce.soql.text import ByType, Children, Column, Path, Select, complaint
from crm_sandbox.salesforce.store import Row

Shape = Callable[[Row], dict[str, Any]]
ChildList = Callable[[Children], tuple[str, Callable[[Row], Any]]]


def shape_of(reach: Reach, select: Select, version: str, children: ChildList) -> Shape:
    """row → record, as the select list wants it."""
    thing = reach.sight.thing.name
    home = f"/services/data/v{version}/sobjects/"
    plain = _plain_columns(reach, select)
    if plain is not None:
        return _flat(thing, f"{home}{thing}/", plain)
    parts: dict[str, Callable[[Row], Any]] = {}
    branches: dict[str, Branch] = {}
    for item in select.items:
        match item:
            case Children():
                name, listed = children(item)
                parts[name] = listed
            case ByType():
                parent = reach.way(item.parent.names[-1], item.parent)
                parts[parent.parent or parent.name] = _by_type(reach, item, parent, home)
            case Column(operand=Path() as path) if len(reach.own_names(path)) > 1:
                _grow(reach, path, branches, parts, home)
            case Column():
                reached = reach.operand(item.operand)
                parts[item.alias or _heading(reach, item)] = reached.get

    def shaped(row: Row) -> dict[str, Any]:
        record: dict[str, Any] = {"attributes": {"type": thing, "url": f"{home}{thing}/{row['Id']}"}}
        for name, part in parts.items():
            record[name] = part(row)
        return record

    return shaped


def flat_columns(reach: Reach, select: Select) -> list[tuple[str, Getter]]:
    """(heading, reader) of every column, parents by their dotted names, in SELECT order."""
    columns = []
    for item in select.items:
        if isinstance(item, Column):
            reached = reach.operand(item.operand)
            columns.append((item.alias or _heading(reach, item), reached.get))
    return columns


class Branch:
    """A parent in the select list and what is wanted of it."""

    def __init__(self, reach: Reach, way: Field, home: str) -> None:
        self.reach = reach
        self.way = way
        self.home = home
        self.thing, self.fields = reach.behind(way)
        self.leaves: dict[str, Field] = {}
        self.branches: dict[str, Branch] = {}

    def want(self, path: Path, names: tuple[str, ...]) -> None:
        """Add a field of this parent, or of a parent further up."""
        if len(names) == 1:
            field = self.fields.get(names[0].lower())
            if field is None:
                raise self.reach.no_column(path, names[0], self.thing)
            self.leaves[field.name] = field
            return
        further = next((one for one in self.fields.values() if (one.parent or "").lower() == names[0].lower()), None)
        if further is None or further.parent is None:
            message = f"Didn't understand relationship '{names[0]}' in field path."
            raise complaint("INVALID_FIELD", self.reach.select.text, path.at, message)
        self.branches.setdefault(further.parent, Branch(self.reach, further, self.home)).want(path, names[1:])

    def __call__(self, row: Row) -> dict[str, Any] | None:
        found = self.reach.parent_row(row.get(self.way.name))
        if found is None:
            return None
        thing, parent = found
        shown = self.thing.name if self.thing is NAME else thing.name
        record: dict[str, Any] = {"attributes": {"type": shown, "url": f"{self.home}{thing.name}/{parent['Id']}"}}
        for name, field in self.leaves.items():
            is_type = self.thing is NAME and name == "Type"
            record[name] = self.reach.type_name(parent) if is_type else parent.get(name, field.default)
        for name, branch in self.branches.items():
            record[name] = branch(parent)
        return record


def _plain_columns(reach: Reach, select: Select) -> list[tuple[str, Any]] | None:
    """(field, default) of every column, or None where the select list holds more than plain fields."""
    plain = []
    for item in select.items:
        if not (isinstance(item, Column) and isinstance(item.operand, Path) and item.alias is None):
            return None
        if len(reach.own_names(item.operand)) > 1:
            return None
        field = reach.path(item.operand).field
        plain.append((field.name, field.default))
    return plain


def _flat(thing: str, home: str, plain: list[tuple[str, Any]]) -> Shape:
    def shaped(row: Row) -> dict[str, Any]:
        get = row.get
        record = {name: get(name, default) for name, default in plain}
        return {"attributes": {"type": thing, "url": home + row["Id"]}, **record}

    return shaped


def _grow(
    reach: Reach, path: Path, branches: dict[str, Branch], parts: dict[str, Callable[[Row], Any]], home: str
) -> None:
    names = reach.own_names(path)
    way = reach.way(names[0], path)
    name = way.parent or way.name
    if name not in branches:
        branches[name] = Branch(reach, way, home)
        parts[name] = branches[name]
    branches[name].want(path, names[1:])


def _heading(reach: Reach, item: Column) -> str:
    """The column's name in its canonical case."""
    if not isinstance(item.operand, Path):
        return item.alias or reach.operand(item.operand).field.name
    names = reach.own_names(item.operand)
    canonical, fields = [], reach.sight.fields
    for name in names[:-1]:
        way = next(one for one in fields.values() if (one.parent or "").lower() == name.lower())
        canonical.append(way.parent or name)
        fields = reach.behind(way)[1]
    return ".".join([*canonical, fields[names[-1].lower()].name])


def _by_type(reach: Reach, item: ByType, way: Field, home: str) -> Callable[[Row], Any]:
    wanted: Mapping[str, tuple[Path, ...]] = {name.lower(): fields for name, fields in item.cases}

    def shown(row: Row) -> dict[str, Any] | None:
        found = reach.parent_row(row.get(way.name))
        if found is None:
            return None
        thing, parent = found
        record: dict[str, Any] = {"attributes": {"type": thing.name, "url": f"{home}{thing.name}/{parent['Id']}"}}
        for path in wanted.get(thing.name.lower(), item.otherwise):
            field = thing.field(path.names[-1])
            if field is not None:
                record[field.name] = parent.get(field.name, field.default)
        return record

    return shown
