"""What happened: interactions that are done, not deleted, not still to come, counted once; and whom they were with."""

from dataclasses import dataclass

import narwhals.stable.v2 as nw
import polars as pl

from kpi_engine.periods import DAY_MS
from kpi_engine.populations.frame import Frame, collected, first_rule, portable, settled, yes
from kpi_engine.populations.identity import surviving
from kpi_engine.populations.reps import owned
from kpi_engine.populations.same import on_their_days, without_repeats
from kpi_engine.records import Millis

UNDONE = ("planned", "cancelled", "rescheduled", "failed", "draft")
ANSWERED_FROM_MS = 30_000

moment = nw.coalesce(nw.col("at"), nw.col("on").cast(nw.Int64) * DAY_MS)
"""Orders interactions; a plain date stands before everything else of its day."""

is_email = nw.col("kind") == "email"
is_call = nw.col("kind") == "call"
is_message = nw.col("kind") == "message"
is_meeting = nw.col("kind") == "meeting"
is_out = nw.col("direction") == "out"
is_out_or_unknown = nw.col("direction").fill_null("out") == "out"
no_show = yes(nw.col("outcome") == "no_show")


def answered(labels: tuple[str, ...]) -> nw.Expr:
    """The label of the result decides, or the CRM's own connect time; where there is neither, half a minute does."""
    connected = yes(nw.col("answered_by_crm"))
    long_enough = yes(nw.col("duration_ms") >= ANSWERED_FROM_MS)
    return (
        nw.when(yes(nw.col("disposition") != ""))
        .then(nw.col("disposition").is_in(labels) | connected)
        .otherwise(nw.coalesce(nw.col("answered_by_crm"), long_enough))
    )


def judged(interactions: Frame, reps: pl.DataFrame, as_of: Millis) -> Frame:
    """Every interaction with `rep`, `zone`, `today` and `rule`: why it is no activity, null where it is."""
    undone = nw.col("outcome").is_in(UNDONE)
    ends = nw.coalesce("ended_at", "at")
    rule = first_rule(
        (nw.col("deleted"), "it was deleted"),
        (nw.col("day").is_null(), "it has no date"),
        (
            is_meeting & nw.col("outcome").is_in(("cancelled", "rescheduled", "failed", "draft")),
            "it did not take place",
        ),
        (~is_meeting & undone, "it is not done: planned, cancelled, failed or a draft"),
        (is_email & is_out & (nw.col("outcome").fill_null("") != "done"), "the CRM does not say that it was sent"),
        (nw.col("at") > as_of, "it is later than the day of this value"),
        (nw.col("at").is_null() & (nw.col("on") > nw.col("today")), "it is later than the day of this value"),
        (is_meeting & (ends > as_of), "it has not ended yet"),
    )
    return settled(owned(interactions, "rep", reps).with_columns(rule=rule))


@dataclass(frozen=True)
class Activity:
    """happened   one row an interaction that counts, with `rep`, `zone`, `today`, `moment`
    people     (id, person) of those, merges followed
    deals      (id, deal) of those, merges followed
    judged     every interaction with the rule that leaves it out
    """

    happened: Frame
    people: Frame
    deals: Frame
    judged: Frame


def activity(
    interactions: Frame, links: Frame, reps: pl.DataFrame, same_people: Frame, same_deals: Frame, as_of: Millis
) -> Activity:
    """Drop what is no activity, then what is there twice, and unite the links of those that are the same."""
    every = judged(interactions, reps, as_of)
    own_links = links.filter(nw.col("from_kind") == "interaction", ~nw.col("deleted"))
    to_people = linked(own_links, "person", same_people)
    to_deals = linked(own_links, "deal", same_deals)
    done = every.filter(nw.col("rule").is_null()).drop("rule")
    once, kept = without_repeats(collected(done), collected(to_people))
    repeats = portable(
        pl.DataFrame({"_old": list(kept), "_kept": list(kept.values())}, schema={"_old": pl.Utf8, "_kept": pl.Utf8})
    )
    theirs = collected(owned(portable(once).drop("rep", "zone", "today"), "owner", reps))
    happened = portable(on_their_days(theirs, set(kept.values()))).with_columns(moment=moment)
    return Activity(
        happened=settled(happened),
        people=settled(_of_kept(to_people, repeats, "person")),
        deals=settled(_of_kept(to_deals, repeats, "deal")),
        judged=settled(_with_repeats(every, repeats)),
    )


def linked(links: Frame, to: str, same: Frame) -> Frame:
    """(id, person or deal) of the links to people or deals."""
    found = links.filter(nw.col("to_kind") == to).select(nw.col("from_id").alias("id"), nw.col("to_id").alias(to))
    return surviving(found, to, same).unique()


def _of_kept(links: Frame, repeats: Frame, to: str) -> Frame:
    joined = links.join(repeats, left_on="id", right_on="_old", how="left")
    return joined.select(nw.coalesce("_kept", "id").alias("id"), nw.col(to)).unique()


def _with_repeats(every: Frame, repeats: Frame) -> Frame:
    joined = every.join(repeats, left_on="id", right_on="_old", how="left")
    twice = nw.concat_str(nw.lit("it is the same as "), nw.col("_kept"), nw.lit(", which counts"))
    return joined.with_columns(rule=nw.coalesce(nw.col("rule"), twice)).drop("_kept")
