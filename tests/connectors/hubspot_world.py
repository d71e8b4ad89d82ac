"""A small company in a pretend HubSpot, for the connector's tests: two sellers, a queue, three people, two deals."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from connectors.contract import Page
from connectors.hubspot import HubSpotConnector, HubSpotMappings, HubSpotSettings, connect
from crm_sandbox.hubspot import SANDBOX_TOKEN, Portal
from crm_sandbox.serving import Fault, Sandbox
from crm_sandbox.world import (
    Allotment,
    Call,
    Email,
    Meeting,
    Message,
    Promotion,
    Prospect,
    Sale,
    Seller,
    Submission,
    Todo,
    Visit,
    World,
)
from kpi_engine.records import Record

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
T = TypeVar("T", bound=Record)


def ago(**span: float) -> datetime:
    """A moment before the world's now."""
    return NOW - timedelta(**span)


def small_world(**changes: Any) -> World:
    """The company; `changes` replace whole kinds of it."""
    kinds: dict[str, Any] = {
        "sellers": (
            Seller("ana", "Ana Ruiz", "ana@x.test", time_zone="America/New_York"),
            Seller("ben", "Ben Ode", "ben@x.test", time_zone="Europe/Madrid"),
            Seller("desk", "Desk", "desk@x.test", kind="queue"),
        ),
        "prospects": (
            Prospect("lea", "Lea Lead", "lea@p.test", "P", "ana", ago(days=30), channel="ORGANIC_SEARCH"),
            Prospect("carl", "Carl Customer", "carl@p.test", "P", "ben", ago(days=40), is_lead=False),
            Prospect("olga", "Olga Out", "olga@p.test", "P", "ana", ago(days=35), opted_out=ago(days=5)),
        ),
        "sales": (
            Sale(
                "won",
                "Won deal",
                ((ago(days=30), "ana"), (ago(days=2), "ben")),
                ago(days=30),
                "won",
                date(2026, 11, 10),
                closed_at=datetime(2026, 11, 10, 9, tzinfo=UTC),
                amount=Decimal("1000.50"),
                people=("carl",),
            ),
            Sale("open", "Open deal", ((ago(days=20), "ana"),), ago(days=20), "open", date(2026, 12, 24)),
        ),
        "calls": (
            Call("c1", "ana", ("lea",), ("open",), ago(days=3), outcome="Connected", seconds=120),
            Call("c2", "ben", ("carl",), (), ago(days=4), outcome="No answer"),
        ),
        "emails": (
            Email("e1", "ana", ("lea",), (), "out", ago(days=6), "Hello", "t1", "<1@x>", tracked=True, opens=(NOW,)),
            Email("e2", "ana", ("lea",), (), "in", ago(days=5), "Re: Hello", "t1", "<2@p>"),
        ),
        "messages": (Message("m1", "ana", ("lea",), (), ago(days=2)),),
        "meetings": (Meeting("g1", "ana", ("lea",), ("open",), ago(days=2), ago(days=2, hours=-1), ago(days=9)),),
        "todos": (Todo("d1", "ana", ("lea",), (), ago(days=3), date(2026, 11, 25)),),
        "promotions": (Promotion("p1", "Spring", "ana", date(2026, 3, 1), Decimal("1200")),),
        "allotments": (Allotment("ana", date(2026, 11, 1), date(2026, 12, 1), Decimal("50000")),),
        "submissions": (Submission("lea", "contact-us", ago(days=8)),),
        "visits": (Visit("lea", ago(days=8), "https://x.test/prices"),),
    }
    return World("small", NOW, time_zone="Europe/Madrid", currency="EUR", **{**kinds, **changes})


@dataclass
class Notebook:
    """A notebook with one page, for whoever connects again."""

    note: str | None = None

    def read(self) -> str | None:
        return self.note

    def write(self, note: str | None) -> None:
        self.note = note


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


@dataclass
class Desk:
    """A portal that is being served and a connector to it."""

    portal: Portal
    box: Sandbox
    hubspot: HubSpotConnector
    clock: Clock

    def read(self, stream: str, cursor: str | None = None) -> list[Page]:
        return list(self.hubspot.read(stream, cursor))

    def id_of(self, kind: str, key: str) -> str:
        return self.portal.id_of(kind, key)

    def calls(self) -> list[tuple[str, str, int]]:
        return [(entry.method, entry.path, entry.status) for entry in self.box.log]


@contextmanager
def desk(
    world: World | None = None,
    *,
    settings: dict[str, Any] | None = None,
    faults: Sequence[Fault] = (),
    token: str = SANDBOX_TOKEN,
    mappings: HubSpotMappings | None = None,
    **portal_options: Any,
) -> Iterator[Desk]:
    """The company in a portal, and a connector that never really waits."""
    clock = Clock()
    options = {"enforce_limits": False, "ticks": clock, **portal_options}
    portal = Portal(world or small_world(), **options)
    with Sandbox(portal, faults=list(faults)) as box:
        chosen = HubSpotSettings(base_url=box.url, mappings=mappings or HubSpotMappings(), **(settings or {}))
        with connect(chosen, {"TOKEN": token}.get, sleep=clock.sleep, clock=clock) as hubspot:
            yield Desk(portal, box, hubspot, clock)


def rows(pages: Sequence[Page], kind: type[T]) -> list[T]:
    """Every record of one kind."""
    return [row for page in pages for row in page.rows if isinstance(row, kind)]


def cursor(pages: Sequence[Page]) -> str:
    """Where the next read goes on."""
    return pages[-1].cursor
