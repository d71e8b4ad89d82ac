"""Salesforce keeps the contract of all connectors, tried over HTTP on a pretend org with the demo company in it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from connectors.salesforce import SalesforceConnector, SalesforceSettings, connect
from crm_sandbox.salesforce import CLIENT_ID, CLIENT_SECRET, Org, change, delete
from crm_sandbox.seed import demo_world
from crm_sandbox.serving import Sandbox
from crm_sandbox.world import World
from kpi_engine.records import Millis
from tests.connectors.contract_suite import ConnectorContract

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
AS_OF = Millis(int(NOW.timestamp() * 1000))
WORLD = demo_world(NOW, size="small")
ROWS_A_PAGE = 400


@dataclass
class Salesforce:
    """A pretend org and a connector that is signed in to it."""

    org: Org
    connector: SalesforceConnector
    nobody: str = "00Q00000000nobody"
    now: Millis = AS_OF

    @property
    def lead(self) -> str:
        return str(next(row["Id"] for row in self.org.rows("Lead") if not row.get("IsConverted")))

    def edit(self) -> tuple[str, str]:
        deal = self._first("Opportunity")
        change(self.org, "Opportunity", deal, {"Amount": 4321})
        return "deal", deal

    def delete(self) -> tuple[str, str]:
        deal = self._first("Opportunity")
        delete(self.org, "Opportunity", deal)
        return "deal", deal

    def _first(self, name: str) -> str:
        return str(self.org.rows(name)[0]["Id"])


def served(world: World) -> Iterator[Salesforce]:
    org = Org(world)
    org.pages.sizes = (ROWS_A_PAGE,)
    with Sandbox(org) as box:
        settings = SalesforceSettings(login_url=box.url, client_id=CLIENT_ID)
        connector = connect(settings, {"CLIENT_SECRET": CLIENT_SECRET}.get, sleep=lambda _: None)
        yield Salesforce(org, connector)
        connector.close()


class TestSalesforce(ConnectorContract):
    @pytest.fixture
    def crm(self) -> Iterator[Salesforce]:
        yield from served(WORLD)
