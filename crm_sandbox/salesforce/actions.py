"""What users, administrators and bad luck do to an organisation, for tests and for the control paths."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from crm_sandbox.salesforce.derived import derived
from crm_sandbox.salesforce.errors import Refusal
from crm_sandbox.salesforce.fields import NUMBERS, Field, Thing
from crm_sandbox.salesforce.store import STAMPS, amount, stamp

if TYPE_CHECKING:
    from crm_sandbox.salesforce.org import Org


def insert(org: "Org", name: str, fields: Mapping[str, Any], stamps: Mapping[str, Any] | None = None) -> str:
    """A user makes a record; with `stamps` (SystemModstamp, CreatedDate …) it is one that commits late. Its id."""
    thing = _thing(org, name)
    values = derived(org.store, thing.name, {}, _values(thing, fields))
    when = {key: _moment(value) for key, value in (stamps or {}).items() if key in STAMPS}
    return org.store.insert(thing, values, org.register.robot, when)


def change(org: "Org", name: str, record: str, fields: Mapping[str, Any]) -> None:
    """A user changes a record; its stamps move."""
    thing = _thing(org, name)
    row = org.store.table(thing.name).rows[record]
    org.store.update(thing, record, derived(org.store, thing.name, row, _values(thing, fields)), org.register.robot)


def delete(org: "Org", name: str, record: str, *, hard: bool = False) -> None:
    """A user deletes a record; `hard`: not even the recycle bin has it."""
    thing = _thing(org, name)
    if hard:
        org.store.forget(thing, record)
    else:
        org.store.delete(thing, record, org.register.robot)


def undelete(org: "Org", name: str, record: str) -> None:
    """A user takes a record out of the recycle bin."""
    org.store.undelete(_thing(org, name), record, org.register.robot)


def merge(org: "Org", name: str, master: str, duplicates: Iterable[str]) -> None:
    """A user merges duplicates into a master record."""
    org.store.merge(_thing(org, name), master, duplicates, org.register.robot)


def security(org: "Org", fields: Mapping[str, str]) -> None:
    """Field-level security for standard fields: hidden, read_only or visible."""
    hidden, read_only = set(org.schema.features.hidden), set(org.schema.features.read_only)
    for name, state in fields.items():
        hidden.discard(name)
        read_only.discard(name)
        if state == "hidden":
            hidden.add(name)
        elif state == "read_only":
            read_only.add(name)
    org.schema.switch(hidden=hidden, read_only=read_only)


def lock(org: "Org", names: Iterable[str], times: int = 1) -> None:
    """Somebody else holds these records (ids or external keys) for the next so many writes."""
    org.locks.left.update(dict.fromkeys(names, times))


def unshare(org: "Org", records: Iterable[str]) -> None:
    """From now on sharing rules keep exactly these records from queries; their stamps do not move."""
    org.store.unshared = set(records)


def forbid(org: "Org", names: Iterable[str], code: str, message: str = "", fields: Iterable[str] = ()) -> None:
    """A validation rule, trigger or flow of the admin's refuses these records (ids or external keys) from now on."""
    refusal = Refusal(400, code, message or f"refused: {code}", list(fields))
    org.locks.refused.update(dict.fromkeys(names, refusal))


def clock_ahead(org: "Org", seconds: float) -> None:
    """Time passes."""
    org.ahead += timedelta(seconds=seconds)


def _thing(org: "Org", name: str) -> Thing:
    thing = org.schema.thing(name)
    if thing is None:
        raise Refusal(404, "NOT_FOUND", f"there is no object {name}")
    return thing


def _values(thing: Thing, fields: Mapping[str, Any]) -> dict[str, Any]:
    values = {}
    for name, value in fields.items():
        field = thing.field(name)
        if field is None:
            raise Refusal(400, "INVALID_FIELD", f"No such column '{name}' on sobject of type {thing.name}")
        values[field.name] = _value(field, value)
    return values


def _value(field: Field, value: Any) -> Any:
    if value is None:
        return None
    if field.type == "datetime":
        return _moment(value)
    if field.type in NUMBERS - {"int"}:
        return amount(Decimal(str(value)))
    return value


def _moment(value: Any) -> str:
    when = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return stamp(when)
