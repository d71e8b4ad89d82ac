"""Reads the cache in batches that have nothing to do with each other, so that memory does not grow with history.

Which records hang together (`sync.circles`) is found from their ids alone: a graph of hashes, whose connected
components scipy finds. Two ids with the same hash bring two circles together that need not be; that does no harm. Then
every table is read once, in portions, and laid out on the disk by batch.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from kpi_engine.frames import Tables
from sync.circles import HOOKS

BATCH = 250_000
"""So many records make a batch; a circle is never divided, however large."""

Portions = Callable[[str, tuple[str, ...]], Iterator[pl.DataFrame]]
"""The records of a kind, some of their columns, a portion at a time."""

KINDS = (*HOOKS, "link")

Hashes = NDArray[np.uint64]


def in_batches(
    portions: Portions, columns: Mapping[str, tuple[str, ...]], folder: Path, at_once: int | None = None
) -> Iterator[Tables]:
    """The tables of one batch after the other, of about `at_once` records; `columns` are those of each kind. `folder`
    is used for them."""
    batch_of = _batches(portions, at_once or BATCH)
    (folder / "0").mkdir()
    for kind in KINDS:
        for number, frame in enumerate(portions(kind, columns[kind])):
            hooked = frame.with_columns(_hook=_first_hook(kind)).join(batch_of, on="_hook", how="left")
            numbered = hooked.drop("_hook").with_columns(pl.col("_batch").fill_null(0))
            for (batch,), some in numbered.partition_by("_batch", as_dict=True, include_key=False).items():
                (folder / str(batch)).mkdir(exist_ok=True)
                some.write_ipc(folder / str(batch) / f"{kind}-{number}.arrow")
    empty = {kind: pl.DataFrame(schema=columns) for kind, columns in _schemas(portions, columns).items()}
    for batch in sorted(folder.iterdir(), key=lambda path: int(path.name)):
        yield {kind: _laid_out(batch, kind, empty[kind]) for kind in KINDS}


def _schemas(portions: Portions, columns: Mapping[str, tuple[str, ...]]) -> dict[str, pl.Schema]:
    return {kind: next(portions(kind, columns[kind])).schema for kind in KINDS}


def _laid_out(batch: Path, kind: str, empty: pl.DataFrame) -> pl.LazyFrame:
    files = sorted(batch.glob(f"{kind}-*.arrow"))
    return pl.concat([empty, *(pl.read_ipc(file) for file in files)]).lazy()


# ── which records hang together ──────────────────────────────────────────────────────────────────────────────────────


def _hooks(kind: str) -> list[pl.Expr]:
    """The hashes of the ids that a record hangs on, null where there is none."""
    if kind == "link":
        return [_hash(pl.col(f"{end}_kind"), f"{end}_id") for end in ("from", "to")]
    return [_hash(pl.lit(of), column) for of, column in HOOKS[kind]]


def _hash(of: pl.Expr, column: str) -> pl.Expr:
    said = pl.col(column).is_not_null() & (pl.col(column) != "")
    return pl.when(said).then(pl.concat_str(of, pl.lit(" "), pl.col(column)).hash(seed=1))


def _first_hook(kind: str) -> pl.Expr:
    return pl.coalesce(_hooks(kind))


def _columns(kind: str) -> tuple[str, ...]:
    if kind == "link":
        return ("from_kind", "from_id", "to_kind", "to_id")
    return tuple(dict.fromkeys(column for _, column in HOOKS[kind]))


def _batches(portions: Portions, at_once: int) -> pl.DataFrame:
    """(_hook, _batch) of every hook that is the first one of a record."""
    records, ends = _graph(portions)
    nodes, many = np.unique(records, return_counts=True)
    every = np.union1d(nodes, ends)
    one, other = (np.searchsorted(every, side).astype(np.int32) for side in (ends[:, 0], ends[:, 1]))
    tied = np.ones(len(one), dtype=np.bool_), (one, other)
    graph = coo_array(tied, shape=(len(every), len(every)))  # type: ignore[no-untyped-call]
    _, circle = connected_components(graph, directed=False)
    of_nodes = circle[np.searchsorted(every, nodes)]
    sizes = np.bincount(of_nodes, weights=many, minlength=int(circle.max(initial=0)) + 1)
    batch = (np.cumsum(sizes) - sizes) // at_once
    return pl.DataFrame({"_hook": nodes, "_batch": batch[of_nodes].astype(np.int64)})


def _graph(portions: Portions) -> tuple[Hashes, Hashes]:
    """The first hook of every record, and (first, other) for each other hook."""
    records: list[Hashes] = [np.empty(0, dtype=np.uint64)]
    ends: list[Hashes] = [np.empty((0, 2), dtype=np.uint64)]
    for kind in KINDS:
        for frame in portions(kind, _columns(kind)):
            hooks = frame.select(
                _first_hook(kind).alias("first"), *(each.alias(str(n)) for n, each in enumerate(_hooks(kind)))
            )
            hooks = hooks.filter(pl.col("first").is_not_null())
            records.append(hooks["first"].to_numpy())
            for name in hooks.columns[1:]:
                told = hooks.filter(pl.col(name) != pl.col("first"))
                ends.append(np.column_stack((told["first"].to_numpy(), told[name].to_numpy())))
    return np.concatenate(records), np.concatenate(ends)
