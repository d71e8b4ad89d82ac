"""The demo company's portal holds the traps that real portals hold, so that whoever reads it meets them."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from crm_sandbox.hubspot import Portal
from crm_sandbox.hubspot.activity_rows import DISPOSITIONS
from crm_sandbox.seed import demo_world

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def portal() -> Portal:
    return Portal(demo_world(NOW, size="small"), enforce_limits=False)


def properties(portal: Portal, kind: str) -> list[dict[str, Any]]:
    """Every living row's properties that are not blank."""
    return [row["properties"] for row in portal.records(kind)]


Row = dict[str, Any]


def blank(*names: str) -> Callable[[Row], bool]:
    return lambda row: not any(name in row for name in names)


def shows(name: str, *values: str) -> Callable[[Row], bool]:
    return lambda row: row.get(name) in values


TRAPS: dict[str, tuple[str, Callable[[Row], bool]]] = {
    "a call of nobody": ("calls", blank("hubspot_owner_id")),
    "a deal of nobody": ("deals", blank("hubspot_owner_id")),
    "a call that was only noted": ("calls", blank("hs_call_disposition", "hs_call_duration", "hs_call_status")),
    "a result of the portal's own": (
        "calls",
        lambda row: row.get("hs_call_disposition", "9d9162e7-6cf3-4944-bf63-4dff82258764") not in DISPOSITIONS.values(),
    ),
    "missed in lower case": ("calls", shows("hs_call_status", "missed")),
    "an untracked e-mail": (
        "emails",
        lambda row: "hs_email_tracker_key" not in row and row["hs_email_direction"] == "EMAIL",
    ),
    "a tracked e-mail": ("emails", lambda row: "hs_email_tracker_key" in row),
    "an out-of-office reply": ("emails", shows("hs_incoming_email_is_out_of_office", "true")),
    "a forwarded e-mail": ("emails", shows("hs_email_direction", "FORWARDED_EMAIL")),
    "a meeting without outcome": ("meetings", blank("hs_meeting_outcome")),
    "a cancelled meeting with one l": ("meetings", shows("hs_meeting_outcome", "CANCELED")),
    "a cancelled meeting with two": ("meetings", shows("hs_meeting_outcome", "CANCELLED")),
    "an SMS": ("communications", shows("hs_communication_channel_type", "SMS")),
    "a WhatsApp message": ("communications", shows("hs_communication_channel_type", "WHATS_APP")),
    "a task done after it was due": (
        "tasks",
        lambda row: row.get("hs_task_completion_date", "") > row.get("hs_timestamp", "9"),
    ),
    "a deal without amount": ("deals", blank("amount")),
    "a deal in another currency": ("deals", lambda row: row.get("deal_currency_code", "USD") not in {"USD", None}),
    "a goal of another kind": ("goal_targets", shows("hs_goal_type", "CALLS_MADE")),
    "a campaign without spend": ("0-35", blank("hs_spend_items_sum_amount")),
    "a merged contact": ("contacts", lambda row: "hs_merged_object_ids" in row),
    "letters beyond the alphabet": ("contacts", lambda row: not row.get("lastname", "a").isascii()),
    "a text of two lines": ("emails", lambda row: "\n" in row.get("hs_email_subject", "")),
}


@pytest.mark.parametrize("trap", TRAPS)
def test_the_demo_company_holds(portal: Portal, trap: str) -> None:
    kind, caught = TRAPS[trap]
    assert any(caught(row) for row in properties(portal, kind))


def linked(portal: Portal, *kinds: str) -> list[int]:
    """How much of these kinds hangs on each living deal."""
    deals = [int(row["id"]) for row in portal.records("deals")]
    return [sum(len(portal.store.links.of("0-3", deal, kind)) for kind in kinds) for deal in deals]


def test_one_deal_has_more_activities_than_a_page_of_associations_holds(portal: Portal) -> None:
    assert max(linked(portal, "0-48", "0-49", "0-47", "0-18", "0-27")) > portal.rules.association_page


def test_one_deal_has_two_companies_and_one_no_people(portal: Portal) -> None:
    assert max(linked(portal, "0-2")) == 2
    assert min(linked(portal, "0-1")) == 0


def test_deals_have_ids_of_seventeen_digits(portal: Portal) -> None:
    assert {len(row["id"]) for row in portal.records("deals")} == {17}


def test_someone_who_left_owns_won_deals(portal: Portal) -> None:
    left = {owner.id for owner in portal.store.owners.values() if owner.archived}
    won = [row for row in properties(portal, "deals") if row.get("hs_is_closed_won") == "true"]
    assert any(row.get("hubspot_owner_id") in left for row in won)


def test_no_rep_has_the_same_number_twice(portal: Portal) -> None:
    for owner in portal.store.owners.values():
        assert owner.id != str(owner.user_id)


def test_a_deal_changed_hands_and_one_was_dated_back(portal: Portal) -> None:
    histories = [row.history or {} for row in portal.store.table("deals").rows.values()]
    assert any(len(history.get("hubspot_owner_id", ())) > 1 for history in histories)
    backdated = portal.record("deals", portal.id_of("sale", "case-deal-backdated"))["properties"]
    assert backdated["closedate"] < backdated["createdate"]
