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


def mails(happened: Frame) -> Frame:
    """Every e-mail, in either direction, with its thread (`in_thread`)."""
    return happened.filter(is_email).with_columns(in_thread=thread)


def replies(every: Frame) -> Frame:
    """Inbound e-mails that answer: later than an outbound one of their thread, and not automatic."""
    sent = every.filter(is_out).group_by("in_thread").agg(first_sent=nw.col("moment").min())
    inbound = every.filter(nw.col("direction") == "in", ~nw.col("automatic"))
    return inbound.join(sent, on="in_thread").filter(nw.col("moment") > nw.col("first_sent"))


def with_last_reply(every: Frame, chosen: Frame) -> Frame:
    """`chosen` e-mails with `has_reply`: somebody answered later, in the same thread, by hand."""
    inbound = every.filter(nw.col("direction") == "in", ~nw.col("automatic"))
    last = inbound.group_by("in_thread").agg(last_reply=nw.col("moment").max())
    joined = chosen.join(last, on="in_thread", how="left")
    return joined.with_columns(has_reply=yes(nw.col("last_reply") > nw.col("moment"))).drop("last_reply")


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
