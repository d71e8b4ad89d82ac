"""Who got which id when a neutral world moved into this organisation, and what all its rows have in common."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from crm_sandbox.salesforce.store import Store, stamp
from crm_sandbox.world import Prospect, Seller, World


@dataclass
class Register:
    """Ids by (kind, key of the world). `who` is the person whom activities hang on: the contact that a lead became,
    and the survivor of a merge."""

    store: Store
    world: World
    several_currencies: bool
    ids: dict[tuple[str, str], str] = field(default_factory=dict)
    keys: dict[str, tuple[str, str]] = field(default_factory=dict)
    prospects: dict[str, Prospect] = field(default_factory=dict)
    batches: defaultdict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    accounts: dict[str, str] = field(default_factory=dict)
    account_of: dict[str, str] = field(default_factory=dict)
    robot: str = ""
    integration: str = ""
    nobody: str = ""

    def __post_init__(self) -> None:
        self.sellers: Mapping[str, Seller] = {one.key: one for one in self.world.sellers}

    def note(self, kind: str, key: str, record: str) -> None:
        """Remember which id the world's thing got."""
        self.ids[kind, key] = record
        self.keys.setdefault(record, (kind, key))

    def get(self, kind: str, key: str | None) -> str | None:
        return self.ids.get((kind, key)) if key is not None else None

    def add(self, name: str, created: datetime, modified: datetime, by: str | None, **values: Any) -> str:
        """A row with its own id and stamps, put into the store by `deliver`."""
        fields = self.store.schema.things[name.lower()].fields
        record: str = values.pop("Id", None) or self.store.next_id(self.store.schema.things[name.lower()].prefix)
        author, last = by or self.robot, stamp(max(created, modified))
        row = {"Id": record}
        row.update([item for item in values.items() if item[1] is not None])
        if "createddate" in fields:
            row["CreatedDate"], row["CreatedById"] = stamp(created), author
        if "lastmodifieddate" in fields:
            row["LastModifiedDate"], row["LastModifiedById"] = last, author
        if "systemmodstamp" in fields:
            row["SystemModstamp"] = last
        self.batches[name].append(row)
        return record

    def deliver(self) -> None:
        """Hand all rows over to the store."""
        for name, rows in self.batches.items():
            self.store.load(name, rows)
        self.batches.clear()

    def user(self, seller: str | None) -> str:
        """The user behind a seller; where only users can own and there is none, the robot."""
        found = self.get("seller", seller)
        return found if found and found.startswith("005") else self.robot

    def owner(self, seller: str | None) -> str:
        """The user or queue behind a seller; the queue for things that nobody owns, where there is none."""
        return self.get("seller", seller) or self.nobody

    def who(self, prospect: str) -> str | None:
        """The contact or lead that activities of this prospect hang on today."""
        survivor = self.survivor(prospect)
        return self.get("contact", survivor) or self.get("lead", survivor)

    def survivor(self, prospect: str) -> str:
        while (found := self.prospects.get(prospect)) and found.merged_into in self.prospects:
            prospect = found.merged_into or prospect
        return prospect

    def zone(self, seller: str | None) -> ZoneInfo:
        """The seller's time zone, else the organisation's."""
        one = self.sellers.get(seller or "")
        return ZoneInfo(one.time_zone if one else self.world.time_zone)

    def day(self, when: datetime, seller: str | None = None) -> str:
        """The calendar day of a moment where the seller is."""
        return when.astimezone(self.zone(seller)).date().isoformat()

    def currency(self, code: str | None) -> Mapping[str, str]:
        """The currency of a row, in an organisation that has several."""
        return {"CurrencyIsoCode": code or self.world.currency} if self.several_currencies else {}


def latest(*moments: datetime | None) -> datetime:
    """The last of the moments that there are."""
    return max(moment for moment in moments if moment is not None)


def midnight(when: date) -> datetime:
    return datetime(when.year, when.month, when.day, tzinfo=UTC)
