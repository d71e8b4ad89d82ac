"""The pretend Salesforce served over HTTP to clients that others wrote: simple-salesforce and plain httpx."""

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import requests
from requests.adapters import HTTPAdapter
from salesforce_company import COMPANY, NAMESPACE, NOW, TOKEN, Client, manifest, zipped
from simple_salesforce import Salesforce, SalesforceExpiredSession, SalesforceMalformedRequest

from crm_sandbox.salesforce import Org, clock_ahead
from crm_sandbox.serving import Fault, Sandbox
from crm_sandbox.world import Todo


class Rewrite(HTTPAdapter):
    """Sends what is meant for https://…salesforce.com to the sandbox: simple-salesforce insists on https."""

    def __init__(self, base: str) -> None:
        self.base = base
        super().__init__()

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        parts = urlsplit(str(request.url))
        request.url = self.base + parts.path + (f"?{parts.query}" if parts.query else "")
        return super().send(request, *args, **{**kwargs, "timeout": 30})


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    world = replace(COMPANY, todos=tuple(Todo(f"t{n}", "ana", (), (), NOW) for n in range(4500)))
    org = Org(world, clock=lambda: NOW, access_token=TOKEN)
    Client(org).provision()
    with Sandbox(org) as one:
        yield one


@pytest.fixture
def crm(sandbox: Sandbox) -> Salesforce:
    session = requests.Session()
    session.mount("https://", Rewrite(sandbox.url))
    return Salesforce(
        consumer_key="sandbox", consumer_secret="sandbox-secret", domain="acme.my", session=session, version="66.0"
    )


def test_it_signs_in_queries_and_pages(crm: Salesforce):
    assert crm.query("SELECT Name FROM Opportunity ORDER BY Name")["records"][0]["Name"] == "Acme expansion"
    ids = [row["Id"] for row in crm.query_all_iter("SELECT Id FROM Task WHERE Type = null", include_deleted=True)]
    assert len(ids) == len(set(ids)) == 4500
    assert crm.api_usage["api-usage"].total == 100_000


def test_it_describes_reads_and_writes_records(crm: Salesforce):
    assert {one["name"] for one in crm.Lead.describe()["fields"]} >= {"Company", "KPI_Score__c"}
    lead = crm.query("SELECT Id FROM Lead WHERE Name = 'Lia Lead'")["records"][0]["Id"]
    assert crm.Lead.update(lead, {"KPI_Score__c": 12.5}) == 204
    assert crm.Lead.get(lead)["KPI_Score__c"] == 12.5
    assert crm.Kpi__c.upsert("Key__c/a", {"Value__c": 1}) == 201
    assert crm.Kpi__c.upsert("Key__c/a", {"Value__c": 2}) == 200
    rows = crm.restful(
        "composite/sobjects/Kpi__c/Key__c",
        method="PATCH",
        json={"records": [{"attributes": {"type": "Kpi__c"}, "Key__c": "b", "Value__c": 3}]},
    )
    assert rows[0]["created"] is True


def test_it_runs_bulk_queries_and_bulk_upserts(crm: Salesforce, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("simple_salesforce.bulk2.sleep", lambda seconds: None)
    pages = list(crm.bulk2.Task.query("SELECT Id, Subject FROM Task WHERE Type = null", max_records=3000))
    assert sum(page.count("\n") - 1 for page in pages) == 4500
    outcome = crm.bulk2.Kpi__c.upsert(
        records=[{"Key__c": "x", "Value__c": "5"}, {"Key__c": "y", "Value__c": "wrong"}], external_id_field="Key__c"
    )
    assert (outcome[0]["numberRecordsTotal"], outcome[0]["numberRecordsFailed"]) == (2, 1)


def test_bulk_jobs_insert_update_and_delete_and_page_their_results(crm: Salesforce, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("simple_salesforce.bulk2.sleep", lambda seconds: None)
    [made] = crm.bulk2.Kpi__c.insert(records=[{"Key__c": f"k{n}", "Value__c": str(n)} for n in range(3)])
    assert (made["numberRecordsTotal"], made["numberRecordsFailed"]) == (3, 0)
    ids = [row["Id"] for row in crm.query("SELECT Id FROM Kpi__c WHERE Key__c LIKE 'k%' ORDER BY Key__c")["records"]]
    [changed] = crm.bulk2.Kpi__c.update(records=[{"Id": ids[0], "Value__c": "10"}, {"Id": ids[1], "Value__c": "no"}])
    assert changed["numberRecordsFailed"] == 1
    assert ids[1] in crm.bulk2.Kpi__c.get_failed_records(changed["job_id"])
    assert crm.Kpi__c.get(ids[0])["Value__c"] == 10
    [gone] = crm.bulk2.Kpi__c.delete(records=[{"Id": ids[2]}])
    assert gone["numberRecordsProcessed"] == 1
    assert crm.query("SELECT COUNT() FROM Kpi__c")["totalSize"] == 2
    every = crm.bulk2.Task.query_all("SELECT Id FROM Task WHERE Type = null", max_records=2000)
    assert len([line for page in every for line in page.splitlines() if "00T" in line]) == 4500


def test_deleted_and_updated_records_are_listed(crm: Salesforce, sandbox: Sandbox):
    assert isinstance(sandbox.crm, Org)
    lead = crm.Lead.create({"LastName": "New", "Company": "Firm"})["id"]
    clock_ahead(sandbox.crm, 60)
    since, until = NOW - timedelta(hours=1), NOW + timedelta(hours=1)
    assert lead in crm.Lead.updated(since, until)["ids"]
    assert crm.Lead.delete(lead) == 204
    clock_ahead(sandbox.crm, 60)
    assert lead in [row["id"] for row in crm.Lead.deleted(since, until)["deletedRecords"]]


def test_metadata_is_deployed_and_looked_at(crm: Salesforce):
    files = {
        "package.xml": manifest(CustomField=("Lead.More__c",)),
        "objects/Lead.object": f'''<CustomObject xmlns="{NAMESPACE}"><fields><fullName>More__c</fullName>
            <label>More</label><length>20</length><type>Text</type></fields></CustomObject>''',
    }
    assert deployed(crm, files) == ("Succeeded", [])
    assert {"describe", "rowTemplate", "sobject"} <= crm.Lead.metadata()["objectDescribe"]["urls"].keys()
    wrong = {**files, "objects/Lead.object": files["objects/Lead.object"].replace("<type>Text</type>", "")}
    state, [problem] = deployed(crm, wrong)
    assert (state, problem["type"], problem["status"]) == ("Failed", "CustomField", "Error")


def deployed(crm: Salesforce, files: dict[str, str]) -> tuple[str, list[dict[str, str]]]:
    """How a deployment by SOAP ended, and what was wrong with it."""
    # The client leaves the headers of a deployment in every later call of its own: it gets a client to itself.
    alone = Salesforce(
        session_id=crm.session_id, instance="acme.my.salesforce.com", session=crm.session, version="66.0"
    )
    begun = alone.deploy(io.BytesIO(zipped(files)), sandbox=False)
    assert begun["state"] == "Queued"
    states = []
    while (told := alone.checkDeployStatus(begun["asyncId"]))["state"] not in {"Succeeded", "Failed"}:
        states.append(told["state"])
    assert states == ["Pending", "InProgress"]
    return str(told["state"]), told["deployment_detail"]["errors"]


def test_its_errors_are_the_ones_it_knows(crm: Salesforce, sandbox: Sandbox):
    with pytest.raises(SalesforceMalformedRequest) as refused:
        crm.query("SELECT Nope FROM Lead")
    assert refused.value.content[0]["errorCode"] == "INVALID_FIELD"
    session = requests.Session()
    session.mount("https://", Rewrite(sandbox.url))
    with pytest.raises(SalesforceExpiredSession):
        Salesforce(session_id="gone", instance="acme.my.salesforce.com", session=session).query("SELECT Id FROM Lead")


def test_headers_arrive_in_their_own_case_and_bodies_compressed(sandbox: Sandbox):
    with httpx.Client(base_url=sandbox.url, headers={"Authorization": f"Bearer {TOKEN}"}) as plain:
        answer = plain.get("/services/data/v66.0/sobjects/Lead/describe")
        assert answer.headers["Content-Encoding"] == "gzip"
        names = [name for name, _ in answer.headers.raw]
        assert b"Sforce-Limit-Info" in names
        assert b"ETag" in names
        tag = answer.headers["ETag"]
        again = plain.get("/services/data/v66.0/sobjects/Lead/describe", headers={"If-None-Match": tag})
        assert (again.status_code, again.content) == (304, b"")
        path = plain.get("/services/data/v66.0/sobjects/Kpi__c/Key__c/a%2Fb")
        assert path.status_code == 404


def test_faults_strike_between_pages_and_the_locator_still_works(sandbox: Sandbox):
    with httpx.Client(base_url=sandbox.url, headers={"Authorization": f"Bearer {TOKEN}"}) as plain:
        first = plain.get("/services/data/v66.0/query", params={"q": "SELECT Id FROM Task WHERE Type = null"}).json()
        html = "<html>busy</html>"
        sandbox.faults.append(Fault(path="/query/0r8", do="answer", status=503, body=html))
        assert plain.get(first["nextRecordsUrl"]).text == html
        assert len(plain.get(first["nextRecordsUrl"]).json()["records"]) == 2000
