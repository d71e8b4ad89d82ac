"""Plain volume: exactly as many deals and calls as asked for."""

from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal

from crm_sandbox.seed import volume_world

NOW = datetime(2026, 11, 25, 10, 30, tzinfo=UTC)


def test_there_are_exactly_as_many_deals_calls_and_reps_as_asked_for() -> None:
    world = volume_world(NOW, deals=1000, calls=2500, reps=7)
    assert (len(world.sales), len(world.calls), len(world.sellers)) == (1000, 2500, 7)
    assert len({sale.key for sale in world.sales}) == 1000
    assert len({call.key for call in world.calls}) == 2500


def test_three_deals_of_five_are_won() -> None:
    world = volume_world(NOW, deals=1000, calls=0)
    assert Counter(sale.stage for sale in world.sales) == {"won": 600, "lost": 200, "open": 200}
    assert world.sales[1001 % 1000].amount == Decimal(1001)


def test_everything_happened_in_the_last_year() -> None:
    world = volume_world(NOW, deals=777, calls=3333)
    since = datetime(2025, 11, 25, 10, 30, tzinfo=UTC)
    assert all(since <= call.at <= NOW for call in world.calls)
    assert all(since <= sale.created and (sale.closed_at or NOW) <= NOW for sale in world.sales)


def test_every_call_is_about_a_deal_unless_there_is_none() -> None:
    world = volume_world(NOW, deals=10, calls=25)
    assert Counter(call.deals for call in world.calls)[("sale-0",)] == 3
    assert {call.deals for call in volume_world(NOW, deals=0, calls=3).calls} == {()}
