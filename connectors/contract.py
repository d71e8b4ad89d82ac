"""What every connector can do, whatever the CRM. The sync side sees these types and nothing of a vendor's."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Protocol

import msgspec

from kpi_engine.records import Company, Record

FieldValue = str | float | int | bool | None
"""What a CRM field shows. Numbers are compared after rounding to the field's places; None is a blank."""


class Surface(StrEnum):
    """A place in the CRM that shows our numbers. Each works or fails on its own."""

    KPI_RECORDS = "kpi_records"
    PERSON_FIELDS = "person_fields"
    LEAD_SCORES = "lead_scores"


class Gap(msgspec.Struct, frozen=True):
    """Something this CRM, edition or user cannot do. `source` is the name that `Company.missing` uses, or a surface."""

    source: str
    reason: str
    advice: str


class ApiVersion(msgspec.Struct, frozen=True):
    """A version of the CRM's API that is in use: what for, and from when on the CRM no longer supports it."""

    name: str
    ends: date
    used_for: tuple[str, ...]


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What was found when looking: whose CRM this is and what it lacks.

    streams      what `read` takes, in the order in which they are to be read (reps first)
    surfaces     where writing is possible
    daily_calls  the allowance of API calls a day and how many are left, None where the CRM does not say
    rows_a_call  how many records one call of `push` carries
    api_versions  those that end on a known day, the first to end at the top
    streams_at_once  how many streams it takes to use what the CRM allows, where answers are slow
    """

    organisation: str
    time_zone: str | None
    home_currency: str | None
    fiscal_year_start: int | None
    streams: tuple[str, ...]
    surfaces: frozenset[Surface]
    gaps: tuple[Gap, ...] = ()
    daily_calls: int | None = None
    daily_calls_left: int | None = None
    rows_a_call: int = 100
    api_versions: tuple[ApiVersion, ...] = ()
    streams_at_once: int = 4


class Unread(msgspec.Struct, frozen=True):
    """A record that could not be understood; the rest of the page goes on."""

    stream: str
    id: str
    reason: str


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a stream, absorbed in one transaction with its cursor.

    rows       records of any kinds; one may come again in a later page
    gone       (kind, id) of records that vanished without a record of their own
    relinked   (from_kind, from_id, to_kind): links with these ends are replaced by those in `rows`
    whole      kinds of which `rows` is everything there is (small tables read in full): what is not in it is gone
    cursor     where to go on; opaque to everyone but the connector
    total      how many records the stream will have, where the CRM says so (for the progress bar)
    """

    stream: str
    rows: Sequence[Record]
    cursor: str
    gone: Sequence[tuple[str, str]] = ()
    relinked: Sequence[tuple[str, str, str]] = ()
    whole: Sequence[str] = ()
    unread: Sequence[Unread] = ()
    total: int | None = None


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One record of the CRM that should show other values.

    key      kpi_records: the external key; person_fields: `Rep.person_record`; lead_scores: the lead's CRM id
    rep      the rep it is about, None for leads
    before   field → what the CRM shows now (absent: nothing there yet)
    after    field → what it should show; only fields that differ, except for a record that is new

    Fields are ours, the connector knows the CRM's names: for kpi_records those of `KPI_RECORD_FIELDS`, for
    person_fields the KPI key, for lead_scores `score` and `level`.

    gone     the record is to be removed; only ever a KPI record that a run of ours made
    """

    surface: Surface
    key: str
    rep: str | None
    before: Mapping[str, FieldValue]
    after: Mapping[str, FieldValue]
    new: bool = False
    gone: bool = False


KPI_RECORD_FIELDS: tuple[str, ...] = (
    "name",  # "Calls made · Ana Ruiz · 2026-11"
    "rep",  # the rep's CRM id
    "kpi",
    "label",
    "family",
    "unit",
    "direction",
    "grain",
    "period_start",  # ISO date
    "period_end",  # ISO date, the last day
    "dimension",  # "channel=Web", blank for the whole
    "value",
    "numerator",
    "denominator",
    "n",
    "reason",
    "target",
    "attainment",
    "previous",
    "change",
    "state",
    "trend",  # "12,9,,14": this value and those of up to eleven periods before it, the oldest first
    "evidence",  # JSON: the kind of the records that the numerator counts, their ids (the latest hundred), how many
    "as_of",  # the moment for which the record was last found to be another: "2026-11-25 10:30 UTC"
)


class Written(msgspec.Struct, frozen=True):
    """The CRM confirmed this change."""

    change: Change
    record_id: str | None


class Refused(msgspec.Struct, frozen=True):
    """The CRM refused this change; the others went on. `code` is the CRM's, `advice` ours."""

    change: Change
    code: str
    reason: str
    advice: str
    retry: bool = False


class Provisioned(msgspec.Struct, frozen=True):
    """One thing of ours in the CRM. `made` is False where it was there already (or, when removing, was not there)."""

    what: str
    made: bool


class NotProvisioned(msgspec.Struct, frozen=True):
    """One thing the CRM refused to have."""

    what: str
    reason: str
    advice: str


class KpiField(msgspec.Struct, frozen=True):
    """What provisioning needs to know of a KPI: its key, label and how many decimal places its field has."""

    key: str
    label: str
    unit: str
    places: int


class Connector(Protocol):
    """A CRM. Every call may raise the errors of `connectors.errors`; a single bad row is a value, never an exception."""  # noqa: E501 - a signature in one line

    crm: str

    def capabilities(self) -> Capabilities:
        """Look at the CRM: sign in, find what exists and is visible. Cheap enough for every run."""
        ...

    def company_defaults(self, company: Company) -> Company:
        """The CRM's own conventions (which sources are missing, how a lead finds its deal) laid over `company`."""
        ...

    def read(self, stream: str, cursor: str | None) -> Iterator[Page]:
        """Everything of `stream` since `cursor` (None: from the beginning), deletions included. At least once."""
        ...

    def provision(self, kpis: Sequence[KpiField], *, dry_run: bool = False) -> Iterator[Provisioned | NotProvisioned]:
        """Make what `push` needs. Doing it again changes nothing."""
        ...

    def unprovision(self, kpis: Sequence[KpiField], *, dry_run: bool = False) -> Iterator[Provisioned | NotProvisioned]:
        """Remove exactly what `provision` made."""
        ...

    def show(
        self, surface: Surface, keys: Sequence[str], fields: Sequence[str]
    ) -> Mapping[str, Mapping[str, FieldValue]]:
        """What the CRM shows now, by key; a key that is not there is missing from the answer."""
        ...

    def push(self, changes: Iterable[Change]) -> Iterator[Written | Refused]:
        """Send changes in the CRM's largest batches; outcomes come as they arrive, one for each change."""
        ...

    def calls(self) -> int:
        """How many HTTP requests were sent since this connector was made."""
        ...

    def close(self) -> None:
        """Let go of the network."""
        ...
