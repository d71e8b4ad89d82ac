"""Everything, computed from everything: from batches of records that have nothing to do with each other.

Batches become days, wherever they are worked out; the days added up are divided among slices of reps, and these become
rows, wherever that is done. What comes out is laid on a shelf bit by bit.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain
from typing import Protocol

import polars as pl

from kpi_engine.clock import to_come, to_come_with_a_day
from kpi_engine.compute import ground_of, of_people
from kpi_engine.conclude import SPREAD, Parts, conclude_reps, spread_in_periods
from kpi_engine.daily import Daily, Evident, added, campaign_days, daily_of
from kpi_engine.evidence import merged
from kpi_engine.frames import SCHEMAS, Tables
from kpi_engine.ground import Ground
from kpi_engine.groups import COMPANY, GROUPS, counted, of_everyone, shown, sums, team_evidence, team_medians, together
from kpi_engine.periods import GRAINS
from kpi_engine.populations import Populations
from kpi_engine.records import Company, Day, Millis
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
    Work,
    how_many_slices,
    lists_of,
    place_of,
    some_slices,
    split,
    with_scores,
)

REPS, TEAMS = "reps", "teams/"
"""Beside the days of some reps: who they are. Beginning of the names of the lists of their teams."""


class Workers(Protocol):
    """Who does the same to several bundles of frames: this process, one after the other, as `map` does; or many."""

    def __call__(self, work: Callable[[Tables], Parts], bundles: Iterable[Tables], /) -> Iterator[Parts]:
        """What comes out for each bundle, in their order."""


def whole(
    batches: Iterable[Tables],
    beside: Tables,
    company: Company,
    as_of: Millis,
    since: Day | None,
    evident: Evident,
    workers: Workers = map,
) -> tuple[Asked, Iterator[Work]]:
    """Everything: `beside` the batches are reps, campaigns, quotas and rates."""
    nothing = {kind: pl.LazyFrame(schema=schema) for kind, schema in SCHEMAS.items()}
    days, still_open, waiting = campaign_days({**nothing, **beside}, company, as_of, evident), [], []
    of_batch = partial(_days_of, beside=beside, company=company, as_of=as_of, since=since, evident=evident)
    for found in workers(of_batch, batches):
        still_open.append(found.pop(OPEN))
        waiting.append(found.pop(WAITING))
        days = added([days, found])
    ground = ground_of(days, beside, company, as_of, since)
    asked = Asked(company, since, evident, how_many_slices(ground), ground.recorded)
    rest = {
        **with_scores(pl.concat(still_open), ground, asked),
        DAYS + "won": {0: days.pop("won")},
        WAITING: {0: pl.concat(waiting)},
        LIMITS: {0: ground.every_limit},
        **{COMPUTED + name: {0: frame} for name, frame in of_people(ground).items()},
    }
    return asked, chain([rest], _concluded(days, ground, asked, workers))


def _days_of(
    batch: Tables, *, beside: Tables, company: Company, as_of: Millis, since: Day | None, evident: Evident
) -> Parts:
    """The days of one batch of records, its leads that are still open, and what of it is still to come."""
    populations = Populations({**batch, **beside}, company, as_of)
    days = daily_of(populations, since=since, evident=evident)
    waiting = pl.concat([to_come(batch, as_of), to_come_with_a_day(populations)])
    return {**days, OPEN: populations.still_open, WAITING: waiting}


def _concluded(days: Daily, ground: Ground, asked: Asked, workers: Workers) -> Iterator[Work]:
    """The rows of some reps after the other, and then what teams and everyone are."""
    spread = days["spread"]
    kept = split({DAYS + name: days.pop(name) for name in list(days)}, asked.slice_of)
    some = list(some_slices(asked, ground))
    bundles = (_days_in(kept, each, [rep for rep in ground.today if asked.slice_of(rep) in each]) for each in some)
    added_up: Parts = {}
    listed: dict[str, list[pl.DataFrame]] = {name: [] for name in lists_of(asked.evident)}
    of_bundle = partial(_rows_of, ground=ground, evident=asked.evident)
    for each, found in zip(some, workers(of_bundle, bundles), strict=True):
        added_up = together(added_up, {name: found.pop(SUMS + name) for name in map(_sums_of, NAMES)})
        for name, lists in listed.items():
            lists.append(found.pop(TEAMS + name))
        yield {name: _of_slices(slices, each) for name, slices in kept.items()} | split(found, asked.slice_of)
    medians = {name: team_medians(spread_in_periods(spread, ground, name), ground.members) for name in NAMES}
    groups = shown(added_up, medians) | {name: merged(pl.concat(lists)) for name, lists in listed.items()}
    yield {
        **split({SUMS + name: frame for name, frame in added_up.items()}, asked.group_slice_of),
        **split({COMPUTED + name: frame for name, frame in groups.items()}, asked.group_slice_of),
        **{COUNTS + grain: {0: counted(groups[grain])} for grain in GRAINS},
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
        **{TEAMS + name: team_evidence(rows[name], ground.members) for name in lists_of(evident)},
        **{place_of(name): frame for name, frame in rows.items() if not name.endswith(SPREAD)},
    }


def _sums_of(name: str) -> str:
    return name + GROUPS


def _of_slices(slices: dict[int, pl.DataFrame], some: set[int]) -> dict[int, pl.DataFrame]:
    return {0: slices[0], **{each: slices[each] for each in sorted(some) if each in slices}}
