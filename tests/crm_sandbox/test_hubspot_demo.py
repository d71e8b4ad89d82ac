"""The demo company in HubSpot's rows: counted there by the catalogue's rules, it has the numbers of the world."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hubspot_company import NOW

from crm_sandbox.hubspot import Portal
from crm_sandbox.seed import demo_world
from crm_sandbox.world import Call, Email, World

Values = dict[str, str]
ANSWERED = {"connected", "answered", "spoke", "spoke with contact", "conversation"}
NOT_MADE = {"FAILED", "CANCELED", "QUEUED"}
LEAD_STAGES = ("lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer")


@pytest.fixture(scope="module")
def world() -> World:
    return demo_world(NOW)


@pytest.fixture(scope="module")
def portal(world: World) -> Portal:
    return Portal(world)


def rows(portal: Portal, object_name: str) -> list[Values]:
    return [row["properties"] for row in portal.records(object_name)]


def by_rep(portal: Portal, world: World, found: Iterable[Values]) -> Counter[str]:
    """Credit goes to the owner, else to the creator; what belongs to no person is nobody's."""
    people = {seller.key for seller in world.sellers if seller.kind == "person"}
    reps = {portal.id_of("seller", key): key for key in people}
    creators = {portal.id_of("user", key): key for key in people}
    return Counter(
        reps.get(row["hubspot_owner_id"], "nobody")
        if "hubspot_owner_id" in row
        else creators.get(row.get("hs_created_by_user_id", ""), "nobody")
        for row in found
    )


def by_seller(world: World, found: Iterable[Call | Email]) -> Counter[str]:
    people = {seller.key for seller in world.sellers if seller.kind == "person"}
    return Counter(thing.seller if thing.seller in people else "nobody" for thing in found)


def made(row: Values) -> bool:
    return row.get("hs_call_direction") != "INBOUND" and row.get("hs_call_status", "").upper() not in NOT_MADE


def was_made(call: Call) -> bool:
    return call.direction in {"out", None} and call.status == "completed" and not call.deleted


def test_every_rep_made_the_calls_that_the_world_says(world: World, portal: Portal) -> None:
    counted = by_rep(portal, world, filter(made, rows(portal, "calls")))
    assert counted == by_seller(world, filter(was_made, world.calls))
    assert counted["ana"] > 100


def test_every_rep_was_answered_as_often_as_the_world_says(world: World, portal: Portal) -> None:
    options = portal.store.tables["0-48"].properties["hs_call_disposition"].options
    labels = {value: label.lower() for value, label in options}

    def answered(row: Values) -> bool:
        if "hs_call_disposition" in row:
            return labels[row["hs_call_disposition"]] in ANSWERED
        return int(row.get("hs_call_duration", "0")) >= 30_000

    def was_answered(call: Call) -> bool:
        return (call.seconds or 0) >= 30 if call.outcome is None else call.outcome.lower() in ANSWERED

    counted = by_rep(portal, world, [row for row in rows(portal, "calls") if made(row) and answered(row)])
    assert counted == by_seller(world, [call for call in world.calls if was_made(call) and was_answered(call)])


@pytest.mark.parametrize(
    ("counts", "counted"),
    [
        (lambda row: True, lambda email: True),
        (lambda row: row["hs_email_status"] == "BOUNCED", lambda email: email.status == "bounced"),
        (lambda row: "hs_email_tracker_key" in row, lambda email: email.tracked),
        (lambda row: row.get("hs_email_open_count", "0") != "0", lambda email: email.tracked and email.opens),
        (lambda row: row.get("hs_email_click_count", "0") != "0", lambda email: email.tracked and email.clicks),
    ],
    ids=["sent", "bounced", "tracked", "opened", "clicked"],
)
def test_emails_are_as_many_as_the_world_says(
    world: World, portal: Portal, counts: Callable[[Values], bool], counted: Callable[[Email], bool]
) -> None:
    sent = [
        row
        for row in rows(portal, "emails")
        if row["hs_email_direction"] == "EMAIL" and row["hs_email_status"] in {"SENT", "BOUNCED"}
    ]
    told = [
        email
        for email in world.emails
        if email.direction == "out" and email.status in {"sent", "bounced"} and not email.deleted
    ]
    assert by_rep(portal, world, filter(counts, sent)) == by_seller(world, filter(counted, told))


def test_leads_were_made_qualified_and_converted_when_the_world_says(world: World, portal: Portal) -> None:
    def first(row: Values, *stages: str) -> str | None:
        dates = [row.get(f"hs_lifecyclestage_{stage}_date") for stage in stages]
        return min((date for date in dates if date is not None), default=None)

    def converted(row: Values) -> str | None:
        undated = row["createdate"] if row["lifecyclestage"] in {"opportunity", "customer"} else None
        return first(row, "opportunity", "customer") or undated

    def told(moment: datetime | None) -> str | None:
        return None if moment is None else f"{moment:%Y-%m-%dT%H:%M:%SZ}"

    leads = [
        row
        for row in rows(portal, "contacts")
        if row["lifecyclestage"] in LEAD_STAGES or "hs_lifecyclestage_lead_date" in row
    ]
    found = Counter((row["createdate"], first(row, *LEAD_STAGES[1:3]), converted(row)) for row in leads)
    assert found == Counter(
        (told(lead.created), told(lead.qualified), told(lead.converted))
        for lead in world.prospects
        if lead.is_lead and not lead.deleted and not lead.merged_into
    )


def test_a_deal_closes_on_its_day_where_its_owner_lives(world: World, portal: Portal) -> None:
    zones = {seller.key: seller.time_zone for seller in world.sellers if seller.kind == "person"}
    for sale in world.sales:
        deal = portal.record("deals", portal.id_of("sale", sale.key))["properties"]
        zone = ZoneInfo(zones.get(sale.owner or "", world.time_zone))
        assert datetime.fromisoformat(deal["closedate"]).astimezone(zone).date() == sale.closed, sale.key
        assert (deal["hs_is_closed"], deal["hs_is_closed_won"]) == {
            "open": ("false", "false"),
            "won": ("true", "true"),
            "lost": ("true", "false"),
        }[sale.stage]


def test_every_value_would_pass_the_portals_own_validation(portal: Portal) -> None:
    for table in portal.store.tables.values():
        for row in table.rows.values():
            assert set(row.values) <= set(table.properties), table.kind.plural
            for name, value in row.values.items():
                definition = table.properties[name]
                known = set(portal.store.owners) if definition.owners else definition.values
                assert value is None or definition.type != "enumeration" or value in known, (name, value)


def test_nothing_was_touched_in_the_future_or_before_it_was_made(portal: Portal) -> None:
    for table in portal.store.tables.values():
        assert all(row.created <= row.modified <= portal.store.now() for row in table.rows.values()), table.kind.plural
