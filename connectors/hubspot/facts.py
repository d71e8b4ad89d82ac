"""What the reading of every stream needs to know of a portal, looked up once and only when it is needed.

A sync that finds nothing new never asks for any of it.
"""

import threading
from collections.abc import Callable
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from connectors.hubspot.answers import Absent, MissingScope
from connectors.hubspot.ours import OBJECT
from connectors.hubspot.portal import PAGE, Definition, Portal
from connectors.hubspot.wire import people
from connectors.hubspot.wire.activities import DISPOSITIONS, Context
from connectors.hubspot.wire.deals import Stage, stage_labels, stages
from connectors.hubspot.wire.people import Directory, Owner
from connectors.hubspot.wire.shapes import Paging, Row, time_zone

T = TypeVar("T")


class Account(msgspec.Struct, frozen=True, rename="camel"):
    """Whose portal this is."""

    portal_id: int | str
    time_zone: str | None = None
    company_currency: str | None = None
    account_type: str = "STANDARD"
    ui_domain: str = "app.hubspot.com"


class _OwnerPage(msgspec.Struct, frozen=True):
    results: list[Owner] = []
    paging: Paging | None = None


class _Pipelines(msgspec.Struct, frozen=True):
    results: list[dict[str, Any]] = []


class _Schema(msgspec.Struct, frozen=True, rename="camel"):
    name: str
    object_type_id: str
    archived: bool = False


class _Schemas(msgspec.Struct, frozen=True):
    results: list[_Schema] = []


class Facts:
    """Thread-safe: of many streams that need the same fact one asks and the others wait."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal
        self._known: dict[str, Any] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def account(self) -> Account:
        path = self._portal.paths.account
        return self._once("account", lambda: self._portal.read(path, "the account's details", Account))

    def owners(self) -> list[Owner]:
        """Active owners, then archived ones: people who left keep owning what they did."""
        return self._once("owners", lambda: [*self._owners(archived=False), *self._owners(archived=True)])

    def users(self) -> list[Row]:
        """The CRM user records; none where the token may not see them."""
        return self._once("users", self._users)

    def directory(self) -> Directory:
        return self._once("directory", lambda: people.directory(self.owners()))

    def definitions(self, kind: str) -> list[Definition]:
        return self._once(f"properties of {kind}", lambda: self._portal.definitions(kind))

    def known_definitions(self, kind: str) -> list[Definition]:
        """Those that were looked up already, without asking for them."""
        known: list[Definition] = self._known.get(f"properties of {kind}", [])
        return known

    def defined(self, kind: str, wanted: tuple[str, ...]) -> list[str]:
        """Those of the wanted properties that this portal has."""
        known = {definition.name for definition in self.definitions(kind)}
        return [name for name in wanted if name in known]

    def kept_by_hubspot(self, kind: str, name: str) -> bool:
        """Whether nobody but HubSpot writes this property."""
        return any(each.name == name and each.read_only for each in self.definitions(kind))

    def stages(self) -> dict[str, Stage]:
        path = self._portal.paths.pipelines("deals")
        return self._once("stages", lambda: stages(self._portal.read(path, "deal pipelines", _Pipelines).results))

    def lead_stages(self) -> dict[str, str]:
        """The label of each stage of a lead, lower-cased."""
        path = self._portal.paths.pipelines("leads")
        return self._once(
            "lead stages", lambda: stage_labels(self._portal.read(path, "lead pipelines", _Pipelines).results)
        )

    def kpi_object(self) -> str | None:
        """The type id of our custom object; None where the portal has none."""
        return self._once("kpi object", self._kpi_object)

    def context(self) -> Context:
        """What activities need."""
        return self._once("context", self._context)

    def renew(self, *what: str) -> None:
        """Look this up again next time; without a name, everything."""
        with self._lock:
            for each in what or tuple(self._known):
                self._known.pop(each, None)

    def _context(self) -> Context:
        zone = time_zone(self.account().time_zone)
        return Context(self.directory(), self._dispositions(), ZoneInfo(zone or "UTC"))

    def _dispositions(self) -> dict[str, str]:
        """The portal's own call results over HubSpot's, as id → label."""
        own = next((each for each in self.definitions("calls") if each.name == "hs_call_disposition"), None)
        options = own.options if own else []
        labels = {str(each.get("value")).lower(): str(each.get("label")).strip().lower() for each in options}
        return {**DISPOSITIONS, **labels}

    def _kpi_object(self) -> str | None:
        try:
            schemas = self._portal.read(self._portal.paths.schemas, "custom objects", _Schemas).results
        except (MissingScope, Absent):
            return None
        return next((each.object_type_id for each in schemas if each.name == OBJECT and not each.archived), None)

    def _owners(self, *, archived: bool) -> list[Owner]:
        found: list[Owner] = []
        params = {"limit": str(PAGE), "archived": str(archived).lower()}
        while True:
            page = self._portal.read(self._portal.paths.owners, "owners", _OwnerPage, params)
            found += [msgspec.structs.replace(owner, archived=archived) for owner in page.results]
            if not (page.paging and page.paging.next):
                return found
            params["after"] = str(page.paging.next.after)

    def _users(self) -> list[Row]:
        try:
            pages = self._portal.pages("users", people.USER_PROPERTIES)
            return [row for page in pages for row in page.results]
        except (MissingScope, Absent):
            return []

    def _once(self, what: str, look_up: Callable[[], T]) -> T:
        with self._lock:
            lock = self._locks.setdefault(what, threading.Lock())
        with lock:
            if what not in self._known:
                self._known[what] = look_up()
            found: T = self._known[what]
            return found
