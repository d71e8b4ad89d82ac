"""Quotients rounded half-even, exactly.

A float quotient is a hair off: 2.03 / 2 must become 1.02, and 0.125 at two places 0.12. Rows whose float quotient is
near a tie are decided in exact fractions; for all others the float cannot be wrong.
"""

import math
from decimal import Decimal
from fractions import Fraction
from typing import TypeVar

import narwhals.stable.v2 as nw
import polars as pl

NEAR = 1e-6
"""How near a tie, in units of the last place, a float is not trusted. Grows with the size of the number."""

CLEAN_PLACES = 9
"""Money has twelve places; converted amounts, each cut off there, are put right to nine before a tie is decided."""


CUT_OFF = Fraction(2, 10**12)
"""How much an amount of twelve places may be off."""


def quotient(numerator: pl.Series, denominator: pl.Series | None, places: int, scale: int = 1) -> pl.Series:
    """`numerator / denominator / scale` at `places`; null where either is null or the denominator is 0."""
    frame = pl.DataFrame([numerator.alias("above"), _or_one(denominator, len(numerator)).alias("below")])
    below = pl.when(pl.col("below") != 0).then(pl.col("below").cast(pl.Float64))
    steps = pl.col("above").cast(pl.Float64) / below / scale * 10.0**places
    near = (pl.col("steps") - pl.col("steps").floor() - 0.5).abs() < NEAR + pl.col("steps").abs() * 1e-14
    value = by(pl.col("steps").round(mode="half_to_even"), 10**places)
    found = frame.lazy().select(steps=steps).select(value=value, near=near).collect()
    close = found["near"].arg_true()
    if close.is_empty():
        return found["value"]
    exact = [_exact(above, below, places, scale) for above, below in frame[close].iter_rows()]
    return found["value"].scatter(close, exact)


Expression = TypeVar("Expression", pl.Expr, nw.Expr)


def by(expression: Expression, number: float) -> Expression:
    """`expression / number`, to the last bit and the same however many rows there are: Polars multiplies several by the
    reciprocal of a plain number, and 3333 times 0.0001 is not 0.3333."""
    return expression / (expression * 0 + float(number))


def _or_one(denominator: pl.Series | None, length: int) -> pl.Series:
    return pl.Series("below", [1], dtype=pl.Int64).new_from_index(0, length) if denominator is None else denominator


def _exact(above: object, below: object, places: int, scale: int) -> float:
    steps = _fraction(above) / _fraction(below) / scale * 10**places
    tie = _tie(above, below, scale, places)
    return float(Fraction(round(steps if tie is None else tie), 10**places))


def _tie(above: object, below: object, scale: int, places: int) -> Fraction | None:
    """The tie that a quotient of money is, as far as twelve places can tell: a share of a quota does not end there."""
    if not (isinstance(above, Decimal) and isinstance(below, Decimal)) or above == 0:
        return None
    one, other = Fraction(above), Fraction(below)
    steps = one / other / scale * 10**places
    tie = Fraction(2 * math.floor(steps) + 1, 2)
    unsure = abs(steps) * (CUT_OFF / abs(one) + CUT_OFF / abs(other))
    return tie if abs(steps - tie) <= unsure else None


def _fraction(number: object) -> Fraction:
    """A decimal is cleaned of what conversion cut off; a float means the decimal that it prints."""
    if isinstance(number, float):
        return Fraction(repr(number))
    if isinstance(number, Decimal):
        return Fraction(round(Fraction(number) * 10**CLEAN_PLACES), 10**CLEAN_PLACES)
    assert isinstance(number, int)
    return Fraction(number)
