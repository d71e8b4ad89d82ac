"""Whose a record is: the rep's key, zone and present day; everything without a known owner is `unassigned`."""

import narwhals.stable.v2 as nw
import polars as pl

from kpi_engine.periods import local_day, zone_of
from kpi_engine.populations.frame import Frame, collected, portable
from kpi_engine.records import UNASSIGNED, Company, Millis

SCHEMA = pl.Schema(
    {
        "rep": pl.Utf8,
        "name": pl.Utf8,
        "email": pl.Utf8,
        "active": pl.Boolean,
        "manager": pl.Utf8,
        "zone": pl.Utf8,
        "today": pl.Int32,
    }
)


def known_reps(reps: Frame, company: Company, as_of: Millis) -> pl.DataFrame:
    """Everyone who sells, and `unassigned`; `today` is the day of `as_of` in the rep's zone."""
    known = collected(reps.filter(nw.col("known"), ~nw.col("deleted")).sort("id"))
    above = _known_managers(reps, known["id"].to_list())
    home = zone_of(company.time_zone)
    rows = [
        (row["id"], row["name"], row["email"], row["active"], above.get(row["id"]), zone_of(row["time_zone"], home))
        for row in known.iter_rows(named=True)
    ]
    rows.append((UNASSIGNED, UNASSIGNED, None, False, None, home))
    return pl.DataFrame([(*row, local_day(as_of, row[-1])) for row in rows], schema=SCHEMA, orient="row")


def _known_managers(reps: Frame, known: list[str]) -> dict[str, str | None]:
    """Rep → the first known user up the chain of managers, whoever stands between."""
    manager: dict[str, str | None] = dict(collected(reps.select("id", "manager")).iter_rows())
    chains = {rep: _chain(rep, manager) for rep in known}
    who = frozenset(known)
    return {rep: next((boss for boss in chain if boss in who), None) for rep, chain in chains.items()}


def owned(frame: Frame, column: str, reps: pl.DataFrame) -> Frame:
    """`frame` with `rep` (the key), `zone` and `today` of the rep whose id is in `column`; that id stays as `owner`."""
    who = portable(reps.filter(pl.col("rep") != UNASSIGNED).select("rep", "zone", "today")).rename({"rep": "_rep"})
    nobody = reps.filter(pl.col("rep") == UNASSIGNED).row(0, named=True)
    named = frame if column == "owner" else frame.rename({column: "owner"})
    joined = named.with_columns(_owner=nw.col("owner")).join(who, left_on="_owner", right_on="_rep", how="left")
    return joined.with_columns(
        rep=nw.when(nw.col("zone").is_null()).then(nw.lit(UNASSIGNED)).otherwise(nw.col("owner")),
        zone=nw.col("zone").fill_null(nobody["zone"]),
        today=nw.col("today").fill_null(nobody["today"]),
    ).drop("_owner")


def teams(reps: pl.DataFrame) -> dict[str, tuple[str, ...]]:
    """Manager → manager and all direct and indirect reports, for everyone known who manages somebody."""
    manager = {row["rep"]: row["manager"] for row in reps.iter_rows(named=True)}
    members: dict[str, set[str]] = {}
    for rep in manager:
        for boss in _chain(rep, manager):
            if boss in manager:
                members.setdefault(boss, {boss}).add(rep)
    return {boss: tuple(sorted(team)) for boss, team in sorted(members.items())}


def _chain(rep: str, manager: dict[str, str | None]) -> list[str]:
    """The rep's manager, the manager's manager and so on; a circle is gone round once."""
    chain: list[str] = []
    boss = manager.get(rep)
    while boss is not None and boss != rep and boss not in chain:
        chain.append(boss)
        boss = manager.get(boss)
    return chain


def team_key(manager: str) -> str:
    """The rep key of a manager's team."""
    return f"team:{manager}"
