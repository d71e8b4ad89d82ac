"""The catalogue: which KPIs there are, and what each says of itself."""

import pytest

from kpi_engine.catalog import BY_KEY, CATALOG, HEADLINE, Direction, Kpi, Unit, places
from kpi_engine.populations import NAMES
from kpi_engine.sources import SOURCES


def test_there_is_one_headline_kpi_for_each_family() -> None:
    assert [kpi.key for kpi in HEADLINE] == [
        "email_reply_rate",
        "calls_made",
        "touchpoints_per_won_deal",
        "engaged_leads",
        "revenue",
        "average_deal_value",
        "quota_attainment",
        "interested_leads",
    ]
    assert [kpi.family.number for kpi in HEADLINE] == [1, 2, 3, 4, 5, 6, 7, 8]


def test_the_catalogue_has_42_kpis_in_the_order_of_their_families() -> None:
    assert len(CATALOG) == len(BY_KEY) == 42
    assert [kpi.family.number for kpi in CATALOG] == sorted(kpi.family.number for kpi in CATALOG)


def test_less_is_better_for_these() -> None:
    assert {kpi.key for kpi in CATALOG if kpi.direction is Direction.LESS} == {
        "email_bounce_rate",
        "email_unsubscribe_rate",
        "effort_per_won_deal",
        "sales_cycle_days",
        "median_sales_cycle_days",
        "deals_lost",
        "calls_per_won_deal",
        "emails_per_won_deal",
    }


def test_neither_is_better_for_these() -> None:
    assert {kpi.key for kpi in CATALOG if kpi.direction is Direction.NEITHER} == {
        "touchpoints",
        "touchpoints_per_won_deal",
        "follow_ups_per_won_deal",
        "open_leads",
        "large_deal_share",
        "quota",
    }


def test_these_add_up_over_days() -> None:
    assert {kpi.key for kpi in CATALOG if kpi.adds_up} == {
        "emails_sent",
        "calls_made",
        "calls_answered",
        "talk_minutes",
        "touchpoints",
        "revenue",
        "deals_won",
        "deals_lost",
        "quota",
        "leads_created",
        "interested_leads",
    }


def test_eleven_are_shares_of_cases() -> None:
    assert {kpi.key for kpi in CATALOG if kpi.share_of_cases} == {
        "email_bounce_rate",
        "email_click_rate",
        "email_open_rate",
        "email_reply_rate",
        "call_answer_rate",
        "call_follow_up_rate",
        "response_rate",
        "engagement_rate",
        "win_rate",
        "interest_rate",
        "lead_win_rate",
    }


def test_averages_of_counts_have_two_places_and_counts_none() -> None:
    assert {kpi.key: places(kpi) for kpi in CATALOG if kpi.unit is Unit.COUNT and places(kpi)} == {
        "touchpoints_per_won_deal": 2,
        "follow_ups_per_won_deal": 2,
        "effort_per_won_deal": 2,
        "calls_per_won_deal": 2,
        "emails_per_won_deal": 2,
    }
    assert {kpi.unit: places(kpi) for kpi in CATALOG if kpi.unit is not Unit.COUNT} == {
        Unit.RATIO: 4,
        Unit.MONEY: 2,
        Unit.MINUTES: 2,
        Unit.DAYS: 2,
        Unit.SCORE: 2,
    }


@pytest.mark.parametrize("kpi", CATALOG, ids=lambda kpi: kpi.key)
def test_every_kpi_speaks_two_languages_and_names_known_sources_and_populations(kpi: Kpi) -> None:
    for text in (kpi.label, kpi.sentence, kpi.family.name):
        assert text.en.strip()
        assert text.es.strip()
    assert kpi.sentence.en.endswith(".")
    assert kpi.sentence.es.endswith(".")
    assert set(kpi.needs) <= set(SOURCES)
    assert {source for source, _ in kpi.clouded_by} <= set(SOURCES)
    assert {part.of for part in kpi.parts} <= {*NAMES, "quota"}


def test_parts_of_one_name_are_one_part() -> None:
    """Their column in the stored parts has the part's name."""
    named = {}
    for kpi in CATALOG:
        for part in kpi.parts:
            assert named.setdefault(part.name, part) is part
