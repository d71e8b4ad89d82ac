"""What a client sends for a field → what the row will hold, or why Salesforce would not take it."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from crm_sandbox.salesforce.errors import Refusal, malformed_id, unreadable
from crm_sandbox.salesforce.fields import NUMBERS, Field
from crm_sandbox.salesforce.ids import canonical
from crm_sandbox.salesforce.schema import Sight
from crm_sandbox.salesforce.store import Store, amount, stamp


class Incoming:
    """Checks the field values of one user's writes."""

    def __init__(self, store: Store, sights: Mapping[str, Sight]) -> None:
        self.store = store
        self.sights = sights

    def values(self, sight: Sight, sent: Mapping[str, Any], *, creating: bool) -> dict[str, Any]:
        """Every sent field as the row will hold it, None where it is cleared. Raises the first thing that is wrong."""
        values: dict[str, Any] = {}
        forbidden = []
        for name, value in sent.items():
            if name == "attributes" or name.lower() == "id":
                continue
            field, value = self._field(sight, name, value)
            if field.name not in sight.writable or (field.insert_only and not creating):
                forbidden.append(field.name)
            else:
                values[field.name] = self.value(field, value)
        if forbidden:
            raise _read_only(forbidden, creating=creating)
        self._required(sight, values, creating=creating)
        return values

    def value(self, field: Field, value: Any) -> Any:
        """One value. Raises JSON_PARSER_ERROR for what no such field could hold at all."""
        if value is None:
            return None
        match field.type:
            case "boolean":
                return _boolean(field, value)
            case kind if kind in NUMBERS:
                return _number(field, value)
            case "date":
                return _date(field, value)
            case "datetime":
                return _datetime(field, value)
            case "reference":
                return self._reference(field, value)
            case _:
                return _text(field, value)

    def _field(self, sight: Sight, name: str, value: Any) -> tuple[Field, Any]:
        """The field meant; a parent given by its external id becomes the lookup to it."""
        found = sight.field(name)
        if found is not None:
            return found, value
        if isinstance(value, Mapping):
            for field in sight.fields.values():
                if (field.parent or "").lower() == name.lower():
                    return field, self._parent(field, value)
        message = f"No such column '{name}' on sobject of type {sight.thing.name}"
        raise Refusal(400, "INVALID_FIELD", message, [name])

    def _parent(self, field: Field, named: Mapping[str, Any]) -> str:
        keys = [(name, value) for name, value in named.items() if name not in {"attributes", "type"}]
        target = self.sights.get(field.refers[0].lower())
        key = target.field(keys[0][0]) if target and len(keys) == 1 else None
        if target is None or key is None or not (key.external_id or key.unique or key.type == "id"):
            raise Refusal(400, "INVALID_FIELD", f"Foreign key external ID not found for field {field.parent}")
        if key.type == "id":
            return str(keys[0][1])
        found = self.store.owner_of(target.thing, key.name, keys[0][1], case_sensitive=key.case_sensitive)
        if found is None:
            message = (
                f"Foreign key external ID: {keys[0][1]} not found for field {key.name} in entity {target.thing.name}"
            )
            raise Refusal(400, "INVALID_FIELD", message)
        return found

    def _reference(self, field: Field, value: Any) -> str | None:
        if not isinstance(value, str):
            raise unreadable(f"Cannot deserialize instance of reference from {_json_kind(value)} value {value}")
        if value == "":
            return None
        record = canonical(value)
        if record is None:
            raise malformed_id(value, field.name)
        thing = self.store.schema.of_id(record)
        if thing is None or (field.refers and thing.name not in field.refers):
            raise malformed_id(value, field.name)
        found = self.store.find(record)
        if found is None:
            raise Refusal(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [])
        if found[1].get("IsDeleted"):
            raise Refusal(400, "ENTITY_IS_DELETED", "entity is deleted", [field.name])
        return record

    def _required(self, sight: Sight, values: Mapping[str, Any], *, creating: bool) -> None:
        needed = [field for field in sight.thing.fields.values() if field.required and field.writable]
        if creating:
            missing = [field.name for field in needed if values.get(field.name) is None and field.default is None]
        else:
            missing = [field.name for field in needed if field.name in values and values[field.name] is None]
        if missing:
            message = f"Required fields are missing: [{', '.join(missing)}]"
            raise Refusal(400, "REQUIRED_FIELD_MISSING", message, missing)


def _read_only(names: list[str], *, creating: bool) -> Refusal:
    message = (
        f"Unable to create/update fields: {', '.join(names)}. Please check the security settings of this field and "
        "verify that it is read/write for your profile or permission set."
    )
    return Refusal(400, "INVALID_FIELD_FOR_INSERT_UPDATE", message, names)


def _json_kind(value: Any) -> str:
    kinds = {bool: "VALUE_BOOLEAN", int: "VALUE_NUMBER_INT", Decimal: "VALUE_NUMBER_FLOAT", str: "VALUE_STRING"}
    return kinds.get(type(value), "START_OBJECT")


def _boolean(field: Field, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    raise unreadable(f"Cannot deserialize instance of boolean from {_json_kind(value)} value {value}")


def _number(field: Field, value: Any) -> Any:
    kind = {"int": "int"}.get(field.type, "double")
    wrong = unreadable(f"Cannot deserialize instance of {kind} from {_json_kind(value)} value {value}")
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise wrong
    if value == "":
        return None
    try:
        exact = Decimal(str(value))
    except InvalidOperation as failure:
        raise wrong from failure
    if not exact.is_finite():
        raise wrong
    if field.type == "int":
        if exact != exact.to_integral_value():
            raise wrong
        return int(exact)
    if abs(exact) >= Decimal(10) ** (field.precision - field.scale):
        raise Refusal(
            400,
            "NUMBER_OUTSIDE_VALID_RANGE",
            f"{field.label or field.name}: value outside of valid range",
            [field.name],
        )
    return amount(exact.quantize(Decimal(1).scaleb(-field.scale), rounding=ROUND_HALF_UP))


def _date(field: Field, value: Any) -> str | None:
    if value == "":
        return None
    match = re.match(r"\d{4}-\d\d-\d\d(?=$|T)", value) if isinstance(value, str) else None
    try:
        return date.fromisoformat(match[0]).isoformat() if match else _refuse_date(field, value)
    except ValueError:
        return _refuse_date(field, value)


def _refuse_date(field: Field, value: Any) -> str:
    raise unreadable(f"Cannot deserialize instance of {field.type} from {_json_kind(value)} value {value}")


def _datetime(field: Field, value: Any) -> str | None:
    if value == "":
        return None
    try:
        when = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        when = None
    if when is None or not isinstance(value, str):
        return _refuse_date(field, value)
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return stamp(when)


def _text(field: Field, value: Any) -> str | None:
    if not isinstance(value, str | int | Decimal | bool):
        raise unreadable(f"Cannot deserialize instance of string from {_json_kind(value)} value")
    kept = str(value).strip() if isinstance(value, str) else str(value).lower()
    if kept == "":
        return None
    label = field.label or field.name
    if field.length and len(kept) > field.length:
        message = f"{label}: data value too large: {kept[:255]} (max length={field.length})"
        raise Refusal(400, "STRING_TOO_LONG", message, [field.name])
    if field.restricted and field.values:
        exact = next((known for known in field.values if known.lower() == kept.lower()), None)
        if exact is None:
            message = f"{label}: bad value for restricted picklist field: {kept}"
            raise Refusal(400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, [field.name])
        return exact
    if field.type == "email" and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s.]+", kept):
        raise Refusal(400, "INVALID_EMAIL_ADDRESS", f"{label}: invalid email address: {kept}", [field.name])
    return kept
