"""Family 2, calls."""

import pytest
from sales_floor import ANA, Floor, at, call, email, lead, meeting, message, on, rep, task, won

from kpi_engine.records import Company, Record

# ── made and answered ────────────────────────────────────────────────────────────────────────────────────────────────


def test_calls_made_are_outbound_whatever_their_result() -> None:
    floor = Floor(
        ANA,
        call("c1", "2026-11-02 09:00", disposition="busy"),
        call("c2", "2026-11-02 10:00", disposition="connected"),
        call("c3", "2026-11-02 11:00", direction=None),
        call("c4", "2026-11-02 12:00", direction="in"),
        call("c5", "2026-11-02 13:00", direction="internal"),
    )
    assert floor.value("calls_made") == 3


@pytest.mark.parametrize("label", ["connected", "answered", "spoke", "spoke with contact", "conversation"])
def test_the_label_of_the_result_says_that_a_call_was_answered(label: str) -> None:
    floor = Floor(ANA, call("c1", "2026-11-02 09:00", disposition=label, duration_ms=1_000))
    assert floor.value("calls_answered") == 1


def test_a_label_that_only_contains_such_a_word_does_not() -> None:
    floor = Floor(ANA, call("c1", "2026-11-02 09:00", disposition="not connected", duration_ms=90_000))
    assert floor.value("calls_answered") == 0


def test_without_any_label_half_a_minute_decides() -> None:
    floor = Floor(
        ANA,
        call("c1", "2026-11-02 09:00", disposition=None, duration_ms=30_000),
        call("c2", "2026-11-02 10:00", disposition=None, duration_ms=29_999),
        call("c3", "2026-11-02 11:00", disposition=None),
    )
    assert floor.value("calls_answered") == 1


def test_a_connect_time_of_the_crm_says_that_a_call_was_answered() -> None:
    floor = Floor(
        ANA,
        call("c1", "2026-11-02 09:00", disposition=None, answered_by_crm=True, duration_ms=5_000),
        call("c2", "2026-11-02 10:00", disposition="no answer", answered_by_crm=True),
        call("c3", "2026-11-02 11:00", disposition=None, answered_by_crm=False, duration_ms=60_000),
    )
    assert floor.value("calls_answered") == 2
    assert floor.value("call_answer_rate") == 0.6667


# ── talk ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_talk_time_is_that_of_answered_calls_and_its_average_of_those_with_a_known_duration() -> None:
    """60 and 45 seconds and one unknown: 1.75 minutes in all, 0.875 (0.88) on average over two."""
    floor = Floor(
        ANA,
        call("c1", "2026-11-02 09:00", disposition="connected", duration_ms=60_000),
        call("c2", "2026-11-02 10:00", disposition="connected", duration_ms=45_000),
        call("c3", "2026-11-02 11:00", disposition="connected", duration_ms=None),
        call("c4", "2026-11-02 12:00", disposition="busy", duration_ms=600_000),
    )
    assert floor.value("talk_minutes") == 1.75
    row = floor.row("average_call_minutes")
    assert (row["value"], row["numerator"], row["denominator"]) == (0.88, 1.75, 2)


def test_half_a_hundredth_of_a_minute_goes_to_the_even_neighbour() -> None:
    """300 milliseconds are 0.005 minutes: 0.00. 900 are 0.015: 0.02."""
    first = Floor(ANA, call("c1", "2026-11-02 09:00", disposition="connected", duration_ms=300))
    second = Floor(ANA, call("c1", "2026-11-02 09:00", disposition="connected", duration_ms=900))
    assert (first.value("talk_minutes"), second.value("talk_minutes")) == (0.00, 0.02)


# ── follow-up ────────────────────────────────────────────────────────────────────────────────────────────────────────

THURSDAY = "2026-11-05 10:00"
"""Its second working day is Monday the 9th."""


def followed(*steps: list[Record], as_of: str = "2026-11-20 18:00", company: Company | None = None) -> float | None:
    asked = call("c1", THURSDAY, people=["p1"], deals=["d1"], disposition="connected")
    chosen = Company(connection="acme") if company is None else company
    return Floor(ANA, rep("ben"), asked, *steps, as_of=as_of, company=chosen).value("call_follow_up_rate")


def test_without_a_next_step_a_call_was_not_followed_up() -> None:
    assert followed() == 0


@pytest.mark.parametrize(
    "step",
    [
        task("s", "2026-11-09 23:59", people=["p1"]),
        task("s", "2026-11-09 09:00", deals=["d1"]),
        email("s", "2026-11-06 09:00", people=["p1"]),
        call("s", "2026-11-06 09:00", people=["p1"]),
        message("s", "2026-11-06 09:00", people=["p1"]),
        meeting("s", "2026-12-01 09:00", "2026-12-01 10:00", people=["p1"], created_at=at("2026-11-06 09:00")),
        meeting(
            "s",
            "2026-11-12 09:00",
            "2026-11-12 10:00",
            people=["p1"],
            created_at=at("2026-11-06 09:00"),
            outcome="cancelled",
        ),
    ],
    ids=[
        "task with the person",
        "task about the deal",
        "e-mail",
        "call",
        "message",
        "meeting booked",
        "meeting booked and cancelled later",
    ],
)
def test_a_step_with_the_same_person_or_deal_by_the_second_working_day_follows_up(step: list[Record]) -> None:
    assert followed(step) == 1


@pytest.mark.parametrize(
    "step",
    [
        task("s", "2026-11-10 00:00", people=["p1"]),
        task("s", THURSDAY, people=["p1"]),
        task("s", "2026-11-06 09:00", people=["p2"]),
        task("s", "2026-11-06 09:00", "ben", people=["p1"]),
        task("s", "2026-11-06 09:00", people=["p1"], logs_activity=True),
        task("s", "2026-11-06 09:00", people=["p1"], deleted=True),
        email("s", "2026-11-06 09:00", people=["p1"], bounced=True),
        call("s", "2026-11-06 09:00", people=["p1"], direction="in"),
        call("s", "2026-11-06 09:00", people=["p1"], outcome="planned"),
    ],
    ids=[
        "after the second working day",
        "at the same moment",
        "with someone else",
        "by another rep",
        "only logs an activity",
        "deleted",
        "bounced",
        "came in",
        "not done",
    ],
)
def test_other_things_do_not_follow_up(step: list[Record]) -> None:
    assert followed(step) == 0


def test_a_call_is_no_case_before_its_second_working_day_is_over() -> None:
    """On Monday the 9th it is not over; one minute into Tuesday it is."""
    assert followed(as_of="2026-11-09 23:59") is None
    assert followed(as_of="2026-11-10 00:01") == 0


def test_holidays_and_days_off_give_more_time() -> None:
    """Friday the 6th is a holiday and Ana has Monday the 9th off: the second working day is Wednesday the 11th."""
    company = Company(
        connection="acme", holidays=frozenset({on("2026-11-06")}), days_off={"ana": frozenset({on("2026-11-09")})}
    )
    assert followed(task("s", "2026-11-11 20:00", people=["p1"]), company=company) == 1


def test_a_step_with_the_contact_follows_up_a_call_with_the_lead_it_was() -> None:
    floor = Floor(
        ANA,
        lead("l1", "2026-11-01 09:00", person="p1", converted=True, converted_on=on("2026-11-08")),
        call("c1", THURSDAY, people=["l1"], disposition="connected"),
        email("e1", "2026-11-06 09:00", people=["p1"]),
    )
    assert floor.value("call_follow_up_rate") == 1


def test_only_answered_calls_ask_for_a_follow_up() -> None:
    floor = Floor(ANA, call("c1", THURSDAY, people=["p1"], disposition="busy"))
    assert floor.row("call_follow_up_rate")["reason"] == "no_data"


# ── revenue per call ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_revenue_per_call_divides_the_revenue_by_all_calls_made() -> None:
    """1,000 / 3 calls = 333.33."""
    floor = Floor(ANA, won("d1", "2026-11-03", 1000), *(call(f"c{n}", f"2026-11-0{n} 09:00") for n in (2, 3, 4)))
    row = floor.row("revenue_per_call")
    assert (row["value"], row["n"]) == (333.33, 3)


def test_the_labels_that_say_answered_can_be_configured() -> None:
    company = Company(connection="acme", answered_labels=("gesprochen",))
    floor = Floor(
        ANA,
        call("c1", "2026-11-02 09:00", disposition="gesprochen"),
        call("c2", "2026-11-02 10:00", disposition="connected"),
        company=company,
    )
    assert floor.value("calls_answered") == 1


def test_where_the_crm_cannot_tell_who_answered_nothing_about_answers_is_available() -> None:
    company = Company(connection="acme", missing={"answers": "the result of calls is not visible"})
    floor = Floor(ANA, call("c1", "2026-11-02 09:00", disposition=None), company=company)
    silent = ("calls_answered", "call_answer_rate", "talk_minutes", "average_call_minutes", "call_follow_up_rate")
    for kpi in (*silent, "response_rate"):
        row = floor.row(kpi)
        assert (row["value"], row["reason"], row["missing"]) == (None, "not_available", "answers")
    assert floor.value("calls_made") == 1
    assert floor.value("touchpoints") == 1
