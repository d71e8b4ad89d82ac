"""Family 3, touchpoints and follow-ups: which touchpoints are a deal's, and how many a won deal took."""

from collections.abc import Iterable

import pytest
from sales_floor import ANA, Floor, call, deal, email, lead, links, lost, meeting, message, on, rep, reply, won

from kpi_engine.records import Company, Record


def test_touchpoints_are_delivered_emails_calls_messages_and_meetings_held() -> None:
    floor = Floor(
        ANA,
        email("e1", "2026-11-02 09:00"),
        email("e2", "2026-11-02 10:00", bounced=True),
        call("c1", "2026-11-02 11:00"),
        call("c2", "2026-11-02 12:00", direction="in"),
        message("m1", "2026-11-02 13:00"),
        message("m2", "2026-11-02 13:30", direction="in"),
        meeting("v1", "2026-11-02 14:00", "2026-11-02 15:00"),
        meeting("v2", "2026-11-02 16:00", "2026-11-02 17:00", outcome="no_show"),
        meeting("v3", "2026-11-02 18:00", "2026-11-02 19:00", outcome="cancelled"),
        meeting("v4", "2026-11-03 18:00", "2026-11-03 19:00", outcome="rescheduled"),
    )
    assert floor.value("touchpoints") == 4


def test_where_the_crm_records_no_outcomes_meetings_count_as_held_with_a_mark() -> None:
    company = Company(connection="acme", missing={"meeting_outcomes": "events have no outcome"})
    row = Floor(ANA, meeting("v1", "2026-11-02 14:00", "2026-11-02 15:00"), company=company).row("touchpoints")
    assert (row["value"], row["marks"]) == (1, ["no_shows_unknown"])


# ── a deal's touchpoints ─────────────────────────────────────────────────────────────────────────────────────────────


def took(*records: Record | Iterable[Record]) -> float | None:
    """How many touchpoints Ana's won deal took: created 1 October 09:00, closed 3 November, with contact p1."""
    sale = won("d1", "2026-11-03", 100, created="2026-10-01 09:00", people=["p1"])
    return Floor(ANA, rep("ben"), sale, *records).value("touchpoints_per_won_deal")


@pytest.mark.parametrize(
    ("when", "counted"),
    [
        ("2026-07-02 23:00", 0),
        ("2026-07-03 00:00", 1),
        ("2026-10-15 12:00", 1),
        ("2026-11-03 23:59", 1),
        ("2026-11-04 00:00", 0),
    ],
    ids=["91 days before", "90 days before", "while open", "late on the last day", "the day after"],
)
def test_a_touchpoint_linked_to_the_deal_counts_from_90_days_before_its_creation_to_its_close(
    when: str, counted: int
) -> None:
    assert took(call("c1", when, deals=["d1"])) == counted


def test_touchpoints_of_other_reps_are_the_deals_too() -> None:
    assert (
        took(call("c1", "2026-10-15 12:00", "ben", deals=["d1"]), email("e1", "2026-10-16 12:00", None, deals=["d1"]))
        == 2
    )


def test_a_touchpoint_with_the_deals_contact_counts_while_the_deal_is_open() -> None:
    assert took(call("c1", "2026-10-15 12:00", people=["p1"])) == 1


def test_a_touchpoint_with_a_contact_before_any_deal_belongs_to_the_first_created_in_the_next_90_days() -> None:
    """d0 was created on 10 September: the call of the 9th is its, not d1's."""
    assert took(call("c1", "2026-09-09 12:00", people=["p1"])) == 1
    assert took(call("c1", "2026-09-09 12:00", people=["p1"]), lost_before("2026-09-10 09:00")) == 0


def lost_before(created: str) -> list[Record]:
    return [*lost("d0", "2026-09-20", created=created), *links("d0", "deal", people=["p1"])]


def test_of_two_open_deals_the_one_created_last_gets_the_touchpoint() -> None:
    """d2 was created on 10 October and is still open: from then on the calls are its."""
    newer = deal("d2", "2026-10-10 09:00", people=["p1"])
    assert took(newer, call("c1", "2026-10-09 12:00", people=["p1"])) == 1
    assert took(newer, call("c1", "2026-10-11 12:00", people=["p1"])) == 0


def test_a_deleted_deal_claims_nothing() -> None:
    newer = deal("d2", "2026-10-10 09:00", people=["p1"], deleted=True)
    assert took(newer, call("c1", "2026-10-11 12:00", people=["p1"])) == 1


def test_a_touchpoint_linked_to_a_deal_is_that_deals_alone() -> None:
    other = deal("d2", "2026-09-01 09:00")
    assert took(other, call("c1", "2026-10-11 12:00", people=["p1"], deals=["d2"])) == 0


def test_the_lead_that_was_converted_into_a_deal_is_one_of_its_people() -> None:
    grown = lead("l1", "2026-09-15 09:00", converted=True, converted_on=on("2026-10-01"), deal="d1")
    assert took(grown, call("c1", "2026-09-20 12:00", people=["l1"])) == 1


def test_a_deals_days_are_those_of_its_closing_owners_zone() -> None:
    """16:00 UTC on 3 November is 4 November in Tokyo, where the closing owner lives; by Ana's clock it was in time."""
    sale = won("d1", "2026-11-03", 100, "yui")
    floor = Floor(ANA, rep("yui", zone="Asia/Tokyo"), sale, call("c1", "2026-11-03 16:00", "ana", deals=["d1"]))
    assert floor.value("touchpoints_per_won_deal", "yui") == 0


# ── averages over won deals ──────────────────────────────────────────────────────────────────────────────────────────


def test_follow_ups_leave_out_each_deals_first_touchpoint_and_deals_without_any() -> None:
    """d1 took 3, d2 took 1, d3 none: touchpoints (3 + 1) / 3 = 1.33, follow-ups (2 + 0) / 2 = 1."""
    floor = Floor(
        ANA,
        *(won(f"d{n}", "2026-11-03", 100) for n in (1, 2, 3)),
        *(call(f"c{n}", f"2026-10-1{n} 12:00", deals=["d1"]) for n in (1, 2, 3)),
        call("c4", "2026-10-14 12:00", deals=["d2"]),
    )
    assert floor.value("touchpoints_per_won_deal") == 1.33
    assert floor.value("follow_ups_per_won_deal") == 1


def test_effort_is_everything_the_rep_did_for_each_deal_won() -> None:
    floor = Floor(ANA, won("d1", "2026-11-03", 1), *(call(f"c{n}", f"2026-11-0{n} 09:00") for n in (2, 3, 4)))
    assert floor.value("effort_per_won_deal") == 3


def test_the_sales_cycle_is_counted_in_whole_days_on_the_owners_calendar_and_never_below_zero() -> None:
    """Created at 23:30 UTC on 1 November, the 2nd in Madrid, closed on the 5th: 3 days. Closed before entered: 0."""
    floor = Floor(
        rep("ana", zone="Europe/Madrid"),
        won("d1", "2026-11-05", 1, created="2026-11-01 23:30"),
        won("d2", "2026-11-05", 1, created="2026-11-09 09:00"),
        won("d3", "2026-11-12", 1, created="2026-11-02 09:00"),
    )
    assert floor.value("sales_cycle_days") == 4.33
    assert floor.value("median_sales_cycle_days") == 3


def test_an_even_number_of_deals_has_its_median_between_two_of_them() -> None:
    floor = Floor(
        ANA,
        won("d1", "2026-11-05", 1, created="2026-11-02 09:00"),
        won("d2", "2026-11-12", 1, created="2026-11-02 09:00"),
    )
    assert floor.value("median_sales_cycle_days") == 6.5


# ── response rate ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_response_rate_is_what_was_answered_replied_to_or_held() -> None:
    """Calls 1 of 2, delivered e-mails 1 of 2, meetings 1 of 2: 3 / 6. Bounced and cancelled ones are none."""
    floor = Floor(
        ANA,
        call("c1", "2026-11-02 09:00", disposition="connected"),
        call("c2", "2026-11-02 10:00"),
        email("e1", "2026-11-02 11:00", thread="t"),
        reply("r1", "2026-11-02 12:00", "t"),
        email("e2", "2026-11-02 13:00", thread="t"),
        email("e3", "2026-11-02 13:00", bounced=True),
        meeting("v1", "2026-11-02 14:00", "2026-11-02 15:00"),
        meeting("v2", "2026-11-02 16:00", "2026-11-02 17:00", outcome="no_show"),
        meeting("v3", "2026-11-02 18:00", "2026-11-02 19:00", outcome="cancelled"),
    )
    row = floor.row("response_rate")
    assert (row["value"], row["numerator"], row["denominator"]) == (0.5, 3, 6)


# ── bands ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_bands_are_cut_at_the_configured_limits_which_belong_to_the_larger_band() -> None:
    company = Company(connection="acme", band_limits=(100_000_000, 1_000_000_000))
    floor = Floor(
        ANA,
        *(won(f"d{amount}", "2026-11-03", amount) for amount in (99, 100, 999, 1000)),
        won("none", "2026-11-03", None),
        *(call(f"c{n}", f"2026-10-1{n} 12:00", deals=["d1000"]) for n in (1, 2, 3)),
        company=company,
    )
    by_band = {
        band: floor.row("touchpoints_per_won_deal", dimension=f"band={band}") for band in ("small", "medium", "large")
    }
    assert [by_band[band]["denominator"] for band in by_band] == [1, 2, 1]
    assert [by_band[band]["value"] for band in by_band] == [0, 0, 3]
    assert by_band["large"]["marks"] == []


def test_without_a_year_of_30_deals_the_terciles_of_all_deals_won_hold_provisionally() -> None:
    """Of 10, 20, 30, 40 the terciles are 20 and 30: small 10, medium 20, large 30 and 40."""
    floor = Floor(ANA, *(won(f"d{amount}", "2026-11-03", amount) for amount in (10, 20, 30, 40)))
    rows = [floor.row("sales_cycle_days", dimension=f"band={band}") for band in ("small", "medium", "large")]
    assert [row["denominator"] for row in rows] == [1, 1, 2]
    assert [row["marks"] for row in rows] == [["provisional"]] * 3


def test_thirty_deals_of_the_fiscal_year_before_decide_for_good() -> None:
    """Last year's deals were 1 … 30: (30 − 1) / 3 = 9.67 places up are 10.67 and 20.33. This year's 100 is large."""
    floor = Floor(
        ANA,
        *(won(f"d{amount}", "2025-11-03", amount, created="2025-10-01 09:00") for amount in range(1, 31)),
        won("a", "2026-11-03", "10.66"),
        won("b", "2026-11-03", "10.67"),
        won("c", "2026-11-03", "20.33"),
        won("d", "2026-11-03", "20.34"),
    )
    rows = [floor.row("sales_cycle_days", dimension=f"band={band}") for band in ("small", "medium", "large")]
    assert [row["denominator"] for row in rows] == [1, 2, 1]
    assert rows[0]["marks"] == []


def test_two_deals_are_too_few_for_bands() -> None:
    row = Floor(ANA, won("d1", "2026-11-03", 1), won("d2", "2026-11-03", 2)).row(
        "sales_cycle_days", dimension="band=small"
    )
    assert (row["value"], row["reason"], row["missing"]) == (None, "not_available", "deal_sizes")
