"""The records that KPIs are made of: what a connector hands over, the cache keeps and the engine reads.

One frozen struct a kind; its fields are the columns, in order. Conventions that hold for every kind:

* an id is the CRM's own id as text; `rep` and `owner` hold the id of a `Rep` or None (nobody, a queue, unknown);
* a moment is UTC milliseconds since 1970 (`Millis`), a plain date is days since 1970 (`Day`) and is never shifted;
* money is millionths of the currency unit (`Micros`), exact for every amount a CRM can hold;
* None means "the CRM does not say", never 0;
* `modified` is the CRM's modification stamp; an older record never replaces a newer one;
* `deleted` records stay, so that a deletion is a change like any other.
"""

from typing import NewType

import msgspec

Millis = NewType("Millis", int)
Day = NewType("Day", int)
Micros = NewType("Micros", int)

UNASSIGNED = "unassigned"
"""The rep key under which records without a known owner are collected."""

EVERYONE = "all"
"""The rep key of a channel's value over all reps."""


class Record(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What every kind has."""

    id: str
    modified: Millis
    deleted: bool = False


class Rep(Record, frozen=True, gc=False, kw_only=True):
    """A person who sells: a Salesforce User, a HubSpot owner.

    `known` is False for queues and for Salesforce users whose UserType is not Standard: their records are
    `unassigned`. `person_record` is the id under which the CRM lets us write this person's fields (Salesforce:
    the same id; HubSpot: the id of the CRM user record), None where there is none.
    """

    name: str
    email: str | None
    active: bool
    known: bool
    manager: str | None = None
    time_zone: str | None = None
    person_record: str | None = None


class Person(Record, frozen=True, gc=False, kw_only=True):
    """A contact. Leads are a kind of their own; `Lead.person` says which contact a lead became."""

    owner: str | None
    opted_out: bool = False
    opted_out_at: Millis | None = None
    bounced_at: Millis | None = None
    merged_into: str | None = None


class Lead(Record, frozen=True, gc=False, kw_only=True):
    """A Salesforce Lead, or a HubSpot contact (or Leads-object record) that counts as a lead.

    `person` is the contact that this lead is (HubSpot) or was converted into (Salesforce). `status` is the CRM's
    status, lower-cased and trimmed; which of them disqualify is a rule of the engine. A conversion has a moment
    (HubSpot) or a plain date (Salesforce). `deal` is the deal of the conversion where the CRM names it.
    """

    owner: str | None
    created_at: Millis
    channel: str | None = None
    status: str | None = None
    qualified_at: Millis | None = None
    converted: bool = False
    converted_at: Millis | None = None
    converted_on: Day | None = None
    person: str | None = None
    deal: str | None = None
    opted_out: bool = False
    opted_out_at: Millis | None = None
    bounced_at: Millis | None = None
    merged_into: str | None = None


class Interaction(Record, frozen=True, gc=False, kw_only=True):
    """An e-mail, call, message or meeting; people and deals hang on it through `Link`.

    kind       email | call | message | meeting
    direction  out | in | internal, None where the CRM does not say
    outcome    done | planned | cancelled | rescheduled | no_show | failed | draft; None: not recorded
    at, on     its moment (a meeting: its start), or only a plain date where the CRM has no moment
    ended_at   a meeting's end
    answered_by_crm   True / False where the CRM itself knows (a VoiceCall's connect time), else None
    disposition       the label of the call's result, lower-cased and trimmed
    automatic         an inbound automatic reply (the connector reads flag and subject; no subject is kept)
    tracked, opened, clicked, bounced   e-mail only; None where the CRM cannot tell
    logs       the id of the activity that merely logged this same e-mail or call
    """

    kind: str
    rep: str | None
    direction: str | None = None
    outcome: str | None = None
    at: Millis | None = None
    on: Day | None = None
    ended_at: Millis | None = None
    created_at: Millis | None = None
    duration_ms: int | None = None
    disposition: str | None = None
    answered_by_crm: bool | None = None
    tracked: bool | None = None
    opened: bool | None = None
    opened_at: Millis | None = None
    clicked: bool | None = None
    clicked_at: Millis | None = None
    bounced: bool | None = None
    automatic: bool = False
    thread: str | None = None
    message_id: str | None = None
    reply_to: str | None = None
    external_id: str | None = None
    logs: str | None = None


class Task(Record, frozen=True, gc=False, kw_only=True):
    """A planned next step. `logs_activity` marks a task that only records an activity (a logged call or e-mail)."""

    rep: str | None
    created_at: Millis
    due_on: Day | None = None
    done: bool = False
    logs_activity: bool = False


class Event(Record, frozen=True, gc=False, kw_only=True):
    """An engagement event of a person (a contact's or a lead's id).

    kind     form_submission | page_view | document | email_open | email_click
    amount   how many; for `document` the minutes
    """

    person: str
    kind: str
    at: Millis | None = None
    on: Day | None = None
    amount: float = 1.0


class Deal(Record, frozen=True, gc=False, kw_only=True):
    """An opportunity. `owner_at_close` is set where the CRM's history tells it. `amount_home` is set where the CRM
    converts itself (HubSpot); otherwise the engine converts `amount` from `currency` (None: home currency).
    A close is a moment (HubSpot, its day is the closing owner's) or a plain date (Salesforce)."""

    owner: str | None
    created_at: Millis
    name: str | None = None
    owner_at_close: str | None = None
    amount: Micros | None = None
    currency: str | None = None
    amount_home: Micros | None = None
    closed: bool = False
    won: bool = False
    closed_at: Millis | None = None
    closed_on: Day | None = None
    channel: str | None = None
    campaign: str | None = None
    merged_into: str | None = None


class Split(Record, frozen=True, gc=False, kw_only=True):
    """A rep's share of a deal's revenue: millionths of the whole (50 % = 500,000)."""

    deal: str
    rep: str | None
    share: int


class Campaign(Record, frozen=True, gc=False, kw_only=True):
    """A marketing campaign with its actual cost."""

    owner: str | None
    name: str | None = None
    starts_on: Day | None = None
    cost: Micros | None = None
    currency: str | None = None


class Quota(Record, frozen=True, gc=False, kw_only=True):
    """A rep's revenue quota for [starts_on, ends_on)."""

    rep: str
    starts_on: Day
    ends_on: Day
    amount: Micros
    currency: str | None = None


class Rate(Record, frozen=True, gc=False, kw_only=True):
    """Home amount = amount / `rate`. Valid on [from_on, until_on); both None: the static rate. `rate` is the CRM's
    decimal text, so that no digit is lost."""

    currency: str
    rate: str
    from_on: Day | None = None
    until_on: Day | None = None


class Link(Record, frozen=True, gc=False, kw_only=True):
    """`from_id` (an interaction, task or deal) belongs to `to_id` (a person or a deal).

    from_kind  interaction | task | deal
    to_kind    person (a contact's or a lead's id) | deal
    """

    from_kind: str
    from_id: str
    to_kind: str
    to_id: str


KINDS: dict[str, type[Record]] = {
    "rep": Rep,
    "person": Person,
    "lead": Lead,
    "interaction": Interaction,
    "task": Task,
    "event": Event,
    "deal": Deal,
    "split": Split,
    "campaign": Campaign,
    "quota": Quota,
    "rate": Rate,
    "link": Link,
}
"""Every record kind by the name of its table."""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What an admin wants of a KPI. scope: `everyone`, `rep:<id>` or `team:<manager id>`; `value` in the KPI's own unit
    (money in whole currency units) as decimal text; valid from `from_on` on."""

    kpi: str
    scope: str
    grain: str
    value: str
    from_on: Day


class Engagement(msgspec.Struct, frozen=True, kw_only=True):
    """How engagement is scored: kind → points for one and how many count a day; how fast points fade; the cut-offs.

    score = 100 × (1 − e^(−raw / scale)), raw = the points, halved every `half_life_days`. `interest_days` (of 24 hours)
    is how long after its creation a lead's signs count as interest.
    """

    weights: dict[str, tuple[float, float]] = msgspec.field(
        default_factory=lambda: {
            "form_submission": (30.0, 2.0),
            "meeting_held": (30.0, 2.0),
            "reply": (20.0, 2.0),
            "answered_call": (15.0, 2.0),
            "document": (3.0, 10.0),
            "email_click": (5.0, 5.0),
            "page_view": (1.0, 10.0),
            "email_open": (1.0, 3.0),
        }
    )
    half_life_days: float = 21.0
    scale: float = 50.0
    engaged: float = 50.0
    disengaged: float = 20.0
    interest_days: int = 30


ANSWERED_LABELS = ("connected", "answered", "spoke", "spoke with contact", "conversation")
DISQUALIFYING_STATUSES = ("unqualified", "disqualified", "closed - not converted", "closed - unqualified", "junk")


class Company(msgspec.Struct, frozen=True, kw_only=True):
    """What differs between companies and touches the numbers.

    missing       source name → reason, for what this CRM as a whole cannot tell (`clicks`, `opens`, `bounces`,
                  `opt_out_dates`, `quotas`, `campaign_costs`, `form_submissions`, …); what needs it is not available
    lead_deal_from_links   True where the CRM names no deal of a conversion (HubSpot): the earliest associated deal
                  created at or after the conversion's day
    days_off      rep id → days
    band_limits   configured first limit ≤ second limit of the deal size bands, else None: terciles
    directions    KPI key → `more`, `less` or `neither`, where the admin differs from the catalogue
    answered_labels   labels of a call's result (lower-cased, trimmed) that say that somebody answered
    disqualifying_statuses   statuses of a lead (lower-cased, trimmed) that disqualify it
    """

    connection: str
    time_zone: str = "UTC"
    home_currency: str | None = None
    fiscal_year_start: int = 1
    holidays: frozenset[Day] = frozenset()
    days_off: dict[str, frozenset[Day]] = {}
    missing: dict[str, str] = {}
    lead_deal_from_links: bool = False
    band_limits: tuple[Micros, Micros] | None = None
    targets: tuple[Target, ...] = ()
    directions: dict[str, str] = {}
    engagement: Engagement = Engagement()
    answered_labels: tuple[str, ...] = ANSWERED_LABELS
    disqualifying_statuses: tuple[str, ...] = DISQUALIFYING_STATUSES
