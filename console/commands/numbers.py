"""The numbers: kpis, values, explain, leads."""

import csv
import json
import sys
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import IO, Annotated, Any

import typer
from rich.table import Table

from config.errors import SettingsError
from console.commands.everyday import ConnectionName
from console.formats import shown, shown_share
from console.i18n import Language
from console.reading import Reader, Wanted, checked_kpi, today_of
from console.session import Session
from console.timing import day_in_period
from console.workspace import Workspace
from kpi_engine.catalog import BY_KEY, Kpi, every_kpi
from kpi_engine.explain import Explanation, explain
from kpi_engine.records import UNASSIGNED

SHOWN_IN_TABLE = 200
"""Rows of a table on a terminal; the other formats hold them all."""


class Grain(StrEnum):
    """Kinds of periods."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class ValuesFormat(StrEnum):
    """How values are given."""

    TABLE = "table"
    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"
    ARROW = "arrow"


class LeadsFormat(StrEnum):
    """How leads are given."""

    TABLE = "table"
    JSONL = "jsonl"
    CSV = "csv"


class Level(StrEnum):
    """How engaged a lead is."""

    ENGAGED = "engaged"
    WARMING = "warming"
    DISENGAGED = "disengaged"


class Split(StrEnum):
    """What a value may be split by."""

    CHANNEL = "channel"
    BAND = "band"


RepOption = Annotated[str | None, typer.Option("--rep", metavar="R", help="E-mail, name or CRM id; team:…, all.")]
GrainOption = Annotated[Grain | None, typer.Option("--grain", help="Only this kind of period.")]
PeriodOption = Annotated[
    str | None, typer.Option("--period", metavar="P", help="2026-11-25, 2026-W48, 2026-11, 2026-Q4 or 2026.")
]
Out = Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write it to a file.")]


def kpis_command(context: typer.Context) -> None:
    """The catalogue: every KPI and what it means."""
    session: Session = context.obj
    language = session.say.language
    table = Table()
    for column in ("key", "label", "unit", "better", "definition"):
        table.add_column(session.say(column), overflow="fold", no_wrap=column == "key")
    for kpi in every_kpi():
        star = " ★" if kpi.headline else ""
        better = session.say.word(kpi.direction.value)
        table.add_row(
            kpi.key + star,
            kpi.label.said(language),
            session.say.word(kpi.unit.value),
            better,
            kpi.sentence.said(language),
        )
    session.result([_about(kpi, language) for kpi in every_kpi()], table)


def _about(kpi: Kpi, language: str) -> dict[str, Any]:
    return {
        "key": kpi.key,
        "label": kpi.label.said(language),
        "unit": kpi.unit.value,
        "direction": kpi.direction.value,
        "family": kpi.family.number,
        "family_name": kpi.family.name.said(language),
        "definition": kpi.sentence.said(language),
        "headline": kpi.headline,
        "dimensions": [dimension.value for dimension in kpi.dimensions],
    }


def values_command(
    context: typer.Context,
    kpi: Annotated[str | None, typer.Option("--kpi", metavar="K", help="Only this KPI.")] = None,
    rep: RepOption = None,
    grain: GrainOption = None,
    period: PeriodOption = None,
    dimension: Annotated[Split | None, typer.Option("--dimension", help="Only values split by this.")] = None,
    form: Annotated[ValuesFormat, typer.Option("--format", help="How they are given.")] = ValuesFormat.TABLE,
    out: Out = None,
    connection: ConnectionName = None,
) -> None:
    """Computed values."""
    session: Session = context.obj
    workspace = Workspace(session.folder)
    wanted = Wanted(
        kpi=None if kpi is None else checked_kpi(kpi),
        rep=rep,
        grain=grain,
        period=_day(period),
        dimension=dimension,
    )
    readers = []
    for name in workspace.connections(connection):
        with workspace.cache(name) as cache:
            readers.append(Reader.of(name, cache))
    if session.as_json:
        session.document([row for reader in readers for row in reader.rows(wanted)], out)
    elif form is ValuesFormat.TABLE:
        _show_values(session, readers, wanted)
    elif form in (ValuesFormat.PARQUET, ValuesFormat.ARROW):
        _write_frame(session, readers, wanted, form, out)
    else:
        with _opened(out) as stream:
            _write_rows(stream, readers, wanted, form)


def _day(period: str | None) -> date | None:
    try:
        return None if period is None else day_in_period(period)
    except ValueError as error:
        raise SettingsError([f"--period: {error}."]) from None


def _show_values(session: Session, readers: list[Reader], wanted: Wanted) -> None:
    table = Table()
    for column in ("KPI", "rep", "period", "dimension", "value", "target", "attainment", "change", "note"):
        table.add_column(
            session.say(column), justify="right" if column in {"value", "target", "attainment", "change"} else "left"
        )
    left = SHOWN_IN_TABLE
    for reader in readers:
        for row in reader.rows(wanted):
            left -= 1
            if left < 0:
                session.tell(
                    "Only the first {n} values; --format jsonl, csv or parquet gives them all.", n=SHOWN_IN_TABLE
                )
                session.table(table)
                return
            table.add_row(*_cells(session, reader, row))
    session.table(table)


def _cells(session: Session, reader: Reader, row: dict[str, Any]) -> list[str]:
    kpi, language = BY_KEY[row["kpi"]], session.say.language
    word = session.say.word
    split = ", ".join(f"{word(name)} {word(value)}" for name, value in (row["dimension"] or {}).items())
    notes = [session.say.word(note) for note in ([row["reason"]] if row["reason"] else []) + (row["marks"] or [])]
    return [
        kpi.label.said(language),
        reader.name_of(row["rep"], session.say),
        f"{word(row['grain'])} {row['period_start']}",
        split,
        shown(row["value"], kpi, language),
        shown(row["target"], kpi, language) if row["target"] is not None else "",
        shown_share(row["attainment"], language) if row["attainment"] is not None else "",
        shown(row["change"], kpi, language) if row["change"] is not None else "",
        ", ".join(notes),
    ]


def _opened(out: Path | None) -> Any:
    return out.open("w", encoding="utf-8", newline="") if out else _Stdout()


class _Stdout:
    """stdout where a file is expected; it is not ours to close."""

    def __enter__(self) -> IO[str]:
        return sys.stdout

    def __exit__(self, *_: object) -> None:
        sys.stdout.flush()


def _write_rows(stream: IO[str], readers: list[Reader], wanted: Wanted, form: ValuesFormat) -> None:
    writer = None
    for reader in readers:
        for row in reader.rows(wanted):
            if form is ValuesFormat.JSONL:
                stream.write(json.dumps(row, ensure_ascii=False) + "\n")
                continue
            if writer is None:
                writer = csv.DictWriter(stream, row, lineterminator="\n")
                writer.writeheader()
            writer.writerow({key: _flat(value) for key, value in row.items()})


def _flat(value: Any) -> Any:
    """A cell of CSV: lists and splits as text."""
    if isinstance(value, dict):
        return ",".join(f"{name}={inner}" for name, inner in value.items())
    return ";".join(map(str, value)) if isinstance(value, list) else value


def _write_frame(session: Session, readers: list[Reader], wanted: Wanted, form: ValuesFormat, out: Path | None) -> None:
    """Parquet into a file; Arrow's stream into a file, or to the program that reads our stdout."""
    import polars as pl  # only here: the other formats need no frame of everything

    if out is None and (form is ValuesFormat.PARQUET or sys.stdout.isatty()):
        raise SettingsError([f"{form.value.capitalize()} is not for a terminal; name a file with --out."])
    frame = pl.concat([reader.table(wanted) for reader in readers])
    if out is None:
        frame.write_ipc_stream(sys.stdout.buffer)
        return
    if form is ValuesFormat.PARQUET:
        frame.write_parquet(out)
    else:
        frame.write_ipc_stream(out)
    session.tell("Written to {file}.", file=out)


def explain_command(
    context: typer.Context,
    kpi: Annotated[str, typer.Argument(metavar="KPI", help="The KPI's key.")],
    rep: Annotated[str, typer.Argument(metavar="REP", help="E-mail, name or CRM id; team:…, all, unassigned.")],
    grain: Annotated[Grain, typer.Option("--grain", help="The kind of period.")] = Grain.MONTH,
    period: PeriodOption = None,
    dimension: Annotated[
        str | None, typer.Option("--dimension", metavar="D", help="One channel or band: channel=Web, band=large.")
    ] = None,
    connection: ConnectionName = None,
) -> None:
    """One number: the sentence, the formula, every record counted, every record left out and why."""
    session: Session = context.obj
    workspace = Workspace(session.folder)
    checked_kpi(kpi)
    name = _one_connection(workspace, connection)
    with workspace.cache(name) as cache:
        reader = Reader.of(name, cache)
        key = reader.rep_key(rep)
        day = _day(period) or today_of(reader)
        tables = cache.tables()
    told = explain(tables, reader.known.company, reader.known.as_of, kpi, key, grain, day, dimension)
    _show_explanation(session, reader, told, key)


def _one_connection(workspace: Workspace, connection: str | None) -> str:
    names = workspace.connections(connection)
    if len(names) > 1:
        raise SettingsError([f"Say which connection with --connection: {', '.join(names)}."])
    return names[0]


def _show_explanation(session: Session, reader: Reader, told: Explanation, key: str) -> None:
    say, language, kpi = session.say, session.say.language, BY_KEY[told.kpi]
    counted = Table(title=say("Counted"), title_justify="left")
    for column in ("part", "kind", "record", "day", "adds"):
        counted.add_column(say(column), justify="right" if column == "adds" else "left")
    for one in told.counted:
        counted.add_row(say.word(one.part), say.word(one.kind), one.id, one.day.isoformat(), f"{one.contribution:f}")
    left_out = Table(title=say("Left out"), title_justify="left")
    for column in ("kind", "record", "rule"):
        left_out.add_column(say(column))
    for other in told.left_out:
        left_out.add_row(say.word(other.kind), other.id, other.why.said(language))
    reason = f" ({say.word(told.reason)}{f': {told.missing}' if told.missing else ''})" if told.reason else ""
    headline = f"{kpi.label.said(language)} · {reader.name_of(key, say)}: {shown(told.value, kpi, language)}{reason}"
    document = _as_document(reader, told, key, language)
    session.result(document, headline, document["sentence"], document["formula"], counted, left_out)


def _as_document(reader: Reader, told: Explanation, key: str, language: Language) -> dict[str, Any]:
    """The explanation for programs."""
    return {
        "connection": reader.connection,
        "rep": key,
        "kpi": told.kpi,
        "sentence": told.sentence.said(language),
        "formula": told.formula.said(language),
        "value": told.value,
        "numerator": told.numerator,
        "denominator": told.denominator,
        "n": told.n,
        "reason": told.reason,
        "missing": told.missing,
        "counted": [
            {
                "part": c.part,
                "kind": c.kind,
                "id": c.id,
                "day": c.day.isoformat(),
                "contribution": float(c.contribution),
            }
            for c in told.counted
        ],
        "left_out": [{"kind": o.kind, "id": o.id, "rule": o.why.said(language)} for o in told.left_out],
    }


def leads_command(
    context: typer.Context,
    level: Annotated[Level | None, typer.Option("--level", help="Only these.")] = None,
    form: Annotated[LeadsFormat, typer.Option("--format", help="How they are given.")] = LeadsFormat.TABLE,
    out: Out = None,
    connection: ConnectionName = None,
) -> None:
    """Engagement scores of the open leads, the most engaged first."""
    session: Session = context.obj
    workspace = Workspace(session.folder)
    rows: list[dict[str, Any]] = []
    names: dict[str, str] = {}
    for name in workspace.connections(connection):
        with workspace.cache(name) as cache:
            reader = Reader.of(name, cache)
        names |= {key: reader.name_of(key, session.say) for key in (*reader.reps, UNASSIGNED)}
        for row in reader.known.scores.sort("score", descending=True).iter_rows(named=True):
            if level is None or row["level"] == level.value:
                told = {key: row[key] for key in ("lead", "owner", "score", "level")}
                rows.append({"connection": name, **told, "as_of": reader.as_of})
    if form is LeadsFormat.TABLE or session.as_json:
        table = Table()
        for column in ("lead", "owner", "score", "level"):
            table.add_column(session.say(column), justify="right" if column == "score" else "left")
        for row in rows[:SHOWN_IN_TABLE]:
            owner = row["owner"] or UNASSIGNED
            table.add_row(row["lead"], names.get(owner, owner), f"{row['score']:.2f}", session.say.word(row["level"]))
        session.result(rows, table)
        return
    with _opened(out) as stream:
        if form is LeadsFormat.JSONL:
            stream.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        elif rows:
            writer = csv.DictWriter(stream, rows[0], lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
