"""Which leads showed interest soon after they came in."""

import narwhals.stable.v2 as nw
import polars as pl

from kpi_engine.exact import by
from kpi_engine.periods import DAY_MS, day_starts_at
from kpi_engine.populations.activity import Activity, is_call, is_email, is_message
from kpi_engine.populations.engagement import left_of_a_point
from kpi_engine.populations.frame import Frame, collected, local_day, portable, settled, yes
from kpi_engine.records import Engagement, Millis


def interested(
    leads: Frame,
    every: Frame,
    act: Activity,
    scored: Frame,
    zones: list[str],
    span: tuple[int, int],
    as_of: Millis,
    rules: Engagement,
) -> Frame:
    """(lead, why): the leads that showed interest within 30 × 24 hours (or as configured) of their creation."""
    window = leads.with_columns(
        until=nw.col("created_at") + rules.interest_days * DAY_MS, lead=nw.col("id"), created_day=nw.col("day")
    ).with_columns(until_day=local_day("until", "zone", zones, span))
    who = window.select("lead", "person", "created_at", "created_day", "until", "until_day", "today")
    wrote = act.happened.filter(is_email | is_message | is_call, nw.col("direction") == "in", ~nw.col("automatic"))
    acted = (
        wrote.select("id", "at", "on")
        .join(act.people, on="id")
        .select("person", "at", "on", why=nw.lit("wrote or called"))
    )
    signed = every.filter(nw.col("sign").is_in(("answered_call", "meeting_held", "form_submission")))
    shown = nw.concat([acted, signed.select("person", "at", "on", why=nw.col("sign"))])
    met = who.join(shown, on="person").filter(_within("at", "on", as_of))
    stages = nw.concat(
        [
            window.select(*_STAGE, at=nw.col("qualified_at"), on=_NO_DAY, why=nw.lit("qualified")),
            window.filter(~nw.col("converted_day").is_null()).select(
                *_STAGE, at=nw.col("converted_at"), on=nw.col("converted_day"), why=nw.lit("converted")
            ),
        ]
    ).filter(_within("at", "on", as_of))
    hot = scored.filter(nw.col("score") >= rules.engaged).select("lead", why=nw.lit("score"))
    return settled(nw.concat([met.select("lead", "why"), stages.select("lead", "why"), hot]).unique())


_STAGE = ("lead", "created_at", "created_day", "until", "until_day", "today")
_NO_DAY = nw.lit(None, dtype=nw.Int32)


def _within(at: str, on: str, as_of: Millis) -> nw.Expr:
    """From creation on, for 30 × 24 hours; a plain date: from the day of creation to the day on which they end."""
    by_moment = (nw.col(at) >= nw.col("created_at")) & (nw.col(at) <= nw.col("until")) & (nw.col(at) <= as_of)
    by_day = (nw.col(on) >= nw.col("created_day")) & (nw.col(on) <= nw.min_horizontal("until_day", "today"))
    return yes(nw.when(nw.col(at).is_null()).then(by_day).otherwise(by_moment))


def early_scores(leads: Frame, per_day: Frame, silent: Frame, as_of: Millis, rules: Engagement) -> Frame:
    """(lead, score) at the end of the days that end within 30 × 24 hours of creation and by `as_of`.

    A score only falls between signs, so the days with a sign and the day of creation are all that can matter. When a
    day ends is the zone's to say, which is plain Python here, once for each day and zone.
    """
    who = leads.select("created_at", "zone", lead=nw.col("id"), created_day=nw.col("day"))
    signed = who.join(per_day.select("lead", "day"), on="lead").filter(nw.col("day") >= nw.col("created_day"))
    columns = ("lead", "created_at", "zone", "evaluated")
    evaluated = nw.concat(
        [
            signed.with_columns(evaluated=nw.col("day")).select(*columns),
            who.with_columns(evaluated=nw.col("created_day")).select(*columns),
        ]
    ).unique()
    ended = _with_end(evaluated).filter(
        nw.col("ends") <= nw.col("created_at") + rules.interest_days * DAY_MS, nw.col("ends") <= as_of
    )
    gained = per_day.select("lead", "points", of_day=nw.col("day"))
    aged = ended.join(gained, on="lead").filter(nw.col("of_day") <= nw.col("evaluated"))
    left = aged.with_columns(raw=nw.col("points") * left_of_a_point(nw.col("of_day"), nw.col("evaluated"), rules))
    summed = left.group_by("lead", "evaluated").agg(nw.col("raw").sum())
    heard = summed.join(silent, on="lead", how="left").filter(~yes(nw.col("evaluated") >= nw.col("silent_from")))
    return heard.select("lead", score=100 * (1 - by(-nw.col("raw"), rules.scale).exp()))


def _with_end(evaluated: Frame) -> Frame:
    """`ends`: the moment at which the day `evaluated` is over in the lead owner's zone."""
    days = collected(evaluated.select("evaluated", "zone").unique())
    ends = [day_starts_at(day + 1, zone) for day, zone in days.iter_rows()]
    return evaluated.join(portable(days.with_columns(ends=pl.Series(ends, dtype=pl.Int64))), on=["evaluated", "zone"])
