"""Companies that keep their leads as records of the Leads object choose so in the settings."""

from collections.abc import Iterator

import pytest
from hubspot_world import Desk, cursor, desk, rows

from connectors.contract import Change, KpiField, Surface, Written
from connectors.hubspot import HubSpotMappings
from connectors.hubspot.wire import people
from connectors.hubspot.wire.shapes import Row
from kpi_engine.records import Lead, Person

CREATED = "2026-03-02T09:00:00Z"
CREATED_MS = 1_772_442_000_000
STAGES = {"unqualified-stage-id": "disqualified"}
KPIS = (KpiField("calls_made", "Calls made", "count", 0),)


@pytest.fixture
def chosen() -> Iterator[Desk]:
    with desk(mappings=HubSpotMappings(leads="leads_object")) as opened:
        yield opened


def lead(stage: str = "new-stage-id") -> Row:
    properties: dict[str, str | None] = {
        "hs_createdate": CREATED,
        "hs_lastmodifieddate": CREATED,
        "hubspot_owner_id": "41",
        "hs_pipeline_stage": stage,
    }
    return Row(id="640", properties=properties)


def contact(**properties: str | None) -> Row:
    base: dict[str, str | None] = {"createdate": "2026-01-01T00:00:00Z", "lastmodifieddate": "2026-03-09T00:00:00Z"}
    return Row(id="501", properties={**base, "hubspot_owner_id": "42", **properties})


def test_a_lead_has_its_own_owner_and_creation_and_its_contacts_channel() -> None:
    found = people.lead_object(lead(), contact(hs_analytics_source="REFERRALS"), STAGES)
    assert (found.id, found.owner, found.created_at, found.person) == ("640", "41", CREATED_MS, "501")
    assert (found.channel, found.status, found.deleted) == ("REFERRALS", "new-stage-id", False)


def test_the_stage_of_a_lead_is_its_label() -> None:
    assert people.lead_object(lead("unqualified-stage-id"), None, STAGES).status == "disqualified"


@pytest.mark.parametrize(("date", "converted"), [("2026-03-01T00:00:00Z", False), ("2026-03-03T00:00:00Z", True)])
def test_a_conversion_before_the_lead_belongs_to_an_earlier_one(date: str, converted: bool) -> None:
    row = contact(lifecyclestage="opportunity", hs_lifecyclestage_opportunity_date=date)
    assert people.lead_object(lead(), row, STAGES).converted is converted


def test_leads_come_from_their_own_stream_only(chosen: Desk) -> None:
    assert "leads" in chosen.hubspot.capabilities().streams
    assert rows(chosen.read("contacts"), Lead) == []
    leads = {each.id: each for each in rows(chosen.read("leads"), Lead)}
    people_known = {each.id for each in rows(chosen.read("contacts"), Person)}
    assert len(leads) == 2
    assert {each.person for each in leads.values()} <= people_known


def test_a_contact_that_changes_brings_its_leads_again(chosen: Desk) -> None:
    chosen.read("leads")
    after = cursor(chosen.read("contacts"))
    lea = chosen.id_of("prospect", "lea")
    chosen.portal.set("contacts", lea, {"lifecyclestage": "opportunity"})
    found = {each.person: each.converted for each in rows(chosen.read("contacts", after), Lead)}
    assert found[lea]


def test_a_score_is_shown_on_the_lead_itself(chosen: Desk) -> None:
    list(chosen.hubspot.provision(KPIS))
    key = chosen.portal.records("leads")[0]["id"]
    change = Change(
        surface=Surface.LEAD_SCORES, key=key, rep=None, before={}, after={"score": 55.5, "level": "engaged"}
    )
    assert [type(each) for each in chosen.hubspot.push([change])] == [Written]
    assert chosen.hubspot.show(Surface.LEAD_SCORES, [key], ["score"]) == {key: {"score": 55.5}}
