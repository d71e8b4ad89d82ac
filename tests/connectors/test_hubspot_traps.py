"""What portals really hold, and what becomes of it: a company full of traps, read over HTTP by the real connector."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hubspot_world import NOW, Desk, ago, cursor, desk, rows, small_world

from crm_sandbox.world import (
    Allotment,
    Call,
    Email,
    ExchangeRate,
    Meeting,
    Message,
    Promotion,
    Sale,
    Seller,
    Todo,
    World,
)
from kpi_engine.records import Campaign, Day, Deal, Interaction, Link, Quota, Record, Rep, Task
from sync.cache import Cache

CROWD = 600
SHARED = 10_050
CLOSED = datetime(2026, 11, 10, 9, tzinfo=UTC)


def sale(key: str, owner: str | None = "ana", **more: object) -> Sale:
    """A deal that was won on 10 November."""
    usual = {"amount": Decimal(100), "closed_at": CLOSED}
    return Sale(key, key, ((ago(days=30), owner),), ago(days=30), "won", CLOSED.date(), **{**usual, **more})  # type: ignore[arg-type]


def trapped_world() -> World:
    """One company with every trap in it."""
    return small_world(
        sellers=(
            Seller("ana", "Ana Ruiz", "ana@x.test", time_zone="America/New_York"),
            Seller("ben", "Ben Ode", "ben@x.test", time_zone="Europe/Madrid"),
            Seller("gael", "Gaël Martín", "gael@x.test", active=False),
            Seller("new", "Nora New", "new@x.test"),
            Seller("desk", "Desk", "desk@x.test", kind="queue"),
        ),
        sales=(
            sale("no amount", amount=None),
            sale("dollars", amount=Decimal("108.50"), currency="USD"),
            sale("Piloto 🚀\nfase 1", people=("lea",)),
            sale("partner", "gael"),
            sale("two companies", account="Acme", people=("lea", "carl")),
            sale("alone", people=()),
            sale("crowded", people=("lea",)),
        ),
        calls=(
            Call("nobody", None, (), (), ago(days=3)),
            Call("bare", "ana", ("lea",), (), ago(days=3), None),
            Call("own result", "ana", ("lea",), (), ago(days=3), outcome="Pidió una demo", seconds=60),
            Call("missed", "ana", ("lea",), (), ago(days=3), "in", "No answer", 0),
            *(Call(f"crowd-{n}", "ben", (), ("crowded",), ago(days=9, minutes=n)) for n in range(CROWD)),
        ),
        emails=(
            Email("tracked", "ana", ("lea",), (), "out", ago(days=6), "A", "t1", "<1@x>", tracked=True, opens=(NOW,)),
            Email("unopened", "ana", ("lea",), (), "out", ago(days=6), "B", "t2", "<2@x>", tracked=True),
            Email("untracked", "ana", ("lea",), (), "out", ago(days=6), "C", "t3", "<3@x>"),
            Email("away", "ana", ("lea",), (), "in", ago(days=5), "Away", "t1", "<4@p>", out_of_office=True),
            Email("copy", "ana", ("lea",), (), "out", ago(days=5), "Fwd", "t4", "<5@x>"),
        ),
        meetings=tuple(
            Meeting(outcome or "none", "ana", ("lea",), (), ago(days=2), ago(days=2, hours=-1), ago(days=9), outcome)
            for outcome in (None, "cancelled", "no_show", "completed")
        ),
        messages=(
            Message("sms", "ana", ("lea",), (), ago(days=2)),
            Message("whatsapp", "ana", ("lea",), (), ago(days=2), "WHATS_APP"),
        ),
        todos=(Todo("done late", "ana", ("lea",), (), ago(days=9), date(2026, 11, 12), done=ago(days=1)),),
        promotions=(Promotion("free", "Free", None, date(2026, 3, 1), None),),
        allotments=(
            Allotment("ana", date(2026, 11, 1), date(2026, 12, 1), Decimal("50000")),
            Allotment("ben", date(2026, 11, 1), date(2026, 12, 1), Decimal("40000")),
        ),
        rates=(ExchangeRate("USD", date(2026, 1, 1), Decimal("1.0850")),),
    )


@pytest.fixture(scope="module")
def trapped() -> Iterator[Desk]:
    with desk(trapped_world(), without_user_record=["new"]) as opened:
        opened.portal.set("emails", opened.id_of("email", "copy"), {"hs_email_direction": "FORWARDED_EMAIL"})
        opened.portal.set("meetings", opened.id_of("meeting", "cancelled"), {"hs_meeting_outcome": "CANCELLED"})
        opened.portal.desk.associate(
            "deals", opened.id_of("sale", "two companies"), "companies", opened.id_of("company", "P")
        )
        yield opened


@pytest.fixture(scope="module")
def found(trapped: Desk) -> dict[str, Record]:
    """Every record that came, by its id."""
    every = [row for stream in trapped.hubspot.capabilities().streams for row in read(trapped, stream)]
    return {row.id: row for row in every if not isinstance(row, Link)}


def read(trapped: Desk, stream: str) -> list[Record]:
    pages = trapped.read(stream)
    assert not [page.unread for page in pages if page.unread]
    return rows(pages, Record)


def interaction(trapped: Desk, found: dict[str, Record], kind: str, key: str) -> Interaction:
    row = found[trapped.id_of(kind, key)]
    assert isinstance(row, Interaction)
    return row


def deal(trapped: Desk, found: dict[str, Record], key: str) -> Deal:
    row = found[trapped.id_of("sale", key)]
    assert isinstance(row, Deal)
    return row


def rep(trapped: Desk, found: dict[str, Record], key: str) -> Rep:
    row = found[trapped.id_of("seller", key)]
    assert isinstance(row, Rep)
    return row


def test_what_nobody_owns_and_nobody_made_is_nobodys(trapped: Desk, found: dict[str, Record]) -> None:
    assert interaction(trapped, found, "call", "nobody").rep is None


def test_a_call_that_was_only_noted_says_nothing_of_its_result(trapped: Desk, found: dict[str, Record]) -> None:
    bare = interaction(trapped, found, "call", "bare")
    assert (bare.direction, bare.outcome, bare.disposition, bare.duration_ms) == (None, None, None, None)


def test_a_result_of_the_portals_own_is_known_by_its_label(trapped: Desk, found: dict[str, Record]) -> None:
    assert interaction(trapped, found, "call", "own result").disposition == "pidió una demo"


def test_a_missed_call_written_in_lower_case_took_place(trapped: Desk, found: dict[str, Record]) -> None:
    missed = trapped.portal.record("calls", trapped.id_of("call", "missed"))["properties"]
    assert missed["hs_call_status"] == "missed"
    call = interaction(trapped, found, "call", "missed")
    assert (call.direction, call.outcome, call.disposition, call.duration_ms) == ("in", "done", "no answer", 0)


@pytest.mark.parametrize(
    ("email", "tracked", "opened"), [("tracked", True, True), ("unopened", True, False), ("untracked", False, None)]
)
def test_only_a_tracked_email_tells_whether_it_was_opened(
    trapped: Desk, found: dict[str, Record], email: str, tracked: bool, opened: bool | None
) -> None:
    row = interaction(trapped, found, "email", email)
    assert (row.tracked, row.opened) == (tracked, opened)


def test_a_reply_that_a_mailbox_gave_is_automatic(trapped: Desk, found: dict[str, Record]) -> None:
    away = interaction(trapped, found, "email", "away")
    assert (away.direction, away.automatic) == ("in", True)


def test_a_forwarded_email_was_neither_sent_to_a_customer_nor_by_one(trapped: Desk, found: dict[str, Record]) -> None:
    assert interaction(trapped, found, "email", "copy").direction == "internal"


@pytest.mark.parametrize(
    ("meeting", "outcome"), [("none", None), ("cancelled", "cancelled"), ("no_show", "no_show"), ("completed", "done")]
)
def test_a_meeting_took_place_unless_someone_noted_otherwise(
    trapped: Desk, found: dict[str, Record], meeting: str, outcome: str | None
) -> None:
    assert interaction(trapped, found, "meeting", meeting).outcome == outcome


def test_a_cancelled_meeting_is_spelt_with_one_l_or_two(trapped: Desk) -> None:
    meeting = trapped.id_of("meeting", "cancelled")
    for spelling in ("CANCELED", "CANCELLED"):
        trapped.portal.set("meetings", meeting, {"hs_meeting_outcome": spelling})
        assert {row.id: row.outcome for row in rows(trapped.read("meetings"), Interaction)}[meeting] == "cancelled"


@pytest.mark.parametrize("message", ["sms", "whatsapp"])
def test_a_text_message_is_one_on_every_channel(trapped: Desk, found: dict[str, Record], message: str) -> None:
    row = interaction(trapped, found, "message", message)
    assert (row.kind, row.direction, row.outcome) == ("message", None, "done")


def test_a_task_keeps_when_it_was_due_whenever_it_was_done(trapped: Desk, found: dict[str, Record]) -> None:
    task = found[trapped.id_of("todo", "done late")]
    assert isinstance(task, Task)
    assert (task.due_on, task.done) == (Day((date(2026, 11, 12) - date(1970, 1, 1)).days), True)


def test_a_won_deal_without_an_amount_is_won_and_worth_nothing_that_is_known(
    trapped: Desk, found: dict[str, Record]
) -> None:
    blank = deal(trapped, found, "no amount")
    assert (blank.won, blank.amount, blank.amount_home) == (True, None, None)


def test_a_deal_in_another_currency_is_worth_its_home_amount(trapped: Desk, found: dict[str, Record]) -> None:
    dollars = deal(trapped, found, "dollars")
    assert (dollars.currency, dollars.amount, dollars.amount_home) == ("USD", 108_500_000, 100_000_000)


def test_a_close_that_is_dated_back_comes_with_the_next_read(trapped: Desk) -> None:
    after = cursor(trapped.read("deals"))
    alone = trapped.id_of("sale", "alone")
    trapped.portal.set("deals", alone, {"closedate": "2026-09-30T10:00:00Z"})
    closed = {row.id: row.closed_at for row in rows(trapped.read("deals", after), Deal)}
    assert closed[alone] == round(datetime(2026, 9, 30, 10, tzinfo=UTC).timestamp() * 1000)


def test_a_deal_with_nothing_linked_is_read_like_any_other(trapped: Desk, found: dict[str, Record]) -> None:
    links = [link for link in rows(trapped.read("deals"), Link) if link.from_id == trapped.id_of("sale", "alone")]
    assert deal(trapped, found, "alone").won
    assert links == []


def test_a_deal_of_two_companies_comes_once_and_with_each_person_once(trapped: Desk) -> None:
    two = trapped.id_of("sale", "two companies")
    companies = trapped.portal.store.links.of("0-3", int(two), "0-2")
    pages = trapped.read("deals")
    assert len(companies) == 2
    assert [row.id for row in rows(pages, Deal)].count(two) == 1
    people = sorted(link.to_id for link in rows(pages, Link) if link.from_id == two)
    assert people == sorted(trapped.id_of("prospect", key) for key in ("lea", "carl"))


def test_each_of_six_hundred_activities_of_one_deal_leads_to_it(trapped: Desk) -> None:
    crowded = trapped.id_of("sale", "crowded")
    links = [link for link in rows(trapped.read("calls"), Link) if link.to_id == crowded]
    assert len({link.from_id for link in links}) == len(links) == CROWD


def test_someone_who_left_still_owns_what_was_won(trapped: Desk, found: dict[str, Record]) -> None:
    gael, partner = rep(trapped, found, "gael"), deal(trapped, found, "partner")
    assert (gael.active, gael.known, gael.person_record) == (False, True, None)
    assert (partner.won, partner.owner, partner.owner_at_close) == (True, gael.id, gael.id)


def test_a_stage_of_the_second_pipeline_is_won_where_the_deal_itself_does_not_say() -> None:
    world = small_world(sales=tuple(sale(f"s{n}") for n in range(4)), calls=(), meetings=())
    with desk(world) as opened:
        partner = opened.id_of("sale", "s3")
        assert opened.portal.record("deals", partner)["properties"]["dealstage"] == "81730250"
        for name in ("hs_is_closed", "hs_is_closed_won"):
            del opened.portal.store.table("deals").properties[name]
        assert {row.id: (row.closed, row.won) for row in rows(opened.read("deals"), Deal)}[partner] == (True, True)


def test_an_owner_without_a_user_record_is_a_rep_on_whom_nothing_is_written(
    trapped: Desk, found: dict[str, Record]
) -> None:
    nora = rep(trapped, found, "new")
    assert (nora.active, nora.known, nora.person_record) == (True, True, None)


def test_a_goal_of_another_kind_or_person_is_nobody_elses_quota(trapped: Desk, found: dict[str, Record]) -> None:
    assert len(trapped.portal.records("goal_targets")) == 3
    quotas = {row.rep: row.amount for row in found.values() if isinstance(row, Quota)}
    ana, ben = rep(trapped, found, "ana").id, rep(trapped, found, "ben").id
    assert quotas == {ana: 50_000_000_000, ben: 40_000_000_000}


def test_a_campaign_of_which_nobody_said_the_cost_has_none(trapped: Desk, found: dict[str, Record]) -> None:
    (campaign,) = [row for row in found.values() if isinstance(row, Campaign)]
    assert (campaign.name, campaign.cost, campaign.owner) == ("Free", None, None)


def test_an_id_of_seventeen_digits_and_a_name_of_two_lines_survive_the_cache(
    trapped: Desk, tmp_path_factory: pytest.TempPathFactory
) -> None:
    cache = Cache.open(f"sqlite:///{tmp_path_factory.mktemp('cache')}/kpisync.db", "acme")
    for page in trapped.read("deals"):
        cache.absorb(page, "UTC")
    pilot = trapped.id_of("sale", "Piloto 🚀\nfase 1")
    kept = dict(cache.tables()["deal"].collect().select("id", "name").iter_rows())
    assert len(pilot) == 17
    assert kept[pilot] == "Piloto 🚀\nfase 1"


def test_ten_thousand_and_fifty_rows_with_one_stamp_are_each_read_once() -> None:
    with desk() as opened:
        after = cursor(opened.read("tasks"))
        made = {"hs_timestamp": NOW.isoformat(), "hs_task_subject": "Imported"}
        many = [{"properties": made, "created": NOW.isoformat(), "modified": NOW.isoformat()} for _ in range(SHARED)]
        ids = opened.portal.insert("tasks", many)
        before = len(opened.box.log)
        pages = opened.read("tasks", after)
        read = [row.id for row in rows(pages, Task)]
        searches = sum(path.endswith("/search") for _, path, _ in opened.calls()[before:])
        assert len(read) == len(set(read))
        assert set(ids) <= set(read)
        assert searches <= 2 + -(-len(read) // 200)
        assert opened.read("tasks", cursor(pages)) == []
