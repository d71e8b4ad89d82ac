"""Writing to the pretend HubSpot: validation, stamps, calculated fields, batches and their partial failures."""

from typing import Any

import pytest
from hubspot_company import KPI_SCHEMA, Client

DEALS = "/crm/objects/2026-09/deals"
KPIS = "/crm/objects/2026-09/sales_kpi"


@pytest.fixture
def client() -> Client:
    """A portal with the custom object."""
    made = Client()
    made.post("/crm-object-schemas/2026-09/schemas", KPI_SCHEMA, 201)
    return made


def upsert(client: Client, *rows: tuple[str, dict[str, Any]], status: int = 200, traced: bool = False) -> Any:
    inputs = [
        {"id": key, "idProperty": "external_key", "properties": values}
        | ({"objectWriteTraceId": f"trace-{key}"} if traced else {})
        for key, values in rows
    ]
    return client.post(f"{KPIS}/batch/upsert", {"inputs": inputs}, status)


def test_a_write_moves_the_stamp_and_keeps_the_past(client: Client) -> None:
    deal = client.id_of("sale", "open")
    client.hands.pass_time(60.25)
    shown = client.patch(f"{DEALS}/{deal}", {"properties": {"dealname": "Nuevo"}})
    assert shown["properties"]["dealname"] == "Nuevo"
    assert shown["updatedAt"] == "2026-11-25T12:01:00.250Z"
    past = client.get(f"{DEALS}/{deal}?propertiesWithHistory=dealname")["propertiesWithHistory"]["dealname"]
    assert [entry["value"] for entry in past] == ["Nuevo", "Open"]


def test_contacts_have_a_stamp_of_another_name(client: Client) -> None:
    contact = client.id_of("prospect", "li")
    shown = client.patch(f"/crm/objects/2026-09/contacts/{contact}", {"properties": {"firstname": "Wei"}})
    assert shown["properties"]["lastmodifieddate"] == "2026-11-25T12:00:00Z"
    assert "hs_lastmodifieddate" not in shown["properties"]


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("missing", "1", "PROPERTY_DOESNT_EXIST"),
        ("hs_is_closed_won", "true", "READ_ONLY_VALUE"),
        ("amount", "1,000", "INVALID_INTEGER"),
        ("amount", "NaN", "INVALID_INTEGER"),
        ("dealstage", "ClosedWon", "INVALID_OPTION"),
        ("dealtype", "NewBusiness", "INVALID_OPTION"),
        ("closedate", "tomorrow", "INVALID_DATE"),
        ("closedate", "1764547200", "INVALID_DATE"),
        ("hubspot_owner_id", "9586504", "INVALID_OPTION"),
        ("hs_campaign", "x" * 65_537, "PROPERTY_TOO_LARGE"),
    ],
)
def test_a_value_that_does_not_fit_is_400_and_named(client: Client, name: str, value: str, code: str) -> None:
    body = client.patch(f"{DEALS}/{client.id_of('sale', 'open')}", {"properties": {name: value}}, 400)
    assert body["category"] == "VALIDATION_ERROR"
    assert body["errors"][0]["code"] == code
    assert body["errors"][0]["context"] == {"propertyName": [name]}
    assert body["message"].startswith("Property values were not valid: [{")


def test_the_settings_user_of_a_rep_is_not_the_owner(client: Client) -> None:
    user = client.id_of("user", "ana")
    assert user != client.id_of("seller", "ana")
    client.patch(f"{DEALS}/{client.id_of('sale', 'open')}", {"properties": {"hubspot_owner_id": user}}, 400)


@pytest.mark.parametrize(
    ("value", "kept"),
    [("2026-11-01", "2026-11-01"), ("1793491200000", "2026-11-01"), ("2026-11-01T00:00:00Z", "2026-11-01")],
)
def test_a_date_is_a_day_or_midnight_in_utc(client: Client, value: str, kept: str) -> None:
    made = client.post(KPIS, {"properties": {"external_key": "k", "period_start": value}}, 201)
    assert made["properties"]["period_start"] == kept


def test_a_date_at_another_time_of_the_day_is_refused(client: Client) -> None:
    body = {"properties": {"external_key": "k", "period_start": "1793494800000"}}
    assert client.post(KPIS, body, 400)["errors"][0]["code"] == "INVALID_DATE"


def test_an_empty_text_clears_and_a_null_says_nothing(client: Client) -> None:
    deal = client.id_of("sale", "won")
    assert client.patch(f"{DEALS}/{deal}", {"properties": {"amount": None}})["properties"]["amount"] == "1085"
    assert client.patch(f"{DEALS}/{deal}", {"properties": {"amount": ""}})["properties"]["amount"] is None


def test_json_numbers_and_booleans_are_kept_as_text(client: Client) -> None:
    made = client.post(KPIS, {"properties": {"external_key": "k", "amount": 0.1}}, 201)
    assert made["properties"]["amount"] == "0.1"


def test_several_options_are_joined_and_a_leading_semicolon_adds(client: Client) -> None:
    options = [{"label": label, "value": label} for label in "abc"]
    group = {"name": "mine", "label": "Mine"}
    client.post("/crm/properties/2026-09/deals/groups", group, 201)
    definition = {"name": "letters", "label": "L", "groupName": "mine", "type": "enumeration", "fieldType": "checkbox"}
    client.post("/crm/properties/2026-09/deals", {**definition, "options": options}, 201)
    url = f"{DEALS}/{client.id_of('sale', 'open')}"
    assert client.patch(url, {"properties": {"letters": "a;b"}})["properties"]["letters"] == "a;b"
    assert client.patch(url, {"properties": {"letters": ";c"}})["properties"]["letters"] == "a;b;c"
    client.patch(url, {"properties": {"letters": "a;d"}}, 400)


def test_moving_a_deal_recalculates_it(client: Client) -> None:
    """Made on 1 October, won on 11 November for 2,170 dollars at 1.085 dollars a euro: 41 days, 2,000 euros."""
    deal = client.id_of("sale", "open")
    changes = {
        "dealstage": "closedwon",
        "amount": "2170",
        "deal_currency_code": "USD",
        "closedate": "2026-11-11T10:00:00Z",
    }
    client.patch(f"{DEALS}/{deal}", {"properties": changes})
    after = client.properties("sale", "deals", "open")
    assert (after["hs_is_closed"], after["hs_is_closed_won"], after["hs_closed_won_count"]) == ("true", "true", "1")
    assert (after["amount_in_home_currency"], after["hs_closed_amount_in_home_currency"]) == ("2000", "2000")
    assert after["days_to_close"] == "41"
    assert after["hs_v2_date_entered_closedwon"] == "2026-11-25T12:00:00Z"
    client.patch(f"{DEALS}/{deal}", {"properties": {"dealstage": "closedlost"}})
    after = client.properties("sale", "deals", "open")
    assert (after["hs_is_closed_won"], after["hs_is_closed_lost"], after["hs_closed_amount"]) == ("false", "true", "0")


def test_a_new_owner_brings_the_team_along(client: Client) -> None:
    deal = client.id_of("sale", "partner")
    client.patch(f"{DEALS}/{deal}", {"properties": {"hubspot_owner_id": client.id_of("seller", "ana")}})
    after = client.properties("sale", "deals", "partner")
    assert (after["hubspot_team_id"], after["hubspot_owner_assigneddate"]) == ("178588", "2026-11-25T12:00:00Z")


def test_a_lifecycle_stage_keeps_the_date_on_which_it_was_first_reached(client: Client) -> None:
    url = f"/crm/objects/2026-09/contacts/{client.id_of('prospect', 'old')}"
    client.patch(url, {"properties": {"lifecyclestage": "lead"}})
    client.hands.pass_time(100)
    client.patch(url, {"properties": {"lifecyclestage": "opportunity"}})
    client.patch(url, {"properties": {"lifecyclestage": "lead"}})
    after = client.properties("prospect", "contacts", "old")
    assert after["hs_lifecyclestage_lead_date"] == "2026-11-25T12:00:00Z"
    assert after["hs_lifecyclestage_opportunity_date"] == "2026-11-25T12:01:40Z"


def test_a_second_contact_with_the_same_email_is_409_and_names_the_first(client: Client) -> None:
    body = client.post("/crm/objects/2026-09/contacts", {"properties": {"email": "Old@client.example"}}, 409)
    assert body["category"] == "CONFLICT"
    assert body["message"] == f"Contact already exists. Existing ID: {client.id_of('prospect', 'old')}"


def test_an_activity_needs_its_moment(client: Client) -> None:
    body = client.post("/crm/objects/2026-09/calls", {"properties": {"hs_call_title": "x"}}, 400)
    assert body["errors"][0]["code"] == "MISSING_REQUIRED_PROPERTY"
    client.post("/crm/objects/2026-09/calls", {"properties": {"hs_timestamp": "1793491200000"}}, 201)


def test_deleting_archives_and_deleting_again_is_fine(client: Client) -> None:
    url = f"{DEALS}/{client.id_of('sale', 'open')}"
    client.delete(url)
    client.delete(url)
    client.get(url, 404)
    assert client.get(f"{url}?archived=true")["archivedAt"] == "2026-11-25T12:00:00Z"


def test_users_can_neither_be_made_nor_deleted_here(client: Client) -> None:
    users = "/crm/objects/2026-09/users"
    client.post(users, {"properties": {"hs_job_title": "AE"}}, 400)
    client.delete(f"{users}/{client.id_of('person_record', 'ana')}", 400)


def test_an_upsert_makes_what_is_missing_and_changes_what_is_there(client: Client) -> None:
    first = upsert(client, ("a|1", {"amount": "1"}), ("a|2", {"amount": "2"}))
    assert [row["new"] for row in first["results"]] == [True, True]
    second = upsert(client, ("A|1", {"amount": "3"}), ("a|3", {"amount": "4"}))
    news = {row["properties"]["external_key"]: row["new"] for row in second["results"]}
    assert news == {"a|1": False, "a|3": True}
    rows = {
        row["properties"]["external_key"]: row["properties"]["amount"] for row in client.portal.records("sales_kpi")
    }
    assert rows == {"a|1": "3", "a|2": "2", "a|3": "4"}


def test_an_upsert_goes_by_a_unique_property_only(client: Client) -> None:
    row = {"id": "x", "idProperty": "kpi_title", "properties": {}}
    client.post(f"{KPIS}/batch/upsert", {"inputs": [row]}, 400)
    client.post(f"{KPIS}/batch/upsert", {"inputs": [{"id": "x", "properties": {}}]}, 400)


def test_a_key_may_come_only_once_in_a_batch(client: Client) -> None:
    upsert(client, ("a", {}), ("A", {}), status=400)
    deal = {"id": client.id_of("sale", "open"), "properties": {"amount": "1"}}
    client.post(f"{DEALS}/batch/update", {"inputs": [deal, deal]}, 400)


def test_a_batch_holds_a_hundred_rows(client: Client) -> None:
    upsert(client, *[(f"k{n}", {}) for n in range(101)], status=400)
    assert len(upsert(client, *[(f"k{n}", {}) for n in range(100)])["results"]) == 100


def test_without_trace_ids_one_bad_row_fails_the_whole_batch(client: Client) -> None:
    body = upsert(client, ("a", {"amount": "1"}), ("b", {"amount": "x"}), status=400)
    assert body["errors"][0]["context"] == {"propertyName": ["amount"]}
    assert client.portal.records("sales_kpi") == []


def test_with_trace_ids_the_good_rows_are_written_and_the_bad_ones_named(client: Client) -> None:
    body = upsert(client, ("a", {"amount": "1"}), ("b", {"amount": "x"}), status=207, traced=True)
    assert [row["properties"]["external_key"] for row in body["results"]] == ["a"]
    assert body["numErrors"] == 1
    assert body["errors"][0]["context"] == {"objectWriteTraceId": ["trace-b"]}
    assert '"error": "INVALID_INTEGER"' in body["errors"][0]["errors"][0]["message"]


def test_a_batch_update_writes_who_is_there_and_names_who_is_not(client: Client) -> None:
    deal = client.id_of("sale", "open")
    inputs = [{"id": deal, "properties": {"amount": "7"}}, {"id": "1", "properties": {"amount": "8"}}]
    body = client.post(f"{DEALS}/batch/update", {"inputs": inputs}, 207)
    assert [row["id"] for row in body["results"]] == [deal]
    assert body["errors"][0]["context"] == {"ids": ["1"]}


def test_a_batch_can_be_made_to_fail_whole_in_spite_of_trace_ids(client: Client) -> None:
    client.portal.rules.batches_fail_whole = True
    upsert(client, ("a", {"amount": "1"}), ("b", {"amount": "x"}), status=400, traced=True)


def test_a_batch_of_new_records_is_201_and_knows_twins_within_itself(client: Client) -> None:
    rows = [{"properties": {"external_key": key}} for key in ("a", "b")]
    assert len(client.post(f"{KPIS}/batch/create", {"inputs": rows}, 201)["results"]) == 2
    twins = [{"properties": {"external_key": "c"}}, {"properties": {"external_key": "C"}}]
    body = client.post(f"{KPIS}/batch/create", {"inputs": twins}, 400)
    assert body["errors"][0]["code"] == "CONFLICTING_UNIQUE_VALUE"


def test_a_custom_object_insists_on_its_required_property(client: Client) -> None:
    body = client.post(KPIS, {"properties": {"amount": "1"}}, 400)
    assert body["errors"][0]["code"] == "MISSING_REQUIRED_PROPERTY"


def test_what_the_admin_requires_counts_from_2026_09_on(client: Client) -> None:
    client.control("POST", "settings", {"required": {"deals": ["dealtype", "hs_campaign"]}})
    changes = {"properties": {"amount": "5"}}
    deal = client.id_of("sale", "open")
    client.patch(f"/crm/v3/objects/deals/{deal}", changes)
    client.patch(f"/crm/objects/2026-03/deals/{deal}", changes)
    body = client.patch(f"{DEALS}/{deal}", changes, 400)
    assert body["errors"][0]["context"] == {"propertyName": ["hs_campaign"]}


def test_merging_keeps_the_winner_and_moves_everything_to_it(client: Client) -> None:
    winner, loser = client.id_of("prospect", "li"), client.id_of("prospect", "old")
    merge = {"primaryObjectId": winner, "objectIdToMerge": loser}
    client.post("/crm/v3/objects/contacts/merge", merge)
    after = client.properties("prospect", "contacts", "li")
    assert after["hs_merged_object_ids"] == f"{client.id_of('prospect', 'twin')};{loser}"
    assert client.get(f"/crm/objects/2026-09/contacts/{loser}")["id"] == winner
    call = client.id_of("call", "own")
    links = client.get(f"/crm/objects/2026-09/calls/{call}?associations=contacts")["associations"]
    assert [entry["id"] for entry in links["contacts"]["results"]] == [winner]


def test_a_body_must_say_that_it_is_json(client: Client) -> None:
    assert client.send("POST", f"{DEALS}/search", b"{}", {"Content-Type": "text/plain"}).status == 415


def test_a_body_that_is_no_json_is_400(client: Client) -> None:
    response = client.send("POST", f"{DEALS}/search", b"{")
    assert response.status == 400
    assert b"Invalid input JSON" in response.body
