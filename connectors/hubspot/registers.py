"""The small tables that are read in full every time: owners, exchange rates, campaigns and deal splits.

HubSpot shows no reliable modification stamp for them (a user's new time zone does not touch the owner), and in full
they cost a few calls.
"""

from collections.abc import Iterator
from decimal import InvalidOperation
from typing import TypeVar

import msgspec

from connectors.contract import Page, Unread
from connectors.hubspot.answers import Absent, Rejected
from connectors.hubspot.facts import Facts
from connectors.hubspot.portal import BATCH, PAGE, SEARCH_PAGE, Portal, batches
from connectors.hubspot.settings import HubSpotMappings
from connectors.hubspot.wire import deals, people
from connectors.hubspot.wire.deals import CampaignRow, ExchangeRate, SplitOf
from connectors.hubspot.wire.shapes import Paging, Unclear
from kpi_engine.records import Record

T = TypeVar("T")

READ = "read"
"""The cursor of a table that is always read in full."""


class _Rates(msgspec.Struct, frozen=True):
    results: list[ExchangeRate] = []


class _Campaigns(msgspec.Struct, frozen=True):
    results: list[CampaignRow] = []
    paging: Paging | None = None


class _Splits(msgspec.Struct, frozen=True):
    results: list[SplitOf] = []


class RegisterReader:
    """Reads one portal's small tables, each as one whole page."""

    def __init__(self, portal: Portal, facts: Facts, mappings: HubSpotMappings) -> None:
        self._portal = portal
        self._facts = facts
        self._mappings = mappings

    def owners(self) -> Iterator[Page]:
        """Everyone, looked up anew: who joined or left counts from this pull on, also for the streams that follow."""
        self._facts.renew("owners", "users", "directory", "context")
        rows = people.reps(self._facts.owners(), self._facts.users(), self._mappings.managers)
        yield Page(stream="owners", rows=rows, cursor=READ, whole=("rep",), total=len(rows))

    def currencies(self) -> Iterator[Page]:
        home = self._facts.account().company_currency
        if not home:
            return
        try:
            found = self._portal.read(self._portal.paths.exchange_rates, "exchange rates", _Rates).results
        except Absent:  # a portal with one currency has no rates
            found = []
        rates, unread = [], []
        for one in found:
            try:
                rate = deals.rate(one, home)
            except (InvalidOperation, Unclear):
                unread.append(Unread("currencies", one.from_currency_code, "the rate is not a number"))
                continue
            if rate is not None:
                rates.append(rate)
        yield Page(stream="currencies", rows=rates, cursor=READ, whole=("rate",), unread=unread)

    def campaigns(self) -> Iterator[Page]:
        rows: list[Record] = []
        unread = []
        params = {"limit": str(PAGE), "properties": ",".join(deals.CAMPAIGN_PROPERTIES)}
        while True:
            page = self._portal.read(self._portal.paths.campaigns, "campaigns", _Campaigns, params)
            for one in page.results:
                try:
                    rows.append(deals.campaign(one))
                except Unclear as unclear:
                    unread.append(Unread("campaigns", one.id, str(unclear)))
            if not (page.paging and page.paging.next):
                break
            params["after"] = str(page.paging.next.after)
        yield Page(stream="campaigns", rows=rows, cursor=READ, whole=("campaign",), unread=unread)

    def deal_splits(self) -> Iterator[Page]:
        """One search for the deals that are split, then their splits; most portals have none and pay for the search."""
        path = self._portal.paths.deal_splits
        if path is None:
            return
        try:
            split = list(self._split_deals())
        except Rejected:  # an edition without splits does not define the property that is searched for
            split = []
        rows: list[Record] = []
        unread = []
        for part in batches(split, BATCH):
            body = {"inputs": [{"id": each} for each in part]}
            answer = self._portal.post(path, "deal splits", body)
            for one in msgspec.json.decode(answer, type=_Splits).results:
                try:
                    rows += deals.splits(one)
                except Unclear:
                    unread.append(Unread("deal_splits", one.id, "its splits cannot be understood"))
        yield Page(stream="deal_splits", rows=rows, cursor=READ, whole=("split",), unread=unread)

    def _split_deals(self) -> Iterator[str]:
        last = "0"
        while True:
            filters = [
                {"propertyName": "hs_is_deal_split", "operator": "EQ", "value": "true"},
                {"propertyName": "hs_object_id", "operator": "GT", "value": last},
            ]
            found = self._portal.search("deals", filters, sort="hs_object_id", limit=SEARCH_PAGE)
            yield from (row.id for row in found.rows)
            if found.total <= len(found.rows) or not found.rows:
                return
            last = found.rows[-1].id
