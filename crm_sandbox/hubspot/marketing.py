"""The marketing side: campaigns with their money, and marketing e-mails with their counters."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from crm_sandbox.hubspot import errors
from crm_sandbox.hubspot.call import Call, encode_cursor, next_page
from crm_sandbox.hubspot.catalog import CAMPAIGNS
from crm_sandbox.hubspot.errors import answer
from crm_sandbox.hubspot.reading import demand_tier
from crm_sandbox.hubspot.store import Row, Store
from crm_sandbox.hubspot.values import iso, moment_of
from crm_sandbox.serving import Response

MODELS = frozenset(
    {
        "LINEAR",
        "FIRST_INTERACTION",
        "LAST_INTERACTION",
        "FULL_PATH",
        "U_SHAPED",
        "W_SHAPED",
        "TIME_DECAY",
        "J_SHAPED",
        "INVERSE_J_SHAPED",
    }
)


@dataclass(frozen=True)
class Answered:
    """A contact that a campaign reached."""

    contact: int
    at: int


@dataclass
class Marketed:
    """A campaign: its record in table 0-35 and what was spent on it (None: nobody said)."""

    guid: str
    record: int
    spent: Decimal | None
    currency: str
    answered: tuple[Answered, ...]


@dataclass(frozen=True)
class Filled:
    """A form that somebody sent."""

    form: str
    email: str
    at: int
    number: int


@dataclass(frozen=True)
class Viewed:
    """A page that a contact looked at."""

    contact: int
    at: int
    url: str
    number: int


@dataclass
class Marketing:
    """Everything the marketing endpoints know. Forms: GUID → name."""

    campaigns: dict[str, Marketed] = field(default_factory=dict)
    forms: dict[str, str] = field(default_factory=dict)
    filled: list[Filled] = field(default_factory=list)
    viewed: list[Viewed] = field(default_factory=list)


def answer_campaigns(store: Store, marketing: Marketing, call: Call) -> Response:
    """/marketing/campaigns/{version}/…"""
    call.demand("marketing.campaigns.read")
    demand_tier(store, store.tables[CAMPAIGNS.type_id])
    if call.method != "GET":
        raise errors.not_found()
    if not call.rest:
        return _list_campaigns(store, marketing, call)
    campaign = marketing.campaigns.get(call.rest[0])
    if campaign is None:
        raise errors.not_found()
    match call.rest[1:]:
        case ():
            return answer(200, {**_campaign(store, campaign, call.names("properties")), "assets": {}})
        case ("assets", kind):
            return answer(200, {"results": _assets(campaign, kind)})
        case ("budget", "totals"):
            return answer(200, _totals(store, campaign))
        case ("reports", "metrics"):
            return answer(200, _metrics(campaign, call))
        case ("reports", "revenue"):
            call.demand("marketing.campaigns.revenue.read")
            return answer(200, _revenue(store, campaign, call))
        case ("reports", "contacts", _):
            return answer(200, {"results": [{"id": str(entry.contact)} for entry in _within(campaign, call)]})
        case _:
            raise errors.not_found()


def _list_campaigns(store: Store, marketing: Marketing, call: Call) -> Response:
    limit, start = call.limit(50, 100), call.after() + 1
    name = (call.request.param("name") or "").lower()
    listed = [
        campaign
        for campaign in _sorted(store, marketing, call.request.param("sort") or "")
        if name in (_row(store, campaign).values["hs_name"] or "").lower()
    ]
    names = call.names("properties")
    body: dict[str, Any] = {
        "total": len(listed),
        "results": [_campaign(store, campaign, names) for campaign in listed[start : start + limit]],
    }
    if start + limit < len(listed):
        body["paging"] = next_page(encode_cursor(start + limit - 1))
    return answer(200, body)


def _sorted(store: Store, marketing: Marketing, sort: str) -> list[Marketed]:
    """By hs_name, createdAt or updatedAt, with a minus in front the other way round; else as they were made."""
    in_order = sorted(marketing.campaigns.values(), key=lambda campaign: campaign.record)
    keys: dict[str, Callable[[Marketed], Any]] = {
        "": lambda campaign: campaign.record,
        "hs_name": lambda campaign: (_row(store, campaign).values["hs_name"] or "").lower(),
        "createdAt": lambda campaign: _row(store, campaign).created,
        "updatedAt": lambda campaign: _row(store, campaign).modified,
    }
    key = keys.get(sort.removeprefix("-"))
    if key is None:
        raise errors.invalid(f"Campaigns cannot be sorted by {sort}")
    return sorted(in_order, key=key, reverse=sort.startswith("-"))


def _row(store: Store, campaign: Marketed) -> Row:
    return store.tables[CAMPAIGNS.type_id].rows[campaign.record]


def _campaign(store: Store, campaign: Marketed, names: Sequence[str]) -> dict[str, Any]:
    """Without a list of properties the map is empty: this endpoint adds nothing by itself."""
    row = _row(store, campaign)
    return {
        "id": campaign.guid,
        "properties": {name: value for name in names if (value := row.values.get(name)) is not None},
        "businessUnits": [],
        "createdAt": iso(row.created),
        "updatedAt": iso(row.modified),
    }


def _assets(campaign: Marketed, kind: str) -> list[dict[str, Any]]:
    if kind != "EMAIL":
        return []
    return [{"id": str(_email_id(campaign)), "name": "Newsletter", "metrics": _counters(campaign)}]


def _totals(store: Store, campaign: Marketed) -> dict[str, Any]:
    made = _row(store, campaign).created
    spent = 0 if campaign.spent is None else _json_number(campaign.spent)
    items = [] if campaign.spent is None else [_item(campaign, spent, made)]
    return {
        "budgetTotal": spent,
        "spendTotal": spent,
        "remainingBudget": 0,
        "currencyCode": campaign.currency,
        "budgetItems": items,
        "spendItems": items,
    }


def _item(campaign: Marketed, amount: int | float, made: int) -> dict[str, Any]:
    return {
        "id": str(campaign.record + 1),
        "name": "Media",
        "amount": amount,
        "order": 0,
        "createdAt": made,
        "updatedAt": made,
    }


def _json_number(amount: Decimal) -> int | float:
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def _within(campaign: Marketed, call: Call) -> list[Answered]:
    start = moment_of(call.request.param("startDate") or "") or 0
    end = moment_of(call.request.param("endDate") or "")
    return [entry for entry in campaign.answered if start <= entry.at and (end is None or entry.at < end)]


def _metrics(campaign: Marketed, call: Call) -> dict[str, Any]:
    reached = len(_within(campaign, call))
    return {
        "sessions": reached * 3,
        "newContactsFirstTouch": reached,
        "newContactsLastTouch": reached,
        "influencedContacts": reached,
    }


def _revenue(store: Store, campaign: Marketed, call: Call) -> dict[str, Any]:
    model = call.request.param("attributionModel") or "LINEAR"
    if model not in MODELS:
        raise errors.invalid(f"Unknown attribution model {model}")
    table = store.tables["0-3"]
    deals = [table.rows[number].values for number in table.live]
    own = [deal for deal in deals if deal.get("hs_campaign") == campaign.guid]
    won = [deal for deal in own if deal.get("hs_is_closed_won") == "true"]
    return {
        "dealAmount": _sum(own),
        "revenueAmount": _sum(won),
        "dealsNumber": len(own),
        "contactsNumber": len(campaign.answered),
        "currencyCode": store.currency,
    }


def _sum(deals: Sequence[dict[str, str | None]]) -> int | float:
    amounts = (deal.get("amount_in_home_currency") or deal.get("amount") or "0" for deal in deals)
    return _json_number(sum((Decimal(amount) for amount in amounts), Decimal(0)))


def answer_emails(store: Store, marketing: Marketing, call: Call) -> Response:
    """/marketing/emails/{version}[/statistics/list]: one newsletter for each campaign."""
    call.demand("content")
    if call.method != "GET":
        raise errors.not_found()
    match call.rest:
        case ():
            emails = [_newsletter(store, campaign, call) for campaign in marketing.campaigns.values()]
            return answer(200, {"total": len(emails), "results": emails})
        case ("statistics", "list"):
            return answer(200, _statistics(marketing, call))
        case _:
            raise errors.not_found()


def _email_id(campaign: Marketed) -> int:
    return campaign.record + 70_000_000


def _newsletter(store: Store, campaign: Marketed, call: Call) -> dict[str, Any]:
    row = _row(store, campaign)
    name = row.values["hs_name"]
    shown: dict[str, Any] = {
        "id": str(_email_id(campaign)),
        "name": f"Newsletter: {name}",
        "subject": name,
        "state": "PUBLISHED",
        "type": "BATCH_EMAIL",
        "campaign": campaign.guid,
        "campaignName": name,
        "from": {"fromName": "Marketing", "replyTo": "marketing@example.com"},
        "publishDate": iso(row.created),
        "isPublished": True,
    }
    if call.flag("includeStats"):
        shown["stats"] = {"counters": _counters(campaign), "ratios": {}}
    return shown


def _counters(campaign: Marketed) -> dict[str, int]:
    """Every fourth recipient answered and every second one opened; a counter that is zero is missing."""
    answered = len(campaign.answered)
    counters = {"sent": answered * 4, "delivered": answered * 4, "open": answered * 2, "click": answered}
    return {name: count for name, count in counters.items() if count}


def _statistics(marketing: Marketing, call: Call) -> dict[str, Any]:
    start = moment_of(call.request.param("startTimestamp") or "")
    end = moment_of(call.request.param("endTimestamp") or "")
    if start is None or end is None:
        raise errors.invalid("startTimestamp and endTimestamp are required as ISO 8601 moments")
    wanted = set(call.names("emailIds"))
    chosen = {
        str(_email_id(campaign)): _counters(campaign)
        for campaign in marketing.campaigns.values()
        if any(start <= entry.at <= end for entry in campaign.answered)
    }
    chosen = {number: counters for number, counters in chosen.items() if not wanted or number in wanted}
    together: dict[str, int] = {}
    for counters in chosen.values():
        for name, count in counters.items():
            together[name] = together.get(name, 0) + count
    return {
        "emails": [int(number) for number in chosen],
        "aggregate": {"counters": together, "ratios": {}, "deviceBreakdown": {}, "qualifierStats": {}},
        "campaignAggregations": {number: {"counters": counters} for number, counters in chosen.items()},
    }
