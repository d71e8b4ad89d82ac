"""Collections of the pretend Salesforce: up to 200 records a call, one result each, in order."""

from typing import Any

import pytest
from salesforce_company import Client, client

from crm_sandbox.salesforce import EVERYTHING, fingerprint, lock

UPSERT = "composite/sobjects/Kpi__c/Key__c"


@pytest.fixture
def crm() -> Client:
    one = client()
    one.provision()
    return one


def kpi(**values: object) -> dict[str, object]:
    return {"attributes": {"type": "Kpi__c"}, **values}


def person(crm: Client, seller: str, **values: object) -> dict[str, object]:
    return {"attributes": {"type": "User"}, "id": crm.org.id_of("seller", seller), **values}


def write(crm: Client, method: str, path: str, *records: object, **options: object) -> Any:
    status, body = crm.send(method, path, {"records": list(records), **options})
    assert status == 200, body
    return body


def codes(results: Any) -> list[str]:
    return ["ok" if one["success"] else one["errors"][0]["statusCode"] for one in results]


def test_upsert_creates_then_updates_and_good_rows_land_beside_bad_ones(crm: Client):
    rows = [kpi(Key__c="a", Value__c=1), kpi(Key__c="b", Grain__c="never"), kpi(Key__c="c", Nope__c=1), kpi(Value__c=2)]
    first = write(crm, "PATCH", UPSERT, *rows, allOrNone=False)
    assert codes(first) == ["ok", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "INVALID_FIELD", "MISSING_ARGUMENT"]
    assert first[0]["created"] is True
    assert "id" not in first[1]
    second = write(crm, "PATCH", UPSERT, kpi(Key__c="a", Value__c=2))
    assert second == [{"id": first[0]["id"], "success": True, "errors": [], "created": False}]
    assert crm.query("SELECT Key__c, Value__c FROM Kpi__c") == [{"Key__c": "a", "Value__c": 2}]


def test_the_same_key_twice_fails_every_row_of_that_key(crm: Client):
    results = write(crm, "PATCH", UPSERT, kpi(Key__c="twin"), kpi(Key__c="alone"), kpi(Key__c="twin"))
    assert codes(results) == ["DUPLICATE_VALUE", "ok", "DUPLICATE_VALUE"]
    assert results[0]["errors"][0]["message"] == "Duplicate external id specified: twin"


def test_all_or_none_undoes_the_good_rows(crm: Client):
    before = fingerprint(crm.org)
    results = write(crm, "PATCH", UPSERT, kpi(Key__c="good"), kpi(Key__c="k" * 41), allOrNone=True)
    assert codes(results) == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "STRING_TOO_LONG"]
    assert fingerprint(crm.org) == before


def test_null_clears_and_what_is_left_out_stays(crm: Client):
    write(crm, "PATCH", UPSERT, kpi(Key__c="a", Value__c=1, Grain__c="day"))
    write(crm, "PATCH", UPSERT, kpi(Key__c="a", Value__c=None))
    assert crm.query("SELECT Value__c, Grain__c FROM Kpi__c") == [{"Value__c": None, "Grain__c": "day"}]


def test_more_than_two_hundred_rows_are_refused_whole(crm: Client):
    status, body = crm.send("PATCH", UPSERT, {"records": [kpi(Key__c=str(n)) for n in range(201)]})
    assert (status, body[0]["errorCode"]) == (400, "EXCEEDED_ID_LIMIT")
    assert len(write(crm, "PATCH", UPSERT, *(kpi(Key__c=str(n)) for n in range(200)))) == 200


def test_a_lock_hits_one_row_once(crm: Client):
    lock(crm.org, ["b"])
    rows = [kpi(Key__c="a"), kpi(Key__c="b"), kpi(Key__c="c")]
    assert codes(write(crm, "PATCH", UPSERT, *rows)) == ["ok", "UNABLE_TO_LOCK_ROW", "ok"]
    assert codes(write(crm, "PATCH", UPSERT, *rows)) == ["ok", "ok", "ok"]


def test_users_are_updated_alone_never_beside_other_objects(crm: Client):
    results = write(crm, "PATCH", "composite/sobjects", person(crm, "ana", KPI_Calls__c=12), person(crm, "bot"))
    assert codes(results) == ["ok", "INSUFFICIENT_ACCESS_OR_READONLY"]
    assert crm.query("SELECT KPI_Calls__c FROM User WHERE Name = 'Ana Ruiz'") == [{"KPI_Calls__c": 12}]
    mixed = {"records": [person(crm, "ana"), {"attributes": {"type": "Lead"}, "id": crm.org.id_of("lead", "lia")}]}
    status, body = crm.send("PATCH", "composite/sobjects", mixed)
    assert (status, body[0]["errorCode"]) == (400, "MIXED_DML_OPERATION")


def test_without_manage_internal_users_the_kpi_rows_still_land(crm: Client):
    crm.send("POST", "/_control/features", {"permissions": sorted(EVERYTHING - {"ManageInternalUsers"})})
    assert codes(write(crm, "PATCH", "composite/sobjects", person(crm, "ana", KPI_Calls__c=1))) == [
        "INSUFFICIENT_ACCESS_OR_READONLY"
    ]
    assert codes(write(crm, "PATCH", UPSERT, kpi(Key__c="a"))) == ["ok"]


def test_several_types_may_come_in_ten_runs(crm: Client):
    lead, deal = crm.org.id_of("lead", "lia"), crm.org.id_of("sale", "open")
    pair = [
        {"attributes": {"type": "Lead"}, "id": lead, "Rating": "Hot"},
        {"attributes": {"type": "Opportunity"}, "id": deal, "NextStep": "Call"},
    ]
    assert codes(write(crm, "PATCH", "composite/sobjects", *pair * 5)) == ["ok"] * 10
    status, body = crm.send("PATCH", "composite/sobjects", {"records": pair * 6})
    assert (status, body[0]["errorCode"]) == (400, "LIMIT_EXCEEDED")


def test_create_answers_200_and_wrong_rows_say_why(crm: Client):
    rows = [kpi(Key__c="new"), {"Key__c": "typeless"}, {"attributes": {"type": "Nothing__c"}}]
    assert codes(write(crm, "POST", "composite/sobjects", *rows)) == ["ok", "INVALID_TYPE", "INVALID_TYPE"]


def test_an_update_needs_an_id_of_its_own_type(crm: Client):
    lead = crm.org.id_of("lead", "lia")
    rows = [kpi(Value__c=1), kpi(id=lead), kpi(id="a00000000000001AAA")]
    found = codes(write(crm, "PATCH", "composite/sobjects", *rows))
    assert found == ["MISSING_ARGUMENT", "MALFORMED_ID", "INVALID_CROSS_REFERENCE_KEY"]


def test_reading_by_ids_keeps_their_order_and_has_null_for_what_is_not_there(crm: Client):
    lia, gone = crm.org.id_of("lead", "lia"), crm.org.id_of("lead", "gone")
    body = {"ids": [gone, lia, "00Q000000000001EAA", lia], "fields": ["Name", "Company"]}
    status, rows = crm.send("POST", "composite/sobjects/Lead", body)
    assert status == 200
    assert [one and one["Name"] for one in rows] == [None, "Lia Lead", None, "Lia Lead"]
    assert crm.get("composite/sobjects/Lead", ids=f"{lia},{gone}", fields="Name")[1] is None


def test_deleting_answers_for_each_id(crm: Client):
    made = write(crm, "PATCH", UPSERT, kpi(Key__c="a"))[0]["id"]
    status, body = crm.send("DELETE", "composite/sobjects", ids=f"{made},{crm.org.id_of('lead', 'gone')}")
    assert status == 200
    assert codes(body) == ["ok", "ENTITY_IS_DELETED"]


def test_a_users_external_id_is_no_way_to_upsert(crm: Client):
    rows = {"records": [{"attributes": {"type": "User"}, "Username": "x@example.com"}]}
    assert crm.send("PATCH", "composite/sobjects/User/Username", rows)[0] == 404
