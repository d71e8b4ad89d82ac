"""What the populations have in common: portable frames, rules in words, local days.

Everything here and beside it is said in Narwhals, so that it runs wherever Narwhals does. What no portable expression
can say lives in files that say so (`identity`, `same`, `open_leads`, `quotas`).
"""

from collections.abc import Iterable
from typing import Any

import narwhals.stable.v2 as nw
import polars as pl

from kpi_engine.periods import DAY_MS, clock_changes

Frame = nw.LazyFrame[Any]

NO_RULE = nw.lit(None, dtype=nw.String)


def portable(frame: pl.LazyFrame | pl.DataFrame) -> Frame:
    return nw.from_native(frame.lazy())


def collected(frame: Frame) -> pl.DataFrame:
    """The rows themselves, for the steps that no expression can say."""
    found: pl.DataFrame = frame.collect(backend="polars").to_native()
    return found


def settled(frame: Frame) -> Frame:
    """The same frame, worked out now, because several others will start from it."""
    return portable(collected(frame))


def yes(expression: nw.Expr) -> nw.Expr:
    """Unknown is no."""
    return expression.fill_null(False)


def first_rule(*rules: tuple[nw.Expr, str]) -> nw.Expr:
    """The words of the first rule that applies to a record, null where none does."""
    said = NO_RULE
    for applies, words in reversed(rules):
        said = nw.when(yes(applies)).then(nw.lit(words)).otherwise(said)
    return said


def local_day(at: str, zone: str, zones: Iterable[str], span: tuple[int, int]) -> nw.Expr:
    """The local day of the moment `at` in the zone named by column `zone`; `span` holds every moment there is."""
    ahead: nw.Expr = nw.lit(0, dtype=nw.Int64)
    for name in sorted(zones):
        ahead = nw.when(nw.col(zone) == nw.lit(name)).then(_ahead(nw.col(at), name, span)).otherwise(ahead)
    return ((nw.col(at) + ahead) // nw.lit(DAY_MS)).cast(nw.Int32)


def _ahead(at: nw.Expr, zone: str, span: tuple[int, int]) -> nw.Expr:
    """How far the zone is ahead of UTC: its offset at the span's start, and each change since."""
    moments, offsets = clock_changes(zone)
    before = [moment for moment in moments[:-1] if moment <= span[0]]
    position = max(len(before) - 1, 0)
    ahead: nw.Expr = nw.lit(offsets[position], dtype=nw.Int64)
    for index in range(position + 1, len(moments) - 1):
        if moments[index] > span[1]:
            break
        step = offsets[index] - offsets[index - 1]
        ahead = ahead + nw.when(at >= nw.lit(moments[index])).then(nw.lit(step)).otherwise(nw.lit(0))
    return ahead


def earliest(frame: Frame, of: str, *, by: str, then: str = "id") -> Frame:
    """One row for each `of`: the one with the smallest `by`, then the smallest `then`."""
    first = frame.filter(nw.col(by) == nw.col(by).min().over(of))
    return first.filter(nw.col(then) == nw.col(then).min().over(of))
