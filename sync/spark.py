"""The engine's work on a cluster: Spark carries bundles of frames to many machines, where the same functions run.

A bundle is a folder of Parquet files, one a frame, in a place that this machine and the executors reach. Each becomes
a task: an executor's Python reads the files, does what the engine does here (the declarations of every KPI come with
the task), and writes what comes out beside them. The only room that knows PySpark, which is loaded when it is needed.
"""

import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote
from uuid import uuid4

import msgspec
import polars as pl

from kpi_engine.conclude import Parts
from kpi_engine.declaring import Kpi
from kpi_engine.frames import Tables
from kpi_engine.registry import own_kpis, register
from kpi_engine.whole import Workers
from sync.errors import EngineMissing, EngineStopped

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

log = logging.getLogger("kpisync.engine")

RECORDS_A_TASK = 250_000

LOCAL = ("local[", "local-cluster[")
"""Beginnings of masters whose executors are on this machine."""

QUIET = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.log.level": "ERROR"}

SAME_MACHINE = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}

MUST_AGREE = ("kpisync", "polars", "narwhals")
"""Of these an executor needs the version that we have: what a task carries is written for it."""


class Spark(msgspec.Struct, frozen=True, kw_only=True):
    """Where and how Spark works.

    master         `local[*]`, `spark://host:7077`, `yarn`, `k8s://…`
    folder         a folder that this machine and all executors reach, None: this machine's own for temporary files
    python         the executors' Python, with kpisync installed; None: ours
    records_a_task  about so many records make a task
    options        whatever else Spark is told, by its own names
    """

    master: str = "local[*]"
    folder: Path | None = None
    python: str | None = None
    records_a_task: int = RECORDS_A_TASK
    options: Mapping[str, str] = {}


@contextmanager
def workers(spark: Spark) -> Iterator[Workers]:
    """Whoever does the engine's work on Spark. Raises `EngineMissing` or `EngineStopped`."""
    _make(spark.folder)
    with _session(spark) as session, tempfile.TemporaryDirectory(prefix="kpisync-spark-", dir=spark.folder) as folder:
        yield _Cluster(session, Path(folder))


def look_for_parts() -> None:
    """Raises `EngineMissing` unless PySpark and Java are on this machine; starts nothing."""
    _need_pyspark()
    _need_java()


def _make(folder: Path | None) -> None:
    try:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _stopped(f"{folder} cannot be used", error.strerror or str(error)) from error


# ── here ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def _session(spark: Spark) -> Iterator["SparkSession"]:
    """A session of our own, or the one that this process already has."""
    _need_pyspark()
    from pyspark.sql import SparkSession

    running = SparkSession.getActiveSession()
    if running is not None:
        yield running
        return
    _need_java()
    os.environ["PYSPARK_PYTHON"] = spark.python or sys.executable
    session = _started(spark, SparkSession.builder)
    try:
        yield session
    finally:
        session.stop()


def _need_pyspark() -> None:
    try:
        import pyspark.sql  # noqa: F401 - to see whether it is there
    except ImportError:
        raise EngineMissing(
            "KPI-ENGINE-001",
            '`[engine] kind = "spark"` needs PySpark, which is not installed beside kpisync.',
            "Install it with `pip install 'kpisync[spark]'`, or leave the engine at its default, polars.",
        ) from None


def _need_java() -> None:
    home = os.environ.get("JAVA_HOME")
    if shutil.which("java") is None and not (home and (Path(home) / "bin" / "java").exists()):
        raise EngineMissing(
            "KPI-ENGINE-002",
            "Spark needs Java, and there is none on the PATH or in JAVA_HOME.",
            "Install a Java 17 or 21 runtime (Debian: `apt-get install openjdk-17-jre-headless`), or leave the engine "
            "at its default, polars.",
        )


def _started(spark: Spark, builder: Any) -> "SparkSession":
    here = SAME_MACHINE if spark.master == "local" or spark.master.startswith(LOCAL) else {}
    one_core = {"spark.executorEnv.POLARS_MAX_THREADS": spark.options.get("spark.task.cpus", "1")}
    for name, value in {**QUIET, **here, **one_core, **spark.options}.items():
        builder = builder.config(name, value)
    try:
        session: SparkSession = builder.master(spark.master).appName("kpisync").getOrCreate()
    except Exception as error:  # PySpark hands on whatever Java threw
        raise _stopped(f"Spark did not start at {spark.master}", str(error)) from error
    return session


def _stopped(what: str, why: str) -> EngineStopped:
    """`why` is a sentence, or a trace of Java's with one of Python's in it."""
    lines = [line.strip() for line in why.splitlines() if line.strip()] or ["it does not say why"]
    of_python = (line for line in reversed(lines) if "Error: " in line)
    of_java = (line.partition("Exception: ")[2] for line in lines if "Exception: " in line)
    told = next(chain(of_python, of_java), lines[0]).removesuffix(".")
    return EngineStopped(
        "KPI-ENGINE-003",
        f"{what}: {told}.",
        "Look at `[engine]` in kpisync.toml and at Spark's own logs; with the default engine, polars, everything is "
        "computed on this machine.",
    )


class _Cluster:
    """One Spark session, and the folder through which frames go to its executors and come back."""

    def __init__(self, session: "SparkSession", folder: Path) -> None:
        self._session, self._folder = session, folder

    def __call__(self, work: Callable[[Tables], Parts], bundles: Iterable[Tables], /) -> Iterator[Parts]:
        """What comes out for each bundle, in their order: written by the executors, read by and by."""
        step = self._folder / uuid4().hex
        pieces = [_written(step / str(number), bundle) for number, bundle in enumerate(bundles)]
        told = self._done(Task(work, tuple(map(str, pieces)), own_kpis(), _versions())) if pieces else []
        processes = {process for _, process in told}
        log.info("engine.spark", extra={"tasks": len(pieces), "executors": len(processes)})
        for place in (place for place, _ in told if place is not None):
            yield _read(Path(place))
        shutil.rmtree(step, ignore_errors=True)

    def _done(self, task: "Task") -> "list[Told]":
        pieces = self._session.sparkContext.parallelize(task.pieces, len(task.pieces))
        try:
            told: list[Told] = pieces.map(task).collect()
        except Exception as error:  # PySpark hands on whatever Java threw
            raise _stopped("Spark gave the work up", str(error)) from error
        for place, why in told:
            if place is None:
                raise _stopped("Spark cannot do this work", why)
        return told


def _versions() -> dict[str, str]:
    return {name: version(name) for name in MUST_AGREE}


def _named(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in versions.items())


# ── there ────────────────────────────────────────────────────────────────────────────────────────────────────────────


Told = tuple[str | None, str]
"""Where what came out of a piece lies, and which process made it; or None, and why that process cannot."""


class Task:
    """What every executor does: to each piece that it is given, `work`, with the company's own KPIs known."""

    def __init__(
        self, work: Callable[[Tables], Parts], pieces: tuple[str, ...], own: tuple[Kpi, ...], versions: dict[str, str]
    ) -> None:
        self._work, self.pieces, self._own, self._versions = work, pieces, own, versions

    def __call__(self, piece: str) -> Told:
        """What comes out lies in a folder of this attempt's own, for Spark may try a piece twice."""
        there = _versions()
        if there != self._versions:
            return None, f"the executors have {_named(there)}, here are {_named(self._versions)}"
        if not Path(piece).is_dir():
            return None, f"the executors do not reach {piece}"
        register(self._own)
        found = self._work({name: frame.lazy() for name, frame in _read(Path(piece)).items()})
        made = {name: frame.lazy() for name, frame in found.items()}
        return str(_written(Path(f"{piece}-{uuid4().hex}"), made)), f"{os.uname().nodename} {os.getppid()}"


def _written(folder: Path, frames: Tables) -> Path:
    """A bundle as Parquet, one file a frame."""
    folder.mkdir(parents=True)
    for name, frame in frames.items():
        frame.collect().write_parquet(folder / f"{quote(name, safe='')}.parquet")
    return folder


def _read(folder: Path) -> Parts:
    return {unquote(file.stem): pl.read_parquet(file) for file in sorted(folder.glob("*.parquet"))}
