"""What a seed needs at hand: which id each thing of the world got, and how a seller signs a record."""

import hashlib
from datetime import UTC, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from crm_sandbox.hubspot.store import Owner, Row, Store, Table, Values
from crm_sandbox.hubspot.values import iso, millis
from crm_sandbox.world import Prospect, Sale, Seller, World

NOON = time(12)


def guid(*names: str) -> str:
    """A GUID that is always the same for the same names."""
    digest = hashlib.sha256("\n".join(names).encode()).digest()
    return str(UUID(bytes=digest[:16], version=4))


class Registry:
    """The ids given so far. Records are made in the order of the world, so the same world gets the same ids."""

    def __init__(self, world: World, store: Store) -> None:
        self.world = world
        self.store = store
        self.now = millis(world.now)
        self.owners: dict[str, Owner] = {}
        self.robots: dict[str, int] = {}
        self.sellers: dict[str, Seller] = {seller.key: seller for seller in world.sellers}
        self.prospects: dict[str, Prospect] = {prospect.key: prospect for prospect in world.prospects}
        self.contacts: dict[str, int] = {}
        self.companies: dict[str, int] = {}
        self.deals: dict[str, int] = {}
        self.campaigns: dict[str, str] = {}
        self.archive_later: list[tuple[Table, Row]] = []

    def past(self, *moments: datetime | None, grace: timedelta = timedelta(0)) -> int:
        """The latest of these moments that is not in the future, a little later: when a record was last touched."""
        known = [millis(moment + grace) for moment in moments if moment is not None]
        return max((moment for moment in known if moment <= self.now), default=self.now)

    def owner_of(self, seller: str | None) -> Owner | None:
        """A seller's owner; robots and nobody have none."""
        return None if seller is None else self.owners.get(seller)

    def zone(self, seller: str | None) -> ZoneInfo:
        """Where a seller lives; nobody lives where the company does."""
        known = self.sellers.get(seller or "")
        return ZoneInfo(known.time_zone if known and known.kind == "person" else self.world.time_zone)

    def closes(self, sale: Sale) -> datetime:
        """A deal's close as a moment: the one that is known, else noon where the owner of that day lives."""
        if sale.closed_at is not None:
            return sale.closed_at
        end_of_day = datetime.combine(sale.closed + timedelta(days=1), time(), UTC)
        owner = next((seller for since, seller in reversed(sale.owners) if since < end_of_day), sale.owner)
        return datetime.combine(sale.closed, NOON, self.zone(owner)).astimezone(UTC)

    def signed(self, seller: str | None, *, by_creator: bool = False) -> Values:
        """Owner, team and creator of a record. `by_creator`: nobody assigned it, only its creator tells whose it is."""
        owner = self.owner_of(seller)
        creator = self.robots.get(seller or "") if owner is None else owner.user_id
        return {
            "hubspot_owner_id": None if owner is None or by_creator else owner.id,
            "hs_created_by_user_id": None if creator is None else str(creator),
        }

    def insert(self, table: Table, kind: str, key: str, values: Values, *, created: datetime, modified: int) -> Row:
        """A row of the seed, its id noted under the world's key."""
        made = min(millis(created), self.now)
        row = self.store.insert(table, values, created=made, modified=max(modified, made))
        self.store.ids[(kind, key)] = str(row.id)
        return row

    def link_all(self, table: Table, row: Row, people: tuple[str, ...], deals: tuple[str, ...]) -> None:
        """Hang an activity or a deal on its people and deals; a merged-away person is the one who survived."""
        links, source = self.store.links, table.kind.type_id
        for key in people:
            contact = self.contacts.get(key)
            if contact is not None:
                links.add(source, row.id, "0-1", self.survivor(contact), links.types(source, "0-1")[0])
        for key in deals:
            deal = self.deals.get(key)
            if deal is not None:
                links.add(source, row.id, "0-3", deal, links.types(source, "0-3")[0])

    def contacts_of(self, sale: Sale) -> int:
        """How many contacts a deal has once the duplicates are one."""
        return len({self.survivor(self.contacts[key]) for key in sale.people if key in self.contacts})

    def survivor(self, contact: int) -> int:
        """The contact that holds what this one was."""
        row = self.store.tables["0-1"].find(contact)
        return contact if row is None else row.id

    def archive_soon(self, table: Table, row: Row, *, deleted: bool) -> None:
        """Archive a row once everything is linked."""
        if deleted:
            self.archive_later.append((table, row))

    def finish(self) -> None:
        """Archive what the world says is deleted, a moment after it was last touched."""
        for table, row in self.archive_later:
            self.store.archive(table, row, at=min(row.modified + 60_000, self.now))
        self.store.tables["0-1"].reindex()

    def history(self, row: Row, name: str, versions: list[tuple[datetime, str | None]], source: str = "CRM_UI") -> None:
        """Give a property the past that the world tells."""
        row.history = row.history if row.history is not None else {}
        row.history[name] = [(millis(moment), value, source) for moment, value in versions]


def text_moment(moment: datetime | None) -> str | None:
    """A moment as HubSpot writes it."""
    return None if moment is None else iso(millis(moment))
