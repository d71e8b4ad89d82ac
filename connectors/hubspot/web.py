"""What people did on the company's website: form submissions and page views."""

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from datetime import UTC, datetime

import msgspec
from msgspec.structs import replace

from connectors.contract import Page, Unread
from connectors.hubspot.answers import MissingScope, Rejected
from connectors.hubspot.cursor import OVERLAP, REMEMBERED
from connectors.hubspot.notes import fresh
from connectors.hubspot.portal import Portal
from connectors.hubspot.wire import engagement
from connectors.hubspot.wire.engagement import Occurrences, Submission, Submissions
from connectors.hubspot.wire.shapes import Paging, Row, Unclear
from kpi_engine.records import Event

SUBMISSION_PAGE = 50
EVENT_PAGE = 100
AT_ONCE = 1000


class _Form(msgspec.Struct, frozen=True):
    id: str


class _Forms(msgspec.Struct, frozen=True):
    results: list[_Form] = []
    paging: Paging | None = None


class Mark(msgspec.Struct, frozen=True, omit_defaults=True):
    """newest   the newest moment that has been read
    seen     the ids of the five minutes before it, so that looking again does not bring them again
    """

    newest: int | None = None
    seen: tuple[str, ...] = ()

    @property
    def since(self) -> int | None:
        return None if self.newest is None else self.newest - OVERLAP

    def past(self, moments: Mapping[str, int], again: Container[str] = ()) -> "Mark":
        """The mark after these were read, too. Those in `again` are not remembered as seen."""
        newest = max([self.newest or 0, *moments.values()])
        known = self.seen if self.newest is not None and self.newest > newest - OVERLAP else ()
        late = [each for each, moment in moments.items() if moment > newest - OVERLAP and each not in again]
        return Mark(newest, tuple(dict.fromkeys([*known, *late]))[-REMEMBERED:])


class FormsCursor(msgspec.Struct, frozen=True, omit_defaults=True):
    """read  form → what has been read of it
    mark  what the contacts told of their submissions before every form was last read
    at    when that was
    """

    read: dict[str, "Mark"] = {}
    mark: str | None = None
    at: float = 0.0

    def page(self, events: Sequence[Event] = (), unread: Sequence[Unread] = ()) -> Page:
        return Page(stream="forms", rows=events, cursor=msgspec.json.encode(self).decode(), unread=unread)


class WebReader:
    """Reads one portal's web events. `now` is the time of day in seconds."""

    def __init__(self, portal: Portal, now: Callable[[], float]) -> None:
        self._portal = portal
        self._now = now

    def forms(self, cursor: str | None) -> Iterator[Page]:
        """Each form's submissions since the last look. A form that was begun and not finished is begun again.

        Every form costs a call, so first one search asks whether any contact sent one. After an hour all are read
        without asking."""
        begun = msgspec.json.decode(cursor, type=FormsCursor) if cursor else FormsCursor()
        mark, now = self._conversions(), self._now()
        if mark is not None and mark == begun.mark and fresh(begun.at, now):
            return
        read = dict(begun.read)
        for form in self._forms():
            known = read.get(form, Mark())
            sent = self._submissions(form, known)
            new = [one for one in sent if engagement.submission_id(form, one) not in known.seen]
            unknown: set[str] = set()
            for start in range(0, len(new), AT_ONCE):
                events, unread = self._submitted(form, new[start : start + AT_ONCE])
                unknown |= {one.id for one in unread}
                if start + AT_ONCE >= len(new):
                    moments = {engagement.submission_id(form, one): one.submitted_at for one in new}
                    read[form] = known.past(moments, unknown)
                yield replace(begun, read=dict(read)).page(events, unread)
        yield FormsCursor(read, mark, now).page()

    def _conversions(self) -> str | None:
        """Another one whenever a contact sends a form; None where the portal does not keep that."""
        sent = "recent_conversion_date"
        try:
            found = self._portal.search(
                "contacts",
                [{"propertyName": sent, "operator": "HAS_PROPERTY"}],
                sort=sent,
                descending=True,
                limit=1,
            )
        except (MissingScope, Rejected):
            return None
        return f"{found.total} {found.rows[0].properties.get(sent) if found.rows else ''}"

    def _forms(self) -> Iterator[str]:
        params = {"limit": "100"}
        while True:
            page = self._portal.read(self._portal.paths.forms, "forms", _Forms, params)
            yield from (form.id for form in page.results)
            if not (page.paging and page.paging.next):
                return
            params["after"] = str(page.paging.next.after)

    def _submissions(self, form: str, mark: Mark) -> Iterator[Submission]:
        """Newest first, down to what is known."""
        params = {"limit": str(SUBMISSION_PAGE)}
        while True:
            path = f"{self._portal.paths.submissions}/{form}"
            page = self._portal.read(path, "form submissions", Submissions, params)
            fresh = [one for one in page.results if mark.since is None or one.submitted_at > mark.since]
            yield from fresh
            if len(fresh) < len(page.results) or not (page.paging and page.paging.next):
                return
            params["after"] = str(page.paging.next.after)

    def _submitted(self, form: str, read: Sequence[Submission]) -> tuple[list[Event], list[Unread]]:
        """What people sent, and what nobody did whom the CRM knows: the person was deleted since, or, just after a
        form was sent, is not made yet."""
        contacts = self._contacts({one.email for one in read if one.email})
        events: list[Event] = []
        unread: list[Unread] = []
        for one in read:
            event = engagement.submission(form, one, contacts)
            if event is None:
                unread.append(
                    Unread("forms", engagement.submission_id(form, one), "no contact has its e-mail address (any more)")
                )
            else:
                events.append(event)
        return events, unread

    def _contacts(self, emails: set[str]) -> dict[str, str]:
        """E-mail address → contact; an address may be a contact's second one."""
        asked = sorted(email for email in emails if "@" in email)
        properties = ["email", "hs_additional_emails"]
        rows = self._portal.batch_read("contacts", asked, properties, id_property="email").rows
        return {email: row.id for row in rows for email in _addresses(row)}

    def page_views(self, cursor: str | None) -> Iterator[Page]:
        """Every visited page of a contact, oldest first, so that the newest one read is where to go on."""
        mark = msgspec.json.decode(cursor, type=Mark) if cursor else Mark()
        params = {
            "objectType": "contact",
            "eventType": "e_visited_page",
            "sort": "occurredAt",
            "limit": str(EVENT_PAGE),
        }
        if mark.since is not None:
            params["occurredAfter"] = iso(mark.since)
        while True:
            page = self._portal.read(self._portal.paths.event_occurrences, "page views", Occurrences, params)
            events: list[Event] = []
            unread: list[Unread] = []
            for one in (each for each in page.results if each.id not in mark.seen):
                try:
                    events.append(engagement.page_view(one))
                except Unclear as unclear:
                    unread.append(Unread("page_views", one.id, str(unclear)))
            if events or unread:
                mark = mark.past({event.id: event.modified for event in events})
                yield Page(stream="page_views", rows=events, cursor=msgspec.json.encode(mark).decode(), unread=unread)
            if not (page.paging and page.paging.next):
                return
            params["after"] = str(page.paging.next.after)


def _addresses(row: Row) -> list[str]:
    more = (row.properties.get("hs_additional_emails") or "").split(";")
    return [each.strip().lower() for each in (row.properties.get("email") or "", *more) if each.strip()]


def iso(at: int) -> str:
    """A moment as HubSpot's query parameters take it."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
