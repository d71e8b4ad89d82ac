"""Deals, their splits, campaigns, goals, forms and page views of a world as HubSpot holds them."""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

from crm_sandbox.hubspot.marketing import Answered, Filled, Marketed, Marketing, Viewed
from crm_sandbox.hubspot.people_rows import source_of
from crm_sandbox.hubspot.pipelines import DEFAULT_OPEN, LOST, PARTNER_OPEN, PARTNER_PIPELINE, WON
from crm_sandbox.hubspot.registry import Registry, guid, text_moment
from crm_sandbox.hubspot.splits import Splits
from crm_sandbox.hubspot.store import Row, Values
from crm_sandbox.hubspot.values import iso, midnight, millis, plain
from crm_sandbox.world import Allotment, Promotion, Sale


def campaigns(registry: Registry, marketing: Marketing) -> None:
    """Campaigns come before deals, because deals name them."""
    for promotion in registry.world.promotions:
        _campaign(registry, marketing, promotion)


def deals(registry: Registry, splits: Splits) -> None:
    """Deals: every fourth is in the partners' pipeline."""
    for place, sale in enumerate(registry.world.sales):
        row = _deal(registry, sale, place)
        registry.deals[sale.key] = row.id
        for seller, percent in sale.splits:
            owner = registry.owner_of(seller)
            if owner is not None:
                splits.add(row.id, owner.id, percent / Decimal(100))


def goals(registry: Registry) -> None:
    """Revenue goals; and one of another kind, which is nobody's quota."""
    for allotment in registry.world.allotments:
        _goal(registry, allotment, "REVENUE", "Revenue", allotment.amount)
    if registry.world.allotments:
        _goal(registry, registry.world.allotments[0], "CALLS_MADE", "Calls", Decimal(400))


def web(registry: Registry, marketing: Marketing) -> None:
    """Forms and page views."""
    for number, submission in enumerate(registry.world.submissions):
        form = guid("form", submission.form)
        marketing.forms[form] = submission.form
        registry.store.ids[("form", submission.form)] = form
        prospect = registry.prospects.get(submission.prospect)
        if prospect is not None and prospect.email:
            marketing.filled.append(Filled(form, prospect.email, millis(submission.at), number))
    for number, visit in enumerate(registry.world.visits):
        contact = registry.contacts.get(visit.prospect)
        if contact is not None:
            marketing.viewed.append(Viewed(registry.survivor(contact), millis(visit.at), visit.url, number))


def _campaign(registry: Registry, marketing: Marketing, promotion: Promotion) -> None:
    table = registry.store.tables["0-35"]
    owner = registry.owner_of(promotion.owner)
    currency = promotion.currency or registry.world.currency
    spent = None if promotion.cost is None else plain(promotion.cost)
    starts = datetime.combine(promotion.starts, time(), UTC)
    values: Values = {
        "hs_name": promotion.name,
        "hs_start_date": promotion.starts.isoformat(),
        "hs_campaign_status": "in_progress",
        "hs_owner": None if owner is None else owner.id,
        "hs_currency_code": currency,
        "hs_budget_items_sum_amount": spent,
        "hs_spend_items_sum_amount": spent,
    }
    key = promotion.key
    row = registry.insert(table, "campaign", key, values, created=starts, modified=registry.past(starts))
    answered = tuple(
        Answered(registry.survivor(registry.contacts[prospect]), millis(at))
        for prospect, at in promotion.responses
        if prospect in registry.contacts
    )
    number = guid("campaign", key)
    marketing.campaigns[number] = Marketed(number, row.id, promotion.cost, currency, answered)
    registry.campaigns[key] = number
    registry.store.ids[("promotion", key)] = number


def _deal(registry: Registry, sale: Sale, place: int) -> Row:
    table = registry.store.tables["0-3"]
    pipeline, stage = _stage(sale, place)
    closes = registry.closes(sale)
    moved = sale.created if sale.stage == "open" else min(closes, registry.world.now)
    first_stage = (PARTNER_OPEN if pipeline == PARTNER_PIPELINE else DEFAULT_OPEN)[0]
    values: Values = {
        "dealname": sale.name,
        "amount": None if sale.amount is None else plain(sale.amount),
        "deal_currency_code": sale.currency,
        "pipeline": pipeline,
        "dealstage": stage,
        "closedate": text_moment(closes),
        "createdate": text_moment(sale.created),
        "dealtype": "newbusiness",
        "hs_analytics_source": source_of(sale.channel),
        "hs_analytics_source_data_1": sale.channel,
        "hs_campaign": registry.campaigns.get(sale.campaign or ""),
        "hs_is_deal_split": "true" if sale.splits else "false",
        f"hs_v2_date_entered_{stage}": text_moment(moved),
        "num_associated_contacts": str(registry.contacts_of(sale)),
        **_since(registry, sale),
    }
    touched = registry.past(sale.created, moved, *(since for since, _ in sale.owners), grace=timedelta(seconds=3))
    row = registry.insert(table, "sale", sale.key, values, created=sale.created, modified=touched)
    _pasts(registry, sale, row, first_stage, stage, moved)
    registry.link_all(table, row, sale.people, ())
    company = registry.companies.get(sale.account or "")
    if company is not None:
        registry.store.links.add("0-3", row.id, "0-2", company, 341, 5)
        if place % 23 == 11:  # a second company, of a partner say
            other = next(iter(registry.companies.values()))
            registry.store.links.add("0-3", row.id, "0-2", other, 341)
    registry.archive_soon(table, row, deleted=sale.deleted)
    return row


def _since(registry: Registry, sale: Sale) -> Values:
    """Whose deal it is, and since when: the day on which it last changed hands."""
    signed = registry.signed(sale.owner)
    if signed["hubspot_owner_id"] is None:
        return signed
    return {**signed, "hubspot_owner_assigneddate": text_moment(sale.owners[-1][0])}


def _stage(sale: Sale, place: int) -> tuple[str, str]:
    pipeline = PARTNER_PIPELINE if place % 4 == 3 else "default"
    match sale.stage:
        case "won":
            return pipeline, WON[pipeline]
        case "lost":
            return pipeline, LOST[pipeline]
        case _:
            stages = PARTNER_OPEN if pipeline == PARTNER_PIPELINE else DEFAULT_OPEN
            return pipeline, stages[place % len(stages)]


def _pasts(registry: Registry, sale: Sale, row: Row, first_stage: str, stage: str, moved: datetime) -> None:
    owners = [(since, registry.signed(seller)["hubspot_owner_id"]) for since, seller in sale.owners]
    registry.history(row, "hubspot_owner_id", owners)
    if stage != first_stage:
        registry.history(row, "dealstage", [(sale.created, first_stage), (max(moved, sale.created), stage)])


def _goal(registry: Registry, allotment: Allotment, kind: str, label: str, amount: Decimal) -> None:
    owner = registry.owner_of(allotment.seller)
    if owner is None or owner.user_id is None:
        return
    table = registry.store.tables["0-74"]
    values: Values = {
        "hs_goal_name": f"{label} {allotment.starts:%Y-%m}: {owner.first_name} {owner.last_name}".strip(),
        "hs_goal_type": kind,
        "hs_target_amount": plain(amount),
        "hs_target_amount_in_home_currency": plain(amount) if kind == "REVENUE" else None,
        "hs_start_datetime": iso(midnight(allotment.starts)),
        "hs_end_datetime": iso(midnight(allotment.ends)),
        "hs_assignee_user_id": str(owner.user_id),
        "hs_created_by_user_id": str(registry.robots.get("robot", 9_586_000)),
        "hs_status": "IN_PROGRESS",
    }
    made = datetime.combine(allotment.starts, time(), UTC) - timedelta(days=10)
    key = f"{allotment.seller}:{allotment.starts}" + ("" if kind == "REVENUE" else f":{kind}")
    registry.insert(table, "allotment", key, values, created=made, modified=registry.past(made))
