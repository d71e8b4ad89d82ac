"""The rows of every object: server-set stamps, the recycle bin, merges, ids. Nothing here checks a permission.

A row is a plain mapping of field names to what JSON would show (moments and dates as their text, which sorts as they
do; a missing name is null). A row is never changed in place: a change is a new row, so whoever holds the old one has a
snapshot.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from crm_sandbox.salesforce.fields import Thing
from crm_sandbox.salesforce.ids import record_id
from crm_sandbox.salesforce.schema import Grants, Schema, granted

Row = Mapping[str, Any]

STAMPS = frozenset({"CreatedDate", "LastModifiedDate", "SystemModstamp", "CreatedById", "LastModifiedById"})
GRANTING = frozenset({"PermissionSetAssignment", "FieldPermissions", "ObjectPermissions"})


def stamp(when: datetime) -> str:
    """A moment as the API writes it: UTC, whole seconds, an offset without a colon."""
    return f"{when.astimezone(UTC).isoformat()[:19]}.000+0000"


def moment_of(text: str) -> datetime:
    """The moment that `stamp` wrote."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")


def amount(value: Decimal | None) -> Decimal | None:
    """A number as JSON shows it: no trailing zeros, but always a decimal place."""
    if value is None:
        return None
    plain = format(value.normalize(), "f")
    return Decimal(plain if "." in plain else f"{plain}.0")


class Table:
    """The rows of one object, in the order of their creation. `version` moves with every change."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.version = 0
        self.unique: dict[str, dict[str, str]] = {}


class Store:
    """All rows of an organisation."""

    def __init__(self, schema: Schema, clock: Callable[[], datetime], organisation: str) -> None:
        self.schema = schema
        self.clock = clock
        self.organisation = organisation
        self.tables: dict[str, Table] = {}
        self.hard_deleted: dict[str, list[tuple[str, str]]] = {}
        self.unshared: set[str] = set()
        """Records that sharing rules keep from whoever asks."""
        self._numbers: dict[str, int] = {}
        self._grants: dict[str, Grants] = {}
        self._rolled_up: tuple[int, ...] = ()

    def now(self) -> str:
        return stamp(self.clock())

    def table(self, name: str) -> Table:
        if name not in self.tables:
            self.tables[name] = Table()
        return self.tables[name]

    def next_id(self, prefix: str) -> str:
        self._numbers[prefix] = self._numbers.get(prefix, 0) + 1
        return record_id(prefix, self._numbers[prefix])

    def find(self, record: str) -> tuple[Thing, Row] | None:
        """The row of that 18-character id, deleted or not."""
        thing = self.schema.of_id(record)
        row = self.table(thing.name).rows.get(record) if thing else None
        return (thing, row) if thing and row is not None else None

    def rows(self, name: str, *, deleted: bool = False, archived: bool = False) -> Iterator[Row]:
        """The rows of an object; without what is in the recycle bin or archived unless asked for."""
        if name == "Campaign":
            self._roll_up()
        for row in self.table(name).rows.values():
            if (deleted or not row.get("IsDeleted")) and (archived or not row.get("IsArchived")):
                yield row

    def load(self, name: str, rows: Iterable[dict[str, Any]]) -> None:
        """Put in rows that have their ids and stamps already."""
        table = self.table(name)
        for row in rows:
            table.rows[row["Id"]] = row
        table.version += 1
        table.unique.clear()
        self._permissions_changed(name)

    def insert(self, thing: Thing, values: Mapping[str, Any], by: str, stamps: Mapping[str, str] | None = None) -> str:
        """A new row, stamped by the server; `stamps` overrules that (a row that commits late)."""
        now = self.now()
        row = {"Id": self.next_id(thing.prefix)}
        row |= {one.name: one.default for one in thing.fields.values() if one.default is not None}
        row |= {name: value for name, value in values.items() if value is not None}
        given = {"CreatedDate": now, "LastModifiedDate": now, "SystemModstamp": now}
        given |= {"CreatedById": by, "LastModifiedById": by, **(stamps or {})}
        row |= {name: value for name, value in given.items() if thing.field(name)}
        self._number(thing, row)
        self._put(thing, row)
        return row["Id"]

    def update(self, thing: Thing, record: str, values: Mapping[str, Any], by: str, *, quiet: bool = False) -> None:
        """Change a row and move its stamps. `quiet` leaves them alone, as roll-ups and formulas do."""
        old = self.table(thing.name).rows[record]
        row = {**old, **values}
        row = {name: value for name, value in row.items() if value is not None}
        if not quiet:
            moved = {"LastModifiedDate": self.now(), "SystemModstamp": self.now(), "LastModifiedById": by}
            row |= {name: value for name, value in moved.items() if thing.field(name)}
        self._put(thing, row)

    def delete(self, thing: Thing, record: str, by: str) -> None:
        """Into the recycle bin; objects without one lose the row."""
        if thing.deletable:
            self.update(thing, record, {"IsDeleted": True}, by)
        else:
            self.forget(thing, record)

    def undelete(self, thing: Thing, record: str, by: str) -> None:
        self.update(thing, record, {"IsDeleted": False}, by)

    def forget(self, thing: Thing, record: str) -> None:
        """Gone without a trace, as after an emptied recycle bin."""
        table = self.table(thing.name)
        del table.rows[record]
        table.version += 1
        table.unique.clear()
        self.hard_deleted.setdefault(thing.name, []).append((record, self.now()))
        self._permissions_changed(thing.name)

    def merge(self, thing: Thing, master: str, losers: Iterable[str], by: str) -> None:
        """The losers go to the recycle bin and name their master; whatever hung on them moves to it."""
        for loser in losers:
            self._move_children(loser, master, by)
            self.update(thing, loser, {"IsDeleted": True, "MasterRecordId": master}, by)
        self.update(thing, master, {}, by)

    def _move_children(self, loser: str, master: str, by: str) -> None:
        for other in list(self.schema.things.values()):
            lookups = [one.name for one in other.fields.values() if one.refers and one.name != "MasterRecordId"]
            for row in list(self.table(other.name).rows.values()):
                moved = {name: master for name in lookups if row.get(name) == loser}
                if moved:
                    self.update(other, row["Id"], moved, by)

    def owner_of(self, thing: Thing, field: str, value: Any, *, case_sensitive: bool) -> str | None:
        """The id of the live row that has this value in a unique or external-id field."""
        found = self.holders(thing, field, value, case_sensitive=case_sensitive)
        return found[0] if found else None

    def holders(self, thing: Thing, field: str, value: Any, *, case_sensitive: bool) -> list[str]:
        """The ids of all live rows with this value (several only where the field is not unique)."""
        key = plain(value, case_sensitive=case_sensitive)
        table = self.table(thing.name)
        if field not in table.unique:
            index: dict[str, str] = {}
            for row in table.rows.values():
                if not row.get("IsDeleted") and row.get(field) is not None:
                    own = plain(row[field], case_sensitive=case_sensitive)
                    index[own] = f"{index[own]} {row['Id']}" if own in index else row["Id"]
            table.unique[field] = index
        return table.unique[field].get(key, "").split()

    def grants(self, user: str) -> Grants:
        """What the user's permission sets add up to."""
        if user not in self._grants:
            mine = {
                row["PermissionSetId"]
                for row in self.table("PermissionSetAssignment").rows.values()
                if row["AssigneeId"] == user
            }
            rows = [
                (kind, row)
                for kind in ("FieldPermissions", "ObjectPermissions")
                for row in self.table(kind).rows.values()
                if row["ParentId"] in mine
            ]
            self._grants[user] = granted(rows)
        return self._grants[user]

    def _put(self, thing: Thing, row: dict[str, Any]) -> None:
        table = self.table(thing.name)
        old = table.rows.get(row["Id"])
        table.rows[row["Id"]] = row
        table.version += 1
        for field, index in list(table.unique.items()):
            if old is None and row.get(field) is not None:
                one = thing.fields[field.lower()]
                key = plain(row[field], case_sensitive=one.case_sensitive)
                index[key] = f"{index[key]} {row['Id']}" if key in index else row["Id"]
            elif old is not None and _differs(old, row, field):
                del table.unique[field]
        self._permissions_changed(thing.name)

    def _permissions_changed(self, name: str) -> None:
        if name in GRANTING:
            self._grants.clear()
            self.schema.revision += 1

    def _number(self, thing: Thing, row: dict[str, Any]) -> None:
        for one in thing.fields.values():
            if one.number_format:
                key = f"{thing.name}.{one.name}"
                self._numbers[key] = self._numbers.get(key, 0) + 1
                row[one.name] = numbered(one.number_format, self._numbers[key])

    def _roll_up(self) -> None:
        """Campaign totals follow members and deals without moving a stamp."""
        sources = ("Opportunity", "CampaignMember", "Lead", "Campaign")
        versions = tuple(self.table(name).version for name in sources)
        if versions == self._rolled_up:
            return
        totals = {record: _nothing() for record in self.table("Campaign").rows}
        for row in self.rows("Opportunity", deleted=False):
            if row.get("CampaignId") in totals:
                _count_deal(totals[row["CampaignId"]], row)
        leads = self.table("Lead").rows
        for row in self.rows("CampaignMember", deleted=False):
            if row.get("CampaignId") in totals:
                _count_member(totals[row["CampaignId"]], row, leads)
        campaigns = self.table("Campaign").rows
        for record, total in totals.items():
            campaigns[record] = {**campaigns[record], **total}
        self._rolled_up = versions

    def savepoint(self) -> dict[str, dict[str, Row]]:
        """The rows as they stand, for `roll_back`; cheap, because rows never change in place."""
        return {name: dict(table.rows) for name, table in self.tables.items()}

    def roll_back(self, rows: Mapping[str, dict[str, Row]]) -> None:
        """Undo everything since the savepoint; used-up ids stay used up."""
        for name, table in self.tables.items():
            table.rows = dict(rows.get(name, {}))
            table.version += 1
            table.unique.clear()
        self._grants.clear()
        self.schema.revision += 1

    def fingerprints(self) -> dict[str, str]:
        """One digest an object over all its rows, their stamps left out: equal digests, equal content."""
        self._roll_up()
        return {name: _digest(table.rows.values()) for name, table in sorted(self.tables.items()) if table.rows}


def plain(value: Any, *, case_sensitive: bool) -> str:
    """The text by which values of a unique field are compared."""
    return str(value) if case_sensitive else str(value).lower()


def numbered(pattern: str, number: int) -> str:
    """`KPI-{000000}` and 7 → KPI-000007."""
    before, _, rest = pattern.partition("{")
    zeros, _, after = rest.partition("}")
    return f"{before}{number:0{len(zeros)}d}{after}"


def _differs(old: Row, new: Row, field: str) -> bool:
    return old.get(field) != new.get(field) or bool(old.get("IsDeleted")) != bool(new.get("IsDeleted"))


def _nothing() -> dict[str, Any]:
    counts = ("Leads", "ConvertedLeads", "Contacts", "Responses", "Opportunities", "WonOpportunities")
    money = {"AmountAllOpportunities": Decimal("0.0"), "AmountWonOpportunities": Decimal("0.0")}
    return {**{f"NumberOf{what}": 0 for what in counts}, **money}


def _count_deal(total: dict[str, Any], deal: Row) -> None:
    total["NumberOfOpportunities"] += 1
    total["AmountAllOpportunities"] += deal.get("Amount") or 0
    if deal.get("IsWon"):
        total["NumberOfWonOpportunities"] += 1
        total["AmountWonOpportunities"] += deal.get("Amount") or 0


def _count_member(total: dict[str, Any], member: Row, leads: Mapping[str, Row]) -> None:
    total["NumberOfResponses"] += bool(member.get("HasResponded"))
    if lead := leads.get(member.get("LeadId", "")):
        total["NumberOfLeads"] += 1
        total["NumberOfConvertedLeads"] += bool(lead.get("IsConverted"))
    else:
        total["NumberOfContacts"] += 1


def _digest(rows: Iterable[Row]) -> str:
    summed = hashlib.sha256()
    for row in sorted(rows, key=lambda row: str(row["Id"])):
        kept = {name: value for name, value in row.items() if name not in STAMPS}
        summed.update(json.dumps(kept, sort_keys=True, default=str).encode() + b"\n")
    return summed.hexdigest()
