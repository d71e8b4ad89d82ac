"""The page on which a person lets an app in: /services/oauth2/authorize. Whoever comes is signed in already and presses
Allow, unless the organisation's `denies` is set."""

import re
from collections.abc import Mapping
from html import escape
from urllib.parse import urlencode

from crm_sandbox.salesforce.auth import App, Auth
from crm_sandbox.salesforce.errors import OAuthRefusal
from crm_sandbox.serving import Request, Response

CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


def answer(auth: Auth, request: Request, user: str) -> Response:
    """Where the browser goes next: back to the app with a code or an error, or nowhere where the app itself is in
    doubt, because an error must not be sent to an address that nobody vouches for."""
    asked = dict(request.query)
    if request.method != "GET":
        return _page(OAuthRefusal("invalid_request", "HTTP method not supported"))
    app = auth.apps.get(asked.get("client_id", ""))
    if app is None:
        return _page(OAuthRefusal("invalid_client_id", "client identifier invalid"))
    callback = asked.get("redirect_uri", "")
    if callback not in app.callbacks:
        return _page(OAuthRefusal("redirect_uri_mismatch", "redirect_uri must match configuration"))
    if not app.installed:
        return _page(OAuthRefusal("OAUTH_APPROVAL_ERROR_GENERIC", "app must be installed into org"))
    state = {"state": asked["state"]} if "state" in asked else {}
    try:
        challenge, scopes = _checked(app, asked, denies=auth.denies)
    except OAuthRefusal as refusal:
        return _back(callback, {**refusal.as_body(), **state})
    return _back(callback, {"code": auth.new_code(app.client_id, user, challenge, callback, scopes), **state})


def _checked(app: App, asked: Mapping[str, str], *, denies: bool) -> tuple[str | None, frozenset[str]]:
    """The challenge and the scopes of a request that has nothing wrong with it, once the person agreed."""
    if asked.get("response_type") != "code":
        raise OAuthRefusal("unsupported_response_type", "response type not supported")
    challenge = asked.get("code_challenge")
    if challenge is None and app.pkce:
        raise OAuthRefusal("invalid_request", "missing required code challenge")
    if challenge is not None and not CHALLENGE.fullmatch(challenge):
        raise OAuthRefusal("invalid_request", "invalid code challenge")
    if asked.get("code_challenge_method", "S256") != "S256":
        raise OAuthRefusal("invalid_request", "invalid code challenge method")
    scopes = frozenset(asked.get("scope", "").split()) or app.scopes
    if not scopes <= app.scopes:
        raise OAuthRefusal("invalid_scope", "the requested scope is not allowed")
    if denies:
        raise OAuthRefusal("access_denied", "end-user denied authorization")
    return challenge, scopes


def _back(callback: str, told: Mapping[str, str]) -> Response:
    joint = "&" if "?" in callback else "?"
    return Response(302, b"", {"Location": f"{callback}{joint}{urlencode(told)}", "Cache-Control": "no-store"})


def _page(refusal: OAuthRefusal) -> Response:
    words = f"error={refusal.error}&error_description={refusal.description}"
    page = f"<!doctype html><title>Salesforce</title><p>{escape(words)}</p>"
    return Response(400, page.encode(), {"Content-Type": "text/html;charset=UTF-8"})
