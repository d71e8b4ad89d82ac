"""Many worlds, each looked at in one of the five grains: in four files, so that several processes share them.

The same worlds each time, others for each file; `KPISYNC_WORLDS` sets how many they are together.
"""

import os
from collections.abc import Callable

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from .comparing import differences, engine_rows
from .days import GRAINS
from .oracle import Oracle
from .worlds import World, worlds

WORLDS = int(os.environ.get("KPISYNC_WORLDS") or 160)
FILES = 4


def many_worlds(number: int) -> Callable[[], None]:
    """A test of the worlds of the file of that number."""

    @seed(number)
    @settings(
        max_examples=max(1, WORLDS // FILES),
        phases=(Phase.explicit, Phase.generate),  # making a failing world smaller would take longer than all of them
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(worlds(), st.sampled_from(GRAINS))
    def compare(world: World, grain: str) -> None:
        oracle = Oracle(world.records, world.company, world.as_of)
        found = list(differences(engine_rows(world, (grain,)), oracle.values((grain,))))
        assert not found, "\n".join(map(str, found[:20]))

    return compare
