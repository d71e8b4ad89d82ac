"""What the clock alone changes: records with a moment still to come, and those of which another day says more."""

import narwhals.stable.v2 as nw
import polars as pl

from kpi_engine.frames import Tables
from kpi_engine.periods import DAY_MS, day_starts_at
from kpi_engine.populations import Frame, Populations, collected
from kpi_engine.records import Millis

SCHEMA = pl.Schema({"kind": pl.Utf8(), "id": pl.Utf8(), "at": pl.Int64()})

_MOMENTS = {
    "interaction": ("at", "ended_at", "created_at", "opened_at", "clicked_at"),
    "lead": ("created_at", "qualified_at", "converted_at", "opted_out_at", "bounced_at"),
    "deal": ("created_at", "closed_at"),
    "event": ("at",),
    "task": ("created_at",),
    "person": ("opted_out_at", "bounced_at"),
}

_ID = {"event": "person"}
"""Where a record is found by another one's id."""


def to_come(tables: Tables, as_of: Millis) -> pl.DataFrame:
    """(kind, id, at): records that will say something else from that moment on, though nothing about them changes. An
    event goes by its person."""
    found = [
        tables[kind].filter(pl.col(name) > as_of).select(kind=pl.lit(kind), id=_ID.get(kind, "id"), at=name)
        for kind, names in _MOMENTS.items()
        for name in names
    ]
    return pl.concat(pl.collect_all(found)).cast(SCHEMA)


def to_come_with_a_day(found: Populations) -> pl.DataFrame:
    """(kind, id, at): records of which the day that begins then, where their rep is, says something else: a plain date
    is there, a follow-up is overdue, a lead's day with a sign is over and its score of that day counts."""
    later = nw.col("day") > nw.col("today")
    plain = nw.col("at").is_null()
    leads = found.leads_with_deal
    shown = found.signs.filter(plain).join(leads.select("person", "zone", "today"), on="person")
    early = leads.filter(nw.col("created_at") + found.company.engagement.interest_days * DAY_MS >= found.as_of)
    today = found.dated_signs.filter(nw.col("day") == nw.col("today")).select("lead", "day", "zone")
    scored = today.join(early.select(lead=nw.col("id")), on="lead")
    created = early.filter(nw.col("day") == nw.col("today")).join(
        found.dated_signs.select(id=nw.col("lead")).unique(), on="id"
    )
    undue = found.calls.filter(~nw.col("due"))
    started = found.every_campaign.filter(later).select("day", "zone", campaign=nw.col("id"))
    brought = found.deals.select("id", "campaign").join(started, on="campaign")
    waits = (
        ("interaction", found.activity.judged.filter(plain).with_columns(day=nw.col("on")).filter(later), "id"),
        ("lead", found.every_lead.with_columns(day=nw.col("stated_day")).filter(nw.col("converted"), later), "id"),
        ("deal", found.every_deal.with_columns(day=nw.col("stated_day")).filter(nw.col("closed"), later), "id"),
        ("deal", brought, "id"),
        ("event", shown.with_columns(day=nw.col("on")).filter(later), "person"),
        ("interaction", undue.with_columns(day=nw.col("until") + 1), "id"),
        ("lead", scored.with_columns(day=nw.col("day") + 1), "lead"),
        ("lead", created.with_columns(day=nw.col("day") + 1), "id"),
    )
    return pl.concat([_begins(kind, rows, key) for kind, rows, key in waits]).unique()


def _begins(kind: str, rows: Frame, key: str) -> pl.DataFrame:
    """When the `day` of each row begins in its `zone`."""
    told = collected(rows.select("day", "zone", id=nw.col(key)))
    days = told.select("day", "zone").unique()
    moments = [day_starts_at(day, zone) for day, zone in days.iter_rows()]
    begun = days.with_columns(at=pl.Series(moments, dtype=pl.Int64))
    return told.join(begun, on=["day", "zone"]).select(pl.lit(kind).alias("kind"), "id", "at").cast(SCHEMA)


def keys(tables: Tables) -> pl.DataFrame:
    """(kind, id) of every record that the clock could change."""
    found = [tables[kind].select(kind=pl.lit(kind), id=_ID.get(kind, "id")) for kind in _MOMENTS]
    return pl.concat(pl.collect_all(found)).unique()


def come(waiting: pl.DataFrame, now: Millis) -> pl.DataFrame:
    """Those whose moment has come."""
    return waiting.filter(pl.col("at") <= now)
