"""Single records of the pretend Salesforce: create, read, update, delete, upsert, replication."""

from decimal import Decimal

import pytest
from salesforce_company import Client, client

from crm_sandbox.salesforce import EVERYTHING, Features, delete, lock


@pytest.fixture(scope="module")
def provisioned() -> Client:
    """An organisation with the KPI object, whose client may write it."""
    crm = client()
    crm.provision()
    return crm


def row(crm: Client, key: str) -> dict[str, object]:
    return crm.query(f"SELECT Id, Rep__c, Value__c, Grain__c, Starts__c FROM Kpi__c WHERE Key__c = '{key}'")[0]


def create(crm: Client, **values: object) -> tuple[int, object]:
    status, body = crm.send("POST", "sobjects/Kpi__c", values)
    return status, body


def test_a_record_is_created_read_changed_and_deleted(provisioned: Client):
    status, made = provisioned.send("POST", "sobjects/Kpi__c/", {"Key__c": "life", "Value__c": 1.005})
    assert (status, made["success"], made["errors"]) == (201, True, [])
    where = f"sobjects/Kpi__c/{made['id']}"
    assert made["id"].startswith("a00")
    assert provisioned.get(where, fields="Value__c,Key__c")["Value__c"] == Decimal("1.01")
    assert provisioned.send("PATCH", where, {"Value__c": None}) == (204, None)
    assert provisioned.get(where)["Value__c"] is None
    assert provisioned.send("DELETE", where) == (204, None)
    assert provisioned.send("GET", where)[0] == 404
    assert provisioned.query(f"SELECT IsDeleted FROM Kpi__c WHERE Id = '{made['id']}'", "queryAll") == [
        {"IsDeleted": True}
    ]


def test_auto_numbers_count_and_the_server_sets_owner_and_stamps(provisioned: Client):
    record = create(provisioned, Key__c="stamped")[1]["id"]
    seen = provisioned.get(f"sobjects/Kpi__c/{record}")
    assert seen["Name"].startswith("KPI-0")
    assert seen["OwnerId"] == provisioned.org.integration
    assert {seen["CreatedDate"], seen["LastModifiedDate"], seen["SystemModstamp"]} == {"2026-11-20T12:00:00.000+0000"}


def test_upsert_by_external_id_says_whether_it_created(provisioned: Client):
    where = "sobjects/Kpi__c/Key__c/rep%3Aana%2F2026"
    assert provisioned.send("PATCH", f"{where}?updateOnly=true", {"Value__c": 1})[0] == 404
    status, body = provisioned.send("PATCH", where, {"Value__c": 1})
    assert (status, body["created"]) == (201, True)
    again, second = provisioned.send("PATCH", where, {"Value__c": 2})
    assert (again, second["created"], second["id"]) == (200, False, body["id"])
    assert row(provisioned, "rep:ana/2026")["Value__c"] == 2
    assert provisioned.send("PATCH", "sobjects/Kpi__c/Nope__c/x", {})[1][0]["errorCode"] == "NOT_FOUND"


@pytest.mark.parametrize(
    ("values", "code", "named"),
    [
        ({"Nope__c": 1}, "INVALID_FIELD", ["Nope__c"]),
        ({"Key__c": "k" * 41}, "STRING_TOO_LONG", ["Key__c"]),
        ({"Value__c": 100_000_000}, "NUMBER_OUTSIDE_VALID_RANGE", ["Value__c"]),
        ({"Grain__c": "decade"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", ["Grain__c"]),
        ({"Rep__c": "hello"}, "MALFORMED_ID", ["Rep__c"]),
        ({"Rep__c": "00Q000000000001EAA"}, "MALFORMED_ID", ["Rep__c"]),
        ({"Rep__c": "005000000000001AAA"}, "INVALID_CROSS_REFERENCE_KEY", None),
        ({"CreatedDate": "2020-01-01T00:00:00Z"}, "INVALID_FIELD_FOR_INSERT_UPDATE", ["CreatedDate"]),
        ({"Value__c": "many"}, "JSON_PARSER_ERROR", None),
        ({"Starts__c": "first of May"}, "JSON_PARSER_ERROR", None),
    ],
)
def test_a_wrong_value_is_refused_with_its_field(
    provisioned: Client, values: dict[str, object], code: str, named: list[str] | None
):
    status, body = create(provisioned, **values)
    assert status == 400
    assert body[0]["errorCode"] == code
    assert body[0].get("fields") == named


def test_values_are_kept_as_salesforce_keeps_them(provisioned: Client):
    ana = provisioned.org.id_of("seller", "ana")
    assert create(provisioned, Key__c="  kept ", Rep__c=ana[:15], Grain__c="MONTH", Starts__c="2026-05-01")[0] == 201
    kept = row(provisioned, "kept")
    assert (kept["Rep__c"], kept["Grain__c"], kept["Starts__c"]) == (ana, "month", "2026-05-01")


def test_a_unique_key_exists_once_and_its_case_counts(provisioned: Client):
    first = create(provisioned, Key__c="once")[1]["id"]
    status, body = create(provisioned, Key__c="once")
    assert (status, body[0]["errorCode"]) == (400, "DUPLICATE_VALUE")
    assert first in body[0]["message"]
    assert create(provisioned, Key__c="ONCE")[0] == 201
    provisioned.send("DELETE", f"sobjects/Kpi__c/{first}")
    assert create(provisioned, Key__c="once")[0] == 201


def test_a_parent_can_be_named_by_a_unique_field(provisioned: Client):
    assert create(provisioned, Key__c="named", Rep__r={"Username": "bea@example.com"})[0] == 201
    assert row(provisioned, "named")["Rep__c"] == provisioned.org.id_of("seller", "boss")


def test_required_fields_must_be_there_and_cannot_be_cleared():
    crm = client()
    status, body = crm.send("POST", "sobjects/Lead", {"FirstName": "Only"})
    assert (status, body[0]["errorCode"], body[0]["fields"]) == (400, "REQUIRED_FIELD_MISSING", ["LastName", "Company"])
    lead = crm.org.id_of("lead", "lia")
    assert crm.send("PATCH", f"sobjects/Lead/{lead}", {"Company": None})[1][0]["errorCode"] == "REQUIRED_FIELD_MISSING"


def test_unknown_records_objects_and_broken_json_are_told_apart():
    crm = client()
    assert crm.send("GET", "sobjects/Lead/00Q000000000001EAA")[1][0]["errorCode"] == "NOT_FOUND"
    assert crm.send("PATCH", "sobjects/Lead/00Q000000000001EAA", {})[0] == 404
    assert crm.send("GET", "sobjects/Nothing/describe")[1][0]["errorCode"] == "NOT_FOUND"
    assert crm.send("POST", "sobjects/Lead", b"{broken")[1][0]["errorCode"] == "JSON_PARSER_ERROR"
    gone = crm.org.id_of("lead", "gone")
    assert crm.send("PATCH", f"sobjects/Lead/{gone}", {"Rating": "Hot"})[1][0]["errorCode"] == "ENTITY_IS_DELETED"


def test_a_locked_row_is_free_after_so_many_tries(provisioned: Client):
    record = create(provisioned, Key__c="locked")[1]["id"]
    lock(provisioned.org, [record], times=2)
    where = f"sobjects/Kpi__c/{record}"
    answers = [provisioned.send("PATCH", where, {"Value__c": 1})[0] for _ in range(3)]
    assert answers == [400, 400, 204]
    provisioned.send("POST", "/_control/locks", {"names": ["locked"]})
    status, body = provisioned.send("PATCH", "sobjects/Kpi__c/Key__c/locked", {"Value__c": 2})
    assert (status, body[0]["errorCode"]) == (400, "UNABLE_TO_LOCK_ROW")


def test_users_are_only_changed_by_who_manages_them_and_machines_by_nobody():
    crm = client()
    ana = f"sobjects/User/{crm.org.id_of('seller', 'ana')}"
    assert crm.send("PATCH", ana, {"Title": "Rep"})[0] == 204
    assert crm.send("PATCH", f"sobjects/User/{crm.org.integration}", {"Title": "Robot"})[0] == 403
    crm.send("POST", "/_control/features", {"permissions": sorted(EVERYTHING - {"ManageInternalUsers"})})
    status, body = crm.send("PATCH", ana, {"Title": "Rep"})
    assert (status, body[0]["errorCode"]) == (403, "INSUFFICIENT_ACCESS_OR_READONLY")


def test_closing_a_task_sets_what_follows():
    crm = client()
    task = crm.org.id_of("call", "later")
    assert crm.send("PATCH", f"sobjects/Task/{task}", {"Status": "Completed"})[0] == 204
    assert crm.query(f"SELECT IsClosed, CompletedDateTime FROM Task WHERE Id = '{task}'") == [
        {"IsClosed": True, "CompletedDateTime": "2026-11-20T12:00:00.000+0000"}
    ]


def test_winning_a_deal_sets_what_follows_and_moves_the_campaigns_totals_but_not_its_stamp():
    crm = client()
    asked = (
        "SELECT NumberOfWonOpportunities, AmountWonOpportunities, SystemModstamp FROM Campaign WHERE Name = 'Webinar'"
    )
    before = crm.query(asked)[0]
    values = {"StageName": "Closed Won", "Amount": 10, "CampaignId": crm.org.id_of("promotion", "webinar")}
    assert crm.send("PATCH", f"sobjects/Opportunity/{crm.org.id_of('sale', 'open')}", values)[0] == 204
    after = crm.query(asked)[0]
    assert (before["NumberOfWonOpportunities"], after["NumberOfWonOpportunities"]) == (1, 2)
    assert after["AmountWonOpportunities"] == Decimal("1210.5")
    assert after["SystemModstamp"] == before["SystemModstamp"]


def test_updated_and_deleted_list_ids_of_a_span_of_time():
    crm = client()
    lead = crm.org.id_of("lead", "lia")
    crm.send("POST", "/_control/clock", {"advance_seconds": 60})
    crm.send("PATCH", f"sobjects/Lead/{lead}", {"Rating": "Hot"})
    delete(crm.org, "Lead", crm.org.id_of("lead", "pool"))
    crm.send("POST", "/_control/clock", {"advance_seconds": 60})
    span = {"start": "2026-11-20T12:00:30+00:00", "end": "2026-11-20T12:02:00Z"}
    assert crm.get("sobjects/Lead/updated/", **span) == {
        "ids": [lead],
        "latestDateCovered": "2026-11-20T12:02:00.000+0000",
    }
    gone = crm.get("sobjects/Lead/deleted/", **span)
    assert gone["deletedRecords"] == [
        {"id": crm.org.id_of("lead", "pool"), "deletedDate": "2026-11-20T12:01:00.000+0000"}
    ]
    assert gone["earliestDateAvailable"] == "2026-11-05T12:02:00.000+0000"


@pytest.mark.parametrize(
    ("resource", "start", "end"),
    [
        ("updated", "2026-11-20T12:00:00Z", "2026-11-20T11:00:00Z"),
        ("updated", "2026-10-01T12:00:00Z", "2026-11-20T11:00:00Z"),
        ("deleted", "2026-11-01T12:00:00Z", "2026-11-20T11:00:00Z"),
        ("deleted", "yesterday", "2026-11-20T11:00:00Z"),
    ],
)
def test_replication_goes_back_thirty_and_fifteen_days(resource: str, start: str, end: str):
    status, body = client().send("GET", f"sobjects/Lead/{resource}", start=start, end=end)
    assert (status, body[0]["errorCode"]) == (400, "INVALID_REPLICATION_DATE")


def test_permission_rows_can_be_made_by_hand_once():
    crm = client(Features())
    crm.provision()
    made = crm.send("POST", "sobjects/PermissionSet", {"Name": "Readers", "Label": "Readers"})[1]["id"]
    grant = {"ParentId": made, "SobjectType": "User", "Field": "User.KPI_Calls__c", "PermissionsRead": True}
    assert crm.send("POST", "sobjects/FieldPermissions", grant)[0] == 201
    assert crm.send("POST", "sobjects/FieldPermissions", grant)[1][0]["errorCode"] == "DUPLICATE_VALUE"
    unknown = {**grant, "Field": "User.Nope__c"}
    assert crm.send("POST", "sobjects/FieldPermissions", unknown)[0] == 400
