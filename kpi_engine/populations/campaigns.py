"""Campaigns with a cost, and what the deals that they brought were worth."""

import narwhals.stable.v2 as nw
import polars as pl

from kpi_engine.populations.frame import Frame, collected, first_rule, portable, settled
from kpi_engine.populations.money import Rates, converted
from kpi_engine.populations.reps import owned


def campaigns(table: Frame, reps: pl.DataFrame, exchange: Rates) -> Frame:
    """Every campaign with `rep`, `day` of its start, `cost` at home, and `rule`: why it is left out."""
    mine = owned(table, "owner", reps).with_columns(day=nw.col("starts_on"), kind=nw.lit("campaign"))
    at_home = portable(converted(collected(mine), "cost", "day", exchange))
    rule = first_rule(
        (nw.col("deleted"), "it was deleted"),
        (nw.col("day").is_null(), "it has no start date"),
        (nw.col("day") > nw.col("today"), "it starts later than the day of this value"),
        (nw.col("cost").is_null() | (nw.col("cost") == 0), "it has no cost"),
    )
    return settled(at_home.with_columns(rule=rule))


def gains(with_cost: Frame, existing_deals: Frame) -> Frame:
    """What a campaign's return is made of: each won deal's whole amount, on the day on which the campaign started."""
    won = existing_deals.filter(nw.col("won")).select("campaign", "amount", deal=nw.col("id"))
    brought = with_cost.select("rep", "day", campaign=nw.col("id")).join(won, on="campaign")
    return settled(brought.select("rep", "day", "amount", id=nw.col("deal"), kind=nw.lit("deal")))


def costs(with_cost: Frame) -> Frame:
    """The other side of a return: each campaign's cost, negative."""
    spent = with_cost.select("rep", "day", -nw.col("cost").alias("amount"), "id", "kind")
    return spent.select("rep", "day", "amount", "id", "kind")
