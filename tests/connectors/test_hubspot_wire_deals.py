"""Deals, splits, goals, campaigns and exchange rates become money."""

import pytest

from connectors.hubspot.wire import deals
from connectors.hubspot.wire.deals import CampaignRow, ExchangeRate, SplitOf, Stage
from connectors.hubspot.wire.people import Directory
from connectors.hubspot.wire.shapes import Row, Unclear, Version
from kpi_engine.records import Campaign, Day, Deal, Micros, Millis, Quota, Rate, Split

CREATED = "2026-01-15T08:00:00Z"
CLOSED = "2026-03-02T09:00:00Z"
CLOSED_MS = 1_772_442_000_000
MODIFIED = "2026-03-05T10:00:00Z"
STAGES = {
    "closedwon": Stage("closedwon", True, True),
    "742": Stage("742", True, False),
    "open": Stage("open", False, False),
}
DIRECTORY = Directory(frozenset({"41"}), {"9001": "41"})
WORDS = ("revenue", "quota")


def row(history: list[Version] | None = None, **properties: str | None) -> Row:
    base = {"createdate": CREATED, "hs_lastmodifieddate": MODIFIED, "hubspot_owner_id": "41", "closedate": CLOSED}
    past = {"hubspot_owner_id": history} if history else {}
    return Row(id="33", properties={**base, **properties}, history=past)


def deal(history: list[Version] | None = None, **properties: str | None) -> Deal:
    found = deals.deal(row(history, **properties), STAGES)[0]
    assert isinstance(found, Deal)
    return found


def test_a_won_deal_is_worth_its_home_amount() -> None:
    won = deal(
        hs_is_closed="true",
        hs_is_closed_won="true",
        amount="1500.5",
        amount_in_home_currency="1388.123456",
        deal_currency_code="USD",
        hs_analytics_source="OFFLINE",
        hs_campaign="c-1",
    )
    assert (won.closed, won.won, won.closed_at) == (True, True, CLOSED_MS)
    assert (won.amount, won.amount_home, won.currency) == (1_500_500_000, 1_388_123_456, "USD")
    assert (won.channel, won.campaign) == ("OFFLINE", "c-1")


def test_without_a_home_amount_the_amount_is_the_home_amount() -> None:
    assert deal(amount="99.99").amount_home == 99_990_000


def test_a_deal_without_amount_has_none() -> None:
    assert (deal(amount=None).amount, deal(amount="").amount_home) == (None, None)


def test_an_open_deal_has_no_close() -> None:
    still_open = deal(hs_is_closed="false", hs_is_closed_won="false")
    assert (still_open.closed, still_open.closed_at, still_open.owner_at_close) == (False, None, None)


@pytest.mark.parametrize(
    ("stage", "closed", "won"), [("closedwon", True, True), ("742", True, False), ("open", False, False)]
)
def test_where_the_deal_does_not_say_its_stage_does(stage: str, closed: bool, won: bool) -> None:
    found = deal(dealstage=stage)
    assert (found.closed, found.won) == (closed, won)


def test_the_deals_own_word_goes_before_its_stage() -> None:
    found = deal(dealstage="open", hs_is_closed="true", hs_is_closed_won="true")
    assert (found.closed, found.won) == (True, True)


def test_stages_are_read_from_texts() -> None:
    pipelines = [
        {
            "id": "default",
            "stages": [
                {"id": "closedwon", "metadata": {"isClosed": "true", "probability": "1.0"}},
                {"id": "742", "metadata": {"isClosed": "true", "probability": "0.0"}},
                {"id": "open", "metadata": {"isClosed": "false", "probability": "0.2"}},
            ],
        }
    ]
    assert deals.stages(pipelines) == STAGES


OWNERS = [
    Version("43", "2026-03-03T00:00:00Z"),
    Version("42", "2026-02-01T00:00:00Z"),
    Version("41", "2026-01-15T08:00:00Z"),
]


def test_a_deal_belongs_to_whoever_owned_it_at_the_close() -> None:
    assert deal(OWNERS, hs_is_closed="true", hubspot_owner_id="43").owner_at_close == "42"


def test_history_may_come_in_any_order() -> None:
    assert deal(OWNERS[::-1], hs_is_closed="true", hubspot_owner_id="43").owner_at_close == "42"


def test_a_deal_entered_after_its_close_belonged_to_its_first_owner() -> None:
    found = deal(OWNERS, hs_is_closed="true", closedate="2026-01-01T00:00:00Z")
    assert found.owner_at_close == "41"


def test_only_a_closed_deal_needs_its_history() -> None:
    assert deals.needs_history(row(hs_is_closed="true"))
    assert not deals.needs_history(row(hs_is_closed="false"))
    assert not deals.needs_history(row(hs_is_closed="true", closedate=None))


def test_without_history_nobody_is_said_to_have_owned_it() -> None:
    assert deal(hs_is_closed="true").owner_at_close is None


def test_an_absorbed_deal_points_to_the_one_that_stayed() -> None:
    _, absorbed = deals.deal(row(hs_merged_object_ids="30"), STAGES)
    assert isinstance(absorbed, Deal)
    assert (absorbed.id, absorbed.deleted, absorbed.merged_into) == ("30", True, "33")


def test_splits_are_shares_of_a_whole_however_they_are_written() -> None:
    def half(id_: str, owner: str, share: str) -> Row:
        properties: dict[str, str | None] = {
            "hubspot_owner_id": owner,
            deals.SPLIT_SHARE: share,
            "hs_lastmodifieddate": CLOSED,
        }
        return Row(id=id_, properties=properties)

    fractions = deals.splits(SplitOf("33", [half("1", "41", "0.6"), half("2", "42", "0.4")]))
    percents = deals.splits(SplitOf("33", [half("1", "41", "60"), half("2", "42", "40")]))
    assert fractions == percents
    assert fractions[0] == Split(id="1", modified=Millis(CLOSED_MS), deal="33", rep="41", share=600_000)


def goal(**properties: str | None) -> list[object]:
    base = {
        "hs_lastmodifieddate": MODIFIED,
        "hs_assignee_user_id": "9001",
        "hs_target_amount": "50000",
        "hs_start_datetime": "2026-03-01T00:00:00Z",
        "hs_end_datetime": "2026-04-01T00:00:00Z",
        "hs_goal_type": "REVENUE",
    }
    return list(deals.quota(Row(id="g1", properties={**base, **properties}), DIRECTORY, WORDS))


def test_a_revenue_goal_of_a_user_is_a_quota_of_the_owner() -> None:
    # 1 March 2026 is day 20513, 1 April day 20544.
    (quota,) = goal()
    assert quota == Quota(
        id="g1",
        modified=Millis(1_772_704_800_000),
        rep="41",
        starts_on=Day(20_513),
        ends_on=Day(20_544),
        amount=Micros(50_000_000_000),
    )


def test_an_end_on_the_last_moment_of_a_day_ends_with_that_day() -> None:
    (quota,) = goal(hs_end_datetime="2026-03-31T23:59:59.999Z")
    assert isinstance(quota, Quota)
    assert quota.ends_on == 20_544


@pytest.mark.parametrize(
    "other",
    [
        {"hs_goal_type": "CALLS"},
        {"hs_goal_type": None, "hs_goal_name": "Meetings in March"},
        {"hs_assignee_user_id": "41"},
        {"hs_assignee_user_id": None},
    ],
)
def test_other_goals_are_no_quotas(other: dict[str, str | None]) -> None:
    assert goal(**other) == []


def test_a_goal_without_a_type_is_known_by_its_name() -> None:
    assert len(goal(hs_goal_type=None, hs_goal_name="Quota Ana 2026-03")) == 1


def test_a_goal_without_an_amount_is_unclear() -> None:
    with pytest.raises(Unclear, match="no amount"):
        goal(hs_target_amount=None)


def test_a_campaign_without_spend_has_no_cost() -> None:
    spent = CampaignRow(
        "c-1",
        {
            "hs_name": "Spring",
            "hs_owner": "41",
            "hs_start_date": "2026-03-01",
            "hs_spend_items_sum_amount": "1200.5",
            "hs_currency_code": "EUR",
        },
        updated_at=CLOSED,
    )
    assert deals.campaign(spent) == Campaign(
        id="c-1",
        modified=Millis(CLOSED_MS),
        owner="41",
        name="Spring",
        starts_on=Day(20_513),
        cost=Micros(1_200_500_000),
        currency="EUR",
    )
    assert deals.campaign(CampaignRow("c-2", {})).cost is None


def test_a_rate_divides_where_hubspot_multiplies() -> None:
    dollars = ExchangeRate("USD", "EUR", 0.8, updated_at=CLOSED)
    assert deals.rate(dollars, "EUR") == Rate(id="USD:EUR", modified=Millis(CLOSED_MS), currency="USD", rate="1.25")
    assert deals.rate(dollars, "USD") == Rate(id="USD:EUR", modified=Millis(CLOSED_MS), currency="EUR", rate="0.8")
    assert deals.rate(dollars, "GBP") is None
    assert deals.rate(ExchangeRate("USD", "EUR", 0), "EUR") is None
