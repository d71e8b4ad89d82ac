"""A pretend HubSpot portal.

with Sandbox(Portal(demo_world(datetime.now(UTC)))) as sandbox:
    httpx.get(f"{sandbox.url}/crm/owners/2026-09", headers={"Authorization": f"Bearer {SANDBOX_TOKEN}"})
"""

from crm_sandbox.hubspot import faults
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
    "faults",
]
