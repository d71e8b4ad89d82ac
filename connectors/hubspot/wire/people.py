"""Owners, users and contacts: the reps and the people they talk to."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from connectors.hubspot.wire.shapes import (
    Properties,
    Row,
    Unclear,
    Version,
    flag,
    label,
    merged_ids,
    millis,
    modified,
    moment,
    text,
    time_zone,
    whole,
)
from kpi_engine.records import Lead, Millis, Person, Record, Rep

USER_PROPERTIES = (
    "hs_internal_user_id",
    "hubspot_owner_id",
    "hs_email",
    "hs_standard_time_zone",
    "hs_lastmodifieddate",
)

LEAD_STAGES = ("lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer")
QUALIFIED = ("marketingqualifiedlead", "salesqualifiedlead")
CONVERTED = ("opportunity", "customer")

QUALIFIED_DATES = tuple(
    name for stage in QUALIFIED for name in (f"hs_lifecyclestage_{stage}_date", f"hs_v2_date_entered_{stage}")
)

CONTACT_PROPERTIES = (
    "createdate",
    "lastmodifieddate",
    "hubspot_owner_id",
    "lifecyclestage",
    *(f"hs_lifecyclestage_{stage}_date" for stage in LEAD_STAGES),
    *(f"hs_v2_date_entered_{stage}" for stage in LEAD_STAGES),
    "hs_lead_status",
    "hs_analytics_source",
    "hs_email_optout",
    "hs_email_bounce",
    "hs_merged_object_ids",
)

LEAD_PROPERTIES = (
    "hs_createdate",
    "hs_lastmodifieddate",
    "hubspot_owner_id",
    "hs_pipeline_stage",
    "hs_merged_object_ids",
)


class Owner(msgspec.Struct, frozen=True, rename="camel"):
    """HubSpot's owner. `id` stands on records as hubspot_owner_id, `userId` is the person behind it: two numbers that
    must never be mixed up, though some portals have them equal."""

    id: str
    email: str | None = None
    type: str = "PERSON"
    first_name: str | None = None
    last_name: str | None = None
    user_id: int | None = None
    user_id_including_inactive: int | None = None
    updated_at: str | None = None
    created_at: str | None = None
    archived: bool = False


class Directory(msgspec.Struct, frozen=True):
    """Who is who: owner ids, and the owner of each settings user."""

    owners: frozenset[str]
    by_user: Mapping[str, str]

    def owner(self, properties: Properties) -> str | None:
        """The owner of a record."""
        return text(properties, "hubspot_owner_id")

    def doer(self, properties: Properties) -> str | None:
        """Who did an activity: its owner, else the owner that its creator is."""
        return text(properties, "hubspot_owner_id") or self.by_user.get(properties.get("hs_created_by_user_id") or "")

    def of_user(self, user: str | None) -> str | None:
        return self.by_user.get(user or "")


def directory(owners: Iterable[Owner]) -> Directory:
    """Active owners win over archived ones of the same person, who may have left and come back."""
    by_user: dict[str, str] = {}
    ids = set()
    for owner in sorted(owners, key=lambda each: not each.archived):
        ids.add(owner.id)
        for user in (owner.user_id_including_inactive, owner.user_id):
            if user is not None:
                by_user[str(user)] = owner.id
    return Directory(frozenset(ids), by_user)


def reps(owners: Sequence[Owner], users: Sequence[Row], managers: Mapping[str, str]) -> list[Rep]:
    """Every owner, with the CRM user record on which this person's numbers may be written.

    The two are joined by what the user record says of itself (owner id, else user id). Where two records claim the
    same person neither is believed: writing one rep's numbers on another is worse than writing none.
    """
    by_owner = _unique(users, "hubspot_owner_id")
    by_user = _unique(users, "hs_internal_user_id")
    by_email = {owner.email.lower(): owner.id for owner in owners if owner.email and not owner.archived}
    bosses = {email.lower(): by_email.get(manager.lower()) for email, manager in managers.items()}
    return [_rep(owner, _record_of(owner, by_owner, by_user), bosses) for owner in owners]


def _unique(users: Sequence[Row], name: str) -> dict[str, Row | None]:
    found: dict[str, Row | None] = {}
    for user in users:
        value = text(user.properties, name)
        if value:
            found[value] = None if value in found else user
    return found


def _record_of(owner: Owner, by_owner: Mapping[str, Row | None], by_user: Mapping[str, Row | None]) -> Row | None:
    if owner.id in by_owner:
        return by_owner[owner.id]
    user = owner.user_id if owner.user_id is not None else owner.user_id_including_inactive
    return by_user.get(str(user)) if user is not None else None


def _rep(owner: Owner, user: Row | None, bosses: Mapping[str, str | None]) -> Rep:
    stamps = [owner.updated_at or owner.created_at, user.updated_at if user else None]
    name = " ".join(part for part in (owner.first_name, owner.last_name) if part)
    return Rep(
        id=owner.id,
        modified=max(map(_stamp, stamps)),
        name=name or owner.email or owner.id,
        email=owner.email,
        active=not owner.archived,
        known=owner.type.upper() != "QUEUE",
        manager=bosses.get((owner.email or "").lower()),
        time_zone=time_zone(text(user.properties, "hs_standard_time_zone")) if user else None,
        person_record=user.id if user and not user.archived else None,
    )


def _stamp(value: str | None) -> Millis:
    """When an owner changed; the table is read in full every time, so that nothing hangs on it."""
    try:
        return millis(value, "updatedAt") if value else Millis(0)
    except Unclear:
        return Millis(0)


def contact(row: Row, *, changed: bool, leads: bool = True) -> list[Record]:
    """The person and, where contacts are the leads, the lead that this contact is by its lifecycle. `changed`: it may
    have been a lead before, so one that is none (any more) says so."""
    person = _person(row)
    records: list[Record] = [person]
    is_lead = _is_lead(row.properties)
    if leads and (is_lead or changed):
        records.append(_lead(row, person, is_lead))
    for absorbed in merged_ids(row):
        records.append(_absorbed_person(absorbed, person))
        if leads:
            records.append(_absorbed_lead(absorbed, person, _created(row, "createdate")))
    return records


def _person(row: Row) -> Person:
    properties = row.properties
    optout = flag(properties, "hs_email_optout")
    return Person(
        id=row.id,
        modified=modified(row, "lastmodifieddate"),
        deleted=row.archived,
        owner=text(properties, "hubspot_owner_id"),
        opted_out=optout,
        opted_out_at=_since(row.history.get("hs_email_optout", ()), "true") if optout else None,
        bounced_at=_first_bounce(row),
    )


def needs_history(row: Row) -> bool:
    """Whether the dates of an opt-out or a bounce must be looked up."""
    return flag(row.properties, "hs_email_optout") or bool(whole(row.properties, "hs_email_bounce"))


HISTORY = ("hs_email_optout", "hs_email_bounce")


def _entered(properties: Properties, stages: Iterable[str]) -> Millis | None:
    moments = []
    for stage in stages:
        at = moment(properties, f"hs_lifecyclestage_{stage}_date")
        at = at if at is not None else moment(properties, f"hs_v2_date_entered_{stage}")
        if at is not None:
            moments.append(at)
    return min(moments, default=None)


def _is_lead(properties: Properties) -> bool:
    return label(properties, "lifecyclestage") in LEAD_STAGES or _entered(properties, ("lead",)) is not None


def _lead(row: Row, person: Person, is_lead: bool) -> Lead:
    properties = row.properties
    created = _created(row, "createdate")
    converted_at = _entered(properties, CONVERTED)
    converted = converted_at is not None or label(properties, "lifecyclestage") in CONVERTED
    return Lead(
        id=row.id,
        modified=person.modified,
        deleted=row.archived or not is_lead,
        owner=person.owner,
        created_at=created,
        channel=text(properties, "hs_analytics_source"),
        status=label(properties, "hs_lead_status"),
        qualified_at=_entered(properties, QUALIFIED),
        converted=converted,
        converted_at=converted_at if converted_at is not None or not converted else created,
        person=row.id,
        opted_out=person.opted_out,
        opted_out_at=person.opted_out_at,
        bounced_at=person.bounced_at,
    )


def _absorbed_person(absorbed: str, winner: Person) -> Person:
    return Person(id=absorbed, modified=winner.modified, deleted=True, owner=None, merged_into=winner.id)


def _absorbed_lead(absorbed: str, winner: Person, created: Millis) -> Lead:
    return Lead(
        id=absorbed,
        modified=winner.modified,
        deleted=True,
        owner=None,
        created_at=created,
        person=winner.id,
        merged_into=winner.id,
    )


def _created(row: Row, name: str) -> Millis:
    at = moment(row.properties, name)
    if at is not None:
        return at
    if row.created_at:
        return millis(row.created_at, "createdAt")
    raise Unclear(f"{name} is missing")


def _since(history: Sequence[Version], value: str) -> Millis | None:
    """Since when a property has had its present value."""
    at = None
    dated = [(millis(version.timestamp, "history"), version) for version in history if version.timestamp]
    for moment_, version in sorted(dated, key=lambda pair: pair[0], reverse=True):
        if (version.value or "").lower() != value:
            break
        at = moment_
    return at


def _first_bounce(row: Row) -> Millis | None:
    moments = [
        millis(version.timestamp, "history")
        for version in row.history.get("hs_email_bounce", ())
        if version.timestamp and (version.value or "0").strip("0.") != ""
    ]
    return min(moments, default=None)


def lead_object(row: Row, contact_row: Row | None, stages: Mapping[str, str]) -> Lead:
    """A record of the Leads object: its own owner, creation and stage, and what its contact says of the rest. What
    happened to the contact before this lead was made belongs to an earlier lead."""
    at = modified(row, "hs_lastmodifieddate")
    created = _created(row, "hs_createdate")
    stage = label(row.properties, "hs_pipeline_stage")
    own = Lead(
        id=row.id,
        modified=at,
        deleted=row.archived,
        owner=text(row.properties, "hubspot_owner_id"),
        created_at=created,
        status=stages.get(stage, stage) if stage else None,
    )
    if contact_row is None:
        return own
    person = _person(contact_row)
    known = _lead(contact_row, person, is_lead=True)
    qualified_at, converted_at = (
        each if each is not None and each >= created else None for each in (known.qualified_at, known.converted_at)
    )
    return replace(
        known,
        id=own.id,
        modified=max(at, person.modified),
        deleted=own.deleted,
        owner=own.owner,
        created_at=created,
        qualified_at=qualified_at,
        converted=converted_at is not None,
        converted_at=converted_at,
        status=own.status,
    )
