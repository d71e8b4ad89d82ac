"""Before Spark starts: what is missing is told, with what to do. Spark itself is in tests/oracle."""

import sys
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

import pytest
from command_line import kpisync, settings

from connectors.contract import Page
from console.workspace import Workspace
from kpi_engine.records import Company, Millis, Rep
from sync import scoring
from sync.cache import Cache
from sync.errors import EngineMissing, EngineStopped
from sync.spark import Spark, Task, workers

ENGINE = """
[engine]
kind = "spark"
master = "spark://spark.example.com:7077"
folder = "exchange"
python = "/opt/kpisync/bin/python"
records_a_task = 1000
options = { "spark.executor.memory" = "4g" }
"""


def test_without_pyspark_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(EngineMissing, match=r"KPI-ENGINE-001: .*`pip install 'kpisync\[spark\]'`"), workers(Spark()):
        pass


def test_without_java_it_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(EngineMissing, match=r"KPI-ENGINE-002: .*openjdk-17-jre-headless"), workers(Spark()):
        pass


def test_a_workspace_has_the_cluster_that_its_settings_name(tmp_path: Path) -> None:
    (tmp_path / "kpisync.toml").write_text(settings("hubspot", "http://127.0.0.1:1", ENGINE))
    assert Workspace(tmp_path).options.spark == Spark(
        master="spark://spark.example.com:7077",
        folder=tmp_path / "exchange",
        python="/opt/kpisync/bin/python",
        records_a_task=1000,
        options={"spark.executor.memory": "4g"},
    )


def test_without_the_setting_this_machine_computes(tmp_path: Path) -> None:
    (tmp_path / "kpisync.toml").write_text(settings("hubspot", "http://127.0.0.1:1"))
    assert Workspace(tmp_path).options.spark is None


def test_executors_elsewhere_need_a_folder_that_they_reach(tmp_path: Path) -> None:
    text = settings("hubspot", "http://127.0.0.1:1", ENGINE.replace('folder = "exchange"\n', ""))
    (tmp_path / "kpisync.toml").write_text(text)
    said = kpisync(tmp_path, "compute")
    assert said.code == 2
    assert (
        "the executors at spark://spark.example.com:7077 need a `folder` that they and this machine reach" in said.err
    )


def test_a_folder_that_cannot_be_made_is_named_before_spark_starts(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    told = r"KPI-ENGINE-003: .*file/exchange cannot be used: Not a directory"
    with pytest.raises(EngineStopped, match=told), workers(Spark(folder=tmp_path / "file" / "exchange")):
        pass


def test_an_executor_that_does_not_reach_the_folder_says_so(tmp_path: Path) -> None:
    """What runs on an executor, given a piece that only another machine has."""
    piece = str(tmp_path / "elsewhere" / "0")
    versions = {name: version(name) for name in ("kpisync", "polars", "narwhals")}
    task = Task(lambda bundle: {}, (piece,), (), versions)
    assert task(piece) == (None, f"the executors do not reach {piece}")


def test_what_was_computed_stays_where_spark_cannot_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    company, noon = Company(connection="acme"), Millis(1_795_608_000_000)
    ana = Rep(id="ana", modified=Millis(0), name="Ana", email=None, active=True, known=True)
    with closing(Cache.open(f"sqlite:///{tmp_path}/kpisync.db", "acme")) as cache:
        cache.absorb(Page(stream="all", rows=[ana], cursor="1"), "UTC")
        scoring.score(cache, company, noon, None)
        before = scoring.computed(cache)
        monkeypatch.setitem(sys.modules, "pyspark.sql", None)
        with pytest.raises(EngineMissing):
            scoring.score(cache, company, noon, None, full=True, on=Spark())
        after = scoring.computed(cache)
    assert before.parts["month"].height == 1
    assert after.parts["month"].equals(before.parts["month"])
