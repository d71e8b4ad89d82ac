"""What every connector must do, whatever its CRM: a test class that each CRM's own test file inherits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import polars as pl
import pytest

from connectors.contract import (
    Change,
    Connector,
    FieldValue,
    KpiField,
    NotProvisioned,
    Page,
    Provisioned,
    Refused,
    Surface,
    Written,
)
from kpi_engine.records import KINDS, Company, Day, Millis, Record, Rep
from sync.cache import Cache
from sync.ledger import Ledger
from sync.run import Job, Options, run

KPIS = (KpiField("calls_made", "Calls made", "count", 0), KpiField("win_rate", "Win rate", "ratio", 4))
CURSORS_TRIED = 5


class Crm(Protocol):
    """A CRM with a company in it, and what its people do there."""

    connector: Connector
    lead: str
    """A lead whose score may be written."""
    nobody: str
    """The id of a lead that does not exist."""
    now: Millis

    def edit(self) -> tuple[str, str]:
        """Someone changes a record; its kind and id."""
        ...

    def delete(self) -> tuple[str, str]:
        """Someone deletes a record; its kind and id."""
        ...


@dataclass
class Store:
    """A cache of its own for each question."""

    folder: Path
    made: int = 0

    def new(self) -> Cache:
        self.made += 1
        return Cache.open(f"sqlite:///{self.folder}/{self.made}.db", "acme")


def pages(connector: Connector, stream: str, cursor: str | None = None) -> list[Page]:
    return list(connector.read(stream, cursor))


def absorb(cache: Cache, found: Sequence[Page]) -> tuple[dict[str, int], int]:
    """What the pages changed: records by kind, and deletions."""
    changed: dict[str, int] = {}
    deleted = 0
    for page in found:
        absorbed = cache.absorb(page, "UTC")
        deleted += absorbed.deleted
        for kind, number in absorbed.changed.items():
            changed[kind] = changed.get(kind, 0) + number
    return changed, deleted


def holds(cache: Cache) -> dict[str, pl.DataFrame]:
    """What a cache knows, without stamps (a record touched while we read has another)."""
    return {kind: table.drop("modified").sort("id").collect() for kind, table in cache.tables().items()}


def living(cache: Cache) -> dict[str, pl.DataFrame]:
    """What counts: records that are not deleted, and links between such records."""
    alive = {kind: table.filter(~pl.col("deleted")) for kind, table in holds(cache).items()}
    ends = {
        "interaction": alive["interaction"]["id"],
        "task": alive["task"]["id"],
        "deal": alive["deal"]["id"],
        "person": pl.concat([alive["person"]["id"], alive["lead"]["id"]]),
    }
    for side in ("from", "to"):
        is_there = [
            pl.col(f"{side}_kind").ne(kind) | pl.col(f"{side}_id").is_in(ids.implode()) for kind, ids in ends.items()
        ]
        alive["link"] = alive["link"].filter(is_there)
    return alive


def assert_same(one: Cache, other: Cache) -> None:
    mine, yours = holds(one), holds(other)
    for kind in KINDS:
        assert mine[kind].equals(yours[kind]), kind


def read_all(connector: Connector, cache: Cache) -> None:
    for stream in connector.capabilities().streams:
        absorb(cache, pages(connector, stream, cache.cursor(stream)))


def made_by(outcomes: Iterable[Provisioned | NotProvisioned]) -> set[str]:
    """What was really made (or removed)."""
    return {one.what for one in list(outcomes) if isinstance(one, Provisioned) and one.made}


class ConnectorContract:
    """Inherit it, and define the fixture `crm`."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        return Store(tmp_path)

    @pytest.fixture
    def ready(self, crm: Crm) -> Crm:
        """The CRM with our places in it."""
        list(crm.connector.provision(KPIS))
        crm.connector.capabilities()
        return crm

    def test_it_says_whose_crm_it_is_and_names_its_streams_with_the_reps_first(self, crm: Crm) -> None:
        found = crm.connector.capabilities()
        assert found.organisation
        assert len(set(found.streams)) == len(found.streams)
        first = [row for page in pages(crm.connector, found.streams[0]) for row in page.rows]
        assert any(isinstance(row, Rep) for row in first)

    def test_it_reads_everything_as_our_records(self, crm: Crm, store: Store) -> None:
        cache = store.new()
        for stream in crm.connector.capabilities().streams:
            found = pages(crm.connector, stream)
            assert found, f"{stream} brings not even an empty page, which would mean that it is closed to us"
            for page in found:
                assert page.stream == stream
                assert page.cursor
                assert all(isinstance(row, Record) and row.id and row.modified >= 0 for row in page.rows)
                cache.absorb(page, "UTC")
        counts = cache.counts()
        assert all(counts[kind] > 0 for kind in ("rep", "lead", "interaction", "deal", "link"))

    def test_every_link_speaks_of_kinds_that_are_linked(self, crm: Crm, store: Store) -> None:
        cache = store.new()
        read_all(crm.connector, cache)
        ends = cache.tables()["link"].select("from_kind", "to_kind").unique().collect().rows()
        assert set(ends) <= {(one, other) for one in ("interaction", "task", "deal") for other in ("person", "deal")}

    def test_reading_on_from_any_cursor_ends_in_the_same_place(self, crm: Crm, store: Store) -> None:
        for stream in crm.connector.capabilities().streams:
            found = pages(crm.connector, stream)
            whole = store.new()
            absorb(whole, found)
            step = max(1, len(found) // CURSORS_TRIED)
            for number in range(0, len(found), step):
                resumed = store.new()
                absorb(resumed, found[: number + 1])
                absorb(resumed, pages(crm.connector, stream, found[number].cursor))
                assert_same(resumed, whole)

    def test_pages_in_any_order_end_in_the_same_place(self, crm: Crm, store: Store) -> None:
        forward, backward = store.new(), store.new()
        found = [page for stream in crm.connector.capabilities().streams for page in pages(crm.connector, stream)]
        absorb(forward, found)
        absorb(backward, [page for page in reversed(found) if not page.whole])
        absorb(backward, [page for page in found if page.whole])
        assert_same(forward, backward)

    def test_when_nothing_happened_nothing_changes(self, crm: Crm, store: Store) -> None:
        cache = store.new()
        read_all(crm.connector, cache)
        before = cache.state()
        read_all(crm.connector, cache)
        assert cache.state() == before

    def test_a_change_arrives(self, crm: Crm, store: Store) -> None:
        cache = store.new()
        read_all(crm.connector, cache)
        kind, id_ = crm.edit()
        before = holds(cache)[kind].filter(pl.col("id") == id_)
        read_all(crm.connector, cache)
        assert not holds(cache)[kind].filter(pl.col("id") == id_).equals(before)

    def test_a_deletion_arrives(self, crm: Crm, store: Store) -> None:
        cache = store.new()
        read_all(crm.connector, cache)
        kind, id_ = crm.delete()
        read_all(crm.connector, cache)
        assert holds(cache)[kind].filter(pl.col("id") == id_)["deleted"].to_list() == [True]

    def test_reading_everything_again_finds_what_reading_on_had_found(self, crm: Crm, store: Store) -> None:
        cache = store.new()
        read_all(crm.connector, cache)
        crm.edit()
        crm.delete()
        read_all(crm.connector, cache)
        before = living(cache)
        cache.forget_everything()
        read_all(crm.connector, cache)
        cache.sweep(crm.connector.capabilities().streams)
        after = living(cache)
        for kind in KINDS:
            assert after[kind].equals(before[kind]), kind

    def test_provisioning_twice_makes_everything_once(self, crm: Crm) -> None:
        planned = made_by(crm.connector.provision(KPIS, dry_run=True))
        assert planned
        assert made_by(crm.connector.provision(KPIS)) == planned
        assert made_by(crm.connector.provision(KPIS)) == set()

    def test_unprovisioning_removes_what_was_made_and_can_be_done_again(self, crm: Crm) -> None:
        made = made_by(crm.connector.provision(KPIS))
        assert made_by(crm.connector.unprovision(KPIS))
        assert made_by(crm.connector.unprovision(KPIS)) == set()
        assert made_by(crm.connector.provision(KPIS, dry_run=True)) == made
        assert Surface.KPI_RECORDS not in crm.connector.capabilities().surfaces

    def test_what_is_pushed_is_shown_and_pushing_it_again_makes_no_second_record(self, ready: Crm) -> None:
        rep = self._rep(ready)
        record = self._record(
            "acme:calls_made:x:month:2026-11-01", rep.id, value=12.5, n=3, reason=None, kpi="calls_made"
        )
        person = self._change(Surface.PERSON_FIELDS, str(rep.person_record), rep.id, calls_made=7)
        score = self._change(Surface.LEAD_SCORES, ready.lead, None, score=63.25, level="engaged")
        for _ in range(2):
            outcomes = list(ready.connector.push([record, person, score]))
            assert [type(outcome) for outcome in outcomes] == [Written] * 3, outcomes
            for change in (record, person, score):
                shown = ready.connector.show(change.surface, [change.key], tuple(change.after))
                assert {field: shown[change.key].get(field) for field in change.after} == {
                    field: value if value != "" else None for field, value in change.after.items()
                }

    def test_a_value_can_be_taken_back_to_a_blank(self, ready: Crm) -> None:
        key = "acme:win_rate:x:month:2026-11-01"
        list(ready.connector.push([self._record(key, self._rep(ready).id, value=0.25, kpi="win_rate")]))
        blank = Change(surface=Surface.KPI_RECORDS, key=key, rep=None, before={"value": 0.25}, after={"value": None})
        (outcome,) = ready.connector.push([blank])
        assert isinstance(outcome, Written)
        assert ready.connector.show(Surface.KPI_RECORDS, [key], ["value"])[key]["value"] is None

    def test_a_refused_record_does_not_keep_the_others_from_being_written(self, ready: Crm) -> None:
        rep = self._rep(ready)
        changes = [
            self._record(f"acme:calls_made:y{number}:month:2026-11-01", rep.id, value=number) for number in range(3)
        ]
        broken = self._change(Surface.LEAD_SCORES, ready.nobody, None, score=1)
        outcomes = {outcome.change.key: outcome for outcome in ready.connector.push([changes[0], broken, *changes[1:]])}
        assert len(outcomes) == 4
        refused = outcomes[ready.nobody]
        assert isinstance(refused, Refused)
        assert refused.code
        assert refused.reason
        assert refused.advice
        assert all(isinstance(outcomes[change.key], Written) for change in changes)

    def test_what_is_not_there_is_missing_from_what_is_shown(self, ready: Crm) -> None:
        assert ready.connector.show(Surface.KPI_RECORDS, ["acme:never:written"], ["value"]) == {}

    def test_a_second_round_trip_writes_nothing(self, ready: Crm, store: Store) -> None:
        cache = store.new()
        ledger = Ledger.open(f"sqlite:///{store.folder}/ledger.db", "acme", clock=lambda: ready.now)
        since = Day(ready.now // 86_400_000 - 62)
        options = Options(track=("calls_made", "win_rate"), write_grains=("month",), since=since)
        company = Company(connection="acme", time_zone="", fiscal_year_start=0)
        job = Job(name="acme", connector=ready.connector, company=company, options=options)
        first = run(job, cache, ledger, now=ready.now, as_of=ready.now)
        assert first.written > 0
        assert first.refused == ()
        again = run(job, cache, ledger, now=ready.now, as_of=ready.now)
        assert (dict(again.pulled.rows), again.pulled.deleted, again.planned) == ({}, 0, 0)

    def test_it_counts_its_calls(self, crm: Crm) -> None:
        before = crm.connector.calls()
        crm.connector.capabilities()
        assert crm.connector.calls() > before

    def _rep(self, crm: Crm) -> Rep:
        """An active rep whose person record may be written."""
        first = crm.connector.capabilities().streams[0]
        rows = [row for page in pages(crm.connector, first) for row in page.rows]
        reps = [row for row in rows if isinstance(row, Rep) and row.active and row.known and row.person_record]
        return reps[0]

    def _record(self, key: str, rep: str, **after: FieldValue) -> Change:
        return Change(surface=Surface.KPI_RECORDS, key=key, rep=rep, before={}, after={"rep": rep, **after}, new=True)

    def _change(self, surface: Surface, key: str, rep: str | None, **after: FieldValue) -> Change:
        return Change(surface=surface, key=key, rep=rep, before={}, after=after)
