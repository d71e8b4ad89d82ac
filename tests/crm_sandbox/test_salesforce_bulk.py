"""Bulk API 2.0 jobs of the pretend Salesforce."""

import csv
import io
import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from salesforce_company import COMPANY, VERSION, Client, client

from crm_sandbox.salesforce import actions


def start(crm: Client, query: str, operation: str = "query", **more: str) -> dict[str, Any]:
    status, body = crm.send("POST", "jobs/query", {"operation": operation, "query": query, **more})
    assert status == 200, body
    return dict(body)


def finished(crm: Client, job: dict[str, Any]) -> dict[str, Any]:
    while (seen := crm.get(f"jobs/query/{job['id']}"))["state"] not in {"JobComplete", "Failed"}:
        pass
    return dict(seen)


def results(crm: Client, job: dict[str, Any], **params: str) -> tuple[list[list[str]], dict[str, str]]:
    response = crm.call("GET", f"jobs/query/{job['id']}/results", params=params)
    assert response.status == 200, response.body
    return list(csv.reader(io.StringIO(response.body.decode()))), dict(response.headers)


def test_a_query_job_lives_through_its_states():
    crm = client()
    job = start(crm, "SELECT Id FROM Lead")
    assert job["state"] == "UploadComplete"
    assert job["id"].startswith("750")
    assert crm.send("GET", f"jobs/query/{job['id']}/results")[1][0]["errorCode"] == "JOB_NOT_COMPLETE"
    states = [crm.get(f"jobs/query/{job['id']}")["state"] for _ in range(2)]
    assert states == ["InProgress", "JobComplete"]
    assert crm.get(f"jobs/query/{job['id']}")["numberRecordsProcessed"] == 3
    assert crm.send("DELETE", f"jobs/query/{job['id']}") == (204, None)
    assert crm.send("GET", f"jobs/query/{job['id']}")[0] == 404


def test_results_are_quoted_in_select_order_with_bulk_formats():
    odd = replace(COMPANY.sales[0], name='Line\nbreak "quoted", ñ', amount=Decimal("12345678.9"))
    crm = client(world=replace(COMPANY, sales=(odd, *COMPANY.sales[1:])))
    job = start(
        crm, "SELECT name, Amount, IsWon, CreatedDate, Owner.Name, Campaign.Id FROM Opportunity WHERE IsWon = true"
    )
    finished(crm, job)
    response = crm.call("GET", f"jobs/query/{job['id']}/results")
    assert response.body.decode() == (
        '"Name","Amount","IsWon","CreatedDate","Owner.Name","Campaign.Id"\n'
        '"Line\nbreak ""quoted"", ñ","1.23456789E7","true","2026-04-30T00:00:00.000Z","Ana Ruiz",'
        f'"{crm.org.id_of("promotion", "webinar")}"\n'
    )
    assert response.headers["Content-Type"] == "text/csv"


def test_locators_lead_through_the_results_and_stay_readable():
    crm = client()
    job = start(crm, "SELECT Id FROM Opportunity")
    finished(crm, job)
    first, headers = results(crm, job, maxRecords="2")
    assert (len(first), headers["Sforce-NumberOfRecords"]) == (3, "2")
    rest, last = results(crm, job, maxRecords="2", locator=headers["Sforce-Locator"])
    assert (len(rest), last["Sforce-Locator"], last["Sforce-NumberOfRecords"]) == (2, "null", "1")
    assert results(crm, job, maxRecords="2", locator=headers["Sforce-Locator"])[0] == rest
    assert (
        crm.send("GET", f"jobs/query/{job['id']}/results", locator="nonsense")[1][0]["errorCode"] == "INVALID_LOCATOR"
    )
    links = crm.get(f"jobs/query/{job['id']}/resultPages")
    assert links["done"] is True
    assert crm.call("GET", links["resultPages"][0]["resultUrl"]).status == 200


def test_no_rows_are_a_header_and_null_is_empty():
    crm = client()
    job = start(crm, "SELECT Id, Amount FROM Opportunity WHERE Name = 'none'")
    finished(crm, job)
    assert results(crm, job)[0] == [["Id", "Amount"]]
    job = start(crm, "SELECT Amount FROM Opportunity WHERE Name = 'Bolt pilot'")
    finished(crm, job)
    assert results(crm, job)[0] == [["Amount"], [""]]


def test_query_all_sees_archived_and_deleted_rows():
    crm = client()
    counts = []
    for operation in ("query", "queryAll"):
        job = start(crm, "SELECT Id FROM Task WHERE TaskSubtype = 'Call'", operation)
        counts.append(finished(crm, job)["numberRecordsProcessed"])
    assert counts == [4, 6]


def test_results_are_as_of_the_jobs_creation():
    crm = client()
    job = start(crm, "SELECT Id FROM Opportunity")
    actions.delete(crm.org, "Opportunity", crm.org.id_of("sale", "open"))
    assert finished(crm, job)["numberRecordsProcessed"] == 3


def test_a_job_keeps_its_version():
    crm = client()
    job = start(crm, "SELECT Id FROM Lead")
    finished(crm, job)
    other = f"{VERSION.replace('66', '67')}/jobs/query/{job['id']}/results"
    assert crm.send("GET", other)[0] == 409


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("SELECT Id FROM TaskStatus", "INVALIDENTITY"),
        ("SELECT COUNT(Id) FROM Lead", "API_ERROR"),
        ("SELECT Name FROM Lead GROUP BY Name", "API_ERROR"),
        ("SELECT Id FROM Lead OFFSET 5", "API_ERROR"),
        ("SELECT Id, (SELECT Id FROM Contacts) FROM Account", "API_ERROR"),
        ("SELEC Id FROM Lead", "MALFORMED_QUERY"),
    ],
)
def test_what_bulk_cannot_do_is_refused_at_once(query: str, code: str):
    status, body = client().send("POST", "jobs/query", {"operation": "query", "query": query})
    assert (status, body[0]["errorCode"]) == (400, code)


def test_other_mistakes_fail_the_job_with_a_message():
    crm = client()
    assert finished(crm, start(crm, "SELECT Nope FROM Lead"))["errorMessage"].startswith("INVALID_FIELD: ")
    compound = finished(crm, start(crm, "SELECT Address FROM Lead"))
    assert "Selecting compound data not supported in Bulk Query" in compound["errorMessage"]
    crm.send("POST", "/_control/bulk", {"fail_next": "InternalServerError"})
    assert finished(crm, start(crm, "SELECT Id FROM Lead"))["errorMessage"] == "InternalServerError"
    assert finished(crm, start(crm, "SELECT Id FROM Lead"))["state"] == "JobComplete"


def test_a_job_can_be_aborted_and_only_a_finished_one_deleted():
    crm = client()
    job = start(crm, "SELECT Id FROM Lead")
    assert crm.send("DELETE", f"jobs/query/{job['id']}")[0] == 400
    assert crm.send("PATCH", f"jobs/query/{job['id']}", {"state": "Aborted"})[1]["state"] == "Aborted"
    assert crm.send("DELETE", f"jobs/query/{job['id']}")[0] == 204


def ingest(crm: Client, upload: str, **options: str) -> dict[str, Any]:
    """Run an ingest job to its end; its last state."""
    wanted = {"object": "Kpi__c", "operation": "upsert", "externalIdFieldName": "Key__c", **options}
    status, job = crm.send("POST", "jobs/ingest", wanted)
    assert (status, job["state"]) == (200, "Open"), job
    assert job["contentUrl"] == f"services/data/v66.0/jobs/ingest/{job['id']}/batches"
    put = crm.call("PUT", f"/{job['contentUrl']}", upload.encode(), headers={"Content-Type": "text/csv"})
    assert (put.status, put.body) == (201, b"")
    assert crm.send("PATCH", f"jobs/ingest/{job['id']}", {"state": "UploadComplete"})[0] == 200
    while (seen := crm.get(f"jobs/ingest/{job['id']}"))["state"] not in {"JobComplete", "Failed"}:
        pass
    return dict(seen)


def rows(crm: Client, job: dict[str, Any], which: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(crm.call("GET", f"jobs/ingest/{job['id']}/{which}").body.decode())))


@pytest.fixture
def crm() -> Client:
    one = client()
    one.provision()
    return one


def test_an_ingest_job_lands_good_rows_and_lists_bad_ones(crm: Client):
    upload = "Key__c,Value__c,Rep__r.Username\na,1.5,bea@example.com\nb,many,\nc,2,nobody@example.com\n"
    job = ingest(crm, upload)
    assert (job["state"], job["numberRecordsProcessed"], job["numberRecordsFailed"]) == ("JobComplete", 3, 2)
    good = rows(crm, job, "successfulResults")
    assert good[0] == ["sf__Id", "sf__Created", "Key__c", "Value__c", "Rep__r.Username"]
    assert good[1][1:] == ["true", "a", "1.5", "bea@example.com"]
    bad = rows(crm, job, "failedResults")
    assert [row[1].split(":")[0] for row in bad[1:]] == ["JSON_PARSER_ERROR", "INVALID_FIELD"]
    assert rows(crm, job, "unprocessedrecords") == [["Key__c", "Value__c", "Rep__r.Username"]]
    assert crm.query("SELECT Value__c, Rep__r.Name FROM Kpi__c")[0]["Rep__r"]["Name"] == "Bea Boss"
    assert crm.send("DELETE", f"jobs/ingest/{job['id']}")[0] == 204


def test_blank_leaves_alone_and_not_available_clears(crm: Client):
    ingest(crm, "Key__c,Value__c,Grain__c\na,1,day\n")
    ingest(crm, "Key__c,Value__c,Grain__c\na,,#N/A\n")
    assert crm.query("SELECT Value__c, Grain__c FROM Kpi__c") == [{"Value__c": 1, "Grain__c": None}]


def test_ingest_updates_and_deletes_by_id(crm: Client):
    made = rows(crm, ingest(crm, "Key__c\na\nb\n"), "successfulResults")
    first, second = made[1][0], made[2][0]
    assert ingest(crm, f"Id,Value__c\n{first},7\n", operation="update")["numberRecordsFailed"] == 0
    assert crm.query("SELECT Value__c FROM Kpi__c WHERE Key__c = 'a'") == [{"Value__c": 7}]
    ingest(crm, f"Id\n{first}\n", operation="delete")
    ingest(crm, f"Id\n{second}\n", operation="hardDelete")
    assert crm.query("SELECT Key__c FROM Kpi__c", "queryAll") == [{"Key__c": "a"}]


def test_an_ingest_job_takes_one_upload_of_csv(crm: Client):
    _, job = crm.send("POST", "jobs/ingest", {"object": "Kpi__c", "operation": "insert"})
    where = f"jobs/ingest/{job['id']}"
    assert crm.send("PATCH", where, {"state": "UploadComplete"})[1][0]["errorCode"] == "INVALIDJOBSTATE"
    assert crm.call("PUT", f"{where}/batches", b"Key__c\na\n").status == 415
    assert crm.call("PUT", f"{where}/batches", b"Key__c\na\n", headers={"Content-Type": "text/csv"}).status == 201
    assert crm.call("PUT", f"{where}/batches", b"Key__c\na\n", headers={"Content-Type": "text/csv"}).status == 400
    assert crm.send("PATCH", where, {"state": "Aborted"})[1]["state"] == "Aborted"


def test_a_broken_upload_fails_the_job(crm: Client):
    assert ingest(crm, 'Key__c\n"unfinished')["state"] == "Failed"
    assert json.loads(crm.call("POST", "jobs/ingest", {"object": "Nothing", "operation": "insert"}).body)[0][
        "errorCode"
    ] == ("INVALIDENTITY")
