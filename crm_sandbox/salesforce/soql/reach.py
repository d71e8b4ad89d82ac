"""From a name in a query to the value in a row: fields, ways to parents, functions of dates."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from crm_sandbox.salesforce.errors import Refusal
from crm_sandbox.salesforce.fields import Field, Thing
from crm_sandbox.salesforce.schema import NAME, Sight
from crm_sandbox.salesforce.soql.text import Function, Operand, Path, Select, complaint
from crm_sandbox.salesforce.store import Row, Store

Getter = Callable[[Row], Any]

DEEPEST = 5
HINT = "Please reference your WSDL or the describe call for the appropriate names."
DATE_PARTS: dict[str, Callable[[str], Any]] = {
    "CALENDAR_YEAR": lambda day: int(day[:4]),
    "CALENDAR_QUARTER": lambda day: (int(day[5:7]) + 2) // 3,
    "CALENDAR_MONTH": lambda day: int(day[5:7]),
    "DAY_IN_MONTH": lambda day: int(day[8:10]),
    "DAY_ONLY": lambda day: day[:10],
    "HOUR_IN_DAY": lambda day: int(day[11:13]),
}


@dataclass(frozen=True)
class Reached:
    """A column: how to read it, and the field behind it (of the result's type, where a function makes one)."""

    field: Field
    get: Getter


class Reach:
    """Name resolution for one query of one user."""

    def __init__(self, store: Store, sights: Mapping[str, Sight], select: Select, *, all_rows: bool) -> None:
        self.store = store
        self.sights = sights
        self.select = select
        self.all_rows = all_rows
        found = sights.get(select.source.lower())
        if found is None:
            raise self.no_object(select.source, select.source_at)
        self.sight = found

    def no_object(self, name: str, at: int) -> Refusal:
        message = (
            f"sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure to append "
            f"the '__c' after the entity name. {HINT}"
        )
        return complaint("INVALID_TYPE", self.select.text, at, message)

    def operand(self, operand: Operand) -> Reached:
        """Read a field or a function of one."""
        return self.path(operand) if isinstance(operand, Path) else self._function(operand)

    def path(self, path: Path) -> Reached:
        names = self.own_names(path)
        fields, thing = self.sight.fields, self.sight.thing
        get: Getter = _identity
        for name in names[:-1]:
            parent = self._way(fields, name, path, thing)
            get = self._step(get, parent.name)
            thing, fields = self.behind(parent)
        field = fields.get(names[-1].lower())
        if field is None:
            raise self.no_column(path, names[-1], thing)
        return Reached(field, self._leaf(get, field, thing))

    def own_names(self, path: Path) -> tuple[str, ...]:
        """The path without the query's own alias or object name in front."""
        own = {(self.select.alias or "").lower(), self.select.source.lower()}
        names = path.names[1:] if len(path.names) > 1 and path.names[0].lower() in own else path.names
        if len(names) > DEEPEST + 1:
            raise complaint(
                "INVALID_FIELD", self.select.text, path.at, f"{path}: more than {DEEPEST} levels of parents"
            )
        return names

    def way(self, name: str, path: Path) -> Field:
        """The lookup of the query's own object whose way to the parent has this name."""
        return self._way(self.sight.fields, name, path, self.sight.thing)

    def behind(self, parent: Field) -> tuple[Thing, Mapping[str, Field]]:
        """What is seen at the other end of a lookup."""
        if len(parent.refers) != 1:
            return NAME, NAME.fields
        other = self.sights.get(parent.refers[0].lower())
        return (other.thing, other.fields) if other else (NAME, {})

    def parent_row(self, record: str | None) -> tuple[Thing, Row] | None:
        """The row at the other end, unless it is in the recycle bin and the query does not look there."""
        found = self.store.find(record) if record else None
        if found is None or (found[1].get("IsDeleted") and not self.all_rows):
            return None
        return found

    def no_column(self, path: Path, name: str, thing: Thing) -> Refusal:
        message = (
            f"No such column '{name}' on entity '{thing.name}'. If you are attempting to use a custom field, be sure "
            f"to append the '__c' after the custom field name. {HINT}"
        )
        return complaint("INVALID_FIELD", self.select.text, path.at, message)

    def _way(self, fields: Mapping[str, Field], name: str, path: Path, thing: Thing) -> Field:
        wanted = name.lower()
        for field in fields.values():
            if field.parent is not None and field.parent.lower() == wanted:
                return field
        message = (
            f"Didn't understand relationship '{name}' in field path. If you are attempting to use a custom "
            f"relationship, be sure to append the '__r' after the custom relationship name. {HINT}"
        )
        raise complaint("INVALID_FIELD", self.select.text, path.at, message)

    def _step(self, get: Getter, name: str) -> Getter:
        def parent(row: Row) -> Row | None:
            start = get(row)
            found = self.parent_row(start.get(name)) if start is not None else None
            return found[1] if found else None

        return parent

    def _leaf(self, get: Getter, field: Field, thing: Thing) -> Getter:
        name, default = field.name, field.default
        if get is _identity:
            return lambda row: row.get(name, default)
        if thing is NAME and name == "Type":

            def kind(row: Row) -> str | None:
                parent = get(row)
                return self.type_name(parent) if parent is not None else None

            return kind

        def leaf(row: Row) -> Any:
            parent = get(row)
            return parent.get(name, default) if parent is not None else None

        return leaf

    def type_name(self, row: Row) -> str | None:
        """The type that a polymorphic parent reports; a group that owns records is a queue."""
        thing = self.store.schema.of_id(row["Id"])
        if thing is not None and thing.name == "Group":
            return "Queue"
        return thing.name if thing else None

    def _function(self, function: Function) -> Reached:
        if function.name in {"TOLABEL", "FORMAT", "CONVERTTIMEZONE"} and len(function.arguments) == 1:
            return self.operand(function.arguments[0])
        part = DATE_PARTS.get(function.name)
        if part is None or len(function.arguments) != 1:
            message = f"Invalid or unsupported function: {function.name}"
            raise complaint("MALFORMED_QUERY", self.select.text, function.at, message)
        inner = self.operand(function.arguments[0])

        def value(row: Row) -> Any:
            found = inner.get(row)
            return part(found) if found is not None else None

        kind = "date" if function.name == "DAY_ONLY" else "int"
        return Reached(Field(function.name, kind), value)


def _identity(row: Row) -> Any:
    return row
