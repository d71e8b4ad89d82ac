"""Opens the file (or server) in which cache and ledger live, and turns its failures into sentences."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlmodel import create_engine

from sync.errors import CacheUnusable

BUSY_MILLISECONDS = 30_000
"""How long a writer waits for another one before it gives up."""

PAGE_CACHE_KIB = 4_096
"""SQLite's own page cache, per connection. The operating system keeps the file's pages anyway: sixteen times as much
made a first load of 400,000 records no faster, and its memory grow by 70 MB with the file."""

# mmap stays off: with a second SQLite library in the same process (ADBC, DuckDB) a mapped file can end in a bus error.
PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",
    f"PRAGMA busy_timeout={BUSY_MILLISECONDS}",
    f"PRAGMA cache_size=-{PAGE_CACHE_KIB}",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA wal_autocheckpoint=4000",
    "PRAGMA mmap_size=0",
)


class Database:
    """One database; `reading` and `writing` are its only doors, each a transaction of its own."""

    def __init__(self, url: str, *, busy_milliseconds: int = BUSY_MILLISECONDS) -> None:
        try:
            self.engine: Engine = create_engine(_with_folder(url))
        except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as failure:
            raise CacheUnusable(
                "KPI-CACHE-001",
                f"The cache's address cannot be used ({failure}).",
                "Give [cache] url in kpisync.toml as sqlite:///kpisync.db, or install the database's driver.",
            ) from failure
        self.place = self.engine.url.render_as_string(hide_password=True)
        self._is_sqlite = self.engine.dialect.name == "sqlite"
        if self._is_sqlite:
            _speak_sqlite(self.engine, busy_milliseconds)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent view; nothing is written."""
        with self.truthful(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """All or nothing. The write lock is taken at once: what is read here is still true when it is written."""
        writer = self.engine.execution_options(writes=True)
        with self.truthful(), writer.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def truthful(self) -> Iterator[None]:
        """Translates what the driver says."""
        driver: Any = self.engine.dialect.loaded_dbapi
        try:
            yield
        except DBAPIError as failure:
            raise unusable(self.place, str(failure.orig)) from failure
        except driver.Error as failure:
            raise unusable(self.place, str(failure)) from failure

    def close(self) -> None:
        self.engine.dispose()


def unusable(place: str, said: str) -> CacheUnusable:
    """The error for what the database said."""
    known = {
        "locked": ("KPI-CACHE-003", "is held by another program", "Close what has it open, then run again."),
        "malformed": ("KPI-CACHE-002", "is damaged", _START_AFRESH),
        "not a database": ("KPI-CACHE-002", "is not a cache of kpisync, or is damaged", _START_AFRESH),
        "readonly": (
            "KPI-CACHE-004",
            "may not be written",
            "Give this user the right to write the file and its folder.",
        ),
        "unable to open": ("KPI-CACHE-004", "cannot be opened", "Check [cache] url and the rights of its folder."),
        "full": ("KPI-CACHE-005", "has no room to grow", "Make room on the disk, then run again; nothing was lost."),
    }
    for sign, (code, what, advice) in known.items():
        if sign in said.lower():
            return CacheUnusable(code, f"{place} {what}.", advice)
    return CacheUnusable("KPI-CACHE-006", f"{place} answered: {said}.", "Run `kpisync doctor`; it checks the cache.")


_START_AFRESH = (
    "Move the file away and run `kpisync pull --full`: the CRM still has every record. "
    "Keep the old file if you need the history of runs."
)


def _with_folder(url: str) -> str:
    """The same address, with the folder of a SQLite file made."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database not in (None, "", ":memory:"):
        Path(str(parsed.database)).parent.mkdir(parents=True, exist_ok=True)
    return url


def _speak_sqlite(engine: Engine, busy_milliseconds: int) -> None:
    """Our pragmas on every connection, and transactions that begin when we say so."""

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver must not open transactions of its own
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={busy_milliseconds}")
        for pragma in PRAGMAS:
            if not pragma.startswith("PRAGMA busy_timeout"):
                cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
