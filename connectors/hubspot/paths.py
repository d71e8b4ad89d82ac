"""Where HubSpot keeps what: the one place that knows a path and which version of it is asked for.

HubSpot dates its paths since 2026 and stops supporting a version eighteen months after its release. A few families have
no dated path, one has no legacy one, and the settings may choose another version for any family.
"""

from calendar import monthrange
from collections.abc import Mapping
from datetime import date

import msgspec

CURRENT = "2026-09"
LEGACY = "v3"
MONTHS_SUPPORTED = 18

LEGACY_ENDS: dict[str, date] = {
    "v1": date(2027, 9, 1),
    "v3": date(2027, 9, 1),
    "v4": date(2027, 3, 30),
}
"""From when on HubSpot no longer supports what came before dated versions."""

TOKEN_INFO = "/oauth/v2/private-apps/get/access-token-info"  # noqa: S105 - a path
OAUTH = f"/oauth/{CURRENT}/token"
INTROSPECT = f"{OAUTH}/introspect"
REVOKE = f"{OAUTH}/revoke"
"""The legacy token endpoint puts secrets into URLs and ends earlier, so OAuth is always dated."""


class Family(msgspec.Struct, frozen=True):
    """Paths that change their version together. `before` is what the legacy path's own version is called."""

    dated: str | None
    legacy: str | None
    before: str = LEGACY
    preset: str | None = None


FAMILIES: dict[str, Family] = {
    "records": Family("/crm/objects/{version}", "/crm/v3/objects"),
    "writing": Family("/crm/objects/{version}", "/crm/v3/objects"),
    "associations": Family("/crm/associations/{version}", "/crm/v4/associations", "v4"),
    "properties": Family("/crm/properties/{version}", "/crm/v3/properties"),
    "pipelines": Family("/crm/pipelines/{version}", "/crm/v3/pipelines"),
    "owners": Family("/crm/owners/{version}", "/crm/v3/owners"),
    "schemas": Family("/crm-object-schemas/{version}/schemas", "/crm-object-schemas/v3/schemas"),
    "account": Family("/account-info/{version}/details", "/account-info/v3/details"),
    "currencies": Family("/settings/currencies/{version}", "/settings/v3/currencies"),
    "campaigns": Family("/marketing/campaigns/{version}", "/marketing/v3/campaigns"),
    "events": Family("/events/event-occurrences/{version}", "/events/v3/events"),
    "deal_splits": Family("/deal-splits/{version}/batch/read", None),
    "forms": Family("/marketing/forms/{version}", "/marketing/v3/forms", preset=LEGACY),
    "submissions": Family(None, "/form-integrations/v1/submissions/forms", "v1", preset=LEGACY),
}
"""By the name that the settings use. `writing` is how records are changed: newer versions check more before they let a
value in. Forms are dated only as a beta, their submissions not at all; the legacy API has no splits in this shape."""


def takes(family: str, version: str) -> bool:
    """Whether a family has a path of this version (or kind of version)."""
    known = FAMILIES[family]
    return (known.legacy if version == LEGACY else known.dated) is not None


class Used(msgspec.Struct, frozen=True):
    """A version that is in use, for which families, and from when on HubSpot no longer supports it."""

    version: str
    ends: date
    families: tuple[str, ...]


def unsupported_from(version: str) -> date:
    """The day after which HubSpot no longer repairs a version; of a dated one, the end of its eighteenth month."""
    if version in LEGACY_ENDS:
        return LEGACY_ENDS[version]
    year, month = (int(part) for part in version.removesuffix("-beta").split("-"))
    years, months = divmod(month - 1 + MONTHS_SUPPORTED, 12)
    return date(year + years, months + 1, monthrange(year + years, months + 1)[1])


class Paths:
    """Every path, for one API version and what the settings choose beside it (family → version)."""

    def __init__(self, version: str = CURRENT, others: Mapping[str, str] | None = None) -> None:
        self.version = version
        self._others = dict(others or {})

    @property
    def chosen(self) -> str:
        """What the settings chose, in short."""
        return " ".join([self.version, *(f"{family}={version}" for family, version in sorted(self._others.items()))])

    def version_of(self, family: str) -> str:
        """Which version of a family is asked for."""
        if family == "writing" and family not in self._others:
            return self.version_of("records")
        chosen = self._others.get(family) or FAMILIES[family].preset or self.version
        return chosen if takes(family, chosen) else CURRENT

    def calendar(self) -> list[Used]:
        """Every version in use, the one that ends first at the top."""
        used: dict[str, list[str]] = {}
        for family, known in FAMILIES.items():
            version = self.version_of(family)
            used.setdefault(known.before if version == LEGACY else version, []).append(family)
        found = [Used(version, unsupported_from(version), tuple(families)) for version, families in used.items()]
        return sorted(found, key=lambda each: (each.ends, each.version))

    def _root(self, family: str) -> str:
        version, known = self.version_of(family), FAMILIES[family]
        path = known.legacy if version == LEGACY else known.dated
        assert path is not None, family
        return path.format(version=version)

    def records(self, kind: str) -> str:
        """CRM records to read; `kind` is the plural name or a type id such as 2-123."""
        return f"{self._root('records')}/{kind}"

    def writing(self, kind: str) -> str:
        """CRM records to change."""
        return f"{self._root('writing')}/{kind}"

    def associations(self, kind: str, to: str) -> str:
        return f"{self._root('associations')}/{kind}/{to}/batch/read"

    def properties(self, kind: str) -> str:
        return f"{self._root('properties')}/{kind}"

    def property_groups(self, kind: str) -> str:
        return f"{self.properties(kind)}/groups"

    def pipelines(self, kind: str) -> str:
        return f"{self._root('pipelines')}/{kind}"

    @property
    def owners(self) -> str:
        return self._root("owners")

    @property
    def schemas(self) -> str:
        return self._root("schemas")

    @property
    def campaigns(self) -> str:
        return self._root("campaigns")

    @property
    def event_occurrences(self) -> str:
        return self._root("events")

    @property
    def account(self) -> str:
        return self._root("account")

    @property
    def exchange_rates(self) -> str:
        return f"{self._root('currencies')}/exchange-rates/current"

    @property
    def deal_splits(self) -> str:
        return self._root("deal_splits")

    @property
    def forms(self) -> str:
        return self._root("forms")

    @property
    def submissions(self) -> str:
        return self._root("submissions")
