"""What is to be done for one connection, and how: everything that the sync is handed from outside."""

from collections.abc import Mapping

import msgspec

from connectors.contract import Capabilities, Connector, Surface
from kpi_engine.records import Company, Day
from sync.spark import Spark


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What an admin chooses.

    track, write_grains  the KPIs and the periods that the CRM shows
    surfaces             on, off, or None: wherever the CRM permits it
    max_changed_share    a plan that corrects more than this share of what was shown is stopped
    max_reps_losing_share  as is one by which more than this share of the reps lose a number
    api_budget_share     as is one that takes more than this share of the CRM's daily calls
    max_refused          after so many refusals a push sends nothing more
    overwrite_drift      write over what someone changed by hand in the CRM
    since                the first day of which periods are written, None: from the first record on
    keep_months          how many months before the current one keep their records in the CRM, None: all of them
    spark                where everything is computed when all of it is to be, None: here
    """

    track: tuple[str, ...]
    write_grains: tuple[str, ...] = ("week", "month", "quarter")
    surfaces: Mapping[Surface, bool | None] = {}
    max_changed_share: float = 0.3
    max_reps_losing_share: float = 0.2
    api_budget_share: float = 0.25
    max_refused: int = 1000
    overwrite_drift: bool = False
    since: Day | None = None
    keep_months: int | None = None
    spark: Spark | None = None


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One connection and what is to be done for it. `look` fills in what the settings leave open."""

    name: str
    connector: Connector
    company: Company
    options: Options
    capabilities: Capabilities | None = None
