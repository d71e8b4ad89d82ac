"""Streams read from a pretend portal over HTTP: everything at first, then only what is new."""

from collections.abc import Iterator

import pytest
from hubspot_world import NOW, Desk, ago, cursor, desk, rows, small_world

from connectors.errors import NotAllowed
from crm_sandbox.hubspot.marketing import Filled
from crm_sandbox.world import Call, Prospect
from kpi_engine.records import Campaign, Deal, Event, Interaction, Lead, Link, Person, Quota, Rep, Task

OBJECTS = ("contacts", "deals", "calls", "emails", "meetings", "communications", "tasks", "goals")
MANY = 450


@pytest.fixture
def small() -> Iterator[Desk]:
    with desk() as opened:
        yield opened


def busy() -> Iterator[Call]:
    for number in range(MANY):
        yield Call(f"b{number}", "ana", ("lea",), (), ago(days=9, minutes=number))


def test_reps_keep_their_three_ids_apart(small: Desk) -> None:
    reps = {rep.email: rep for rep in rows(small.read("owners"), Rep)}
    ana = reps["ana@x.test"]
    users = {row["properties"]["hs_email"]: row for row in small.portal.records("users")}
    record = users["ana@x.test"]
    assert ana.id == record["properties"]["hubspot_owner_id"]
    assert ana.person_record == record["id"]
    assert len({ana.id, ana.person_record, record["properties"]["hs_internal_user_id"]}) == 3
    assert ana.time_zone == "America/New_York"


def test_a_queue_is_no_known_rep(small: Desk) -> None:
    known = {rep.name: rep.known for rep in rows(small.read("owners"), Rep)}
    assert known == {"Ana Ruiz": True, "Ben Ode": True, "Desk": False}


def test_someone_who_left_is_an_inactive_rep(small: Desk) -> None:
    small.portal.desk.deactivate(small.id_of("seller", "ben"))
    active = {rep.name: (rep.active, rep.person_record is None) for rep in rows(small.read("owners"), Rep)}
    assert active["Ben Ode"] == (False, True)
    assert active["Ana Ruiz"] == (True, False)


def test_the_first_read_brings_every_record_of_every_kind(small: Desk) -> None:
    found = {stream: small.read(stream) for stream in small.hubspot.capabilities().streams}
    every = [row for pages in found.values() for page in pages for row in page.rows]
    counted = {kind: sum(isinstance(row, kind) for row in every) for kind in (Person, Lead, Deal, Interaction, Task)}
    assert counted == {Person: 3, Lead: 2, Deal: 2, Interaction: 6, Task: 1}
    assert [len(rows(found[name], kind)) for name, kind in (("goals", Quota), ("campaigns", Campaign))] == [1, 1]
    assert [event.kind for name in ("forms", "page_views") for event in rows(found[name], Event)] == [
        "form_submission",
        "page_view",
    ]
    assert not [page.unread for pages in found.values() for page in pages if page.unread]


def test_a_second_read_with_nothing_new_is_one_search_and_no_page(small: Desk) -> None:
    after = {stream: cursor(small.read(stream)) for stream in OBJECTS}
    before = len(small.box.log)
    assert [small.read(stream, after[stream]) for stream in OBJECTS] == [[]] * len(OBJECTS)
    assert [path.rsplit("/", 1)[1] for _, path, _ in small.calls()[before:]] == ["search"] * len(OBJECTS)


def test_the_links_of_an_activity_lead_to_people_and_deals(small: Desk) -> None:
    page = small.read("calls")[0]
    call, lea, deal = small.id_of("call", "c1"), small.id_of("prospect", "lea"), small.id_of("sale", "open")
    links = {(link.from_kind, link.to_kind, link.to_id) for link in rows([page], Link) if link.from_id == call}
    assert links == {("interaction", "person", lea), ("interaction", "deal", deal)}
    assert {("interaction", call, "person"), ("interaction", call, "deal")} <= set(page.relinked)


def test_many_associations_of_one_record_come_page_by_page() -> None:
    people = tuple(Prospect(f"p{n}", f"P {n}", f"p{n}@p.test", "P", "ana", ago(days=20)) for n in range(7))
    call = Call("c1", "ana", tuple(person.key for person in people), (), ago(days=3))
    world = small_world(prospects=people, calls=(call,), emails=(), messages=(), meetings=(), todos=(), sales=())
    with desk(world) as opened:
        opened.portal.rules.association_page = 3
        assert len(rows(opened.read("calls"), Link)) == 7


def test_a_changed_record_comes_alone_and_with_its_links_anew(small: Desk) -> None:
    after = cursor(small.read("calls"))
    call, carl = small.id_of("call", "c1"), small.id_of("prospect", "carl")
    small.portal.set("calls", call, {"hs_call_duration": "5000"})
    small.portal.desk.associate("calls", call, "contacts", carl)
    pages = small.read("calls", after)
    assert [(row.id, row.duration_ms) for row in rows(pages, Interaction)] == [(call, 5000)]
    assert carl in {link.to_id for link in rows(pages, Link)}
    assert ("interaction", call, "person") in pages[0].relinked
    assert small.read("calls", cursor(pages)) == []


def test_an_archived_record_comes_once_as_deleted(small: Desk) -> None:
    after = cursor(small.read("calls"))
    small.portal.archive("calls", small.id_of("call", "c1"))
    pages = small.read("calls", after)
    assert [(row.id, row.deleted) for row in rows(pages, Interaction)] == [(small.id_of("call", "c1"), True)]
    assert small.read("calls", cursor(pages)) == []


def test_an_archived_record_is_gone_however_unclear_it_is(small: Desk) -> None:
    after = cursor(small.read("calls"))
    call = small.id_of("call", "c1")
    small.portal.set("calls", call, {"hs_timestamp": None})
    small.portal.archive("calls", call)
    pages = small.read("calls", after)
    assert [gone for page in pages for gone in page.gone] == [("interaction", call)]


def test_a_restored_record_comes_again_as_living(small: Desk) -> None:
    call = small.id_of("call", "c1")
    small.portal.archive("calls", call)
    after = cursor(small.read("calls"))
    small.portal.restore("calls", call)
    assert (call, False) in {(row.id, row.deleted) for row in rows(small.read("calls", after), Interaction)}


def test_the_archive_is_looked_at_even_if_the_last_read_was_killed_before(small: Desk) -> None:
    after = cursor(small.read("calls"))
    small.portal.archive("calls", small.id_of("call", "c1"))
    small.portal.set("calls", small.id_of("call", "c2"), {"hs_call_duration": "5000"})
    only_first = next(iter(small.hubspot.read("calls", after)))
    pages = small.read("calls", only_first.cursor)
    assert small.id_of("call", "c1") in {row.id for row in rows(pages, Interaction) if row.deleted}


def test_a_merged_contact_points_to_the_one_that_stayed(small: Desk) -> None:
    after = cursor(small.read("contacts"))
    lea, olga = small.id_of("prospect", "lea"), small.id_of("prospect", "olga")
    small.portal.merge("contacts", lea, olga)
    pages = small.read("contacts", after)
    merged = [person for person in rows(pages, Person) if person.merged_into]
    assert [person.id for person in merged] == [olga]
    assert [lead.id for lead in rows(pages, Lead) if lead.merged_into] == [olga]
    survivor = merged[0].merged_into
    assert survivor in {person.id for person in rows(pages, Person) if not person.deleted}


@pytest.mark.parametrize(("stream", "kind"), [("deals", "sale"), ("calls", "call")])
def test_a_merged_deal_or_activity_is_gone_and_the_one_that_stayed_is_read(small: Desk, stream: str, kind: str) -> None:
    stays, goes = (small.id_of(kind, key) for key in {"sale": ("won", "open"), "call": ("c1", "c2")}[kind])
    after = cursor(small.read(stream))
    small.portal.merge(stream, stays, goes)
    pages = small.read(stream, after)
    read = [row for page in pages for row in page.rows if isinstance(row, Deal | Interaction)]
    gone = {row.id for row in read if row.deleted} | {id_ for page in pages for _, id_ in page.gone}
    assert gone == {goes}
    assert stays in {row.id for row in read if not row.deleted}
    assert {row.merged_into for row in read if isinstance(row, Deal) and row.deleted} <= {stays}


def test_a_contact_that_is_no_lead_any_more_takes_its_lead_away() -> None:
    with desk() as opened:
        carl = opened.id_of("prospect", "carl")
        opened.portal.set("contacts", carl, {"lifecyclestage": "customer"})
        first = opened.read("contacts")
        assert carl in {lead.id for lead in rows(first, Lead) if not lead.deleted}
        opened.portal.set("contacts", carl, {"lifecyclestage": "evangelist", "hs_lifecyclestage_lead_date": None})
        pages = opened.read("contacts", cursor(first))
        assert [lead.deleted for lead in rows(pages, Lead) if lead.id == carl] == [True]


def test_an_opt_out_has_its_date_from_the_history(small: Desk) -> None:
    people = {person.id: person for person in rows(small.read("contacts"), Person)}
    olga = people[small.id_of("prospect", "olga")]
    assert (olga.opted_out, olga.opted_out_at) == (True, round(ago(days=5).timestamp() * 1000))


def test_a_deal_is_whose_it_was_at_the_close(small: Desk) -> None:
    reps = {rep.name: rep.id for rep in rows(small.read("owners"), Rep)}
    won = next(deal for deal in rows(small.read("deals"), Deal) if deal.won)
    assert (won.owner, won.owner_at_close) == (reps["Ben Ode"], reps["Ana Ruiz"])
    assert won.amount_home == 1_000_500_000


def test_a_quota_is_the_goals_of_the_owner_behind_the_user(small: Desk) -> None:
    reps = {rep.name: rep.id for rep in rows(small.read("owners"), Rep)}
    (quota,) = rows(small.read("goals"), Quota)
    assert (quota.rep, quota.amount) == (reps["Ana Ruiz"], 50_000_000_000)


def test_a_form_is_matched_to_its_contact_by_the_address(small: Desk) -> None:
    (event,) = rows(small.read("forms"), Event)
    assert (event.person, event.at) == (small.id_of("prospect", "lea"), round(ago(days=8).timestamp() * 1000))


def test_a_form_whose_contact_is_made_a_moment_later_is_matched_by_the_next_read(small: Desk) -> None:
    after = cursor(small.read("forms"))
    form, sent = small.id_of("form", "contact-us"), round(NOW.timestamp() * 1000)
    small.portal.marketing.filled.append(Filled(form, "late@p.test", sent, 7))
    small.portal.set("contacts", small.id_of("prospect", "lea"), {"recent_conversion_date": NOW.isoformat()})
    early = small.read("forms", after)
    assert [len(page.unread) for page in early if page.unread] == [1]
    made = {"email": "late@p.test", "recent_conversion_date": NOW.isoformat()}
    (late,) = small.portal.insert("contacts", [{"properties": made}])
    assert [(event.person, event.at) for event in rows(small.read("forms", cursor(early)), Event)] == [(late, sent)]


def test_web_events_come_once(small: Desk) -> None:
    for stream in ("forms", "page_views"):
        assert small.read(stream, cursor(small.read(stream))) == []


def test_a_bulk_edit_of_hundreds_is_read_whole_and_then_is_quiet() -> None:
    with desk(small_world(calls=tuple(busy()))) as opened:
        after = cursor(opened.read("calls"))
        opened.portal.desk.touch("calls", None, NOW.isoformat())
        pages = opened.read("calls", after)
        assert len({row.id for row in rows(pages, Interaction)}) == MANY
        assert opened.read("calls", cursor(pages)) == []


def test_a_read_that_was_killed_goes_on_from_its_last_page_without_loss() -> None:
    world = small_world(calls=tuple(Call(f"b{n}", "ana", ("lea",), (), ago(days=9, minutes=n)) for n in range(2100)))
    with desk(world) as opened:
        first = next(iter(opened.hubspot.read("calls", None)))
        rest = opened.read("calls", first.cursor)
        assert len(rows([first], Interaction)) == 1000
        assert len({row.id for row in rows([first, *rest], Interaction)}) == 2100
        opened.portal.desk.touch("calls", None, NOW.isoformat())
        changed = next(iter(opened.hubspot.read("calls", cursor(rest))))
        more = opened.read("calls", changed.cursor)
        assert len({row.id for row in rows([changed, *more], Interaction)}) == 2100
        assert opened.read("calls", cursor(more)) == []


def test_what_the_search_shows_late_is_read_late_and_not_lost() -> None:
    moment = [NOW]
    with desk(clock=lambda: moment[0], index_lag=30.0) as opened:
        after = cursor(opened.read("calls"))
        c1, c2 = opened.id_of("call", "c1"), opened.id_of("call", "c2")
        opened.portal.set("calls", c1, {"hs_call_duration": "1000"})
        early = opened.read("calls", after)
        moment[0] = ago(seconds=-20)
        opened.portal.set("calls", c2, {"hs_call_duration": "2000"})
        moment[0] = ago(seconds=-120)
        late = opened.read("calls", cursor(early) if early else after)
        assert {c1, c2} <= {row.id for row in rows([*early, *late], Interaction)}


def test_a_property_that_the_portal_shows_later_makes_its_records_be_read_again(small: Desk) -> None:
    table = small.portal.store.table("emails")
    counter = table.properties.pop("hs_email_open_count")
    small.hubspot.capabilities()
    first = small.read("emails")
    e1 = small.id_of("email", "e1")
    assert [row.opened for row in rows(first, Interaction) if row.id == e1] == [False]
    table.properties["hs_email_open_count"] = counter
    small.hubspot.capabilities()
    again = small.read("emails", cursor(first))
    assert [row.opened for row in rows(again, Interaction) if row.id == e1] == [True]
    assert small.read("emails", cursor(again)) == []


def test_an_own_call_result_is_known_by_its_label() -> None:
    call = Call("c1", "ana", ("lea",), (), ago(days=3), outcome="Spoke with contact", seconds=60)
    with desk(small_world(calls=(call,))) as opened:
        (row,) = rows(opened.read("calls"), Interaction)
        assert row.disposition == "spoke with contact"


def test_one_bad_row_is_named_and_the_others_go_on(small: Desk) -> None:
    small.portal.set("calls", small.id_of("call", "c1"), {"hs_timestamp": None})
    pages = small.read("calls")
    assert [(bad.id, bad.reason) for page in pages for bad in page.unread] == [
        (small.id_of("call", "c1"), "hs_timestamp is missing")
    ]
    assert [row.id for row in rows(pages, Interaction)] == [small.id_of("call", "c2")]


def test_only_properties_that_the_portal_defines_are_asked_for(small: Desk) -> None:
    defined = {each.name for each in small.hubspot._portal.definitions("calls")}
    small.read("calls")
    listed = next(entry.query for entry in small.box.log if entry.path == "/crm/objects/2026-09/calls")
    asked = set(dict(pair.split("=", 1) for pair in listed.split("&"))["properties"].split(","))
    assert "hs_call_disposition" in asked
    assert asked <= defined


def test_legacy_paths_bring_the_same_records(small: Desk) -> None:
    with desk(settings={"api_version": "v3"}) as legacy:
        for stream in (*OBJECTS, "owners", "campaigns", "forms", "page_views"):
            assert [page.rows for page in legacy.read(stream)] == [page.rows for page in small.read(stream)]


def test_a_wrong_token_is_not_allowed_and_says_what_to_do() -> None:
    with desk(token="pat-wrong") as opened, pytest.raises(NotAllowed, match="KPI-HS-010") as caught:
        opened.hubspot.capabilities()
    assert "service key" in caught.value.advice
    assert "pat-wrong" not in str(caught.value)
