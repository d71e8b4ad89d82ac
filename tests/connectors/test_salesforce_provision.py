"""Our object, fields and reports made in a pretend org and removed again: all of it, nothing else, and only once."""

import io
import json
import zipfile
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest

from connectors.contract import KpiField, NotProvisioned, Provisioned, Surface
from connectors.salesforce.metadata import NAMESPACE, package, removal, wanted
from crm_sandbox.salesforce import fingerprint
from crm_sandbox.serving import Fault
from tests.connectors.salesforce_world import House, house

KPIS = (KpiField("calls_made", "Calls made", "count", 0), KpiField("win_rate", "Win rate", "ratio", 4))
DEPLOYS = "metadata/deployRequest"


@pytest.fixture
def bare() -> Iterator[House]:
    with house() as opened:
        yield opened


def made(outcomes: list[Provisioned | NotProvisioned]) -> set[str]:
    return {outcome.what for outcome in outcomes if isinstance(outcome, Provisioned) and outcome.made}


def not_made(outcomes: list[Provisioned | NotProvisioned]) -> dict[str, NotProvisioned]:
    return {outcome.what: outcome for outcome in outcomes if isinstance(outcome, NotProvisioned)}


def test_everything_that_writing_needs_is_made_and_opened_to_whoever_signs_in(bare: House) -> None:
    outcomes = list(bare.connector.provision(KPIS))
    assert not not_made(outcomes)
    assert {
        "object Sales_KPI__c",
        "field Sales_KPI__c.External_Key__c",
        "field User.KPI_Calls_Made__c",
        "field User.KPI_Win_Rate__c",
        "field Lead.KPI_Engagement_Score__c",
        "permission set Sales_KPI_Writer",
        "tab Sales_KPI__c",
        "report type Sales_KPIs",
        "report Sales_KPIs/KPIs_by_Rep",
        "dashboard Sales_KPIs/Sales_KPI",
    } <= made(outcomes)
    assert bare.connector.capabilities().surfaces == frozenset(Surface)


def test_salesforce_is_asked_whether_it_would_before_it_does(bare: House) -> None:
    list(bare.connector.provision(KPIS))
    assert len([entry for entry in bare.sent(DEPLOYS) if entry.method == "POST"]) == 2


def test_doing_it_again_makes_nothing_and_deploys_nothing(bare: House) -> None:
    list(bare.connector.provision(KPIS))
    bare.box.log.clear()
    again = list(bare.again().provision(KPIS))
    assert made(again) == set()
    assert not [entry for entry in bare.box.log if entry.writes and "composite/batch" not in entry.path]


def test_a_kpi_that_is_tracked_later_gets_its_field_and_nothing_else_is_touched(bare: House) -> None:
    list(bare.connector.provision(KPIS))
    more = (*KPIS, KpiField("revenue", "Revenue", "money", 2))
    assert made(list(bare.connector.provision(more))) == {"field User.KPI_Revenue__c"}


def test_a_dry_run_names_all_of_it_and_writes_nothing(bare: House) -> None:
    planned = list(bare.connector.provision(KPIS, dry_run=True))
    assert not [entry for entry in bare.box.log if entry.writes and "composite/batch" not in entry.path]
    assert made(planned) == made(list(bare.connector.provision(KPIS)))


def test_removing_leaves_the_org_as_it_was(bare: House) -> None:
    before = fingerprint(bare.org)
    list(bare.connector.provision(KPIS))
    assert fingerprint(bare.org) != before
    removed = list(bare.connector.unprovision(KPIS))
    assert not not_made(removed)
    assert {"object Sales_KPI__c", "field User.KPI_Calls_Made__c", "permission set Sales_KPI_Writer"} <= made(removed)
    assert fingerprint(bare.org) == before
    assert made(list(bare.again().unprovision(KPIS))) == set()


def test_removing_in_a_dry_run_removes_nothing(bare: House) -> None:
    list(bare.connector.provision(KPIS))
    there = fingerprint(bare.org)
    assert "object Sales_KPI__c" in made(list(bare.connector.unprovision(KPIS, dry_run=True)))
    assert fingerprint(bare.org) == there


def failed(*failures: dict[str, str]) -> str:
    """A finished deployment that was refused, with Salesforce's booleans as text."""
    details = {"componentFailures": list(failures) if len(failures) != 1 else failures[0], "componentSuccesses": []}
    result = {"id": "0Af", "status": "Failed", "done": "true", "success": "false", "details": details}
    return json.dumps({"id": "0Af", "deployResult": result})


def test_what_salesforce_refuses_is_named_and_the_rest_is_made(bare: House) -> None:
    problem = {
        "componentType": "Dashboard",
        "fullName": "Sales_KPIs/Sales_KPI",
        "problem": "Cannot find a user that matches any of the following usernames",
    }
    bare.box.faults.append(Fault(f"GET .*{DEPLOYS}", "answer", status=200, body=failed(problem)))
    outcomes = list(bare.connector.provision(KPIS))
    refused = not_made(outcomes)
    assert set(refused) == {"dashboard Sales_KPIs/Sales_KPI"}
    assert "Cannot find a user" in refused["dashboard Sales_KPIs/Sales_KPI"].reason
    assert "object Sales_KPI__c" in made(outcomes)
    assert Surface.KPI_RECORDS in bare.connector.capabilities().surfaces


def test_what_depends_on_something_refused_is_not_tried(bare: House) -> None:
    problem = {"componentType": "ReportType", "fullName": "Sales_KPIs", "problem": "too many report types"}
    bare.box.faults.append(Fault(f"GET .*{DEPLOYS}", "answer", status=200, body=failed(problem)))
    refused = not_made(list(bare.connector.provision(KPIS)))
    assert set(refused) == {
        "report type Sales_KPIs",
        "report Sales_KPIs/KPIs_by_Rep",
        "report Sales_KPIs/Attainment_by_Rep",
        "dashboard Sales_KPIs/Sales_KPI",
    }
    assert refused["report Sales_KPIs/KPIs_by_Rep"].reason == "It depends on something that was refused."


def test_without_the_right_to_deploy_every_part_says_so_and_nothing_breaks(bare: House) -> None:
    no = json.dumps([{"errorCode": "INSUFFICIENT_ACCESS", "message": "no"}])
    bare.box.faults.append(Fault(f"POST .*{DEPLOYS}", "answer", status=403, body=no, times=None))
    outcomes = list(bare.connector.provision(KPIS))
    assert made(outcomes) == set()
    refused = not_made(outcomes)
    assert all("Modify Metadata" in refused[part.what].advice for part in wanted(KPIS))


def files(zipped: bytes) -> dict[str, ElementTree.Element]:
    with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
        return {name: ElementTree.fromstring(archive.read(name)) for name in archive.namelist()}


def tags(element: ElementTree.Element) -> list[str]:
    return [child.tag.removeprefix(f"{{{NAMESPACE}}}") for child in element]


def test_every_file_keeps_the_schema_s_order_full_name_first_then_alphabetical() -> None:
    for element in files(package(wanted(KPIS), (), KPIS, "66.0", "ana@acme.example")).values():
        for node in element.iter():
            inside = [tag for tag in tags(node) if tag != "fullName"]
            assert inside == sorted(inside)
            assert "fullName" not in tags(node)[1:]


def test_every_member_of_the_manifest_has_its_file() -> None:
    parts = files(package(wanted(KPIS), (), KPIS, "66.0", "ana@acme.example"))
    assert sorted(parts) == [
        "dashboards/Sales_KPIs-meta.xml",
        "dashboards/Sales_KPIs/Sales_KPI.dashboard",
        "objects/Contact.object",
        "objects/Lead.object",
        "objects/Sales_KPI__c.object",
        "objects/User.object",
        "package.xml",
        "permissionsets/Sales_KPI_Viewer.permissionset",
        "permissionsets/Sales_KPI_Writer.permissionset",
        "reportTypes/Sales_KPIs.reportType",
        "reports/Sales_KPIs-meta.xml",
        "reports/Sales_KPIs/Attainment_by_Rep.report",
        "reports/Sales_KPIs/KPIs_by_Rep.report",
        "tabs/Sales_KPI__c.tab",
    ]


def test_the_same_parts_give_the_same_bytes() -> None:
    assert package(wanted(KPIS), (), KPIS, "66.0", "a") == package(wanted(KPIS), (), KPIS, "66.0", "a")


def test_removing_an_object_takes_its_fields_along_without_naming_them() -> None:
    manifest = files(removal(wanted(KPIS), "66.0"))["destructiveChanges.xml"]
    members = [element.text for element in manifest.iter(f"{{{NAMESPACE}}}members")]
    assert "Sales_KPI__c" in members
    assert "User.KPI_Calls_Made__c" in members
    assert "Sales_KPI__c.Value__c" not in members
