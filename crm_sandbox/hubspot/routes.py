"""Which family of endpoints a path belongs to, under its dated and its legacy names."""

import re
from urllib.parse import unquote

from crm_sandbox.hubspot import errors

_VERSION = r"(?P<version>2026-0[39])"
_FAMILIES = tuple(
    (family, re.compile(rf"/(?:{pattern})(?:/(?P<rest>.*))?"))
    for family, pattern in (
        ("objects", rf"crm/objects/{_VERSION}|crm/(?P<legacy>v[34])/objects"),
        ("associations", rf"crm/associations/{_VERSION}|crm/(?P<legacy>v4)/associations"),
        ("properties", rf"crm/properties/{_VERSION}|crm/(?P<legacy>v3)/properties"),
        ("pipelines", rf"crm/pipelines/{_VERSION}|crm/(?P<legacy>v3)/pipelines"),
        ("owners", rf"crm/owners/{_VERSION}|crm/(?P<legacy>v3)/owners"),
        ("schemas", rf"crm-object-schemas/(?:{_VERSION}|v3)/schemas|crm/(?P<legacy>v3)/schemas"),
        ("limits", rf"crm/limits/{_VERSION}|crm/(?P<legacy>v3)/limits"),
        ("library", rf"crm/object-library/{_VERSION}"),
        ("campaigns", rf"marketing/campaigns/{_VERSION}|marketing/(?P<legacy>v3)/campaigns"),
        ("emails", rf"marketing/emails/{_VERSION}|marketing/(?P<legacy>v3)/emails"),
        ("forms", r"marketing/(?P<legacy>v3)/forms|marketing/forms/(?P<version>2026-09-beta)"),
        ("submissions", r"form-integrations/(?P<legacy>v1)/submissions/forms"),
        ("events", rf"events/event-occurrences/{_VERSION}|events/(?P<legacy>v3)/events"),
        ("account", rf"account-info/(?:{_VERSION}|(?P<legacy>v3))"),
        ("currencies", rf"settings/currencies/{_VERSION}|settings/(?P<legacy>v3)/currencies"),
        ("users", rf"settings/users/{_VERSION}|settings/(?P<legacy>v3)/users"),
        ("teams", r"settings/teams/(?P<version>2026-09-beta)"),
        ("splits", rf"deal-splits/{_VERSION}"),
        ("dispositions", r"calling/(?P<legacy>v1)/dispositions"),
    )
)
AUTHORIZE = "/oauth/authorize"
"""The page that a browser is sent to; it is HubSpot's website's and not the API's, but a sandbox has one address."""

OAUTH = re.compile(
    r"/oauth/(2026-0[39]|v1|v3)/token(/introspect|/revoke)?|/oauth/v2/private-apps/get/access-token-info"
)
"""The endpoints that are called without a token, to get one."""


def routed(path: str) -> tuple[str, str, tuple[str, ...]]:
    """Family, version and the rest of a path that has no trailing slash."""
    for family, pattern in _FAMILIES:
        found = pattern.fullmatch(path)
        if found:
            groups = found.groupdict()
            version = groups.get("version") or groups.get("legacy") or "v3"
            rest = tuple(unquote(part) for part in (groups["rest"] or "").split("/") if part)
            return family, version, rest
    raise errors.not_found()
