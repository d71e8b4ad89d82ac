"""Report types, reports and dashboards in a deployment: their rules, and the rows that they become."""

from collections.abc import Callable, Mapping

from crm_sandbox.salesforce.fields import Thing
from crm_sandbox.salesforce.metadata.tree import Node
from crm_sandbox.salesforce.schema import Schema
from crm_sandbox.salesforce.store import Store

STANDARD_COLUMNS = frozenset({"CUST_NAME", "CUST_CREATED_DATE", "CUST_OWNER_NAME", "CUST_LAST_UPDATE", "RowCount"})
MOST_DYNAMIC_DASHBOARDS = 5
GROUPED = frozenset({"Summary", "Matrix", "MultiBlock"})
UNGROUPED_PARTS = frozenset({"Metric", "Gauge", "Table", "FlexTable", "RichText", "Image", "VisualforcePage"})
LONGEST_NAME = 40


class Reports:
    """Checks reports and dashboards and writes their rows as `user`."""

    def __init__(self, store: Store, user: str) -> None:
        self.store = store
        self.user = user

    def report_type(self, tree: Node, schema: Schema) -> tuple[str, frozenset[str]]:
        """The base object of a report type and the columns that it offers. Raises a Problem."""
        base = schema.thing(tree.get("baseObject") or "")
        if base is None:
            raise tree.problem(f"In field: baseObject - no CustomObject named {tree.get('baseObject')} found")
        columns = set()
        for node in [column for section in tree.all("sections") for column in section.all("columns")]:
            table, name = node.get("table") or "", node.get("field") or ""
            if table.partition(".")[0] != base.name:
                raise node.problem(f"Invalid table {table} in report type; the base object is {base.name}")
            if not _field_exists(base, name, schema):
                raise node.problem(f"Could not resolve field '{name}' of {table}")
            columns.add(name)
        return base.name, frozenset(columns)

    def check_report(self, tree: Node, schema: Schema, types: Mapping[str, tuple[str, frozenset[str]]]) -> None:
        """Raises a Problem for the first thing that Salesforce would not take."""
        if len(tree.get("name") or "") > LONGEST_NAME:
            raise tree.problem(f"The report name is longer than {LONGEST_NAME} characters")
        known = self._columns(tree, schema, types)
        groupings = [*tree.all("groupingsDown"), *tree.all("groupingsAcross")]
        if tree.get("format") in {"Summary", "Matrix"} and not groupings:
            raise tree.problem(f"A {tree.get('format')} report must have at least one grouping")
        if tree.get("format") == "Tabular" and groupings:
            raise groupings[0].problem("A tabular report cannot have groupings")
        for node in tree.walk():
            if node.tag in {"field", "column", "dateColumn", "sortColumn"} and known is not None:
                _check_column(node, known)

    def check_dashboard(self, tree: Node, formats: Mapping[str, str], other_dynamic: int) -> None:
        """Raises a Problem for a missing report or running user, and for charts on ungrouped reports."""
        kind = tree.get("dashboardType") or "SpecifiedUser"
        runner = tree.get("runningUser")
        if kind == "SpecifiedUser" and not self._active_user(runner):
            node = next(iter(tree.all("runningUser")), tree)
            raise node.problem(f"Cannot find a user that matches any of the following usernames: {runner}")
        if kind != "SpecifiedUser" and other_dynamic >= MOST_DYNAMIC_DASHBOARDS:
            raise tree.problem(
                f"Your organization has reached its limit of {MOST_DYNAMIC_DASHBOARDS} dynamic dashboards"
            )
        if tree.flag("isGridLayout") and not tree.all("dashboardGridLayout"):
            raise tree.problem("Required field is missing: dashboardGridLayout")
        for part in [node for node in tree.walk() if node.tag == "dashboardComponent"]:
            report = part.get("report") or ""
            if part.get("componentType") in {"RichText", "Image"}:
                continue
            if report not in formats:
                raise part.problem(f"Cannot find a report with this name: {report}")
            if part.get("componentType") not in UNGROUPED_PARTS and formats[report] not in GROUPED:
                raise part.problem(f"A chart needs a report with groupings; {report} is {formats[report]}")
        self._grid(tree)

    def planned(self, kind: str, name: str, tree: Node) -> Callable[[], None]:
        """What writes the row of a report or dashboard."""
        folder, _, developer = name.partition("/")

        def write() -> None:
            title = {"Report": "Name", "Dashboard": "Title"}[kind]
            values = {title: tree.get("name" if kind == "Report" else "title"), "DeveloperName": developer}
            values |= {"FolderName": self._folder_label(kind, folder)}
            if kind == "Report":
                values |= {"Format": tree.get("format"), "OwnerId": self._find("Folder", kind, folder)}
            else:
                values |= {"Type": tree.get("dashboardType") or "SpecifiedUser"}
                values |= {"FolderId": self._find("Folder", kind, folder)}
                values |= {"RunningUserId": self._active_user(tree.get("runningUser")) or self.user}
            self._put(kind, developer, values)

        return write

    def folder(self, kind: str, name: str, tree: Node) -> Callable[[], None]:
        """What writes the row of a folder."""
        values = {"Name": tree.get("name"), "DeveloperName": name, "Type": kind, "AccessType": "Public"}
        return lambda: self._put("Folder", name, values)

    def drop(self, kind: str, name: str) -> None:
        """Take out the row of a report, dashboard or folder."""
        folder, slash, developer = name.partition("/")
        table = kind if slash else "Folder"
        record = self._find(table, kind, developer if slash else folder)
        if record is not None:
            self.store.forget(self.store.schema.things[table.lower()], record)

    def _columns(
        self, tree: Node, schema: Schema, types: Mapping[str, tuple[str, frozenset[str]]]
    ) -> frozenset[str] | None:
        """The column names that the report's type offers, None where the sandbox does not know the type."""
        node = tree.all("reportType")[0]
        name = node.text.strip()
        own = {one.get("developerName") or "" for one in tree.all("aggregates")}
        if name.startswith("CustomEntity$"):
            base = schema.thing(name.removeprefix("CustomEntity$"))
            if base is None:
                raise node.problem(f"Invalid report type: {name}")
            columns = {f"{base.name}.{one.name}" for one in base.fields.values() if one.custom}
            return frozenset(columns | STANDARD_COLUMNS | own)
        if name.endswith("__c"):
            known = types.get(name.removesuffix("__c"))
            if known is None:
                raise node.problem(f"Invalid report type: {name}")
            base_name, offered = known
            return frozenset({f"{base_name}${column}" for column in offered} | {"RowCount"} | own)
        return None

    def _grid(self, tree: Node) -> None:
        """Parts may not reach over the grid's edge or lie on each other."""
        for grid in tree.all("dashboardGridLayout"):
            width = int(grid.get("numberOfColumns") or 0)
            taken: set[tuple[int, int]] = set()
            for part in grid.all("dashboardGridComponents"):
                column, row = int(part.get("columnIndex") or 0), int(part.get("rowIndex") or 0)
                wide, high = int(part.get("colSpan") or 0), int(part.get("rowSpan") or 0)
                cells = {(x, y) for x in range(column, column + wide) for y in range(row, row + high)}
                if column + wide > width or not cells:
                    raise part.problem(f"The component does not fit into {width} columns")
                if cells & taken:
                    raise part.problem("The component overlaps another one")
                taken |= cells

    def _active_user(self, username: str | None) -> str | None:
        for row in self.store.rows("User"):
            if username and row["Username"].lower() == username.lower() and row["IsActive"]:
                return str(row["Id"])
        return None

    def _folder_label(self, kind: str, developer: str) -> str:
        record = self._find("Folder", kind, developer)
        return str(self.store.table("Folder").rows[record]["Name"]) if record else developer

    def _find(self, table: str, kind: str, developer: str) -> str | None:
        for row in self.store.rows(table):
            if row["DeveloperName"] == developer and (table != "Folder" or row["Type"] == kind):
                return str(row["Id"])
        return None

    def _put(self, table: str, developer: str, values: Mapping[str, str | None]) -> None:
        kind = str(values.get("Type")) if table == "Folder" else table
        thing = self.store.schema.things[table.lower()]
        record = self._find(table, kind, developer)
        if record is None:
            self.store.insert(thing, values, self.user)
        elif any(self.store.table(table).rows[record].get(name) != value for name, value in values.items()):
            self.store.update(thing, record, values, self.user)


def _field_exists(base: Thing, name: str, schema: Schema) -> bool:
    """A field of the base object, or of a parent of it (`Rep__c.Department`)."""
    first, _, rest = name.partition(".")
    one = base.field(first)
    if one is None:
        return False
    parent = schema.thing(one.refers[0]) if rest and one.refers else None
    return not rest or (parent is not None and parent.field(rest) is not None)


def _check_column(node: Node, known: frozenset[str]) -> None:
    if node.text.strip() not in known:
        raise node.problem(f"Invalid field name: {node.text.strip()}")
