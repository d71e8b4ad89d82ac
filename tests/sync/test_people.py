"""The people whom the settings name are found in the CRM, or it is said that they are not."""

import pytest

from kpi_engine.records import Company, Day, Target
from sync.people import with_known_people
from tests.sync.worlds import rep

PEOPLE = [
    rep("005A", name="Ana Ruiz", email="ana@example.com"),
    rep("005B", name="Ben Ode", email="ben@example.com"),
    rep("005C", name="Ben Ode", email="other.ben@example.com"),
    rep("005Q", name="A queue", email="queue@example.com", known=False),
]


def aimed_at(scope: str) -> tuple[str | None, tuple[str, ...]]:
    target = Target(kpi="calls_made", scope=scope, grain="month", value="50", from_on=Day(0))
    company, warnings = with_known_people(Company(connection="acme", targets=(target,)), PEOPLE)
    return (company.targets[0].scope if company.targets else None), tuple(warnings)


@pytest.mark.parametrize(
    ("scope", "found"),
    [
        ("everyone", "everyone"),
        ("rep:005A", "rep:005A"),
        ("rep:ANA@example.com", "rep:005A"),
        ("team:Ana Ruiz", "team:005A"),
        ("rep: ben@example.com", "rep:005B"),
    ],
)
def test_a_person_is_found_by_id_e_mail_or_name(scope: str, found: str) -> None:
    assert aimed_at(scope) == (found, ())


@pytest.mark.parametrize("scope", ["rep:zoe@example.com", "team:Ben Ode", "rep:queue@example.com"])
def test_a_target_for_nobody_or_for_two_people_is_left_out_and_told(scope: str) -> None:
    found, warnings = aimed_at(scope)
    assert found is None
    assert len(warnings) == 1
    assert scope.partition(":")[2] in warnings[0]


def test_days_off_find_their_person_too() -> None:
    company = Company(connection="acme", days_off={"ana@example.com": frozenset({Day(3)}), "zoe": frozenset({Day(4)})})
    known, warnings = with_known_people(company, PEOPLE)
    assert known.days_off == {"005A": frozenset({Day(3)})}
    assert warnings == ("days_off names 'zoe', whom the CRM does not know.",)
