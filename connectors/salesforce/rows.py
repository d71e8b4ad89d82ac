"""Salesforce's rows as they come: one typed shape an object, and how a page or a CSV of them is decoded.

Field names are Salesforce's own. Everything is optional, because a field that this user may not see is not asked for.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Generic, TypeVar, cast

import msgspec

from connectors.contract import Unread
from connectors.salesforce.settings import MessageObject


class Row(msgspec.Struct, gc=False, kw_only=True):
    """What every object has, where it is visible."""

    Id: str
    SystemModstamp: datetime | None = None
    LastModifiedDate: datetime | None = None
    CreatedDate: datetime | None = None
    IsDeleted: bool = False

    @property
    def stamp(self) -> datetime | None:
        """The moment by which changes are found: the first of the three that the object has."""
        return self.SystemModstamp or self.LastModifiedDate or self.CreatedDate


class UserRow(Row, gc=False, kw_only=True):
    Name: str | None = None
    Email: str | None = None
    SenderEmail: str | None = None
    IsActive: bool | None = None
    UserType: str | None = None
    ManagerId: str | None = None
    TimeZoneSidKey: str | None = None


class LeadRow(Row, gc=False, kw_only=True):
    OwnerId: str | None = None
    LeadSource: str | None = None
    Status: str | None = None
    IsConverted: bool = False
    ConvertedDate: date | None = None
    ConvertedContactId: str | None = None
    ConvertedOpportunityId: str | None = None
    HasOptedOutOfEmail: bool = False
    EmailBouncedDate: datetime | None = None
    MasterRecordId: str | None = None


class ContactRow(Row, gc=False, kw_only=True):
    OwnerId: str | None = None
    HasOptedOutOfEmail: bool = False
    EmailBouncedDate: datetime | None = None
    MasterRecordId: str | None = None


class OpportunityRow(Row, gc=False, kw_only=True):
    OwnerId: str | None = None
    Name: str | None = None
    Amount: Decimal | None = None
    CurrencyIsoCode: str | None = None
    CloseDate: date | None = None
    IsClosed: bool = False
    IsWon: bool = False
    LeadSource: str | None = None
    CampaignId: str | None = None
    LastStageChangeDate: datetime | None = None


class OwnerChange(Row, gc=False, kw_only=True):
    """A row of OpportunityFieldHistory. Values are of any type; an owner comes once as a name and once as an id."""

    OpportunityId: str | None = None
    Field: str | None = None
    OldValue: Any = None
    NewValue: Any = None


class ContactRoleRow(Row, gc=False, kw_only=True):
    OpportunityId: str | None = None
    ContactId: str | None = None


class SplitRow(Row, gc=False, kw_only=True):
    OpportunityId: str | None = None
    SplitOwnerId: str | None = None
    SplitPercentage: Decimal | None = None
    SplitTypeId: str | None = None


class SplitTypeRow(Row, gc=False, kw_only=True):
    SplitField: str | None = None
    IsTotalValidated: bool | None = None
    IsActive: bool | None = None


class TaskRow(Row, gc=False, kw_only=True):
    OwnerId: str | None = None
    WhoId: str | None = None
    WhatId: str | None = None
    WhoCount: int | None = None
    Type: str | None = None
    TaskSubtype: str | None = None
    IsClosed: bool = False
    ActivityDate: date | None = None
    CompletedDateTime: datetime | None = None
    IsRecurrence: bool = False
    CallType: str | None = None
    CallDurationInSeconds: int | None = None
    CallDisposition: str | None = None
    CallObject: str | None = None


class EventRow(Row, gc=False, kw_only=True):
    OwnerId: str | None = None
    WhoId: str | None = None
    WhatId: str | None = None
    WhoCount: int | None = None
    StartDateTime: datetime | None = None
    EndDateTime: datetime | None = None
    ActivityDate: date | None = None
    DurationInMinutes: int | None = None
    IsAllDayEvent: bool = False
    IsChild: bool = False
    IsRecurrence: bool = False
    Outcome: str | None = None


class ActivityPersonRow(Row, gc=False, kw_only=True):
    """A row of TaskRelation or EventRelation: one more person or thing of an activity."""

    TaskId: str | None = None
    EventId: str | None = None
    RelationId: str | None = None


class EmailRow(Row, gc=False, kw_only=True):
    ActivityId: str | None = None
    RelatedToId: str | None = None
    FromId: str | None = None
    FromAddress: str | None = None
    Subject: str | None = None
    Incoming: bool = False
    Status: str | None = None
    MessageDate: datetime | None = None
    IsTracked: bool | None = None
    IsOpened: bool | None = None
    FirstOpenedDate: datetime | None = None
    IsBounced: bool | None = None
    ReplyToEmailMessageId: str | None = None
    ThreadIdentifier: str | None = None
    MessageIdentifier: str | None = None
    CreatedById: str | None = None


class EmailPersonRow(Row, gc=False, kw_only=True):
    EmailMessageId: str | None = None
    RelationId: str | None = None


class VoiceCallRow(Row, gc=False, kw_only=True):
    UserId: str | None = None
    OwnerId: str | None = None
    ActivityId: str | None = None
    RelatedRecordId: str | None = None
    CallType: str | None = None
    CallDisposition: str | None = None
    CallStartDateTime: datetime | None = None
    CallConnectDateTime: datetime | None = None
    CallEndDateTime: datetime | None = None
    CallDurationInSeconds: int | None = None


class MessageRow(Row, gc=False, kw_only=True):
    """A text message in the admin's own object: `message_shape` knows what its fields are called there."""

    Rep: str | None = None
    At: datetime | None = None
    Direction: str | None = None


class CampaignRow(Row, gc=False, kw_only=True):
    OwnerId: str | None = None
    Name: str | None = None
    StartDate: date | None = None
    ActualCost: Decimal | None = None
    CurrencyIsoCode: str | None = None


class CampaignMemberRow(Row, gc=False, kw_only=True):
    LeadId: str | None = None
    ContactId: str | None = None
    HasResponded: bool = False
    FirstRespondedDate: date | None = None


class QuotaRow(Row, gc=False, kw_only=True):
    QuotaOwnerId: str | None = None
    QuotaAmount: Decimal | None = None
    IsAmount: bool | None = None
    StartDate: date | None = None
    PeriodId: str | None = None
    ForecastingTypeId: str | None = None
    ProductFamily: str | None = None
    CurrencyIsoCode: str | None = None


class ForecastingTypeRow(Row, gc=False, kw_only=True):
    DeveloperName: str | None = None
    IsActive: bool | None = None


class PeriodRow(Row, gc=False, kw_only=True):
    StartDate: date | None = None
    EndDate: date | None = None


class CurrencyRow(Row, gc=False, kw_only=True):
    IsoCode: str | None = None
    ConversionRate: Decimal | None = None
    IsCorporate: bool = False
    IsActive: bool | None = None


class DatedRateRow(Row, gc=False, kw_only=True):
    IsoCode: str | None = None
    StartDate: date | None = None
    NextStartDate: date | None = None
    ConversionRate: Decimal | None = None


class OrganizationRow(Row, gc=False, kw_only=True):
    Name: str | None = None
    TimeZoneSidKey: str | None = None
    FiscalYearStartMonth: int | None = None
    OrganizationType: str | None = None


R = TypeVar("R", bound=Row)


class _Answer(msgspec.Struct, Generic[R]):
    records: list[R]
    done: bool = True
    nextRecordsUrl: str | None = None
    totalSize: int | None = None


class _RawAnswer(msgspec.Struct):
    records: list[msgspec.Raw]
    done: bool = True
    nextRecordsUrl: str | None = None
    totalSize: int | None = None


@dataclass(frozen=True)
class Answer(Generic[R]):
    """A page of a query. `more` is the address of the next page, to be followed as it is."""

    rows: list[R]
    more: str | None
    total: int | None
    unread: tuple[Unread, ...] = ()


def answer_in(content: bytes, shape: type[R], stream: str) -> Answer[R]:
    """Decode a page at once; only a page with a row that does not fit is decoded row by row.

    Raises msgspec.MsgspecError where the page itself is no query answer.
    """
    try:
        whole = msgspec.json.decode(content, type=_Answer[shape])  # type: ignore[valid-type]
        return Answer(whole.records, None if whole.done else whole.nextRecordsUrl, whole.totalSize)
    except msgspec.ValidationError:
        page = msgspec.json.decode(content, type=_RawAnswer)
    rows: list[R] = []
    unread: list[Unread] = []
    for raw in page.records:
        try:
            rows.append(msgspec.json.decode(raw, type=shape))
        except msgspec.ValidationError as misfit:
            unread.append(Unread(stream, _id_of(msgspec.json.decode(raw)), str(misfit)))
    return Answer(rows, None if page.done else page.nextRecordsUrl, page.totalSize, tuple(unread))


def rows_in_csv(lines: Iterable[Mapping[str, str]], shape: type[R], stream: str) -> Answer[R]:
    """Decode rows of a Bulk result, in which everything is text and blank is null."""
    rows: list[R] = []
    unread: list[Unread] = []
    for line in lines:
        try:
            rows.append(msgspec.convert({k: v for k, v in line.items() if v}, type=shape, strict=False))
        except msgspec.ValidationError as misfit:
            unread.append(Unread(stream, _id_of(line), str(misfit)))
    return Answer(rows, None, None, tuple(unread))


def with_outcome_field(name: str) -> type[EventRow]:
    """The shape of an Event whose outcome stands in the admin's own field."""
    outcome = [("Outcome", str | None, None)]
    return cast(
        type[EventRow],
        msgspec.defstruct(
            "EventRowWithOutcome", outcome, bases=(EventRow,), rename={"Outcome": name}, gc=False, kw_only=True
        ),
    )


def linked(source: MessageObject) -> tuple[str, ...]:
    """What the lookups of a text message are called in its shape."""
    return tuple(f"Linked{number}" for number in range(len({*source.people, *source.deals})))


def message_shape(source: MessageObject) -> type[MessageRow]:
    """The shape of a text message in this object. What is blank there is not asked for."""
    called = {"Rep": source.rep, "Direction": source.direction or "-"}
    if source.at not in {"CreatedDate", "LastModifiedDate", "SystemModstamp"}:
        called["At"] = source.at
    called |= dict(zip(linked(source), dict.fromkeys((*source.people, *source.deals)), strict=True))
    # Only a field that the shape declares itself can have another name.
    fields = [(name, datetime | None if name == "At" else str | None, None) for name in called]
    shape = msgspec.defstruct("TextMessage", fields, bases=(MessageRow,), rename=called, gc=False, kw_only=True)
    return cast(type[MessageRow], shape)


def _id_of(row: Any) -> str:
    return str(row.get("Id", "")) if isinstance(row, Mapping) else ""
