"""Our things in Salesforce as metadata files: object, fields, permission sets, tab, reports and dashboard, as one zip.

The order of elements is the schema's: alphabetical after `fullName`.
"""

import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from connectors.contract import KpiField
from connectors.salesforce import names

NAMESPACE = "http://soap.sforce.com/2006/04/metadata"

Tree = str | Sequence[tuple[str, "Tree"]]
"""The inside of an element: its text, or its children by tag."""


@dataclass(frozen=True)
class Part:
    """One thing of ours: its metadata type and full name, and what it cannot be without."""

    kind: str
    name: str
    needs: tuple[str, ...] = ()

    @property
    def what(self) -> str:
        """The thing for a reader."""
        return f"{WORDS[self.kind]} {self.name}"


WORDS = {
    "CustomObject": "object",
    "CustomField": "field",
    "PermissionSet": "permission set",
    "CustomTab": "tab",
    "ReportType": "report type",
    "Report": "report",
    "Dashboard": "dashboard",
}

TEXT_LENGTHS = {
    "KPI__c": 80,
    "Label__c": 120,
    "Family__c": 80,
    "Dimension__c": 255,
    "Reason__c": 40,
    "Trend__c": 255,
    "As_Of__c": 40,
}
LONG_TEXTS = {"Evidence__c": 32_768}
NUMBERS = {"Sample_Size__c": 0} | dict.fromkeys(
    (
        "Value__c",
        "Numerator__c",
        "Denominator__c",
        "Target__c",
        "Attainment__c",
        "Previous__c",
        "Change__c",
    ),
    4,
)
DATES = ("Period_Start__c", "Period_End__c")


def wanted(kpis: Iterable[KpiField]) -> tuple[Part, ...]:
    """Everything that writing and showing these KPIs takes."""
    own = names.KPI_OBJECT
    own_fields = [names.KEY_FIELD, *(name for name in names.KPI_FIELDS.values() if name != "Name")]
    return (
        Part("CustomObject", own),
        *(Part("CustomField", f"{own}.{name}", (own,)) for name in own_fields),
        *(Part("CustomField", f"User.{names.person_field(kpi.key)}") for kpi in kpis),
        *(Part("CustomField", f"{sobject}.{name}") for sobject in ("Lead", "Contact") for name in SCORES),
        Part("PermissionSet", names.PERMISSION_SET, (own,)),
        Part("PermissionSet", names.VIEWER_SET, (own,)),
        Part("CustomTab", own, (own,)),
        Part("ReportType", names.REPORT_TYPE, (own,)),
        *(Part("Report", f"{names.FOLDER}/{report}", (own, names.REPORT_TYPE)) for report in REPORTS),
        Part("Dashboard", f"{names.FOLDER}/{names.DASHBOARD}", (own, names.REPORT_TYPE, DASHBOARD_REPORT)),
    )


SCORES = tuple(names.SCORE_FIELDS.values())
DASHBOARD_REPORT = f"{names.FOLDER}/{names.ATTAINMENT_REPORT}"


def fields_of(kpis: Iterable[KpiField]) -> dict[str, Tree]:
    """The definition of every field of ours by its full name."""
    own = names.KPI_OBJECT
    found: dict[str, Tree] = {f"{own}.{names.KEY_FIELD}": _key_field(), f"{own}.Rep__c": _rep_field()}
    for name in names.KPI_FIELDS.values():
        if name not in {"Name", "Rep__c"}:
            found[f"{own}.{name}"] = _plain_field(name)
    for kpi in kpis:
        name = names.person_field(kpi.key)
        found[f"User.{name}"] = _number(name, f"KPI {kpi.label}"[:40], kpi.places)
    for sobject in ("Lead", "Contact"):
        score, level = SCORES
        found[f"{sobject}.{score}"] = _number(score, "KPI Engagement Score", 2)
        found[f"{sobject}.{level}"] = _text(level, "KPI Engagement Level", 20)
    return found


def _plain_field(name: str) -> Tree:
    label = name.removesuffix("__c").replace("_", " ")
    if name in NUMBERS:
        return _number(name, label, NUMBERS[name])
    if name in DATES:
        return [("fullName", name), ("label", label), ("type", "Date")]
    if name in LONG_TEXTS:
        length = str(LONG_TEXTS[name])
        return [
            ("fullName", name),
            ("label", label),
            ("length", length),
            ("type", "LongTextArea"),
            ("visibleLines", "3"),
        ]
    return _text(name, label, TEXT_LENGTHS.get(name, 20))


def _number(name: str, label: str, places: int) -> Tree:
    scale = ("precision", "18"), ("scale", str(places))
    return [("fullName", name), ("label", label), *scale, ("type", "Number")]


def _text(name: str, label: str, length: int) -> Tree:
    return [("fullName", name), ("label", label), ("length", str(length)), ("type", "Text")]


def _key_field() -> Tree:
    # Not `required`: a required field may not stand in a permission set, and upserts always carry it.
    return [
        ("fullName", names.KEY_FIELD),
        ("caseSensitive", "true"),
        ("externalId", "true"),
        ("label", "External Key"),
        ("length", "255"),
        ("type", "Text"),
        ("unique", "true"),
    ]


def _rep_field() -> Tree:
    return [
        ("fullName", "Rep__c"),
        ("deleteConstraint", "SetNull"),
        ("label", "Rep"),
        ("referenceTo", "User"),
        ("relationshipLabel", "Sales KPIs"),
        ("relationshipName", "Sales_KPIs"),
        ("type", "Lookup"),
    ]


def _object(fields: Sequence[Tree]) -> Tree:
    columns = ("NAME", "Rep__c", "Label__c", "Period_Start__c", "Value__c", "Target__c", "Attainment__c", "State__c")
    return [
        ("deploymentStatus", "Deployed"),
        ("enableReports", "true"),
        *(("fields", field) for field in fields),
        ("label", "Sales KPI"),
        (
            "listViews",
            [
                ("fullName", "All"),
                *(("columns", column) for column in columns),
                ("filterScope", "Everything"),
                ("label", "All"),
            ],
        ),
        ("nameField", [("label", "KPI"), ("type", "Text")]),
        ("pluralLabel", "Sales KPIs"),
        # Everyone who may see the object sees all rows; nobody but the writer may change one.
        ("sharingModel", "Read"),
    ]


def _permission_set(label: str, fields: Iterable[str], *, writes: bool) -> Tree:
    flag = "true" if writes else "false"
    return [
        *(
            ("fieldPermissions", [("editable", flag), ("field", field), ("readable", "true")])
            for field in sorted(fields)
        ),
        ("hasActivationRequired", "false"),
        ("label", label),
        (
            "objectPermissions",
            [
                ("allowCreate", flag),
                ("allowDelete", flag),
                ("allowEdit", flag),
                ("allowRead", "true"),
                ("modifyAllRecords", flag),
                ("object", names.KPI_OBJECT),
                ("viewAllRecords", flag),
            ],
        ),
        ("tabSettings", [("tab", names.KPI_OBJECT), ("visibility", "Visible")]),
    ]


def _report_type() -> Tree:
    shown = ("Name", "Rep__c", "Label__c", "Grain__c", "Dimension__c", "Period_Start__c")
    numbers = ("Value__c", "Target__c", "Attainment__c", "Previous__c", "Change__c", "State__c")
    columns = [
        ("columns", [("checkedByDefault", "true"), ("field", field), ("table", names.KPI_OBJECT)])
        for field in (*shown, *numbers)
    ]
    return [
        ("baseObject", names.KPI_OBJECT),
        ("category", "other"),
        ("deployed", "true"),
        ("label", "Sales KPIs"),
        ("sections", [*columns, ("masterLabel", "Sales KPI")]),
    ]


REPORTS: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    names.REPORT: ("KPIs by Rep", ("Label__c", "Rep__c"), ("Value__c", "Target__c")),
    names.ATTAINMENT_REPORT: ("Attainment by Rep", ("Rep__c",), ("Attainment__c",)),
}
"""Report → its title, what it groups by, what it averages."""


def _report(title: str, groups: Sequence[str], averaged: Sequence[str]) -> Tree:
    of = f"{names.KPI_OBJECT}$"
    only = (("Grain__c", "equals", "month"), ("Dimension__c", "equals", ""))
    return [
        *(("columns", [("aggregateTypes", "Average"), ("field", of + field)]) for field in averaged),
        (
            "filter",
            [
                ("criteriaItems", [("column", of + column), ("operator", operator), ("value", value)])
                for column, operator, value in only
            ],
        ),
        ("format", "Summary"),
        *(
            ("groupingsDown", [("dateGranularity", "Day"), ("field", of + field), ("sortOrder", "Asc")])
            for field in groups
        ),
        ("name", title),
        ("reportType", f"{names.REPORT_TYPE}__c"),
        ("scope", "organization"),
        ("showDetails", "false"),
        ("showGrandTotal", "true"),
        ("showSubTotals", "true"),
        ("timeFrameFilter", [("dateColumn", f"{of}Period_Start__c"), ("interval", "INTERVAL_THISMONTH")]),
    ]


def _dashboard(running_user: str) -> Tree:
    of = f"{names.KPI_OBJECT}$"
    chart: Tree = [
        ("autoselectColumnsFromReport", "false"),
        ("chartAxisRange", "Auto"),
        ("chartSummary", [("aggregate", "Average"), ("axisBinding", "y"), ("column", f"{of}Attainment__c")]),
        ("componentType", "Bar"),
        ("displayUnits", "Auto"),
        ("groupingColumn", f"{of}Rep__c"),
        ("header", "Attainment by rep (this month)"),
        ("legendPosition", "Bottom"),
        ("report", DASHBOARD_REPORT),
        ("showPercentage", "false"),
        ("showValues", "true"),
        ("sortBy", "RowValueDescending"),
        ("useReportChart", "false"),
    ]
    place: Tree = [
        ("colSpan", "12"),
        ("columnIndex", "0"),
        ("dashboardComponent", chart),
        ("rowIndex", "0"),
        ("rowSpan", "8"),
    ]
    return [
        ("backgroundEndColor", "#FFFFFF"),
        ("backgroundFadeDirection", "Diagonal"),
        ("backgroundStartColor", "#FFFFFF"),
        ("dashboardGridLayout", [("dashboardGridComponents", place), ("numberOfColumns", "12"), ("rowHeight", "36")]),
        # A dashboard of one running user costs none of the few dynamic ones that an org may have.
        ("dashboardType", "SpecifiedUser"),
        ("isGridLayout", "true"),
        ("runningUser", running_user),
        ("textColor", "#000000"),
        ("title", "Sales KPI"),
        ("titleColor", "#000000"),
        ("titleSize", "12"),
    ]


def package(parts: Sequence[Part], present: Iterable[str], kpis: Iterable[KpiField], version: str, user: str) -> bytes:
    """The zip that makes these parts. `present`: full names of the fields that are there already."""
    made = {(part.kind, part.name) for part in parts}
    files: dict[str, bytes] = {"package.xml": _manifest("Package", parts, version)}
    fields = fields_of(kpis)
    new_fields = [name for kind, name in made if kind == "CustomField"]
    for sobject in sorted({name.split(".")[0] for name in new_fields}):
        inside = [fields[name] for name in fields if name in new_fields and name.startswith(f"{sobject}.")]
        tree = _object(inside) if ("CustomObject", sobject) in made else [("fields", field) for field in inside]
        files[f"objects/{sobject}.object"] = _xml("CustomObject", tree)
    allowed = {*new_fields, *present} & fields.keys()
    for label, name, writes in PERMISSION_SETS:
        if ("PermissionSet", name) in made:
            tree = _permission_set(label, allowed, writes=writes)
            files[f"permissionsets/{name}.permissionset"] = _xml("PermissionSet", tree)
    files |= _reporting(made, user)
    return _zip(files)


PERMISSION_SETS = (
    ("Sales KPI Writer", names.PERMISSION_SET, True),
    ("Sales KPI Viewer", names.VIEWER_SET, False),
)


def _reporting(made: Iterable[tuple[str, str]], user: str) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for kind, name in made:
        match kind:
            case "CustomTab":
                # No label: a tab of an object takes the object's, and one of its own breaks the deployment.
                tab = [("customObject", "true"), ("motif", "Custom57: Chart")]
                found[f"tabs/{name}.tab"] = _xml("CustomTab", tab)
            case "ReportType":
                found[f"reportTypes/{name}.reportType"] = _xml("ReportType", _report_type())
            case "Report":
                found[f"reports/{names.FOLDER}-meta.xml"] = _xml("ReportFolder", [("name", "Sales KPIs")])
                found[f"reports/{name}.report"] = _xml("Report", _report(*REPORTS[name.split("/")[1]]))
            case "Dashboard":
                found[f"dashboards/{names.FOLDER}-meta.xml"] = _xml("DashboardFolder", [("name", "Sales KPIs")])
                found[f"dashboards/{name}.dashboard"] = _xml("Dashboard", _dashboard(user))
    return found


def removal(parts: Sequence[Part], version: str) -> bytes:
    """The zip that removes these parts; the fields of an object go with it."""
    whole = {part.name for part in parts if part.kind == "CustomObject"}
    going = [part for part in parts if not (part.kind == "CustomField" and part.name.split(".")[0] in whole)]
    return _zip(
        {
            "package.xml": _manifest("Package", (), version),
            "destructiveChanges.xml": _manifest("Package", going, version),
        }
    )


def _manifest(root: str, parts: Sequence[Part], version: str) -> bytes:
    members: dict[str, list[str]] = {}
    for part in parts:
        of_kind = members.setdefault(part.kind, [])
        if "/" in part.name and names.FOLDER not in of_kind:
            of_kind.append(names.FOLDER)  # a folder is a member of the type whose files it holds
        of_kind.append(part.name)
    types: list[tuple[str, Tree]] = [
        ("types", [*(("members", member) for member in found), ("name", kind)]) for kind, found in members.items()
    ]
    return _xml(root, [*types, ("version", version)])


def _xml(root: str, tree: Tree) -> bytes:
    element = ElementTree.Element(root, xmlns=NAMESPACE)
    _grow(element, tree)
    ElementTree.indent(element)
    return bytes(ElementTree.tostring(element, encoding="UTF-8", xml_declaration=True))


def _grow(element: ElementTree.Element, tree: Tree) -> None:
    if isinstance(tree, str):
        element.text = tree
        return
    for tag, inside in tree:
        _grow(ElementTree.SubElement(element, tag), inside)


def _zip(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(files):
            # A fixed date keeps the same content the same bytes.
            archive.writestr(zipfile.ZipInfo(path, (2026, 1, 1, 0, 0, 0)), files[path])
    return buffer.getvalue()
