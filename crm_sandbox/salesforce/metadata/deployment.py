"""One deployment: every component checked and put into the schema, what failed noted with its line.

All or nothing: the schema is changed on a copy's terms (a snapshot is restored on failure or for a check), rows are
written only at the end.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from crm_sandbox.salesforce.metadata.custom import custom_field, custom_object
from crm_sandbox.salesforce.metadata.package import FOLDERS, Package, path_of
from crm_sandbox.salesforce.metadata.permission_sets import PermissionSets
from crm_sandbox.salesforce.metadata.reports import Reports
from crm_sandbox.salesforce.metadata.tree import Node, Problem, check
from crm_sandbox.salesforce.schema import Schema

ORDER = ("CustomObject", "CustomField", "CustomTab", "ReportType", "PermissionSet", "Report", "Dashboard")


@dataclass
class Deployed:
    """What the organisation has of metadata: canonical text by (type, full name), object prefixes handed out."""

    components: dict[tuple[str, str], str] = field(default_factory=dict)
    report_fields: dict[str, tuple[str, frozenset[str]]] = field(default_factory=dict)
    formats: dict[str, str] = field(default_factory=dict)
    prefixes: int = 0

    def copy(self) -> "Deployed":
        return Deployed(dict(self.components), dict(self.report_fields), dict(self.formats), self.prefixes)


@dataclass
class Outcome:
    """The componentSuccesses and componentFailures of a deployment, and the row changes that it wants."""

    successes: list[dict[str, Any]] = field(default_factory=list)
    failures: list[dict[str, Any]] = field(default_factory=list)
    effects: list[Callable[[], None]] = field(default_factory=list)


class Deployment:
    """Works through a package against the schema."""

    def __init__(
        self, package: Package, schema: Schema, deployed: Deployed, sets: PermissionSets, reports: Reports
    ) -> None:
        self.package = package
        self.schema = schema
        self.deployed = deployed
        self.sets = sets
        self.reports = reports
        self.outcome = Outcome()

    def run(self) -> Outcome:
        """Check and apply everything."""
        for kind, name in self.package.unwanted:
            self._guarded(kind, name, "destructiveChanges.xml", self._remove)
        for kind, name in self.package.wanted:
            if kind not in ORDER:
                unknown = Problem(f"Unknown type name '{kind}' specified in package.xml")
                self._fail(kind, name, "package.xml", unknown)
        for kind in ORDER:
            members = [name for type_name, name in self.package.wanted if type_name == kind]
            for name in sorted(members, key=lambda name: "/" in name):
                self._guarded(kind, name, self._file(kind, name), self._put)
        self._unlisted()
        return self.outcome

    def _file(self, kind: str, name: str) -> str:
        if kind == "CustomField":
            return f"objects/{name.partition('.')[0]}.object"
        folder, ending = FOLDERS[kind]
        return path_of(kind, name, self.package.files) or f"{folder}/{name}.{ending}"

    def _put(self, kind: str, name: str) -> None:
        """Deploy one component. Raises a Problem."""
        path = self._file(kind, name)
        if path not in self.package.files:
            raise Problem(f"Entity of type '{kind}' named '{name}' cannot be found")
        tree = self.package.tree(path)
        expected = {"CustomField": "CustomObject"}.get(kind, kind)
        if tree.tag != (f"{kind}Folder" if path.endswith("-meta.xml") else expected):
            raise tree.problem(f"Unexpected element {tree.tag} in a file of type {expected}")
        match kind:
            case "CustomObject":
                self._object(tree, name)
            case "CustomField":
                tree = self._field(tree, name)
            case "CustomTab":
                self._tab(tree, name)
            case "ReportType":
                check(tree, "ReportType")
                self.deployed.report_fields[name] = self.reports.report_type(tree, self.schema)
            case "PermissionSet":
                check(tree, "PermissionSet")
                self.outcome.effects.append(self.sets.planned(tree, name, self.schema, self._has_tab))
            case _:
                self._report(kind, tree, name)
        self._note(kind, name, path, tree)

    def _object(self, tree: Node, name: str) -> None:
        check(tree, "CustomObject")
        known = self.schema.thing(name)
        if known is not None and not known.custom:
            return
        prefix = known.prefix if known else self._prefix()
        made = custom_object(tree, name, prefix, self.schema)
        kept = [one for one in known.fields.values() if one.custom] if known else []
        self.schema.put(made.with_fields(*kept))
        for node in tree.all("fields"):
            self._put_field(node, name)

    def _field(self, tree: Node, name: str) -> Node:
        owner, _, field_name = name.partition(".")
        check(tree, "CustomObject")
        if self.schema.thing(owner) is None:
            raise tree.problem(f"Entity Enumeration Or ID: bad value for restricted picklist field: {owner}")
        node = next((one for one in tree.all("fields") if one.get("fullName") == field_name), None)
        if node is None:
            raise tree.problem(f"Entity of type 'CustomField' named '{name}' cannot be found")
        self._put_field(node, owner)
        return node

    def _put_field(self, node: Node, owner: str) -> None:
        made = custom_field(node, owner, self.schema)
        thing = self.schema.things[owner.lower()]
        old = thing.field(made.name)
        if old is not None and (old.type, old.refers) != (made.type, made.refers):
            raise node.problem(f"Cannot change the type of field {owner}.{made.name} from {old.type} to {made.type}")
        self.schema.put(thing.with_fields(made))

    def _tab(self, tree: Node, name: str) -> None:
        check(tree, "CustomTab")
        if not tree.flag("customObject") or self.schema.thing(name) is None:
            raise tree.problem(f"In field: customObject - no CustomObject named {name} found")
        if tree.get("label") is not None:
            raise tree.problem("Cannot specify a label for a custom object tab; it is the object's")
        if not tree.get("motif"):
            raise tree.problem("Required field is missing: motif")

    def _report(self, kind: str, tree: Node, name: str) -> None:
        folder, slash, _ = name.partition("/")
        if not slash:
            check(tree, f"{kind}Folder")
            self.outcome.effects.append(self.reports.folder(kind, name, tree))
            return
        check(tree, kind)
        if (kind, folder) not in self.deployed.components:
            raise tree.problem(f"Cannot find folder:{folder}")
        if kind == "Report":
            self.reports.check_report(tree, self.schema, self.deployed.report_fields)
            self.deployed.formats[name] = tree.get("format") or "Tabular"
        else:
            others = sum(
                "LoggedInUser" in text
                for (other, key), text in self.deployed.components.items()
                if other == "Dashboard" and key != name
            )
            self.reports.check_dashboard(tree, self.deployed.formats, others)
        self.outcome.effects.append(self.reports.planned(kind, name, tree))

    def _remove(self, kind: str, name: str) -> None:
        """Delete one component; one that is not there is only a warning."""
        if not self._exists(kind, name):
            warning = {"problem": f"No {kind} named: {name} found", "problemType": "Warning"}
            self.outcome.successes.append(self._entry(kind, name, "destructiveChanges.xml") | warning)
            return
        if users := self._users(kind, name):
            raise Problem(f"This {kind} is referenced elsewhere in salesforce.com : {', '.join(users)}")
        match kind:
            case "CustomObject":
                self.schema.remove(name)
                self._forget(lambda key: key[0] in {"CustomTab"} and key[1] == name)
                self._forget(lambda key: key[0] == "CustomField" and key[1].startswith(f"{name}."))
                self.outcome.effects.append(lambda: self.sets.drop_object(name))
            case "CustomField":
                owner, _, field_name = name.partition(".")
                thing = self.schema.things[owner.lower()]
                left = {key: one for key, one in thing.fields.items() if key != field_name.lower()}
                self.schema.put(type(thing)(**{**vars(thing), "fields": left}))
                self.outcome.effects.append(lambda: self.sets.drop_field(owner, field_name))
            case "PermissionSet":
                self.outcome.effects.append(lambda: self.sets.drop(name))
            case "ReportType":
                self.deployed.report_fields.pop(name, None)
            case "Report" | "Dashboard":
                self.deployed.formats.pop(name, None)
                self.outcome.effects.append(lambda: self.reports.drop(kind, name))
        self.deployed.components.pop((kind, name), None)
        entry = self._entry(kind, name, "destructiveChanges.xml")
        self.outcome.successes.append(entry | {"deleted": True, "changed": True})

    def _users(self, kind: str, name: str) -> list[str]:
        """What stays and would miss this component; tabs and permissions go by themselves."""
        owner, _, field_name = name.partition(".")
        signs = {
            "CustomObject": (f">{name}<", f">{name}$", f"${name}<"),
            "CustomField": (f">{owner}${field_name}<", f">{owner}.{field_name}<", f"<field>{field_name}</field>"),
            "ReportType": (f"<reportType>{name}__c<",),
            "Report": (f"<report>{name}<",),
        }.get(kind, ())
        staying = {
            key: text
            for key, text in self.deployed.components.items()
            if key not in self.package.unwanted and key[0] in {"ReportType", "Report", "Dashboard"}
        }
        inside = [key for key in staying if kind == key[0] and key[1].startswith(f"{name}/")]
        using = [key for key, text in staying.items() if any(sign in text for sign in signs)]
        return [f"{other} {full}" for other, full in dict.fromkeys([*inside, *using])]

    def _exists(self, kind: str, name: str) -> bool:
        if kind == "CustomField":
            owner, _, field_name = name.partition(".")
            thing = self.schema.thing(owner)
            one = thing.field(field_name) if thing else None
            return one is not None and one.custom
        if kind == "CustomObject":
            thing = self.schema.thing(name)
            return thing is not None and thing.custom
        return (kind, name) in self.deployed.components

    def _forget(self, which: Callable[[tuple[str, str]], bool]) -> None:
        for key in [key for key in self.deployed.components if which(key)]:
            del self.deployed.components[key]

    def _has_tab(self, name: str) -> bool:
        return ("CustomTab", name) in self.deployed.components or name.startswith("standard-")

    def _prefix(self) -> str:
        digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
        number = self.deployed.prefixes
        self.deployed.prefixes += 1
        return f"a{digits[number // 36]}{digits[number % 36]}"

    def _unlisted(self) -> None:
        """Every file must be named in package.xml."""
        named = {self._file(kind, name) for kind, name in self.package.wanted if kind in ORDER}
        for path in self.package.files:
            if "/" in path and path not in named:
                self._fail("", path.rpartition("/")[2], path, Problem("Not in package.xml"))

    def _guarded(self, kind: str, name: str, path: str, step: Callable[[str, str], None]) -> None:
        try:
            step(kind, name)
        except Problem as problem:
            self._fail(kind, name, path, problem)

    def _fail(self, kind: str, name: str, path: str, problem: Problem) -> None:
        entry = self._entry(kind, name, path) | {
            "problem": problem.text,
            "problemType": "Error",
            "lineNumber": problem.line,
            "columnNumber": problem.column,
            "success": False,
        }
        self.outcome.failures.append(entry)

    def _note(self, kind: str, name: str, path: str, tree: Node) -> None:
        text, key = tree.canonical(), (kind, name)
        before = self.deployed.components.get(key)
        self.deployed.components[key] = text
        entry = self._entry(kind, name, path)
        self.outcome.successes.append(entry | {"created": before is None, "changed": before != text})

    def _entry(self, kind: str, name: str, path: str) -> dict[str, Any]:
        return {
            "fileName": path,
            "fullName": name,
            "componentType": kind,
            "success": True,
            "created": False,
            "changed": False,
            "deleted": False,
        }
