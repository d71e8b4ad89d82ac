"""`doctor` tells until when each version of HubSpot's API that is in use lasts."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from command_line import Office

from connectors.contract import ApiVersion
from console.commands.setup import Finding, ending
from console.i18n import Speaker
from crm_sandbox.seed import demo_world
from crm_sandbox.world import World

VERSION = ApiVersion("v4", date(2027, 3, 30), ("associations",))


def test_doctor_shows_the_calendar_of_the_versions_in_use(office: Callable[[str, World], Office]) -> None:
    room = office("hubspot", demo_world(datetime(2026, 11, 20, 12, tzinfo=UTC), size="small"))
    room.settings(api_version="v3")
    details = [each["detail"] for each in room.kpisync("doctor", "--json").document if each["what"] == "API version"]
    assert [detail.split(":")[0] for detail in details] == [
        "v4 is supported until 2027-03-30",
        "v1 is supported until 2027-09-01",
        "v3 is supported until 2027-09-01",
        "2026-09 is supported until 2028-03-31",
    ]
    assert details[0].endswith(": associations")


@pytest.mark.parametrize(
    ("today", "state"),
    [(date(2026, 9, 30), "ok"), (date(2026, 10, 1), "note"), (date(2027, 3, 31), "note")],
)
def test_a_version_is_worth_a_note_from_half_a_year_before_its_end(today: date, state: str) -> None:
    found = ending("acme", VERSION, Speaker("en"), today)
    assert found.state == state
    assert bool(found.fix) == (state == "note")


def test_the_calendar_speaks_spanish() -> None:
    found = ending("acme", VERSION, Speaker("es"), date(2027, 1, 1))
    assert found == Finding(
        "acme",
        "API version",
        "note",
        "v4 se mantiene hasta el 2027-03-30: associations",
        "Antes de ese día, actualice kpisync o elija una versión más nueva en kpisync.toml.",
    )
