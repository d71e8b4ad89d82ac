"""The portal: made from a world, answers requests, and lets its operator act as a user of it would."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from crm_sandbox.hubspot import (
    associations,
    consent,
    definitions,
    errors,
    marketing,
    people,
    reading,
    schemas,
    splits,
    web,
    writing,
)
from crm_sandbox.hubspot.auth import Gate
from crm_sandbox.hubspot.call import Call
from crm_sandbox.hubspot.control import Desk
from crm_sandbox.hubspot.errors import Correlations, Refusal, answer
from crm_sandbox.hubspot.furnishing import furnish, populate
from crm_sandbox.hubspot.hooks import install
from crm_sandbox.hubspot.limits import Meter
from crm_sandbox.hubspot.marketing import Marketing
from crm_sandbox.hubspot.money import Rates
from crm_sandbox.hubspot.routes import AUTHORIZE, OAUTH, routed
from crm_sandbox.hubspot.search import Index
from crm_sandbox.hubspot.splits import Splits
from crm_sandbox.hubspot.store import Rules, Store, Table
from crm_sandbox.serving import Request, Response
from crm_sandbox.world import World

PORTAL_ID = 24_613_507
LONGEST_QUERY = 15_000


class Portal:
    """A pretend HubSpot account.

    world         what is in it
    clock         its clock, for stamps; the real one by default, never behind the world's own moment
    ticks         the clock of the rate limits, in seconds
    tier          free | starter | professional | enterprise
    scopes        what the token `pat-sandbox` may do; everything by default
    without_user_record   keys of sellers who never got a CRM user record
    rules         everything else that can be switched

    One request is answered at a time, so that a test may call the methods while a server answers.
    """

    def __init__(
        self,
        world: World,
        *,
        clock: Callable[[], datetime] | None = None,
        ticks: Callable[[], float] = time.monotonic,
        tier: str = "enterprise",
        scopes: Iterable[str] | None = None,
        enforce_limits: bool = True,
        index_lag: float = 0.0,
        user_properties: bool = True,
        without_user_record: Iterable[str] = (),
        portal_id: int = PORTAL_ID,
        rules: Rules | None = None,
    ) -> None:
        rules = rules or Rules(
            tier=tier, enforce_limits=enforce_limits, index_lag=index_lag, user_properties=user_properties
        )
        self.store = Store(
            portal_id, world.time_zone, world.currency, replace(rules, index_lag=0.0), clock or _after(world)
        )
        self.gate = Gate(self.store, scopes)
        self.meter = Meter(self.store, ticks)
        self.marketing = Marketing()
        self.splits = Splits()
        self.rates = Rates(self.store, world.rates)
        self.index = Index(self.store)
        self.desk = Desk(self.store, self.gate, self.meter)
        self._correlations = Correlations()
        self._lock = threading.RLock()
        self._routes: Mapping[str, Callable[[Call], Response]] = self._all_routes()
        furnish(self.store, self.rates, world)
        install(self.store, self.rates)
        populate(self.store, self.marketing, self.splits, world, without_user_record)
        self.store.rules.index_lag = rules.index_lag

    def _all_routes(self) -> Mapping[str, Callable[[Call], Response]]:
        store = self.store
        return {
            "objects": self._objects,
            "associations": lambda call: associations.answer_associations(store, call),
            "properties": lambda call: definitions.answer_properties(store, call),
            "pipelines": lambda call: people.answer_pipelines(store, call),
            "owners": lambda call: people.answer_owners(store, call),
            "schemas": lambda call: schemas.answer_schemas(store, call),
            "limits": lambda call: schemas.answer_limits(store, call),
            "library": lambda call: people.answer_enablement(store, call),
            "campaigns": lambda call: marketing.answer_campaigns(store, self.marketing, call),
            "emails": lambda call: marketing.answer_emails(store, self.marketing, call),
            "forms": lambda call: web.answer_forms(self.marketing, call),
            "submissions": lambda call: web.answer_submissions(self.marketing, call),
            "events": lambda call: web.answer_events(store, self.marketing, call),
            "account": lambda call: people.answer_account(store, self.rates, self.meter, call),
            "currencies": lambda call: people.answer_currencies(store, self.rates, call),
            "users": lambda call: people.answer_users(store, replace(call, rest=("users", *call.rest))),
            "teams": lambda call: people.answer_users(store, replace(call, rest=("teams", *call.rest))),
            "splits": lambda call: splits.answer_splits(store, self.splits, call),
            "dispositions": lambda call: people.answer_dispositions(store, call),
        }

    def answer(self, request: Request) -> Response:
        """One API call."""
        correlation = self._correlations.next()
        headers = {"x-hubspot-correlation-id": correlation}
        with self._lock:
            try:
                response = self._answered(request, headers)
            except Refusal as refusal:
                headers |= refusal.headers
                response = answer(refusal.status, refusal.body(correlation))
        return replace(response, headers={**response.headers, **headers})

    def _answered(self, request: Request, headers: dict[str, str]) -> Response:
        path = request.path.rstrip("/")
        if sum(len(name) + len(value) + 2 for name, value in request.query) > LONGEST_QUERY:
            return Response(414, b"<html><h1>414 URI Too Long</h1></html>", {"Content-Type": "text/html"})
        if OAUTH.fullmatch(path) and request.method == "POST":
            return self.gate.token_endpoint(request, path)
        if path == AUTHORIZE and request.method == "GET":
            return consent.answer(self.gate, self.rules, request)
        credential = self.gate.admit(request)
        if request.body and not request.headers.get("Content-Type", "").startswith("application/json"):
            raise errors.unsupported_media()
        family, version, rest = routed(path)
        search = family == "objects" and rest[-1:] == ("search",)
        headers |= self.meter.count(credential, search=search)
        return self._routes[family](Call(request, credential, version, rest))

    def _objects(self, call: Call) -> Response:
        if not call.rest:
            raise errors.not_found()
        store, table = self.store, self.store.table(call.rest[0])
        match call.method, *call.rest[1:]:
            case ("GET",):
                return reading.list_rows(store, table, call)
            case ("POST",):
                return writing.create(store, table, call)
            case "POST", "search":
                return self.index.search(table, call)
            case "POST", "merge":
                return writing.merge(store, table, call)
            case "POST", "batch", what:
                return self._batch(table, call, what)
            case "GET", _:
                return reading.read_row(store, table, call)
            case "PATCH", _:
                return writing.update(store, table, call)
            case "DELETE", _:
                return writing.archive(store, table, call)
            case _, _, "associations", *_:
                return associations.answer_single(store, table, call)
            case _:
                raise errors.not_found()

    def _batch(self, table: Table, call: Call, what: str) -> Response:
        match what:
            case "read":
                return reading.batch_read(self.store, table, call)
            case "create":
                return writing.batch_create(self.store, table, call)
            case "update":
                return writing.batch_update(self.store, table, call)
            case "upsert":
                return writing.batch_upsert(self.store, table, call)
            case "archive":
                return writing.batch_archive(self.store, table, call)
            case _:
                raise errors.not_found()

    def control(self, request: Request) -> Response:
        """The paths under /_control/: acting and looking without being a client."""
        with self._lock:
            try:
                return self.desk.answer(request)
            except Refusal as refusal:
                return answer(refusal.status, refusal.body("control"))

    def id_of(self, kind: str, key: str) -> str:
        """The id that a thing of the world got.

        kind: seller (owner id) | user (settings user) | person_record (CRM user record) | prospect | lead | company |
        sale | call | email | meeting | message | todo | promotion (GUID) | campaign (record) | form | allotment.
        """
        return self.desk.id_of(kind, key)

    def records(self, object_name: str, *, archived: bool = False) -> list[dict[str, Any]]:
        """Every row of an object with all its properties that are not blank."""
        with self._lock:
            return self.desk.records(object_name, archived=archived)

    def record(self, object_name: str, record_id: str) -> dict[str, Any]:
        """One row, archived or not."""
        with self._lock:
            return self.desk.record(object_name, record_id)

    def set(self, object_name: str, record_id: str, properties: Mapping[str, str | None]) -> None:
        """Change a record as a user (or HubSpot itself) would: read-only properties too; the stamps move."""
        with self._lock:
            self.desk.set(object_name, record_id, properties)

    def insert(self, object_name: str, rows: Sequence[Mapping[str, Any]]) -> list[str]:
        """New records: `properties`, and optionally `associations` (`to_object`, `to_id`), `created`, `modified`."""
        with self._lock:
            return self.desk.insert(object_name, rows)

    def archive(self, object_name: str, record_id: str) -> None:
        """Delete a record as a user would."""
        with self._lock:
            self.desk.archive(object_name, record_id)

    def restore(self, object_name: str, record_id: str) -> None:
        """Bring an archived record back."""
        with self._lock:
            self.desk.restore(object_name, record_id)

    def merge(self, object_name: str, winner: str, loser: str) -> None:
        """Merge `loser` into `winner`."""
        with self._lock:
            self.desk.merge(object_name, winner, loser)

    def fingerprint(self) -> str:
        """The contents of the whole portal, stamps left out."""
        with self._lock:
            return self.desk.fingerprints()["all"]

    @property
    def rules(self) -> Rules:
        """The switches."""
        return self.store.rules


def _after(world: World) -> Callable[[], datetime]:
    """The real time, but never before the moment at which the world was made."""
    return lambda: max(datetime.now(UTC), world.now)
