"""Associations of the pretend HubSpot."""

from datetime import timedelta

from hubspot_company import NOW, Client

from crm_sandbox.hubspot import ALL_SCOPES, Rules
from crm_sandbox.world import Call, Sale, World

READ = "/crm/associations/2026-09/deals/contacts/batch/read"

BUSY = World(
    "Busy",
    NOW,
    sales=(Sale("deal", "Deal", ((NOW, None),), NOW, "open", NOW.date()),),
    calls=tuple(Call(f"c{n}", None, (), ("deal",), NOW - timedelta(minutes=n)) for n in range(600)),
)


def test_records_without_associations_are_errors_beside_the_results() -> None:
    client = Client()
    won, lost = client.id_of("sale", "won"), client.id_of("sale", "lost")
    body = client.post(READ, {"inputs": [{"id": lost}, {"id": won}]}, 207)
    contact = int(client.id_of("prospect", "li"))
    assert body["results"] == [
        {
            "from": {"id": won},
            "to": [
                {
                    "toObjectId": contact,
                    "associationTypes": [{"category": "HUBSPOT_DEFINED", "typeId": 3, "label": None}],
                }
            ],
        }
    ]
    assert body["numErrors"] == 1
    error = body["errors"][0]
    assert (error["category"], error["subCategory"]) == (
        "OBJECT_NOT_FOUND",
        "crm.associations.NO_ASSOCIATIONS_FOUND",
    )
    assert error["message"] == f"No contact is associated with deal {lost}."
    assert error["context"] == {
        "fromObjectId": [lost],
        "fromObjectType": ["deal"],
        "toObjectType": ["contact"],
    }


def test_even_when_nothing_is_linked_the_answer_is_207() -> None:
    client = Client()
    body = client.post(READ, {"inputs": [{"id": client.id_of("sale", "lost")}]}, 207)
    assert body["results"] == []


def test_the_primary_company_has_two_types() -> None:
    client = Client()
    inputs = {"inputs": [{"id": client.id_of("sale", "won")}]}
    body = client.post("/crm/v4/associations/deals/companies/batch/read", inputs)
    assert body["results"][0]["to"][0]["associationTypes"] == [
        {"category": "HUBSPOT_DEFINED", "typeId": 341, "label": None},
        {"category": "HUBSPOT_DEFINED", "typeId": 5, "label": "Primary"},
    ]


def test_six_hundred_calls_of_a_deal_come_in_two_pages() -> None:
    client = Client(BUSY)
    deal = client.id_of("sale", "deal")
    url = "/crm/associations/2026-09/deals/calls/batch/read"
    first = client.post(url, {"inputs": [{"id": deal}]})["results"][0]
    after = first["paging"]["next"]["after"]
    second = client.post(url, {"inputs": [{"id": deal, "after": after}]})["results"][0]
    assert (len(first["to"]), len(second["to"]), "paging" in second) == (500, 100, False)
    assert len({end["toObjectId"] for end in first["to"] + second["to"]}) == 600


def test_a_batch_takes_a_thousand_records() -> None:
    inputs = [{"id": str(n)} for n in range(1001)]
    client = Client()
    client.post(READ, {"inputs": inputs}, 400)
    client.post(READ, {"inputs": inputs[:1000]}, 207)


def test_archived_records_are_not_seen_from_the_other_end() -> None:
    client = Client()
    client.portal.archive("contacts", client.id_of("prospect", "li"))
    client.post(READ, {"inputs": [{"id": client.id_of("sale", "won")}]}, 207)


def test_ids_can_be_switched_to_text() -> None:
    client = Client(rules=Rules(associated_ids_as_text=True))
    body = client.post(READ, {"inputs": [{"id": client.id_of("sale", "won")}]})
    assert body["results"][0]["to"][0]["toObjectId"] == client.id_of("prospect", "li")


def test_both_ends_need_their_scope() -> None:
    client = Client(scopes=ALL_SCOPES - {"sales-email-read"})
    client.post("/crm/associations/2026-09/deals/emails/batch/read", {"inputs": [{"id": "1"}]}, 403)
    client.post("/crm/associations/2026-09/emails/deals/batch/read", {"inputs": [{"id": "1"}]}, 403)


def test_a_new_link_is_seen_from_both_ends_and_counts_as_a_change_of_the_deal() -> None:
    client = Client()
    deal, contact = client.id_of("sale", "open"), client.id_of("prospect", "old")
    link = {
        "from": {"id": deal},
        "to": {"id": contact},
        "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 3}],
    }
    client.post("/crm/associations/2026-09/deals/contacts/batch/create", {"inputs": [link]}, 201)
    back = client.post("/crm/associations/2026-09/contacts/deals/batch/read", {"inputs": [{"id": contact}]})
    assert back["results"][0]["to"][0]["toObjectId"] == int(deal)
    assert back["results"][0]["to"][0]["associationTypes"][0]["typeId"] == 4
    after = client.properties("sale", "deals", "open")
    assert (after["num_associated_contacts"], after["hs_lastmodifieddate"]) == ("1", "2026-11-25T12:00:00Z")


def test_a_type_of_another_pair_is_refused() -> None:
    client = Client()
    link = {
        "from": {"id": client.id_of("sale", "open")},
        "to": {"id": client.id_of("prospect", "old")},
        "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 194}],
    }
    body = client.post("/crm/associations/2026-09/deals/contacts/batch/create", {"inputs": [link]}, 207)
    assert body["numErrors"] == 1


def test_a_call_is_made_together_with_its_links() -> None:
    client = Client()
    contact = client.id_of("prospect", "old")
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 194}]
    made = client.post(
        "/crm/objects/2026-09/calls",
        {
            "properties": {"hs_timestamp": "2026-11-20T10:00:00Z"},
            "associations": [{"to": {"id": contact}, "types": types}],
        },
        201,
    )
    body = client.post("/crm/associations/2026-09/calls/contacts/batch/read", {"inputs": [{"id": made["id"]}]})
    assert body["results"][0]["to"][0]["toObjectId"] == int(contact)


def test_the_single_read_exists_until_2026_03_and_no_longer_in_2026_09() -> None:
    client = Client()
    end = f"deals/{client.id_of('sale', 'won')}/associations/contacts"
    for path in (f"/crm/v4/objects/{end}", f"/crm/objects/2026-03/{end}"):
        assert len(client.get(path)["results"]) == 1
    client.get(f"/crm/objects/2026-09/{end}", 404)


def test_a_link_can_be_put_and_deleted_alone() -> None:
    client = Client()
    deal, contact = client.id_of("sale", "open"), client.id_of("prospect", "old")
    url = f"/crm/objects/2026-09/deals/{deal}/associations/contacts/{contact}"
    assert client.send("PUT", url).status == 200
    assert len(client.post(READ, {"inputs": [{"id": deal}]})["results"]) == 1
    client.delete(url)
    client.post(READ, {"inputs": [{"id": deal}]}, 207)


def test_archiving_a_link_in_a_batch_removes_it() -> None:
    client = Client()
    won, contact = client.id_of("sale", "won"), client.id_of("prospect", "li")
    link = {"from": {"id": won}, "to": [{"id": contact}]}
    client.post("/crm/associations/2026-09/deals/contacts/batch/archive", {"inputs": [link]}, 204)
    client.post(READ, {"inputs": [{"id": won}]}, 207)


def test_labels_list_every_type_of_a_pair() -> None:
    body = Client().get("/crm/associations/2026-09/contacts/companies/labels")
    assert [(entry["typeId"], entry["label"]) for entry in body["results"]] == [(279, None), (1, "Primary")]
