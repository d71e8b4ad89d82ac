"""Running a query: which rows, in which order, and how each one looks in the answer."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from crm_sandbox.salesforce.errors import Refusal
from crm_sandbox.salesforce.fields import Field
from crm_sandbox.salesforce.schema import Sight
from crm_sandbox.salesforce.soql.conditions import Filter
from crm_sandbox.salesforce.soql.groups import AGGREGATES, grouped
from crm_sandbox.salesforce.soql.reach import Getter, Reach
from crm_sandbox.salesforce.soql.shape import Shape, flat_columns, shape_of
from crm_sandbox.salesforce.soql.text import ByType, Children, Column, Function, Operand, Path, Select, complaint, parse
from crm_sandbox.salesforce.store import Row, Store

FARTHEST_OFFSET = 2000


@dataclass(frozen=True)
class Found:
    """A query's result as of the moment it ran.

    rows     what was found; for aggregates the finished records
    shape    row → the record in the answer
    columns  (heading, reader) in SELECT order, for CSV
    total    how many rows there are; with COUNT() there are none to show
    """

    thing: str
    rows: Sequence[Row]
    shape: Shape
    columns: Sequence[tuple[str, Getter]]
    total: int


@dataclass(frozen=True)
class Asker:
    """Who asks: what they see, in which API version, whether deleted and archived rows count, and their today."""

    sights: Mapping[str, Sight]
    version: str
    now: datetime
    zone: ZoneInfo
    fiscal_start: int
    all_rows: bool = False
    bulk: bool = False


def run(store: Store, text: str, asker: Asker) -> Found:
    """The answer to a query. Raises what Salesforce would refuse."""
    return _Run(store, parse(text), asker).found()


class _Run:
    """One query on its way from text to rows."""

    def __init__(self, store: Store, select: Select, asker: Asker) -> None:
        self.store = store
        self.asker = asker
        self.reach = Reach(store, asker.sights, select, all_rows=asker.all_rows)
        self.select = self._expanded(select)
        self.filter = Filter(
            self.reach,
            asker.now.astimezone(asker.zone).date(),
            asker.zone,
            asker.fiscal_start,
            self._values_of,
        )

    def found(self) -> Found:
        select, thing = self.select, self.reach.sight.thing
        if select.offset > FARTHEST_OFFSET:
            raise Refusal(400, "NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {FARTHEST_OFFSET}")
        if self._only_counts():
            total = len(self._window(self._matching()))
            return Found(thing.name, (), lambda row: dict(row), (), total)
        if select.group or self._aggregates():
            records = grouped(self.reach, self.filter, select, self._matching())
            records = self._window(records)
            return Found("AggregateResult", records, lambda row: dict(row), (), len(records))
        self._no_duplicates()
        shape = shape_of(self.reach, select, self.asker.version, self._children)
        columns = flat_columns(self.reach, select)
        rows = self._window(self._ordered(self._matching()))
        return Found(thing.name, rows, shape, columns, len(rows))

    def _matching(self) -> list[Row]:
        rows = self.store.rows(self.reach.sight.thing.name, deleted=self.asker.all_rows, archived=self.asker.all_rows)
        if self.store.unshared:
            rows = (row for row in rows if row["Id"] not in self.store.unshared)
        if self.select.where is None:
            return list(rows)
        return list(filter(self.filter.condition(self.select.where), rows))

    def _ordered(self, rows: list[Row]) -> list[Row]:
        for one in reversed(self.select.order):
            reached = self.reach.operand(one.operand)
            if not reached.field.filterable:
                message = f"field '{reached.field.name}' can not be sorted in a query call"
                raise complaint("MALFORMED_QUERY", self.select.text, one.operand.at, message)
            rows = in_order(rows, reached.get, reached.field, descending=one.descending, nulls_last=one.nulls_last)
        return rows

    def _window(self, rows: list[Any]) -> list[Any]:
        start = self.select.offset
        if self.select.limit is None:
            return rows[start:] if start else rows
        return rows[start : start + self.select.limit]

    def _only_counts(self) -> bool:
        items = self.select.items
        first = items[0]
        return (
            len(items) == 1
            and isinstance(first, Column)
            and isinstance(first.operand, Function)
            and first.operand.name == "COUNT"
            and not first.operand.arguments
        )

    def _aggregates(self) -> bool:
        operands = [item.operand for item in self.select.items if isinstance(item, Column)]
        return any(isinstance(one, Function) and one.name in AGGREGATES for one in operands)

    def _no_duplicates(self) -> None:
        taken: set[str] = set()
        for item in self.select.items:
            if isinstance(item, Column):
                name = (item.alias or str(item.operand)).lower() if isinstance(item.operand, Path) else ""
                if name and name in taken:
                    message = f"duplicate field selected: {item.operand}"
                    raise complaint("MALFORMED_QUERY", self.select.text, item.operand.at, message)
                taken.add(name)

    def _values_of(self, select: Select) -> list[Any]:
        """The values that a subquery in an IN list yields."""
        inner = _Run(self.store, select, self.asker)
        item = inner.select.items[0]
        if len(inner.select.items) != 1 or not isinstance(item, Column):
            raise complaint("MALFORMED_QUERY", select.text, select.source_at, "only one column in a subquery of IN")
        get = inner.reach.operand(item.operand).get
        return [get(row) for row in inner._window(inner._ordered(inner._matching()))]

    def _children(self, children: Children) -> tuple[str, Callable[[Row], Any]]:
        """A child relationship: its name, and what a parent's row shows of it."""
        mine = self.reach.sight.thing.name
        name = children.select.source
        for sight in self.asker.sights.values():
            for field in sight.fields.values():
                if mine in field.refers and (field.children or "").lower() == name.lower():
                    return field.children or name, self._child_lists(children.select, sight, field)
        message = f"Didn't understand relationship '{name}' in FROM part of query call."
        raise complaint("INVALID_TYPE", self.select.text, children.select.source_at, message)

    def _child_lists(self, select: Select, sight: Sight, lookup: Field) -> Callable[[Row], Any]:
        renamed = Select(**{**vars(select), "source": sight.thing.name})
        inner = _Run(self.store, renamed, self.asker)
        shape = shape_of(inner.reach, inner.select, self.asker.version, inner._children)
        by_parent: defaultdict[str, list[Row]] = defaultdict(list)
        for row in inner._ordered(inner._matching()):
            if row.get(lookup.name):
                by_parent[row[lookup.name]].append(row)

        def listed(row: Row) -> Any:
            rows = inner._window(by_parent.get(row["Id"], []))
            records = [shape(one) for one in rows]
            return {"totalSize": len(records), "done": True, "records": records} if records else None

        return listed

    def _expanded(self, select: Select) -> Select:
        """FIELDS(STANDARD), FIELDS(CUSTOM) and FIELDS(ALL) written out."""
        items: list[Column | Children | ByType] = []
        for item in select.items:
            if isinstance(item, Column) and isinstance(item.operand, Function) and item.operand.name == "FIELDS":
                items.extend(Column(one) for one in self._all_fields(select, item.operand))
            else:
                items.append(item)
        return Select(**{**vars(select), "items": tuple(items)})

    def _all_fields(self, select: Select, function: Function) -> Iterable[Operand]:
        which = str(function.arguments[0]).upper() if function.arguments else ""
        if which not in {"ALL", "STANDARD", "CUSTOM"}:
            raise complaint("MALFORMED_QUERY", select.text, function.at, f"unexpected token: '{which}'")
        if which != "STANDARD" and (self.asker.bulk or select.limit is None or select.limit > 200):
            message = "The SOQL FIELDS function must have a LIMIT of at most 200"
            raise complaint("MALFORMED_QUERY", select.text, function.at, message)
        for field in self.reach.sight.fields.values():
            if which == "ALL" or field.custom == (which == "CUSTOM"):
                yield Path((field.name,), function.at)


def in_order(rows: list[Row], get: Getter, field: Field, *, descending: bool, nulls_last: bool) -> list[Row]:
    """Sorted by one key, stable, nulls first unless told otherwise, text without regard to case."""
    known = [row for row in rows if get(row) is not None]
    nulls = [row for row in rows if get(row) is None] if len(known) < len(rows) else []
    folds = field.type not in {"id", "reference", "date", "datetime", "boolean", "int", "double", "currency", "percent"}
    known.sort(key=(lambda row: str(get(row)).lower()) if folds else get, reverse=descending)
    return [*known, *nulls] if nulls_last else [*nulls, *known]
