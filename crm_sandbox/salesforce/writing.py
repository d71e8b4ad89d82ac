"""One user's writes: permissions, locks, uniqueness, and what follows from a change. A bad row raises its refusal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crm_sandbox.salesforce.derived import derived
from crm_sandbox.salesforce.errors import Refusal, malformed_id
from crm_sandbox.salesforce.fields import Field, Thing
from crm_sandbox.salesforce.ids import canonical
from crm_sandbox.salesforce.incoming import Incoming
from crm_sandbox.salesforce.schema import Sight
from crm_sandbox.salesforce.store import Row, Store

NO_RIGHTS = "insufficient access rights on object id"
GONE = "entity is deleted"


@dataclass
class Locks:
    """What keeps rows from being written, by record id or external key.

    left      rows that others hold: how many more times a write finds them locked
    refused   rows that an admin's own validation rule, trigger or flow refuses, with its code and words
    """

    left: dict[str, int] = field(default_factory=dict)
    refused: dict[str, Refusal] = field(default_factory=dict)

    def check(self, *names: str | None) -> None:
        """Raises UNABLE_TO_LOCK_ROW once for each time that is left, and what the admin's rules say each time."""
        for name in names:
            if name in self.refused:
                raise self.refused[name]
            if name and self.left.get(name, 0) > 0:
                self.left[name] -= 1
                message = f"unable to obtain exclusive access to this record or 1 records: {name}"
                raise Refusal(400, "UNABLE_TO_LOCK_ROW", message)


class Writing:
    """What one user may change."""

    def __init__(
        self, store: Store, sights: Mapping[str, Sight], user: str, permissions: frozenset[str], locks: Locks
    ) -> None:
        self.store = store
        self.sights = sights
        self.user = user
        self.permissions = permissions
        self.locks = locks
        self.incoming = Incoming(store, sights)

    def create(self, sight: Sight, sent: Mapping[str, Any]) -> str:
        """A new record's id."""
        thing = sight.thing
        if not sight.creatable:
            raise Refusal(400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", f"entity type {thing.name} cannot be inserted")
        if thing.name == "User":
            raise Refusal(400, "LICENSE_LIMIT_EXCEEDED", "License Limit Exceeded", ["ProfileId"])
        values = self.incoming.values(sight, sent, creating=True)
        self._setup_right(thing)
        if thing.field("OwnerId"):
            values.setdefault("OwnerId", self.user)
        if sight.field("CurrencyIsoCode"):
            values.setdefault("CurrencyIsoCode", self._home_currency())
        self.locks.check(*(str(values[name]) for name in _keys(thing) if values.get(name) is not None))
        self._unique(thing, values, None)
        self._once(thing, values)
        return self.store.insert(thing, derived(self.store, thing.name, {}, values), self.user)

    def update(self, sight: Sight, record: str, sent: Mapping[str, Any]) -> None:
        """Change a record that exists."""
        thing = sight.thing
        row = self._live(thing, record)
        if not sight.updatable:
            raise Refusal(400, "INSUFFICIENT_ACCESS_OR_READONLY", NO_RIGHTS)
        values = self.incoming.values(sight, sent, creating=False)
        self._setup_right(thing)
        if thing.name == "User":
            self._user_right(row)
        self.locks.check(record, *(str(row[name]) for name in _keys(thing) if row.get(name) is not None))
        self._unique(thing, values, record)
        self.store.update(thing, record, derived(self.store, thing.name, row, values), self.user)

    def delete(self, record: str) -> None:
        """Into the recycle bin."""
        found = self.store.find(record)
        if found is None or found[0].name.lower() not in self.sights:
            raise Refusal(404, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        thing = found[0]
        self._live(thing, record)
        if thing.name in {"User", "Organization", "Profile"} or not self.sights[thing.name.lower()].deletable:
            raise Refusal(400, "INSUFFICIENT_ACCESS_OR_READONLY", NO_RIGHTS)
        self._setup_right(thing)
        self.locks.check(record)
        self.store.delete(thing, record, self.user)

    def upsert(
        self, sight: Sight, key: Field, value: Any, sent: Mapping[str, Any], *, update_only: bool = False
    ) -> tuple[str, bool]:
        """Create or update by external id: the record's id and whether it is new."""
        held = self.matches(sight, key, value)
        if len(held) > 1:
            raise Refusal(300, "MULTIPLE_CHOICES", f"{len(held)} records match {key.name} {value}")
        rest = {name: one for name, one in sent.items() if name.lower() != key.name.lower()}
        if held:
            self.update(sight, held[0], rest)
            return held[0], False
        if update_only:
            raise Refusal(404, "NOT_FOUND", "The requested resource does not exist")
        return self.create(sight, {**rest, key.name: value}), True

    def matches(self, sight: Sight, key: Field, value: Any) -> list[str]:
        """The ids of the live records with that external id."""
        if value is None or value == "":
            raise Refusal(400, "MISSING_ARGUMENT", f"{key.name} not specified")
        stored = self.incoming.value(key, value)
        return self.store.holders(sight.thing, key.name, stored, case_sensitive=key.case_sensitive)

    def external_key(self, sight: Sight, name: str) -> Field:
        """The external-id field of that name. Raises 404 where there is none."""
        key = sight.field(name)
        if key is None or not (key.external_id or (key.type == "id" and sight.thing.name != "User")):
            message = f"Provided external ID field does not exist or is not accessible: {name}"
            raise Refusal(404, "NOT_FOUND", message)
        return key

    def record_of(self, sight: Sight, text: Any) -> str:
        """The 18-character id of a record of that object. Raises MALFORMED_ID."""
        record = canonical(text) if isinstance(text, str) else None
        if record is None or not record.startswith(sight.thing.prefix):
            raise malformed_id(str(text), "Id")
        return record

    def _home_currency(self) -> str:
        return next(str(row["IsoCode"]) for row in self.store.rows("CurrencyType") if row["IsCorporate"])

    def _live(self, thing: Thing, record: str) -> Row:
        row = self.store.table(thing.name).rows.get(record)
        if row is None:
            raise Refusal(404, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        if row.get("IsDeleted"):
            raise Refusal(404, "ENTITY_IS_DELETED", GONE)
        return row

    def _setup_right(self, thing: Thing) -> None:
        if thing.setup and thing.name != "User" and "AssignPermissionSets" not in self.permissions:
            raise Refusal(403, "INSUFFICIENT_ACCESS_OR_READONLY", NO_RIGHTS)

    def _user_right(self, row: Row) -> None:
        """Only who manages users may change them, and nobody changes a machine's."""
        if "ManageInternalUsers" not in self.permissions or row.get("UserType") != "Standard":
            raise Refusal(403, "INSUFFICIENT_ACCESS_OR_READONLY", NO_RIGHTS)

    def _unique(self, thing: Thing, values: Mapping[str, Any], record: str | None) -> None:
        for name in values:
            one = thing.fields[name.lower()]
            if not one.unique or values[name] is None:
                continue
            held = self.store.owner_of(thing, name, values[name], case_sensitive=one.case_sensitive)
            if held is not None and held != record:
                message = f"duplicate value found: {name} duplicates value on record with id: {held}"
                raise Refusal(400, "DUPLICATE_VALUE", message, [])

    def _once(self, thing: Thing, values: Mapping[str, Any]) -> None:
        """Rows that may exist only once for their combination of fields."""
        together = {
            "PermissionSetAssignment": ("AssigneeId", "PermissionSetId"),
            "FieldPermissions": ("ParentId", "Field"),
            "ObjectPermissions": ("ParentId", "SobjectType"),
        }.get(thing.name)
        if together is None:
            return
        for row in self.store.rows(thing.name):
            if all(row.get(name) == values.get(name) for name in together):
                message = f"Duplicate {thing.name}. Record has the same {' and '.join(together)} as record {row['Id']}"
                raise Refusal(400, "DUPLICATE_VALUE", message, together)
        if thing.name == "FieldPermissions":
            self._field_exists(values)

    def _field_exists(self, values: Mapping[str, Any]) -> None:
        kind, _, name = str(values.get("Field")).partition(".")
        thing = self.store.schema.thing(kind)
        one = thing.field(name) if thing else None
        if one is None or not one.permissionable:
            message = f"Field Name: bad value for restricted picklist field: {values.get('Field')}"
            raise Refusal(400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, ["Field"])
        if values.get("PermissionsEdit") and not values.get("PermissionsRead"):
            raise Refusal(
                400, "FIELD_INTEGRITY_EXCEPTION", "Edit permission needs read permission", ["PermissionsRead"]
            )


def _keys(thing: Thing) -> Sequence[str]:
    return [one.name for one in thing.fields.values() if one.external_id]
