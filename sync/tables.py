"""The cache's tables: one for each kind of record, with the record's own columns, and a few of the cache's own.

Every key begins with the connection, so that several connections can share one file. What a connector delivers is
declared once, in `kpi_engine.records`; a new field of a record is a new column here without a line changed.
"""

import types
import typing
from typing import Any

from pydantic import create_model
from sqlalchemy import BigInteger, Index, LargeBinary, Table, UniqueConstraint
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from kpi_engine.records import KINDS, Record

VERSION = 3
"""Of the tables below. An older cache is rebuilt from the CRM, a newer one is left alone."""

NOBODY = ""
"""An interaction's `rep` where the record has none: a part of the clustering key cannot be null."""

NO_DAY = -1_000_000
"""An interaction's `day` where the record has neither moment nor date, for the same reason."""


class CacheTable(SQLModel, registry=registry()):
    """The cache's own family of tables, apart from the ledger's."""


_ARGUMENTS: dict[str, tuple[Any, ...]] = {
    # A rep's days lie together, so that computing a rep reads one stretch of the file; the id alone finds a record too.
    "interaction": (
        UniqueConstraint("connection", "id"),
        {"sqlite_with_rowid": False},
    ),
    "link": (Index("link_ends", "connection", "from_kind", "from_id", "to_kind"),),
}

_KEYS: dict[str, tuple[str, ...]] = {"interaction": ("connection", "rep", "day", "id")}


def _table_of(kind: str, record: type[Record]) -> Table:
    """The SQLModel table of a record kind."""
    keys = _KEYS.get(kind, ("connection", "id"))
    hints: dict[str, Any] = {"connection": str, **typing.get_type_hints(record)}
    if kind == "interaction":
        hints["day"] = int
    # Keys come first and in their order: where they do not, SQLite 3.40 calls a sound clustered table damaged.
    columns = {name: _column(hints[name], name in keys) for name in dict.fromkeys((*keys, *hints))}
    arguments: dict[str, Any] = {
        "__tablename__": kind,
        "__table_args__": _ARGUMENTS.get(kind, ()),
        "__module__": __name__,
    }
    base = types.new_class(f"{record.__name__}Base", (CacheTable,), exec_body=lambda body: body.update(arguments))
    made: Any = create_model(record.__name__, __base__=base, __cls_kwargs__={"table": True}, **columns)
    table: Table = made.__table__
    return table


def _column(hint: Any, is_key: bool) -> Any:
    """A record field's declaration as a SQLModel column."""
    parts = typing.get_args(hint) if isinstance(hint, types.UnionType) or typing.get_origin(hint) else (hint,)
    kind = next(part for part in parts if part is not type(None))
    kind = getattr(kind, "__supertype__", kind)
    nullable = type(None) in parts and not is_key
    options: dict[str, Any] = {"primary_key": is_key, "nullable": nullable}
    if kind is int:
        options["sa_type"] = BigInteger
    return (kind | None, Field(default=None, **options)) if nullable else (kind, Field(**options))


RECORDS: dict[str, Table] = {kind: _table_of(kind, record) for kind, record in KINDS.items()}
"""The table of each record kind."""

KIND_OF: dict[type[Record], str] = {record: kind for kind, record in KINDS.items()}

COLUMNS: dict[str, tuple[str, ...]] = {
    kind: ("connection", *record.__struct_fields__, *(("day",) if kind == "interaction" else ()))
    for kind, record in KINDS.items()
}
"""A stored row as a tuple: the connection, then the record's fields in their order."""


class About(CacheTable, table=True):
    """What the cache knows of itself: its version, whose data it holds, in which zone its days were worked out."""

    __tablename__ = "cache_about"

    connection: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    value: str


class Cursor(CacheTable, table=True):
    """Where a stream is to be read on."""

    __tablename__ = "cache_cursor"

    connection: str = Field(primary_key=True)
    stream: str = Field(primary_key=True)
    value: str


class UnreadRecord(CacheTable, table=True):
    """A record of the CRM that could not be understood."""

    __tablename__ = "cache_unread"

    connection: str = Field(primary_key=True)
    stream: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    reason: str


class Seen(CacheTable, table=True):
    """A record that came since everything is being read again."""

    __tablename__ = "cache_seen"
    __table_args__ = ({"sqlite_with_rowid": False},)

    connection: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    id: str = Field(primary_key=True)


class Before(CacheTable, table=True):
    """A record that changed since values were computed, as it was then; None: there was none."""

    __tablename__ = "cache_before"
    __table_args__ = ({"sqlite_with_rowid": False},)

    connection: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    record: bytes | None = Field(default=None, sa_type=LargeBinary)


class Part(CacheTable, table=True):
    """A slice of a frame that the engine keeps between runs, in Arrow's file format: exact for every type."""

    __tablename__ = "cache_part"

    connection: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    slice: int = Field(primary_key=True)
    frame: bytes = Field(sa_type=LargeBinary)


def _own(model: type[SQLModel]) -> Table:
    table: Table = model.__table__  # type: ignore[attr-defined]
    return table


ABOUT, CURSORS, UNREAD, SEEN = _own(About), _own(Cursor), _own(UnreadRecord), _own(Seen)
BEFORE, PARTS = _own(Before), _own(Part)
