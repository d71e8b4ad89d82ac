"""A person connects our app to their HubSpot portal, and takes that back."""

import time
from collections.abc import Callable

from connectors.consent import Ended, Joined, Question, Secrets, spelled
from connectors.errors import NotAllowed
from connectors.hubspot.answers import error_of, policy, problem_of
from connectors.hubspot.auth import OAuth, authorize_url, exchange_code, forgotten
from connectors.hubspot.paths import REVOKE
from connectors.hubspot.settings import OPTIONAL_SCOPES, SCOPES, HubSpotSettings, checked
from connectors.transport import Transport

REFUSED = {
    "access_denied": "Whoever was asked pressed Cancel, or is no super admin. Run `kpisync connect` again.",
    "invalid_scope": "Add the scopes of docs/hubspot.md to the app.",
}
"""What an error that came back with the browser asks its reader to do."""


class HubSpotConsent:
    """Asks a super admin of a portal. Implements `connectors.consent.Consent`."""

    def __init__(
        self, settings: HubSpotSettings, secrets: Secrets, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._settings = checked(settings)
        self._secrets = secrets
        self._sign_in = OAuth(settings, secrets, None)
        self._transport = Transport(settings.base_url, policy(), self._sign_in, code="KPI-HS-030", sleep=sleep)

    def page(self, asked: Question) -> str:
        """HubSpot's page on which a portal is chosen and the scopes are shown."""
        settings = self._settings
        return authorize_url(
            settings.client_id, asked.redirect_uri, asked.state, asked.challenge, login_url=settings.login_url
        )

    def refusal(self, error: str, description: str) -> NotAllowed:
        """The description itself stays out: it names people."""
        advice = REFUSED.get(error, "Compare the app with docs/hubspot.md and try again.")
        return NotAllowed("KPI-HS-050", f"HubSpot did not let the app in ({spelled(error)}).", advice)

    def exchange(self, asked: Question, code: str) -> Joined:
        """A refresh token for the code, and which of the scopes are missing."""
        granted = exchange_code(
            self._transport,
            self._settings.client_id,
            self._sign_in.needed("CLIENT_SECRET"),
            asked.redirect_uri,
            code,
            asked.verifier,
        )
        if not granted.refresh_token:
            raise NotAllowed(
                "KPI-HS-051", "HubSpot gave no refresh token for the code.", "Run `kpisync connect` again."
            )
        told = self._sign_in.told(self._transport, granted.access_token)
        scopes = {*granted.scopes, *told.scopes}
        lacking = tuple(scope for scope in (*SCOPES, *OPTIONAL_SCOPES) if scopes and scope not in scopes)
        return Joined(granted.refresh_token, str(granted.hub_id or told.portal or ""), told.user, lacking)

    def revoke(self) -> Ended:
        """End the refresh token; an access token that was handed out lives on for its half hour at the most. A service
        key cannot be ended from here."""
        token = self._secrets("REFRESH_TOKEN") if self._settings.auth == "oauth" else None
        if not token:
            return Ended.NOTHING
        form = {
            "client_id": self._settings.client_id,
            "client_secret": self._sign_in.needed("CLIENT_SECRET"),
            "token": token.strip(),
            "token_type_hint": "refresh_token",
        }
        response = self._transport.send("POST", REVOKE, signed=False, safe=True, data=form)
        if response.is_success:
            return Ended.REVOKED
        if response.status_code in {400, 404} and forgotten(response):
            return Ended.GONE
        if response.status_code in {400, 401, 403, 404}:
            why = problem_of(response).category or f"HTTP {response.status_code}"
            raise NotAllowed(
                "KPI-HS-052",
                f"HubSpot refused to end the access ({why}).",
                "Uninstall the app there (Settings › Integrations › Connected apps), then run "
                "`kpisync disconnect --forget-anyway` to forget it here.",
            )
        raise error_of(response, "the end of the access")

    def close(self) -> None:
        """Let go of the network."""
        self._transport.close()
