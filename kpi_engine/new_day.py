"""What another day adds where nothing happened: leads that are still open, a day older.

An open lead's snapshot of today follows from what is known of its history (`still_open`), so that a new day need not
look at the records of every lead.
"""

from dataclasses import dataclass

import polars as pl

from kpi_engine.daily import ALWAYS, Daily, Evident, listed_open, open_days
from kpi_engine.periods import GRAINS, period_end, period_start, previous_start, starts_between
from kpi_engine.populations import Frame
from kpi_engine.populations.open_leads import as_population, open_then, score
from kpi_engine.records import Company, Day


@dataclass(frozen=True)
class NewDay:
    """(rep, then, today) of the reps for whom it is another day."""

    moved: pl.DataFrame

    @classmethod
    def between(cls, then: pl.DataFrame, now: pl.DataFrame) -> "NewDay":
        """Of two frames of the same reps."""
        both = then.select("rep", then="today").join(now.select("rep", "today"), on="rep")
        return cls(both.filter(pl.col("then") < pl.col("today")))

    def __bool__(self) -> bool:
        return not self.moved.is_empty()

    @property
    def days(self) -> set[int]:
        """Those that ended or began for anybody."""
        return {day for then, today in self.moved.select("then", "today").iter_rows() for day in range(then, today + 1)}

    def starts(self, year: int) -> dict[str, set[int]]:
        """Grain → the periods which these days are in, and those that they are compared with."""
        found: dict[str, set[int]] = {}
        for grain in GRAINS:
            current = {period_start(day, grain, year) for day in self.days}
            found[grain] = current | {previous_start(start, grain, year) for start in current}
        return found


def aged(
    still_open: pl.DataFrame, new: NewDay, since: Day | None, company: Company, evident: Evident
) -> tuple[Daily, Daily]:
    """What leads that stayed open add to days no more, and what they add now."""
    rows, first = still_open.join(new.moved, on="rep"), ALWAYS if since is None else since
    last = pl.int_ranges(pl.max_horizontal(pl.col("then") + 1, pl.lit(first)), pl.col("today") + 1, dtype=pl.Int32)
    days = rows.with_columns(day=last).explode("day").filter(pl.col("day").is_not_null())
    one = pl.lit(1, dtype=pl.Int64)
    scores = days.select("rep", "day", score=score(company.engagement).fill_null(0.0), weight=one)
    added = open_days(as_population(scores, company.engagement))
    before, after = (_listed(rows, new, end, first, company, evident) for end in ("then", "today"))
    return {"open": added.clear(), "listed_open": before}, {"open": added, "listed_open": after}


def _listed(rows: pl.DataFrame, new: NewDay, end: str, since: int, company: Company, evident: Evident) -> pl.DataFrame:
    """The leads in the snapshots of the periods that had not ended then, as they are on the day `end`."""
    spans = rows.select("lead", "rep", "first", last=end)
    parts = rows.filter(pl.col("grown").is_not_null()).select(
        "lead", "rep", "first", "from", "grown", "silent_from", to=end
    )

    def open_when(evaluated: pl.DataFrame) -> Frame:
        return open_then(spans, parts, evaluated, company.engagement)

    def evaluated(grain: str) -> pl.DataFrame:
        year = company.fiscal_year_start
        found = [
            (rep, start, min(period_end(start, grain, year), today))
            for rep, then, today in new.moved.select("rep", "then", today=end).iter_rows()
            for start in starts_between(max(then, since), today, grain, year)
        ]
        return pl.DataFrame(
            found, schema={"rep": pl.Utf8, "period_start": pl.Int32, "evaluated": pl.Int32}, orient="row"
        )

    return listed_open(open_when, evaluated, evident)
