"""Meetings, next steps after a call, and text messages that need a rule."""

from datetime import datetime, timedelta

from crm_sandbox.seeding.cases.conversations import call, mail
from crm_sandbox.seeding.cases.people import KNOWN, LEAD, person
from crm_sandbox.seeding.diary import Diary, working_day
from crm_sandbox.world import Meeting, Message, Todo


def plans_that_need_a_rule(diary: Diary) -> None:
    meetings(diary)
    follow_ups(diary)
    tasks(diary)
    messages(diary)


def meeting(diary: Diary, key: str, start: datetime, outcome: str | None, **more: object) -> Meeting:
    """Half an hour of Ana's with her contact, booked three days before, unless `more` says otherwise."""
    facts: dict[str, object] = {
        "seller": "ana",
        "people": (KNOWN,),
        "deals": (),
        "end": start + timedelta(minutes=30),
        "booked": start - timedelta(days=3),
        **more,
    }
    return diary.write(Meeting(key=key, start=start, outcome=outcome, **facts))  # type: ignore[arg-type]


def meetings(diary: Diary) -> None:
    now = diary.now
    past = now - timedelta(days=9)
    for number, outcome in enumerate(("completed", None, "scheduled", "no_show", "cancelled", "rescheduled")):
        meeting(diary, f"case-meeting-{outcome or 'unnoted'}", past + timedelta(hours=number), outcome)
    meeting(diary, "case-meeting-future", now + timedelta(days=4), "scheduled", booked=now - timedelta(days=1))
    meeting(diary, "case-meeting-future-completed", now + timedelta(days=5), "completed", booked=now)
    meeting(diary, "case-meeting-running", now - timedelta(minutes=10), None)
    meeting(diary, "case-meeting-just-over", now - timedelta(minutes=30), None)
    meeting(diary, "case-meeting-deleted", past - timedelta(hours=2), "completed", deleted=True)
    meeting(diary, "case-meeting-nobody", past - timedelta(hours=3), "completed", seller=None)
    late = diary.moment("ana", diary.today("ana") - timedelta(days=13), 23, 30)
    meeting(diary, "case-meeting-over-midnight", late, "completed", end=late + timedelta(hours=2))
    for copy in ("a", "b"):
        meeting(diary, f"case-meeting-twice-{copy}", past - timedelta(hours=5), "completed", people=(KNOWN, LEAD))


def follow_ups(diary: Diary) -> None:
    """Answered calls on a Friday two to three weeks ago; the next step came in time, too late, or from another."""
    today = diary.today("ana")
    friday = today - timedelta(days=(today.weekday() - 4) % 7 + 14)
    at = diary.moment("ana", friday, 16)
    second_day = working_day(friday, 2)
    last_second = diary.moment("ana", second_day, 23, 59, 59)
    for name, step, seller in (
        ("todo-in-time", at + timedelta(minutes=20), "ana"),
        ("todo-last-second", last_second, "ana"),
        ("todo-too-late", last_second + timedelta(seconds=1), "ana"),
        ("todo-at-the-same-second", at, "ana"),
        ("todo-of-another", at + timedelta(minutes=20), "zoe"),
        ("mail", at + timedelta(hours=1), "ana"),
        ("mail-bounced", at + timedelta(hours=1), "ana"),
        ("meeting-cancelled", at + timedelta(hours=1), "ana"),
        ("message", at + timedelta(hours=1), "ana"),
        ("call", at + timedelta(hours=1), "ana"),
        ("nothing", at, "ana"),
    ):
        who = person(diary, f"case-follow-{name}", "ana", 60, "Fol Low", is_lead=False).key
        call(diary, f"case-call-follow-{name}", at, people=(who,))
        _next_step(diary, name, who, step, seller)
    recent = person(diary, "case-follow-not-over-yet", "ana", 60, "Fol Now", is_lead=False).key
    call(diary, "case-call-follow-not-over-yet", diary.now - timedelta(minutes=50), people=(recent,))


def _next_step(diary: Diary, name: str, who: str, step: datetime, seller: str) -> None:
    key = f"case-step-{name}"
    match name.split("-")[0]:
        case "todo":
            diary.write(Todo(key, seller, (who,), (), step, working_day(step.date(), 3)))
        case "mail":
            mail(diary, key, step, "As discussed", people=(who,), status="bounced" if "bounced" in name else "sent")
        case "meeting":
            meeting(diary, key, step + timedelta(days=4), "cancelled", booked=step, people=(who,))
        case "call":
            call(diary, key, step, "No answer", people=(who,), seconds=0)
        case "message":
            diary.write(Message(key, seller, (who,), (), step, "WHATS_APP"))


def tasks(diary: Diary) -> None:
    now, today = diary.now, diary.today("ana")
    created = now - timedelta(days=10)
    for name, due, done in (
        ("done", today - timedelta(days=5), now - timedelta(days=6)),
        ("done-late", today - timedelta(days=5), now - timedelta(days=1)),
        ("overdue", today - timedelta(days=5), None),
        ("due-today", today, None),
        ("due-later", today + timedelta(days=8), None),
        ("without-due-date", None, None),
    ):
        diary.write(Todo(f"case-todo-{name}", "ana", (KNOWN,), (), created, due, done))
    diary.write(Todo("case-todo-deleted", "ana", (KNOWN,), (), created, today, None, deleted=True))
    diary.write(Todo("case-todo-nobody", None, (), (), created, today))


def messages(diary: Diary) -> None:
    at = diary.now - timedelta(days=4)
    for number, channel in enumerate(("SMS", "WHATS_APP", "LINKEDIN_MESSAGE")):
        name = channel.lower().replace("_", "-")
        diary.write(Message(f"case-message-{name}", "ana", (KNOWN,), (), at + timedelta(hours=number), channel))
    for copy in ("a", "b"):
        diary.write(Message(f"case-message-twice-{copy}", "ana", (LEAD,), (), at - timedelta(hours=1)))
    diary.write(Message("case-message-nobody", None, (LEAD,), (), at - timedelta(hours=2)))
    diary.write(Message("case-message-deleted", "ana", (LEAD,), (), at - timedelta(hours=3), deleted=True))
