"""The "Bank Marketing" data set of the UCI repository: 45,211 real sales calls of a Portuguese bank, 2008 to 2010.

Moro, Rita and Cortez (2014), https://doi.org/10.24432/C5K306, CC BY 4.0.

Every row becomes one outbound call with its real duration, and the person called. What the file does not say is settled
like this:

* it names day and month; rows are in order of time and begin in 2008, so a month earlier than the last begins a year;
* the calls of a day are spread evenly over 9:00 to 17:00 in Lisbon, in the order of the file;
* row n was called by seller n modulo 8 of a call centre of eight with one manager;
* a call of no seconds was not answered, one of 30 seconds or more was; of a shorter one nobody noted a result;
* the person is a contact, not a lead, made at the midnight before the call, with the job for a company;
* `y = yes`, a subscription, is a deal won on the day of the call, about which the call was. Its amount is unknown.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from crm_sandbox.loading.sheet import Row, rows
from crm_sandbox.world import Call, Prospect, Sale, Seller, World

FILES = ("bank-full.csv", "bank-full.csv.gz")
SELLERS = 8
FIRST_YEAR = 2008
LISBON = ZoneInfo("Europe/Lisbon")

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WORKING_SECONDS = 8 * 3600


def is_here(folder: Path) -> bool:
    return any((folder / name).is_file() for name in FILES)


def load(folder: Path, now: datetime) -> World:
    path = next(folder / name for name in FILES if (folder / name).is_file())
    table = tuple(rows(path, ("job", "day", "month", "duration", "y")))
    days = tuple(_days(table))
    moments = tuple(_moments(days))
    numbered = tuple(zip(range(1, len(table) + 1), table, days, moments, strict=True))
    return World(
        "UCI Bank Marketing",
        now,
        time_zone="Europe/Lisbon",
        currency="EUR",
        sellers=_sellers(),
        prospects=tuple(_person(number, row, day) for number, row, day, _ in numbered),
        calls=tuple(_call(number, row, moment) for number, row, _, moment in numbered),
        sales=tuple(_sale(number, day, moment) for number, row, day, moment in numbered if _subscribed(row)),
    )


def _sellers() -> tuple[Seller, ...]:
    lead = Seller("uci-lead", "Call Centre Lead", "lead@bank.example", None, "Call centre", "Europe/Lisbon")
    agents = (
        Seller(f"uci-agent-{n}", f"Agent {n}", f"agent{n}@bank.example", "uci-lead", "Call centre", "Europe/Lisbon")
        for n in range(SELLERS)
    )
    return (lead, *agents)


def _days(table: Iterable[Row]) -> Iterator[date]:
    year, last_month = FIRST_YEAR, 1
    for row in table:
        name = row.text("month").lower()
        if name not in _MONTHS:
            row.wrong("month", f"{name!r} is no month; known are {', '.join(_MONTHS)}")
        month = _MONTHS.index(name) + 1
        year += month < last_month
        last_month = month
        try:
            yield date(year, month, row.whole("day"))
        except ValueError:
            row.wrong("day", f"{row.text('day')!r} is no day of {name} {year}")


def _moments(days: tuple[date, ...]) -> Iterator[datetime]:
    """In UTC, whole seconds; Lisbon's clock decides when the day's work begins."""
    calls_of, seen = Counter(days), Counter[date]()
    for day in days:
        begins = datetime.combine(day, time(9), LISBON).astimezone(UTC)
        yield begins + timedelta(seconds=_WORKING_SECONDS * seen[day] // calls_of[day])
        seen[day] += 1


def _person(number: int, row: Row, day: date) -> Prospect:
    midnight = datetime.combine(day, time(0), LISBON).astimezone(UTC)
    mail = f"client{number}@clients.example"
    return Prospect(
        f"uci-client-{number}", f"Client {number}", mail, row.text("job"), _seller(number), midnight, is_lead=False
    )


def _call(number: int, row: Row, moment: datetime) -> Call:
    seconds = row.whole("duration")
    outcome = "Connected" if seconds >= 30 else "No answer" if seconds == 0 else None
    deals = (f"uci-deposit-{number}",) if _subscribed(row) else ()
    people = (f"uci-client-{number}",)
    return Call(f"uci-call-{number}", _seller(number), people, deals, moment, "out", outcome, seconds)


def _sale(number: int, day: date, moment: datetime) -> Sale:
    return Sale(
        f"uci-deposit-{number}",
        f"Term deposit · Client {number}",
        ((moment, _seller(number)),),
        moment,
        "won",
        day,
        moment,
        people=(f"uci-client-{number}",),
    )


def _subscribed(row: Row) -> bool:
    answer = row.text("y")
    if answer not in {"yes", "no"}:
        row.wrong("y", f"{answer!r} is neither yes nor no")
    return answer == "yes"


def _seller(number: int) -> str:
    return f"uci-agent-{number % SELLERS}"
