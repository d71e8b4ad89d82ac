"""The people of a world as HubSpot holds them: owners, users, teams, companies, contacts and leads."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise

from crm_sandbox.hubspot.pipelines import LEAD_STAGES
from crm_sandbox.hubspot.registry import Registry, text_moment
from crm_sandbox.hubspot.store import Owner, Row, Team, Values
from crm_sandbox.hubspot.values import millis
from crm_sandbox.world import Prospect, Seller

FIRST_OWNER, OWNER_STEP = 41_629_779, 1_013
FIRST_USER, USER_STEP = 9_586_504, 377
FIRST_TEAM = 178_588
SOURCES = frozenset(
    {
        "ORGANIC_SEARCH",
        "PAID_SEARCH",
        "EMAIL_MARKETING",
        "SOCIAL_MEDIA",
        "PAID_SOCIAL",
        "REFERRALS",
        "OTHER_CAMPAIGNS",
        "DIRECT_TRAFFIC",
        "OFFLINE",
        "AI_REFERRALS",
    }
)
NEAREST_SOURCE = {
    "WEB": "ORGANIC_SEARCH",
    "WEBSITE": "ORGANIC_SEARCH",
    "ORGANIC": "ORGANIC_SEARCH",
    "REFERRAL": "REFERRALS",
    "PARTNER": "REFERRALS",
    "EMAIL": "EMAIL_MARKETING",
    "SOCIAL": "SOCIAL_MEDIA",
    "DIRECT": "DIRECT_TRAFFIC",
    "PHONE": "OFFLINE",
    "EVENT": "OFFLINE",
    "TRADE_SHOW": "OFFLINE",
}
"""Channels by other names. What is not known here is a campaign of its own kind."""

LEAD_STATUS = {"new": "NEW", "working": "IN_PROGRESS", "qualified": "CONNECTED", "unqualified": "UNQUALIFIED"}


def source_of(channel: str | None) -> str | None:
    """The traffic source that a channel is."""
    if channel is None:
        return None
    name = channel.strip().upper().replace(" ", "_").replace("-", "_")
    return name if name in SOURCES else NEAREST_SOURCE.get(name, "OTHER_CAMPAIGNS")


def people(registry: Registry, without_user_record: Iterable[str]) -> None:
    """Everyone, in the order in which the other rows need them."""
    _owners(registry, frozenset(without_user_record))
    _companies(registry)
    _Contacts(registry).write()


def _owners(registry: Registry, without_user_record: frozenset[str]) -> None:
    for place, seller in enumerate(registry.world.sellers):
        user_id = FIRST_USER + place * USER_STEP
        if seller.kind == "robot":
            registry.robots[seller.key] = user_id
            continue
        owner = _owner(registry, seller, place, user_id)
        registry.owners[seller.key] = owner
        registry.store.owners[owner.id] = owner
        registry.store.ids[("seller", seller.key)] = owner.id
        if owner.user_id is not None:
            registry.store.ids[("user", seller.key)] = str(owner.user_id)
            if seller.key not in without_user_record:
                _user_record(registry, seller, owner)


def _owner(registry: Registry, seller: Seller, place: int, user_id: int) -> Owner:
    first, _, last = seller.name.partition(" ")
    made = millis(seller.created or registry.world.now)
    person = seller.kind == "person"
    team = _team(registry, seller.team) if seller.team and person else None
    if team is not None:
        team.user_ids.append(user_id)
    return Owner(
        str(FIRST_OWNER + place * OWNER_STEP),
        user_id if person else None,
        seller.email,
        first,
        last,
        "PERSON" if person else "QUEUE",
        made,
        made,
        archived=not seller.active,
        teams=(team.id,) if team is not None else (),
    )


def _team(registry: Registry, name: str) -> Team:
    known = next((team for team in registry.store.teams.values() if team.name == name), None)
    if known is None:
        known = Team(str(FIRST_TEAM + 11 * len(registry.store.teams)), name)
        registry.store.teams[known.id] = known
    return known


def _user_record(registry: Registry, seller: Seller, owner: Owner) -> None:
    values: Values = {
        "hs_email": seller.email,
        "hs_given_name": owner.first_name,
        "hs_family_name": owner.last_name,
        "hs_searchable_calculated_name": seller.name,
        "hs_internal_user_id": str(owner.user_id),
        "hubspot_owner_id": owner.id,
        "hs_standard_time_zone": seller.time_zone,
        "hs_availability_status": "available",
    }
    made = seller.created or registry.world.now
    table = registry.store.tables["0-115"]
    row = registry.insert(table, "person_record", seller.key, values, created=made, modified=millis(made))
    registry.archive_soon(table, row, deleted=not seller.active)


def _companies(registry: Registry) -> None:
    table = registry.store.tables["0-2"]
    domains = {prospect.company: prospect.email.partition("@")[2] for prospect in registry.world.prospects}
    named = dict.fromkeys(prospect.company for prospect in registry.world.prospects)
    named |= dict.fromkeys(sale.account for sale in registry.world.sales if sale.account)
    made = registry.world.now - timedelta(days=900)
    for name in named:
        if not name:
            continue
        values: Values = {"name": name, "domain": domains.get(name) or None}
        row = registry.insert(table, "company", name, values, created=made, modified=millis(made))
        registry.companies[name] = row.id


class _Contacts:
    """Contacts with what the portal rolls up on them. What a duplicate did belongs to the one who survived."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._merged = {
            prospect.key: prospect.merged_into for prospect in registry.world.prospects if prospect.merged_into
        }
        self._filled: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
        self._viewed: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
        self._opened: dict[str, list[datetime]] = defaultdict(list)
        self._clicked: dict[str, list[datetime]] = defaultdict(list)
        self._won = {
            sale.key: closed
            for sale in registry.world.sales
            if sale.stage == "won" and not sale.deleted and (closed := registry.closes(sale)) <= registry.world.now
        }
        self._gather()
        self._holders: dict[str, str] = {}
        for prospect in registry.world.prospects:
            if not prospect.deleted and prospect.key not in self._merged:
                self._holders.setdefault(prospect.email.lower(), prospect.key)

    def _survivor(self, key: str) -> str:
        while key in self._merged:
            key = self._merged[key]
        return key

    def _gather(self) -> None:
        world = self._registry.world
        for form in world.submissions:
            self._filled[self._survivor(form.prospect)].append((form.at, form.form))
        for visit in world.visits:
            self._viewed[self._survivor(visit.prospect)].append((visit.at, visit.url))
        for email in world.emails:
            if email.tracked and email.people and not email.deleted:
                reader = self._survivor(email.people[0])
                self._opened[reader].extend(email.opens)
                self._clicked[reader].extend(email.clicks)

    def write(self) -> None:
        """Every prospect: contact, company link, lead record; then the merges."""
        table = self._registry.store.tables["0-1"]
        for place, prospect in enumerate(self._registry.world.prospects):
            row = self._contact(prospect, place)
            self._registry.contacts[prospect.key] = row.id
            company = self._registry.companies.get(prospect.company)
            if company is not None:
                self._registry.store.links.add("0-1", row.id, "0-2", company, 279, 1)
            if prospect.is_lead and prospect.key not in self._merged:
                self._lead(prospect, row)
            self._registry.archive_soon(table, row, deleted=prospect.deleted)
        for loser, winner in self._merged.items():
            self._merge(loser, winner)

    def _merge(self, loser: str, winner: str) -> None:
        store, contacts = self._registry.store, self._registry.contacts
        table = store.tables["0-1"]
        kept, gone = table.find(contacts[winner]), table.rows.get(contacts[loser])
        if kept is None or gone is None or kept is gone:
            return
        self._registry.archive_later = [entry for entry in self._registry.archive_later if entry[1] is not gone]
        when = min(max(kept.modified, gone.modified) + 3_600_000, self._registry.now)
        store.merge(table, kept, gone, at=when, fill_gaps=False)

    def _contact(self, prospect: Prospect, place: int) -> Row:
        registry = self._registry
        first, _, last = prospect.name.partition(" ")
        values: Values = {
            "email": self._own_address(prospect),
            "firstname": first,
            "lastname": last or None,
            "company": prospect.company or None,
            **registry.signed(prospect.owner),
            **self._stages(prospect, place),
            **self._engagement(prospect.key),
            "hs_analytics_source": source_of(prospect.channel),
            "hs_analytics_source_data_1": prospect.channel,
            "hs_latest_source": source_of(prospect.channel),
            "hs_email_optout": "true" if prospect.opted_out or prospect.opted_out_undated else None,
            "hs_email_bounce": "1" if prospect.bounced else None,
        }
        last_seen = [moment for moment, _ in (*self._filled[prospect.key], *self._viewed[prospect.key])]
        touched = registry.past(
            prospect.created,
            prospect.qualified,
            prospect.converted,
            prospect.opted_out,
            prospect.bounced,
            *last_seen,
            *self._opened[prospect.key],
            grace=timedelta(seconds=2),
        )
        table = registry.store.tables["0-1"]
        row = registry.insert(table, "prospect", prospect.key, values, created=prospect.created, modified=touched)
        self._pasts(prospect, row)
        return row

    def _own_address(self, prospect: Prospect) -> str | None:
        """Two living contacts cannot share an address: a later one is kept without."""
        lives = not prospect.deleted and prospect.key not in self._merged
        if lives and self._holders[prospect.email.lower()] != prospect.key:
            return None
        return prospect.email or None

    def _pasts(self, prospect: Prospect, row: Row) -> None:
        if prospect.opted_out:
            self._registry.history(row, "hs_email_optout", [(prospect.opted_out, "true")], "EMAIL")
        elif prospect.opted_out_undated:
            self._registry.history(row, "hs_email_optout", [])
        if prospect.bounced:
            self._registry.history(row, "hs_email_bounce", [(prospect.bounced, "1")], "EMAIL")
        for name, moments in (
            ("hs_sales_email_last_opened", self._opened[prospect.key]),
            ("hs_sales_email_last_clicked", self._clicked[prospect.key]),
        ):
            if moments:
                past = [(moment, text_moment(moment)) for moment in sorted(moments)]
                self._registry.history(row, name, past, "EMAIL")

    def _stages(self, prospect: Prospect, place: int) -> Values:
        """Lifecycle and lead status. A contact that was never a lead has the stage `other`."""
        if not prospect.is_lead:
            return {"lifecyclestage": "other", "hs_lifecyclestage_other_date": text_moment(prospect.created)}
        won = self._won.get(prospect.deal or "")
        stage = "lead"
        values: Values = {"hs_lifecyclestage_lead_date": text_moment(prospect.created)}
        if prospect.qualified:
            stage = ("marketingqualifiedlead", "salesqualifiedlead")[place % 2]
            values[f"hs_lifecyclestage_{stage}_date"] = text_moment(prospect.qualified)
        if prospect.converted:
            stage = "opportunity" if won is None else "customer"
            values["hs_lifecyclestage_opportunity_date"] = text_moment(prospect.converted)
        if prospect.converted and won is not None:
            values["hs_lifecyclestage_customer_date"] = text_moment(max(won, prospect.converted))
        if prospect.converted == prospect.created:  # imported as a customer: no stage has a date
            values["hs_lifecyclestage_opportunity_date"] = None
            values["hs_lifecyclestage_customer_date"] = None
        if place % 11 == 3:  # made before the portal kept this date
            values["hs_lifecyclestage_lead_date"] = None
        status = "OPEN_DEAL" if prospect.converted and prospect.status == "qualified" else LEAD_STATUS[prospect.status]
        unset: Values = {f"hs_lifecyclestage_{stage}_date": None}
        return {**unset, **values, "lifecyclestage": stage, "hs_lead_status": status}

    def _engagement(self, key: str) -> Values:
        """The totals that HubSpot keeps on a contact."""
        values: Values = {}
        filled, viewed = sorted(self._filled[key]), sorted(self._viewed[key])
        if filled:
            values |= {
                "num_conversion_events": str(len(filled)),
                "num_unique_conversion_events": str(len({form for _, form in filled})),
                "first_conversion_date": text_moment(filled[0][0]),
                "first_conversion_event_name": filled[0][1],
                "recent_conversion_date": text_moment(filled[-1][0]),
                "recent_conversion_event_name": filled[-1][1],
            }
        if viewed:
            values |= {
                "hs_analytics_num_page_views": str(len(viewed)),
                "hs_analytics_num_visits": str(_visits([moment for moment, _ in viewed])),
                "hs_analytics_first_timestamp": text_moment(viewed[0][0]),
                "hs_analytics_last_timestamp": text_moment(viewed[-1][0]),
                "hs_analytics_first_url": viewed[0][1],
                "hs_analytics_last_url": viewed[-1][1],
            }
        if self._opened[key]:
            values["hs_sales_email_last_opened"] = text_moment(max(self._opened[key]))
        if self._clicked[key]:
            values["hs_sales_email_last_clicked"] = text_moment(max(self._clicked[key]))
        return values

    def _lead(self, prospect: Prospect, contact: Row) -> None:
        table = self._registry.store.tables["0-136"]
        values: Values = {
            "hs_lead_name": prospect.name,
            "hs_lead_type": "NEW_BUSINESS",
            "hs_lead_label": ("HOT", "WARM", "COLD")[contact.id % 3],
            "hs_pipeline": "lead-pipeline-id",
            "hs_pipeline_stage": LEAD_STAGES[prospect.status],
            **self._registry.signed(prospect.owner),
        }
        touched = self._registry.past(prospect.created, prospect.qualified, prospect.converted)
        row = self._registry.insert(table, "lead", prospect.key, values, created=prospect.created, modified=touched)
        self._registry.store.links.add("0-136", row.id, "0-1", contact.id, 578)
        self._registry.archive_soon(table, row, deleted=prospect.deleted)


def _visits(moments: list[datetime]) -> int:
    """Page views less than half an hour apart are one visit."""
    return 1 + sum(later - earlier > timedelta(minutes=30) for earlier, later in pairwise(moments))
