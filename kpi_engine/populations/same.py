"""The same activity twice counts once: which interactions are the same, and what the one that stays takes over.

Going through calls that start within a minute of each other, one after the other, is no expression: this is Polars, and
plain Python on the few candidates.
"""

from collections import defaultdict
from collections.abc import Iterable

import polars as pl

from kpi_engine.periods import day_starts_at, local_day

APART_MS = 60_000
"""Calls, meetings and messages of one rep with the same person that start this close together are one."""

HAPPENED = pl.Schema({"absorbed": pl.Utf8, "kept": pl.Utf8})


def without_repeats(happened: pl.DataFrame, people: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, str]]:
    """The interactions that stay, filled from the others; and absorbed id → id that stayed.

    `happened` has the columns of an interaction and `rep` (the key); `people` is (id, person), merges followed.
    """
    by_id = _absorbed_by_id(happened)
    once = _filled(happened, by_id)
    by_time = _absorbed_by_time(once, people, by_id)
    kept = {**{old: by_time.get(new, new) for old, new in by_id.items()}, **by_time}
    return _filled(once, by_time), kept


def _absorbed_by_id(happened: pl.DataFrame) -> dict[str, str]:
    """By message id (e-mails), external id (the others), and the activity that only logged another one."""
    mails = happened.filter((pl.col("kind") == "email") & _says(pl.col("message_id")))
    others = happened.filter((pl.col("kind") != "email") & _says(pl.col("external_id")))
    logged = happened.filter(pl.col("logs").is_not_null() & (pl.col("logs") != pl.col("id")))
    logged = logged.filter(pl.col("logs").is_in(happened["id"].implode()))
    groups = [
        *_alike(mails, ["message_id"]),
        *_alike(others, ["kind", "external_id"]),
        *([row["id"], row["logs"]] for row in logged.select("id", "logs").iter_rows(named=True)),
    ]
    loggers = set(logged["logs"])
    cluster = _clusters(groups)
    order = _order(happened.filter(pl.col("id").is_in(list(cluster))), loggers)
    members: dict[str, list[str]] = defaultdict(list)
    for identity, root in cluster.items():
        members[root].append(identity)
    first = {root: min(ids, key=order.__getitem__) for root, ids in members.items()}
    return {identity: first[root] for identity, root in cluster.items() if identity != first[root]}


def _order(rows: pl.DataFrame, loggers: set[str]) -> dict[str, tuple[bool, int, bool, int, str]]:
    """Id → what orders it among the same ones: the earlier first, and those that only logged another one last."""
    found = rows.select("id", "at", "on", "zone").rows()
    return {row[0]: (row[0] in loggers, _begins(*row[1:]), *_by_id(row[0])) for row in found}


def _begins(at: int | None, on: int | None, zone: str) -> int:
    """The moment, or the first one of a plain date in its rep's zone."""
    return at if at is not None else day_starts_at(on or 0, zone)


def _says(identity: pl.Expr) -> pl.Expr:
    """A blank id says nothing: it must not make everything without one the same."""
    return (identity != "").fill_null(value=False)


def _by_id(identity: str) -> tuple[bool, int, str]:
    """Orders ids that are numbers as numbers, so that 99 comes before 100, and others as text."""
    is_number = identity.isascii() and identity.isdigit()
    return not is_number, int(identity) if is_number else 0, identity


def _alike(rows: pl.DataFrame, keys: list[str]) -> list[list[str]]:
    return rows.group_by(keys).agg("id").filter(pl.col("id").list.len() > 1)["id"].to_list()


def _clusters(groups: Iterable[list[str]]) -> dict[str, str]:
    """Id → the id that stands for its cluster."""
    root: dict[str, str] = {}

    def find(identity: str) -> str:
        while (above := root.setdefault(identity, identity)) != identity:
            root[identity] = root[above]
            identity = root[identity]
        return identity

    for first, *rest in groups:
        for other in rest:
            root[find(other)] = find(first)
    return {identity: find(identity) for identity in list(root)}


def _absorbed_by_time(once: pl.DataFrame, people: pl.DataFrame, by_id: dict[str, str]) -> dict[str, str]:
    """Same rep, kind, direction, a shared person, and at most a minute after the first one kept."""
    timed = once.filter((pl.col("kind") != "email") & pl.col("at").is_not_null())
    keys = ["rep", "kind", "way"]
    timed = timed.select("id", "at", "rep", "kind", way=pl.col("direction").fill_null("out"))
    kept_id = pl.col("id").replace(by_id) if by_id else pl.col("id")
    with_whom = people.with_columns(kept_id).unique()
    met = timed.join(with_whom, on="id").sort([*keys, "person", "at"])
    alike = pl.all_horizontal(pl.col(key) == pl.col(key).shift() for key in [*keys, "person"])
    follows = (alike & (pl.col("at").diff() <= APART_MS)).fill_null(value=False)
    close = met.filter(follows | follows.shift(-1, fill_value=False))
    candidates = timed.filter(pl.col("id").is_in(close["id"].implode()))
    persons: dict[str, set[str]] = defaultdict(set)
    for identity, person in with_whom.filter(pl.col("id").is_in(close["id"].implode())).iter_rows():
        persons[identity].add(person)
    absorbed: dict[str, str] = {}
    for _, rows in sorted(candidates.partition_by(keys, as_dict=True).items()):
        absorbed |= _one_after_the_other(rows, persons)
    return absorbed


def _one_after_the_other(rows: pl.DataFrame, persons: dict[str, set[str]]) -> dict[str, str]:
    absorbed: dict[str, str] = {}
    kept: list[tuple[int, str]] = []
    ordered = sorted(rows.select("at", "id").rows(), key=lambda row: (row[0], *_by_id(row[1])))
    for at, identity in ordered:
        kept = [(start, other) for start, other in kept if at - start <= APART_MS]
        same = next((other for _, other in kept if persons[other] & persons[identity]), None)
        if same is None:
            kept.append((at, identity))
            continue
        absorbed[identity] = same
        persons[same] |= persons[identity]
    return absorbed


def _filled(happened: pl.DataFrame, absorbed: dict[str, str]) -> pl.DataFrame:
    """The interactions that stay; what they lack comes from those they absorbed, the earlier ones first, and those
    that only logged another one last."""
    if not absorbed:
        return happened
    involved = [*absorbed, *absorbed.values()]
    touched = happened.filter(pl.col("id").is_in(involved))
    untouched = happened.filter(~pl.col("id").is_in(involved))
    order = _order(touched, set(happened["logs"].drop_nulls()))
    ranked = sorted(order, key=lambda identity: (identity in absorbed, order[identity]))
    rank = pl.col("id").replace_strict(ranked, range(len(ranked)), return_dtype=pl.Int64)
    grouped = touched.with_columns(_kept=pl.col("id").replace(absorbed)).sort(rank)
    columns = [pl.col(name).drop_nulls().first() for name in happened.columns if name not in ("id", "day")]
    merged = grouped.group_by("_kept", maintain_order=True).agg(*columns, pl.col("day").first()).rename({"_kept": "id"})
    return pl.concat([untouched, merged.select(happened.columns)])


def on_their_days(happened: pl.DataFrame, kept: Iterable[str]) -> pl.DataFrame:
    """Those that took over a moment or a rep fall on the day of that moment where that rep lives."""
    moved = happened.filter(pl.col("id").is_in(list(kept)), pl.col("at").is_not_null()).select("id", "at", "zone")
    days = [(identity, local_day(at, zone)) for identity, at, zone in moved.iter_rows()]
    found = pl.DataFrame(days, schema={"id": pl.Utf8, "_day": happened.schema["day"]}, orient="row")
    return happened.join(found, on="id", how="left").with_columns(day=pl.coalesce("_day", "day")).drop("_day")
