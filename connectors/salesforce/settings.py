"""What may differ between one Salesforce connection and another: address, way in, mappings."""

from typing import Annotated, Literal

import msgspec

from connectors.errors import NotAllowed

Auth = Literal["client_credentials", "jwt", "refresh_token", "access_token"]

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


Outcome = Literal["done", "planned", "cancelled", "rescheduled", "no_show"]


ApiName = Annotated[str, msgspec.Meta(pattern=r"^\w+$")]


class MessageObject(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An object that holds text messages, a messaging product's or Salesforce's own: a record is a message.

    object      its API name, such as MessagingSession
    rep, at     the fields that hold whose message it is, and when it was written
    people      lookups to the leads and contacts who got it
    deals       lookups to its opportunities
    direction   a field that says which way it went; without one that is not known
    outgoing    the values of that field that mean that the rep wrote it
    """

    object: ApiName
    rep: ApiName = "OwnerId"
    at: ApiName = "CreatedDate"
    people: tuple[ApiName, ...] = ()
    deals: tuple[ApiName, ...] = ()
    direction: ApiName | None = None
    outgoing: tuple[str, ...] = ("outbound", "outgoing", "sent")


class Mappings(msgspec.Struct, frozen=True, kw_only=True):
    """What Salesforce itself does not say and an admin may.

    meeting_outcome_field   a field of Event (API name) that holds a meeting's outcome
    meeting_outcomes        its labels, lower-cased → done | planned | cancelled | rescheduled | no_show
    answered_results        the values of Call Result that say that somebody answered (default: connected, spoke …)
    message_task_types      the values of Task.Type that mean a text message
    message_object          an object whose records are text messages: { object = "…", rep = "OwnerId",
                            at = "CreatedDate", people = ["…"], deals = ["…"],
                            direction = "…", outgoing = ["…"] }: the names of its fields
    forecasting_type        the DeveloperName of the forecast whose quotas count, where several are active
    """

    meeting_outcome_field: str | None = None
    meeting_outcomes: dict[str, Outcome] = {}
    answered_results: tuple[str, ...] = ()
    message_task_types: tuple[str, ...] = ("SMS",)
    message_object: MessageObject | None = None
    forecasting_type: str | None = None


class SalesforceSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One connection.

    login_url          the company's My Domain address; it serves every way in, the generic hosts do not
    instance_url       only with `access_token`: where the token is good (blank: the login address)
    username           only with `jwt`: whom the app acts for
    api_budget_share   the part of the company's daily API calls that one run may use
    api_day_share      no call is made once everybody together has used this part of the company's daily API calls
    overlap_minutes    how far each read looks back: a row may appear up to ten minutes after its stamp
    bulk_from          first loads of at least this many rows go through Bulk API 2.0
    bulk_write_from    more rows of one object than this are written through Bulk API 2.0
    """

    login_url: str
    auth: Auth = "client_credentials"
    client_id: str = ""
    api_version: str = "66.0"
    instance_url: str = ""
    username: str = ""
    mappings: Mappings = Mappings()
    api_budget_share: float = 0.25
    api_day_share: float = 0.8
    overlap_minutes: int = 10
    bulk_from: int = 50_000
    bulk_write_from: int = 10_000


def checked_address(address: str) -> str:
    """The address without a trailing slash; raises where a secret would travel in the clear."""
    bare = address.strip().rstrip("/")
    scheme, _, rest = bare.partition("://")
    host = rest.split("/")[0].rsplit("@", 1)[-1]
    name = host[1 : host.index("]")] if host.startswith("[") and "]" in host else host.rsplit(":", 1)[0]
    if name and (scheme == "https" or (scheme == "http" and name in LOOPBACK)):
        return bare
    raise NotAllowed(
        "KPI-SF-001",
        f"The Salesforce address {name or bare!r} is not an https address.",
        "Write login_url (or instance_url) as https://<your company>.my.salesforce.com in kpisync.toml.",
    )
