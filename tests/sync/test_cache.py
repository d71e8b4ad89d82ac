"""The cache takes pages whole, counts real changes, and never lets an older copy win."""

import sqlite3
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

import msgspec
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.contract import Page, Unread
from connectors.errors import GuardStopped
from kpi_engine.frames import SCHEMAS
from kpi_engine.records import KINDS, Record
from sync.cache import Absorbed, Cache
from sync.errors import CacheUnusable
from tests.sync.worlds import call, lead, link, rep, won


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache.open(f"sqlite:///{tmp_path}/cache.db", "acme")


def page(*rows: Record, stream: str = "everything", cursor: str = "1", **more: object) -> Page:
    return Page(stream=stream, rows=rows, cursor=cursor, **more)  # type: ignore[arg-type]


def stored(cache: Cache, kind: str) -> dict[str, dict[str, object]]:
    frame = cache.tables()[kind].collect()
    return {row["id"]: row for row in frame.to_dicts()}


def days(cache: Cache) -> dict[str, str]:
    frame = cache.tables()["interaction"].select("id", pl.col("day").cast(pl.Date)).collect()
    return {id_: str(day) for id_, day in frame.iter_rows()}


def test_what_lands_is_read_back_as_the_engine_wants_it(cache: Cache) -> None:
    deal = won("d1", "ana", 1500, "2026-03-02T10:00", channel="Web")
    cache.absorb(page(rep("ana"), deal, call("c1", None, "2026-03-02T10:00")), "UTC")

    for kind, schema in SCHEMAS.items():
        assert cache.tables()[kind].collect_schema() == schema
    assert stored(cache, "deal")["d1"] == msgspec.structs.asdict(deal)
    assert stored(cache, "interaction")["c1"]["rep"] is None


def test_every_kind_of_record_has_a_table_with_its_columns(cache: Cache) -> None:
    for kind, record in KINDS.items():
        columns = cache.tables([kind])[kind].collect_schema().names()
        assert columns[: len(record.__struct_fields__)] == list(record.__struct_fields__)


def test_a_page_delivered_again_changes_nothing(cache: Cache) -> None:
    first = page(rep("ana"), call("c1", "ana", "2026-03-02T10:00"), lead("l1", "ana"))
    assert cache.absorb(first, "UTC") == Absorbed(changed={"rep": 1, "interaction": 1, "lead": 1}, deleted=0, unread=0)
    assert cache.absorb(first, "UTC") == Absorbed(changed={}, deleted=0, unread=0)


def test_the_echo_of_our_own_write_moves_the_stamp_and_is_no_change(cache: Cache) -> None:
    cache.absorb(page(rep("ana", modified=1)), "UTC")
    assert cache.absorb(page(rep("ana", modified=9)), "UTC").changed == {}
    assert stored(cache, "rep")["ana"]["modified"] == 9


def test_an_older_page_never_overwrites_a_newer_row(cache: Cache) -> None:
    cache.absorb(page(rep("ana", modified=5, name="Ana Ruiz")), "UTC")
    assert cache.absorb(page(rep("ana", modified=4, name="Ana Old")), "UTC").changed == {}
    assert stored(cache, "rep")["ana"]["name"] == "Ana Ruiz"


def test_an_older_copy_does_not_win_after_an_echo_of_the_newer_one(cache: Cache) -> None:
    cache.absorb(page(rep("ana", modified=1, name="Ana")), "UTC")
    cache.absorb(page(rep("ana", modified=9, name="Ana")), "UTC")
    cache.absorb(page(rep("ana", modified=5, name="Between")), "UTC")
    assert stored(cache, "rep")["ana"]["name"] == "Ana"


def test_of_two_copies_in_one_page_the_newer_one_stays(cache: Cache) -> None:
    cache.absorb(page(rep("ana", modified=7, name="New"), rep("ana", modified=3, name="Old")), "UTC")
    assert stored(cache, "rep")["ana"]["name"] == "New"


def test_a_channel_once_known_stays(cache: Cache) -> None:
    cache.absorb(page(lead("l1", "ana", channel=None)), "UTC")
    cache.absorb(page(lead("l1", "ana", modified=2, channel="Web")), "UTC")
    assert cache.absorb(page(lead("l1", "ana", modified=3, channel="Referral")), "UTC").changed == {}
    assert stored(cache, "lead")["l1"]["channel"] == "Web"


def test_a_deletion_counts_once_and_the_record_stays(cache: Cache) -> None:
    cache.absorb(page(call("c1", "ana", "2026-03-02T10:00")), "UTC")
    gone = page(call("c1", "ana", "2026-03-02T10:00", modified=2, deleted=True))
    assert cache.absorb(gone, "UTC") == Absorbed(changed={}, deleted=1, unread=0)
    assert cache.absorb(gone, "UTC") == Absorbed(changed={}, deleted=0, unread=0)
    assert stored(cache, "interaction")["c1"]["deleted"] is True


def test_a_record_can_vanish_without_one_of_its_own(cache: Cache) -> None:
    cache.absorb(page(lead("l1", "ana"), lead("l2", "ana")), "UTC")
    assert cache.absorb(page(gone=[("lead", "l1"), ("lead", "never-seen")]), "UTC").deleted == 1
    assert {id_: row["deleted"] for id_, row in stored(cache, "lead").items()} == {"l1": True, "l2": False}


def test_what_a_whole_table_no_longer_has_is_gone(cache: Cache) -> None:
    cache.absorb(page(rep("ana"), rep("ben"), whole=["rep"]), "UTC")
    assert cache.absorb(page(rep("ana"), whole=["rep"]), "UTC").deleted == 1
    assert stored(cache, "rep")["ben"]["deleted"] is True


def test_relinked_ends_keep_exactly_the_links_of_the_page(cache: Cache) -> None:
    old = [link("interaction", "c1", "person", "p1"), link("interaction", "c1", "person", "p2")]
    other = link("interaction", "c1", "deal", "d1")
    cache.absorb(page(*old, other), "UTC")

    ends = [("interaction", "c1", "person")]
    new = page(old[1], link("interaction", "c1", "person", "p3"), relinked=ends)
    assert cache.absorb(new, "UTC") == Absorbed(changed={"link": 1}, deleted=1, unread=0)
    alive = {row["to_id"] for row in stored(cache, "link").values() if not row["deleted"]}
    assert alive == {"p2", "p3", "d1"}


def test_links_of_an_older_page_do_not_come_back(cache: Cache) -> None:
    older = page(
        call("c1", "ana", "2026-03-02T10:00", modified=1),
        link("interaction", "c1", "person", "p1", modified=1),
        relinked=[("interaction", "c1", "person")],
    )
    newer = page(
        call("c1", "ana", "2026-03-02T10:00", modified=2, duration_ms=60_000),
        link("interaction", "c1", "person", "p2", modified=2),
        relinked=[("interaction", "c1", "person")],
    )
    cache.absorb(older, "UTC")
    cache.absorb(newer, "UTC")
    cache.absorb(older, "UTC")
    alive = {row["to_id"] for row in stored(cache, "link").values() if not row["deleted"]}
    assert alive == {"p2"}


def test_the_cursor_is_kept_with_its_page_and_can_be_forgotten(cache: Cache) -> None:
    assert cache.cursor("calls") is None
    cache.absorb(page(stream="calls", cursor="2026-03-02"), "UTC")
    assert cache.cursor("calls") == "2026-03-02"
    cache.forget("calls")
    assert cache.cursor("calls") is None


def test_a_page_that_breaks_in_the_middle_leaves_neither_rows_nor_cursor(cache: Cache) -> None:
    nameless = msgspec.structs.replace(rep("ben"), name=None)
    with pytest.raises(CacheUnusable):
        cache.absorb(page(call("c1", "ana", "2026-03-02T10:00"), nameless, cursor="2"), "UTC")
    assert stored(cache, "interaction") == {}
    assert cache.cursor("everything") is None


def test_unread_records_are_listed_until_they_can_be_read(cache: Cache) -> None:
    note = Unread("calls", "c1", "its date is 2026-02-31")
    assert cache.absorb(page(stream="calls", unread=[note]), "UTC").unread == 1
    assert list(cache.unread()) == [note]
    cache.absorb(page(call("c1", "ana", "2026-02-28T10:00"), stream="calls"), "UTC")
    assert list(cache.unread()) == []


def test_the_day_of_a_call_is_its_reps(cache: Cache) -> None:
    late = "2026-03-02T23:30"  # in Madrid (UTC+1) it is the 3rd already, in New York (UTC-5) still the 2nd
    cache.absorb(page(rep("ana", zone="Europe/Madrid"), rep("ben", zone="America/New_York"), rep("cleo")), "UTC")
    cache.absorb(
        page(call("a", "ana", late), call("b", "ben", late), call("c", "cleo", late), call("n", None, late)), "UTC"
    )
    assert days(cache) == {"a": "2026-03-03", "b": "2026-03-02", "c": "2026-03-02", "n": "2026-03-02"}


def test_a_plain_date_is_never_shifted(cache: Cache) -> None:
    dated = call("m", "ana", "2026-03-02T10:00", at=None, on=(date(2026, 3, 2) - date(1970, 1, 1)).days)
    undated = call("u", "ana", "2026-03-02T10:00", at=None, on=None)
    cache.absorb(page(rep("ana", zone="Pacific/Auckland"), dated, undated), "UTC")
    assert days(cache) == {"m": "2026-03-02", "u": "None"}


def test_a_rep_who_moves_takes_the_days_along(cache: Cache) -> None:
    cache.absorb(page(rep("ana", zone="Europe/Madrid"), call("c1", "ana", "2026-03-02T23:30")), "UTC")
    moved = cache.absorb(page(rep("ana", modified=2, zone="America/New_York")), "UTC")
    assert moved.changed == {"rep": 1, "interaction": 1}
    assert days(cache) == {"c1": "2026-03-02"}


def test_a_rep_who_comes_after_the_calls_still_gives_them_their_day(cache: Cache) -> None:
    cache.absorb(page(call("c1", "ana", "2026-03-02T23:30")), "UTC")
    cache.absorb(page(rep("ana", zone="Europe/Madrid")), "UTC")
    assert days(cache) == {"c1": "2026-03-03"}


def test_a_company_that_moves_takes_the_days_of_those_without_a_zone_along(cache: Cache) -> None:
    late = "2026-03-02T23:30"
    cache.absorb(page(rep("ana", zone="UTC"), rep("ben"), call("a", "ana", late), call("b", "ben", late)), "UTC")
    assert cache.live_in("Europe/Madrid") == 1
    assert days(cache) == {"a": "2026-03-02", "b": "2026-03-03"}
    assert cache.live_in("Europe/Madrid") == 0


def test_two_connections_share_a_file_and_do_not_see_each_other(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/cache.db"
    one, other = Cache.open(url, "one"), Cache.open(url, "other")
    one.absorb(page(rep("ana", name="One's")), "UTC")
    other.absorb(page(rep("ana", name="Other's")), "UTC")
    assert stored(one, "rep")["ana"]["name"] == "One's"
    assert other.absorb(page(whole=["rep"]), "UTC").deleted == 1
    assert one.counts()["rep"] == 1


def test_another_organisations_records_are_refused(cache: Cache) -> None:
    cache.belong_to("Acme (00D1)")
    cache.belong_to("Acme (00D1)")
    with pytest.raises(GuardStopped, match="KPI-GUARD-002"):
        cache.belong_to("Other (00D2)")


def test_a_frame_comes_back_exactly_as_it_was_written(cache: Cache) -> None:
    frame = pl.DataFrame(
        {
            "rep": ["ana", None],
            "won": [True, None],
            "n": pl.Series([1, None], dtype=pl.Int32),
            "at": [2**53 + 1, None],
            "score": [0.1 + 0.2, None],
            "day": [date(2026, 3, 2), None],
            "money": pl.Series([Decimal("12345678901234.000000000001"), None], dtype=pl.Decimal(38, 12)),
        }
    )
    cache.keep([{"parts": {0: frame}, "empty": {0: frame.clear()}}], "these records", "", state="0")
    assert cache.read("parts").equals(frame)
    assert cache.read("empty").schema == frame.schema
    with pytest.raises(LookupError, match="never written"):
        cache.read("never written")


def test_a_cache_of_an_older_version_is_emptied_and_of_a_newer_one_refused(tmp_path: Path) -> None:
    path = tmp_path / "cache.db"
    Cache.open(f"sqlite:///{path}", "acme").absorb(page(rep("ana")), "UTC")
    _set_version(path, 0)
    assert Cache.open(f"sqlite:///{path}", "acme").counts()["rep"] == 0
    _set_version(path, 99)
    with pytest.raises(CacheUnusable, match="KPI-CACHE-007"):
        Cache.open(f"sqlite:///{path}", "acme")


def _set_version(path: Path, version: int) -> None:
    with sqlite3.connect(path) as sql:
        sql.execute("UPDATE cache_about SET value = ? WHERE name = 'version'", (str(version),))


def test_a_file_that_is_no_cache_is_named_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "cache.db"
    path.write_bytes(b"this is not a database at all, but long enough to be taken for one" * 20)
    with pytest.raises(CacheUnusable, match="KPI-CACHE-002"):
        Cache.open(f"sqlite:///{path}", "acme")
    assert path.read_bytes().startswith(b"this is not")


def test_a_cache_held_by_another_program_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    path = tmp_path / "cache.db"
    cache = Cache.open(f"sqlite:///{path}", "acme", busy_milliseconds=10)
    holder = sqlite3.connect(path)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(CacheUnusable, match="KPI-CACHE-003"):
        cache.absorb(page(rep("ana")), "UTC")
    holder.rollback()
    assert cache.counts()["rep"] == 0


def test_a_damaged_page_of_the_file_is_found(tmp_path: Path) -> None:
    path = tmp_path / "cache.db"
    cache = Cache.open(f"sqlite:///{path}", "acme")
    cache.absorb(page(*(call(f"c{n}", "ana", "2026-03-02T10:00") for n in range(3000))), "UTC")
    assert cache.integrity() is None
    cache.close()
    with sqlite3.connect(path) as sql:
        sql.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(path.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 4096] = b"\xff" * 4096
    path.write_bytes(content)
    try:
        assert Cache.open(f"sqlite:///{path}", "acme").integrity() is not None
    except CacheUnusable as damaged:
        assert damaged.code == "KPI-CACHE-002"  # noqa: PT017 - either way it is said


KILLED = """
import sys
from connectors.contract import Page
from sync.cache import Cache
from tests.sync.worlds import call
cache = Cache.open(sys.argv[1], "acme")
for number in range(1000):
    rows = [call(f"c{number}-{row}", "ana", "2026-03-02T10:00") for row in range(500)]
    cache.absorb(Page(stream="calls", rows=rows, cursor=str(number)), "UTC")
    print(number, flush=True)
"""


def test_a_process_killed_while_it_writes_leaves_exactly_the_pages_before_its_cursor(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/cache.db"
    writer = subprocess.Popen([sys.executable, "-c", KILLED, url], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    while writer.stdout.readline() != "5\n":
        pass
    writer.kill()
    writer.wait()
    cache = Cache.open(url, "acme")
    last = int(cache.cursor("calls") or -1)
    assert last >= 5
    assert cache.counts()["interaction"] == (last + 1) * 500
    assert cache.integrity() is None


@given(
    deliveries=st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 20), st.booleans()), max_size=30),
    size=st.integers(1, 7),
)
@settings(max_examples=40, deadline=None)
def test_whatever_the_order_and_the_repetitions_the_newest_copy_stays(
    tmp_path_factory: pytest.TempPathFactory, deliveries: list[tuple[str, int, bool]], size: int
) -> None:
    cache = Cache.open(f"sqlite:///{tmp_path_factory.mktemp('any')}/cache.db", "acme")
    copies = [rep(id_, modified=stamp, name=f"{id_} as of {stamp}") for id_, stamp, _ in deliveries]
    copies += [copy for copy, (_, _, again) in zip(copies, deliveries, strict=True) if again]
    for start in range(0, len(copies), size):
        cache.absorb(page(*copies[start : start + size]), "UTC")
    newest = {copy.id: copy.modified for copy in sorted(copies, key=lambda copy: copy.modified)}
    assert {id_: row["name"] for id_, row in stored(cache, "rep").items()} == {
        id_: f"{id_} as of {stamp}" for id_, stamp in newest.items()
    }
    cache.close()
