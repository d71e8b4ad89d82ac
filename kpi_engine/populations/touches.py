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


def candidates(touches: Frame, act: Activity, existing: Frame, people_of_deals: Frame) -> Frame:
    """(id, deal, direct, at, moment, own_day): every deal that a touchpoint could belong to.

    One that is linked to deals is theirs alone; the others are offered to every deal of their people.
    """
    pointing = act.deals.join(existing.select("id"), left_on="deal", right_on="id", how="semi")
    contacts = touches.select("id", "at", "moment", own_day=nw.col("day"))
    direct = contacts.join(pointing, on="id").with_columns(direct=nw.lit(True))
    through = contacts.join(pointing, on="id", how="anti").join(act.people, on="id").join(people_of_deals, on="person")
    columns = ("id", "deal", "direct", "at", "moment", "own_day")
    offered = through.with_columns(direct=nw.lit(False)).select(*columns).unique()
    return settled(nw.concat([direct.select(*columns), offered]))


def deal_touches(near: Frame, existing: Frame, zones: list[str], span: tuple[int, int]) -> Frame:
    """(deal, id, first) of the touchpoints that won deals took, on the close day of the deal's closing owner."""
    deals = existing.select("zone", "created_day", "close_day", deal=nw.col("id"), deal_created_at=nw.col("created_at"))
    pairs = _on_deal_days(near.join(deals, on="deal"), zones, span)
    in_time = nw.col("touch_day") >= nw.col("created_day") - BEFORE_DEAL_DAYS
    direct = pairs.filter(nw.col("direct"), in_time, _not_after_close)
    claimed = _claimed(pairs.filter(~nw.col("direct")))
    every = nw.concat([part.select("id", "moment", "deal") for part in (direct, claimed)])
    won = existing.filter(nw.col("won")).select("rep", "whole_amount", _deal=nw.col("id"), day=nw.col("close_day"))
    counted = settled(every.join(won, left_on="deal", right_on="_deal"))
    first = earliest(counted, "deal", by="moment").select("deal", "id").with_columns(first=nw.lit(True))
    marked = counted.join(first, on=["deal", "id"], how="left")
    return settled(marked.with_columns(nw.col("first").fill_null(False), kind=nw.lit("interaction")))


_not_after_close = nw.col("close_day").is_null() | (nw.col("touch_day") <= nw.col("close_day"))


def _on_deal_days(pairs: Frame, zones: list[str], span: tuple[int, int]) -> Frame:
    """`touch_day`: the touchpoint's day in the zone of the deal's closing owner; a plain date is not shifted."""
    own = nw.when(nw.col("at").is_null()).then(nw.col("own_day"))
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
