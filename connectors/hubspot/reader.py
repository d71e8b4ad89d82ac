"""Reading CRM records: a first load by plain lists, afterwards only what changed, and what was archived or merged.

Lists have no ceiling but know no filter; a search filters but stops at ten thousand rows and lags some seconds. So the
list is for the beginning, and a search finds the ids of what changed, which are then read in batches. Within one search
the rows are walked by id, never by time: after a bulk edit thousands of rows share one stamp.
"""

import logging
from collections.abc import Callable, Iterator, Sequence

from msgspec.structs import replace

from connectors.contract import Page, Unread
from connectors.hubspot.answers import MissingScope
from connectors.hubspot.cursor import OVERLAP, REMEMBERED, Cursor, cursor_of, within
from connectors.hubspot.facts import Facts
from connectors.hubspot.history import with_history
from connectors.hubspot.leads import LeadRecords
from connectors.hubspot.portal import SEARCH_PAGE, Found, Portal
from connectors.hubspot.settings import HubSpotMappings
from connectors.hubspot.streams import CONTACTS, ObjectStream
from connectors.hubspot.wire import activities, deals, people
from connectors.hubspot.wire.shapes import BadRow, Row, Unclear, merged_ids, millis, modified
from kpi_engine.records import Link, Millis, Record

log = logging.getLogger("kpisync.hubspot")

ABSORBED_AT_ONCE = 1000
"""Records in one page of ours: one batch of associations, one transaction of the cache."""

Translate = Callable[[Row, bool], list[Record]]


class ObjectReader:
    """Reads one portal's CRM records as our pages."""

    def __init__(self, portal: Portal, facts: Facts, mappings: HubSpotMappings) -> None:
        self._portal = portal
        self._facts = facts
        self._mappings = mappings
        self._leads = LeadRecords(portal, facts)

    def read(self, stream: ObjectStream, cursor: str | None) -> Iterator[Page]:
        """Everything since `cursor`, and what was archived; no page at all where one search shows nothing new."""
        at = cursor_of(cursor)
        if at.loaded and self._shows_more(stream, at):
            log.info("hubspot.read_again", extra={"stream": stream.name})
            at = Cursor()
        for page in self._changes(stream, at) if at.loaded else self._load(stream, at):
            at = cursor_of(page.cursor)
            yield page
        if at.due:
            yield self._archived(stream, at)

    def _shows_more(self, stream: ObjectStream, at: Cursor) -> bool:
        """Whether the portal is known to show a property now that it did not show before: what was read without it has
        blanks that nobody could tell from zeros."""
        return any(each.name in at.lacked for each in self._facts.known_definitions(stream.kind))

    def _load(self, stream: ObjectStream, at: Cursor) -> Iterator[Page]:
        total = None
        if at.after is None:
            newest = self._newest(stream, limit=1)
            total = newest.total
            at = replace(at, newest=max(_stamps(newest.rows, stream), default=0), total=total)
        rows: list[Row] = []
        bad: list[BadRow] = []
        for listed in self._portal.pages(stream.kind, self._wanted(stream), after=at.after):
            rows += listed.results
            bad += listed.bad
            recent = at.recent + within(_stamps(listed.results, stream), at.newest)
            last = listed.after is None
            at = replace(at, after=listed.after, recent=recent, loaded=last, due=last)
            if len(rows) >= ABSORBED_AT_ONCE or last:
                yield self._page(stream, rows, at, bad=bad, total=total)
                rows, bad = [], []

    def _newest(self, stream: ObjectStream, limit: int = SEARCH_PAGE) -> Found:
        """The records that changed last, and how many there are in all."""
        return self._portal.search(stream.kind, [], sort=stream.stamp, descending=True, limit=limit)

    def _changes(self, stream: ObjectStream, at: Cursor) -> Iterator[Page]:
        if at.until is not None:
            yield from self._walk(stream, at)
            return
        found = self._newest(stream)
        stamps = _stamps(found.rows, stream)
        newest = max([at.newest, *stamps])
        recent = sum(1 for stamp in stamps if stamp >= at.since)
        all_here = recent < len(stamps) or found.total <= len(stamps)
        if not all_here:
            recent = self._portal.search(stream.kind, [_at_least(stream, at.since)], sort=stream.stamp, limit=1).total
        if (newest, recent, found.total) == (at.newest, at.recent, at.total):
            return
        if all_here:
            ids = [row.id for row, stamp in zip(found.rows, stamps, strict=True) if stamp >= at.since]
            at = replace(at, newest=newest, recent=within(stamps, newest), total=found.total, due=True)
            yield self._changed(stream, ids, at, len(ids))
        else:
            yield from self._walk(stream, replace(at, until=newest, last="0", recent=0, total=found.total))

    def _walk(self, stream: ObjectStream, at: Cursor) -> Iterator[Page]:
        """What changed in the window that ends at `at.until`, by ascending id, however many rows there are."""
        until = at.until
        assert until is not None
        ids: list[str] = []
        total = None
        while True:
            window = [
                _at_least(stream, at.since),
                {"propertyName": stream.stamp, "operator": "LTE", "value": str(until)},
                {"propertyName": "hs_object_id", "operator": "GT", "value": at.last},
            ]
            found = self._portal.search(stream.kind, window, sort="hs_object_id", limit=SEARCH_PAGE)
            total = found.total if total is None else total
            ids += [row.id for row in found.rows]
            recent = at.recent + within(_stamps(found.rows, stream), until)
            at = replace(at, recent=recent, last=found.rows[-1].id if found.rows else at.last)
            if found.total <= len(found.rows) or not found.rows:
                break
            if len(ids) >= ABSORBED_AT_ONCE:
                yield self._changed(stream, ids, at, total)
                ids = []
        done = replace(at, newest=until, until=None, last="0", due=True)
        yield self._changed(stream, ids, done, total)

    def _changed(self, stream: ObjectStream, ids: Sequence[str], at: Cursor, total: int | None) -> Page:
        batch = self._portal.batch_read(stream.kind, ids, self._wanted(stream))
        vanished = self._vanished(stream, ids, batch.rows, batch.bad)
        return self._page(stream, batch.rows, at, bad=batch.bad, total=total, changed=True, gone=vanished)

    def _vanished(
        self, stream: ObjectStream, ids: Sequence[str], rows: Sequence[Row], bad: Sequence[BadRow]
    ) -> list[tuple[str, str]]:
        """Those that the search still knew and the read no longer did: deleted in between. A merged one is answered
        by the record that it was merged into, which names it."""
        answered = {row.id for row in rows} | {one.id for one in bad}
        answered.update(each for row in rows for each in merged_ids(row))
        return [(stream.record, each) for each in ids if each not in answered]

    def _archived(self, stream: ObjectStream, at: Cursor) -> Page:
        """What was archived since the last look, as deleted records."""
        rows: list[Row] = []
        bad: list[BadRow] = []
        moments: dict[str, int] = {}
        for listed in self._portal.pages(stream.kind, self._wanted(stream), archived=True):
            bad += listed.bad
            for row in listed.results:
                moments[row.id] = moment = millis(row.archived_at, "archivedAt") if row.archived_at else at.archived
                if moment >= at.archived - OVERLAP and row.id not in at.gone:
                    rows.append(replace(row, archived=True))
        newest = max([at.archived, *moments.values()])
        recent = sorted(each for each, moment in moments.items() if moment >= newest - OVERLAP)
        gone = tuple(recent) if len(recent) <= REMEMBERED else ()
        done = replace(at, archived=newest, gone=gone, due=False)
        return self._page(stream, rows, done, bad=bad, changed=True, linked=False)

    def _wanted(self, stream: ObjectStream) -> list[str]:
        names = self._facts.defined(stream.kind, stream.wanted)
        return [name for name in names if name != deals.ASSIGNED or self._facts.kept_by_hubspot(stream.kind, name)]

    def _lacked(self, stream: ObjectStream, at: Cursor) -> tuple[str, ...]:
        defined = self._facts.defined(stream.kind, stream.wanted)
        return tuple(sorted({*at.lacked, *(name for name in stream.wanted if name not in defined)}))

    def _page(
        self,
        stream: ObjectStream,
        rows: Sequence[Row],
        at: Cursor,
        *,
        bad: Sequence[BadRow],
        total: int | None = None,
        changed: bool = False,
        gone: Sequence[tuple[str, str]] = (),
        linked: bool = True,
    ) -> Page:
        translate = self._translation(stream, rows)
        records: list[Record] = []
        unread = [Unread(stream.name, one.id, one.reason) for one in bad]
        vanished = list(gone)
        told, missed = with_history(self._portal, self._facts, stream.kind, rows)
        unread += [Unread(stream.name, one.id, one.reason) for one in missed]
        for row in told:
            try:
                translated = translate(row, changed)
            except Unclear as unclear:
                if row.archived:  # however unclear it is, it is gone
                    vanished.append((stream.record, row.id))
                else:
                    unread.append(Unread(stream.name, row.id, str(unclear)))
                continue
            records += translated
            if not translated and changed:
                vanished.append((stream.record, row.id))
            if stream.record in {"interaction", "task"}:
                vanished += [(stream.record, each) for each in merged_ids(row)]
        if stream is CONTACTS and changed and self._mappings.leads == "leads_object":
            records += self._leads.of_contacts([row.id for row in rows])
        at = replace(at, lacked=self._lacked(stream, at))
        links, relinked, untold = self._links(stream, rows) if linked else ([], [], [])
        unread += untold
        return Page(
            stream=stream.name,
            rows=[*records, *links],
            cursor=at.text(),
            gone=vanished,
            relinked=relinked,
            unread=unread,
            total=total,
        )

    def _translation(self, stream: ObjectStream, rows: Sequence[Row]) -> Translate:
        facts = self._facts
        match stream.name:
            case "contacts":
                leads = self._mappings.leads == "contacts"
                return lambda row, changed: people.contact(row, changed=changed, leads=leads)
            case "leads":
                return self._leads.translation(rows)
            case "deals":
                stages = facts.stages()
                return lambda row, _: deals.deal(row, stages)
            case "goals":
                directory = facts.directory()
                return lambda row, _: deals.quota(row, directory, self._mappings.revenue_goals)
            case name:
                context = facts.context()
                activity = ACTIVITIES[name]
                return lambda row, _: [activity(row, context)]

    def _links(
        self, stream: ObjectStream, rows: Sequence[Row]
    ) -> tuple[list[Link], list[tuple[str, str, str]], list[Unread]]:
        """What hangs on these records now; links that they had before and no longer have are replaced. Where HubSpot
        failed to tell, a record keeps those that it had, and is named."""
        links: list[Link] = []
        relinked: list[tuple[str, str, str]] = []
        untold: list[Unread] = []
        if stream.link_as is None:
            return links, relinked, untold
        stamps = {row.id: _stamp(row, stream) for row in rows}
        for kind, end in stream.links:
            try:
                found = self._portal.associations(stream.kind, kind, list(stamps))
            except MissingScope as closed:
                log.warning("hubspot.links_closed", extra={"stream": stream.name, "to": kind, "why": closed.code})
                continue
            untold += [Unread(stream.name, one, f"HubSpot failed to tell its {kind}") for one in sorted(found.untold)]
            relinked += [(stream.link_as, one, end) for one in stamps if one not in found.untold]
            links += [
                Link(
                    id=f"{stream.link_as}:{one}:{end}:{other}",
                    modified=stamps[one],
                    from_kind=stream.link_as,
                    from_id=one,
                    to_kind=end,
                    to_id=other,
                )
                for one, others in found.of.items()
                if one in stamps
                for other in others
            ]
        return links, relinked, untold


ACTIVITIES: dict[str, Callable[[Row, activities.Context], Record]] = {
    "calls": activities.call,
    "emails": activities.email,
    "meetings": activities.meeting,
    "communications": activities.communication,
    "tasks": activities.task,
}


def _at_least(stream: ObjectStream, since: int) -> dict[str, str]:
    return {"propertyName": stream.stamp, "operator": "GTE", "value": str(since)}


def _stamps(rows: Sequence[Row], stream: ObjectStream) -> list[int]:
    return [_stamp(row, stream) for row in rows]


def _stamp(row: Row, stream: ObjectStream) -> Millis:
    try:
        return modified(row, stream.stamp)
    except Unclear:
        return Millis(0)
