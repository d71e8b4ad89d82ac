"""A company's own KPIs: declared in the workspace, they are in every command and in the CRM like any other."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from command_line import CRMS, Office, at, kpisync

from crm_sandbox.world import Call, Prospect, Sale, Seller, World
from kpi_engine.registry import register

NOON = ("--as-of", "2026-11-25T12:00:00Z")
START = at("2026-01-05T00:00")
ANA = Seller("ana", "Ana Ruiz", "ana@example.com", created=START)
CALLS = tuple(
    Call(name, "ana", ("p1",), (), at(moment), outcome="Connected", seconds=seconds)
    for name, moment, seconds in (
        ("c1", "2026-11-02T09:00", 599),
        ("c2", "2026-11-03T09:00", 600),
        ("c3", "2026-11-04T09:00", 90),
        ("c4", "2026-11-05T09:00", 1200),
    )
)
DEAL = Sale("d1", "Deal", ((START, "ana"),), START, "won", at("2026-11-05T00:00").date(), at("2026-11-05T12:00"))
SMALL = replace(DEAL, key="d2", name="Small", amount=Decimal(900))
LARGE = replace(DEAL, key="d3", name="Large", amount=Decimal(10_000))
COMPANY = World(
    "A small company",
    at("2026-11-25T12:00"),
    sellers=(ANA,),
    prospects=(Prospect("p1", "Pat Doe", "pat@example.org", "Acme", "ana", START, channel="Web"),),
    calls=CALLS,
    sales=(DEAL, SMALL, LARGE),
)

LONG = """
[[kpis.custom]]
key = "long_call_share"
label = { en = "Long calls", es = "Llamadas largas" }
sentence = "Share of the answered calls that took ten minutes or more."
unit = "ratio"
numerator = { part = "calls_answered", where = "duration_ms >= 600000" }
denominator = "calls_answered"
share_of_cases = true
"""
IN_TOML = (
    """[kpis]
track = ["long_call_share", "calls_made"]
write_grains = ["month"]
since = 2026-11-01
"""
    + LONG
)
IN_PYTHON = """
from kpi_engine.catalog import REVENUE
from kpi_engine.declaring import Kpi, Text, Unit, col, total

KPIS = (
    Kpi(
        key="large_revenue_won",
        family=REVENUE,
        label=Text("Large revenue", "Ingresos grandes"),
        unit=Unit.MONEY,
        sentence=Text("Amount of deals won of 1,000 or more.", "Importe de los negocios ganados de 1.000 o más."),
        numerator=total("large_won", "revenue", col("amount"), "money", where=col("amount") >= 1000),
        needs=("deals",),
    ),
)
"""

Opened = Callable[[str, World], Office]


@pytest.fixture(autouse=True)
def ours_alone_afterwards() -> Iterator[None]:
    yield
    register(())


@pytest.fixture(params=CRMS)
def room(request: pytest.FixtureRequest, office: Opened) -> Office:
    return office(request.param, COMPANY)


def of_november(room: Office, kpi: str) -> dict[str, object]:
    said = room.kpisync("values", "--kpi", kpi, "--rep", "ana@example.com", "--grain", "month", "--format", "jsonl")
    assert said.code == 0, said.err
    (row,) = [row for row in said.lines if row["period_start"] == "2026-11-01"]
    return row


def test_a_kpi_composed_in_the_settings_is_computed_explained_provisioned_planned_and_written(room: Office) -> None:
    room.settings(IN_TOML)
    about = {kpi["key"]: kpi for kpi in room.kpisync("kpis", "--json").document}["long_call_share"]
    assert (about["label"], about["unit"], about["family_name"]) == ("Long calls", "ratio", "Our own")
    assert room.kpisync("provision").code == 0
    planned = room.kpisync("run", "--dry-run", *NOON)
    assert planned.code == 0, planned.err
    done = room.kpisync("run", *NOON)
    assert done.code == 0, done.err

    november = of_november(room, "long_call_share")  # of four answered calls, those of 600 and 1,200 seconds
    assert (november["value"], november["numerator"], november["denominator"], november["n"]) == (0.5, 2, 4, 4)
    written = {key: value for key, value in room.shown().items() if ":long_call_share:" in key}
    assert [value for key, value in written.items() if key.endswith("2026-11-01") and "team" not in key] == [0.5]

    explained = room.kpisync("explain", "long_call_share", "ana@example.com", "--period", "2026-11", "--json").document
    assert len([record for record in explained["counted"] if record["part"] == "numerator"]) == 2
    again = room.kpisync("plan", "--format", "json", *NOON)
    assert again.code == 0, again.err
    assert again.document["changes"] == []


def test_a_kpi_declared_in_a_python_file_is_one_like_any_other(room: Office) -> None:
    (room.folder / "ours.py").write_text(IN_PYTHON)
    room.settings(
        '[kpis]\nfile = "ours.py"\ntrack = ["large_revenue_won"]\nwrite_grains = ["month"]\nsince = 2026-11-01\n'
    )
    assert room.kpisync("provision").code == 0
    done = room.kpisync("run", *NOON)
    assert done.code == 0, done.err
    assert of_november(room, "large_revenue_won")["value"] == 10_000  # neither the 900 nor the deal without amount
    written = [
        value for key, value in room.shown().items() if ":large_revenue_won:" in key and key.endswith("2026-11-01")
    ]
    assert 10_000 in written


def test_a_changed_definition_changes_what_the_crm_shows(room: Office) -> None:
    room.settings(IN_TOML)
    assert room.kpisync("provision").code == 0
    assert room.kpisync("run", *NOON).code == 0
    room.settings(IN_TOML.replace("600000", "599000"))
    done = room.kpisync("run", *NOON)
    assert done.code == 0, done.err
    assert of_november(room, "long_call_share")["value"] == 0.75  # the call of 599 seconds is long now
    assert 0.75 in [value for key, value in room.shown().items() if ":long_call_share:" in key]


# ── what is refused ──────────────────────────────────────────────────────────────────────────────────────────────────

PLACE = "KPI-CFG-004: kpisync.toml: kpis.custom.long_call_share"


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        (
            '"duration_ms >= 600000"',
            '"duration >= 600000"',
            f"{PLACE}.numerator.where: at character 1 of 'duration >= 600000', there is no column duration "
            "(did you mean duration_ms?); there are answered,",
        ),
        (
            '"duration_ms >= 600000"',
            "'duration_ms >= \"long\"'",
            f"{PLACE}.numerator.where: at character 16 of 'duration_ms >= \"long\"', duration_ms is a number, "
            'which cannot be compared with "long".',
        ),
        (
            '"duration_ms >= 600000"',
            '"duration_ms >="',
            f"{PLACE}.numerator.where: at character 13 of 'duration_ms >=', a condition cannot go on like this here.",
        ),
        (
            'denominator = "calls_answered"',
            'denominator = "calls"',
            f"{PLACE}.denominator.part: there is no part calls; there are approaches,",
        ),
        (
            'denominator = "calls_answered"',
            'denominator = "quota"\nfilter = "answered"',
            f"{PLACE}.filter: quota is not made of single records.",
        ),
        ('unit = "ratio"', 'unit = "share"', f"{PLACE}.unit: Input should be 'count', 'ratio', 'money',"),
        (
            "share_of_cases",
            "share_of_case",
            f"{PLACE}.share_of_case: nobody knows this setting; known there: key, label,",
        ),
        (
            'key = "long_call_share"',
            'key = "calls_made"',
            "KPI-CFG-004: kpisync.toml: kpis.custom.calls_made: there is another KPI with this key.",
        ),
    ],
)
def test_a_block_that_cannot_be_evaluated_is_refused_with_its_place_and_the_reason(
    tmp_path: Path, right: str, wrong: str, said: str
) -> None:
    assert right in LONG
    (tmp_path / "kpisync.toml").write_text(LONG.replace(right, wrong))
    refused = kpisync(tmp_path, "kpis")
    assert refused.code == 2
    assert refused.out == ""
    assert refused.err.startswith(said)


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ('col("amount") >= 1000', 'col("amout") >= 1000', ": large_revenue_won.numerator: cannot be evaluated over"),
        (
            '"revenue", col',
            '"revenues", col',
            ": large_revenue_won.numerator: there is no population revenues; there are",
        ),
        ('where=col("amount") >= 1000', 'where=col("amount")', ": large_revenue_won.numerator: "),
        ('needs=("deals",)', 'needs=("deal",)', ": large_revenue_won.needs: there is no source deal; there are"),
        ('"large_won"', '"revenue"', ": large_revenue_won.numerator: another part is called revenue."),
        ('"large_revenue_won"', '"calls_made"', ": calls_made: there is another KPI with this key."),
        ("KPIS =", "OURS =", ": it needs `KPIS = (Kpi(…), …)`, a tuple of Kpi."),
        ("Kpi(\n", "Kip(\n", ", line 6: NameError: name 'Kip' is not defined"),
        ("import REVENUE", "import REVENU", ", line 2: ImportError: cannot import name 'REVENU'"),
        ("KPIS = (", "KPIS = ((", ", line 5: SyntaxError: "),
    ],
)
def test_a_file_that_cannot_be_evaluated_is_refused_with_its_place_and_the_reason(
    tmp_path: Path, right: str, wrong: str, said: str
) -> None:
    assert right in IN_PYTHON
    file = tmp_path / "ours.py"
    file.write_text(IN_PYTHON.replace(right, wrong))
    (tmp_path / "kpisync.toml").write_text('[kpis]\nfile = "ours.py"\n')
    refused = kpisync(tmp_path, "kpis")
    assert refused.code == 2
    assert refused.err.startswith(f"KPI-CFG-004: {file}{said}")


def test_a_refusal_is_told_in_spanish_too(tmp_path: Path) -> None:
    (tmp_path / "kpisync.toml").write_text(LONG.replace('"duration_ms >= 600000"', '"duration_ms >="'))
    refused = kpisync(tmp_path, "kpis", "--lang", "es")
    assert "en el carácter 13 de 'duration_ms >=', una condición no puede continuar así aquí." in refused.err


def test_a_file_that_does_not_exist_is_named(tmp_path: Path) -> None:
    (tmp_path / "kpisync.toml").write_text('[kpis]\nfile = "ours.py"\n')
    assert kpisync(tmp_path, "kpis").err.startswith(f"KPI-CFG-004: {tmp_path / 'ours.py'}: there is no such file.")


@pytest.mark.parametrize("page", ["custom-kpis.md", "custom-kpis.es.md"])
def test_the_examples_of_the_documentation_work_as_they_stand(tmp_path: Path, page: str) -> None:
    text = (Path(__file__).parents[2] / "docs" / page).read_text()
    (in_toml,) = re.findall(r"```toml\n(.+?)```", text, re.DOTALL)
    (in_python,) = re.findall(r"```python\n(.+?)```", text, re.DOTALL)
    (tmp_path / "our_kpis.py").write_text(in_python)
    (tmp_path / "kpisync.toml").write_text(in_toml.replace("[kpis]\n", '[kpis]\nfile = "our_kpis.py"\n'))
    said = kpisync(tmp_path, "kpis", "--json")
    assert said.code == 0, said.err
    assert [kpi["key"] for kpi in said.document][-2:] == ["long_call_share", "large_revenue_won"]
