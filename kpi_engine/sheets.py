"""The rows for which a KPI has a value: each rep's and team's, by channel, by deal size band; and the row that each is
compared with."""

from dataclasses import dataclass
from functools import cached_property

import polars as pl

from kpi_engine.conclude import Parts
from kpi_engine.declaring import Dimension
from kpi_engine.ground import SO_FAR
from kpi_engine.groups import with_company
from kpi_engine.periods import period_end, previous_start, working_days
from kpi_engine.populations.bands import BANDS
from kpi_engine.records import UNASSIGNED, Company

ROW = ["rep", "period_start", "dimension"]


@dataclass(frozen=True)
class Sheet:
    """Rows of one grain and one way of splitting (`split` None: undivided).

    rows      keys and parts of each row of the sheet, and after these of the rows that some are only compared with:
              those of the previous period up to the same working day
    times     `elapsed` and `working`, the days of the sheet's rows' periods: how many are over, and how many there are
    before    the number of the row in `rows` that each of the sheet's rows is compared with, null where there is none
    """

    grain: str
    split: Dimension | None
    rows: pl.DataFrame
    times: pl.DataFrame
    before: pl.Series


class Sheets:
    """The sheets of one grain; `rep` keeps one rep's (or team's) rows only."""

    def __init__(self, parts: Parts, company: Company, grain: str, rep: str | None) -> None:
        self._company, self._grain, self._parts = company, grain, parts
        self._whole = parts[grain] if rep is None else parts[grain].filter(pl.col("rep") == rep)
        so_far = parts.get(grain + SO_FAR, parts[grain].clear())
        self._so_far = so_far if rep is None else so_far.filter(pl.col("rep") == rep)
        self._today: dict[str, int] = dict(parts["rep"].select("rep", pl.col("today").cast(pl.Int32)).iter_rows())
        self._team_reaches: dict[str, int] = {}
        for member, team in parts["team"].iter_rows():
            self._team_reaches[team] = min(self._today[member], self._team_reaches.get(team, self._today[member]))

    def sheet(self, split: Dimension | None) -> Sheet:
        return {None: self.undivided, Dimension.CHANNEL: self.by_channel, Dimension.BAND: self.by_band}[split]

    @cached_property
    def undivided(self) -> Sheet:
        return self._compared(None, self._everyones(self._whole, ""), self._everyones(self._so_far, SO_FAR))

    @cached_property
    def by_channel(self) -> Sheet:
        return self._compared(Dimension.CHANNEL, _channels(self._whole), _channels(self._so_far))

    @cached_property
    def by_band(self) -> Sheet:
        whole = _bands(self._whole, self._everyones(self._whole, ""))
        return self._compared(Dimension.BAND, whole, _bands(self._so_far, self._everyones(self._so_far, SO_FAR)))

    def _everyones(self, rows: pl.DataFrame, ending: str) -> pl.DataFrame:
        """The undivided rows, with everyone's revenue and whether the bands are final."""
        return with_company(_undivided(rows), self._grain + ending, self._parts)

    def _compared(self, split: Dimension | None, rows: pl.DataFrame, so_far: pl.DataFrame) -> Sheet:
        timed = rows.select(ROW).join(self._times(rows), on=["rep", "period_start"], how="left", maintain_order="left")
        wanted = timed.select("rep", pl.col("previous_start").alias("period_start"), "dimension")
        before, times = _found(wanted, rows), timed.select("elapsed", "working")
        if self._grain == "day":
            return Sheet(self._grain, split, rows, times, before)
        before = (_found(wanted, so_far) + rows.height).zip_with(timed["current"], before)
        return Sheet(self._grain, split, pl.concat([rows, so_far], how="diagonal"), times, before)

    def _times(self, rows: pl.DataFrame) -> pl.DataFrame:
        """(rep, period_start, previous_start, current, elapsed, working), by each rep's own calendar."""
        known: dict[tuple[int, int, int, int], tuple[int, bool, int, int]] = {}
        pairs = rows.select("rep", "period_start").unique()
        times = []
        for rep, start in pairs.select("rep", pl.col("period_start").cast(pl.Int32)).iter_rows():
            person = rep.removeprefix("team:")
            days = working_days(self._company, person)
            today = self._today[person if person in self._today else UNASSIGNED]
            reached = self._team_reaches.get(rep, today)
            key = (id(days), today, reached, start)
            if key not in known:
                known[key] = self._time(start, today, reached, person)
            times.append(known[key])
        schema = {"previous_start": pl.Int32, "current": pl.Boolean, "elapsed": pl.Int64, "working": pl.Int64}
        found = pl.DataFrame(times, schema=schema, orient="row")
        return pl.concat([pairs, found], how="horizontal").with_columns(pl.col("previous_start").cast(pl.Date))

    def _time(self, start: int, today: int, reached: int, person: str) -> tuple[int, bool, int, int]:
        """`reached`: the day that it is for all of a team, spread over time zones as it may be."""
        days, year = working_days(self._company, person), self._company.fiscal_year_start
        last = period_end(start, self._grain, year)
        before = days.before(start) if self._grain == "day" else previous_start(start, self._grain, year)
        current = reached <= last
        return before, current, days.count(start, min(last, today)), days.count(start, last)


def _found(wanted: pl.DataFrame, rows: pl.DataFrame) -> pl.Series:
    numbered = rows.select(ROW).with_row_index("found")
    joined = wanted.join(numbered, on=ROW, how="left", nulls_equal=True, maintain_order="left")
    return joined["found"]


def _undivided(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.filter(pl.col("dimension").is_null())


def _channels(frame: pl.DataFrame) -> pl.DataFrame:
    there = frame.filter(pl.col("dimension").str.starts_with("channel=").fill_null(value=False))
    return there.with_columns(limits=pl.lit(None, dtype=pl.Utf8))


def _bands(frame: pl.DataFrame, undivided: pl.DataFrame) -> pl.DataFrame:
    """A row a band for everyone who has a row, with or without deals of that size."""
    there = frame.filter(pl.col("dimension").str.starts_with("band=").fill_null(value=False))
    kept = pl.DataFrame({"dimension": [f"band={band}" for band in BANDS]})
    everyone = undivided.select("rep", "period_start", "limits").join(kept, how="cross")
    rows = everyone.join(there, on=ROW, how="left", maintain_order="left")
    numbers = [name for name, kind in rows.schema.items() if kind.is_numeric() and not name.startswith("median")]
    return rows.with_columns(pl.col(name).fill_null(0) for name in numbers)
