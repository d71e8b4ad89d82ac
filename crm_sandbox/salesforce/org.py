"""A pretend Salesforce organisation: which resource answers which request."""

import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from crm_sandbox.salesforce import consent, control
from crm_sandbox.salesforce.auth import App, Auth
from crm_sandbox.salesforce.bulk.ingests import BulkIngests
from crm_sandbox.salesforce.bulk.queries import BulkQueries
from crm_sandbox.salesforce.composite import Composite
from crm_sandbox.salesforce.errors import Refusal, not_found
from crm_sandbox.salesforce.ids import canonical, record_id
from crm_sandbox.salesforce.metadata import soap
from crm_sandbox.salesforce.metadata.deploys import Metadata
from crm_sandbox.salesforce.pages import Pages, json_response
from crm_sandbox.salesforce.records import Records
from crm_sandbox.salesforce.row_sets import RowSets
from crm_sandbox.salesforce.schema import Features, Schema, Sight
from crm_sandbox.salesforce.settling.settle import fill, needed
from crm_sandbox.salesforce.soql.run import Asker, run
from crm_sandbox.salesforce.store import Row, Store
from crm_sandbox.salesforce.usage import Usage
from crm_sandbox.salesforce.writing import Locks, Writing
from crm_sandbox.serving import Request, Response
from crm_sandbox.world import World

CLIENT_ID, CLIENT_SECRET = "sandbox", "sandbox-secret"
VERSIONS = tuple(range(31, 69))
CHUNKED_FROM = 1024
SEASONS = ("Spring", "Summer", "Winter")
MAY_NOT_DEPLOY = Refusal(403, "INSUFFICIENT_ACCESS", "You do not have the permission to deploy metadata")
SETUP_RIGHT = Refusal(403, "INSUFFICIENT_ACCESS", "insufficient access rights on object")


@dataclass(frozen=True)
class Session:
    """One signed-in request: who, in which version, seeing what."""

    user: str
    version: str
    sights: Mapping[str, Sight]
    writing: Writing


class Org:
    """Implements `crm_sandbox.serving.Crm`.

    clock          the organisation's now; by default the world's, running on
    apps           who may sign in; by default the app `sandbox` / `sandbox-secret`, run as the integration user
    public_key     PEM against which the default app's JWTs are verified
    access_token   a token that is accepted from the start, refresh_token likewise
    daily_calls    the allowance of API calls
    number         which organisation it is: part of its id
    """

    def __init__(
        self,
        world: World,
        *,
        clock: Callable[[], datetime] | None = None,
        features: Features | None = None,
        apps: Sequence[App] | None = None,
        public_key: str | None = None,
        access_token: str | None = None,
        refresh_token: str | None = None,
        daily_calls: int = 100_000,
        number: int = 1,
    ) -> None:
        self.world = world
        self.ahead = timedelta(0)
        self._clock = clock or _running_on(world.now)
        self._lock = threading.RLock()
        organisation = record_id("00D", number)
        self.schema = Schema(needed(world, features or Features()))
        self.store = Store(self.schema, self.now, organisation)
        self.register = fill(self.store, world)
        self._described = (self.schema.revision, self.now().astimezone(UTC))
        self.usage = Usage(daily_calls)
        self.locks = Locks()
        self.pages = Pages()
        self.metadata = Metadata(self.store)
        self.bulk_queries = BulkQueries(self.store)
        self.bulk_ingests = BulkIngests(self.store)
        default = App(CLIENT_ID, CLIENT_SECRET, self.register.integration, public_key)
        self.auth = Auth(
            organisation,
            {app.client_id: app if app.run_as else replace(app, run_as=self.integration) for app in apps or (default,)},
            self._user_of,
            lambda user: str(self.store.table("User").rows[user]["Username"]),
        )
        if access_token:
            self.auth.accept(access_token, self.integration)
        if refresh_token:
            self.auth.refresh_tokens[refresh_token] = (next(iter(self.auth.apps)), self.integration)

    @property
    def integration(self) -> str:
        """The id of the user as whom the default app acts."""
        return self.register.integration

    def now(self) -> datetime:
        return self._clock() + self.ahead

    def id_of(self, kind: str, key: str) -> str:
        """The record id of a thing of the world.

        kind: seller, prospect (the lead, else the contact), lead, contact, account (by name), sale, promotion, form,
        email (the message, else the task), email_task, call, message, meeting, todo, team. Raises KeyError.
        """
        return self.register.ids[kind, key]

    def key_of(self, record: str) -> tuple[str, str] | None:
        """(kind, key) of the world's thing with that record id."""
        return self.register.keys.get(record)

    def rows(self, name: str, *, deleted: bool = False) -> list[Row]:
        """The rows of an object, whatever anybody may see; deleted and archived ones too if asked for."""
        thing = self.schema.thing(name)
        return list(self.store.rows(thing.name, deleted=deleted, archived=True)) if thing else []

    def answer(self, request: Request) -> Response:
        """One request of a client."""
        with self._lock:
            try:
                response = self._answer(request)
            except Refusal as refusal:
                response = json_response(refusal.status, [refusal.as_rest()])
            headers = {"Date": f"{self.now().astimezone(UTC):%a, %d %b %Y %H:%M:%S} GMT", **response.headers}
            if request.path.startswith("/services/data/v"):
                headers |= self.usage.header()
            # A short answer has a length; a long one goes while it is still being made.
            return Response(response.status, response.body, headers, chunked=len(response.body) >= CHUNKED_FROM)

    def control(self, request: Request) -> Response:
        """One request of whoever runs the sandbox."""
        with self._lock:
            return control.answer(self, request)

    def _answer(self, request: Request) -> Response:
        path = [unquote(part) for part in request.path.strip("/").split("/")]
        match path:
            case ["services", "data"]:
                return json_response(200, [_version(number) for number in VERSIONS])
            case ["services", "oauth2", "userinfo"]:
                return json_response(200, self._identity(self.auth.user(request)))
            case ["services", "oauth2", "authorize"]:
                return consent.answer(self.auth, request, self.integration)
            case ["services", "oauth2", _]:
                return self.auth.answer(request)
            case ["id", organisation, user] if organisation[:15] == self.store.organisation[:15]:
                self.auth.user(request)
                return json_response(200, self._identity(user))
            case ["services", "Soap", "m", version, *_] if request.method == "POST":
                number = _checked_version(f"v{version}")
                return soap.answer(self.metadata, request, lambda token: self._deployer(token, number))
            case ["services", "data", version, *rest]:
                return self._data(request, version, rest)
        raise not_found()

    def _data(self, request: Request, version: str, path: list[str]) -> Response:
        number = _checked_version(version)
        if len(request.path) + sum(len(name) + len(value) + 2 for name, value in request.query) > 16_384:
            raise Refusal(414, "URI_TOO_LONG", "The URI is too long")
        session = self.session(self.auth.user(request), number)
        if not (request.method == "GET" and path[:2] == ["metadata", "deployRequest"]):
            self.usage.count()  # polls of a deployment are free
        return self.resource(session, request, path)

    def _deployer(self, token: str, version: str) -> str:
        """The user behind a SOAP call's session id, who may deploy metadata."""
        signed = Request("POST", "", (), {"Authorization": f"Bearer {token}"}, b"")
        session = self.session(self.auth.user(signed), version)
        if "ModifyMetadata" not in self.permissions(session.user):
            raise MAY_NOT_DEPLOY
        self.usage.count()
        return session.user

    def session(self, user: str, version: str) -> Session:
        """What a user sees and may do in a version of the API."""
        if "ApiEnabled" not in self.schema.features.permissions:
            raise Refusal(403, "API_CURRENTLY_DISABLED", "API is disabled for this User")
        sights = self.schema.sights(user, self.store.grants(user))
        writing = Writing(self.store, sights, user, self.permissions(user), self.locks)
        return Session(user, version, sights, writing)

    def described_since(self) -> datetime:
        """When what anybody sees last changed: the Last-Modified of describes."""
        if self._described[0] != self.schema.revision:
            self._described = (self.schema.revision, self.now().astimezone(UTC))
        return self._described[1]

    def permissions(self, user: str) -> frozenset[str]:
        """What the user may do: what everyone here may, and what permission sets add."""
        mine = [row for row in self.store.rows("PermissionSetAssignment") if row["AssigneeId"] == user]
        given = [self.metadata.rights.get(row["PermissionSetId"], frozenset()) for row in mine]
        return self.schema.features.permissions.union(*given)

    def resource(self, session: Session, request: Request, path: Sequence[str]) -> Response:
        """Answer for a path below /services/data/vXX.X."""
        records = Records(session.writing, session.version, self.described_since())
        match path:
            case []:
                return json_response(200, self._resources(session.version))
            case ["query" | "queryAll" as name]:
                return self._query(session, request, name)
            case ["query" | "queryAll", locator]:
                return self.pages.next(locator, request.headers.get("Sforce-Query-Options"))
            case ["sobjects", *rest]:
                return records.answer(request, rest)
            case ["composite", "sobjects", *rest]:
                return RowSets(records).answer(request, rest)
            case ["composite", *rest]:
                return self._composite(session, request, rest)
            case ["jobs", "query", *rest]:
                return self.bulk_queries.answer(request, rest, session.user, self.asker(session))
            case ["jobs", "ingest", *rest]:
                return self.bulk_ingests.answer(request, rest, session.writing, session.version)
            case ["analytics", "dashboards", dashboard] if request.method == "PUT":
                return self._refresh(session, dashboard)
            case ["metadata", "deployRequest", *rest]:
                return self._deploy(session, request, rest)
            case ["limits"]:
                if "ViewSetup" not in self.schema.features.permissions:
                    raise SETUP_RIGHT
                return json_response(200, self.usage.limits())
            case ["limits", "recordCount"]:
                return self._record_count(session, request)
        raise not_found()

    def asker(self, session: Session, *, all_rows: bool = False, bulk: bool = False) -> Asker:
        """Who asks a query, and when."""
        zone = self.store.table("User").rows[session.user].get("TimeZoneSidKey") or "UTC"
        return Asker(
            session.sights,
            session.version,
            self.now(),
            ZoneInfo(zone),
            self.world.fiscal_year_start,
            all_rows=all_rows,
            bulk=bulk,
        )

    def _query(self, session: Session, request: Request, name: str) -> Response:
        text = request.param("q")
        if not text:
            raise Refusal(400, "MALFORMED_QUERY", "A query string has to be specified")
        found = run(self.store, text, self.asker(session, all_rows=name == "queryAll"))
        resource = f"/services/data/v{session.version}/query"
        return self.pages.first(found, resource, request.headers.get("Sforce-Query-Options"))

    def _composite(self, session: Session, request: Request, path: Sequence[str]) -> Response:
        """Several requests in one; they count as one call, and see what the earlier ones changed."""

        def one(sub: Request) -> Response:
            version, *rest = [unquote(part) for part in sub.path.removeprefix("/services/data/").strip("/").split("/")]
            if rest[:1] in (["jobs"], ["metadata"]):
                raise Refusal(400, "INVALID_INPUT", f"{rest[0]} cannot be used in a composite request")
            again = self.session(session.user, _checked_version(version))
            return self.resource(again, sub, rest)

        composite = Composite(self.store, one)
        answers = {"": composite.composite, "batch": composite.batch, "graph": composite.graph}
        answer = answers.get("/".join(path))
        if answer is None or request.method != "POST":
            raise not_found()
        return answer(request)

    def _refresh(self, session: Session, dashboard: str) -> Response:
        """Ask for fresh numbers in a dashboard."""
        row = self.store.table("Dashboard").rows.get(canonical(dashboard) or "")
        if row is None:
            raise not_found()
        home = f"/services/data/v{session.version}/analytics/dashboards/{row['Id']}"
        return json_response(201, {"statusUrl": f"{home}/status"})

    def _deploy(self, session: Session, request: Request, path: Sequence[str]) -> Response:
        if "ModifyMetadata" not in session.writing.permissions:
            raise MAY_NOT_DEPLOY
        if request.method == "POST" and not path:
            return self.metadata.start(request, session.user, session.version)
        if request.method == "GET" and len(path) == 1:
            return self.metadata.status(path[0], request, session.version)
        raise not_found()

    def _record_count(self, session: Session, request: Request) -> Response:
        names = [one for one in (request.param("sObjects") or "").split(",") if one]
        sights = [sight for name in names if (sight := session.sights.get(name.lower()))]
        counts = [{"count": len(self.rows(sight.thing.name)), "name": sight.thing.name} for sight in sights]
        return json_response(200, {"sObjects": counts})

    def _resources(self, version: str) -> dict[str, str]:
        home = f"/services/data/v{version}"
        names = ("sobjects", "query", "queryAll", "composite", "limits", "jobs", "metadata", "analytics")
        return {name: f"{home}/{name}" for name in names}

    def _identity(self, user: str) -> dict[str, Any]:
        row = self.store.table("User").rows.get(user)
        if row is None:
            raise not_found()
        return {
            "sub": f"https://login.salesforce.com/id/{self.store.organisation}/{user}",
            "user_id": user,
            "organization_id": self.store.organisation,
            "preferred_username": row["Username"],
            "name": row["Name"],
            "email": row.get("Email"),
            "user_type": row["UserType"].upper(),
            "zoneinfo": row.get("TimeZoneSidKey"),
            "active": row["IsActive"],
        }

    def _user_of(self, username: str) -> str | None:
        for row in self.store.rows("User"):
            if row["Username"].lower() == username.lower() and row["IsActive"]:
                return str(row["Id"])
        return None


def _running_on(start: datetime) -> Callable[[], datetime]:
    """A clock that shows `start` now and goes on from there."""
    begun = time.monotonic()
    return lambda: start + timedelta(seconds=time.monotonic() - begun)


def _version(number: int) -> dict[str, str]:
    """Three releases a year; the winter one is named after the year to come."""
    round_, season = divmod(number - 66, 3)
    label = f"{SEASONS[season]} '{26 + round_ + (season == 2):02d}"
    return {"label": label, "url": f"/services/data/v{number}.0", "version": f"{number}.0"}


def _checked_version(text: str) -> str:
    """`v66.0` → 66.0. Raises 410 for retired versions and 404 for others that there are not."""
    if text == "latest":
        return f"{VERSIONS[-1]}.0"
    match = re.fullmatch(r"v(\d+)\.0", text)
    number = int(match[1]) if match else 0
    if 7 <= number < VERSIONS[0]:
        raise Refusal(410, "GONE", f"The requested API version {number}.0 is retired")
    if number not in VERSIONS:
        raise not_found()
    return f"{number}.0"
