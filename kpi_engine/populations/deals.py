"""Deals as they stand at `as_of`: whose they are, what they are worth at home, open, won or lost, and since when."""

import narwhals.stable.v2 as nw
import polars as pl

from kpi_engine.populations.frame import Frame, collected, first_rule, local_day, portable, settled
from kpi_engine.populations.identity import surviving
from kpi_engine.populations.money import MONEY, Rates, converted, in_units
from kpi_engine.populations.reps import owned
from kpi_engine.records import Millis

WITHOUT_CLOSE = "it is closed but has no close date"


def deals(table: Frame, reps: pl.DataFrame, zones: list[str], span: tuple[int, int], as_of: Millis) -> Frame:
    """Every deal with its closing owner's `rep` and `zone`, its days, `won`, `lost`, `exists` and `rule`.

    A deal whose close is still to come is open: `close_day` is null. `rule` says why a deal is not closed.
    """
    closing = nw.when(nw.col("closed")).then(nw.coalesce("owner_at_close", "owner")).otherwise(nw.col("owner"))
    mine = owned(table.with_columns(closing_owner=closing).drop("owner"), "closing_owner", reps)
    days = mine.with_columns(
        created_day=local_day("created_at", "zone", zones, span),
        stated_day=nw.coalesce(local_day("closed_at", "zone", zones, span), nw.col("closed_on")),
    )
    to_come = (nw.col("closed_at").fill_null(as_of) > as_of) | (nw.col("stated_day") > nw.col("today"))
    close_day = nw.when(nw.col("closed"), ~to_come).then(nw.col("stated_day"))
    dated = days.with_columns(close_day=close_day)
    is_closed = ~nw.col("close_day").is_null()
    return settled(
        dated.with_columns(
            won=is_closed & nw.col("won"),
            lost=is_closed & ~nw.col("won"),
            exists=~nw.col("deleted") & nw.col("merged_into").is_null() & (nw.col("created_at") <= as_of),
            rule=first_rule(
                (nw.col("deleted"), "it was deleted"),
                (~nw.col("merged_into").is_null(), "it was merged into another deal, which counts"),
                (nw.col("created_at") > as_of, "it was created after the day of this value"),
                (nw.col("closed") & nw.col("stated_day").is_null(), WITHOUT_CLOSE),
                (nw.col("closed") & ~is_closed, "its close date is still to come"),
                (~nw.col("closed"), "it is still open"),
            ),
        )
    )


def standing(every: Frame) -> Frame:
    """Deals that exist: not deleted, not merged away, created by `as_of`."""
    return every.filter(nw.col("exists"))


def with_home_amount(existing: Frame, exchange: Rates) -> Frame:
    """`whole_amount` in home currency at the close date's rate, null where the deal has none; `amount` is 0 there."""
    rows = converted(collected(existing), "amount", "close_day", exchange)
    whole = pl.coalesce(in_units("amount_home"), "amount").cast(MONEY)
    rows = rows.with_columns(whole_amount=whole).with_columns(
        amount=pl.col("whole_amount").fill_null(0).cast(MONEY), valued=pl.col("whole_amount").is_not_null()
    )
    return portable(rows)


def closed_deals(existing: Frame, touched: Frame) -> Frame:
    """Deals won and lost, on their close day; `touched` is (deal) of those that had touchpoints."""
    closed = existing.filter(nw.col("won") | nw.col("lost"))
    marked = touched.select(nw.col("deal").alias("_deal")).unique().with_columns(touched=nw.lit(True))
    days = nw.col("close_day") - nw.col("created_day")
    cycle = nw.when(days > 0).then(days).otherwise(nw.lit(0)).cast(nw.Int64)
    joined = closed.join(marked, left_on="id", right_on="_deal", how="left")
    return joined.with_columns(
        day=nw.col("close_day"), kind=nw.lit("deal"), cycle_days=cycle, touched=nw.col("touched").fill_null(False)
    )


def revenue(won: Frame, splits: Frame, same_deals: Frame, reps: pl.DataFrame) -> Frame:
    """One row for each rep's part of a deal won: by its splits where it has any, else the whole is the owner's."""
    real = surviving(splits.filter(~nw.col("deleted"), nw.col("share") != 0), "deal", same_deals)
    parts = owned(real.select("deal", nw.col("rep").alias("seller"), "share"), "seller", reps).select(
        "deal", nw.col("rep").alias("split_rep"), "share"
    )
    columns = ["id", "rep", "day", "kind", "whole_amount", "amount", "share", "valued"]
    divided = won.join(parts, left_on="id", right_on="deal").with_columns(rep=nw.col("split_rep")).select(columns)
    whole = won.join(parts, left_on="id", right_on="deal", how="anti").with_columns(
        share=nw.lit(1_000_000, dtype=nw.Int64)
    )
    rows = collected(nw.concat([divided, whole.select(columns)]))
    share = pl.col("amount") * pl.col("share").cast(MONEY) / 1_000_000
    return portable(rows.with_columns(amount=share.cast(MONEY)))


def contacts(links: Frame, same_people: Frame, same_deals: Frame) -> Frame:
    """(deal, person) as the CRM links them, merges followed."""
    own = links.filter(nw.col("from_kind") == "deal", nw.col("to_kind") == "person", ~nw.col("deleted"))
    pairs = own.select(nw.col("from_id").alias("deal"), nw.col("to_id").alias("person"))
    return settled(surviving(surviving(pairs, "deal", same_deals), "person", same_people).unique())


def deal_people(existing: Frame, linked: Frame, leads: Frame) -> Frame:
    """(deal, person): the contacts of existing deals and the leads converted into them."""
    became = leads.filter(~nw.col("deal").is_null()).select("deal", "person")
    every = nw.concat([linked.select("deal", "person"), became]).unique()
    return settled(every.join(existing.select("id"), left_on="deal", right_on="id", how="semi"))
