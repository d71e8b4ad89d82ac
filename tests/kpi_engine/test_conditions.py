"""Conditions of a company's own KPIs: what they count, and what they refuse."""

from decimal import Decimal

import narwhals.stable.v2 as nw
import polars as pl
import pytest

from kpi_engine.conditions import NotUnderstood, condition

DEALS = pl.DataFrame(
    {
        "id": ["a", "b", "c"],
        "amount": pl.Series([Decimal(10_000), Decimal("9999.99"), None], dtype=pl.Decimal(38, 12)),
        "channel": ["Web", "Trade show", None],
        "won": [True, False, True],
        "cycle_days": [1, 2, 3],
    }
)
COLUMNS = dict(nw.from_native(DEALS.lazy()).collect_schema())


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        ("amount >= 9999.995", "a"),
        ("amount < 10000", "b"),
        ("not amount >= 10000", "b"),  # of c it cannot be told
        ("won", "ac"),
        ("won = false", "b"),
        ("not won", "b"),
        ('channel = "Web"', "a"),
        ("channel != 'Web'", "b"),  # of c it cannot be told
        ("channel is blank", "c"),
        ("channel is not blank", "ab"),
        ('channel in ("Web", "Fair")', "a"),
        ('channel not in ("Web", "Fair")', "b"),
        ('channel contains "show"', "b"),
        ('channel starts with "W"', "a"),
        ("won and cycle_days > 1.5", "c"),
        ("won or cycle_days = 2", "abc"),
        ("not won or cycle_days = 1 and won", "ab"),
        ("(not won or cycle_days = 1) and won", "a"),
    ],
)
def test_a_condition_counts_the_records_of_which_it_is_true(text: str, counted: str) -> None:
    found = nw.from_native(DEALS).filter(condition(text, COLUMNS)).to_native()
    assert "".join(found["id"]) == counted


@pytest.mark.parametrize(
    ("text", "position", "why"),
    [
        (
            "Amount > 1",
            1,
            "there is no column Amount (did you mean amount?); there are amount, channel, cycle_days, id, won",
        ),
        ('amount = "x"', 10, 'amount is a number, which cannot be compared with "x"'),
        ('won and channel > "x"', 17, "> is for numbers"),
        ("channel", 1, "channel is a text; compare it"),
        ("amount >", 8, "a condition cannot go on like this here"),
        ("amount > 1 1", 12, "a condition cannot go on like this here"),
        ("__import__('os')", 1, "a condition cannot go on like this here"),
    ],
)
def test_what_cannot_be_evaluated_is_refused_with_its_place_and_the_reason(text: str, position: int, why: str) -> None:
    with pytest.raises(NotUnderstood) as refused:
        condition(text, COLUMNS)
    assert (refused.value.position, refused.value.why.en) == (position, why)
