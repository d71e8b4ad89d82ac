"""What is ours in a portal: made once, found again, and removed without a trace."""

from datetime import UTC, datetime, timedelta

import pytest
from hubspot_world import Desk, desk

from connectors.contract import Change, KpiField, NotProvisioned, Provisioned, Surface, Written
from connectors.hubspot import ours
from crm_sandbox.hubspot import ALL_SCOPES

KPIS = (KpiField("calls_made", "Calls made", "count", 0), KpiField("win_rate", "Win rate", "ratio", 4))
MADE = [
    "custom object sales_kpi",
    "users property kpi_calls_made",
    "users property kpi_win_rate",
    "contacts property kpi_engagement_score",
    "contacts property kpi_engagement_level",
]


def made(opened: Desk) -> list[str]:
    return [each.what for each in opened.hubspot.provision(KPIS) if isinstance(each, Provisioned) and each.made]


def refused(opened: Desk) -> dict[str, str]:
    return {each.what: each.reason for each in opened.hubspot.provision(KPIS) if isinstance(each, NotProvisioned)}


def test_everything_is_made_once() -> None:
    with desk() as opened:
        assert made(opened) == MADE
        assert made(opened) == []
        assert opened.hubspot.capabilities().surfaces == frozenset(Surface)


def test_a_rehearsal_says_the_same_and_makes_nothing() -> None:
    with desk() as opened:
        before = opened.portal.fingerprint()
        said = [each.what for each in opened.hubspot.provision(KPIS, dry_run=True) if isinstance(each, Provisioned)]
        assert said == MADE
        assert opened.portal.fingerprint() == before
        assert opened.hubspot.capabilities().surfaces == frozenset()


def test_the_key_of_a_record_is_unique() -> None:
    with desk() as opened:
        made(opened)
        kind = opened.hubspot._facts.kpi_object()
        assert kind is not None
        properties = {each.name: each for each in opened.hubspot._portal.definitions(kind)}
        assert properties[ours.KEY].has_unique_value
        assert {each.name for each in ours.record_properties()} <= set(properties)
        assert (properties["value"].type, properties["period_end"].type) == ("number", "date")


def test_removing_leaves_the_portal_as_it_was() -> None:
    with desk() as opened:
        before = opened.portal.fingerprint()
        made(opened)
        removed = [
            each.what for each in opened.hubspot.unprovision(KPIS) if isinstance(each, Provisioned) and each.made
        ]
        assert removed == [
            "custom object sales_kpi",
            "users property kpi_calls_made",
            "users property kpi_win_rate",
            "users group sales_kpis",
            "contacts property kpi_engagement_score",
            "contacts property kpi_engagement_level",
            "contacts group sales_kpis",
        ]
        assert opened.portal.fingerprint() == before
        assert not [each for each in opened.hubspot.unprovision(KPIS) if isinstance(each, Provisioned) and each.made]


def test_a_property_of_the_company_with_our_name_is_neither_used_nor_removed() -> None:
    with desk() as opened:
        path = opened.hubspot._portal.paths.properties("users")
        opened.hubspot._portal.post(
            f"{path}/groups", "a group", {"name": "own", "label": "Own", "displayOrder": -1}, safe=False
        )
        body = {"groupName": "own", "name": "kpi_calls_made", "label": "Ours", "type": "string", "fieldType": "text"}
        opened.hubspot._portal.post(path, "a property", body, safe=False)
        assert "type string" in refused(opened)["users property kpi_calls_made"]
        list(opened.hubspot.unprovision(KPIS))
        assert "kpi_calls_made" in {each.name for each in opened.hubspot._portal.definitions("users")}


def test_a_portal_without_custom_objects_still_has_the_other_places() -> None:
    with desk(tier="professional") as opened:
        assert list(refused(opened)) == ["custom object sales_kpi"]
        capabilities = opened.hubspot.capabilities()
        assert capabilities.surfaces == {Surface.PERSON_FIELDS, Surface.LEAD_SCORES}
        assert "kpi_records" in {gap.source for gap in capabilities.gaps}


def test_a_portal_without_user_properties_still_has_the_other_places() -> None:
    with desk(user_properties=False) as opened:
        assert {what.split()[0] for what in refused(opened)} == {"users"}
        assert opened.hubspot.capabilities().surfaces == {Surface.KPI_RECORDS, Surface.LEAD_SCORES}


@pytest.mark.parametrize("scope", ["crm.schemas.contacts.write", "crm.schemas.custom.write"])
def test_a_missing_scope_is_named(scope: str) -> None:
    with desk(scopes=[each for each in ALL_SCOPES if each != scope]) as opened:
        reasons = refused(opened)
        assert len(reasons) == 1
        assert scope in next(iter(reasons.values()))


def test_a_new_object_is_waited_for_until_it_takes_records() -> None:
    with desk() as opened:
        start = datetime.now(UTC)
        portal_clock = opened.clock.now
        opened.portal.store.clock = lambda: start + timedelta(seconds=opened.clock.now - portal_clock)
        opened.portal.rules.schema_delay = 5.0
        assert made(opened) == MADE
        change = Change(surface=Surface.KPI_RECORDS, key="c:k", rep=None, before={}, after={"value": 1}, new=True)
        assert [type(each) for each in opened.hubspot.push([change])] == [Written]


def test_a_property_that_a_newer_version_adds_is_added() -> None:
    with desk() as opened:
        made(opened)
        more = (*KPIS, KpiField("revenue", "Revenue", "money", 2))
        added = [each.what for each in opened.hubspot.provision(more) if isinstance(each, Provisioned) and each.made]
        assert added == ["users property kpi_revenue"]
