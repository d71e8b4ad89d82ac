"""What is read of Salesforce, in which order, and what is missing when a part of it cannot be seen.

A field is asked for only where this user's describe shows it. This is the one place that says which missing piece
silences which source of the numbers; the names are those of `kpi_engine.sources`, and a few of doctor's own that
leave every number available.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec

from connectors.contract import Gap
from connectors.salesforce import rows as sf
from connectors.salesforce.settings import Mappings
from connectors.salesforce.vendor import Field


@dataclass(frozen=True)
class Source:
    """A stream: the object it reads, its shape, and the fields without which its rows would be a guess.

    all_rows   with deleted and archived rows; users are never deleted, small tables are compared whole
    whole      read in full each time, because the table is small and its deletions leave no trace
    """

    stream: str
    sobject: str
    shape: type[sf.Row]
    needs: tuple[str, ...] = ()
    all_rows: bool = True
    whole: tuple[str, ...] = ()


MAIL = ("Incoming", "Status", "MessageDate", "FromId", "FromAddress", "ActivityId")
RESPONSE = ("HasResponded", "FirstRespondedDate", "LeadId", "ContactId")
VOICE = ("CallStartDateTime", "CallConnectDateTime", "CallDurationInSeconds", "CallType", "UserId", "ActivityId")
QUOTA = ("QuotaOwnerId", "QuotaAmount", "StartDate", "PeriodId", "ForecastingTypeId", "ProductFamily")

SOURCES: tuple[Source, ...] = (
    Source("users", "User", sf.UserRow, ("UserType",), all_rows=False),
    Source("leads", "Lead", sf.LeadRow, ("OwnerId", "IsConverted")),
    Source("contacts", "Contact", sf.ContactRow, ("OwnerId",)),
    Source("opportunities", "Opportunity", sf.OpportunityRow, ("OwnerId", "IsClosed", "IsWon", "CloseDate", "Amount")),
    Source("contact_roles", "OpportunityContactRole", sf.ContactRoleRow, ("OpportunityId", "ContactId")),
    Source(
        "splits",
        "OpportunitySplit",
        sf.SplitRow,
        ("OpportunityId", "SplitOwnerId", "SplitPercentage", "SplitTypeId"),
    ),
    Source("tasks", "Task", sf.TaskRow, ("OwnerId", "IsClosed")),
    Source("events", "Event", sf.EventRow, ("OwnerId", "StartDateTime")),
    Source("emails", "EmailMessage", sf.EmailRow, MAIL),
    Source("email_people", "EmailMessageRelation", sf.EmailPersonRow, ("EmailMessageId", "RelationId")),
    # Without the tasks that log them such calls and e-mails would count twice.
    Source("voice_calls", "VoiceCall", sf.VoiceCallRow, VOICE),
    Source("campaigns", "Campaign", sf.CampaignRow, ("OwnerId",)),
    Source("campaign_members", "CampaignMember", sf.CampaignMemberRow, RESPONSE),
    # Without period, forecast and product a quarter's quota would be a month's, or a product's the whole.
    Source("quotas", "ForecastingQuota", sf.QuotaRow, QUOTA, whole=("quota",)),
    Source("rates", "CurrencyType", sf.CurrencyRow, ("IsoCode", "ConversionRate"), whole=("rate",)),
)
"""In the order in which they are to be read."""


def sources(mappings: Mappings) -> tuple[Source, ...]:
    """What is read for an admin with these mappings."""
    text = mappings.message_object
    if text is None:
        return SOURCES
    needs = tuple(dict.fromkeys((text.rep, text.at, *text.people, *text.deals)))
    return (*SOURCES, Source("text_messages", text.object, sf.message_shape(text), needs))


BY_STREAM = {source.stream: source for source in SOURCES}

ASIDE: tuple[str, ...] = (
    "OpportunityFieldHistory",
    "OpportunitySplitType",
    "TaskRelation",
    "EventRelation",
    "ForecastingType",
    "Period",
    "DatedConversionRate",
)
"""Objects that only complete the rows of a stream."""

STAMPS = ("SystemModstamp", "LastModifiedDate", "CreatedDate")
"""By which changes are found: SystemModstamp also moves when Salesforce itself changes a row."""


def asked_fields(shape: type[sf.Row], visible: dict[str, Field]) -> tuple[str, ...]:
    """What the shape wants and this user may see, as Salesforce writes it; none where the object cannot be seen."""
    return tuple(field.encode_name for field in msgspec.structs.fields(shape) if field.encode_name in visible)


def stamp_field(visible: dict[str, Field]) -> str | None:
    """The field by which changes of an object are found."""
    return next((name for name in STAMPS if name in visible), None)


@dataclass(frozen=True)
class Need:
    """What a source of the numbers takes: fields of an object. Where one is hidden the source is missing."""

    source: str
    sobject: str
    fields: tuple[str, ...]
    reason: str
    advice: str


_EMAIL = "Switch on Enhanced Email and let the integration user read EmailMessage"

NEEDS: tuple[Need, ...] = (
    Need(
        "deals",
        "Opportunity",
        ("OwnerId", "IsClosed", "IsWon", "CloseDate", "Amount"),
        "Opportunities, or their owner, stage, close date or amount, are not visible.",
        "Let the integration user read Opportunity with all of these fields, and View All.",
    ),
    Need(
        "leads",
        "Lead",
        (
            "OwnerId",
            "IsConverted",
            "Status",
            "ConvertedDate",
            "ConvertedContactId",
            "ConvertedOpportunityId",
            "MasterRecordId",
        ),
        "Leads, or their status and what they were converted to, are not visible.",
        "Let the integration user read Lead with View All.",
    ),
    *(
        Need(
            source,
            "Task",
            ("OwnerId", "IsClosed", "WhoId", "WhatId", *kind),
            "Tasks, in which Salesforce keeps this, are not visible, or not what each of them is.",
            " ".join(["Let the integration user read Task", *(["with its fields", " and ".join(kind)] if kind else [])])
            + ".",
        )
        for source, kind in (("calls", ("Type", "TaskSubtype")), ("messages", ("Type",)), ("tasks", ()))
    ),
    Need(
        "meetings",
        "Event",
        ("OwnerId", "StartDateTime", "IsChild", "WhoId", "WhatId"),
        "Events are not visible, or not with whom they were and which of them are copies of others.",
        "Let the integration user read Event.",
    ),
    Need(
        "campaigns",
        "Campaign",
        ("OwnerId",),
        "Campaigns are not visible.",
        "Let the integration user read Campaign.",
    ),
    Need(
        "opens",
        "EmailMessage",
        ("IsTracked", "IsOpened"),
        "Salesforce does not show whether e-mails were opened.",
        f"{_EMAIL} with its fields Is Tracked and Is Opened.",
    ),
    Need(
        "bounces",
        "EmailMessage",
        ("IsBounced",),
        "Salesforce does not show whether e-mails bounced.",
        f"{_EMAIL} with its field Is Bounced, and switch on bounce management.",
    ),
    Need(
        "replies",
        "EmailMessage",
        ("Incoming", "ThreadIdentifier", "Subject"),
        "Salesforce does not show incoming e-mails, their threads and whether they are automatic.",
        f"{_EMAIL}; captured mail appears once it is stored as Salesforce activity.",
    ),
    Need(
        "quotas",
        "ForecastingQuota",
        QUOTA,
        "Forecast quotas are switched off or not visible.",
        "Give the integration user View All Forecasts, or set targets for `quota` in kpisync.toml.",
    ),
    Need(
        "quotas",
        "Period",
        ("EndDate",),
        "How long the periods of quotas are is not visible.",
        "Let the integration user read Period, or set targets for `quota` in kpisync.toml.",
    ),
    Need(
        "campaigns",
        "Opportunity",
        ("CampaignId",),
        "Which campaign a deal comes from is not visible.",
        "Let the integration user read the field Primary Campaign Source of Opportunity.",
    ),
    Need(
        "deal_people",
        "OpportunityContactRole",
        ("OpportunityId", "ContactId"),
        "Who takes part in a deal is not visible.",
        "Let the integration user read OpportunityContactRole (with Opportunity and Contact).",
    ),
    Need(
        "campaign_costs",
        "Campaign",
        ("ActualCost", "StartDate"),
        "The actual cost of campaigns is not visible.",
        "Let the integration user read Campaign with its field Actual Cost.",
    ),
    Need(
        "form_submissions",
        "CampaignMember",
        RESPONSE,
        "Responses to campaigns are not visible.",
        "Let the integration user read CampaignMember.",
    ),
    *(
        Need(
            "opt_outs",
            sobject,
            ("HasOptedOutOfEmail", "EmailBouncedDate"),
            "Who opted out of e-mail, or can no longer be reached by it, is not visible.",
            f"Let the integration user read the fields Email Opt Out and Email Bounced Date of {sobject}.",
        )
        for sobject in ("Lead", "Contact")
    ),
    Need(
        "answers",
        "Task",
        ("CallDurationInSeconds", "CallDisposition"),
        "The duration or the result of calls is not visible, so that nobody can tell which were answered.",
        "Let the integration user read the fields Call Duration and Call Result of Task.",
    ),
    Need(
        "lead_channels",
        "Lead",
        ("LeadSource",),
        "The source of leads is not visible.",
        "Let the integration user read the field Lead Source of Lead.",
    ),
    Need(
        "owner_history",
        "Opportunity",
        ("LastStageChangeDate",),
        "When a deal was closed is not visible, so a deal is its present owner's.",
        "Let the integration user read the field Last Stage Change Date of Opportunity.",
    ),
    Need(
        "owner_history",
        "OpportunityFieldHistory",
        ("OpportunityId", "Field", "NewValue", "OldValue"),
        "Changes of a deal's owner are not recorded, so a deal is its present owner's.",
        "Track the history of Opportunity Owner (Setup › Opportunity › Set History Tracking).",
    ),
)

ALWAYS_MISSING: tuple[Gap, ...] = (
    Gap(
        "clicks",
        "Salesforce records no clicks in e-mails.",
        "Only a marketing add-on does; without one this stays blank.",
    ),
    Gap(
        "opt_out_dates",
        "Salesforce says that somebody opted out, not when.",
        "Nothing to do: an opt-out counts from now on, for every period.",
    ),
    *(
        Gap(source, reason, "Nothing to do: it adds nothing to engagement and interest.")
        for source, reason in (
            ("page_views", "Salesforce records no page views."),
            ("documents", "Salesforce records no time spent on documents."),
            ("qualified_dates", "Salesforce does not say when a lead was qualified."),
        )
    ),
)


def gaps(fields: Callable[[str], dict[str, Field]], mappings: Mappings) -> Iterator[Gap]:
    """Everything that this org and user lack, in the order of the table."""
    yield from ALWAYS_MISSING
    outcome = mappings.meeting_outcome_field
    if outcome is None or outcome not in fields("Event"):
        yield Gap(
            "meeting_outcomes",
            "A Salesforce event has no outcome of its own"
            + ("." if outcome is None else f", and the field {outcome} is not visible."),
            "Name the field that holds it in mappings.meeting_outcome_field; until then no no-show is known.",
        )
    text = mappings.message_object
    if text is not None and not set(sources(mappings)[-1].needs) <= fields(text.object).keys():
        yield Gap(
            "messages",
            f"The object {text.object} for text messages, or a field that mappings.message_object names, is hidden.",
            "Let the integration user read it with View All, or correct mappings.message_object.",
        )
    yield from _beside(fields)
    if fields("EmailMessage") and "RelatedToId" not in fields("EmailMessage"):
        yield Gap(
            "deal_people",
            "Which deals e-mails are about is not visible.",
            "Let the integration user read the field Related To of EmailMessage.",
        )
    if fields("EmailMessage") and not set(BY_STREAM["email_people"].needs) <= fields("EmailMessageRelation").keys():
        yield Gap(
            "email_people",
            "To whom e-mails went is not visible.",
            "Let the integration user read EmailMessageRelation.",
        )
    if not set(BY_STREAM["users"].needs) <= fields("User").keys():
        yield Gap(
            "users", "Users are not visible: nobody is known as a rep.", "Give the integration user View All Users."
        )
    telephony = fields("Task").keys() & {"CallType", "CallObject", "CallDurationInSeconds", "CallDisposition"}
    if telephony and not {"CallType", "CallObject"} <= telephony:
        yield Gap(
            "calls",
            "A telephone system fills the calls, but not who called whom, or under which number it knows a call.",
            "Let the integration user read the fields Call Type and Call Object Identifier of Task.",
        )
    if not _any_emails(fields):
        yield Gap(
            "emails", "Not all e-mails are visible: messages, and the tasks that log others.", f"{_EMAIL}, and Task."
        )
    for need in NEEDS:
        if not set(need.fields) <= fields(need.sobject).keys():
            yield Gap(need.source, need.reason, need.advice)


def _beside(fields: Callable[[str], dict[str, Field]]) -> Iterator[Gap]:
    """Features that many an org does without. Whether it has them and hides them cannot be told from outside."""
    rates, deals = fields("CurrencyType"), fields("Opportunity")
    if {"IsoCode", "ConversionRate"} <= rates.keys() and "CurrencyIsoCode" in deals:
        pass  # several currencies, and all that is to be known of them
    elif rates or "CurrencyIsoCode" in deals:
        yield Gap(
            "exchange_rates",
            "Deals are in several currencies; which, or what they are worth, is not visible.",
            "Let the integration user read CurrencyType, DatedConversionRate and the field Currency of Opportunity.",
        )
    else:
        yield Gap(
            "rates",
            "Salesforce knows one currency only: amounts are taken as they are.",
            "Nothing to do, unless the company has several currencies: then let the integration user read them.",
        )
    if not splits_are_visible(fields):
        # Only where splits are switched on a deal says whether it is split.
        on = "IsSplit" in deals
        yield Gap(
            "deal_splits" if on else "splits",
            "Deals are divided among people, and how is not visible."
            if on
            else "Splits of deals are switched off or not visible: a deal is its owner's whole.",
            "Let the integration user read OpportunitySplit and OpportunitySplitType with all of their fields."
            if on
            else "Nothing to do, unless deals are divided among people.",
        )
    if not set(VOICE) <= fields("VoiceCall").keys():
        yield Gap(
            "voice_calls",
            "There are no voice calls that this user sees: whether somebody answered is what reps note in Call Result.",
            "Nothing to do, unless the company telephones in Salesforce: then let the integration user read VoiceCall.",
        )


def splits_are_visible(fields: Callable[[str], dict[str, Field]]) -> bool:
    """Whether it can be told how deals are divided. Without its type a split may be overlay credit, which divides
    nothing."""
    types = {"SplitField", "IsTotalValidated"} <= fields("OpportunitySplitType").keys()
    return types and set(BY_STREAM["splits"].needs) <= fields("OpportunitySplit").keys()


def _any_emails(fields: Callable[[str], dict[str, Field]]) -> bool:
    """E-mails are tasks that log them, and messages of their own where these are switched on."""
    messages = fields("EmailMessage")
    whole = not messages or set(BY_STREAM["emails"].needs) <= messages.keys()
    return whole and {"TaskSubtype", *BY_STREAM["tasks"].needs} <= fields("Task").keys()
