"""A pretend HubSpot portal."""

from crm_sandbox.hubspot.auth import (
    ALL_SCOPES,
    SANDBOX_CLIENT,
    SANDBOX_REFRESH_TOKEN,
    SANDBOX_TOKEN,
)
from crm_sandbox.hubspot.portal import PORTAL_ID, Portal
from crm_sandbox.hubspot.store import Rules

__all__ = [
    "ALL_SCOPES",
    "PORTAL_ID",
    "SANDBOX_CLIENT",
    "SANDBOX_REFRESH_TOKEN",
    "SANDBOX_TOKEN",
    "Portal",
    "Rules",
]
