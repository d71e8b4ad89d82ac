"""HubSpot keeps the contract of all connectors, tried over HTTP on a pretend portal with the demo company in it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from connectors.hubspot import HubSpotConnector, HubSpotSettings, connect
from crm_sandbox.hubspot import SANDBOX_TOKEN, Portal
from crm_sandbox.seed import demo_world
from crm_sandbox.serving import Sandbox
from crm_sandbox.world import World
from kpi_engine.records import Millis
from tests.connectors.contract_suite import ConnectorContract

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
AS_OF = Millis(int(NOW.timestamp() * 1000))
WORLD = demo_world(NOW, size="small")


@dataclass
class HubSpot:
    """A pretend portal and a connector to it."""

    portal: Portal
    connector: HubSpotConnector
    nobody: str = "999999999999"
    now: Millis = AS_OF

    @property
    def lead(self) -> str:
        return str(self.portal.records("contacts")[0]["id"])

    def edit(self) -> tuple[str, str]:
        deal = str(self.portal.records("deals")[0]["id"])
        self.portal.set("deals", deal, {"amount": "4321"})
        return "deal", deal

    def delete(self) -> tuple[str, str]:
        deal = str(self.portal.records("deals")[0]["id"])
        self.portal.archive("deals", deal)
        return "deal", deal


@dataclass
class Clock:
    """Time that passes only when somebody sleeps."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def served(world: World) -> Iterator[HubSpot]:
    clock = Clock()
    portal = Portal(world, enforce_limits=False, ticks=clock)
    with Sandbox(portal) as box:
        settings = HubSpotSettings(base_url=box.url)
        with connect(settings, {"TOKEN": SANDBOX_TOKEN}.get, sleep=clock.sleep, clock=clock) as connector:
            yield HubSpot(portal, connector)


class TestHubSpot(ConnectorContract):
    @pytest.fixture
    def crm(self) -> Iterator[HubSpot]:
        yield from served(WORLD)
