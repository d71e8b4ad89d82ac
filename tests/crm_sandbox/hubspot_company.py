"""A small company for the tests of the pretend HubSpot, and a client that needs no network."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from crm_sandbox.hubspot import SANDBOX_TOKEN, Portal, Rules
from crm_sandbox.serving import Request, Response
from crm_sandbox.world import (
    Allotment,
    Call,
    Email,
    ExchangeRate,
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

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def at(text: str) -> datetime:
    """A moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


SELLERS = (
    Seller("ana", "Ana Ruiz", "ana@example.com", team="West", time_zone="America/New_York", created=at("2024-01-02")),
    Seller("íñigo", "Íñigo Sáenz", "inigo@example.com", team="West", created=at("2024-01-02")),
    Seller("gael", "Gaël Martín", "gael@example.com", active=False, created=at("2024-01-02")),
    Seller("queue", "Inbound", "inbound@example.com", kind="queue", created=at("2024-01-02")),
    Seller("robot", "Sync", "robot@example.com", kind="robot", created=at("2024-01-02")),
)

PROSPECTS = (
    Prospect(
        "li",
        "李 伟",
        "li@client.example",
        "北京 & Co.",
        "ana",
        at("2026-03-01T08:00"),
        channel="Organic search",
        status="qualified",
        qualified=at("2026-03-05"),
        converted=at("2026-03-09"),
        deal="won",
        opted_out=at("2026-06-01"),
    ),
    Prospect("twin", "Li Wei", "li.wei@client.example", "北京 & Co.", "ana", at("2026-03-02"), merged_into="li"),
    Prospect("gone", "Gone Person", "gone@client.example", "Acme", "íñigo", at("2026-03-03"), deleted=True),
    Prospect("old", "Old Friend", "old@client.example", "Acme", "queue", at("2025-01-01"), is_lead=False),
)

SALES = (
    Sale(
        "won",
        "Piloto 🚀\nfase 1",
        ((at("2026-03-10"), "íñigo"), (at("2026-04-01"), "ana")),
        at("2026-03-10"),
        "won",
        date(2026, 5, 4),
        None,
        Decimal("1085.00"),
        "USD",
        "北京 & Co.",
        "Referrals",
        "fair",
        ("li", "twin"),
        (("ana", Decimal(60)), ("íñigo", Decimal(40))),
    ),
    Sale("open", "Open", ((at("2026-10-01"), "ana"),), at("2026-10-01"), "open", date(2026, 12, 24), amount=None),
    Sale(
        "lost",
        "Lost",
        ((at("2026-10-02"), None),),
        at("2026-10-02"),
        "lost",
        date(2026, 10, 20),
        at("2026-10-20T09:30"),
    ),
    Sale(
        "partner",
        "Vía socio",
        ((at("2026-10-03"), "gael"),),
        at("2026-10-03"),
        "won",
        date(2026, 10, 13),
        at("2026-10-13"),
    ),
)

WORLD = World(
    "Small",
    NOW,
    "Europe/Madrid",
    "EUR",
    sellers=SELLERS,
    prospects=PROSPECTS,
    sales=SALES,
    emails=(
        Email(
            "out",
            "ana",
            ("li",),
            ("won",),
            "out",
            at("2026-04-02T09:00"),
            "Oferta “ñ”",
            "t1",
            "<out@example.com>",
            tracked=True,
            opens=(at("2026-04-02T10:00"), at("2026-04-03T10:00")),
            clicks=(at("2026-04-03T10:01"),),
        ),
        Email("in", "ana", ("li",), (), "in", at("2026-04-02T11:00"), "Re: Oferta", "t1", "<in@example.com>"),
        Email("away", "ana", ("li",), (), "in", at("2026-04-02T12:00"), "Away", "t1", "<away@x>", out_of_office=True),
        Email("draft", "ana", ("li",), (), "out", at("2026-04-02T13:00"), "Draft", None, "<d@x>", status="draft"),
    ),
    calls=(
        Call("talk", "ana", ("li", "twin"), ("won",), at("2026-04-05T09:00"), "out", "Connected", 61),
        Call("own", "íñigo", ("old",), (), at("2026-04-06"), "out", "Demo held", 300, external_id="dial-7"),
        Call("bare", None, (), (), at("2026-04-07"), None),
        Call("missed", "ana", ("li",), (), at("2026-04-08"), "in", "No answer", 0),
        Call("inside", "ana", (), (), at("2026-04-09"), "internal", "Connected", 60),
        Call("robotic", "robot", (), (), at("2026-04-10"), "out", "Busy", 0),
    ),
    meetings=(
        Meeting("demo", "ana", ("li",), ("won",), at("2026-04-11T15:00"), at("2026-04-11T16:00"), at("2026-04-10")),
    ),
    messages=(Message("sms", "ana", ("li",), (), at("2026-04-12"), "WHATS_APP"),),
    todos=(Todo("call-back", "ana", ("li",), (), at("2026-04-12"), date(2026, 4, 14), at("2026-04-13T08:00")),),
    promotions=(
        Promotion("fair", "Feria", "íñigo", date(2026, 2, 1), Decimal("250.50"), "EUR", (("li", at("2026-02-20")),)),
        Promotion("free", "Free", None, date(2026, 3, 1), None),
    ),
    allotments=(Allotment("ana", date(2026, 11, 1), date(2026, 12, 1), Decimal(50000)),),
    submissions=(
        Submission("twin", "Demo", at("2026-03-02T10:00")),
        Submission("li", "Demo", at("2026-03-04T10:00")),
    ),
    visits=(Visit("twin", at("2026-03-02T09:00"), "https://x.example/precios"),),
    rates=(ExchangeRate("USD", date(2026, 1, 1), Decimal("1.0850")),),
)


class Hands:
    """The clocks of a test: the portal's, which stands still until it is moved, and the one of the rate limits."""

    def __init__(self) -> None:
        self.now = NOW
        self.seconds = 0.0

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.seconds += seconds


class Client:
    """Sends requests straight into a portal."""

    def __init__(self, world: World = WORLD, *, token: str = SANDBOX_TOKEN, rules: Rules | None = None, **more: Any):
        self.hands = Hands()
        self.token = token
        self.portal = Portal(world, clock=lambda: self.hands.now, ticks=lambda: self.hands.seconds, rules=rules, **more)

    def send(self, method: str, url: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Response:
        path, _, query = url.partition("?")
        sent = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        json_type = {"Content-Type": "application/json"} if sent else {}
        known = {"Authorization": f"Bearer {self.token}", **json_type, **(headers or {})}
        return self.portal.answer(Request(method, path, tuple(parse_qsl(query, keep_blank_values=True)), known, sent))

    def get(self, url: str, status: int = 200) -> Any:
        return self._read(self.send("GET", url), status)

    def post(self, url: str, body: Any, status: int = 200) -> Any:
        return self._read(self.send("POST", url, body), status)

    def patch(self, url: str, body: Any, status: int = 200) -> Any:
        return self._read(self.send("PATCH", url, body), status)

    def delete(self, url: str, status: int = 204) -> Any:
        return self._read(self.send("DELETE", url), status)

    def control(self, method: str, url: str, body: Any = None) -> Any:
        path, _, query = url.partition("?")
        sent = b"" if body is None else json.dumps(body).encode()
        request = Request(method, f"/_control/{path}", tuple(parse_qsl(query)), {}, sent)
        response = self.portal.control(request)
        assert response.status < 300, response.body
        return json.loads(response.body) if response.body else None

    def id_of(self, kind: str, key: str) -> str:
        return self.portal.id_of(kind, key)

    def properties(self, kind: str, object_name: str, key: str) -> dict[str, str]:
        """What a thing of the world became, without its blanks."""
        found: dict[str, str] = self.portal.record(object_name, self.id_of(kind, key))["properties"]
        return found

    @staticmethod
    def _read(response: Response, status: int) -> Any:
        assert response.status == status, (response.status, response.body.decode())
        return json.loads(response.body) if response.body else None


KPI_SCHEMA = {
    "name": "sales_kpi",
    "labels": {"singular": "Sales KPI", "plural": "Sales KPIs"},
    "primaryDisplayProperty": "kpi_title",
    "secondaryDisplayProperties": ["period_start"],
    "searchableProperties": ["kpi_title"],
    "requiredProperties": ["external_key"],
    "properties": [
        {"name": "external_key", "label": "Key", "type": "string", "fieldType": "text", "hasUniqueValue": True},
        {"name": "kpi_title", "label": "Title", "type": "string", "fieldType": "text"},
        {"name": "period_start", "label": "From", "type": "date", "fieldType": "date"},
        {"name": "amount", "label": "Value", "type": "number", "fieldType": "number"},
    ],
}
