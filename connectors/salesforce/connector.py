"""Salesforce as a `Connector`: puts the rooms of this folder together."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from connectors.consent import Secrets
from connectors.contract import (
    Capabilities,
    Change,
    FieldValue,
    KpiField,
    NotProvisioned,
    Page,
    Provisioned,
    Refused,
    Surface,
    Written,
)
from connectors.salesforce.auth import KeepSecret, SignIn
from connectors.salesforce.org import Org
from connectors.salesforce.preflight import look
from connectors.salesforce.provision import Provisioner
from connectors.salesforce.reader import Reader
from connectors.salesforce.settings import SalesforceSettings
from connectors.salesforce.showing import shown
from connectors.salesforce.sources import gaps
from connectors.salesforce.visible import Blank, Notebook
from connectors.salesforce.wire import label
from connectors.salesforce.writer import Writer
from kpi_engine.records import Company
from kpi_engine.sources import SOURCES


class SalesforceConnector:
    """One Salesforce org."""

    crm = "salesforce"

    def __init__(self, org: Org) -> None:
        self._org = org
        self._reader = Reader(org)
        self._writer = Writer(org)
        self._provisioner = Provisioner(org)

    def capabilities(self) -> Capabilities:
        """Look at the org: sign in, find what exists and is visible."""
        return look(self._org, self._reader)

    def company_defaults(self, company: Company) -> Company:
        """Salesforce's conventions laid over `company`; a reason that it gives already stays."""
        found = gaps(self._org.fields, self._org.settings.mappings)
        missing = {gap.source: gap.reason for gap in found if gap.source in SOURCES}
        results = tuple(words for each in self._org.settings.mappings.answered_results if (words := label(each)))
        # A Lead names the deal of its conversion itself.
        return msgspec.structs.replace(
            company,
            missing=missing | company.missing,
            lead_deal_from_links=False,
            answered_labels=results or company.answered_labels,
        )

    def read(self, stream: str, cursor: str | None) -> Iterator[Page]:
        """Everything of `stream` since `cursor` (None: from the beginning), deletions included."""
        return self._reader.read(stream, cursor)

    def provision(self, kpis: Sequence[KpiField], *, dry_run: bool = False) -> Iterator[Provisioned | NotProvisioned]:
        """Make our object, fields, permission set, tab, reports and dashboard. Doing it again changes nothing."""
        return self._provisioner.provision(kpis, dry_run=dry_run)

    def unprovision(self, kpis: Sequence[KpiField], *, dry_run: bool = False) -> Iterator[Provisioned | NotProvisioned]:
        """Remove exactly what `provision` made."""
        return self._provisioner.unprovision(kpis, dry_run=dry_run)

    def show(
        self, surface: Surface, keys: Sequence[str], fields: Sequence[str]
    ) -> Mapping[str, Mapping[str, FieldValue]]:
        """What Salesforce shows now, by key."""
        return shown(self._org, surface, keys, fields)

    def push(self, changes: Iterable[Change]) -> Iterator[Written | Refused]:
        """Send changes; outcomes come as they arrive. After a refusal the next run looks again at what is open."""
        for outcome in self._writer.push(changes):
            if isinstance(outcome, Refused):
                self._org.visible.doubt()
            yield outcome

    def calls(self) -> int:
        """How many HTTP requests were sent since this connector was made."""
        return self._org.transport.counters.requests

    def close(self) -> None:
        """Let go of the network."""
        self._org.transport.close()


def connect(
    settings: SalesforceSettings,
    secrets: Secrets,
    *,
    keep_secret: KeepSecret | None = None,
    notebook: Notebook | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> SalesforceConnector:
    """A connector for these settings; nothing goes over the network before its first call.

    `secrets` is asked by name (CLIENT_SECRET, PRIVATE_KEY, ACCESS_TOKEN, REFRESH_TOKEN). `keep_secret` stores a refresh
    token that Salesforce has replaced; it is called before the new one is used. `notebook` keeps what this user sees of
    the org, so that the next process need not ask for all of it again.
    """
    return SalesforceConnector(Org(settings, SignIn(settings, secrets, keep_secret), sleep, notebook or Blank()))
