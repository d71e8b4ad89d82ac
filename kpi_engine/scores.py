"""The engagement score of each open lead at `as_of`, as it is written to the lead itself."""

import narwhals.stable.v2 as nw
import polars as pl

from kpi_engine.exact import quotient
from kpi_engine.frames import Tables
from kpi_engine.populations import Populations, collected
from kpi_engine.populations.engagement import level
from kpi_engine.records import Company, Millis


def scores(tables: Tables, company: Company, as_of: Millis) -> pl.DataFrame:
    """(lead, owner, score, level) of the open leads; the level is decided on the unrounded score."""
    return scores_of(Populations(tables, company, as_of))


def scores_of(found: Populations) -> pl.DataFrame:
    """The same of populations that others look at too."""
    today = dict(found.reps.select("rep", "today").iter_rows())
    rows = [
        collected(found.open_leads_on(day).filter(nw.col("rep").is_in([rep for rep in today if today[rep] == day])))
        for day in sorted(set(today.values()))
    ]
    every = pl.concat(rows).sort("id")
    levels = [level(score, found.company.engagement) for score in every["unrounded"]]
    return every.select(
        lead="id", owner="rep", score=quotient(every["unrounded"], None, 2), level=pl.Series(levels, dtype=pl.Utf8)
    )
