"""Computing on Spark gives what computing here gives, cell by cell, whatever the records.

Spark runs for real: a local cluster of a driver and two executors, each a process of its own with its own Python. It is
compared in everything that is kept of a computation: every row, part and list of records of every rep, team and grain,
the days behind them, and the leads' scores. `KPISYNC_SPARK_WORLDS` sets how many worlds.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from importlib.metadata import version
from pathlib import Path

import polars as pl
import pytest
from busy_november import COMPANY as BUSY
from busy_november import busy_records
from command_line import Office, at, pretend
from hypothesis import HealthCheck, Phase, given, settings
from polars.testing import assert_frame_equal
from sales_floor import at as utc
from sales_floor import call

from connectors.contract import Page
from crm_sandbox.seed import demo_world
from crm_sandbox.serving import Sandbox
from kpi_engine.compute import Evident
from kpi_engine.records import Millis, Record
from sync import scoring, spark
from sync.cache import Cache
from sync.errors import EngineStopped
from sync.spark import Spark, workers

from .worlds import World, worlds

NOW = at("2026-11-25T12:00")

WORLDS = int(os.environ.get("KPISYNC_SPARK_WORLDS") or 4)

TWO_EXECUTORS = "local-cluster[2,1,1024]"

SHORT_LIVED = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"
BOTH_THERE = {
    "spark.executor.memory": "1g",
    "spark.scheduler.minRegisteredResourcesRatio": "1.0",
    "spark.driver.extraJavaOptions": SHORT_LIVED,
    "spark.executor.extraJavaOptions": SHORT_LIVED,
}
"""An executor has the gigabyte that its master gives it; no task begins before both have come; and Java does not
spend more on making itself fast than a minute's work is worth."""

EVIDENT = Evident(("calls_made", "win_rate", "revenue", "open_leads", "large_deal_share"), ("month", "week"))

OWN_KPI = """
[[kpis.custom]]
key = "long_call_share"
label = { en = "Long calls", es = "Llamadas largas" }
sentence = "Share of the answered calls that took ten minutes or more."
unit = "ratio"
numerator = { part = "calls_answered", where = "duration_ms >= 600000" }
denominator = "calls_answered"
"""

ON_SPARK = f"""
[engine]
kind = "spark"
master = "{TWO_EXECUTORS}"
records_a_task = 1500
options = {{ {", ".join(f'"{name}" = "{value}"' for name, value in BOTH_THERE.items())} }}
"""


@pytest.fixture(autouse=True, scope="module")
def _java() -> None:
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        assert not os.environ.get("CI"), "CI installs Java for these tests"
        pytest.skip("there is no Java on this machine")


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A workspace with a KPI of its own that has pulled the small demo company."""
    with Sandbox(pretend("hubspot", demo_world(NOW, size="small"))) as sandbox:
        made = Office(tmp_path_factory.mktemp("spark"), "hubspot", sandbox)
        made.settings(OWN_KPI)
        assert made.kpisync("pull").code == 0
        yield made


@contextmanager
def cache_of(folder: Path) -> Iterator[Cache]:
    cache = Cache.open(f"sqlite:///{folder}/kpisync.db", "acme")
    yield cache
    cache.close()


def everything(cache: Cache) -> dict[str, pl.DataFrame]:
    """All frames that are kept, their rows in one order."""
    return {name: _ordered(frame) for name, frame in cache.kept("").items()}


def _ordered(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.sort([name for name, kind in frame.schema.items() if not kind.is_nested()])


def same(found: Mapping[str, pl.DataFrame], expected: Mapping[str, pl.DataFrame]) -> None:
    assert found.keys() == expected.keys()
    for name, frame in expected.items():
        assert_frame_equal(found[name], frame, check_exact=True)


def test_the_demo_company_on_two_executors_has_the_numbers_that_it_has_here(
    office: Office,
) -> None:
    words = ("compute", "--full", "--as-of", "2026-11-25")
    here = office.kpisync(*words, "--json").document
    with cache_of(office.folder) as cache:
        expected = everything(cache)
        shown = office.kpisync("values", "--grain", "quarter", "--format", "jsonl").lines

    office.settings(OWN_KPI + ON_SPARK)
    told = office.kpisync("-v", *words, "--json")
    assert told.code == 0, told.err
    assert told.document == here
    assert told.err.count("engine.spark") == 2, told.err
    assert told.err.count("executors=2") >= 1, told.err

    with cache_of(office.folder) as cache:
        same(everything(cache), expected)
    assert len(expected["computed/month"]) > 100
    again = office.kpisync("values", "--grain", "quarter", "--format", "jsonl").lines
    assert again == shown
    assert any(row["kpi"] == "long_call_share" and row["value"] is not None for row in again)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Spark]:
    """Two executors that stay for several computations: kpisync takes the session that a process already has."""
    two = Spark(master=TWO_EXECUTORS, records_a_task=12, options=BOTH_THERE)
    with workers(two):
        yield two


@settings(
    max_examples=WORLDS,
    phases=(Phase.explicit, Phase.generate),
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(world=worlds())
def test_any_world_on_two_executors_has_the_numbers_that_it_has_here(cluster: Spark, world: World) -> None:
    same(computed(world, cluster), computed(world, None))


def computed(world: World, on: Spark | None) -> dict[str, pl.DataFrame]:
    with tempfile.TemporaryDirectory() as folder, cache_of(Path(folder)) as cache:
        cache.absorb(Page(stream="all", rows=world.records, cursor="1"), world.company.time_zone)
        scoring.score(cache, world.company, world.as_of, None, EVIDENT, full=True, on=on)
        return everything(cache)


@pytest.fixture
def busy() -> World:
    """The November in which something of everything happened."""
    found = [[each] if isinstance(each, Record) else each for each in busy_records()]
    return World(tuple(record for some in found for record in some), BUSY, Millis(utc("2026-11-25 12:00")))


def test_the_busy_november_on_two_executors_has_the_numbers_that_it_has_here(cluster: Spark, busy: World) -> None:
    found = computed(busy, cluster)
    same(found, computed(busy, None))
    november = found["computed/month"].filter(pl.col("dimension").is_null(), pl.col("rep") == "team:boss")
    assert november.filter(pl.col("period_start") == date(2026, 11, 1))["calls_made"].to_list() == [3]


def test_what_changes_after_a_computation_on_spark_is_computed_here_upon_it(
    cluster: Spark, busy: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Upon what Spark left, one more call of Ana's changes her rows alone, and is what computing everything gives."""
    monkeypatch.setattr(scoring, "FULL_FROM", 2.0)
    more = tuple(call("c9", "2026-11-24 10:00", people=["l2"]))
    with cache_of(tmp_path) as cache:
        cache.absorb(Page(stream="all", rows=busy.records, cursor="1"), BUSY.time_zone)
        scoring.score(cache, BUSY, busy.as_of, None, EVIDENT, full=True, on=cluster)
        before = scoring.computed(cache).parts
        cache.absorb(Page(stream="all", rows=more, cursor="2"), BUSY.time_zone)
        monkeypatch.setattr(scoring, "whole", None)  # whoever computes everything now fails
        scoring.score(cache, BUSY, busy.as_of, None, EVIDENT, on=cluster)
        monkeypatch.undo()
        after = scoring.computed(cache).parts
    changed = World((*busy.records, *more), BUSY, busy.as_of)
    expected = computed(changed, None)
    assert _ordered(after["day"]).equals(expected["computed/day"])
    assert _calls(after) == _calls(before) + 1


def _calls(parts: Mapping[str, pl.DataFrame]) -> int:
    november = pl.col("dimension").is_null(), pl.col("rep") == "ana", pl.col("period_start") == date(2026, 11, 1)
    (made,) = parts["month"].filter(*november)["calls_made"]
    return int(made)


def test_executors_of_another_version_are_told_and_nothing_is_computed(
    cluster: Spark, busy: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spark, "_versions", lambda: {"kpisync": "9.9.9"})
    with pytest.raises(EngineStopped) as stopped:
        computed(busy, cluster)
    assert stopped.value.code == "KPI-ENGINE-003"
    assert f"the executors have kpisync {version('kpisync')}, " in stopped.value.message
    assert stopped.value.message.endswith(", here are kpisync 9.9.9.")


def test_a_master_that_there_is_not_is_named_in_java_s_words() -> None:
    """In a process of its own: Spark that did not start leaves its Java behind in the one that asked."""
    asking = (
        "from sync.errors import EngineStopped; from sync.spark import Spark, workers\n"
        "try:\n    workers(Spark(master='locale[2]')).__enter__()\n"
        "except EngineStopped as error: print(error.message)"
    )
    said = subprocess.run([sys.executable, "-c", asking], capture_output=True, text=True, check=True)
    assert said.stdout == "Spark did not start at locale[2]: Could not parse Master URL: 'locale[2]'.\n"
