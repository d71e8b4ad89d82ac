"""The world's company, sellers and prospects as Salesforce rows."""

import re
from datetime import datetime, timedelta
from typing import Any

from crm_sandbox.salesforce.objects.activities import TASK_STATUSES
from crm_sandbox.salesforce.settling.register import Register, latest
from crm_sandbox.salesforce.store import stamp
from crm_sandbox.world import Prospect, Seller

STATUS = {
    "new": "Open - Not Contacted",
    "working": "Working - Contacted",
    "qualified": "Qualified",
    "unqualified": "Closed - Not Converted",
}
ROBOT_NAME, INTEGRATION_NAME, NOBODY_NAME = "Automated Process", "KPI Integration", "Unassigned"


def company(register: Register) -> None:
    """The organisation itself, its profiles, task statuses, and the users and queue that every organisation has."""
    world, founded = register.world, beginning(register)
    register.robot = register.store.next_id("005")
    register.integration = register.store.next_id("005")
    register.add(
        "Organization",
        founded,
        founded,
        None,
        Id=register.store.organisation,
        Name=world.name,
        FiscalYearStartMonth=world.fiscal_year_start,
        UsesStartDateAsFiscalYearName=False,
        TimeZoneSidKey=world.time_zone,
        DefaultLocaleSidKey="en_US",
        LanguageLocaleKey="en_US",
        IsSandbox=True,
        OrganizationType="Enterprise Edition",
        InstanceName="CS42",
    )
    for name in ("System Administrator", "Standard User", "Minimum Access - API Only Integrations"):
        register.note("profile", name, register.add("Profile", founded, founded, None, Name=name, UserType="Standard"))
    for order, status in enumerate(TASK_STATUSES, 1):
        done = status == "Completed"
        values = {"ApiName": status, "MasterLabel": status, "SortOrder": order, "IsClosed": done}
        register.add("TaskStatus", founded, founded, None, IsDefault=order == 1, **values)
    _machine(register, register.robot, ROBOT_NAME, "AutomatedProcess")
    _machine(register, register.integration, INTEGRATION_NAME, "CloudIntegrationUser")
    queue = {"Name": NOBODY_NAME, "DeveloperName": NOBODY_NAME, "Type": "Queue"}
    register.nobody = register.add("Group", founded, founded, None, **queue)


def sellers(register: Register) -> None:
    """Persons and robots become users, queues become groups; ids first, because managers may come later."""
    founded = beginning(register)
    for team in sorted({one.team for one in register.world.sellers if one.team}):
        name = re.sub(r"\W+", "_", team)
        role = register.add("UserRole", founded, founded, None, Name=team, DeveloperName=name)
        register.note("team", team, role)
    for one in register.world.sellers:
        record = register.store.next_id("00G" if one.kind == "queue" else "005")
        register.note("seller", one.key, record)
    taken: set[str] = set()
    for one in register.world.sellers:
        if one.kind == "queue":
            _queue(register, one)
        else:
            _user(register, one, taken)


def prospects(register: Register) -> None:
    """Leads, the contacts they became, contacts of their own, and everybody's account."""
    world = register.world
    register.prospects = {one.key: one for one in world.prospects}
    for one in world.prospects:
        _reserve(register, one)
    for one in world.prospects:
        if record := register.get("lead", one.key):
            _lead(register, one, record)
        if record := register.get("contact", one.key):
            _contact(register, one, record)


def account(register: Register, name: str, owner: str | None, since: Prospect | None = None) -> str:
    """The account of that name, made when first needed."""
    if name not in register.accounts:
        created = since.created if since else beginning(register)
        user = register.user(owner)
        values = {"Name": name[:255], "OwnerId": user, "Type": "Prospect", **register.currency(None)}
        register.accounts[name] = register.add("Account", created, created, user, **values)
        register.note("account", name, register.accounts[name])
    return register.accounts[name]


def beginning(register: Register) -> datetime:
    """When this organisation was set up: before anything that is in it."""
    world = register.world
    known = [one.created for one in world.prospects] + [one.created for one in world.sales]
    known += [one.created for one in world.sellers if one.created] + [world.now]
    return min(known) - timedelta(days=30)


def _machine(register: Register, record: str, name: str, kind: str) -> None:
    founded, handle = beginning(register), name.lower().replace(" ", ".")
    profile = register.get("profile", "Minimum Access - API Only Integrations")
    register.add(
        "User",
        founded,
        founded,
        register.robot,
        Id=record,
        Username=f"{handle}@sandbox.invalid",
        LastName=name,
        Name=name,
        Alias=handle[:8],
        Email=f"{handle}@sandbox.invalid",
        IsActive=True,
        UserType=kind,
        ProfileId=profile,
        TimeZoneSidKey="GMT",
        LocaleSidKey="en_US",
        LanguageLocaleKey="en_US",
        EmailEncodingKey="UTF-8",
        ForecastEnabled=False,
    )


def _queue(register: Register, one: Seller) -> None:
    founded = one.created or beginning(register)
    values = {"Name": one.name[:40], "DeveloperName": re.sub(r"\W+", "_", one.name), "Email": one.email or None}
    record = register.get("seller", one.key)
    register.add("Group", founded, founded, None, Id=record, Type="Queue", **values)


def _user(register: Register, one: Seller, taken: set[str]) -> None:
    created = one.created or beginning(register)
    username = one.email if one.email and one.email not in taken else f"{one.key}.{one.email or 'user'}"
    taken.add(username)
    first, last = _names(one.name)
    manager = register.get("seller", one.manager)
    several = {"DefaultCurrencyIsoCode": register.world.currency} if register.several_currencies else {}
    register.add(
        "User",
        created,
        created,
        None,
        Id=register.get("seller", one.key),
        Username=username[:80],
        FirstName=first,
        LastName=last,
        Name=one.name,
        Alias=re.sub(r"\W", "", one.name)[:8].lower() or "user",
        Email=one.email or None,
        IsActive=one.active,
        UserType="Standard" if one.kind == "person" else "AutomatedProcess",
        ManagerId=manager if manager and manager.startswith("005") else None,
        UserRoleId=register.get("team", one.team),
        ProfileId=register.get("profile", "Standard User"),
        Department=one.team,
        TimeZoneSidKey=one.time_zone,
        LocaleSidKey="en_US",
        LanguageLocaleKey="en_US",
        EmailEncodingKey="UTF-8",
        ForecastEnabled=one.kind == "person",
        **several,
        **register.currency(None),
    )


def _reserve(register: Register, one: Prospect) -> None:
    """Decide whether a prospect is a lead, a contact or both, and reserve the ids.

    Only records of one object can be merged: a duplicate takes the shape of its survivor.
    """
    survivor = register.prospects[register.survivor(one.key)]
    if survivor is one:
        as_lead, as_contact = one.is_lead, not one.is_lead or one.converted is not None
    else:
        as_contact = not survivor.is_lead or survivor.converted is not None
        as_lead = not as_contact
    if as_lead:
        register.note("lead", one.key, register.store.next_id("00Q"))
    if as_contact:
        register.note("contact", one.key, register.store.next_id("003"))
    register.note("prospect", one.key, register.get("lead", one.key) or register.ids["contact", one.key])


def _lead(register: Register, one: Prospect, record: str) -> None:
    converted = one.converted if one.merged_into is None else None
    status = "Closed - Converted" if converted else STATUS.get(one.status, STATUS["new"])
    conversion = {}
    if converted:
        conversion = {
            "IsConverted": True,
            "ConvertedDate": register.day(converted),
            "ConvertedContactId": register.get("contact", one.key),
            "ConvertedAccountId": account(register, one.company, one.owner, one),
            "ConvertedOpportunityId": register.get("sale", one.deal),
        }
    created, modified, shared = _common(register, one)
    register.add(
        "Lead",
        created,
        modified,
        register.user(one.owner),
        Id=record,
        OwnerId=register.owner(one.owner),
        Company=(one.company or "[not provided]")[:255],
        Status=status,
        MasterRecordId=_master(register, one, "lead"),
        **conversion,
        **shared,
    )


def _contact(register: Register, one: Prospect, record: str) -> None:
    _, modified, shared = _common(register, one)
    created = one.converted if one.converted and register.get("lead", one.key) else one.created
    home = account(register, one.company, one.owner, one) if one.company else None
    if home:
        register.account_of[record] = home
    master = _master(register, one, "contact")
    owner = register.user(one.owner)
    register.add(
        "Contact", created, modified, owner, Id=record, OwnerId=owner, AccountId=home, MasterRecordId=master, **shared
    )


def _common(register: Register, one: Prospect) -> tuple[datetime, datetime, dict[str, Any]]:
    """When a lead or contact was created and last touched, and the fields that both have."""
    gone = register.world.now if one.deleted or one.merged_into else None
    modified = latest(one.created, one.qualified, one.converted, one.opted_out, one.bounced, gone)
    first, last = _names(one.name)
    shared: dict[str, Any] = {
        "FirstName": first,
        "LastName": last,
        "Name": one.name,
        "Email": one.email or None,
        "LeadSource": one.channel,
        "HasOptedOutOfEmail": one.opted_out is not None or one.opted_out_undated,
        "EmailBouncedDate": stamp(one.bounced) if one.bounced else None,
        "EmailBouncedReason": "550 5.1.1 mailbox unavailable" if one.bounced else None,
        "IsDeleted": one.deleted or one.merged_into is not None,
        **register.currency(None),
    }
    return one.created, modified, shared


def _master(register: Register, one: Prospect, kind: str) -> str | None:
    return register.get(kind, register.survivor(one.key)) if one.merged_into else None


def _names(full: str) -> tuple[str | None, str]:
    first, _, last = full.rpartition(" ")
    return first[:40] or None, last[:80] or full[:80] or "[not provided]"
