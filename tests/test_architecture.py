"""The import rules hold, and each of them bites: a copy of the house with one forbidden import must fail."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("kpi_engine", "connectors", "sync", "config", "console", "crm_sandbox")

VIOLATIONS = {
    "Imports run down only": ("kpi_engine/records.py", "import connectors.errors"),
    "The sandbox imports nothing of ours": ("crm_sandbox/world.py", "import connectors.errors"),
    "The two connectors do not know each other": (
        "connectors/hubspot/reader.py",
        "import connectors.salesforce.reader",
    ),
    "The engine knows no CRM, no disk and no SQL": ("kpi_engine/records.py", "import sqlite3"),
    "simple-salesforce only in its own folder": ("connectors/transport.py", "import simple_salesforce"),
    "hubspot-api-client only in its own folder": ("connectors/transport.py", "import hubspot"),
    "APScheduler only in sync.schedule": ("sync/plan.py", "import apscheduler"),
    "SQL only in the rooms of the cache and the ledger": ("sync/plan.py", "import sqlite3"),
    "PySpark only in sync.spark": ("sync/plan.py", "import pyspark"),
}


def lint(house: Path) -> subprocess.CompletedProcess[str]:
    """import-linter's verdict on a copy of the house."""
    lint_imports = Path(sys.executable).parent / "lint-imports"
    return subprocess.run(
        [str(lint_imports), "--no-cache"],
        cwd=house,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": "."},
    )


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the packages and of the rules."""
    copy = tmp_path_factory.mktemp("house")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    return copy


def test_every_import_rule_holds(house: Path) -> None:
    verdict = lint(house)
    assert verdict.returncode == 0, verdict.stdout
    for rule in VIOLATIONS:
        assert f"{rule} KEPT" in verdict.stdout


@pytest.mark.parametrize("rule", VIOLATIONS)
def test_a_forbidden_import_breaks_its_rule(house: Path, rule: str) -> None:
    place, forbidden = VIOLATIONS[rule]
    path = house / place
    innocent = path.read_text()
    path.write_text(f"{innocent}\n\n{forbidden}\n")
    try:
        verdict = lint(house)
    finally:
        path.write_text(innocent)
    assert verdict.returncode != 0
    assert f"{rule} BROKEN" in verdict.stdout


def test_every_room_of_the_sync_either_speaks_sql_or_is_forbidden_to() -> None:
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (rule,) = (rule for rule in rules if rule["id"] == "sql-only-in-cache-and-ledger")
    forbidden = {module.removeprefix("sync.") for module in rule["source_modules"] if module.startswith("sync.")}
    below_the_cache = {"database", "tables", "landing", "days", "sweep", "before", "circles", "kept"}
    below_the_ledger = {"database", "history", "known", "outbox", "showing", "closing"}
    speaking = {"cache", "ledger", *below_the_cache, *below_the_ledger}
    assert forbidden | speaking == {path.stem for path in (ROOT / "sync").glob("*.py")} - {"__init__"}
