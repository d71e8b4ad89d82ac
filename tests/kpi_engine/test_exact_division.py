"""Quotients are rounded half-even, exactly: a float must never decide a tie."""

from decimal import Decimal
from fractions import Fraction

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_engine.exact import quotient
from kpi_engine.populations.money import MONEY


def divided(above: list[int], below: list[int], places: int) -> list[float | None]:
    return quotient(pl.Series(above, dtype=pl.Int64), pl.Series(below, dtype=pl.Int64), places).to_list()


def test_ties_go_to_the_even_neighbour() -> None:
    """1 / 8 = 0.125 and 3 / 8 = 0.375 at two places."""
    assert divided([1, 3, -1, -3], [8, 8, 8, 8], 2) == [0.12, 0.38, -0.12, -0.38]


def test_nothing_is_divided_by_zero() -> None:
    assert divided([0, 5], [0, 0], 4) == [None, None]


def test_money_that_is_off_in_its_last_place_is_put_right_before_a_tie_is_decided() -> None:
    """Three thirds of 0.015, each cut off at twelve places, are 0.015: 0.02, not 0.01."""
    third = Decimal("0.005")
    off = third * 3 - Decimal("1e-12")
    assert quotient(pl.Series([off], dtype=MONEY), None, 2).to_list() == [0.02]


def test_a_tie_over_an_amount_that_does_not_end_is_seen_as_a_tie() -> None:
    """50.0025 of a quota of 10 over 21 working days: 105.00525, and 105.0052 at four places."""
    share = pl.Series([Decimal("0.476190476190")], dtype=MONEY)
    assert quotient(pl.Series([Decimal("50.0025")], dtype=MONEY), share, 4).to_list() == [105.0052]


def test_a_long_column_is_divided_as_exactly_as_a_single_value() -> None:
    assert set(divided([1] * 1000, [3] * 1000, 4)) == {0.3333}


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(st.integers(-(10**12), 10**12), st.integers(1, 10**6)), min_size=1), st.integers(0, 4))
def test_every_quotient_of_whole_numbers_equals_the_exact_one(pairs: list[tuple[int, int]], places: int) -> None:
    above, below = (list(side) for side in zip(*pairs, strict=True))
    exact = [float(Fraction(round(Fraction(a, b) * 10**places), 10**places)) for a, b in pairs]
    assert divided(above, below, places) == exact
