"""The composition root: from a folder with a `kpisync.toml` to connectors, cache, ledger and jobs ready to work.

The only room that knows both what may differ (config) and how the work is done (sync).
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from config import settings as config
from config.errors import SettingsError
from config.vault import Vault
from connectors.consent import Consent
from connectors.contract import Connector, Surface
from kpi_engine.records import Company, Day, Micros, Target
from sync.cache import Cache
from sync.ledger import Ledger
from sync.run import Job, Options
from sync.spark import Spark

if TYPE_CHECKING:
    from connectors import hubspot, salesforce

# A CRM's connector, and the holidays of the world, are loaded where they are needed: Salesforce's client alone takes
# 25 MB and half a second, of which a company with HubSpot has no use.

EPOCH = date(1970, 1, 1)
CALENDAR_YEARS = range(2000, 2051)
"""Years for which public holidays are worked out."""


def day_of(when: date) -> Day:
    """A date as the engine counts days."""
    return Day((when - EPOCH).days)


@dataclass(frozen=True)
class Workspace:
    """A folder, its settings and its secrets."""

    folder: Path

    @cached_property
    def settings(self) -> config.Settings:
        """What `kpisync.toml` says. Raises `SettingsError`."""
        return config.read(self.folder)

    @cached_property
    def vault(self) -> Vault:
        """The secrets of this workspace."""
        return Vault(self.folder)

    @property
    def cache_url(self) -> str:
        """Where cache and ledger live; a relative SQLite path hangs on the workspace."""
        url = self.settings.cache.url
        prefix, path = "sqlite:///", url.removeprefix("sqlite:///")
        return f"{prefix}{self.folder.absolute() / path}" if url.startswith(prefix) else url

    def connections(self, only: str | None = None) -> list[str]:
        """The names of the connections, or the one that was asked for. Raises `SettingsError`."""
        names = list(self.settings.connections)
        if only is not None and only not in names:
            raise SettingsError([f"There is no connection {only!r} in kpisync.toml; known: {', '.join(names)}."])
        if not names:
            raise SettingsError(
                ["kpisync.toml has no connection yet. Run `kpisync init`, or add a [connections.NAME] section."]
            )
        return [only] if only else names

    @contextmanager
    def job(self, name: str, *, afresh: bool = False) -> Iterator[Job]:
        """One connection, ready to work; its network is closed at the end. `afresh`: nothing that was found out about
        the CRM before is believed."""
        notebook = Notebook(partial(self.cache, name), afresh=afresh)
        section = self.settings.connections[name]
        connector = connect(name, section, self.vault, self.settings.guards, notebook)
        try:
            yield Job(name=name, connector=connector, company=self.company(name), options=self.options)
        finally:
            connector.close()

    @contextmanager
    def consent(self, name: str) -> Iterator[Consent]:
        """How a person is asked to let us into the CRM of a connection."""
        consent = ask_a_person(name, self.settings.connections[name], self.vault)
        try:
            yield consent
        finally:
            consent.close()

    @contextmanager
    def cache(self, name: str) -> Iterator[Cache]:
        """The cache of one connection."""
        cache = Cache.open(self.cache_url, name)
        try:
            yield cache
        finally:
            cache.close()

    @contextmanager
    def ledger(self, name: str) -> Iterator[Ledger]:
        """The ledger of one connection."""
        ledger = Ledger.open(self.cache_url, name)
        try:
            yield ledger
        finally:
            ledger.close()

    @property
    def options(self) -> Options:
        """What the settings say about the work."""
        kpis, guards, surfaces = self.settings.kpis, self.settings.guards, self.settings.surfaces
        chosen = {surface: getattr(surfaces, surface.value) for surface in Surface}
        return Options(
            track=tuple(kpis.track),
            write_grains=tuple(kpis.write_grains),
            surfaces={surface: None if switch == "auto" else bool(switch) for surface, switch in chosen.items()},
            max_changed_share=guards.max_changed_share,
            max_reps_losing_share=guards.max_reps_losing_share,
            api_budget_share=guards.api_budget_share,
            max_refused=guards.max_refused,
            overwrite_drift=guards.overwrite_drift,
            since=day_of(kpis.since) if kpis.since else None,
            keep_months=kpis.keep_months,
            spark=self.spark,
        )

    @property
    def spark(self) -> Spark | None:
        """The cluster that computes everything, None: this machine does."""
        said = self.settings.engine
        if said.kind == "polars":
            return None
        return Spark(
            master=said.master,
            folder=self.folder.absolute() / said.folder if said.folder else None,
            python=said.python,
            records_a_task=said.records_a_task,
            options=said.options,
        )

    def company(self, connection: str) -> Company:
        """What the settings say about the company; what they leave open the CRM fills in later."""
        said = self.settings.company
        limits = said.deal_size_limits
        return Company(
            connection=connection,
            time_zone=said.time_zone or "",
            home_currency=said.home_currency,
            fiscal_year_start=said.fiscal_year_start or 0,
            holidays=_holidays(said.holidays),
            days_off={rep: frozenset(map(day_of, days)) for rep, days in said.days_off.items()},
            band_limits=(Micros(round(limits[0] * 1_000_000)), Micros(round(limits[1] * 1_000_000)))
            if limits
            else None,
            targets=tuple(
                Target(
                    kpi=target.kpi,
                    scope=target.scope,
                    grain=target.grain,
                    value=str(target.value),
                    from_on=day_of(target.from_),
                )
                for target in self.settings.targets
            ),
        )


def _holidays(said: list[date] | config.PublicHolidays) -> frozenset[Day]:
    if isinstance(said, list):
        return frozenset(map(day_of, said))
    import holidays

    try:
        public = holidays.country_holidays(said.country, subdiv=said.subdivision, years=CALENDAR_YEARS)
    except NotImplementedError as error:
        raise SettingsError([f"kpisync.toml: company.holidays: {error}."]) from None
    return frozenset(map(day_of, public))


class Notebook:
    """What a connector found out about its CRM, in the cache beside what it read there."""

    def __init__(self, cache: Callable[[], AbstractContextManager[Cache]], *, afresh: bool) -> None:
        self._cache = cache
        self._afresh = afresh

    def read(self) -> str | None:
        if self._afresh:
            return None
        with self._cache() as cache:
            return cache.note()

    def write(self, note: str | None) -> None:
        with self._cache() as cache:
            cache.keep_note(note)


def connect(
    name: str, section: config.ConnectionSection, vault: Vault, guards: config.GuardsSection, notebook: Notebook
) -> Connector:
    """A connector for a connection of the settings; signs in only when it is first used."""
    secrets, store = _secrets(name, section.auth, vault), partial(vault.store, name)
    match section:
        case config.SalesforceSection():
            from connectors import salesforce

            return salesforce.connect(_org(name, section, guards), secrets, keep_secret=store, notebook=notebook)
        case config.HubSpotSection():
            from connectors import hubspot

            return hubspot.connect(_portal(name, section, guards), secrets, store=store, notebook=notebook)


def ask_a_person(name: str, section: config.ConnectionSection, vault: Vault) -> Consent:
    """How someone lets us into the CRM of a connection in a browser, and how that ends."""
    secrets = partial(vault.find, name)
    match section:
        case config.SalesforceSection():
            from connectors import salesforce

            return salesforce.SalesforceConsent(_org(name, section, config.GuardsSection()), secrets)
        case config.HubSpotSection():
            from connectors import hubspot

            return hubspot.HubSpotConsent(_portal(name, section, config.GuardsSection()), secrets)


def _org(name: str, section: config.SalesforceSection, guards: config.GuardsSection) -> "salesforce.SalesforceSettings":
    from connectors import salesforce

    return salesforce.SalesforceSettings(
        login_url=section.login_url,
        auth=section.auth,
        client_id=section.client_id,
        username=section.username,
        api_version=section.api_version,
        instance_url=section.instance_url,
        mappings=_mappings(name, section.mappings, salesforce.Mappings),
        api_budget_share=guards.api_budget_share,
        api_day_share=guards.api_day_share,
    )


def _portal(name: str, section: config.HubSpotSection, guards: config.GuardsSection) -> "hubspot.HubSpotSettings":
    from connectors import hubspot

    return hubspot.HubSpotSettings(
        name=name,
        base_url=section.base_url,
        login_url=section.login_url,
        auth=section.auth,
        client_id=section.client_id,
        api_version=section.api_version,
        api_versions=section.api_versions,
        mappings=_mappings(name, section.mappings, hubspot.HubSpotMappings),
        api_budget_share=guards.api_budget_share,
        api_day_share=guards.api_day_share,
    )


def _secrets(name: str, auth: str, vault: Vault) -> Callable[[str], str | None]:
    """Answers with a connection's secrets. One without which nobody can sign in raises `SecretMissing`."""
    needed = config.SECRETS[auth] if auth != "refresh_token" else ("REFRESH_TOKEN",)  # a public client has no other

    def secret(kind: str) -> str | None:
        return vault.need(name, kind) if kind in needed else vault.find(name, kind)

    return secret


M = TypeVar("M", bound=msgspec.Struct)


def _mappings(name: str, said: Mapping[str, object], kind: type[M]) -> M:
    """A connection's mappings, or what is wrong with them."""
    unknown = [key for key in said if key not in kind.__struct_fields__]
    if unknown:
        known = ", ".join(kind.__struct_fields__)
        raise SettingsError(
            [f"kpisync.toml has an unknown setting connections.{name}.mappings.{unknown[0]}. Known there: {known}."]
        )
    try:
        return msgspec.convert(said, kind)
    except msgspec.ValidationError as error:
        raise SettingsError([f"kpisync.toml: connections.{name}.mappings: {error}."]) from None
