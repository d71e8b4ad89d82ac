"""The plan is pure: what differs, what is new, what drifted, and when a guard objects."""

import msgspec
import pytest

from connectors.contract import FieldValue, Surface
from connectors.errors import GuardStopped
from kpi_engine.records import Day
from sync.plan import (
    DAY_MS,
    Confirmed,
    Desired,
    Fields,
    Limits,
    Place,
    Plan,
    canonical,
    in_question,
    plan,
    same,
    shown_already,
)

RECORDS = Surface.KPI_RECORDS


def wanted(key: str, *, makes: bool = True, days: tuple[int, int] | None = None, **fields: FieldValue) -> Desired:
    starts, ends = days or (None, None)
    return Desired(surface=RECORDS, key=key, rep="ana", fields=fields, makes=makes, starts=starts, ends=ends)


def confirmed(at: int = 0, **records: Fields) -> dict[Place, Confirmed]:
    return {(RECORDS, key): Confirmed(canonical(fields), at) for key, fields in records.items()}


def planned(
    desired: list[Desired],
    now: dict[str, Fields] | None = None,
    known: dict[Place, Confirmed] | None = None,
    limits: Limits = Limits(),  # noqa: B008 - frozen
) -> Plan:
    shown = {(RECORDS, key): fields for key, fields in (now or {}).items()}
    return plan("acme", desired, shown, known or {}, asked={one.place for one in desired}, limits=limits)


def test_a_record_that_is_not_there_is_new_and_its_blanks_are_not_sent() -> None:
    (change,) = planned([wanted("k", value=3, target=None, reason="")]).changes
    assert change.new
    assert change.before == {}
    assert change.after == {"value": 3}


def test_only_the_fields_that_differ_are_sent() -> None:
    (change,) = planned(
        [wanted("k", value=3, n=3, label="Calls")], {"k": {"value": 2, "n": 3, "label": "Calls"}}
    ).changes
    assert (change.before, change.after, change.new) == ({"value": 2}, {"value": 3}, False)


def test_a_value_that_is_shown_already_is_not_sent() -> None:
    found = planned([wanted("k", value=0.25, reason=None)], {"k": {"value": 0.25, "reason": ""}})
    assert found.changes == ()
    assert found.unchanged == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (0.1 + 0.2, 0.3),
        (0.12344999, 0.1234),
        (3, 3.0),
        (3, "3"),
        (0.5, "0.50"),
        (None, ""),
        ("Ana ", "Ana"),
        (2.00005, 2),
    ],
)
def test_values_that_a_field_rounds_to_the_same_are_the_same(one: FieldValue, other: FieldValue) -> None:
    assert same(one, other)


@pytest.mark.parametrize(
    ("one", "other"), [(0, None), (0, ""), (0.1235, 0.1234), ("Ana", "Ben"), (True, 1), (3, "three")]
)
def test_values_that_people_see_as_different_are_different(one: FieldValue, other: FieldValue) -> None:
    assert not same(one, other)


def test_zero_is_not_a_blank() -> None:
    (change,) = planned([wanted("k", value=0)], {"k": {"value": None}}).changes
    assert change.after == {"value": 0}


def test_a_number_is_taken_back_to_a_blank() -> None:
    (change,) = planned([wanted("k", value=None, reason="no_data")], {"k": {"value": 0.5, "reason": None}}).changes
    assert change.after == {"value": None, "reason": "no_data"}


def test_what_is_not_ours_to_make_is_told_when_it_is_missing() -> None:
    found = planned([wanted("gone", makes=False, value=1)])
    assert found.changes == ()
    assert found.warnings == ("1 records that should show a number are not in the CRM (any more).",)


def test_only_what_was_not_confirmed_like_this_is_in_question() -> None:
    desired = [
        wanted("same", value=1),
        wanted("other", value=2),
        wanted("never", value=3),
        wanted("rounded", value=0.30000001),
    ]
    known = confirmed(same={"value": 1}, other={"value": 1}, rounded={"value": 0.3})
    assert [one.key for one in in_question(desired, known)] == ["other", "never"]


def test_what_the_crm_shows_already_needs_no_writing() -> None:
    asked = [wanted("a", value=1), wanted("b", value=2), wanted("c", value=3)]
    now: dict[Place, Fields] = {(RECORDS, "a"): {"value": 1.0}, (RECORDS, "b"): {"value": 9}}
    assert [one.key for one in shown_already(asked, now)] == ["a"]


def test_a_field_that_someone_changed_is_drift() -> None:
    found = planned([wanted("k", value=3)], {"k": {"value": 99}}, confirmed(k={"value": 2}))
    assert [(one.field, one.confirmed, one.shown) for one in found.drift] == [("value", 2, 99)]
    assert found.changes[0].before == {"value": 99}


def test_a_record_that_vanished_is_new_and_no_drift() -> None:
    found = planned([wanted("k", value=3)], {}, confirmed(k={"value": 3}))
    assert found.changes[0].new
    assert found.drift == ()


def test_the_same_changes_have_the_same_id_and_others_another() -> None:
    one, again, other = (planned([wanted("k", value=value)]) for value in (1, 1, 2))
    assert one.id == again.id
    assert one.id != other.id


def test_the_same_numbers_found_an_hour_later_are_the_same_plan() -> None:
    at_ten = msgspec.structs.replace(wanted("k", value=1), beside={"as_of": "10:00"})
    at_eleven = msgspec.structs.replace(at_ten, beside={"as_of": "11:00"})
    one, later = planned([at_ten]), planned([at_eleven])
    assert one.changes != later.changes
    assert one.id == later.id


def test_a_plan_is_the_same_after_a_journey_through_json() -> None:
    found = planned([wanted("k", value=0.5, label="x")], {"k": {"value": 1}}, confirmed(k={"value": 2}))
    assert msgspec.json.decode(msgspec.json.encode(found), type=Plan) == found


def test_the_cost_is_counted_in_calls_and_as_a_share_of_the_day() -> None:
    limits = Limits(rows_a_call=200, calls_so_far=17, daily_calls=1000)
    found = planned([wanted(f"k{number}", value=1) for number in range(401)], limits=limits)
    assert found.calls == 3
    assert found.daily_share == 0.02
    assert found.stops == ()


def test_a_plan_beyond_the_budget_or_beyond_what_is_left_is_stopped() -> None:
    desired = [wanted(f"k{number}", value=1) for number in range(301)]
    over = planned(desired, limits=Limits(api_budget_share=0.25, calls_so_far=22, daily_calls=100, rows_a_call=100))
    assert [stop.code for stop in over.stops] == ["KPI-GUARD-004"]
    left = planned(desired, limits=Limits(calls_so_far=22, daily_calls=100, daily_calls_left=3, rows_a_call=100))
    assert [stop.code for stop in left.stops] == ["KPI-GUARD-005"]
    with pytest.raises(GuardStopped, match="3 are left"):
        left.check()


MARCH = (20513, 20543)  # 2026-03-01 … 31
APRIL = Day(20550) * DAY_MS


def many(value: FieldValue, days: tuple[int, int] | None = MARCH) -> list[Desired]:
    return [wanted(f"k{number}", value=value, days=days) for number in range(20)]


def shown(value: FieldValue, at: int) -> dict[Place, Confirmed]:
    return confirmed(at, **{f"k{number}": {"value": value} for number in range(20)})


GUARD = Limits(max_changed_share=0.3)


def test_a_past_that_was_over_and_changes_at_large_is_stopped() -> None:
    now: dict[str, Fields] = {f"k{number}": {"value": 5} for number in range(20)}
    found = planned(many(6), now, shown(5, APRIL), GUARD)
    assert [stop.code for stop in found.stops] == ["KPI-GUARD-003"]
    assert found.stops[0].message == "20 of 20 values shown last time would be corrected or emptied, more than 30%."


def test_a_period_that_went_on_may_change_all_its_values() -> None:
    in_march = Day(20530) * DAY_MS
    now: dict[str, Fields] = {f"k{number}": {"value": 5} for number in range(20)}
    assert planned(many(6), now, shown(5, in_march), GUARD).stops == ()


def test_a_period_that_went_on_and_lost_its_numbers_is_stopped() -> None:
    in_march = Day(20530) * DAY_MS
    now: dict[str, Fields] = {f"k{number}": {"value": 5} for number in range(20)}
    assert [stop.code for stop in planned(many(0), now, shown(5, in_march), GUARD).stops] == ["KPI-GUARD-003"]


def test_a_new_month_on_the_person_starts_from_nothing_without_surprise() -> None:
    month = [
        Desired(
            surface=Surface.PERSON_FIELDS,
            key=f"p{number}",
            rep="ana",
            fields={"calls_made": 0},
            starts=20544,
            ends=20573,
        )
        for number in range(20)
    ]
    now: dict[Place, Fields] = {one.place: {"calls_made": 300} for one in month}
    last_month = {one.place: Confirmed(canonical({"calls_made": 300}), Day(20543) * DAY_MS) for one in month}
    found = plan("acme", month, now, last_month, asked=set(now), limits=GUARD)
    assert len(found.changes) == 20
    assert found.stops == ()


def test_a_few_corrections_in_a_small_company_are_no_alarm() -> None:
    few = many(6)[:5]
    now: dict[str, Fields] = {one.key: {"value": 5} for one in few}
    known = {one.place: Confirmed(canonical({"value": 5}), APRIL) for one in few}
    assert planned(few, now, known, GUARD).stops == ()
