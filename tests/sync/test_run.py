"""The round trip: what is shown, what a second run does, and what happens when the CRM or the process gives up."""

from pathlib import Path

import pytest

from connectors.contract import Change, Surface, Unread
from connectors.errors import GuardStopped, Throttled, Unreachable
from connectors.memory import Gone, MemoryCrm
from kpi_engine.records import Company, Target
from sync.errors import NothingComputed, PlanUnknown
from sync.run import Options, look, make_plan, pull, push, roll_back, score
from tests.sync.round_trip import KPIS, NOW, Office, crm, key, rows
from tests.sync.worlds import at, call, lead, rep, won


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def test_a_run_shows_each_rep_and_month_what_happened(office: Office) -> None:
    report = office.run()

    assert report.written == report.planned
    assert report.refused == ()
    shown = office.shown(key("calls_made", "ana", "2026-03"))
    assert (shown["value"], shown["n"], shown["previous"], shown["change"]) == (3, 3, 0, 3)
    assert shown["name"] == "Calls made · Rep ana · 2026-03"
    assert (shown["period_start"], shown["period_end"]) == ("2026-03-01", "2026-03-31")
    assert office.shown(key("calls_made", "ben", "2026-02"))["value"] == 1
    assert office.shown("ana", Surface.PERSON_FIELDS) == {"calls_made": 3, "deals_won": 1}
    assert office.shown("l1", Surface.LEAD_SCORES) == {"score": 0, "level": "disengaged"}


def test_a_second_run_with_nothing_new_plans_nothing_and_writes_nothing(office: Office) -> None:
    office.run()
    shown = {place: dict(fields) for place, fields in office.crm.shown.items()}
    again = office.run()
    assert (rows(again), again.planned, again.written) == (0, 0, 0)
    assert office.crm.shown == shown


def test_one_more_call_changes_exactly_the_records_that_speak_of_it(office: Office) -> None:
    office.run()
    office.crm.happen("calls", call("c5", "ben", "2026-03-12T09:00"))
    again = office.run()
    assert again.pulled.rows == {"interaction": 1}
    assert again.written == 2  # ben's March record and ben's own field
    assert office.shown(key("calls_made", "ben", "2026-03"))["value"] == 1
    assert office.shown("ben", Surface.PERSON_FIELDS)["calls_made"] == 1


def test_a_dry_run_plans_and_writes_nothing(office: Office) -> None:
    report = office.run(dry_run=True)
    assert report.planned > 0
    assert report.written == 0
    assert office.crm.shown == {}
    assert office.ledger.runs()[0].what == "dry run"


def test_our_own_write_echoed_by_the_crm_is_no_change(office: Office) -> None:
    office.run()
    office.crm.happen("reps", rep("ana", modified=99))
    assert rows(office.run()) == 0


def test_a_record_that_someone_deleted_in_the_crm_is_made_again_by_a_full_run(office: Office) -> None:
    office.run()
    gone = key("calls_made", "ana", "2026-03")
    office.crm.remove(Surface.KPI_RECORDS, gone)
    assert office.run(full=True).written == 1
    assert office.shown(gone)["value"] == 3


def test_what_someone_changed_in_the_crm_is_reported_and_stays(office: Office) -> None:
    office.run()
    place = key("calls_made", "ana", "2026-03")
    office.crm.edit(Surface.KPI_RECORDS, place, value=99)
    office.crm.happen("calls", call("c5", "ana", "2026-03-12T09:00"))
    plan = office.ledger.plan(office.run().plan)
    shown = office.shown(place)
    assert (shown["value"], shown["numerator"], shown["n"]) == (99, 4, 4)
    assert [(drift.key, drift.field, drift.confirmed, drift.shown) for drift in plan.drift] == [(place, "value", 3, 99)]
    assert any("changed by hand" in warning for warning in plan.warnings)
    again = office.run()
    assert again.planned == 0
    assert office.ledger.plan(again.plan).drift == plan.drift


def test_what_a_refused_record_took_in_part_is_ours_and_no_drift(office: Office) -> None:
    office.run()
    place = key("calls_made", "ana", "2026-03")
    office.crm.refuse(place)
    office.crm.happen("calls", call("c5", "ana", "2026-03-12T09:00"))
    office.run()
    office.crm.edit(Surface.KPI_RECORDS, place, value=4)  # the CRM took this field, and refused the others
    office.crm.refusals.clear()
    office.crm.happen("calls", call("c6", "ana", "2026-03-12T10:00"))
    again = office.run()
    assert office.ledger.plan(again.plan).drift == ()
    assert office.shown(place)["value"] == 5


def test_after_too_many_refusals_nothing_more_is_sent(tmp_path: Path) -> None:
    office = Office(tmp_path, crm=crm(), options=Options(track=KPIS, write_grains=("month",), max_refused=1))
    plan = office.run(dry_run=True)
    for change in office.ledger.plan(plan.plan).changes:
        office.crm.refuse(change.key)
    report = office.run()
    assert report.written == 0
    assert office.ledger.under_way() == []


def test_what_someone_changed_in_the_crm_is_put_right_where_the_settings_say_so(tmp_path: Path) -> None:
    office = Office(tmp_path, options=Options(track=KPIS, write_grains=("month",), overwrite_drift=True))
    office.run()
    place = key("calls_made", "ana", "2026-03")
    office.crm.edit(Surface.KPI_RECORDS, place, value=99)
    plan = make_plan(office.job, office.cache, office.ledger, as_of=NOW, check_everything=True)
    assert [(drift.key, drift.field, drift.confirmed, drift.shown) for drift in plan.drift] == [(place, "value", 3, 99)]
    assert [change.after for change in plan.changes] == [{"value": 3, "as_of": "2026-03-12 12:00 UTC"}]
    push(office.job, office.ledger, plan)
    assert office.shown(place)["value"] == 3


def test_a_refused_record_is_kept_with_its_reason_and_the_others_are_written(office: Office) -> None:
    locked = key("calls_made", "ana", "2026-03")
    office.crm.refuse(locked, "Someone else is editing it.")
    report = office.run()
    assert report.written == report.planned - 1
    assert [(one.change.key, one.reason) for one in report.refused] == [(locked, "Someone else is editing it.")]

    run = office.ledger.runs()[0]
    assert run.state == "refused"
    (kept,) = office.ledger.outcomes(run.id, "refused")
    assert (kept.change.key, kept.advice, kept.retry) == (locked, "Unlock the record.", True)

    office.crm.refusals.clear()
    assert office.run().written == 1
    assert office.shown(locked)["value"] == 3


def test_a_push_that_dies_in_the_middle_is_finished_by_the_next_run(office: Office) -> None:
    office.crm.fail("push", Unreachable("KPI-MEM-002", "The line is dead.", "Try again."))
    with pytest.raises(Unreachable):
        office.run()
    run = office.ledger.runs()[0]
    assert (run.state, run.code) == ("failed", "KPI-MEM-002")
    assert len(office.ledger.outcomes(run.id, "written")) == 1
    again = office.run()
    assert again.written == again.planned
    assert office.run().planned == 0


def test_a_lost_ledger_is_filled_from_what_the_crm_shows(office: Office, tmp_path: Path) -> None:
    office.run()
    shown = {place: dict(fields) for place, fields in office.crm.shown.items()}
    other = Office(tmp_path / "new machine", crm=office.crm)
    assert other.run().written == 0
    assert office.crm.shown == shown
    assert other.run().planned == 0


def test_a_stream_that_fails_leaves_the_others_pages_and_the_next_pull_goes_on(tmp_path: Path) -> None:
    office = Office(tmp_path, crm=crm(page_size=1))
    office.crm.fail("calls", Throttled("KPI-MEM-003", "Too many requests.", "Wait."))
    with pytest.raises(Throttled):
        pull(office.job, office.cache)
    assert office.cache.counts()["interaction"] == 0
    assert office.cache.counts()["deal"] == 1
    assert pull(office.job, office.cache).rows == {"interaction": 4}


def test_a_pull_that_dies_between_two_pages_goes_on_after_the_last_whole_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = Office(tmp_path, crm=crm(page_size=2))
    whole = office.cache.absorb
    absorbed: list[object] = []

    def absorb_until_killed(page: object, zone: str) -> object:
        if len(absorbed) == 2:
            raise KeyboardInterrupt
        absorbed.append(page)
        return whole(page, zone)  # type: ignore[arg-type]

    monkeypatch.setattr(office.cache, "absorb", absorb_until_killed)
    with pytest.raises(KeyboardInterrupt):
        pull(office.job, office.cache)
    monkeypatch.undo()
    pull(office.job, office.cache)
    assert (
        office.cache.counts() | {"rep": 2, "interaction": 4, "deal": 1, "link": 1, "lead": 1} == office.cache.counts()
    )


def test_a_full_pull_reads_everything_again_and_finds_nothing_new(office: Office) -> None:
    pull(office.job, office.cache)
    assert pull(office.job, office.cache, full=True).rows == {}


def test_a_full_pull_lets_go_of_what_the_crm_no_longer_has(office: Office) -> None:
    pull(office.job, office.cache)
    office.crm.streams["calls"] = office.crm.streams["calls"][1:]  # purged: the CRM does not even tell
    assert pull(office.job, office.cache).deleted == 0
    assert pull(office.job, office.cache, full=True).deleted == 1
    assert office.cache.counts()["interaction"] == 3
    assert pull(office.job, office.cache, full=True).deleted == 0


def test_nothing_is_let_go_before_every_stream_was_read_again(office: Office) -> None:
    pull(office.job, office.cache)
    office.crm.streams["calls"] = office.crm.streams["calls"][1:]
    office.crm.fail("leads", Throttled("KPI-MEM-003", "Too many requests.", "Wait."))
    with pytest.raises(Throttled):
        pull(office.job, office.cache, full=True)
    assert office.cache.counts()["interaction"] == 4
    assert pull(office.job, office.cache).deleted == 1  # the stream that failed was read to its end
    assert office.cache.counts()["interaction"] == 3


def test_records_of_a_stream_that_may_no_longer_be_read_stay(office: Office) -> None:
    pull(office.job, office.cache)
    del office.crm.streams["calls"]
    assert pull(office.job, office.cache, full=True).deleted == 0
    assert office.cache.counts()["interaction"] == 4


def test_a_stream_that_the_crm_silently_closes_loses_nothing(office: Office) -> None:
    pull(office.job, office.cache)
    office.crm.streams["calls"].clear()  # a connector that learns of a missing scope while reading brings no page
    assert pull(office.job, office.cache, full=True).deleted == 0
    assert office.cache.counts()["interaction"] == 4


def test_a_record_that_can_no_longer_be_understood_is_still_there(office: Office) -> None:
    pull(office.job, office.cache)
    office.crm.streams["calls"][0] = Unread("calls", "c1", "its date is 2026-02-31")
    assert pull(office.job, office.cache, full=True).deleted == 0
    assert office.cache.counts()["interaction"] == 4


def test_a_stream_that_the_crm_does_not_have_is_skipped_with_a_reason(office: Office) -> None:
    pulled = pull(office.job, office.cache, streams=["reps", "invoices"])
    assert pulled.rows == {"rep": 2}
    assert pulled.skipped == {"invoices": "This CRM has no such stream, or does not let us read it."}


def test_what_is_no_longer_true_is_blanked(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.crm.happen("reps", rep("cleo", active=False))
    office.crm.happen("calls", call("c9", "cleo", "2026-02-10T10:00"))
    office.run()
    place = key("calls_made", "cleo", "2026-02")
    assert office.shown(place)["value"] == 1
    office.crm.happen("calls", call("c9", "ben", "2026-02-10T10:00", modified=2))
    office.run()
    assert (office.shown(place)["value"], office.shown(place)["reason"]) == (None, "no_data")
    assert office.shown(key("calls_made", "ben", "2026-02"))["value"] == 2
    assert office.run().planned == 0


def test_an_inactive_rep_keeps_the_records_and_gets_no_fields(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.crm.happen("reps", rep("ben", modified=2, active=False))
    office.run()
    assert office.shown(key("calls_made", "ben", "2026-02"))["value"] == 1
    assert (Surface.PERSON_FIELDS, "ben") not in office.crm.shown


def test_nobody_and_queues_get_no_records(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.crm.happen("reps", rep("queue", known=False))
    office.crm.happen("calls", call("q", "queue", "2026-03-11T10:00"), call("n", None, "2026-03-11T10:00"))
    office.run()
    assert {
        fields.get("rep") for (surface, _), fields in office.crm.shown.items() if surface is Surface.KPI_RECORDS
    } == {
        "ana",
        "ben",
    }


def test_a_teams_records_belong_to_the_manager_and_say_team(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.crm.happen("reps", rep("ben", modified=2, manager="ana"))
    office.run()
    shown = office.shown(key("calls_made", "team:ana", "2026-03"))
    assert (shown["rep"], shown["dimension"], shown["value"]) == ("ana", "team", 3)


def test_a_surface_that_is_off_or_has_no_place_is_left_alone(tmp_path: Path) -> None:
    options = Options(
        track=KPIS, write_grains=("month",), surfaces={Surface.LEAD_SCORES: False, Surface.PERSON_FIELDS: True}
    )
    office = Office(tmp_path, options=options)
    office.crm.provisioned.discard("person_fields")
    office.run()
    assert {surface for surface, _ in office.crm.shown} == {Surface.KPI_RECORDS}
    plan = make_plan(look(office.job)[0], office.cache, office.ledger, as_of=NOW)
    assert plan.warnings == ("person_fields is switched on, but the CRM has no place for it.",)


def test_a_target_finds_its_rep_by_e_mail_and_a_name_nobody_has_is_told(tmp_path: Path) -> None:
    def target(scope: str, value: str) -> Target:
        return Target(kpi="calls_made", scope=scope, grain="month", value=value, from_on=0)  # type: ignore[arg-type]

    company = Company(
        connection="acme", targets=(target("rep:ANA@example.com", "6"), target("rep:zoe@example.com", "1"))
    )
    office = Office(tmp_path, company=company)
    office.run()
    shown = office.shown(key("calls_made", "ana", "2026-03"))
    assert (shown["target"], shown["attainment"]) == (6, 0.5)
    plan = make_plan(office.job, office.cache, office.ledger, as_of=NOW)
    assert plan.warnings == (
        "A target for calls_made names 'zoe@example.com', whom the CRM does not know; it is left out.",
    )


def test_what_the_settings_leave_open_the_crm_fills_in(tmp_path: Path) -> None:
    asked = crm(time_zone="Europe/Madrid", home_currency="EUR", fiscal_year_start=4)
    open_company = Company(connection="acme", time_zone="", fiscal_year_start=0)
    ready, found = look(Office(tmp_path, crm=asked, company=open_company).job)
    assert (ready.company.time_zone, ready.company.home_currency, ready.company.fiscal_year_start) == (
        "Europe/Madrid",
        "EUR",
        4,
    )
    assert ready.capabilities == found
    said = Company(connection="acme", time_zone="UTC", home_currency="USD", fiscal_year_start=1)
    assert look(Office(tmp_path, crm=asked, company=said).job)[0].company == said


def test_a_crm_without_reps_stops_everything(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.run()
    office.crm.happen("reps", Gone("rep", "ana"), Gone("rep", "ben"))
    with pytest.raises(GuardStopped, match="KPI-GUARD-001"):
        office.run()
    assert office.ledger.runs()[0].state == "stopped"
    assert office.shown(key("calls_made", "ana", "2026-03"))["value"] == 3


def test_another_organisations_records_stop_everything(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.run()
    office.crm.organisation = "Someone else"
    with pytest.raises(GuardStopped, match="KPI-GUARD-002"):
        office.run()


def test_a_plan_that_rewrites_too_much_of_the_past_is_stopped_until_it_is_approved(tmp_path: Path) -> None:
    past = [call(f"p{month}", "ana", f"2025-{month:02}-05T10:00") for month in range(1, 13)]
    office = Office(tmp_path, options=Options(track=KPIS, write_grains=("month",), max_changed_share=0.1))
    office.crm.happen("calls", *past)
    office.run()

    office.crm.happen("calls", *(Gone("interaction", one.id) for one in past))
    with pytest.raises(GuardStopped, match="KPI-GUARD-003"):
        office.run(now=at("2026-03-12T13:00"))
    stopped = office.ledger.runs()[0]
    assert (stopped.state, stopped.code) == ("stopped", "KPI-GUARD-003")
    assert office.shown(key("calls_made", "ana", "2025-05"))["value"] == 1

    assert stopped.plan is not None
    plan = office.ledger.plan(stopped.plan)
    pushed = push(office.job, office.ledger, plan, approved=plan.id)
    assert pushed.written == len(plan.changes)
    assert office.shown(key("calls_made", "ana", "2025-05"))["value"] is None


def test_a_plan_beyond_the_budget_of_calls_is_stopped(tmp_path: Path) -> None:
    office = Office(tmp_path, crm=crm(daily_calls=20))
    with pytest.raises(GuardStopped, match="KPI-GUARD-004"):
        office.run()
    assert office.crm.shown == {}


def test_a_run_can_be_taken_back(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.run()
    office.crm.happen("calls", call("c5", "ana", "2026-03-12T09:00"))
    again = office.run()
    assert office.shown(key("calls_made", "ana", "2026-03"))["value"] == 4
    push(office.job, office.ledger, roll_back(office.job, office.ledger, again.run))
    assert office.shown(key("calls_made", "ana", "2026-03"))["value"] == 3
    assert office.shown("ana", Surface.PERSON_FIELDS)["calls_made"] == 3


def test_a_changed_past_keeps_what_was_known_before(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.run()
    office.crm.happen("calls", call("late", "ben", "2026-02-11T10:00"))
    office.run(now=at("2026-03-13T12:00"))
    february = office.ledger.history("calls_made", "ben", "month", 20485)  # type: ignore[arg-type] # 2026-02-01
    assert [(one.value, one.as_of) for one in february] == [(1, NOW), (2, at("2026-03-13T12:00"))]


def test_a_plan_needs_no_compute_before_it_but_a_pull(tmp_path: Path) -> None:
    office = Office(tmp_path)
    pull(office.job, office.cache)
    plan = make_plan(office.job, office.cache, office.ledger, as_of=NOW)
    assert {change.key for change in plan.changes} >= {key("deals_won", "ana", "2026-03"), "ana", "l1"}
    assert office.ledger.plan(plan.id) == plan
    assert make_plan(office.job, office.cache, office.ledger, as_of=NOW).id == plan.id


def test_values_of_another_moment_are_computed_anew_for_a_plan(tmp_path: Path) -> None:
    office = Office(tmp_path)
    pull(office.job, office.cache)
    score(office.job, office.cache, as_of=at("2026-03-02T12:00"))
    planned = make_plan(office.job, office.cache, office.ledger, as_of=NOW).changes
    march = next(change for change in planned if change.key == key("calls_made", "ana", "2026-03"))
    assert march.after["value"] == 3


def test_the_score_counts_the_values_that_the_parts_make(tmp_path: Path) -> None:
    from kpi_engine.values import values
    from sync.scoring import computed

    office = Office(tmp_path)
    with pytest.raises(NothingComputed):
        computed(office.cache)
    pull(office.job, office.cache)
    scored = score(office.job, office.cache, as_of=NOW)
    known = computed(office.cache)
    every = values(known.parts, known.company, known.as_of)
    assert scored.values == every.height
    assert scored.periods == every.select("grain", "period_start").unique().height


def test_an_unknown_plan_is_named(office: Office) -> None:
    with pytest.raises(PlanUnknown, match="nothing-like-it"):
        office.ledger.plan("nothing-like-it")


def test_lead_scores_follow_the_open_leads(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.run()
    office.crm.happen("leads", lead("l2", "ben"), lead("l1", "ana", modified=2, status="unqualified"))
    assert office.run().written == 2
    assert office.shown("l2", Surface.LEAD_SCORES) == {"score": 0, "level": "disengaged"}
    assert office.shown("l1", Surface.LEAD_SCORES) == {"score": None, "level": None}
    assert office.run().planned == 0


def test_a_converted_lead_keeps_the_score_with_which_it_was_converted(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.run()
    office.crm.happen("leads", lead("l1", "ana", modified=2, converted=True, converted_at=at("2026-03-12T09:00")))
    assert office.run().planned == 0
    assert office.shown("l1", Surface.LEAD_SCORES) == {"score": 0, "level": "disengaged"}


def test_two_deals_on_the_last_day_of_a_month_count_there(tmp_path: Path) -> None:
    office = Office(tmp_path, company=Company(connection="acme", time_zone="Europe/Madrid"))
    # 23:30 UTC on the last of February is already the first of March in Madrid.
    office.crm.happen("deals", won("d2", "ben", 10, "2026-02-28T22:30"), won("d3", "ben", 10, "2026-02-28T23:30"))
    office.run()
    assert office.shown(key("deals_won", "ben", "2026-02"))["value"] == 1
    assert office.shown(key("deals_won", "ben", "2026-03"))["value"] == 1


def test_memory_refuses_what_it_has_no_place_for() -> None:
    empty = MemoryCrm({"reps": []})
    list(empty.provision([]))
    change = Change(surface=Surface.PERSON_FIELDS, key="nobody", rep="nobody", before={}, after={"calls_made": 1})
    (refused,) = empty.push([change])
    assert refused.change is change


def test_taking_back_a_run_leaves_the_crm_as_it_was(office: Office) -> None:
    before = {place: dict(fields) for place, fields in office.crm.shown.items()}
    report = office.run()
    pushed = push(office.job, office.ledger, roll_back(office.job, office.ledger, report.run))
    assert pushed.written == report.written
    assert {place: told for place, told in _told(office).items() if told} == before
    assert [place for place in office.crm.shown if place[0] is Surface.KPI_RECORDS] == []


def test_taking_back_what_was_taken_back_makes_the_records_again(office: Office) -> None:
    report = office.run()
    shown = _told(office)
    back = roll_back(office.job, office.ledger, report.run)
    push(office.job, office.ledger, back)
    (undone,) = [one for one in office.ledger.runs() if one.what == "push"]
    push(office.job, office.ledger, roll_back(office.job, office.ledger, undone.id))
    assert _told(office) == shown


def test_taking_back_leaves_alone_what_someone_changed_since(office: Office) -> None:
    report = office.run()
    edited = key("calls_made", "ana", "2026-03")
    office.crm.edit(Surface.KPI_RECORDS, edited, value=99)
    back = roll_back(office.job, office.ledger, report.run)
    assert edited not in [change.key for change in back.changes]
    assert [(drift.key, drift.field, drift.confirmed, drift.shown) for drift in back.drift] == [
        (edited, "value", 3, 99)
    ]
    push(office.job, office.ledger, back)
    assert [place for place in office.crm.shown if place[0] is Surface.KPI_RECORDS] == [(Surface.KPI_RECORDS, edited)]
    assert office.shown(edited)["value"] == 99


def test_an_approved_plan_is_not_written_when_the_crm_has_moved_since(office: Office) -> None:
    office.run()
    office.crm.happen("calls", call("c9", "ana", "2026-03-12T09:00"))
    pull(office.job, office.cache)
    score(office.job, office.cache, as_of=NOW)
    plan = make_plan(office.job, office.cache, office.ledger, as_of=NOW)
    moved = key("calls_made", "ana", "2026-03")
    assert moved in [change.key for change in plan.changes]
    office.crm.edit(Surface.KPI_RECORDS, moved, value=50)
    with pytest.raises(GuardStopped, match="KPI-GUARD-006"):
        push(office.job, office.ledger, plan, approved=plan.id)
    assert office.shown(moved)["value"] == 50
    office.crm.edit(Surface.KPI_RECORDS, moved, value=3)
    assert push(office.job, office.ledger, plan, approved=plan.id).written == len(plan.changes)
    assert office.shown(moved)["value"] == 4


def test_someone_who_left_shows_no_number_of_this_month_any_more(office: Office) -> None:
    office.run()
    assert office.shown("ana", Surface.PERSON_FIELDS) == {"calls_made": 3, "deals_won": 1}
    office.crm.happen("reps", rep("ana", modified=2, active=False))
    office.run()
    assert office.shown("ana", Surface.PERSON_FIELDS) == {"calls_made": None, "deals_won": None}
    assert office.shown(key("calls_made", "ana", "2026-03"))["value"] == 3  # what was done stays
    assert office.run().planned == 0


def test_a_kpi_that_is_switched_off_leaves_the_person(office: Office) -> None:
    office.run()
    office.options = Options(track=("calls_made",), write_grains=("month",))
    office.run()
    assert office.shown("ana", Surface.PERSON_FIELDS) == {"calls_made": 3, "deals_won": None}
    assert office.run().planned == 0


def _told(office: Office) -> dict[tuple[Surface, str], dict[str, object]]:
    """What the CRM shows, without the blanks."""
    return {
        place: {field: value for field, value in fields.items() if value is not None}
        for place, fields in office.crm.shown.items()
    }
