"""The world's e-mails, calls, messages, meetings and to-dos as Salesforce activities."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from crm_sandbox.salesforce.settling.register import Register, latest
from crm_sandbox.salesforce.store import stamp
from crm_sandbox.world import Call, Email, Message, Todo

ARCHIVED_AFTER = timedelta(days=365)
AUTOMATIC = (
    "out of office",
    "automatic reply",
    "auto-reply",
    "autoreply",
    "auto:",
    "fuera de",
    "ausente de",
    "respuesta automática",
)
ANSWERED = frozenset({"connected", "answered", "spoke", "spoke with contact", "conversation"})
DIRECTION = {"out": "Outbound", "in": "Inbound", "internal": "Internal"}


def emails(register: Register, *, messages: bool) -> None:
    """E-mail messages, two of three with the task that logged them; without the feature only tasks of what was sent."""
    sent_in_thread: dict[str, str] = {}
    known = (mail for mail in register.world.emails if mail.direction != "forwarded")
    for place, mail in enumerate(sorted(known, key=lambda mail: mail.at)):
        sent = mail.direction == "out" and mail.status in {"sent", "bounced"}
        real = messages and not mail.noted_only
        logged = (place % 3 != 0 and mail.status in {"sent", "bounced"}) if real else sent or mail.noted_only
        task = _mail_task(register, mail) if logged else None
        if real:
            _message(register, mail, task, sent_in_thread, by_address=place % 7 == 3)
        elif task:
            register.note("email", mail.key, task)


def calls(register: Register, *, voice: bool) -> None:
    """Calls are tasks with the telephone system's fields; with a built-in dialler also voice calls."""
    for call in register.world.calls:
        done = call.status == "completed"
        status = {"completed": "Completed", "planned": "Not Started"}.get(call.status, "Deferred")
        modified = call.at + timedelta(seconds=call.seconds or 0) if done else _known(register, call.at)
        task = _task(
            register,
            call,
            created=_known(register, call.at),
            modified=modified,
            Subject="Call",
            Type="Call",
            TaskSubtype="Call",
            Status=status,
            IsClosed=done,
            ActivityDate=register.day(call.at, call.seller),
            CompletedDateTime=stamp(call.at) if done else None,
            CallType=DIRECTION.get(call.direction or ""),
            CallDurationInSeconds=call.seconds,
            CallDisposition=call.outcome,
            CallObject=call.external_id,
        )
        register.note("call", call.key, task)
        if voice and done:
            _voice_call(register, call, task)


def messages(register: Register, *, sessions: bool) -> None:
    """Text messages are sessions where these are switched on; without them the company logs tasks of type SMS."""
    for one in register.world.messages:
        if sessions:
            register.note("message", one.key, _session(register, one))
            continue
        values = {"Subject": f"{one.channel.replace('_', ' ').title()} sent", "Type": "SMS", "TaskSubtype": "Task"}
        done = {"Status": "Completed", "IsClosed": True, "CompletedDateTime": stamp(one.at)}
        day = register.day(one.at, one.seller)
        task = _task(register, one, created=one.at, modified=one.at, ActivityDate=day, **values, **done)
        register.note("message", one.key, task)


def _session(register: Register, one: Message) -> str:
    people, deal = _linked(register, one.people, one.deals)
    who = people[0] if people else ""
    return register.add(
        "MessagingSession",
        one.at,
        one.at,
        register.user(one.seller),
        OwnerId=register.owner(one.seller),
        LeadId=who if who.startswith("00Q") else None,
        EndUserContactId=who if who.startswith("003") else None,
        OpportunityId=deal,
        ChannelType="WhatsApp" if one.channel == "WHATS_APP" else "Text",
        AgentMessageCount=1,
        EndUserMessageCount=0,
        StartTime=stamp(one.at),
        EndTime=stamp(one.at),
        IsDeleted=one.deleted,
    )


def todos(register: Register) -> None:
    for one in register.world.todos:
        task = _task(
            register,
            one,
            created=one.created,
            modified=latest(one.created, one.done),
            Subject="Next step",
            TaskSubtype="Task",
            Status="Completed" if one.done else "Not Started",
            IsClosed=one.done is not None,
            ActivityDate=one.due.isoformat() if one.due else None,
            CompletedDateTime=stamp(one.done) if one.done else None,
        )
        register.note("todo", one.key, task)


def meetings(register: Register, outcome_field: str | None) -> None:
    """Meetings are events; Salesforce notes no outcome unless the company has a field for it. Some have the copy that
    an invited colleague gets."""
    for place, one in enumerate(register.world.meetings):
        people, deal = _linked(register, one.people, one.deals)
        invited = _manager(register, one.seller) if place % 10 == 0 else None
        values = {
            "OwnerId": register.user(one.seller),
            "WhoId": people[0] if people else None,
            "WhatId": deal,
            "WhoCount": len(people),
            "WhatCount": int(deal is not None),
            "AccountId": register.account_of.get(people[0]) if people else None,
            "Subject": "Meeting",
            "EventSubtype": "Event",
            "StartDateTime": stamp(one.start),
            "EndDateTime": stamp(one.end),
            "ActivityDateTime": stamp(one.start),
            "ActivityDate": register.day(one.start, one.seller),
            "EndDate": register.day(one.end, one.seller),
            "DurationInMinutes": int((one.end - one.start).total_seconds() // 60),
            "IsGroupEvent": invited is not None,
            "GroupEventType": "1" if invited else "0",
            "ShowAs": "Busy",
            "IsArchived": one.end < register.world.now - ARCHIVED_AFTER,
            "IsDeleted": one.deleted,
            **({outcome_field: one.outcome} if outcome_field else {}),
            **register.currency(None),
        }
        gone = register.world.now if one.deleted else None
        touched = latest(one.booked, min(one.end, register.world.now), gone)
        by = register.user(one.seller)
        event = register.add("Event", one.booked, touched, by, IsChild=False, **values)
        register.note("meeting", one.key, event)
        _relations(register, "Event", event, people, deal, one.booked, one.deleted)
        if invited:
            values["OwnerId"] = invited
            register.add("Event", one.booked, touched, by, IsChild=True, **values)
            answer = {"RelationId": invited, "IsInvitee": True, "Status": "Accepted", "IsDeleted": one.deleted}
            register.add("EventRelation", one.booked, one.booked, by, EventId=event, **answer)


def _mail_task(register: Register, mail: Email) -> str:
    task = _task(
        register,
        mail,
        created=mail.at,
        modified=mail.at,
        Subject=f"Email: {_subject(mail)}"[:255],
        Type="Email",
        TaskSubtype="Email",
        Status="Completed",
        IsClosed=True,
        ActivityDate=register.day(mail.at, mail.seller),
        CompletedDateTime=stamp(mail.at),
    )
    register.note("email_task", mail.key, task)
    return task


def _message(
    register: Register, mail: Email, task: str | None, sent_in_thread: dict[str, str], *, by_address: bool
) -> None:
    """`by_address`: it came in by a mail add-in, which notes the sender's address but not the user."""
    people, deal = _linked(register, mail.people, mail.deals)
    out = mail.direction == "out"
    state = {"sent": "3", "bounced": "3"}.get(mail.status, "5") if out else "1"
    seller = register.sellers.get(mail.seller or "")
    addresses = [_address(register, person) for person in mail.people]
    own = seller.email if seller else "noreply@sandbox.invalid"
    modified = latest(mail.at, *mail.opens, register.world.now if mail.deleted else None)
    sender = register.user(mail.seller) if seller and seller.kind != "queue" else None
    message = register.add(
        "EmailMessage",
        _known(register, mail.at),
        _known(register, modified),
        sender if out else None,
        ActivityId=task,
        RelatedToId=deal or (register.account_of.get(people[0]) if people else None),
        FromId=sender if out and not by_address else None,
        FromAddress=own if out else next(iter(addresses), None),
        FromName=seller.name if out and seller else None,
        ToAddress="; ".join(address for address in addresses if address)[:4000] if out else own,
        Subject=_subject(mail)[:3000],
        Incoming=not out,
        Status=state,
        MessageDate=stamp(mail.at),
        IsTracked=mail.tracked,
        IsOpened=bool(mail.opens),
        FirstOpenedDate=stamp(min(mail.opens)) if mail.opens else None,
        LastOpenedDate=stamp(max(mail.opens)) if mail.opens else None,
        IsBounced=mail.status == "bounced",
        ReplyToEmailMessageId=sent_in_thread.get(mail.thread or "") if not out else None,
        ThreadIdentifier=mail.thread,
        MessageIdentifier=mail.message_id,
        IsPrivateDraft=False,
        IsClientManaged=False,
        IsDeleted=mail.deleted,
    )
    register.note("email", mail.key, message)
    if out and mail.thread and state == "3":
        sent_in_thread[mail.thread] = message
    reached = {
        who: address for person, address in zip(mail.people, addresses, strict=True) if (who := register.who(person))
    }
    for who, address in reached.items():
        _mail_relation(register, mail, message, who, "ToAddress" if out else "FromAddress", address)
    if sender:
        _mail_relation(register, mail, message, sender, "FromAddress" if out else "ToAddress", own)


def _mail_relation(register: Register, mail: Email, message: str, who: str, kind: str, address: str | None) -> None:
    object_type = {"003": "Contact", "00Q": "Lead", "005": "User"}[who[:3]]
    at = _known(register, mail.at)
    values = {"RelationId": who, "RelationType": kind, "RelationAddress": address, "RelationObjectType": object_type}
    register.add("EmailMessageRelation", at, at, None, EmailMessageId=message, IsDeleted=mail.deleted, **values)


def _task(
    register: Register, one: Email | Call | Message | Todo, *, created: datetime, modified: datetime, **own: Any
) -> str:
    people, deal = _linked(register, one.people, one.deals)
    day = own.get("ActivityDate") or own.get("CompletedDateTime") or stamp(created)
    old = (register.world.now - ARCHIVED_AFTER).date().isoformat()
    task = register.add(
        "Task",
        created,
        latest(modified, register.world.now if one.deleted else None),
        register.user(one.seller),
        OwnerId=register.owner(one.seller),
        WhoId=people[0] if people else None,
        WhatId=deal,
        WhoCount=len(people),
        WhatCount=int(deal is not None),
        AccountId=register.account_of.get(people[0]) if people else None,
        Priority="Normal",
        IsArchived=bool(own["IsClosed"]) and day[:10] < old,
        IsDeleted=one.deleted,
        **register.currency(None),
        **own,
    )
    _relations(register, "Task", task, people, deal, created, one.deleted)
    return task


def _relations(
    register: Register,
    kind: str,
    activity: str,
    people: Sequence[str],
    deal: str | None,
    at: datetime,
    deleted: bool,
) -> None:
    """Shared activities: one row for everyone and everything that the activity hangs on."""
    for one in [*people, *([deal] if deal else [])]:
        what = one == deal
        values = {f"{kind}Id": activity, "RelationId": one, "IsWhat": what, "AccountId": register.account_of.get(one)}
        more = {"IsParent": True, "IsInvitee": False} if kind == "Event" else {}
        register.add(f"{kind}Relation", at, at, None, IsDeleted=deleted, **values, **more)
        if not what:
            object_type = "Contact" if one.startswith("003") else "Lead"
            who = {f"{kind}Id": activity, "RelationId": one, "Type": object_type}
            register.add(f"{kind}WhoRelation", at, at, None, IsDeleted=deleted, **who)


def _voice_call(register: Register, call: Call, task: str) -> None:
    people, deal = _linked(register, call.people, call.deals)
    seconds = call.seconds or 0
    answered = (call.outcome or "").strip().lower() in ANSWERED or (call.outcome is None and seconds >= 30)
    register.add(
        "VoiceCall",
        call.at,
        call.at + timedelta(seconds=seconds),
        register.user(call.seller),
        UserId=register.user(call.seller),
        OwnerId=register.user(call.seller),
        ActivityId=task,
        RelatedRecordId=deal or (people[0] if people else None),
        CallType=DIRECTION.get(call.direction or ""),
        CallDisposition=call.outcome,
        CallStartDateTime=stamp(call.at),
        CallConnectDateTime=stamp(call.at) if answered else None,
        CallEndDateTime=stamp(call.at + timedelta(seconds=seconds)),
        CallDurationInSeconds=call.seconds,
        VendorType="ContactCenter",
        IsDeleted=call.deleted,
    )


def _linked(register: Register, people: Sequence[str], deals: Sequence[str]) -> tuple[list[str], str | None]:
    """Whom an activity hangs on, everyone once, and the one deal that Salesforce lets it hang on."""
    known = list(dict.fromkeys(who for person in people if (who := register.who(person))))
    deal = next((found for deal in deals if (found := register.get("sale", deal))), None)
    return known, deal


def _manager(register: Register, seller: str | None) -> str | None:
    one = register.sellers.get(seller or "")
    found = register.get("seller", one.manager) if one else None
    return found if found and found.startswith("005") else None


def _address(register: Register, person: str) -> str | None:
    found = register.prospects.get(person)
    return found.email if found else None


def _subject(mail: Email) -> str:
    """Salesforce has no flag for automatic replies: one can only tell by the subject."""
    if mail.out_of_office and not mail.subject.lower().startswith(AUTOMATIC):
        return f"Automatic reply: {mail.subject}"
    return mail.subject


def _known(register: Register, at: datetime) -> datetime:
    """A plan for later was written down by now at the latest."""
    return min(at, register.world.now)
