"""What is read from a portal, in which order, with which scope, and which sources are missing without it.

`sources` are the names that `Company.missing` knows: the one place where the HubSpot side says what a closed stream
costs.
"""

from collections.abc import Container

import msgspec

from connectors.contract import Gap
from connectors.hubspot.paths import CURRENT, LEGACY, unsupported_from
from connectors.hubspot.settings import HubSpotMappings
from connectors.hubspot.wire import activities, deals, people

MODIFIED = "hs_lastmodifieddate"
CONTACT_MODIFIED = "lastmodifieddate"

DOCUMENTS = (
    "documents",
    "HubSpot's API does not tell who read a sales document, or for how long.",
    "Nothing to do: the score is computed without document minutes.",
)


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of thing that is read. `scopes` is what HubSpot asks for; `kind` its name in paths; `edition` says that
    a portal may lack it even where the token has the scope, so that only asking tells."""

    name: str
    kind: str
    scopes: tuple[str, ...]
    sources: tuple[str, ...] = ()
    edition: bool = False


class Need(msgspec.Struct, frozen=True):
    """What a source is read from: all the properties of one of the `ways`. A portal that defines none of them in full,
    or hides them from the token, would look as if it had never happened."""

    source: str
    ways: tuple[tuple[str, ...], ...]

    def gap(self, defined: Container[str]) -> Gap | None:
        """What is missing, where the portal has these properties."""
        lacking = [[name for name in way if name not in defined] for way in self.ways]
        if not all(lacking):
            return None
        names = " or ".join(", ".join(each) for each in lacking)
        return Gap(
            self.source,
            f"This portal does not define {names}, or hides it from the token.",
            "Look for the property in HubSpot's settings (Properties), and whether the app may see it.",
        )


class ObjectStream(Stream, frozen=True, kw_only=True):
    """CRM records that are listed at first and searched by their modification stamp afterwards.

    links    what hangs on a record: the kind to ask associations for → what our links call that end
    link_as  what our links call the record itself; None: it has no links
    record   the kind of our records, for those that stop being one
    needs    what its sources are read from, where a portal without it can be told from one in which nothing happened
    """

    stamp: str = MODIFIED
    wanted: tuple[str, ...] = ()
    link_as: str | None = None
    links: tuple[tuple[str, str], ...] = ()
    record: str
    needs: tuple[Need, ...] = ()


CONTACTS_READ = ("crm.objects.contacts.read",)
TO_PEOPLE_AND_DEALS = (("contacts", "person"), ("deals", "deal"))

OWNERS = Stream(name="owners", kind="owners", scopes=("crm.objects.owners.read",))
CONTACTS = ObjectStream(
    name="contacts",
    kind="contacts",
    scopes=CONTACTS_READ,
    sources=("leads", "opt_out_dates", "qualified_dates"),
    stamp=CONTACT_MODIFIED,
    wanted=people.CONTACT_PROPERTIES,
    record="person",
    needs=(
        Need("leads", (("lifecyclestage",),)),
        Need("opt_out_dates", (("hs_email_optout",),)),
        Need("qualified_dates", tuple((name,) for name in people.QUALIFIED_DATES)),
    ),
)
LEADS = ObjectStream(
    name="leads",
    kind="leads",
    scopes=("crm.objects.leads.read",),
    sources=("leads",),
    edition=True,
    wanted=people.LEAD_PROPERTIES,
    record="lead",
)
DEALS = ObjectStream(
    name="deals",
    kind="deals",
    scopes=("crm.objects.deals.read",),
    sources=("deals",),
    wanted=deals.DEAL_PROPERTIES,
    link_as="deal",
    links=(("contacts", "person"),),
    record="deal",
)
CALLS = ObjectStream(
    name="calls",
    kind="calls",
    scopes=CONTACTS_READ,
    sources=("calls", "answers"),
    wanted=activities.CALL_PROPERTIES,
    link_as="interaction",
    links=TO_PEOPLE_AND_DEALS,
    record="interaction",
    needs=(Need("answers", (("hs_call_disposition",), ("hs_call_duration",))),),
)
EMAILS = ObjectStream(
    name="emails",
    kind="emails",
    scopes=("crm.objects.contacts.read", "sales-email-read"),
    sources=("emails", "opens", "clicks", "bounces", "replies"),
    wanted=activities.EMAIL_PROPERTIES,
    link_as="interaction",
    links=TO_PEOPLE_AND_DEALS,
    record="interaction",
    needs=(
        Need("emails", (("hs_email_direction", "hs_email_status"),)),
        Need("opens", (("hs_email_tracker_key", "hs_email_open_count"),)),
        Need("clicks", (("hs_email_tracker_key", "hs_email_click_count"),)),
        Need("bounces", (("hs_email_status",), ("hs_email_bounce_error_detail_status_code",))),
        Need("replies", (("hs_email_direction", "hs_email_thread_id"),)),
    ),
)
MEETINGS = ObjectStream(
    name="meetings",
    kind="meetings",
    scopes=CONTACTS_READ,
    sources=("meetings", "meeting_outcomes"),
    wanted=activities.MEETING_PROPERTIES,
    link_as="interaction",
    links=TO_PEOPLE_AND_DEALS,
    record="interaction",
    needs=(Need("meeting_outcomes", (("hs_meeting_outcome",),)),),
)
COMMUNICATIONS = ObjectStream(
    name="communications",
    kind="communications",
    scopes=CONTACTS_READ,
    sources=("messages",),
    wanted=activities.COMMUNICATION_PROPERTIES,
    link_as="interaction",
    links=TO_PEOPLE_AND_DEALS,
    record="interaction",
)
TASKS = ObjectStream(
    name="tasks",
    kind="tasks",
    scopes=CONTACTS_READ,
    sources=("tasks",),
    wanted=activities.TASK_PROPERTIES,
    link_as="task",
    links=TO_PEOPLE_AND_DEALS,
    record="task",
)
GOALS = ObjectStream(
    name="goals",
    kind="goal_targets",
    scopes=("crm.objects.goals.read",),
    sources=("quotas",),
    edition=True,
    wanted=deals.GOAL_PROPERTIES,
    record="quota",
    needs=(
        Need(
            "quotas",
            (
                ("hs_assignee_user_id", "hs_target_amount", "hs_start_datetime", "hs_end_datetime"),
                ("hs_assignee_user_id", "hs_target_amount_in_home_currency", "hs_start_datetime", "hs_end_datetime"),
            ),
        ),
    ),
)
DEAL_SPLITS = Stream(name="deal_splits", kind="deal splits", scopes=("crm.dealsplits.read_write",), sources=("splits",))
CAMPAIGNS = Stream(
    name="campaigns",
    kind="campaigns",
    scopes=("marketing.campaigns.read",),
    sources=("campaigns", "campaign_costs"),
    edition=True,
)
FORMS = Stream(name="forms", kind="forms", scopes=("forms",), sources=("form_submissions",))
PAGE_VIEWS = Stream(name="page_views", kind="page views", scopes=("oauth",), sources=("page_views",), edition=True)
CURRENCIES = Stream(name="currencies", kind="currencies", scopes=("settings.currencies.read",), sources=("rates",))


def streams(mappings: HubSpotMappings) -> tuple[Stream, ...]:
    """Everything to read, reps first; the Leads object only where the settings choose it."""
    leads: tuple[Stream, ...] = (LEADS,) if mappings.leads == "leads_object" else ()
    return (
        OWNERS,
        CURRENCIES,
        CONTACTS,
        *leads,
        DEALS,
        DEAL_SPLITS,
        CALLS,
        EMAILS,
        MEETINGS,
        COMMUNICATIONS,
        TASKS,
        GOALS,
        CAMPAIGNS,
        FORMS,
        PAGE_VIEWS,
    )


def old_version(version: str) -> list[Gap]:
    """What to know about an API version that is not the newest."""
    if version == CURRENT:
        return []
    ends = unsupported_from(version)
    if version != LEGACY and ends > unsupported_from(CURRENT):
        return []  # newer than we know
    reason = f"HubSpot does not support API version {version} from {ends:%B %Y} on."
    return [Gap("api_version", reason, f'Set api_version = "{CURRENT}" in kpisync.toml.')]


def gaps_of(stream: Stream, reason: str, advice: str) -> list[Gap]:
    """What is missing without this stream."""
    return [Gap(source, reason, advice) for source in stream.sources or (stream.name,)]
