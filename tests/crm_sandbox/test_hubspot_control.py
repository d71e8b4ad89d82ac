"""The operator's desk of the pretend HubSpot."""

from hubspot_company import KPI_SCHEMA, WORLD, Client

from crm_sandbox.hubspot import ALL_SCOPES


def test_the_desk_finds_the_id_that_a_thing_of_the_world_got() -> None:
    client = Client()
    assert client.control("GET", "ids?kind=seller&key=ana") == {"id": client.id_of("seller", "ana")}
    listed = client.control("GET", "ids?kind=sale")
    assert [entry["key"] for entry in listed] == ["won", "open", "lost", "partner"]


def test_records_show_what_is_not_blank() -> None:
    rows = Client().control("GET", "records?object=communications")
    assert rows[0]["properties"]["hs_communication_channel_type"] == "WHATS_APP"
    assert None not in rows[0]["properties"].values()


def test_a_change_at_the_desk_moves_the_stamp_even_of_a_read_only_counter() -> None:
    client = Client()
    email = client.id_of("email", "out")
    client.hands.pass_time(5)
    client.control("POST", "set", {"object": "emails", "id": email, "properties": {"hs_email_open_count": 3}})
    after = client.properties("email", "emails", "out")
    assert (after["hs_email_open_count"], after["hs_lastmodifieddate"]) == ("3", "2026-11-25T12:00:05Z")


def test_archive_restore_merge_and_links_are_done_as_a_user_would() -> None:
    client = Client()
    deal, old, li = client.id_of("sale", "open"), client.id_of("prospect", "old"), client.id_of("prospect", "li")
    client.control("POST", "archive", {"object": "deals", "id": deal})
    client.get(f"/crm/objects/2026-09/deals/{deal}", 404)
    client.hands.pass_time(1)
    client.control("POST", "restore", {"object": "deals", "id": deal})
    assert client.get(f"/crm/objects/2026-09/deals/{deal}")["updatedAt"] == "2026-11-25T12:00:01Z"
    client.control("POST", "associate", {"object": "deals", "id": deal, "to_object": "contacts", "to_id": old})
    client.control("POST", "merge", {"object": "contacts", "winner": li, "loser": old})
    linked = client.get(f"/crm/objects/2026-09/deals/{deal}?associations=contacts")["associations"]["contacts"]
    assert [entry["id"] for entry in linked["results"]] == [li]
    client.control("POST", "dissociate", {"object": "deals", "id": deal, "to_object": "contacts", "to_id": li})
    assert "associations" not in client.get(f"/crm/objects/2026-09/deals/{deal}?associations=contacts")


def test_rows_can_be_inserted_with_their_own_moments_and_links() -> None:
    client = Client()
    row = {
        "properties": {"hs_timestamp": "2026-11-20T10:00:00Z", "hs_call_direction": "OUTBOUND"},
        "created": "2026-11-20T10:00:00Z",
        "modified": "2026-11-21T00:00:00Z",
        "associations": [{"to_object": "deals", "to_id": client.id_of("sale", "open")}],
    }
    (made,) = client.control("POST", "insert", {"object": "calls", "rows": [row]})["ids"]
    read = client.get(f"/crm/objects/2026-09/calls/{made}?associations=deals")
    assert (read["createdAt"], read["updatedAt"]) == ("2026-11-20T10:00:00Z", "2026-11-21T00:00:00Z")
    assert read["associations"]["deals"]["results"][0]["id"] == client.id_of("sale", "open")


def test_a_bulk_edit_gives_every_row_the_same_stamp() -> None:
    client = Client()
    client.control("POST", "touch", {"object": "calls", "at": "2026-11-25T11:00:00Z"})
    stamps = {row["properties"]["hs_lastmodifieddate"] for row in client.portal.records("calls")}
    assert stamps == {"2026-11-25T11:00:00Z"}


def test_switches_scopes_and_clock_can_be_moved() -> None:
    client = Client()
    client.control("POST", "settings", {"tier": "free", "scopes": ["oauth"], "index_lag": 2})
    assert client.control("GET", "settings")["tier"] == "free"
    client.get("/crm/owners/2026-09", 403)
    client.control("POST", "settings", {"scopes": None})
    client.get("/crm/owners/2026-09")
    client.control("POST", "clock", {"advance": 90})
    deal = client.id_of("sale", "open")
    shown = client.patch(f"/crm/objects/2026-09/deals/{deal}", {"properties": {"amount": "1"}})
    assert shown["updatedAt"] == "2026-11-25T12:01:30Z"


def test_tokens_are_granted_and_ended() -> None:
    client = Client()
    client.control("POST", "tokens", {"token": "pat-narrow", "scopes": ["oauth"]})
    client.token = "pat-narrow"
    client.get("/account-info/2026-09/details")
    client.get("/crm/owners/2026-09", 403)
    client.control("POST", "expire", {"token": "pat-narrow"})
    client.get("/account-info/2026-09/details", 401)
    assert "crm.objects.owners.read" in ALL_SCOPES


def test_the_fingerprint_sees_values_and_not_stamps() -> None:
    client = Client()
    before = client.portal.fingerprint()
    deal = client.id_of("sale", "open")
    client.hands.pass_time(9)
    client.portal.set("deals", deal, {"dealname": "Other"})
    assert client.portal.fingerprint() != before
    client.portal.set("deals", deal, {"dealname": "Open"})
    assert client.portal.fingerprint() == before


def test_the_same_custom_rows_made_in_another_order_have_the_same_fingerprint() -> None:
    prints = []
    for keys in (("a", "b"), ("b", "a")):
        client = Client(WORLD)
        client.post("/crm-object-schemas/2026-09/schemas", KPI_SCHEMA, 201)
        for key in keys:
            client.post("/crm/objects/2026-09/sales_kpi", {"properties": {"external_key": key}}, 201)
        prints.append(client.control("GET", "fingerprint"))
    assert prints[0] == prints[1]
    assert prints[0]["sales_kpi"] != Client().control("GET", "fingerprint")["contact"]


def test_a_summary_counts_the_live_records() -> None:
    summary = Client().control("GET", "summary")
    assert (summary["contacts"], summary["deals"], summary["calls"]) == (2, 4, 5)
