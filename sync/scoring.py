"""Has the engine compute what changed, and keeps what came out with a note of what it was made of."""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from importlib.metadata import version

import msgspec
import polars as pl

from kpi_engine.catalog import every_kpi
from kpi_engine.clock import come
from kpi_engine.compute import NOTHING_EVIDENT, Evident, Parts
from kpi_engine.compute import ORDER as IN_ORDER
from kpi_engine.conclude import ROWS
from kpi_engine.declaring import Dimension
from kpi_engine.frames import SCHEMAS, Tables
from kpi_engine.groups import GROUPS
from kpi_engine.increment import increment
from kpi_engine.periods import GRAINS
from kpi_engine.records import Company, Day, Millis, Rep
from kpi_engine.shelf import COMPUTED, COUNTS, SCORES, SUMS, WAITING, Asked, Work
from kpi_engine.whole import whole
from sync.cache import Cache
from sync.errors import NothingComputed
from sync.job import Options
from sync.people import with_known_people
from sync.spark import Spark, workers

REFERENCES = ("rep", "campaign", "quota", "rate")
"""What everyone's records refer to: if any of it changes, everything is computed again."""

AT_ONCE = 500_000
"""So many records are computed at once; more of them in batches."""

FULL_FROM = 2 / 3
"""Where so much of everything has to do with what changed, computing everything is cheaper."""


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


class _Footing(msgspec.Struct, frozen=True):
    """What must be as it was, so that only what changed need be computed.

    slices, recorded, records   into how many slices the frames are split, the first day, how many records there were
    """

    company: Company
    since: Day | None
    evident: Evident
    references: str
    definitions: str
    as_of: Millis
    slices: int = 1
    recorded: Day | None = None
    records: int = 0


def evident(options: Options) -> Evident:
    """Records are listed beside the values that the CRM shows."""
    return Evident(options.track, options.write_grains)


def score(
    cache: Cache,
    company: Company,
    as_of: Millis,
    since: Day | None,
    listed: Evident = NOTHING_EVIDENT,
    *,
    full: bool = False,
    on: Spark | None = None,
) -> Scored:
    """Compute every value from the cache and keep what they are made of; everything at once is computed `on` Spark,
    where there is one."""
    _compute(cache, company, as_of, since, listed, full=full, on=on)
    return _counted(cache)


def computed(cache: Cache, grains: Collection[str] | None = None) -> Computed:
    """What was computed last (of these grains), for the company as it was then. Raises `NothingComputed`."""
    found = cache.made_of()
    if found is None:
        raise NothingComputed(
            "KPI-RUN-003", f"Nothing has been computed for {cache.connection} yet.", "Run `kpisync compute` first."
        )
    frames = {name: _in_order(frame) for name, frame in cache.kept(COMPUTED, grains).items()}
    made_of = msgspec.json.decode(found, type=_MadeOf)
    known, warnings = with_known_people(made_of.company, reps_of(cache).values())
    scored = frames.pop(SCORES).sort("lead")
    return Computed(parts=frames, scores=scored, company=known, as_of=made_of.as_of, warnings=warnings)


def _in_order(frame: pl.DataFrame) -> pl.DataFrame:
    """Rows in the engine's order, whatever slices they come from."""
    return frame.sort(*IN_ORDER, nulls_last=False) if set(IN_ORDER) <= set(frame.columns) else frame


def computed_as_of(
    cache: Cache,
    company: Company,
    as_of: Millis,
    since: Day | None,
    listed: Evident = NOTHING_EVIDENT,
    *,
    on: Spark | None = None,
) -> Computed:
    """What was computed for this moment from these records and settings, computed now if it was not.

    Of what was computed only the grains with evidence are read, and the month that people show.
    """
    if cache.made_of() != _made_of(cache, company, as_of, since, listed):
        _compute(cache, company, as_of, since, listed, on=on)
    return computed(cache, {*listed.grains, "month"})


def _compute(
    cache: Cache,
    company: Company,
    as_of: Millis,
    since: Day | None,
    listed: Evident,
    *,
    full: bool = False,
    on: Spark | None = None,
) -> None:
    """Compute what changed; everything where that costs no more, where what is kept stands on another footing, or where
    it is asked for."""
    state, made_of = cache.state(), _made_of(cache, company, as_of, since, listed)
    known, _ = with_known_people(company, reps_of(cache).values())
    footing = _Footing(known, since, listed, cache.digest(REFERENCES), _definitions(), as_of)
    kept = None if full else _kept_footing(cache, footing)
    changes = None if kept is None else _increment(cache, kept, as_of)
    if kept is None or changes is None:
        records = cache.size()
        beside = cache.tables(REFERENCES)
        with nullcontext(map) if on is None else workers(on) as at_work:
            with _batches(cache, records, on) as batches:
                asked, everything = whole(batches, beside, known, as_of, since, listed, at_work)
            stands = msgspec.structs.replace(footing, slices=asked.slices, recorded=asked.recorded, records=records)
            cache.keep(everything, made_of, _text(stands), state=state)
    else:
        cache.keep(changes, made_of, _text(msgspec.structs.replace(kept, as_of=as_of)), state=state, anew=False)


@contextmanager
def _batches(cache: Cache, records: int, on: Spark | None) -> Iterator[Iterable[Tables]]:
    """The records, at once if they are few; in a batch for each task where there are many who work."""
    if on is None and records <= AT_ONCE:
        yield [cache.tables([kind for kind in SCHEMAS if kind not in REFERENCES])]
        return
    with cache.in_batches(None if on is None else on.records_a_task) as batches:
        yield batches


def _definitions() -> str:
    """What the KPIs are made of, and by which version of the engine."""
    return hashlib.blake2b(f"{version('kpisync')} {every_kpi()!r}".encode(), digest_size=16).hexdigest()


def _kept_footing(cache: Cache, wanted: _Footing) -> _Footing | None:
    """The footing of what is kept, if it is the one wanted: nothing has moved but records and the clock."""
    text = cache.footing()
    kept = None if text is None else msgspec.json.decode(text, type=_Footing)
    if kept is None or kept.as_of > wanted.as_of:
        return None
    like = msgspec.structs.replace(
        wanted, as_of=kept.as_of, slices=kept.slices, recorded=kept.recorded, records=kept.records
    )
    return kept if _text(like) == text else None


def _increment(cache: Cache, kept: _Footing, as_of: Millis) -> Iterator[Work] | None:
    """The slices that what changed makes others; None if everything is to be computed."""
    waiting = come(cache.read(WAITING), as_of)
    around = cache.around_changes(
        waiting.select("kind", "id").iter_rows(), beside=REFERENCES, most=int(kept.records * FULL_FROM)
    )
    if around is None:
        return None
    asked = Asked(kept.company, kept.since, kept.evident, kept.slices, kept.recorded)
    return increment(cache, *around, asked, kept.as_of, as_of)


def _text(stated: msgspec.Struct) -> str:
    return msgspec.json.encode(stated, order="deterministic").decode()


def _made_of(cache: Cache, company: Company, as_of: Millis, since: Day | None, listed: Evident) -> str:
    return _text(_MadeOf(as_of, cache.state(), since, company, listed))


def _counted(cache: Cache) -> Scored:
    """How many values the parts make: every KPI on undivided rows, some by channel, some in three bands."""
    kpis = every_kpi()
    by_channel = sum(Dimension.CHANNEL in kpi.dimensions for kpi in kpis)
    by_band = sum(Dimension.BAND in kpi.dimensions for kpi in kpis)
    found = periods = 0
    for grain in GRAINS:
        of_reps, of_groups = cache.read(SUMS + grain + GROUPS, [0]), cache.read(COUNTS + grain)
        undivided = of_reps.filter(pl.col("dimension").is_null())
        channels = of_reps.filter(pl.col("dimension").str.starts_with("channel="))
        found += (len(kpis) + 3 * by_band) * (int(undivided[ROWS].sum()) + int(of_groups["undivided"].sum()))
        found += by_channel * (int(channels[ROWS].sum()) + int(of_groups["channels"].sum()))
        periods += undivided["period_start"].n_unique()
    return Scored(found, periods)


def reps_of(cache: Cache) -> Mapping[str, Rep]:
    """Everyone in the CRM, by id."""
    rows = cache.tables(["rep"])["rep"].collect().iter_rows(named=True)
    return {row["id"]: Rep(**row) for row in rows}
