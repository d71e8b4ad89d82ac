"""Salesforce's rows, as its API sends them, and the records that they become."""

import json
from datetime import UTC, date, datetime
from typing import Any, TypeVar

import pytest

from connectors.salesforce import activities, wire
from connectors.salesforce import rows as sf
from connectors.salesforce.settings import Mappings
from kpi_engine.records import (
    Campaign,
    Deal,
    Event,
    Interaction,
    Lead,
    Link,
    Person,
    Quota,
    Rate,
    Record,
    Rep,
    Split,
    Task,
)

R = TypeVar("R", bound=sf.Row)
K = TypeVar("K", bound=Record)

ANA, BO = "005000000000001AAA", "005000000000002AAA"
CONTACT, LEAD, DEAL = "003000000000001AAA", "00Q000000000001AAA", "006000000000001AAA"
STAMP = "2026-03-02T10:00:00.000+0000"
AT_STAMP = 1_772_445_600_000  # 2026-03-02T10:00:00Z


def read(shape: type[R], **fields: Any) -> R:
    """A row as a query's answer carries it."""
    row = {"attributes": {"type": "X"}, "Id": "00X000000000001AAA", "SystemModstamp": STAMP, **fields}
    body = {"totalSize": 1, "done": True, "records": [row]}
    answer = sf.answer_in(json.dumps(body).encode(), shape, "test")
    assert answer.unread == ()
    return answer.rows[0]


def task(**fields: Any) -> list[Record]:
    created = {"OwnerId": ANA, "CreatedDate": "2026-03-01T09:00:00.000+0000", "IsClosed": True}
    return activities.task(read(sf.TaskRow, **{**created, **fields}), {}, Mappings())


def email(sellers: dict[str, str] | None = None, owners: dict[str, str] | None = None, **fields: Any) -> Interaction:
    sent = {"Incoming": False, "Status": "3", "MessageDate": STAMP, **fields}
    return the(Interaction, activities.email(read(sf.EmailRow, **sent), sellers or {}, owners or {}))


def the(kind: type[K], records: list[Record]) -> K:
    """The one record of a kind among others."""
    [found] = [record for record in records if isinstance(record, kind)]
    return found


def test_a_moment_is_utc_milliseconds_whatever_its_offset() -> None:
    assert wire.millis(datetime(2026, 3, 2, 10, tzinfo=UTC)) == AT_STAMP
    assert wire.millis(datetime.fromisoformat("2026-03-02T11:00:00.125+01:00")) == AT_STAMP + 125
    assert wire.millis(None) is None


def test_a_plain_date_is_days_since_1970_and_is_not_shifted() -> None:
    assert wire.day(date(1970, 1, 2)) == 1
    assert wire.day(date(2026, 3, 2)) == 20_514  # 56 years with 14 leap days, then 31 + 28 + 1
    assert wire.day(None) is None


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("0.1", 100_000), ("19.99", 19_990_000), ("123456789012.34", 123_456_789_012_340_000), ("1.25E+3", 1_250_000_000)],
)
def test_an_amount_is_exact_to_the_last_digit(sent: str, kept: int) -> None:
    body = f'{{"records":[{{"Id":"1","Amount":{sent}}}]}}'.encode()
    [row] = sf.answer_in(body, sf.OpportunityRow, "opportunities").rows
    assert wire.micros(row.Amount) == kept


def test_a_standard_user_is_a_rep() -> None:
    row = read(
        sf.UserRow,
        Name="Ana Ruiz",
        Email="ana@acme.example",
        IsActive=True,
        UserType="Standard",
        ManagerId=BO,
        TimeZoneSidKey="Europe/Madrid",
    )
    assert wire.rep(row) == [
        Rep(
            id=row.Id,
            modified=AT_STAMP,
            name="Ana Ruiz",
            email="ana@acme.example",
            active=True,
            known=True,
            manager=BO,
            time_zone="Europe/Madrid",
            person_record=row.Id,
        )
    ]


@pytest.mark.parametrize("kind", ["AutomatedProcess", "PowerPartner", "CsnOnly", None])
def test_any_other_user_is_not_known_as_a_rep(kind: str | None) -> None:
    assert not the(Rep, wire.rep(read(sf.UserRow, UserType=kind))).known


def test_a_converted_lead_names_its_contact_its_deal_and_a_plain_date() -> None:
    row = read(
        sf.LeadRow,
        OwnerId=ANA,
        CreatedDate=STAMP,
        LeadSource="Web",
        Status=" Closed - Converted ",
        IsConverted=True,
        ConvertedDate="2026-03-05",
        ConvertedContactId=CONTACT,
        ConvertedOpportunityId=DEAL,
    )
    found = the(Lead, wire.lead(row))
    assert (found.converted, found.converted_on, found.converted_at) == (True, 20_517, None)
    assert (found.person, found.deal) == (CONTACT, DEAL)
    assert (found.channel, found.status, found.owner) == ("Web", "closed - converted", ANA)


def test_a_lead_in_a_queue_has_no_owner_and_a_blank_source_is_none() -> None:
    found = the(Lead, wire.lead(read(sf.LeadRow, OwnerId="00G000000000001AAA", LeadSource="")))
    assert (found.owner, found.channel) == (None, None)


def test_a_merged_away_record_is_deleted_and_names_its_survivor() -> None:
    gone = {"IsDeleted": True, "MasterRecordId": LEAD}
    found = the(Lead, wire.lead(read(sf.LeadRow, **gone)))
    assert (found.deleted, found.merged_into) == (True, LEAD)
    contact = the(Person, wire.person(read(sf.ContactRow, **gone)))
    assert (contact.deleted, contact.merged_into) == (True, LEAD)


def test_an_open_deal_has_no_close_although_salesforce_has_a_close_date() -> None:
    found = the(Deal, wire.deal(read(sf.OpportunityRow, OwnerId=ANA, CloseDate="2026-06-30", Amount=10.5)))
    assert (found.closed, found.closed_on, found.amount) == (False, None, 10_500_000)


def test_a_won_deal_has_a_plain_close_date() -> None:
    row = read(sf.OpportunityRow, OwnerId=ANA, CloseDate="2026-03-02", IsClosed=True, IsWon=True, CurrencyIsoCode="EUR")
    found = the(Deal, wire.deal(row))
    assert (found.closed, found.won, found.closed_on, found.currency, found.amount) == (True, True, 20_514, "EUR", None)


def change(at: str, old: str, new: str) -> sf.OwnerChange:
    return read(sf.OwnerChange, OpportunityId=DEAL, Field="Owner", OldValue=old, NewValue=new, CreatedDate=at)


CLOSED = {"IsClosed": True, "OwnerId": BO, "LastStageChangeDate": "2026-03-10T12:00:00.000+0000"}


def test_a_deal_handed_over_after_its_close_was_its_former_owner_s() -> None:
    changes = [
        change("2026-03-20T09:00:00.000+0000", "Ana Ruiz", "Bo Li"),
        change("2026-03-20T09:00:00.000+0000", ANA, BO),
    ]
    assert wire.owner_at_close(read(sf.OpportunityRow, **CLOSED), changes) == ANA


def test_a_deal_handed_over_before_its_close_is_its_new_owner_s() -> None:
    changes = [
        change("2026-04-01T09:00:00.000+0000", BO, "005000000000003AAA"),
        change("2026-03-01T09:00:00.000+0000", ANA, BO),
    ]
    assert wire.owner_at_close(read(sf.OpportunityRow, **CLOSED), changes) == BO


def test_without_a_recorded_change_the_owner_at_close_is_not_known() -> None:
    assert wire.owner_at_close(read(sf.OpportunityRow, **CLOSED), []) is None


def test_an_open_deal_has_no_owner_at_close() -> None:
    changes = [change("2026-03-01T09:00:00.000+0000", ANA, BO)]
    assert wire.owner_at_close(read(sf.OpportunityRow, **{**CLOSED, "IsClosed": False}), changes) is None


def test_a_revenue_split_is_millionths_of_the_deal_and_overlay_credit_is_none() -> None:
    row = read(sf.SplitRow, OpportunityId=DEAL, SplitOwnerId=ANA, SplitPercentage=33.33, SplitTypeId="149A")
    assert the(Split, wire.split(row, frozenset({"149A"}))).share == 333_300
    assert wire.split(row, frozenset({"149B"})) == []


@pytest.mark.parametrize(
    "fields", [{"TaskSubtype": "Call"}, {"Type": "Call"}, {"CallType": "Outbound"}, {"CallDurationInSeconds": 0}]
)
def test_subtype_type_or_any_telephony_field_makes_a_task_a_call(fields: dict[str, Any]) -> None:
    assert the(Interaction, task(**fields)).kind == "call"


@pytest.mark.parametrize(
    ("type_", "direction"), [("Outbound", "out"), ("Inbound", "in"), ("Internal", "internal"), (None, None)]
)
def test_a_call_s_direction_is_what_salesforce_says_or_nothing(type_: str | None, direction: str | None) -> None:
    assert the(Interaction, task(TaskSubtype="Call", CallType=type_)).direction == direction


def test_a_completed_call_keeps_its_moment_duration_result_and_telephony_id() -> None:
    found = the(
        Interaction,
        task(
            TaskSubtype="Call",
            CompletedDateTime=STAMP,
            ActivityDate="2026-03-01",
            CallDurationInSeconds=90,
            CallDisposition=" No Answer ",
            CallObject="cti-7",
        ),
    )
    assert (found.outcome, found.at, found.on) == ("done", AT_STAMP, None)
    assert (found.duration_ms, found.disposition, found.external_id) == (90_000, "no answer", "cti-7")


def test_a_call_completed_before_that_field_existed_has_only_a_plain_date() -> None:
    found = the(Interaction, task(TaskSubtype="Call", ActivityDate="2026-03-02"))
    assert (found.at, found.on) == (None, 20_514)


def test_an_open_call_is_planned_and_a_next_step() -> None:
    records = task(TaskSubtype="Call", IsClosed=False, ActivityDate="2026-03-09", WhoId=CONTACT)
    assert the(Interaction, records).outcome == "planned"
    step = the(Task, records)
    assert (step.done, step.due_on, step.logs_activity) == (False, 20_521, False)


def test_a_call_logged_when_it_was_over_is_no_next_step_but_a_planned_one_was() -> None:
    logged = task(TaskSubtype="Call", CreatedDate=STAMP, CompletedDateTime=STAMP)
    assert the(Task, logged).logs_activity
    planned = task(TaskSubtype="Call", CreatedDate="2026-03-01T10:00:00.000+0000", CompletedDateTime=STAMP)
    assert not the(Task, planned).logs_activity


def test_a_task_of_subtype_email_is_an_untracked_email_sent() -> None:
    found = the(Interaction, task(TaskSubtype="Email", CompletedDateTime=STAMP))
    assert (found.kind, found.direction, found.outcome, found.tracked) == ("email", "out", "done", False)


def test_a_task_of_type_sms_is_a_message_without_direction() -> None:
    found = the(Interaction, task(Type="sms", CompletedDateTime=STAMP))
    assert (found.kind, found.direction) == ("message", None)


def test_a_to_do_is_a_task_and_no_interaction() -> None:
    records = task(IsClosed=False, WhoId=LEAD, WhatId=DEAL)
    assert [type(record) for record in records] == [Task, Link, Link]


def test_a_series_master_is_nothing() -> None:
    assert task(TaskSubtype="Call", IsRecurrence=True) == []


def test_a_task_with_several_people_is_linked_to_each_once_and_to_no_account() -> None:
    row = read(sf.TaskRow, OwnerId=ANA, IsClosed=False, WhoId=CONTACT, WhatId=DEAL, CreatedDate=STAMP)
    more = {row.Id: [CONTACT, LEAD, "001000000000001AAA"]}
    links = [link for link in activities.task(row, more, Mappings()) if isinstance(link, Link)]
    assert [(link.to_kind, link.to_id) for link in links] == [("person", CONTACT), ("deal", DEAL), ("person", LEAD)]


def test_a_meeting_has_start_end_and_no_outcome_of_its_own() -> None:
    row = read(
        sf.EventRow, OwnerId=ANA, StartDateTime=STAMP, EndDateTime="2026-03-02T10:30:00.000+0000", DurationInMinutes=30
    )
    found = the(Interaction, activities.meeting(row, {}, Mappings()))
    assert (found.kind, found.at, found.ended_at, found.outcome) == ("meeting", AT_STAMP, AT_STAMP + 1_800_000, None)


def test_an_all_day_meeting_has_a_plain_date_only() -> None:
    row = read(
        sf.EventRow,
        OwnerId=ANA,
        IsAllDayEvent=True,
        ActivityDate="2026-03-02",
        StartDateTime="2026-03-02T00:00:00.000+0000",
        EndDateTime="2026-03-02T00:00:00.000+0000",
    )
    found = the(Interaction, activities.meeting(row, {}, Mappings()))
    assert (found.at, found.on, found.ended_at) == (None, 20_514, None)


def test_an_invitee_s_copy_of_a_meeting_is_not_a_second_meeting() -> None:
    assert activities.meeting(read(sf.EventRow, OwnerId=BO, StartDateTime=STAMP, IsChild=True), {}, Mappings()) == []


def test_an_admin_s_own_field_says_what_became_of_a_meeting() -> None:
    mappings = Mappings(meeting_outcome_field="Outcome__c", meeting_outcomes={"didn't come": "no_show"})
    row = read(sf.with_outcome_field("Outcome__c"), OwnerId=ANA, StartDateTime=STAMP, Outcome__c="Didn't come")
    assert the(Interaction, activities.meeting(row, {}, mappings)).outcome == "no_show"


def test_an_outgoing_email_is_its_sender_s_by_id_then_address_then_log_then_creator() -> None:
    sellers, owners = {"bo@acme.example": BO}, {"00T1": "005000000000003AAA"}
    everything = {"FromAddress": "Bo@acme.example", "ActivityId": "00T1", "CreatedById": "005000000000004AAA"}
    assert email(sellers, owners, FromId=ANA, **everything).rep == ANA
    assert email(sellers, owners, FromId=CONTACT, **everything).rep == BO
    assert email({}, owners, **everything).rep == "005000000000003AAA"
    assert email({}, {}, **everything).rep == "005000000000004AAA"


def test_an_incoming_email_is_not_its_creator_s() -> None:
    incoming = {"Incoming": True, "Status": "1", "ActivityId": "00T1", "CreatedById": BO}
    assert email(**incoming).rep is None
    assert email({}, {"00T1": ANA}, **incoming).rep == ANA


@pytest.mark.parametrize(
    ("incoming", "status", "outcome"),
    [(False, "3", "done"), (False, "5", "draft"), (False, "0", "planned"), (True, "0", "done"), (True, "2", "done")],
)
def test_an_outgoing_email_is_sent_only_with_status_three(incoming: bool, status: str, outcome: str) -> None:
    assert email(Incoming=incoming, Status=status).outcome == outcome


@pytest.mark.parametrize(
    ("subject", "automatic"),
    [
        ("Out of Office: back Monday", True),
        ("AUTO: away", True),
        ("Respuesta automática: vacaciones", True),
        ("Re: Out of office party", False),
        ("", False),
        (None, False),
    ],
)
def test_an_incoming_email_is_automatic_by_the_beginning_of_its_subject(subject: str | None, automatic: bool) -> None:
    assert email(Incoming=True, Status="0", Subject=subject).automatic == automatic
    assert not email(Subject=subject).automatic


def test_an_email_keeps_thread_message_log_and_tracking() -> None:
    found = email(
        ThreadIdentifier="T1",
        MessageIdentifier="<m1@acme>",
        ReplyToEmailMessageId="02s1",
        ActivityId="00T1",
        IsTracked=True,
        IsOpened=True,
        FirstOpenedDate=STAMP,
        IsBounced=False,
    )
    assert (found.thread, found.message_id, found.reply_to, found.logs) == ("T1", "<m1@acme>", "02s1", "00T1")
    assert (found.tracked, found.opened, found.opened_at, found.bounced) == (True, True, AT_STAMP, False)
    assert found.clicked is None


def test_what_this_user_may_not_see_of_an_email_stays_unknown() -> None:
    found = email()
    assert (found.tracked, found.opened, found.bounced) == (None, None, None)


def test_a_recipient_is_linked_where_salesforce_knows_the_person() -> None:
    known = activities.email_person(read(sf.EmailPersonRow, EmailMessageId="02s1", RelationId=LEAD))
    assert (the(Link, known).from_id, the(Link, known).to_kind, the(Link, known).to_id) == ("02s1", "person", LEAD)
    assert activities.email_person(read(sf.EmailPersonRow, EmailMessageId="02s1", RelationId=ANA)) == []
    assert activities.email_person(read(sf.EmailPersonRow, EmailMessageId="02s1")) == []


def test_a_voice_call_knows_whether_somebody_answered_and_which_task_logs_it() -> None:
    row = read(
        sf.VoiceCallRow,
        UserId=ANA,
        CallType="Outbound",
        CallStartDateTime=STAMP,
        CallConnectDateTime=STAMP,
        ActivityId="00T1",
        RelatedRecordId=LEAD,
    )
    records = activities.voice_call(row)
    found = the(Interaction, records)
    assert (found.rep, found.direction, found.answered_by_crm, found.logs) == (ANA, "out", True, "00T1")
    assert the(Link, records).to_id == LEAD
    silent = read(sf.VoiceCallRow, UserId=ANA, CallStartDateTime=STAMP)
    assert the(Interaction, activities.voice_call(silent)).answered_by_crm is False


def test_a_campaign_without_a_cost_has_none_and_not_zero() -> None:
    assert the(Campaign, wire.campaign(read(sf.CampaignRow, OwnerId=ANA, StartDate="2026-03-02"))).cost is None
    assert the(Campaign, wire.campaign(read(sf.CampaignRow, OwnerId=ANA, ActualCost=0))).cost == 0


def test_a_response_to_a_campaign_is_a_form_submission_on_its_plain_date() -> None:
    row = read(sf.CampaignMemberRow, LeadId=LEAD, HasResponded=True, FirstRespondedDate="2026-03-02")
    found = the(Event, wire.campaign_response(row))
    assert (found.person, found.kind, found.on, found.at, found.amount) == (LEAD, "form_submission", 20_514, None, 1.0)
    assert wire.campaign_response(read(sf.CampaignMemberRow, LeadId=LEAD, HasResponded=False)) == []


def test_a_quota_lasts_as_long_as_its_period_and_a_month_without_one() -> None:
    quarter = read(sf.PeriodRow, StartDate="2026-01-01", EndDate="2026-03-31")
    rows = [
        read(sf.QuotaRow, QuotaOwnerId=ANA, QuotaAmount=90000, StartDate="2026-01-01", PeriodId=quarter.Id),
        read(sf.QuotaRow, QuotaOwnerId=ANA, QuotaAmount=30000, StartDate="2026-12-01"),
    ]
    found = [quota for quota in wire.quotas(rows, {quarter.Id: quarter}) if isinstance(quota, Quota)]
    first_of = {"January": 20_454, "April": 20_544, "December": 20_788, "next year": 20_819}
    assert [(quota.starts_on, quota.ends_on) for quota in found] == [
        (first_of["January"], first_of["April"]),
        (first_of["December"], first_of["next year"]),
    ]
    assert [quota.amount for quota in found] == [90_000_000_000, 30_000_000_000]


def test_a_rate_keeps_the_digits_that_salesforce_sent() -> None:
    body = b'{"records":[{"Id":"1","IsoCode":"EUR","ConversionRate":0.92510,"StartDate":"2026-03-02"}]}'
    [row] = sf.answer_in(body, sf.DatedRateRow, "rates").rows
    found = the(Rate, wire.rates([], [row]))
    assert (found.currency, found.rate, found.from_on, found.until_on) == ("EUR", "0.92510", 20_514, None)


def test_one_row_that_does_not_fit_is_named_and_the_others_are_read() -> None:
    body = b'{"records":[{"Id":"1","IsClosed":true},{"Id":"2","IsClosed":"maybe"},{"Id":"3"}],"done":true}'
    answer = sf.answer_in(body, sf.TaskRow, "tasks")
    assert [row.Id for row in answer.rows] == ["1", "3"]
    assert [(unread.stream, unread.id) for unread in answer.unread] == [("tasks", "2")]


def test_a_row_of_a_bulk_result_reads_like_one_of_a_query() -> None:
    line = {
        "Id": "1",
        "IsClosed": "true",
        "CallDurationInSeconds": "90",
        "CompletedDateTime": "2026-03-02T10:00:00.000Z",
    }
    [row] = sf.rows_in_csv([{**line, "CallType": "", "OwnerId": ANA}], sf.TaskRow, "tasks").rows
    found = the(Interaction, activities.task(row, {}, Mappings()))
    assert (found.kind, found.at, found.duration_ms, found.direction) == ("call", AT_STAMP, 90_000, None)
