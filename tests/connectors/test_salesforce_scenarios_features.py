"""Features that a Salesforce org does without, or hides: doctor names each, and what it leaves unknown is blank, not 0.

Every case goes the whole way: look, pull, compute, values.
"""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from connectors.salesforce.sources import NEEDS, SOURCES
from crm_sandbox.salesforce import Features
from crm_sandbox.world import (
    Allotment,
    Call,
    Email,
    ExchangeRate,
    Meeting,
    Message,
    Promotion,
    Prospect,
    Sale,
    Seller,
    Todo,
    World,
)
from kpi_engine.catalog import CATALOG
from kpi_engine.periods import to_day
from kpi_engine.records import Company, Millis
from kpi_engine.values import values
from sync.cache import Cache
from sync.run import Job, Options, look, pull, score
from sync.scoring import computed
from tests.connectors.salesforce_world import house

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def on(day: int, hour: int = 10) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


def deal(key: str, amount: int, currency: str, **more: Any) -> Sale:
    return Sale(
        key,
        key,
        ((on(1), "ana"),),
        on(1),
        "won",
        date(2026, 11, 10),
        closed_at=on(10, 16),
        amount=Decimal(amount),
        currency=currency,
        **more,
    )


WORLD = World(
    "Acme",
    NOW,
    currency="EUR",
    sellers=tuple(Seller(key, key.title(), f"{key}@acme.example", created=on(1)) for key in ("ana", "bo")),
    prospects=(Prospect("lea", "Lea Roy", "lea@x.example", "X", "ana", on(1), channel="Web", is_lead=True),),
    emails=(
        Email("sent", "ana", ("lea",), (), "out", on(3), "Hello", "t", "<1@x>", tracked=True, opens=(on(3, 11),)),
        Email("back", "ana", ("lea",), (), "in", on(3, 12), "Re: Hello", "t", "<2@x>"),
        Email("noted", "ana", ("lea",), (), "out", on(4), "Noted", None, "<3@x>", noted_only=True),
    ),
    calls=(Call("talk", "ana", ("lea",), ("big",), on(5), outcome="Connected", seconds=120),),
    messages=(Message("text", "ana", ("lea",), (), on(6)),),
    meetings=(Meeting("demo", "ana", ("lea",), ("big",), on(9), on(9, 11), on(2)),),
    todos=(Todo("next", "ana", ("lea",), ("big",), on(5), due=date(2026, 11, 6), done=on(6)),),
    sales=(
        deal("big", 1000, "EUR", people=("lea",), campaign="fair", splits=(("ana", Decimal(60)), ("bo", Decimal(40)))),
        deal("far", 500, "USD", people=("lea",)),
    ),
    promotions=(Promotion("fair", "Fair", "ana", date(2026, 11, 1), Decimal(400), responses=(("lea", on(2)),)),),
    allotments=(Allotment("ana", date(2026, 11, 1), date(2026, 12, 1), Decimal(2000)),),
    rates=(ExchangeRate("USD", date(2026, 1, 1), Decimal("1.25")),),
)
"""Ana sold 1000 EUR (of which Bo has 40 %) and 500 USD, which are 400 EUR: her revenue is 600 + 400."""

MONEY = {kpi.key for kpi in CATALOG if any(part.stuff == "money" for part in kpi.parts)}
DEALS = {"deals_won", "deals_lost", "win_rate", "sales_cycle_days", "calls_per_won_deal", "touchpoints_per_won_deal"}
OPENED = {"email_open_rate", "email_bounce_rate", "email_reply_rate", "response_rate"}
ANSWERED = {kpi.key for kpi in CATALOG if "answers" in kpi.needs}
CALLED = {kpi.key for kpi in CATALOG if "calls" in kpi.needs}
BY_REVENUE = {"revenue", "revenue_share", "large_deal_share", "quota_attainment", "revenue_per_call"}

CASES: dict[str, tuple[dict[str, Any], set[str], set[str], dict[str, float]]] = {
    "everything": (
        {},
        set(),
        set(),
        {"revenue": 1000, "deals_won": 2, "calls_answered": 1, "quota": 2000, "campaign_roi": 1.5},
    ),
    "no EmailMessage, which is no Enhanced Email": (
        {"email_messages": False},
        {"opens", "bounces", "replies"},
        OPENED,
        {"emails_sent": 2},  # the tasks that log them are there
    ),
    "e-mail tracking hidden": (
        {"hidden": {"EmailMessage.IsOpened"}},
        {"opens"},
        {"email_open_rate"},
        {"email_reply_rate": 0.5},
    ),
    "recipients of e-mails hidden": (
        {"absent": {"EmailMessageRelation"}},
        {"email_people"},
        {"touchpoints_per_won_deal", "follow_ups_per_won_deal", "call_follow_up_rate"},
        {"emails_sent": 2, "touchpoints": 5},
    ),
    "several currencies without their rates": (
        {"absent": {"CurrencyType"}},
        {"exchange_rates"},
        MONEY,
        {"deals_won": 2, "win_rate": 1},
    ),
    "no ForecastingQuota": ({"forecasts": False}, {"quotas"}, {"quota", "quota_attainment"}, {"revenue": 1000}),
    "periods of quotas hidden": ({"absent": {"Period"}}, {"quotas"}, {"quota", "quota_attainment"}, {"revenue": 1000}),
    "splits that cannot be seen": (
        {"absent": {"OpportunitySplitType"}},
        {"deal_splits"},
        BY_REVENUE,
        {"deals_won": 2, "average_deal_value": 700},
    ),
    "splits switched off": ({"splits": False}, {"splits"}, set(), {"revenue": 1400}),
    "no VoiceCall": ({"voice_calls": False}, {"voice_calls"}, set(), {"calls_answered": 1}),
    "no telephony fields": ({"cti": False}, {"answers"}, ANSWERED, {"calls_made": 1}),
    "types of tasks hidden": ({"hidden": {"Task.Type"}}, {"calls", "messages"}, CALLED, {"emails_sent": 2}),
    "no field history": ({"owner_history": False}, {"owner_history"}, set(), {"revenue": 1000, "deals_won": 2}),
    "no campaigns": (
        {"campaigns": False},
        {"campaigns", "campaign_costs", "form_submissions"},
        {"campaign_roi"},
        {"revenue": 1000},
    ),
    "the campaign of deals hidden": (
        {"hidden": {"Opportunity.CampaignId"}},
        {"campaigns"},
        {"campaign_roi"},
        {"revenue": 1000},
    ),
    "opt-outs hidden": (
        {"hidden": {"Lead.HasOptedOutOfEmail"}},
        {"opt_outs", "lead_scores"},
        {"engaged_leads", "engagement_rate", "average_engagement"},
        {"leads_created": 1},
    ),
    "contact roles hidden": (
        {"absent": {"OpportunityContactRole"}},
        {"deal_people"},
        {"touchpoints_per_won_deal", "follow_ups_per_won_deal"},
        {"effort_per_won_deal": 2.5},
    ),
}
"""What is missing → what doctor calls it, the KPIs that are not available then, and values of Ana's that are."""

ALWAYS = {"email_click_rate", "email_unsubscribe_rate", "large_deal_share"}
"""Salesforce knows neither clicks nor when somebody opted out; two deals make no sizes."""


@pytest.mark.parametrize("case", CASES)
def test_what_an_org_lacks_is_named_and_its_values_are_not_available(case: str, tmp_path: Path) -> None:
    lacking, gaps, unavailable, known = CASES[case]
    features = Features(**{name: _frozen(value) for name, value in lacking.items()})
    with house(WORLD, features=features) as here:
        company = Company(connection="acme", home_currency="EUR")
        options = Options(track=("calls_made",), since=to_day(date(2026, 11, 1)))
        job, found = look(Job(name="acme", connector=here.connector, company=company, options=options))
        cache = Cache.open(f"sqlite:///{tmp_path}/cache.db", "acme")
        pull(job, cache)
        score(job, cache, as_of=Millis(round(NOW.timestamp() * 1000)))
        told = computed(cache, {"month"})
        rows = values(told.parts, told.company, told.as_of, grain="month", rep=here.key("seller", "ana"))
        cache.close()
    named = {gap.source: gap for gap in found.gaps}
    assert gaps <= named.keys()
    assert all(named[gap].reason and named[gap].advice for gap in gaps)  # what doctor prints
    mine = {row["kpi"]: row for row in rows.iter_rows(named=True) if row["dimension"] is None}
    blank = {kpi for kpi, row in mine.items() if row["reason"] == "not_available"}
    assert blank == unavailable | ALWAYS
    assert all(mine[kpi]["value"] is None for kpi in blank)
    assert {kpi: mine[kpi]["value"] for kpi in known} == known


def _frozen(value: Any) -> Any:
    return frozenset(value) if isinstance(value, set) else value


HARMLESS = {
    "Name, Email and manager are shown or grouped by; without them a person has an id": {
        "User.Name",
        "User.Email",
        "User.ManagerId",
        "Opportunity.Name",
        "Campaign.Name",
    },
    "every user has it, and no permission hides it": {
        "User.IsActive",
        "User.TimeZoneSidKey",
        "User.SenderEmail",
        "Contact.MasterRecordId",
        "Task.IsRecurrence",
        "Event.IsRecurrence",
        "CurrencyType.IsActive",
        "ForecastingQuota.CurrencyIsoCode",
        "Campaign.CurrencyIsoCode",
    },
    "the next best moment of the same row is taken": {
        "Task.ActivityDate",
        "Task.CompletedDateTime",
        "Event.ActivityDate",
        "Event.EndDateTime",
        "Event.DurationInMinutes",
        "Event.IsAllDayEvent",
        "VoiceCall.CallEndDateTime",
        "EmailMessage.FirstOpenedDate",
    },
    "only with Shared Activities: the first person stands for all": {"Task.WhoCount", "Event.WhoCount"},
    "the thread tells replies, and ids tell copies, where it does not": {
        "EmailMessage.ReplyToEmailMessageId",
        "EmailMessage.MessageIdentifier",
        "EmailMessage.CreatedById",
    },
    "the connect time tells answers, and the user tells whose call it is": {
        "VoiceCall.CallDisposition",
        "VoiceCall.OwnerId",
        "VoiceCall.RelatedRecordId",
    },
    "an amount that is no amount is blank": {"ForecastingQuota.IsAmount"},
    "no number is divided by it": {"Opportunity.LeadSource"},
}
"""Why hiding a field makes no number wrong → the fields."""

LOOKED_AT_APART = {"Task.CallType", "Task.CallObject", "EmailMessage.RelatedToId", "Opportunity.CurrencyIsoCode"}
LOOKED_AT_APART |= {"CurrencyType.IsCorporate"}  # the home currency is then a setting
OF_EVERY_ROW = {"Id", "SystemModstamp", "LastModifiedDate", "CreatedDate", "IsDeleted"}


def test_of_every_field_that_is_read_it_is_known_what_becomes_of_the_numbers_without_it() -> None:
    read = {
        f"{source.sobject}.{name.encode_name}"
        for source in SOURCES
        for name in msgspec.structs.fields(source.shape)
        if name.encode_name not in OF_EVERY_ROW and name.encode_name != "Outcome"
    }
    needed = {f"{source.sobject}.{name}" for source in SOURCES for name in source.needs}
    needed |= {f"{need.sobject}.{name}" for need in NEEDS for name in need.fields}
    harmless = {name for names in HARMLESS.values() for name in names}
    assert read - needed - LOOKED_AT_APART == harmless
