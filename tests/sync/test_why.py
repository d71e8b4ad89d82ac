"""Why a record was changed: the records that came to count and those that went, or what else is another."""

import msgspec
import pytest

from connectors.contract import Change, FieldValue, Surface
from kpi_engine.records import Millis
from sync.why import Cause, why
from tests.sync.worlds import at

KEY = "acme:calls_made:ana:month:2026-10-01"
DURING, AFTER = at("2026-10-20T12:00"), at("2026-11-20T12:00")


def listed(*ids: str, total: int | None = None) -> str:
    told = {"kind": "call", "ids": ids, "total": len(ids) if total is None else total}
    return msgspec.json.encode(told).decode()


def changed(before: dict[str, FieldValue], after: dict[str, FieldValue], **more: object) -> Change:
    return Change(surface=Surface.KPI_RECORDS, key=KEY, rep="ana", before=before, after=after, **more)  # type: ignore[arg-type]


def test_the_records_that_came_and_went_are_named() -> None:
    found = why(
        changed({"value": 2, "evidence": listed("c1", "c2")}, {"value": 3, "evidence": listed("c4", "c3", "c2")}),
        DURING,
    )
    assert (found.cause, found.kind, found.records) == (Cause.RECORDS, "call", (2, 3))
    assert (found.came, found.went) == (("c4", "c3"), ("c1",))
    assert not found.restated


def test_of_a_list_that_is_cut_off_only_the_number_is_told() -> None:
    found = why(
        changed({"evidence": listed("c2", "c1", total=140)}, {"evidence": listed("c3", "c2", total=141)}), DURING
    )
    assert (found.came, found.went, found.records) == ((), (), (140, 141))


def test_a_period_that_was_over_is_restated() -> None:
    change = changed({"value": 2, "evidence": listed("c1", "c2")}, {"value": 1, "evidence": listed("c1")})
    assert not why(change, at("2026-11-01T05:00")).restated  # somewhere it was still October a few hours ago
    assert why(change, AFTER).restated


def test_a_quarter_of_a_fiscal_year_is_over_when_its_three_months_are() -> None:
    change = Change(
        surface=Surface.KPI_RECORDS,
        key="acme:revenue:team:ana:quarter:2026-11-01:channel=Web",
        rep="ana",
        before={"value": 1},
        after={"value": 2},
    )
    assert not why(change, at("2027-01-31T12:00")).restated
    assert why(change, at("2027-02-03T12:00")).restated


@pytest.mark.parametrize(
    ("before", "after", "cause"),
    [
        ({"value": 100, "numerator": 100}, {"value": 90, "numerator": 90}, Cause.AMOUNTS),
        ({"value": 0.5, "denominator": 10}, {"value": 0.25, "denominator": 20}, Cause.BELOW),
        ({"target": 5}, {"target": 6, "attainment": 0.5}, Cause.TARGET),
        ({"previous": 5}, {"previous": 6, "change": -1}, Cause.EARLIER),
        ({"state": "on_pace"}, {"state": "behind"}, Cause.PACE),
        ({"name": "Calls made · Ana"}, {"name": "Calls made · Ana Ruiz"}, Cause.WORDS),
        ({"value": 3}, {"value": None, "reason": "not_available"}, Cause.LOST),
        ({"value": 1, "evidence": listed("c1")}, {"value": 0, "evidence": None}, Cause.LOST),
        (
            {"value": 1, "numerator": 1, "evidence": "someone wrote here"},
            {"numerator": 2, "evidence": None},
            Cause.AMOUNTS,
        ),
    ],
)
def test_what_is_another_is_the_cause(
    before: dict[str, FieldValue], after: dict[str, FieldValue], cause: Cause
) -> None:
    assert why(changed(before, after | {"as_of": "2026-10-20 12:00 UTC"}), DURING).cause is cause


def test_a_record_begins_and_ends() -> None:
    assert why(changed({}, {"value": 1}, new=True), DURING).cause is Cause.FIRST
    assert why(changed({"value": 1}, {}, gone=True), DURING).cause is Cause.REMOVED


@pytest.mark.parametrize(
    ("surface", "before", "cause"),
    [
        (Surface.PERSON_FIELDS, {"calls_made": None}, Cause.FIRST),
        (Surface.PERSON_FIELDS, {"calls_made": 0}, Cause.PERSON),
        (Surface.LEAD_SCORES, {"score": 3}, Cause.SCORE),
    ],
)
def test_people_and_leads_have_their_own_causes(surface: Surface, before: dict[str, FieldValue], cause: Cause) -> None:
    change = Change(surface=surface, key="005A", rep="ana", before=before, after=dict.fromkeys(before, 5))
    assert why(change, Millis(0)).cause is cause
