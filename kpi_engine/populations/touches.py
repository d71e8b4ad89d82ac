"""Touchpoints, approaches that ask for a response, and the touchpoints that a won deal took."""

import narwhals.stable.v2 as nw

from kpi_engine.populations.activity import Activity, is_meeting, is_message, is_out_or_unknown, no_show
from kpi_engine.populations.frame import Frame, earliest, local_day, settled

BEFORE_DEAL_DAYS = 90
"""How many calendar days before a deal's creation its touchpoints may lie."""

_WHAT = ("id", "rep", "day", "at", "moment")


def touchpoints(act: Activity, delivered: Frame, made: Frame) -> Frame:
    """Delivered e-mails, calls made, outbound messages and meetings held."""
    messages = act.happened.filter(is_message, is_out_or_unknown)
    held = act.happened.filter(is_meeting, ~no_show)
    every = nw.concat([part.select(*_WHAT) for part in (delivered, made, messages, held)])
    return settled(every.with_columns(kind=nw.lit("interaction")))


def approaches(act: Activity, delivered: Frame, made: Frame) -> Frame:
    """Calls made, e-mails delivered and meetings held or missed, with `responded`."""
    meetings = act.happened.filter(is_meeting)
    parts = (
        made.with_columns(responded=nw.col("answered")),
        delivered.with_columns(responded=nw.col("has_reply")),
        meetings.with_columns(responded=~no_show),
    )
    return nw.concat([part.select("id", "rep", "day", "responded") for part in parts]).with_columns(
        kind=nw.lit("interaction")
    )


def deal_touches(
    touches: Frame, act: Activity, existing: Frame, people_of_deals: Frame, zones: list[str], span: tuple[int, int]
) -> Frame:
    """(deal, id, first) of the touchpoints that won deals took, on the close day of the deal's closing owner.

    A touchpoint that is linked to deals is theirs alone; one that is linked only through people belongs to one deal.
    """
    offers = existing.select(
        nw.col("id").alias("deal"),
        nw.col("zone"),
        nw.col("created_at").alias("deal_created_at"),
        "created_day",
        "close_day",
    )
    pointing = act.deals.join(existing.select("id"), left_on="deal", right_on="id", how="semi")
    contacts = touches.select("id", "at", "moment", touch_own_day=nw.col("day"))
    direct = contacts.join(pointing, on="id").join(offers, on="deal")
    direct = _on_deal_days(direct, zones, span).filter(
        nw.col("touch_day") >= nw.col("created_day") - BEFORE_DEAL_DAYS, _not_after_close
    )
    through = contacts.join(pointing, on="id", how="anti").join(act.people, on="id")
    candidates = (
        through.join(people_of_deals, on="person").select("id", "at", "moment", "touch_own_day", "deal").unique()
    )
    claimed = _claimed(_on_deal_days(candidates.join(offers, on="deal"), zones, span))
    every = nw.concat([part.select("id", "moment", "deal") for part in (direct, claimed)])
    won = existing.filter(nw.col("won")).select(
        nw.col("id").alias("_deal"), "rep", nw.col("close_day").alias("day"), "whole_amount"
    )
    counted = settled(every.join(won, left_on="deal", right_on="_deal"))
    first = earliest(counted, "deal", by="moment").select("deal", "id").with_columns(first=nw.lit(True))
    marked = counted.join(first, on=["deal", "id"], how="left")
    return settled(marked.with_columns(nw.col("first").fill_null(False), kind=nw.lit("interaction")))


_not_after_close = nw.col("close_day").is_null() | (nw.col("touch_day") <= nw.col("close_day"))


def _on_deal_days(pairs: Frame, zones: list[str], span: tuple[int, int]) -> Frame:
    """`touch_day`: the touchpoint's day in the zone of the deal's closing owner; a plain date is not shifted."""
    own = nw.when(nw.col("at").is_null()).then(nw.col("touch_own_day"))
    return pairs.with_columns(touch_day=own.otherwise(local_day("at", "zone", zones, span)))


def _claimed(pairs: Frame) -> Frame:
    """Of a touchpoint's deals the one open then, the latest created; else the first created within 90 days."""
    created_before = (
        nw.when(nw.col("at").is_null())
        .then(nw.col("created_day") <= nw.col("touch_day"))
        .otherwise(nw.col("deal_created_at") <= nw.col("at"))
    )
    with_age = pairs.with_columns(is_open=created_before & _not_after_close)
    coming = ~created_before & (nw.col("created_day") <= nw.col("touch_day") + BEFORE_DEAL_DAYS)
    possible = with_age.filter(nw.col("is_open") | coming)
    order = nw.when(nw.col("is_open")).then(-nw.col("deal_created_at")).otherwise(nw.col("deal_created_at"))
    rank = nw.when(nw.col("is_open")).then(nw.lit(0)).otherwise(nw.lit(1))
    ranked = possible.with_columns(order=order, rank=rank)
    best = ranked.filter(nw.col("rank") == nw.col("rank").min().over("id"))
    return earliest(best, "id", by="order", then="deal")
