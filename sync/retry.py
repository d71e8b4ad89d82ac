"""Tries again what a run could not write: the records that the CRM refused then, with what they should show by now."""

import msgspec

from sync.cache import Cache
from sync.job import Job
from sync.ledger import Ledger
from sync.plan import Plan, digest
from sync.run import make_plan
from sync.scoring import computed


def plan_again(job: Job, cache: Cache, ledger: Ledger, run: str) -> Plan:
    """The plan for the records that the CRM refused in a run and that still do not show the values computed last.

    Not what was refused then is sent, but what is right by now: the values may have been computed again since.
    Raises `PlanUnknown` for an unknown run, `NothingComputed` where there are no values.
    """
    refused = {(one.change.surface, one.change.key) for one in ledger.outcomes(ledger.run(run).id, "refused")}
    whole = make_plan(job, cache, ledger, as_of=computed(cache).as_of)
    changes = tuple(change for change in whole.changes if (change.surface, change.key) in refused)
    again = msgspec.structs.replace(
        whole,
        id=digest(f"{job.name} {run}", changes),
        changes=changes,
        unchanged=len(refused) - len(changes),
    )
    ledger.keep_plan(again)
    return again
