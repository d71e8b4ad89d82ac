"""Calls made, and the next steps after those that were answered."""

import narwhals.stable.v2 as nw
import polars as pl

from kpi_engine.periods import working_days
from kpi_engine.populations.activity import (
    Activity,
    answered,
    is_call,
    is_meeting,
    is_message,
    is_out_or_unknown,
    linked,
)
from kpi_engine.populations.frame import Frame, collected, local_day, portable, settled, yes
from kpi_engine.populations.reps import owned
from kpi_engine.records import UNASSIGNED, Company

FOLLOW_UP_WORKING_DAYS = 2


def calls_made(happened: Frame, labels: tuple[str, ...]) -> Frame:
    """Outbound calls; where the CRM does not say which way a call went, it was outbound."""
    made = happened.filter(is_call, is_out_or_unknown)
    return made.with_columns(answered=answered(labels), timed=~nw.col("duration_ms").is_null())


def with_deadline(made: Frame, company: Company) -> Frame:
    """`until`: the day by whose end a next step is due; `due`: whether that day is over."""
    days = collected(made.select("rep", "day").unique())
    deadlines = [
        working_days(company, None if rep == UNASSIGNED else rep).after(day, FOLLOW_UP_WORKING_DAYS)
        for rep, day in days.iter_rows()
    ]
    until = portable(days.with_columns(until=pl.Series(deadlines, dtype=pl.Int32)))
    return made.join(until, on=["rep", "day"]).with_columns(due=nw.col("until") < nw.col("today"))


def steps(
    act: Activity, delivered: Frame, tasks: Frame, task_subjects: Frame, *, zones: list[str], span: tuple[int, int]
) -> Frame:
    """(rep, subject, step_at, step_day): everything that can be a next step with a person or about a deal.

    A meeting counts from the moment when it was booked, even if it was cancelled later.
    """
    done = act.happened.filter((is_call | is_message) & is_out_or_unknown)
    columns = [nw.col("id"), nw.col("rep"), nw.col("at").alias("step_at"), nw.col("day").alias("step_day")]
    interactions = nw.concat([done.select(columns), delivered.select(columns)])
    booked = act.judged.filter(is_meeting, ~nw.col("deleted"), ~nw.col("created_at").is_null())
    booked_day = local_day("created_at", "zone", zones, span)
    meetings = booked.select("id", "rep", step_at=nw.col("created_at"), step_day=booked_day)
    about = subjects(act.people, act.deals)
    with_meetings = nw.concat([interactions, meetings]).join(about, on="id")
    return nw.concat([with_meetings, tasks.join(task_subjects, on="id")]).drop("id")


def subjects(people: Frame, deals: Frame) -> Frame:
    """(id, subject): the people and deals that something is about, in one column."""
    of_people = people.select("id", subject=nw.concat_str(nw.lit("person "), nw.col("person")))
    return nw.concat([of_people, deals.select("id", subject=nw.concat_str(nw.lit("deal "), nw.col("deal")))])


def planned_tasks(tasks: Frame, reps: pl.DataFrame, zones: list[str], span: tuple[int, int]) -> Frame:
    """(id, rep, step_at, step_day) of the tasks that are next steps and not the record of an activity."""
    real = owned(tasks.filter(~nw.col("deleted"), ~nw.col("logs_activity")), "rep", reps)
    day = local_day("created_at", "zone", zones, span)
    return real.select("id", "rep", step_at=nw.col("created_at"), step_day=day)


def task_subjects(links: Frame, same_people: Frame, same_deals: Frame) -> Frame:
    """(id, subject) of tasks."""
    own = links.filter(nw.col("from_kind") == "task", ~nw.col("deleted"))
    return subjects(linked(own, "person", same_people), linked(own, "deal", same_deals))


def with_follow_up(made: Frame, act: Activity, next_steps: Frame) -> Frame:
    """`followed`: the same rep took a step with the same person or deal, strictly later and before the deadline.

    A step on a later day is later; on the day of the call the moments decide, and a plain date has none. Looking day by
    day keeps the work small for a rep who has dealt with the same people for years.
    """
    asked = made.filter(nw.col("answered"), nw.col("due")).select("id", "rep", "at", "day", "until")
    about = asked.join(subjects(act.people, act.deals), on="id")
    allowed = about.join(_days_allowed(asked), on=["day", "until"])
    taken = next_steps.group_by("rep", "subject", "step_day").agg(last_at=nw.col("step_at").max())
    met = allowed.join(taken, on=["rep", "subject", "step_day"])
    later = (nw.col("step_day") > nw.col("day")) | yes(nw.col("last_at") > nw.col("at"))
    followed = met.filter(later).select("id").unique().with_columns(followed=nw.lit(True))
    return settled(made.join(followed, on="id", how="left").with_columns(nw.col("followed").fill_null(False)))


def _days_allowed(asked: Frame) -> Frame:
    """(day, until, step_day): the days from a call's to its deadline."""
    pairs = collected(asked.select("day", "until").unique()).iter_rows()
    rows = [(day, until, step_day) for day, until in pairs for step_day in range(day, until + 1)]
    schema = {"day": pl.Int32, "until": pl.Int32, "step_day": pl.Int32}
    return portable(pl.DataFrame(rows, schema=schema, orient="row"))
