"""The engagement score of each open lead at `as_of`, as it is written to the lead itself."""

import polars as pl

from kpi_engine.exact import quotient
from kpi_engine.frames import Tables
from kpi_engine.populations import Populations
from kpi_engine.populations.engagement import level
from kpi_engine.populations.open_leads import score
from kpi_engine.records import Company, Millis


def scores(tables: Tables, company: Company, as_of: Millis) -> pl.DataFrame:
    """(lead, owner, score, level) of the open leads."""
    found = Populations(tables, company, as_of)
    return scored(found.still_open, found.reps, company)


def scored(still_open: pl.DataFrame, reps: pl.DataFrame, company: Company) -> pl.DataFrame:
    """The same of leads that are still open, on their rep's `today`; the level is decided on the unrounded score."""
    rows = still_open.join(reps.select("rep", day="today"), on="rep").sort("lead")
    unrounded = rows.select(unrounded=score(company.engagement).fill_null(0.0))["unrounded"]
    levels = pl.Series([level(each, company.engagement) for each in unrounded], dtype=pl.Utf8)
    return rows.select("lead", owner="rep", score=quotient(unrounded, None, 2), level=levels)
