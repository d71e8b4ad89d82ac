"""The CRM in memory keeps the contract of all connectors."""

from dataclasses import dataclass, field

import msgspec
import pytest

from connectors.memory import Gone, MemoryCrm, Relinked
from kpi_engine.records import Deal, Interaction, Lead, Link, Millis, Rep
from tests.connectors.contract_suite import ConnectorContract

NOW = Millis(1_773_316_800_000)  # 2026-03-12T12:00Z


def company() -> MemoryCrm:
    reps = [
        Rep(id=who, modified=Millis(1), name=who, email=None, active=True, known=True, person_record=who)
        for who in ("ana", "ben")
    ]
    calls = [
        Interaction(
            id=f"c{number}", modified=Millis(number), kind="call", rep="ana", direction="out", outcome="done", at=NOW
        )
        for number in range(7)
    ]
    link = Link(id="c1:l1", modified=Millis(1), from_kind="interaction", from_id="c1", to_kind="person", to_id="l1")
    leads = [Lead(id="l1", modified=Millis(1), owner="ana", created_at=NOW, channel="Web")]
    deals = [Deal(id="d1", modified=Millis(1), owner="ben", created_at=NOW)]
    return MemoryCrm(
        {
            "reps": reps,
            "calls": [*calls, Relinked("interaction", "c1", "person"), link],
            "leads": leads,
            "deals": deals,
        },
        page_size=3,
        whole={"reps": ["rep"]},
    )


@dataclass
class Memory:
    connector: MemoryCrm = field(default_factory=company)
    lead: str = "l1"
    nobody: str = "nobody"
    now: Millis = NOW

    def edit(self) -> tuple[str, str]:
        (deal,) = self.connector.streams["deals"]
        assert isinstance(deal, Deal)
        self.connector.happen("deals", msgspec.structs.replace(deal, modified=Millis(2), won=True, closed=True))
        return "deal", "d1"

    def delete(self) -> tuple[str, str]:
        self.connector.happen("calls", Gone("interaction", "c3"))
        return "interaction", "c3"


class TestMemory(ConnectorContract):
    @pytest.fixture
    def crm(self) -> Memory:
        return Memory()
