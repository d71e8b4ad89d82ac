"""What becomes of a world in the pretend HubSpot."""

from dataclasses import replace

from hubspot_company import PROSPECTS, WORLD, Client


def test_a_converted_lead_is_a_customer_with_the_date_of_every_stage() -> None:
    """Converted on 9 March; its deal was won at noon in New York on 4 May, which is 16:00 UTC."""
    client = Client()
    li = client.properties("prospect", "contacts", "li")
    assert (li["lifecyclestage"], li["hs_lead_status"]) == ("customer", "OPEN_DEAL")
    assert li["hs_lifecyclestage_lead_date"] == "2026-03-01T08:00:00Z"
    assert li["hs_lifecyclestage_marketingqualifiedlead_date"] == "2026-03-05T00:00:00Z"
    assert li["hs_lifecyclestage_opportunity_date"] == "2026-03-09T00:00:00Z"
    assert li["hs_lifecyclestage_customer_date"] == "2026-05-04T16:00:00Z"
    assert (li["hs_analytics_source"], li["hs_analytics_source_data_1"]) == ("ORGANIC_SEARCH", "Organic search")


def test_a_contact_that_was_never_a_lead_has_no_stage_of_a_lead() -> None:
    old = Client().properties("prospect", "contacts", "old")
    assert old["lifecyclestage"] == "other"
    assert "hs_lifecyclestage_lead_date" not in old
    assert "hs_lead_status" not in old


def test_an_opt_out_tells_its_moment_in_the_history() -> None:
    client = Client()
    url = f"/crm/objects/2026-09/contacts/{client.id_of('prospect', 'li')}?propertiesWithHistory=hs_email_optout"
    (entry,) = client.get(url)["propertiesWithHistory"]["hs_email_optout"]
    assert (entry["value"], entry["timestamp"]) == ("true", "2026-06-01T00:00:00Z")


def test_what_a_duplicate_did_belongs_to_the_one_who_survived() -> None:
    """Two submissions and one page view, of which two were the duplicate's."""
    li = Client().properties("prospect", "contacts", "li")
    assert (li["num_conversion_events"], li["num_unique_conversion_events"]) == ("2", "1")
    assert li["first_conversion_date"] == "2026-03-02T10:00:00Z"
    assert (li["hs_analytics_num_page_views"], li["hs_analytics_num_visits"]) == ("1", "1")


def test_the_address_of_a_duplicate_stays_known() -> None:
    li = Client().properties("prospect", "contacts", "li")
    assert (li["email"], li["hs_additional_emails"]) == ("li@client.example", "li.wei@client.example")


def test_two_living_contacts_cannot_share_an_address_but_a_dead_one_may() -> None:
    people = [replace(PROSPECTS[0], key=key, email="same@client.example", deal=None) for key in "abc"]
    world = replace(WORLD, prospects=(replace(people[0], deleted=True), *people[1:]), sales=())
    client = Client(world)
    addresses = [row["properties"].get("email") for row in client.portal.records("contacts")]
    assert addresses == ["same@client.example", None]
    body = {"properties": {"email": "same@client.example"}}
    client.post("/crm/objects/2026-09/contacts", body, 409)


def test_opens_and_clicks_are_counters_with_a_past() -> None:
    client = Client()
    out = client.properties("email", "emails", "out")
    assert (out["hs_email_open_count"], out["hs_email_click_count"], out["hs_email_reply_count"]) == ("2", "1", "1")
    assert out["hs_email_tracker_key"]
    url = f"/crm/objects/2026-09/emails/{client.id_of('email', 'out')}?propertiesWithHistory=hs_email_open_count"
    past = client.get(url)["propertiesWithHistory"]["hs_email_open_count"]
    assert [(entry["value"], entry["timestamp"]) for entry in past] == [
        ("2", "2026-04-03T10:00:00Z"),
        ("1", "2026-04-02T10:00:00Z"),
    ]


def test_an_email_knows_sender_recipient_and_direction() -> None:
    client = Client()
    out, back = client.properties("email", "emails", "out"), client.properties("email", "emails", "in")
    assert (out["hs_email_direction"], back["hs_email_direction"]) == ("EMAIL", "INCOMING_EMAIL")
    assert (out["hs_email_from_email"], out["hs_email_to_email"]) == ("ana@example.com", "li@client.example")
    assert (back["hs_email_from_email"], back["hs_email_to_email"]) == ("li@client.example", "ana@example.com")
    assert out["hs_owner_ids_from"] == client.id_of("seller", "ana")
    assert client.properties("email", "emails", "away")["hs_incoming_email_is_out_of_office"] == "true"
    assert "hs_email_open_count" not in back


def test_drafts_and_internal_calls_do_not_exist_in_hubspot() -> None:
    client = Client()
    assert len(client.portal.records("emails")) == 3
    assert len(client.portal.records("calls")) == 5


def test_calls_have_the_gaps_that_calls_have() -> None:
    client = Client()
    talk, bare = client.properties("call", "calls", "talk"), client.properties("call", "calls", "bare")
    assert (talk["hs_call_duration"], talk["hs_call_status"], talk["hs_call_direction"]) == (
        "61000",
        "COMPLETED",
        "OUTBOUND",
    )
    blank = {"hs_call_direction", "hs_call_disposition", "hs_call_duration", "hs_call_status", "hubspot_owner_id"}
    assert not blank & set(bare)
    assert client.properties("call", "calls", "missed")["hs_call_status"] == "missed"
    assert client.properties("call", "calls", "own")["hs_call_external_id"] == "dial-7"


def test_a_robot_owns_nothing_and_is_only_known_as_creator() -> None:
    client = Client()
    robotic = client.properties("call", "calls", "robotic")
    assert "hubspot_owner_id" not in robotic
    known = {str(owner.user_id) for owner in client.portal.store.owners.values()}
    assert robotic["hs_created_by_user_id"] not in known


def test_an_activity_on_both_halves_of_a_duplicate_hangs_on_the_survivor_once() -> None:
    client = Client()
    call = client.get(f"/crm/objects/2026-09/calls/{client.id_of('call', 'talk')}?associations=contacts,deals")
    contacts = call["associations"]["contacts"]["results"]
    assert [entry["id"] for entry in contacts] == [client.id_of("prospect", "li")]
    assert [entry["id"] for entry in call["associations"]["deals"]["results"]] == [client.id_of("sale", "won")]


def test_a_deal_without_a_closing_moment_closes_at_noon_where_its_owner_lives() -> None:
    won = Client().properties("sale", "deals", "won")
    assert won["closedate"] == "2026-05-04T16:00:00Z"
    assert won["dealname"] == "Piloto 🚀\nfase 1"
    assert won["num_associated_contacts"] == "1"


def test_a_foreign_amount_is_converted_at_the_rate_of_its_day() -> None:
    won = Client().properties("sale", "deals", "won")
    assert (won["amount"], won["deal_currency_code"], won["amount_in_home_currency"]) == ("1085", "USD", "1000")
    assert won["hs_closed_amount_in_home_currency"] == "1000"


def test_every_fourth_deal_is_in_the_partners_pipeline_with_numeric_stages() -> None:
    client = Client()
    partner = client.properties("sale", "deals", "partner")
    assert (partner["pipeline"], partner["dealstage"], partner["hs_is_closed_won"]) == ("38214907", "81730250", "true")
    assert partner["hubspot_owner_id"] == client.id_of("seller", "gael")


def test_deal_splits_are_shares_of_one() -> None:
    client = Client()
    won = client.id_of("sale", "won")
    body = client.post("/deal-splits/2026-09/batch/read", {"inputs": [{"id": won}]})
    shares = {
        entry["properties"]["hubspot_owner_id"]: entry["properties"]["hs_deal_split_percentage"]
        for entry in body["results"][0]["splits"]
    }
    assert shares == {client.id_of("seller", "ana"): "0.6", client.id_of("seller", "íñigo"): "0.4"}
    Client(tier="professional").post("/deal-splits/2026-09/batch/read", {"inputs": [{"id": won}]}, 403)


def test_meetings_messages_and_tasks_carry_their_own_moments() -> None:
    client = Client()
    demo = client.properties("meeting", "meetings", "demo")
    assert (demo["hs_meeting_start_time"], demo["hs_meeting_end_time"]) == (
        "2026-04-11T15:00:00Z",
        "2026-04-11T16:00:00Z",
    )
    assert "hs_meeting_outcome" not in demo
    assert client.properties("message", "communications", "sms")["hs_communication_channel_type"] == "WHATS_APP"
    task = client.properties("todo", "tasks", "call-back")
    assert (task["hs_task_status"], task["hs_task_completion_date"]) == ("COMPLETED", "2026-04-13T08:00:00Z")
    assert task["hs_timestamp"] == "2026-04-14T13:00:00Z"  # nine in the morning in New York


def test_a_goal_belongs_to_the_settings_user_and_one_is_no_quota() -> None:
    client = Client()
    revenue, calls = (row["properties"] for row in client.portal.records("goal_targets"))
    assert revenue["hs_assignee_user_id"] == client.id_of("user", "ana")
    assert (revenue["hs_target_amount"], revenue["hs_goal_type"]) == ("50000", "REVENUE")
    assert (revenue["hs_start_datetime"], revenue["hs_end_datetime"]) == (
        "2026-11-01T00:00:00Z",
        "2026-12-01T00:00:00Z",
    )
    assert calls["hs_goal_type"] == "CALLS_MADE"


def test_leads_are_records_of_their_own_linked_to_their_contact() -> None:
    client = Client()
    (lead,) = client.get("/crm/objects/2026-09/leads?associations=contacts&properties=hs_lead_name")["results"]
    assert lead["properties"]["hs_lead_name"] == "李 伟"
    assert lead["associations"]["contacts"]["results"][0]["id"] == client.id_of("prospect", "li")
    Client(tier="starter").get("/crm/objects/2026-09/leads", 403)
