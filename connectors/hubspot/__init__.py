"""HubSpot, read and written through its date-versioned CRM APIs."""

from connectors.hubspot.auth import authorize_url, exchange_code
from connectors.hubspot.connector import HubSpotConnector, connect
from connectors.hubspot.consent import HubSpotConsent
from connectors.hubspot.settings import OPTIONAL_SCOPES, SCOPES, HubSpotMappings, HubSpotSettings

__all__ = [
    "OPTIONAL_SCOPES",
    "SCOPES",
    "HubSpotConnector",
    "HubSpotConsent",
    "HubSpotMappings",
    "HubSpotSettings",
    "authorize_url",
    "connect",
    "exchange_code",
]
