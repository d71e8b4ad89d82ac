"""How we sign in to HubSpot: a static token, or OAuth with a refresh token that may change at every use.

How a person gives us the first refresh token is in `consent`.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import urlencode

import httpx
import msgspec

from connectors.consent import Secrets
from connectors.errors import CrmError, NotAllowed, Unreachable
from connectors.hubspot.answers import Problem, problem_of
from connectors.hubspot.paths import INTROSPECT, OAUTH, TOKEN_INFO
from connectors.hubspot.settings import LOGIN_URL, OPTIONAL_SCOPES, SCOPES, HubSpotSettings
from connectors.transport import Transport

Store = Callable[[str, str], None]

USED_SHARE = 0.75
"""A token is renewed after this share of its life, so that none expires on the way."""

RECONNECT = frozenset({"invalid_grant", "BAD_REFRESH_TOKEN", "BAD_HUB", "access_denied"})


class Granted(msgspec.Struct, frozen=True):
    """What the token endpoint grants."""

    access_token: str
    expires_in: int = 1800
    refresh_token: str | None = None
    scopes: list[str] = []
    hub_id: int | str | None = None


class Told(msgspec.Struct, frozen=True):
    """What HubSpot tells about a token; the portal's id is written in two ways."""

    scopes: list[str] = []
    hub_id: int | str | None = None
    hubId: int | str | None = None
    user: str = ""

    @property
    def portal(self) -> str | None:
        found = self.hub_id or self.hubId
        return str(found) if found else None


NOTHING = Told()


class Forgotten(NotAllowed):
    """HubSpot no longer knows the refresh token."""

    def __init__(self) -> None:
        super().__init__(
            "KPI-HS-013",
            "HubSpot no longer knows this connection; the app was removed or its access revoked.",
            "Install the app again with kpisync connect.",
        )


class Refusal(msgspec.Struct, frozen=True):
    """What it says instead."""

    error: str = ""
    status: str = ""
    message: str = ""


class StaticToken:
    """A service key or the token of a private app. Asked for anew after a 401, for it may have been rotated."""

    def __init__(self, settings: HubSpotSettings, secrets: Secrets) -> None:
        self._environment = settings.environment
        self._secrets = secrets
        self.portal: str | None = None
        """Whose token it is, once `scopes` was asked and where HubSpot tells."""

    def __call__(self, transport: Transport) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self._token()}"}

    def scopes(self, transport: Transport) -> frozenset[str] | None:
        """The token's scopes; None where HubSpot does not tell (service keys have no documented way)."""
        told = _told(transport.send("POST", TOKEN_INFO, safe=True, json={"tokenKey": self._token()}))
        self.portal = told.portal
        return frozenset(told.scopes) or None

    def _token(self) -> str:
        token = self._secrets("TOKEN")
        if not token:
            raise NotAllowed(
                "KPI-HS-011",
                "There is no HubSpot token.",
                f"Store the service key with kpisync init, or set {self._environment}TOKEN.",
            )
        return token.strip()


class FreshToken(Mapping[str, str]):
    """The headers of an OAuth connection. Reading them renews the token when most of its life is over; of many
    threads one asks HubSpot and the others wait for its answer."""

    def __init__(self, renew: Callable[[], Granted], clock: Callable[[], float]) -> None:
        self._renew = renew
        self._clock = clock
        self._lock = threading.Lock()
        self._token = ""
        self._until = float("-inf")
        self["Authorization"]  # the first token, so that a refusal shows at sign-in

    def __getitem__(self, name: str) -> str:
        if name != "Authorization":
            raise KeyError(name)
        with self._lock:
            if self._clock() >= self._until:
                asked = self._clock()
                granted = self._renew()
                self._token = granted.access_token
                self._until = asked + granted.expires_in * USED_SHARE
            return f"Bearer {self._token}"

    def __iter__(self) -> Iterator[str]:
        return iter(("Authorization",))

    def __len__(self) -> int:
        return 1


class OAuth:
    """Signs in with the refresh token, and hands a new one to `store` before the access token is used: a token that
    rotated and was lost with a crash would lock the company out."""

    def __init__(
        self,
        settings: HubSpotSettings,
        secrets: Secrets,
        store: Store | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._environment = settings.environment
        self._client_id = settings.client_id
        self._secrets = secrets
        self._store = store
        self._clock = clock
        self._rotated: str | None = None
        """A successor that nobody keeps but we."""
        self._scopes: frozenset[str] | None = None
        self.portal: str | None = None
        """Whose token it is, once `scopes` was asked and where HubSpot tells."""

    def scopes(self, transport: Transport) -> frozenset[str] | None:
        """What the company granted: told with every token, else asked for."""
        bearer = transport.authorisation()["Authorization"]
        if self._scopes is None:
            told = self.told(transport, bearer.removeprefix("Bearer "))
            self._scopes, self.portal = frozenset(told.scopes) or None, told.portal
        return self._scopes

    def told(self, transport: Transport, access_token: str) -> Told:
        """What HubSpot tells of a token: whose it is and what it may do."""
        form = {
            "client_id": self._client_id,
            "client_secret": self.needed("CLIENT_SECRET"),
            "token": access_token,
            "token_type_hint": "access_token",
        }
        return _told(transport.send("POST", INTROSPECT, signed=False, safe=True, data=form))

    def __call__(self, transport: Transport) -> Mapping[str, str]:
        return FreshToken(lambda: self._refresh(transport), self._clock)

    def _refresh(self, transport: Transport) -> Granted:
        """A new token. Another process of ours may have had the refresh token replaced while we asked, so that a
        refusal is final only if nothing else has been stored since."""
        used = self._rotated or self.needed("REFRESH_TOKEN")
        try:
            return self._refresh_with(transport, used)
        except Forgotten:
            stored = self.needed("REFRESH_TOKEN")
            if stored == used:
                raise
        return self._refresh_with(transport, stored)

    def _refresh_with(self, transport: Transport, used: str) -> Granted:
        form = {
            "grant_type": "refresh_token",
            "client_id": self._client_id,
            "client_secret": self.needed("CLIENT_SECRET"),
            "refresh_token": used,
        }
        granted = ask_for_token(transport, form)
        self._scopes = frozenset(granted.scopes) or None
        self.portal = str(granted.hub_id) if granted.hub_id else None
        if granted.refresh_token and granted.refresh_token != used:
            if self._store:
                self._store("REFRESH_TOKEN", granted.refresh_token)
            else:
                self._rotated = granted.refresh_token
        return granted

    def needed(self, name: str) -> str:
        """A secret that must be there."""
        secret = self._secrets(name)
        if not secret:
            raise NotAllowed(
                "KPI-HS-011",
                f"There is no {name.replace('_', ' ').lower()} for HubSpot.",
                f"Run kpisync {'connect' if name == 'REFRESH_TOKEN' else 'init'}, or set {self._environment}{name}.",
            )
        return secret


def ask_for_token(transport: Transport, form: Mapping[str, str]) -> Granted:
    """What HubSpot's token endpoint grants for this form. Not repeated on a lost answer: the token may have rotated."""
    response = transport.send("POST", OAUTH, signed=False, data=dict(form))
    if response.status_code == 200:
        try:
            return msgspec.json.decode(response.content, type=Granted)
        except msgspec.DecodeError as error:
            raise Unreachable(
                "KPI-HS-032", "HubSpot's answer to the sign-in cannot be read.", "The next run tries again."
            ) from error
    refusal = _refusal(response.content)
    if form["grant_type"] == "authorization_code" and refusal.error == "invalid_grant":
        raise NotAllowed(
            "KPI-HS-015",
            f"HubSpot does not take the code that came with the browser ({refusal.status or refusal.error}).",
            "Run kpisync connect again; a code is good once and for a few minutes. If it stays, compare the app's "
            "redirect URL with the one that kpisync connect names.",
        )
    raise _sign_in_error(response.status_code, refusal, problem_of(response))


def _told(response: httpx.Response) -> Told:
    if response.status_code != 200:
        return NOTHING
    try:
        return msgspec.json.decode(response.content, type=Told)
    except msgspec.DecodeError:
        return NOTHING


def _refusal(body: bytes) -> Refusal:
    try:
        return msgspec.json.decode(body, type=Refusal)
    except msgspec.DecodeError:
        return Refusal()


def _sign_in_error(status: int, refusal: Refusal, problem: Problem) -> CrmError:
    if {refusal.error, refusal.status} & RECONNECT:
        return Forgotten()
    if status == 429 or status >= 500:
        return Unreachable(
            "KPI-HS-032", f"HubSpot cannot sign us in at the moment (HTTP {status}).", "The next run tries again."
        )
    why = refusal.status or refusal.error or problem.category or f"HTTP {status}"
    return NotAllowed(
        "KPI-HS-014",
        f"HubSpot rejects the sign-in of the app ({why}).",
        "Compare client_id in kpisync.toml and the stored client secret with the app's page in HubSpot.",
    )


def forgotten(response: httpx.Response) -> bool:
    """Whether HubSpot says that it does not know this connection, or not any more."""
    refusal = _refusal(response.content)
    return bool({refusal.error, refusal.status} & RECONNECT)


def authorize_url(client_id: str, redirect_uri: str, state: str, challenge: str, *, login_url: str = LOGIN_URL) -> str:
    """Where an admin grants access; HubSpot sends the browser back to `redirect_uri` with a code."""
    from hubspot.utils.oauth import get_auth_url  # 0.25 s, and only connecting needs it

    page = httpx.URL(get_auth_url(client_id, redirect_uri, SCOPES, OPTIONAL_SCOPES, state))
    host = httpx.URL(login_url)
    proof = urlencode({"code_challenge": challenge, "code_challenge_method": "S256"})
    return f"{host.scheme}://{host.netloc.decode()}{page.raw_path.decode()}&{proof}"


def exchange_code(
    transport: Transport, client_id: str, client_secret: str, redirect_uri: str, code: str, verifier: str
) -> Granted:
    """The first tokens for the code that came back with the browser."""
    form = {
        "grant_type": "authorization_code",
        "client_id": client_id,
        "client_secret": client_secret,
        "redirect_uri": redirect_uri,
        "code": code,
        "code_verifier": verifier,
    }
    return ask_for_token(transport, form)
