"""What the race of HubSpot's peers adds: which properties are asked for, catalogs, and version 1's deals and calls."""

from typing import Any

import msgspec

from benchmarks.hubspot_v1 import WithVersionOne
from benchmarks.peers_hubspot import chosen, properties_in
from benchmarks.sandbox_to_cache import NOW
from crm_sandbox.hubspot import SANDBOX_TOKEN, Portal
from crm_sandbox.seed import volume_world
from crm_sandbox.serving import Request


def asked(portal: WithVersionOne, path: str, *params: tuple[str, str]) -> tuple[int, Any]:
    response = portal.answer(Request("GET", path, params, {"Authorization": f"Bearer {SANDBOX_TOKEN}"}, b""))
    return response.status, msgspec.json.decode(response.body)


def portal(*, deals: int, calls: int) -> WithVersionOne:
    return WithVersionOne(Portal(volume_world(NOW, deals=deals, calls=calls), enforce_limits=False), SANDBOX_TOKEN)


def test_the_properties_of_a_pull_are_those_of_its_lists_and_not_of_its_searches() -> None:
    log = [
        {"method": "GET", "path": "/crm/properties/2026-09/deals", "query": ""},
        {"method": "GET", "path": "/crm/objects/2026-09/deals", "query": "limit=100&properties=dealname,amount"},
        {"method": "POST", "path": "/crm/objects/2026-09/calls/search", "query": "properties=hs_object_id"},
        {"method": "GET", "path": "/crm/objects/2026-09/calls", "query": "properties=hs_call_status&archived=false"},
        {"method": "GET", "path": "/crm/objects/2026-09/tasks", "query": "properties=hs_task_type"},
    ]
    assert properties_in(log) == {"deals": ["dealname", "amount"], "calls": ["hs_call_status"]}


def test_only_the_wanted_streams_and_fields_are_selected_in_a_catalog() -> None:
    def stream(name: str) -> dict[str, Any]:
        metadata = [{"breadcrumb": [], "metadata": {}}]
        metadata += [{"breadcrumb": ["properties", each], "metadata": {}} for each in ("dealId", "property_amount")]
        return {"tap_stream_id": name, "metadata": metadata}

    catalog = chosen({"streams": [stream("deals"), stream("engagements"), stream("forms")]}, {
        "deals": {"property_amount"},
        "engagements": None,
    })  # fmt: skip
    selected = [[entry["metadata"]["selected"] for entry in each["metadata"]] for each in catalog["streams"]]
    assert selected == [[True, False, True], [True, True, True], [False, False, False]]


def test_version_one_tells_every_deal_once_page_by_page() -> None:
    with_v1 = portal(deals=5, calls=0)
    status, first = asked(with_v1, "/deals/v1/deal/paged", ("limit", "3"), ("includeAllProperties", "true"))
    _, second = asked(with_v1, "/deals/v1/deal/paged", ("limit", "3"), ("offset", str(first["offset"])))
    assert (status, first["hasMore"], second["hasMore"]) == (200, True, False)
    names = [deal["properties"]["dealname"]["value"] for deal in (*first["deals"], *second["deals"])]
    assert sorted(names) == ["Deal 0", "Deal 1", "Deal 2", "Deal 3", "Deal 4"]
    amounts = {deal["properties"]["dealname"]["value"]: deal["properties"]["amount"] for deal in first["deals"]}
    assert amounts["Deal 1"]["value"] == "1001"
    assert amounts["Deal 1"]["timestamp"] > 1_700_000_000_000


def test_version_one_tells_a_call_as_an_engagement_about_its_deal() -> None:
    with_v1 = portal(deals=2, calls=3)
    path = "/engagements/v1/engagements/modified/after"
    _, first = asked(with_v1, path, ("limit", "2"), ("after", "1577836800000"))
    _, second = asked(with_v1, path, ("limit", "2"), ("after", first["after"]))
    assert (first["hasMore"], second["hasMore"]) == (True, False)
    calls = [*first["results"], *second["results"]]
    assert [call["metadata"]["durationMilliseconds"] for call in calls] == [30_000, 31_000, 32_000]
    assert {call["engagement"]["type"] for call in calls} == {"CALL"}
    _, page = asked(with_v1, "/deals/v1/deal/paged")
    ids = {deal["properties"]["dealname"]["value"]: deal["dealId"] for deal in page["deals"]}
    assert [call["associations"]["dealIds"] for call in calls] == [[ids["Deal 0"]], [ids["Deal 1"]], [ids["Deal 0"]]]


def test_objects_that_the_portal_lacks_are_closed_to_the_token_and_known_ones_are_not() -> None:
    with_v1 = portal(deals=0, calls=0)
    assert asked(with_v1, "/crm/v3/properties/line_items")[0] == 403
    assert asked(with_v1, "/companies/v2/properties")[0] == 403
    status, definitions = asked(with_v1, "/crm/v3/properties/deals")
    assert (status, asked(with_v1, "/properties/v1/deals/properties")[1]) == (200, definitions["results"])
