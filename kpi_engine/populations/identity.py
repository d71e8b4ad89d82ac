"""Who is who: merged records belong to the survivor, a lead and the contact it became are one person.

Following a chain of merges to its end is no expression, so this is plain Python over the few records that were merged
or converted.
"""

from collections.abc import Iterable

import narwhals.stable.v2 as nw
import polars as pl

from kpi_engine.populations.frame import Frame, collected, portable


def survivors(became: Iterable[tuple[str, str]]) -> Frame:
    """(id, survivor) for every id that became another one, followed to the end. A circle ends at its smallest id."""
    step = {old: new for old, new in became if old != new}
    last = {old: _last(old, step) for old in step}
    return portable(
        pl.DataFrame({"id": list(last), "survivor": list(last.values())}, schema={"id": pl.Utf8, "survivor": pl.Utf8})
    )


def _last(start: str, step: dict[str, str]) -> str:
    seen = [start]
    while (following := step.get(seen[-1])) is not None:
        if following in seen:
            return min(seen[seen.index(following) :])
        seen.append(following)
    return seen[-1]


def same_people(people: Frame, leads: Frame) -> Frame:
    """(id, survivor) for contacts and leads."""
    merged = people.select("id", became=nw.col("merged_into"))
    converted = leads.select("id", became=nw.coalesce("merged_into", "person"))
    return survivors(_pairs(nw.concat([merged, converted])))


def same_deals(deals: Frame) -> Frame:
    """(id, survivor) for deals."""
    return survivors(_pairs(deals.select("id", became=nw.col("merged_into"))))


def _pairs(frame: Frame) -> Iterable[tuple[str, str]]:
    found = frame.filter(~nw.col("became").is_null(), nw.col("became") != nw.col("id"))
    return collected(found).iter_rows()


def surviving(frame: Frame, column: str, same: Frame) -> Frame:
    """`frame` with the ids in `column` replaced by their survivors'."""
    other = same.rename({"id": "_old", "survivor": "_new"})
    joined = frame.join(other, left_on=column, right_on="_old", how="left")
    return joined.with_columns(nw.coalesce("_new", column).alias(column)).drop("_new")
