"""An explanation lists the records that make a value: what they contribute adds up to the value's parts."""

from fractions import Fraction
from statistics import median

from hypothesis import given
from hypothesis import strategies as st

from kpi_engine.explain import Explanation, explain
from kpi_engine.frames import from_records

from .comparing import close, engine_rows, exact
from .oracle import MEDIANS, Key
from .test_engine_equals_oracle import fewer
from .worlds import World, worlds

ROWS = 3
"""How many values of a world are taken apart."""


def contributions(explanation: Explanation, part: str) -> list[Fraction]:
    """What the records counted in a part contribute."""
    return [exact(each.contribution) for each in explanation.counted if each.part == part]


def explained(world: World, row: Key) -> Explanation:
    """The explanation of a row."""
    rep, kpi, grain, start, dimension = row
    tables = from_records(world.records, world.company)
    return explain(tables, world.company, world.as_of, kpi, rep, grain, start, dimension)


@fewer
@given(worlds(), st.data())
def test_contributions_add_up_to_numerator_and_denominator(world: World, data: st.DataObject) -> None:
    rows = {row: found for row, found in engine_rows(world).items() if found["numerator"]}
    if not rows:
        return
    for row in data.draw(st.lists(st.sampled_from(sorted(rows, key=repr)), min_size=1, max_size=ROWS)):
        value, explanation = rows[row], explained(world, row)
        assert (explanation.value, explanation.n) == (value["value"], value["n"]), row
        above, below = contributions(explanation, "numerator"), contributions(explanation, "denominator")
        if row[1] in MEDIANS:
            assert close(value["numerator"], median(above)), row
        else:
            assert close(value["numerator"], sum(above)), row
        # A count's denominator is 1 and no record's; a ratio without cases has none.
        assert close(value["denominator"], sum(below)) or (not below and value["denominator"] == 1), row
