"""Who may do what: static tokens with their scopes, and the OAuth endpoints.

The page on which a person agrees is in `consent`.
"""

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from crm_sandbox.hubspot import errors
from crm_sandbox.hubspot.errors import Refusal, answer
from crm_sandbox.hubspot.store import Store
from crm_sandbox.serving import Request, Response

SANDBOX_TOKEN = "pat-sandbox"  # noqa: S105 - the public token of a sandbox that holds nothing of value
SANDBOX_CLIENT = ("sandbox-client", "sandbox-secret")
SANDBOX_REFRESH_TOKEN = "na1-sandbox-refresh"  # noqa: S105
CALLBACK = "http://localhost:8766/connected"
"""Where the app sends a browser back to, unless it is given other places."""
ACCESS_SECONDS = 1800
ACCESS_LENGTH = 600
"""Access tokens may be longer than 512 characters, so these are."""

ALL_SCOPES = frozenset(
    {
        "oauth",
        "crm.objects.owners.read",
        "settings.users.read",
        "settings.users.teams.read",
        "crm.schemas.contacts.read",
        "crm.schemas.contacts.write",
        "crm.schemas.companies.read",
        "crm.schemas.companies.write",
        "crm.schemas.deals.read",
        "crm.schemas.deals.write",
        "crm.schemas.custom.read",
        "crm.schemas.custom.write",
        "crm.dealsplits.read_write",
        "sales-email-read",
        "marketing.campaigns.read",
        "marketing.campaigns.write",
        "marketing.campaigns.revenue.read",
        "content",
        "forms",
        "settings.currencies.read",
        *(
            f"crm.objects.{name}.{right}"
            for name in ("contacts", "companies", "deals", "leads", "goals", "users", "custom")
            for right in ("read", "write")
        ),
    }
)


@dataclass
class Credential:
    """A token that was issued. `expires` in milliseconds, None for static ones."""

    token: str
    scopes: frozenset[str]
    kind: str = "static"
    expires: int | None = None
    refreshed_by: str | None = None


@dataclass(frozen=True)
class Code:
    """An authorisation code: for which callback and challenge, with which scopes, until when in milliseconds."""

    callback: str
    challenge: str | None
    scopes: frozenset[str]
    ends: int


class Gate:
    """Every credential of the portal. After `expire_after` more requests every OAuth access token ends. `callbacks` are
    the addresses to which a browser may be sent back, to the letter; https ones, and those of this machine."""

    def __init__(self, store: Store, scopes: Iterable[str] | None) -> None:
        self._store = store
        granted = ALL_SCOPES if scopes is None else frozenset(scopes)
        self.credentials = {SANDBOX_TOKEN: Credential(SANDBOX_TOKEN, granted)}
        self.refresh_tokens = {SANDBOX_REFRESH_TOKEN: granted}
        self.callbacks: tuple[str, ...] = (CALLBACK,)
        self.expire_after: int | None = None
        self._codes: dict[str, Code] = {}
        self._issued = 0

    def grant(self, token: str, scopes: Iterable[str] | None = None) -> None:
        """Make a static token valid, with these scopes (None: all)."""
        self.credentials[token] = Credential(token, ALL_SCOPES if scopes is None else frozenset(scopes))

    def expire(self, token: str | None = None) -> None:
        """End a token now (None: every OAuth access token). A static one is simply gone."""
        now = self._store.now()
        for known in list(self.credentials.values()):
            if known.token == token and known.kind == "static":
                del self.credentials[known.token]
            elif known.kind == "oauth" and token in {None, known.token}:
                known.expires = now

    def admit(self, request: Request) -> Credential:
        """The credential that a request carries."""
        if self.expire_after is not None:
            self.expire_after -= 1
            if self.expire_after < 0:
                self.expire_after = None
                self.expire()
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        credential = self.credentials.get(token.strip()) if scheme.lower() == "bearer" else None
        if credential is None:
            raise errors.not_authenticated()
        now = self._store.now()
        if credential.expires is not None and credential.expires <= now:
            raise errors.expired((now - credential.expires) // 1000)
        return credential

    def new_code(self, callback: str, challenge: str | None, scopes: frozenset[str]) -> str:
        """An authorisation code, good for one exchange."""
        self._issued += 1
        code = "na1-" + hashlib.sha256(f"sandbox code {self._issued}".encode()).hexdigest()[:32]
        ends = self._store.now() + self._store.rules.code_seconds * 1000
        self._codes[code] = Code(callback, challenge, scopes, ends)
        return code

    def token_endpoint(self, request: Request, path: str) -> Response:
        """POST to /oauth/…/token and what hangs below it. Only forms are understood."""
        if path.endswith("/get/access-token-info"):
            return self._static_info(request)
        if "application/x-www-form-urlencoded" not in request.headers.get("Content-Type", ""):
            raise Refusal(415, "Unsupported Media Type: send application/x-www-form-urlencoded.")
        form = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        if form.get("client_id") != SANDBOX_CLIENT[0]:
            return _oauth_error("invalid_client", "BAD_CLIENT_ID", "missing or unknown client id")
        if form.get("client_secret") != SANDBOX_CLIENT[1]:
            return _oauth_error("invalid_client", "BAD_CLIENT_SECRET", "missing or invalid client secret")
        match path.rsplit("/", 1)[-1]:
            case "introspect":
                return self._introspect(form.get("token", ""))
            case "revoke":
                self.refresh_tokens.pop(form.get("token", ""), None)
                return answer(200, {})
            case _:
                return self._issue(form)

    def _issue(self, form: dict[str, str]) -> Response:
        match form.get("grant_type"):
            case "refresh_token":
                return self._refreshed(form.get("refresh_token", ""))
            case "authorization_code":
                return self._exchanged(form)
            case _:
                return _oauth_error("unsupported_grant_type", "BAD_GRANT_TYPE", "missing or unknown grant type")

    def _refreshed(self, refresh: str) -> Response:
        scopes = self.refresh_tokens.get(refresh)
        if scopes is None:
            return _oauth_error("invalid_grant", "BAD_REFRESH_TOKEN", "refresh token is invalid, expired or revoked")
        if self._store.rules.rotate_refresh_tokens:
            del self.refresh_tokens[refresh]
            refresh = self._new_refresh_token(scopes)
        return self._granted(refresh, scopes)

    def _exchanged(self, form: dict[str, str]) -> Response:
        code = self._codes.pop(form.get("code", ""), None)
        if code is None:
            return _oauth_error("invalid_grant", "BAD_AUTH_CODE", "missing or unknown auth code")
        if code.ends <= self._store.now():
            return _oauth_error("invalid_grant", "EXPIRED_AUTH_CODE", "auth code is expired")
        if code.callback != form.get("redirect_uri"):
            return _oauth_error("invalid_grant", "BAD_REDIRECT_URI", "missing or unknown redirect URI")
        if code.challenge and code.challenge != challenge_of(form.get("code_verifier", "")):
            return _oauth_error("invalid_grant", "BAD_CODE_VERIFIER", "missing or invalid code verifier")
        return self._granted(self._new_refresh_token(code.scopes), code.scopes)

    def _new_refresh_token(self, scopes: frozenset[str]) -> str:
        self._issued += 1
        refresh = f"{SANDBOX_REFRESH_TOKEN}-{self._issued}"
        self.refresh_tokens[refresh] = scopes
        return refresh

    def _granted(self, refresh: str, scopes: frozenset[str]) -> Response:
        self._issued += 1
        token = _long_token(self._issued)
        expires = self._store.now() + ACCESS_SECONDS * 1000
        self.credentials[token] = Credential(token, scopes, "oauth", expires, refresh)
        body = {
            "token_type": "bearer",
            "token_use": "access_token",
            "access_token": token,
            "refresh_token": refresh,
            "expires_in": ACCESS_SECONDS,
            "hub_id": self._store.portal_id,
            "user_id": 9_586_000,
            "scopes": sorted(scopes),
        }
        if not self._store.rules.tokens_tell_scopes:
            del body["scopes"]
        return answer(200, body)

    def _introspect(self, token: str) -> Response:
        known = self.credentials.get(token)
        now = self._store.now()
        if known is None or known.expires is None or known.expires <= now:
            return answer(200, {"active": token in self.refresh_tokens, **self._refresh_info(token)})
        body = {
            "active": True,
            "hub_id": self._store.portal_id,
            "user_id": 9_586_000,
            "app_id": 1,
            "client_id": SANDBOX_CLIENT[0],
            "user": "admin@sandbox.invalid",
            "hub_domain": "sandbox.invalid",
            "scopes": sorted(known.scopes),
            "expires_in": (known.expires - now) // 1000,
            "token_use": "access_token",
            "token_type": "Bearer",
        }
        return answer(200, body)

    def _refresh_info(self, token: str) -> dict[str, Any]:
        if token not in self.refresh_tokens:
            return {}
        return {"hub_id": self._store.portal_id, "token_use": "refresh_token", "client_id": SANDBOX_CLIENT[0]}

    def _static_info(self, request: Request) -> Response:
        known = self.credentials.get(str(request.json().get("tokenKey")))
        if known is None or known.kind != "static":
            raise errors.not_found()
        body = {"userId": 9_586_000, "hubId": self._store.portal_id, "appId": 1, "scopes": sorted(known.scopes)}
        return answer(200, body)


def demand(credential: Credential, *scopes: str) -> None:
    """All of these scopes are needed."""
    if not credential.scopes.issuperset(scopes):
        raise errors.missing_scopes(scopes)


def demand_any(credential: Credential, *scopes: str) -> None:
    """One of these scopes is needed."""
    if credential.scopes.isdisjoint(scopes):
        raise errors.missing_scopes(scopes)


def challenge_of(verifier: str) -> str:
    """PKCE's S256 of a verifier."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def _oauth_error(error: str, status: str, message: str) -> Response:
    body = {"error": error, "error_description": message, "status": status, "message": message}
    return answer(400, body)


def _long_token(number: int) -> str:
    digest = hashlib.sha256(f"sandbox access {number}".encode()).hexdigest()
    return ("C" + digest * (ACCESS_LENGTH // len(digest) + 1))[:ACCESS_LENGTH]
