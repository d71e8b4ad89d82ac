"""The scenarios that a Salesforce connector has to stand, each with the tests that put it through: nothing is left out.

A scenario without a test, or a test that was renamed or removed, is found here.
"""

import ast
from pathlib import Path

import pytest

HERE = Path(__file__).parent

SCENARIOS: dict[str, tuple[str, ...]] = {
    "a token expires between pages": (
        "salesforce_reading::a_session_that_ends_between_two_pages_is_renewed",
        "salesforce_scenarios_reading::a_token_that_lives_for_three_requests_is_renewed_as_often_as_it_takes",
    ),
    "a token expires while a Bulk job is waited for": (
        "salesforce_reading::a_session_that_ends_while_a_bulk_job_runs_is_renewed",
    ),
    "a rotated refresh token is stored": (
        "salesforce_auth::a_refresh_token_that_was_replaced_is_stored_before_it_is_used",
    ),
    "pages shrink to two hundred in the middle of a run": (
        "salesforce_scenarios_reading::pages_that_shrink_to_two_hundred_in_the_middle_of_a_run_lose_nothing",
    ),
    "ten thousand rows have one stamp": (
        "salesforce_scenarios_reading::"
        "ten_thousand_rows_with_one_stamp_are_each_read_though_locators_expire_and_pages_shrink",
    ),
    "a row commits late, inside the overlap": (
        "salesforce_scenarios_reading::a_row_that_commits_late_within_the_overlap_is_read_by_the_next_run",
    ),
    "a row commits late, outside the overlap": (
        "salesforce_scenarios_reading::a_row_that_commits_later_than_the_overlap_is_read_by_the_weekly_full_pull",
        "salesforce_scenarios_reading::the_overlap_can_be_made_longer_where_transactions_take_long",
    ),
    "a soft delete": ("salesforce_reading::a_deleted_record_arrives_deleted_and_comes_back_when_it_is_restored",),
    "an undelete": ("salesforce_scenarios_reading::a_row_that_was_deleted_restored_and_deleted_again_ends_deleted",),
    "a merge": (
        "salesforce_reading::a_merged_lead_is_deleted_and_names_its_survivor",
        "salesforce_scenarios_reading::a_merge_deletes_the_loser_and_names_the_winner",
    ),
    "a hard delete": (
        "salesforce_scenarios_reading::a_hard_deleted_row_leaves_no_trace_and_is_gone_after_the_weekly_full_pull",
        "salesforce_reading::what_left_the_recycle_bin_between_two_passes_is_found_in_the_log_of_deletions",
    ),
    "a row that is no longer visible": (
        "salesforce_scenarios_reading::"
        "a_row_that_is_no_longer_shared_with_us_is_gone_after_the_weekly_full_pull_and_back_after_the_next",
    ),
    "campaign roll-ups that move without a stamp": (
        "salesforce_scenarios_reading::a_campaign_s_totals_move_without_its_stamp_and_its_deals_tell_what_they_are",
    ),
    "an org without EmailMessage, currencies, quotas, telephony, splits, field history": (
        "salesforce_scenarios_features::what_an_org_lacks_is_named_and_its_values_are_not_available",
    ),
    "an optional field hidden by field-level security": (
        "salesforce_reading::a_hidden_field_is_not_asked_for_and_silences_only_its_own_source",
        "salesforce_reading::a_field_that_is_hidden_in_the_middle_of_a_run_is_left_out",
        "salesforce_scenarios_fields::a_field_that_becomes_visible_is_read_of_the_old_rows_too",
    ),
    "four fifths of the day's calls are used": (
        "salesforce_scenarios_limits::"
        "at_four_fifths_of_the_day_s_calls_a_run_stops_and_the_next_day_s_goes_on_from_its_last_page",
    ),
    "the day's calls are used up, and the run goes on from its checkpoint": (
        "salesforce_scenarios_limits::a_day_that_is_used_up_stops_the_run_with_its_last_page_kept_and_is_not_hammered",
    ),
    "503 with HTML, 420, a reset in the middle of a chunk": (
        "salesforce_scenarios_limits::a_passing_trouble_loses_no_row_and_doubles_none",
        "salesforce_scenarios_limits::a_passing_trouble_while_writing_leaves_each_record_once",
    ),
    "450 KPI rows with three bad ones and a locked one": (
        "salesforce_writing::three_bad_rows_and_a_locked_one_do_not_keep_the_others_from_landing",
    ),
    "a second identical run writes nothing": ("contract_suite::a_second_round_trip_writes_nothing",),
    "users may not be updated": (
        "salesforce_writing::without_the_right_to_manage_users_the_kpi_records_land_all_the_same",
    ),
    "deploying twice": ("salesforce_provision::doing_it_again_makes_nothing_and_deploys_nothing",),
    "the dashboard's running user is missing": (
        "salesforce_scenarios_reading::"
        "an_org_without_a_usable_running_user_gets_everything_but_the_dashboard_and_is_told_why",
    ),
    "a Bulk CSV with newlines, quotes, NUL and exponents": (
        "salesforce_scenarios_reading::"
        "a_bulk_result_with_newlines_quotes_nul_bytes_and_exponents_is_read_to_the_last_digit",
    ),
}


def named_in(name: str) -> set[str]:
    """The tests of a file, those in classes too, without the `test_` before them."""
    file = HERE / (f"{name}.py" if name == "contract_suite" else f"test_{name}.py")
    nodes = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
    functions = (node.name for node in nodes if isinstance(node, ast.FunctionDef))
    return {function.removeprefix("test_") for function in functions if function.startswith("test_")}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_scenario_has_its_tests(scenario: str) -> None:
    for place in SCENARIOS[scenario]:
        file, _, name = place.partition("::")
        assert name in named_in(file)
