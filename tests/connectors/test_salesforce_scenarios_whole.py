"""What no change tells of, a record that was purged or came into sight, is found by itself after a good week."""

from pathlib import Path

from crm_sandbox.salesforce import clock_ahead, delete, unshare
from kpi_engine.periods import DAY_MS
from kpi_engine.records import Company, Millis
from sync.cache import Cache
from sync.ledger import Ledger
from sync.run import Job, Options, run
from tests.connectors.salesforce_world import NOW, House, house


def test_a_run_after_eight_days_reads_everything_again_and_the_runs_before_it_do_not(tmp_path: Path) -> None:
    with house() as here:
        url = f"sqlite:///{tmp_path}/kpisync.db"
        cache, ledger = Cache.open(url, "acme"), Ledger.open(url, "acme")
        purged, hidden = here.key("call", "call-1"), here.key("call", "call-2")
        unshare(here.org, [hidden])

        def calls(days: int) -> int:
            """How many calls the cache knows after a run on this day."""
            run(_job(here), cache, ledger, now=_on(days), as_of=_on(days), dry_run=True)
            return cache.counts(["interaction"])["interaction"]

        assert calls(0) == 2
        delete(here.org, "Task", purged, hard=True)
        unshare(here.org, [])
        clock_ahead(here.org, 3600)
        asked = len(here.sent("/queryAll"))
        assert calls(1) == 2  # the purged one still, the hidden one not yet
        quiet = len(here.sent("/queryAll")) - asked
        assert calls(9) == 2
        known = cache.tables(["interaction"])["interaction"].collect()
        assert set(known.filter(~known["deleted"])["id"]) == {here.key("call", "call-0"), hidden}
        asked = len(here.sent("/queryAll"))
        assert calls(10) == 2
        assert len(here.sent("/queryAll")) - asked <= quiet  # and it is quiet again


def _on(days: int) -> Millis:
    return Millis(round(NOW.timestamp() * 1000) + days * DAY_MS)


def _job(here: House) -> Job:
    options = Options(track=("calls_made",), write_grains=("month",))
    return Job(name="acme", connector=here.again(), company=Company(connection="acme"), options=options)
