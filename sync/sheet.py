"""The KPI records that the CRM should show, as one frame: a row a record, with its key and a signature of all it says.

A record whose signature is the one under which it was last found right needs no second look, so that a plan costs what
has changed and not what is there.
"""

import hashlib
from collections.abc import Mapping, Sequence

import msgspec
import polars as pl

from kpi_engine.catalog import BY_KEY
from kpi_engine.compute import EVIDENCE
from kpi_engine.periods import GRAINS
from kpi_engine.records import Company, Rep
from sync.plan import PLACES

NUMBERS = ("value", "numerator", "denominator", "n", "target", "attainment", "previous", "change")
COLUMNS = ("rep", "kpi", "grain", "period_start", "dimension", *NUMBERS, "reason", "state")
"""What is taken from the values."""

WHOSE = ("person", "whose_name", "is_team")
"""Whose record it is: the person's id in the CRM, and the name by which people know the person or the team."""

MORE = ("trend", "kind", "ids", "total")
"""What stands beside a value: its past, and the records behind it."""

KEY = ("rep", "kpi", "grain", "period_start", "dimension")

TREND_PERIODS = 12
TREND_LENGTH = 255
"""What the CRM's text field holds."""

EDITION = 1
"""Of how a record is worded. Another one makes every record be looked at again."""

Evidence = Mapping[str, pl.DataFrame]
"""Frames of `kpi_engine.evidence` by grain."""


def evidence_in(parts: Mapping[str, pl.DataFrame]) -> Evidence:
    """The lists of records among what the engine computed."""
    return {grain: parts[grain + EVIDENCE] for grain in GRAINS if grain + EVIDENCE in parts}


def kpi_sheet(
    values: pl.DataFrame,
    company: Company,
    reps: Mapping[str, Rep],
    shown: pl.DataFrame,
    evidence: Evidence | None = None,
) -> pl.DataFrame:
    """`COLUMNS`, `WHOSE`, `MORE`, `key` and `signature` of every value that gets a record: those of people of the CRM,
    without channels and bands that have no value and never had a record (`shown` has the keys of those that do)."""
    rows = values.select(COLUMNS).with_row_index("row")
    rows = rows.join(_people(values["rep"].unique().to_list(), reps), on="rep")
    first = pl.col("period_start").dt.to_string("%Y-%m-%d")
    split = pl.when(pl.col("dimension").is_null()).then(pl.lit("")).otherwise(pl.concat_str(pl.lit(":"), "dimension"))
    whole = pl.concat_str(pl.lit(company.connection), "kpi", "rep", "grain", first, separator=":")
    keyed = _worth_a_record(_with_trend(rows).with_columns(key=pl.concat_str(whole, split)), shown)
    listed = _with_evidence(keyed, evidence or {}).sort("row")
    return listed.with_columns(signature=signature(listed.columns, _wording(company)))


def person_sheet(month: pl.DataFrame, people: pl.DataFrame, kpis: Sequence[str]) -> pl.DataFrame:
    """(rep, key, signature) of what people show: the values of the month that it is for each of `people` (rep, key,
    period_start)."""
    told = month.select("rep", "period_start", text=pl.concat_str("kpi", _as_text("value"), separator="="))
    there = people.join(told, on=["rep", "period_start"], how="left").sort("rep", "text")
    lines = there.group_by("rep", "key", "period_start", maintain_order=True).agg(pl.col("text").str.join(","))
    salt = msgspec.json.encode((EDITION, kpis)).decode()
    return lines.select("rep", "key", signature=signature(lines.columns, salt))


def lead_sheet(scores: pl.DataFrame) -> pl.DataFrame:
    """(key, score, level, signature) of the open leads."""
    found = scores.select(pl.col("lead").alias("key"), "score", "level")
    return found.with_columns(signature=signature(found.columns, str(EDITION)))


def signature(columns: list[str], salt: str) -> pl.Expr:
    """A number that is another one whenever any of the columns is, or the salt. Its columns must say which record it is
    of: then a signature alone tells that a record is right."""
    short = hashlib.blake2b(salt.encode(), digest_size=8).hexdigest()
    told = [_as_text(name) for name in columns if name != "row"]
    return pl.concat_str(pl.lit(short), *told, separator="\x1f").hash(seed=0).reinterpret(signed=True)


def _worth_a_record(rows: pl.DataFrame, shown: pl.DataFrame) -> pl.DataFrame:
    empty = pl.col("dimension").is_not_null() & pl.col("value").is_null()
    blanks = rows.filter(empty)
    if blanks.is_empty():
        return rows
    return pl.concat([rows.filter(~empty), blanks.join(shown.select("key"), on="key", how="semi")])


def in_doubt(sheet: pl.DataFrame, shown: pl.DataFrame) -> pl.DataFrame:
    """The rows that were not found right as they are; `shown` has the signatures of those that were."""
    return sheet.join(shown.select("signature"), on="signature", how="anti", maintain_order="left")


def not_among(shown: pl.DataFrame, signatures: pl.Series, keys: Sequence[str]) -> list[str]:
    """The keys of `shown` records that are neither found right under one of these signatures nor among these keys."""
    right = pl.DataFrame({"signature": signatures})
    others = shown.join(right, on="signature", how="anti")
    return others.join(pl.DataFrame({"key": keys}, schema={"key": pl.Utf8}), on="key", how="anti")["key"].to_list()


def _as_text(name: str) -> pl.Expr:
    column = pl.col(name).list.join(",") if name == "ids" else pl.col(name).cast(pl.Utf8)
    return column.fill_null("\x00")


def _wording(company: Company) -> str:
    """What else a record's texts depend on."""
    told = [(kpi.label.en, kpi.family.name.en, kpi.unit, kpi.direction) for kpi in BY_KEY.values()]
    return msgspec.json.encode((EDITION, company.fiscal_year_start, told)).decode()


def _people(keys: list[str], reps: Mapping[str, Rep]) -> pl.DataFrame:
    found = []
    for key in keys:
        person = key.removeprefix("team:")
        rep = reps.get(person)
        if rep is not None and rep.known and not rep.deleted:
            is_team = person != key
            found.append((key, person, f"Team {rep.name}" if is_team else rep.name, is_team))
    schema = {"rep": pl.Utf8, "person": pl.Utf8, "whose_name": pl.Utf8, "is_team": pl.Boolean}
    return pl.DataFrame(found, schema=schema, orient="row")


def _with_trend(rows: pl.DataFrame) -> pl.DataFrame:
    """This value and those of up to eleven periods before it, the oldest first; a blank where there is none."""
    line = ("rep", "kpi", "grain", "dimension")
    near = pl.when(pl.col("value") == 0).then(0.0).otherwise(pl.col("value").round(PLACES))
    ordered = rows.sort(*line, "period_start").with_columns(
        _before=pl.int_range(pl.len()).over(line), _text=near.cast(pl.Utf8).str.strip_suffix(".0").fill_null("")
    )
    whole = pl.concat_str(*map(_earlier, range(TREND_PERIODS - 1, 0, -1)), "_text")
    tail = whole.str.slice(-TREND_LENGTH).str.replace(r"^[^,]*,", "")
    fitting = pl.when(whole.str.len_chars() > TREND_LENGTH).then(tail).otherwise(whole)
    return ordered.with_columns(trend=fitting).drop("_before", "_text")


def _earlier(steps: int) -> pl.Expr:
    """The value so many periods before, and a comma; nothing where the line had not begun."""
    text = pl.concat_str(pl.col("_text").shift(steps), pl.lit(","))
    return pl.when(pl.col("_before") >= steps).then(text).otherwise(pl.lit(""))


def _with_evidence(rows: pl.DataFrame, evidence: Evidence) -> pl.DataFrame:
    if not evidence:
        return rows.with_columns(
            kind=pl.lit(None, dtype=pl.Utf8),
            ids=pl.lit(None, dtype=pl.List(pl.Utf8)),
            total=pl.lit(None, dtype=pl.Int64),
        )
    lists = pl.concat([frame.drop("days").with_columns(grain=pl.lit(grain)) for grain, frame in evidence.items()])
    return rows.join(lists, on=list(KEY), how="left", nulls_equal=True)
