"""Deployments into the pretend Salesforce."""

import pytest
from salesforce_company import MEMBERS, NAMESPACE, PACKAGE, TOKEN, Client, client, manifest, upload, zipped

from crm_sandbox.salesforce import EVERYTHING, Features, fingerprint

EMPTY = f'<Package xmlns="{NAMESPACE}"><version>66.0</version></Package>'


def without_stamps(crm: Client) -> str:
    return str(fingerprint(crm.org)["fingerprint"])


def failures(result: dict[str, object]) -> list[tuple[str, str, int]]:
    found = result["details"]["componentFailures"]  # type: ignore[index]
    return [(one["fullName"], one["problem"], one["lineNumber"]) for one in found]


def with_change(path: str, old: str, new: str) -> dict[str, str]:
    assert old in PACKAGE[path]
    return {**PACKAGE, path: PACKAGE[path].replace(old, new)}


def test_a_check_says_yes_and_changes_nothing():
    crm = client()
    before = without_stamps(crm)
    result = crm.deploy(PACKAGE, checkOnly=True)
    assert (result["status"], result["numberComponentErrors"], result["numberComponentsTotal"]) == ("Succeeded", 0, 10)
    assert without_stamps(crm) == before
    assert crm.send("GET", "sobjects/Kpi__c/describe")[0] == 404


def test_new_fields_are_seen_by_nobody_until_a_permission_set_is_assigned():
    crm = client()
    assert crm.deploy(PACKAGE)["success"]
    names = {one["name"] for one in crm.get("sobjects/Kpi__c/describe")["fields"]}
    assert "Name" in names
    assert "Key__c" not in names
    assert crm.refusal("SELECT KPI_Calls__c FROM User")[1] == "INVALID_FIELD"
    permission_set = crm.query("SELECT Id FROM PermissionSet WHERE Name = 'Kpi_Writer'")[0]["Id"]
    body = {"AssigneeId": crm.org.integration, "PermissionSetId": permission_set}
    assert crm.send("POST", "sobjects/PermissionSetAssignment", body)[0] == 201
    assert crm.send("POST", "sobjects/PermissionSetAssignment", body)[1][0]["errorCode"] == "DUPLICATE_VALUE"
    key = next(one for one in crm.get("sobjects/Kpi__c/describe")["fields"] if one["name"] == "Key__c")
    assert (key["externalId"], key["idLookup"], key["unique"], key["updateable"], key["length"]) == (
        (True, True, True, True, 40)
    )
    assert crm.query("SELECT KPI_Calls__c FROM User WHERE Name = 'Ana Ruiz'") == [{"KPI_Calls__c": None}]


def test_a_user_without_view_all_data_does_not_even_see_the_object():
    crm = client(Features(permissions=EVERYTHING - {"ViewAllData", "ModifyAllData"}))
    crm.deploy(PACKAGE)
    assert crm.send("GET", "sobjects/Kpi__c/describe")[0] == 404
    crm.provision()
    assert crm.send("POST", "sobjects/Kpi__c", {"Key__c": "a"})[0] == 201


def test_a_second_deployment_changes_nothing_and_keeps_assignments():
    crm = client()
    crm.provision()
    before = without_stamps(crm)
    result = crm.deploy(PACKAGE)
    assert {one["changed"] for one in result["details"]["componentSuccesses"]} == {False}
    assert without_stamps(crm) == before
    assert crm.send("POST", "sobjects/Kpi__c", {"Key__c": "a"})[0] == 201


def test_the_status_is_pending_then_in_progress_and_polls_are_free():
    crm = client()
    content, content_type = upload('{"deployOptions": {"checkOnly": true}}', zipped(PACKAGE))
    made = crm.call("POST", "metadata/deployRequest", content, headers={"Content-Type": content_type})
    where = f"metadata/deployRequest/{made.body.decode().split(chr(34))[3]}"
    used = crm.org.usage.used
    seen = [crm.get(where)["deployResult"]["status"] for _ in range(4)]
    assert seen == ["Pending", "InProgress", "Succeeded", "Succeeded"]
    assert crm.org.usage.used == used


def test_reports_and_dashboards_can_be_asked_for():
    crm = client()
    crm.provision()
    report = crm.query("SELECT Name, DeveloperName, FolderName, Format FROM Report")
    assert report == [{"Name": "By Rep", "DeveloperName": "By_Rep", "FolderName": "Kpis", "Format": "Summary"}]
    board = crm.query("SELECT Id, Title, RunningUser.Name FROM Dashboard")[0]
    assert (board["Title"], board["RunningUser"]["Name"]) == ("Board", "Bea Boss")
    assert crm.send("PUT", f"analytics/dashboards/{board['Id']}")[0] == 201


@pytest.mark.parametrize(
    ("path", "old", "new", "name", "words", "line"),
    [
        ("objects/User.object", "<type>Number", "<type>Numbr", "User.KPI_Calls__c", "'Numbr' is not a valid value", 3),
        ("objects/User.object", "<precision>10", "<precision>19", "User.KPI_Calls__c", "Precision must be", 2),
        ("objects/User.object", "<label>", "<lable>x</lable><label>", "User.KPI_Calls__c", "lable invalid at this", 2),
        (
            "objects/Kpi__c.object",
            "  <sharingModel>ReadWrite</sharingModel>\n",
            "",
            "Kpi__c",
            "Must specify a sharingMod",
            1,
        ),
        ("objects/Kpi__c.object", "<referenceTo>User", "<referenceTo>Usr", "Kpi__c", "referenceTo value of 'Usr'", 6),
        ("objects/Kpi__c.object", "<length>40", "<length>400", "Kpi__c", "Length must be between 1 and 255", 4),
        ("objects/Kpi__c.object", "<label>Kpi</label>", "", "Kpi__c", "Must specify a label", 1),
        (
            "objects/Kpi__c.object",
            "  <label>Kpi</label>",
            "  <label>K</label><fields/>",
            "Kpi__c",
            "fields is duplicated",
            4,
        ),
        ("tabs/Kpi__c.tab", "<motif>", "<label>Kpi</label><motif>", "Kpi__c", "Cannot specify a label", 1),
        (
            "permissionsets/Kpi_Writer.permissionset",
            "User.KPI_Calls__c",
            "User.KPI_Nope__c",
            "Kpi_Writer",
            "no CustomField named User.KPI_Nope__c",
            2,
        ),
        (
            "permissionsets/Kpi_Writer.permissionset",
            "<field>User.KPI_Calls__c",
            "<field>Kpi__c.Name",
            "Kpi_Writer",
            "You cannot deploy to a required field: Kpi__c.Name",
            2,
        ),
        (
            "permissionsets/Kpi_Writer.permissionset",
            "<allowRead>true",
            "<allowRead>false",
            "Kpi_Writer",
            "depends on permission(s): allowRead",
            4,
        ),
        (
            "reportTypes/Kpis.reportType",
            "<field>Value__c",
            "<field>Vale__c",
            "Kpis",
            "Could not resolve field 'Vale__c'",
            5,
        ),
        ("reports/Kpis/By_Rep.report", "$Value__c", "$Vale__c", "Kpis/By_Rep", "Invalid field name: Kpi__c$Vale__c", 2),
        (
            "reports/Kpis/By_Rep.report",
            "Kpis__c</reportType>",
            "Kps__c</reportType>",
            "Kpis/By_Rep",
            "Invalid report type",
            6,
        ),
        ("reports/Kpis/By_Rep.report", "<format>Summary", "<format>Tabular", "Kpis/By_Rep", "tabular report cannot", 4),
        ("dashboards/Kpis/Board.dashboard", "bea@", "nobody@", "Kpis/Board", "Cannot find a user", 12),
        ("dashboards/Kpis/Board.dashboard", "<colSpan>12", "<colSpan>13", "Kpis/Board", "does not fit", 5),
        ("dashboards/Kpis/Board.dashboard", "Kpis/By_Rep", "Kpis/Nope", "Kpis/Board", "Cannot find a report", 6),
        ("dashboards/Kpis/Board.dashboard", "  <isGridLayout>", "  <oops>", "Kpis/Board", "Error parsing file", 11),
    ],
)
def test_a_mistake_fails_its_component_with_the_line_and_rolls_everything_back(
    path: str, old: str, new: str, name: str, words: str, line: int
):
    crm = client()
    before = without_stamps(crm)
    result = crm.deploy(with_change(path, old, new))
    assert (result["status"], result["success"]) == ("Failed", False)
    first = next(one for one in failures(result) if one[0] == name)
    assert words in first[1]
    assert first[2] == line
    assert without_stamps(crm) == before
    assert crm.send("GET", "sobjects/Kpi__c/describe")[0] == 404


def test_what_the_package_names_must_be_in_the_zip_and_the_other_way_round():
    crm = client()
    missing = {path: text for path, text in PACKAGE.items() if not path.startswith("tabs/")}
    assert ("Kpi__c", "Entity of type 'CustomTab' named 'Kpi__c' cannot be found", 1) in failures(crm.deploy(missing))
    extra = {**PACKAGE, "tabs/Other.tab": PACKAGE["tabs/Kpi__c.tab"]}
    assert failures(crm.deploy(extra)) == [("Other.tab", "Not in package.xml", 1)]


def test_a_field_keeps_its_type():
    crm = client()
    crm.provision()
    changed = with_change("objects/User.object", "<type>Number", "<type>Percent")
    assert "Cannot change the type" in failures(crm.deploy(changed))[0][1]


def test_destructive_changes_take_exactly_the_named_things_out():
    crm = client()
    crm.deploy({"package.xml": EMPTY})
    before = without_stamps(crm)
    crm.provision()
    crm.send("POST", "sobjects/Kpi__c", {"Key__c": "a"})
    ana = crm.org.id_of("seller", "ana")
    crm.send("PATCH", f"sobjects/User/{ana}", {"KPI_Calls__c": 3})
    destructive = {"package.xml": EMPTY, "destructiveChanges.xml": manifest(**MEMBERS)}
    result = crm.deploy(destructive)
    assert result["success"]
    assert crm.send("GET", "sobjects/Kpi__c/describe")[0] == 404
    assert "KPI_Calls__c" not in crm.org.store.table("User").rows[ana]
    assert without_stamps(crm) == before


@pytest.mark.parametrize(
    ("kind", "name", "user"),
    [
        ("CustomObject", "Kpi__c", "ReportType Kpis, Report Kpis/By_Rep"),
        ("CustomField", "Kpi__c.Value__c", "ReportType Kpis, Report Kpis/By_Rep"),
        ("ReportType", "Kpis", "Report Kpis/By_Rep"),
        ("Report", "Kpis/By_Rep", "Dashboard Kpis/Board"),
        ("Report", "Kpis", "Report Kpis/By_Rep"),
    ],
)
def test_what_something_else_needs_cannot_be_removed(kind: str, name: str, user: str):
    crm = client()
    crm.provision()
    result = crm.deploy({"package.xml": EMPTY, "destructiveChanges.xml": manifest(**{kind: (name,)})})
    assert failures(result)[0][:2] == (name, f"This {kind} is referenced elsewhere in salesforce.com : {user}")


def test_removing_what_is_not_there_is_a_warning():
    result = client().deploy({"package.xml": EMPTY, "destructiveChanges.xml": manifest(PermissionSet=("Nope",))})
    only = result["details"]["componentSuccesses"][0]
    assert (result["status"], only["problemType"], only["problem"]) == (
        ("Succeeded", "Warning", "No PermissionSet named: Nope found")
    )


def test_a_package_may_lie_in_a_folder():
    crm = client()
    nested = {f"kpis/{path}": text for path, text in PACKAGE.items()}
    assert crm.deploy(nested, singlePackage=False)["success"]


def test_user_permissions_of_a_permission_set_reach_its_users():
    crm = client(Features(permissions=EVERYTHING - {"ManageInternalUsers"}))
    ana = f"sobjects/User/{crm.org.id_of('seller', 'ana')}"
    files = with_change(
        "permissionsets/Kpi_Writer.permissionset",
        "</PermissionSet>",
        "<userPermissions><enabled>true</enabled><name>ManageInternalUsers</name></userPermissions></PermissionSet>",
    )
    crm.provision()
    assert crm.send("PATCH", ana, {"Title": "Rep"})[0] == 403
    assert crm.deploy(files)["success"]
    assert crm.send("PATCH", ana, {"Title": "Rep"})[0] == 204


def test_deploying_needs_the_permission_and_two_parts():
    crm = client()
    assert crm.send("POST", "metadata/deployRequest", {})[0] == 415
    content, content_type = upload("{}", zipped(PACKAGE))
    assert crm.call("POST", "metadata/deployRequest", content, headers={"Content-Type": content_type}).status == 400
    crm.send("POST", "/_control/features", {"permissions": sorted(EVERYTHING - {"ModifyMetadata"})})
    assert crm.call("POST", "metadata/deployRequest", content, headers={"Content-Type": content_type}).status == 403


@pytest.mark.parametrize(
    ("session", "body", "fault"),
    [
        ("nobody", "<m:deploy/>", "sf:INVALID_SESSION_ID"),
        (TOKEN, "<m:retrieve/>", "sf:INVALID_OPERATION"),
        (TOKEN, "", "sf:INVALID_OPERATION"),
        (TOKEN, "<m:deploy><m:ZipFile>%</m:ZipFile></m:deploy>", "sf:INVALID_TYPE"),
        (TOKEN, "<m:deploy", "soapenv:Client"),
    ],
)
def test_a_soap_call_that_cannot_be_carried_out_is_a_fault(session: str, body: str, fault: str):
    text = (
        f'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns:m="{NAMESPACE}"><e:Header>'
        f"<m:SessionHeader><m:sessionId>{session}</m:sessionId></m:SessionHeader></e:Header>"
        f"<e:Body>{body}</e:Body></e:Envelope>"
    )
    answer = client().call("POST", "/services/Soap/m/66.0", text.encode())
    assert answer.status == 500
    assert f"<faultcode>{fault}</faultcode>" in answer.body.decode()
