"""A small pretend Salesforce org over HTTP, and a connector that is signed in to it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from connectors.contract import Page
from connectors.salesforce import SalesforceConnector, SalesforceSettings, connect
from crm_sandbox.salesforce import CLIENT_ID, CLIENT_SECRET, Features, Org
from crm_sandbox.serving import Logged, Sandbox
from crm_sandbox.world import Call, Sale, Seller, World
from kpi_engine.records import Record

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECRETS = {"CLIENT_SECRET": CLIENT_SECRET}

K = TypeVar("K", bound=Record)


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


def small_world(
    calls: int = 3, *, calls_too: tuple[Call, ...] = (), sales_too: tuple[Sale, ...] = (), **more: Any
) -> World:
    """Ana and Bo, one won deal of Ana's, and some calls about it; and whatever a test adds."""
    sellers = tuple(
        Seller(key, name, f"{key}@acme.example", created=ago(days=900))
        for key, name in (("ana", "Ana Ruiz"), ("bo", "Bo Li"))
    )
    deal = Sale("deal", "Big deal", ((ago(days=60), "ana"),), ago(days=60), "won", ago(days=30).date(), ago(days=30))
    made = tuple(
        Call(f"call-{n}", "ana", (), ("deal",), ago(days=50, minutes=n), outcome="Connected", seconds=60)
        for n in range(calls)
    )
    return World("Acme", NOW, sellers=sellers, sales=(deal, *sales_too), calls=(*made, *calls_too), **more)


@dataclass
class House:
    """An org, its server and a connector. `waits` are the pauses that the connector asked for."""

    org: Org
    box: Sandbox
    connector: SalesforceConnector
    settings: SalesforceSettings
    waits: list[float] = field(default_factory=list)

    def again(self, **changed: Any) -> SalesforceConnector:
        """Another connector to the same org, as the next run has one."""
        settings = {name: getattr(self.settings, name) for name in self.settings.__struct_fields__} | changed
        return connect(SalesforceSettings(**settings), SECRETS.get, sleep=self.waits.append)

    def key(self, kind: str, key: str) -> str:
        """The id of one of the world's things."""
        return self.org.register.ids[kind, key]

    def sent(self, part: str = "") -> list[Logged]:
        """The requests whose path has this part."""
        return [entry for entry in self.box.log if part in entry.path]


@contextmanager
def house(world: World | None = None, *, features: Features | None = None, **settings: Any) -> Iterator[House]:
    """Open for business, without a night's rest between two tries."""
    org = Org(world or small_world(), features=features)
    with Sandbox(org) as box:
        chosen = SalesforceSettings(login_url=box.url, client_id=CLIENT_ID, **settings)
        waits: list[float] = []
        connector = connect(chosen, SECRETS.get, sleep=waits.append)
        yield House(org, box, connector, chosen, waits)
        connector.close()


def read(connector: SalesforceConnector, stream: str, cursor: str | None = None) -> list[Page]:
    """All pages of a stream."""
    return list(connector.read(stream, cursor))


def records(pages: Sequence[Page], kind: type[K]) -> dict[str, K]:
    """The records of a kind by id, as a cache would hold them in the end."""
    return {row.id: row for page in pages for row in page.rows if isinstance(row, kind)}
