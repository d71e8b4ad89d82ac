"""Owners, users, teams, account, pipelines and currencies of the pretend HubSpot."""

from hubspot_company import Client

from crm_sandbox.hubspot import ALL_SCOPES


def test_owners_are_people_and_queues_and_never_integrations() -> None:
    client = Client()
    owners = {owner["email"]: owner for owner in client.get("/crm/owners/2026-09")["results"]}
    assert set(owners) == {"ana@example.com", "inigo@example.com", "inbound@example.com"}
    assert owners["inbound@example.com"]["type"] == "QUEUE"
    assert "userId" not in owners["inbound@example.com"]
    ana = owners["ana@example.com"]
    assert (ana["id"], ana["userId"], ana["type"]) == ("41629779", 9_586_504, "PERSON")
    assert ana["teams"] == [{"id": "178588", "name": "West", "primary": True}]


def test_an_owner_who_left_is_archived_and_has_only_the_id_of_an_inactive_user() -> None:
    client = Client()
    (gael,) = client.get("/crm/v3/owners/?archived=True")["results"]
    assert "userId" not in gael
    assert gael["userIdIncludingInactive"] == int(client.id_of("user", "gael"))
    client.get(f"/crm/owners/2026-09/{gael['id']}", 404)
    assert client.get(f"/crm/owners/2026-09/{gael['id']}?archived=true")["lastName"] == "Martín"


def test_owners_page_and_can_be_found_by_email_and_by_user() -> None:
    client = Client()
    first = client.get("/crm/owners/2026-09?limit=2")
    after = first["paging"]["next"]["after"].replace("=", "%3D")
    rest = client.get(f"/crm/owners/2026-09?limit=2&after={after}")
    assert [len(first["results"]), len(rest["results"]), "paging" in rest] == [2, 1, False]
    assert client.get("/crm/owners/2026-09?email=inigo@example.com")["results"][0]["firstName"] == "Íñigo"
    user = client.id_of("user", "ana")
    assert client.get(f"/crm/owners/2026-09/{user}?idProperty=userId")["id"] == client.id_of("seller", "ana")


def test_a_rep_has_three_ids_of_which_no_two_are_alike() -> None:
    client = Client()
    ids = {client.id_of(kind, "ana") for kind in ("seller", "user", "person_record")}
    assert len(ids) == 3
    record = client.properties("person_record", "users", "ana")
    assert record["hubspot_owner_id"] == client.id_of("seller", "ana")
    assert record["hs_internal_user_id"] == client.id_of("user", "ana")
    assert record["hs_standard_time_zone"] == "America/New_York"


def test_an_invited_owner_may_have_no_user_record_yet() -> None:
    client = Client(without_user_record=["íñigo"])
    emails = [row["properties"]["hs_email"] for row in client.portal.records("users")]
    assert emails == ["ana@example.com"]


def test_one_who_left_has_an_archived_user_record() -> None:
    client = Client()
    gone = client.portal.records("users", archived=True)
    assert [row["properties"]["hs_email"] for row in gone] == ["gael@example.com"]


def test_an_owner_can_be_deactivated_between_two_syncs() -> None:
    client = Client()
    client.control("POST", "deactivate", {"owner": client.id_of("seller", "ana")})
    assert len(client.get("/crm/owners/2026-09?archived=true")["results"]) == 2
    assert [row["properties"]["hs_email"] for row in client.portal.records("users")] == ["inigo@example.com"]


def test_teams_name_their_settings_users() -> None:
    client = Client()
    users = [client.id_of("user", key) for key in ("ana", "íñigo")]
    west = {"id": "178588", "name": "West", "userIds": users, "secondaryUserIds": []}
    assert client.get("/settings/users/2026-03/teams")["results"] == [west]
    members = client.get("/settings/teams/2026-09-beta/178588/members")["results"]
    assert [member["userId"] for member in members] == users


def test_the_account_tells_zone_currency_and_offset() -> None:
    account = Client().get("/account-info/2026-09/details")
    assert account["portalId"] == 24_613_507
    assert (account["timeZone"], account["companyCurrency"], account["additionalCurrencies"]) == (
        "Europe/Madrid",
        "EUR",
        ["USD"],
    )
    assert (account["utcOffset"], account["utcOffsetMilliseconds"]) == ("+01:00", 3_600_000)


def test_there_are_two_deal_pipelines_whose_metadata_is_text() -> None:
    pipelines = Client().get("/crm/pipelines/2026-09/deals")["results"]
    assert [pipeline["id"] for pipeline in pipelines] == ["default", "38214907"]
    won = {stage["id"]: stage["metadata"] for stage in pipelines[0]["stages"]}["closedwon"]
    assert won == {"isClosed": "true", "probability": "1.0"}
    assert all(stage["id"].isdigit() for stage in pipelines[1]["stages"])


def test_a_euro_buys_the_rate_so_a_dollar_is_worth_its_inverse() -> None:
    client = Client()
    (rate,) = client.get("/settings/currencies/2026-09/exchange-rates/current")["results"]
    assert (rate["fromCurrencyCode"], rate["toCurrencyCode"]) == ("USD", "EUR")
    assert round(rate["conversionRate"], 8) == 0.92165899
    assert client.get("/settings/currencies/2026-09/company-currency")["id"] == "EUR"


def test_each_family_has_its_own_scope() -> None:
    for path, scope in (
        ("/crm/owners/2026-09", "crm.objects.owners.read"),
        ("/settings/users/2026-03/teams", "settings.users.teams.read"),
        ("/settings/currencies/2026-09/company-currency", "settings.currencies.read"),
        ("/crm/objects/2026-09/goal_targets", "crm.objects.goals.read"),
        ("/crm/objects/2026-09/leads", "crm.objects.leads.read"),
        ("/marketing/v3/forms", "forms"),
        ("/marketing/emails/2026-09", "content"),
        ("/marketing/campaigns/2026-09", "marketing.campaigns.read"),
        ("/account-info/2026-09/details", "oauth"),
    ):
        body = Client(scopes=ALL_SCOPES - {scope}).get(path, 403)
        assert body["errors"][0]["context"]["requiredGranularScopes"] == [scope], path
        Client().get(path)
