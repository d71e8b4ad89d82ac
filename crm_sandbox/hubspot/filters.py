"""One filter of a search as a plain predicate over the values of a row."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Literal

from crm_sandbox.hubspot import errors
from crm_sandbox.hubspot.catalog import Property
from crm_sandbox.hubspot.shapes import Filter
from crm_sandbox.hubspot.store import Values
from crm_sandbox.hubspot.values import as_text, is_decimal, is_number, moment_of

OPERATORS = frozenset(
    {
        *("EQ", "NEQ", "LT", "LTE", "GT", "GTE", "BETWEEN", "IN", "NOT_IN"),
        *("HAS_PROPERTY", "NOT_HAS_PROPERTY", "CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN"),
    }
)

Test = Callable[[Values], bool]


def ordering(definition: Property) -> Callable[[str], Any]:
    """How values of a property are compared."""
    match definition.type:
        case "number":
            return _number
        case "date" | "datetime":
            return lambda text: moment_of(text) or 0
        case "enumeration" | "bool":
            return str
        case _:
            return str.lower


def _number(text: str) -> Decimal | int:
    if not is_decimal(text):
        raise errors.invalid(f"Invalid input: {text} is not a number")
    return int(text) if is_number(text) else Decimal(text)


def test_of(definition: Property, rule: Filter) -> Test:
    """One filter as a predicate over a row's values."""
    name, operator = definition.name, rule["operator"]
    match operator:
        case "HAS_PROPERTY":
            return lambda values: values.get(name) is not None
        case "NOT_HAS_PROPERTY":
            return lambda values: values.get(name) is None
        case "IN" | "NOT_IN":
            return _among(definition, _listed(rule), inside=operator == "IN")
        case "CONTAINS_TOKEN" | "NOT_CONTAINS_TOKEN":
            token = _single(rule, "value").strip("*").lower()
            wanted = operator == "CONTAINS_TOKEN"
            return lambda values: (token in (values.get(name) or "").lower()) == wanted
        case _:
            return _comparing(definition, rule)


def _comparing(definition: Property, rule: Filter) -> Test:
    name, order = definition.name, ordering(definition)
    value = _operand(definition, _single(rule, "value"), order)
    high = _operand(definition, _single(rule, "highValue"), order) if rule["operator"] == "BETWEEN" else None
    known = values_of(name, order)
    match rule["operator"]:
        case "EQ":
            return lambda values: known(values) == value
        case "NEQ":
            return lambda values: known(values) != value
        case "LT":
            return lambda values: (own := known(values)) is not None and own < value
        case "LTE":
            return lambda values: (own := known(values)) is not None and own <= value
        case "GT":
            return lambda values: (own := known(values)) is not None and own > value
        case "GTE":
            return lambda values: (own := known(values)) is not None and own >= value
        case _:
            return lambda values: (own := known(values)) is not None and value <= own <= high


def values_of(name: str, order: Callable[[str], Any]) -> Callable[[Values], Any]:
    """A row's own value in the form in which it is compared, None where it has none."""

    def known(values: Values) -> Any:
        text = values.get(name)
        return None if text is None else order(text)

    return known


def _operand(definition: Property, text: str, order: Callable[[str], Any]) -> Any:
    if definition.type in {"date", "datetime"} and moment_of(text) is None:
        raise errors.invalid(f"Invalid input: {text} is not a moment in epoch milliseconds ({definition.name})")
    return order(text)


def _among(definition: Property, listed: list[str], *, inside: bool) -> Test:
    """Text is compared in lower case with the values as they were sent: one with a capital never matches."""
    name, texts = definition.name, frozenset(listed)
    fold = definition.type == "string"

    def test(values: Values) -> bool:
        own = values.get(name)
        if own is None:
            return not inside
        return ((own.lower() if fold else own) in texts) == inside

    return test


def _single(rule: Filter, field: Literal["value", "highValue"]) -> str:
    value = rule.get(field)
    if value is None:
        raise errors.invalid(f"Operator {rule['operator']} on {rule.get('propertyName')} needs '{field}'")
    return as_text(value)


def _listed(rule: Filter) -> list[str]:
    values = rule.get("values")
    if not values:
        raise errors.invalid(f"Operator {rule['operator']} on {rule.get('propertyName')} needs 'values'")
    return [as_text(value) for value in values]
