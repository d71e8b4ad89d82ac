"""What each surface should show for a value."""

from collections.abc import Sequence
from datetime import date

import polars as pl
import pytest

from connectors.contract import KPI_RECORD_FIELDS, FieldValue
from kpi_engine.evidence import SCHEMA as EVIDENCE_COLUMNS
from kpi_engine.periods import to_day
from kpi_engine.records import Company, Rep
from sync import surfaces
from sync.plan import Confirmed, Desired, canonical
from sync.sheet import TREND_LENGTH, Evidence, kpi_sheet, lead_sheet, person_sheet
from sync.surfaces import NAME_LENGTH, lead_scores, no_longer_true, period_name, person_fields
from tests.sync.worlds import lead, rep

COMPANY = Company(connection="acme", fiscal_year_start=4)


def values(**more: object) -> pl.DataFrame:
    row: dict[str, object] = {
        "rep": "ana",
        "kpi": "win_rate",
        "grain": "quarter",
        "period_start": date(2026, 4, 1),
        "dimension": None,
        "value": 0.33333333,
        "numerator": 1.0,
        "denominator": 3.0,
        "n": 3,
        "target": None,
        "attainment": None,
        "previous": 0.5,
        "change": -0.1667,
        "reason": None,
        "state": "none",
    }
    return pl.DataFrame(
        [{**row, **more}], schema_overrides={"dimension": pl.Utf8, "reason": pl.Utf8, "value": pl.Float64}
    )


def people(*reps: Rep) -> dict[str, Rep]:
    return {one.id: one for one in reps}


def kpi_records(
    values: pl.DataFrame, known: dict[str, Rep], shown: Sequence[str] = (), evidence: Evidence | None = None
) -> list[Desired]:
    """The records of some values, where the CRM shows some already."""
    there = pl.DataFrame({"key": list(shown)}, schema={"key": pl.Utf8})
    sheet = kpi_sheet(values, COMPANY, known, there, evidence)
    return list(surfaces.kpi_records(sheet, COMPANY, {"as_of": "now"}))


def trends(values: pl.DataFrame) -> list[str]:
    nothing = pl.DataFrame(schema={"key": pl.Utf8})
    return kpi_sheet(values, COMPANY, people(rep("ana"), rep("ben")), nothing)["trend"].to_list()


def test_a_record_says_everything_about_its_value() -> None:
    (record,) = kpi_records(values(), people(rep("ana", name="Ana Ruiz")))
    assert record.key == "acme:win_rate:ana:quarter:2026-04-01"
    assert {*record.fields, *record.beside} == set(KPI_RECORD_FIELDS)
    assert {field: value for field, value in record.fields.items() if value is not None} == {
        "name": "Win rate · Ana Ruiz · quarter from 2026-04",
        "rep": "ana",
        "kpi": "win_rate",
        "label": "Win rate",
        "family": "Deals closed",
        "unit": "ratio",
        "direction": "more",
        "grain": "quarter",
        "period_start": "2026-04-01",
        "period_end": "2026-06-30",
        "dimension": "",
        "value": 0.3333,
        "numerator": 1,
        "denominator": 3,
        "n": 3,
        "previous": 0.5,
        "change": -0.1667,
        "state": "none",
        "trend": "0.3333",
    }


def test_the_trend_is_the_value_and_those_before_it_the_oldest_first() -> None:
    quarters = pl.concat(
        [
            values(period_start=date(2026, 4, 1)),
            values(period_start=date(2025, 10, 1), value=0.25),
            values(period_start=date(2026, 1, 1), value=None, reason="no_data"),
            values(period_start=date(2026, 4, 1), rep="ben", value=1.0),
        ]
    )
    assert trends(quarters) == ["0.25,,0.3333", "0.25", "0.25,", "1"]


def test_the_trend_goes_back_twelve_periods_and_fits_its_field() -> None:
    years = pl.concat(
        [values(grain="year", period_start=date(year, 1, 1), value=float(year)) for year in range(2000, 2026)]
    )
    assert trends(years)[-1] == ",".join(str(year) for year in range(2014, 2026))
    wide = pl.concat(
        [values(grain="year", period_start=date(year, 1, 1), value=10.0**23) for year in range(2000, 2026)]
    )
    assert len(trends(wide)[-1]) <= TREND_LENGTH


def test_the_records_behind_a_value_are_told_as_a_short_list() -> None:
    listed = pl.DataFrame(
        [("ana", date(2026, 4, 1), None, "win_rate", "deal", ["d2", "d1"], [11, 10], 2)],
        schema=EVIDENCE_COLUMNS,
        orient="row",
    )
    (record,) = kpi_records(values(), people(rep("ana")), evidence={"quarter": listed})
    assert record.fields["evidence"] == '{"kind":"deal","ids":["d2","d1"],"total":2}'


def test_a_division_has_its_own_key_and_says_by_what() -> None:
    (record,) = kpi_records(values(dimension="channel=Web"), people(rep("ana")))
    assert record.key == "acme:win_rate:ana:quarter:2026-04-01:channel=Web"
    assert record.fields["dimension"] == "channel=Web"


def test_a_division_without_a_value_is_written_only_where_it_had_one() -> None:
    nothing = values(dimension="band=large", value=None, reason="no_data")
    assert kpi_records(nothing, people(rep("ana"))) == []
    shown = ["acme:win_rate:ana:quarter:2026-04-01:band=large"]
    (record,) = kpi_records(nothing, people(rep("ana")), shown)
    assert (record.fields["value"], record.fields["reason"]) == (None, "no_data")


@pytest.mark.parametrize("nobody", ["unassigned", "all", "deleted", "queue", "never-seen", "team:never-seen"])
def test_nobodys_values_get_no_record(nobody: str) -> None:
    known = people(rep("deleted", deleted=True), rep("queue", known=False))
    assert kpi_records(values(rep=nobody), known) == []


def test_a_team_is_its_managers_and_says_so() -> None:
    (record,) = kpi_records(values(rep="team:ana"), people(rep("ana", name="Ana Ruiz")))
    assert record.key == "acme:win_rate:team:ana:quarter:2026-04-01"
    assert (record.rep, record.fields["rep"], record.fields["dimension"]) == ("ana", "ana", "team")
    assert record.fields["name"] == "Win rate · Team Ana Ruiz · quarter from 2026-04"


def test_a_long_name_fits_the_crms_field() -> None:
    (record,) = kpi_records(values(), people(rep("ana", name="Ana María " * 12)))
    assert len(str(record.fields["name"])) <= NAME_LENGTH


def test_what_is_no_more_is_blanked_unless_it_lies_before_since() -> None:
    days = {"period_start": "2025-04-01", "period_end": "2025-06-30"}
    fields: dict[str, FieldValue] = {"kpi": "win_rate", "grain": "quarter", "value": 1, **days}
    old = [("old", Confirmed(canonical(fields), 0))]
    (blank,) = no_longer_true(old, {("win_rate", "quarter")}, None, {})
    assert (blank.fields["value"], blank.fields["reason"], blank.fields["trend"]) == (None, "no_data", None)
    assert list(no_longer_true(old, {("win_rate", "quarter")}, to_day(date(2026, 1, 1)), {})) == []
    assert list(no_longer_true(old, {("calls_made", "quarter")}, None, {})) == []


SOMETHING_ELSE: dict[str, object] = {
    "value": 0.3334,
    "numerator": 2.0,
    "n": 4,
    "target": 1.0,
    "reason": "no_data",
    "state": "met",
    "previous": None,
    "rep": "ben",
    "period_start": date(2026, 7, 1),
    "dimension": "band=large",
}


@pytest.mark.parametrize("column", SOMETHING_ELSE)
def test_whatever_a_record_says_is_in_its_signature(column: str) -> None:
    reps = people(rep("ana"), rep("ben"))
    (one,) = kpi_records(values(), reps)
    (same,) = kpi_records(values(), reps)
    (other,) = kpi_records(values(**{column: SOMETHING_ELSE[column]}), reps)
    assert one.signature == same.signature
    assert one.signature != other.signature


def test_a_new_name_and_other_records_behind_a_number_are_in_its_signature() -> None:
    listed = pl.DataFrame(
        [("ana", date(2026, 4, 1), None, "win_rate", "deal", ["d2"], [11], 1)], schema=EVIDENCE_COLUMNS, orient="row"
    )
    records = [
        *kpi_records(values(), people(rep("ana", name="Ana"))),
        *kpi_records(values(), people(rep("ana", name="Ana Ruiz"))),
        *kpi_records(values(), people(rep("ana", name="Ana")), evidence={"quarter": listed}),
    ]
    assert len({record.signature for record in records}) == 3


@pytest.mark.parametrize(
    ("grain", "start", "name"),
    [
        ("day", date(2026, 11, 25), "2026-11-25"),
        ("week", date(2026, 12, 28), "2026-W53"),
        ("month", date(2026, 11, 1), "2026-11"),
        ("quarter", date(2026, 10, 1), "quarter from 2026-10"),
        ("year", date(2026, 4, 1), "year from 2026-04"),
    ],
)
def test_periods_have_names(grain: str, start: date, name: str) -> None:
    assert period_name(grain, start) == name


def test_a_person_shows_the_month_that_it_is_where_he_or_she_is() -> None:
    monthly = pl.concat(
        [
            values(kpi="calls_made", grain="month", period_start=date(2026, 10, 1), value=7.0),
            values(kpi="calls_made", grain="month", period_start=date(2026, 11, 1), value=3.0),
        ]
    )
    reps = [rep("ana"), rep("left", active=False), rep("no-record", person_record=None)]
    today = {"ana": date(2026, 10, 31), "left": date(2026, 10, 31), "no-record": date(2026, 10, 31)}
    (shown,) = person_fields(monthly, today, reps, ["calls_made", "win_rate"], COMPANY)
    assert (shown.key, shown.fields, shown.makes) == ("ana", {"calls_made": 7, "win_rate": None}, False)


def test_only_leads_that_could_be_written_lose_their_score() -> None:
    leads = [
        lead("open", "ana"),
        lead("closed", "ana"),
        lead("won", "ana", converted=True),
        lead("gone", "ana", deleted=True),
    ]
    frame = pl.DataFrame(
        [(one.id, one.deleted, one.converted, one.merged_into) for one in leads],
        schema={"id": pl.Utf8, "deleted": pl.Boolean, "converted": pl.Boolean, "merged_into": pl.Utf8},
        orient="row",
    ).lazy()
    scores = pl.DataFrame({"lead": ["open"], "score": [61.2], "level": ["engaged"]})
    closed = [one.id for one in leads if one.id != "open"]
    shown = {one.key: dict(one.fields) for one in lead_scores(lead_sheet(scores), frame, closed)}
    assert shown == {"open": {"score": 61.2, "level": "engaged"}, "closed": {"score": None, "level": None}}


def test_two_that_show_the_same_have_signatures_of_their_own() -> None:
    scores = pl.DataFrame({"lead": ["l1", "l2"], "score": [61.2, 61.2], "level": ["engaged", "engaged"]})
    assert lead_sheet(scores)["signature"].n_unique() == 2
    months = pl.concat([values(rep=one, grain="month", period_start=date(2026, 11, 1)) for one in ("ana", "ben")])
    there = pl.DataFrame(
        {"rep": ["ana", "ben"], "key": ["ana", "ben"], "period_start": [date(2026, 11, 1), date(2026, 11, 1)]}
    )
    assert person_sheet(months, there, ["win_rate"])["signature"].n_unique() == 2
