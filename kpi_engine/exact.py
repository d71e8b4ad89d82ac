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
"""How near a tie, in units of the last place, a float is not trusted; and what it and its parts may be off besides."""

FLOAT_OFF = 1e-14
"""How much a float may be off, for its size."""

CLEAN_PLACES = 9
"""Money has twelve places; converted amounts, each cut off there, are put right to nine before a tie is decided."""


CUT_OFF = Fraction(2, 10**12)
"""How much an amount of twelve places may be off."""


def quotient(numerator: pl.Series, denominator: pl.Series | None, places: int, scale: int = 1) -> pl.Series:
    """`numerator / denominator / scale` at `places`; null where either is null or the denominator is 0."""
    frame = pl.DataFrame([numerator.alias("above"), _or_one(denominator, len(numerator)).alias("below")])
    above, below = (pl.when(pl.col(name) != 0).then(pl.col(name).cast(pl.Float64)) for name in ("above", "below"))
    steps = pl.col("above").cast(pl.Float64) / below / scale * 10.0**places
    off = FLOAT_OFF + float(CUT_OFF) / above.abs() + float(CUT_OFF) / below.abs()
    near = (pl.col("steps") - pl.col("steps").floor() - 0.5).abs() < NEAR + pl.col("steps").abs() * pl.col("off")
    value = by(pl.col("steps").round(mode="half_to_even"), 10**places)
    found = frame.lazy().select(steps=steps, off=off).select(value=value, near=near).collect()
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
    if isinstance(above, Decimal) and isinstance(below, Decimal) and above != 0:
        steps = _of_money(above, below, places, scale)
    else:
        steps = _fraction(above) / _fraction(below) / scale * 10**places
    return float(Fraction(round(steps), 10**places))


def _of_money(above: Decimal, below: Decimal, places: int, scale: int) -> Fraction:
    """The quotient of two amounts; a tie if it is one as far as twelve places can tell: a share of a quota does not end
    there."""
    one, other = Fraction(above), Fraction(below)
    steps = one / other / scale * 10**places
    tie = Fraction(2 * math.floor(steps) + 1, 2)
    unsure = abs(steps) * (CUT_OFF / abs(one) + CUT_OFF / abs(other))
    return tie if abs(steps - tie) <= unsure else steps


def _fraction(number: object) -> Fraction:
    """A decimal is cleaned of what conversion cut off; a float means the decimal that it prints."""
    if isinstance(number, float):
        return Fraction(repr(number))
    if isinstance(number, Decimal):
        return Fraction(round(Fraction(number) * 10**CLEAN_PLACES), 10**CLEAN_PLACES)
    assert isinstance(number, int)
    return Fraction(number)
