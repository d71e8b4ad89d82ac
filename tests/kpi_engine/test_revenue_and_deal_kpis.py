"""Families 5, 6 and 7: revenue, deal value, deals closed, quota and effort."""

from sales_floor import ANA, Floor, call, deal, email, lost, on, quota, rate, rep, split, target, won

from kpi_engine.records import Company

# ── revenue ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_revenue_is_the_amount_of_deals_won_on_their_close_day() -> None:
    floor = Floor(
        ANA,
        won("d1", "2026-11-03", "1200.50"),
        won("d2", "2026-10-31", 99),
        lost("d3", "2026-11-03"),
        deal("d4", "2026-11-03 09:00", amount=500),
    )
    row = floor.row("revenue")
    assert (row["value"], row["n"], row["marks"]) == (1200.5, 1, [])


def test_a_deal_without_an_amount_counts_zero_and_warns() -> None:
    row = Floor(ANA, won("d1", "2026-11-03", None), won("d2", "2026-11-03", 10)).row("revenue")
    assert (row["value"], row["n"], row["marks"]) == (10, 2, ["deals_without_amount"])


def test_splits_divide_the_revenue_but_not_the_deal() -> None:
    """70 % of 1,000 are Ana's, 30 % Ben's; the deal is Ana's alone."""
    floor = Floor(ANA, rep("ben"), won("d1", "2026-11-03", 1000), split("d1", "ana", 70), split("d1", "ben", 30))
    assert (floor.value("revenue", "ana"), floor.value("revenue", "ben")) == (700, 300)
    assert (floor.value("deals_won", "ana"), floor.value("deals_won", "ben")) == (1, 0)
    assert floor.value("average_deal_value", "ana") == 1000


def test_a_reps_share_of_revenue_is_of_everyones_unassigned_included() -> None:
    """Ana 100, Ben 200, nobody 100: Ana has a quarter."""
    floor = Floor(
        ANA,
        rep("ben"),
        won("d1", "2026-11-03", 100),
        won("d2", "2026-11-03", 200, "ben"),
        won("d3", "2026-11-03", 100, None),
    )
    row = floor.row("revenue_share")
    assert (row["value"], row["numerator"], row["denominator"], row["n"]) == (0.25, 100, 400, 3)


def test_the_denominator_of_a_teams_share_is_everyones_once() -> None:
    floor = Floor(
        rep("boss"),
        rep("ana", manager="boss"),
        rep("ben", manager="boss"),
        rep("cid"),
        *(won(f"d-{who}", "2026-11-03", 100, who) for who in ("ana", "ben", "cid")),
    )
    assert floor.value("revenue_share", "team:boss") == 0.6667


def test_the_share_of_large_deals_follows_the_revenue_and_its_splits() -> None:
    """Limits 100 and 1,000: of Ana's 100 + 500 + half of 2,800 = 2,000 the large part is 1,400."""
    floor = Floor(
        ANA,
        rep("ben"),
        won("d1", "2026-11-03", 100),
        won("d2", "2026-11-03", 500),
        won("d3", "2026-11-03", 2800),
        split("d3", "ana", 50),
        split("d3", "ben", 50),
        company=Company(connection="acme", band_limits=(100_000_000, 1_000_000_000)),
    )
    assert floor.value("large_deal_share") == 0.7


# ── deal value ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_average_deal_is_over_deals_that_have_an_amount_and_zero_is_one() -> None:
    floor = Floor(ANA, *(won(f"d{amount}", "2026-11-03", amount) for amount in (0, 100, None)))
    row = floor.row("average_deal_value")
    assert (row["value"], row["n"]) == (50, 2)


def test_the_median_deal_is_the_middle_one() -> None:
    floor = Floor(ANA, *(won(f"d{amount}", "2026-11-03", amount) for amount in (1, 7, 900, None)))
    assert floor.value("median_deal_value") == 7


def test_the_median_of_two_deals_is_rounded_half_even() -> None:
    """0.01 and 0.02: 0.015, and 0.02 is even."""
    floor = Floor(ANA, won("d1", "2026-11-03", "0.01"), won("d2", "2026-11-03", "0.02"))
    assert floor.value("median_deal_value") == 0.02


# ── closed ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_win_rate_is_won_of_won_and_lost() -> None:
    floor = Floor(ANA, won("d1", "2026-11-03"), lost("d2", "2026-11-04"), lost("d3", "2026-11-05"))
    assert (floor.value("deals_won"), floor.value("deals_lost"), floor.value("win_rate")) == (1, 2, 0.3333)


def test_a_merged_deal_is_the_survivors() -> None:
    floor = Floor(ANA, won("d1", "2026-11-03"), won("d2", "2026-11-03", merged_into="d1"))
    assert floor.value("deals_won") == 1


def test_calls_and_emails_per_won_deal_divide_the_reps_effort() -> None:
    floor = Floor(
        ANA,
        won("d1", "2026-11-03"),
        won("d2", "2026-11-03"),
        *(call(f"c{n}", f"2026-11-0{n} 09:00") for n in (2, 3, 4)),
        *(email(f"e{n}", f"2026-11-0{n} 09:00") for n in (2, 3, 4, 5, 6)),
    )
    assert (floor.value("calls_per_won_deal"), floor.value("emails_per_won_deal")) == (1.5, 2.5)


# ── quota ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_attainment_is_revenue_of_the_quota_of_exactly_that_period() -> None:
    floor = Floor(ANA, quota("ana", "2026-11-01", "2026-12-01", 4000), won("d1", "2026-11-03", 1000))
    assert floor.value("quota") == 4000
    row = floor.row("quota_attainment")
    assert (row["value"], row["numerator"], row["denominator"], row["n"]) == (0.25, 1000, 4000, 1)


def test_without_a_quota_there_is_no_attainment() -> None:
    floor = Floor(ANA, rep("ben"), quota("ben", "2026-11-01", "2026-12-01", 4000), won("d1", "2026-11-03", 1000))
    for kpi in ("quota", "quota_attainment"):
        row = floor.row(kpi, "ana")
        assert (row["value"], row["reason"], row["missing"]) == (None, "not_available", "quotas")


def test_three_months_make_a_quarter() -> None:
    floor = Floor(
        ANA,
        quota("ana", "2026-07-01", "2026-08-01", 1000),
        quota("ana", "2026-08-01", "2026-09-01", 2000),
        quota("ana", "2026-09-01", "2026-10-01", 4000),
        call("c1", "2026-07-06 09:00"),
    )
    assert floor.value("quota", grain="quarter", period="2026-07-01") == 7000


def test_a_month_of_a_quarters_quota_is_its_share_of_the_working_days() -> None:
    """The fourth quarter of 2026 has 66 working days, November 21 of them: 6,600 × 21 / 66 = 2,100."""
    floor = Floor(ANA, quota("ana", "2026-10-01", "2027-01-01", 6600), call("c1", "2026-11-02 09:00"))
    assert floor.value("quota") == 2100


def test_a_week_across_two_months_takes_days_of_each() -> None:
    """28 September to 4 October: 3 of September's 22 working days, 2 of October's 22: 100 × 3 + 200 × 2."""
    floor = Floor(
        ANA,
        quota("ana", "2026-09-01", "2026-10-01", 2200),
        quota("ana", "2026-10-01", "2026-11-01", 4400),
        call("c1", "2026-09-28 09:00"),
    )
    assert floor.value("quota", grain="week", period="2026-09-28") == 700


def test_a_period_with_an_uncovered_working_day_has_no_quota() -> None:
    floor = Floor(ANA, quota("ana", "2026-10-01", "2026-11-01", 4400), call("c1", "2026-11-02 09:00"))
    assert floor.value("quota", grain="quarter", period="2026-10-01") is None


def test_the_finest_row_that_covers_a_day_counts() -> None:
    """The year says 100 a day (26,100 / 261), November 4,200: the quarter is 22 + 23 days of 100 and 4,200."""
    floor = Floor(
        ANA,
        quota("ana", "2026-01-01", "2027-01-01", 26_100),
        quota("ana", "2026-11-01", "2026-12-01", 4_200),
        call("c1", "2026-11-02 09:00"),
    )
    assert floor.value("quota", grain="quarter", period="2026-10-01") == 8_700


def test_holidays_and_days_off_carry_nothing() -> None:
    company = Company(connection="acme", holidays=frozenset({on("2026-11-02")}))
    floor = Floor(ANA, quota("ana", "2026-11-01", "2026-12-01", 2000), call("c1", "2026-11-03 09:00"), company=company)
    assert floor.value("quota", grain="day", period="2026-11-03") == 100
    assert floor.value("quota", grain="day", period="2026-11-07") == 0


def test_a_teams_quota_is_that_of_its_members_who_manage_nobody() -> None:
    """Boss has 9,000 and Ben, who leads Ana, 5,000: the team's is Ana's 1,000 and Cid's 2,000; Dan has none."""
    floor = Floor(
        rep("boss"),
        rep("ben", manager="boss"),
        rep("ana", manager="ben"),
        rep("cid", manager="boss"),
        rep("dan", manager="boss"),
        *(
            quota(who, "2026-11-01", "2026-12-01", amount)
            for who, amount in (("boss", 9000), ("ben", 5000), ("ana", 1000), ("cid", 2000))
        ),
        won("d1", "2026-11-03", 600, "ben"),
    )
    row = floor.row("quota_attainment", "team:boss")
    assert (row["value"], row["denominator"], row["n"]) == (0.2, 3000, 2)
    assert floor.value("quota", "ben") == 5000


def test_a_team_without_any_quota_is_not_available() -> None:
    floor = Floor(rep("boss"), rep("ana", manager="boss"), won("d1", "2026-11-03", 600))
    assert floor.row("quota_attainment", "team:boss")["reason"] == "not_available"


def test_a_configured_target_is_the_quota_where_the_crm_has_none() -> None:
    company = Company(connection="acme", targets=(target("quota", "2100", "month"),))
    floor = Floor(
        ANA, rep("ben"), quota("ben", "2026-11-01", "2026-12-01", 5), won("d1", "2026-11-03", 1050), company=company
    )
    assert floor.value("quota_attainment", "ana") == 0.5
    assert floor.value("quota", "ben") == 5
    assert floor.value("quota", "ana", "day", "2026-11-03") == 100


def test_a_foreign_quota_is_converted_at_its_start() -> None:
    floor = Floor(
        ANA,
        rate("USD", "2", "2026-10-01", "2026-11-02"),
        rate("USD", "4", "2026-11-02"),
        quota("ana", "2026-11-01", "2026-12-01", 100, currency="USD"),
        call("c1", "2026-11-02 09:00"),
        company=Company(connection="acme", home_currency="EUR"),
    )
    assert floor.value("quota") == 50


def test_where_the_crm_covers_only_a_part_of_a_period_the_target_is_its_quota() -> None:
    """October has a row of 4400, November and December have none: the quarter is three targets of 1000."""
    company = Company(connection="acme", targets=(target("quota", "1000", "month"),))
    floor = Floor(ANA, quota("ana", "2026-10-01", "2026-11-01", 4400), won("d1", "2026-10-06"), company=company)
    assert floor.value("quota", period="2026-10-01") == 4400
    assert floor.value("quota", grain="quarter", period="2026-10-01") == 3000


def test_a_quota_that_ends_within_a_period_leaves_it_without_one_even_after_today() -> None:
    """Today is 20 November; 1 December, still to come, is a working day that no row covers."""
    floor = Floor(ANA, quota("ana", "2026-10-01", "2026-12-01", 4300), call("c1", "2026-11-02 09:00"))
    assert floor.row("quota", grain="quarter", period="2026-10-01")["reason"] == "not_available"
    assert floor.value("quota") == 2100


def test_a_yearly_target_gives_each_month_its_working_days_of_the_quota() -> None:
    """2026 has 261 working days, 21 of them in November."""
    company = Company(connection="acme", targets=(target("quota", "26100", "year", "rep:ana"),))
    floor = Floor(ANA, call("c1", "2026-11-02 09:00"), company=company)
    assert floor.value("quota") == 2100


def test_a_quota_is_compared_with_the_whole_one_before() -> None:
    floor = Floor(
        ANA,
        quota("ana", "2026-10-01", "2026-11-01", 1000),
        quota("ana", "2026-11-01", "2026-12-01", 1500),
        call("c1", "2026-10-02 09:00"),
    )
    row = floor.row("quota")
    assert (row["value"], row["previous"], row["change"]) == (1500, 1000, 500)


def test_a_narrower_target_for_the_quota_wins_over_the_periods_own_grain() -> None:
    """Ana's 2100 a month are 100 a working day, so 500 a week; the others have the 300 given for a week."""
    company = Company(
        connection="acme", targets=(target("quota", "300", "week"), target("quota", "2100", "month", "rep:ana"))
    )
    floor = Floor(ANA, rep("ben"), call("c1", "2026-11-02 09:00"), company=company)
    assert floor.value("quota", grain="week", period="2026-11-09") == 500
    assert floor.value("quota", "ben", grain="week", period="2026-11-09") == 300


def test_who_has_no_row_has_no_target_for_a_quota_but_keeps_the_crms_own() -> None:
    """Both left and did nothing in November. Of the team's 300, Cy's 200 are in the CRM; Ben's 100 were only wanted."""
    wanted = (target("quota", "100", scope="rep:ben"),)
    gone = [rep(name, "ana", active=False) for name in ("ben", "cy")]
    floor = Floor(
        ANA,
        gone,
        won("d1", "2026-10-05", who="ben"),
        quota("cy", "2026-11-01", "2026-12-01", 200),
        company=Company(connection="acme", targets=wanted),
    )
    assert floor.value("quota", "team:ana") == 200
    assert floor.value("quota", "team:ana", period="2026-10-01") == 100


def test_there_is_no_quota_in_a_month_that_has_not_begun_where_the_rep_is() -> None:
    """Noon of the 30th in UTC is the 1st of December in Auckland, and not yet in Madrid."""
    floor = Floor(
        rep("ana", zone="Europe/Madrid"),
        rep("ben", "ana", "Pacific/Auckland"),
        rep("cy", "ana", "Europe/Madrid"),
        quota("ben", "2026-12-01", "2027-01-01", 70),
        quota("cy", "2026-12-01", "2027-01-01", 30),
        call("c1", "2026-11-02 09:00", "ben"),
        as_of="2026-11-30 12:00",
    )
    assert floor.value("quota", "ben", period="2026-12-01") == 70
    assert floor.value("quota", "team:ana", period="2026-12-01") == 70


def test_a_tie_over_a_share_of_a_quota_that_never_ends_is_still_one() -> None:
    """September has 22 working days, 21 without the 9th: its week has 4/21 of the quota, 0.190476… of 1.00. Revenue of
    0.005 is 0.02625 of that, exactly between two ratios: the even one is 0.0262."""
    floor = Floor(
        ANA,
        quota("ana", "2026-09-01", "2026-10-01", 1),
        won("d1", "2026-09-08", "0.005"),
        company=Company(connection="acme", days_off={"ana": frozenset({on("2026-09-09")})}),
    )
    assert floor.value("quota_attainment", grain="week", period="2026-09-07") == 0.0262
