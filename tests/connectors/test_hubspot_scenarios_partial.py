"""HubSpot answers a batch in part (207): each row for itself, and what it failed to tell is never taken for gone."""

import json
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hubspot_world import Desk, ago, cursor, desk, rows, small_world

from connectors.contract import Change, KpiField, Refused, Surface, Written
from connectors.errors import Unreachable
from crm_sandbox.serving import Fault
from crm_sandbox.world import Sale
from kpi_engine.records import Deal, Interaction, Link, Split

READ = "calls/batch/read"
LINKS = "associations/2026-09/calls/contacts"


@pytest.fixture
def small() -> Iterator[Desk]:
    with desk() as opened:
        yield opened


def in_part(results: list[Any], category: str, context: Mapping[str, list[str]]) -> str:
    """The body of a 207 in which one row failed for HubSpot's own reasons."""
    error = {"status": "error", "category": category, "message": "Something went wrong.", "context": context}
    return json.dumps({"status": "COMPLETE", "results": results, "numErrors": 1, "errors": [error]})


def failing(path: str, body: str, times: int | None = 1) -> Fault:
    return Fault(path, "answer", times=times, status=207, body=body, headers={"Content-Type": "application/json"})


def two_changed_calls(small: Desk) -> tuple[str, str, str]:
    """Where the read goes on, and the calls that changed since."""
    after = cursor(small.read("calls"))
    c1, c2 = small.id_of("call", "c1"), small.id_of("call", "c2")
    for call in (c1, c2):
        small.portal.set("calls", call, {"hs_call_duration": "7000"})
    return after, c1, c2


def test_a_record_that_is_gone_is_told_by_name_and_the_others_are_read(small: Desk) -> None:
    after, c1, c2 = two_changed_calls(small)
    body = in_part([small.portal.record("calls", c1)], "OBJECT_NOT_FOUND", {"ids": [c2]})
    small.box.faults.append(failing(READ, body))
    pages = small.read("calls", after)
    assert [row.id for row in rows(pages, Interaction)] == [c1]
    assert [gone for page in pages for gone in page.gone] == [("interaction", c2)]


def test_a_record_that_hubspot_failed_to_read_is_asked_for_once_more(small: Desk) -> None:
    after, c1, c2 = two_changed_calls(small)
    body = in_part([small.portal.record("calls", c1)], "INTERNAL_ERROR", {"ids": [c2]})
    small.box.faults.append(failing(READ, body))
    pages = small.read("calls", after)
    assert {row.id: row.duration_ms for row in rows(pages, Interaction)} == {c1: 7000, c2: 7000}
    assert [gone for page in pages for gone in page.gone] == []


def test_a_record_that_hubspot_keeps_failing_to_read_is_named_and_not_taken_for_gone(small: Desk) -> None:
    after, c1, c2 = two_changed_calls(small)
    first = in_part([small.portal.record("calls", c1)], "INTERNAL_ERROR", {"ids": [c2]})
    small.box.faults += [failing(READ, first), failing(READ, in_part([], "INTERNAL_ERROR", {"ids": [c2]}))]
    pages = small.read("calls", after)
    assert [gone for page in pages for gone in page.gone] == []
    assert [(one.id, one.reason) for page in pages for one in page.unread] == [
        (c2, "HubSpot failed to read it: INTERNAL_ERROR")
    ]


def test_a_failure_that_names_no_record_stops_the_read_and_the_next_one_goes_on(small: Desk) -> None:
    after, c1, c2 = two_changed_calls(small)
    small.box.faults.append(failing(READ, in_part([], "INTERNAL_ERROR", {})))
    with pytest.raises(Unreachable, match="names no record"):
        small.read("calls", after)
    assert {row.id for row in rows(small.read("calls", after), Interaction)} == {c1, c2}


def test_a_record_keeps_its_links_when_hubspot_keeps_failing_to_tell_them(small: Desk) -> None:
    after, c1, c2 = two_changed_calls(small)
    carl = small.id_of("prospect", "carl")
    linked = {"from": {"id": c2}, "to": [{"toObjectId": int(carl), "associationTypes": []}]}
    small.box.faults += [
        failing(LINKS, in_part([linked], "INTERNAL_ERROR", {"fromObjectId": [c1]})),
        failing(LINKS, in_part([], "INTERNAL_ERROR", {"fromObjectId": [c1]})),
    ]
    (page, *_) = small.read("calls", after)
    assert ("interaction", c1, "person") not in page.relinked
    assert ("interaction", c2, "person") in page.relinked
    assert {link.from_id for link in rows([page], Link) if link.to_kind == "person"} == {c2}
    assert [(one.id, one.reason) for one in page.unread] == [(c1, "HubSpot failed to tell its contacts")]


def test_a_record_with_nothing_linked_has_lost_its_links_and_is_no_failure(small: Desk) -> None:
    after = cursor(small.read("calls"))
    c1, lea = small.id_of("call", "c1"), small.id_of("prospect", "lea")
    small.portal.desk.dissociate("calls", c1, "contacts", lea)
    small.portal.set("calls", c1, {"hs_call_duration": "7000"})
    (page, *_) = small.read("calls", after)
    assert ("interaction", c1, "person") in page.relinked
    assert not [link for link in rows([page], Link) if link.to_kind == "person"]
    assert not page.unread


def test_a_pair_that_is_linked_in_several_ways_is_one_link(small: Desk) -> None:
    after, c1, c2 = two_changed_calls(small)
    lea = int(small.id_of("prospect", "lea"))
    kinds = [{"category": "HUBSPOT_DEFINED", "typeId": 194, "label": None}]
    own = [{"category": "USER_DEFINED", "typeId": 17, "label": "Decision maker"}]
    ends = [{"toObjectId": lea, "associationTypes": kinds}, {"toObjectId": str(lea), "associationTypes": own}]
    body = in_part([{"from": {"id": c1}, "to": ends}], "OBJECT_NOT_FOUND", {"fromObjectId": [c2]})
    small.box.faults.append(failing(LINKS, body))
    found = [link for link in rows(small.read("calls", after), Link) if link.to_kind == "person"]
    assert [(link.from_id, link.to_id) for link in found] == [(c1, str(lea))]


def test_a_deal_whose_history_hubspot_fails_to_give_is_credited_to_nobody_by_guess(small: Desk) -> None:
    won = small.id_of("sale", "won")
    fault = failing("deals/batch/read", in_part([], "INTERNAL_ERROR", {"ids": [won]}), times=2)
    small.box.faults.append(fault)
    pages = small.read("deals")
    assert won not in {deal.id for deal in rows(pages, Deal)}
    assert [one.id for page in pages for one in page.unread] == [won]


def test_the_splits_of_the_other_deals_do_not_vanish_when_those_of_one_cannot_be_read() -> None:
    halves = (("ana", Decimal(50)), ("ben", Decimal(50)))
    deal = Sale("s1", "S", ((ago(days=9), "ana"),), ago(days=9), "won", date(2026, 11, 16), ago(days=4), splits=halves)
    with desk(small_world(sales=(deal,), calls=(), meetings=())) as opened:
        first = opened.read("deal_splits")
        opened.portal.set("deals", opened.id_of("sale", "s1"), {"dealname": "Other"})
        body = in_part([], "INTERNAL_ERROR", {"ids": [opened.id_of("sale", "s1")]})
        opened.box.faults.append(failing("deal-splits", body))
        with pytest.raises(Unreachable, match="KPI-HS-030"):
            opened.read("deal_splits", cursor(first))
        assert len(rows(opened.read("deal_splits", cursor(first)), Split)) == 2


def test_a_row_that_hubspot_failed_to_write_is_worth_another_try_and_a_wrong_one_is_not(small: Desk) -> None:
    list(small.hubspot.provision([KpiField("calls_made", "Calls made", "count", 0)]))
    lea, carl = small.id_of("prospect", "lea"), small.id_of("prospect", "carl")
    scores = [
        Change(surface=Surface.LEAD_SCORES, key=each, rep=None, before={}, after={"score": 1.0}) for each in (lea, carl)
    ]
    written = {"id": lea, "properties": {}}
    small.box.faults.append(failing("contacts/batch/update", in_part([written], "INTERNAL_ERROR", {"ids": [carl]})))
    good, failed = small.hubspot.push(scores)
    assert isinstance(good, Written)
    assert isinstance(failed, Refused)
    assert (failed.code, failed.retry) == ("INTERNAL_ERROR", True)
    wrong = Change(surface=Surface.LEAD_SCORES, key=lea, rep=None, before={}, after={"score": "much"})
    (refused,) = small.hubspot.push([wrong])
    assert isinstance(refused, Refused)
    assert refused.retry is False
