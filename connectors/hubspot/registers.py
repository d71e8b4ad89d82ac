"""The small tables that are read in full: owners, exchange rates, campaigns and deal splits.

HubSpot shows no modification stamp that could be relied on for all of it (a user's new time zone does not touch the
owner, a new team not the user). So one cheap question says whether something is new, and after an hour the table is
read without asking.
"""

import zlib
from collections.abc import Callable, Iterator
from decimal import InvalidOperation
from typing import TypeVar

import msgspec

from connectors.contract import Page, Unread
from connectors.errors import Unreachable
from connectors.hubspot.answers import Absent, MissingScope, Rejected
from connectors.hubspot.facts import Facts
from connectors.hubspot.notes import fresh
from connectors.hubspot.portal import BATCH, PAGE, SEARCH_PAGE, Found, Portal, batches, decoded
from connectors.hubspot.settings import HubSpotMappings
from connectors.hubspot.streams import MODIFIED
from connectors.hubspot.wire import deals, people
from connectors.hubspot.wire.deals import CampaignRow, ExchangeRate, SplitOf
from connectors.hubspot.wire.shapes import Paging, Unclear, row_errors
from kpi_engine.records import Record

T = TypeVar("T")

IS_SPLIT = {"propertyName": "hs_is_deal_split", "operator": "EQ", "value": "true"}


class Seen(msgspec.Struct, frozen=True):
    """The cursor of such a table: when it was read, and what the cheap question was answered with before that."""

    at: float
    mark: str | None = None

    def text(self) -> str:
        return msgspec.json.encode(self).decode()


NEVER = Seen(0.0)


def seen_of(cursor: str | None) -> Seen:
    try:
        return msgspec.json.decode(cursor, type=Seen) if cursor else NEVER
    except msgspec.DecodeError:  # older versions kept no more than that they had been there
        return NEVER


class _Rates(msgspec.Struct, frozen=True):
    results: list[ExchangeRate] = []


class _Campaigns(msgspec.Struct, frozen=True):
    total: int | None = None
    results: list[CampaignRow] = []
    paging: Paging | None = None


class _Splits(msgspec.Struct, frozen=True):
    results: list[SplitOf] = []
    errors: list[msgspec.Raw] = []


class RegisterReader:
    """Reads one portal's small tables, each as one whole page, or as none where nothing is new. `now` is the time of
    day in seconds."""

    def __init__(self, portal: Portal, facts: Facts, mappings: HubSpotMappings, now: Callable[[], float]) -> None:
        self._portal = portal
        self._facts = facts
        self._mappings = mappings
        self._now = now

    def owners(self, cursor: str | None) -> Iterator[Page]:
        """Everyone, looked up anew: who joined or left counts from this pull on, also for the streams that follow."""
        seen, now = seen_of(cursor), self._now()
        mark = self._users_mark()
        if mark is not None and mark == seen.mark and fresh(seen.at, now):
            return
        self._facts.renew("owners", "users", "directory", "context")
        rows = people.reps(self._facts.owners(), self._facts.users(), self._mappings.managers)
        yield Page(stream="owners", rows=rows, cursor=Seen(now, mark).text(), whole=("rep",), total=len(rows))

    def _users_mark(self) -> str | None:
        """Another one whenever a CRM user was made, changed or removed, or the settings name other managers."""
        try:
            newest = self._portal.search("users", [], sort=MODIFIED, descending=True, limit=1)
        except (MissingScope, Absent, Rejected):
            return None
        managers = zlib.crc32(repr(sorted(self._mappings.managers.items())).encode())
        return f"{_mark(newest)} {managers}"

    def currencies(self, cursor: str | None) -> Iterator[Page]:
        """Rates are changed by hand and seldom, and nothing tells of it: they are read once an hour."""
        now = self._now()
        if fresh(seen_of(cursor).at, now):
            return
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
        yield Page(stream="currencies", rows=rates, cursor=Seen(now).text(), whole=("rate",), unread=unread)

    def campaigns(self, cursor: str | None) -> Iterator[Page]:
        """The hundred that changed last tell whether something is new; where there are no more, they are the table."""
        seen, now = seen_of(cursor), self._now()
        params = {"limit": str(PAGE), "properties": ",".join(deals.CAMPAIGN_PROPERTIES)}
        newest = self._campaigns({**params, "sort": "-updatedAt"})
        mark = f"{newest.total} {max((one.updated_at or '' for one in newest.results), default='')}"
        all_here = _after(newest.paging) is None
        if not all_here and newest.total is not None and mark == seen.mark and fresh(seen.at, now):
            return
        listed = newest.results if all_here else list(self._every_campaign(params))
        rows: list[Record] = []
        unread = []
        for one in listed:
            try:
                rows.append(deals.campaign(one))
            except Unclear as unclear:
                unread.append(Unread("campaigns", one.id, str(unclear)))
        yield Page(stream="campaigns", rows=rows, cursor=Seen(now, mark).text(), whole=("campaign",), unread=unread)

    def _every_campaign(self, params: dict[str, str]) -> Iterator[CampaignRow]:
        """In the order in which they were made, which does not change while we turn the pages."""
        after: str | None = None
        while True:
            page = self._campaigns(params if after is None else {**params, "after": after})
            yield from page.results
            after = _after(page.paging)
            if after is None:
                return

    def _campaigns(self, params: dict[str, str]) -> _Campaigns:
        return self._portal.read(self._portal.paths.campaigns, "campaigns", _Campaigns, params)

    def deal_splits(self, cursor: str | None) -> Iterator[Page]:
        """One search for the deals that are split, then their splits; most portals have none and pay for the search."""
        path = self._portal.paths.deal_splits
        seen, now = seen_of(cursor), self._now()
        try:
            newest = self._portal.search("deals", [IS_SPLIT], sort=MODIFIED, descending=True, limit=SEARCH_PAGE)
        except Rejected:  # an edition without splits does not define the property that is searched for
            newest = Found(0, [])
        mark = _mark(newest)
        if mark == seen.mark and fresh(seen.at, now):
            return
        all_here = newest.total <= len(newest.rows)
        split = [row.id for row in newest.rows] if all_here else list(self._split_deals())
        rows: list[Record] = []
        unread = []
        for part in batches(split, BATCH):
            body = {"inputs": [{"id": each} for each in part]}
            answer = decoded(self._portal.post(path, "deal splits", body), _Splits, "deal splits")
            _all_told(answer)
            for one in answer.results:
                try:
                    rows += deals.splits(one)
                except Unclear:
                    unread.append(Unread("deal_splits", one.id, "its splits cannot be understood"))
        yield Page(stream="deal_splits", rows=rows, cursor=Seen(now, mark).text(), whole=("split",), unread=unread)

    def _split_deals(self) -> Iterator[str]:
        last = "0"
        while True:
            filters = [IS_SPLIT, {"propertyName": "hs_object_id", "operator": "GT", "value": last}]
            found = self._portal.search("deals", filters, sort="hs_object_id", limit=SEARCH_PAGE)
            yield from (row.id for row in found.rows)
            if found.total <= len(found.rows) or not found.rows:
                return
            last = found.rows[-1].id


def _all_told(answer: _Splits) -> None:
    """The table is taken as whole, so a deal whose splits HubSpot failed to give would lose them."""
    failed = next((error for error in row_errors(answer.errors) if not error.nothing_there), None)
    if failed is not None:
        raise Unreachable(
            "KPI-HS-030",
            f"HubSpot could not give the splits of every deal ({failed.category or 'no reason given'}).",
            "The next run goes on from here; see status.hubspot.com if it lasts.",
        )


def _mark(newest: Found) -> str:
    """How many there are, and the stamp of the one that changed last."""
    return f"{newest.total} {max((row.properties.get(MODIFIED) or '' for row in newest.rows), default='')}"


def _after(paging: Paging | None) -> str | None:
    return str(paging.next.after) if paging and paging.next else None
