"""Reads a stream: asks for what changed, follows the pages, and survives a page that can no longer be fetched."""

import logging
import re
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec

from connectors.contract import Page
from connectors.errors import NotAllowed
from connectors.salesforce import bulk, whole
from connectors.salesforce.answers import QueryBroken, gave_up
from connectors.salesforce.cursor import Cursor, condition
from connectors.salesforce.landing import Landing
from connectors.salesforce.org import Org
from connectors.salesforce.rows import Answer, Row
from connectors.salesforce.sources import Source, asked_fields, sources, splits_are_visible, stamp_field

log = logging.getLogger("kpisync.salesforce")

NO_SUCH_COLUMN = re.compile(r"No such column '(\w+)'")

SMALLER = (2000, 500, 200)
"""How many rows to ask for at a time when Salesforce gives up on a whole query."""

CHECK_EVERY = timedelta(days=1)
"""How often the log of deletions is compared: it only adds what the recycle bin no longer shows."""

RESTARTS = 5
"""How often a pass is asked anew without having got any further."""


class Reader:
    """Reads the streams of one org."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._landing = Landing(org)
        self._sources = {source.stream: source for source in sources(org.settings.mappings)}
        self._counts: dict[str, int] | None = None
        self._lock = threading.Lock()

    def streams(self) -> tuple[str, ...]:
        """What can be read here: every object that is visible with the fields that it cannot do without."""
        return tuple(source.stream for source in self._sources.values() if self._readable(source))

    def _readable(self, source: Source) -> bool:
        visible = self._org.fields(source.sobject)
        known = bool(visible) and set(source.needs) <= visible.keys()
        match source.stream:
            case "splits":
                return known and splits_are_visible(self._org.fields)
            case "quotas":
                return known and "EndDate" in self._org.fields("Period")  # else every quota would be a month's
        return known

    def read(self, stream: str, cursor: str | None) -> Iterator[Page]:
        """Everything of a stream since `cursor`, page by page; each page carries where to go on."""
        source = self._sources.get(stream)
        if source is None or not self._readable(source):
            raise NotAllowed(
                "KPI-SF-033",
                f"The Salesforce stream {stream!r} cannot be read here.",
                "Run `kpisync doctor`: it names what this user may not see.",
            )
        if source.whole:
            yield whole.page(self._org, source, cursor)
            return
        begun = self._going_on(source, Cursor.read(cursor))
        total: int | None = None
        reached = begun
        for answer, reached in self._by_bulk_or_query(source, begun):
            total = answer.total if total is None else total
            yield self._landing.page(source, answer, reached.text, total, first_load=cursor is None)
        if source.all_rows and reached.due(CHECK_EVERY):
            yield self._vanished(source, reached)

    def _going_on(self, source: Source, cursor: Cursor) -> Cursor:
        """Where to go on: at the beginning again once more is to be seen of the rows than when they were read."""
        asks = self._landing.asks(source)
        going_on = cursor.asking(asks)
        if going_on.fresh and not cursor.fresh:
            log.info(
                "salesforce.read_again", extra={"stream": source.stream, "new": sorted(asks - {*(cursor.asked or ())})}
            )
            if cursor.job:
                bulk.clear_away(self._org, bulk.address_of(self._org, cursor.job))
        return going_on

    def _vanished(self, source: Source, cursor: Cursor) -> Page:
        """What was deleted and left the recycle bin between two passes, by Salesforce's log of deletions."""
        assert cursor.checked is not None
        assert cursor.since is not None
        gone = self._landing.vanished(source, cursor.checked, cursor.since)
        checked = msgspec.structs.replace(cursor, checked=cursor.since)
        return Page(stream=source.stream, rows=(), cursor=checked.text, gone=gone)

    def _by_bulk_or_query(self, source: Source, cursor: Cursor) -> Iterator[tuple[Answer[Row], Cursor]]:
        """A large object's first load goes by Bulk where Salesforce lets it, all else by the ordinary query."""
        if not (cursor.job or (cursor.fresh and self._is_large(source))):
            yield from self._pass(source, cursor)
            return
        try:
            if cursor.job is None:
                job, asked_at = bulk.start(self._org, self._select(source, frozenset()), all_rows=source.all_rows)
                cursor = msgspec.structs.replace(cursor, job=job, until=self._next_start(asked_at))
                yield Answer([], None, None), cursor  # once this is kept, a killed run goes on with this very job
            yield from bulk.parts(self._org, cursor, self._landing.shape(source), source.stream)
        except bulk.BulkRefused:
            yield from self._pass(source, Cursor(checked=cursor.checked, asked=cursor.asked))

    def _is_large(self, source: Source) -> bool:
        with self._lock:
            if self._counts is None:
                self._counts = bulk.row_counts(self._org, tuple(source.sobject for source in self._sources.values()))
        return self._counts.get(source.sobject, 0) >= self._org.settings.bulk_from

    def _pass(self, source: Source, cursor: Cursor) -> Iterator[tuple[Answer[Row], Cursor]]:
        """One pass over what changed: every page with the place after it."""
        hidden: set[str] = set()
        sizes: tuple[int | None, ...] = (None, *SMALLER)
        size, restarts = 0, 0
        while True:
            before = cursor
            try:
                for answer, cursor in self._query(source, cursor, frozenset(hidden), sizes[size]):  # noqa: B020
                    yield answer, cursor
                if sizes[size] is None or cursor.at is None:
                    return
            except QueryBroken as broken:
                restarts = 0 if cursor != before else restarts + 1
                if restarts > RESTARTS:
                    raise gave_up(broken, f"the query of {source.sobject}") from None
                if broken.complaint.code in {"INVALID_FIELD", "INVALID_TYPE"}:
                    self._org.visible.doubt()
                match broken.complaint.code:
                    case "INVALID_FIELD":
                        hidden.add(_named_column(source, broken, hidden))
                    case "QUERY_TIMEOUT" | "QUERY_TOO_COMPLICATED" if size + 1 < len(sizes):
                        size += 1
                    case "INVALID_QUERY_LOCATOR":
                        pass  # asked anew from the last row that was handed over
                    case _:
                        raise gave_up(broken, f"the query of {source.sobject}") from None

    def _query(
        self, source: Source, cursor: Cursor, hidden: frozenset[str], limit: int | None
    ) -> Iterator[tuple[Answer[Row], Cursor]]:
        """One query and its pages. With a `limit` the pass is over only when a query brings nothing."""
        soql = self._soql(source, cursor, hidden, limit)
        shape = self._landing.shape(source)
        answer, asked_at = self._org.query(soql, shape, source.stream, all_rows=source.all_rows)
        if cursor.until is None:
            cursor = msgspec.structs.replace(cursor, until=self._next_start(asked_at))
        while True:
            last = answer.more is None and (limit is None or cursor.past(answer.rows) == cursor)
            cursor = cursor.finished() if last else cursor.past(answer.rows)
            yield answer, cursor
            if answer.more is None:
                return
            answer = self._org.more(answer.more, shape, source.stream)

    def _next_start(self, asked_at: datetime) -> datetime:
        # No upper bound in the query: it would put off a change of this very second to the next run.
        start = asked_at - timedelta(minutes=self._org.settings.overlap_minutes)
        return start.replace(microsecond=0)

    def _select(self, source: Source, hidden: frozenset[str]) -> str:
        visible = self._org.fields(source.sobject)
        asked = [name for name in asked_fields(self._landing.shape(source), visible) if name not in hidden]
        return f"SELECT {', '.join(asked)} FROM {source.sobject}"  # noqa: S608

    def _soql(self, source: Source, cursor: Cursor, hidden: frozenset[str], limit: int | None) -> str:
        visible = self._org.fields(source.sobject)
        stamp = stamp_field({name: field for name, field in visible.items() if name not in hidden})
        where = condition(stamp, cursor) if stamp else ""
        order = f"{stamp} ASC, Id ASC" if stamp else "Id ASC"
        at_most = f" LIMIT {limit}" if limit else ""
        return f"{self._select(source, hidden)}{where} ORDER BY {order}{at_most}"


def _named_column(source: Source, broken: QueryBroken, hidden: set[str]) -> str:
    """The field that Salesforce will not show after all (it names one at a time)."""
    named = NO_SUCH_COLUMN.search(broken.complaint.message)
    if named is None or named[1] in hidden or named[1] in {"Id", *source.needs}:
        raise gave_up(broken, f"the query of {source.sobject}") from None
    return named[1]
