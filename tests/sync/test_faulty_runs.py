"""Runs of 450 rows on both CRMs while something goes wrong: what can be written is, and what cannot is named."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from connectors import hubspot
from connectors.contract import Connector, KpiField
from crm_sandbox.hubspot import SANDBOX_CLIENT, SANDBOX_REFRESH_TOKEN
from crm_sandbox.hubspot.faults import locked
from crm_sandbox.salesforce import Org, lock
from crm_sandbox.serving import Fault, Sandbox
from sync.ledger import Ledger
from sync.run import Job, Report, run
from tests.sync.kill_sweep import AS_OF, KPIS, Watched, books, connect, open_job, watched

CRMS = ["salesforce", "hubspot"]
WRITES = {"salesforce": "PATCH .*/composite/sobjects", "hubspot": "POST .*/batch/(upsert|update)"}
HTML = "<html><body><h1>503 Service Unavailable</h1></body></html>"


class Floor:
    """A pretend CRM, its server and a workspace with nothing in it yet."""

    def __init__(self, crm: Watched, box: Sandbox, folder: Path) -> None:
        self.crm, self.box = crm, box
        self.cache, self.ledger = books(folder)
        self.auth = "token"

    @property
    def job(self) -> Job:
        job = open_job(self.crm.name, self.box.url)
        return job if self.auth == "token" else msgspec.structs.replace(job, connector=self._by_oauth())

    def _by_oauth(self) -> Connector:
        secrets = {"CLIENT_SECRET": SANDBOX_CLIENT[1], "REFRESH_TOKEN": SANDBOX_REFRESH_TOKEN}
        settings = hubspot.HubSpotSettings(base_url=self.box.url, auth="oauth", client_id=SANDBOX_CLIENT[0])
        return hubspot.connect(settings, secrets.get, store=secrets.__setitem__, sleep=lambda _: None)

    def spoil_three_leads(self) -> list[str]:
        """From now on the CRM refuses whatever is written to three of the leads; their ids."""
        crm = self.crm.crm
        bad = sorted(crm.id_of("prospect", f"lead-{n}") for n in range(3))
        if isinstance(crm, Org):
            lock(crm, bad, times=100)
        else:
            crm.desk.change({"required": {"contacts": ["company"]}})
            for lead in bad:
                crm.set("contacts", lead, {"company": None})
        return bad

    def mend(self) -> None:
        crm = self.crm.crm
        if isinstance(crm, Org):
            crm.locks.left.clear()
        else:
            crm.desk.change({"required": {}})

    def run(self) -> Report:
        return run(self.job, self.cache, self.ledger, now=AS_OF, as_of=AS_OF)

    def rows(self) -> int:
        """How many different rows the CRM took."""
        return len(self.crm.written)


@contextmanager
def floor(name: str, folder: Path) -> Iterator[Floor]:
    crm = watched(name)
    with Sandbox(crm) as box:
        connector = connect(name, box.url)
        list(connector.provision([KpiField(key=key, label=key, unit="count", places=0) for key in KPIS]))
        connector.close()
        crm.written.clear()
        yield Floor(crm, box, folder)


TURNED_AWAY = (
    ("answer", {"status": 429, "headers": {"Retry-After": "0"}}),
    ("answer", {"status": 503, "body": HTML, "headers": {"Content-Type": "text/html"}}),
    ("reset", {}),
)
TAKEN_UNHEARD = (("half", {}), ("garble", {}), ("commit_then_drop", {}))
"""The CRM carries the write out, and its answer gets lost on the way."""


@pytest.mark.parametrize("faults", [TURNED_AWAY, TAKEN_UNHEARD], ids=["turned away", "taken unheard"])
@pytest.mark.parametrize("crm", CRMS)
def test_every_row_lands_though_writes_go_wrong(crm: str, faults: tuple[Any, ...], tmp_path: Path) -> None:
    with floor(crm, tmp_path) as here:
        here.box.faults.extend(Fault(WRITES[crm], do, **more) for do, more in faults)
        report = here.run()
        assert (report.planned, report.written, report.refused) == (450, 450, ())
        assert here.rows() == 450
        assert here.run().planned == 0
        struck = {entry.fault for entry in here.box.log if entry.fault}
    assert struck == {do for do, _ in faults}


@pytest.mark.parametrize("crm", CRMS)
def test_a_write_that_never_comes_through_is_finished_by_the_next_run(crm: str, tmp_path: Path) -> None:
    with floor(crm, tmp_path) as here:
        here.box.faults.append(Fault(WRITES[crm], "reset", after=2, times=None))
        with pytest.raises(Exception, match="KPI-"):
            here.run()
        assert here.ledger.runs()[0].state == "failed"
        here.box.faults.clear()
        assert here.run().refused == ()
        assert here.rows() == 450
        assert here.run().planned == 0


@pytest.mark.parametrize("crm", CRMS)
def test_a_token_that_expires_in_the_middle_of_a_run_is_renewed(crm: str, tmp_path: Path) -> None:
    with floor(crm, tmp_path) as here:
        if crm == "salesforce":
            here.crm.crm.auth.expire_after = 7
        else:
            here.auth = "oauth"
            here.crm.crm.gate.expire_after = 12
        report = here.run()
        assert (report.written, report.refused) == (450, ())
        gate = here.crm.crm.auth if crm == "salesforce" else here.crm.crm.gate
        assert gate.expire_after is None  # it came to that


@pytest.mark.parametrize("crm", CRMS)
def test_rows_that_somebody_else_holds_for_a_moment_land_in_the_end(crm: str, tmp_path: Path) -> None:
    with floor(crm, tmp_path) as here:
        if crm == "salesforce":
            lock(here.crm.crm, [here.crm.crm.id_of("prospect", f"lead-{n}") for n in range(3)], times=1)
        else:
            here.box.faults.append(locked(WRITES[crm]))
        report = here.run()
        assert (report.planned, report.written, report.refused) == (450, 450, ())
        assert here.run().planned == 0


@pytest.mark.parametrize("crm", CRMS)
def test_three_bad_rows_are_named_and_the_others_written(crm: str, tmp_path: Path) -> None:
    with floor(crm, tmp_path) as here:
        bad = here.spoil_three_leads()
        report = here.run()
        assert (report.planned, report.written) == (450, 447)
        assert sorted(one.change.key for one in report.refused) == bad
        assert all(one.code and one.advice for one in report.refused)
        assert _states(here.ledger, report.run) == {"written": 447, "refused": 3}
        here.mend()
        assert here.run().written == 3


def _states(ledger: Ledger, id: str) -> dict[str, int]:
    return {state: len(ledger.outcomes(id, state)) for state in ("written", "refused")}
