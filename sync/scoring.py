"""Has the engine compute, and keeps what came out with a note of what it was made of."""

from collections.abc import Collection, Mapping, Sequence

import msgspec
import polars as pl

from kpi_engine.catalog import CATALOG
from kpi_engine.compute import NOTHING_EVIDENT, Evident, Parts, compute
from kpi_engine.declaring import Dimension
from kpi_engine.periods import GRAINS
from kpi_engine.records import Company, Day, Millis, Rep
from kpi_engine.scores import scores
from sync.cache import Cache
from sync.errors import NothingComputed
from sync.job import Options
from sync.people import with_known_people

SCORES = "scores"
"""The name under which the engagement scores of open leads are kept beside the parts."""


class Scored(msgspec.Struct, frozen=True):
    """How many values there are now, and of how many periods."""

    values: int
    periods: int


class Computed(msgspec.Struct, frozen=True, kw_only=True):
    """What the engine computed last.

    parts     numerators and denominators, one frame a grain (`kpi_engine.values` divides them)
    scores    lead, owner, score, level of every open lead
    company   the company as it was computed for, its targets on the CRM's own ids
    warnings  people whom the settings name and the CRM does not know
    """

    parts: Parts
    scores: pl.DataFrame
    company: Company
    as_of: Millis
    warnings: Sequence[str] = ()


class _MadeOf(msgspec.Struct, frozen=True):
    """What computed values were made of, so that they can be read without the CRM and remade only when it changes."""

    as_of: Millis
    records: str
    since: Day | None
    company: Company
    evident: Evident = NOTHING_EVIDENT


def evident(options: Options) -> Evident:
    """Records are listed beside the values that the CRM shows."""
    return Evident(options.track, options.write_grains)


def score(
    cache: Cache, company: Company, as_of: Millis, since: Day | None, listed: Evident = NOTHING_EVIDENT
) -> Scored:
    """Compute every value from the cache and keep what they are made of."""
    return counted(_compute(cache, company, as_of, since, listed).parts)


def computed(cache: Cache, grains: Collection[str] | None = None) -> Computed:
    """What was computed last (of these grains), for the company as it was then. Raises `NothingComputed`."""
    found = cache.made_of()
    if found is None:
        raise NothingComputed(
            "KPI-RUN-003", f"Nothing has been computed for {cache.connection} yet.", "Run `kpisync compute` first."
        )
    frames = cache.kept(grains)
    made_of = msgspec.json.decode(found, type=_MadeOf)
    known, warnings = with_known_people(made_of.company, reps_of(cache).values())
    scored = frames.pop(SCORES)
    return Computed(parts=frames, scores=scored, company=known, as_of=made_of.as_of, warnings=warnings)


def computed_as_of(
    cache: Cache, company: Company, as_of: Millis, since: Day | None, listed: Evident = NOTHING_EVIDENT
) -> Computed:
    """What was computed for this moment from these records and settings, computed now if it was not.

    Of what was computed before only the grains with evidence are read, and the month that people show.
    """
    if cache.made_of() == _made_of(cache, company, as_of, since, listed):
        return computed(cache, {*listed.grains, "month"})
    return _compute(cache, company, as_of, since, listed)


def _compute(cache: Cache, company: Company, as_of: Millis, since: Day | None, listed: Evident) -> Computed:
    made_of = _made_of(cache, company, as_of, since, listed)
    known, warnings = with_known_people(company, reps_of(cache).values())
    tables = cache.tables()
    parts = compute(tables, known, as_of, since=since, evident=listed)
    scored = scores(tables, known, as_of)
    cache.keep({**parts, SCORES: scored}, made_of)
    return Computed(parts=parts, scores=scored, company=known, as_of=as_of, warnings=warnings)


def _made_of(cache: Cache, company: Company, as_of: Millis, since: Day | None, listed: Evident) -> str:
    made_of = _MadeOf(as_of, cache.state(), since, company, listed)
    return msgspec.json.encode(made_of, order="deterministic").decode()


def counted(parts: Parts) -> Scored:
    """How many values the parts make: every KPI on undivided rows, some by channel, some in three bands."""
    by_channel = sum(Dimension.CHANNEL in kpi.dimensions for kpi in CATALOG)
    by_band = sum(Dimension.BAND in kpi.dimensions for kpi in CATALOG)
    found = periods = 0
    for grain in GRAINS:
        frame = parts[grain]
        whole = frame.filter(pl.col("dimension").is_null()).height
        channels = frame.filter(pl.col("dimension").str.starts_with("channel=")).height
        found += whole * len(CATALOG) + channels * by_channel + whole * 3 * by_band
        periods += frame["period_start"].n_unique()
    return Scored(found, periods)


def reps_of(cache: Cache) -> Mapping[str, Rep]:
    """Everyone in the CRM, by id."""
    rows = cache.tables(["rep"])["rep"].collect().iter_rows(named=True)
    return {row["id"]: Rep(**row) for row in rows}
