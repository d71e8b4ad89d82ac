"""What every portal has from the start: the object types with their scopes and tiers, and the shape of a property."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from crm_sandbox.hubspot.standard import STANDARD

TIERS = ("free", "starter", "professional", "enterprise")

FIELD_TYPES = {
    "string": {"text", "textarea", "html", "file", "phonenumber", "calculation_equation"},
    "number": {"number", "calculation_equation"},
    "date": {"date"},
    "datetime": {"date"},
    "enumeration": {"select", "radio", "checkbox", "booleancheckbox", "calculation_equation"},
    "bool": {"booleancheckbox", "calculation_equation"},
    "phone_number": {"phonenumber"},
}
"""Which field types a property type may have."""

_SHORT_TYPES = {
    "string": ("string", "text"),
    "number": ("number", "number"),
    "date": ("date", "date"),
    "datetime": ("datetime", "date"),
    "enum": ("enumeration", "select"),
    "multi": ("enumeration", "checkbox"),
    "bool": ("bool", "booleancheckbox"),
    "owner": ("enumeration", "select"),
}


@dataclass
class Property:
    """A property's definition. `owners` marks the owner picker, whose options are the portal's owners."""

    name: str
    type: str
    field_type: str
    label: str
    group: str
    options: tuple[tuple[str, str], ...] = ()
    unique: bool = False
    read_only: bool = False
    owners: bool = False
    standard: bool = False
    description: str = ""
    hidden: bool = False
    form_field: bool = False
    display_order: int = -1
    extras: dict[str, object] = field(default_factory=dict)
    created: int = 0
    updated: int = 0
    archived: bool = False

    def __post_init__(self) -> None:
        self.offer(self.options)

    def offer(self, options: Iterable[tuple[str, str]]) -> None:
        """Give an enumeration these options: value and label."""
        self.options = tuple(options)
        self.values = frozenset(value for value, _ in self.options)

    def allows(self, value: str) -> bool:
        """Whether an enumeration has this option. Owners are looked up by the store."""
        return self.owners or value in self.values


@dataclass(frozen=True)
class ObjectType:
    """A kind of record.

    created, modified   the properties that hold its two stamps
    read, write         the scopes that are all needed
    define              the scopes of which one is needed to change its properties
    searchable          the properties that a search returns when none are asked for
    text                the properties that a search's `query` looks into
    """

    type_id: str
    singular: str
    plural: str
    created: str
    modified: str
    read: tuple[str, ...]
    write: tuple[str, ...]
    define: tuple[str, ...]
    searchable: tuple[str, ...]
    text: tuple[str, ...] = ()
    tier: str = "free"
    custom: bool = False

    @property
    def stamps(self) -> tuple[str, ...]:
        """The properties that come back whatever was asked for."""
        return self.created, self.modified, "hs_object_id"


def _activity(type_id: str, singular: str, plural: str, *text: str, read: tuple[str, ...] = ()) -> ObjectType:
    return ObjectType(
        type_id,
        singular,
        plural,
        "hs_createdate",
        "hs_lastmodifieddate",
        ("crm.objects.contacts.read", *read),
        ("crm.objects.contacts.write",),
        ("crm.schemas.contacts.write", "crm.objects.contacts.write"),
        ("hs_createdate", "hs_lastmodifieddate", "hs_object_id"),
        text,
    )


def _plain(type_id: str, singular: str, plural: str, *text: str, tier: str = "free", scope: str = "") -> ObjectType:
    scope = scope or f"crm.objects.{plural}"
    return ObjectType(
        type_id,
        singular,
        plural,
        "hs_createdate",
        "hs_lastmodifieddate",
        (f"{scope}.read",),
        (f"{scope}.write",),
        (f"{scope}.write",),
        ("hs_createdate", "hs_lastmodifieddate", "hs_object_id"),
        text,
        tier,
    )


CONTACTS = ObjectType(
    "0-1",
    "contact",
    "contacts",
    "createdate",
    "lastmodifieddate",
    ("crm.objects.contacts.read",),
    ("crm.objects.contacts.write",),
    ("crm.schemas.contacts.write",),
    ("createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"),
    ("firstname", "lastname", "email", "company", "phone"),
)
COMPANIES = ObjectType(
    "0-2",
    "company",
    "companies",
    "createdate",
    "hs_lastmodifieddate",
    ("crm.objects.companies.read",),
    ("crm.objects.companies.write",),
    ("crm.schemas.companies.write",),
    ("createdate", "domain", "hs_lastmodifieddate", "hs_object_id", "name"),
    ("name", "domain"),
)
DEALS = ObjectType(
    "0-3",
    "deal",
    "deals",
    "createdate",
    "hs_lastmodifieddate",
    ("crm.objects.deals.read",),
    ("crm.objects.deals.write",),
    ("crm.schemas.deals.write",),
    (
        "amount",
        "closedate",
        "createdate",
        "dealname",
        "dealstage",
        "hs_lastmodifieddate",
        "hs_object_id",
        "pipeline",
    ),
    ("dealname",),
)
LEADS = ObjectType(
    "0-136",
    "lead",
    "leads",
    "hs_createdate",
    "hs_lastmodifieddate",
    ("crm.objects.leads.read",),
    ("crm.objects.leads.write",),
    ("crm.objects.leads.write",),
    ("hs_createdate", "hs_lastmodifieddate", "hs_object_id"),
    ("hs_lead_name",),
    "professional",
)
CALLS = _activity("0-48", "call", "calls", "hs_call_title", "hs_call_body")
EMAILS = _activity("0-49", "email", "emails", "hs_email_subject", read=("sales-email-read",))
MEETINGS = _activity("0-47", "meeting", "meetings", "hs_meeting_title")
COMMUNICATIONS = _activity("0-18", "communication", "communications", "hs_communication_body")
TASKS = _activity("0-27", "task", "tasks", "hs_task_subject")
NOTES = _activity("0-46", "note", "notes", "hs_note_body")
USERS = _plain("0-115", "user", "users", "hs_given_name", "hs_family_name", "hs_email")
GOALS = _plain("0-74", "goal_target", "goal_targets", "hs_goal_name", tier="starter", scope="crm.objects.goals")
CAMPAIGNS = _plain("0-35", "campaign", "campaigns", "hs_name", tier="professional", scope="marketing.campaigns")

STANDARD_TYPES = (
    CONTACTS,
    COMPANIES,
    DEALS,
    LEADS,
    CALLS,
    EMAILS,
    MEETINGS,
    COMMUNICATIONS,
    TASKS,
    NOTES,
    USERS,
    GOALS,
    CAMPAIGNS,
)
ACTIVITIES = (CALLS, EMAILS, MEETINGS, COMMUNICATIONS, TASKS, NOTES)

ALIASES = {"goals": "0-74", "goal": "0-74", "marketing_campaigns": "0-35"}
"""Further names under which a type is known."""


def custom_type(type_id: str, name: str, portal_id: int, searchable: tuple[str, ...]) -> ObjectType:
    """A custom object's type: it goes by its id, its name and its fully qualified name."""
    return ObjectType(
        type_id,
        name,
        f"p{portal_id}_{name}",
        "hs_createdate",
        "hs_lastmodifieddate",
        ("crm.objects.custom.read",),
        ("crm.objects.custom.write",),
        ("crm.schemas.custom.write", "crm.objects.custom.write"),
        ("hs_createdate", "hs_lastmodifieddate", "hs_object_id"),
        searchable,
        "enterprise",
        custom=True,
    )


def standard_properties(name: str) -> Iterator[Property]:
    """The properties that HubSpot itself defines for an object type (by plural name, or `custom`)."""
    for line in STANDARD[name].splitlines():
        if line.strip():
            yield parsed_line(line, f"{name}information")


def parsed_line(line: str, group: str) -> Property:
    """A property of HubSpot's own from its line in `standard`."""
    head, _, options = line.partition("=")
    name, short, *flags = head.split()
    type_, field_type = _SHORT_TYPES[short]
    listed = options.strip().split("|") if options else ["true", "false"] if type_ == "bool" else []
    return Property(
        name,
        type_,
        field_type,
        label_of(name),
        group,
        tuple(_option(item) for item in listed),
        unique="unique" in flags,
        read_only="ro" in flags,
        owners=short == "owner",
        standard=True,
    )


def _option(item: str) -> tuple[str, str]:
    value, _, label = item.partition(":")
    return value.strip(), label.strip() or label_of(value.strip())


def label_of(name: str) -> str:
    """A readable label for an internal name."""
    return name.removeprefix("hs_").replace("_", " ").lower().capitalize()
