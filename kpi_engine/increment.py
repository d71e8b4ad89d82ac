"""Changed records in, changed frames out: at a cost that follows the change.

From the records that have to do with a change, as they were and as they are, follows what is to be taken out of the
days and put in; the reps of the slices that this touches are concluded anew, and what teams and everyone's frames add
up to is changed by the difference. It is the same to the last digit as computing everything (a property test holds it).
"""

from collections.abc import Collection, Iterable, Iterator
from functools import cached_property
from itertools import chain

import polars as pl

from kpi_engine.clock import keys, to_come, to_come_with_a_day
from kpi_engine.compute import of_people
from kpi_engine.conclude import SPREAD, Parts, conclude_reps, median_columns, spread_in_periods
from kpi_engine.daily import SIZED, Daily, added, campaign_days_of, daily_of, difference, reads_today
from kpi_engine.evidence import merged
from kpi_engine.frames import Tables
from kpi_engine.ground import Ground
from kpi_engine.groups import (
    COMPANY,
    GROUPS,
    changed,
    counted,
    of_everyone,
    shown,
    sums,
    team_evidence,
    team_medians,
    together,
)
from kpi_engine.new_day import NewDay, aged
from kpi_engine.periods import GRAINS, period_start
from kpi_engine.populations import Populations
from kpi_engine.records import Millis
from kpi_engine.shelf import (
    COMPUTED,
    COUNTS,
    DAYS,
    LIMITS,
    NAMES,
    OPEN,
    SUMS,
    WAITING,
    Asked,
    Shelf,
    Work,
    lists_of,
    place_of,
    some_slices,
    split,
    with_scores,
)

ROW = ("rep", "period_start", "dimension")


def increment(
    shelf: Shelf, before: Tables, after: Tables, asked: Asked, then: Millis, now: Millis
) -> Iterator[Work] | None:
    """The slices that are others now, bit by bit. `before` and `after` are whole circles of records as they were when
    values were computed for `then`, and as they are; their reps, quotas, campaigns and rates are all there are, and the
    same.

    None where the change reaches everyone: it moves the first day, a fiscal year begins, its bands become final, or
    it is another day and a KPI asks which one.
    """
    old, new = Populations(before, asked.company, then), Populations(after, asked.company, now)
    less, plus = (daily_of(found, since=asked.since, evident=asked.evident) for found in (old, new))
    if _moves_first_day(less, plus, asked):
        return None
    won = difference({"won": less["won"]}, {"won": plus["won"]})["won"]
    ground = _same_ground(shelf, after, asked, now, won)
    if ground is None:
        return None
    new_day, open_before, open_now = NewDay.between(old.reps, new.reps), old.still_open, new.still_open
    if new_day and reads_today(new):
        return None
    if new_day:
        others = shelf.read(OPEN).join(open_before.select("lead"), on="lead", how="anti")
        gone, come = aged(others, new_day, asked.since, asked.company, asked.evident)
        less = added([less, gone, campaign_days_of(old, asked.evident)])
        plus = added([plus, come, campaign_days_of(new, asked.evident)])
    rest = {
        **_other_scores(shelf, asked, ground, open_before, open_now, everyones=bool(new_day)),
        **({} if won.is_empty() else {DAYS + "won": {0: ground.won}, LIMITS: {0: ground.every_limit}}),
        **({COMPUTED + name: {0: frame} for name, frame in of_people(ground).items()} if new_day else {}),
        WAITING: {0: _waiting(shelf.read(WAITING), before, after, new)},
    }
    resized = _resized(shelf, ground.every_limit)
    return chain([rest], _Increment(shelf, asked, ground, difference(less, plus), resized, new_day).work())


def _moves_first_day(less: Daily, plus: Daily, asked: Asked) -> bool:
    """Whether records come before it or go from it: others may still be there, but nobody has looked."""
    if asked.since is not None:
        return False
    if asked.recorded is None:
        return True
    moved = difference({"days": less["days"]}, {"days": plus["days"]})["days"].filter(pl.col("day") <= asked.recorded)
    return not moved.filter((pl.col("day") < asked.recorded) | (pl.col("records") < 0)).is_empty()


def _same_ground(shelf: Shelf, tables: Tables, asked: Asked, now: Millis, won: pl.DataFrame) -> Ground | None:
    """The ground after the deals won differ by this; None if bands are final, provisional or none in other years."""
    limits = shelf.read(LIMITS)
    if won.is_empty():
        ground = Ground(tables, asked.company, now, won=won, recorded=asked.recorded, limits=limits)
        return ground if period_start(ground.last, "year", ground.year_start) in limits["year"] else None
    after = added([{"won": shelf.read(DAYS + "won")}, {"won": won}])["won"]
    ground = Ground(tables, asked.company, now, won=after, recorded=asked.recorded)
    return ground if ground.every_limit.select("year", "limits").equals(limits.select("year", "limits")) else None


def _resized(shelf: Shelf, limits: pl.DataFrame) -> pl.DataFrame:
    """(rep, day) of deals that are in another band by these limits than by those before: of a few deals more or less
    won, about as many."""
    before = shelf.read(LIMITS).select("year", "first_limit", "second_limit")
    both = before.join(limits, on="year", suffix="_now")
    between = [
        (pl.col("whole_amount") >= min(then, now)) & (pl.col("whole_amount") < max(then, now))
        for name in ("first_limit", "second_limit")
        for then, now in both.select(name, name + "_now").unique().iter_rows()
        if then != now
    ]
    rows = [pl.DataFrame(schema={"rep": pl.Utf8, "day": pl.Int32})]
    if between:
        sized = [shelf.read(DAYS + name) for name in (*SIZED, "spread")]
        rows += [frame.filter(pl.any_horizontal(between)).select("rep", "day") for frame in sized]
    return pl.concat(rows).unique()


def _waiting(waiting: pl.DataFrame, before: Tables, after: Tables, new: Populations) -> pl.DataFrame:
    asked_again = pl.concat([keys(tables) for tables in (before, after)])
    others = waiting.filter(pl.col("at") > new.as_of).join(asked_again, on=["kind", "id"], how="anti")
    return pl.concat([others, to_come(after, new.as_of), to_come_with_a_day(new)])


def _other_scores(
    shelf: Shelf, asked: Asked, ground: Ground, old: pl.DataFrame, new: pl.DataFrame, *, everyones: bool
) -> Work:
    """Those of some leads in place of those they had; `everyones`: it is another day for all others too."""
    whose = ground.today if everyones else pl.concat([old["rep"], new["rep"]]).unique()
    touched = set(map(asked.slice_of, whose))
    others = shelf.read(OPEN, touched).join(old.select("lead"), on="lead", how="anti")
    return with_scores(pl.concat([others, new]), ground, asked, touched)


class _Increment:
    """The slices that a difference in days or another day touches, concluded anew, and what teams and everyone are with
    them."""

    def __init__(
        self, shelf: Shelf, asked: Asked, ground: Ground, delta: Daily, resized: pl.DataFrame, new_day: NewDay
    ) -> None:
        self._shelf, self._asked, self._ground, self._delta = shelf, asked, ground, delta
        self._same_medians = delta["spread"].is_empty() and resized.is_empty() and not new_day
        touched = pl.concat([_rep_days(delta), resized])
        whose = set(ground.today) if new_day else set(touched["rep"])
        self._slices = set(map(asked.slice_of, whose))
        self._starts = _periods(touched["day"].unique(), new_day, ground)
        self._members = _of_teams(whose, ground)
        theirs = ground.members.filter(pl.col("rep").is_in(self._reps(self._slices)))["team"].unique()
        self._group_slices = {0, *map(asked.group_slice_of, theirs)}

    def work(self) -> Iterator[Work]:
        """What becomes of the reps' slices, bit by bit, and then of the groups'."""
        if not self._slices:
            return
        taken: Parts = {}
        put: Parts = {}
        listed: dict[str, list[pl.DataFrame]] = {name: [] for name in lists_of(self._asked.evident)}
        for some in some_slices(self._asked, self._ground, self._slices):
            days = {name: self._changed_days(name, some) for name in self._delta if name != "won"}
            rows = conclude_reps(days, self._ground, self._reps(some), GRAINS, self._asked.evident, self._starts)
            kept = {name: self._shelf.read(place_of(name), some) for name in rows if not name.endswith(SPREAD)}
            were = {name: frame.filter(self._is_touched(name)) for name, frame in kept.items()}
            taken = together(taken, sums(were, self._ground, NAMES))
            put = together(put, sums(rows, self._ground, NAMES))
            for name, lists in listed.items():
                lists.append(team_evidence(rows[name].join(self._members, on="rep", how="semi"), self._members))
            yield self._own(kept, rows, some)
            yield self._own_days(days, some)
        yield self._of_groups(taken, put, listed)

    def _reps(self, some: Collection[int]) -> list[str]:
        return [rep for rep in self._ground.today if self._asked.slice_of(rep) in some]

    def _changed_days(self, name: str, some: set[int]) -> pl.DataFrame:
        kept = self._shelf.read(DAYS + name, some)
        theirs = self._delta[name].filter(pl.col("rep").is_in(self._reps(some)))
        return added([{name: kept}, {name: theirs}])[name]

    def _own(self, kept: Parts, rows: Parts, some: set[int]) -> Work:
        """The reps' rows of other periods as they were, and these."""
        both = {
            place_of(name): pl.concat([old.filter(~self._is_touched(name)), rows[name]]) for name, old in kept.items()
        }
        return split(both, self._asked.slice_of, "rep", some)

    def _own_days(self, days: Daily, some: set[int]) -> Work:
        """The reps' days, where any of them is another."""
        work: Work = {}
        for name, frame in days.items():
            moved = some & set(map(self._asked.slice_of, self._delta[name]["rep"].unique()))
            theirs = frame.filter(pl.col("rep").is_in(self._reps(moved)))
            work |= split({DAYS + name: theirs}, self._asked.slice_of, "rep", moved)
        return work

    def _of_groups(self, taken: Parts, put: Parts, listed: dict[str, list[pl.DataFrame]]) -> Work:
        """What teams and everyone are, without these reps' rows as they were and with them as they are."""
        before = {name + GROUPS: self._shelf.read(SUMS + name + GROUPS, self._group_slices) for name in NAMES}
        added_up = changed(before, taken, put)
        groups = shown(added_up, {name: self._medians(name) for name in NAMES})
        groups |= {name: self._evidence(name, lists) for name, lists in listed.items()}
        frames = {SUMS + name: frame for name, frame in added_up.items()}
        frames |= {COMPUTED + name: frame for name, frame in groups.items()}
        return {
            **split(frames, self._asked.group_slice_of, "rep", self._group_slices),
            **{COUNTS + grain: {0: self._counts(grain, groups[grain])} for grain in GRAINS},
            COMPUTED + COMPANY: {0: of_everyone(added_up, self._ground, NAMES)},
        }

    def _counts(self, grain: str, groups: pl.DataFrame) -> pl.DataFrame:
        """How many rows each group has, these ones anew."""
        known, slice_of = self._shelf.read(COUNTS + grain), self._asked.group_slice_of
        others = [slice_of(group) not in self._group_slices for group in known["rep"]]
        return pl.concat([known.filter(pl.Series(others, dtype=pl.Boolean)), counted(groups)])

    def _medians(self, name: str) -> pl.DataFrame:
        """Those of the teams as they were, and anew where an amount came or went."""
        columns = [column for part in median_columns() for column in (part, f"{part}__n")]
        known = self._shelf.read(COMPUTED + name, self._group_slices).select(*ROW, *columns)
        if self._same_medians:
            return known
        found = spread_in_periods(self._spread, self._ground, name, self._starts[_grain(name)])
        fresh = team_medians(found, self._members)
        return pl.concat([self._elsewhere(known, name), fresh.select(known.columns)])

    @cached_property
    def _spread(self) -> pl.DataFrame:
        """Every amount of the members of touched teams, as it is now."""
        kept = self._shelf.read(DAYS + "spread", self._member_slices).join(self._members, on="rep", how="semi")
        return added([{"spread": kept}, {"spread": self._delta["spread"]}])["spread"]

    def _evidence(self, name: str, lists: list[pl.DataFrame]) -> pl.DataFrame:
        """The records behind the values of teams: as they were, and anew where any of a member's days is another."""
        kept = self._shelf.read(COMPUTED + name, self._member_slices - self._slices).filter(self._is_touched(name))
        others = team_evidence(kept.join(self._members, on="rep", how="semi"), self._members)
        known = self._shelf.read(COMPUTED + name, self._group_slices)
        return pl.concat([self._elsewhere(known, name), merged(pl.concat([others, *lists]))])

    @cached_property
    def _member_slices(self) -> set[int]:
        return set(map(self._asked.slice_of, self._members["rep"].unique()))

    def _elsewhere(self, rows: pl.DataFrame, name: str) -> pl.DataFrame:
        """Rows of groups but those of touched teams in touched periods."""
        team = pl.col("rep").is_in(self._members["team"].unique().implode())
        return rows.filter(~(team & self._is_touched(name)))

    def _is_touched(self, name: str) -> pl.Expr:
        starts = pl.Series(sorted(self._starts[_grain(name)]), dtype=pl.Int32).cast(pl.Date)
        return pl.col("period_start").is_in(starts.implode())


def _of_teams(reps: Collection[str], ground: Ground) -> pl.DataFrame:
    """(rep, team) of the teams that one of these is in."""
    theirs = ground.members.filter(pl.col("rep").is_in(list(reps)))["team"].unique()
    return ground.members.filter(pl.col("team").is_in(theirs.implode()))


def _periods(days: Iterable[int], new_day: NewDay, ground: Ground) -> dict[str, set[int]]:
    """Grain → the periods in which anything is another."""
    year = ground.year_start
    moved = new_day.starts(year)
    return {grain: {period_start(day, grain, year) for day in days} | moved[grain] for grain in GRAINS}


def _grain(name: str) -> str:
    return name.split("_")[0]


def _rep_days(delta: Daily) -> pl.DataFrame:
    """(rep, day) of everything in it."""
    every = [frame.select("rep", "day") for name, frame in delta.items() if name != "won"]
    return pl.concat(every).unique()
