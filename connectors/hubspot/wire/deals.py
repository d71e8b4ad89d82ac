"""Deals, their splits, quotas, campaigns and exchange rates: the money."""

from collections.abc import Mapping, Sequence
from decimal import Decimal, localcontext
from typing import Any

import msgspec

from connectors.hubspot.wire.people import Directory
from connectors.hubspot.wire.shapes import (
    DAY_MS,
    Properties,
    Row,
    Unclear,
    Version,
    day,
    flag,
    label,
    merged_ids,
    millis,
    modified,
    moment,
    money,
    number,
    text,
)
from kpi_engine.records import Campaign, Day, Deal, Micros, Millis, Quota, Rate, Record, Split

DEAL_PROPERTIES = (
    "dealname",
    "amount",
    "amount_in_home_currency",
    "hubspot_owner_assigneddate",
    "deal_currency_code",
    "closedate",
    "createdate",
    "hs_createdate",
    "hs_lastmodifieddate",
    "dealstage",
    "pipeline",
    "hs_is_closed",
    "hs_is_closed_won",
    "hubspot_owner_id",
    "hs_analytics_source",
    "hs_campaign",
    "hs_is_deal_split",
    "hs_merged_object_ids",
)

GOAL_PROPERTIES = (
    "hs_goal_name",
    "hs_target_amount",
    "hs_target_amount_in_home_currency",
    "hs_start_datetime",
    "hs_end_datetime",
    "hs_assignee_user_id",
    "hs_goal_type",
    "hs_lastmodifieddate",
)

CAMPAIGN_PROPERTIES = ("hs_name", "hs_start_date", "hs_owner", "hs_currency_code", "hs_spend_items_sum_amount")

WHOLE_SHARE = 1_000_000


class Stage(msgspec.Struct, frozen=True):
    """What the pipeline says of one of its stages; HubSpot writes both values as texts."""

    id: str
    closed: bool
    won: bool


def stages(pipelines: Sequence[Mapping[str, Any]]) -> dict[str, Stage]:
    """Every stage of every pipeline, archived ones too: old deals still stand in them."""
    found = {}
    for pipeline in pipelines:
        for each in pipeline.get("stages") or ():
            metadata = each.get("metadata") or {}
            closed = str(metadata.get("isClosed")).lower() == "true"
            won = closed and str(metadata.get("probability")) in {"1.0", "1"}
            found[str(each.get("id"))] = Stage(str(each.get("id")), closed, won)
    return found


def stage_labels(pipelines: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Stage → its label, both lower-cased and trimmed."""
    every = [stage for pipeline in pipelines for stage in pipeline.get("stages") or ()]
    return {str(stage.get("id")).lower(): str(stage.get("label")).strip().lower() for stage in every}


def deal(row: Row, pipeline_stages: Mapping[str, Stage]) -> list[Record]:
    properties = row.properties
    at = modified(row, "hs_lastmodifieddate")
    closed, won = _outcome(properties, pipeline_stages)
    closed_at = moment(properties, "closedate") if closed else None
    owner = text(properties, "hubspot_owner_id")
    amount = money(properties, "amount")
    home = money(properties, "amount_in_home_currency")
    one = Deal(
        id=row.id,
        modified=at,
        deleted=row.archived,
        owner=owner,
        created_at=_created(row),
        name=text(properties, "dealname"),
        owner_at_close=owner_at_close(row, closed_at),
        amount=amount,
        currency=text(properties, "deal_currency_code"),
        amount_home=home if home is not None else amount,
        closed=closed,
        won=won,
        closed_at=closed_at,
        channel=text(properties, "hs_analytics_source"),
        campaign=text(properties, "hs_campaign"),
    )
    return [one, *(_absorbed(each, one) for each in merged_ids(row))]


def _outcome(properties: Properties, pipeline_stages: Mapping[str, Stage]) -> tuple[bool, bool]:
    """Closed and won: what the deal says of itself, else what its stage says."""
    stage = pipeline_stages.get(properties.get("dealstage") or "")
    closed = flag(properties, "hs_is_closed") if text(properties, "hs_is_closed") else bool(stage and stage.closed)
    won = flag(properties, "hs_is_closed_won") if text(properties, "hs_is_closed_won") else bool(stage and stage.won)
    return closed or won, won


def _created(row: Row) -> Millis:
    for name in ("createdate", "hs_createdate"):
        at = moment(row.properties, name)
        if at is not None:
            return at
    if row.created_at:
        return millis(row.created_at, "createdAt")
    raise Unclear("createdate is missing")


def _absorbed(absorbed: str, winner: Deal) -> Deal:
    return Deal(
        id=absorbed,
        modified=winner.modified,
        deleted=True,
        owner=None,
        created_at=winner.created_at,
        merged_into=winner.id,
    )


ASSIGNED = "hubspot_owner_assigneddate"
"""When the deal came to the one who owns it. HubSpot keeps it; a portal in which it can be written is not believed."""


def needs_history(row: Row) -> bool:
    """Whether the owner at the close must be looked up: the deal is closed at a known moment, and it is not known that
    it belonged to today's owner already."""
    if label(row.properties, "hs_is_closed") == "false":
        return False
    closed_at = moment(row.properties, "closedate")
    return closed_at is not None and not _owned_already(row, closed_at)


def _owned_already(row: Row, closed_at: Millis) -> bool:
    assigned = moment(row.properties, ASSIGNED)
    return assigned is not None and assigned <= closed_at and text(row.properties, "hubspot_owner_id") is not None


def owner_at_close(row: Row, closed_at: Millis | None) -> str | None:
    """The owner at the close; None while the deal is open or where no history tells."""
    if closed_at is None:
        return None
    if _owned_already(row, closed_at):
        return text(row.properties, "hubspot_owner_id")
    history = _dated(row.history.get("hubspot_owner_id", ()))
    if not history:
        return None
    before = [version for at, version in history if at <= closed_at]
    # A deal entered after the day on which it closed belonged to its first owner.
    return ((before[-1] if before else history[0][1]).value) or None


def _dated(history: Sequence[Version]) -> list[tuple[Millis, Version]]:
    """Oldest first."""
    dated = [(millis(version.timestamp, "history"), version) for version in history if version.timestamp]
    return sorted(dated, key=lambda pair: pair[0])


class SplitOf(msgspec.Struct, frozen=True):
    """A deal's splits as the API groups them."""

    id: str
    splits: list[Row] = []


SPLIT_SHARE = "hs_deal_split_percentage"


def splits(of: SplitOf) -> list[Record]:
    """Each owner's share of a deal's revenue. HubSpot writes half a deal as 0.5, some portals as 50; the shares of one
    deal make a whole, which tells the two apart."""
    shares = [(row, number(row.properties.get(SPLIT_SHARE) or "0", SPLIT_SHARE, WHOLE_SHARE)) for row in of.splits]
    percent = sum(share for _, share in shares) > 2 * WHOLE_SHARE
    return [
        Split(
            id=row.id,
            modified=modified(row, "hs_lastmodifieddate"),
            deal=of.id,
            rep=text(row.properties, "hubspot_owner_id"),
            share=share // 100 if percent else share,
        )
        for row, share in shares
        if not row.archived
    ]


def quota(row: Row, directory: Directory, words: Sequence[str]) -> list[Record]:
    """A revenue goal of one person. Goals of another kind (calls, meetings, deals) and goals of teams are none."""
    properties = row.properties
    rep = directory.of_user(text(properties, "hs_assignee_user_id"))
    if not _is_revenue(properties, words) or rep is None:
        return []
    starts, ends = day(properties, "hs_start_datetime"), _exclusive_end(properties)
    home = money(properties, "hs_target_amount_in_home_currency")
    amount = home if home is not None else money(properties, "hs_target_amount")
    if starts is None or ends is None or amount is None or ends <= starts:
        raise Unclear("the goal has no amount or no period")
    return [
        Quota(
            id=row.id,
            modified=modified(row, "hs_lastmodifieddate"),
            deleted=row.archived,
            rep=rep,
            starts_on=starts,
            ends_on=ends,
            amount=Micros(amount),
        )
    ]


def _is_revenue(properties: Properties, words: Sequence[str]) -> bool:
    kind = label(properties, "hs_goal_type") or label(properties, "hs_goal_name") or ""
    return any(word.lower() in kind for word in words)


def _exclusive_end(properties: Properties) -> Day | None:
    """The first day after the goal. HubSpot writes the next period's first midnight; the last moment of the last day
    means the same."""
    at = moment(properties, "hs_end_datetime")
    return None if at is None else Day(-(-at // DAY_MS))


class CampaignRow(msgspec.Struct, frozen=True, rename="camel"):
    id: str
    properties: dict[str, str | None] = {}
    created_at: str | None = None
    updated_at: str | None = None


def campaign(row: CampaignRow) -> Campaign:
    properties = row.properties
    stamp = row.updated_at or row.created_at
    return Campaign(
        id=row.id,
        modified=millis(stamp, "updatedAt") if stamp else Millis(0),
        owner=text(properties, "hs_owner"),
        name=text(properties, "hs_name"),
        starts_on=day(properties, "hs_start_date"),
        cost=money(properties, "hs_spend_items_sum_amount"),
        currency=text(properties, "hs_currency_code"),
    )


class ExchangeRate(msgspec.Struct, frozen=True, rename="camel"):
    from_currency_code: str
    to_currency_code: str
    conversion_rate: float | str | int
    effective_at: str | None = None
    updated_at: str | None = None
    id: str | int | None = None


def rate(row: ExchangeRate, home: str) -> Rate | None:
    """HubSpot multiplies by its rate to reach the company currency, our records divide."""
    given = Decimal(str(row.conversion_rate))
    if given <= 0:
        return None
    stamp = row.updated_at or row.effective_at
    if row.to_currency_code == home:
        currency, ours = row.from_currency_code, _inverse(given)
    elif row.from_currency_code == home:
        currency, ours = row.to_currency_code, given
    else:
        return None
    return Rate(
        id=f"{row.from_currency_code}:{row.to_currency_code}",
        modified=millis(stamp, "updatedAt") if stamp else Millis(0),
        currency=currency,
        rate=format(ours, "f"),
    )


def _inverse(number: Decimal) -> Decimal:
    with localcontext() as context:
        context.prec = 34
        return 1 / number
