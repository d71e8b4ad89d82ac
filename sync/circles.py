"""Finds the records that have to do with each other, from a few of them on: whoever counts one may look at the others.

A record hangs on ids: an interaction on its own, its thread's, its message's; a link on those at its ends. Records that
hang on a common id belong together, and so on. People and leads share their ids (a lead may be a contact), everything
else is apart. What everyone's records refer to (reps, campaigns, quotas, rates) brings nobody together.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, TextClause, text

from sync import before
from sync.landing import Row, stored
from sync.tables import COLUMNS

Hook = tuple[str, str]
"""The class of an id, and the id."""

PERSON, DEAL, INTERACTION, TASK, THREAD, MESSAGE, TWIN = (
    "person",
    "deal",
    "interaction",
    "task",
    "thread",
    "message",
    "twin",
)

HOOKS: dict[str, tuple[tuple[str, str], ...]] = {
    "person": ((PERSON, "id"), (PERSON, "merged_into")),
    "lead": ((PERSON, "id"), (PERSON, "person"), (PERSON, "merged_into"), (DEAL, "deal")),
    "interaction": (
        (INTERACTION, "id"),
        (INTERACTION, "logs"),
        (THREAD, "thread"),
        (MESSAGE, "message_id"),
        (TWIN, "external_id"),
    ),
    "task": ((TASK, "id"),),
    "event": ((PERSON, "person"),),
    "deal": ((DEAL, "id"), (DEAL, "merged_into")),
    "split": ((DEAL, "deal"),),
}
"""Kind → (class of id, column) of the ids that a record hangs on; a link hangs on its two ends."""

FREE = ("rep", "campaign", "quota", "rate")
"""Kinds that hang on nothing: what everyone's records refer to."""


def hooks(kind: str, row: Row) -> set[Hook]:
    """The ids that a stored record hangs on. A blank id is none."""
    place = _PLACES[kind]
    if kind == "link":
        ends = ((row[place["from_kind"]], row[place["from_id"]]), (row[place["to_kind"]], row[place["to_id"]]))
        return {(of, id_) for of, id_ in ends if id_}
    return {(of, row[place[column]]) for of, column in HOOKS[kind] if row[place[column]]}


_PLACES = {kind: {name: place for place, name in enumerate(columns)} for kind, columns in COLUMNS.items()}


@dataclass(frozen=True)
class Around:
    """The records of whole circles by kind: as they were when values were computed, and as they are."""

    before: dict[str, list[Row]]
    after: dict[str, list[Row]]


def around(sql: Connection, connection: str, also: Iterable[tuple[str, str]], most: int) -> Around | None:
    """Everything that has to do with a record that changed, or with one of `also` (kind, id); None if that is more than
    `most` records."""
    noted = {kind: rows for kind, rows in before.read(sql, connection).items() if kind not in FREE}
    now = {kind: stored(sql, connection, kind, rows) for kind, rows in noted.items()}
    seeds = {(PERSON if kind in ("lead", "event") else kind, id_) for kind, id_ in also}
    for kind, rows in noted.items():
        for row in (*rows.values(), *now[kind].values()):
            seeds |= set() if row is None else hooks(kind, row)
    found = reach(sql, connection, seeds, most)
    if found is None:
        return None
    for kind, current in now.items():
        found[kind] |= current
    was = {kind: _as_before(rows, noted.get(kind, {})) for kind, rows in found.items()}
    return Around(was, {kind: list(rows.values()) for kind, rows in found.items()})


def _as_before(rows: Mapping[str, Row], noted: Mapping[str, Row | None]) -> list[Row]:
    unchanged = [row for id_, row in rows.items() if id_ not in noted]
    return [*unchanged, *(row for row in noted.values() if row is not None)]


def reach(sql: Connection, connection: str, seeds: Iterable[Hook], most: int) -> dict[str, dict[str, Row]] | None:
    """Kind → id → every record that has to do with the seeds; None if there are more than `most`."""
    sql.execute(text("CREATE TEMPORARY TABLE IF NOT EXISTS kpisync_frontier (class TEXT, id TEXT)"))
    found: dict[str, dict[str, Row]] = {kind: {} for kind in (*HOOKS, "link")}
    seen: set[Hook] = set()
    fresh = set(seeds)
    while fresh:
        seen |= fresh
        sql.execute(text("DELETE FROM kpisync_frontier"))
        sql.execute(_WIDEN, [{"class": of, "id": id_} for of, id_ in fresh])
        near: set[Hook] = set()
        for kind, query in _NEAR:
            for row in map(tuple, sql.execute(query, {"connection": connection})):
                if row[1] not in found[kind]:
                    found[kind][row[1]] = row
                    near |= hooks(kind, row)
        if sum(map(len, found.values())) > most:
            return None
        fresh = near - seen
    return found


_WIDEN = text("INSERT INTO kpisync_frontier (class, id) VALUES (:class, :id)")


def _near(kind: str, tied: str, of: str) -> tuple[str, TextClause]:
    """The records of a kind that hang on an id of the frontier. The cross join makes SQLite look every id up, where its
    planner would walk the whole table; so does asking for the connection in a way that no index answers."""
    columns = ", ".join(f'{kind}."{name}"' for name in COLUMNS[kind])
    return kind, text(  # nothing but our own names
        f"SELECT {columns} FROM kpisync_frontier AS near CROSS JOIN {kind} WHERE {tied} AND {of} = :connection"  # noqa: S608
    )


def _by_column(kind: str, of: str, column: str) -> tuple[str, TextClause]:
    tied = f"near.class = '{of}' AND {kind}.\"{column}\" = near.id"
    if column == "id":
        return _near(kind, tied, f"{kind}.connection")
    return _near(kind, f'{tied} AND {kind}."{column}" IS NOT NULL', f"{kind}.connection || ''")


_NEAR: list[tuple[str, TextClause]] = [
    *(_by_column(kind, of, column) for kind, pairs in HOOKS.items() for of, column in pairs),
    *(
        _near("link", f"link.{end}_kind = near.class AND link.{end}_id = near.id", "link.connection")
        for end in ("from", "to")
    ),
]


def index(sql: Connection) -> None:
    """Make the indexes by which hooks are found: only once there are values, because a first load pays for each."""
    for kind, pairs in HOOKS.items():
        for column in (column for _, column in pairs if column != "id"):
            named = f'CREATE INDEX IF NOT EXISTS {kind}_by_{column} ON {kind} ("{column}") WHERE "{column}" IS NOT NULL'
            sql.execute(text(named))
    sql.execute(text("CREATE INDEX IF NOT EXISTS link_by_end ON link (connection, to_kind, to_id)"))
