"""Disconnecting a CRM: its side first, then ours; and what happens when its side says no."""

import pytest
from browser import REVOKE, TOKEN, Hall, Person

from config.vault import NAMES
from crm_sandbox.salesforce import Org
from crm_sandbox.serving import Fault


@pytest.fixture
def connected(hall: Hall, person: Person) -> Hall:
    assert hall.connect().code == 0
    return hall


def contents(hall: Hall) -> str:
    """All that is in the CRM, in short."""
    crm = hall.office.sandbox.crm
    if isinstance(crm, Org):
        return str({name: crm.rows(name, deleted=True) for name in ("User", "Lead", "Task", "Opportunity")})
    return str(crm.fingerprint())  # type: ignore[attr-defined]


def test_the_access_ends_at_the_crm_and_then_here(connected: Hall) -> None:
    assert connected.kpisync("pull").code == 0
    before, settings = contents(connected), (connected.office.folder / "kpisync.toml").read_text()
    writes = len(connected.office.writes())
    said = connected.kpisync("disconnect", "--json")
    assert (said.code, said.document["revoked"]) == (0, "revoked"), said.err
    assert connected.refresh_tokens() == []
    assert [name for name in NAMES if connected.stored(name)] == []
    assert connected.kpisync("pull").code in {2, 4}
    assert (contents(connected), len(connected.office.writes())) == (before, writes)
    assert (connected.office.folder / "kpisync.toml").read_text() == settings
    assert connected.kpisync("kpis").code == 0


def test_salesforce_ends_the_sessions_that_came_of_a_connection_too(connected: Hall) -> None:
    if connected.crm == "salesforce":
        assert connected.access_tokens() != []
        connected.kpisync("disconnect")
        assert connected.access_tokens() == []
    else:  # HubSpot lets them live for their half hour; none of them was kept here
        connected.kpisync("disconnect")
        assert connected.access_tokens() != []


def test_what_stands_in_the_environment_is_named_to_be_taken_away(connected: Hall) -> None:
    said = connected.kpisync("disconnect")
    assert "Still set in the environment: KPISYNC_ACME_CLIENT_SECRET" in said.err


def test_a_crm_that_cannot_be_told_makes_nobody_forget(connected: Hall) -> None:
    token = connected.stored()
    connected.office.sandbox.faults.append(Fault(f"POST {REVOKE[connected.crm]}", "answer", status=403, body="{}"))
    said = connected.kpisync("disconnect")
    code = {"salesforce": "KPI-SF-052", "hubspot": "KPI-HS-052"}[connected.crm]
    assert (said.code, code in said.err, "Nothing was forgotten" in said.err) == (4, True, True)
    assert connected.stored() == token
    assert connected.kpisync("disconnect").code == 0
    assert connected.stored() is None


def test_secrets_can_be_forgotten_anyway_and_it_is_said_that_the_access_may_live_on(connected: Hall) -> None:
    connected.office.sandbox.faults.append(Fault(f"POST {REVOKE[connected.crm]}", "answer", status=403, times=None))
    said = connected.kpisync("disconnect", "--forget-anyway", "--json")
    assert (said.code, said.document["revoked"]) == (0, None)
    assert "may still be good" in said.err
    assert connected.stored() is None
    assert connected.refresh_tokens() != []


def test_an_access_that_the_crm_had_ended_itself_is_forgotten_without_ado(connected: Hall) -> None:
    body = {
        "salesforce": '{"error":"unsupported_token_type","error_description":"this token type is not supported"}',
        "hubspot": '{"error":"invalid_grant","status":"BAD_REFRESH_TOKEN","message":"revoked"}',
    }[connected.crm]
    connected.office.sandbox.faults.append(
        Fault(f"POST {REVOKE[connected.crm]}", "answer", status=400, body=body, times=None)
    )
    said = connected.kpisync("disconnect", "--json")
    assert (said.code, said.document["revoked"]) == (0, "gone")
    assert connected.stored() is None


def test_a_way_in_that_leaves_nothing_behind_is_only_forgotten(hall: Hall) -> None:
    hall.office.settings(auth={"salesforce": "client_credentials", "hubspot": "token"}[hall.crm])
    said = hall.kpisync("disconnect", "--json")
    assert (said.code, said.document["revoked"], hall.office.sandbox.log) == (0, "nothing", [])
    left = {"salesforce": "block or delete it there", "hubspot": "delete it there (Development › Keys)"}[hall.crm]
    assert left in said.err


def test_after_it_a_person_can_connect_again(connected: Hall, person: Person) -> None:
    connected.kpisync("disconnect")
    person.seen.clear()
    assert connected.connect().code == 0
    assert connected.kpisync("pull").code == 0
    assert connected.asked(TOKEN[connected.crm]) == 3  # a code each, and the sign-in of the pull
