"""The portal's memory: tables of rows, owners, links; every write goes through here and moves the stamps."""

from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from crm_sandbox.hubspot import errors
from crm_sandbox.hubspot.catalog import ALIASES, ObjectType, Property
from crm_sandbox.hubspot.links import Links
from crm_sandbox.hubspot.values import DAY, iso, millis

Values = dict[str, str | None]
STEP = 41
"""Ids of one kind grow by this much, so that neighbours are not taken for a count."""


@dataclass
class Rules:
    """What a test or an operator may switch.

    tier                  free | starter | professional | enterprise
    enforce_limits        answer 429 past the limits (they are counted either way)
    burst, search_rate, daily   other limits than the tier's
    other_calls           calls a second that another program makes with the same token
    other_searches        searches a second that another app of the account makes
    retry_after           send Retry-After with a 429
    index_lag             seconds until the search sees a new or changed row
    user_properties       whether custom properties on users are allowed
    kept_days             how long an archived row can be seen and brought back (HubSpot: 90; None: for ever)
    schema_delay          seconds until records of a new custom object are accepted
    association_page      associated ids a page and record
    associated_ids_as_text   `toObjectId` as text instead of a number
    batches_fail_whole    a bad row fails its whole batch even where every row has a trace id
    required              object type id → properties that version 2026-09 insists on
    rotate_refresh_tokens   a refresh hands out a new refresh token and retires the old one
    consent_denied        whether the person who is asked to connect the app presses Cancel
    withheld_scopes       scopes that the portal cannot give an app that is connected
    code_seconds          how long an authorisation code lives
    tokens_tell_scopes    whether the scopes come with every token, or only when asked for
    """

    tier: str = "enterprise"
    enforce_limits: bool = True
    burst: int | None = None
    search_rate: int = 5
    daily: int | None = None
    other_calls: float = 0.0
    other_searches: float = 0.0
    retry_after: bool = False
    index_lag: float = 0.0
    user_properties: bool = True
    kept_days: int | None = None
    schema_delay: float = 0.0
    association_page: int = 500
    associated_ids_as_text: bool = False
    batches_fail_whole: bool = False
    required: dict[str, list[str]] = field(default_factory=dict)
    rotate_refresh_tokens: bool = False
    consent_denied: bool = False
    withheld_scopes: list[str] = field(default_factory=list)
    code_seconds: int = 600
    tokens_tell_scopes: bool = True


class Row:
    """One record. `values` is replaced, never changed in place: `indexed` is what the search index still knows,
    `indexed_at` the modification stamp in it."""

    __slots__ = ("archived_at", "created", "history", "id", "indexed", "indexed_at", "modified", "values")

    def __init__(self, record_id: int, values: Values, created: int, modified: int) -> None:
        self.id = record_id
        self.values = values
        self.created = created
        self.modified = modified
        self.archived_at: int | None = None
        self.indexed: Values | None = None
        self.indexed_at = -1
        self.history: dict[str, list[tuple[int, str | None, str]]] | None = None


@dataclass
class Owner:
    """Somebody records can be assigned to. `user_id` is another number than `id`; a queue has none."""

    id: str
    user_id: int | None
    email: str
    first_name: str
    last_name: str
    kind: str
    created: int
    modified: int
    archived: bool = False
    teams: tuple[str, ...] = ()


@dataclass
class Team:
    """A team of users."""

    id: str
    name: str
    user_ids: list[int] = field(default_factory=list)


class Table:
    """All records of one type, with the order and the unique values that reading needs."""

    def __init__(self, kind: ObjectType, properties: Iterable[Property], first_id: int) -> None:
        self.kind = kind
        self.properties = {definition.name: definition for definition in properties}
        self.archived_properties: dict[str, Property] = {}
        self.groups: dict[str, dict[str, Any]] = {}
        for definition in self.properties.values():
            self.groups.setdefault(definition.group, group(definition.group, definition.label))
        self.rows: dict[int, Row] = {}
        self.live: list[int] = []
        self.gone: list[int] = []
        self.purged: set[int] = set()
        self.unique: dict[str, dict[str, int]] = {
            definition.name: {} for definition in self.properties.values() if definition.unique
        }
        self.merged: dict[int, int] = {}
        self.pending: deque[tuple[int, int]] = deque()
        self.version = 0
        self.next_id = first_id
        self.required: tuple[str, ...] = ()
        self.ready_at = 0

    def new_id(self) -> int:
        """An id that nothing has yet."""
        record_id = self.next_id
        self.next_id += STEP
        return record_id

    def find(self, record_id: int) -> Row | None:
        """The row with this id, archived or not; the id of a merged-away record finds the one that survived."""
        while record_id in self.merged:
            record_id = self.merged[record_id]
        return None if record_id in self.purged else self.rows.get(record_id)

    def find_unique(self, name: str, value: str) -> Row | None:
        """The live row whose unique property has this value."""
        record_id = self.unique[name].get(value.lower())
        return None if record_id is None else self.rows[record_id]

    def page(self, after: int, limit: int, *, archived: bool = False) -> tuple[list[Row], bool]:
        """The next rows by id after `after`, and whether there are more."""
        ids = self.gone if archived else self.live
        start = bisect_right(ids, after)
        return [self.rows[number] for number in ids[start : start + limit]], start + limit < len(ids)

    def claim(self, row: Row, values: Mapping[str, str | None]) -> None:
        """Keep the index of unique values true for a row whose values become `values`."""
        for name, index in self.unique.items():
            before, after = row.values.get(name), values.get(name)
            if before is not None and before != after and index.get(before.lower()) == row.id:
                del index[before.lower()]
            if after is not None:
                index[after.lower()] = row.id

    def reindex(self) -> None:
        """Make the index of unique values true for the live rows, whatever happened before."""
        for index in self.unique.values():
            index.clear()
        for number in self.live:
            self.claim(self.rows[number], self.rows[number].values)

    def release(self, row: Row) -> None:
        """Free the unique values of a row that is leaving."""
        for name, index in self.unique.items():
            value = row.values.get(name)
            if value is not None and index.get(value.lower()) == row.id:
                del index[value.lower()]


def _gaps(table: Table, winner: Row, loser: Row) -> Values:
    """What the loser knows, the winner lacks, and a user could have filled in."""
    return {
        name: value
        for name, value in loser.values.items()
        if value is not None
        and winner.values.get(name) is None
        and name in table.properties
        and not table.properties[name].read_only
    }


def _addresses(winner: Row, loser: Row) -> str | None:
    """The further addresses of a contact that others were merged into."""
    known = [winner.values.get("hs_additional_emails"), loser.values.get("email")]
    return _joined([*known, loser.values.get("hs_additional_emails")])


def _joined(parts: Iterable[str | None]) -> str | None:
    return ";".join(part for part in parts if part) or None


def group(name: str, label: str, display_order: int = -1) -> dict[str, Any]:
    """A property group as the API shows it."""
    return {"name": name, "label": label, "displayOrder": display_order, "archived": False}


Hook = Callable[["Store", Row, Values], Values]
"""What else changes when a row gets these values: calculated properties."""


class Store:
    """The whole portal."""

    def __init__(
        self, portal_id: int, time_zone: str, currency: str, rules: Rules, clock: Callable[[], datetime]
    ) -> None:
        self.portal_id = portal_id
        self.time_zone = time_zone
        self.currency = currency
        self.rules = rules
        self.clock = clock
        self.tables: dict[str, Table] = {}
        self.names: dict[str, str] = dict(ALIASES)
        self.owners: dict[str, Owner] = {}
        self.teams: dict[str, Team] = {}
        self.pipelines: dict[str, list[dict[str, Any]]] = {}
        self.deal_stages: dict[str, dict[str, str]] = {}
        self.schemas: dict[str, dict[str, Any]] = {}
        self.links = Links()
        self.hooks: dict[str, tuple[Hook, ...]] = {}
        self.ids: dict[tuple[str, str], str] = {}
        self.ahead = 0
        self.custom_types_made = 0

    def now(self) -> int:
        """The portal's present moment in milliseconds, after whatever the clock was moved ahead."""
        return millis(self.clock()) + self.ahead

    def add_table(self, table: Table) -> Table:
        """Make a type known under all its names."""
        kind = table.kind
        self.tables[kind.type_id] = table
        for name in (kind.type_id, kind.singular, kind.plural):
            self.names[name.lower()] = kind.type_id
        if kind.custom:
            self.names[f"p_{kind.singular}".lower()] = kind.type_id
        return table

    def drop_table(self, type_id: str) -> None:
        """Forget a custom object."""
        del self.tables[type_id]
        self.schemas.pop(type_id, None)
        self.names = {name: known for name, known in self.names.items() if known != type_id}

    def table(self, name: str) -> Table:
        """The table of a type by plural, singular, fully qualified name or id."""
        type_id = self.names.get(name.lower())
        if type_id is None:
            raise errors.unknown_object(name)
        return self.tables[type_id]

    def insert(self, table: Table, values: Values, *, created: int, modified: int, record_id: int | None = None) -> Row:
        """A new row. Stamps, id and calculated properties are filled in."""
        row = Row(table.new_id() if record_id is None else record_id, {}, created, modified)
        stamped = {
            **values,
            **self._calculated(table, row, values),
            "hs_object_id": str(row.id),
            table.kind.created: values.get(table.kind.created) or iso(created),
            table.kind.modified: iso(modified),
        }
        if table.kind.type_id in {"0-3", "0-136"}:
            stamped["createdate"] = values.get("createdate") or iso(created)
            stamped["hs_createdate"] = iso(created)
        table.claim(row, stamped)
        row.values = stamped
        table.rows[row.id] = row
        insort(table.live, row.id)
        self._index(table, row)
        return row

    def write(self, table: Table, row: Row, changes: Values, *, at: int | None = None, source: str = "API") -> None:
        """Give a row other values: history is kept, calculated properties follow, the stamps move."""
        now = self.now() if at is None else at
        changes = {**changes, **self._calculated(table, row, changes)}
        self._remember(row, changes, now, source)
        row.modified = max(now, row.modified)
        values = {**row.values, **changes, table.kind.modified: iso(row.modified)}
        if row.archived_at is None:
            table.claim(row, values)
        row.values = values
        self._index(table, row)

    def archive(self, table: Table, row: Row, *, at: int | None = None) -> None:
        """Take a row out of sight; it stays restorable."""
        if row.archived_at is not None:
            return
        row.archived_at = self.now() if at is None else at
        row.modified = max(row.archived_at, row.modified)
        row.values = {**row.values, table.kind.modified: iso(row.modified)}
        table.release(row)
        del table.live[bisect_left(table.live, row.id)]
        insort(table.gone, row.id)
        table.version += 1

    def purge(self, table: Table) -> None:
        """Archived rows that were kept long enough are gone for good."""
        if self.rules.kept_days is None:
            return
        oldest = self.now() - self.rules.kept_days * DAY
        over = {number for number in table.gone if (table.rows[number].archived_at or 0) < oldest}
        table.purged |= over
        table.gone = [number for number in table.gone if number not in over]

    def restore(self, table: Table, row: Row) -> None:
        """Bring an archived row back."""
        if row.archived_at is None:
            return
        row.archived_at = None
        del table.gone[bisect_left(table.gone, row.id)]
        insort(table.live, row.id)
        self.write(table, row, {}, source="RESTORE")

    def merge(self, table: Table, winner: Row, loser: Row, *, at: int | None = None, fill_gaps: bool = True) -> None:
        """Make one record of two: the winner keeps its values, fills its gaps, takes over links, id and address."""
        if loser.archived_at is None:
            table.release(loser)
            del table.live[bisect_left(table.live, loser.id)]
        else:
            del table.gone[bisect_left(table.gone, loser.id)]
        del table.rows[loser.id]
        table.merged[loser.id] = winner.id
        self.links.move(table.kind.type_id, loser.id, winner.id)
        absorbed = [winner.values.get("hs_merged_object_ids"), str(loser.id), loser.values.get("hs_merged_object_ids")]
        changes = _gaps(table, winner, loser) if fill_gaps else {}
        changes["hs_merged_object_ids"] = _joined(absorbed)
        if "hs_additional_emails" in table.properties:
            changes["hs_additional_emails"] = _addresses(winner, loser)
        self.write(table, winner, changes, at=at, source="MERGE_OBJECTS")

    def settle(self, table: Table) -> None:
        """Let the search index catch up with everything that is old enough."""
        now = self.now()
        while table.pending and table.pending[0][0] <= now:
            _, record_id = table.pending.popleft()
            row = table.rows.get(record_id)
            if row is not None:
                row.indexed, row.indexed_at = row.values, row.modified
            table.version += 1

    def _index(self, table: Table, row: Row) -> None:
        if self.rules.index_lag:
            table.pending.append((self.now() + round(self.rules.index_lag * 1000), row.id))
            return
        row.indexed, row.indexed_at = row.values, row.modified
        table.version += 1

    def _calculated(self, table: Table, row: Row, values: Values) -> Values:
        found: Values = {}
        for hook in self.hooks.get(table.kind.type_id, ()):
            found.update(hook(self, row, {**values, **found}))
        return found

    @staticmethod
    def _remember(row: Row, changes: Values, now: int, source: str) -> None:
        for name, value in changes.items():
            before = row.values.get(name)
            if before == value:
                continue
            row.history = row.history if row.history is not None else {}
            versions = row.history.setdefault(name, [])
            if not versions and before is not None:
                versions.append((row.created, before, "IMPORT"))
            versions.append((now, value, source))
