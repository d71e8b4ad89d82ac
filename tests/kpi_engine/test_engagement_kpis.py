"""Family 4, lead engagement: the score, and what the open leads of a period's end come to.

score = 100 × (1 − e^(−raw / 50)); a point halves every 21 days.
"""

import math
from typing import Any

import pytest
from sales_floor import (
    ANA,
    AS_OF,
    COMPANY,
    FIRST,
    Floor,
    at,
    call,
    email,
    event,
    lead,
    meeting,
    on,
    person,
    rep,
    reply,
)

from kpi_engine.records import Company, Engagement, Event, Lead, Record
from kpi_engine.scores import scores

TODAY = "2026-11-20 09:00"
OLD = lead("l1", "2026-09-01 08:00")


def score(raw: float) -> float:
    return round(100 * (1 - math.exp(-raw / 50)), 2)


def scored(*records: Record | list[Record], of: Lead = OLD) -> float | None:
    return Floor(ANA, of, *records).value("average_engagement")


# ── weights and caps ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kind", "amount", "raw"),
    [
        ("form_submission", 1, 30),
        ("form_submission", 3, 60),
        ("document", 1.5, 4.5),
        ("document", 99, 30),
        ("email_click", 1, 5),
        ("email_click", 6, 25),
        ("page_view", 1, 1),
        ("page_view", 11, 10),
        ("email_open", 1, 1),
        ("email_open", 4, 3),
    ],
)
def test_each_kind_has_a_weight_and_a_most_a_day(kind: str, amount: float, raw: float) -> None:
    assert scored(event("v1", "l1", kind, TODAY, amount)) == score(raw)


def test_the_most_a_day_holds_for_the_days_sum_not_for_each_event() -> None:
    """Three forms on one day are two; one more on the day before adds 30 × 2^(−1/21)."""
    today = [event(f"v{n}", "l1", "form_submission", f"2026-11-20 0{n}:00") for n in (1, 2, 3)]
    yesterday = event("v4", "l1", "form_submission", "2026-11-19 09:00")
    assert scored(*today) == score(60)
    assert scored(*today, yesterday) == score(60 + 30 * 2 ** (-1 / 21))


def test_meetings_held_replies_and_answered_calls_in_either_direction_score() -> None:
    assert scored(meeting("m1", "2026-11-20 08:00", "2026-11-20 09:00", people=["l1"])) == score(30)
    assert scored(meeting("m1", "2026-11-20 08:00", "2026-11-20 09:00", people=["l1"], outcome="no_show")) == 0
    assert scored(call("c1", TODAY, people=["l1"], direction="in", disposition="connected")) == score(15)
    assert scored(call("c1", TODAY, people=["l1"], disposition="busy")) == 0
    sent = email("e1", "2026-11-20 08:00", thread="t")
    assert scored(sent, reply("r1", TODAY, "t", people=["l1"])) == score(20)
    assert scored(sent, reply("r1", TODAY, "t", people=["l1"], automatic=True)) == 0


def test_an_inbound_email_that_answers_nothing_is_no_reply() -> None:
    assert scored(reply("r1", TODAY, "t", people=["l1"])) == 0


def test_an_opened_email_is_one_open_on_the_known_day_else_on_the_day_it_was_sent() -> None:
    """Sent on 30 October (21 days ago): a known open today is worth 1, an unknown one 0.5; a click adds 5."""
    long_ago = "2026-10-30 09:00"
    assert scored(email("e1", long_ago, people=["l1"], opened=True, opened_at=at(TODAY))) == score(1)
    assert scored(email("e1", long_ago, people=["l1"], opened=True)) == score(0.5)
    assert scored(email("e1", TODAY, people=["l1"], opened=True, clicked=True)) == score(6)


def test_a_counter_without_a_date_adds_nothing() -> None:
    undated = Event(id="v1", modified=FIRST, person="l1", kind="form_submission")
    assert scored(undated) == 0


# ── age ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_point_halves_every_21_days() -> None:
    assert scored(event("v1", "l1", "form_submission", "2026-10-30 09:00")) == score(15)


def test_age_is_counted_in_calendar_days_of_the_owners_zone() -> None:
    """23:30 UTC on the 18th is the 19th in Madrid: one day before the 20th, not two."""
    floor = Floor(rep("ana", zone="Europe/Madrid"), OLD, event("v1", "l1", "form_submission", "2026-11-18 23:30"))
    assert floor.value("average_engagement") == score(30 * 2 ** (-1 / 21))


def test_what_a_person_did_before_becoming_a_lead_is_part_of_the_score() -> None:
    fresh = lead("l1", "2026-11-20 08:00", person="p1")
    assert scored(event("v1", "p1", "form_submission", "2026-10-30 09:00"), of=fresh) == score(15)


def test_a_finished_period_is_evaluated_on_its_last_day() -> None:
    """A form on 10 October is 21 days old on 31 October and 41 on 20 November."""
    floor = Floor(ANA, OLD, event("v1", "l1", "form_submission", "2026-10-10 09:00"))
    assert floor.value("average_engagement", period="2026-10-01") == score(15)
    assert floor.value("average_engagement") == score(30 * 2 ** (-41 / 21))


def test_an_event_after_as_of_has_not_happened() -> None:
    assert scored(event("v1", "l1", "form_submission", "2026-11-20 18:01")) == 0


# ── silence ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "gone",
    [
        lead("l1", "2026-09-01 08:00", opted_out=True, opted_out_at=at("2026-11-05 09:00")),
        lead("l1", "2026-09-01 08:00", bounced_at=at("2026-11-05 09:00")),
    ],
    ids=["opted out", "bounced"],
)
def test_who_opted_out_or_bounced_by_then_scores_nothing(gone: Lead) -> None:
    floor = Floor(ANA, gone, event("v1", "l1", "form_submission", "2026-10-31 09:00"))
    assert floor.value("average_engagement", period="2026-10-01") == score(30)
    assert floor.value("average_engagement") == 0


def test_an_opt_out_without_a_date_holds_for_every_period() -> None:
    gone = lead("l1", "2026-09-01 08:00", opted_out=True)
    floor = Floor(ANA, gone, event("v1", "l1", "form_submission", "2026-10-31 09:00"))
    assert floor.value("average_engagement", period="2026-10-01") == 0


def test_an_opt_out_of_the_contact_silences_its_lead() -> None:
    grown = lead("l1", "2026-09-01 08:00", person="p1")
    assert scored(person("p1", opted_out=True), event("v1", "l1", "form_submission", TODAY), of=grown) == 0


# ── open leads ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_open_leads_are_those_neither_converted_nor_disqualified_at_the_periods_end() -> None:
    floor = Floor(
        ANA,
        lead("open", "2026-10-05 09:00"),
        lead("late", "2026-10-05 09:00", converted=True, converted_on=on("2026-11-01")),
        lead("then", "2026-10-05 09:00", converted=True, converted_on=on("2026-10-31")),
        lead("undated", "2026-10-05 09:00", converted=True),
        lead("junk", "2026-10-05 09:00", status="junk"),
        lead("later", "2026-11-01 00:00"),
        lead("gone", "2026-10-05 09:00", deleted=True),
    )
    assert floor.value("open_leads", period="2026-10-01") == 2
    assert floor.value("open_leads", period="2026-11-01") == 2


@pytest.mark.parametrize(
    "status", ["unqualified", "disqualified", "closed - not converted", "closed - unqualified", "junk"]
)
def test_a_disqualified_lead_is_none_in_any_period(status: str) -> None:
    assert Floor(ANA, lead("l1", "2026-09-01 09:00", status=status)).value("open_leads", period="2026-10-01") == 0


def test_engaged_leads_have_a_score_of_50_or_more() -> None:
    """Two forms today: 100 × (1 − e^(−1.2)) = 69.88. One: 45.12. Engaged 1 of 3, on average (69.88 + 45.12 + 0) / 3."""
    floor = Floor(
        ANA,
        *(lead(f"l{n}", "2026-09-01 09:00") for n in (1, 2, 3)),
        event("v1", "l1", "form_submission", TODAY, 2),
        event("v2", "l2", "form_submission", TODAY),
    )
    assert floor.value("engaged_leads") == 1
    row = floor.row("engagement_rate")
    assert (row["value"], row["numerator"], row["denominator"], row["n"]) == (0.3333, 1, 3, 3)
    assert floor.value("average_engagement") == 38.33


def test_a_team_has_the_leads_of_its_members() -> None:
    floor = Floor(
        rep("boss"), rep("ana", manager="boss"), rep("ben", manager="boss"),
        lead("l1", "2026-09-01 09:00", "ana"), lead("l2", "2026-09-01 09:00", "ben"),
        event("v1", "l2", "form_submission", TODAY, 2),
    )  # fmt: skip
    assert floor.value("open_leads", "team:boss") == 2
    assert floor.value("engagement_rate", "team:boss") == 0.5


def test_a_year_is_not_the_sum_of_its_months_but_the_state_at_its_end() -> None:
    floor = Floor(ANA, lead("l1", "2026-09-01 09:00"))
    assert floor.value("open_leads", grain="year", period="2026-01-01") == 1


# ── the score of the lead itself ─────────────────────────────────────────────────────────────────────────────────────


def test_the_level_is_decided_on_the_unrounded_score() -> None:
    """50 × ln 2 = 34.657… points make exactly 50; 34 make 49.34, 11.15… make 20."""
    floor = Floor(
        ANA,
        *(lead(f"l{n}", "2026-09-01 09:00") for n in (1, 2, 3)),
        lead("closed", "2026-09-01 09:00", converted=True, converted_on=on("2026-09-02")),
        event("v1", "l1", "form_submission", TODAY),
        event("v2", "l1", "email_click", TODAY),
        event("v3", "l2", "email_click", TODAY, 3),
    )
    found = scores(floor.tables, COMPANY, at(AS_OF))
    assert found.rows() == [
        ("l1", "ana", score(35), "engaged"),
        ("l2", "ana", score(15), "warming"),
        ("l3", "ana", 0.0, "disengaged"),
    ]


# ── configured ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_weights_fading_and_cut_offs_can_be_configured() -> None:
    """A page view of 40 points, halved in ten days, ten days ago: 20 of a scale of 20, 100 × (1 − e^(−1)) = 63.21."""
    rules = Engagement(weights={"page_view": (40.0, 1.0)}, half_life_days=10.0, scale=20.0, engaged=63.0)
    company = Company(connection="acme", engagement=rules)
    floor = Floor(ANA, OLD, event("v1", "l1", "page_view", "2026-11-10 09:00", 7), company=company)
    assert floor.value("average_engagement") == 63.21
    assert floor.value("engaged_leads") == 1


def test_the_statuses_that_disqualify_can_be_configured() -> None:
    company = Company(connection="acme", disqualifying_statuses=("spam",))
    floor = Floor(
        ANA,
        lead("l1", "2026-09-01 09:00", status="spam"),
        lead("l2", "2026-09-01 09:00", status="junk"),
        company=company,
    )
    assert floor.value("open_leads") == 1


def test_talk_among_colleagues_is_no_sign_of_the_lead() -> None:
    """The call is about the lead, but nobody of theirs was on it."""
    inside = call("c1", TODAY, people=["l1"], direction="internal", disposition="connected")
    assert scored(inside) == 0
    assert Floor(ANA, lead("l1", "2026-11-02 08:00"), inside).value("interested_leads") == 0


@pytest.mark.parametrize(
    "later", [{"opted_out": True, "opted_out_at": "2026-11-20 18:01"}, {"bounced_at": "2026-11-20 18:01"}]
)
def test_an_opt_out_or_bounce_after_as_of_silences_nothing_yet(later: dict[str, Any]) -> None:
    """One page view of today: raw 1. The moment is today's, but after 18:00."""
    gone = {name: at(value) if isinstance(value, str) else value for name, value in later.items()}
    view = event("e1", "l1", "page_view", TODAY)
    assert scored(view, of=lead("l1", "2026-09-01 08:00", **gone)) == score(1)
