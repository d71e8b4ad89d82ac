"""How fast we ask: within HubSpot's windows, without waiting where there are none, never past the day's allowance."""

from itertools import pairwise

import httpx
import pytest
from hubspot_world import Clock, ago, desk, small_world

from connectors.errors import Throttled
from connectors.hubspot.pace import Pace
from crm_sandbox.serving import Fault
from crm_sandbox.world import Call


def asked(pace: Pace, path: str = "/crm/owners/2026-09", **headers: str) -> None:
    """One request and its answer."""
    request = httpx.Request("GET", f"https://api.test{path}")
    pace.before(request)
    pace.after(httpx.Response(200, headers=headers, request=request))


def with_limit(limit: int, left: int, **more: str) -> dict[str, str]:
    return {
        "X-HubSpot-RateLimit-Max": str(limit),
        "X-HubSpot-RateLimit-Remaining": str(left),
        "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
        **more,
    }


def test_a_request_that_was_lost_is_counted_and_does_not_wait_for_its_answer_for_ever() -> None:
    clock = Clock()
    pace = Pace(clock=clock, sleep=clock.sleep)
    for _ in range(97):
        request = httpx.Request("GET", "https://api.test/crm/owners/2026-09")
        pace.before(request)
        pace.lost(request)
    assert clock.slept == []
    pace.before(httpx.Request("GET", "https://api.test/crm/owners/2026-09"))
    assert clock.slept == [pytest.approx(10.05)]


def test_without_rate_headers_nobody_waits() -> None:
    clock = Clock()
    pace = Pace(clock=clock, sleep=clock.sleep)
    for _ in range(1000):
        asked(pace)
        asked(pace, "/crm/objects/2026-09/deals/search")
    assert clock.slept == []


def test_with_rate_headers_a_window_is_never_exceeded() -> None:
    clock = Clock()
    pace = Pace(clock=clock, sleep=clock.sleep)
    moments = []
    for number in range(500):
        asked(pace, **with_limit(100, max(0, 99 - number % 90)))
        moments.append(clock.now)
    busiest = max(sum(1 for other in moments if moment <= other < moment + 10) for moment in moments)
    assert busiest <= 100


def test_searches_keep_to_five_a_second_once_the_portal_counts() -> None:
    clock = Clock()
    pace = Pace(clock=clock, sleep=clock.sleep)
    asked(pace, **with_limit(190, 189))
    moments = []
    for _ in range(12):
        asked(pace, "/crm/objects/2026-09/deals/search")
        moments.append(clock.now)
    assert min(later - earlier for earlier, later in pairwise(moments[::5])) >= 1.0


def test_the_first_search_leaves_a_second_after_the_start_for_a_run_may_have_ended_just_before() -> None:
    clock = Clock()
    pace = Pace(clock=clock, sleep=clock.sleep)
    asked(pace, "/crm/objects/2026-09/deals/search")
    assert clock.slept == [pytest.approx(1.05)]


def test_a_429_without_headers_makes_us_keep_to_the_books() -> None:
    clock = Clock()
    pace = Pace(clock=clock, sleep=clock.sleep)
    asked(pace)
    clock.now += 60
    request = httpx.Request("POST", "https://api.test/crm/objects/2026-09/deals/search")
    pace.after(httpx.Response(429, request=request))
    for _ in range(5):
        asked(pace, "/crm/objects/2026-09/deals/search")
    assert len(clock.slept) == 1


def test_nothing_is_asked_when_the_day_is_used_up() -> None:
    pace = Pace(clock=Clock())
    asked(pace, **with_limit(100, 99, **{"X-HubSpot-RateLimit-Daily": "250000"}))
    asked(pace, **with_limit(100, 98, **{"X-HubSpot-RateLimit-Daily-Remaining": "0"}))
    assert (pace.day.calls, pace.day.left) == (250_000, 0)
    with pytest.raises(Throttled, match="KPI-HS-020"):
        asked(pace)


def test_after_a_while_one_request_finds_out_whether_a_new_day_has_begun() -> None:
    clock = Clock()
    pace = Pace(clock=clock, sleep=clock.sleep)
    asked(pace, **with_limit(100, 99, **{"X-HubSpot-RateLimit-Daily-Remaining": "0"}))
    clock.now += 600
    asked(pace, **with_limit(100, 99, **{"X-HubSpot-RateLimit-Daily-Remaining": "250000"}))
    asked(pace)
    assert pace.day.left == 250_000


@pytest.mark.parametrize("tier", ["starter", "enterprise"])
def test_a_whole_read_of_a_portal_that_enforces_its_limits_is_never_refused(tier: str) -> None:
    calls = tuple(Call(f"b{n}", "ana", ("lea",), (), ago(days=9, minutes=n)) for n in range(1200))
    with desk(small_world(calls=calls), enforce_limits=True, tier=tier) as opened:
        opened.portal.rules.burst = 20
        for _ in range(3):
            streams = opened.hubspot.capabilities().streams
            for stream in streams:
                opened.read(stream)
        assert 429 not in {status for _, _, status in opened.calls()}
        assert opened.clock.slept


def test_a_used_up_day_stops_the_read_and_says_when_it_goes_on() -> None:
    with desk(enforce_limits=True) as opened:
        opened.portal.rules.daily = 5
        opened.read("owners")
        with pytest.raises(Throttled, match="midnight"):
            opened.read("contacts")


def test_a_refusal_that_comes_all_the_same_is_waited_out() -> None:
    body = '{"status":"error","message":"…","errorType":"RATE_LIMIT","policyName":"TEN_SECONDLY_ROLLING"}'
    with desk(faults=[Fault("GET .*/calls", "answer", status=429, body=body, times=2)]) as opened:
        assert sum(len(page.rows) for page in opened.read("calls")) > 0
        assert opened.clock.slept.count(10.0) == 2
