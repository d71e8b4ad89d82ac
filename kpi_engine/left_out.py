"""The records of a population's kind that its rules left out, with the rule in words, for `kpi_engine.explain`.

Each function gives (rep, day, kind, id, rule) of what could have counted and did not. A population without one leaves
nothing out.
"""

from collections.abc import Callable

import narwhals.stable.v2 as nw

from kpi_engine.populations import Frame, Populations
from kpi_engine.populations.activity import (
    is_call,
    is_email,
    is_meeting,
    is_message,
    is_out,
    is_out_or_unknown,
    no_show,
)
from kpi_engine.populations.frame import first_rule, yes
from kpi_engine.populations.touches import candidates

_WHAT = ("rep", "day", "kind", "id", "rule")

came_in = "it came in"
not_outbound = "it did not go out to a customer"


def _interactions(found: Populations, kinds: nw.Expr, *rules: tuple[nw.Expr, str]) -> Frame:
    rows = found.activity.judged.filter(kinds)
    ruled = rows.with_columns(rule=nw.coalesce(nw.col("rule"), first_rule(*rules)))
    return ruled.with_columns(kind=nw.lit("interaction")).filter(~nw.col("rule").is_null()).select(*_WHAT)


_inbound = nw.col("direction") == "in"
_inbound_email = (is_email & yes(_inbound), came_in)
_other_email = (is_email & ~yes(is_out), not_outbound)
_inbound_other = ((is_call | is_message) & yes(_inbound), came_in)
_internal = ((is_call | is_message) & ~is_out_or_unknown, not_outbound)
_bounced = (is_email & yes(nw.col("bounced")), "it bounced")


def emails(found: Populations) -> Frame:
    return _interactions(found, is_email, _inbound_email, _other_email)


def threads(found: Populations) -> Frame:
    """E-mails that open no thread of the rep's."""
    opening = found.threads.select(nw.col("id").alias("_opening")).with_columns(opens=nw.lit(True))
    rows = found.activity.judged.filter(is_email).join(opening, left_on="id", right_on="_opening", how="left")
    rule = first_rule(_inbound_email, (nw.col("opens").is_null(), "another message opened its thread"))
    ruled = rows.with_columns(rule=nw.coalesce(nw.col("rule"), rule), kind=nw.lit("interaction"))
    return ruled.filter(~nw.col("rule").is_null()).select(*_WHAT)


def calls(found: Populations) -> Frame:
    return _interactions(found, is_call, _inbound_other, _internal)


def touchpoints(found: Populations) -> Frame:
    every = is_email | is_call | is_message | is_meeting
    missed = (is_meeting & no_show, "nobody came")
    return _interactions(found, every, _inbound_email, _other_email, _inbound_other, _internal, _bounced, missed)


def approaches(found: Populations) -> Frame:
    every = is_email | is_call | is_meeting
    return _interactions(found, every, _inbound_email, _other_email, _inbound_other, _internal, _bounced)


def campaigns(found: Populations) -> Frame:
    return found.every_campaign.filter(~nw.col("rule").is_null()).select(*_WHAT)


def campaign_returns(found: Populations) -> Frame:
    """Deals of the campaigns that are not won."""
    brought = found.campaigns.select("rep", "day", nw.col("id").alias("_campaign"))
    rest = found.every_deal.filter(~nw.col("won") | ~nw.col("exists")).drop("rep")
    joined = rest.join(brought, left_on="campaign", right_on="_campaign")
    rule = nw.coalesce(nw.col("rule"), nw.lit("it was lost"))
    return joined.with_columns(rule=rule, kind=nw.lit("deal")).select(*_WHAT)


def closed_deals(found: Populations) -> Frame:
    """Deals with a close date that are not closed, or not at all."""
    rows = found.every_deal.filter(~nw.col("rule").is_null())
    return rows.with_columns(day=nw.col("stated_day"), kind=nw.lit("deal")).select(*_WHAT)


def revenue(found: Populations) -> Frame:
    """Deals that bring their owner no revenue: not closed, lost, or divided among others."""
    paid = found.revenue.select("id", "rep", nw.lit(True).alias("paid"))
    rows = found.every_deal.join(paid, on=["id", "rep"], how="left")
    rule = first_rule(
        (nw.col("lost"), "it was lost"),
        (nw.col("won") & nw.col("paid").is_null(), "its revenue is split among others"),
    )
    ruled = rows.with_columns(rule=nw.coalesce(nw.col("rule"), rule), day=nw.col("stated_day"), kind=nw.lit("deal"))
    return ruled.filter(~nw.col("rule").is_null()).select(*_WHAT)


def deal_touches(found: Populations) -> Frame:
    """Touchpoints with a won deal or its people that are not the deal's."""
    won = found.won_deals.select(nw.col("id").alias("_deal"), "rep", "day")
    near = candidates(found.touchpoints, found.activity, found.deals, found.deal_people)
    counted = found.deal_touches.select("deal", "id")
    rest = near.join(counted, on=["deal", "id"], how="anti").join(won, left_on="deal", right_on="_deal")
    rule = nw.when(nw.col("direct")).then(
        nw.lit("it lies more than 90 days before the deal's creation, or after its close date")
    )
    other = rule.otherwise(nw.lit("it belongs to another deal of the same person, or to none at that time"))
    return rest.with_columns(rule=other, kind=nw.lit("interaction")).select(*_WHAT)


def leads_created(found: Populations) -> Frame:
    return found.every_lead.filter(~nw.col("rule").is_null()).select(*_WHAT, "channel")


def closed_leads(found: Populations, day: int) -> Frame:
    """Leads that are not open on that day."""
    rule = first_rule(
        (nw.col("day") > day, "it was created later"),
        (nw.col("disqualified"), "it is disqualified"),
        (nw.col("converted_day") <= day, "it was converted by then"),
    )
    ruled = found.every_lead.with_columns(rule=nw.coalesce(nw.col("rule"), rule))
    return ruled.filter(~nw.col("rule").is_null()).select(*_WHAT)


LEFT_OUT: dict[str, Callable[[Populations], Frame]] = {
    "emails": emails,
    "threads": threads,
    "calls": calls,
    "touchpoints": touchpoints,
    "approaches": approaches,
    "campaigns": campaigns,
    "campaign_returns": campaign_returns,
    "closed_deals": closed_deals,
    "deal_touches": deal_touches,
    "revenue": revenue,
    "leads_created": leads_created,
}
"""Population → what its rules left out. `open_leads` depends on the day: `closed_leads`."""
