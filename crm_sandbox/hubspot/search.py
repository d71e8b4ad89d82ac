"""Search: what a request asks of the index, with results kept so that paging on by id is cheap."""

import json
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Any

from crm_sandbox.hubspot import errors
from crm_sandbox.hubspot.call import Call, next_page
from crm_sandbox.hubspot.errors import answer
from crm_sandbox.hubspot.filters import OPERATORS, Test, ordering, test_of
from crm_sandbox.hubspot.reading import chosen, demand_read, drawn
from crm_sandbox.hubspot.shapes import Filter, Search
from crm_sandbox.hubspot.store import Row, Store, Table, Values
from crm_sandbox.hubspot.values import is_number, moment_of
from crm_sandbox.serving import Response

MOST_GROUPS, MOST_FILTERS, MOST_IN_ALL = 5, 6, 18
LONGEST_PAGE = 200
LAST_RESULT = 10_000
LONGEST_QUERY = 3_000
KEPT_ANSWERS = 16
UNSEARCHABLE = {"hs_body_preview_html", "hs_email_html", "hs_body_preview"}


class Index:
    """Answers searches. A result set is kept until its table changes; a bound on the id is cut from it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: OrderedDict[tuple[str, str], tuple[int, list[int]]] = OrderedDict()
        self._rows: dict[str, tuple[int, list[Row]]] = {}

    def search(self, table: Table, call: Call) -> Response:
        """POST …/search."""
        demand_read(call, self._store, table)
        body = call.body(Search)
        limit, offset = _window(body)
        groups = _groups(body)
        sort, descending = _sort(body, table)
        query = str(body.get("query") or "")
        if len(query) > LONGEST_QUERY:
            raise errors.invalid(f"Query is longer than {LONGEST_QUERY} characters.")
        self._store.settle(table)
        ids = self._matching(table, groups, query, sort, descending)
        draw = drawn(self._store, table, chosen(table, body.get("properties") or (), table.kind.searchable))
        page = [table.rows[number] for number in ids[offset : offset + limit]]
        found: dict[str, Any] = {"total": len(ids), "results": [draw(row, row.indexed) for row in page]}
        if offset + limit < len(ids):
            found["paging"] = next_page(str(offset + limit))
        return answer(200, found)

    def _matching(self, table: Table, groups: list[list[Filter]], query: str, sort: str, descending: bool) -> list[int]:
        bounds: list[Filter] = []
        if len(groups) == 1 and sort == "hs_object_id":
            bounds = [rule for rule in groups[0] if _bounds_the_id(rule)]
            groups = [[rule for rule in groups[0] if not _bounds_the_id(rule)]]
        key = (table.kind.type_id, json.dumps([groups, query, sort, descending], sort_keys=True))
        version, ids = self._kept.get(key, (-1, []))
        if version != table.version:
            ids = self._compute(table, groups, query, sort, descending)
            self._kept[key] = (table.version, ids)
        self._kept.move_to_end(key)
        while len(self._kept) > KEPT_ANSWERS:
            self._kept.popitem(last=False)
        return _cut(ids, bounds, descending=descending) if bounds else ids

    def _compute(self, table: Table, groups: list[list[Filter]], query: str, sort: str, descending: bool) -> list[int]:
        rows = self._indexed(table)
        groups = [group for group in groups if group]
        if len(groups) == 1:
            bounds = [_bound(table, rule) for rule in groups[0]]
            rows = _modified_within(rows, [bound for bound in bounds if bound is not None])
            for rule, bound in zip(groups[0], bounds, strict=True):
                if bound is None:
                    test = self._test(table, rule)
                    rows = [row for row in rows if row.indexed is not None and test(row.indexed)]
        elif groups:
            tests = [[self._test(table, rule) for rule in group] for group in groups]
            rows = [row for row in rows if any(all(test(row.indexed or {}) for test in group) for group in tests)]
        if query:
            rows = [row for row in rows if _contains(row.indexed or {}, query, table.kind.text)]
        return _sorted(rows, table, sort, descending)

    def _indexed(self, table: Table) -> list[Row]:
        """Every row that the index knows, by id."""
        version, rows = self._rows.get(table.kind.type_id, (-1, []))
        if version != table.version:
            candidates = (table.rows[number] for number in table.live)
            rows = [row for row in candidates if row.indexed is not None]
            self._rows[table.kind.type_id] = (table.version, rows)
        return rows

    def _test(self, table: Table, rule: Filter) -> Test:
        name = str(rule.get("propertyName", ""))
        if name.startswith("associations."):
            return self._linked(table, name.removeprefix("associations."), rule)
        definition = table.properties.get(name)
        if definition is None or name in UNSEARCHABLE:
            raise errors.invalid(
                f"There was a problem with the request: property '{name}' cannot be searched on {table.kind.plural}"
            )
        return test_of(definition, rule)

    def _linked(self, table: Table, other: str, rule: Filter) -> Test:
        target = self._store.table(other).kind
        if table.kind.custom or target.custom:
            raise errors.invalid("Associations of custom objects cannot be searched")
        wanted = [str(value) for value in rule.get("values") or [rule.get("value")]]
        matching = {
            from_id
            for to_id in wanted
            if is_number(to_id)
            for from_id in self._store.links.of(target.type_id, int(to_id), table.kind.type_id)
        }
        return lambda values: int(values["hs_object_id"] or 0) in matching


def _modified_within(rows: list[Row], bounds: list[tuple[int, int]]) -> list[Row]:
    """The rows whose stamp lies within all bounds: nearly every search has such a window, so it is cut with numbers."""
    if not bounds:
        return rows
    since, until = max(low for low, _ in bounds), min(high for _, high in bounds)
    return [row for row in rows if since <= row.indexed_at <= until]


def _bound(table: Table, rule: Filter) -> tuple[int, int] | None:
    """The first and last stamp that a filter on the modification stamp allows, None for any other filter."""
    moment = moment_of(str(rule.get("value", ""))) if rule.get("propertyName") == table.kind.modified else None
    if moment is None:
        return None
    match rule["operator"]:
        case "GTE":
            return moment, _FOREVER
        case "GT":
            return moment + 1, _FOREVER
        case "LTE":
            return 0, moment
        case "LT":
            return 0, moment - 1
        case _:
            return None


_FOREVER = 1 << 62


def _window(body: Search) -> tuple[int, int]:
    limit = body.get("limit")
    limit = 10 if limit is None else limit
    if not 1 <= limit <= LONGEST_PAGE:
        raise errors.invalid(f"Invalid input: limit must be between 1 and {LONGEST_PAGE}")
    after = str(body.get("after") or "0")
    if not is_number(after):
        raise errors.invalid(f"Invalid input: after must be a whole number, not {after}")
    if int(after) + limit > LAST_RESULT:
        raise errors.invalid(f"Paging through search results ends at {LAST_RESULT}: after {after}, limit {limit}")
    return limit, int(after)


def _groups(body: Search) -> list[list[Filter]]:
    groups = [list(group.get("filters") or ()) for group in body.get("filterGroups") or ()]
    if alone := body.get("filters"):
        groups.append(list(alone))
    unknown = next((rule for group in groups for rule in group if rule.get("operator") not in OPERATORS), None)
    if unknown is not None:
        raise errors.invalid(f"Invalid input JSON: unknown operator {unknown.get('operator')}")
    if len(groups) > MOST_GROUPS:
        raise errors.invalid(f"Too many filter groups: {len(groups)}, at most {MOST_GROUPS}")
    if any(len(group) > MOST_FILTERS for group in groups) or sum(map(len, groups)) > MOST_IN_ALL:
        raise errors.invalid(f"Too many filters: at most {MOST_FILTERS} in a group and {MOST_IN_ALL} in all")
    return groups


def _sort(body: Search, table: Table) -> tuple[str, bool]:
    sorts = body.get("sorts") or []
    if len(sorts) > 1:
        raise errors.invalid("Only one sort is allowed")
    if not sorts:
        return "", False
    sort = sorts[0]
    if isinstance(sort, str):
        name, descending = sort.removeprefix("-"), sort.startswith("-")
    else:
        name, descending = sort["propertyName"], sort.get("direction") == "DESCENDING"
    if name not in table.properties:
        raise errors.invalid(f"There was a problem with the request: cannot sort by '{name}'")
    return name, descending


def _bounds_the_id(rule: Filter) -> bool:
    return (
        rule.get("propertyName") == "hs_object_id"
        and rule.get("operator") in {"GT", "GTE", "LT", "LTE"}
        and is_number(str(rule.get("value", "")))
    )


def _cut(ids: list[int], bounds: list[Filter], *, descending: bool) -> list[int]:
    ascending = ids[::-1] if descending else ids
    low, high = 0, len(ids)
    for rule in bounds:
        value = int(str(rule["value"]))
        match rule["operator"]:
            case "GT":
                low = max(low, bisect_right(ascending, value))
            case "GTE":
                low = max(low, bisect_left(ascending, value))
            case "LT":
                high = min(high, bisect_left(ascending, value))
            case _:
                high = min(high, bisect_right(ascending, value))
    found = ascending[low:high]
    return found[::-1] if descending else found


def _sorted(rows: list[Row], table: Table, sort: str, descending: bool) -> list[int]:
    if sort == "hs_object_id":
        ids = [row.id for row in rows]  # the live rows come by id
        return ids[::-1] if descending else ids
    if not sort:
        return [row.id for row in sorted(rows, key=lambda row: (row.created, row.id))]
    order = ordering(table.properties[sort])
    present = [row for row in rows if (row.indexed or {}).get(sort) is not None]
    absent = [row for row in rows if (row.indexed or {}).get(sort) is None]
    present.sort(key=lambda row: (order((row.indexed or {})[sort] or ""), row.id), reverse=descending)
    return [row.id for row in [*present, *absent]]


def _contains(values: Values, query: str, names: Iterable[str]) -> bool:
    words = query.lower().split()
    return all(any(word in text for text in _texts(values, names)) for word in words)


def _texts(values: Values, names: Iterable[str]) -> Iterator[str]:
    return (text.lower() for name in names if (text := values.get(name)))
