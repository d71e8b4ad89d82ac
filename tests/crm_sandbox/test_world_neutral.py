"""Our own neutral files: CSV and JSON Lines named after the kinds of things in a world."""

import csv
import dataclasses
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from crm_sandbox.loader import UnreadableFolder, load
from crm_sandbox.seed import demo_world
from crm_sandbox.world import World

NOW = datetime(2026, 11, 25, 10, 30, tzinfo=UTC)

FILES = {
    "sellers.csv": "key,name,email,manager,active\nana,Ana Ruiz,ana@example.com,,true\nbo,Bo,bo@x.example,ana,false\n",
    "prospects.jsonl": (
        '{"key":"pat","name":"Pat","email":"pat@x.example","company":"X","owner":null,"created":"2026-01-01T00:00:00Z"}\n'
        "\n"
    ),
    "sales.csv": (
        "key,name,owners,created,stage,closed,amount,people,splits\n"
        'd1,"Two\nlines",2026-01-05T09:00:00Z=ana;2026-02-05T09:00:00Z=,2026-01-05T10:00:00+01:00,won,'
        "2026-02-01,12.50,pat,ana=60;bo=40\n"
    ),
    "calls.csv": "key,seller,people,deals,at,direction,seconds\nc1,ana,pat,d1,2026-01-06T09:00:00Z,out,30\n"
    "c2,,,,2026-01-06T09:00:00Z,,\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_columns_become_the_things_of_a_world(folder: Path) -> None:
    world = load(folder, NOW)
    assert [(seller.key, seller.manager, seller.active) for seller in world.sellers] == [
        ("ana", None, True),
        ("bo", "ana", False),
    ]
    assert world.prospects[0].owner is None
    sale = world.sales[0]
    assert (sale.name, sale.closed, sale.amount) == ("Two\nlines", date(2026, 2, 1), Decimal("12.50"))
    assert sale.created == datetime(2026, 1, 5, 9, tzinfo=UTC)
    assert sale.created.tzinfo is UTC
    assert sale.owners == ((datetime(2026, 1, 5, 9, tzinfo=UTC), "ana"), (datetime(2026, 2, 5, 9, tzinfo=UTC), None))
    assert sale.splits == (("ana", Decimal(60)), ("bo", Decimal(40)))
    assert sale.people == ("pat",)


def test_an_empty_cell_is_nothing_and_a_missing_column_its_default(folder: Path) -> None:
    first, second = load(folder, NOW).calls
    assert (first.direction, first.seconds, first.status) == ("out", 30, "completed")
    assert (second.seller, second.people, second.direction, second.seconds) == (None, (), None, None)


def test_what_is_said_once_for_the_company_stands_in_world_json(folder: Path) -> None:
    (folder / "world.json").write_text('{"name":"Acme","time_zone":"Europe/Madrid","currency":"EUR"}')
    world = load(folder, NOW)
    assert (world.name, world.time_zone, world.currency, world.fiscal_year_start) == ("Acme", "Europe/Madrid", "EUR", 1)


@pytest.mark.parametrize(
    ("file", "old", "new", "complaint"),
    [
        ("calls.csv", "out,30", "out,long", "calls.csv, line 2, column seconds: Expected `int | null`, got `str`"),
        ("calls.csv", "09:00:00Z,out", "nine,out", "calls.csv, line 2, column at: Invalid RFC3339 encoded datetime"),
        ("calls.csv", "00Z,out", "00,out", "calls.csv, line 2, column at: the moment has no offset; write it as"),
        (
            "calls.csv",
            ",out",
            ",outbound",
            "calls.csv, line 2, column direction: 'outbound' is not known; known are out",
        ),
        ("calls.csv", "c2,", "c1,", "calls.csv, line 3, column key: 'c1' is used twice"),
        ("calls.csv", "c1,ana", "c1,eva", "calls.csv, line 2, column seller: 'eva' is not a key in sellers"),
        ("calls.csv", "pat,d1", "pat,d2", "calls.csv, line 2, column deals: 'd2' is not a key in sales"),
        ("calls.csv", "key,", "id,", "calls.csv, line 2, column id: there is no such column; known are key, seller"),
        ("sales.csv", "12.50", "12;50", "sales.csv, line 2, column amount: Invalid decimal string"),
        ("sales.csv", "12.50", "NaN", "sales.csv, line 2, column amount: NaN is no number"),
        (
            "sales.csv",
            ",won,",
            ",Won,",
            "sales.csv, line 2, column stage: 'Won' is not known; known are open, won, lost",
        ),
        ("sales.csv", "bo=40", "bo", "sales.csv, line 2, column splits: Expected `array` of length 2"),
        ("sales.csv", "2026-01-05T09:00:00Z=ana;2026-02-05T09:00:00Z=", "", "sales.csv, line 2, column owners: a deal"),
        ("sellers.csv", "bo@x.example", "", "sellers.csv, line 3, column email: it is missing"),
        ("prospects.jsonl", '"key":"pat",', "", "prospects.jsonl, line 1, column key: it is missing"),
        ("prospects.jsonl", '"X"', "5", "prospects.jsonl, line 1, column company: Expected `str`, got `int`"),
        ("prospects.jsonl", "{", "", "prospects.jsonl, line 1: "),
        ("prospects.jsonl", "\n\n", "\n[1]\n", "prospects.jsonl, line 2: a line holds one JSON object"),
    ],
)
def test_a_slip_is_named_with_its_file_line_and_column(
    folder: Path, file: str, old: str, new: str, complaint: str
) -> None:
    path = folder / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(UnreadableFolder) as raised:
        load(folder, NOW)
    assert str(raised.value).startswith(complaint)


def test_a_line_is_counted_where_it_begins_even_after_cells_of_several_lines(folder: Path) -> None:
    path = folder / "sales.csv"
    path.write_text(path.read_text() + "d2,Deal,2026-01-05T09:00:00Z=ana,2026-01-05T09:00:00Z,won,soon,1,,\n")
    with pytest.raises(UnreadableFolder, match=r"^sales\.csv, line 4, column closed: "):
        load(folder, NOW)


def test_an_unknown_time_zone_is_named(folder: Path) -> None:
    (folder / "sellers.csv").write_text("key,name,email,time_zone\nana,Ana,ana@example.com,Europe/Madird\n")
    with pytest.raises(UnreadableFolder, match=r"line 2, column time_zone: 'Europe/Madird' is no time zone"):
        load(folder, NOW)


def test_two_files_of_one_kind_are_refused(folder: Path) -> None:
    (folder / "calls.jsonl").write_text("")
    with pytest.raises(UnreadableFolder, match=r"holds both calls\.csv and calls\.jsonl"):
        load(folder, NOW)


def test_a_world_json_with_an_unknown_key_is_refused(folder: Path) -> None:
    (folder / "world.json").write_text('{"timezone":"UTC"}')
    with pytest.raises(UnreadableFolder, match=r"world\.json: .*`timezone`"):
        load(folder, NOW)


def test_the_demo_company_written_as_json_lines_comes_back_the_same(tmp_path: Path) -> None:
    world = demo_world(NOW, size="small")
    write_header(world, tmp_path)
    for name, page in pages(world).items():
        lines = [json.dumps(dataclasses.asdict(thing), default=str, ensure_ascii=False) for thing in page]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    assert load(tmp_path, NOW) == world


def test_the_demo_company_written_as_csv_comes_back_the_same(tmp_path: Path) -> None:
    world = demo_world(NOW, size="small")
    write_header(world, tmp_path)
    for name, page in pages(world).items():
        with (tmp_path / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            columns = [column.name for column in dataclasses.fields(page[0])]
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows({column: cell(getattr(thing, column)) for column in columns} for thing in page)
    assert load(tmp_path, NOW) == world


def write_header(world: World, folder: Path) -> None:
    header = {name: getattr(world, name) for name in ("name", "time_zone", "currency", "fiscal_year_start")}
    (folder / "world.json").write_text(json.dumps(header))


def pages(world: World) -> dict[str, tuple[Any, ...]]:
    return {name: page for name, page in vars(world).items() if isinstance(page, tuple)}


def cell(value: Any) -> str:
    """As a spreadsheet would hold it."""
    if isinstance(value, tuple):
        return ";".join("=".join(map(cell, part)) if isinstance(part, tuple) else cell(part) for part in value)
    if isinstance(value, datetime):
        return value.isoformat()
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
