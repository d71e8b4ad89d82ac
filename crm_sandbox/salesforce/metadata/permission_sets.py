"""Permission sets in a deployment: their rules, and the rows that they become."""

from collections.abc import Callable, Mapping
from typing import Any

from crm_sandbox.salesforce.metadata.tree import Node
from crm_sandbox.salesforce.schema import EVERYTHING, Schema
from crm_sandbox.salesforce.store import Store

NEEDS = {
    "allowCreate": ("allowRead",),
    "allowEdit": ("allowRead",),
    "allowDelete": ("allowRead", "allowEdit"),
    "viewAllRecords": ("allowRead",),
    "modifyAllRecords": ("allowRead", "allowEdit", "allowDelete", "viewAllRecords"),
}
ROWS = {
    "allowCreate": "PermissionsCreate",
    "allowRead": "PermissionsRead",
    "allowEdit": "PermissionsEdit",
    "allowDelete": "PermissionsDelete",
    "viewAllRecords": "PermissionsViewAllRecords",
    "modifyAllRecords": "PermissionsModifyAllRecords",
}


class PermissionSets:
    """Checks permission sets and writes their rows as `user`."""

    def __init__(self, store: Store, user: str, rights: dict[str, frozenset[str]]) -> None:
        self.store = store
        self.user = user
        self.rights = rights

    def planned(self, tree: Node, name: str, schema: Schema, has_tab: Callable[[str], bool]) -> Callable[[], None]:
        """Check the set against the schema; what comes back writes its rows. Raises a Problem."""
        if not name.replace("_", "").isalnum():
            raise tree.problem(f"The permission set name {name} may only hold letters, digits and underscores")
        fields = [self._field(node, schema) for node in tree.all("fieldPermissions")]
        objects = [self._object(node, schema) for node in tree.all("objectPermissions")]
        for node in tree.all("tabSettings"):
            if not has_tab(node.get("tab") or ""):
                raise node.problem(f"In field: tab - no CustomTab named {node.get('tab')} found")
        rights = {node.get("name") or "" for node in tree.all("userPermissions") if node.flag("enabled")}
        for node in tree.all("userPermissions"):
            if node.get("name") not in EVERYTHING:
                raise node.problem(f"Unknown user permission: {node.get('name')}")
        label = tree.get("label") or name
        return lambda: self._write(name, label, fields, objects, frozenset(rights))

    def drop(self, name: str) -> None:
        """The set with all its assignments and permissions."""
        record = self._find(name)
        if record is None:
            return
        self._clear(record)
        for row in list(self.store.rows("PermissionSetAssignment")):
            if row["PermissionSetId"] == record:
                self._forget("PermissionSetAssignment", row["Id"])
        self._forget("PermissionSet", record)

    def drop_field(self, owner: str, name: str) -> None:
        """A deleted field: its values and its permissions go."""
        for row in list(self.store.rows("FieldPermissions")):
            if row["Field"] == f"{owner}.{name}":
                self._forget("FieldPermissions", row["Id"])
        thing = self.store.schema.thing(owner)
        if thing is None:
            return
        table = self.store.table(thing.name)
        for record, row in list(table.rows.items()):
            if name in row:
                table.rows[record] = {key: value for key, value in row.items() if key != name}
        table.unique.clear()

    def drop_object(self, name: str) -> None:
        """A deleted object: its rows and all permissions on it go."""
        self.store.tables.pop(name, None)
        for kind in ("FieldPermissions", "ObjectPermissions"):
            for row in list(self.store.rows(kind)):
                if row["SobjectType"] == name:
                    self._forget(kind, row["Id"])

    def _field(self, node: Node, schema: Schema) -> dict[str, Any]:
        name = node.get("field") or ""
        owner, _, field_name = name.partition(".")
        thing = schema.thing(owner)
        one = thing.field(field_name) if thing else None
        if thing is None or one is None:
            raise node.problem(f"In field: field - no CustomField named {name} found")
        if one.required or one.name in {"Name", "Id", "OwnerId"} or not (one.custom or one.writable):
            raise node.problem(f"You cannot deploy to a required field: {name}")
        if node.flag("editable") and not node.flag("readable"):
            raise node.problem(f"Field {name}: edit permission needs read permission")
        if node.flag("editable") and not one.writable:
            raise node.problem(f"Field {name} is not editable")
        full = f"{thing.name}.{one.name}"
        rights = {"PermissionsRead": node.flag("readable"), "PermissionsEdit": node.flag("editable")}
        return {"SobjectType": thing.name, "Field": full, **rights}

    def _object(self, node: Node, schema: Schema) -> dict[str, Any]:
        thing = schema.thing(node.get("object") or "")
        if thing is None:
            raise node.problem(f"In field: object - no CustomObject named {node.get('object')} found")
        for right, needs in NEEDS.items():
            missing = [need for need in needs if node.flag(right) and not node.flag(need)]
            if missing:
                raise node.problem(f"Permission {right} of {thing.name} depends on permission(s): {', '.join(missing)}")
        return {"SobjectType": thing.name, **{row: node.flag(tag) for tag, row in ROWS.items()}}

    def _write(
        self,
        name: str,
        label: str,
        fields: list[dict[str, Any]],
        objects: list[dict[str, Any]],
        rights: frozenset[str],
    ) -> None:
        """Rows as the set says; a set that is there already keeps its id, and its assignments."""
        thing = self.store.schema.things["permissionset"]
        record = self._find(name)
        if record is None:
            record = self.store.insert(thing, {"Name": name, "Label": label, "IsCustom": True}, self.user)
        elif self.store.table("PermissionSet").rows[record]["Label"] != label:
            self.store.update(thing, record, {"Label": label}, self.user)
        self.rights[record] = rights
        for kind, key, wanted in (("FieldPermissions", "Field", fields), ("ObjectPermissions", "SobjectType", objects)):
            self._replace(kind, key, record, {row[key]: row for row in wanted})

    def _replace(self, kind: str, key: str, record: str, wanted: Mapping[str, dict[str, Any]]) -> None:
        thing = self.store.schema.things[kind.lower()]
        kept = set()
        for row in list(self.store.rows(kind)):
            if row["ParentId"] != record:
                continue
            new = wanted.get(row[key])
            if new is None:
                self._forget(kind, row["Id"])
            elif any(row.get(name) != value for name, value in new.items()):
                self.store.update(thing, row["Id"], new, self.user)
            kept.add(row[key])
        for name, new in wanted.items():
            if name not in kept:
                self.store.insert(thing, {**new, "ParentId": record}, self.user)

    def _clear(self, record: str) -> None:
        self.rights.pop(record, None)
        for kind in ("FieldPermissions", "ObjectPermissions"):
            for row in list(self.store.rows(kind)):
                if row["ParentId"] == record:
                    self._forget(kind, row["Id"])

    def _find(self, name: str) -> str | None:
        return next((str(row["Id"]) for row in self.store.rows("PermissionSet") if row["Name"] == name), None)

    def _forget(self, kind: str, record: str) -> None:
        self.store.forget(self.store.schema.things[kind.lower()], record)
