"""Lists, single records and batch reads of the pretend HubSpot."""

import pytest
from hubspot_company import NOW, WORLD, Client

from crm_sandbox.hubspot import Rules
from crm_sandbox.hubspot.errors import Refusal
from crm_sandbox.world import Call, World

DEALS = "/crm/objects/2026-09/deals"
MANY = World("Many", NOW, calls=tuple(Call(f"c{n}", None, (), (), NOW, "out", "Busy", n) for n in range(230)))


def test_every_value_is_text_or_null_and_an_unknown_property_is_left_out() -> None:
    client = Client()
    deal = client.get(f"{DEALS}/{client.id_of('sale', 'won')}?properties=amount,hs_acv,nonsense,hs_is_closed_won")
    assert deal["properties"] == {
        "amount": "1085",
        "hs_acv": None,
        "hs_is_closed_won": "true",
        "createdate": "2026-03-10T00:00:00Z",
        "hs_lastmodifieddate": "2026-05-04T16:00:03Z",
        "hs_object_id": client.id_of("sale", "won"),
    }
    assert deal["updatedAt"] == "2026-05-04T16:00:03Z"
    assert deal["archived"] is False


def test_ids_of_deals_have_seventeen_digits() -> None:
    assert Client().id_of("sale", "won") == "84092605666800013"


@pytest.mark.parametrize("name", ["deals", "deal", "0-3", "DEALS"])
@pytest.mark.parametrize("prefix", ["/crm/objects/2026-09/", "/crm/objects/2026-03/", "/crm/v3/objects/"])
def test_an_object_goes_by_plural_singular_and_id_in_every_version(prefix: str, name: str) -> None:
    assert len(Client().get(f"{prefix}{name}/")["results"]) == 4


def test_properties_may_be_repeated_or_joined() -> None:
    client = Client()
    joined = client.get(f"{DEALS}?properties=amount,dealname")
    assert client.get(f"{DEALS}?properties=amount&properties=dealname") == joined


def test_a_list_has_ten_rows_unless_asked_and_never_more_than_a_hundred() -> None:
    client = Client(MANY)
    assert len(client.get("/crm/objects/2026-09/calls")["results"]) == 10
    body = client.get("/crm/objects/2026-09/calls?limit=101", 400)
    assert body["category"] == "VALIDATION_ERROR"
    client.get("/crm/objects/2026-09/calls?limit=51&propertiesWithHistory=hs_call_status", 400)


def test_paging_goes_by_id_to_a_last_page_without_paging() -> None:
    client = Client(MANY)
    ids: list[str] = []
    url = "/crm/objects/2026-09/calls?limit=100"
    sizes = []
    after = ""
    while True:
        page = client.get(url + after)
        sizes.append(len(page["results"]))
        ids += [row["id"] for row in page["results"]]
        if "paging" not in page:
            break
        after = f"&after={page['paging']['next']['after'].replace('=', '%3D')}"
    assert sizes == [100, 100, 30]
    assert ids == sorted(set(ids), key=int)


def test_a_cursor_is_opaque_and_a_made_up_one_is_refused() -> None:
    Client(MANY).get("/crm/objects/2026-09/calls?after=10", 400)


def test_archived_records_are_in_a_list_of_their_own() -> None:
    client = Client()
    live = client.get("/crm/objects/2026-09/contacts")["results"]
    gone = client.get("/crm/objects/2026-09/contacts?archived=True")["results"]
    assert client.id_of("prospect", "gone") not in [row["id"] for row in live]
    assert [row["id"] for row in gone] == [client.id_of("prospect", "gone")]
    assert gone[0]["archivedAt"] == gone[0]["updatedAt"]


def test_an_archived_record_is_404_unless_asked_for() -> None:
    client = Client()
    url = f"/crm/objects/2026-09/contacts/{client.id_of('prospect', 'gone')}"
    assert client.get(url, 404)["message"] == "resource not found"
    assert client.get(f"{url}?archived=true")["archived"] is True


def test_an_archived_record_is_gone_for_good_after_ninety_days() -> None:
    client = Client(rules=Rules(kept_days=90))
    deal = client.id_of("sale", "won")
    client.portal.archive("deals", deal)
    client.hands.pass_time(89 * 86_400)
    assert deal in {row["id"] for row in client.get(f"{DEALS}?archived=true")["results"]}
    client.hands.pass_time(2 * 86_400)
    assert client.get(f"{DEALS}?archived=true")["results"] == []
    client.get(f"{DEALS}/{deal}?archived=true", 404)
    with pytest.raises(Refusal):
        client.portal.restore("deals", deal)


def test_an_id_that_is_no_number_gets_a_404_of_its_own() -> None:
    assert Client().get(f"{DEALS}/abc", 404)["category"] == "OBJECT_NOT_FOUND"


def test_a_record_is_found_by_a_unique_property() -> None:
    client = Client()
    user = client.get(f"/crm/objects/2026-09/users/{client.id_of('user', 'ana')}?idProperty=hs_internal_user_id")
    assert user["id"] == client.id_of("person_record", "ana")
    client.get("/crm/objects/2026-09/contacts/ana?idProperty=lastname", 400)


def test_the_id_of_a_merged_record_finds_the_one_that_survived() -> None:
    client = Client()
    twin, survivor = client.id_of("prospect", "twin"), client.id_of("prospect", "li")
    found = client.get(f"/crm/objects/2026-09/contacts/{twin}?properties=hs_merged_object_ids")
    assert found["id"] == survivor
    assert found["properties"]["hs_merged_object_ids"] == twin


def test_history_comes_newest_first() -> None:
    client = Client()
    deal = client.get(f"{DEALS}/{client.id_of('sale', 'won')}?propertiesWithHistory=hubspot_owner_id")
    past = deal["propertiesWithHistory"]["hubspot_owner_id"]
    assert [(entry["timestamp"], entry["value"]) for entry in past] == [
        ("2026-04-01T00:00:00Z", client.id_of("seller", "ana")),
        ("2026-03-10T00:00:00Z", client.id_of("seller", "íñigo")),
    ]


def test_associations_of_a_list_are_ids_and_missing_where_there_are_none() -> None:
    client = Client()
    rows = {row["id"]: row for row in client.get(f"{DEALS}?associations=contacts,companies")["results"]}
    won, open_deal = rows[client.id_of("sale", "won")], rows[client.id_of("sale", "open")]
    assert won["associations"]["contacts"]["results"] == [
        {"id": client.id_of("prospect", "li"), "type": "deal_to_contact"}
    ]
    company = client.id_of("company", "北京 & Co.")
    assert won["associations"]["companies"]["results"] == [
        {"id": company, "type": "deal_to_company"},
        {"id": company, "type": "deal_to_company_unlabeled"},
    ]
    assert "associations" not in open_deal


def test_a_batch_read_is_207_as_soon_as_a_record_is_missing() -> None:
    client = Client()
    won = client.id_of("sale", "won")
    body = client.post(f"{DEALS}/batch/read", {"inputs": [{"id": "99"}, {"id": won}], "properties": ["dealname"]}, 207)
    assert [row["properties"]["dealname"] for row in body["results"]] == ["Piloto 🚀\nfase 1"]
    assert body["numErrors"] == 1
    assert body["errors"][0]["category"] == "OBJECT_NOT_FOUND"
    assert body["errors"][0]["context"] == {"ids": ["99"]}
    assert "Could not get some DEAL objects" in body["errors"][0]["message"]


def test_a_batch_read_takes_a_hundred_ids_and_gives_them_in_another_order() -> None:
    client = Client(MANY)
    ids = [client.id_of("call", f"c{n}") for n in range(101)]
    read = "/crm/objects/2026-09/calls/batch/read"
    client.post(read, {"inputs": [{"id": number} for number in ids]}, 400)
    found = client.post(read, {"inputs": [{"id": number} for number in ids[:100]]})["results"]
    got = [row["id"] for row in found]
    assert sorted(got) == sorted(ids[:100])
    assert got != ids[:100]


def test_a_batch_read_by_email_ignores_case() -> None:
    client = Client()
    body = {"inputs": [{"id": "LI@client.example"}], "idProperty": "email", "properties": ["firstname"]}
    found = client.post("/crm/objects/2026-09/contacts/batch/read", body)["results"]
    assert found[0]["properties"]["firstname"] == "李"


def test_a_query_that_is_too_long_is_414() -> None:
    names = ",".join(f"property_number_{n}" for n in range(1000))
    assert Client().send("GET", f"{DEALS}?properties={names}").status == 414


def test_paths_that_hubspot_does_not_have_are_404() -> None:
    client = Client()
    for path in ("/crm/objects/2025-01/deals", "/crm/v9/objects/deals", "/nothing", "/crm/objects/2026-09"):
        client.get(path, 404)


def test_the_same_world_gets_the_same_ids_and_the_same_contents() -> None:
    first, second = Client(WORLD), Client(WORLD)
    assert first.id_of("email", "out") == second.id_of("email", "out")
    assert first.portal.fingerprint() == second.portal.fingerprint()
