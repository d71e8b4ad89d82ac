"""Changed records in, changed frames out: at a cost that follows the change.

What is kept of a computation is split by rep: each rep belongs to one of a number of slices. From the records that have
to do with a change, as they were and as they are, follows what is to be taken out of the days and put in; the reps of
the slices that this touches are concluded anew, and what teams and everyone's frames add up to is changed by the
difference. It is the same to the last digit as computing everything (a property test holds it).
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import chain
from typing import Protocol
from zlib import crc32

import polars as pl

from kpi_engine.clock import keys, to_come
from kpi_engine.compute import frames_of, ground_of, of_people
from kpi_engine.conclude import AWAY, EVIDENCE, SPREAD, Parts, conclude_reps, median_columns, spread_in_periods
from kpi_engine.daily import Daily, Evident, added, campaign_days, daily_of, difference
from kpi_engine.evidence import merged
from kpi_engine.frames import SCHEMAS, Tables
from kpi_engine.ground import Ground
from kpi_engine.groups import COMPANY, GROUPS, changed, of_everyone, shown, sums, team_evidence, team_medians, together
from kpi_engine.periods import GRAINS, period_start
from kpi_engine.populations import Populations
from kpi_engine.records import Company, Day, Millis
from kpi_engine.scores import scores_of

Work = dict[str, dict[int, pl.DataFrame]]
"""Name → slice → frame. Slice 0 is what belongs to no single rep, or an empty frame that tells the columns."""

COMPUTED, DAYS, SUMS, WAITING, LIMITS = "computed/", "days/", "sums/", "clock/waiting", "bands/limits"
"""Beginnings of the names of frames: what a value is read from; and what an increment needs beside it."""

SCORES = "scores"

REPS, TEAMS = "reps", "teams/"
"""Beside the days of some reps: who they are. Beginning of the names of the lists of their teams."""

ROW_DAYS_A_SLICE, ROW_DAYS_AT_ONCE = 1_000, 50_000
"""So many days, of one rep or several, make a slice; so many are concluded at once."""

NAMES = frames_of(GRAINS)

ROW = ("rep", "period_start", "dimension")


class Workers(Protocol):
    """Who does the same to several bundles of frames: this process, one after the other, as `map` does; or many."""

    def __call__(self, work: Callable[[Tables], Parts], bundles: Iterable[Tables], /) -> Iterator[Parts]:
        """What comes out for each bundle, in their order."""


class Shelf(Protocol):
    """Where the frames of the last computation stand."""

    def read(self, name: str, slices: Iterable[int] | None = None) -> pl.DataFrame:
        """These slices of a frame, or all of them; an empty frame with its columns where they hold nothing."""


@dataclass(frozen=True)
class Asked:
    """For what values are computed. `slices` is the number of slices, `recorded` the first day with a record."""

    company: Company
    since: Day | None
    evident: Evident
    slices: int
    recorded: Day | None

    def slice_of(self, rep: str) -> int:
        return 1 + crc32(rep.encode()) % self.slices


def whole(
    batches: Iterable[Tables],
    beside: Tables,
    company: Company,
    as_of: Millis,
    since: Day | None,
    evident: Evident,
    workers: Workers = map,
) -> tuple[Asked, Iterator[Work]]:
    """Everything, computed from everything: from batches of records that have nothing to do with each other, and beside
    them reps, campaigns, quotas and rates. What is to be kept comes bit by bit."""
    nothing = {kind: pl.LazyFrame(schema=schema) for kind, schema in SCHEMAS.items()}
    days, scored, waiting = campaign_days({**nothing, **beside}, company, as_of, evident), [], []
    of_batch = partial(_days_of, beside=beside, company=company, as_of=as_of, since=since, evident=evident)
    for found in workers(of_batch, batches):
        scored.append(found.pop(SCORES))
        waiting.append(found.pop(WAITING))
        days = added([days, found])
    ground = ground_of(days, beside, company, as_of, since)
    slices = 1 + len(ground.today) * _days(ground) // ROW_DAYS_A_SLICE
    asked = Asked(company, since, evident, slices, ground.recorded)
    rest = {
        **_split(asked, {COMPUTED + SCORES: pl.concat(scored)}, "owner"),
        DAYS + "won": {0: days.pop("won")},
        WAITING: {0: pl.concat(waiting)},
        LIMITS: {0: ground.every_limit},
        **{COMPUTED + name: {0: frame} for name, frame in of_people(ground).items()},
    }
    return asked, chain([rest], _concluded(days, ground, asked, workers))


def _days_of(
    batch: Tables, *, beside: Tables, company: Company, as_of: Millis, since: Day | None, evident: Evident
) -> Parts:
    """The days of one batch of records, the scores of its leads, and what of it is still to come."""
    populations = Populations({**batch, **beside}, company, as_of)
    days = daily_of(populations, since=since, evident=evident)
    return {**days, SCORES: scores_of(populations), WAITING: to_come(batch, as_of)}


def _concluded(days: Daily, ground: Ground, asked: Asked, workers: Workers) -> Iterator[Work]:
    """The rows of some reps after the other, and then what teams and everyone are."""
    spread = days["spread"]
    kept = _split(asked, {DAYS + name: days.pop(name) for name in list(days)})
    some = list(_some_slices(asked, ground))
    bundles = (_days_in(kept, each, [rep for rep in ground.today if asked.slice_of(rep) in each]) for each in some)
    added_up: Parts = {}
    listed: dict[str, list[pl.DataFrame]] = {name: [] for name in _listed(asked.evident)}
    of_bundle = partial(_rows_of, ground=ground, evident=asked.evident)
    for each, found in zip(some, workers(of_bundle, bundles), strict=True):
        added_up = together(added_up, {name: found.pop(SUMS + name) for name in map(_sums_of, NAMES)})
        for name, lists in listed.items():
            lists.append(found.pop(TEAMS + name))
        yield {name: _of_slices(slices, each) for name, slices in kept.items()} | _split(asked, found)
    medians = {name: team_medians(spread_in_periods(spread, ground, name), ground.members) for name in NAMES}
    groups = shown(added_up, medians) | {name: merged(pl.concat(lists)) for name, lists in listed.items()}
    yield {
        **{SUMS + name: {0: frame} for name, frame in added_up.items()},
        **{COMPUTED + name: {0: frame} for name, frame in groups.items()},
        COMPUTED + COMPANY: {0: of_everyone(added_up, ground, NAMES)},
    }


def _days_in(kept: Work, some: set[int], reps: list[str]) -> Tables:
    """The days of these slices, whose reps these are."""
    days = {
        name.removeprefix(DAYS): pl.concat(_of_slices(slices, some).values()).lazy() for name, slices in kept.items()
    }
    return {**days, REPS: pl.LazyFrame({"rep": reps}, schema={"rep": pl.Utf8})}


def _rows_of(bundle: Tables, *, ground: Ground, evident: Evident) -> Parts:
    """The rows of some reps, what they add up to, and the lists of their teams, by the names they are kept under."""
    days = {name: frame.collect() for name, frame in bundle.items()}
    reps = days.pop(REPS)["rep"].to_list()
    rows = conclude_reps(days, ground, reps, GRAINS, evident)
    return {
        **{SUMS + name: frame for name, frame in sums(rows, ground, NAMES).items()},
        **{TEAMS + name: team_evidence(rows[name], ground.members) for name in _listed(evident)},
        **{_place_of(name): frame for name, frame in rows.items() if not name.endswith(SPREAD)},
    }


def _listed(evident: Evident) -> list[str]:
    return [grain + EVIDENCE for grain in evident.grains]


def _sums_of(name: str) -> str:
    return name + GROUPS


def _of_slices(slices: dict[int, pl.DataFrame], some: set[int]) -> dict[int, pl.DataFrame]:
    return {0: slices[0], **{each: slices[each] for each in sorted(some) if each in slices}}


def _some_slices(asked: Asked, ground: Ground) -> Iterator[set[int]]:
    """Slices by and by, so many that their reps' days make a frame of a size that fits anywhere."""
    reps: dict[int, int] = Counter(map(asked.slice_of, ground.today))
    some: set[int] = set()
    height = 0
    for number in sorted(reps):
        some.add(number)
        height += reps[number] * _days(ground)
        if height > ROW_DAYS_AT_ONCE:
            yield some
            some, height = set(), 0
    if some:
        yield some


def _days(ground: Ground) -> int:
    """How many days a rep may have rows for."""
    return ground.last - ground.first + 1


def increment(shelf: Shelf, before: Tables, after: Tables, asked: Asked, then: Millis, now: Millis) -> Work | None:
    """The slices that are others now. `before` and `after` are whole circles of records as they were when values were
    computed for `then`, and as they are; their reps, quotas, campaigns and rates are all there are, and the same.

    None where the change reaches everyone: it moves the first day or the limits of the bands.
    """
    company = asked.company
    old, new = Populations(before, company, then), Populations(after, company, now)
    less, plus = (daily_of(found, since=asked.since, evident=asked.evident) for found in (old, new))
    if _moves_first_day(less, plus, asked):
        return None
    ground = _same_ground(shelf, after, asked, now, difference({"won": less["won"]}, {"won": plus["won"]})["won"])
    if ground is None:
        return None
    delta = difference(less, plus)
    return {
        **_Increment(shelf, asked, ground, delta).work(),
        **_scores(shelf, asked, scores_of(old), scores_of(new)),
        DAYS + "won": {0: ground.won},
        WAITING: {0: _waiting(shelf.read(WAITING), before, after, now)},
    }


def _moves_first_day(less: Daily, plus: Daily, asked: Asked) -> bool:
    if asked.since is not None:
        return False
    if asked.recorded is None:
        return True
    days = [less["days"].filter(pl.col("day") <= asked.recorded), plus["days"].filter(pl.col("day") < asked.recorded)]
    return any(not frame.is_empty() for frame in days)


def _same_ground(shelf: Shelf, tables: Tables, asked: Asked, now: Millis, won: pl.DataFrame) -> Ground | None:
    """The ground after the deals won differ by this; None if the limits of the bands are others then."""
    limits, before = shelf.read(LIMITS), shelf.read(DAYS + "won")
    if won.is_empty():
        return Ground(tables, asked.company, now, won=before, recorded=asked.recorded, limits=limits)
    after = added([{"won": before}, {"won": won}])["won"]
    ground = Ground(tables, asked.company, now, won=after, recorded=asked.recorded)
    return ground if ground.every_limit.equals(limits) else None


def _waiting(waiting: pl.DataFrame, before: Tables, after: Tables, now: Millis) -> pl.DataFrame:
    asked_again = pl.concat([keys(tables) for tables in (before, after)])
    others = waiting.filter(pl.col("at") > now).join(asked_again, on=["kind", "id"], how="anti")
    return pl.concat([others, to_come(after, now)])


def _scores(shelf: Shelf, asked: Asked, old: pl.DataFrame, new: pl.DataFrame) -> Work:
    """The scores of some leads in place of those they had."""
    touched = {asked.slice_of(owner) for frame in (old, new) for owner in frame["owner"].unique()}
    others = shelf.read(COMPUTED + SCORES, touched).join(old.select("lead"), on="lead", how="anti")
    return _split(asked, {COMPUTED + SCORES: pl.concat([others, new])}, "owner", touched)


class _Increment:
    """The slices that a difference in days touches, concluded anew, and what teams and everyone are with them."""

    def __init__(self, shelf: Shelf, asked: Asked, ground: Ground, delta: Daily) -> None:
        self._shelf, self._asked, self._ground, self._delta = shelf, asked, ground, delta
        self._touched = _rep_days(delta)
        self._slices = {asked.slice_of(rep) for rep in self._touched["rep"].unique()}
        touched_teams = ground.members.join(self._touched, on="rep", how="semi")["team"].unique()
        self._reps = [rep for rep in ground.today if asked.slice_of(rep) in self._slices]
        self._members = ground.members.filter(pl.col("team").is_in(touched_teams.implode()))

    def work(self) -> Work:
        if not self._slices:
            return {}
        days = {name: self._changed_days(name) for name in self._delta if name != "won"}
        rows = conclude_reps(days, self._ground, self._reps, GRAINS, self._asked.evident, self._starts)
        kept = {name: self._shelf.read(_place_of(name), self._slices) for name in rows if not name.endswith(SPREAD)}
        added_up = self._sums(kept, rows)
        groups = shown(added_up, {name: self._medians(name) for name in NAMES}) | self._evidence(rows)
        own = {_place_of(name): pl.concat([self._other_periods(old, name), rows[name]]) for name, old in kept.items()}
        work = {
            **_split(self._asked, own, "rep", self._slices),
            **_split(self._asked, {DAYS + name: frame for name, frame in days.items()}, "rep", self._slices),
            **{SUMS + name: {0: frame} for name, frame in added_up.items()},
            COMPUTED + COMPANY: {0: of_everyone(added_up, self._ground, NAMES)},
        }
        for name, frame in groups.items():
            work[COMPUTED + name][0] = frame
        return work

    def _changed_days(self, name: str) -> pl.DataFrame:
        kept = self._shelf.read(DAYS + name, self._slices)
        return added([{name: kept}, {name: self._delta[name]}])[name]

    def _sums(self, kept: Parts, rows: Parts) -> Parts:
        """What teams and everyone add up to, without these reps' rows as they were and with them as they are."""
        taken = {name: self._in_touched_periods(frame, name) for name, frame in kept.items()}
        before = {name + GROUPS: self._shelf.read(SUMS + name + GROUPS) for name in NAMES}
        return changed(before, sums(taken, self._ground, NAMES), sums(rows, self._ground, NAMES))

    def _medians(self, name: str) -> pl.DataFrame:
        """Those of the teams as they were, and anew where an amount came or went."""
        columns = [column for part in median_columns() for column in (part, f"{part}__n")]
        known = self._shelf.read(COMPUTED + name, [0]).select(*ROW, *columns)
        if self._delta["spread"].is_empty():
            return known
        found = spread_in_periods(self._spread, self._ground, name, self._starts[_grain(name)])
        fresh = team_medians(found, self._members)
        return pl.concat([self._elsewhere(known, name), fresh.select(known.columns)])

    @cached_property
    def _spread(self) -> pl.DataFrame:
        """Every amount of the members of touched teams, as it is now."""
        kept = self._shelf.read(DAYS + "spread").join(self._members, on="rep", how="semi")
        return added([{"spread": kept}, {"spread": self._delta["spread"]}])["spread"]

    def _evidence(self, rows: Parts) -> Parts:
        """The records behind the values of teams: as they were, and anew where any of a member's days is another."""
        found: Parts = {}
        for grain in self._asked.evident.grains:
            name = grain + EVIDENCE
            kept = self._in_touched_periods(self._shelf.read(COMPUTED + name), name)
            others = kept.filter(~pl.col("rep").is_in(self._reps))
            theirs = pl.concat([others, rows[name]]).join(self._members, on="rep", how="semi")
            known = self._shelf.read(COMPUTED + name, [0])
            found[name] = pl.concat([self._elsewhere(known, name), team_evidence(theirs, self._members)])
        return found

    def _in_touched_periods(self, rows: pl.DataFrame, name: str) -> pl.DataFrame:
        return rows.filter(self._is_touched(name))

    def _other_periods(self, rows: pl.DataFrame, name: str) -> pl.DataFrame:
        return rows.filter(~self._is_touched(name))

    def _elsewhere(self, rows: pl.DataFrame, name: str) -> pl.DataFrame:
        """Rows of groups but those of touched teams in touched periods."""
        team = pl.col("rep").is_in(self._members["team"].unique().implode())
        return rows.filter(~(team & self._is_touched(name)))

    def _is_touched(self, name: str) -> pl.Expr:
        starts = pl.Series(sorted(self._starts[_grain(name)]), dtype=pl.Int32).cast(pl.Date)
        return pl.col("period_start").is_in(starts.implode())

    @cached_property
    def _starts(self) -> dict[str, set[int]]:
        """Grain → the periods in which anything is another."""
        days = self._touched["day"].unique()
        year = self._ground.year_start
        return {grain: {period_start(day, grain, year) for day in days} for grain in GRAINS}


def _place_of(name: str) -> str:
    """Under which name a frame of rows is kept."""
    return f"{DAYS if name.endswith(AWAY) else COMPUTED}{name}"


def _grain(name: str) -> str:
    return name.split("_")[0]


def _rep_days(delta: Daily) -> pl.DataFrame:
    """(rep, day) of everything in it."""
    every = [frame.select("rep", "day") for name, frame in delta.items() if name != "won"]
    return pl.concat(every).unique()


def _split(
    asked: Asked, frames: Mapping[str, pl.DataFrame], by: str = "rep", wanted: Collection[int] | None = None
) -> Work:
    """Frames in slices by rep; of `wanted` slices those too that are empty, so that they replace what they held."""
    work: Work = {}
    for name, frame in frames.items():
        slice_of = {rep: asked.slice_of(rep) for rep in frame[by].unique()}
        numbered = frame.with_columns(_slice=pl.col(by).replace_strict(slice_of, return_dtype=pl.Int64))
        parts = numbered.partition_by("_slice", as_dict=True, include_key=False)
        slices = {int(number): part for (number,), part in parts.items()}
        work[name] = {0: frame.clear(), **{number: frame.clear() for number in wanted or ()}, **slices}
    return work
