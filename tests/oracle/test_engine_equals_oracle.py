"""The engine and the oracle give the same numbers, whatever the records.

The same 24 worlds each time, in all grains, unless `KPISYNC_WORLDS` sets how many: then others every time. More of them
are looked at in one grain each (`many_worlds`).
"""

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings

from kpi_engine.frames import from_records
from kpi_engine.records import EVERYONE
from kpi_engine.scores import scores

from .comparing import close, differences, engine_rows, exact, same, same_value
from .days import GRAINS, period_of
from .oracle import BY_CHANNEL, SUMS, Key, Oracle, rounded
from .outlook import Outlooks
from .worlds import World, worlds

ASKED = os.environ.get("KPISYNC_WORLDS")
WORLDS = int(ASKED or 24)

slowly = settings(
    max_examples=max(1, WORLDS),
    phases=(Phase.explicit, Phase.generate),
    derandomize=ASKED is None,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
fewer = settings(slowly, max_examples=max(1, WORLDS // 4))


@slowly
@given(worlds())
def test_every_row_value_part_and_reason_is_the_oracles(world: World) -> None:
    oracle = Oracle(world.records, world.company, world.as_of)
    found = list(differences(engine_rows(world), oracle.values()))
    assert not found, "\n".join(map(str, found[:20]))


@fewer
@given(worlds())
def test_every_score_is_the_oracles(world: World) -> None:
    expected = Oracle(world.records, world.company, world.as_of).scores()
    frame = scores(from_records(world.records, world.company), world.company, world.as_of)
    found = {row["lead"]: row for row in frame.iter_rows(named=True)}
    assert found.keys() == expected.keys()
    for lead, (owner, score, level) in expected.items():
        row = found[lead]
        assert (lead, row["owner"], row["level"]) == (lead, owner, level)
        assert same_value(row["score"], rounded(score, 2)), (lead, row["score"], score)


@fewer
@given(worlds())
def test_targets_states_and_comparisons_are_the_oracles(world: World) -> None:
    oracle = Oracle(world.records, world.company, world.as_of)
    outlooks = Outlooks(oracle)
    engine = engine_rows(world)
    for (key, kpi, grain, start, dimension), result in oracle.values().items():
        # A quota stands beside no target: where the CRM has none, the target is the quota.
        if dimension is None and kpi != "quota":
            period = outlooks.period(grain, start)
            expected = outlooks.show(kpi, key, period, result)
            found = {name: engine[key, kpi, grain, start, None][name] for name in expected}
            wrong = {name: (found[name], expected[name]) for name in expected if not same(found[name], expected[name])}
            assert not wrong, ((key, kpi, grain, start), wrong)


Parts = dict[tuple[Key, str], Fraction]


def added(rows: Iterable[tuple[Key, dict[str, Any]]], under: Callable[[Key], Iterable[Key]]) -> Parts:
    """Numerators, denominators and n of the rows, added up under other keys."""
    sums: Parts = defaultdict(Fraction)
    for key, row in rows:
        for above in under(key):
            for part in parts_of(key[1]):
                sums[above, part] += exact(row[part])
    return sums


def parts_of(kpi: str) -> tuple[str, ...]:
    """What adds up. The denominator of a count is 1 and does not."""
    return ("numerator", "denominator", "n") if SUMS[kpi].denominator else ("numerator", "n")


def additive(rows: dict[Key, dict[str, Any]]) -> dict[Key, dict[str, Any]]:
    """The rows of KPIs that add up, as far as they are available; bands are drawn anew for each period."""
    return {
        key: row
        for key, row in rows.items()
        if key[1] in SUMS and row["reason"] != "not_available" and not (key[4] or "").startswith("band=")
    }


def assert_same_parts(sums: Parts, rows: dict[Key, dict[str, Any]]) -> None:
    """Each row has the sum of its parts, 0 where there is none."""
    for key, row in rows.items():
        for part in parts_of(key[1]):
            assert close(row[part], sums.get((key, part), Fraction(0))), (key, part)


@fewer
@given(worlds())
def test_days_add_up_to_every_coarser_period(world: World) -> None:
    rows = additive(engine_rows(world))

    def coarser(key: Key) -> Iterator[Key]:
        for grain in GRAINS[1:]:
            start = period_of(grain, key[3], world.company.fiscal_year_start).start
            yield (key[0], key[1], grain, start, key[4])

    days = ((key, row) for key, row in rows.items() if key[2] == "day")
    assert_same_parts(added(days, coarser), {key: row for key, row in rows.items() if key[2] != "day"})


@fewer
@given(worlds())
def test_members_add_up_to_teams_and_everyone_to_channels(world: World) -> None:
    rows = additive(engine_rows(world))
    teams = Oracle(world.records, world.company, world.as_of).staff.teams()

    def above(key: Key) -> Iterator[Key]:
        groups = [f"team:{manager}" for manager, members in teams.items() if key[0] in members]
        groups += [EVERYONE] if key[1] in BY_CHANNEL and key[4] is not None else []
        return ((group, *key[1:]) for group in groups)

    single = ((key, row) for key, row in rows.items() if key[0] != EVERYONE and not key[0].startswith("team:"))
    grouped = {key: row for key, row in rows.items() if key[0] == EVERYONE or key[0].startswith("team:")}
    assert_same_parts(added(single, above), grouped)


@fewer
@given(worlds())
def test_channels_add_up_to_the_rep(world: World) -> None:
    rows = additive(engine_rows(world))
    channels = ((key, row) for key, row in rows.items() if (key[4] or "").startswith("channel="))
    whole = {key: row for key, row in rows.items() if key[4] is None and key[1] in BY_CHANNEL}
    assert_same_parts(added(channels, lambda key: [(*key[:4], None)]), whole)
