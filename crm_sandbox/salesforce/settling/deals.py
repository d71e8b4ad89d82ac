"""The world's sales, campaigns, quotas and currencies as Salesforce rows."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from crm_sandbox.salesforce.objects.selling import STAGES
from crm_sandbox.salesforce.settling.people import account, beginning
from crm_sandbox.salesforce.settling.register import Register, latest, midnight
from crm_sandbox.salesforce.store import amount, stamp
from crm_sandbox.world import Promotion, Sale

OPEN_STAGES = STAGES[:4]
WON, LOST = STAGES[4], STAGES[5]
FORECAST_LABEL = {"BestCase": "Best Case", "Forecast": "Commit"}


def reserve(register: Register) -> None:
    """Ids of deals and campaigns, which leads and activities point to."""
    for sale in register.world.sales:
        register.note("sale", sale.key, register.store.next_id("006"))
    for promotion in register.world.promotions:
        register.note("promotion", promotion.key, register.store.next_id("701"))


def stages(register: Register) -> None:
    since = beginning(register)
    for order, (name, chance, closed, won, forecast) in enumerate(STAGES, 1):
        labels = {"ApiName": name, "MasterLabel": name, "ForecastCategory": forecast}
        labels["ForecastCategoryName"] = FORECAST_LABEL.get(forecast, forecast)
        state = {"IsActive": True, "IsClosed": closed, "IsWon": won, "SortOrder": order}
        register.add(
            "OpportunityStage", since, since, None, DefaultProbability=Decimal(f"{chance}.0"), **labels, **state
        )


def sales(register: Register, *, splits: bool) -> None:
    """Every deal with its contacts, its history and, where the company divides revenue, its splits."""
    kinds = _split_types(register) if splits else None
    for place, sale in enumerate(register.world.sales):
        _deal(register, sale, place)
        _contacts(register, sale)
        _history(register, sale)
        if kinds:
            _splits(register, sale, place, kinds)


def campaigns(register: Register) -> None:
    """Promotions with their answers, and one campaign without cost for each web form."""
    joined: set[tuple[str, str]] = set()
    for one in register.world.promotions:
        campaign = _campaign(register, one)
        for person, at in sorted(one.responses, key=lambda reply: reply[1]):
            _member(register, campaign, person, at, joined)
    for answer in sorted(register.world.submissions, key=lambda form: form.at):
        if (campaign_of_form := register.get("form", answer.form)) is None:
            since = answer.at - timedelta(days=1)
            values = {"Name": answer.form[:80], "OwnerId": register.robot, "Type": "Other", "Status": "In Progress"}
            campaign_of_form = register.add("Campaign", since, since, None, IsActive=True, **values)
            register.note("form", answer.form, campaign_of_form)
            _member_statuses(register, campaign_of_form, since)
        _member(register, campaign_of_form, answer.prospect, answer.at, joined)


def quotas(register: Register) -> None:
    """Fiscal periods over all of the company's time, and the sellers' quotas in them."""
    periods = _periods(register)
    since = beginning(register)
    kind = {"DeveloperName": "OpportunityRevenue", "MasterLabel": "Opportunities - Revenue", "IsActive": True}
    revenue = register.add(
        "ForecastingType", since, since, None, IsAmount=True, DateType="OpportunityCloseDate", **kind
    )
    for one in register.world.allotments:
        created = min(midnight(one.starts), register.world.now)
        register.add(
            "ForecastingQuota",
            created,
            created,
            None,
            QuotaOwnerId=register.user(one.seller),
            QuotaAmount=amount(one.amount),
            IsAmount=True,
            IsQuantity=False,
            StartDate=one.starts.isoformat(),
            PeriodId=periods.get((one.starts, one.ends)),
            ForecastingTypeId=revenue,
            **register.currency(None),
        )


def currencies(register: Register) -> None:
    """The corporate currency, the static rates (those of today) and the dated ones."""
    world, since = register.world, beginning(register)
    home = {"IsoCode": world.currency, "ConversionRate": Decimal("1.0"), "IsCorporate": True}
    register.add("CurrencyType", since, since, None, DecimalPlaces=2, IsActive=True, **home)
    foreign = {rate.currency for rate in world.rates} | {sale.currency or world.currency for sale in world.sales}
    for code in sorted(foreign - {world.currency}):
        dated = sorted((rate for rate in world.rates if rate.currency == code), key=lambda rate: rate.starts)
        known = [rate for rate in dated if rate.starts <= world.now.date()]
        today = (known or dated)[-1].rate if dated else Decimal(1)
        values = {"IsoCode": code, "ConversionRate": amount(today), "IsCorporate": False}
        register.add("CurrencyType", since, since, None, DecimalPlaces=2, IsActive=True, **values)
        for rate, following in pairwise([*dated, None]):
            assert rate is not None
            until = following.starts if following else date(9999, 12, 31)
            span = {"StartDate": rate.starts.isoformat(), "NextStartDate": until.isoformat()}
            register.add(
                "DatedConversionRate", since, since, None, IsoCode=code, ConversionRate=amount(rate.rate), **span
            )


def _deal(register: Register, sale: Sale, place: int) -> None:
    stage = {"won": WON, "lost": LOST}.get(sale.stage, OPEN_STAGES[place % len(OPEN_STAGES)])
    name, chance, closed, won, forecast = stage
    owner = register.user(sale.owner)
    gone = register.world.now if sale.deleted else None
    modified = latest(sale.created, sale.closed_at, *(since for since, _ in sale.owners[1:]), gone)
    expected = sale.amount * chance / 100 if sale.amount is not None else None
    year, quarter = fiscal(sale.closed, register.world.fiscal_year_start)
    register.add(
        "Opportunity",
        sale.created,
        modified,
        register.user(sale.owners[0][1]),
        Id=register.ids["sale", sale.key],
        Name=sale.name[:120],
        OwnerId=owner,
        AccountId=account(register, sale.account, sale.owner) if sale.account else None,
        StageName=name,
        Amount=amount(sale.amount),
        ExpectedRevenue=amount(expected),
        Probability=Decimal(f"{chance}.0"),
        CloseDate=sale.closed.isoformat(),
        IsClosed=closed,
        IsWon=won,
        ForecastCategory=forecast,
        ForecastCategoryName=FORECAST_LABEL.get(forecast, forecast),
        LeadSource=sale.channel,
        CampaignId=register.get("promotion", sale.campaign),
        IsSplit=bool(sale.splits) or None,
        LastStageChangeDate=stamp(sale.closed_at) if sale.closed_at else None,
        PushCount=0,
        FiscalYear=year,
        FiscalQuarter=quarter,
        IsDeleted=sale.deleted,
        **register.currency(sale.currency),
    )


def fiscal(when: date, first_month: int) -> tuple[int, int]:
    """Fiscal year (named after its last month) and quarter of a day."""
    months = (when.month - first_month) % 12
    began = when.year if when.month >= first_month else when.year - 1
    return began + (first_month > 1), months // 3 + 1


def _contacts(register: Register, sale: Sale) -> None:
    """Only contacts can have a role in a deal; a lead that was not converted cannot."""
    seen: set[str] = set()
    for person in sale.people:
        contact = register.get("contact", register.survivor(person))
        if contact is None or contact in seen:
            continue
        values = {"OpportunityId": register.ids["sale", sale.key], "ContactId": contact, "IsPrimary": not seen}
        seen.add(contact)
        register.add(
            "OpportunityContactRole", sale.created, sale.created, register.user(sale.owner), IsDeleted=False, **values
        )


def _history(register: Register, sale: Sale) -> None:
    """Field history (created, owners, the close) and the stage snapshots of the older history object."""
    deal = register.ids["sale", sale.key]

    def note(field: str, at: datetime, old: str | None, new: str | None, kind: str = "Text") -> None:
        values = {"OpportunityId": deal, "Field": field, "OldValue": old, "NewValue": new, "DataType": kind}
        register.add("OpportunityFieldHistory", at, at, register.user(sale.owner), IsDeleted=False, **values)

    note("created", sale.created, None, None)
    names = {one.key: one.name for one in register.world.sellers}
    for (_, before), (since, after) in pairwise(sale.owners):
        note("Owner", since, names.get(before or ""), names.get(after or ""))
        note("Owner", since, register.user(before), register.user(after), "EntityId")
    first = OPEN_STAGES[0]
    closed = {"won": WON, "lost": LOST}.get(sale.stage)
    for stage, at in ((first, sale.created), (closed, sale.closed_at)):
        if stage and at:
            register.add(
                "OpportunityHistory",
                at,
                at,
                register.user(sale.owner),
                OpportunityId=deal,
                StageName=stage[0],
                Amount=amount(sale.amount),
                CloseDate=sale.closed.isoformat(),
                Probability=Decimal(f"{stage[1]}.0"),
                ForecastCategory=stage[4],
                IsDeleted=sale.deleted,
                **register.currency(sale.currency),
            )
    if closed and sale.closed_at:
        note("StageName", sale.closed_at, first[0], closed[0])


def _split_types(register: Register) -> tuple[str, str]:
    """Revenue splits add up to the deal; overlay splits come on top of it and credit helpers."""
    since = beginning(register)
    made = []
    for name, whole in (("Revenue", True), ("Overlay", False)):
        labels = {"DeveloperName": name, "MasterLabel": name, "SplitEntity": "OpportunitySplit"}
        made.append(
            register.add(
                "OpportunitySplitType",
                since,
                since,
                None,
                IsActive=True,
                IsTotalValidated=whole,
                SplitField="Opportunity.Amount",
                **labels,
            )
        )
    return made[0], made[1]


def _splits(register: Register, sale: Sale, place: int, kinds: tuple[str, str]) -> None:
    revenue, overlay = kinds
    shares = [(register.user(seller), share) for seller, share in sale.splits]
    rows = [(user, share, revenue) for user, share in shares or [(register.user(sale.owner), Decimal(100))]]
    if sale.splits and place % 2 == 0:
        rows.append((register.user(sale.owner), Decimal(50), overlay))
    for user, share, kind in rows:
        part = sale.amount * share / 100 if sale.amount is not None else None
        register.add(
            "OpportunitySplit",
            sale.created,
            latest(sale.created, sale.closed_at),
            register.user(sale.owner),
            OpportunityId=register.ids["sale", sale.key],
            SplitOwnerId=user,
            SplitPercentage=amount(share),
            SplitAmount=amount(part),
            SplitTypeId=kind,
            IsDeleted=sale.deleted,
            **register.currency(sale.currency),
        )


def _campaign(register: Register, one: Promotion) -> str:
    since = min(midnight(one.starts) - timedelta(days=7), register.world.now)
    campaign = register.add(
        "Campaign",
        since,
        since,
        register.user(one.owner),
        Id=register.ids["promotion", one.key],
        Name=one.name[:80],
        OwnerId=register.user(one.owner),
        Type="Webinar",
        Status="In Progress",
        IsActive=True,
        StartDate=one.starts.isoformat(),
        ActualCost=amount(one.cost),
        IsDeleted=False,
        **register.currency(one.currency),
    )
    _member_statuses(register, campaign, since)
    return campaign


def _member_statuses(register: Register, campaign: str, since: datetime) -> None:
    for order, (label, responded) in enumerate((("Sent", False), ("Responded", True)), 1):
        values = {"Label": label, "SortOrder": order, "HasResponded": responded, "IsDefault": not responded}
        register.add("CampaignMemberStatus", since, since, None, CampaignId=campaign, IsDeleted=False, **values)


def _member(register: Register, campaign: str, person: str, at: datetime, joined: set[tuple[str, str]]) -> None:
    """A person is in a campaign once, with the first day of an answer."""
    one = register.prospects.get(register.survivor(person))
    if one is None or (campaign, one.key) in joined:
        return
    joined.add((campaign, one.key))
    lead, contact = register.get("lead", one.key), register.get("contact", one.key)
    register.add(
        "CampaignMember",
        at,
        at,
        None,
        CampaignId=campaign,
        LeadId=lead,
        ContactId=contact,
        LeadOrContactId=contact or lead,
        LeadOrContactOwnerId=register.user(one.owner) if contact else register.owner(one.owner),
        Type="Contact" if contact else "Lead",
        Status="Responded",
        HasResponded=True,
        FirstRespondedDate=register.day(at),
        LeadSource=one.channel,
        HasOptedOutOfEmail=one.opted_out is not None,
        IsDeleted=False,
    )


def _periods(register: Register) -> dict[tuple[date, date], str]:
    """Period ids by [start, end), for every fiscal year that the company has dates in."""
    days = [one.starts for one in register.world.allotments] + [sale.closed for sale in register.world.sales]
    days += [register.world.now.date()]
    month = register.world.fiscal_year_start
    made: dict[tuple[date, date], str] = {}
    for year in range(min(days).year - 1, max(days).year + 2):
        first = date(year, month, 1)
        since = beginning(register)
        last = _after(first, 12) - timedelta(days=1)
        values = {"Name": str(fiscal(first, month)[0]), "StartDate": first.isoformat(), "EndDate": last.isoformat()}
        settings = register.add(
            "FiscalYearSettings", since, since, None, IsStandardYear=True, YearType="Standard", **values
        )
        for kind, number, start, end in _parts(first):
            values = {"Type": kind, "StartDate": start.isoformat()}
            values |= {"EndDate": (end - timedelta(days=1)).isoformat(), "FiscalYearSettingsId": settings}
            made[start, end] = register.add(
                "Period", since, since, None, Number=number, IsForecastPeriod=kind == "Month", **values
            )
    return made


def _parts(first: date) -> Iterator[tuple[str, int, date, date]]:
    for kind, months in (("Year", 12), ("Quarter", 3), ("Month", 1)):
        for number in range(12 // months):
            yield kind, number + 1, _after(first, number * months), _after(first, (number + 1) * months)


def _after(first: date, months: int) -> date:
    years, month = divmod(first.month - 1 + months, 12)
    return date(first.year + years, month + 1, 1)
