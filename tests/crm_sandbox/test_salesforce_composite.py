"""Several requests in one call to the pretend Salesforce."""

from typing import Any

import pytest
from salesforce_company import VERSION, Client, client


@pytest.fixture
def crm() -> Client:
    one = client()
    one.provision()
    return one


def step(reference: str, method: str, url: str, body: object = None) -> dict[str, object]:
    made = {"method": method, "url": f"{VERSION}/{url}", "referenceId": reference}
    return {**made, "body": body} if body is not None else made


def composite(crm: Client, *steps: object, **options: object) -> list[dict[str, Any]]:
    status, body = crm.send("POST", "composite", {"compositeRequest": list(steps), **options})
    assert status == 200, body
    return list(body["compositeResponse"])


def test_later_steps_may_refer_to_what_earlier_ones_answered(crm: Client):
    answers = composite(
        crm,
        step("rep", "GET", "query?q=SELECT+Id+FROM+User+WHERE+Name='Ana+Ruiz'"),
        step("made", "POST", "sobjects/Kpi__c", {"Key__c": "a", "Rep__c": "@{rep.records[0].Id}"}),
        step("seen", "GET", "sobjects/Kpi__c/@{made.id}?fields=Rep__c"),
    )
    assert [one["httpStatusCode"] for one in answers] == [200, 201, 200]
    assert answers[2]["body"]["Rep__c"] == crm.org.id_of("seller", "ana")
    assert [one["referenceId"] for one in answers] == ["rep", "made", "seen"]


def test_without_all_or_none_the_good_steps_stand(crm: Client):
    answers = composite(
        crm,
        step("good", "POST", "sobjects/Kpi__c", {"Key__c": "a"}),
        step("bad", "POST", "sobjects/Kpi__c", {"Nope__c": 1}),
        step("lost", "GET", "sobjects/Kpi__c/@{nothing.id}"),
    )
    assert [one["httpStatusCode"] for one in answers] == [201, 400, 400]
    assert answers[2]["body"][0]["errorCode"] == "PROCESSING_HALTED"
    assert crm.get("query", q="SELECT COUNT() FROM Kpi__c")["totalSize"] == 1


def test_all_or_none_halts_everything_else(crm: Client):
    answers = composite(
        crm,
        step("good", "POST", "sobjects/Kpi__c", {"Key__c": "a"}),
        step("bad", "POST", "sobjects/Kpi__c", {"Nope__c": 1}),
        step("late", "POST", "sobjects/Kpi__c", {"Key__c": "b"}),
        allOrNone=True,
    )
    assert [one["body"][0]["errorCode"] for one in answers] == [
        "PROCESSING_HALTED",
        "INVALID_FIELD",
        "PROCESSING_HALTED",
    ]
    assert crm.get("query", q="SELECT COUNT() FROM Kpi__c")["totalSize"] == 0


def test_a_composite_call_counts_once_and_takes_twenty_five_steps(crm: Client):
    used = crm.org.usage.used
    composite(crm, *(step(f"r{n}", "GET", "sobjects/Lead/describe") for n in range(25)))
    assert crm.org.usage.used == used + 1
    many = [step(f"r{n}", "GET", "limits") for n in range(26)]
    assert crm.send("POST", "composite", {"compositeRequest": many})[0] == 400
    queries = [step(f"r{n}", "GET", "query?q=SELECT+Id+FROM+Lead") for n in range(6)]
    assert crm.send("POST", "composite", {"compositeRequest": queries})[0] == 400


def test_a_batch_takes_short_and_whole_urls_and_goes_on_after_a_failure(crm: Client):
    requests = [
        {"method": "GET", "url": "v66.0/sobjects/Lead/describe"},
        {"method": "GET", "url": f"{VERSION}/sobjects/Nothing/describe"},
        {"method": "POST", "url": "v66.0/sobjects/Kpi__c", "richInput": {"Key__c": "a"}},
    ]
    body = crm.send("POST", "composite/batch", {"batchRequests": requests})[1]
    assert body["hasErrors"] is True
    assert [one["statusCode"] for one in body["results"]] == [200, 404, 201]
    assert body["results"][0]["result"]["name"] == "Lead"
    halted = crm.send("POST", "composite/batch", {"batchRequests": requests, "haltOnError": True})[1]
    assert [one["statusCode"] for one in halted["results"]] == [200, 404, 412]


def test_each_graph_stands_or_falls_whole(crm: Client):
    good = [step("a", "POST", "sobjects/Kpi__c", {"Key__c": "a"}), step("b", "GET", "sobjects/Kpi__c/@{a.id}")]
    bad = [step("c", "POST", "sobjects/Kpi__c", {"Key__c": "c"}), step("d", "POST", "sobjects/Kpi__c", {"Nope__c": 1})]
    graphs = [{"graphId": "1", "compositeRequest": good}, {"graphId": "2", "compositeRequest": bad}]
    answer = crm.send("POST", "composite/graph", {"graphs": graphs})[1]
    assert [one["isSuccessful"] for one in answer["graphs"]] == [True, False]
    assert crm.query("SELECT Key__c FROM Kpi__c") == [{"Key__c": "a"}]
