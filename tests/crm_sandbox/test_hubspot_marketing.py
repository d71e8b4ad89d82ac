"""Campaigns, newsletters, forms and page views of the pretend HubSpot."""

from hubspot_company import Client

CAMPAIGNS = "/marketing/campaigns/2026-09"


def test_a_campaign_shows_only_the_properties_that_were_asked_for() -> None:
    client = Client()
    bare = client.get(CAMPAIGNS)
    assert (bare["total"], bare["results"][0]["properties"]) == (2, {})
    asked = client.get(f"{CAMPAIGNS}?properties=hs_name,hs_owner,hs_spend_items_sum_amount,hs_start_date")
    assert asked["results"][0]["properties"] == {
        "hs_name": "Feria",
        "hs_owner": client.id_of("seller", "íñigo"),
        "hs_spend_items_sum_amount": "250.5",
        "hs_start_date": "2026-02-01",
    }


def test_a_campaign_without_spend_has_no_items_and_no_sum() -> None:
    client = Client()
    free = f"{CAMPAIGNS}/{client.id_of('promotion', 'free')}"
    totals = client.get(f"{free}/budget/totals")
    assert (totals["spendTotal"], totals["spendItems"]) == (0, [])
    assert client.get(f"{free}?properties=hs_spend_items_sum_amount")["properties"] == {}
    fair = client.get(f"{CAMPAIGNS}/{client.id_of('promotion', 'fair')}/budget/totals")
    assert (fair["spendTotal"], fair["currencyCode"], len(fair["spendItems"])) == (250.5, "EUR", 1)


def test_the_revenue_of_a_campaign_is_that_of_its_won_deals_at_home() -> None:
    client = Client()
    fair = f"{CAMPAIGNS}/{client.id_of('promotion', 'fair')}/reports"
    revenue = client.get(f"{fair}/revenue?attributionModel=LINEAR")
    assert (revenue["revenueAmount"], revenue["dealsNumber"], revenue["contactsNumber"]) == (1000, 1, 1)
    client.get(f"{fair}/revenue?attributionModel=GUESS", 400)
    assert client.get(f"{fair}/metrics?startDate=2026-02-20&endDate=2026-02-21")["influencedContacts"] == 1
    assert client.get(f"{fair}/metrics?startDate=2026-02-21")["influencedContacts"] == 0
    contacts = client.get(f"{fair}/contacts/influencedContacts")["results"]
    assert contacts == [{"id": client.id_of("prospect", "li")}]


def test_the_deal_names_its_campaign() -> None:
    client = Client()
    assert client.properties("sale", "deals", "won")["hs_campaign"] == client.id_of("promotion", "fair")


def test_campaigns_need_professional() -> None:
    Client(tier="starter").get(CAMPAIGNS, 403)
    Client(tier="professional").get(CAMPAIGNS)


def test_newsletter_counters_leave_out_what_is_zero() -> None:
    client = Client()
    url = "/marketing/emails/2026-09/statistics/list"
    told = client.get(f"{url}?startTimestamp=2026-02-01T00:00:00Z&endTimestamp=2026-03-01T00:00:00Z")
    assert told["aggregate"]["counters"] == {"sent": 4, "delivered": 4, "open": 2, "click": 1}
    empty = client.get(f"{url}?startTimestamp=2026-03-01T00:00:00Z&endTimestamp=2026-04-01T00:00:00Z")
    assert (empty["emails"], empty["aggregate"]["counters"]) == ([], {})
    client.get(url, 400)


def test_submissions_come_newest_first_and_say_only_the_email() -> None:
    client = Client()
    (form,) = client.get("/marketing/v3/forms")["results"]
    assert form == {"id": client.id_of("form", "Demo"), "name": "Demo", "formType": "hubspot"}
    url = f"/form-integrations/v1/submissions/forms/{form['id']}"
    first = client.get(f"{url}?limit=1")
    after = first["paging"]["next"]["after"].replace("=", "%3D")
    second = client.get(f"{url}?limit=1&after={after}")
    assert "paging" not in second
    told = [(entry["submittedAt"], entry["values"][0]["value"]) for entry in first["results"] + second["results"]]
    assert told == [
        (1_772_618_400_000, "li@client.example"),
        (1_772_445_600_000, "li.wei@client.example"),
    ]
    client.get(f"{url}?limit=51", 400)
    client.get("/form-integrations/v1/submissions/forms/nowhere", 404)


def test_page_views_are_there_on_enterprise_and_move_along_with_a_merge() -> None:
    client = Client()
    url = "/events/event-occurrences/2026-09"
    client.post(
        "/crm/v3/objects/contacts/merge",
        {"primaryObjectId": client.id_of("prospect", "old"), "objectIdToMerge": client.id_of("prospect", "li")},
    )
    old = client.id_of("prospect", "old")
    (seen,) = client.get(f"{url}?objectType=contact&objectId={old}&eventType=e_visited_page")["results"]
    assert (seen["occurredAt"], seen["objectId"]) == ("2026-03-02T09:00:00Z", old)
    assert seen["properties"]["hs_url"] == "https://x.example/precios"
    before = client.get(f"{url}?eventType=e_visited_page&occurredBefore=2026-03-02T09:00:00Z")
    assert before == {"results": []}
    assert "e_visited_page" in client.get(f"{url}/event-types")["eventTypes"]
    client.get(url, 400)
    Client(tier="professional").get(f"{url}?eventType=e_visited_page", 403)
