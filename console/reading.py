"""Computed values as rows for people and programs. Reads the cache alone; no CRM is asked."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from config.errors import SettingsError
from console.i18n import Speaker
from kpi_engine.catalog import BY_KEY
from kpi_engine.periods import GRAINS
from kpi_engine.records import EVERYONE, UNASSIGNED, Rep
from kpi_engine.values import values
from sync.cache import Cache
from sync.scoring import Computed, computed, reps_of

LISTED = (
    "connection",
    "rep",
    "rep_email",
    "kpi",
    "grain",
    "period_start",
    "dimension",
    "value",
    "numerator",
    "denominator",
    "n",
    "reason",
    "target",
    "attainment",
    "as_of",
    "missing",
    "expected",
    "pace",
    "state",
    "previous",
    "change",
    "marks",
    "interval",
)
"""The keys of one exported value, in order."""

TYPED: dict[str, pl.DataType] = {
    **{key: pl.Utf8() for key in LISTED},
    **dict.fromkeys(("value", "numerator", "denominator", "target", "attainment"), pl.Float64()),
    **dict.fromkeys(("expected", "pace", "previous", "change", "interval_low", "interval_high"), pl.Float64()),
    "period_start": pl.Date(),
    "n": pl.Int64(),
    "marks": pl.List(pl.Utf8()),
    "as_of": pl.Datetime("ms", "UTC"),
}
"""The columns of the same as a frame, and their types whatever was asked for; an interval is two columns there."""


@dataclass(frozen=True)
class Wanted:
    """Which values are asked for; None: all of them."""

    kpi: str | None = None
    rep: str | None = None
    grain: str | None = None
    period: date | None = None
    dimension: str | None = None


@dataclass(frozen=True)
class Reader:
    """The values of one connection, as they were computed last."""

    connection: str
    known: Computed
    reps: Mapping[str, Rep]

    @classmethod
    def of(cls, connection: str, cache: Cache) -> "Reader":
        """Raises `NothingComputed`."""
        return cls(connection, computed(cache), reps_of(cache))

    def frames(self, wanted: Wanted) -> Iterator[pl.DataFrame]:
        """The values, a grain at a time: a long history by day need not fit into memory with all the others."""
        kpis = None if wanted.kpi is None else [checked_kpi(wanted.kpi)]
        rep = None if wanted.rep is None else self.rep_key(wanted.rep)
        for grain in GRAINS if wanted.grain is None else (wanted.grain,):
            yield values(
                self.known.parts,
                self.known.company,
                self.known.as_of,
                kpis=kpis,
                grain=grain,
                rep=rep,
                period=wanted.period,
                dimension=wanted.dimension,
            )

    def rows(self, wanted: Wanted) -> Iterator[dict[str, Any]]:
        """One document a value, as `kpisync values --format jsonl` gives them."""
        for frame in self.frames(wanted):
            for row in frame.iter_rows(named=True):
                yield self._document(row)

    def table(self, wanted: Wanted) -> pl.DataFrame:
        """The same as one frame with a type a column, for Parquet and for whoever takes Arrow."""
        told = pl.concat(list(self.frames(wanted)))
        emails = {key: rep.email for key, rep in self.reps.items()}
        named = told.with_columns(
            pl.lit(self.connection).alias("connection"),
            pl.col("rep").replace_strict(emails, default=None, return_dtype=pl.Utf8).alias("rep_email"),
            pl.lit(datetime.fromtimestamp(self.known.as_of / 1000, UTC)).alias("as_of"),
        )
        return named.select(pl.col(name).cast(kind) for name, kind in TYPED.items() if name != "interval")

    def rep_key(self, said: str) -> str:
        """The key of a rep by id, e-mail or name; `team:` before it means the team. Raises `SettingsError`."""
        prefix, name = ("team:", said.removeprefix("team:")) if said.startswith("team:") else ("", said)
        if name in (EVERYONE, UNASSIGNED) or name in self.reps:
            return prefix + name
        wanted = name.casefold()
        found = [rep.id for rep in self.reps.values() if wanted in ((rep.email or "").casefold(), rep.name.casefold())]
        if len(found) == 1:
            return prefix + found[0]
        what = "Nobody" if not found else "More than one person"
        raise SettingsError([f"{what} in {self.connection} is called {name!r}; give the e-mail or the CRM's id."])

    def name_of(self, key: str, say: Speaker) -> str:
        """What people call a rep key."""
        rep = self.reps.get(key.removeprefix("team:"))
        if rep is None:
            return say.word(key)
        return say("Team of {name}", name=rep.name) if key.startswith("team:") else rep.name

    @property
    def as_of(self) -> str:
        return datetime.fromtimestamp(self.known.as_of / 1000, UTC).isoformat()

    def _document(self, row: Mapping[str, Any]) -> dict[str, Any]:
        rep = self.reps.get(row["rep"])
        places_of_counts = BY_KEY[row["kpi"]].unit.value == "count" and BY_KEY[row["kpi"]].denominator is None
        told = {
            **row,
            "connection": self.connection,
            "rep_email": rep.email if rep else None,
            "period_start": row["period_start"].isoformat(),
            "dimension": _dimension(row["dimension"]),
            "value": _whole(row["value"]) if places_of_counts else row["value"],
            "as_of": self.as_of,
            "interval": None if row["interval_low"] is None else [row["interval_low"], row["interval_high"]],
        }
        return {key: told[key] for key in LISTED}


def today_of(reader: Reader) -> date:
    """The day of the last computation, where the company works."""
    zone = ZoneInfo(reader.known.company.time_zone)
    return datetime.fromtimestamp(reader.known.as_of / 1000, zone).date()


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def _dimension(said: str | None) -> dict[str, str] | None:
    if said is None:
        return None
    name, _, value = said.partition("=")
    return {name: value}


def checked_kpi(key: str) -> str:
    """A KPI's key. Raises `SettingsError` with the nearest one."""
    if key not in BY_KEY:
        raise SettingsError([f"There is no KPI {key!r}{_nearest(key, list(BY_KEY))}; `kpisync kpis` lists them."])
    return key


def _nearest(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f" (did you mean {near[0]}?)" if near else ""
