"""Leads, what became of them, and people who opted out."""

import narwhals.stable.v2 as nw
import polars as pl

from kpi_engine.populations.frame import Frame, earliest, first_rule, local_day, settled, yes
from kpi_engine.populations.identity import surviving
from kpi_engine.populations.reps import owned
from kpi_engine.records import Millis

UNKNOWN_CHANNEL = "unknown"
ALWAYS = -(10**6)
"""The day of an opt-out without a date: before everything."""

created_later = "it was created after the day of this value"


def leads(
    table: Frame,
    reps: pl.DataFrame,
    same_people: Frame,
    zones: list[str],
    span: tuple[int, int],
    as_of: Millis,
    disqualifying: tuple[str, ...],
) -> Frame:
    """Every lead with `rep`, `zone`, its one `person`, `channel`, `day` of creation, `converted_day` and `rule`."""
    mine = surviving(owned(table, "owner", reps).with_columns(person=nw.col("id")), "person", same_people)
    blank = nw.col("channel").is_null() | (nw.col("channel") == "")
    dated = mine.with_columns(
        day=local_day("created_at", "zone", zones, span),
        channel=nw.when(blank).then(nw.lit(UNKNOWN_CHANNEL)).otherwise(nw.col("channel")),
        disqualified=yes(nw.col("status").is_in(disqualifying)),
        stated_day=nw.coalesce(local_day("converted_at", "zone", zones, span), nw.col("converted_on")),
    )
    to_come = (nw.col("converted_at").fill_null(as_of) > as_of) | yes(nw.col("stated_day") > nw.col("today"))
    converted_day = nw.when(nw.col("converted"), ~to_come).then(nw.coalesce("stated_day", "day"))
    return settled(
        dated.with_columns(
            converted_day=converted_day,
            kind=nw.lit("lead"),
            rule=first_rule(
                (nw.col("deleted") & nw.col("merged_into").is_null(), "it was deleted"),
                (~nw.col("merged_into").is_null(), "it was merged into another lead, which counts"),
                (nw.col("created_at") > as_of, created_later),
            ),
        )
    )


def with_named_deal(counted: Frame, existing: Frame, same_deals: Frame) -> Frame:
    """`deal`: the existing deal that the CRM names for the lead's conversion, null where there is none."""
    named = surviving(counted, "deal", same_deals)
    there = existing.select(nw.col("id").alias("_deal"), nw.col("id").alias("_there"))
    joined = named.join(there, left_on="deal", right_on="_deal", how="left")
    done = ~nw.col("converted_day").is_null()
    return settled(joined.with_columns(deal=nw.when(done).then(nw.col("_there"))).drop("_there"))


def with_deal_of_contact(
    counted: Frame, existing: Frame, contacts: Frame, zones: list[str], span: tuple[int, int]
) -> Frame:
    """`deal`: the earliest deal of the lead's person created at or after the day of the conversion."""
    offers = existing.select(deal=nw.col("id"), deal_created_at=nw.col("created_at"))
    converted = counted.filter(~nw.col("converted_day").is_null()).select("id", "person", "zone", "converted_day")
    possible = converted.join(contacts, on="person").join(offers, on="deal")
    in_time = local_day("deal_created_at", "zone", zones, span) >= nw.col("converted_day")
    first = earliest(settled(possible.filter(in_time)), "id", by="deal_created_at", then="deal")
    return settled(counted.drop("deal").join(first.select("id", "deal"), on="id", how="left"))


def with_won_amount(counted: Frame, existing: Frame) -> Frame:
    """`won` of the lead's deal and `won_amount`: its whole amount, on the earlier lead where two led to one deal."""
    won = existing.filter(nw.col("won")).select(nw.col("id").alias("_deal"), "won", nw.col("amount").alias("_amount"))
    joined = settled(counted.join(won, left_on="deal", right_on="_deal", how="left"))
    ranked = joined.filter(~nw.col("deal").is_null())
    ranked = ranked.filter(nw.col("created_at") == nw.col("created_at").min().over("deal"))
    first = (
        ranked.filter(nw.col("id") == nw.col("id").min().over("deal")).select("id").with_columns(_first=nw.lit(True))
    )
    marked = joined.join(first, on="id", how="left")
    amount = nw.when(yes(nw.col("_first"))).then(nw.col("_amount")).fill_null(0)
    return settled(marked.with_columns(nw.col("won").fill_null(False), won_amount=amount).drop("_amount", "_first"))


def silenced(people: Frame, every_lead: Frame, same_people: Frame, as_of: Millis) -> Frame:
    """(person, opted_out_at, opted_out_undated, bounced_at): who by `as_of` asked not to be written to or cannot be
    reached."""
    columns = ("id", "opted_out", "opted_out_at", "bounced_at")
    alive = ~nw.col("deleted") & nw.col("merged_into").is_null()
    both = nw.concat([frame.filter(alive).select(*columns) for frame in (people, every_lead)])
    known = surviving(both.with_columns(person=nw.col("id")), "person", same_people)
    undated = nw.when(nw.col("opted_out") & nw.col("opted_out_at").is_null()).then(nw.lit(1)).otherwise(nw.lit(0))
    moment = nw.when(nw.col("opted_out"), nw.col("opted_out_at") <= as_of).then(nw.col("opted_out_at"))
    back = nw.when(nw.col("bounced_at") <= as_of).then(nw.col("bounced_at"))
    grouped = known.with_columns(_undated=undated, _moment=moment, _back=back).group_by("person")
    return settled(
        grouped.agg(
            opted_out_at=nw.col("_moment").min(),
            opted_out_undated=nw.col("_undated").max() == 1,
            bounced_at=nw.col("_back").min(),
        )
    )


def opt_outs(
    people: Frame,
    every_lead: Frame,
    quiet: Frame,
    same_people: Frame,
    reps: pl.DataFrame,
    zones: list[str],
    span: tuple[int, int],
) -> Frame:
    """People who opted out on a known day. The owner is the contact's; a lead without a contact has its own."""
    alive = ~nw.col("deleted") & nw.col("merged_into").is_null()
    contacts = people.filter(alive).select("id", "owner", kind=nw.lit("person"), person=nw.col("id"))
    contacts = surviving(contacts, "person", same_people)
    only = every_lead.filter(alive).select("id", "owner", kind=nw.lit("lead"), person=nw.col("id"))
    only = surviving(only, "person", same_people).join(contacts.select("person"), on="person", how="anti")
    one_lead = only.filter(nw.col("id") == nw.col("id").min().over("person"))
    one_contact = contacts.filter(nw.col("id") == nw.col("id").min().over("person"))
    who = nw.concat([one_contact, one_lead])
    left = quiet.filter(~nw.col("opted_out_at").is_null()).select("person", "opted_out_at")
    mine = owned(who.join(left, on="person"), "owner", reps)
    return settled(mine.with_columns(day=local_day("opted_out_at", "zone", zones, span)))
