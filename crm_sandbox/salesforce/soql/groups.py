"""GROUP BY and the aggregate functions."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from crm_sandbox.salesforce.fields import Field
from crm_sandbox.salesforce.soql.conditions import Filter, Predicate
from crm_sandbox.salesforce.soql.reach import Getter, Reach, Reached
from crm_sandbox.salesforce.soql.text import (
    Column,
    Condition,
    Every,
    Function,
    Negated,
    Operand,
    Path,
    Select,
    Some,
    Test,
    complaint,
)
from crm_sandbox.salesforce.store import Row, amount

MOST_GROUPS = 2000


def _average(values: Sequence[Any]) -> Any:
    return amount(Decimal(sum(values)) / len(values)) if values else None


AGGREGATES: dict[str, Callable[[Sequence[Any]], Any]] = {
    "COUNT": len,
    "COUNT_DISTINCT": lambda values: len({str(value).lower() for value in values}),
    "SUM": lambda values: sum(values) if values else None,
    "AVG": _average,
    "MIN": lambda values: min(values, default=None),
    "MAX": lambda values: max(values, default=None),
}


def grouped(reach: Reach, tests: Filter, select: Select, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The AggregateResult records: one a group, `expr0`, `expr1` … for what has no alias."""
    keys = [reach.operand(operand).get for operand in select.group]
    groups: dict[tuple[Any, ...], list[Row]] = {} if keys else {(): []}
    for row in rows:
        groups.setdefault(tuple(key(row) for key in keys), []).append(row)
    if len(groups) > MOST_GROUPS:
        message = "Aggregate query does not support queryMore(), use LIMIT to restrict the results to a single batch"
        raise complaint("EXCEEDED_ID_LIMIT", select.text, select.source_at, message)
    columns = list(_columns(reach, select))
    kept = _having(reach, tests, select.having) if select.having else None
    members = [rows for rows in groups.values() if kept is None or kept({"rows": rows})]
    for one in reversed(select.order):
        read = _cell(reach, select, one.operand)
        known = [rows for rows in members if read(rows) is not None]
        nulls = [rows for rows in members if read(rows) is None]
        known.sort(key=read, reverse=one.descending)
        members = [*known, *nulls] if one.nulls_last else [*nulls, *known]
    return [
        {"attributes": {"type": "AggregateResult"}, **{name: read(rows) for name, read in columns}} for rows in members
    ]


def _columns(reach: Reach, select: Select) -> list[tuple[str, Callable[[Sequence[Row]], Any]]]:
    columns, unnamed = [], 0
    for item in select.items:
        if not isinstance(item, Column):
            raise complaint("MALFORMED_QUERY", select.text, select.source_at, "no subqueries in a grouped query")
        name = item.alias
        if name is None and isinstance(item.operand, Function):
            name, unnamed = f"expr{unnamed}", unnamed + 1
        elif name is None:
            name = reach.operand(item.operand).field.name
        columns.append((name, _cell(reach, select, item.operand)))
    return columns


def _cell(reach: Reach, select: Select, operand: Operand) -> Callable[[Sequence[Row]], Any]:
    """What a column shows of a group's rows."""
    if isinstance(operand, Function) and operand.name in AGGREGATES:
        return _aggregate(reach, operand)
    if isinstance(operand, Path) and len(operand.names) == 1:
        for item in select.items:
            if isinstance(item, Column) and (item.alias or "").lower() == operand.names[0].lower():
                return _cell(reach, replace(select, items=()), item.operand)
    get = reach.operand(operand).get
    if not any(_same(operand, group) for group in select.group) and select.items:
        message = f"Field must be grouped or aggregated: {operand if isinstance(operand, Path) else operand.name}"
        raise complaint("MALFORMED_QUERY", select.text, operand.at, message)
    return lambda rows: get(rows[0]) if rows else None


def _same(one: Operand, other: Operand) -> bool:
    if isinstance(one, Path) and isinstance(other, Path):
        return one.names[-1].lower() == other.names[-1].lower()
    return (
        isinstance(one, Function)
        and isinstance(other, Function)
        and one.name == other.name
        and all(_same(mine, theirs) for mine, theirs in zip(one.arguments, other.arguments, strict=True))
    )


def _aggregate(reach: Reach, function: Function) -> Callable[[Sequence[Row]], Any]:
    compute = AGGREGATES[function.name]
    if not function.arguments:
        if function.name != "COUNT":
            raise complaint("MALFORMED_QUERY", reach.select.text, function.at, "unexpected token: ')'")
        return len
    get: Getter = reach.operand(function.arguments[0]).get
    return lambda rows: compute([value for row in rows if (value := get(row)) is not None])


def _having(reach: Reach, tests: Filter, condition: Condition) -> Predicate:
    """A condition over groups; a group stands in as a row with its rows under `rows`."""
    match condition:
        case Every():
            parts = [_having(reach, tests, part) for part in condition.parts]
            return lambda group: all(part(group) for part in parts)
        case Some():
            parts = [_having(reach, tests, part) for part in condition.parts]
            return lambda group: any(part(group) for part in parts)
        case Negated():
            inner = _having(reach, tests, condition.part)
            return lambda group: not inner(group)
        case Test():
            read = _cell(reach, replace(reach.select, items=()), condition.operand)
            kind = "int" if isinstance(condition.operand, Function) else reach.operand(condition.operand).field.type
            reached = Reached(Field("expr", kind), lambda group: read(group["rows"]))
            return tests.compare(reached, condition, condition.operand.at)
