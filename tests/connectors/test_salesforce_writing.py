"""Numbers written into a pretend org: what lands, what is refused, and what the refusal tells its reader."""

import json
from collections.abc import Iterator, Sequence

import pytest

from connectors.contract import Change, FieldValue, KpiField, Refused, Surface, Written
from connectors.errors import NotAllowed, Throttled
from connectors.salesforce.vendor import Field
from connectors.salesforce.writer import fitted
from crm_sandbox.salesforce import Features, canonical, lock, security
from crm_sandbox.serving import Fault
from crm_sandbox.world import Prospect
from tests.connectors.salesforce_world import House, ago, house, small_world

LEAD_GONE = canonical("00QKp0000009999")
KPIS = (KpiField("calls_made", "Calls made", "count", 0), KpiField("win_rate", "Win rate", "ratio", 4))
LEA = Prospect("lea", "Lea Roy", "lea@x.example", "X", "ana", ago(days=9))
EVA = Prospect("eva", "Eva Sol", "eva@x.example", "X", "ana", ago(days=9), is_lead=False)


@pytest.fixture
def ready() -> Iterator[House]:
    with house(small_world(prospects=(LEA, EVA))) as opened:
        list(opened.connector.provision(KPIS))
        opened.box.log.clear()
        opened.waits.clear()
        yield opened


def kpi_record(number: int, **after: FieldValue) -> Change:
    named = {"name": f"Calls made {number}", "kpi": "calls_made", "grain": "month", "period_start": "2026-11-01"}
    return Change(
        surface=Surface.KPI_RECORDS,
        key=f"acme:calls_made:{number}:month:2026-11-01",
        rep=None,
        before={},
        after={**named, "value": float(number), **after},
        new=True,
    )


def person(house: House, who: str, **after: FieldValue) -> Change:
    key = house.key("seller", who)
    return Change(surface=Surface.PERSON_FIELDS, key=key, rep=key, before={}, after=after)


def score(key: str, **after: FieldValue) -> Change:
    return Change(surface=Surface.LEAD_SCORES, key=key, rep=None, before={}, after=after)


def refusals(outcomes: Sequence[Written | Refused]) -> list[Refused]:
    return [outcome for outcome in outcomes if isinstance(outcome, Refused)]


def rows(house: House) -> dict[str, dict[str, object]]:
    return {str(row["External_Key__c"]): dict(row) for row in house.org.rows("Sales_KPI__c")}


def test_four_hundred_and_fifty_records_take_three_calls_and_come_back_as_shown(ready: House) -> None:
    changes = [kpi_record(number) for number in range(450)]
    outcomes = list(ready.connector.push(changes))
    assert [outcome.change for outcome in outcomes if isinstance(outcome, Written)] == changes
    assert all(isinstance(outcome, Written) and outcome.record_id for outcome in outcomes)
    assert len(ready.sent("composite/sobjects/Sales_KPI__c")) == 3
    shown = ready.connector.show(Surface.KPI_RECORDS, [change.key for change in changes], ["value", "period_start"])
    assert shown[changes[7].key] == {"value": 7.0, "period_start": "2026-11-01"}
    assert len(shown) == 450


def test_the_same_push_twice_makes_no_second_record(ready: House) -> None:
    list(ready.connector.push([kpi_record(1), kpi_record(2)]))
    list(ready.connector.push([kpi_record(1, value=5.0), kpi_record(2)]))
    assert [row["Value__c"] for row in rows(ready).values()] == [5, 2]


def test_an_answer_that_was_lost_is_asked_for_again_without_a_second_record(ready: House) -> None:
    ready.box.faults.append(Fault("PATCH .*/composite", "commit_then_drop"))
    [outcome] = ready.connector.push([kpi_record(1)])
    assert isinstance(outcome, Written)
    assert len(rows(ready)) == 1


def test_a_key_that_comes_twice_is_sent_in_two_calls_and_the_later_value_stays(ready: House) -> None:
    outcomes = list(ready.connector.push([kpi_record(1, value=1.0), kpi_record(1, value=2.0)]))
    assert not refusals(outcomes)
    assert [row["Value__c"] for row in rows(ready).values()] == [2]


def test_three_bad_rows_and_a_locked_one_do_not_keep_the_others_from_landing(ready: House) -> None:
    changes = [kpi_record(number) for number in range(450)]
    for number in (3, 203, 403):
        changes[number] = kpi_record(number, value=1e17)  # more than eighteen digits
    lock(ready.org, [changes[5].key], times=1)
    outcomes = list(ready.connector.push(changes))
    refused = refusals(outcomes)
    assert {outcome.change.key for outcome in refused} == {changes[number].key for number in (3, 203, 403)}
    assert {outcome.code for outcome in refused} == {"NUMBER_OUTSIDE_VALID_RANGE"}
    assert all("kpisync explain" in outcome.advice and not outcome.retry for outcome in refused)
    assert len(outcomes) == 450
    assert len(rows(ready)) == 447


def test_a_record_that_stays_locked_is_refused_for_now(ready: House) -> None:
    change = kpi_record(1)
    lock(ready.org, [change.key], times=100)
    [held, landed] = sorted(ready.connector.push([change, kpi_record(2)]), key=lambda one: isinstance(one, Written))
    assert isinstance(landed, Written)
    assert isinstance(held, Refused)
    assert (held.code, held.retry) == ("UNABLE_TO_LOCK_ROW", True)
    assert ready.waits == [1.0, 2.0, 3.0]


def test_a_row_that_salesforce_cannot_even_parse_is_found_and_the_others_land(ready: House) -> None:
    changes = [kpi_record(number) for number in range(60)]
    parse = json.dumps([{"errorCode": "JSON_PARSER_ERROR", "message": "Cannot deserialize instance of date"}])
    # Refused whole once, and once more the fifty among which the bad row is not.
    ready.box.faults.append(Fault("PATCH .*/composite", "answer", status=400, body=parse))
    assert not refusals(list(ready.connector.push(changes)))
    assert len(rows(ready)) == 60


def test_a_blank_is_written_as_a_blank_and_never_as_zero(ready: House) -> None:
    list(ready.connector.push([kpi_record(1, value=4.0)]))
    list(ready.connector.push([kpi_record(1, value=None, reason="no_data")]))
    [row] = rows(ready).values()
    assert (row.get("Value__c"), row["Reason__c"]) == (None, "no_data")


def test_only_a_user_is_a_kpi_record_s_rep(ready: House) -> None:
    ana = ready.key("seller", "ana")
    list(ready.connector.push([kpi_record(1, rep=ana), kpi_record(2, rep="unassigned"), kpi_record(3, rep="all")]))
    assert [row.get("Rep__c") for row in rows(ready).values()] == [ana, None, None]


def test_users_and_kpi_records_never_share_a_call(ready: House) -> None:
    changes = [kpi_record(1), person(ready, "ana", calls_made=3, win_rate=0.25), kpi_record(2)]
    assert not refusals(list(ready.connector.push(changes)))
    assert [entry.path.rsplit("/", 2)[-1] for entry in ready.sent("/composite/sobjects")] == [
        "External_Key__c",
        "sobjects",
    ]
    ana = ready.key("seller", "ana")
    shown = ready.connector.show(Surface.PERSON_FIELDS, [ana], ["calls_made", "win_rate"])
    assert shown == {ana: {"calls_made": 3, "win_rate": 0.25}}


def test_a_field_that_was_never_made_is_named_and_the_other_fields_are_written(ready: House) -> None:
    [outcome] = ready.connector.push([person(ready, "ana", calls_made=3, revenue=10.0)])
    assert isinstance(outcome, Refused)
    assert outcome.code == "FIELD_CLOSED"
    assert "KPI_Revenue__c" in outcome.reason
    assert "kpisync provision" in outcome.advice
    ana = ready.key("seller", "ana")
    assert ready.connector.show(Surface.PERSON_FIELDS, [ana], ["calls_made"]) == {ana: {"calls_made": 3}}


def test_a_field_that_was_closed_in_the_meantime_is_left_out_and_named(ready: House) -> None:
    list(ready.connector.push([kpi_record(1)]))  # looks at the fields
    security(ready.org, {"User.KPI_Win_Rate__c": "read_only"})
    ana = ready.key("seller", "ana")
    [outcome] = ready.connector.push([person(ready, "ana", calls_made=9, win_rate=0.5)])
    assert isinstance(outcome, Refused)
    assert "KPI_Win_Rate__c" in outcome.reason
    assert ready.connector.show(Surface.PERSON_FIELDS, [ana], ["calls_made"]) == {ana: {"calls_made": 9}}


def test_without_the_right_to_manage_users_the_kpi_records_land_all_the_same() -> None:
    world = small_world()
    with house(world) as here:
        list(here.connector.provision(KPIS))
        permissions = here.org.schema.features.permissions - {"ManageInternalUsers"}
        here.org.schema.switch(permissions=permissions)
        later = here.again()
        outcomes = list(later.push([kpi_record(1), person(here, "ana", calls_made=3)]))
        assert [type(outcome) for outcome in outcomes] in ([Written, Refused], [Refused, Written])
        [refused] = refusals(outcomes)
        assert refused.change.surface is Surface.PERSON_FIELDS
        assert len(rows(here)) == 1
        assert "Manage Internal Users" in refused.advice


def test_scores_go_to_leads_and_contacts_in_calls_of_their_own(ready: House) -> None:
    lea, eva = ready.key("prospect", "lea"), ready.key("prospect", "eva")
    changes = [score(lea, score=61.256, level="engaged"), score(eva, score=4.0, level="disengaged")]
    assert not refusals(list(ready.connector.push(changes)))
    assert ready.connector.show(Surface.LEAD_SCORES, [lea, eva, "nobody", LEAD_GONE], ["score", "level"]) == {
        lea: {"score": 61.26, "level": "engaged"},
        eva: {"score": 4.0, "level": "disengaged"},
    }


def test_before_provisioning_every_change_is_refused_without_a_call() -> None:
    with house(small_world(prospects=(LEA,))) as here:
        here.connector.capabilities()
        here.box.log.clear()
        changes = [kpi_record(1), person(here, "ana", calls_made=1), score(here.key("prospect", "lea"), score=1.0)]
        refused = refusals(list(here.connector.push(changes)))
        assert [outcome.change for outcome in refused] == changes
        assert not [entry for entry in here.box.log if entry.writes]
        assert here.connector.show(Surface.KPI_RECORDS, [changes[0].key], ["value"]) == {}


def test_a_used_up_allowance_stops_the_push_and_what_landed_has_been_reported(ready: House) -> None:
    limit = json.dumps([{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}])
    ready.box.faults.append(Fault("PATCH .*/composite", "answer", after=1, status=403, body=limit))
    outcomes = ready.connector.push([kpi_record(number) for number in range(400)])
    landed = [next(outcomes) for _ in range(200)]
    assert not refusals(landed)
    with pytest.raises(Throttled):
        next(outcomes)


def test_a_session_that_cannot_be_renewed_stops_the_push(ready: House) -> None:
    expired = json.dumps([{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}])
    ready.box.faults.append(Fault("PATCH .*/composite", "answer", status=401, body=expired, times=None))
    with pytest.raises(NotAllowed, match="KPI-SF-010"):
        list(ready.connector.push([kpi_record(1)]))


def test_more_keys_than_fit_a_question_are_read_by_their_connection(ready: House) -> None:
    list(ready.connector.push([kpi_record(number) for number in range(300)]))
    other = Change(
        surface=Surface.KPI_RECORDS,
        key="acme_x:calls_made:1:month:2026-11-01",
        rep=None,
        before={},
        after={"value": 1.0},
    )
    list(ready.connector.push([other]))
    ready.box.log.clear()
    keys = [kpi_record(number).key for number in range(3000)]
    shown = ready.connector.show(Surface.KPI_RECORDS, keys, ["value"])
    assert sorted(found["value"] for found in shown.values()) == [float(number) for number in range(300)]  # type: ignore[type-var]
    assert len(ready.sent("/query")) == 1


def test_no_question_is_longer_than_an_address_may_be(ready: House) -> None:
    keys = [kpi_record(number).key for number in range(2000)]
    assert ready.connector.show(Surface.KPI_RECORDS, keys, ["value"]) == {}
    assert max(len(entry.query) for entry in ready.sent("/query")) < 12_000


@pytest.mark.parametrize(
    ("value", "places", "kept"),
    [
        (12.345, 2, 12.34),  # half goes to the even digit
        (12.355, 2, 12.36),
        (0.12345, 4, 0.1234),
        (7.0, 0, 7),
        (None, 2, None),
        (1_000_000.005, 2, 1_000_000.0),
    ],
)
def test_a_number_is_rounded_half_even_to_the_field_s_places(value: FieldValue, places: int, kept: FieldValue) -> None:
    assert fitted(value, Field("X__c", "double", scale=places)) == kept


def test_a_text_is_cut_to_what_the_field_holds() -> None:
    assert fitted("Meetings held · Ana", Field("Name", "string", length=8)) == "Meetings"
    assert fitted("all", Field("Rep__c", "reference", length=18)) is None


def test_an_error_never_quotes_what_was_written(ready: House) -> None:
    [refused] = refusals(list(ready.connector.push([kpi_record(1, name="Ana Ruiz", value=1e17)])))
    assert "Ana" not in refused.reason
    assert "Ana" not in refused.advice


def test_features_can_hide_leads_and_scores_are_then_a_gap() -> None:
    with house(features=Features(absent=frozenset({"Lead"}))) as here:
        found = here.connector.capabilities()
        assert Surface.LEAD_SCORES not in found.surfaces
        assert "leads" in {gap.source for gap in found.gaps}
