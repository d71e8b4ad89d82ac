"""Another day changes numbers though no record changed, and costs what the day touches."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from connectors.contract import Page
from kpi_engine.catalog import CALLS
from kpi_engine.declaring import Expression, Kpi, Text, Unit, col, count
from kpi_engine.records import Company, Millis
from kpi_engine.registry import register
from kpi_engine.values import values
from sync import scoring
from sync.cache import Cache
from tests.sync.worlds import at, call, lead, link, rep

COMPANY = Company(connection="acme")
MONDAY, TUESDAY, THURSDAY = at("2026-03-02T18:00"), at("2026-03-03T18:00"), at("2026-03-05T00:30")
"""Ana answers a call on Monday; on Wednesday the time for a next step is over."""


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[Cache]:
    opened = Cache.open(f"sqlite:///{tmp_path / 'cache.db'}", "acme")
    records = (
        rep("ana"),
        call("c1", "ana", "2026-03-02T09:00"),
        link("interaction", "c1", "person", "l1"),
        lead("l1", "ana"),
        call("c2", "ana", "2026-03-03T09:00", at=None, on=at("2026-03-03T00:00") // 86_400_000),
    )
    opened.absorb(Page(stream="all", rows=records, cursor="1"), "UTC")
    yield opened
    opened.close()


def our_own(key: str, where: Expression) -> Kpi:
    made = count(f"{key}_cases", "calls", where, "it is not one of these")
    named = Text(key, key)
    return Kpi(key=key, family=CALLS, label=named, unit=Unit.COUNT, sentence=named, numerator=made, needs=("calls",))


OVERDUE = our_own("unanswered_and_over", ~col("answered") & col("due"))
OF_TODAY = our_own("calls_of_today", col("day") == col("today"))


@pytest.fixture
def with_own_kpis() -> Iterator[Callable[[Kpi], None]]:
    yield lambda kpi: register((kpi,))
    register(())


def computed_without_everything(cache: Cache, as_of: Millis) -> scoring.Computed:
    with patch.object(scoring, "FULL_FROM", 2.0), patch.object(scoring, "whole", wraps=scoring.whole) as everything:
        scoring.score(cache, COMPANY, as_of, None)
    assert not everything.called
    return scoring.computed(cache)


def shown(found: scoring.Computed, kpi: str, grain: str, day: date) -> dict[str, Any]:
    frame = values(
        found.parts, found.company, found.as_of, kpis=[kpi], grain=grain, rep="ana", period=day, dimension=""
    )
    return frame.row(0, named=True)


def test_a_lead_is_a_day_older_and_has_a_snapshot_of_that_day(cache: Cache) -> None:
    """An answered call is worth 15 points; a day later 15 · 2^(-1/21) of them are left: 25.92 and 25.19 of 100."""
    scoring.score(cache, COMPANY, MONDAY, None)
    assert scoring.computed(cache).scores["score"].to_list() == [25.92]
    found = computed_without_everything(cache, TUESDAY)
    assert found.scores["score"].to_list() == [25.19]
    assert shown(found, "open_leads", "day", date(2026, 3, 3))["value"] == 1
    assert shown(found, "open_leads", "day", date(2026, 3, 2))["value"] == 1


def test_a_plain_date_counts_when_its_day_has_come(cache: Cache) -> None:
    scoring.score(cache, COMPANY, MONDAY, None)
    assert shown(scoring.computed(cache), "calls_made", "month", date(2026, 3, 1))["value"] == 1
    assert shown(computed_without_everything(cache, TUESDAY), "calls_made", "month", date(2026, 3, 1))["value"] == 2


def test_a_call_without_a_next_step_counts_when_the_time_for_it_is_over(cache: Cache) -> None:
    scoring.score(cache, COMPANY, TUESDAY, None)
    assert shown(scoring.computed(cache), "call_follow_up_rate", "month", date(2026, 3, 1))["value"] is None
    found = shown(computed_without_everything(cache, THURSDAY), "call_follow_up_rate", "month", date(2026, 3, 1))
    assert (found["value"], found["n"]) == (0.0, 1)


def test_last_month_is_compared_up_to_the_working_day_that_this_one_has_reached(cache: Cache) -> None:
    """Ana's calls were on the first and the second working day of March; 2 April is the second one of April."""
    scoring.score(cache, COMPANY, at("2026-04-01T18:00"), None)
    found = shown(scoring.computed(cache), "calls_made", "month", date(2026, 4, 1))
    assert (found["value"], found["previous"], found["change"]) == (0, 1, -1)
    found = shown(computed_without_everything(cache, at("2026-04-02T18:00")), "calls_made", "month", date(2026, 4, 1))
    assert (found["value"], found["previous"], found["change"]) == (0, 2, -2)


def test_a_kpi_of_ones_own_may_count_what_is_over_of_calls_that_nobody_answered(
    cache: Cache, with_own_kpis: Callable[[Kpi], None]
) -> None:
    with_own_kpis(OVERDUE)
    missed = call("c3", "ana", "2026-03-02T10:00", disposition="no answer")
    cache.absorb(Page(stream="all", rows=(missed,), cursor="2"), "UTC")
    scoring.score(cache, COMPANY, TUESDAY, None)
    assert shown(scoring.computed(cache), OVERDUE.key, "month", date(2026, 3, 1))["value"] == 0
    assert shown(computed_without_everything(cache, THURSDAY), OVERDUE.key, "month", date(2026, 3, 1))["value"] == 1


def test_a_kpi_that_asks_what_day_it_is_is_computed_from_everything_on_another_one(
    cache: Cache, with_own_kpis: Callable[[Kpi], None]
) -> None:
    """Monday's call is one of today on Monday, and on Tuesday only Tuesday's."""
    with_own_kpis(OF_TODAY)
    scoring.score(cache, COMPANY, MONDAY, None)
    assert shown(scoring.computed(cache), OF_TODAY.key, "day", date(2026, 3, 2))["value"] == 1
    scoring.score(cache, COMPANY, TUESDAY, None)
    found = scoring.computed(cache)
    assert [shown(found, OF_TODAY.key, "day", date(2026, 3, day))["value"] for day in (2, 3)] == [0, 1]
