"""One number, taken apart: the sentence, the formula, every record counted, every record left out and why.

The records are those of the populations that the value was computed from, so that their contributions add up to its
numerator and denominator. The records of a median are the ones it is the median of.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any, Literal

import msgspec
import narwhals.stable.v2 as nw
import polars as pl

from kpi_engine.catalog import BY_KEY, Kpi, Text
from kpi_engine.daily import SIZED
from kpi_engine.declaring import Dimension, Part
from kpi_engine.frames import Tables
from kpi_engine.left_out import LEFT_OUT, closed_leads
from kpi_engine.periods import following_start, period_start, to_day
from kpi_engine.populations import Frame, Populations, collected, portable
from kpi_engine.populations.bands import limits_by_year, limits_frame, with_band, won_amounts
from kpi_engine.populations.money import MONEY
from kpi_engine.populations.quotas import RepQuotas, as_decimal, crm_quotas
from kpi_engine.populations.reps import teams
from kpi_engine.records import EVERYONE, UNASSIGNED, Company, Millis
from kpi_engine.rolling import dtype, records_column
from kpi_engine.targets import Targets
from kpi_engine.values import divided
from kpi_engine.wording import REASONS, part_text, rule_text

Side = Literal["numerator", "denominator"]


class Counted(msgspec.Struct, frozen=True):
    """A record that counts, and what it adds to the numerator or denominator."""

    part: Side
    kind: str
    id: str
    day: date
    contribution: Decimal


class LeftOut(msgspec.Struct, frozen=True):
    """A record that does not count, and the rule that leaves it out."""

    kind: str
    id: str
    rule: str

    @property
    def why(self) -> Text:
        """The rule in the languages of the product."""
        return rule_text(self.rule)


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Why a value is what it is."""

    kpi: str
    sentence: Text
    formula: Text
    value: float | None
    numerator: float | None
    denominator: float | None
    n: int | None
    reason: str | None
    missing: str | None
    counted: list[Counted]
    left_out: list[LeftOut]


def explain(
    tables: Tables,
    company: Company,
    as_of: Millis,
    kpi: str,
    rep: str,
    grain: str,
    period_start: date,
    dimension: str | None = None,
) -> Explanation:
    """Take apart the value of `kpi` for a rep, a team (`team:<manager>`) or `all` in the period that holds that day."""
    explained = BY_KEY[kpi]
    search = _Search(Populations(tables, company, as_of), rep, grain, to_day(period_start), dimension)
    counted = [*search.counted("numerator", explained.numerator)]
    if explained.denominator is not None:
        counted.extend(search.counted("denominator", explained.denominator))
    row = divided(explained, search.row(explained, counted), company, search.split).row(0, named=True)
    return Explanation(
        kpi=kpi,
        sentence=explained.sentence,
        formula=_formula(explained, row),
        value=row["value"],
        numerator=row["numerator"],
        denominator=row["denominator"],
        n=row["n"],
        reason=row["reason"],
        missing=row["missing"],
        counted=counted,
        left_out=search.left_out(explained, counted),
    )


def _formula(kpi: Kpi, row: dict[str, Any]) -> Text:
    """The formula with its numbers in it."""
    return Text(_formula_in("en", kpi, row), _formula_in("es", kpi, row))


def _formula_in(language: str, kpi: Kpi, row: dict[str, Any]) -> str:
    words = " ÷ ".join(part_text(part.name).said(language) for part in kpi.parts)
    if row["value"] is None:
        return f"{words} = {REASONS[row['reason']].said(language)}"
    if kpi.denominator is None:
        return f"{words} = {row['value']:.12g}"
    return f"{words} = {row['numerator']:.12g} ÷ {row['denominator']:.12g} = {row['value']:.12g}"


class _Search:
    """The records of one rep, team or everyone in one period."""

    def __init__(self, found: Populations, rep: str, grain: str, day: int, dimension: str | None) -> None:
        self.found, self.rep, self.grain = found, rep, grain
        self.company = found.company
        self.start = period_start(day, grain, self.company.fiscal_year_start)
        self.end = following_start(day, grain, self.company.fiscal_year_start) - 1
        self.year = period_start(self.start, "year", self.company.fiscal_year_start)
        name, _, self.chosen = (dimension or "").partition("=")
        self.split = Dimension(name) if name else None
        self.teams = teams(found.reps)
        self.today = dict(found.reps.select("rep", "today").iter_rows())
        self.reps = self._members()
        found.since = self.start

    def _members(self) -> tuple[str, ...]:
        if self.rep == EVERYONE:
            return tuple(self.today)
        if self.rep.startswith("team:"):
            return self.teams.get(self.rep.removeprefix("team:"), ())
        return (self.rep,)

    # ── what counts ──────────────────────────────────────────────────────────────────────────────────────────────────

    def counted(self, side: Side, part: Part) -> Iterable[Counted]:
        if part.how == "quota":
            yield from self._quota(side)
            return
        amount = part.contribution()
        rows = self._rows(part.of, everyones=part.how == "everyone").with_columns(_adds=amount)
        for row in collected(rows.filter(~nw.col("_adds").is_null()).sort("day", "id")).iter_rows(named=True):
            contribution = _decimal(row["_adds"]) / part.scale
            yield Counted(side, row["kind"], row["id"], _date(row["day"]), contribution)

    def _rows(self, population: str, *, everyones: bool = False) -> Frame:
        """The rows of a population that belong to these reps, this period and this dimension."""
        if population == "open_leads":
            return self._open_leads()
        rows = self._in_period(self.found[population], everyones=everyones)
        if population in SIZED:
            rows = with_band(rows.with_columns(year=nw.lit(self.year).cast(nw.Int32)), self._limits())
        if self.split is None:
            return rows
        return rows.filter(nw.col(self.split.value) == self.chosen)

    def _in_period(self, rows: Frame, *, everyones: bool = False) -> Frame:
        within = rows.filter(nw.col("day") >= self.start, nw.col("day") <= self.end)
        return within if everyones else within.filter(nw.col("rep").is_in(self.reps))

    def _open_leads(self) -> Frame:
        """Each rep's open leads on the period's last day, or on the rep's day of `as_of`."""
        rows = [
            collected(self.found.open_leads_on(day).filter(nw.col("rep").is_in(reps)))
            for day, reps in self._evaluated().items()
        ]
        return portable(pl.concat(rows))

    def _evaluated(self) -> dict[int, list[str]]:
        days: dict[int, list[str]] = {}
        for rep in self.reps:
            today = self.today[rep if rep in self.today else UNASSIGNED]
            days.setdefault(min(self.end, today), []).append(rep)
        return days

    def _limits(self) -> Frame:
        return limits_frame(limits_by_year(won_amounts(self.found.won_deals), self.company, [self.year]))

    def _quota(self, side: Side) -> Iterable[Counted]:
        for quotas in self._quotas_of_reps():
            for agreed, amount in quotas.made_of(self.grain, self.start):
                yield Counted(side, agreed.kind, agreed.id, _date(agreed.starts), as_decimal(amount))

    def _quotas_of_reps(self) -> list[RepQuotas]:
        """Those of the reps who have one for the period: in a team, of its members who manage nobody."""
        crm = crm_quotas(self.found.table("quota"), self.found.exchange)
        targets = Targets(self.company, self.teams, self.start, self.end)
        out = self.teams if self.rep.startswith("team:") else (UNASSIGNED,)
        quotas = [RepQuotas(rep, crm.get(rep, []), targets, self.company) for rep in self.reps if rep not in out]
        return [one for one in quotas if one.amount(self.grain, self.start) is not None]

    # ── the value again ──────────────────────────────────────────────────────────────────────────────────────────────

    def row(self, kpi: Kpi, counted: list[Counted]) -> pl.DataFrame:
        """The row of parts that the value is divided from."""
        columns: dict[str, tuple[Any, Any]] = {
            "rep": (self.rep, pl.Utf8()),
            "period_start": (_date(self.start), pl.Date()),
            "dimension": (None if self.split is None else f"{self.split}={self.chosen}", pl.Utf8()),
            "limits": (collected(self._limits())["limits"][0], pl.Utf8()),
            "quota": (None, MONEY),
            "campaign_cost__n": (0, pl.Int64()),
            "campaigns_uncosted": (self._uncosted(), pl.Int64()),
            "deals_without_amount": (self._without_amount(), pl.Int64()),
        }
        for side, part in zip(("numerator", "denominator"), kpi.parts, strict=False):
            mine = [entry for entry in counted if entry.part == side]
            # A rep's quota is one, whether it was agreed at once or is made of shares of several.
            many = len(self._quotas_of_reps()) if part.how == "quota" else len(mine)
            columns |= {records_column(part): (many, pl.Int64()), part.name: (_sum(part, mine), dtype(part))}
        return pl.DataFrame({name: pl.Series([value], dtype=kind) for name, (value, kind) in columns.items()})

    def _uncosted(self) -> int:
        rows = self._in_period(self.found.every_campaign.filter(nw.col("rule") == "it has no cost"))
        return len(collected(rows.select("id")))

    def _without_amount(self) -> int:
        return len(collected(self._in_period(self.found.won_deals.filter(~nw.col("valued"))).select("id")))

    # ── what does not ────────────────────────────────────────────────────────────────────────────────────────────────

    def left_out(self, kpi: Kpi, counted: list[Counted]) -> list[LeftOut]:
        used = {(entry.kind, entry.id) for entry in counted}
        found: dict[tuple[str, str], str] = {}
        for part in kpi.parts:
            for kind, identity, rule in self._left_out_of(part):
                if (kind, identity) not in used:
                    found.setdefault((kind, identity), rule)
        return [LeftOut(kind, identity, rule) for (kind, identity), rule in sorted(found.items())]

    def _left_out_of(self, part: Part) -> Iterable[tuple[str, str, str]]:
        if part.how == "quota":
            yield from self._managers_quotas()
            return
        yield from collected(self._ruled_out(part.of).select("kind", "id", "rule")).iter_rows()
        if part.where is not None and part.otherwise:
            rest = self._rows(part.of).filter(~part.where).select("kind", "id")
            yield from ((kind, identity, part.otherwise) for kind, identity in collected(rest).iter_rows())

    def _ruled_out(self, population: str) -> Frame:
        if population == "open_leads":
            rows = [
                collected(closed_leads(self.found, day).filter(nw.col("rep").is_in(reps)))
                for day, reps in self._evaluated().items()
            ]
            return portable(pl.concat(rows))
        if population not in LEFT_OUT:
            return portable(pl.DataFrame(schema={"kind": pl.Utf8, "id": pl.Utf8, "rule": pl.Utf8}))
        rows_of_all = self._in_period(LEFT_OUT[population](self.found))
        if self.split is Dimension.CHANNEL:
            return rows_of_all.filter(nw.col("channel") == self.chosen)
        return rows_of_all

    def _managers_quotas(self) -> Iterable[tuple[str, str, str]]:
        if not self.rep.startswith("team:"):
            return
        crm = crm_quotas(self.found.table("quota"), self.found.exchange)
        for rep in self.reps:
            for agreed in crm.get(rep, []) if rep in self.teams else []:
                if agreed.starts <= self.end and agreed.ends > self.start:
                    yield agreed.kind, agreed.id, "it is the quota of someone who manages others"


def _sum(part: Part, counted: list[Counted]) -> Any:
    """What the contributions come to, in what the part's column holds."""
    amounts = [entry.contribution * part.scale for entry in counted]
    if part.how == "median":
        ordered = sorted(amounts)
        return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2 if ordered else None
    if part.how == "quota" and not amounts:
        return None
    total = sum(amounts, Decimal(0))
    match part.stuff:
        case "money" | "score":
            return total
        case _:
            return round(total)


def _decimal(number: object) -> Decimal:
    return number if isinstance(number, Decimal) else Decimal(repr(number))


def _date(day: int) -> date:
    return date.fromordinal(date(1970, 1, 1).toordinal() + day)
