"""WHERE clauses as Python closures: one call a row says whether it is in."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, assert_never
from zoneinfo import ZoneInfo

from crm_sandbox.salesforce.errors import Refusal
from crm_sandbox.salesforce.fields import NUMBERS, TEXTS, Field
from crm_sandbox.salesforce.ids import canonical
from crm_sandbox.salesforce.soql.dates import span
from crm_sandbox.salesforce.soql.reach import Getter, Reach, Reached
from crm_sandbox.salesforce.soql.text import Condition, Every, Literal, Negated, Select, Some, Test, complaint
from crm_sandbox.salesforce.store import Row

Predicate = Callable[[Row], bool]


class Filter:
    """Compiles the conditions of one query. `rows_of` runs a subquery in an IN list."""

    def __init__(
        self,
        reach: Reach,
        today: date,
        zone: ZoneInfo,
        fiscal_start: int,
        rows_of: Callable[[Select], list[Any]],
    ) -> None:
        self.reach = reach
        self.text = reach.select.text
        self._today = today
        self._zone = zone
        self._fiscal_start = fiscal_start
        self._rows_of = rows_of

    def condition(self, condition: Condition) -> Predicate:
        """The whole condition as one function of a row."""
        match condition:
            case Test():
                return self._test(condition)
            case Negated():
                inner = self.condition(condition.part)
                return lambda row: not inner(row)
            case Every():
                return _every([self.condition(part) for part in condition.parts])
            case Some():
                return _some([self.condition(part) for part in condition.parts])
        assert_never(condition)

    def _test(self, test: Test) -> Predicate:
        reached = self.reach.operand(test.operand)
        return self.compare(reached, test, test.operand.at)

    def compare(self, reached: Reached, test: Test, at: int) -> Predicate:
        """A comparison of anything that can be read from a row."""
        if not reached.field.filterable:
            name = reached.field.name
            raise complaint("INVALID_FIELD", self.text, at, f"field '{name}' can not be filtered in a query call")
        match test.value:
            case Select():
                wanted = frozenset(self._rows_of(test.value))
                return _membership(reached.get, wanted, test.operator == "in", lower=False)
            case tuple():
                return self._list(reached, test.operator, test.value)
            case Literal():
                return self._literal(reached, test.operator, test.value)
        assert_never(test.value)

    def _list(self, reached: Reached, operator: str, literals: tuple[Literal, ...]) -> Predicate:
        lower = _folds(reached.field)
        values = [self._value(reached.field, literal) for literal in literals]
        wanted = frozenset(value.lower() if lower and isinstance(value, str) else value for value in values)
        if operator in {"includes", "excludes"}:
            return _inclusion(reached.get, wanted, operator == "includes")
        return _membership(reached.get, wanted, operator == "in", lower=lower)

    def _literal(self, reached: Reached, operator: str, literal: Literal) -> Predicate:
        days = self._relative(literal)
        if days is not None:
            return self._in_span(reached, operator, literal, days)
        if operator == "like":
            if reached.field.type not in TEXTS or literal.kind != "string":
                raise Refusal(400, "INVALID_FIELD", f"invalid operator on {reached.field.type} field")
            return _like(reached.get, literal.text)
        value = self._value(reached.field, literal)
        lower = _folds(reached.field) and isinstance(value, str)
        return _comparison(reached.get, operator, value.lower() if lower else value, lower=lower)

    def _value(self, field: Field, literal: Literal) -> Any:
        """The literal as rows hold it. Raises INVALID_FIELD where it is of another type than the field."""
        word = literal.text.upper() if literal.kind == "name" else ""
        if word == "NULL":
            return None
        if field.type in {"id", "reference"} and literal.kind == "string":
            return self._id(field, literal)
        if field.type == "boolean" and word in {"TRUE", "FALSE"}:
            return word == "TRUE"
        if field.type in NUMBERS and literal.kind == "number":
            return Decimal(literal.text)
        if field.type == "date" and literal.kind == "day":
            return self._day(literal)
        if field.type == "datetime" and literal.kind == "moment":
            return self._moment(literal)
        if (field.type in TEXTS or field.type == "anyType") and literal.kind == "string":
            return re.sub(r"\\([%_])", r"\1", literal.text)
        if word and word not in {"TRUE", "FALSE"}:
            raise complaint("MALFORMED_QUERY", self.text, literal.at, f"unexpected token: '{literal.text}'")
        raise complaint("INVALID_FIELD", self.text, literal.at, _wrong_type(field))

    def _id(self, field: Field, literal: Literal) -> str:
        found = canonical(literal.text)
        if found is None:
            message = f"invalid ID field: {literal.text}"
            raise complaint("INVALID_QUERY_FILTER_OPERATOR", self.text, literal.at, message)
        return found

    def _day(self, literal: Literal) -> str:
        try:
            return date.fromisoformat(literal.text).isoformat()
        except ValueError as wrong:
            raise complaint("MALFORMED_QUERY", self.text, literal.at, f"invalid date: {literal.text}") from wrong

    def _moment(self, literal: Literal) -> str:
        try:
            when = datetime.fromisoformat(literal.text.upper())
        except ValueError as wrong:
            raise complaint("MALFORMED_QUERY", self.text, literal.at, f"invalid datetime: {literal.text}") from wrong
        return _stamp(when)

    def _relative(self, literal: Literal) -> tuple[date, date] | None:
        if literal.kind not in {"relative", "name"}:
            return None
        name, _, count = literal.text.upper().partition(":")
        found = span(name, int(count) if count else None, self._today, self._fiscal_start)
        if found is None and literal.kind == "relative":
            raise complaint("MALFORMED_QUERY", self.text, literal.at, f"unexpected token: '{literal.text}'")
        return found

    def _in_span(self, reached: Reached, operator: str, literal: Literal, days: tuple[date, date]) -> Predicate:
        kind = reached.field.type
        if kind not in {"date", "datetime"}:
            raise complaint("INVALID_FIELD", self.text, literal.at, _wrong_type(reached.field))
        start, end = (day.isoformat() if kind == "date" else self._midnight(day) for day in days)
        get = reached.get
        match operator:
            case "=":
                return lambda row: (value := get(row)) is not None and start <= value < end
            case "!=":
                return lambda row: (value := get(row)) is None or not start <= value < end
            case "<":
                return _comparison(get, "<", start, lower=False)
            case "<=":
                return _comparison(get, "<", end, lower=False)
            case ">":
                return _comparison(get, ">=", end, lower=False)
            case _:
                return _comparison(get, ">=", start, lower=False)

    def _midnight(self, day: date) -> str:
        return _stamp(datetime(day.year, day.month, day.day, tzinfo=self._zone))


def _wrong_type(field: Field) -> str:
    quoted = "and should be enclosed in quotes" if field.type in TEXTS | {"id", "reference"} else None
    kind = {"datetime": "dateTime", "int": "int"}.get(field.type, "string" if quoted else field.type)
    rule = quoted or "and should not be enclosed in quotes"
    return f"value of filter criterion for field '{field.name}' must be of type {kind} {rule}"


def _stamp(when: datetime) -> str:
    utc = when.astimezone(UTC)
    # a literal finer than a millisecond counts as the next one, so that >= and < keep their meaning
    if utc.microsecond % 1000:
        utc += timedelta(microseconds=1000 - utc.microsecond % 1000)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}+0000"


def _folds(field: Field) -> bool:
    """Whether this field's text compares without regard to case."""
    return field.type in TEXTS and not field.case_sensitive


def _every(parts: list[Predicate]) -> Predicate:
    if len(parts) == 2:
        first, second = parts
        return lambda row: first(row) and second(row)
    return lambda row: all(part(row) for part in parts)


def _some(parts: list[Predicate]) -> Predicate:
    return lambda row: any(part(row) for part in parts)


def _comparison(get: Getter, operator: str, value: Any, *, lower: bool) -> Predicate:
    read: Getter = (lambda row: (found := get(row)) and found.lower()) if lower else get
    match operator:
        case "=":
            return lambda row: bool(read(row) == value)
        case "!=":
            return lambda row: bool(read(row) != value)
        case "<":
            return lambda row: (found := read(row)) is not None and value is not None and found < value
        case "<=":
            return lambda row: (found := read(row)) is not None and value is not None and found <= value
        case ">":
            return lambda row: (found := read(row)) is not None and value is not None and found > value
        case _:
            return lambda row: (found := read(row)) is not None and value is not None and found >= value


def _membership(get: Getter, wanted: frozenset[Any], inside: bool, *, lower: bool) -> Predicate:
    read: Getter = (lambda row: (found := get(row)) and found.lower()) if lower else get
    if inside:
        return lambda row: read(row) in wanted
    return lambda row: read(row) not in wanted


def _inclusion(get: Getter, wanted: frozenset[Any], inside: bool) -> Predicate:
    """Multi-select picklists: any of the wanted combinations (`A;B` means both)."""
    combinations = [frozenset(str(one).lower().split(";")) for one in wanted]

    def includes(row: Row) -> bool:
        chosen = frozenset((get(row) or "").lower().split(";"))
        return any(combination <= chosen for combination in combinations) is inside

    return includes


def _like(get: Getter, pattern: str) -> Predicate:
    pieces = {"%": ".*", "_": "."}
    expression = "".join(
        pieces.get(piece) or re.escape(piece.removeprefix("\\"))
        for piece in re.findall(r"\\[%_]|.", pattern, re.DOTALL)
    )
    matches = re.compile(expression, re.IGNORECASE | re.DOTALL).fullmatch
    return lambda row: (value := get(row)) is not None and matches(value) is not None
