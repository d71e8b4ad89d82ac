"""A rep's revenue quota for each period: the CRM's row or a target of exactly that period, else the shares of its days.

Sharing an amount out over working days is exact arithmetic over a calendar: plain Python, once for each rep and period.
"""

from collections.abc import Iterable
from decimal import Context, Decimal
from fractions import Fraction

import narwhals.stable.v2 as nw
import polars as pl

from kpi_engine.periods import following_start
from kpi_engine.populations.frame import Frame, collected
from kpi_engine.populations.money import MONEY, Rates, converted
from kpi_engine.records import Company
from kpi_engine.shares import Agreed, Shares
from kpi_engine.targets import Targets

SCHEMA = pl.Schema({"rep": pl.Utf8(), "period_start": pl.Int32(), "quota": MONEY, "quota__n": pl.Int64()})


def crm_quotas(table: Frame, exchange: Rates) -> dict[str, list[Agreed]]:
    """Rep → quota rows at home, at the rate of their start; of two for the same time the one modified last."""
    alive = collected(table.filter(~nw.col("deleted")).sort("modified", "id"))
    rows = converted(alive, "amount", "starts_on", exchange).filter(pl.col("amount").is_not_null())
    found: dict[str, dict[tuple[int, int], Agreed]] = {}
    for identity, rep, starts, ends, amount in rows.select("id", "rep", "starts_on", "ends_on", "amount").iter_rows():
        found.setdefault(rep, {})[starts, ends] = Agreed(starts, ends, Fraction(amount), "quota", identity)
    return {rep: list(agreed.values()) for rep, agreed in found.items()}


def rep_quotas(
    reps: Iterable[str], crm: dict[str, list[Agreed]], targets: Targets, company: Company, grain: str, starts: list[int]
) -> pl.DataFrame:
    """(rep, period_start, quota, quota__n) where a rep has a quota."""
    rows: list[tuple[str, int, Fraction]] = []
    for rep in reps:
        rows.extend(_of_rep(rep, crm.get(rep, []), targets, company, grain, starts))
    frame = [(rep, start, as_decimal(amount), 1) for rep, start, amount in rows]
    return pl.DataFrame(frame, schema=SCHEMA, orient="row")


def _of_rep(
    rep: str, crm: list[Agreed], targets: Targets, company: Company, grain: str, starts: list[int]
) -> Iterable[tuple[str, int, Fraction]]:
    scopes = targets.scopes("quota", rep)
    if not crm and not scopes:
        return
    quotas = RepQuotas(rep, crm, targets, company)
    for start in starts:
        amount = quotas.amount(grain, start)
        if amount is not None:
            yield rep, start, amount


class RepQuotas:
    """One rep's quotas; `crm` are the rows of the CRM. Where these do not make a quota, the targets do."""

    def __init__(self, rep: str, crm: list[Agreed], targets: Targets, company: Company) -> None:
        self._year, self._targets, self._calendar = company.fiscal_year_start, targets, targets.calendar(rep)
        self._scopes = targets.scopes("quota", rep)
        self._exact = {(row.starts, row.ends): row for row in crm}
        self._rows = Shares([crm], self._calendar, targets.first, targets.last)

    def amount(self, grain: str, start: int) -> Fraction | None:
        """The quota of the period that starts on `start`."""
        exact = self._exactly(grain, start)
        return exact.amount if exact else self._shares(grain, start).over(start, self._ends(grain, start))

    def made_of(self, grain: str, start: int) -> list[tuple[Agreed, Fraction]]:
        """The rows or targets that make it, each with what it adds."""
        exact = self._exactly(grain, start)
        if exact:
            return [(exact, exact.amount)]
        return self._shares(grain, start).made_of(start, self._ends(grain, start))

    def _exactly(self, grain: str, start: int) -> Agreed | None:
        """The CRM's row for exactly this period, else a target for exactly it."""
        ends = self._ends(grain, start)
        if (start, ends) in self._exact:
            return self._exact[start, ends]
        own = self._targets.own("quota", self._scopes, grain, start)
        return None if own is None else Agreed(start, ends, own, "target", f"quota {grain}")

    def _shares(self, grain: str, start: int) -> Shares:
        """The CRM's rows if they cover every working day, else the targets."""
        if not self._scopes or self._rows.over(start, self._ends(grain, start)) is not None:
            return self._rows
        return self._targets.shares("quota", self._scopes, self._calendar, grain)

    def _ends(self, grain: str, start: int) -> int:
        return following_start(start, grain, self._year)


def as_decimal(amount: Fraction) -> Decimal:
    """Twelve places, half-even."""
    return Decimal(round(amount * 10**12)).scaleb(-12, Context(prec=60))
