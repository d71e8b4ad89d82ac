"""Whatever is sent to the pretend HubSpot, it answers like an API: it never stumbles, and it never half-writes."""

from typing import Any
from urllib.parse import urlencode

from hubspot_company import KPI_SCHEMA, Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm_sandbox.hubspot import shapes
from crm_sandbox.hubspot.filters import OPERATORS

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**17) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["inputs", "id"]), inner, max_size=2),
    max_leaves=6,
)
SHAPES = {
    "/crm/objects/2026-09/deals": shapes.WriteRow,
    "/crm/objects/2026-09/deals/search": shapes.Search,
    "/crm/objects/2026-09/deals/merge": shapes.Merge,
    "/crm/objects/2026-09/contacts/batch/read": shapes.ReadBatch,
    "/crm/objects/2026-09/contacts/batch/create": shapes.WriteBatch,
    "/crm/objects/2026-09/contacts/batch/update": shapes.WriteBatch,
    "/crm/objects/2026-09/sales_kpi/batch/upsert": shapes.WriteBatch,
    "/crm/objects/2026-09/sales_kpi/batch/archive": shapes.WriteBatch,
    "/crm/associations/2026-09/deals/contacts/batch/read": shapes.LinkedBatch,
    "/crm/associations/2026-09/deals/contacts/batch/create": shapes.LinkBatch,
    "/crm/associations/2026-09/deals/contacts/batch/archive": shapes.UnlinkBatch,
    "/crm/properties/2026-09/deals": shapes.PropertyBody,
    "/crm/properties/2026-09/deals/groups": shapes.GroupBody,
    "/crm/properties/2026-09/users/batch/create": shapes.PropertyBatch,
    "/crm/properties/2026-09/users/batch/archive": shapes.NameBatch,
    "/crm-object-schemas/2026-09/schemas": shapes.SchemaBody,
    "/crm-object-schemas/2026-09/schemas/sales_kpi/associations": shapes.AssociationBody,
    "/deal-splits/2026-09/batch/read": shapes.DealBatch,
    "/deal-splits/2026-09/batch/upsert": shapes.SharedDeals,
}
REQUESTS = st.sampled_from(sorted(SHAPES)).flatmap(
    lambda path: st.tuples(st.just(path), st.from_type(SHAPES[path]) | JSON)
)


def furnished() -> Client:
    client = Client(enforce_limits=False)
    client.post("/crm-object-schemas/2026-09/schemas", KPI_SCHEMA, 201)
    return client


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(request=REQUESTS)
def test_any_body_gets_an_answer(request: tuple[str, Any]) -> None:
    response = PORTAL.send("POST", *request)
    assert response.status in {200, 201, 204, 207, 400, 404, 409}


PORTAL = furnished()

ODD = st.sampled_from(
    ["", "0", "-1", "1e400", "nan", "²", "١٢", " 5", "1_000", ";", ";a", "true", "2026-13-01", "0001-01-01", "9" * 30]
) | st.text(max_size=8)


@settings(max_examples=300, deadline=None)
@given(name=st.sampled_from(sorted(PORTAL.portal.store.tables["0-3"].properties)), value=ODD)
def test_any_value_is_written_or_refused(name: str, value: str) -> None:
    deal = PORTAL.portal.records("deals")[0]["id"]
    response = PORTAL.send("PATCH", f"/crm/objects/2026-09/deals/{deal}", {"properties": {name: value}})
    assert response.status in {200, 400}


@settings(max_examples=300, deadline=None)
@given(
    name=st.sampled_from(sorted(PORTAL.portal.store.tables["0-3"].properties)),
    operator=st.sampled_from(sorted(OPERATORS)),
    value=ODD,
    descending=st.booleans(),
)
def test_any_filter_finds_something_or_is_refused(name: str, operator: str, value: str, descending: bool) -> None:
    rule = {"propertyName": name, "operator": operator, "value": value, "highValue": value, "values": [value]}
    body = {"filterGroups": [{"filters": [rule]}], "sorts": [f"-{name}" if descending else name]}
    assert PORTAL.send("POST", "/crm/objects/2026-09/deals/search", body).status in {200, 400}


@given(cursor=ODD, limit=ODD)
def test_any_page_is_there_or_refused(cursor: str, limit: str) -> None:
    query = urlencode({"after": cursor, "limit": limit})
    assert PORTAL.send("GET", f"/crm/objects/2026-09/calls?{query}").status in {200, 400}


def test_a_batch_that_is_refused_has_written_nothing() -> None:
    client = furnished()
    before = client.portal.fingerprint()
    good, bad = {"amount": "1"}, {"amount": "much"}
    rows = [("a", good), ("b", bad)]
    keyed = [{"id": key, "idProperty": "external_key", "properties": values} for key, values in rows]
    client.post("/crm/objects/2026-09/sales_kpi/batch/upsert", {"inputs": keyed}, 400)
    made = [{"properties": {"external_key": key, **values}} for key, values in rows]
    client.post("/crm/objects/2026-09/sales_kpi/batch/create", {"inputs": made}, 400)
    ids = [client.id_of("sale", key) for key in ("won", "open")]
    changed = [{"id": number, "properties": values} for number, (_, values) in zip(ids, rows, strict=True)]
    client.post("/crm/objects/2026-09/deals/batch/update", {"inputs": changed}, 400)
    assert client.portal.fingerprint() == before
