"""The pretend HubSpot, called over real HTTP by hubspot-sdk, HubSpot's newer client, which checks every answer against
its own models. It asks for version 2026-03, names objects by their ids and joins lists with commas.

Its models know no blank property (which portals do send), so only properties with a value are asked for; and it sends
tokens as JSON, which the token endpoint does not take, so signing in is for the other clients."""

from collections.abc import Iterator

import pytest
from hubspot_company import KPI_SCHEMA, WORLD
from hubspot_sdk import AuthenticationError, BadRequestError, HubSpot, NotFoundError, PermissionDeniedError

from crm_sandbox.hubspot import ALL_SCOPES, SANDBOX_TOKEN, Portal
from crm_sandbox.serving import Sandbox


@pytest.fixture
def portal() -> Portal:
    return Portal(WORLD)


@pytest.fixture
def client(portal: Portal) -> Iterator[HubSpot]:
    with Sandbox(portal) as box, _client(box.url) as opened:
        yield opened


def _client(url: str, token: str = SANDBOX_TOKEN) -> HubSpot:
    return HubSpot(access_token=token, base_url=url, max_retries=0, _strict_response_validation=True)


def test_every_deal_is_listed_page_by_page_with_the_properties_asked_for(client: HubSpot, portal: Portal) -> None:
    listed = list(client.crm.objects.deals.list(limit=3, properties=["dealname"], associations=["contacts"]))
    assert [deal.id for deal in listed] == [row["id"] for row in portal.records("deals")]
    won = next(deal for deal in listed if deal.id == portal.id_of("sale", "won"))
    assert won.properties["dealname"] == "Piloto 🚀\nfase 1"
    assert won.associations is not None
    assert won.associations["contacts"].results[0].id == portal.id_of("prospect", "li")


def test_archived_records_are_listed_apart(client: HubSpot, portal: Portal) -> None:
    gone = client.crm.objects.contacts.list(archived=True, limit=100).results
    assert [contact.id for contact in gone] == [portal.id_of("prospect", "gone")]
    assert gone[0].archived_at is not None


def test_a_search_finds_what_matches(client: HubSpot, portal: Portal) -> None:
    found = client.crm.objects.deals.search(
        after="0",
        filter_groups=[{"filters": [{"property_name": "amount", "operator": "GT", "value": "1000"}]}],
        limit=10,
        properties=["amount"],
        sorts=["-createdate"],
    )
    assert (found.total, [deal.id for deal in found.results]) == (1, [portal.id_of("sale", "won")])


def test_records_are_made_changed_read_and_deleted_in_batches(client: HubSpot) -> None:
    contacts = client.crm.objects.contacts
    made = contacts.create(properties={"email": "py@example.com", "firstname": "Py"}, associations=[])
    updated = contacts.batch.update(inputs=[{"id": made.id, "properties": {"firstname": "Thon"}}])
    assert updated.status == "COMPLETE"
    read = contacts.batch.get(inputs=[{"id": made.id}], properties=["firstname"], properties_with_history=["firstname"])
    assert read.results[0].properties["firstname"] == "Thon"
    assert [past.value for past in (read.results[0].properties_with_history or {})["firstname"]] == ["Thon", "Py"]
    rows = [
        {"id": email, "id_property": "email", "properties": {"email": email, "lastname": "Up"}}
        for email in ("py@example.com", "new@example.com")
    ]
    upserted = contacts.batch.upsert(inputs=rows)  # type: ignore[arg-type]
    assert sorted(row.new for row in upserted.results) == [False, True]
    contacts.delete(made.id)
    with pytest.raises(NotFoundError):
        contacts.get(made.id)


def test_a_batch_tells_of_what_is_missing_beside_what_it_found(client: HubSpot, portal: Portal) -> None:
    known = portal.id_of("sale", "won")
    read = client.crm.objects.deals.batch.get(
        inputs=[{"id": known}, {"id": "99"}], properties=["amount"], properties_with_history=[]
    )
    assert [row.id for row in read.results] == [known]
    told = read.model_dump()
    assert told["numErrors"] == 1
    assert told["errors"][0]["context"] == {"ids": ["99"]}


def test_associations_are_read_in_a_batch_and_one_by_one(client: HubSpot, portal: Portal) -> None:
    won, li = portal.id_of("sale", "won"), portal.id_of("prospect", "li")
    portal.rules.associated_ids_as_text = True  # as this client's models have it
    found = client.crm.associations.batch.get("contacts", from_object_type="deals", inputs=[{"id": won}])
    assert [(one.from_.id, [to.to_object_id for to in one.to]) for one in found.results] == [(won, [li])]
    single = client.crm.associations.list("contacts", object_type="deals", object_id=won)
    assert [to.to_object_id for to in single.results] == [li]


def test_owners_teams_and_users_are_told_apart(client: HubSpot, portal: Portal) -> None:
    owners = {owner.id: owner for owner in client.crm.owners.list(limit=100)}
    ana = owners[portal.id_of("seller", "ana")]
    assert (ana.user_id, ana.type) == (9_586_504, "PERSON")
    archived = client.crm.owners.list(archived=True).results
    assert [(owner.id, owner.user_id) for owner in archived] == [(portal.id_of("seller", "gael"), None)]
    users = client.crm.objects.users.list(limit=100, properties=["hs_internal_user_id"]).results
    assert portal.id_of("person_record", "ana") in {user.id for user in users}


def test_pipelines_and_properties_are_understood(client: HubSpot) -> None:
    pipelines = client.crm.pipelines.list("deals").results
    assert pipelines[0].stages[-2].metadata == {"isClosed": "true", "probability": "1.0"}
    amount = client.crm.properties.get("amount", object_type="deals")
    assert (amount.type, amount.show_currency_symbol) == ("number", True)


def test_a_property_group_a_property_and_its_value_are_made_on_a_user(client: HubSpot, portal: Portal) -> None:
    client.crm.properties.groups.create("users", name="sales_kpis", label="Sales KPIs", display_order=-1)
    client.crm.properties.create(
        "users", name="kpi_calls", label="Calls", type="number", field_type="number", group_name="sales_kpis"
    )
    ana = portal.id_of("person_record", "ana")
    client.crm.objects.users.update(ana, properties={"kpi_calls": "7"})
    assert portal.record("users", ana)["properties"]["kpi_calls"] == "7"


def test_a_custom_object_is_defined_filled_and_found(client: HubSpot) -> None:
    told = {
        "labels": KPI_SCHEMA["labels"],
        "name": KPI_SCHEMA["name"],
        "primary_display_property": "kpi_title",
        "searchable_properties": ["kpi_title"],
        "secondary_display_properties": ["period_start"],
        "required_properties": ["external_key"],
        "properties": [
            {
                "name": each["name"],
                "label": each["label"],
                "type": each["type"],
                "field_type": each["fieldType"],
                **({"has_unique_value": True} if each.get("hasUniqueValue") else {}),
            }
            for each in KPI_SCHEMA["properties"]  # type: ignore[attr-defined]
        ],
    }
    made = client.crm.object_schemas.create(allows_sensitive_properties=False, associated_objects=[], **told)  # type: ignore[arg-type]
    kind = made.object_type_id or ""
    assert kind.startswith("2-")
    row = {"id": "a:1", "id_property": "external_key", "properties": {"external_key": "a:1", "kpi_title": "Calls"}}
    client.crm.objects.generic_objects.batch.upsert(kind, inputs=[row])  # type: ignore[list-item]
    listed = client.crm.objects.generic_objects.list(kind, properties=["kpi_title"]).results
    assert [each.properties["kpi_title"] for each in listed] == ["Calls"]
    assert [schema.name for schema in client.crm.object_schemas.list().results] == ["sales_kpi"]


def test_the_account_its_money_its_events_and_its_campaigns_are_understood(client: HubSpot, portal: Portal) -> None:
    assert client.account.get().time_zone == "Europe/Madrid"
    rates = client.settings.currencies.exchange_rates.list_current_exchange_rates().results
    assert {(rate.from_currency_code, rate.to_currency_code) for rate in rates} == {("USD", "EUR")}
    seen = client.events.occurrences.list(event_type="e_visited_page", object_type="contact").results
    assert [event.object_id for event in seen] == [portal.id_of("prospect", "li")]
    fair = portal.id_of("promotion", "fair")
    campaigns = client.marketing.campaigns
    named = {each.id: each.properties for each in campaigns.list(properties=["hs_name"]).results}
    assert named[fair] == {"hs_name": "Feria"}
    assert campaigns.budget.get_totals(fair).spend_total == 250.5
    assert campaigns.metrics.get_revenue_attribution(fair).revenue_amount == 1000


def test_the_splits_of_a_deal_are_its_records(client: HubSpot, portal: Portal) -> None:
    won = portal.id_of("sale", "won")
    (found,) = client.crm.deal_splits.batch.read(inputs=[{"id": won}]).results
    assert found.id == won
    assert len(found.splits) == 2


def test_each_refusal_is_an_exception_of_its_own_kind(portal: Portal) -> None:
    with Sandbox(portal) as box:
        with _client(box.url, "pat-wrong") as stranger, pytest.raises(AuthenticationError):
            stranger.account.get()
        with _client(box.url) as client:
            with pytest.raises(BadRequestError) as wrong:
                client.crm.objects.contacts.create(properties={"no_such_property": "1"}, associations=[])
            assert "PROPERTY_DOESNT_EXIST" in str(wrong.value)
            portal.desk.change({"scopes": [each for each in ALL_SCOPES if each != "crm.objects.deals.read"]})
            with pytest.raises(PermissionDeniedError, match=r"crm\.objects\.deals\.read"):
                client.crm.objects.deals.list()
