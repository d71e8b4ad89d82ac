"""One Salesforce org over one transport: versioned addresses, queries, what is visible, what the day still allows."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TypeVar
from urllib.parse import quote

import httpx
import msgspec

from connectors.errors import NotAllowed
from connectors.salesforce.allowance import Allowance
from connectors.salesforce.answers import POLICY, QueryBroken, accepted, answered, garbled, gave_up
from connectors.salesforce.auth import SignIn
from connectors.salesforce.rows import Answer, Row, answer_in
from connectors.salesforce.settings import SalesforceSettings
from connectors.salesforce.vendor import BATCH, Field, Vendor, format_soql
from connectors.salesforce.visible import Notebook, Visible
from connectors.transport import Transport

R = TypeVar("R", bound=Row)

LONG_CALLS = 5
"""How many calls that may take longer than twenty seconds the smallest editions carry at a time."""


class Identity(msgspec.Struct, frozen=True):
    """Who is signed in."""

    user_id: str
    preferred_username: str = ""


class _LoginRow(Row, gc=False, kw_only=True):
    Username: str | None = None


class Org:
    """The org that this connection is signed in to. Thread-safe."""

    def __init__(
        self, settings: SalesforceSettings, sign_in: SignIn, sleep: Callable[[float], None], notebook: Notebook
    ) -> None:
        self.settings = settings
        self.sleep = sleep
        self._allowance = Allowance(settings.api_budget_share, settings.api_day_share)
        self._sign_in = sign_in
        self.transport = Transport(
            settings.login_url or settings.instance_url,
            POLICY,
            sign_in,
            code="KPI-SF-003",
            pace=self._within_budget,
            sleep=sleep,
            on_response=self._note_answer,
        )
        self.long_calls = threading.BoundedSemaphore(LONG_CALLS)
        self.vendor = Vendor(self.transport, settings.api_version)
        self._latest: datetime | None = None
        self.visible = Visible(
            self.vendor,
            notebook,
            whose=self._whose,
            server_time=lambda: self._latest,
            ask=lambda since: self.transport.send("GET", f"{self.root}/sobjects", headers={"If-Modified-Since": since}),
        )

    @property
    def root(self) -> str:
        """Where the versioned API begins."""
        return f"/services/data/v{self.settings.api_version}"

    def call(self, method: str, path: str, what: str, **content: object) -> httpx.Response:
        """An accepted answer; `path` hangs under the versioned root, `what` says in an error what was tried."""
        return accepted(self.transport.send(method, self.root + path, **content), what)  # type: ignore[arg-type]

    def query(self, soql: str, shape: type[R], stream: str, *, all_rows: bool) -> tuple[Answer[R], datetime]:
        """The first page of a query, and the server's time when it was asked. `all_rows`: with deleted and archived."""
        path = self.root + ("/queryAll" if all_rows else "/query")
        with self.long_calls:
            response = answered(self.transport.send("GET", path, params={"q": soql}), f"the query of {stream}")
        return self._decoded(response, shape, stream), asked_at(response)

    def more(self, address: str, shape: type[R], stream: str) -> Answer[R]:
        """The next page, at exactly the address that the last one gave."""
        with self.long_calls:
            response = answered(self.transport.send("GET", address), f"a further page of {stream}")
        return self._decoded(response, shape, stream)

    def _decoded(self, response: httpx.Response, shape: type[R], stream: str) -> Answer[R]:
        try:
            return answer_in(response.content, shape, stream)
        except msgspec.MsgspecError:
            raise garbled(f"the query of {stream}") from None

    def rows(self, soql: str, shape: type[R], *, all_rows: bool = False) -> Iterator[R]:
        """Every row of a query that is small enough to be asked for whole."""
        name = shape.__name__
        try:
            answer, _ = self.query(soql, shape, name, all_rows=all_rows)
            yield from answer.rows
            while answer.more:
                answer = self.more(answer.more, shape, name)
                yield from answer.rows
        except QueryBroken as broken:
            raise gave_up(broken, f"the query of {name}") from None

    def rows_of(self, queries: Sequence[str], shape: type[R], *, all_rows: bool = False) -> Iterator[R]:
        """Every row of several queries, which share calls; one that fails there is asked by itself, and says why."""
        resource = "queryAll" if all_rows else "query"
        for start in range(0, len(queries), BATCH):
            some = queries[start : start + BATCH]
            if len(some) == 1:
                yield from self.rows(some[0], shape, all_rows=all_rows)
                return
            asked = [f"v{self.settings.api_version}/{resource}?q={quote(soql, safe='')}" for soql in some]
            with self.long_calls:
                told = self.vendor.batch(asked, f"the queries of {shape.__name__}")
            for soql, one in zip(some, told, strict=True):
                answer = None if one is None else _answer_or_none(one, shape)
                if answer is None or answer.more:
                    yield from self.rows(soql, shape, all_rows=all_rows)
                else:
                    yield from answer.rows

    def fields(self, name: str) -> dict[str, Field]:
        """The visible fields of an object by name; none where the object is not visible."""
        return self.visible.fields(name)

    def _whose(self) -> tuple[str, ...] | None:
        """Whose eyes this connection sees with; None where the sign-in does not tell."""
        self.transport.authorisation()
        user = self._sign_in.user_id
        return (self.transport.base_url, self.settings.api_version, user) if user else None

    @property
    def user_id(self) -> str | None:
        """Who is signed in, where the sign-in told."""
        return self._sign_in.user_id

    def identity(self) -> Identity:
        """Who is signed in. The sign-in itself may have said; asking takes a scope that not every app has."""
        self.transport.authorisation()
        if self._sign_in.user_id and "Username" in self.fields("User"):
            query = format_soql("SELECT Id, Username FROM User WHERE Id = {id}", id=self._sign_in.user_id)
            for user in self.rows(query, _LoginRow):
                return Identity(user.Id, user.Username or "")
        response = accepted(self.transport.send("GET", "/services/oauth2/userinfo"), "the question who is signed in")
        try:
            return msgspec.json.decode(response.content, type=Identity)
        except msgspec.MsgspecError:
            raise garbled("the question who is signed in") from None

    def limits(self) -> tuple[int, int] | None:
        """The day's calls: allowed and left. None where no answer says so and the user may not look (View Setup)."""
        told = self._allowance.left()
        if told is not None:
            return told  # every answer counts up to this very moment; the list of limits lags some minutes behind
        try:
            day = self.vendor.limits()["DailyApiRequests"]
            return int(day["Max"]), int(day["Remaining"])
        except (NotAllowed, KeyError, TypeError, ValueError):
            return None

    def _note_answer(self, response: httpx.Response) -> None:
        self._latest = asked_at(response)
        self._allowance.note(response)

    def _within_budget(self, _: httpx.Request) -> None:
        self._allowance.check(self.transport.counters.requests)


def _answer_or_none(body: msgspec.Raw, shape: type[R]) -> Answer[R] | None:
    try:
        return answer_in(bytes(body), shape, shape.__name__)
    except msgspec.MsgspecError:
        return None


def asked_at(response: httpx.Response) -> datetime:
    """The server's own time when it was asked: its Date header, less the time that the answer took."""
    try:
        answered = parsedate_to_datetime(response.headers["date"])
    except (KeyError, ValueError):
        answered = datetime.fromtimestamp(time.time(), UTC)
    return answered - timedelta(seconds=response.elapsed.total_seconds())
