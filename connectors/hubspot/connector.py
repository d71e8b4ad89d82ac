"""HubSpot behind the contract that every CRM answers to."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Self

import msgspec

from connectors.consent import Secrets
from connectors.contract import (
    ApiVersion,
    Capabilities,
    Change,
    FieldValue,
    Gap,
    KpiField,
    NotProvisioned,
    Page,
    Provisioned,
    Refused,
    Surface,
    Written,
)
from connectors.errors import CrmError
from connectors.hubspot import ours
from connectors.hubspot.answers import Absent, MissingScope, Rejected, policy
from connectors.hubspot.auth import OAuth, StaticToken, Store
from connectors.hubspot.day import Day
from connectors.hubspot.facts import Facts
from connectors.hubspot.notes import Asked, Blank, Note, Notebook, Notes
from connectors.hubspot.pace import Pace
from connectors.hubspot.paths import Paths
from connectors.hubspot.portal import Portal
from connectors.hubspot.provision import ENTERPRISE, LEADS, USERS, Provisioner
from connectors.hubspot.reader import ObjectReader
from connectors.hubspot.registers import RegisterReader
from connectors.hubspot.scopes import Scopes
from connectors.hubspot.settings import HubSpotSettings, checked
from connectors.hubspot.streams import DEAL_SPLITS, DOCUMENTS, ObjectStream, Stream, gaps_of, old_version, streams
from connectors.hubspot.web import WebReader
from connectors.hubspot.wire import shapes
from connectors.hubspot.writer import Writer
from connectors.transport import Transport
from kpi_engine.records import Company

log = logging.getLogger("kpisync.hubspot")

CODE = "KPI-HS-030"

STREAMS_AT_ONCE = 8
"""Each stream turns its pages one after the other, so one stream alone uses but a part of what HubSpot allows."""


class HubSpotConnector:
    """One portal. Made by `connect`; several threads may read different streams at once."""

    crm = "hubspot"

    def __init__(
        self,
        settings: HubSpotSettings,
        portal: Portal,
        pace: Pace,
        scopes: Scopes,
        whose: Callable[[], str | None],
        notes: Notes,
        *,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.time,
    ) -> None:
        mappings = settings.mappings
        lead_kind = "leads" if mappings.leads == "leads_object" else "contacts"
        self._portal = portal
        self._pace = pace
        self._facts = Facts(portal)
        self._scopes = scopes
        self._whose = whose
        self._notes = notes
        self._now = now
        self._leads = mappings.leads
        self._streams = {stream.name: stream for stream in streams(mappings)}
        self._objects = ObjectReader(portal, self._facts, mappings)
        self._registers = RegisterReader(portal, self._facts, mappings, now)
        self._web = WebReader(portal, now)
        self._writer = Writer(portal, self._facts, lead_kind, sleep)
        self._provisioner = Provisioner(portal, self._facts, lead_kind)
        self._lead_kind = lead_kind
        self._closed: dict[str, list[Gap]] = {}
        self._hidden: tuple[Gap, ...] = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def capabilities(self) -> Capabilities:
        """Sign in, and see what this token may read and where our numbers can be shown."""
        self._facts.renew()
        self._scopes.renew()
        scopes = self._scopes.granted()
        portal = self._whose() or str(self._facts.account().portal_id)
        asked = Asked(portal, scopes, self._portal.paths.chosen, self._leads)
        known = self._notes.about(asked, self._now())
        if known is None:
            self._closed = {}
            found = self._looked()
            closed = {name: tuple(gaps) for name, gaps in self._closed.items()}
            known = Note(self._now(), asked, found, closed, self._hidden)
            self._notes.keep(known)
        self._hidden = known.hidden
        self._closed = {name: list(gaps) for name, gaps in known.closed.items()}
        if self._pace.day.left is None:  # nothing asked since has said how much is left of today
            return known.found
        return msgspec.structs.replace(
            known.found, daily_calls=self._pace.day.calls, daily_calls_left=self._pace.day.left
        )

    def _looked(self) -> Capabilities:
        account = self._facts.account()
        for stream in self._streams.values():
            refusal = self._scopes.refusal(stream)
            if refusal:
                self._close(stream, refusal)
        self._hidden = tuple(self._hidden_sources())
        surfaces, lacking = self._surfaces()
        gaps = (*self._source_gaps(), *lacking, *old_version(self._portal.paths.version))
        return Capabilities(
            organisation=str(account.portal_id),
            time_zone=shapes.time_zone(account.time_zone),
            home_currency=account.company_currency,
            fiscal_year_start=None,
            streams=tuple(name for name in self._streams if name not in self._closed),
            surfaces=surfaces,
            gaps=gaps,
            daily_calls=self._pace.day.calls,
            daily_calls_left=self._pace.day.left,
            api_versions=tuple(
                ApiVersion(used.version, used.ends, used.families) for used in self._portal.paths.calendar()
            ),
            streams_at_once=STREAMS_AT_ONCE,
        )

    def company_defaults(self, company: Company) -> Company:
        """HubSpot names no deal of a conversion, and what is missing here is missing for every number."""
        missing = {gap.source: gap.reason for gap in self._source_gaps()}
        return msgspec.structs.replace(company, missing={**company.missing, **missing}, lead_deal_from_links=True)

    def read(self, stream: str, cursor: str | None) -> Iterator[Page]:
        """Everything of a stream since `cursor`. One that is closed although `capabilities` found it open has lost its
        scope since: that is raised, for an empty stream would look like records that are gone, and from the next look
        on it is a gap."""
        chosen = self._streams[stream]
        try:
            yield from self._pages(chosen, cursor)
        except MissingScope as refusal:
            log.warning("hubspot.stream_closed", extra={"stream": stream, "scopes": list(refusal.scopes)})
            self._notes.forget()
            self._scopes.doubt(chosen)
            self._close(chosen, refusal)
            if chosen is not DEAL_SPLITS:  # an edition without splits has none to lose, and shows it only here
                raise

    def _pages(self, stream: Stream, cursor: str | None) -> Iterator[Page]:
        if isinstance(stream, ObjectStream):
            return self._objects.read(stream, cursor)
        match stream.name:
            case "owners":
                return self._registers.owners(cursor)
            case "currencies":
                return self._registers.currencies(cursor)
            case "campaigns":
                return self._registers.campaigns(cursor)
            case "deal_splits":
                return self._registers.deal_splits(cursor)
            case "forms":
                return self._web.forms(cursor)
            case "page_views":
                return self._web.page_views(cursor)
            case name:
                raise KeyError(name)

    def _close(self, stream: Stream, refusal: CrmError) -> None:
        self._closed[stream.name] = gaps_of(stream, refusal.message, refusal.advice)

    def _source_gaps(self) -> list[Gap]:
        return [Gap(*DOCUMENTS), *(gap for gaps in self._closed.values() for gap in gaps), *self._hidden]

    def _hidden_sources(self) -> Iterator[Gap]:
        """What the open streams cannot tell because this portal lacks the properties that tell it."""
        open_ones = [
            each
            for each in self._streams.values()
            if isinstance(each, ObjectStream) and each.needs and each.name not in self._closed
        ]
        known = self._portal.together([partial(self._defined, stream) for stream in open_ones])
        for stream, defined in zip(open_ones, known, strict=True):
            gaps = [need.gap(defined) for need in stream.needs] if defined is not None else []
            yield from (gap for gap in gaps if gap is not None)

    def _defined(self, stream: ObjectStream) -> set[str] | None:
        """The names of a kind's properties, None where the token may not look at definitions."""
        try:
            return {each.name for each in self._facts.definitions(stream.kind)}
        except (MissingScope, Absent, Rejected):
            return None

    def _surfaces(self) -> tuple[frozenset[Surface], list[Gap]]:
        """Where everything is ready to be written, and why it is not elsewhere."""
        probes: dict[Surface, tuple[Callable[[], bool], str]] = {
            Surface.KPI_RECORDS: (self._has_records, ENTERPRISE),
            Surface.PERSON_FIELDS: (self._has_person_fields, USERS),
            Surface.LEAD_SCORES: (lambda: self._has_property(self._lead_kind, ours.SCORE), LEADS),
        }
        ready: set[Surface] = set()
        lacking: list[Gap] = []
        for surface, (probe, needs) in probes.items():
            try:
                if probe():
                    ready.add(surface)
                    continue
                reason, advice = "What it needs is not in this portal yet.", f"Run kpisync provision. {needs}"
            except (MissingScope, Rejected) as refusal:
                reason, advice = refusal.message, refusal.advice
            lacking.append(Gap(surface.value, reason, advice))
        return frozenset(ready), lacking

    def _has_records(self) -> bool:
        """After a downgrade a portal still shows the custom object, and lets nobody at its records. A new object is not
        known everywhere for some seconds; the writer waits for it."""
        kind = self._facts.kpi_object()
        if kind is None:
            return False
        with suppress(Absent, Rejected):
            self._portal.get(self._portal.paths.records(kind), "KPI records", {"limit": "1"})
        return True

    def _has_person_fields(self) -> bool:
        return any(each.name.startswith(ours.PREFIX) for each in self._facts.definitions("users"))

    def _has_property(self, kind: str, name: str) -> bool:
        try:
            self._portal.get(f"{self._portal.paths.properties(kind)}/{name}", f"property {name}")
        except Absent:
            return False
        return True

    def provision(self, kpis: Sequence[KpiField], *, dry_run: bool = False) -> Iterator[Provisioned | NotProvisioned]:
        return self._changing_surfaces(self._provisioner.provision(kpis, dry_run=dry_run))

    def unprovision(self, kpis: Sequence[KpiField], *, dry_run: bool = False) -> Iterator[Provisioned | NotProvisioned]:
        return self._changing_surfaces(self._provisioner.unprovision(kpis, dry_run=dry_run))

    def _changing_surfaces(
        self, work: Iterator[Provisioned | NotProvisioned]
    ) -> Iterator[Provisioned | NotProvisioned]:
        """Whatever comes of it, where our numbers can be shown is looked up again."""
        try:
            yield from work
        finally:
            self._notes.forget()

    def show(
        self, surface: Surface, keys: Sequence[str], fields: Sequence[str]
    ) -> Mapping[str, Mapping[str, FieldValue]]:
        """A scope or edition that went away since the look is an error once; the next look finds the gap."""
        try:
            return self._writer.show(surface, keys, fields)
        except MissingScope:
            self._notes.forget()
            raise

    def push(self, changes: Iterable[Change]) -> Iterator[Written | Refused]:
        """A refusal may mean that a property or a scope went away, so the next run looks again."""
        refused = False
        for outcome in self._writer.push(changes):
            if isinstance(outcome, Refused) and not refused:
                refused = True
                self._notes.forget()
            yield outcome

    def calls(self) -> int:
        return self._portal.transport.counters.requests

    def close(self) -> None:
        self._portal.close()


def connect(
    settings: HubSpotSettings,
    secrets: Secrets,
    *,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
    now: Callable[[], float] = time.time,
    store: Store | None = None,
    notebook: Notebook | None = None,
) -> HubSpotConnector:
    """A connector for this portal; nothing is sent before its first call.

    `secrets` gives TOKEN, or CLIENT_SECRET and REFRESH_TOKEN, by name; `store` keeps a refresh token that HubSpot
    exchanged for a new one, and is called before the new one is used. `notebook` keeps what was found out about the
    portal, so that the next process need not find it out again.
    """
    settings = checked(settings)
    pace = Pace(Day(settings.api_budget_share, settings.api_day_share), clock=clock, sleep=sleep)
    sign_in = StaticToken(settings, secrets) if settings.auth == "token" else OAuth(settings, secrets, store, clock)
    transport = Transport(
        settings.base_url,
        policy(),
        sign_in,
        code=CODE,
        pace=pace.before,
        sleep=sleep,
        on_response=pace.after,
        on_lost=pace.lost,
    )
    portal = Portal(transport, Paths(settings.api_version, settings.api_versions))
    scopes = Scopes(portal, lambda: sign_in.scopes(transport))
    notes = Notes(notebook or Blank())
    return HubSpotConnector(settings, portal, pace, scopes, lambda: sign_in.portal, notes, sleep=sleep, now=now)
