"""Tables in, parts out: the numerators and denominators of every KPI for every rep, team and period.

`compute` gives one wide frame a grain: `rep`, `period_start`, `dimension` (null, `channel=Web`, `band=large`) and a
column for each part. Ratios are left to `kpi_engine.values`. Beside them stand the frames of the periods that the
current ones are compared with (`month_so_far`: last month up to the same working day), the reps and the teams, and what
is the same for everyone (`company`).

It takes three steps: what the records add to each day (`kpi_engine.daily`), each rep's rows, which follow from his or
her days (`kpi_engine.conclude`), and what the rows add up to for teams and everyone (`kpi_engine.groups`).
"""

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from kpi_engine.conclude import EVIDENCE, SPREAD, Parts, conclude_reps
from kpi_engine.daily import NOTHING_EVIDENT, Daily, Evident, added, campaign_days, daily
from kpi_engine.frames import Tables
from kpi_engine.ground import SO_FAR, Ground
from kpi_engine.groups import COMPANY, of_everyone, shown, sums, team_evidence, team_medians
from kpi_engine.periods import GRAINS
from kpi_engine.records import Company, Day, Millis

__all__ = ["EVIDENCE", "NOTHING_EVIDENT", "SO_FAR", "Concluded", "Evident", "Parts", "compute", "conclude", "frames_of"]

ORDER = ("rep", "period_start", "dimension")


def compute(
    tables: Tables,
    company: Company,
    as_of: Millis,
    *,
    since: Day | None = None,
    grains: Iterable[str] = GRAINS,
    evident: Evident = NOTHING_EVIDENT,
) -> Parts:
    """The parts of every period from the first record (or `since`) to `as_of`, and the evidence that was asked for."""
    days = days_of(tables, company, as_of, since=since, evident=evident)
    ground = ground_of(days, tables, company, as_of, since)
    return conclude(days, ground, grains, evident).parts()


def days_of(
    tables: Tables, company: Company, as_of: Millis, *, since: Day | None = None, evident: Evident = NOTHING_EVIDENT
) -> Daily:
    """Everyone's days."""
    of_records = daily(tables, company, as_of, since=since, evident=evident)
    return added([of_records, campaign_days(tables, company, as_of, evident)])


def ground_of(days: Daily, tables: Tables, company: Company, as_of: Millis, since: Day | None) -> Ground:
    """The ground that these days, which are everyone's, stand on."""
    recorded: int | None = days["days"]["day"].min() if since is None else since  # type: ignore[assignment]
    return Ground(tables, company, as_of, won=days["won"], recorded=None if recorded is None else Day(recorded))


@dataclass(frozen=True)
class Concluded:
    """What follows from days.

    rows     each rep's frames
    sums     what they add up to
    groups   the frames of teams and of everyone
    people   the reps, the teams, and what is the same for everyone
    """

    rows: Parts
    sums: Parts
    groups: Parts
    people: Parts

    def parts(self) -> Parts:
        """The frames of everyone, by name."""
        both = {name: pl.concat([self.rows[name], rows]) for name, rows in self.groups.items()}
        ordered = {
            name: rows if name.endswith(EVIDENCE) else rows.sort(*ORDER, nulls_last=False)
            for name, rows in both.items()
        }
        return {**self.people, **ordered}


def conclude(
    days: Daily, ground: Ground, grains: Iterable[str] = GRAINS, evident: Evident = NOTHING_EVIDENT
) -> Concluded:
    """What follows from everyone's days."""
    names = frames_of(grains)
    rows = conclude_reps(days, ground, ground.today, grains, evident)
    added_up = sums(rows, ground, names)
    groups = shown(added_up, {name: team_medians(rows[name + SPREAD], ground.members) for name in names})
    listed = [grain + EVIDENCE for grain in grains if grain + EVIDENCE in rows]
    groups |= {name: team_evidence(rows[name], ground.members) for name in listed}
    people = {**of_people(ground), COMPANY: of_everyone(added_up, ground, names)}
    return Concluded(rows, added_up, groups, people)


def of_people(ground: Ground) -> Parts:
    """The reps, and who is in whose team."""
    return {"rep": ground.reps.with_columns(pl.col("today").cast(pl.Date)), "team": ground.members}


def frames_of(grains: Iterable[str]) -> list[str]:
    """The names of the frames of these grains."""
    every = list(grains)
    return [*every, *(grain + SO_FAR for grain in every if grain != "day")]
