"""Search of the pretend HubSpot: filters, limits, paging and the lag of its index."""

import operator as op
from datetime import timedelta
from typing import Any

import pytest
from hubspot_company import NOW, Client, at
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_sandbox.hubspot import Rules
from crm_sandbox.world import Call, World

MANY = World("Many", NOW, calls=tuple(Call(f"c{n}", None, (), (), NOW, "out", "Busy", n) for n in range(10_050)))
CALLS = "/crm/objects/2026-09/calls/search"
DEALS = "/crm/objects/2026-09/deals/search"


def rule(name: str, operator: str, value: Any = None, **more: Any) -> dict[str, Any]:
    return {"propertyName": name, "operator": operator, **({} if value is None else {"value": value}), **more}


def one_group(*rules: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"filterGroups": [{"filters": list(rules)}], **more}


def names(client: Client, body: dict[str, Any]) -> set[str]:
    wanted = {**body, "properties": ["dealname"]}
    return {row["properties"]["dealname"].split()[0] for row in client.post(DEALS, wanted)["results"]}


@pytest.mark.parametrize(
    ("filter_", "expected"),
    [
        (rule("amount", "EQ", "1085"), {"Piloto"}),
        (rule("amount", "GT", "1084.99"), {"Piloto"}),
        (rule("amount", "LT", "1085"), set()),
        (rule("amount", "HAS_PROPERTY"), {"Piloto"}),
        (rule("amount", "NOT_HAS_PROPERTY"), {"Open", "Lost", "Vía"}),
        (rule("dealname", "EQ", "open"), {"Open"}),
        (rule("dealname", "NEQ", "OPEN"), {"Piloto", "Lost", "Vía"}),
        (rule("dealname", "CONTAINS_TOKEN", "SOCIO"), {"Vía"}),
        (rule("dealname", "IN", values=["open", "lost"]), {"Open", "Lost"}),
        (rule("dealname", "IN", values=["Open", "lost"]), {"Lost"}),
        (rule("dealname", "NOT_IN", values=["open", "lost"]), {"Piloto", "Vía"}),
        (rule("dealstage", "EQ", "closedwon"), {"Piloto"}),
        (rule("dealstage", "EQ", "CLOSEDWON"), set()),
        (rule("dealstage", "IN", values=["closedwon", "81730250"]), {"Piloto", "Vía"}),
        (rule("hs_is_closed", "EQ", "false"), {"Open"}),
        (rule("closedate", "BETWEEN", "1791936000000", highValue="1793491200000"), {"Lost"}),
    ],
)
def test_a_filter_finds(filter_: dict[str, Any], expected: set[str]) -> None:
    """1791936000000 is 14 October 2026, 1793491200000 the first of November."""
    assert names(Client(), one_group(filter_)) == expected


def test_filters_are_anded_and_groups_are_ored() -> None:
    both = {
        "filterGroups": [
            {"filters": [rule("hs_is_closed", "EQ", "true"), rule("amount", "HAS_PROPERTY")]},
            {"filters": [rule("dealname", "EQ", "lost")]},
        ]
    }
    assert names(Client(), both) == {"Piloto", "Lost"}


def test_a_bare_list_of_filters_is_one_group() -> None:
    assert names(Client(), {"filters": [rule("dealname", "EQ", "lost")]}) == {"Lost"}


def test_a_window_of_modification_is_half_open_as_asked() -> None:
    client = Client()
    stamp = int(at("2026-10-20T09:30:03").timestamp() * 1000)  # the lost deal: closed 9:30, touched 3 s later
    inside = one_group(
        rule("hs_lastmodifieddate", "GTE", str(stamp)), rule("hs_lastmodifieddate", "LT", str(stamp + 1))
    )
    before = one_group(
        rule("hs_lastmodifieddate", "GTE", str(stamp - 1)), rule("hs_lastmodifieddate", "LT", str(stamp))
    )
    assert names(client, inside) == {"Lost"}
    assert names(client, before) == set()


def test_the_associated_record_can_be_searched_for() -> None:
    client = Client()
    linked = rule("associations.contact", "EQ", client.id_of("prospect", "li"))
    assert names(client, one_group(linked)) == {"Piloto"}


def test_the_query_looks_into_the_words_of_the_name() -> None:
    assert names(Client(), {"query": "PILOTO fase"}) == {"Piloto"}


@pytest.mark.parametrize(
    "body",
    [
        {"limit": 201},
        {"limit": 0},
        {"after": "abc"},
        {"sorts": ["-createdate", "amount"]},
        {"sorts": ["-nonsense"]},
        one_group(rule("nonsense", "EQ", "1")),
        one_group(rule("amount", "LIKE", "1")),
        one_group(rule("amount", "EQ")),
        one_group(rule("amount", "EQ", "much")),
        one_group(rule("amount", "IN", values=[])),
        one_group(rule("closedate", "GT", "yesterday")),
        one_group(*[rule("amount", "GT", "1")] * 7),
        {"filterGroups": [{"filters": [rule("amount", "GT", "1")]}] * 6},
        {"filterGroups": [{"filters": [rule("amount", "GT", "1")] * 4}] * 5},
        {"filterGroups": "all"},
        {"query": "x" * 3001},
    ],
)
def test_a_malformed_search_is_400(body: dict[str, Any]) -> None:
    assert Client().post(DEALS, body, 400)["category"] == "VALIDATION_ERROR"


def test_the_body_of_an_email_cannot_be_searched() -> None:
    Client().post("/crm/objects/2026-09/emails/search", one_group(rule("hs_email_html", "HAS_PROPERTY")), 400)


def test_paging_ends_at_ten_thousand_although_more_match() -> None:
    client = Client(MANY)
    page = client.post(CALLS, {"limit": 200, "after": "9800"})
    assert page["total"] == 10_050
    assert page["paging"]["next"]["after"] == "10000"
    client.post(CALLS, {"limit": 200, "after": "10000"}, 400)
    client.post(CALLS, {"limit": 200, "after": "9801"}, 400)


def test_going_on_by_id_reads_everything_once() -> None:
    client = Client(MANY)
    last, seen = "0", 0
    while True:
        client.hands.pass_time(1)
        body = one_group(rule("hs_object_id", "GT", last), sorts=["hs_object_id"], limit=200)
        page = client.post(CALLS, body)
        if not page["results"]:
            break
        assert page["total"] == 10_050 - seen
        seen += len(page["results"])
        last = page["results"][-1]["id"]
    assert seen == 10_050


BOUNDS = {"GT": op.gt, "GTE": op.ge, "LT": op.lt, "LTE": op.le}
SPREAD = World(
    "Spread",
    NOW,
    calls=tuple(Call(f"c{n}", None, (), (), NOW - timedelta(minutes=n * n % 17), "out", "Busy", 0) for n in range(40)),
)
PLAIN = Client(SPREAD, enforce_limits=False)
IDS = [int(row["id"]) for row in PLAIN.portal.records("calls")]
FIRST_STAMP = int((NOW - timedelta(minutes=18)).timestamp()) * 1000


@settings(deadline=None)
@given(
    ids=st.lists(st.tuples(st.sampled_from(sorted(BOUNDS)), st.sampled_from(IDS)), max_size=2),
    stamps=st.lists(st.tuples(st.sampled_from(sorted(BOUNDS)), st.integers(0, 20)), max_size=3),
    descending=st.booleans(),
)
def test_windows_of_ids_and_stamps_find_what_comparing_every_row_finds(
    ids: list[tuple[str, int]], stamps: list[tuple[str, int]], descending: bool
) -> None:
    windows = [("hs_object_id", operator, number) for operator, number in ids]
    windows += [("hs_lastmodifieddate", operator, FIRST_STAMP + 60_000 * minute) for operator, minute in stamps]
    expected = [
        number
        for number in IDS
        if all(
            BOUNDS[operator](number if name == "hs_object_id" else stamp_of(number), value)
            for name, operator, value in windows
        )
    ]
    rules = [rule(name, operator, str(value)) for name, operator, value in windows]
    sort = "-hs_object_id" if descending else "hs_object_id"
    body = {"filterGroups": [{"filters": rules}], "sorts": [sort], "limit": 200}
    found = [int(row["id"]) for row in PLAIN.post(CALLS, body)["results"]]
    assert found == (expected[::-1] if descending else expected)


def stamp_of(number: int) -> int:
    text = PLAIN.portal.record("calls", str(number))["properties"]["hs_lastmodifieddate"]
    return int(at(text.removesuffix("Z")).timestamp()) * 1000


def test_the_newest_come_first_when_sorted_descending() -> None:
    client = Client()
    body = {"sorts": [{"propertyName": "createdate", "direction": "DESCENDING"}], "limit": 2}
    found = [row["properties"]["createdate"] for row in client.post(DEALS, body)["results"]]
    assert found == ["2026-10-03T00:00:00Z", "2026-10-02T00:00:00Z"]


def test_a_search_returns_its_own_default_properties() -> None:
    row = Client().post("/crm/objects/2026-09/contacts/search", {"limit": 1})["results"][0]
    assert set(row["properties"]) == {
        "createdate",
        "email",
        "firstname",
        "hs_object_id",
        "lastmodifieddate",
        "lastname",
    }


def test_archived_records_are_never_found() -> None:
    client = Client()
    body = one_group(rule("email", "EQ", "gone@client.example"))
    assert client.post("/crm/objects/2026-09/contacts/search", body)["total"] == 0


def test_the_sixth_search_within_a_second_is_429_without_rate_headers() -> None:
    client = Client()
    for _ in range(5):
        client.post(DEALS, {})
    response = client.send("POST", DEALS, {})
    assert response.status == 429
    assert b'"policyName":"SECONDLY"' in response.body
    assert b"You have reached your secondly limit." in response.body
    assert not [name for name in response.headers if "RateLimit" in name]
    client.hands.pass_time(1)
    client.post(DEALS, {})


def test_with_a_lag_a_change_shows_only_later_and_with_its_old_values_until_then() -> None:
    client = Client(rules=Rules(index_lag=2.0))
    deal = client.id_of("sale", "open")
    client.patch(f"/crm/objects/2026-09/deals/{deal}", {"properties": {"dealname": "Renamed"}})
    client.post("/crm/objects/2026-09/deals", {"properties": {"dealname": "Fresh"}}, 201)
    assert names(client, one_group(rule("hs_is_closed", "EQ", "false"))) == {"Open"}
    client.hands.pass_time(1.9)
    assert names(client, one_group(rule("hs_is_closed", "EQ", "false"))) == {"Open"}
    client.hands.pass_time(0.1)
    assert names(client, one_group(rule("hs_is_closed", "EQ", "false"))) == {"Renamed", "Fresh"}


def test_an_archived_row_is_out_of_the_search_at_once_in_spite_of_the_lag() -> None:
    client = Client(rules=Rules(index_lag=2.0))
    client.delete(f"/crm/objects/2026-09/deals/{client.id_of('sale', 'open')}")
    assert names(client, {}) == {"Piloto", "Lost", "Vía"}
