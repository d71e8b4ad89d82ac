"""A company in memory whose numbers can be worked out by hand, and the round trip around it."""

from dataclasses import dataclass, field
from pathlib import Path

from connectors.contract import KpiField, Surface
from connectors.memory import MemoryCrm
from kpi_engine.records import Company, Millis, Record
from sync.cache import Cache
from sync.ledger import Ledger
from sync.run import Job, Options, Report, run
from tests.sync.worlds import at, call, lead, link, rep, won

NOW = at("2026-03-12T12:00")
KPIS = ("calls_made", "deals_won")


def crm(**more: object) -> MemoryCrm:
    """Ana made three calls in March (one on the 2nd, two on the 11th) and won a deal; Ben made one call in February."""
    made = MemoryCrm(
        {
            "reps": [rep("ana"), rep("ben")],
            "calls": [
                call("c1", "ana", "2026-03-02T10:00"),
                call("c2", "ana", "2026-03-11T10:00"),
                call("c3", "ana", "2026-03-11T11:00"),
                call("c4", "ben", "2026-02-10T10:00"),
            ],
            "deals": [won("d1", "ana", 1500, "2026-03-03T10:00"), link("deal", "d1", "person", "l1")],
            "leads": [lead("l1", "ana", channel="Web")],
        },
        **more,  # type: ignore[arg-type]
    )
    list(made.provision([KpiField(key=key, label=key, unit="count", places=0) for key in KPIS]))
    return made


@dataclass
class Office:
    """A workspace with one connection to a CRM in memory."""

    folder: Path
    crm: MemoryCrm = field(default_factory=crm)
    options: Options = Options(track=KPIS, write_grains=("month",))  # noqa: RUF009 - frozen
    company: Company = Company(connection="acme")  # noqa: RUF009 - frozen

    def __post_init__(self) -> None:
        self.url = f"sqlite:///{self.folder}/kpisync.db"
        self.cache = Cache.open(self.url, "acme")
        self.ledger = Ledger.open(self.url, "acme", clock=lambda: NOW)

    @property
    def job(self) -> Job:
        return Job(name="acme", connector=self.crm, company=self.company, options=self.options)

    def run(self, now: Millis = NOW, **more: object) -> Report:
        return run(self.job, self.cache, self.ledger, now=now, as_of=now, **more)  # type: ignore[arg-type]

    def shown(self, key: str, surface: Surface = Surface.KPI_RECORDS) -> dict[str, object]:
        return dict(self.crm.shown[surface, key])


def key(kpi: str, who: str, month: str) -> str:
    """The external key of a monthly record."""
    return f"acme:{kpi}:{who}:month:{month}-01"


def rows(report: Report) -> int:
    return sum(report.pulled.rows.values())


def changed(record: Record) -> Record:
    return record
