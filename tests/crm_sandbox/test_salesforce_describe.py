"""What exists in the pretend Salesforce and who sees it: describes, features, field security, limits, versions."""

import json
from dataclasses import replace

import pytest
from salesforce_company import COMPANY, VERSION, Client, client, form

from crm_sandbox.salesforce import EVERYTHING, Features


def fields(crm: Client, thing: str) -> dict[str, dict[str, object]]:
    return {one["name"]: one for one in crm.get(f"sobjects/{thing}/describe")["fields"]}


def test_the_versions_need_no_sign_in_and_rise():
    versions = json.loads(client().call("GET", "/services/data/", headers={"Authorization": ""}).body)
    assert versions[-1] == {"label": "Winter '27", "url": "/services/data/v68.0", "version": "68.0"}
    assert versions[-4]["label"] == "Winter '26"
    assert [one["version"] for one in versions] == [f"{number}.0" for number in range(31, 69)]


@pytest.mark.parametrize(("version", "status"), [("v30.0", 410), ("v69.0", 404), ("v66", 404), ("latest", 200)])
def test_retired_versions_are_gone_and_unknown_ones_not_found(version: str, status: int):
    assert client().call("GET", f"/services/data/{version}/limits").status == status


def test_the_global_describe_lists_what_the_user_sees():
    listing = client().get("sobjects/")
    known = {one["name"]: one for one in listing["sobjects"]}
    assert listing["maxBatchSize"] == 200
    assert known["Lead"]["keyPrefix"] == "00Q"
    assert known["Lead"]["urls"]["describe"] == f"{VERSION}/sobjects/Lead/describe"
    assert "VoiceCall" not in known


def test_fields_tell_type_length_picklist_and_relations():
    lead = fields(client(), "lead")
    assert (lead["Company"]["type"], lead["Company"]["length"], lead["Company"]["nillable"]) == ("string", 255, False)
    assert lead["OwnerId"]["referenceTo"] == ["Group", "User"]
    assert lead["OwnerId"]["relationshipName"] == "Owner"
    assert [one["value"] for one in lead["Rating"]["picklistValues"]] == ["Hot", "Warm", "Cold"]
    assert lead["IsConverted"]["updateable"] is False
    assert lead["Status"]["updateable"] is True
    assert lead["SystemModstamp"]["createable"] is False


def test_the_object_resource_is_not_its_describe():
    body = client().get("sobjects/Lead")
    assert set(body) == {"objectDescribe", "recentItems"}
    assert "fields" not in body["objectDescribe"]


def test_a_describe_has_a_tag_and_answers_304_while_nothing_changed():
    crm = client()
    first = crm.call("GET", "sobjects/Lead/describe")
    again = crm.call("GET", "sobjects/Lead/describe", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status, again.body) == (304, b"")
    crm.send("POST", "/_control/fls", {"Lead.Rating": "hidden"})
    assert crm.call("GET", "sobjects/Lead/describe", headers={"If-None-Match": first.headers["ETag"]}).status == 200


def test_a_describe_answers_304_to_who_has_it_since_its_last_change():
    crm = client()
    dated = crm.call("GET", "sobjects/Lead/describe").headers["Last-Modified"]
    assert dated == "Fri, 20 Nov 2026 12:00:00 GMT"
    asked = {"If-Modified-Since": dated}
    assert crm.call("GET", "sobjects/Lead/describe", headers=asked).status == 304
    crm.send("POST", "/_control/clock", {"advance_seconds": 60})
    crm.send("POST", "/_control/fls", {"Lead.Rating": "hidden"})
    assert crm.call("GET", "sobjects/Lead/describe", headers=asked).status == 200


def test_a_hidden_field_is_absent_from_describe_query_and_write():
    crm = client()
    crm.send("POST", "/_control/fls", {"Lead.Rating": "hidden"})
    lead = crm.org.id_of("lead", "lia")
    assert "Rating" not in fields(crm, "Lead")
    assert crm.refusal("SELECT Rating FROM Lead")[1] == "INVALID_FIELD"
    assert crm.send("PATCH", f"sobjects/Lead/{lead}", {"Rating": "Hot"})[1][0]["errorCode"] == "INVALID_FIELD"
    crm.send("POST", "/_control/fls", {"Lead.Rating": "visible"})
    assert crm.send("PATCH", f"sobjects/Lead/{lead}", {"Rating": "Hot"})[0] == 204


def test_a_read_only_field_says_whom_to_ask():
    crm = client(Features(read_only=frozenset({"Lead.Rating"})))
    assert fields(crm, "Lead")["Rating"]["updateable"] is False
    status, body = crm.send("PATCH", f"sobjects/Lead/{crm.org.id_of('lead', 'lia')}", {"Rating": "Hot"})
    assert (status, body[0]["errorCode"], body[0]["fields"]) == (400, "INVALID_FIELD_FOR_INSERT_UPDATE", ["Rating"])
    assert body[0]["message"].startswith("Unable to create/update fields: Rating. Please check the security settings")


@pytest.mark.parametrize(
    ("feature", "thing"),
    [
        ({"email_messages": False}, "EmailMessage"),
        ({"forecasts": False}, "ForecastingQuota"),
        ({"splits": False}, "OpportunitySplit"),
        ({"multi_currency": False}, "CurrencyType"),
        ({"dated_rates": False}, "DatedConversionRate"),
        ({"owner_history": False}, "OpportunityFieldHistory"),
        ({"campaigns": False}, "CampaignMember"),
        ({"absent": ["Lead"]}, "Lead"),
        ({"permissions": sorted(EVERYTHING - {"ViewAllForecasts"})}, "ForecastingQuota"),
    ],
)
def test_what_is_switched_off_is_not_there(feature: dict[str, object], thing: str):
    crm = client()
    assert crm.call("GET", f"sobjects/{thing}/describe").status == 200
    crm.send("POST", "/_control/features", feature)
    assert crm.send("GET", f"sobjects/{thing}/describe") == (
        404,
        [{"message": "The requested resource does not exist", "errorCode": "NOT_FOUND"}],
    )
    assert crm.refusal(f"SELECT Id FROM {thing}")[1] == "INVALID_TYPE"
    assert thing not in {one["name"] for one in crm.get("sobjects")["sobjects"]}


def test_without_a_telephone_system_tasks_have_no_call_fields():
    crm = client(Features(cti=False))
    assert "CallDurationInSeconds" not in fields(crm, "Task")
    assert crm.refusal("SELECT CallType FROM Task")[1] == "INVALID_FIELD"


def test_roles_and_profiles_of_users_need_their_permissions():
    crm = client(Features(permissions=EVERYTHING - {"ViewRoles"}))
    assert not {"UserRoleId", "ProfileId"} & set(fields(crm, "User"))


def test_limits_count_every_call_and_every_answer_says_so():
    crm = client(daily_calls=5)
    assert crm.call("GET", "limits").headers["Sforce-Limit-Info"] == "api-usage=1/5"
    daily = crm.get("limits")["DailyApiRequests"]
    assert daily == {"Max": 5, "Remaining": 3, "Ant Migration Tool": {"Max": 0, "Remaining": 0}}
    assert crm.call("GET", "sobjects/Nothing").headers["Sforce-Limit-Info"] == "api-usage=3/5"
    sign_in = form(grant_type="client_credentials", client_id="sandbox", client_secret="sandbox-secret")
    assert "Sforce-Limit-Info" not in crm.call("POST", "/services/oauth2/token", sign_in).headers
    crm.get("limits")
    crm.get("limits")
    assert crm.send("GET", "limits") == (
        403,
        [{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}],
    )
    crm.send("POST", "/_control/usage", {"used": 4000, "most": 5000})
    assert crm.call("GET", "limits").headers["Sforce-Limit-Info"] == "api-usage=4001/5000"


def test_an_app_may_have_an_allowance_of_its_own():
    crm = client()
    crm.send("POST", "/_control/usage", {"used": 16, "app": ["Sales KPIs", 250]})
    told = crm.call("GET", "limits").headers["Sforce-Limit-Info"]
    assert told == "api-usage=17/100000; per-app-api-usage=17/250(appName=Sales KPIs)"


def test_limits_need_view_setup():
    crm = client(Features(permissions=EVERYTHING - {"ViewSetup"}))
    assert crm.send("GET", "limits")[0] == 403


def test_record_counts_leave_out_names_that_do_not_exist():
    crm = client()
    counts = crm.get("limits/recordCount", sObjects="Opportunity,Nothing,user")
    assert counts == {"sObjects": [{"count": 3, "name": "Opportunity"}, {"count": 6, "name": "User"}]}


def test_a_user_without_api_access_is_turned_away():
    crm = client(Features(permissions=frozenset()))
    assert crm.send("GET", "sobjects")[1][0]["errorCode"] == "API_CURRENTLY_DISABLED"


def test_the_date_header_is_the_organisations_own_clock():
    crm = client()
    assert crm.call("GET", "limits").headers["Date"] == "Fri, 20 Nov 2026 12:00:00 GMT"
    crm.send("POST", "/_control/clock", {"advance_seconds": 90})
    assert crm.call("GET", "limits").headers["Date"] == "Fri, 20 Nov 2026 12:01:30 GMT"


def test_an_endless_url_is_too_long():
    crm = client()
    response = crm.call("GET", "query", params={"q": f"SELECT Id FROM Lead WHERE Name = '{'x' * 17_000}'"})
    assert response.status == 414


def test_a_world_that_needs_several_currencies_has_them():
    assert client(world=replace(COMPANY, rates=())).call("GET", "sobjects/CurrencyType/describe").status == 200
