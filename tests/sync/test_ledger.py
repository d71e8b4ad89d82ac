"""The ledger: how runs end, what counts as shown, and what outlives the process."""

from pathlib import Path

import pytest

from connectors.contract import Change, FieldValue, Refused, Surface, Written
from connectors.errors import GuardStopped, Unreachable
from kpi_engine.records import Millis
from sync.errors import PlanUnknown
from sync.ledger import Ledger
from sync.plan import Plan

PLACE = (Surface.KPI_RECORDS, "k")


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return opened(tmp_path)


def opened(folder: Path, connection: str = "acme", *, at: int = 1000) -> Ledger:
    return Ledger.open(f"sqlite:///{folder}/ledger.db", connection, clock=lambda: Millis(at))


def change(key: str = "k", *, new: bool = False, **after: FieldValue) -> Change:
    return Change(surface=Surface.KPI_RECORDS, key=key, rep="ana", before={}, after=after, new=new)


def test_a_run_is_written_down_with_its_counts(ledger: Ledger) -> None:
    with ledger.running("run", now=Millis(500)) as entry:
        entry.counts["read"] = 3
    (run,) = ledger.runs()
    assert (run.what, run.state, run.started, run.finished, run.counts) == ("run", "done", 500, 1000, {"read": 3})
    assert run.id == "19700101T000000-1"
    assert ledger.run(run.id) == run


def test_a_run_inside_a_run_is_that_run(ledger: Ledger) -> None:
    with ledger.running("run") as outer, ledger.running("push") as inner:
        inner.counts["written"] = 1
        assert inner is outer
    assert [run.what for run in ledger.runs()] == ["run"]


def test_how_a_run_ended_is_kept_with_its_code(ledger: Ledger) -> None:
    with pytest.raises(Unreachable), ledger.running("pull"):
        raise Unreachable("KPI-SF-001", "The line is dead.", "Try again.")
    with pytest.raises(GuardStopped), ledger.running("run"):
        raise GuardStopped("KPI-GUARD-001", "No reps.", "Look.")
    with pytest.raises(ZeroDivisionError), ledger.running("run"):
        raise ZeroDivisionError
    assert [(run.state, run.code) for run in ledger.runs()] == [
        ("failed", None),
        ("stopped", "KPI-GUARD-001"),
        ("failed", "KPI-SF-001"),
    ]


def test_a_run_that_was_killed_is_found_dead_by_the_next_one(tmp_path: Path) -> None:
    killed = opened(tmp_path).running("run")
    killed.__enter__()  # and never left
    with opened(tmp_path).running("run"):
        pass
    assert [run.state for run in opened(tmp_path).runs()] == ["done", "died"]


def test_what_was_written_counts_as_shown_and_what_was_refused_does_not(ledger: Ledger) -> None:
    with ledger.running("push"):
        ledger.note([Written(change("k", new=True, value=3, label="Calls"), "a01")])
        ledger.note([Refused(change("other", value=1), "LOCKED", "It is locked.", "Unlock it.")])
    assert set(ledger.shown()) == {PLACE}
    assert ledger.shown()[PLACE].fields == {"value": 3, "label": "Calls"}
    outcomes = ledger.outcomes(ledger.runs()[0].id)
    assert [(one.state, one.change.key, one.record, one.code) for one in outcomes] == [
        ("written", "k", "a01", None),
        ("refused", "other", None, "LOCKED"),
    ]


def test_a_later_change_leaves_the_other_fields_as_confirmed(ledger: Ledger) -> None:
    ledger.note([Written(change(new=True, value=3, label="Calls"), "a01")])
    ledger.note([Written(change(value=4), "a01")])
    assert ledger.shown()[PLACE].fields == {"value": 4, "label": "Calls"}
    ledger.note([Written(change(value=None), "a01")])
    assert ledger.shown()[PLACE].fields == {"label": "Calls"}


def test_a_record_made_anew_shows_only_what_it_was_made_with(ledger: Ledger) -> None:
    ledger.note([Written(change(new=True, value=3, reason="x"), "a01")])
    ledger.note([Written(change(new=True, value=5), "a02")])
    assert ledger.shown()[PLACE].fields == {"value": 5}


def test_thousands_of_outcomes_are_noted_at_once(ledger: Ledger) -> None:
    ledger.note([Written(change(f"k{number}", new=True, value=number), None) for number in range(2500)])
    ledger.note([Written(change(f"k{number}", value=number + 1), None) for number in range(2500)])
    shown = ledger.shown()
    assert len(shown) == 2500
    assert shown[Surface.KPI_RECORDS, "k2499"].fields == {"value": 2500}


def test_a_plan_is_found_by_its_id_and_the_latest_without_one(ledger: Ledger) -> None:
    plan = Plan(id="abc", connection="acme", changes=(change(value=0.5),))
    with pytest.raises(PlanUnknown, match="no plan yet"):
        ledger.plan()
    ledger.keep_plan(plan)
    assert ledger.plan("abc") == plan == ledger.plan()


def test_a_pause_outlives_the_process_and_is_each_connections_own(tmp_path: Path) -> None:
    opened(tmp_path).pause()
    assert opened(tmp_path).paused_since() == 1000
    assert opened(tmp_path, "other").paused_since() is None
    opened(tmp_path).resume()
    assert opened(tmp_path).paused_since() is None


def test_connections_do_not_see_each_others_runs_or_records(tmp_path: Path) -> None:
    one, other = opened(tmp_path, "one"), opened(tmp_path, "other")
    one.note([Written(change(new=True, value=1), None)])
    assert (other.runs(), dict(other.shown())) == ([], {})
    with pytest.raises(PlanUnknown):
        other.run(one.runs()[0].id)


def test_the_details_of_long_ago_are_let_go_and_what_is_shown_stays(tmp_path: Path) -> None:
    day = 86_400_000
    opened(tmp_path, at=0).note([Written(change(new=True, value=1), None)])
    later = opened(tmp_path, at=89 * day)
    with later.running("run"):
        assert len(later.outcomes(later.runs()[-1].id)) == 1
    much_later = opened(tmp_path, at=91 * day)
    with much_later.running("run"):
        assert much_later.outcomes(much_later.runs()[-1].id) == []
    assert set(much_later.shown()) == {PLACE}
    assert len(much_later.runs()) == 3


def test_only_the_last_plans_are_kept(tmp_path: Path) -> None:
    for number in range(25):
        opened(tmp_path, at=number).keep_plan(Plan(id=f"p{number}", connection="acme", changes=()))
    ledger = opened(tmp_path)
    with ledger.running("run"):
        pass
    assert ledger.plan("p5").id == "p5"
    with pytest.raises(PlanUnknown):
        ledger.plan("p4")
