"""A company in neutral words, before a pretend CRM gives it its own shapes and ids.

`key` names a thing within its kind. Moments are aware datetimes in UTC; plain dates are dates. What one CRM cannot hold
(a click in Salesforce, a revenue split in a small portal) that CRM leaves out, as the real one would.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal


@dataclass(frozen=True)
class Seller:
    """A user of the CRM. kind: person | queue | robot (an integration user, not a person)."""

    key: str
    name: str
    email: str
    manager: str | None = None
    team: str | None = None
    time_zone: str = "UTC"
    active: bool = True
    kind: str = "person"
    created: datetime | None = None


@dataclass(frozen=True)
class Prospect:
    """A person outside the company. `is_lead`: came in as a lead; otherwise only a contact (of a customer, say).

    status        new | working | qualified | unqualified
    converted     became an opportunity; `deal` is the deal of the conversion, if there was one
    opted_out     when they opted out of e-mail; `opted_out_undated`: they did, and nobody knows when
    merged_into   was a duplicate of that prospect
    deleted       is in the recycle bin
    """

    key: str
    name: str
    email: str
    company: str
    owner: str | None
    created: datetime
    is_lead: bool = True
    channel: str | None = None
    status: str = "new"
    qualified: datetime | None = None
    converted: datetime | None = None
    deal: str | None = None
    opted_out: datetime | None = None
    opted_out_undated: bool = False
    bounced: datetime | None = None
    merged_into: str | None = None
    deleted: bool = False


@dataclass(frozen=True)
class Email:
    """direction: out | in | forwarded (a copy sent to the CRM; Salesforce has none).
    status: sent | bounced | draft | scheduled | failed.

    noted_only   logged by hand as an activity; the CRM has no message of it (Salesforce: a Task without EmailMessage)
    """

    key: str
    seller: str | None
    people: tuple[str, ...]
    deals: tuple[str, ...]
    direction: str
    at: datetime
    subject: str
    thread: str | None
    message_id: str
    status: str = "sent"
    tracked: bool = False
    opens: tuple[datetime, ...] = ()
    clicks: tuple[datetime, ...] = ()
    out_of_office: bool = False
    noted_only: bool = False
    deleted: bool = False


@dataclass(frozen=True)
class Call:
    """direction: out | in | internal | None. outcome: a label such as Connected or Busy, None if nobody noted one.

    status: completed | planned | cancelled | failed.
    """

    key: str
    seller: str | None
    people: tuple[str, ...]
    deals: tuple[str, ...]
    at: datetime
    direction: str | None = "out"
    outcome: str | None = None
    seconds: int | None = None
    status: str = "completed"
    external_id: str | None = None
    deleted: bool = False


@dataclass(frozen=True)
class Message:
    """A text message: channel SMS | WHATS_APP | LINKEDIN_MESSAGE."""

    key: str
    seller: str | None
    people: tuple[str, ...]
    deals: tuple[str, ...]
    at: datetime
    channel: str = "SMS"
    deleted: bool = False


@dataclass(frozen=True)
class Meeting:
    """outcome: completed | scheduled | rescheduled | no_show | cancelled | None."""

    key: str
    seller: str | None
    people: tuple[str, ...]
    deals: tuple[str, ...]
    start: datetime
    end: datetime
    booked: datetime
    outcome: str | None = None
    deleted: bool = False


@dataclass(frozen=True)
class Todo:
    """A planned next step."""

    key: str
    seller: str | None
    people: tuple[str, ...]
    deals: tuple[str, ...]
    created: datetime
    due: date | None = None
    done: datetime | None = None
    deleted: bool = False


@dataclass(frozen=True)
class Sale:
    """A deal. stage: open | won | lost. `owners`: (from moment, seller) in order, the last one is today's.

    `closed` is the close date; for an open deal the expected one. `splits`: (seller, percent).
    """

    key: str
    name: str
    owners: tuple[tuple[datetime, str | None], ...]
    created: datetime
    stage: str
    closed: date
    closed_at: datetime | None = None
    amount: Decimal | None = None
    currency: str | None = None
    account: str | None = None
    channel: str | None = None
    campaign: str | None = None
    people: tuple[str, ...] = ()
    splits: tuple[tuple[str, Decimal], ...] = ()
    deleted: bool = False

    @property
    def owner(self) -> str | None:
        """Today's owner."""
        return self.owners[-1][1]


@dataclass(frozen=True)
class Promotion:
    """A marketing campaign. `responses`: (prospect, moment): who answered it."""

    key: str
    name: str
    owner: str | None
    starts: date
    cost: Decimal | None
    currency: str | None = None
    responses: tuple[tuple[str, datetime], ...] = ()


@dataclass(frozen=True)
class Allotment:
    """A seller's revenue quota for the month, quarter or year [starts, ends)."""

    seller: str
    starts: date
    ends: date
    amount: Decimal


@dataclass(frozen=True)
class Submission:
    """A filled-in web form."""

    prospect: str
    form: str
    at: datetime


@dataclass(frozen=True)
class Visit:
    """A page view."""

    prospect: str
    at: datetime
    url: str


@dataclass(frozen=True)
class ExchangeRate:
    """One unit of home currency buys `rate` of `currency` from that day on."""

    currency: str
    starts: date
    rate: Decimal


@dataclass(frozen=True)
class World:
    """Everything there is. `now` is the moment at which the seed was made; nothing in it is later except plans."""

    name: str
    now: datetime
    time_zone: str = "UTC"
    currency: str = "USD"
    fiscal_year_start: int = 1
    sellers: tuple[Seller, ...] = ()
    prospects: tuple[Prospect, ...] = ()
    emails: tuple[Email, ...] = ()
    calls: tuple[Call, ...] = ()
    messages: tuple[Message, ...] = ()
    meetings: tuple[Meeting, ...] = ()
    todos: tuple[Todo, ...] = ()
    sales: tuple[Sale, ...] = ()
    promotions: tuple[Promotion, ...] = ()
    allotments: tuple[Allotment, ...] = ()
    submissions: tuple[Submission, ...] = ()
    visits: tuple[Visit, ...] = ()
    rates: tuple[ExchangeRate, ...] = field(default=())
