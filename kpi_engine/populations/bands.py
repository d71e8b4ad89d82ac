"""Deal size bands: limits as configured, else the terciles of the fiscal year before, else of everything won so far.

The limits are worked out as exact fractions, in plain Python, once for each fiscal year.
"""

from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction

import narwhals.stable.v2 as nw
import polars as pl

from kpi_engine.periods import period_start, previous_start
from kpi_engine.populations.frame import Frame, collected, portable
from kpi_engine.populations.money import MILLIONTHS, MONEY
from kpi_engine.records import Company, Micros

BANDS = ("small", "medium", "large")
ENOUGH_IN_A_YEAR = 30
ENOUGH_AT_ALL = 3


@dataclass(frozen=True)
class Limits:
    """Below `first` a deal is small, below `second` medium. `provisional`: more deals may still move them."""

    first: Decimal
    second: Decimal
    provisional: bool


def limits_by_year(won: pl.DataFrame, company: Company, years: list[int]) -> dict[int, Limits | None]:
    """First day of a fiscal year → its limits, None where too few deals were won to have any.

    `won` is (day, whole_amount, records): how many deals of an amount were won on a day.
    """
    if company.band_limits is not None:
        first, second = company.band_limits
        configured = Limits(_micros(first), _micros(second), provisional=False)
        return dict.fromkeys(years, configured)
    amounts: dict[int, list[Decimal]] = {}
    for day, amount, deals in won.select("day", "whole_amount", "records").iter_rows():
        amounts.setdefault(period_start(day, "year", company.fiscal_year_start), []).extend([amount] * deals)
    every = [amount for of_year in amounts.values() for amount in of_year]
    otherwise = _terciles(every, provisional=True) if len(every) >= ENOUGH_AT_ALL else None
    found: dict[int, Limits | None] = {}
    for year in years:
        before = amounts.get(previous_start(year, "year", company.fiscal_year_start), [])
        found[year] = _terciles(before, provisional=False) if len(before) >= ENOUGH_IN_A_YEAR else otherwise
    return found


def _micros(amount: Micros) -> Decimal:
    return Decimal(amount) / MILLIONTHS


def _terciles(amounts: list[Decimal], *, provisional: bool) -> Limits:
    ordered = sorted(amounts)
    return Limits(_quantile(ordered, 1), _quantile(ordered, 2), provisional)


def _quantile(ordered: list[Decimal], thirds: int) -> Decimal:
    """Linear interpolation, both ends included, rounded up at the twelfth place: amounts have no more, so that one is
    below the rounded limit exactly if it is below the true one."""
    whole, rest = divmod((len(ordered) - 1) * thirds, 3)
    value = Fraction(ordered[whole])
    if rest:
        value += (Fraction(ordered[whole + 1]) - value) * Fraction(rest, 3)
    return Decimal(-(-value * 10**12 // 1)).scaleb(-12, Context(prec=60))


def won_amounts(won: Frame) -> pl.DataFrame:
    """(day, whole_amount, records) of deals won that have an amount."""
    amounts = collected(won.filter(nw.col("valued")).select("day", "whole_amount"))
    return amounts.group_by("day", "whole_amount").agg(pl.len().cast(pl.Int64).alias("records"))


def limits_frame(limits: dict[int, Limits | None]) -> Frame:
    """(year, first_limit, second_limit, limits): `limits` is `final`, `provisional` or `none`."""
    rows = [
        (year, known.first, known.second, "provisional" if known.provisional else "final")
        if known
        else (year, None, None, "none")
        for year, known in limits.items()
    ]
    schema: pl.Schema = pl.Schema(
        {"year": pl.Int32(), "first_limit": MONEY, "second_limit": MONEY, "limits": pl.Utf8()}
    )
    return portable(pl.DataFrame(rows, schema=schema, orient="row"))


def with_band(deals: Frame, limits: Frame) -> Frame:
    """`band` of each row's `whole_amount` by the limits of its `year`, null where there is none."""
    joined = deals.join(limits, on="year", how="left")
    known = ~nw.col("whole_amount").is_null() & ~nw.col("first_limit").is_null()
    size = (
        nw.when(nw.col("whole_amount") < nw.col("first_limit"))
        .then(nw.lit("small"))
        .otherwise(
            nw.when(nw.col("whole_amount") < nw.col("second_limit")).then(nw.lit("medium")).otherwise(nw.lit("large"))
        )
    )
    return joined.with_columns(band=nw.when(known).then(size)).drop("first_limit", "second_limit", "limits")
