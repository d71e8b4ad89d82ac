"""Where HubSpot keeps what: the one place that knows a path and which version of it is asked for.

HubSpot dates its paths since 2026 and drops a version eighteen months after its release. A few families have no dated
path yet, or one of their own; they are the exceptions below.
"""

from datetime import date

CURRENT = "2026-09"
LEGACY = "v3"

UNSUPPORTED_FROM: dict[str, date] = {
    "v3": date(2027, 9, 1),
    "v4": date(2027, 3, 30),
    "2026-03": date(2027, 9, 30),
    "2026-09": date(2028, 3, 31),
}
"""When HubSpot stops supporting a version (v4: the legacy associations that v3 needs)."""

SUBMISSIONS = "/form-integrations/v1/submissions/forms"
"""Form submissions have no newer path."""

FORMS = "/marketing/v3/forms"
"""Forms are dated only as a beta."""

TOKEN_INFO = "/oauth/v2/private-apps/get/access-token-info"  # noqa: S105 - a path
OAUTH = f"/oauth/{CURRENT}/token"
INTROSPECT = f"{OAUTH}/introspect"
"""The legacy token endpoint puts secrets into URLs and ends earlier, so OAuth is always dated."""


class Paths:
    """Every path for one API version."""

    def __init__(self, version: str = CURRENT) -> None:
        self.version = version
        self.legacy = version == LEGACY

    def records(self, kind: str) -> str:
        """CRM records; `kind` is the plural name or a type id such as 2-123."""
        return f"/crm/v3/objects/{kind}" if self.legacy else f"/crm/objects/{self.version}/{kind}"

    def associations(self, kind: str, to: str) -> str:
        return (
            f"/crm/v4/associations/{kind}/{to}/batch/read"
            if self.legacy
            else f"/crm/associations/{self.version}/{kind}/{to}/batch/read"
        )

    def properties(self, kind: str) -> str:
        return f"/crm/v3/properties/{kind}" if self.legacy else f"/crm/properties/{self.version}/{kind}"

    def property_groups(self, kind: str) -> str:
        return f"{self.properties(kind)}/groups"

    def pipelines(self, kind: str) -> str:
        return f"/crm/v3/pipelines/{kind}" if self.legacy else f"/crm/pipelines/{self.version}/{kind}"

    @property
    def owners(self) -> str:
        return "/crm/v3/owners" if self.legacy else f"/crm/owners/{self.version}"

    @property
    def schemas(self) -> str:
        return f"/crm-object-schemas/{self.version}/schemas"

    @property
    def campaigns(self) -> str:
        return f"/marketing/{LEGACY}/campaigns" if self.legacy else f"/marketing/campaigns/{self.version}"

    @property
    def event_occurrences(self) -> str:
        return "/events/v3/events" if self.legacy else f"/events/event-occurrences/{self.version}"

    @property
    def account(self) -> str:
        return "/account-info/v3/details" if self.legacy else f"/account-info/{self.version}/details"

    @property
    def exchange_rates(self) -> str:
        family = "/settings/v3/currencies" if self.legacy else f"/settings/currencies/{self.version}"
        return f"{family}/exchange-rates/current"

    @property
    def deal_splits(self) -> str | None:
        """None in the legacy API, which answers splits in another shape."""
        return None if self.legacy else f"/deal-splits/{self.version}/batch/read"
