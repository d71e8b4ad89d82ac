"""Owners, users and contacts become reps, people and leads."""

import pytest

from connectors.hubspot.wire import people
from connectors.hubspot.wire.people import Owner
from connectors.hubspot.wire.shapes import Row, Unclear, Version
from kpi_engine.records import Lead, Millis, Person

CREATED = "2026-03-02T09:00:00Z"  # 1772442000000
CREATED_MS = 1_772_442_000_000
MODIFIED = "2026-03-05T10:00:00.250Z"
MODIFIED_MS = 1_772_704_800_250


def contact(**properties: str | None) -> Row:
    return Row(id="501", properties={"createdate": CREATED, "lastmodifieddate": MODIFIED, **properties})


def lead_of(row: Row, *, changed: bool = False) -> Lead | None:
    return next((each for each in people.contact(row, changed=changed) if isinstance(each, Lead)), None)


def person_of(row: Row) -> Person:
    return next(each for each in people.contact(row, changed=False) if isinstance(each, Person))


def test_a_contact_is_always_a_person() -> None:
    row = contact(hubspot_owner_id="77", lifecyclestage="subscriber")
    assert people.contact(row, changed=False) == [Person(id="501", modified=Millis(MODIFIED_MS), owner="77")]


@pytest.mark.parametrize(
    "stage", ["lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer", "Lead"]
)
def test_a_contact_in_a_lead_stage_is_a_lead(stage: str) -> None:
    assert lead_of(contact(lifecyclestage=stage)) is not None


@pytest.mark.parametrize("stage", ["subscriber", "evangelist", "other", "184729", None])
def test_a_contact_in_another_stage_is_no_lead(stage: str | None) -> None:
    assert lead_of(contact(lifecyclestage=stage)) is None


def test_a_contact_that_once_was_a_lead_stays_one() -> None:
    row = contact(lifecyclestage="evangelist", hs_lifecyclestage_lead_date=CREATED)
    assert lead_of(row) is not None


def test_a_contact_that_only_has_a_later_date_is_no_lead() -> None:
    row = contact(lifecyclestage="evangelist", hs_lifecyclestage_customer_date=CREATED)
    assert lead_of(row) is None


def test_a_changed_contact_that_is_no_lead_any_more_says_so() -> None:
    lead = lead_of(contact(lifecyclestage="subscriber"), changed=True)
    assert lead is not None
    assert lead.deleted


def test_a_lead_is_qualified_at_the_first_of_the_two_dates() -> None:
    row = contact(
        lifecyclestage="salesqualifiedlead",
        hs_lifecyclestage_marketingqualifiedlead_date="2026-03-04T00:00:00Z",
        hs_lifecyclestage_salesqualifiedlead_date="2026-03-03T00:00:00Z",
    )
    lead = lead_of(row)
    assert lead is not None
    assert lead.qualified_at == 1_772_496_000_000
    assert not lead.converted


def test_a_lead_is_converted_at_the_first_of_the_two_dates() -> None:
    row = contact(
        lifecyclestage="customer",
        hs_lifecyclestage_opportunity_date="2026-03-03T00:00:00Z",
        hs_lifecyclestage_customer_date="2026-03-04T00:00:00Z",
    )
    lead = lead_of(row)
    assert lead is not None
    assert (lead.converted, lead.converted_at) == (True, 1_772_496_000_000)


def test_a_customer_without_a_date_was_converted_at_its_creation() -> None:
    lead = lead_of(contact(lifecyclestage="customer"))
    assert lead is not None
    assert (lead.converted, lead.converted_at) == (True, CREATED_MS)


def test_a_lead_keeps_status_and_channel() -> None:
    row = contact(lifecyclestage="lead", hs_lead_status=" UNQUALIFIED ", hs_analytics_source="PAID_SEARCH")
    lead = lead_of(row)
    assert lead is not None
    assert (lead.status, lead.channel, lead.person) == ("unqualified", "PAID_SEARCH", "501")


def test_an_opt_out_dates_from_when_it_last_became_true() -> None:
    history = {
        "hs_email_optout": [
            Version("true", "2026-03-04T00:00:00Z"),
            Version("false", "2026-03-03T00:00:00Z"),
            Version("true", "2026-03-02T00:00:00Z"),
        ]
    }
    row = Row(id="501", properties=contact(hs_email_optout="true").properties, history=history)
    person = person_of(row)
    assert (person.opted_out, person.opted_out_at) == (True, 1_772_582_400_000)


def test_an_opt_out_without_history_has_no_date() -> None:
    person = person_of(contact(hs_email_optout="true"))
    assert (person.opted_out, person.opted_out_at) == (True, None)


def test_a_person_bounced_when_the_counter_first_left_zero() -> None:
    history = {"hs_email_bounce": [Version("2", MODIFIED), Version("1", CREATED), Version("0", "2026-03-01T00:00:00Z")]}
    row = Row(id="501", properties=contact(hs_email_bounce="2").properties, history=history)
    assert person_of(row).bounced_at == CREATED_MS


def test_the_records_that_a_contact_absorbed_point_to_it() -> None:
    records = people.contact(contact(lifecyclestage="lead", hs_merged_object_ids="498;499"), changed=True)
    absorbed = [(type(each).__name__, each.id, each.deleted) for each in records if each.id != "501"]
    assert absorbed == [
        ("Person", "498", True),
        ("Lead", "498", True),
        ("Person", "499", True),
        ("Lead", "499", True),
    ]
    assert {each.merged_into for each in records if isinstance(each, Person | Lead) and each.id != "501"} == {"501"}


def test_a_contact_without_a_readable_creation_is_unclear_and_its_value_is_not_told() -> None:
    with pytest.raises(Unclear, match=r"^createdate is not a moment$"):
        people.contact(contact(lifecyclestage="lead", createdate="yesterday, Ana"), changed=False)


ANA = Owner(id="41", email="ana@x.test", first_name="Ana", last_name="Ruiz", user_id=9001, updated_at=CREATED)
BEN = Owner(id="42", email="ben@x.test", user_id_including_inactive=9002, updated_at=CREATED, archived=True)
DESK = Owner(id="43", type="QUEUE", first_name="Desk", updated_at=CREATED)


def user(id_: str, **properties: str) -> Row:
    return Row(id=id_, properties=dict(properties), updated_at=CREATED)


def test_a_rep_is_an_owner_and_its_numbers_stand_on_the_user_record() -> None:
    users = [user("700", hubspot_owner_id="41", hs_internal_user_id="9001", hs_standard_time_zone="America/New_York")]
    ana, ben, desk = people.reps([ANA, BEN, DESK], users, {})
    assert (ana.id, ana.name, ana.person_record, ana.time_zone) == ("41", "Ana Ruiz", "700", "America/New_York")
    assert (ben.name, ben.active, ben.person_record) == ("ben@x.test", False, None)
    assert (desk.known, ana.known, ben.known) == (False, True, True)


def test_an_owner_is_found_by_user_id_where_the_user_record_names_no_owner() -> None:
    (ana,) = people.reps([ANA], [user("700", hs_internal_user_id="9001")], {})
    assert ana.person_record == "700"


def test_two_user_records_of_one_owner_are_both_left_alone() -> None:
    twice = [user("700", hubspot_owner_id="41"), user("701", hubspot_owner_id="41")]
    (ana,) = people.reps([ANA], twice, {})
    assert ana.person_record is None


def test_equal_numbers_of_owner_and_user_are_not_mixed_up() -> None:
    swapped = [Owner(id="1", user_id=2, updated_at=CREATED), Owner(id="2", user_id=1, updated_at=CREATED)]
    directory = people.directory(swapped)
    assert (directory.of_user("2"), directory.of_user("1")) == ("1", "2")


def test_who_left_and_came_back_is_the_present_owner() -> None:
    left = Owner(id="40", user_id_including_inactive=9001, archived=True)
    assert people.directory([ANA, left]).of_user("9001") == "41"
    assert people.directory([left, ANA]).of_user("9001") == "41"


def test_managers_come_from_the_settings() -> None:
    ana, ben, _ = people.reps([ANA, BEN, DESK], [], {"Ben@x.test": "ana@x.test"})
    assert (ana.manager, ben.manager) == (None, "41")
