"""One day of selling at a time: threads of e-mails, calls with their follow-ups, meetings, messages."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from crm_sandbox.seeding.cast import SUBJECTS
from crm_sandbox.seeding.diary import Diary, working_day
from crm_sandbox.world import Call, Email, Meeting, Message, Todo

CALL_OUTCOMES = (
    ("No answer", 30),
    ("Connected", 26),
    ("Left voicemail", 16),
    ("Busy", 8),
    ("Left live message", 5),
    ("Wrong number", 2),
    (None, 13),
)
"""What is noted after a call, with weights. None: nobody noted anything."""

ANSWERED = frozenset({"Connected", "Answered", "Spoke", "Spoke with Contact", "Conversation"})


@dataclass(frozen=True)
class Topic:
    """Whom an activity is about: the seller, the people, the deals, the company's name for the subject lines."""

    seller: str
    people: tuple[str, ...]
    deals: tuple[str, ...]
    company: str


def touch(diary: Diary, topic: Topic, at: datetime) -> None:
    """Whatever the seller does that moment."""
    act = diary.chance.choices((correspond, ring, meet, text), (42, 42, 9, 7))[0]
    act(diary, topic, at)


def correspond(diary: Diary, topic: Topic, at: datetime) -> None:
    """A thread: the seller writes, sometimes once more; they answer, answer late, or only a machine does."""
    thread = diary.key("thread")
    subject = diary.chance.choice(SUBJECTS).format(company=topic.company)
    first = send(diary, topic, at, subject, thread)
    if first.status != "sent":
        return
    luck = diary.chance.random()
    if luck < 0.30:
        answer(diary, topic, at + _soon(diary), f"Re: {subject}", thread)
    elif luck < 0.34:
        answer(diary, topic, at + timedelta(days=diary.chance.randrange(12, 45)), f"Re: {subject}", thread)
    elif luck < 0.38:
        answer(diary, topic, at + timedelta(seconds=40), f"Automatic reply: {subject}", thread, machine=True)
    if diary.chance.random() < 0.35:
        send(diary, topic, at + timedelta(days=diary.chance.randrange(2, 6), minutes=7), f"Re: {subject}", thread)


def send(diary: Diary, topic: Topic, at: datetime, subject: str, thread: str | None) -> Email:
    """An outbound e-mail as the CRM shows it today. One that is still to be written is not written down."""
    chance = diary.chance
    status = "bounced" if chance.random() < 0.03 else "sent"
    tracked = chance.random() < 0.7
    opens: tuple[datetime, ...] = ()
    clicks: tuple[datetime, ...] = ()
    if tracked and status == "sent" and chance.random() < 0.55:
        opens = _after(diary, at, chance.randrange(1, 4))
        clicks = _after(diary, opens[0], 1) if opens and chance.random() < 0.25 else ()
    number = diary.key("email")
    email = Email(
        number,
        topic.seller,
        topic.people[:1],
        topic.deals,
        "out",
        at,
        subject,
        thread,
        f"<{number}@mail.example.com>",
        status,
        tracked,
        opens,
        clicks,
    )
    return diary.write(email) if diary.happened(at) else email


def answer(
    diary: Diary, topic: Topic, at: datetime, subject: str, thread: str | None, *, machine: bool = False
) -> None:
    """An inbound e-mail of the thread."""
    if not diary.happened(at):
        return
    number = diary.key("email")
    message = f"<{number}@mail.{diary.chance.choice(('com', 'es', 'net'))}.example>"
    diary.write(
        Email(
            number,
            topic.seller,
            topic.people[:1],
            topic.deals,
            "in",
            at,
            subject,
            thread,
            message,
            out_of_office=machine,
        )
    )


def ring(diary: Diary, topic: Topic, at: datetime) -> None:
    """A call; an answered one is mostly followed up, mostly in time."""
    if not diary.happened(at):
        return
    outcome, seconds = call_result(diary)
    incoming = diary.chance.random() < 0.08
    direction = "in" if incoming else diary.chance.choices(("out", None), (95, 5))[0]
    diary.write(
        Call(diary.key("call"), topic.seller, topic.people[:1], topic.deals, at, direction, outcome, seconds),
    )
    spoke = outcome in ANSWERED or (outcome is None and (seconds or 0) >= 30)
    if spoke and diary.chance.random() < 0.7:
        follow_up(diary, topic, at)


def call_result(diary: Diary) -> tuple[str | None, int | None]:
    """(outcome, seconds); logged by hand, a call often lacks its duration."""
    outcome: str | None = diary.chance.choices(*zip(*CALL_OUTCOMES, strict=True))[0]
    match outcome:
        case "Connected":
            talked = int(diary.chance.lognormvariate(5.3, 0.8))
            return outcome, None if diary.chance.random() < 0.06 else talked
        case "Busy" | "No answer":
            return outcome, diary.chance.choice((0, 0, None))
        case None:
            return None, diary.chance.choice((None, 0, 12, 29, 30, 95, 410))
        case _:
            return outcome, diary.chance.randrange(15, 90)


def follow_up(diary: Diary, topic: Topic, at: datetime) -> None:
    """The next step after a conversation: noted within the hour, or mailed one, two or too many working days later."""
    if diary.chance.random() < 0.6:
        plan(diary, topic, at + timedelta(minutes=diary.chance.randrange(2, 60)))
        return
    late = diary.chance.choice((1, 1, 2, 4))
    later = diary.at_work(topic.seller, working_day(diary.day(topic.seller, at), late))
    send(diary, topic, later, f"Notes from our call with {topic.company}", diary.key("thread"))


def plan(diary: Diary, topic: Topic, created: datetime) -> None:
    """A task: done, open or overdue."""
    if not diary.happened(created):
        return
    due = working_day(diary.day(topic.seller, created), diary.chance.randrange(1, 8))
    done = diary.at_work(topic.seller, due)
    is_done = diary.happened(done) and diary.chance.random() < 0.8
    diary.write(
        Todo(diary.key("todo"), topic.seller, topic.people, topic.deals, created, due, done if is_done else None)
    )


def meet(diary: Diary, topic: Topic, at: datetime) -> None:
    """A meeting that was booked some days before. Most people note no outcome."""
    booked = at - timedelta(days=diary.chance.randrange(1, 9))
    if not diary.happened(booked):
        return
    end = at + timedelta(minutes=diary.chance.choice((25, 30, 45, 60)))
    outcome: str | None = "scheduled"
    if diary.happened(end):
        outcomes = ("completed", None, "scheduled", "no_show", "cancelled", "rescheduled")
        outcome = diary.chance.choices(outcomes, (50, 18, 8, 12, 7, 5))[0]
    diary.write(Meeting(diary.key("meeting"), topic.seller, topic.people, topic.deals, at, end, booked, outcome))


def text(diary: Diary, topic: Topic, at: datetime) -> None:
    """A text message."""
    if not diary.happened(at):
        return
    app = diary.chance.choices(("SMS", "WHATS_APP", "LINKEDIN_MESSAGE"), (35, 50, 15))[0]
    diary.write(Message(diary.key("message"), topic.seller, topic.people[:1], topic.deals, at, app))


def _soon(diary: Diary) -> timedelta:
    """How long they take to answer: minutes to some days."""
    return timedelta(minutes=int(diary.chance.lognormvariate(5.5, 1.2)) + 1)


def _after(diary: Diary, since: datetime, times: int) -> tuple[datetime, ...]:
    moments = sorted(since + timedelta(minutes=int(diary.chance.lognormvariate(4.5, 1.5)) + 1) for _ in range(times))
    return tuple(moment for moment in moments if diary.happened(moment))
