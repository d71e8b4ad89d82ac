"""Normal work against a HubSpot that enforces its limits: nothing is answered 429, and what must wait goes on later."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hubspot_world import Desk, ago, desk, small_world

from connectors.contract import Capabilities, Change, KpiField, Provisioned, Surface, Written
from connectors.errors import CrmError, GuardStopped, Throttled
from connectors.hubspot import HubSpotConnector, HubSpotSettings, connect
from crm_sandbox.hubspot import SANDBOX_TOKEN
from crm_sandbox.world import Call, Email, Meeting, Message, Prospect, Todo, World
from sync.cache import Cache
from sync.progress import NO_PROGRESS
from sync.pull import Pull

EACH = 1250


def crowded_world() -> World:
    """Thirteen pages of each of six kinds."""
    each = range(EACH)
    who = [(f"p{n}",) for n in each]
    return small_world(
        prospects=tuple(Prospect(f"p{n}", f"P {n}", f"p{n}@p.test", "P", "ana", ago(days=30)) for n in each),
        sales=(),
        calls=tuple(Call(f"c{n}", "ana", who[n], (), ago(days=9, minutes=n)) for n in each),
        emails=tuple(
            Email(f"e{n}", "ana", who[n], (), "out", ago(days=9, minutes=n), "Hi", f"t{n}", f"<{n}@x>") for n in each
        ),
        messages=tuple(Message(f"m{n}", "ana", who[n], (), ago(days=9, minutes=n)) for n in each),
        meetings=tuple(Meeting(f"g{n}", "ana", who[n], (), ago(days=9), ago(days=8), ago(days=12)) for n in each),
        todos=tuple(Todo(f"d{n}", "ana", who[n], (), ago(days=9, minutes=n), date(2026, 11, 25)) for n in each),
        submissions=(),
        visits=(),
    )


CROWDED = crowded_world()
KEPT = {"person": EACH, "interaction": 4 * EACH, "task": EACH, "link": 5 * EACH}
"""What of it is in a cache: each person, each call, e-mail, message and meeting, each task; and whom these are with."""


@contextmanager
def crowded(**switches: Any) -> Iterator[Desk]:
    """A portal of the smallest edition's pace, in which time passes only while somebody waits."""
    with desk(CROWDED, enforce_limits=True) as opened:
        opened.portal.desk.change({"burst": 40, **switches})
        yield opened


def again(opened: Desk, **settings: Any) -> HubSpotConnector:
    """A connector of a new process."""
    clock = opened.clock
    chosen = HubSpotSettings(base_url=opened.box.url, **settings)
    return connect(chosen, {"TOKEN": SANDBOX_TOKEN}.get, sleep=clock.sleep, clock=clock)


def pulled(crm: HubSpotConnector, cache: Cache) -> Mapping[str, CrmError]:
    """What failed of a pull of everything."""
    found: Capabilities = crm.capabilities()
    pull = Pull(crm, cache, "UTC", NO_PROGRESS, at_once=found.streams_at_once)
    pull.read(found.streams)
    return pull.failures


def statuses(opened: Desk) -> Counter[int]:
    return Counter(status for _, _, status in opened.calls())


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache.open(f"sqlite:///{tmp_path}/cache.db", "acme")


def kept(cache: Cache) -> dict[str, int]:
    return {kind: number for kind, number in cache.counts().items() if kind in KEPT}


def test_a_first_load_and_a_sync_after_everything_was_edited_are_never_refused(cache: Cache) -> None:
    with crowded() as opened:
        assert pulled(opened.hubspot, cache) == {}
        assert kept(cache) == KEPT
        listed = len(opened.calls())
        assert listed > 2 * 40  # it took several windows
        for kind in ("contacts", "calls", "emails", "communications", "meetings", "tasks"):
            opened.portal.desk.touch(kind, None)
        assert pulled(again(opened), cache) == {}
        searches = [path for _, path, _ in opened.calls()[listed:] if path.endswith("/search")]
        assert len(searches) > 6 * EACH / 200
        assert kept(cache) == KEPT
        assert 429 not in statuses(opened)


def test_provisioning_and_writing_ten_thousand_rows_are_never_refused() -> None:
    kpi = KpiField("calls_made", "Calls made", "count", 0)
    with desk(enforce_limits=True) as opened:
        opened.portal.desk.change({"burst": 40})
        assert all(isinstance(step, Provisioned) for step in opened.hubspot.provision([kpi]))
        changes = [
            Change(
                surface=Surface.KPI_RECORDS,
                key=f"acme:calls_made:ana:day:{n}",
                rep=None,
                before={},
                after={"name": f"Row {n}", "value": n},
                new=True,
            )
            for n in range(10_000)
        ]
        assert Counter(type(outcome) for outcome in opened.hubspot.push(changes)) == {Written: 10_000}
        assert 429 not in statuses(opened)
        assert sum(opened.clock.slept) > 20  # a hundred calls of forty in ten seconds


def test_while_another_program_uses_most_of_the_window_a_first_load_backs_off_and_comes_to_its_end(
    cache: Cache,
) -> None:
    """Three calls a second of the four that are allowed are the other's."""
    with crowded(other_calls=3.0) as opened:
        assert pulled(opened.hubspot, cache) == {}
        assert kept(cache) == KEPT
        refused = statuses(opened)[429]
        assert refused <= len(opened.calls()) / 20  # HubSpot wants fewer than one in twenty to fail


def test_while_another_app_searches_a_sync_searches_less_and_comes_to_its_end(cache: Cache) -> None:
    with crowded() as opened:
        pulled(opened.hubspot, cache)
        for kind in ("contacts", "calls", "emails", "communications", "meetings", "tasks"):
            opened.portal.desk.touch(kind, None)
        opened.portal.desk.change({"other_searches": 2.0})
        listed = len(opened.calls())
        assert pulled(again(opened), cache) == {}
        refused = [path for _, path, status in opened.calls()[listed:] if status == 429]
        assert len(refused) <= (len(opened.calls()) - listed) / 20


def test_when_the_day_is_used_up_a_first_load_stops_without_a_refusal_and_goes_on_the_next_day(cache: Cache) -> None:
    """The load takes about a hundred and forty calls, and a day has a hundred and twenty-five."""
    with crowded(daily=125) as opened:
        stopped = pulled(opened.hubspot, cache)
        assert {type(failure) for failure in stopped.values()} == {Throttled}
        assert {failure.code for failure in stopped.values()} == {"KPI-HS-020"}
        assert opened.portal.meter.used_today == 125
        assert 0 < sum(kept(cache).values()) < sum(KEPT.values())
        opened.portal.store.ahead += 86_400_000
        assert pulled(again(opened), cache) == {}
        assert kept(cache) == KEPT
        assert opened.portal.meter.used_today < 125  # what was there was not listed again
        assert 429 not in statuses(opened)


def test_a_run_uses_its_share_of_the_day_and_the_next_one_goes_on(cache: Cache) -> None:
    with crowded(daily=500) as opened:
        stopped = pulled(again(opened, api_budget_share=0.25), cache)
        assert {type(failure) for failure in stopped.values()} == {GuardStopped}
        assert {failure.code for failure in stopped.values()} == {"KPI-HS-023"}
        assert len(opened.calls()) == 125
        assert pulled(again(opened, api_budget_share=0.25), cache) == {}
        assert kept(cache) == KEPT


def test_what_is_left_of_a_day_that_others_used_stays_theirs(cache: Cache) -> None:
    """Of five hundred calls four fifths are four hundred, and others made three hundred and sixty."""
    with crowded(daily=500) as opened:
        opened.portal.meter.usage()  # the day begins
        opened.portal.meter.used_today = 360
        stopped = pulled(again(opened, api_day_share=0.8), cache)
        assert {failure.code for failure in stopped.values()} == {"KPI-HS-024"}
        assert 400 <= opened.portal.meter.used_today < 430  # some were on their way
        opened.portal.store.ahead += 86_400_000
        assert pulled(again(opened, api_day_share=0.8), cache) == {}
        assert kept(cache) == KEPT
