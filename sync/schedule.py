"""When what runs. The only room that knows APScheduler.

An interval is counted from the epoch, so that `15m` means :00, :15, :30 and :45, and the next runs can be told whether
the scheduler is up or not. One thing runs at a time; what was missed (the machine slept) is done once, not as often as
it was missed.
"""

import logging
import re
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import FrameType
from zoneinfo import ZoneInfo

import msgspec
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from connectors.errors import CrmError
from kpi_engine.records import Millis
from sync.errors import LockHeld

log = logging.getLogger("kpisync.schedule")

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """When what runs: an interval (`15m`, `1h`, `1d`) or a cron line of five fields in `time_zone`.

    pull   CRM → cache
    write  the whole round trip
    full   the whole round trip, reading everything again; None: never
    """

    pull: str = "15m"
    write: str = "1h"
    full: str | None = None
    time_zone: str = "UTC"

    def whats(self) -> dict[str, str]:
        """What runs → when."""
        return {"pull": self.pull, "write": self.write} | ({"full": self.full} if self.full else {})


class Chore(msgspec.Struct, frozen=True):
    """Something to do for one connection. what: pull | write | full; `paused` is asked every time."""

    connection: str
    what: str
    do: Callable[[], object]
    paused: Callable[[], bool] = lambda: False


class NextRun(msgspec.Struct, frozen=True):
    """What will run, and when."""

    what: str
    at: Millis


def next_runs(schedule: Schedule, now: Millis, n: int = 5) -> Sequence[NextRun]:
    """The next `n` runs after `now`, of everything that is scheduled."""
    runs = [NextRun(what, at) for what, when in schedule.whats().items() for at in _moments(when, schedule, now, n)]
    return sorted(runs, key=lambda run: (run.at, run.what))[:n]


def _moments(when: str, schedule: Schedule, now: Millis, n: int) -> Iterator[Millis]:
    trigger = trigger_of(when, schedule.time_zone)
    moment: datetime | None = datetime.fromtimestamp(now / 1000, UTC)
    fired: datetime | None = None
    for _ in range(n):
        moment = trigger.get_next_fire_time(fired, moment + timedelta(microseconds=1) if moment else None)
        if moment is None:
            return
        fired = moment
        yield Millis(round(moment.timestamp() * 1000))


def trigger_of(when: str, time_zone: str) -> BaseTrigger:
    """The trigger of an interval or a cron line. Raises ValueError with what would be right."""
    interval = re.fullmatch(r"([1-9]\d*)([smhd])", when.strip())
    if interval:
        return IntervalTrigger(**{UNITS[interval[2]]: int(interval[1])}, start_date=EPOCH, timezone=UTC)
    fields = when.split()
    if len(fields) != 5:
        raise ValueError(f"{when!r} is neither an interval (15m, 1h, 1d) nor a cron line of five fields")
    minute, hour, day, month, weekday = fields
    return CronTrigger(
        minute=minute,
        hour=hour,
        day=day,
        month=month,
        day_of_week=_weekdays(weekday),
        timezone=ZoneInfo(time_zone),
    )


def _weekdays(field: str) -> str:
    """Cron's weekdays by name: cron counts from Sunday (0 or 7), APScheduler from Monday."""
    if field == "*":
        return field
    return ",".join(name for part in field.lower().split(",") for name in _weekdays_of(part))


def _weekdays_of(part: str) -> Sequence[str]:
    span, _, step = part.partition("/")
    first, _, last = ("0-6" if span == "*" else span).partition("-")
    start = _weekday(first)
    end = _weekday(last) if last else (6 if step else start)
    if end < start:
        end += 7
    return [WEEKDAYS[number % 7] for number in range(start, end + 1, int(step or 1))]


def _weekday(name: str) -> int:
    if name in WEEKDAYS:
        return WEEKDAYS.index(name)
    if name.isdigit() and int(name) <= 7:
        return int(name)
    raise ValueError(f"{name!r} is no weekday; use 0 to 7 (0 and 7 are Sunday) or {', '.join(WEEKDAYS)}")


AWAKE_EVERY_SECONDS = 0.5
"""How long a signal may go unanswered."""


@contextmanager
def working(chores: Sequence[Chore], schedule: Schedule) -> Iterator[None]:
    """Do the chores when they are due, until the block is left; what is under way then is finished first."""
    scheduler = BackgroundScheduler(timezone=UTC, executors={"default": ThreadPoolExecutor(1)})
    for chore in chores:
        when = schedule.whats().get(chore.what)
        if when is not None:
            scheduler.add_job(
                _do,
                trigger_of(when, schedule.time_zone),
                args=[chore],
                id=f"{chore.connection} {chore.what}",
                coalesce=True,
                max_instances=1,
                misfire_grace_time=None,
            )
    scheduler.start()
    try:
        yield
    finally:
        scheduler.shutdown(wait=True)


def serve(chores: Sequence[Chore], schedule: Schedule, *, stop: threading.Event | None = None) -> None:
    """Do the chores until `stop` is set, or until SIGTERM or SIGINT where this is the main thread."""
    stopping = stop or threading.Event()
    with _stopped_by_signals(stopping), working(chores, schedule):
        # The system may hand a signal to any thread; Python answers it in this one, once this one is awake.
        while not stopping.wait(AWAKE_EVERY_SECONDS):
            pass


@contextmanager
def _stopped_by_signals(stop: threading.Event) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def on_signal(number: int, _frame: FrameType | None) -> None:
        log.info("schedule.stopping", extra={"signal": signal.Signals(number).name})
        stop.set()

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _do(chore: Chore) -> None:
    """Do one chore; whatever goes wrong is in the ledger, and the next time is another chance."""
    where = {"connection": chore.connection, "what": chore.what}
    try:
        if chore.paused():
            log.info("schedule.paused", extra=where)
            return
        chore.do()
    except LockHeld:
        log.info("schedule.busy", extra=where)
    except CrmError as failure:
        log.warning("schedule.failed", extra={**where, "code": failure.code, "why": failure.message})
    except Exception:
        log.exception("schedule.broken", extra=where)
