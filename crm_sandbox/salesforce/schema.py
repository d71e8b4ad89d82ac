"""Which objects and fields there are, and what each user may see and write of them."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from crm_sandbox.salesforce.errors import Refusal
from crm_sandbox.salesforce.fields import Field, Thing, ref, text
from crm_sandbox.salesforce.objects.standard import STANDARD

EVERYTHING = frozenset(
    {
        "ApiEnabled",
        "ModifyMetadata",
        "ManageUsers",
        "ManageInternalUsers",
        "AssignPermissionSets",
        "ViewSetup",
        "ViewRoles",
        "ViewAllForecasts",
        "ViewAllUsers",
        "ViewAllData",
        "ModifyAllData",
    }
)
"""The user permissions that the sandbox knows."""


@dataclass(frozen=True)
class Features:
    """What this organisation has switched on, and how its users see it. None: as the world needs it.

    hidden, read_only   `Object.Field` names that field-level security keeps from everyone
    absent              objects that nobody has access to
    permissions         what the running user may do besides reading and writing records
    outcome_field       the custom Event field in which this company notes how a meeting went
    """

    email_messages: bool = True
    multi_currency: bool | None = None
    dated_rates: bool | None = None
    forecasts: bool = True
    splits: bool | None = None
    voice_calls: bool = False
    messaging_sessions: bool = False
    cti: bool = True
    campaigns: bool = True
    owner_history: bool = True
    shared_activities: bool = True
    hidden: frozenset[str] = frozenset()
    read_only: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()
    permissions: frozenset[str] = EVERYTHING
    outcome_field: str | None = None

    def on(self, feature: str | None) -> bool:
        return feature is None or bool(getattr(self, feature))


NAME_FIELDS = (
    Field("Id", "id", length=18, writable=False),
    text("Name", 121),
    text("FirstName", 40),
    text("LastName", 80),
    text("Type", 40, type="picklist"),
    text("Email", 128, type="email"),
    text("Phone", 40, type="phone"),
    text("Title", 128),
    text("Username", 80),
    text("Alias", 8),
    Field("IsActive", "boolean", default=False),
    ref("UserRoleId", "UserRole"),
    ref("ProfileId", "Profile"),
)
NAME = Thing("Name", "", "Name", "Names", {one.name.lower(): one for one in NAME_FIELDS}, bulk=False)
"""What a lookup that may lead to several objects shows of whatever it leads to."""


@dataclass(frozen=True)
class Sight:
    """One object as one user sees it: the visible fields, and which of them this user may write."""

    thing: Thing
    fields: Mapping[str, Field]
    writable: frozenset[str]
    creatable: bool
    updatable: bool
    deletable: bool

    def field(self, name: str) -> Field | None:
        return self.fields.get(name.lower())


@dataclass(frozen=True)
class Grants:
    """What a user's permission sets add up to."""

    readable: frozenset[str] = frozenset()
    editable: frozenset[str] = frozenset()
    objects: Mapping[str, frozenset[str]] = field(default_factory=dict)


class Schema:
    """The objects of one organisation. `revision` moves with everything that may change what a user sees."""

    def __init__(self, features: Features) -> None:
        self.features = features
        self.revision = 0
        self.things: dict[str, Thing] = {thing.name.lower(): thing for thing in STANDARD}
        self._by_prefix: dict[str, Thing] = {thing.prefix: thing for thing in STANDARD}
        self._sights: dict[str, tuple[int, dict[str, Sight]]] = {}

    def thing(self, name: str) -> Thing | None:
        """The object of that name, whether or not anybody sees it."""
        return self.things.get(name.lower())

    def of_id(self, record: str) -> Thing | None:
        """The object that a record id belongs to, by its prefix."""
        return self._by_prefix.get(record[:3])

    def put(self, thing: Thing) -> None:
        """Add an object, or replace it by another version."""
        self.things[thing.name.lower()] = thing
        self._by_prefix[thing.prefix] = thing
        self.revision += 1

    def remove(self, name: str) -> None:
        gone = self.things.pop(name.lower(), None)
        if gone:
            del self._by_prefix[gone.prefix]
        self.revision += 1

    def snapshot(self) -> dict[str, Thing]:
        """The objects as they stand, for `restore`."""
        return dict(self.things)

    def restore(self, things: Mapping[str, Thing]) -> None:
        """Go back to a snapshot; what a failed deployment does."""
        self.things = dict(things)
        self._by_prefix = {thing.prefix: thing for thing in things.values()}
        self.revision += 1

    def switch(self, **changes: Any) -> None:
        """Other features from now on."""
        for name in ("hidden", "read_only", "absent", "permissions"):
            if name in changes:
                changes[name] = frozenset(changes[name])
        self.features = replace(self.features, **changes)
        self.revision += 1

    def sights(self, user: str, grants: Grants) -> dict[str, Sight]:
        """Every object that the user sees, by lower-case name."""
        known = self._sights.get(user)
        if known and known[0] == self.revision:
            return known[1]
        seen = {sight.thing.name.lower(): sight for sight in self._look(grants)}
        self._sights[user] = (self.revision, seen)
        return seen

    def _look(self, grants: Grants) -> Iterator[Sight]:
        features = self.features
        for thing in self.things.values():
            rights = grants.objects.get(thing.name, frozenset())
            if not features.on(thing.feature) or thing.name in features.absent:
                continue
            if thing.custom and not ({"Read"} & rights or {"ViewAllData", "ModifyAllData"} & features.permissions):
                continue
            if thing.name == "ForecastingQuota" and "ViewAllForecasts" not in features.permissions:
                continue
            yield self._sight(thing, grants, rights)

    def _sight(self, thing: Thing, grants: Grants, rights: frozenset[str]) -> Sight:
        visible = {key: one for key, one in thing.fields.items() if self._visible(thing, one, grants)}
        writable = {one.name for one in visible.values() if self._editable(thing, one, grants)}
        may_all = "ModifyAllData" in self.features.permissions

        def may(what: str) -> bool:
            return not thing.custom or may_all or what in rights

        return Sight(
            thing,
            visible,
            frozenset(writable),
            creatable=thing.creatable and may("Create"),
            updatable=thing.updatable and may("Edit"),
            deletable=may("Delete"),
        )

    def _visible(self, thing: Thing, one: Field, grants: Grants) -> bool:
        full = f"{thing.name}.{one.name}"
        if not self.features.on(one.feature) or full in self.features.hidden:
            return False
        if thing.name == "User" and one.name in {"UserRoleId", "ProfileId"}:
            return {"ViewRoles", "ViewSetup"} <= self.features.permissions
        return not one.permissionable or full in grants.readable

    def _editable(self, thing: Thing, one: Field, grants: Grants) -> bool:
        full = f"{thing.name}.{one.name}"
        if not one.writable or full in self.features.read_only:
            return False
        return not one.permissionable or full in grants.editable


def described(sight: Sight, version: str, sights: Mapping[str, Sight]) -> dict[str, Any]:
    """The long description of an object, with its fields and child relationships."""
    thing = sight.thing
    children = [
        {"childSObject": other.thing.name, "field": one.name, "relationshipName": one.children, "cascadeDelete": False}
        for other in sights.values()
        for one in other.fields.values()
        if thing.name in one.refers
    ]
    fields = [one.describe(updateable=sight.updatable and one.name in sight.writable) for one in sight.fields.values()]
    return {
        **listed(sight, version),
        "childRelationships": children,
        "compactLayoutable": True,
        "fields": fields,
        "recordTypeInfos": [],
        "searchLayoutable": True,
    }


def listed(sight: Sight, version: str) -> dict[str, Any]:
    """The short description of an object, as the list of all objects has it."""
    thing = sight.thing
    home = f"/services/data/v{version}/sobjects/{thing.name}"
    return {
        "activateable": False,
        "createable": sight.creatable,
        "custom": thing.custom,
        "customSetting": False,
        "deletable": sight.deletable and thing.deletable,
        "deprecatedAndHidden": False,
        "feedEnabled": False,
        "keyPrefix": thing.prefix,
        "label": thing.label,
        "labelPlural": thing.plural,
        "layoutable": True,
        "mergeable": thing.name in {"Account", "Contact", "Lead"},
        "mruEnabled": True,
        "name": thing.name,
        "queryable": True,
        "replicateable": thing.deletable,
        "retrieveable": True,
        "searchable": thing.deletable,
        "triggerable": True,
        "undeletable": thing.deletable,
        "updateable": sight.updatable,
        "urls": {"sobject": home, "describe": f"{home}/describe", "rowTemplate": f"{home}/{{ID}}"},
    }


def entity_tag(body: bytes) -> str:
    """What changes with the description; the suffix says that the body may travel compressed."""
    return f'"{hashlib.sha256(body).hexdigest()[:16]}--gzip"'


def seen(sights: Mapping[str, Sight], name: str) -> Sight:
    """The object in a resource's path; missing objects and hidden ones look alike."""
    sight = sights.get(name.lower())
    if sight is None:
        raise Refusal(404, "NOT_FOUND", "The requested resource does not exist")
    return sight


def granted(rows: Iterable[tuple[str, Mapping[str, Any]]]) -> Grants:
    """Add up the FieldPermissions and ObjectPermissions rows (object name, row) of a user's permission sets."""
    readable: set[str] = set()
    editable: set[str] = set()
    objects: dict[str, frozenset[str]] = {}
    for kind, row in rows:
        if kind == "FieldPermissions":
            readable |= {row["Field"]} if row.get("PermissionsRead") else set()
            editable |= {row["Field"]} if row.get("PermissionsEdit") else set()
        else:
            rights = {name.removeprefix("Permissions") for name, on in row.items() if on is True}
            objects[row["SobjectType"]] = objects.get(row["SobjectType"], frozenset()) | rights
    return Grants(frozenset(readable), frozenset(editable), objects)
