"""A person lets us into Salesforce: the web-server flow with PKCE, and its end."""

import time
from collections.abc import Callable
from urllib.parse import quote, urlencode

import msgspec

from connectors.consent import Ended, Joined, Question, Secrets, spelled
from connectors.errors import NotAllowed
from connectors.salesforce.answers import POLICY, complaints, failure
from connectors.salesforce.auth import Grant, SignIn, ask_for_grant
from connectors.salesforce.settings import SalesforceSettings, checked_address
from connectors.transport import Transport

AUTHORIZE_PATH = "/services/oauth2/authorize"
REVOKE_PATH = "/services/oauth2/revoke"
WHO_PATH = "/services/oauth2/userinfo"
SCOPES = ("api", "refresh_token")

NOT_KNOWN = frozenset({"unsupported_token_type", "invalid_token", "invalid_grant"})
"""How Salesforce answers when it is to end a token that it does not know, or not any more."""

REFUSED = {
    "access_denied": "Whoever was asked pressed Deny. Run `kpisync connect` again and allow it.",
    "invalid_scope": "Give the External Client App the scopes *api* and *refresh_token, offline_access*.",
    "invalid_request": "The app asks for something that kpisync does not send; compare it with docs/salesforce.md.",
    "invalid_client": "An administrator has to install the app in this org before anyone can agree to it.",
}
"""What an error that came back with the browser asks its reader to do."""

NOT_EXCHANGED = {
    "invalid_grant": "Run `kpisync connect` again: a code is good once and for a quarter of an hour.",
    "redirect_uri_mismatch": "Enter the callback URL that `kpisync connect` names in the app, to the letter.",
    "invalid_client": "Check the stored CLIENT_SECRET, or let the app do without one for the web server flow.",
}


class Identity(msgspec.Struct, frozen=True):
    """Who agreed."""

    preferred_username: str = ""


class SalesforceConsent:
    """Asks a person who is signed in to Salesforce, or will be asked to. Implements `connectors.consent.Consent`."""

    def __init__(
        self, settings: SalesforceSettings, secrets: Secrets, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._settings = settings
        self._secrets = secrets
        self._login_url = checked_address(settings.login_url or settings.instance_url)
        sign_in = SignIn(settings, secrets, None)
        self._transport = Transport(self._login_url, POLICY, sign_in, code="KPI-SF-003", sleep=sleep)

    def page(self, asked: Question) -> str:
        """Salesforce's page of consent."""
        told = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": asked.redirect_uri,
            "scope": " ".join(SCOPES),
            "state": asked.state,
            "code_challenge": asked.challenge,
            "code_challenge_method": "S256",
        }
        return f"{self._login_url}{AUTHORIZE_PATH}?{urlencode(told, quote_via=quote)}"

    def refusal(self, error: str, description: str) -> NotAllowed:
        """The description itself stays out: it names people."""
        advice = REFUSED.get(error, "Compare the External Client App with docs/salesforce.md and try again.")
        return NotAllowed("KPI-SF-050", f"Salesforce did not let the app in ({spelled(error)}).", advice)

    def exchange(self, asked: Question, code: str) -> Joined:
        """A refresh token for the code."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": asked.redirect_uri,
            "code_verifier": asked.verifier,
            "client_id": self._settings.client_id,
            **self._secret(),
        }
        grant = ask_for_grant(self._transport, self._login_url, form, advice=NOT_EXCHANGED, safe=False)
        if not grant.refresh_token or not {"api", "full"} & {*grant.scope.split()}:
            missing = "api" if grant.refresh_token else "refresh_token"
            raise NotAllowed(
                "KPI-SF-051",
                f"The app does not grant the scope {missing}.",
                "Give the External Client App *api* and *refresh_token, offline_access*, then run `kpisync connect`.",
            )
        organisation = grant.id.rstrip("/").split("/")[-2] if grant.id.count("/") > 1 else ""
        return Joined(grant.refresh_token, organisation, self._who(grant) or grant.user_id or "")

    def _who(self, grant: Grant) -> str:
        """The name under which whoever agreed signs in; blank where the app may not know."""
        self._transport.base_url = checked_address(grant.instance_url)
        headers = {"Authorization": f"Bearer {grant.access_token}"}
        response = self._transport.send("GET", WHO_PATH, signed=False, headers=headers)
        try:
            return msgspec.json.decode(response.content, type=Identity).preferred_username
        except msgspec.MsgspecError:
            return ""

    def revoke(self) -> Ended:
        """End the refresh token with the sessions that came of it, or the given token. The ways in that need no person
        leave nothing behind but the session of a run, which ends by itself."""
        kept = {"refresh_token": "REFRESH_TOKEN", "access_token": "ACCESS_TOKEN"}.get(self._settings.auth)
        token = self._secrets(kept) if kept else None
        if not token:
            return Ended.NOTHING
        address = self._login_url + REVOKE_PATH
        response = self._transport.send("POST", address, signed=False, safe=True, data={"token": token.strip()})
        if response.is_success:
            return Ended.REVOKED
        code = next((complaint.code for complaint in complaints(response)), "")
        if response.status_code < 500 and code in NOT_KNOWN:
            return Ended.GONE
        if response.status_code in {400, 401, 403} and code != "REQUEST_LIMIT_EXCEEDED":
            raise NotAllowed(
                "KPI-SF-052",
                f"Salesforce refused to end the access ({code or f'HTTP {response.status_code}'}).",
                "Revoke it there (Setup › Connected Apps OAuth Usage), then run "
                "`kpisync disconnect --forget-anyway` to forget it here.",
            )
        raise failure(response, "the end of the access")

    def close(self) -> None:
        """Let go of the network."""
        self._transport.close()

    def _secret(self) -> dict[str, str]:
        secret = (self._secrets("CLIENT_SECRET") or "").strip()
        return {"client_secret": secret} if secret else {}
