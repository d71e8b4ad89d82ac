"""Records in, days out: what the records of each rep's days add to each part.

Everything here adds up: the days of two sets of records that have nothing to do with each other
(`kpi_engine.circles`) are the days of both, and what was added can be taken away again, to the last digit. Periods,
teams, bands and medians are concluded from the days (`kpi_engine.compute`), whoever worked them out, and when.

`days`      (rep, day): the parts of populations that know neither size nor snapshot; `records` says that there are any
`channels`  (rep, day, channel): those of new leads
`open`      (rep, day): the snapshot of each day
`revenue` … (rep, day, whole_amount): the parts of populations whose records have a deal size; `revenue_assuming`, with
            `if_band`: those that depend on the band, for each one that the size might turn out to be
`spread`    (rep, day, part, whole_amount, worth): the amounts of which a median will be taken
`won`       (day, whole_amount): the deals from which the limits of the bands will follow
`listed`    the records behind values, `listed_open`: those of snapshots
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec
import narwhals.stable.v2 as nw
import polars as pl
from narwhals.exceptions import ColumnNotFoundError

from kpi_engine.catalog import BY_KEY
from kpi_engine.declaring import Part
from kpi_engine.frames import Tables
from kpi_engine.periods import period_end, starts_between
from kpi_engine.populations import NAMES, Frame, Populations, collected, portable
from kpi_engine.populations.bands import BANDS, won_amounts
from kpi_engine.populations.money import MONEY
from kpi_engine.records import Company, Day, Millis
from kpi_engine.rolling import PARTS_OF, contributions, summed

Daily = dict[str, pl.DataFrame]

SIZED = ("closed_deals", "deal_touches", "revenue")
ASSUMING = "_assuming"
NO_BAND = "none"

ALWAYS = Day(-(10**6))
"""The first day where none is set."""

KEYS: dict[str, tuple[str, ...]] = {
    "days": ("rep", "day"),
    "channels": ("rep", "day", "channel"),
    "open": ("rep", "day"),
    **{name: ("rep", "day", "whole_amount") for name in SIZED},
    **{name + ASSUMING: ("rep", "day", "whole_amount", "if_band") for name in SIZED},
    "spread": ("rep", "day", "part", "whole_amount", "worth"),
    "won": ("day", "whole_amount"),
    "listed": ("rep", "day", "kpi", "kind", "id", "channel", "whole_amount", "if_band"),
    "listed_open": ("rep", "grain", "period_start", "day", "kpi", "kind", "id"),
}
"""What a row of each frame is of; its other columns add up, and a row whose `records` are none is none."""


_KINDS: dict[str, pl.DataType] = {
    **dict.fromkeys(("day", "period_start"), pl.Int32()),
    **dict.fromkeys(("whole_amount", "worth"), MONEY),
}


def _nothing(name: str) -> pl.DataFrame:
    """A frame without rows, of keys and `records` alone."""
    keys = {key: _KINDS.get(key, pl.Utf8()) for key in KEYS[name]}
    return pl.DataFrame(schema=keys | {"records": pl.Int64()})


class Evident(msgspec.Struct, frozen=True):
    """For which KPIs, in which grains, the records behind each value are listed."""

    kpis: tuple[str, ...] = ()
    grains: tuple[str, ...] = ()


NOTHING_EVIDENT = Evident()


def daily(
    tables: Tables, company: Company, as_of: Millis, *, since: Day | None = None, evident: Evident = NOTHING_EVIDENT
) -> Daily:
    """The days of the tables' records, of all but the campaigns: those are told by `campaign_days`, once."""
    return daily_of(Populations(tables, company, as_of), since=since, evident=evident)


def daily_of(found: Populations, *, since: Day | None = None, evident: Evident = NOTHING_EVIDENT) -> Daily:
    """The same of populations that others look at too."""
    found.since = ALWAYS if since is None else since
    apart = ("campaigns", "campaign_returns", "open_leads")
    rows: dict[str, Frame] = {name: found[name] for name in NAMES if name not in apart}
    rows["campaign_returns"] = found.campaign_gains
    undated = found.closed_deals.filter(nw.col("won"), ~nw.col("valued"))
    single = {name: frame for name, frame in rows.items() if name not in SIZED}
    present = [frame.select("rep", "day") for name, frame in rows.items() if name in SIZED] + [found.seen]
    days = [
        *(_summed(frame, _adding(name), KEYS["days"]) for name, frame in single.items()),
        *(_present(frame) for frame in present),
        _present(undated).rename({"records": "deals_without_amount"}),
    ]
    open_leads = found.open_leads_in_portions
    return {
        "days": _together(days, "days"),
        "channels": _summed(rows["leads_created"], _adding("leads_created"), KEYS["channels"]),
        "open": _together([_summed(some, _adding("open_leads"), KEYS["open"]) for some in open_leads], "open"),
        **{frame: days for name in SIZED for frame, days in _sized(rows[name], name).items()},
        "spread": _spread(rows),
        "won": won_amounts(found.won_deals),
        "listed": _listed(rows, evident),
        "listed_open": _listed_open(found, evident),
    }


def campaign_days(tables: Tables, company: Company, as_of: Millis, evident: Evident = NOTHING_EVIDENT) -> Daily:
    """The days of the campaigns themselves: their costs. Only people, rates and campaigns are looked at."""
    return campaign_days_of(Populations(tables, company, as_of), evident)


def campaign_days_of(found: Populations, evident: Evident) -> Daily:
    """The same of populations that others look at too."""
    rows = {"campaigns": found.campaigns, "campaign_returns": found.campaign_costs}
    uncosted = found.every_campaign.filter(nw.col("rule") == "it has no cost")
    without = _present(uncosted).with_columns(campaigns_uncosted="records")
    days = [*(_summed(frame, _adding(name), KEYS["days"]) for name, frame in rows.items()), without]
    return {"days": _together(days, "days"), "spread": _spread(rows), "listed": _listed(rows, evident)}


def added(several: Iterable[Daily]) -> Daily:
    """The days of all of them."""
    every = list(several)
    names = dict.fromkeys(name for each in every for name in each)
    return {name: _together([each[name] for each in every if name in each], name) for name in names}


def taken_away(several: Daily) -> Daily:
    """The days that, added to others, take these away."""
    return {
        name: frame.with_columns(-pl.col(column) for column in frame.columns if column not in KEYS[name])
        for name, frame in several.items()
    }


def difference(less: Daily, plus: Daily) -> Daily:
    """What is to be added to days in which `less` is contained, so that they contain `plus` in its place."""
    found = {}
    for name, frame in taken_away(less).items():
        both = pl.concat([frame, plus[name]], how="diagonal")
        told = [column for column in both.columns if column not in KEYS[name]]
        sums = both.group_by(KEYS[name]).agg(pl.col(told).sum())
        found[name] = sums.filter(pl.any_horizontal(pl.col(told) != 0))
    return found


def _together(frames: Sequence[pl.DataFrame], name: str) -> pl.DataFrame:
    """Added up by the frame's keys, without the rows of which nothing is left."""
    keys = KEYS[name]
    every = pl.concat(frames, how="diagonal")
    sums = every.group_by(keys).agg(pl.col(column).sum() for column in every.columns if column not in keys)
    return sums.filter(pl.col("records") != 0)


def _adding(name: str) -> tuple[Part, ...]:
    return tuple(part for part in PARTS_OF.get(name, ()) if part.how == "sum")


def _summed(rows: Frame, parts: tuple[Part, ...], keys: tuple[str, ...]) -> pl.DataFrame:
    """The parts by `keys`, and how many `records` there are."""
    adding = contributions(rows.filter(~nw.col("day").is_null()), (*parts, _RECORDS), keys)
    return summed(adding, (*parts, _RECORDS), keys)


_RECORDS = Part("records", of="")


def _present(rows: Frame) -> pl.DataFrame:
    return _summed(rows, (), KEYS["days"])


def _reads(column: str, part: Part, rows: Frame) -> bool:
    """Whether a part depends on a column: there is no looking into an expression, but it misses what it needs."""
    try:
        collected(rows.head(0).drop(column, strict=False).select(part.contribution().alias("worth")))
    except ColumnNotFoundError:
        return True
    return False


def _reads_band(part: Part, rows: Frame) -> bool:
    """Populations have no band yet."""
    return _reads("band", part, rows)


def reads_today(found: Populations) -> bool:
    """Whether any part asks what day it is, as a company's own may: another day is another number of every record."""
    of_records = {name: parts for name, parts in PARTS_OF.items() if name in NAMES and name != "open_leads"}
    return any(
        _reads("today", part, found[name].with_columns(band=nw.lit(None, dtype=nw.String)))
        for name, parts in of_records.items()
        for part in parts
        if part.how in ("sum", "median")
    )


def _sized(rows: Frame, name: str) -> dict[str, pl.DataFrame]:
    """The parts that do not depend on the band, and those that do, for every band there could be."""
    parts = _adding(name)
    banded = tuple(part for part in parts if _reads_band(part, rows))
    plain = tuple(part for part in parts if part not in banded)
    assuming = _summed(_in_every_band(rows), banded, KEYS[name + ASSUMING]) if banded else pl.DataFrame()
    return {name: _summed(rows, plain, KEYS[name]), **({name + ASSUMING: assuming} if banded else {})}


_TWICE = {"band": pl.Utf8, "if_band": pl.Utf8}


def _in_every_band(rows: Frame) -> Frame:
    bands = pl.DataFrame(
        {"band": [*BANDS, None], "if_band": [*BANDS, NO_BAND]}, schema={"band": pl.Utf8, "if_band": pl.Utf8}
    )
    return rows.join(portable(bands), how="cross")


# ── what does not add up by itself ───────────────────────────────────────────────────────────────────────────────────


def _spread(rows: Mapping[str, Frame]) -> pl.DataFrame:
    """How often each amount occurs of which a median is taken."""
    found = [_amounts(rows[name], part) for name in rows for part in PARTS_OF.get(name, ()) if part.how == "median"]
    return _together([_nothing("spread"), *found], "spread")


def _amounts(rows: Frame, part: Part) -> pl.DataFrame:
    size = nw.col("whole_amount") if "whole_amount" in rows.collect_schema().names() else nw.lit(None)
    worth = collected(rows.select("rep", "day", whole_amount=size, worth=part.contribution()))
    counted = worth.filter(pl.col("worth").is_not_null(), pl.col("day").is_not_null())
    typed = counted.with_columns(pl.col("whole_amount", "worth").cast(MONEY), part=pl.lit(part.name))
    return typed.group_by(KEYS["spread"]).agg(pl.len().cast(pl.Int64).alias("records"))


# ── the records behind values ────────────────────────────────────────────────────────────────────────────────────────


def _listed(rows: Mapping[str, Frame], evident: Evident) -> pl.DataFrame:
    """Each record that a numerator counts, with what decides in which row of a dimension it stands."""
    parts = {key: BY_KEY[key].numerator for key in evident.kpis}
    of_days = {key: part for key, part in parts.items() if part.of in rows and part.of != "open_leads"}
    found = [_records(rows[part.of], key, part) for key, part in of_days.items()]
    return pl.concat([_nothing("listed"), *found])


def _records(rows: Frame, key: str, part: Part) -> pl.DataFrame:
    band = nw.lit(None)
    if _reads_band(part, rows):
        rows, band = _in_every_band(rows), nw.col("if_band")
    there = rows.collect_schema().names()
    counted = rows if part.where is None else rows.filter(~part.contribution().is_null())
    told = counted.select(
        "rep",
        "day",
        "kind",
        "id",
        channel=nw.col("channel") if "channel" in there else nw.lit(None),
        whole_amount=nw.col("whole_amount") if "whole_amount" in there else nw.lit(None),
        if_band=band,
    )
    typed = (
        collected(told)
        .filter(pl.col("day").is_not_null())
        .with_columns(pl.col("channel", "if_band").cast(pl.Utf8), pl.col("whole_amount").cast(MONEY), kpi=pl.lit(key))
    )
    return typed.group_by(KEYS["listed"]).agg(pl.len().cast(pl.Int64).alias("records"))


def _listed_open(found: Populations, evident: Evident) -> pl.DataFrame:
    return listed_open(found.open_leads_then, lambda grain: _evaluated(found, grain), evident)


def open_days(rows: Frame) -> pl.DataFrame:
    """What open leads add to the snapshots of days."""
    return _together([_summed(rows, _adding("open_leads"), KEYS["open"])], "open")


def listed_open(
    then_open: Callable[[pl.DataFrame], Frame], evaluated: Callable[[str], pl.DataFrame], evident: Evident
) -> pl.DataFrame:
    """The open leads that count when a period is evaluated, by grain: a snapshot is taken at the period's end."""
    keys = [key for key in evident.kpis if BY_KEY[key].numerator.of == "open_leads"]
    schema = {
        **dict.fromkeys(("rep", "grain", "kpi", "kind", "id"), pl.Utf8()),
        "period_start": pl.Int32(),
        "day": pl.Int32(),
    }
    empty = pl.DataFrame(schema={name: schema[name] for name in KEYS["listed_open"]} | {"records": pl.Int64()})
    rows = [empty]
    for grain in evident.grains if keys else ():
        then = then_open(evaluated(grain))
        for key in keys:
            part = BY_KEY[key].numerator
            counted = then if part.where is None else then.filter(~part.contribution().is_null())
            told = collected(counted.select("rep", "period_start", "day", "kind", "id"))
            one = pl.lit(1, dtype=pl.Int64)
            rows.append(told.select(*_typed(told, grain, key), one.alias("records")).select(empty.columns))
    return pl.concat(rows)


def _typed(told: pl.DataFrame, grain: str, key: str) -> list[pl.Expr]:
    return [*map(pl.col, told.columns), pl.lit(grain).alias("grain"), pl.lit(key).alias("kpi")]


def _evaluated(found: Populations, grain: str) -> pl.DataFrame:
    """(rep, period_start, evaluated) of every period in which one of these leads is open."""
    year = found.company.fiscal_year_start
    first = found.open_spans["first"].min()
    rows = [
        (rep, start, min(period_end(start, grain, year), today))
        for rep, today in found.reps.select("rep", "today").iter_rows()
        if first is not None
        for start in starts_between(max(int(str(first)), found.since), today, grain, year)
    ]
    schema = {"rep": pl.Utf8, "period_start": pl.Int32, "evaluated": pl.Int32}
    return pl.DataFrame(rows, schema=schema, orient="row")
