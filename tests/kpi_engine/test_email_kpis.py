"""Family 1, e-mail: is the conversation two-way?"""

import pytest
from sales_floor import ANA, Floor, at, campaign, email, lead, lost, person, rate, rep, reply, won

from kpi_engine.records import Company

# ── sent, bounced, opened, clicked ───────────────────────────────────────────────────────────────────────────────────


def test_emails_sent_are_the_outbound_ones_the_crm_says_were_sent() -> None:
    floor = Floor(
        ANA,
        email("e1", "2026-11-02 09:00"),
        email("e2", "2026-11-02 09:00", bounced=True),
        email("e3", "2026-11-02 09:00", outcome=None),
        reply("r1", "2026-11-02 10:00", "t"),
    )
    assert floor.value("emails_sent") == 2


def test_the_bounce_rate_is_bounced_of_sent() -> None:
    floor = Floor(ANA, email("e1", "2026-11-02 09:00", bounced=True), email("e2", "2026-11-02 10:00"))
    assert floor.value("email_bounce_rate") == 0.5


def test_opens_and_clicks_are_shares_of_what_was_tracked_and_delivered() -> None:
    """Of four e-mails one is not tracked and one bounced: two remain, one opened, none clicked."""
    floor = Floor(
        ANA,
        email("e1", "2026-11-02 09:00", tracked=True, opened=True, clicked=False),
        email("e2", "2026-11-02 10:00", tracked=True, opened=False),
        email("e3", "2026-11-02 11:00", tracked=True, bounced=True),
        email("e4", "2026-11-02 12:00", tracked=False, opened=True, clicked=True),
    )
    assert floor.value("email_open_rate") == 0.5
    assert floor.value("email_click_rate") == 0
    assert floor.row("email_click_rate")["n"] == 2


def test_an_email_opened_after_as_of_is_not_opened_yet() -> None:
    later = at("2026-11-20 18:01")
    floor = Floor(ANA, email("e1", "2026-11-02 09:00", tracked=True, opened=True, opened_at=later))
    assert floor.value("email_open_rate") == 0


# ── replies ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_reply_rate_counts_threads_not_messages() -> None:
    """Two threads opened, one with three replies: 1 / 2."""
    floor = Floor(
        ANA,
        email("e1", "2026-11-02 09:00", thread="t1"),
        *(reply(f"r{n}", f"2026-11-0{n} 12:00", "t1") for n in (3, 4, 5)),
        email("e2", "2026-11-02 09:00", thread="t2"),
        email("e3", "2026-11-09 09:00", thread="t2"),
    )
    row = floor.row("email_reply_rate")
    assert (row["value"], row["numerator"], row["denominator"], row["n"]) == (0.5, 1, 2, 2)


def test_a_thread_that_a_customer_opened_is_nobodys_to_be_answered() -> None:
    floor = Floor(
        ANA,
        reply("r1", "2026-11-02 08:00", "t1"),
        email("e1", "2026-11-02 09:00", thread="t1"),
        reply("r2", "2026-11-02 10:00", "t1"),
    )
    assert floor.row("email_reply_rate")["reason"] == "no_data"


def test_a_thread_belongs_to_whoever_sent_its_first_message_on_that_day() -> None:
    floor = Floor(
        ANA,
        rep("ben"),
        email("e1", "2026-10-30 09:00", "ben", thread="t1"),
        email("e2", "2026-11-02 09:00", "ana", thread="t1"),
        reply("r1", "2026-11-03 09:00", "t1"),
    )
    assert floor.value("email_reply_rate", "ben", period="2026-10-01") == 1
    assert floor.row("email_reply_rate", "ana")["reason"] == "no_data"


def test_an_automatic_reply_is_no_reply() -> None:
    floor = Floor(
        ANA, email("e1", "2026-11-02 09:00", thread="t1"), reply("r1", "2026-11-02 09:01", "t1", automatic=True)
    )
    assert floor.value("email_reply_rate") == 0


def test_a_reply_counts_however_late_but_not_after_as_of() -> None:
    floor = Floor(
        ANA,
        email("e1", "2026-02-02 09:00", thread="t1"),
        reply("r1", "2026-11-20 17:59", "t1"),
        email("e2", "2026-02-03 09:00", thread="t2"),
        reply("r2", "2026-11-20 18:01", "t2"),
    )
    assert floor.value("email_reply_rate", period="2026-02-01") == 0.5


def test_an_email_without_a_thread_is_a_thread_of_its_own() -> None:
    floor = Floor(ANA, email("e1", "2026-11-02 09:00"), email("e2", "2026-11-02 10:00"))
    assert floor.row("email_reply_rate")["denominator"] == 2


# ── opting out ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_unsubscribe_rate_is_people_who_left_for_each_email_delivered() -> None:
    """Two people left in November, four e-mails were delivered and one bounced: 2 / 4."""
    november, october = at("2026-11-05 09:00"), at("2026-10-05 09:00")
    floor = Floor(
        ANA,
        *(email(f"e{n}", f"2026-11-0{n} 09:00") for n in (2, 3, 4, 5)),
        email("e6", "2026-11-06 09:00", bounced=True),
        person("p1", opted_out=True, opted_out_at=november),
        lead("l2", "2026-09-01 09:00", opted_out=True, opted_out_at=november),
        person("p3", opted_out=True, opted_out_at=october),
    )
    assert floor.value("email_unsubscribe_rate") == 0.5


def test_a_lead_and_its_contact_who_opted_out_are_one_person_of_the_contacts_owner() -> None:
    when = at("2026-11-05 09:00")
    floor = Floor(
        ANA,
        rep("ben"),
        email("e1", "2026-11-02 09:00", "ben"),
        email("e2", "2026-11-02 09:00", "ana"),
        person("p1", "ben", opted_out=True, opted_out_at=when),
        lead("l1", "2026-09-01 09:00", "ana", person="p1", opted_out=True, opted_out_at=when),
    )
    assert (floor.value("email_unsubscribe_rate", "ben"), floor.value("email_unsubscribe_rate", "ana")) == (1, 0)


# ── campaigns ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_return_of_a_campaign_is_what_it_won_less_its_cost_for_each_unit_of_cost() -> None:
    """Won 300 (by any rep, in any period) and 50 without amount, cost 100: (300 − 100) / 100 = 2."""
    floor = Floor(
        ANA,
        rep("ben"),
        campaign("fair", "2026-09-01", 100),
        won("d1", "2026-11-03", 300, "ben", campaign="fair"),
        won("d2", "2026-11-04", None, "ben", campaign="fair"),
        lost("d3", "2026-11-04", campaign="fair"),
    )
    row = floor.row("campaign_roi", period="2026-09-01")
    assert (row["value"], row["numerator"], row["denominator"], row["n"]) == (2, 200, 100, 1)


def test_a_campaign_without_cost_is_left_out_of_both_parts() -> None:
    floor = Floor(
        ANA,
        campaign("fair", "2026-11-02", 100),
        campaign("free", "2026-11-03", 0),
        campaign("open", "2026-11-04", None),
        won("d1", "2026-11-03", 150, campaign="fair"),
        won("d2", "2026-11-03", 900, campaign="free"),
    )
    assert floor.value("campaign_roi") == 0.5


def test_campaigns_of_which_none_has_a_cost_are_not_available() -> None:
    row = Floor(ANA, campaign("free", "2026-11-03", 0)).row("campaign_roi")
    assert (row["value"], row["reason"], row["missing"]) == (None, "not_available", "campaign_costs")


def test_no_campaign_at_all_is_no_data() -> None:
    assert Floor(ANA, email("e1", "2026-11-02 09:00")).row("campaign_roi")["reason"] == "no_data"


def test_a_campaigns_foreign_cost_is_converted_at_its_start() -> None:
    """220 dollars at 2.2 are 100 euros; 150 euros won."""
    floor = Floor(
        ANA,
        rate("USD", "2.2", "2026-01-01", "2026-11-15"),
        rate("USD", "4", "2026-11-15"),
        campaign("fair", "2026-11-02", 220, currency="USD"),
        won("d1", "2026-11-18", 150, campaign="fair"),
        company=Company(connection="acme", home_currency="EUR"),
    )
    assert floor.value("campaign_roi") == 0.5


@pytest.mark.parametrize(
    ("kpi", "source"),
    [
        ("email_click_rate", "clicks"),
        ("email_open_rate", "opens"),
        ("email_bounce_rate", "bounces"),
        ("email_unsubscribe_rate", "opt_out_dates"),
        ("campaign_roi", "campaign_costs"),
    ],
)
def test_each_rate_names_the_source_that_it_lacks(kpi: str, source: str) -> None:
    company = Company(connection="acme", missing={source: "this CRM does not tell"})
    row = Floor(ANA, email("e1", "2026-11-02 09:00", tracked=True), company=company).row(kpi)
    assert (row["value"], row["missing"]) == (None, source)


def test_a_reply_to_an_email_of_which_only_the_date_is_known_is_one_of_a_later_day() -> None:
    """Whether the answer of the same day came before or after, nobody knows."""
    sent = email("e1", "2026-11-02", thread="t")
    assert Floor(ANA, sent, reply("r1", "2026-11-02 23:00", "t")).value("email_reply_rate") == 0
    assert Floor(ANA, sent, reply("r1", "2026-11-03 00:00", "t")).value("email_reply_rate") == 1
    timed = email("e1", "2026-11-02 09:00", thread="t")
    assert Floor(ANA, timed, reply("r1", "2026-11-03", "t")).value("email_reply_rate") == 1
