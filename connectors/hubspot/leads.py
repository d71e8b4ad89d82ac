"""Records of the Leads object, where the settings choose it: each with what only its contact knows.

The lead says whose it is, since when and in which stage; channel, qualification, conversion and opt-out stand on the
contact. So a contact that changes brings its leads again.
"""

from collections.abc import Callable, Sequence

from connectors.hubspot.answers import MissingScope
from connectors.hubspot.facts import Facts
from connectors.hubspot.history import with_history
from connectors.hubspot.portal import Portal
from connectors.hubspot.wire import people
from connectors.hubspot.wire.shapes import Row, Unclear
from kpi_engine.records import Record


class LeadRecords:
    """Reads leads together with their contacts."""

    def __init__(self, portal: Portal, facts: Facts) -> None:
        self._portal = portal
        self._facts = facts

    def translation(self, leads: Sequence[Row]) -> Callable[[Row, bool], list[Record]]:
        """What turns each of these leads into our record."""
        hanging = self._portal.associations("leads", "contacts", [lead.id for lead in leads])
        contacts = hanging.of
        known = self._contacts(sorted({each for of_one in contacts.values() for each in of_one}))
        stages = self._facts.lead_stages()

        def translate(lead: Row, _: bool) -> list[Record]:
            if lead.id in hanging.untold:
                raise Unclear("HubSpot failed to tell its contact")
            first = next(iter(contacts.get(lead.id, ())), None)
            return [people.lead_object(lead, known.get(first or ""), stages)]

        return translate

    def of_contacts(self, contacts: Sequence[str]) -> list[Record]:
        """The leads of contacts that changed. One that is unclear is named when its own stream reads it; so is a scope
        that is missing, which is no reason to read no contacts."""
        try:
            return self._of(contacts)
        except MissingScope:
            return []

    def _of(self, contacts: Sequence[str]) -> list[Record]:
        found = self._portal.associations("contacts", "leads", contacts).of
        ids = sorted({each for of_one in found.values() for each in of_one})
        wanted = self._facts.defined("leads", people.LEAD_PROPERTIES)
        leads = self._portal.batch_read("leads", ids, wanted).rows if ids else []
        translate = self.translation(leads) if leads else None
        records: list[Record] = []
        for lead in leads:
            try:
                records += translate(lead, True) if translate else []
            except Unclear:
                continue
        return records

    def _contacts(self, ids: Sequence[str]) -> dict[str, Row]:
        wanted = self._facts.defined("contacts", people.CONTACT_PROPERTIES)
        rows = self._portal.batch_read("contacts", ids, wanted).rows
        told, _ = with_history(self._portal, self._facts, "contacts", rows)
        return {row.id: row for row in told}
