"""Makes and removes our things in Salesforce: looks first, asks Salesforce whether it would, then does it at once."""

from collections.abc import Iterable, Iterator, Sequence

from connectors.contract import KpiField, NotProvisioned, Provisioned
from connectors.errors import NotAllowed, Unreadable
from connectors.salesforce import names
from connectors.salesforce.answers import complaints
from connectors.salesforce.deploy import Deployment, deploy
from connectors.salesforce.metadata import Part, package, removal, wanted
from connectors.salesforce.org import Org
from connectors.salesforce.rows import Row
from connectors.salesforce.vendor import format_soql

ROUNDS = 6
"""How often parts that Salesforce refuses are left out before giving up on the rest."""

DEPLOY_ADVICE = (
    "Provision with a user who has the permission Modify Metadata Through Metadata API Functions, "
    "or let an admin deploy the package from Setup."
)

ASSIGNMENT = f"assignment of {names.PERMISSION_SET} to the signed-in user"

Outcome = Provisioned | NotProvisioned


class Provisioner:
    """Provisions one org."""

    def __init__(self, org: Org) -> None:
        self._org = org

    def provision(self, kpis: Sequence[KpiField], *, dry_run: bool = False) -> Iterator[Outcome]:
        """Make what is missing, and say of each part whether it was made, was there or was refused."""
        parts = wanted(kpis)
        missing = self._missing(parts)
        yield from (Provisioned(part.what, made=False) for part in parts if part not in missing)
        if dry_run:
            yield from (Provisioned(part.what, made=True) for part in missing)
            yield Provisioned(ASSIGNMENT, made=not self._assigned())
            return
        if missing:
            yield from self._make(parts, missing, kpis)
            self._org.visible.look_again()
        yield self._assign()

    def unprovision(self, kpis: Sequence[KpiField], *, dry_run: bool = False) -> Iterator[Outcome]:
        """Remove what is there of ours; `made` then means removed."""
        parts = wanted(kpis)
        missing = self._missing(parts)
        there = [part for part in parts if part not in missing]
        yield from (Provisioned(part.what, made=False) for part in missing)
        if not there or dry_run:
            yield from (Provisioned(part.what, made=True) for part in there)
            return
        self._unassign()
        result = self._deployed(removal(there, self._version))
        self._org.visible.look_again()
        yield from _told(there, result)

    def _make(self, parts: Sequence[Part], missing: Sequence[Part], kpis: Sequence[KpiField]) -> Iterator[Outcome]:
        """Deploy what is missing, without what Salesforce refuses and what depends on that."""
        present = [part.name for part in parts if part.kind == "CustomField" and part not in missing]
        user = self._org.identity().preferred_username
        refused: dict[Part, str] = {}
        for _ in range(ROUNDS):
            going = [part for part in missing if part not in refused]
            # Permission sets name every field, so they go along whenever one is new.
            sets = [part for part in parts if part.kind == "PermissionSet" and part not in {*refused, *going}]
            result = self._deployed(package([*going, *sets], present, kpis, self._version, user))
            named = {} if isinstance(result, NotProvisioned) else _reasons(result, [*going, *sets])
            if not named:
                break
            refused |= dict.fromkeys(_dependents(parts, named), "It depends on something that was refused.") | named
        yield from _told([part for part in going if part not in refused], result)
        yield from (NotProvisioned(part.what, reason, DEPLOY_ADVICE) for part, reason in refused.items())

    @property
    def _version(self) -> str:
        return self._org.settings.api_version

    def _deployed(self, zipped: bytes) -> Deployment | NotProvisioned:
        """What became of a zip: checked first, so that a refusal leaves no trace; then for good."""
        try:
            checked = deploy(self._org, zipped, check_only=True)
            return deploy(self._org, zipped, check_only=False) if checked.succeeded else checked
        except NotAllowed as refusal:
            return NotProvisioned("", refusal.message, DEPLOY_ADVICE)

    def _missing(self, parts: Sequence[Part]) -> tuple[Part, ...]:
        """The parts that are not there. What has no record of its own came with the object, in the same deployment."""
        self._org.visible.look_at([names.KPI_OBJECT, "User", "Lead", "Contact"])
        there = {
            "PermissionSet": self._named("PermissionSet", "Name", parts),
            "Report": self._named("Report", "DeveloperName", parts),
            "Dashboard": self._named("Dashboard", "DeveloperName", parts),
        }
        return tuple(part for part in parts if not self._is_there(part, there))

    def _is_there(self, part: Part, there: dict[str, frozenset[str] | None]) -> bool:
        object_there = bool(self._org.fields(names.KPI_OBJECT))
        found = there.get(part.kind)
        if part.kind == "CustomField":
            sobject, field = part.name.split(".")
            return field in self._org.fields(sobject)
        return object_there if found is None else part.name.split("/")[-1] in found

    def _named(self, sobject: str, field: str, parts: Sequence[Part]) -> frozenset[str] | None:
        """Which of our parts of a kind have a record; None where such records cannot be queried."""
        short = {part.name.split("/")[-1] for part in parts if part.kind == sobject}
        query = format_soql(
            "SELECT Id, {field:literal} FROM {sobject:literal} WHERE {field:literal} IN {short}",
            field=field,
            sobject=sobject,
            short=sorted(short),
        )
        try:
            return frozenset(row.own_name for row in self._org.rows(query, NamedRow))
        except (Unreadable, NotAllowed):
            return None

    def _assigned(self) -> bool:
        user = self._org.identity().user_id
        return any(row.AssigneeId == user for row in self._assignments())

    def _assignments(self) -> list["AssignmentRow"]:
        query = format_soql(
            "SELECT Id, AssigneeId FROM PermissionSetAssignment WHERE PermissionSet.Name IN {sets}",
            sets=[names.PERMISSION_SET, names.VIEWER_SET],
        )
        return list(self._org.rows(query, AssignmentRow))

    def _assign(self) -> Outcome:
        """Give the writer's permission set to whoever is signed in: new fields are invisible to all without it."""
        advice = f"Assign the permission set {names.PERMISSION_SET} to the integration user in Setup."
        try:
            user = self._org.identity().user_id
            query = format_soql("SELECT Id FROM PermissionSet WHERE Name = {name}", name=names.PERMISSION_SET)
            found = list(self._org.rows(query, Row))
            if not found:
                return NotProvisioned(ASSIGNMENT, "The permission set is not there.", advice)
            return self._assign_to(user, found[0].Id, advice)
        except (Unreadable, NotAllowed) as refusal:
            return NotProvisioned(ASSIGNMENT, refusal.message, advice)

    def _assign_to(self, user: str, permission_set: str, advice: str) -> Outcome:
        query = format_soql(
            "SELECT Id FROM PermissionSetAssignment WHERE AssigneeId = {user} AND PermissionSetId = {set}",
            user=user,
            set=permission_set,
        )
        if list(self._org.rows(query, Row)):
            return Provisioned(ASSIGNMENT, made=False)
        body = {"AssigneeId": user, "PermissionSetId": permission_set}
        path = self._org.root + "/sobjects/PermissionSetAssignment"
        response = self._org.transport.send("POST", path, json=body)
        if response.is_success:
            self._org.visible.look_again()
            return Provisioned(ASSIGNMENT, made=True)
        codes = [one.code for one in complaints(response)]
        if "DUPLICATE_VALUE" in codes:
            return Provisioned(ASSIGNMENT, made=False)
        return NotProvisioned(ASSIGNMENT, f"Salesforce refused it ({', '.join(codes)}).", advice)

    def _unassign(self) -> None:
        """Take our permission sets from everybody; one that somebody has cannot be removed."""
        try:
            for row in self._assignments():
                path = f"{self._org.root}/sobjects/PermissionSetAssignment/{row.Id}"
                self._org.transport.send("DELETE", path)
        except Unreadable:
            return  # nothing is assigned where assignments do not exist; the deployment itself will tell


class NamedRow(Row, gc=False, kw_only=True):
    """A row of PermissionSet, Report or Dashboard."""

    Name: str | None = None
    DeveloperName: str | None = None

    @property
    def own_name(self) -> str:
        return self.DeveloperName or self.Name or ""


class AssignmentRow(Row, gc=False, kw_only=True):
    """Who has a permission set."""

    AssigneeId: str | None = None


def _told(parts: Sequence[Part], result: Deployment | NotProvisioned) -> Iterator[Outcome]:
    """What a deployment, or its refusal, means for each of its parts."""
    if isinstance(result, NotProvisioned):
        yield from (NotProvisioned(part.what, result.reason, result.advice) for part in parts)
        return
    if result.succeeded:
        yield from (Provisioned(part.what, made=True) for part in parts)
        return
    reasons, general = _reasons(result, parts), _general_reason(result)
    yield from (NotProvisioned(part.what, reasons.get(part, general), DEPLOY_ADVICE) for part in parts)


def _reasons(deployment: Deployment, parts: Iterable[Part]) -> dict[Part, str]:
    """The parts that Salesforce named, with what it has against each; a tab and its object share a name."""
    named = {
        (failure.componentType or "", failure.fullName or ""): failure.problem or "no reason given"
        for failure in deployment.failures
    }
    found = ((part, named.get((part.kind, part.name), named.get(("", part.name)))) for part in parts)
    return {part: reason for part, reason in found if reason is not None}


def _general_reason(deployment: Deployment) -> str:
    reasons = [failure.problem for failure in deployment.failures if failure.problem]
    return reasons[0] if reasons else deployment.errorMessage or f"The deployment ended as {deployment.status}."


def _dependents(parts: Sequence[Part], refused: Iterable[Part]) -> list[Part]:
    """Everything that cannot be without one of the refused parts."""
    without = {part.name for part in refused if part.kind != "CustomTab"}
    out: list[Part] = []
    for part in parts:  # what others need stands before them
        if set(part.needs) & without:
            out.append(part)
            without.add(part.name)
    return out
