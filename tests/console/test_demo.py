"""`kpisync demo` is the whole story, and its proof is the pretend CRM's own log of requests."""

from pathlib import Path

import pytest
from command_line import CRMS, kpisync

from kpi_engine.catalog import HEADLINE


@pytest.mark.slow
@pytest.mark.parametrize("crm", CRMS)
def test_the_demo_writes_what_it_computed_and_nothing_the_second_time(crm: str, tmp_path: Path) -> None:
    said = kpisync(tmp_path, "demo", "--crm", crm, "--json")
    assert said.code == 0, said.err
    told = said.document
    first, second = told["first_run"], told["second_run"]
    assert told["provisioned"] > 0
    assert first["read"] > 5000
    assert first["planned"] == first["written"] > 1000
    assert first["refused"] == 0
    assert first["writes"] > 0
    assert second["requests"] > 0
    assert (second["planned"], second["written"], second["writes"]) == (0, 0, 0)

    headline = {kpi.key for kpi in HEADLINE}
    assert len(told["scorecards"]) > 5
    assert all(set(card["kpis"]) == headline for card in told["scorecards"])
    assert told["explained"]["counted"] == told["explained"]["value"] > 0
    assert "The second run wrote nothing" in said.err
