"""Sign-in: the token endpoint with its four grants, introspection, revocation, and tokens that end."""

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


@dataclass(frozen=True)
class App:
    """An external client app.

    run_as      the user of the client-credentials flow, None: the flow is off
    public_key  PEM of the certificate against which JWTs are verified
    approved    usernames that may be named by a JWT, None: every active one
    rotates     whether a refresh hands out a new refresh token and ends the old one
    """

    client_id: str
    client_secret: str
    run_as: str | None = None
    public_key: str | None = None
    approved: frozenset[str] | None = None
    rotates: bool = False
    token_type: str = "Bearer"  # noqa: S105 - the word for the kind of token


@dataclass(frozen=True)
class Token:
    """An access token: whose it is and until when (monotonic seconds; use prolongs it)."""

    user: str
    ends: float
    issued: float


@dataclass
class Auth:
    """Apps and tokens of one organisation. `user_of` finds an active user's id by username."""

    organisation: str
    apps: dict[str, App]
    user_of: Callable[[str], str | None]
    username_of: Callable[[str], str]
    session_seconds: float = SESSION_SECONDS
    tokens: dict[str, Token] = field(default_factory=dict)
    refresh_tokens: dict[str, tuple[str, str]] = field(default_factory=dict)
    codes: dict[str, tuple[str, str, str | None]] = field(default_factory=dict)
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

    def accept(self, secret: str, user: str) -> None:
        """Let a token in that was made elsewhere."""
        self.tokens[secret] = Token(user, time.monotonic() + self.session_seconds, time.time())

    def expire_all(self) -> None:
        """Every access token ends now; refresh tokens live on."""
        self.tokens.clear()

    def revoke(self, secret: str) -> bool:
        """End an access token, or a refresh token and with it the way to new ones."""
        return bool(self.tokens.pop(secret, None)) or bool(self.refresh_tokens.pop(secret, None))

    def new_refresh_token(self, client_id: str, user: str) -> str:
        secret = self._secret("5Aep861")
        self.refresh_tokens[secret] = (client_id, user)
        return secret

    def new_code(self, client_id: str, user: str, challenge: str | None) -> str:
        """An authorisation code, good for one exchange."""
        code = self._secret("aPrx")
        self.codes[code] = (client_id, user, challenge)
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

    def _grant(self, form: Mapping[str, str], request: Request) -> tuple[App, str, dict[str, str]]:
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

    def _client_credentials(self, form: Mapping[str, str], request: Request) -> tuple[App, str, dict[str, str]]:
        if request.headers.get("Host", "").startswith(("login.", "test.")):
            raise OAuthRefusal("invalid_grant", "request not supported on this domain")
        app = self._known_app(form, request)
        if app.run_as is None:
            raise OAuthRefusal("invalid_grant", "no client credentials user enabled")
        return app, app.run_as, {}

    def _refresh(self, form: Mapping[str, str], request: Request) -> tuple[App, str, dict[str, str]]:
        app = self._known_app(form, request)
        secret = form.get("refresh_token", "")
        client_id, user = self.refresh_tokens.get(secret, ("", ""))
        if client_id != app.client_id:
            raise OAuthRefusal("invalid_grant", "expired access/refresh token")
        if not app.rotates:
            return app, user, {}
        del self.refresh_tokens[secret]
        return app, user, {"refresh_token": self.new_refresh_token(client_id, user)}

    def _code(self, form: Mapping[str, str], request: Request) -> tuple[App, str, dict[str, str]]:
        client_id, user, challenge = self.codes.pop(form.get("code", ""), ("", "", None))
        app = self.apps.get(form.get("client_id", ""))
        if app is None or client_id != app.client_id:
            raise OAuthRefusal("invalid_grant", "invalid authorization code")
        if challenge and challenge != _challenge(form.get("code_verifier", "")):
            raise OAuthRefusal("invalid_grant", "invalid code verifier")
        if challenge is None:
            self._known_app(form, request)
        return app, user, {"refresh_token": self.new_refresh_token(client_id, user)}

    def _jwt(self, form: Mapping[str, str], request: Request) -> tuple[App, str, dict[str, str]]:
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
        return app, user, {}

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

    def _known_app(self, form: Mapping[str, str], request: Request) -> App:
        """The app of the credentials in the body or in the Basic header."""
        client_id, secret = _basic(request) or (form.get("client_id", ""), form.get("client_secret", ""))
        app = self.apps.get(client_id)
        if app is None:
            raise OAuthRefusal("invalid_client_id", "client identifier invalid")
        if secret != app.client_secret:
            raise OAuthRefusal("invalid_client", "invalid client credentials")
        return app

    def _signed_in(self, granted: tuple[App, str, dict[str, str]], request: Request) -> Response:
        app, user, more = granted
        secret = f"{self.organisation[:15]}!{self._secret('AR8AQ')}"
        self.accept(secret, user)
        host = request.headers.get("Host", "localhost")
        scheme = request.headers.get("X-Forwarded-Proto", "http")
        issued = str(int(time.time() * 1000))
        signature = base64.b64encode(hashlib.sha256(f"{secret}{issued}".encode()).digest()).decode()
        body = {
            "access_token": secret,
            "signature": signature,
            "scope": "api",
            "token_format": "opaque",
            "instance_url": f"{scheme}://{host}",
            "id": f"https://login.salesforce.com/id/{self.organisation}/{user}",
            "token_type": app.token_type,
            "issued_at": issued,
            "api_instance_url": "https://api.salesforce.com",
            **more,
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


def _challenge(verifier: str) -> str:
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
