"""What a lead did that shows engagement, in points a day."""

import narwhals.stable.v2 as nw

from kpi_engine.exact import by
from kpi_engine.populations.activity import Activity, answered, is_call, is_meeting, no_show
from kpi_engine.populations.frame import Frame, local_day, settled
from kpi_engine.populations.identity import surviving
from kpi_engine.records import Engagement, Millis


def level(score: float, rules: Engagement) -> str:
    """`engaged`, `warming` or `disengaged`, by the unrounded score."""
    return "engaged" if score >= rules.engaged else "disengaged" if score < rules.disengaged else "warming"


def signs(
    events: Frame,
    act: Activity,
    answers: Frame,
    sent: Frame,
    same_people: Frame,
    *,
    rules: Engagement,
    labels: tuple[str, ...],
) -> Frame:
    """(person, sign, at, on, amount, kind, id): everything that scores, whoever it was with."""
    dated = events.filter(~nw.col("deleted"), nw.col("kind").is_in(list(rules.weights)))
    happened = surviving(
        dated.select("person", "at", "on", "id", "amount", sign=nw.col("kind"), kind=nw.lit("event")),
        "person",
        same_people,
    )
    held = act.happened.filter(is_meeting, ~no_show)
    among_colleagues = nw.col("direction").fill_null("out") == "internal"
    spoken = act.happened.filter(is_call, answered(labels), ~among_colleagues)
    opened = sent.filter(nw.col("opened")).with_columns(at=nw.coalesce("opened_at", "at"))
    clicked = sent.filter(nw.col("clicked")).with_columns(at=nw.coalesce("clicked_at", "at"))
    kinds = (
        ("meeting_held", held),
        ("answered_call", spoken),
        ("reply", answers),
        ("email_open", opened),
        ("email_click", clicked),
    )
    own = nw.concat([rows.select("id", "at", "on", sign=nw.lit(sign)) for sign, rows in kinds])
    with_whom = own.join(act.people, on="id").with_columns(amount=nw.lit(1.0), kind=nw.lit("interaction"))
    columns = ("person", "sign", "at", "on", "amount", "kind", "id")
    return settled(nw.concat([happened.select(*columns), with_whom.select(*columns)]))


def dated_signs(every: Frame, leads: Frame, zones: list[str], span: tuple[int, int], as_of: Millis) -> Frame:
    """(lead, day, sign, amount, kind, id) by `as_of`, on the day in the lead owner's zone."""
    who = leads.select("person", "zone", "today", lead=nw.col("id"))
    joined = every.join(who, on="person").filter(nw.col("at").is_null() | (nw.col("at") <= as_of))
    dated = joined.with_columns(day=nw.coalesce(local_day("at", "zone", zones, span), nw.col("on")))
    return settled(dated.filter(nw.col("day") <= nw.col("today")))


def points(dated: Frame, rules: Engagement) -> Frame:
    """(lead, day, points): weight × the amount of the day up to its cap, summed over the kinds."""
    amounts = dated.group_by("lead", "sign", "day").agg(nw.col("amount").sum())
    worth: nw.Expr = nw.lit(0.0)
    for sign, (weight, cap) in rules.weights.items():
        capped = nw.when(nw.col("amount") < cap).then(nw.col("amount")).otherwise(nw.lit(float(cap)))
        worth = nw.when(nw.col("sign") == sign).then(capped * weight).otherwise(worth)
    each = amounts.with_columns(points=worth)
    summed = each.group_by("lead", "day").agg(nw.col("points").sum())
    return settled(summed.with_columns(nw.col("points").round(9)).filter(nw.col("points") > 0))


def silent_days(leads: Frame, quiet: Frame, always: int, zones: list[str], span: tuple[int, int]) -> Frame:
    """(lead, silent_from): the day from which the lead's score is 0, for leads that opted out or bounced."""
    joined = leads.select("person", "zone", lead=nw.col("id")).join(quiet, on="person")
    out = nw.when(nw.col("opted_out_undated")).then(nw.lit(always)).otherwise(_day("opted_out_at", zones, span))
    both = joined.with_columns(_out=out.cast(nw.Int32), _back=_day("bounced_at", zones, span))
    earlier = nw.min_horizontal("_out", "_back")
    return settled(both.select("lead", silent_from=earlier).filter(~nw.col("silent_from").is_null()))


def _day(moment: str, zones: list[str], span: tuple[int, int]) -> nw.Expr:
    return local_day(moment, "zone", zones, span)


def left_of_a_point(of_day: nw.Expr, evaluated: nw.Expr, rules: Engagement) -> nw.Expr:
    """How much of a point of `of_day` is left on the day `evaluated`."""
    age = (evaluated - of_day).cast(nw.Float64)
    return nw.lit(2.0) ** by(-age, rules.half_life_days)
