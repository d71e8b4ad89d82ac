"""How the things of a neutral world become Salesforce rows."""

from dataclasses import replace
from decimal import Decimal

from salesforce_company import COMPANY, client

from crm_sandbox.salesforce import Features
from crm_sandbox.world import Call, Email


def test_persons_become_standard_users_robots_do_not_and_queues_become_groups():
    crm = client()
    kinds = {row["Name"]: row["UserType"] for row in crm.org.rows("User")}
    assert kinds == {
        "Bea Boss": "Standard",
        "Ana Ruiz": "Standard",
        "Omar Old": "Standard",
        "Import Bot": "AutomatedProcess",
        "Automated Process": "AutomatedProcess",
        "KPI Integration": "CloudIntegrationUser",
    }
    assert crm.org.id_of("seller", "inbound").startswith("00G")
    ana = crm.query(
        "SELECT Email, IsActive, Manager.Name, UserRole.Name, TimeZoneSidKey FROM User WHERE Name = 'Ana Ruiz'"
    )
    assert ana[0]["Manager"]["Name"] == "Bea Boss"
    assert ana[0]["UserRole"]["Name"] == "West"
    assert ana[0]["TimeZoneSidKey"] == "America/New_York"


def test_the_organisation_knows_its_zone_and_fiscal_year():
    row = client().query("SELECT Name, TimeZoneSidKey, FiscalYearStartMonth FROM Organization")
    assert row == [{"Name": "Acme Sales", "TimeZoneSidKey": "Europe/Madrid", "FiscalYearStartMonth": 4}]


def test_a_converted_lead_names_contact_deal_and_the_local_day_of_its_conversion():
    crm = client()
    lead = crm.org.store.find(crm.org.id_of("lead", "leo"))
    assert lead is not None
    assert lead[1]["ConvertedContactId"] == crm.org.id_of("contact", "leo")
    assert lead[1]["ConvertedOpportunityId"] == crm.org.id_of("sale", "won")
    assert lead[1]["ConvertedDate"] == "2026-05-01"  # 23:30 UTC is half past one in Madrid
    assert lead[1]["Status"] == "Closed - Converted"


def test_activities_of_a_converted_lead_hang_on_the_contact():
    crm = client()
    who = crm.query("SELECT WhoId FROM Task WHERE CallObject = 'x-1'")[0]["WhoId"]
    assert who == crm.org.id_of("contact", "leo")


def test_a_merged_lead_is_deleted_and_names_its_master():
    crm = client()
    loser = crm.query("SELECT IsDeleted, MasterRecordId FROM Lead WHERE Email = 'lia2@customer.example'", "queryAll")
    assert loser == [{"IsDeleted": True, "MasterRecordId": crm.org.id_of("lead", "lia")}]
    assert crm.query("SELECT Id FROM Lead WHERE Email = 'lia2@customer.example'") == []


def test_queues_own_leads_and_tasks():
    crm = client()
    lead = crm.query("SELECT Owner.Type, OwnerId FROM Lead WHERE Name = 'Pia Pool'")[0]
    assert lead["Owner"]["Type"] == "Queue"
    assert lead["OwnerId"] == crm.org.id_of("seller", "inbound")
    task = crm.query(f"SELECT Id FROM Task WHERE OwnerId = '{crm.org.id_of('seller', 'inbound')}'")
    assert task == [{"Id": crm.org.id_of("call", "queued")}]


def test_calls_carry_the_fields_of_the_telephone_system():
    call = client().query(
        "SELECT TaskSubtype, CallType, CallDurationInSeconds, CallDisposition, Status, IsClosed, CompletedDateTime, "
        "ActivityDate FROM Task WHERE CallObject = 'x-1'"
    )
    assert call == [
        {
            "TaskSubtype": "Call",
            "CallType": "Outbound",
            "CallDurationInSeconds": 125,
            "CallDisposition": "Connected",
            "Status": "Completed",
            "IsClosed": True,
            "CompletedDateTime": "2026-05-01T15:00:00.000+0000",
            "ActivityDate": "2026-05-01",
        }
    ]


def test_a_planned_call_is_an_open_task():
    crm = client()
    task = crm.query(
        f"SELECT IsClosed, CompletedDateTime, Status FROM Task WHERE Id = '{crm.org.id_of('call', 'later')}'"
    )
    assert task == [{"IsClosed": False, "CompletedDateTime": None, "Status": "Not Started"}]


def test_old_closed_activities_are_archived_and_only_query_all_sees_them():
    crm = client()
    asked = f"SELECT IsArchived FROM Task WHERE Id = '{crm.org.id_of('call', 'ancient')}'"
    assert crm.query(asked) == []
    assert crm.query(asked, "queryAll") == [{"IsArchived": True}]


def test_emails_become_messages_with_status_thread_and_opens():
    crm = client()
    sent = crm.query(
        "SELECT Status, Incoming, ThreadIdentifier, MessageIdentifier, IsTracked, IsOpened, FirstOpenedDate, "
        f"LastOpenedDate, FromId, RelatedToId FROM EmailMessage WHERE Id = '{crm.org.id_of('email', 'first')}'"
    )[0]
    assert sent == {
        "Status": "3",
        "Incoming": False,
        "ThreadIdentifier": "thread-1",
        "MessageIdentifier": "<1@x>",
        "IsTracked": True,
        "IsOpened": True,
        "FirstOpenedDate": "2026-04-01T11:00:00.000+0000",
        "LastOpenedDate": "2026-04-02T08:00:00.000+0000",
        "FromId": crm.org.id_of("seller", "ana"),
        "RelatedToId": crm.org.id_of("sale", "won"),
    }
    reply = crm.query(f"SELECT ReplyToEmailMessageId FROM EmailMessage WHERE Id = '{crm.org.id_of('email', 'reply')}'")
    assert reply == [{"ReplyToEmailMessageId": crm.org.id_of("email", "first")}]
    states = {row["MessageIdentifier"]: (row["Status"], row["IsBounced"]) for row in crm.org.rows("EmailMessage")}
    assert states["<4@x>"] == ("3", True)
    assert states["<6@x>"] == ("5", False)


def test_automatic_replies_can_only_be_told_by_their_subject():
    crm = client()
    subject = crm.query(f"SELECT Subject FROM EmailMessage WHERE Id = '{crm.org.id_of('email', 'away')}'")
    assert subject == [{"Subject": "Automatic reply: Re: Hello"}]


def test_an_email_that_was_only_noted_is_a_task_without_a_message():
    crm = client()
    record = crm.org.id_of("email", "noted")
    assert crm.query(f"SELECT TaskSubtype FROM Task WHERE Id = '{record}'") == [{"TaskSubtype": "Email"}]
    assert crm.query(f"SELECT Id FROM EmailMessage WHERE ActivityId = '{record}'") == []


def test_two_of_three_sent_emails_have_the_task_that_logged_them():
    mails = tuple(
        replace(COMPANY.emails[0], key=f"m{n}", message_id=f"<m{n}>", at=COMPANY.emails[0].at) for n in range(9)
    )
    crm = client(world=replace(COMPANY, emails=mails))
    logged = [row for row in crm.org.rows("EmailMessage") if row.get("ActivityId")]
    assert len(logged) == 6
    assert all(crm.org.store.table("Task").rows[row["ActivityId"]]["TaskSubtype"] == "Email" for row in logged)


def test_without_email_messages_sent_emails_are_tasks_only():
    crm = client(Features(email_messages=False))
    assert crm.refusal("SELECT Id FROM EmailMessage")[:2] == (400, "INVALID_TYPE")
    tasks = crm.query("SELECT Subject FROM Task WHERE TaskSubtype = 'Email' ORDER BY ActivityDate")
    assert [row["Subject"] for row in tasks] == ["Email: Hello", "Email: Hi", "Email: Noted"]


def test_an_activity_hangs_on_every_contact_through_shared_activities():
    crm = client()
    call = crm.org.id_of("call", "group")
    people = {row["RelationId"] for row in crm.org.rows("TaskWhoRelation") if row["TaskId"] == call}
    assert people == {crm.org.id_of("contact", "leo"), crm.org.id_of("contact", "cora")}
    assert crm.query(f"SELECT WhoCount FROM Task WHERE Id = '{call}'") == [{"WhoCount": 2}]


def test_messages_are_tasks_of_type_sms_and_to_dos_are_plain_tasks():
    crm = client()
    assert crm.query(f"SELECT Type FROM Task WHERE Id = '{crm.org.id_of('message', 'text')}'") == [{"Type": "SMS"}]
    todo = crm.query(
        f"SELECT TaskSubtype, ActivityDate, CompletedDateTime FROM Task WHERE Id = '{crm.org.id_of('todo', 'step')}'"
    )
    assert todo == [
        {"TaskSubtype": "Task", "ActivityDate": "2026-05-09", "CompletedDateTime": "2026-05-08T17:00:00.000+0000"}
    ]


def test_meetings_are_events_and_some_have_an_invitees_copy():
    crm = client()
    events = crm.query("SELECT IsChild, Owner.Name, DurationInMinutes, CreatedDate FROM Event ORDER BY IsChild")
    assert [(row["IsChild"], row["Owner"]["Name"]) for row in events] == [(False, "Ana Ruiz"), (True, "Bea Boss")]
    assert events[0]["DurationInMinutes"] == 45
    assert events[0]["CreatedDate"] == "2026-05-01T00:00:00.000+0000"


def test_an_outcome_field_holds_how_a_meeting_went():
    world = replace(COMPANY, meetings=(replace(COMPANY.meetings[0], outcome="no_show"),))
    crm = client(Features(outcome_field="Outcome__c"), world)
    assert crm.query("SELECT Outcome__c FROM Event WHERE IsChild = false") == [{"Outcome__c": "no_show"}]


def test_deals_have_stage_money_fiscal_quarter_and_the_owner_of_today():
    deal = client().query(
        "SELECT StageName, IsWon, IsClosed, Amount, CurrencyIsoCode, CloseDate, FiscalYear, FiscalQuarter, Owner.Name, "
        "Campaign.Name, LeadSource FROM Opportunity WHERE Name = 'Acme expansion'"
    )[0]
    assert (deal["StageName"], deal["IsWon"], deal["IsClosed"]) == ("Closed Won", True, True)
    assert (deal["Amount"], deal["CurrencyIsoCode"], deal["CloseDate"]) == (Decimal("1200.5"), "USD", "2026-06-15")
    assert (deal["FiscalYear"], deal["FiscalQuarter"]) == (2027, 1)  # the fiscal year 2027 began in April 2026
    assert (deal["Owner"]["Name"], deal["Campaign"]["Name"], deal["LeadSource"]) == ("Ana Ruiz", "Webinar", "Web")


def test_owner_changes_are_in_the_field_history_by_name_and_by_id():
    crm = client()
    rows = crm.query(
        "SELECT OldValue, NewValue, DataType, CreatedDate FROM OpportunityFieldHistory "
        f"WHERE Field = 'Owner' AND OpportunityId = '{crm.org.id_of('sale', 'won')}' ORDER BY DataType"
    )
    when = "2026-05-10T00:00:00.000+0000"
    boss, ana = crm.org.id_of("seller", "boss"), crm.org.id_of("seller", "ana")
    assert rows == [
        {"OldValue": boss, "NewValue": ana, "DataType": "EntityId", "CreatedDate": when},
        {"OldValue": "Bea Boss", "NewValue": "Ana Ruiz", "DataType": "Text", "CreatedDate": when},
    ]


def test_only_contacts_have_a_role_in_a_deal():
    crm = client()
    roles = crm.query("SELECT ContactId, IsPrimary FROM OpportunityContactRole")
    assert roles == [{"ContactId": crm.org.id_of("contact", "leo"), "IsPrimary": True}]


def test_revenue_splits_add_up_and_overlays_come_on_top():
    rows = client().query(
        "SELECT SplitOwner.Name, SplitPercentage, SplitAmount, SplitType.IsTotalValidated FROM OpportunitySplit "
        "WHERE Opportunity.Name = 'Acme expansion' ORDER BY SplitPercentage"
    )
    seen = [(row["SplitOwner"]["Name"], row["SplitPercentage"], row["SplitType"]["IsTotalValidated"]) for row in rows]
    assert seen == [("Bea Boss", 40, True), ("Ana Ruiz", 50, False), ("Ana Ruiz", 60, True)]
    assert rows[2]["SplitAmount"] == Decimal("720.3")


def test_answers_to_campaigns_and_forms_are_members_once_with_the_first_local_day():
    rows = client().query(
        "SELECT Campaign.Name, HasResponded, FirstRespondedDate, Type FROM CampaignMember ORDER BY Campaign.Name"
    )
    assert [(row["Campaign"]["Name"], row["FirstRespondedDate"]) for row in rows] == [
        ("Contact us", "2026-03-07"),  # half past eleven in the evening UTC is the next day in Madrid
        ("Webinar", "2026-03-05"),
    ]
    assert {(row["HasResponded"], row["Type"]) for row in rows} == {(True, "Lead")}


def test_quotas_hang_on_a_fiscal_period():
    quota = client().query(
        "SELECT QuotaAmount, StartDate, Period.Type, Period.EndDate, QuotaOwner.Name, ForecastingType.DeveloperName "
        "FROM ForecastingQuota"
    )[0]
    assert (quota["QuotaAmount"], quota["StartDate"]) == (1000, "2026-06-01")
    assert (quota["Period"]["Type"], quota["Period"]["EndDate"]) == ("Month", "2026-06-30")
    assert (quota["QuotaOwner"]["Name"], quota["ForecastingType"]["DeveloperName"]) == (
        "Ana Ruiz",
        "OpportunityRevenue",
    )


def test_currencies_have_todays_static_rate_and_dated_rates_that_join():
    crm = client()
    assert crm.query("SELECT IsoCode, ConversionRate, IsCorporate FROM CurrencyType ORDER BY IsoCode") == [
        {"IsoCode": "EUR", "ConversionRate": 1, "IsCorporate": True},
        {"IsoCode": "USD", "ConversionRate": Decimal("1.25"), "IsCorporate": False},
    ]
    assert crm.query("SELECT StartDate, NextStartDate, ConversionRate FROM DatedConversionRate ORDER BY StartDate") == [
        {"StartDate": "2026-01-01", "NextStartDate": "2026-06-01", "ConversionRate": Decimal("1.1")},
        {"StartDate": "2026-06-01", "NextStartDate": "9999-12-31", "ConversionRate": Decimal("1.25")},
    ]


def test_a_company_with_one_currency_has_no_currency_objects_or_codes():
    world = replace(COMPANY, rates=(), sales=tuple(replace(sale, currency=None) for sale in COMPANY.sales))
    crm = client(world=world)
    assert crm.refusal("SELECT Id FROM CurrencyType")[1] == "INVALID_TYPE"
    assert crm.refusal("SELECT CurrencyIsoCode FROM Opportunity")[1] == "INVALID_FIELD"


def test_voice_calls_tell_when_a_call_was_connected():
    crm = client(Features(voice_calls=True))
    rows = crm.query(
        "SELECT ActivityId, CallConnectDateTime FROM VoiceCall WHERE CallDurationInSeconds > 0", "queryAll"
    )
    connected = {row["ActivityId"]: row["CallConnectDateTime"] for row in rows}
    assert connected[crm.org.id_of("call", "talk")] == "2026-05-01T15:00:00.000+0000"
    assert connected[crm.org.id_of("call", "ancient")] is None


def test_the_same_world_gets_the_same_ids():
    first, second = client().org, client().org
    assert first.register.ids == second.register.ids
    assert first.key_of(first.id_of("call", "talk")) == ("call", "talk")


def test_things_without_a_seller_belong_to_the_queue_or_the_machine():
    lost = replace(
        COMPANY,
        calls=(Call("nobodys", None, ("lia",), (), COMPANY.calls[0].at),),
        emails=(Email("nobodys", None, ("lia",), (), "out", COMPANY.calls[0].at, "Hi", None, "<9@x>"),),
    )
    crm = client(world=lost)
    call = crm.query(f"SELECT Owner.Name, Owner.Type FROM Task WHERE Id = '{crm.org.id_of('call', 'nobodys')}'")[0]
    assert (call["Owner"]["Name"], call["Owner"]["Type"]) == ("Unassigned", "Queue")
    assert crm.query("SELECT FromId, FromAddress FROM EmailMessage") == [
        {"FromId": None, "FromAddress": "noreply@sandbox.invalid"}
    ]
