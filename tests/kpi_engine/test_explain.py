"""Explanations: the records counted add up to the value, and what was left out says why."""

from datetime import date
from decimal import Decimal
from statistics import median
from typing import Any

import pytest
from busy_november import COMPANY, busy_floor
from sales_floor import ANA, AS_OF, Floor, at, call, target

from kpi_engine.catalog import BY_KEY, CATALOG, Kpi
from kpi_engine.explain import Counted, Explanation, LeftOut, explain
from kpi_engine.records import Company

NOVEMBER = date(2026, 11, 1)


def explained(kpi: str, who: str = "ana", grain: str = "month", dimension: str | None = None) -> Explanation:
    floor = busy_floor()
    return explain(floor.tables, COMPANY, at(AS_OF), kpi, who, grain, NOVEMBER, dimension)


def total(found: Explanation, part: str) -> Decimal:
    return sum((entry.contribution for entry in found.counted if entry.part == part), Decimal(0))


def agrees(kpi: Kpi, found: Explanation, row: dict[str, Any]) -> None:
    assert (found.value, found.n, found.reason, found.missing) == (
        row["value"],
        row["n"],
        row["reason"],
        row["missing"],
    )
    if row["numerator"] is None:
        return
    if kpi.numerator.how == "median":
        middle = median(entry.contribution for entry in found.counted) if found.counted else None
        assert middle is None or float(middle) == pytest.approx(row["numerator"], abs=1e-9)
    else:
        assert float(total(found, "numerator")) == pytest.approx(row["numerator"], abs=1e-9)
    if kpi.denominator is not None:
        assert float(total(found, "denominator")) == pytest.approx(row["denominator"], abs=1e-9)


@pytest.mark.parametrize("who", ["ana", "ben", "team:boss"])
@pytest.mark.parametrize("kpi", CATALOG, ids=lambda kpi: kpi.key)
def test_the_records_counted_add_up_to_the_value(kpi: Kpi, who: str) -> None:
    agrees(kpi, explained(kpi.key, who), busy_floor().row(kpi.key, who))


@pytest.mark.parametrize("kpi", [kpi for kpi in CATALOG if "channel" in kpi.dimensions], ids=lambda kpi: kpi.key)
@pytest.mark.parametrize("who", ["ana", "all"])
def test_so_do_those_of_a_channel(kpi: Kpi, who: str) -> None:
    agrees(
        kpi, explained(kpi.key, who, dimension="channel=Web"), busy_floor().row(kpi.key, who, dimension="channel=Web")
    )


@pytest.mark.parametrize("kpi", [kpi for kpi in CATALOG if "band" in kpi.dimensions], ids=lambda kpi: kpi.key)
@pytest.mark.parametrize("band", ["small", "large"])
def test_so_do_those_of_a_deal_size(kpi: Kpi, band: str) -> None:
    dimension = f"band={band}"
    agrees(kpi, explained(kpi.key, dimension=dimension), busy_floor().row(kpi.key, dimension=dimension))


def test_the_busy_floor_has_something_to_explain_for_every_kpi() -> None:
    """An example in which a KPI were blank would prove nothing."""
    assert [kpi.key for kpi in CATALOG if busy_floor().value(kpi.key) is None] == []


def test_an_explanation_names_every_call_and_why_the_others_do_not_count() -> None:
    """Ana's calls of November: c1 and c3 count; c2 is c1 again, c5 came in; c4 is Ben's."""
    found = explained("calls_made")
    assert found.counted == [
        Counted("numerator", "interaction", "c1", date(2026, 11, 5), Decimal(1)),
        Counted("numerator", "interaction", "c3", date(2026, 11, 6), Decimal(1)),
    ]
    assert found.left_out == [
        LeftOut("interaction", "c2", "it is the same as c1, which counts"),
        LeftOut("interaction", "c5", "it came in"),
    ]


def test_the_formula_has_its_numbers_in_it() -> None:
    """Of three e-mails sent one bounced."""
    formula = explained("email_bounce_rate").formula
    assert formula.en == "emails bounced ÷ emails sent = 1 ÷ 3 = 0.3333"
    assert formula.es == "correos rebotados ÷ correos enviados = 1 ÷ 3 = 0.3333"


def test_a_blank_says_why_in_its_formula() -> None:
    floor = Floor(ANA)
    found = explain(floor.tables, floor.company, floor.as_of, "win_rate", "ana", "month", NOVEMBER)
    assert (found.value, found.counted) == (None, [])
    assert found.formula.en == "deals won ÷ deals closed = no data"
    assert found.formula.es == "negocios ganados ÷ negocios cerrados = sin datos"


def test_revenue_names_the_deals_that_do_not_bring_any() -> None:
    found = explained("revenue")
    assert [(entry.id, entry.contribution) for entry in found.counted] == [
        ("d1", Decimal("769.307692307692")),
        ("d3", Decimal("54.000000000000")),
        ("d4", Decimal("0E-12")),
    ]
    assert found.left_out == [
        LeftOut("deal", "d5", "its close date is still to come"),
        LeftOut("deal", "d6", "it was lost"),
    ]


def test_open_leads_are_named_with_their_scores_and_the_others_with_what_closed_them() -> None:
    """l2: two forms a day ago and a call 14 days ago, 58.05 + 9.45 points; l4: three page views two days ago, 2.81."""
    found = explained("average_engagement")
    scores = {entry.id: round(float(entry.contribution), 2) for entry in found.counted if entry.part == "numerator"}
    assert scores == {"l2": 74.08, "l4": 5.46}
    assert found.left_out == [
        LeftOut("lead", "l1", "it was converted by then"),
        LeftOut("lead", "l5", "it is disqualified"),
        LeftOut("lead", "l6", "it was deleted"),
    ]


def test_a_quota_is_explained_by_the_rows_and_targets_that_it_is_made_of() -> None:
    """Ana's November is 20 of the fourth quarter's 65 working days: 9,000 × 20 / 65."""
    assert [(entry.kind, entry.contribution) for entry in explained("quota").counted] == [
        ("quota", Decimal("2769.230769230769"))
    ]
    team = explained("quota", "team:boss")
    assert [(entry.kind, entry.id) for entry in team.counted] == [
        ("quota", "ana/2026-10-01/2027-01-01"),
        ("quota", "ben/2026-11-01/2026-12-01"),
        ("target", "quota month"),
    ]
    assert team.left_out == [
        LeftOut("quota", "boss/2026-11-01/2026-12-01", "it is the quota of someone who manages others")
    ]


def test_a_quota_made_of_the_targets_of_its_days_is_still_one_quota() -> None:
    """100 for each of November's 21 working days: 2,100, one quota."""
    company = Company(connection="acme", targets=(target("quota", "100", "day"),))
    floor = Floor(ANA, call("c1", "2026-11-02 09:00"), company=company)
    found = explain(floor.tables, company, at(AS_OF), "quota", "ana", "month", NOVEMBER)
    assert (len(found.counted), found.value, found.n) == (21, 2100, 1)
    agrees(BY_KEY["quota"], found, floor.row("quota"))


def test_the_return_of_a_campaign_is_its_deals_less_its_cost() -> None:
    found = explained("campaign_roi")
    assert [(entry.part, entry.kind, entry.contribution) for entry in found.counted] == [
        ("numerator", "deal", Decimal("769.307692307692")),
        ("numerator", "campaign", Decimal("-200.000000000000")),
        ("denominator", "campaign", Decimal("200.000000000000")),
    ]
    assert found.left_out == [LeftOut("campaign", "free", "it has no cost")]


def test_a_won_deals_touchpoints_are_named() -> None:
    """d1 took the e-mail, the call and the meeting with its person or about itself; d3 and d4 took none."""
    found = explained("touchpoints_per_won_deal")
    counted = [entry.id for entry in found.counted if entry.part == "numerator"]
    assert counted == ["c1", "e1", "v1"]
