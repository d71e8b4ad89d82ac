"""kpis, values, explain and leads on the demo company: what is exported is whole, and every value can be opened."""

import csv
import io
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal
from functools import reduce
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow
import pyarrow.ipc
import pyarrow.parquet
import pytest
from command_line import Office, at, pretend

from console.reading import LISTED, Reader, Wanted
from console.workspace import Workspace
from crm_sandbox.seed import demo_world
from crm_sandbox.serving import Sandbox
from kpi_engine.catalog import BY_KEY, CATALOG

NOW = at("2026-11-25T12:00")


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A workspace that has pulled and computed the small demo company."""
    with ExitStack() as stack:
        sandbox = stack.enter_context(Sandbox(pretend("hubspot", demo_world(NOW, size="small"))))
        made = Office(tmp_path_factory.mktemp("numbers"), "hubspot", sandbox)
        made.settings()
        assert made.kpisync("pull").code == 0
        assert made.kpisync("compute", "--as-of", "2026-11-25").code == 0
        yield made


@pytest.fixture(scope="module")
def months(room: Office) -> list[dict[str, Any]]:
    """Every value by month."""
    said = room.kpisync("values", "--grain", "month", "--format", "jsonl")
    assert said.code == 0, said.err
    return said.lines


def test_the_catalogue_has_every_kpi_with_its_definition(room: Office) -> None:
    told = room.kpisync("kpis", "--json").document
    assert [kpi["key"] for kpi in told] == [kpi.key for kpi in CATALOG]
    for kpi in told:
        assert {"key", "label", "unit", "direction", "family", "definition"} <= set(kpi)
        assert kpi["definition"].endswith(".")


def test_a_value_has_exactly_the_documented_keys(months: list[dict[str, Any]]) -> None:
    assert all(tuple(row) == LISTED for row in months)
    assert {row["reason"] for row in months} <= {None, "no_data", "not_available"}
    assert {tuple(row["dimension"] or ()) for row in months} == {(), ("channel",), ("band",)}


def test_every_kpi_has_a_value_for_every_month_since_the_first_record(months: list[dict[str, Any]]) -> None:
    periods = defaultdict(set)
    for row in months:
        periods[row["kpi"]].add(row["period_start"])
    every = set().union(*periods.values())
    assert len(every) >= 18
    assert all(periods[kpi.key] == every for kpi in CATALOG)


def test_a_missing_value_has_a_reason_and_a_value_has_none(months: list[dict[str, Any]]) -> None:
    assert all((row["value"] is None) == (row["reason"] is not None) for row in months)


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_csv_and_parquet_hold_what_jsonl_holds(room: Office, form: str, tmp_path: Path) -> None:
    words = ("values", "--kpi", "revenue", "--grain", "month")
    rows = room.kpisync(*words, "--format", "jsonl").lines
    expected = {(row["rep"], row["period_start"]): row["value"] for row in rows}
    if form == "csv":
        table = csv.DictReader(io.StringIO(room.kpisync(*words, "--format", "csv").out))
        found = {(row["rep"], row["period_start"]): float(row["value"]) for row in table}
    else:
        assert room.kpisync(*words, "--format", "parquet", "--out", str(tmp_path / "values.parquet")).code == 0
        frame = pl.read_parquet(tmp_path / "values.parquet")
        found = {(row["rep"], row["period_start"].isoformat()): row["value"] for row in frame.iter_rows(named=True)}
    assert found == expected


TYPES = {
    **dict.fromkeys(("connection", "rep", "rep_email", "kpi", "grain", "dimension", "reason"), "string"),
    **dict.fromkeys(("missing", "state"), "string"),
    **dict.fromkeys(("value", "numerator", "denominator", "target", "attainment", "expected", "pace"), "double"),
    **dict.fromkeys(("previous", "change", "interval_low", "interval_high"), "double"),
    "period_start": "date32[day]",
    "n": "int64",
    "marks": "list<item: string>",
    "as_of": "timestamp[ms, tz=UTC]",
}
"""Column → its type, as another program sees it."""


def types(table: pyarrow.Table) -> dict[str, str]:
    """Arrow's own names; a string is a string, however its bytes are laid out."""
    plain = {"large_": "", "string_view": "string", "element": "item"}
    found = {field.name: str(field.type) for field in table.schema}
    return {name: reduce(lambda told, pair: told.replace(*pair), plain.items(), kind) for name, kind in found.items()}


@pytest.mark.parametrize("kpi", ["email_reply_rate", "leads_created", "quota_attainment"])
def test_parquet_and_arrow_have_the_same_type_a_column_whatever_is_blank(
    room: Office, kpi: str, tmp_path: Path
) -> None:
    """No target is set, so that a whole column of them is blank; a rate has an interval, a count has none."""
    words = ("values", "--kpi", kpi, "--grain", "month")
    parquet, arrow = tmp_path / "values.parquet", tmp_path / "values.arrows"
    assert room.kpisync(*words, "--format", "parquet", "--out", str(parquet)).code == 0
    assert room.kpisync(*words, "--format", "arrow", "--out", str(arrow)).code == 0
    with arrow.open("rb") as stream:
        streamed = pyarrow.ipc.open_stream(stream).read_all()
    stored = pyarrow.parquet.read_table(parquet)
    assert types(streamed) == types(stored) == TYPES
    assert streamed.column("target").null_count == streamed.num_rows > 0
    assert streamed.to_pylist() == stored.to_pylist()
    rows = room.kpisync(*words, "--format", "jsonl").lines
    keys = ("rep", "value", "numerator", "denominator", "n", "reason", "previous", "change", "marks")
    assert [[row[key] for key in keys] for row in streamed.to_pylist()] == [[row[key] for key in keys] for row in rows]
    assert streamed.column("as_of")[0].as_py().isoformat() == rows[0]["as_of"]


def test_a_pipe_gets_values_as_an_arrow_stream(room: Office) -> None:
    """The program itself, its stdout read by another."""
    words = ["values", "--kpi", "calls_made", "--grain", "year", "--format", "arrow"]
    code = "import sys; from console.cli import main; main(sys.argv[1:])"
    environment = {**os.environ, "KPISYNC_WORKSPACE": str(room.folder)}
    piped = subprocess.run([sys.executable, "-c", code, *words], env=environment, capture_output=True, check=True)
    table = pyarrow.ipc.open_stream(piped.stdout).read_all()
    rows = room.kpisync(*words[:-1], "jsonl").lines
    assert table.column("value").to_pylist() == [row["value"] for row in rows]
    assert set(table.column("kpi").to_pylist()) == {"calls_made"}


def test_another_library_takes_the_frame_of_values_over_in_memory(room: Office) -> None:
    """By Arrow's C stream: no file, no bytes written; whoever takes it over twice gets the same memory twice."""
    with Workspace(room.folder).cache("acme") as cache:
        frame = Reader.of("acme", cache).table(Wanted(kpi="revenue", grain="quarter"))
    one, other = pyarrow.table(frame), pyarrow.table(frame)
    assert types(one) == TYPES
    assert one.num_rows == frame.height > 0
    assert one.column("value").to_pylist() == frame["value"].to_list()
    places = [table.column("numerator").chunk(0).buffers()[1].address for table in (one, other)]
    assert places[0] == places[1]


def test_filters_leave_what_was_asked_for(room: Office) -> None:
    emails = {
        row["rep_email"] for row in room.kpisync("values", "--kpi", "calls_made", "--grain", "year", "--json").document
    }
    someone = sorted(email for email in emails if email)[0]
    told = room.kpisync(
        "values", "--rep", someone, "--kpi", "calls_made", "--period", "2026-11-25", "--grain", "week", "--json"
    )
    (row,) = told.document
    assert (row["rep_email"], row["kpi"], row["grain"], row["period_start"]) == (
        someone,
        "calls_made",
        "week",
        "2026-11-23",
    )


@pytest.mark.parametrize("kpi", [kpi.key for kpi in CATALOG])
def test_an_explanation_lists_exactly_the_records_that_make_the_value(
    room: Office, months: list[dict[str, Any]], kpi: str
) -> None:
    """The busiest rep's last whole month, opened: contributions add up to both parts, counts have one record each."""
    rows = [
        row for row in months if row["kpi"] == kpi and row["dimension"] is None and row["period_start"] == "2026-10-01"
    ]
    people = [row for row in rows if row["rep_email"]]
    row = max(people, key=lambda one: one["n"] or 0)
    told = room.kpisync("explain", kpi, row["rep"], "--period", "2026-10", "--json").document
    assert (told["value"], told["reason"]) == (row["value"], row["reason"])
    if told["value"] is None:
        return
    parts = {part: [c for c in told["counted"] if c["part"] == part] for part in ("numerator", "denominator")}
    declared = BY_KEY[kpi]
    if declared.numerator.how == "median":
        amounts = sorted(Decimal(str(c["contribution"])) for c in parts["numerator"])
        assert len(amounts) == row["n"]
        return
    numerator = sum((Decimal(str(c["contribution"])) for c in parts["numerator"]), Decimal(0))
    assert float(numerator) == pytest.approx(row["numerator"], abs=0.011)
    if declared.denominator is not None:
        denominator = sum((Decimal(str(c["contribution"])) for c in parts["denominator"]), Decimal(0))
        assert float(denominator) == pytest.approx(row["denominator"], abs=0.011)
    if declared.numerator.stuff == "count" and declared.numerator.how == "sum":
        assert all(c["contribution"] == 1 for c in parts["numerator"])
    ids = [(c["part"], c["kind"], c["id"]) for c in told["counted"] if c["contribution"]]
    assert len(ids) == len(set(ids))


def test_leads_come_with_score_and_level_the_most_engaged_first(room: Office) -> None:
    rows = room.kpisync("leads", "--format", "jsonl").lines
    assert all(tuple(row) == ("connection", "lead", "owner", "score", "level", "as_of") for row in rows)
    assert [row["score"] for row in rows] == sorted((row["score"] for row in rows), reverse=True)
    engaged = room.kpisync("leads", "--level", "engaged", "--format", "jsonl").lines
    assert engaged == [row for row in rows if row["level"] == "engaged"]
    assert all(row["score"] >= 50 for row in engaged)


def test_values_before_anything_was_computed_say_what_to_run(tmp_path: Path, room: Office) -> None:
    (tmp_path / "kpisync.toml").write_text((room.folder / "kpisync.toml").read_text())
    said = Office(tmp_path, "hubspot", room.sandbox).kpisync("values")
    assert said.code == 1
    assert "kpisync compute" in said.err
