"""Sign-in: the token endpoint with its four grants, introspection, revocation, and tokens that end.

The page on which a person agrees, and gets the code for the fourth grant, is in `consent`.
"""

import base64
import hashlib
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

import jwt

from crm_sandbox.salesforce.errors import OAuthRefusal, session_gone
from crm_sandbox.serving import Request, Response

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LOGIN_HOSTS = ("https://login.salesforce.com", "https://test.salesforce.com")
MY_DOMAIN = re.compile(r"https://[a-z0-9-]+(\.[a-z0-9-]+)*\.my\.salesforce\.com")
SESSION_SECONDS = 7200.0
CODE_SECONDS = 900.0
CALLBACK = "http://localhost:8766/connected"
"""Where the default app sends a browser back to, unless it is given other places."""
APP_SCOPES = frozenset({"api", "id", "refresh_token"})


@dataclass(frozen=True)
class App:
    """An external client app.

    run_as      the user of the client-credentials flow, None: the flow is off
    public_key  PEM of the certificate against which JWTs are verified
    approved    usernames that may be named by a JWT, None: every active one
    rotates     whether a refresh hands out a new refresh token and ends the old one
    callbacks   the addresses to which a browser may be sent back, to the letter
    scopes      what the app may ask for at the most
    public      whether codes and refresh tokens are exchanged without the app's secret
    pkce        whether a code needs a challenge
    installed   whether an administrator installed the app, without which nobody may agree to it
    """

    client_id: str
    client_secret: str
    run_as: str | None = None
    public_key: str | None = None
    approved: frozenset[str] | None = None
    rotates: bool = False
    token_type: str = "Bearer"  # noqa: S105 - the word for the kind of token
    callbacks: tuple[str, ...] = (CALLBACK,)
    scopes: frozenset[str] = APP_SCOPES
    public: bool = False
    pkce: bool = True
    installed: bool = True


@dataclass(frozen=True)
class Token:
    """An access token: whose it is, until when (monotonic seconds; use prolongs it), and the refresh token that it
    ends with."""

    user: str
    ends: float
    issued: float
    refresh: str = ""


@dataclass(frozen=True)
class Code:
    """An authorisation code: for which app, whose, for which callback and challenge, with which scopes, until when."""

    client_id: str
    user: str
    callback: str
    challenge: str | None
    scopes: frozenset[str]
    ends: float


@dataclass(frozen=True)
class Grant:
    """What a grant gives: for which app, to whom, and a refresh token (`fresh`: one that the client is told)."""

    app: App
    user: str
    scope: str = "api"
    refresh: str = ""
    fresh: bool = False


@dataclass
class Auth:
    """Apps and tokens of one organisation. `user_of` finds an active user's id by username.

    denies         whether whoever sees the page of consent presses Deny
    instance_url   where the organisation says that it lives; None: where it was asked
    """

    organisation: str
    apps: dict[str, App]
    user_of: Callable[[str], str | None]
    username_of: Callable[[str], str]
    session_seconds: float = SESSION_SECONDS
    tokens: dict[str, Token] = field(default_factory=dict)
    refresh_tokens: dict[str, tuple[str, str]] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    code_seconds: float = CODE_SECONDS
    denies: bool = False
    instance_url: str | None = None
    issued: int = 0
    expire_after: int | None = None

    def user(self, request: Request) -> str:
        """The user behind the request's bearer token. Raises INVALID_SESSION_ID."""
        self._count_down()
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        token = self.tokens.get(secret.strip()) if scheme.lower() in {"bearer", "oauth"} else None
        if token is None or token.ends < time.monotonic():
            raise session_gone()
        self.tokens[secret.strip()] = replace(token, ends=max(token.ends, time.monotonic() + self.session_seconds))
        return token.user

    def _count_down(self) -> None:
        """Tokens may be set to end after so many more requests, in the middle of whatever a client is doing."""
        if self.expire_after is None:
            return
        if self.expire_after == 0:
            self.expire_all()
        self.expire_after = self.expire_after - 1 if self.expire_after > 0 else None

    def accept(self, secret: str, user: str, refresh: str = "") -> None:
        """Let a token in that was made elsewhere."""
        self.tokens[secret] = Token(user, time.monotonic() + self.session_seconds, time.time(), refresh)

    def expire_all(self) -> None:
        """Every access token ends now; refresh tokens live on."""
        self.tokens.clear()

    def revoke(self, secret: str) -> bool:
        """End an access token, or a refresh token and with it every access token that came of it."""
        known = bool(self.tokens.pop(secret, None)) or bool(self.refresh_tokens.pop(secret, None))
        self.tokens = {token: known for token, known in self.tokens.items() if known.refresh != secret}
        return known

    def new_refresh_token(self, client_id: str, user: str) -> str:
        secret = self._secret("5Aep861")
        self.refresh_tokens[secret] = (client_id, user)
        return secret

    def new_code(
        self,
        client_id: str,
        user: str,
        challenge: str | None,
        callback: str = CALLBACK,
        scopes: frozenset[str] = APP_SCOPES,
    ) -> str:
        """An authorisation code, good for one exchange."""
        code = self._secret("aPrx")
        self.codes[code] = Code(client_id, user, callback, challenge, scopes, time.monotonic() + self.code_seconds)
        return code

    def answer(self, request: Request) -> Response:
        """The resources under /services/oauth2/ that need no token of their own."""
        form = dict(parse_qsl(request.body.decode(), keep_blank_values=True)) or dict(request.query)
        what = request.path.rstrip("/").rpartition("/")[2]
        try:
            match what:
                case "token":
                    return self._signed_in(self._grant(form, request), request)
                case "introspect":
                    return Response.of_json(200, self._introspect(form, request))
                case "revoke":
                    return self._revoked(form)
                case _:
                    return Response.of_json(404, {"error": "unsupported", "error_description": "no such endpoint"})
        except OAuthRefusal as refusal:
            return Response.of_json(refusal.status, refusal.as_body())

    def _grant(self, form: Mapping[str, str], request: Request) -> Grant:
        if request.method != "POST":
            raise OAuthRefusal("invalid_request", "HTTP method not supported: use POST")
        match form.get("grant_type"):
            case "client_credentials":
                return self._client_credentials(form, request)
            case "refresh_token":
                return self._refresh(form, request)
            case "authorization_code":
                return self._code(form, request)
            case grant if grant == JWT_BEARER:
                return self._jwt(form, request)
            case _:
                raise OAuthRefusal("unsupported_grant_type", "grant type not supported")

    def _client_credentials(self, form: Mapping[str, str], request: Request) -> Grant:
        if request.headers.get("Host", "").startswith(("login.", "test.")):
            raise OAuthRefusal("invalid_grant", "request not supported on this domain")
        app = self._known_app(form, request)
        if app.run_as is None:
            raise OAuthRefusal("invalid_grant", "no client credentials user enabled")
        return Grant(app, app.run_as)

    def _refresh(self, form: Mapping[str, str], request: Request) -> Grant:
        app = self._known_app(form, request, code_or_refresh=True)
        secret = form.get("refresh_token", "")
        client_id, user = self.refresh_tokens.get(secret, ("", ""))
        if client_id != app.client_id:
            raise OAuthRefusal("invalid_grant", "expired access/refresh token")
        if not app.rotates:
            return Grant(app, user, "api refresh_token", secret)
        del self.refresh_tokens[secret]
        fresh = self.new_refresh_token(client_id, user)
        for token, known in self.tokens.items():
            if known.refresh == secret:
                self.tokens[token] = replace(known, refresh=fresh)
        return Grant(app, user, "api refresh_token", fresh, fresh=True)

    def _code(self, form: Mapping[str, str], request: Request) -> Grant:
        app = self._known_app(form, request, code_or_refresh=True)
        code = self.codes.pop(form.get("code", ""), None)
        if code is None or code.client_id != app.client_id:
            raise OAuthRefusal("invalid_grant", "invalid authorization code")
        if code.ends < time.monotonic():
            raise OAuthRefusal("invalid_grant", "expired authorization code")
        if code.callback != form.get("redirect_uri"):
            raise OAuthRefusal("redirect_uri_mismatch", "redirect_uri must match configuration")
        if code.challenge and code.challenge != challenge_of(form.get("code_verifier", "")):
            raise OAuthRefusal("invalid_grant", "invalid code verifier")
        scope = " ".join(sorted(code.scopes))
        if "refresh_token" not in code.scopes:
            return Grant(app, code.user, scope)
        return Grant(app, code.user, scope, self.new_refresh_token(app.client_id, code.user), fresh=True)

    def _jwt(self, form: Mapping[str, str], request: Request) -> Grant:
        assertion = form.get("assertion", "")
        try:
            claimed = jwt.decode(assertion, options={"verify_signature": False})
            app = self.apps.get(str(claimed.get("iss")))
            if app is None or app.public_key is None:
                raise OAuthRefusal("invalid_client_id", "client identifier invalid")
            claims = self._verified(assertion, app, request)
        except jwt.ExpiredSignatureError as expired:
            raise OAuthRefusal("invalid_grant", "expired authorization code") from expired
        except jwt.InvalidTokenError as wrong:
            raise OAuthRefusal("invalid_grant", "invalid assertion") from wrong
        user = self.user_of(str(claims["sub"]))
        approved = app.approved is None or claims["sub"] in app.approved
        if user is None or not approved:
            raise OAuthRefusal("invalid_grant", "user hasn't approved this consumer")
        return Grant(app, user)

    def _verified(self, assertion: str, app: App, request: Request) -> dict[str, Any]:
        """The claims of a JWT signed by the app, made for this sign-in host, for one of its users."""
        assert app.public_key is not None
        claims: dict[str, Any] = jwt.decode(
            assertion,
            app.public_key,
            algorithms=["RS256"],
            issuer=app.client_id,
            options={"require": ["iss", "sub", "aud", "exp"], "verify_aud": False},
        )
        audience = str(claims["aud"]).rstrip("/").removesuffix("/services/oauth2/token")
        own = request.headers.get("Host", "")
        if audience not in {*LOGIN_HOSTS, f"http://{own}", f"https://{own}"} and not MY_DOMAIN.fullmatch(audience):
            raise jwt.InvalidAudienceError
        return claims

    def _known_app(self, form: Mapping[str, str], request: Request, *, code_or_refresh: bool = False) -> App:
        """The app of the credentials in the body or in the Basic header; a public one may leave its secret out of
        those grants that prove themselves."""
        client_id, secret = _basic(request) or (form.get("client_id", ""), form.get("client_secret", ""))
        app = self.apps.get(client_id)
        if app is None:
            raise OAuthRefusal("invalid_client_id", "client identifier invalid")
        if secret != app.client_secret and (secret or not (app.public and code_or_refresh)):
            raise OAuthRefusal("invalid_client", "invalid client credentials")
        return app

    def _signed_in(self, grant: Grant, request: Request) -> Response:
        secret = f"{self.organisation[:15]}!{self._secret('AR8AQ')}"
        self.accept(secret, grant.user, grant.refresh)
        host = request.headers.get("Host", "localhost")
        scheme = request.headers.get("X-Forwarded-Proto", "http")
        issued = str(int(time.time() * 1000))
        signature = base64.b64encode(hashlib.sha256(f"{secret}{issued}".encode()).digest()).decode()
        body = {
            "access_token": secret,
            "signature": signature,
            "scope": grant.scope,
            "token_format": "opaque",
            "instance_url": self.instance_url or f"{scheme}://{host}",
            "id": f"https://login.salesforce.com/id/{self.organisation}/{grant.user}",
            "token_type": grant.app.token_type,
            "issued_at": issued,
            "api_instance_url": "https://api.salesforce.com",
            **({"refresh_token": grant.refresh} if grant.fresh else {}),
        }
        return Response.of_json(200, body, {"Cache-Control": "no-cache, no-store"})

    def _introspect(self, form: Mapping[str, str], request: Request) -> dict[str, Any]:
        app = self._known_app(form, request)
        token = self.tokens.get(form.get("token", ""))
        if token is None or token.ends < time.monotonic():
            return {"active": False}
        remaining = int(token.ends - time.monotonic())
        return {
            "active": True,
            "scope": "api",
            "client_id": app.client_id,
            "username": self.username_of(token.user),
            "sub": f"https://login.salesforce.com/id/{self.organisation}/{token.user}",
            "token_type": "access_token",
            "iat": int(token.issued),
            "nbf": int(token.issued),
            "exp": int(time.time()) + remaining,
        }

    def _revoked(self, form: Mapping[str, str]) -> Response:
        if not self.revoke(form.get("token", "")):
            raise OAuthRefusal("unsupported_token_type", "this token type is not supported")
        return Response(200)

    def _secret(self, start: str) -> str:
        self.issued += 1
        digest = hashlib.sha256(f"{self.organisation}/{start}/{self.issued}".encode()).digest()
        return start + base64.urlsafe_b64encode(digest).decode().rstrip("=")


def challenge_of(verifier: str) -> str:
    """PKCE's S256 of a verifier."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def _basic(request: Request) -> tuple[str, str] | None:
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return unquote_plus(client_id), unquote_plus(secret)
