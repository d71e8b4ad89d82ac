"""Numbers that nobody here made up go through the whole loop, and what the CRM then shows is the files' own arithmetic.

The arithmetic is csv and Decimal and nothing of ours. Every rep's every month, quarter and year is compared.
"""

import csv
import gzip
import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

import pytest
from command_line import CRMS, Office, at

from crm_sandbox.loader import load
from crm_sandbox.world import World

Opened = Callable[[str, World], Office]
Sums = dict[tuple[str, str, str], Decimal]
"""(seller's key in the world, grain, first day) → a sum."""

HERE = Path(__file__).parent
UCI = HERE.parent / "data" / "uci_bank_marketing"
MAVEN = Path(os.environ.get("KPISYNC_DATA_DIR", "nowhere")) / "maven_crm"

TRACKED = """
[company]
time_zone = "UTC"
[kpis]
track = ["revenue", "deals_won", "average_deal_value", "calls_made"]
write_grains = ["month", "quarter", "year"]
"""


def periods(day: date) -> Iterator[tuple[str, str]]:
    """The month, quarter and year of a day."""
    yield "month", day.replace(day=1).isoformat()
    yield "quarter", date(day.year, (day.month - 1) // 3 * 3 + 1, 1).isoformat()
    yield "year", date(day.year, 1, 1).isoformat()


def shown_by_the_crm(office: Office, world: World) -> dict[str, dict[tuple[str, str, str], Any]]:
    """KPI → (seller, grain, first day) → what the CRM shows; blanks are None."""
    crm: Any = office.sandbox.crm
    sellers = {crm.id_of("seller", seller.key): seller.key for seller in world.sellers}
    shown: dict[str, dict[tuple[str, str, str], Any]] = defaultdict(dict)
    for key, value in office.shown().items():
        connection, kpi, rep, grain, start, *dimension = key.split(":")
        assert connection == "acme"
        if not dimension:
            shown[kpi][sellers[rep], grain, start] = value
    return shown


def agree(shown: dict[tuple[str, str, str], Any], expected: Sums) -> None:
    """The same number wherever there is one; zero or a blank everywhere else."""
    assert set(expected) <= set(shown)
    for place, value in shown.items():
        assert Decimal(str(value or 0)) == expected.get(place, Decimal(0)), place


@pytest.mark.slow
@pytest.mark.skipif(
    not MAVEN.is_dir(), reason="KPISYNC_DATA_DIR names no folder with maven_crm (Maven CRM Sales Opportunities)"
)
@pytest.mark.parametrize("crm", CRMS)
def test_maven_deals_come_back_as_the_files_own_sums(crm: str, office: Opened) -> None:
    revenue: Sums = defaultdict(Decimal)
    won: Sums = defaultdict(Decimal)
    with (MAVEN / "sales_pipeline.csv").open(newline="") as lines:
        for deal in csv.DictReader(lines):
            if deal["deal_stage"] == "Won":
                for period in periods(date.fromisoformat(deal["close_date"])):
                    revenue[deal["sales_agent"], *period] += Decimal(deal["close_value"])
                    won[deal["sales_agent"], *period] += 1
    cents = Decimal("0.01")
    average = {place: (revenue[place] / won[place]).quantize(cents, ROUND_HALF_EVEN) for place in won}
    assert sum(won[place] for place in won if place[1] == "year") == 4238

    world = load(MAVEN, at("2018-01-15T12:00"))
    names = {seller.key: seller.name for seller in world.sellers}
    room = office(crm, world)
    room.settings(TRACKED)
    assert room.kpisync("provision").code == 0
    ran = room.kpisync("run", "--as-of", "2017-12-31")
    assert ran.code == 0, ran.err

    shown = shown_by_the_crm(room, world)
    by_name = {
        kpi: {(names[seller], grain, start): value for (seller, grain, start), value in values.items()}
        for kpi, values in shown.items()
    }
    agree(by_name["revenue"], revenue)
    agree(by_name["deals_won"], won)
    agree(by_name["average_deal_value"], average)
    agree(by_name["calls_made"], {})
    blanks = {place for place, value in by_name["average_deal_value"].items() if value is None}
    assert blanks == set(by_name["average_deal_value"]) - set(won)  # no deal won: a blank, never 0


@pytest.mark.slow
@pytest.mark.parametrize("crm", CRMS)
def test_uci_calls_come_back_as_the_files_own_counts(crm: str, office: Opened) -> None:
    calls: Sums = defaultdict(Decimal)
    won: Sums = defaultdict(Decimal)
    months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
    year, last_month = 2008, 1
    with gzip.open(UCI / "bank-full.csv.gz", "rt", newline="") as lines:
        table = csv.reader(lines)
        columns = [name.strip() for name in next(table)]
        for number, cells in enumerate(table, start=1):
            row = dict(zip(columns, (cell.strip() for cell in cells), strict=True))
            month = months.index(row["month"]) + 1
            year, last_month = year + (month < last_month), month
            for period in periods(date(year, month, int(row["day"]))):
                calls[f"uci-agent-{number % 8}", *period] += 1
                won[f"uci-agent-{number % 8}", *period] += row["y"] == "yes"
    assert sum(count for place, count in calls.items() if place[1] == "year") == 45211
    assert sum(count for place, count in won.items() if place[1] == "year") == 5289

    world = load(UCI, at("2010-12-01T12:00"))
    room = office(crm, world)
    room.settings(TRACKED.replace("UTC", "Europe/Lisbon"))
    assert room.kpisync("provision").code == 0
    ran = room.kpisync("run", "--as-of", "2010-11-30")
    assert ran.code == 0, ran.err

    shown = shown_by_the_crm(room, world)
    agree(shown["calls_made"], calls)
    agree(shown["deals_won"], won)
    agree(shown["revenue"], {})
    assert not any(shown["average_deal_value"].values())  # the file knows no amounts: blanks everywhere
