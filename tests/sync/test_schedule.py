"""When what runs: intervals and cron lines, and a scheduler that does its chores and stops cleanly."""

import logging
import os
import signal
import threading
from datetime import UTC, datetime

import pytest

from connectors.errors import Unreachable
from sync.schedule import Chore, Schedule, next_runs, serve, trigger_of, working
from tests.sync.worlds import at

EVERY_SECOND = Schedule(pull="1s", write="1h")


def told(schedule: Schedule, now: str, n: int) -> list[str]:
    moments = [(run.what, datetime.fromtimestamp(run.at / 1000, UTC)) for run in next_runs(schedule, at(now), n)]
    return [f"{what} {moment:%a %d %H:%M}" for what, moment in moments]


def test_intervals_are_counted_from_full_hours() -> None:
    assert told(Schedule(pull="15m", write="1h"), "2026-03-12T12:07", 5) == [
        "pull Thu 12 12:15",
        "pull Thu 12 12:30",
        "pull Thu 12 12:45",
        "pull Thu 12 13:00",
        "write Thu 12 13:00",
    ]


def test_a_cron_line_runs_in_its_time_zone_on_the_days_that_cron_means() -> None:
    working_hours = Schedule(pull="30 7-20 * * 1-5", write="0 9 1 * *", full="0 3 * * 0", time_zone="Europe/Madrid")
    # Friday, 20:00 in Madrid: half past eight is the last one, then Sunday's full run, then Monday 7:30.
    assert told(working_hours, "2026-03-13T19:00", 3) == ["pull Fri 13 19:30", "full Sun 15 02:00", "pull Mon 16 06:30"]


def test_a_cron_line_keeps_its_hour_when_the_clocks_change() -> None:
    nightly = Schedule(pull="0 4 * * *", write="1d", time_zone="Europe/Madrid")
    pulls = [run for run in told(nightly, "2026-03-27T12:00", 6) if run.startswith("pull")]
    assert pulls == ["pull Sat 28 03:00", "pull Sun 29 02:00", "pull Mon 30 02:00"]  # 04:00 in Madrid, on both sides


@pytest.mark.parametrize("line", ["0 3 * * sun", "0 3 * * 0", "0 3 * * 7", "0 3 * * SUN"])
def test_sunday_has_many_names(line: str) -> None:
    (run,) = next_runs(Schedule(pull=line, write="0 0 1 1 *"), at("2026-03-12T12:00"), 1)
    assert run.at == at("2026-03-15T03:00")


def test_what_is_neither_an_interval_nor_a_cron_line_is_named() -> None:
    with pytest.raises(ValueError, match="'soon' is neither an interval"):
        trigger_of("soon", "UTC")
    with pytest.raises(ValueError, match="'someday' is no weekday"):
        trigger_of("0 3 * * someday", "UTC")


def test_a_chore_is_done_when_it_is_due() -> None:
    done = threading.Event()
    with working([Chore("acme", "pull", done.set)], EVERY_SECOND):
        assert done.wait(30)


def test_a_chore_that_fails_is_logged_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    tried: list[int] = []
    twice = threading.Event()

    def fail() -> None:
        tried.append(1)
        if len(tried) == 2:
            twice.set()
        raise Unreachable("KPI-MEM-002", "The line is dead.", "Try again.")

    with caplog.at_level(logging.WARNING, "kpisync.schedule"), working([Chore("acme", "pull", fail)], EVERY_SECOND):
        assert twice.wait(30)
    assert {record.getMessage() for record in caplog.records} == {"schedule.failed"}


def test_a_paused_connection_rests_and_the_others_work() -> None:
    rested: list[str] = []
    done = threading.Event()
    chores = [Chore("resting", "pull", lambda: rested.append("worked"), lambda: True), Chore("acme", "pull", done.set)]
    with working(chores, EVERY_SECOND):
        assert done.wait(30)
    assert rested == []


def test_one_thing_runs_at_a_time_and_what_is_under_way_is_finished() -> None:
    under_way, most, finished = [0], [0], []
    begun = threading.Event()

    def work() -> None:
        under_way[0] += 1
        most[0] = max(most)
        most.append(under_way[0])
        begun.set()
        threading.Event().wait(0.3)
        under_way[0] -= 1
        finished.append(True)

    with working([Chore("one", "pull", work), Chore("other", "pull", work)], EVERY_SECOND):
        assert begun.wait(30)
    assert max(most) == 1
    assert finished


def test_a_termination_signal_ends_serving() -> None:
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGTERM)).start()
    serve([Chore("acme", "pull", lambda: None)], Schedule(pull="1h"))
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_termination_signal_that_another_thread_gets_ends_serving_too() -> None:
    ended, woken_by_a_second_one = threading.Event(), threading.Event()

    def terminated() -> None:
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
        if not ended.wait(30):
            woken_by_a_second_one.set()
            os.kill(os.getpid(), signal.SIGTERM)

    another = threading.Timer(0.5, terminated)
    another.start()
    serve([Chore("acme", "pull", lambda: None)], Schedule(pull="1h"))
    ended.set()
    another.join()
    assert not woken_by_a_second_one.is_set()
