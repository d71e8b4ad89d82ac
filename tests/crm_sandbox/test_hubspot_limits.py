"""The limits of the pretend HubSpot."""

import json

from hubspot_company import Client

from crm_sandbox.hubspot import Rules

OWNERS = "/crm/owners/2026-09"


def test_every_answer_tells_what_is_left_in_canonical_case() -> None:
    client = Client()
    headers = [client.send("GET", OWNERS).headers for _ in range(2)]
    assert [told["X-HubSpot-RateLimit-Remaining"] for told in headers] == ["189", "188"]
    assert headers[1]["X-HubSpot-RateLimit-Max"] == "190"
    assert headers[1]["X-HubSpot-RateLimit-Interval-Milliseconds"] == "10000"
    assert headers[1]["X-HubSpot-RateLimit-Daily"] == "1000000"
    assert headers[1]["X-HubSpot-RateLimit-Daily-Remaining"] == "999998"


def test_the_window_slides() -> None:
    """Free has a hundred calls in ten seconds: sixty at 0 s and forty at 6 s; at 10 s the sixty are free again."""
    client = Client(tier="free")
    for _ in range(60):
        client.get(OWNERS)
    client.hands.pass_time(6)
    for _ in range(40):
        client.get(OWNERS)
    client.get(OWNERS, 429)
    client.hands.pass_time(4)
    for _ in range(60):
        client.get(OWNERS)
    client.get(OWNERS, 429)


def test_a_429_has_a_body_of_another_shape_and_no_advice_when_to_come_back() -> None:
    client = Client(rules=Rules(burst=1))
    client.get(OWNERS)
    response = client.send("GET", OWNERS)
    body = json.loads(response.body)
    assert (body["errorType"], body["policyName"]) == ("RATE_LIMIT", "TEN_SECONDLY_ROLLING")
    assert body["message"] == "You have reached your ten_secondly_rolling limit."
    assert "category" not in body
    assert "Retry-After" not in response.headers
    assert response.headers["X-HubSpot-RateLimit-Remaining"] == "0"


def test_the_advice_can_be_switched_on() -> None:
    client = Client(rules=Rules(burst=1, retry_after=True))
    client.get(OWNERS)
    assert client.send("GET", OWNERS).headers["Retry-After"] == "10"


def test_each_token_has_a_window_of_its_own_but_the_day_is_shared() -> None:
    client = Client(rules=Rules(burst=1, daily=2))
    client.control("POST", "tokens", {"token": "pat-other"})
    client.get(OWNERS)
    client.token = "pat-other"
    client.get(OWNERS)
    client.hands.pass_time(10)
    assert client.get(OWNERS, 429)["policyName"] == "DAILY"


def test_the_day_ends_at_midnight_where_the_portal_is() -> None:
    """Noon UTC is one in the afternoon in Madrid: eleven hours are left of the day."""
    client = Client(rules=Rules(daily=1))
    client.get(OWNERS)
    client.hands.pass_time(11 * 3600 - 1)
    client.get(OWNERS, 429)
    client.hands.pass_time(1)
    client.get(OWNERS)
    usage = client.portal.meter.usage()
    assert (usage["currentUsage"], usage["usageLimit"], usage["resetsAt"]) == (1, 1, "2026-11-26T23:00:00Z")


def test_the_usage_can_be_asked_for() -> None:
    client = Client()
    client.get(OWNERS)
    (usage,) = client.get("/account-info/2026-09/api-usage/daily/private-apps")["results"]
    assert (usage["currentUsage"], usage["usageLimit"], usage["fetchStatus"]) == (2, 1_000_000, "SUCCESS")


def test_without_enforcement_calls_are_counted_and_never_refused() -> None:
    client = Client(rules=Rules(burst=1, daily=1, enforce_limits=False))
    for _ in range(5):
        client.get(OWNERS)
    assert client.portal.meter.used_today == 5


def test_a_refused_token_costs_nothing() -> None:
    client = Client(rules=Rules(burst=1))
    client.token = "wrong"
    client.get(OWNERS, 401)
    client.token = "pat-sandbox"
    client.get(OWNERS)


def test_another_program_with_the_same_token_uses_the_same_window() -> None:
    """Six calls a second of others: after ten seconds sixty of the hundred are theirs, and forty are left."""
    client = Client(rules=Rules(tier="free", other_calls=6))
    client.hands.pass_time(10)
    assert client.send("GET", OWNERS).headers["X-HubSpot-RateLimit-Remaining"] == "39"
    for _ in range(39):
        client.get(OWNERS)
    client.get(OWNERS, 429)
    client.hands.pass_time(5)  # half of theirs are past and as many are new; ours are all in the window still
    client.get(OWNERS, 429)
    client.hands.pass_time(5)
    assert client.send("GET", OWNERS).headers["X-HubSpot-RateLimit-Remaining"] == "39"


def test_another_app_of_the_account_uses_the_same_searches() -> None:
    client = Client(rules=Rules(other_searches=4))
    client.hands.pass_time(2)
    client.send("POST", "/crm/objects/2026-09/deals/search", {})
    assert client.send("POST", "/crm/objects/2026-09/deals/search", {}).status == 429
