"""Paging through query results of the pretend Salesforce."""

import json
from dataclasses import replace
from typing import Any

from salesforce_company import COMPANY, Client, client

from crm_sandbox.salesforce import change
from crm_sandbox.world import Todo

MANY = replace(COMPANY, todos=tuple(Todo(f"t{n}", "ana", (), (), COMPANY.now) for n in range(4500)))
EVERY = "SELECT Id FROM Task WHERE TaskSubtype = 'Task' AND Type = null ORDER BY Id"


def page(crm: Client, url: str, **headers: str) -> dict[str, Any]:
    params = {"q": EVERY} if url == "query" else {}
    response = crm.call("GET", url, params=params, headers=headers)
    assert response.status == 200, response.body
    return dict(json.loads(response.body))


def test_pages_hold_two_thousand_rows_and_the_last_one_has_no_next():
    crm = client(world=MANY)
    first = page(crm, "query")
    second = page(crm, first["nextRecordsUrl"])
    third = page(crm, second["nextRecordsUrl"])
    assert [len(one["records"]) for one in (first, second, third)] == [2000, 2000, 500]
    assert {one["totalSize"] for one in (first, second, third)} == {4500}
    assert [one["done"] for one in (first, second, third)] == [False, False, True]
    assert "nextRecordsUrl" not in third
    assert first["nextRecordsUrl"].startswith("/services/data/v66.0/query/0r8")
    ids = [row["Id"] for one in (first, second, third) for row in one["records"]]
    assert len(set(ids)) == 4500


def test_the_batch_size_is_between_200_and_2000_and_counts_for_its_page_only():
    crm = client(world=MANY)
    first = page(crm, "query", **{"Sforce-Query-Options": "batchSize=250"})
    assert len(first["records"]) == 250
    assert len(page(crm, first["nextRecordsUrl"])["records"]) == 2000
    assert len(page(crm, "query", **{"Sforce-Query-Options": "batchSize=10"})["records"]) == 200


def test_every_fifth_page_may_be_a_little_short():
    crm = client(world=MANY)
    small = {"Sforce-Query-Options": "batchSize=200"}
    sizes, url = [], "query"
    for _ in range(6):
        one = page(crm, url, **small)
        sizes.append(len(one["records"]))
        url = one["nextRecordsUrl"]
    assert sizes == [200, 200, 200, 200, 193, 200]


def test_a_page_is_the_same_however_often_it_is_read():
    crm = client(world=MANY)
    url = page(crm, "query")["nextRecordsUrl"]
    crm.send("POST", "/_control/pages", {"sizes": [300]})
    first = page(crm, url)
    crm.send("POST", "/_control/pages", {"sizes": []})
    assert len(first["records"]) == 300
    assert page(crm, url) == first


def test_rows_are_as_they_were_when_the_query_ran():
    crm = client(world=MANY)
    asked = "SELECT Subject FROM Task WHERE TaskSubtype = 'Task' AND Type = null ORDER BY Id"
    first = crm.get("query", q=asked)
    change(crm.org, "Task", crm.org.id_of("todo", "t4000"), {"Subject": "Changed meanwhile"})
    subjects = set()
    while not first["done"]:
        first = crm.get(first["nextRecordsUrl"])
        subjects |= {row["Subject"] for row in first["records"]}
    assert subjects == {"Next step"}


def test_an_unknown_or_expired_locator_is_refused():
    crm = client(world=MANY)
    url = page(crm, "query")["nextRecordsUrl"]
    expected = [{"message": "invalid query locator", "errorCode": "INVALID_QUERY_LOCATOR"}]
    assert crm.send("GET", "query/0r8000000000000AAA-2000") == (400, expected)
    crm.send("POST", "/_control/pages", {"expire": True})
    assert crm.send("GET", url) == (400, expected)
