"""The demo company, with every awkward case, comes out of the pretend portal as it went in."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

import pytest
from hubspot_world import NOW, Desk, desk, rows

from crm_sandbox.seed import demo_world
from crm_sandbox.world import Email
from kpi_engine.records import Deal, Event, Interaction, Link, Person

WORLD = demo_world(NOW, size="small")
MERGED = {each.key: each.merged_into for each in WORLD.prospects if each.merged_into}
ROBOTS = {each.key for each in WORLD.sellers if each.kind == "robot"}
GONE_PEOPLE = {each.key for each in WORLD.prospects if each.deleted}
GONE_DEALS = {each.key for each in WORLD.sales if each.deleted}
OUTCOMES = {"sent": "done", "bounced": "done", "scheduled": "planned", "failed": "failed"}


@pytest.fixture(scope="module")
def demo() -> Iterator[Desk]:
    with desk(WORLD) as opened:
        yield opened


def millis(moment: object) -> int | None:
    return None if moment is None else round(moment.timestamp() * 1000)  # type: ignore[attr-defined]


def people(demo: Desk, keys: Iterable[str]) -> set[str]:
    """Whom a thing is about today: deleted people drop out, merged ones are who they were merged into."""
    return {demo.id_of("prospect", survivor(key)) for key in keys if key not in GONE_PEOPLE}


def survivor(key: str) -> str:
    """Who someone is after all merges."""
    return survivor(MERGED[key]) if key in MERGED else key


def deals(demo: Desk, keys: Iterable[str]) -> set[str]:
    return {demo.id_of("sale", key) for key in keys if key not in GONE_DEALS}


def owner(demo: Desk, key: str | None) -> str | None:
    """A robot is no owner in HubSpot."""
    return demo.id_of("seller", key) if key and key not in ROBOTS else None


def ends(links: Iterable[Link]) -> dict[tuple[str, str], set[str]]:
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for link in links:
        found[link.from_id, link.to_kind].add(link.to_id)
    return found


def test_every_call_is_whose_it_was_and_about_whom(demo: Desk) -> None:
    pages = demo.read("calls")
    read, linked = {row.id: row for row in rows(pages, Interaction)}, ends(rows(pages, Link))
    for call in (each for each in WORLD.calls if each.direction != "internal" and not each.deleted):
        row = read[demo.id_of("call", call.key)]
        assert (row.rep, row.at, row.direction) == (owner(demo, call.seller), millis(call.at), call.direction), call
        assert row.disposition == (call.outcome.lower() if call.outcome else None), call
        assert row.duration_ms == (None if call.seconds is None else call.seconds * 1000), call
        assert linked[row.id, "person"] == people(demo, call.people), call
        assert linked[row.id, "deal"] == deals(demo, call.deals), call


def written(email: Email) -> bool:
    """HubSpot holds no drafts."""
    return email.status != "draft" and not email.deleted


def test_every_email_says_what_became_of_it(demo: Desk) -> None:
    pages = demo.read("emails")
    read, linked = {row.id: row for row in rows(pages, Interaction)}, ends(rows(pages, Link))
    for email in filter(written, WORLD.emails):
        row, out = read[demo.id_of("email", email.key)], email.direction == "out"
        direction = "internal" if email.direction == "forwarded" else email.direction
        assert (row.rep, row.at, row.direction) == (owner(demo, email.seller), millis(email.at), direction), email
        assert (row.outcome, row.thread) == (OUTCOMES[email.status], email.thread), email
        assert (row.tracked, row.bounced) == ((email.tracked, email.status == "bounced") if out else (None, None)), (
            email
        )
        if out and email.tracked:
            assert (row.opened, row.clicked) == (bool(email.opens), bool(email.clicks)), email
        assert linked[row.id, "person"] == people(demo, email.people), email


def test_every_deal_is_worth_what_it_was_and_whose_it_was_at_the_close(demo: Desk) -> None:
    pages = demo.read("deals")
    read, linked = {row.id: row for row in rows(pages, Deal)}, ends(rows(pages, Link))
    for sale in (each for each in WORLD.sales if not each.deleted):
        row = read[demo.id_of("sale", sale.key)]
        assert (row.closed, row.won, row.owner) == (sale.stage != "open", sale.stage == "won", owner(demo, sale.owner))
        assert row.amount == (None if sale.amount is None else int(sale.amount * 1_000_000)), sale
        assert linked[row.id, "person"] == people(demo, sale.people), sale
        if sale.closed_at and row.closed:
            before = [seller for since, seller in sale.owners if since <= sale.closed_at]
            assert row.closed_at == millis(sale.closed_at), sale
            assert row.owner_at_close == owner(demo, before[-1] if before else sale.owners[0][1]), sale


def test_every_person_is_opted_out_since_when_it_was(demo: Desk) -> None:
    read = {row.id: row for row in rows(demo.read("contacts"), Person)}
    for prospect in (each for each in WORLD.prospects if not each.deleted and not each.merged_into):
        row = read[demo.id_of("prospect", prospect.key)]
        assert row.opted_out == bool(prospect.opted_out or prospect.opted_out_undated), prospect
        assert (row.opted_out_at, row.bounced_at) == (millis(prospect.opted_out), millis(prospect.bounced)), prospect
    for loser in MERGED:
        row = read[demo.id_of("prospect", loser)]
        assert (row.deleted, row.merged_into) == (True, demo.id_of("prospect", survivor(loser)))


def test_every_form_was_sent_by_who_the_person_is_after_all_merges_and_one_by_somebody_deleted(demo: Desk) -> None:
    pages = demo.read("forms")
    sent = sorted((row.person, row.at) for row in rows(pages, Event))
    living = [each for each in WORLD.submissions if each.prospect not in GONE_PEOPLE]
    assert sent == sorted((demo.id_of("prospect", survivor(each.prospect)), millis(each.at)) for each in living)
    assert len(WORLD.submissions) - len(living) == 1
    assert [one.reason for page in pages for one in page.unread] == ["no contact has its e-mail address (any more)"]
