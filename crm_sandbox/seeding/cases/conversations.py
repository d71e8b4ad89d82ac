"""E-mail threads and calls of which it takes a rule to say what they count for."""

from datetime import UTC, date, datetime, time, timedelta

from crm_sandbox.seeding.cases.people import KNOWN, LEAD
from crm_sandbox.seeding.cast import LEFT, QUEUE, ROBOT
from crm_sandbox.seeding.diary import Diary
from crm_sandbox.world import Call, Email


def mail(diary: Diary, key: str, at: datetime, subject: str, direction: str = "out", **more: object) -> Email:
    """An e-mail between Ana and her contact, in a thread of its own unless `more` says otherwise."""
    facts: dict[str, object] = {
        "seller": "ana",
        "people": (KNOWN,),
        "deals": (),
        "thread": f"thread-{key}",
        "message_id": f"<{key}@mail.example.com>",
        **more,
    }
    return diary.write(Email(key=key, at=at, subject=subject, direction=direction, **facts))  # type: ignore[arg-type]


def mail_that_needs_a_rule(diary: Diary) -> None:
    threads(diary)
    machines(diary)
    not_sent(diary)
    odd_mail(diary)


def threads(diary: Diary) -> None:
    """Who opened the thread, and whether anybody answered."""
    for name, days, first, later in (
        ("answered", 20, "out", timedelta(hours=3)),
        ("answered-late", 120, "out", timedelta(days=75)),
        ("opened-by-them", 16, "in", timedelta(hours=1)),
        ("answer-at-the-same-second", 14, "out", timedelta(0)),
    ):
        at, thread = diary.now - timedelta(days=days), f"case-thread-{name}"
        other = "in" if first == "out" else "out"
        mail(diary, f"case-mail-{name}-1", at, "Contract", first, thread=thread, tracked=first == "out")
        mail(diary, f"case-mail-{name}-2", at + later, "Re: Contract", other, thread=thread)
    at = diary.now - timedelta(days=11)
    shared = "case-thread-of-two-reps"
    mail(diary, "case-mail-two-reps-1", at, "Hand-over", thread=shared)
    mail(diary, "case-mail-two-reps-2", at + timedelta(hours=2), "Re: Hand-over", thread=shared, seller="zoe")
    mail(diary, "case-mail-two-reps-3", at + timedelta(hours=5), "Re: Hand-over", "in", thread=shared, seller="zoe")
    mail(diary, "case-mail-threadless-out", at, "No thread", thread=None)
    mail(diary, "case-mail-threadless-in", at + timedelta(hours=1), "Re: No thread", "in", thread=None)


def machines(diary: Diary) -> None:
    """Automatic replies by flag and by subject, and subjects that only look like one."""
    for number, (subject, flag) in enumerate(
        (
            ("Re: Offer", True),
            ("Out of office: back on Monday", False),
            ("AUTOMATIC REPLY: Offer", False),
            ("Auto-Reply: Offer", False),
            ("Autoreply Offer", False),
            ("Auto: Offer", False),
            ("Respuesta automática: Oferta", False),
            ("Fuera de la oficina hasta el lunes", False),
            ("Fuera de oficina", False),
            ("Ausente de la oficina: vacaciones", False),
            ("Automotive fleet, our answer", False),
            ("Re: Out of office tools", False),
        ),
        1,
    ):
        at, thread = diary.now - timedelta(days=30, hours=number), f"case-thread-machine-{number}"
        mail(diary, f"case-mail-machine-{number}-out", at, "Offer", thread=thread, tracked=True)
        mail(
            diary,
            f"case-mail-machine-{number}-in",
            at + timedelta(minutes=1),
            subject,
            "in",
            thread=thread,
            out_of_office=flag,
        )


def not_sent(diary: Diary) -> None:
    now = diary.now
    mail(diary, "case-mail-draft", now - timedelta(days=2), "Draft", status="draft")
    mail(diary, "case-mail-scheduled", now + timedelta(days=2), "Tomorrow's news", status="scheduled")
    mail(diary, "case-mail-failed", now - timedelta(days=2, hours=1), "Failed", status="failed")
    mail(diary, "case-mail-deleted", now - timedelta(days=2, hours=2), "Deleted", deleted=True)


def odd_mail(diary: Diary) -> None:
    """Bounced, untracked, clicked without an open, logged twice, to several people, nobody's, hard to print."""
    at, minute = diary.now - timedelta(days=6), timedelta(minutes=1)
    mail(diary, "case-mail-bounced", at, "Bounced", status="bounced", tracked=True, people=("case-bounced",))
    mail(diary, "case-mail-untracked", at + minute, "Untracked")
    mail(diary, "case-mail-noted-only", at + 2 * minute, "Noted by hand", noted_only=True, thread=None)
    mail(
        diary,
        "case-mail-clicked-unopened",
        at + 3 * minute,
        "Click",
        tracked=True,
        clicks=(at + timedelta(hours=2),),
    )
    opens = tuple(at + timedelta(hours=hour) for hour in (1, 2, 26, 27, 28, 29))
    mail(diary, "case-mail-opened-often", at + 4 * minute, "Opened", tracked=True, opens=opens, people=(LEAD,))
    for copy in ("a", "b"):
        mail(
            diary,
            f"case-mail-twice-{copy}",
            at + 5 * minute,
            "Twice",
            thread="case-thread-twice",
            message_id="<case-mail-twice@mail.example.com>",
            people=(KNOWN,) if copy == "a" else (KNOWN, LEAD),
        )
    mail(diary, "case-mail-to-many", at + 6 * minute, "To many", people=(KNOWN, LEAD, "case-contact-survivor"))
    mail(diary, "case-mail-to-nobody", at + 7 * minute, "Nobody known", people=())
    mail(diary, "case-mail-to-merged", at + 8 * minute, "Merged", people=("case-contact-merged",))
    mail(diary, "case-mail-of-nobody", at + 9 * minute, "Whose?", seller=None)
    mail(diary, "case-mail-of-robot", at + 10 * minute, "Sequence step 1", seller=ROBOT)
    mail(diary, "case-mail-forwarded", at + 12 * minute, "Fwd: their offer", "forwarded", people=(LEAD,))
    text = 'Línea uno\nlínea dos\t‘comillas’ "quotes" \\ 50 % — 見積書 🚀'
    mail(diary, "case-mail-newline", at + 11 * minute, text)


def call(diary: Diary, key: str, at: datetime, outcome: str | None = "Connected", **more: object) -> Call:
    """A call from Ana to her contact unless `more` says otherwise."""
    facts: dict[str, object] = {"seller": "ana", "people": (KNOWN,), "deals": (), "seconds": 240, **more}
    return diary.write(Call(key=key, at=at, outcome=outcome, **facts))  # type: ignore[arg-type]


def calls_that_need_a_rule(diary: Diary) -> None:
    results(diary)
    directions_and_states(diary)
    logged_twice(diary)
    edges_of_the_day(diary)


def results(diary: Diary) -> None:
    """Every disposition, and none with every kind of duration."""
    at = diary.now - timedelta(days=5)
    for number, outcome in enumerate(
        (
            "Busy",
            "Connected",
            "Left live message",
            "Left voicemail",
            "No answer",
            "Wrong number",
            "Answered",
            "Spoke",
            "Spoke with Contact",
            "Conversation",
            "Not connected",
            "Connected to voicemail",
            "Not interested",
        )
    ):
        name = outcome.lower().replace(" ", "-")
        call(diary, f"case-call-{name}", at + timedelta(minutes=10 * number), outcome)
    for number, seconds in enumerate((None, 0, 29, 30, 31, 4 * 3600)):
        call(
            diary,
            f"case-call-unnoted-{seconds}",
            at - timedelta(minutes=10 * number + 10),
            None,
            seconds=seconds,
        )
    call(diary, "case-call-connected-without-duration", at - timedelta(hours=3), seconds=None)
    call(diary, "case-call-connected-zero", at - timedelta(hours=4), seconds=0)


def directions_and_states(diary: Diary) -> None:
    at, hour = diary.now - timedelta(days=7), timedelta(hours=1)
    for number, direction in enumerate(("in", "internal", None)):
        call(diary, f"case-call-direction-{direction}", at + number * hour, direction=direction)
    for number, status in enumerate(("planned", "cancelled", "failed")):
        call(diary, f"case-call-{status}", at - (number + 1) * hour, None, status=status, seconds=None)
    call(diary, "case-call-planned-tomorrow", diary.now + timedelta(days=1), None, status="planned", seconds=None)
    call(diary, "case-call-deleted", at - 5 * hour, deleted=True)
    call(diary, "case-call-of-nobody", at - 6 * hour, seller=None)
    call(diary, "case-call-of-queue", at - 7 * hour, seller=QUEUE)
    call(diary, "case-call-of-robot", at - 8 * hour, seller=ROBOT)
    call(diary, "case-call-to-nobody", at - 9 * hour, people=())
    call(diary, "case-call-to-merged-lead", at - 10 * hour, people=("case-lead-merged-twice",))
    gone = diary.now - timedelta(days=185)
    call(diary, "case-call-of-one-who-left", gone, seller=LEFT, people=("case-lead-of-one-who-left",))


def logged_twice(diary: Diary) -> None:
    """By the same external id however far apart, or at most 60 seconds apart with a person in common."""
    at = diary.now - timedelta(days=8)
    call(diary, "case-call-external-a", at, external_id="dialler-77", seconds=None)
    call(diary, "case-call-external-b", at + timedelta(minutes=5), external_id="dialler-77")
    for name, apart in (("60", 60), ("61", 61)):
        start = at + timedelta(hours=1 if name == "60" else 2)
        call(diary, f"case-call-twice-{name}-a", start, None, seconds=None)
        call(diary, f"case-call-twice-{name}-b", start + timedelta(seconds=apart), people=(KNOWN, LEAD))
    call(diary, "case-call-chain-0", at + timedelta(hours=3))
    call(diary, "case-call-chain-50", at + timedelta(hours=3, seconds=50))
    call(diary, "case-call-chain-100", at + timedelta(hours=3, seconds=100))
    call(diary, "case-call-same-time-a", at + timedelta(hours=4), people=(LEAD,))
    call(diary, "case-call-same-time-b", at + timedelta(hours=4), people=("case-contact-survivor",))


def edges_of_the_day(diary: Diary) -> None:
    """A month's last second where the rep lives is another month elsewhere; in October half past two comes twice."""
    for seller in ("ana", "aroha", "lucia", "rohan"):
        midnight = diary.moment(seller, diary.today(seller).replace(day=1), 0)
        call(diary, f"case-call-last-second-{seller}", midnight - timedelta(seconds=1), seller=seller, people=(LEAD,))
        call(diary, f"case-call-first-second-{seller}", midnight, seller=seller, people=(LEAD,))
    saturday = diary.today("ana") - timedelta(days=14 + (diary.today("ana").weekday() - 5) % 7)
    call(diary, "case-call-saturday", diary.moment("ana", saturday, 11))
    october = date(diary.now.year - 1, 10, 31)
    clocks_go_back = october - timedelta(days=(october.weekday() + 1) % 7)
    for hour in (0, 1):
        at = datetime.combine(clocks_go_back, time(hour, 30), UTC)
        call(diary, f"case-call-half-past-two-{hour + 1}", at)
