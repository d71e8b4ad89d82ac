"""Tables in, parts out: the numerators and denominators of every KPI for every rep, team and period.

`compute` gives one wide frame a grain: `rep`, `period_start`, `dimension` (null, `channel=Web`, `band=large`) and a
column for each part. Ratios are left to `kpi_engine.values`. Beside them stand the frames of the periods that the
current ones are compared with (`month_so_far`: last month up to the same working day), the reps and the teams.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import msgspec
import narwhals.stable.v2 as nw
import polars as pl

from kpi_engine.catalog import BY_KEY
from kpi_engine.evidence import evidence
from kpi_engine.frames import Tables
from kpi_engine.periods import (
    GRAINS,
    following_start,
    period_end,
    period_start,
    previous_start,
    starts_between,
    working_days,
)
from kpi_engine.populations import NAMES, Frame, Populations, collected, portable
from kpi_engine.populations.bands import limits_by_year, limits_frame, with_band
from kpi_engine.populations.quotas import crm_quotas, rep_quotas
from kpi_engine.populations.reps import team_key, teams
from kpi_engine.records import EVERYONE, UNASSIGNED, Company, Day, Millis
from kpi_engine.rolling import KEYS, PARTS_OF, for_teams, placed, records_column, rolled
from kpi_engine.shares import Agreed
from kpi_engine.targets import Targets

Parts = dict[str, pl.DataFrame]

SO_FAR = "_so_far"
"""Ending of the frames that hold the previous period up to the working day which the current one has reached."""

EVIDENCE = "_evidence"
"""Ending of the frames that list the records behind a grain's values."""

BY_BAND = ("closed_deals", "deal_touches")
SIZED = ("closed_deals", "deal_touches", "revenue")
NEVER_ZERO = ("quota", "median_cycle_days", "median_amount")


class Evident(msgspec.Struct, frozen=True):
    """For which KPIs, in which grains, the records behind each value are listed."""

    kpis: tuple[str, ...] = ()
    grains: tuple[str, ...] = ()


NOTHING_EVIDENT = Evident()


def compute(
    tables: Tables,
    company: Company,
    as_of: Millis,
    *,
    since: Day | None = None,
    grains: Iterable[str] = GRAINS,
    evident: Evident = NOTHING_EVIDENT,
) -> Parts:
    """The parts of every period from the first record (or `since`) to `as_of`, and the evidence that was asked for."""
    counted = _Counted(Populations(tables, company, as_of), since)
    parts: Parts = {"rep": _rep_part(counted), "team": counted.members}
    for grain in grains:
        place = _whole_periods(counted, grain)
        parts[grain] = _of_grain(counted, place)
        if grain in evident.grains:
            parts[grain + EVIDENCE] = _evidence(counted, place, evident.kpis)
        if grain != "day":
            parts[grain + SO_FAR] = _of_grain(counted, _previous_so_far(counted, grain, parts[grain]))
    return parts


class _Counted:
    """What every grain starts from."""

    def __init__(self, found: Populations, since: Day | None) -> None:
        self.found = found
        self.company = found.company
        self.year_start = found.company.fiscal_year_start
        self.today = dict(found.reps.select("rep", "today").iter_rows())
        self.last = max(self.today.values())
        recorded = self._first_record() if since is None else since
        self.first = recorded if recorded is not None else Day(min(self.today.values()))
        self._recorded = recorded
        found.since = self.first
        self.teams = teams(found.reps)
        pairs = [(rep, team_key(boss)) for boss, team in self.teams.items() for rep in team]
        self.members = pl.DataFrame(pairs, schema={"rep": pl.Utf8, "team": pl.Utf8}, orient="row")

    def first_of(self, rep: str) -> int:
        """The first day that a rep's rows may hold: everyone's first record; without any, the rep's own today."""
        return self.today[rep] if self._recorded is None else self.first

    def _first_record(self) -> Day | None:
        dated = [self.found[name] for name in NAMES if name != "open_leads"]
        dated += [self.found.every_campaign.filter(_uncosted), self.found.seen]
        firsts = [collected(frame.select(nw.col("day").min()))["day"][0] for frame in dated]
        return min((Day(day) for day in firsts if day is not None), default=None)

    @cached_property
    def targets(self) -> Targets:
        return Targets(self.company, self.teams, self.first, self.last)

    @cached_property
    def quotas(self) -> dict[str, list[Agreed]]:
        return crm_quotas(self.found.table("quota"), self.found.exchange)


_uncosted = nw.col("rule") == "it has no cost"


@dataclass(frozen=True)
class _Placement:
    """Which period a record falls into.

    calendar    (day, period_start, year): the periods, and the fiscal year of each period's first day
    evaluated   (rep, period_start, evaluated): the day on which a rep's snapshot is taken
    cut         whether records after `evaluated` are left out
    always      (rep, period_start) that have a row even without records
    """

    grain: str
    calendar: pl.DataFrame
    evaluated: pl.DataFrame
    cut: bool
    always: pl.DataFrame


def _whole_periods(counted: _Counted, grain: str) -> _Placement:
    starts = starts_between(counted.first, counted.last, grain, counted.year_start)
    rows = [
        (rep, start, min(period_end(start, grain, counted.year_start), today))
        for rep, today in counted.today.items()
        for start in starts
        if period_start(counted.first_of(rep), grain, counted.year_start) <= start <= today
    ]
    evaluated = _evaluated(rows)
    active = counted.found.reps.filter(pl.col("active"))["rep"]
    always = evaluated.filter(pl.col("rep").is_in(active.implode())).select(KEYS)
    return _Placement(grain, _calendar(counted, grain, starts), evaluated, cut=False, always=always)


def _previous_so_far(counted: _Counted, grain: str, whole: pl.DataFrame) -> _Placement:
    """The period before each current one, up to the same working day. At the turn of a period the current one is not
    the same everywhere: then each rep has a share in both, for teams that are spread over time zones."""
    year_start = counted.year_start
    current = {period_start(today, grain, year_start) for today in counted.today.values()}
    rows = []
    for rep, today in counted.today.items():
        days = working_days(counted.company, None if rep == UNASSIGNED else rep)
        recorded = period_start(counted.first_of(rep), grain, year_start)
        for start in current:
            before = previous_start(start, grain, year_start)
            last = period_end(before, grain, year_start)
            if before >= recorded:
                over = period_end(start, grain, year_start) < today
                rows.append((rep, before, last if over else days.nth(before, last, days.count(start, today))))
    evaluated = _evaluated(rows)
    starts = sorted(evaluated["period_start"].unique())
    there = whole.filter(pl.col("dimension").is_null()).select("rep", _days(pl.col("period_start")))
    always = evaluated.select(KEYS).join(there, on=KEYS, how="semi")
    return _Placement(grain, _calendar(counted, grain, starts), evaluated, cut=True, always=always)


def _evaluated(rows: Sequence[tuple[str, int, int]]) -> pl.DataFrame:
    schema = {"rep": pl.Utf8, "period_start": pl.Int32, "evaluated": pl.Int32}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _calendar(counted: _Counted, grain: str, starts: list[Day]) -> pl.DataFrame:
    rows = [
        (day, start, period_start(start, "year", counted.year_start))
        for start in starts
        for day in range(start, following_start(start, grain, counted.year_start))
    ]
    return pl.DataFrame(rows, schema={"day": pl.Int32, "period_start": pl.Int32, "year": pl.Int32}, orient="row")


def _evidence(counted: _Counted, place: _Placement, kpis: Sequence[str]) -> pl.DataFrame:
    """The records behind the values of one grain."""
    limits = _limits(counted, place)
    made_of = {BY_KEY[key].numerator.of for key in kpis} & set(PARTS_OF)
    rows = {name: _placed(counted.found[name], name, place, limits) for name in made_of if name != "open_leads"}
    if "open_leads" in made_of:
        rows["open_leads"] = counted.found.open_leads_then(place.evaluated)
    return evidence(rows, kpis, counted.members)


def _limits(counted: _Counted, place: _Placement) -> Frame:
    years = place.calendar["year"].unique().sort().to_list()
    return limits_frame(limits_by_year(counted.found.won_deals, counted.company, years))


def _of_grain(counted: _Counted, place: _Placement) -> pl.DataFrame:
    """The wide frame of one grain."""
    found = counted.found
    limits = _limits(counted, place)
    rows = {name: _placed(found[name], name, place, limits) for name in PARTS_OF}
    uncosted = _placed(found.every_campaign.filter(_uncosted), "campaigns", place, limits)
    seen = _placed(found.seen, "seen", place, limits)
    present = _present(place, [*rows.values(), uncosted, seen])
    base = pl.concat([present, for_teams(present, counted.members).unique()])
    frames = [rolled(rows[name], PARTS_OF[name], counted.members) for name in PARTS_OF]
    for frame in (
        *frames,
        _everyones_revenue(rows["revenue"]),
        _quotas(counted, place, present),
        _counts(uncosted, "campaigns_uncosted", counted),
        _counts(rows["closed_deals"].filter(nw.col("won"), ~nw.col("valued")), "deals_without_amount", counted),
        _limits_of_periods(place, limits),
    ):
        base = base.join(frame, on=[key for key in KEYS if key in frame.columns], how="left")
    base = base.with_columns(dimension=pl.lit(None, dtype=pl.Utf8))
    whole = base.with_columns(
        pl.col(name).fill_null(0) for name in base.columns if base.schema[name].is_numeric() and name not in NEVER_ZERO
    )
    frame = pl.concat([whole, *_split(counted, rows)], how="diagonal")
    lasting = frame.with_columns(period_start=_date(pl.col("period_start")))
    return lasting.select(_columns()).sort("rep", "period_start", "dimension", nulls_last=False)


def _columns() -> list[str]:
    parts = [part for parts in PARTS_OF.values() for part in parts]
    named = dict.fromkeys(column for part in parts for column in (part.name, records_column(part)))
    more = ("everyones_revenue", "everyones_revenue__n", "quota", "quota__n")
    return [*KEYS, "dimension", *named, *more, "campaigns_uncosted", "deals_without_amount", "limits"]


def _placed(rows: Frame, name: str, place: _Placement, limits: Frame) -> Frame:
    if name == "open_leads":
        return placed(rows, place.calendar, place.evaluated)
    there = placed(rows, place.calendar, None)
    if place.cut:
        there = there.join(portable(place.evaluated), on=list(KEYS)).filter(nw.col("day") <= nw.col("evaluated"))
    if name in SIZED:
        there = with_band(there, limits)
    return portable(collected(there))


def _present(place: _Placement, rows: list[Frame]) -> pl.DataFrame:
    """Who has a row: every active rep, and every rep with a record in the period."""
    if place.cut:
        return place.always
    keys = [collected(frame.select(*KEYS).unique()) for frame in rows]
    every = pl.concat([place.always, *keys]).unique()
    return every.join(place.evaluated.select(KEYS), on=KEYS, how="semi")


def _counts(rows: Frame, name: str, counted: _Counted) -> pl.DataFrame:
    own = collected(rows.group_by(*KEYS).agg(nw.len().cast(nw.Int64).alias(name)))
    both = pl.concat([own, for_teams(own, counted.members).select(own.columns)])
    return both.group_by(KEYS).agg(pl.col(name).sum())


def _everyones_revenue(rows: Frame) -> pl.DataFrame:
    return collected(
        rows.group_by("period_start").agg(
            everyones_revenue=nw.col("amount").sum(), everyones_revenue__n=nw.len().cast(nw.Int64)
        )
    )


def _quotas(counted: _Counted, place: _Placement, present: pl.DataFrame) -> pl.DataFrame:
    """Quotas of reps, and of teams: the sum over the members who manage nobody. Who has no row in a period has no
    target there, only what the CRM gives; nobody has a quota in a period that has not begun where he or she is."""
    starts = sorted(place.evaluated["period_start"].unique())
    who = [rep for rep in counted.today if rep != UNASSIGNED]
    crm, company, agreed = counted.quotas, counted.company, counted.targets
    here = rep_quotas(who, crm, agreed, company, place.grain, starts).join(present, on=KEYS, how="semi")
    by_crm = rep_quotas(list(crm), crm, agreed.without_any(), company, place.grain, starts)
    away = by_crm.filter(pl.col("rep").is_in(who)).join(present, on=KEYS, how="anti")
    own = pl.concat([here, away]).join(place.evaluated.select(KEYS), on=KEYS, how="semi")
    leaves = own.filter(~pl.col("rep").is_in(list(counted.teams)))
    of_teams = for_teams(leaves, counted.members).group_by(KEYS).agg(pl.col("quota").sum(), pl.col("quota__n").sum())
    return pl.concat([own, of_teams])


def _limits_of_periods(place: _Placement, limits: Frame) -> pl.DataFrame:
    of_year = collected(limits.select("year", "limits"))
    return place.calendar.select("period_start", "year").unique().join(of_year, on="year").drop("year")


def _split(counted: _Counted, rows: dict[str, Frame]) -> list[pl.DataFrame]:
    """The rows of dimensions, where there are records: each channel (also over all reps) and each deal size band."""
    by_channel = rolled(rows["leads_created"], PARTS_OF["leads_created"], counted.members, ("channel",))
    sums = [pl.col(name).sum() for name in by_channel.columns if name not in (*KEYS, "channel")]
    own = by_channel.filter(~pl.col("rep").str.starts_with("team:"))
    of_all = own.group_by("period_start", "channel").agg(sums).with_columns(rep=pl.lit(EVERYONE))
    channels = pl.concat([by_channel, of_all.select(by_channel.columns)])
    sized = [
        rolled(rows[name].filter(~nw.col("band").is_null()), PARTS_OF[name], counted.members, ("band",))
        for name in BY_BAND
    ]
    bands = sized[0].join(sized[1], on=[*KEYS, "band"], how="left")
    bands = bands.with_columns(pl.col(name).fill_null(0) for name in sized[1].columns if name not in (*KEYS, "band"))
    return [_as_dimension(channels, "channel"), _as_dimension(bands, "band")]


def _as_dimension(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    return frame.with_columns(dimension=pl.concat_str(pl.lit(f"{name}="), pl.col(name))).drop(name)


def _rep_part(counted: _Counted) -> pl.DataFrame:
    return counted.found.reps.with_columns(today=_date(pl.col("today")))


def _date(day: pl.Expr) -> pl.Expr:
    return day.cast(pl.Date)


def _days(date: pl.Expr) -> pl.Expr:
    return date.cast(pl.Int32)
