"""Tables in, parts out: the numerators and denominators of every KPI for every rep, team and period.

`compute` gives one wide frame a grain: `rep`, `period_start`, `dimension` (null, `channel=Web`, `band=large`) and a
column for each part. Ratios are left to `kpi_engine.values`. Beside them stand the frames of the periods that the
current ones are compared with (`month_so_far`: last month up to the same working day), the reps and the teams, and what
is the same for everyone (`company`).

It takes three steps: what the records add to each day (`kpi_engine.daily`), each rep's rows, which follow from his or
her days (`kpi_engine.conclude`), and what the rows add up to for teams and everyone (`kpi_engine.groups`).
"""

from collections.abc import Iterable

import polars as pl

from kpi_engine.conclude import EVIDENCE, SO_FAR, SPREAD, Parts, conclude_reps
from kpi_engine.daily import NOTHING_EVIDENT, Daily, Evident, added, campaign_days, daily
from kpi_engine.frames import Tables
from kpi_engine.ground import Ground
from kpi_engine.groups import COMPANY, company, shown, sums, team_evidence, team_medians
from kpi_engine.periods import GRAINS
from kpi_engine.records import Company, Day, Millis

__all__ = ["EVIDENCE", "NOTHING_EVIDENT", "SO_FAR", "Evident", "Parts", "compute", "conclude", "frames_of", "ground_of"]


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
    days = [
        daily(tables, company, as_of, since=since, evident=evident),
        campaign_days(tables, company, as_of, evident),
    ]
    return conclude(added(days), tables, company, as_of, since=since, grains=grains, evident=evident)


def conclude(
    days: Daily,
    tables: Tables,
    settings: Company,
    as_of: Millis,
    *,
    since: Day | None = None,
    grains: Iterable[str] = GRAINS,
    evident: Evident = NOTHING_EVIDENT,
) -> Parts:
    """The parts that follow from the days; of the tables only those of reps, quotas and rates are looked at."""
    ground = ground_of(days, tables, settings, as_of, since)
    rows = conclude_reps(days, ground, ground.today, grains, evident)
    names = frames_of(grains)
    added_up = sums(rows, ground, names)
    teams = shown(added_up, {name: team_medians(rows[name + SPREAD], ground.members) for name in names})
    parts = {**of_people(ground), COMPANY: company(added_up, ground, names)}
    parts |= {name: pl.concat([rows[name], teams[name]]).sort(*_ORDER, nulls_last=False) for name in names}
    for grain in evident.grains:
        own = rows[grain + EVIDENCE]
        parts[grain + EVIDENCE] = pl.concat([own, team_evidence(own, ground.members)])
    return parts


_ORDER = ("rep", "period_start", "dimension")


def ground_of(days: Daily, tables: Tables, settings: Company, as_of: Millis, since: Day | None) -> Ground:
    """The ground that these days, which are everyone's, stand on."""
    recorded: int | None = days["days"]["day"].min() if since is None else since  # type: ignore[assignment]
    return Ground(tables, settings, as_of, won=days["won"], recorded=None if recorded is None else Day(recorded))


def of_people(ground: Ground) -> Parts:
    """The reps, and who is in whose team."""
    return {"rep": ground.reps.with_columns(pl.col("today").cast(pl.Date)), "team": ground.members}


def frames_of(grains: Iterable[str]) -> list[str]:
    """The names of the frames of these grains."""
    every = list(grains)
    return [*every, *(grain + SO_FAR for grain in every if grain != "day")]
