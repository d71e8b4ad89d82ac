"""The ways into Salesforce: client credentials, JWT, a refresh token that may rotate, or a token that was given.

How a person gives us a refresh token is in `consent`.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, assert_never

import httpx
import jwt
import msgspec

from connectors.consent import Secrets
from connectors.errors import CrmError, NotAllowed, Throttled, Unreachable
from connectors.salesforce.answers import complaints, failure
from connectors.salesforce.settings import SalesforceSettings, checked_address
from connectors.transport import Transport

KeepSecret = Callable[[str, str], None]

TOKEN_PATH = "/services/oauth2/token"  # noqa: S105 - a path, not a secret
ASSERTION_LIFE = 180
"""Seconds that a JWT is good for; Salesforce refuses long ones."""

ADVICE = {
    "invalid_client_id": "Check client_id: it is the consumer key of the External Client App.",
    "invalid_client": "Check client_id and the stored CLIENT_SECRET; after a change of the app wait ten minutes.",
    "invalid_app_access": "Assign the app to the user's profile or permission set (External Client App › Policies).",
    "invalid_grant": (
        "Check that the flow is switched on for the app, that it has a run-as user (client credentials) or that the "
        "user is pre-authorised (JWT), and that login_url is the company's My Domain."
    ),
    "inactive_user": "Activate the integration user, or choose another.",
}
"""What the error that refuses a sign-in asks its reader to do."""


class Grant(msgspec.Struct, frozen=True):
    """What the token endpoint gives. `id` ends in the ids of the organisation and of the user."""

    access_token: str
    instance_url: str
    id: str = ""
    scope: str = ""
    token_type: str = "Bearer"  # noqa: S105 - a kind, not a token
    refresh_token: str | None = None

    @property
    def user_id(self) -> str | None:
        """Who is signed in."""
        return self.id.rstrip("/").rsplit("/", 1)[-1] or None


class SignIn:
    """Signs in as the settings say. `user_id` is the signed-in user's id once known."""

    def __init__(self, settings: SalesforceSettings, secrets: Secrets, keep: KeepSecret | None) -> None:
        self._settings = settings
        self._secrets = secrets
        self._keep = keep
        self._login_url = checked_address(settings.login_url or settings.instance_url)
        self.user_id: str | None = None
        self._refresh_token: str | None = None
        """A successor that nobody keeps but we."""

    def __call__(self, transport: Transport) -> Mapping[str, str]:
        """The headers that authorise; moves the transport to the instance that Salesforce names."""
        settings = self._settings
        match settings.auth:
            case "access_token":
                token = self._secret("ACCESS_TOKEN")
                transport.base_url = checked_address(settings.instance_url or settings.login_url)
                return _bearer(token)
            case "client_credentials":
                form = {"grant_type": "client_credentials", **self._app()}
            case "jwt":
                form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": self._assertion()}
            case "refresh_token":
                return self._entered(transport, self._refreshed(transport))
            case _:
                assert_never(settings.auth)
        return self._entered(transport, ask_for_grant(transport, self._login_url, form, advice=ADVICE))

    def _entered(self, transport: Transport, grant: Grant) -> Mapping[str, str]:
        transport.base_url = checked_address(grant.instance_url)
        self.user_id = grant.user_id
        return _bearer(grant.access_token)

    def _app(self, *, optional: bool = False) -> dict[str, str]:
        secret = self._secrets("CLIENT_SECRET") if optional else self._secret("CLIENT_SECRET")
        return {"client_id": self._settings.client_id, **({"client_secret": secret} if secret else {})}

    def _assertion(self) -> str:
        claims: dict[str, Any] = {
            "iss": self._settings.client_id,
            "sub": self._settings.username,
            "aud": self._login_url,
            "exp": int(time.time()) + ASSERTION_LIFE,
        }
        try:
            return jwt.encode(claims, self._secret("PRIVATE_KEY"), algorithm="RS256")
        except (ValueError, TypeError, jwt.PyJWTError):
            # The library's text may quote the key.
            raise NotAllowed(
                "KPI-SF-015",
                "The stored PRIVATE_KEY is not an RSA private key.",
                "Store the key file's whole text, from BEGIN to END, that belongs to the app's certificate.",
            ) from None

    def _refreshed(self, transport: Transport) -> Grant:
        """A grant for the refresh token. Another process of ours may have had it replaced while we asked, so that a
        refusal is final only if nothing else has been stored since."""
        used = self._refresh_token or self._secret("REFRESH_TOKEN")
        try:
            return self._refresh_with(transport, used)
        except Refused as refused:
            if refused.error != "invalid_grant":
                raise
        stored = self._secret("REFRESH_TOKEN")
        try:
            if stored != used:
                return self._refresh_with(transport, stored)
        except Refused as refused:
            if refused.error != "invalid_grant":
                raise
        raise _revoked()

    def _refresh_with(self, transport: Transport, used: str) -> Grant:
        """The grant for this refresh token. If it is dead from now on, its successor is stored before anything else."""
        form = {"grant_type": "refresh_token", "refresh_token": used, **self._app(optional=True)}
        grant = ask_for_grant(transport, self._login_url, form, advice=ADVICE)
        if grant.refresh_token and grant.refresh_token != used:
            if self._keep:
                self._keep("REFRESH_TOKEN", grant.refresh_token)
            else:
                self._refresh_token = grant.refresh_token
        return grant

    def _secret(self, name: str) -> str:
        value = (self._secrets(name) or "").strip()
        if value:
            return value
        raise NotAllowed(
            "KPI-SF-016",
            f"The secret {name} of this Salesforce connection is not stored.",
            f"Run `kpisync {'connect' if name == 'REFRESH_TOKEN' else 'init'}`, or set KPISYNC_<CONNECTION>_{name} in "
            "the environment.",
        )


def _bearer(token: str) -> dict[str, str]:
    if token.isascii() and token.isprintable():
        return {"Authorization": f"Bearer {token}"}
    raise NotAllowed(
        "KPI-SF-017", "The access token contains characters that no token has.", "Store it again without line breaks."
    )


class Refused(NotAllowed):
    """The token endpoint says no. `error` is its own word for why."""

    def __init__(self, error: str, said: str, advice: str) -> None:
        super().__init__("KPI-SF-018", f"Salesforce refused the sign-in ({said}).", advice)
        self.error = error


def ask_for_grant(
    transport: Transport, login_url: str, form: Mapping[str, str], *, advice: Mapping[str, str], safe: bool = True
) -> Grant:
    """What the token endpoint gives for a form. `advice` says by error what to do; `safe` that asking twice does no
    harm."""
    response = transport.send("POST", login_url + TOKEN_PATH, signed=False, safe=safe, data=dict(form))
    if not response.is_success:
        raise _refusal(response, advice)
    try:
        grant = msgspec.json.decode(response.content, type=Grant)
    except msgspec.MsgspecError:
        raise NotAllowed(
            "KPI-SF-013",
            "Something other than Salesforce answers at login_url.",
            "Set login_url to the company's My Domain address, for example https://acme.my.salesforce.com.",
        ) from None
    if grant.token_type.lower() != "bearer":
        raise NotAllowed(
            "KPI-SF-014",
            f"The app hands out {grant.token_type} tokens, which are tied to one device.",
            "Switch off token binding (DPoP) for this External Client App.",
        )
    return grant


def _refusal(response: httpx.Response, advice: Mapping[str, str]) -> CrmError:
    """A refused sign-in. The description stays out: Salesforce puts user names into it."""
    found = complaints(response)
    code = found[0].code if found else ""
    general = failure(response, "the sign-in")
    if isinstance(general, Throttled | Unreachable):
        return general
    said = code or f"HTTP {response.status_code}"
    return Refused(code, said, advice.get(code) or ADVICE.get(code) or advice["invalid_grant"])


def _revoked() -> NotAllowed:
    return NotAllowed(
        "KPI-SF-019",
        "Salesforce no longer knows this connection: it was revoked, it expired, or the user was deactivated.",
        "Run `kpisync connect`; someone who may read what kpisync needs has to agree in the browser.",
    )
