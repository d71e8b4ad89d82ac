"""Properties, groups and custom objects of the pretend HubSpot."""

from typing import Any

import pytest
from hubspot_company import KPI_SCHEMA, Client

from crm_sandbox.hubspot import ALL_SCOPES

USERS = "/crm/properties/2026-09/users"
SCHEMAS = "/crm-object-schemas/2026-09/schemas"
NUMBER = {
    "name": "kpi_calls_made",
    "label": "Calls made",
    "groupName": "sales_kpis",
    "type": "number",
    "fieldType": "number",
}


def with_group(client: Client, url: str = USERS) -> Client:
    client.post(f"{url}/groups", {"name": "sales_kpis", "label": "Sales KPIs", "displayOrder": -1}, 201)
    return client


def test_a_property_on_users_is_made_written_and_read_back() -> None:
    client = with_group(Client())
    client.get(f"{USERS}/kpi_calls_made", 404)
    made = client.post(USERS, NUMBER, 201)
    assert (made["hubspotDefined"], made["hasUniqueValue"], made["archived"]) == (False, False, False)
    assert made["modificationMetadata"]["archivable"] is True
    user = client.id_of("person_record", "ana")
    inputs = [{"id": user, "properties": {"kpi_calls_made": "42"}}]
    client.post("/crm/objects/2026-09/users/batch/update", {"inputs": inputs})
    read = client.get(f"/crm/objects/2026-09/users/{user}?properties=kpi_calls_made")
    assert read["properties"]["kpi_calls_made"] == "42"


def test_the_singular_finds_the_same_definitions() -> None:
    client = Client()
    assert client.get("/crm/properties/2026-09/user") == client.get("/crm/v3/properties/users/")


def test_a_portal_may_forbid_custom_properties_on_users() -> None:
    client = Client(user_properties=False)
    client.post(f"{USERS}/groups", {"name": "sales_kpis", "label": "Sales KPIs"}, 403)
    client.post(USERS, NUMBER, 403)
    client.get(USERS)


def test_definitions_of_users_need_the_scope_that_writes_users() -> None:
    client = Client(scopes=ALL_SCOPES - {"crm.objects.users.write"})
    body = client.post(f"{USERS}/groups", {"name": "g", "label": "G"}, 403)
    assert body["errors"][0]["context"]["requiredGranularScopes"] == ["crm.objects.users.write"]


def test_a_property_exists_once() -> None:
    client = with_group(Client())
    client.post(USERS, NUMBER, 201)
    assert client.post(USERS, NUMBER, 409)["category"] == "OBJECT_ALREADY_EXISTS"
    client.post(f"{USERS}/groups", {"name": "sales_kpis", "label": "Again"}, 409)


@pytest.mark.parametrize(
    "wrong",
    [
        {"fieldType": "text"},
        {"type": "money"},
        {"name": "KPI_Calls"},
        {"name": "1st"},
        {"name": "x" * 101},
        {"label": ""},
        {"groupName": "nowhere"},
        {"type": "enumeration", "fieldType": "select"},
        {"type": "bool", "fieldType": "booleancheckbox", "options": [{"label": "Yes", "value": "yes"}]},
    ],
)
def test_a_definition_that_makes_no_sense_is_400(wrong: dict[str, Any]) -> None:
    with_group(Client()).post(USERS, {**NUMBER, **wrong}, 400)


def test_a_batch_of_definitions_tells_what_was_there_already() -> None:
    client = with_group(Client())
    client.post(USERS, NUMBER, 201)
    inputs = [NUMBER, {**NUMBER, "name": "kpi_deals_won"}]
    body = client.post(f"{USERS}/batch/create", {"inputs": inputs}, 207)
    assert [made["name"] for made in body["results"]] == ["kpi_deals_won"]
    assert body["errors"][0]["category"] == "OBJECT_ALREADY_EXISTS"
    read = client.post(f"{USERS}/batch/read", {"inputs": [{"name": "kpi_deals_won"}, {"name": "kpi_none"}]}, 207)
    assert [found["name"] for found in read["results"]] == ["kpi_deals_won"]


def test_an_archived_property_is_gone_with_its_values_and_its_name_is_free() -> None:
    client = with_group(Client())
    client.post(USERS, NUMBER, 201)
    user = client.id_of("person_record", "ana")
    client.patch(f"/crm/objects/2026-09/users/{user}", {"properties": {"kpi_calls_made": "1"}})
    client.delete(f"{USERS}/kpi_calls_made")
    client.get(f"{USERS}/kpi_calls_made", 404)
    assert [known["name"] for known in client.get(f"{USERS}?archived=true")["results"]] == ["kpi_calls_made"]
    client.post(USERS, {**NUMBER, "label": "Anew"}, 201)
    assert "kpi_calls_made" not in client.portal.record("users", user)["properties"]


def test_what_hubspot_defined_can_be_neither_changed_nor_deleted() -> None:
    client = Client()
    client.delete("/crm/properties/2026-09/deals/amount", 400)
    client.patch("/crm/properties/2026-09/deals/amount", {"label": "Betrag"}, 400)


def test_a_label_can_be_changed_but_not_uniqueness() -> None:
    client = with_group(Client())
    client.post(USERS, NUMBER, 201)
    assert client.patch(f"{USERS}/kpi_calls_made", {"label": "Llamadas"})["label"] == "Llamadas"
    client.patch(f"{USERS}/kpi_calls_made", {"hasUniqueValue": True}, 400)


def test_an_object_has_at_most_ten_unique_properties() -> None:
    client = with_group(Client())
    text = {"groupName": "sales_kpis", "label": "U", "type": "string", "fieldType": "text", "hasUniqueValue": True}
    for number in range(10):
        client.post(USERS, {**text, "name": f"u{number}"}, 201)
    client.post(USERS, {**text, "name": "u10"}, 400)


def test_a_group_goes_once_it_is_empty() -> None:
    client = with_group(Client())
    client.post(USERS, NUMBER, 201)
    client.delete(f"{USERS}/groups/sales_kpis", 400)
    client.delete(f"{USERS}/kpi_calls_made")
    client.delete(f"{USERS}/groups/sales_kpis")
    client.get(f"{USERS}/groups/sales_kpis", 404)


def test_call_outcomes_of_the_portals_own_are_options_with_a_guid() -> None:
    client = Client()
    options = client.get("/crm/properties/2026-09/calls/hs_call_disposition")["options"]
    by_label = {option["label"]: option["value"] for option in options}
    assert by_label["Connected"] == "f240bbac-87c9-4f6e-bf70-924b57d47db7"
    assert client.properties("call", "calls", "own")["hs_call_disposition"] == by_label["Demo held"]
    legacy = {entry["label"]: entry["id"] for entry in client.get("/calling/v1/dispositions")}
    assert legacy == by_label


def test_the_amount_is_a_currency_and_the_owner_a_picker() -> None:
    client = Client()
    amount = client.get("/crm/properties/2026-09/deals/amount")
    assert (amount["showCurrencySymbol"], amount["currencyPropertyName"]) == (True, "deal_currency_code")
    owner = client.get("/crm/properties/2026-09/deals/hubspot_owner_id")
    assert (owner["externalOptions"], owner["referencedObjectType"]) == (True, "OWNER")


def test_a_custom_object_goes_by_id_name_and_full_name() -> None:
    client = Client()
    made = client.post(SCHEMAS, KPI_SCHEMA, 201)
    assert (made["objectTypeId"], made["fullyQualifiedName"]) == ("2-3465404", "p24613507_sales_kpi")
    for name in ("2-3465404", "sales_kpi", "p24613507_sales_kpi", "p_sales_kpi"):
        assert client.get(f"/crm/objects/2026-09/{name}")["results"] == []
        assert client.get(f"{SCHEMAS}/{name}")["name"] == "sales_kpi"
    listed = client.get("/crm/v3/schemas")["results"]
    assert [schema["name"] for schema in listed] == ["sales_kpi"]
    assert {definition["name"] for definition in listed[0]["properties"]} >= {"external_key", "hubspot_owner_id"}


@pytest.mark.parametrize("tier", ["free", "starter", "professional"])
def test_custom_objects_need_enterprise(tier: str) -> None:
    client = Client(tier=tier)
    client.post(SCHEMAS, KPI_SCHEMA, 403)
    assert client.get("/crm/limits/2026-09/custom-object-types")["limit"] == 0


def test_a_downgrade_closes_the_records_of_custom_objects() -> None:
    client = Client()
    client.post(SCHEMAS, KPI_SCHEMA, 201)
    client.control("POST", "settings", {"tier": "professional"})
    client.get("/crm/objects/2026-09/sales_kpi", 403)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "1kpi"},
        {"labels": {"singular": "KPI"}},
        {"primaryDisplayProperty": "nowhere"},
        {"requiredProperties": ["nowhere"]},
        {"properties": [{"name": "external_key", "label": "Key", "type": "number", "fieldType": "text"}]},
    ],
)
def test_a_schema_that_makes_no_sense_is_400(wrong: dict[str, Any]) -> None:
    Client().post(SCHEMAS, {**KPI_SCHEMA, **wrong}, 400)


def test_a_schema_exists_once_and_ten_fit() -> None:
    client = Client()
    client.post(SCHEMAS, KPI_SCHEMA, 201)
    client.post(SCHEMAS, KPI_SCHEMA, 409)
    for number in range(9):
        client.post(SCHEMAS, {**KPI_SCHEMA, "name": f"kpi_{number}"}, 201)
    client.post(SCHEMAS, {**KPI_SCHEMA, "name": "one_more"}, 400)
    assert client.get("/crm/limits/2026-09/custom-object-types") == {"limit": 10, "usage": 10, "percentage": 1.0}


def test_a_schema_goes_only_after_its_records() -> None:
    client = Client()
    client.post(SCHEMAS, KPI_SCHEMA, 201)
    row = client.post("/crm/objects/2026-09/sales_kpi", {"properties": {"external_key": "k"}}, 201)
    client.delete(f"{SCHEMAS}/sales_kpi", 400)
    client.delete(f"/crm/objects/2026-09/sales_kpi/{row['id']}")
    client.delete(f"{SCHEMAS}/sales_kpi")
    client.get(f"{SCHEMAS}/sales_kpi", 404)
    client.get("/crm/objects/2026-09/sales_kpi", 400)


def test_records_of_a_new_object_may_have_to_wait() -> None:
    client = Client()
    client.portal.rules.schema_delay = 3.0
    client.post(SCHEMAS, KPI_SCHEMA, 201)
    row = {"properties": {"external_key": "k"}}
    client.post("/crm/objects/2026-09/sales_kpi", row, 400)
    client.hands.pass_time(3)
    client.post("/crm/objects/2026-09/sales_kpi", row, 201)


def test_a_custom_object_is_linked_through_a_type_of_its_own() -> None:
    client = Client()
    schema = client.post(SCHEMAS, {**KPI_SCHEMA, "associatedObjects": ["CONTACT"]}, 201)
    assert "0-1" in {entry["toObjectTypeId"] for entry in schema["associations"]}
    row = client.post("/crm/objects/2026-09/sales_kpi", {"properties": {"external_key": "k"}}, 201)
    link = {"from": {"id": row["id"]}, "to": {"id": client.id_of("prospect", "li")}}
    client.post("/crm/associations/2026-09/sales_kpi/contacts/batch/create", {"inputs": [link]}, 201)
    url = "/crm/associations/2026-09/sales_kpi/contacts/batch/read"
    body = client.post(url, {"inputs": [{"id": row["id"]}]})
    assert body["results"][0]["to"][0]["associationTypes"][0]["category"] == "USER_DEFINED"
