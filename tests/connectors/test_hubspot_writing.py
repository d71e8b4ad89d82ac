"""Numbers shown in a pretend portal: upserted, updated, refused row by row, read back."""

from collections.abc import Iterator

import pytest
from hubspot_world import Desk, ago, desk, small_world

from connectors.contract import Change, FieldValue, KpiField, Refused, Surface, Written
from connectors.errors import Unreachable
from connectors.hubspot.writer import text_of
from crm_sandbox.serving import Fault
from crm_sandbox.world import Prospect

KPIS = (KpiField("calls_made", "Calls made", "count", 0), KpiField("win_rate", "Win rate", "ratio", 4))
MANY = 230


@pytest.fixture
def ready() -> Iterator[Desk]:
    with desk() as opened:
        list(opened.hubspot.provision(KPIS))
        yield opened


def record(key: str, rep: str | None = None, **after: FieldValue) -> Change:
    return Change(surface=Surface.KPI_RECORDS, key=key, rep=rep, before={}, after=after, new=True)


def on_person(record_id: str, **after: FieldValue) -> Change:
    return Change(surface=Surface.PERSON_FIELDS, key=record_id, rep=None, before={}, after=after)


def on_lead(lead: str, **after: FieldValue) -> Change:
    return Change(surface=Surface.LEAD_SCORES, key=lead, rep=None, before={}, after=after)


def outcomes(ready: Desk, *changes: Change) -> list[Written | Refused]:
    return list(ready.hubspot.push(changes))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (0, "0"),
        (12.5, "12.5"),
        (1e-7, "0.0000001"),
        (123456789012345.67, "123456789012345.67"),
        (True, "true"),
        ("done", "done"),
    ],
)
def test_every_value_is_written_as_a_text(value: FieldValue, text: str) -> None:
    assert text_of(value) == text


def test_kpi_records_show_what_was_written(ready: Desk) -> None:
    change = record("c:calls_made:1:month:2026-11-01", value=12.5, n=3, reason=None, period_start="2026-11-01")
    (written,) = outcomes(ready, change)
    assert isinstance(written, Written)
    assert written.record_id
    shown = ready.hubspot.show(Surface.KPI_RECORDS, [change.key, "another"], ["value", "n", "reason", "period_start"])
    assert shown == {change.key: {"value": 12.5, "n": 3, "reason": None, "period_start": "2026-11-01"}}


def test_writing_the_same_key_again_changes_the_same_record(ready: Desk) -> None:
    first, second = (outcomes(ready, record("c:k:1:month:2026-11-01", value=value))[0] for value in (1, 2))
    assert isinstance(first, Written)
    assert isinstance(second, Written)
    assert first.record_id == second.record_id
    assert ready.hubspot.show(Surface.KPI_RECORDS, [first.change.key], ["value"]) == {first.change.key: {"value": 2}}


def test_hundreds_of_records_go_a_hundred_a_call(ready: Desk) -> None:
    before = ready.hubspot.calls()
    changes = [record(f"c:k:{number}:month:2026-11-01", value=number) for number in range(MANY)]
    assert all(isinstance(each, Written) for each in ready.hubspot.push(changes))
    assert sum(path.endswith("/batch/upsert") for _, path, _ in ready.calls()) == 3
    assert ready.hubspot.calls() > before


def test_a_record_belongs_to_its_rep_so_that_reports_can_group_by_owner(ready: Desk) -> None:
    ana = ready.id_of("seller", "ana")
    outcomes(ready, record("c:k:1:month:2026-11-01", rep=ana, value=1), record("c:k:all", rep="all", value=1))
    made = {row["properties"]["external_key"]: row["properties"] for row in ready.portal.records("sales_kpi")}
    assert made["c:k:1:month:2026-11-01"]["hubspot_owner_id"] == ana
    assert "hubspot_owner_id" not in made["c:k:all"]


@pytest.mark.parametrize("whole", [True, False])
def test_a_record_whose_rep_has_just_left_is_written_without_an_owner(ready: Desk, whole: bool) -> None:
    ready.portal.rules.batches_fail_whole = whole
    ana, ben = ready.id_of("seller", "ana"), ready.id_of("seller", "ben")
    outcomes(ready, record("c:k:0", rep=ana, value=1))
    ready.portal.desk.deactivate(ben)
    found = outcomes(ready, record("c:k:1", rep=ana, value=1), record("c:k:2", rep=ben, value=1))
    assert [type(each) for each in found] == [Written, Written]
    assert len(ready.portal.records("sales_kpi")) == 3


def test_numbers_on_a_person_are_set_and_cleared(ready: Desk) -> None:
    user = ready.portal.records("users")[0]["id"]
    outcomes(ready, on_person(user, calls_made=7, win_rate=0.25))
    assert ready.hubspot.show(Surface.PERSON_FIELDS, [user], ["calls_made", "win_rate"]) == {
        user: {"calls_made": 7, "win_rate": 0.25}
    }
    outcomes(ready, on_person(user, win_rate=None))
    assert ready.hubspot.show(Surface.PERSON_FIELDS, [user], ["win_rate"]) == {user: {"win_rate": None}}


def test_a_lead_shows_score_and_level(ready: Desk) -> None:
    lea = ready.id_of("prospect", "lea")
    outcomes(ready, on_lead(lea, score=55.25, level="engaged"))
    assert ready.hubspot.show(Surface.LEAD_SCORES, [lea], ["score", "level"]) == {
        lea: {"score": 55.25, "level": "engaged"}
    }


def test_one_lead_that_is_gone_is_refused_and_the_others_are_written(ready: Desk) -> None:
    lea = ready.id_of("prospect", "lea")
    gone, good = outcomes(ready, on_lead("99", score=1.0, level="engaged"), on_lead(lea, score=2.0, level="engaged"))
    assert isinstance(gone, Refused)
    assert isinstance(good, Written)
    assert gone.code == "OBJECT_NOT_FOUND"
    assert "next pull" in gone.advice


@pytest.mark.parametrize("whole", [True, False])
def test_one_bad_value_among_a_hundred_is_found_and_refused_alone(ready: Desk, whole: bool) -> None:
    ready.portal.rules.batches_fail_whole = whole
    changes = [record(f"c:k:{number}", value=number) for number in range(100)]
    changes[37] = record("c:k:37", value="not a number")
    found = outcomes(ready, *changes)
    assert [each.change.key for each in found if isinstance(each, Refused)] == ["c:k:37"]
    assert len([each for each in found if isinstance(each, Written)]) == 99


def test_a_property_that_is_not_there_names_the_command_that_makes_it(ready: Desk) -> None:
    user = ready.portal.records("users")[0]["id"]
    (refused,) = outcomes(ready, on_person(user, quota=1))
    assert isinstance(refused, Refused)
    assert (refused.code, refused.advice) == (
        "PROPERTY_DOESNT_EXIST",
        "Run kpisync provision, which makes the missing property.",
    )


def test_without_the_custom_object_records_are_refused_and_people_are_written() -> None:
    with desk(tier="professional") as opened:
        list(opened.hubspot.provision(KPIS))
        user = opened.portal.records("users")[0]["id"]
        found = {
            each.change.surface: each
            for each in outcomes(opened, record("c:k:1", value=1), on_person(user, calls_made=1))
        }
        refused = found[Surface.KPI_RECORDS]
        assert isinstance(refused, Refused)
        assert refused.code == "NOT_PROVISIONED"
        assert isinstance(found[Surface.PERSON_FIELDS], Written)


def test_a_lost_answer_is_sent_again_and_leaves_one_record() -> None:
    with desk() as opened:
        list(opened.hubspot.provision(KPIS))
        opened.box.faults.append(Fault("batch/upsert", "commit_then_drop"))
        (written,) = outcomes(opened, record("c:k:1", value=1))
        assert isinstance(written, Written)
        assert len(opened.portal.records("sales_kpi")) == 1


def test_an_answer_that_stays_away_is_an_error_and_not_a_refusal() -> None:
    with desk() as opened:
        list(opened.hubspot.provision(KPIS))
        opened.box.faults.append(
            Fault("batch/upsert", "answer", times=None, status=502, body="<html>Bad gateway</html>")
        )
        with pytest.raises(Unreachable, match="HTTP 502"):
            outcomes(opened, record("c:k:1", value=1))


def test_what_was_written_beside_a_failure_is_told_before_the_failure() -> None:
    with desk() as opened:
        list(opened.hubspot.provision(KPIS))
        lea = opened.id_of("prospect", "lea")
        opened.box.faults.append(Fault("batch/upsert", "answer", times=None, status=502))
        told = opened.hubspot.push([record("c:k:1", value=1), on_lead(lea, score=1.0, level="warming")])
        assert next(told) == Written(on_lead(lea, score=1.0, level="warming"), lea)
        with pytest.raises(Unreachable):
            next(told)


def test_a_rule_that_only_the_dated_api_enforces_refuses_the_row(ready: Desk) -> None:
    lea = ready.id_of("prospect", "lea")
    ready.portal.desk.change({"required": {"contacts": ["company"]}})
    ready.portal.set("contacts", lea, {"company": None})
    (refused,) = outcomes(ready, on_lead(lea, score=1.0, level="engaged"))
    assert isinstance(refused, Refused)
    assert refused.code == "MISSING_REQUIRED_PROPERTY"


def test_showing_hundreds_asks_a_hundred_at_a_time() -> None:
    people = tuple(Prospect(f"p{n}", f"P {n}", f"p{n}@p.test", "P", "ana", ago(days=20)) for n in range(MANY))
    with desk(
        small_world(prospects=people, sales=(), calls=(), emails=(), messages=(), meetings=(), todos=())
    ) as opened:
        list(opened.hubspot.provision(KPIS))
        ids = [opened.id_of("prospect", f"p{n}") for n in range(MANY)]
        assert len(opened.hubspot.show(Surface.LEAD_SCORES, ids, ["score"])) == MANY
        assert sum(path.endswith("contacts/batch/read") for _, path, _ in opened.calls()) == 3
