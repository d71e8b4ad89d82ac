"""Amounts in the home currency, unrounded.

Dividing by a dated rate is done in exact decimals, amount by amount: Polars and plain Python, on the amounts in a
foreign currency only.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal

import narwhals.stable.v2 as nw
import polars as pl

from kpi_engine.populations.frame import Frame, collected

MONEY = pl.Decimal(38, 12)
MILLIONTHS = 1_000_000

_EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)
_TWELVE_PLACES = Decimal("1e-12")


def in_units(micros: str) -> pl.Expr:
    """Millionths as a decimal amount."""
    return pl.col(micros).cast(MONEY) / MILLIONTHS


@dataclass(frozen=True)
class Rates:
    """Dated rates of each currency, the latest first, and static ones; `known` is False where the CRM has no rates."""

    dated: dict[str, list[tuple[int | None, int | None, Decimal]]]
    static: dict[str, Decimal]
    home: str | None

    @property
    def known(self) -> bool:
        return bool(self.dated or self.static)

    def of(self, currency: str, day: int | None) -> Decimal | None:
        if day is not None:
            for first, until, rate in self.dated.get(currency, ()):
                if (first is None or first <= day) and (until is None or day < until):
                    return rate
        return self.static.get(currency)

    def home_amount(self, micros: int | None, currency: str | None, day: int | None) -> Decimal | None:
        """The amount in home currency, None where it has no rate. A CRM without any rates speaks in home currency."""
        if micros is None:
            return None
        amount = _EXACT.divide(Decimal(micros), Decimal(MILLIONTHS))
        if currency is None or currency == self.home or not self.known:
            return amount
        rate = self.of(currency, day)
        if not rate:
            return None
        return _EXACT.quantize(_EXACT.divide(amount, rate), _TWELVE_PLACES)


def rates(table: Frame, home: str | None) -> Rates:
    dated: dict[str, list[tuple[int | None, int | None, Decimal]]] = defaultdict(list)
    static: dict[str, Decimal] = {}
    for row in collected(table.filter(~nw.col("deleted")).sort("id")).iter_rows(named=True):
        if row["from_on"] is None and row["until_on"] is None:
            static[row["currency"]] = Decimal(row["rate"])
        else:
            dated[row["currency"]].append((row["from_on"], row["until_on"], Decimal(row["rate"])))
    for rows in dated.values():
        rows.sort(key=lambda row: row[0] if row[0] is not None else -(10**9), reverse=True)
    return Rates(dict(dated), static, home)


def converted(frame: pl.DataFrame, amount: str, day: str, exchange: Rates) -> pl.DataFrame:
    """`frame` with `amount` (millionths, in `currency`) as a decimal amount of home currency at the rate of `day`."""
    foreign = pl.col("currency").is_not_null() & pl.lit(exchange.known)
    if exchange.home is not None:
        foreign &= pl.col("currency") != exchange.home
    marked = frame.with_row_index("_row").with_columns(_foreign=foreign.fill_null(False))
    rows: Iterable[tuple[int, int | None, str, int | None]] = (
        marked.filter("_foreign").select("_row", amount, "currency", day).iter_rows()
    )
    exchanged = [(row, exchange.home_amount(micros, currency, on)) for row, micros, currency, on in rows]
    there = pl.DataFrame(exchanged, schema={"_row": pl.UInt32, "_home": MONEY}, orient="row")
    joined = marked.join(there, on="_row", how="left", maintain_order="left")
    home = pl.when("_foreign").then(pl.col("_home")).otherwise(in_units(amount))
    return joined.with_columns(home.alias(amount)).drop("_row", "_foreign", "_home")
