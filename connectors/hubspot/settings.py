"""What differs between HubSpot portals: how to sign in, which API version, and how this company uses its CRM."""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Literal

import httpx
import msgspec

from connectors.errors import NotAllowed
from connectors.hubspot.paths import CURRENT, FAMILIES, LEGACY, takes

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
VERSION = re.compile(rf"{LEGACY}|20\d\d-(03|09)(-beta)?")

LOGIN_URL = "https://app.hubspot.com"
"""Where people sign in, also those of a portal whose records are kept in Europe."""

SCOPES: tuple[str, ...] = (
    "oauth",
    "crm.objects.owners.read",
    "crm.objects.users.read",
    "crm.objects.users.write",
    "crm.objects.contacts.read",
    "crm.objects.contacts.write",
    "crm.schemas.contacts.write",
    "crm.objects.deals.read",
)
"""What the round trip cannot do without."""

OPTIONAL_SCOPES: tuple[str, ...] = (
    "sales-email-read",
    "crm.objects.leads.read",
    "crm.objects.goals.read",
    "crm.dealsplits.read_write",
    "marketing.campaigns.read",
    "forms",
    "settings.currencies.read",
    "crm.schemas.custom.read",
    "crm.schemas.custom.write",
    "crm.objects.custom.read",
    "crm.objects.custom.write",
)
"""What only some editions grant; asking for them as required would fail the sign-in of a smaller portal."""


class HubSpotMappings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How this company uses HubSpot, where companies differ.

    leads           contacts: a contact with a lead's lifecycle stage is a lead; leads_object: the Leads object is
    revenue_goals   a goal whose type (or, without a type, whose name) holds one of these words is a revenue quota
    managers        rep's e-mail → manager's e-mail; HubSpot's API knows no manager chain
    """

    leads: Literal["contacts", "leads_object"] = "contacts"
    revenue_goals: tuple[str, ...] = ("revenue", "quota", "ingreso", "cuota")
    managers: Mapping[str, str] = {}


class HubSpotSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One connection to a portal, by the name that the company gave it. Secrets are not here: they are asked for by
    name when they are needed. `api_budget_share` is the part of the portal's daily API calls that one run may use;
    once everybody together has used `api_day_share` of them, no call is made."""

    name: str = "hubspot"
    base_url: str = "https://api.hubapi.com"
    login_url: str = LOGIN_URL
    auth: Literal["token", "oauth"] = "token"
    client_id: str = ""
    api_version: str = CURRENT
    api_versions: Mapping[str, str] = {}
    mappings: HubSpotMappings = HubSpotMappings()
    api_budget_share: float = 1.0
    api_day_share: float = 1.0

    @property
    def environment(self) -> str:
        """How the environment variables of this connection's secrets begin."""
        return f"KPISYNC_{self.name.upper().replace('-', '_')}_"


def checked(settings: HubSpotSettings) -> HubSpotSettings:
    """The same settings, once they can work: an encrypted address, a version that exists, a client for OAuth."""
    for key, address in (("base_url", settings.base_url), ("login_url", settings.login_url)):
        url = httpx.URL(address)
        if url.scheme != "https" and not (url.scheme == "http" and url.host in LOOPBACK):
            raise NotAllowed(
                "KPI-HS-001",
                f"{address} is not an encrypted address.",
                f"Use https in `{key}`; plain http is only for a CRM on this very machine.",
            )
    if not VERSION.fullmatch(settings.api_version):
        raise _no_version(
            f"HubSpot has no API version {settings.api_version!r}.",
            'Set `api_version` to a dated version such as "2026-09", or to "v3" for the legacy paths.',
        )
    for family, version in settings.api_versions.items():
        _check_family(family, version)
    if settings.auth == "oauth" and not settings.client_id:
        raise NotAllowed(
            "KPI-HS-003",
            "OAuth needs the client id of your HubSpot app.",
            "Set `client_id` for this connection in kpisync.toml.",
        )
    return settings


def _check_family(family: str, version: str) -> None:
    if family not in FAMILIES:
        nearest = get_close_matches(family, FAMILIES, 1)
        raise _no_version(
            f"`api_versions` names {family!r}, which is no part of HubSpot's API that kpisync uses.",
            f"Did you mean {nearest[0]!r}?" if nearest else f"Known are {', '.join(FAMILIES)}.",
        )
    if not VERSION.fullmatch(version) or not takes(family, version):
        dated, legacy = FAMILIES[family].dated, FAMILIES[family].legacy
        kinds = [kind for kind, path in (('a dated version such as "2026-09"', dated), ('"v3"', legacy)) if path]
        raise _no_version(f"HubSpot has no version {version!r} of its {family} API.", f"It takes {' or '.join(kinds)}.")


def _no_version(message: str, advice: str) -> NotAllowed:
    return NotAllowed("KPI-HS-002", message, advice)
