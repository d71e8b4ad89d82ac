"""Records as tables: columns in fixed types, whatever there is."""

import polars as pl
from sales_floor import ANA, AS_OF, COMPANY, Floor, at, call, lead, on, rep, won

from kpi_engine.compute import compute
from kpi_engine.frames import SCHEMAS, from_records
from kpi_engine.records import KINDS, Company


def test_there_is_a_table_for_every_kind_even_if_it_is_empty() -> None:
    tables = from_records([], COMPANY)
    assert set(tables) == set(KINDS)
    assert {kind: table.collect_schema() for kind, table in tables.items()} == SCHEMAS


def test_columns_are_the_fields_of_the_record_and_the_day_of_an_interaction() -> None:
    assert list(SCHEMAS["deal"]) == list(KINDS["deal"].__struct_fields__)
    assert list(SCHEMAS["interaction"]) == [*KINDS["interaction"].__struct_fields__, "day"]
    assert SCHEMAS["deal"]["amount"] == pl.Int64()
    assert SCHEMAS["deal"]["closed_on"] == pl.Int32()


def test_an_interaction_lands_on_the_day_of_its_reps_zone_else_the_companys() -> None:
    """23:30 UTC on 1 November is the 2nd in Madrid and still the 1st in New York. Unknown reps follow the company."""
    company = Company(connection="acme", time_zone="America/New_York")
    tables = from_records(
        [
            rep("ana", zone="Europe/Madrid"),
            rep("queue", zone="Asia/Tokyo", known=False),
            *call("c1", "2026-11-01 23:30", "ana"),
            *call("c2", "2026-11-01 23:30", "queue"),
            *call("c3", "2026-11-01", "ana"),
        ],
        company,
    )
    assert tables["interaction"].collect()["day"].to_list() == [on("2026-11-02"), on("2026-11-01"), on("2026-11-01")]


def test_parts_can_be_kept_in_plain_columns() -> None:
    """Text, truth, whole numbers, floats, dates and decimals are all that a store has to know."""
    floor = Floor(ANA, lead("l1", "2026-11-02 09:00"), won("d1", "2026-11-03"))
    plain = {pl.Utf8(), pl.Boolean(), pl.Int32(), pl.Int64(), pl.Float64(), pl.Date(), pl.Decimal(38, 12)}
    parts = compute(floor.tables, COMPANY, at(AS_OF))
    assert {kind for frame in parts.values() for kind in frame.dtypes} <= plain
