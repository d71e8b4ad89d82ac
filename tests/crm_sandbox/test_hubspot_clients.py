"""The pretend HubSpot, called over real HTTP by a client that we did not write."""

from collections.abc import Iterator

import hubspot
import pytest
from hubspot.crm.associations.v4 import (
    BatchInputPublicFetchAssociationsBatchRequest,
    PublicFetchAssociationsBatchRequest,
)
from hubspot.crm.contacts.exceptions import ApiException as ContactsException
from hubspot.crm.deals import BatchReadInputSimplePublicObjectId, PublicObjectSearchRequest, SimplePublicObjectId
from hubspot.crm.objects import (
    BatchInputSimplePublicObjectBatchInput,
    SimplePublicObjectBatchInput,
    SimplePublicObjectInput,
)
from hubspot.crm.properties import PropertyCreate, PropertyGroupCreate
from hubspot_company import WORLD

from crm_sandbox.hubspot import SANDBOX_CLIENT, SANDBOX_REFRESH_TOKEN, Portal
from crm_sandbox.serving import Sandbox


@pytest.fixture
def portal() -> Portal:
    return Portal(WORLD)


@pytest.fixture
def client(portal: Portal) -> Iterator[hubspot.HubSpot]:
    with Sandbox(portal) as sandbox:
        yield hubspot.HubSpot(access_token="pat-sandbox", host=sandbox.url, base_url=sandbox.url)


def test_deals_are_listed_read_and_searched(client: hubspot.HubSpot, portal: Portal) -> None:
    api = client.crm.deals
    basic, batch, search = api.basic_api, api.batch_api, api.search_api
    assert len(basic.get_page(limit=3, properties=["dealname", "amount"], archived=False).results) == 3
    won = basic.get_by_id(portal.id_of("sale", "won"), properties=["dealname"], associations=["contacts"])
    assert won.properties["dealname"] == "Piloto 🚀\nfase 1"
    assert won.associations["contacts"].results[0].id == portal.id_of("prospect", "li")
    ids = [SimplePublicObjectId(id=number) for number in (won.id, "99")]
    read = batch.read(BatchReadInputSimplePublicObjectId(inputs=ids, properties=["amount"], properties_with_history=[]))
    assert (read.num_errors, read.errors[0].context) == (1, {"ids": ["99"]})
    rule = {"propertyName": "amount", "operator": "GT", "value": "1000"}
    found = search.do_search(PublicObjectSearchRequest(filter_groups=[{"filters": [rule]}], limit=10))
    assert (found.total, found.results[0].id) == (1, won.id)


def test_every_contact_is_read_page_by_page(client: hubspot.HubSpot) -> None:
    assert len(client.crm.contacts.get_all()) == 2


def test_owners_come_with_their_user(client: hubspot.HubSpot, portal: Portal) -> None:
    page = client.crm.owners.owners_api.get_page(limit=100, archived=False)
    assert {owner.id: owner.user_id for owner in page.results}[portal.id_of("seller", "ana")] == 9_586_504


def test_users_get_a_property_and_a_value(client: hubspot.HubSpot, portal: Portal) -> None:
    properties = client.crm.properties
    properties.groups_api.create("users", PropertyGroupCreate(name="sales_kpis", label="Sales KPIs", display_order=-1))
    properties.core_api.create(
        "users",
        PropertyCreate(
            group_name="sales_kpis", name="kpi_calls_made", label="Calls", type="number", field_type="number"
        ),
    )
    objects = client.crm.objects
    ana = portal.id_of("person_record", "ana")
    objects.basic_api.update("users", ana, SimplePublicObjectInput(properties={"kpi_calls_made": "7"}))
    row = SimplePublicObjectBatchInput(id=ana, properties={"kpi_calls_made": "8"})
    objects.batch_api.update("users", BatchInputSimplePublicObjectBatchInput(inputs=[row]))
    assert portal.record("users", ana)["properties"]["kpi_calls_made"] == "8"


def test_associations_come_as_207_with_errors(client: hubspot.HubSpot, portal: Portal) -> None:
    inputs = [PublicFetchAssociationsBatchRequest(id=portal.id_of("sale", key)) for key in ("won", "lost")]
    answer = client.crm.associations.v4.batch_api.get_page(
        "deals", "contacts", BatchInputPublicFetchAssociationsBatchRequest(inputs=inputs)
    )
    assert str(answer.results[0].to[0].to_object_id) == portal.id_of("prospect", "li")
    assert answer.errors[0].sub_category == "crm.associations.NO_ASSOCIATIONS_FOUND"


def test_pipelines_and_schemas_are_understood(client: hubspot.HubSpot) -> None:
    pipelines = client.crm.pipelines.pipelines_api.get_all("deals").results
    assert [stage.id for stage in pipelines[0].stages][-2:] == ["closedwon", "closedlost"]
    assert client.crm.schemas.core_api.get_all().results == []


def test_a_refusal_is_an_exception_with_status_and_body(client: hubspot.HubSpot) -> None:
    with pytest.raises(ContactsException) as caught:
        client.crm.contacts.basic_api.get_by_id("4711")
    assert caught.value.status == 404
    assert '"message":"resource not found"' in caught.value.body


def test_a_token_is_refreshed_the_old_way(client: hubspot.HubSpot) -> None:
    answer = client.oauth.tokens_api.create(
        grant_type="refresh_token",
        client_id=SANDBOX_CLIENT[0],
        client_secret=SANDBOX_CLIENT[1],
        refresh_token=SANDBOX_REFRESH_TOKEN,
    )
    assert answer.expires_in == 1800


def test_plain_requests_work_with_the_clients_own_session(client: hubspot.HubSpot) -> None:
    response = client.api_request({"path": "/account-info/2026-09/details"})
    assert response.json()["timeZone"] == "Europe/Madrid"
