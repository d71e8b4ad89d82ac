"""What a token may read and where our numbers can be shown: found out, named, and never fatal."""

from datetime import date
from decimal import Decimal

import pytest
from hubspot_world import ago, desk, rows, small_world

from connectors.errors import NotAllowed
from connectors.hubspot import HubSpotMappings
from connectors.hubspot.streams import streams
from crm_sandbox.hubspot import ALL_SCOPES
from crm_sandbox.serving import Fault
from crm_sandbox.world import ExchangeRate, Sale
from kpi_engine.records import Company, Rate, Split
from kpi_engine.sources import SOURCES

EVERYTHING = tuple(stream.name for stream in streams(HubSpotMappings()))
UNTOLD = Fault("access-token-info", "answer", status=404, body="{}", times=None)


def without(*scopes: str) -> list[str]:
    return [each for each in ALL_SCOPES if each not in scopes]


def test_the_portal_says_whose_it_is() -> None:
    with desk(enforce_limits=True) as opened:
        found = opened.hubspot.capabilities()
        assert (found.organisation, found.time_zone, found.home_currency) == ("24613507", "Europe/Madrid", "EUR")
        assert found.streams == EVERYTHING
        assert found.streams[0] == "owners"
        assert found.daily_calls == 1_000_000


def test_looking_is_cheap() -> None:
    with desk() as opened:
        opened.hubspot.capabilities()
        assert opened.hubspot.calls() == 13  # eight, and five kinds' properties, which the first load needs too


@pytest.mark.parametrize("faults", [[], [UNTOLD]], ids=["HubSpot tells the scopes", "one of each kind is asked for"])
def test_a_missing_scope_closes_one_stream_and_is_named(faults: list[Fault]) -> None:
    with desk(scopes=without("sales-email-read"), faults=faults) as opened:
        found = opened.hubspot.capabilities()
        assert found.streams == tuple(name for name in EVERYTHING if name != "emails")
        closed = [gap for gap in found.gaps if gap.source == "emails"]
        assert ["sales-email-read" in gap.advice for gap in closed] == [True]
        missing = opened.hubspot.company_defaults(Company(connection="c")).missing
        assert {"emails", "opens", "clicks", "bounces", "replies", "documents"} <= set(missing)


@pytest.mark.parametrize(
    ("scope", "stream", "source"),
    [
        ("crm.objects.goals.read", "goals", "quotas"),
        ("marketing.campaigns.read", "campaigns", "campaign_costs"),
        ("forms", "forms", "form_submissions"),
        ("crm.objects.deals.read", "deals", "deals"),
    ],
)
def test_each_scope_costs_its_own_source(scope: str, stream: str, source: str) -> None:
    with desk(scopes=without(scope)) as opened:
        assert stream not in opened.hubspot.capabilities().streams
        assert source in opened.hubspot.company_defaults(Company(connection="c")).missing


def test_a_scope_that_is_lost_in_the_middle_is_an_error_once_and_a_gap_from_then_on() -> None:
    with desk() as opened:
        opened.hubspot.capabilities()
        opened.portal.desk.change({"scopes": without("forms")})
        with pytest.raises(NotAllowed, match="forms"):
            opened.read("forms")
        assert opened.read("calls")
        assert "forms" not in opened.hubspot.capabilities().streams
        assert "form_submissions" in opened.hubspot.company_defaults(Company(connection="c")).missing


def test_a_scope_that_is_given_later_opens_the_stream() -> None:
    with desk(scopes=without("forms")) as opened:
        assert "forms" not in opened.hubspot.capabilities().streams
        opened.portal.desk.change({"scopes": list(ALL_SCOPES)})
        assert "forms" in opened.hubspot.capabilities().streams
        assert "form_submissions" not in opened.hubspot.company_defaults(Company(connection="c")).missing


@pytest.mark.parametrize(
    ("tier", "stream", "source"),
    [
        ("professional", "page_views", "page_views"),
        ("starter", "campaigns", "campaign_costs"),
        ("free", "goals", "quotas"),
    ],
)
def test_some_streams_need_an_edition_whatever_the_scopes(tier: str, stream: str, source: str) -> None:
    with desk(tier=tier) as opened:
        assert stream not in opened.hubspot.capabilities().streams
        assert source in opened.hubspot.company_defaults(Company(connection="c")).missing


def test_an_edition_without_splits_has_none() -> None:
    with desk(tier="starter") as opened:
        assert rows(opened.read("deal_splits"), Split) == []


@pytest.mark.parametrize(
    ("kind", "hidden", "sources"),
    [
        ("calls", ["hs_call_disposition", "hs_call_duration"], {"answers"}),
        ("calls", ["hs_call_disposition"], set()),
        ("emails", ["hs_email_open_count"], {"opens"}),
        ("emails", ["hs_email_click_count"], {"clicks"}),
        ("emails", ["hs_email_tracker_key"], {"opens", "clicks"}),
        ("emails", ["hs_email_thread_id"], {"replies"}),
        ("meetings", ["hs_meeting_outcome"], {"meeting_outcomes"}),
        ("contacts", ["hs_email_optout"], {"opt_out_dates"}),
        ("goal_targets", ["hs_assignee_user_id"], {"quotas"}),
    ],
)
def test_a_property_that_the_portal_hides_makes_its_number_unknown_and_not_zero(
    kind: str, hidden: list[str], sources: set[str]
) -> None:
    with desk() as opened:
        for name in hidden:
            del opened.portal.store.table(kind).properties[name]
        found = opened.hubspot.capabilities()
        assert found.streams == EVERYTHING
        told = {gap.source: gap.reason for gap in found.gaps}
        missing = opened.hubspot.company_defaults(Company(connection="c")).missing
        assert set(missing) == {"documents", *sources}
        assert all(name in told[source] for name in hidden for source in sources)


def test_hubspot_finds_the_deal_of_a_conversion_by_its_links() -> None:
    with desk() as opened:
        company = opened.hubspot.company_defaults(Company(connection="c", missing={"clicks": "told by the admin"}))
        assert company.lead_deal_from_links
        assert company.missing["clicks"] == "told by the admin"


def test_every_source_is_one_that_the_engine_knows() -> None:
    known = {*SOURCES, "rates", "splits"}  # without these two the engine goes on: home amounts, and the owner's whole
    assert {source for stream in streams(HubSpotMappings()) for source in stream.sources} <= known


def test_an_old_api_version_is_pointed_out() -> None:
    with desk(settings={"api_version": "v3"}) as opened:
        (gap,) = [gap for gap in opened.hubspot.capabilities().gaps if gap.source == "api_version"]
        assert "September 2027" in gap.reason


def test_links_to_deals_are_left_out_where_deals_are_closed() -> None:
    with desk(scopes=without("crm.objects.deals.read")) as opened:
        (page, *_) = opened.read("calls")
        assert {to for _, _, to in page.relinked} == {"person"}


def test_a_split_deal_is_divided() -> None:
    deal = Sale(
        "s1",
        "Split",
        ((ago(days=9), "ana"),),
        ago(days=9),
        "won",
        date(2026, 11, 16),
        closed_at=ago(days=4),
        amount=Decimal("100"),
        splits=(("ana", Decimal("60")), ("ben", Decimal("40"))),
    )
    with desk(small_world(sales=(deal,), calls=(), meetings=())) as opened:
        shares = {split.rep: split.share for split in rows(opened.read("deal_splits"), Split)}
        assert shares == {opened.id_of("seller", "ana"): 600_000, opened.id_of("seller", "ben"): 400_000}


def test_rates_are_read_towards_the_home_currency() -> None:
    with desk(small_world(rates=(ExchangeRate("USD", date(2026, 1, 1), Decimal("1.25")),))) as opened:
        assert {rate.currency: rate.rate for rate in rows(opened.read("currencies"), Rate)} == {"USD": "1.25"}
