"""HubSpot's JSON as typed values, and its texts as moments, days and money.

Every property of a record comes as a text or null, numbers and booleans included; a property that the portal does not
define is left out without a word.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from functools import lru_cache
from zoneinfo import available_timezones

import msgspec

from kpi_engine.records import Day, Micros, Millis

Properties = Mapping[str, str | None]

DAY_MS = 86_400_000
MICROS = 1_000_000

LARGEST = 2**63 - 1
LARGEST_EXPONENT = 20
FIRST_MOMENT = -2_208_988_800_000
LAST_MOMENT = 4_102_444_800_000
"""1900 and 2100: a typing error beyond them must not cost a company two centuries of empty periods."""

NOT_FOUND = "OBJECT_NOT_FOUND"
NOTHING_LINKED = "NO_ASSOCIATIONS_FOUND"

MOMENTS_AT_HAND = 8192
"""Moments that need not be understood again: a page of ours is a thousand records, each stamp is looked at thrice."""

PLAIN_NUMBER = re.compile(r"-?[0-9]{1,18}")


class Unclear(ValueError):
    """A value of one record that cannot be understood. Names the property, never the value."""


class Version(msgspec.Struct, frozen=True):
    """One entry of a property's history."""

    value: str | None = None
    timestamp: str | None = None


class Row(msgspec.Struct, frozen=True, rename="camel"):
    """A CRM record."""

    id: str
    properties: dict[str, str | None] = {}
    history: dict[str, list[Version]] = msgspec.field(name="propertiesWithHistory", default_factory=dict)
    created_at: str | None = None
    updated_at: str | None = None
    archived: bool = False
    archived_at: str | None = None


class BadRow(msgspec.Struct, frozen=True):
    """A record that is not shaped like one."""

    id: str
    reason: str


class Next(msgspec.Struct, frozen=True):
    after: str | int


class Paging(msgspec.Struct, frozen=True):
    next: Next | None = None


class RowError(msgspec.Struct, frozen=True, rename="camel"):
    """What a 207 says of the rows that failed."""

    category: str = ""
    sub_category: str = ""
    message: str = ""
    context: dict[str, list[str] | str] = {}
    code: str = ""

    @property
    def nothing_there(self) -> bool:
        """Whether it says that there is no such record, or nothing linked with it: a fact, and no failure."""
        return self.category == NOT_FOUND or NOTHING_LINKED in self.sub_category

    def about(self, *names: str) -> list[str]:
        """The ids that it names under any of these names."""
        named = [self.context.get(name, ()) for name in names]
        return [each for ids in named for each in ([ids] if isinstance(ids, str) else ids)]


class Rows(msgspec.Struct, frozen=True, rename="camel"):
    """A page of records, or the answer to a batch."""

    results: list[Row] = []
    paging: Paging | None = None
    total: int | None = None
    errors: list[RowError] = []
    bad: list[BadRow] = msgspec.field(name="kpisyncBad", default_factory=list)

    @property
    def after(self) -> str | None:
        """Where the next page starts."""
        return str(self.paging.next.after) if self.paging and self.paging.next else None


class _Loose(msgspec.Struct, frozen=True, rename="camel"):
    results: list[msgspec.Raw] = []
    paging: Paging | None = None
    total: int | None = None
    errors: list[msgspec.Raw] = []


class _OnlyId(msgspec.Struct, frozen=True):
    id: str | int = "?"


class FromEnd(msgspec.Struct, frozen=True):
    id: str | int


class ToEnd(msgspec.Struct, frozen=True, rename="camel"):
    to_object_id: str | int


class Associated(msgspec.Struct, frozen=True, rename="camel"):
    """What hangs on one record. The legacy API writes `toObjectId` as a number and `from.id` as a text."""

    from_: FromEnd = msgspec.field(name="from")
    to: list[ToEnd] = []
    paging: Paging | None = None


class AssociationPage(msgspec.Struct, frozen=True):
    """What hangs on each record, and what is said of those without an answer."""

    results: list[Associated] = []
    raw_errors: list[msgspec.Raw] = msgspec.field(name="errors", default_factory=list)

    @property
    def errors(self) -> list[RowError]:
        return row_errors(self.raw_errors)


_rows = msgspec.json.Decoder(Rows)
_loose = msgspec.json.Decoder(_Loose)
_row = msgspec.json.Decoder(Row)
_only_id = msgspec.json.Decoder(_OnlyId)
_error = msgspec.json.Decoder(RowError)
_associations = msgspec.json.Decoder(AssociationPage)


def rows(body: bytes) -> Rows:
    """The records of an answer; one that is misshapen does not spoil the others. Raises msgspec.DecodeError."""
    try:
        return _rows.decode(body)
    except msgspec.ValidationError:
        return _row_by_row(_loose.decode(body))


def _row_by_row(loose: _Loose) -> Rows:
    good: list[Row] = []
    bad: list[BadRow] = []
    for raw in loose.results:
        try:
            good.append(_row.decode(raw))
        except msgspec.ValidationError as error:
            bad.append(BadRow(_id_of(raw), f"not a record: {error}"))
    return Rows(results=good, paging=loose.paging, total=loose.total, errors=row_errors(loose.errors), bad=bad)


def _id_of(raw: msgspec.Raw) -> str:
    try:
        return str(_only_id.decode(raw).id)
    except msgspec.DecodeError:
        return "?"


def row_errors(raws: list[msgspec.Raw]) -> list[RowError]:
    """What is said of the rows that failed; an error that is misshapen still is one."""
    errors = []
    for raw in raws:
        try:
            errors.append(_error.decode(raw))
        except msgspec.ValidationError:
            errors.append(RowError(category="UNREADABLE"))
    return errors


def associations(body: bytes) -> AssociationPage:
    """Raises msgspec.DecodeError."""
    return _associations.decode(body)


def text(properties: Properties, name: str) -> str | None:
    """A property's text, None where it is blank or undefined."""
    return properties.get(name) or None


def label(properties: Properties, name: str) -> str | None:
    """A property's text for comparing: lower-cased and trimmed."""
    value = properties.get(name)
    return (value.strip().lower() or None) if value else None


def flag(properties: Properties, name: str) -> bool:
    return (properties.get(name) or "").strip().lower() == "true"


def whole(properties: Properties, name: str) -> int | None:
    """A whole number; HubSpot may write 3 as 3.0."""
    value = properties.get(name)
    return number(value, name, 1) if value else None


def number(value: str, name: str, times: int) -> int:
    """A number in parts of one (`times` to the unit), rounded half-even, as far as a cache can hold it."""
    try:
        parsed = Decimal(value)
        if not parsed.is_finite() or parsed.adjusted() > LARGEST_EXPONENT:
            raise Unclear(f"{name} is not a number that can be")
        found = int((parsed * times).to_integral_value(ROUND_HALF_EVEN))
    except InvalidOperation as error:
        raise Unclear(f"{name} is not a number") from error
    if abs(found) > LARGEST:
        raise Unclear(f"{name} is not a number that can be")
    return found


def moment(properties: Properties, name: str) -> Millis | None:
    value = properties.get(name)
    return millis(value, name) if value else None


def millis(value: str, name: str) -> Millis:
    """Epoch milliseconds of an ISO text (a plain date is its midnight in UTC) or of a number in milliseconds."""
    try:
        at = int(value) if PLAIN_NUMBER.fullmatch(value) else _of_iso(value)
    except (ValueError, OverflowError) as error:
        raise Unclear(f"{name} is not a moment") from error
    if not FIRST_MOMENT <= at <= LAST_MOMENT:
        raise Unclear(f"{name} is not a moment that can be")
    return Millis(at)


@lru_cache(MOMENTS_AT_HAND)
def _of_iso(value: str) -> int:
    at = datetime.fromisoformat(value)
    return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)


def day(properties: Properties, name: str) -> Day | None:
    """A plain date; HubSpot also writes one as its midnight in UTC."""
    at = moment(properties, name)
    return None if at is None else Day(at // DAY_MS)


def money(properties: Properties, name: str) -> Micros | None:
    """Millionths, exact for every amount that HubSpot holds; a longer fraction is rounded half-even."""
    value = properties.get(name)
    return Micros(number(value, name, MICROS)) if value else None


_ZONES = {zone.lower(): zone for zone in available_timezones()}


def time_zone(value: str | None) -> str | None:
    """The IANA name of a time zone; HubSpot's option values write / as _slash_. None for what is not one."""
    if not value:
        return None
    return _ZONES.get(value.strip().lower().replace("_slash_", "/").replace(" ", "_"))


def modified(row: Row, stamp: str) -> Millis:
    """When the record last changed; archiving is a change too."""
    value = row.properties.get(stamp) or row.updated_at
    if not value:
        raise Unclear(f"{stamp} is missing")
    at = millis(value, stamp)
    if row.archived and row.archived_at:
        return max(at, millis(row.archived_at, "archivedAt"))
    return at


def merged_ids(row: Row) -> list[str]:
    """The ids of the records that were merged into this one."""
    value = row.properties.get("hs_merged_object_ids")
    return [each for each in value.split(";") if each and each != row.id] if value else []
