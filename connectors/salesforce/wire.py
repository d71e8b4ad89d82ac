"""Salesforce's rows become our records: pure functions, each oddity of Salesforce's in a comment.

An id's first three characters name its object, which spares every query a join for `Who.Type` and `Owner.Type`.
A function gives a list, because one row of Salesforce's can be several of our records, or none.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal

from connectors.salesforce import rows as sf
from kpi_engine.records import (
    Campaign,
    Day,
    Deal,
    Event,
    Lead,
    Link,
    Micros,
    Millis,
    Person,
    Quota,
    Rate,
    Record,
    Rep,
    Split,
)

USER = "005"

EPOCH_DAY = date(1970, 1, 1).toordinal()


def millis(moment: datetime | None) -> Millis | None:
    """UTC milliseconds since 1970."""
    return None if moment is None else Millis(round(moment.timestamp() * 1000))


def day(when: date | None) -> Day | None:
    """Days since 1970; a plain date is never shifted."""
    return None if when is None else Day(when.toordinal() - EPOCH_DAY)


def micros(amount: Decimal | None) -> Micros | None:
    """Millionths, exact for everything a currency field can hold."""
    return None if amount is None else Micros(int(amount.scaleb(6).to_integral_value(ROUND_HALF_EVEN)))


def label(text: str | None) -> str | None:
    """A label as the rules compare it: lower-cased, trimmed, None where blank."""
    return (text or "").strip().lower() or None


def seller(owner: str | None) -> str | None:
    """The owner if it is a user; a queue (00G) is nobody."""
    return owner if owner is not None and owner.startswith(USER) else None


def modified_of(row: sf.Row) -> Millis:
    return millis(row.stamp) or Millis(0)


def created_of(row: sf.Row) -> Millis:
    return millis(row.CreatedDate) or modified_of(row)


def rep(row: sf.UserRow) -> list[Record]:
    """A User. Anything but a Standard user (a portal, a robot, an integration) is not known as a rep."""
    return [
        Rep(
            id=row.Id,
            modified=modified_of(row),
            name=row.Name or row.Id,
            email=row.Email,
            active=row.IsActive is not False,
            known=row.UserType == "Standard",
            manager=row.ManagerId,
            time_zone=row.TimeZoneSidKey,
            person_record=row.Id,
        )
    ]


def lead(row: sf.LeadRow) -> list[Record]:
    """A Lead. A merged-away one is deleted and names its survivor."""
    return [
        Lead(
            id=row.Id,
            modified=modified_of(row),
            deleted=row.IsDeleted,
            owner=seller(row.OwnerId),
            created_at=created_of(row),
            channel=row.LeadSource or None,
            status=label(row.Status),
            converted=row.IsConverted,
            converted_on=day(row.ConvertedDate),
            person=row.ConvertedContactId,
            deal=row.ConvertedOpportunityId,
            opted_out=row.HasOptedOutOfEmail,
            bounced_at=millis(row.EmailBouncedDate),
            merged_into=row.MasterRecordId,
        )
    ]


def person(row: sf.ContactRow) -> list[Record]:
    """A Contact."""
    return [
        Person(
            id=row.Id,
            modified=modified_of(row),
            deleted=row.IsDeleted,
            owner=seller(row.OwnerId),
            opted_out=row.HasOptedOutOfEmail,
            bounced_at=millis(row.EmailBouncedDate),
            merged_into=row.MasterRecordId,
        )
    ]


def deal(row: sf.OpportunityRow, owners: Sequence[sf.OwnerChange] = ()) -> list[Record]:
    """An Opportunity. An open one's CloseDate is a hope, so only a closed one has a close."""
    return [
        Deal(
            id=row.Id,
            modified=modified_of(row),
            deleted=row.IsDeleted,
            owner=seller(row.OwnerId),
            created_at=created_of(row),
            name=row.Name,
            owner_at_close=owner_at_close(row, owners),
            amount=micros(row.Amount),
            currency=row.CurrencyIsoCode,
            closed=row.IsClosed,
            won=row.IsWon,
            closed_on=day(row.CloseDate) if row.IsClosed else None,
            channel=row.LeadSource or None,
            campaign=row.CampaignId,
        )
    ]


def owner_at_close(row: sf.OpportunityRow, changes: Sequence[sf.OwnerChange]) -> str | None:
    """Who owned the deal when its stage became a closed one, None where the history does not tell.

    CloseDate is typed in by people; the last change of stage is the system's word on the closing moment.
    """
    closing = row.LastStageChangeDate
    if not row.IsClosed or closing is None:
        return None
    # Each change of owner comes twice, once as names and once as ids.
    by_id = [change for change in changes if _owner_id(change.NewValue) or _owner_id(change.OldValue)]
    told = sorted(by_id, key=lambda change: (change.CreatedDate or closing, change.Id))
    until = [change for change in told if change.CreatedDate is not None and change.CreatedDate <= closing]
    if until:
        return seller(_owner_id(until[-1].NewValue))
    return seller(_owner_id(told[0].OldValue)) if told else None


def _owner_id(value: object) -> str | None:
    return value if isinstance(value, str) and len(value) in {15, 18} and value[:3] in {USER, "00G"} else None


def contact_role(row: sf.ContactRoleRow) -> list[Record]:
    """An OpportunityContactRole: one of the deal's people."""
    return [
        Link(
            id=row.Id,
            modified=modified_of(row),
            deleted=row.IsDeleted,
            from_kind="deal",
            from_id=row.OpportunityId or "",
            to_kind="person",
            to_id=row.ContactId or "",
        )
    ]


def split(row: sf.SplitRow, revenue_types: frozenset[str]) -> list[Record]:
    """An OpportunitySplit of revenue; overlay splits are credit on top and divide nothing."""
    if row.SplitTypeId not in revenue_types or row.SplitPercentage is None or not row.OpportunityId:
        return []
    share = (row.SplitPercentage * 10_000).to_integral_value(ROUND_HALF_EVEN)
    return [
        Split(
            id=row.Id,
            modified=modified_of(row),
            deleted=row.IsDeleted,
            deal=row.OpportunityId,
            rep=seller(row.SplitOwnerId),
            share=int(share),
        )
    ]


def campaign(row: sf.CampaignRow) -> list[Record]:
    """A Campaign with its actual cost."""
    return [
        Campaign(
            id=row.Id,
            modified=modified_of(row),
            deleted=row.IsDeleted,
            owner=seller(row.OwnerId),
            name=row.Name,
            starts_on=day(row.StartDate),
            cost=micros(row.ActualCost),
            currency=row.CurrencyIsoCode,
        )
    ]


def campaign_response(row: sf.CampaignMemberRow) -> list[Record]:
    """A CampaignMember who responded, and when; membership alone is nothing that a person did."""
    who = row.ContactId or row.LeadId
    if not row.HasResponded or row.FirstRespondedDate is None or who is None:
        return []
    return [
        Event(
            id=row.Id,
            modified=modified_of(row),
            deleted=row.IsDeleted,
            person=who,
            kind="form_submission",
            on=day(row.FirstRespondedDate),
        )
    ]


def quotas(quota_rows: Iterable[sf.QuotaRow], periods: Mapping[str, sf.PeriodRow]) -> list[Record]:
    """ForecastingQuota rows of whole reps. A row names only its period's first day; the Period knows its last."""
    found: list[Record] = []
    for row in quota_rows:
        rep_id, starts, amount = seller(row.QuotaOwnerId), row.StartDate, micros(row.QuotaAmount)
        if rep_id is None or starts is None or amount is None:
            continue
        first = day(starts)
        assert first is not None
        found.append(
            Quota(
                id=row.Id,
                modified=modified_of(row),
                rep=rep_id,
                starts_on=first,
                ends_on=_quota_end(starts, periods.get(row.PeriodId or "")),
                amount=amount,
                currency=row.CurrencyIsoCode,
            )
        )
    return found


def _quota_end(starts: date, period: sf.PeriodRow | None) -> Day:
    if period is not None and period.EndDate is not None:
        return Day(period.EndDate.toordinal() - EPOCH_DAY + 1)  # a Period's EndDate is its last day
    following = date(starts.year + starts.month // 12, starts.month % 12 + 1, 1)
    return Day(following.toordinal() - EPOCH_DAY)


def rates(static: Iterable[sf.CurrencyRow], dated: Iterable[sf.DatedRateRow]) -> list[Record]:
    """CurrencyType and DatedConversionRate: an amount divided by its rate is in the corporate currency."""
    found: list[Record] = [
        Rate(id=row.Id, modified=modified_of(row), currency=row.IsoCode, rate=format(row.ConversionRate, "f"))
        for row in static
        if row.IsoCode and row.ConversionRate is not None
    ]
    found += [
        Rate(
            id=row.Id,
            modified=modified_of(row),
            currency=row.IsoCode,
            rate=format(row.ConversionRate, "f"),
            from_on=day(row.StartDate),
            until_on=day(row.NextStartDate),
        )
        for row in dated
        if row.IsoCode and row.ConversionRate is not None
    ]
    return found
