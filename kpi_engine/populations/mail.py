"""E-mails sent, the threads they open, and replies."""

import narwhals.stable.v2 as nw

from kpi_engine.populations.activity import is_email, is_out
from kpi_engine.populations.frame import Frame, earliest, settled, yes
from kpi_engine.records import Millis

thread = (
    nw.when(nw.col("thread").fill_null("") != "")
    .then(nw.col("thread"))
    .otherwise(nw.concat_str(nw.lit("alone:"), nw.col("id")))
)
"""An e-mail without a thread id is a thread of its own."""


by_hand = (nw.col("direction") == "in") & ~nw.col("automatic")

_undated_day = nw.when(nw.col("at").is_null()).then(nw.col("day"))
"""Where only the date is known, nothing else of that day is certain to be later."""


def mails(happened: Frame) -> Frame:
    """Every e-mail, in either direction, with its thread (`in_thread`)."""
    return happened.filter(is_email).with_columns(in_thread=thread)


def replies(every: Frame) -> Frame:
    """Inbound e-mails that answer: later than an outbound one of their thread, and not automatic."""
    sent = every.filter(is_out).with_columns(undated_day=_undated_day)
    first = sent.group_by("in_thread").agg(
        first_at=nw.col("at").min(), first_day=nw.col("day").min(), first_undated=nw.col("undated_day").min()
    )
    later_day = nw.col("day") > nw.col("first_day")
    later = yes(nw.col("at") > nw.col("first_at")) | yes(nw.col("day") > nw.col("first_undated"))
    answers = nw.when(nw.col("at").is_null()).then(later_day).otherwise(later)
    return every.filter(by_hand).join(first, on="in_thread").filter(answers)


def with_last_reply(every: Frame, chosen: Frame) -> Frame:
    """`chosen` e-mails with `has_reply`: somebody answered later, in the same thread, by hand."""
    inbound = every.filter(by_hand).with_columns(undated_day=_undated_day)
    last = inbound.group_by("in_thread").agg(
        last_at=nw.col("at").max(), last_day=nw.col("day").max(), last_undated=nw.col("undated_day").max()
    )
    joined = chosen.join(last, on="in_thread", how="left")
    later_day = yes(nw.col("last_day") > nw.col("day"))
    later = yes(nw.col("last_at") > nw.col("at")) | yes(nw.col("last_undated") > nw.col("day"))
    has_reply = nw.when(nw.col("at").is_null()).then(later_day).otherwise(later)
    return joined.with_columns(has_reply=has_reply).drop("last_at", "last_day", "last_undated")


def emails(every: Frame, as_of: Millis) -> Frame:
    """E-mails sent. What happened to one after `as_of` has not happened yet."""
    bounced = yes(nw.col("bounced"))
    sent = every.filter(is_out).with_columns(
        bounced=bounced,
        delivered=~bounced,
        tracked=yes(nw.col("tracked")),
        opened=yes(nw.col("opened")) & (nw.col("opened_at").fill_null(as_of) <= as_of),
        clicked=yes(nw.col("clicked")) & (nw.col("clicked_at").fill_null(as_of) <= as_of),
    )
    return settled(with_last_reply(every, sent))


def threads(every: Frame) -> Frame:
    """The first message of each thread that a rep opened; `replied` if one of the answers is not automatic."""
    first = earliest(every, "in_thread", by="moment").filter(is_out)
    return with_last_reply(every, first).rename({"has_reply": "replied"})
