"""Making and removing what is ours in a portal: the KPI object, the user properties and the contact properties.

Each place works or fails on its own: a portal without custom objects still shows the numbers on its users, and one
that lets nobody add user properties still has the scores on its leads.
"""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from connectors.contract import KpiField, NotProvisioned, Provisioned
from connectors.hubspot import ours
from connectors.hubspot.answers import MissingScope, Rejected, error_of
from connectors.hubspot.definitions import group, property_of, schema
from connectors.hubspot.facts import Facts
from connectors.hubspot.ours import Property
from connectors.hubspot.portal import BATCH, Definition, Definitions, Portal, batches, decoded

Step = Provisioned | NotProvisioned

ENTERPRISE = (
    "Custom objects need an Enterprise edition and the scopes crm.schemas.custom.write and crm.objects.custom.write. "
    "Without them the numbers stand on the user records and in the kpisync console."
)
USERS = (
    "Some portals let no app add user properties, or the token lacks crm.objects.users.write. The KPI records and the "
    "kpisync console show the same numbers."
)
LEADS = "It takes the scopes crm.schemas.contacts.write and crm.objects.contacts.write on the service key or app."


class Provisioner:
    """Makes and removes, in one portal."""

    def __init__(self, portal: Portal, facts: Facts, lead_kind: str) -> None:
        self._portal = portal
        self._facts = facts
        self._lead_kind = lead_kind

    def provision(self, kpis: Sequence[KpiField], *, dry_run: bool) -> Iterator[Step]:
        """Everything `push` needs. What is there already is left alone."""
        self._facts.renew()
        yield from self._make_object(dry_run)
        made = list(self._make_properties("users", ours.person_properties(kpis), USERS, dry_run))
        yield from made
        if kpis and not dry_run and any(isinstance(step, Provisioned) and step.made for step in made):
            yield from self._try_on_one_user(ours.person_property(kpis[0].key))
        yield from self._make_properties(self._lead_kind, ours.lead_properties(), LEADS, dry_run)

    def unprovision(self, kpis: Sequence[KpiField], *, dry_run: bool) -> Iterator[Step]:
        """Our records, then the object they stand in; our properties, then their group."""
        self._facts.renew()
        yield from self._remove_object(dry_run)
        yield from self._remove_properties("users", ours.person_properties(kpis), USERS, dry_run)
        yield from self._remove_properties(self._lead_kind, ours.lead_properties(), LEADS, dry_run)

    def _make_object(self, dry_run: bool) -> Iterator[Step]:
        what = f"custom object {ours.OBJECT}"
        kind = self._facts.kpi_object()
        if kind is not None:
            yield Provisioned(what, made=False)
            yield from self._complete_object(kind, dry_run)
            return
        if dry_run:
            yield Provisioned(what, made=True)
            return
        response = self._portal.send("POST", self._portal.paths.schemas, schema())
        self._facts.renew()
        if response.status_code == 409:
            yield Provisioned(what, made=False)
        elif response.status_code in {400, 403}:
            yield NotProvisioned(what, error_of(response, what).message, ENTERPRISE)
        elif response.status_code >= 300:
            raise error_of(response, what)
        else:
            yield Provisioned(what, made=True)

    def _complete_object(self, kind: str, dry_run: bool) -> Iterator[Step]:
        """Properties that a newer version of ours has and the portal's object lacks."""
        known = {definition.name: definition for definition in self._facts.definitions(kind)}
        key = known.get(ours.KEY)
        if key is None or not key.has_unique_value:
            yield NotProvisioned(
                f"{ours.OBJECT}.{ours.KEY}",
                f"The portal has an object {ours.OBJECT} that is not ours: {ours.KEY} is not a unique property there.",
                f"Rename or remove that object, then run kpisync provision again. {ENTERPRISE}",
            )
            return
        missing = [each for each in ours.record_properties() if each.name not in known]
        yield from self._add(kind, missing, None, ENTERPRISE, dry_run)

    def _make_properties(self, kind: str, wanted: Sequence[Property], advice: str, dry_run: bool) -> Iterator[Step]:
        path = self._portal.paths.properties(kind)
        response = self._portal.send("GET", path)
        if response.status_code in {400, 403, 404}:
            yield NotProvisioned(f"{kind} properties", error_of(response, f"properties of {kind}").message, advice)
            return
        if response.status_code != 200:
            raise error_of(response, f"properties of {kind}")
        known = {each.name: each for each in decoded(response.content, Definitions, kind).results}
        missing = [each for each in wanted if each.name not in known]
        for each in wanted:
            if each.name in known:
                yield _there(kind, each, known[each.name])
        if not missing:
            return
        if not dry_run:
            refusal = self._make_group(kind)
            if refusal is not None:
                yield NotProvisioned(f"{kind} properties", refusal, advice)
                return
        yield from self._add(kind, missing, ours.GROUP, advice, dry_run)

    def _try_on_one_user(self, name: str) -> Iterator[NotProvisioned]:
        """HubSpot documents only its own properties of users as writable, so a number is written, read and cleared."""
        users = self._portal.page("users", ["hs_object_id"]).results
        if not users:
            return
        path = f"{self._portal.paths.writing('users')}/batch/update"

        def write(value: str) -> int:
            inputs = [{"id": users[0].id, "properties": {name: value}}]
            return self._portal.send("POST", path, {"inputs": inputs}).status_code

        status = write("1")
        shown = self._portal.batch_read("users", [users[0].id], [name]).rows if status < 300 else []
        if not shown or Decimal(shown[0].properties.get(name) or 0) != 1:
            reason = f"HubSpot makes the property but does not keep its value (HTTP {status})."
            yield NotProvisioned("users property values", reason, USERS)
        write("")

    def _make_group(self, kind: str) -> str | None:
        """Why our group cannot be made; None where it is there."""
        path = self._portal.paths.property_groups(kind)
        if self._portal.send("GET", f"{path}/{ours.GROUP}").status_code == 200:
            return None
        response = self._portal.send("POST", path, group())
        if response.status_code in {200, 201, 409}:
            return None
        if response.status_code in {400, 403, 404}:
            return error_of(response, f"a group of {kind} properties").message
        raise error_of(response, f"a group of {kind} properties")

    def _add(
        self, kind: str, missing: Iterable[Property], group_name: str | None, advice: str, dry_run: bool
    ) -> Iterator[Step]:
        """One call a property, so that a refusal stands beside its name."""
        for each in missing:
            what = f"{kind} property {each.name}"
            if dry_run:
                yield Provisioned(what, made=True)
                continue
            response = self._portal.send("POST", self._portal.paths.properties(kind), property_of(each, group_name))
            if response.status_code in {200, 201}:
                yield Provisioned(what, made=True)
            elif response.status_code == 409:
                yield Provisioned(what, made=False)
            elif response.status_code in {400, 403}:
                yield NotProvisioned(what, error_of(response, what).message, advice)
                if response.status_code == 403:
                    return
            else:
                raise error_of(response, what)

    def _remove_object(self, dry_run: bool) -> Iterator[Step]:
        what = f"custom object {ours.OBJECT}"
        kind = self._facts.kpi_object()
        if kind is None:
            yield Provisioned(what, made=False)
            return
        if not dry_run:
            try:
                self._remove_records(kind)
            except (MissingScope, Rejected) as refusal:
                yield NotProvisioned(what, refusal.message, ENTERPRISE)
                return
            response = self._portal.send("DELETE", f"{self._portal.paths.schemas}/{kind}")
            self._facts.renew()
            if response.status_code not in {200, 204, 404}:
                yield NotProvisioned(what, error_of(response, what).message, "Remove it in HubSpot's settings.")
                return
        yield Provisioned(what, made=True)

    def _remove_records(self, kind: str) -> None:
        ids = [row.id for page in self._portal.pages(kind, [ours.KEY]) for row in page.results]
        for part in batches(ids, BATCH):
            body = {"inputs": [{"id": each} for each in part]}
            self._portal.post(f"{self._portal.paths.writing(kind)}/batch/archive", "KPI records", body)

    def _remove_properties(self, kind: str, wanted: Sequence[Property], advice: str, dry_run: bool) -> Iterator[Step]:
        response = self._portal.send("GET", self._portal.paths.properties(kind))
        if response.status_code in {400, 403, 404}:
            yield NotProvisioned(f"{kind} properties", error_of(response, f"properties of {kind}").message, advice)
            return
        if response.status_code != 200:
            raise error_of(response, f"properties of {kind}")
        names = {each.name for each in wanted}
        found = decoded(response.content, Definitions, kind).results
        for each in (one for one in found if _is_ours(one, names)):
            yield self._remove(
                f"{self._portal.paths.properties(kind)}/{each.name}", f"{kind} property {each.name}", dry_run
            )
        yield self._remove(
            f"{self._portal.paths.property_groups(kind)}/{ours.GROUP}", f"{kind} group {ours.GROUP}", dry_run
        )

    def _remove(self, path: str, what: str, dry_run: bool) -> Step:
        """Take it away, if it is there: HubSpot answers 204 for deleting what is not."""
        response = self._portal.send("GET", path)
        if response.status_code == 404:
            return Provisioned(what, made=False)
        if response.status_code == 200 and not dry_run:
            response = self._portal.send("DELETE", path)
        if response.status_code in {200, 204}:
            return Provisioned(what, made=True)
        if response.status_code in {400, 403, 404, 409}:
            return NotProvisioned(what, error_of(response, what).message, "Remove it in HubSpot's settings.")
        raise error_of(response, what)


def _there(kind: str, wanted: Property, found: Definition) -> Step:
    what = f"{kind} property {wanted.name}"
    if found.type == wanted.vendor_types[0]:
        return Provisioned(what, made=False)
    return NotProvisioned(
        what,
        f"The portal has a property of this name with type {found.type}.",
        "Rename or remove it in HubSpot's settings, then run kpisync provision again.",
    )


def _is_ours(found: Definition, names: set[str]) -> bool:
    """By our mark: a property that the company made itself stays, even where its name is one of ours."""
    marked = ours.MARK in (found.description or "")
    return marked and (found.name in names or found.group_name == ours.GROUP)
