"""What whoever runs the sandbox can do behind the pretend Salesforce's back."""

import json
from typing import Any

from salesforce_company import Client, client

from crm_sandbox.salesforce import fingerprint


def control(crm: Client, method: str, path: str, body: object = None) -> Any:
    response = crm.call(method, f"/_control/{path}", body)
    assert response.status < 300, response.body
    return json.loads(response.body) if response.body else None


def test_rows_can_be_read_whole_whoever_may_see_them():
    crm = client()
    crm.deploy({"package.xml": '<Package xmlns="http://soap.sforce.com/2006/04/metadata"/>'})
    leads = control(crm, "GET", "records?object=Lead")
    assert {row["Name"] for row in leads} == {"Lia Lead", "Leo Converted", "Pia Pool"}
    assert len(control(crm, "GET", "records?object=Lead&deleted=true")) == 5


def test_a_users_change_moves_the_stamps():
    crm = client()
    lead = crm.org.id_of("lead", "lia")
    control(crm, "POST", "clock", {"advance_seconds": 3600})
    control(crm, "PATCH", f"records/Lead/{lead}", {"Status": "Working - Contacted"})
    assert crm.query(f"SELECT Status, SystemModstamp, CreatedDate FROM Lead WHERE Id = '{lead}'") == [
        {
            "Status": "Working - Contacted",
            "SystemModstamp": "2026-11-20T13:00:00.000+0000",
            "CreatedDate": "2026-03-01T09:00:00.000+0000",
        }
    ]


def test_a_row_can_commit_late_with_an_old_stamp():
    crm = client()
    sent = {
        "object": "Task",
        "fields": {"OwnerId": crm.org.id_of("seller", "ana"), "Subject": "Late", "Status": "Completed"},
        "stamps": {"SystemModstamp": "2026-11-20T11:50:00Z", "CreatedDate": "2026-11-20T11:50:00Z"},
    }
    made = control(crm, "POST", "records", sent)["id"]
    assert crm.query(f"SELECT IsClosed, SystemModstamp FROM Task WHERE Id = '{made}'") == [
        {"IsClosed": True, "SystemModstamp": "2026-11-20T11:50:00.000+0000"}
    ]


def test_deleting_undeleting_and_hard_deleting():
    crm = client()
    lead = crm.org.id_of("lead", "lia")
    asked = f"SELECT IsDeleted FROM Lead WHERE Id = '{lead}'"
    control(crm, "DELETE", f"records/Lead/{lead}")
    assert (crm.query(asked), crm.query(asked, "queryAll")) == ([], [{"IsDeleted": True}])
    control(crm, "POST", "undelete", {"object": "Lead", "id": lead})
    assert crm.query(asked) == [{"IsDeleted": False}]
    control(crm, "DELETE", f"records/Lead/{lead}?hard=true")
    assert crm.query(asked, "queryAll") == []


def test_a_merge_moves_the_losers_activities_to_the_master():
    crm = client()
    master, loser = crm.org.id_of("lead", "pool"), crm.org.id_of("lead", "lia")
    call = crm.org.id_of("call", "later")
    control(crm, "POST", "merge", {"object": "Lead", "master": master, "duplicates": [loser]})
    assert crm.query(f"SELECT MasterRecordId FROM Lead WHERE Id = '{loser}'", "queryAll") == [
        {"MasterRecordId": master}
    ]
    assert crm.query(f"SELECT WhoId FROM Task WHERE Id = '{call}'") == [{"WhoId": master}]


def test_ids_can_be_looked_up_by_the_worlds_keys():
    crm = client()
    sellers = {row["key"]: row["id"] for row in control(crm, "GET", "ids?kind=seller")}
    assert sellers["ana"] == crm.org.id_of("seller", "ana")
    assert set(sellers) == {"boss", "ana", "old", "inbound", "bot"}


def test_the_fingerprint_ignores_stamps_and_nothing_else():
    crm = client()
    first = control(crm, "GET", "fingerprint")
    lead = crm.org.id_of("lead", "lia")
    control(crm, "POST", "clock", {"advance_seconds": 60})
    control(crm, "PATCH", f"records/Lead/{lead}", {"LeadSource": "Web"})
    assert control(crm, "GET", "fingerprint") == first
    control(crm, "PATCH", f"records/Lead/{lead}", {"LeadSource": "Other"})
    changed = control(crm, "GET", "fingerprint")
    assert changed["fingerprint"] != first["fingerprint"]
    assert {name for name in first["objects"] if first["objects"][name] != changed["objects"][name]} == {"Lead"}
    assert fingerprint(client().org) == first


def test_tokens_can_be_accepted_and_refresh_tokens_handed_out():
    crm = client()
    control(crm, "POST", "tokens", {"accept": "from-elsewhere"})
    assert Client(crm.org, "from-elsewhere").call("GET", "limits").status == 200
    control(crm, "POST", "tokens", {"revoke": "from-elsewhere"})
    assert Client(crm.org, "from-elsewhere").call("GET", "limits").status == 401
    assert control(crm, "POST", "refresh_tokens", {})["refresh_token"] in crm.org.auth.refresh_tokens


def test_a_mistake_in_a_control_request_says_what_is_missing():
    crm = client()
    assert crm.call("POST", "/_control/records", {"object": "Nothing", "fields": {}}).status == 404
    missing = crm.call("POST", "/_control/records", {"fields": {}})
    assert (missing.status, b"'object'" in missing.body) == (400, True)
    assert crm.call("GET", "/_control/nothing").status == 404
