"""Family 8, channels that bring leads."""

import pytest
from sales_floor import (
    ANA,
    Floor,
    at,
    call,
    deal,
    email,
    event,
    lead,
    links,
    meeting,
    message,
    on,
    rep,
    reply,
    won,
)

from kpi_engine.records import Company, Lead, Record

BORN = "2026-10-02 09:00"
"""30 × 24 hours later it is 1 November 09:00."""


def interested(
    *records: Record | list[Record], of: Lead | None = None, as_of: str = "2026-11-20 18:00"
) -> float | None:
    born = lead("l1", BORN) if of is None else of
    return Floor(ANA, born, *records, as_of=as_of).value("interested_leads", period="2026-10-01")


# ── what shows interest ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "sign",
    [
        reply("r1", "2026-10-05 09:00", "t", people=["l1"]),
        call("c1", "2026-10-05 09:00", people=["l1"], direction="in"),
        message("m1", "2026-10-05 09:00", people=["l1"], direction="in"),
        call("c1", "2026-10-05 09:00", people=["l1"], disposition="connected"),
        meeting("v1", "2026-10-05 09:00", "2026-10-05 10:00", people=["l1"]),
        [event("f1", "l1", "form_submission", "2026-10-05 09:00")],
        [event("f1", "l1", "form_submission", BORN)],
        [event("f1", "l1", "form_submission", "2026-11-01 09:00")],
        [event("f1", "l1", "form_submission", "2026-11-01")],
    ],
    ids=["wrote", "called", "texted", "answered", "met", "form", "form at once", "last second", "last day"],
)
def test_a_sign_within_30_times_24_hours_shows_interest(sign: list[Record]) -> None:
    assert interested(sign) == 1


@pytest.mark.parametrize(
    "sign",
    [
        reply("r1", "2026-10-05 09:00", "t", people=["l1"], automatic=True),
        email("e1", "2026-10-05 09:00", people=["l1"]),
        call("c1", "2026-10-05 09:00", people=["l1"], disposition="busy"),
        meeting("v1", "2026-10-05 09:00", "2026-10-05 10:00", people=["l1"], outcome="no_show"),
        [event("f1", "l1", "form_submission", "2026-11-01 09:01")],
        [event("f1", "l1", "form_submission", "2026-10-02 08:59")],
        [event("f1", "l1", "page_view", "2026-10-05 09:00")],
        [event("f1", "l2", "form_submission", "2026-10-05 09:00")],
    ],
    ids=[
        "automatic",
        "was written to",
        "busy",
        "did not come",
        "too late",
        "too early",
        "looked at a page",
        "someone else",
    ],
)
def test_other_things_show_no_interest(sign: list[Record]) -> None:
    assert interested(sign) == 0


def test_being_qualified_or_converted_in_time_shows_interest() -> None:
    assert interested(of=lead("l1", BORN, qualified_at=at("2026-11-01 09:00"))) == 1
    assert interested(of=lead("l1", BORN, qualified_at=at("2026-11-01 09:01"))) == 0
    assert interested(of=lead("l1", BORN, converted=True, converted_at=at("2026-10-20 09:00"))) == 1
    assert interested(of=lead("l1", BORN, converted=True, converted_on=on("2026-11-01"))) == 1
    assert interested(of=lead("l1", BORN, converted=True, converted_on=on("2026-11-02"))) == 0
    assert interested(of=lead("l1", BORN, converted=True)) == 1


def test_a_score_of_50_at_the_end_of_a_day_in_time_shows_interest() -> None:
    """A document for ten minutes (30) and five clicks (25) make 55 points: a score of 66.71."""
    read = [
        event("d1", "l1", "document", "2026-10-20 09:00", 10),
        event("k1", "l1", "email_click", "2026-10-20 10:00", 5),
    ]
    late = [
        event("d1", "l1", "document", "2026-11-01 08:00", 10),
        event("k1", "l1", "email_click", "2026-11-01 08:00", 5),
    ]
    assert interested(read) == 1
    assert interested(late) == 0, "1 November ends after the 30 × 24 hours"
    assert interested(read, as_of="2026-10-20 23:59") == 0, "the day is not over"
    assert interested(read, as_of="2026-10-21 00:00") == 1


def test_points_from_before_the_creation_count_for_the_score_of_the_first_day() -> None:
    grown = lead("l1", BORN, person="p1")
    before = [
        event("d1", "p1", "document", "2026-10-01 09:00", 10),
        event("k1", "p1", "email_click", "2026-10-01 10:00", 5),
    ]
    assert interested(before, of=grown) == 1


# ── leads and what became of them ────────────────────────────────────────────────────────────────────────────────────


def test_leads_belong_to_their_present_owner_on_the_day_in_that_owners_zone() -> None:
    floor = Floor(rep("yui", zone="Asia/Tokyo"), lead("l1", "2026-10-31 20:00", "yui"))
    assert floor.value("leads_created", "yui") == 1


def test_lead_win_rate_and_revenue_per_lead_follow_the_deal_of_the_conversion() -> None:
    """Four leads; l1's deal brought 300, l2's was not won, l3 has none, l4 led to l1's deal too: 2 / 4 and 300 / 4."""
    done = {"converted": True, "converted_on": on("2026-10-20")}
    floor = Floor(
        ANA,
        lead("l1", "2026-10-02 09:00", deal="d1", **done),
        lead("l2", "2026-10-03 09:00", deal="d2", **done),
        lead("l3", "2026-10-04 09:00"),
        lead("l4", "2026-10-05 09:00", deal="d1", **done),
        won("d1", "2026-11-03", 300),
        deal("d2", "2026-10-20 09:00", amount=900),
    )
    assert floor.value("lead_win_rate", period="2026-10-01") == 0.5
    assert floor.value("revenue_per_lead", period="2026-10-01") == 75


def test_two_leads_on_one_deal_credit_the_earlier_one() -> None:
    done = {"converted": True, "converted_on": on("2026-11-02"), "deal": "d1"}
    floor = Floor(
        ANA,
        lead("l1", "2026-09-02 09:00", **done),
        lead("l2", "2026-10-02 09:00", **done),
        won("d1", "2026-11-03", 300),
    )
    assert floor.value("revenue_per_lead", period="2026-09-01") == 300
    assert floor.value("revenue_per_lead", period="2026-10-01") == 0
    assert floor.value("lead_win_rate", period="2026-10-01") == 1


def test_where_the_crm_names_no_deal_it_is_the_earliest_one_created_from_the_day_of_the_conversion_on() -> None:
    """Converted on 10 October at noon: d0 is older; d1 was created that morning; d2 later."""
    floor = Floor(
        ANA,
        lead("l1", "2026-10-02 09:00", converted=True, converted_at=at("2026-10-10 12:00")),
        won("d0", "2026-11-03", 1, created="2026-10-09 09:00", people=["l1"]),
        won("d1", "2026-11-03", 20, created="2026-10-10 08:00", people=["l1"]),
        won("d2", "2026-11-03", 300, created="2026-10-11 08:00", people=["l1"]),
        company=Company(connection="acme", lead_deal_from_links=True),
    )
    assert floor.value("revenue_per_lead", period="2026-10-01") == 20


def test_a_conversion_after_as_of_has_no_deal_yet() -> None:
    later = lead("l1", "2026-10-02 09:00", converted=True, converted_on=on("2026-11-21"), deal="d1")
    floor = Floor(ANA, later, won("d1", "2026-11-03", 300))
    assert floor.value("lead_win_rate", period="2026-10-01") == 0
    assert floor.value("open_leads") == 1


# ── channels ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_channel_stands_for_each_rep_and_for_all() -> None:
    floor = Floor(
        ANA,
        rep("ben"),
        lead("l1", "2026-11-02 09:00", "ana", channel="Web"),
        lead("l2", "2026-11-02 09:00", "ben", channel="Web"),
        lead("l3", "2026-11-02 09:00", "ben", channel="Fair", qualified_at=at("2026-11-03 09:00")),
        lead("l4", "2026-11-02 09:00", "ben"),
        lead("l5", "2026-11-02 09:00", None, channel="Web"),
    )
    assert floor.value("leads_created", "all", dimension="channel=Web") == 3
    assert floor.value("leads_created", "ben", dimension="channel=Web") == 1
    assert floor.value("interest_rate", "ben", dimension="channel=Fair") == 1
    assert floor.value("leads_created", "all", dimension="channel=unknown") == 1
    assert floor.value("leads_created", "unassigned", dimension="channel=Web") == 1
    assert floor.value("leads_created", "ben") == 3


def test_there_is_no_row_of_all_reps_but_for_channels() -> None:
    assert not Floor(ANA, lead("l1", "2026-11-02 09:00", channel="Web")).has("all")


def test_a_blank_channel_is_unknown() -> None:
    floor = Floor(ANA, lead("l1", "2026-11-02 09:00", channel=""), links("x", "deal"))
    assert floor.value("leads_created", dimension="channel=unknown") == 1
