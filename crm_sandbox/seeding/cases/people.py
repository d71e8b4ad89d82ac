"""Leads and contacts that are merged, deleted, opted out, bounced, nobody's, or converted in unusual ways."""

from datetime import timedelta
from decimal import Decimal

from crm_sandbox.addresses import address
from crm_sandbox.seeding.cast import LEFT, QUEUE, ROBOT
from crm_sandbox.seeding.diary import Diary
from crm_sandbox.world import Call, Email, Prospect, Sale, Submission, Visit

KNOWN = "case-person-contact"
"""A plain contact of Ana's: the one on the other end of most other cases."""

LEAD = "case-lead-plain"
"""A plain open lead of Ana's."""


def person(
    diary: Diary, key: str, owner: str | None, days_ago: float, name: str = "Pat Quinn", **more: object
) -> Prospect:
    """A prospect with a key that says what is special; whatever else is special comes in `more`."""
    company = str(more.pop("company", "Casos Raros"))
    number = len(diary.page(Prospect)) + 1
    created = diary.now - timedelta(days=days_ago)
    facts: dict[str, object] = {"email": address(name, company, number), "channel": "Referrals", **more}
    return diary.write(Prospect(key=key, name=name, company=company, owner=owner, created=created, **facts))  # type: ignore[arg-type]


def people_that_need_a_rule(diary: Diary) -> None:
    owners(diary)
    opt_outs(diary)
    merges_and_deletions(diary)
    conversions(diary)
    names(diary)
    interest(diary)


def owners(diary: Diary) -> None:
    person(diary, KNOWN, "ana", 400, "Marta Peña", is_lead=False)
    person(diary, LEAD, "ana", 25, "Óscar Vidal")
    person(diary, "case-lead-nobody", None, 12, "Robin Nadie")
    person(diary, "case-lead-queue", QUEUE, 3, "Quim Cola")
    person(diary, "case-lead-robot", ROBOT, 8, "Api Bot")
    person(diary, "case-lead-of-one-who-left", LEFT, 330, "Lena Vieja", status="working")
    person(diary, "case-lead-without-channel", "zoe", 6, "Ned Null", channel=None)
    person(diary, "case-lead-today", "ana", 0, "Hoy Mismo", channel="Paid search")


def opt_outs(diary: Diary) -> None:
    now = diary.now
    person(diary, "case-opted-out-recently", "ana", 90, "Nora Baja", opted_out=now - timedelta(days=2))
    person(diary, "case-opted-out-long-ago", "jordan", 300, "Ollie Out", opted_out=now - timedelta(days=200))
    person(diary, "case-opted-out-undated", "ana", 60, "Undine Undated", opted_out_undated=True)
    person(
        diary, "case-contact-opted-out", "zoe", 200, "Cora Contact", is_lead=False, opted_out=now - timedelta(days=20)
    )
    person(diary, "case-bounced", "inigo", 45, "Bo Bounce", bounced=now - timedelta(days=10))
    for key in ("case-opted-out-recently", "case-opted-out-undated", "case-bounced"):
        diary.write(Submission(key, "Request a demo", now - timedelta(days=12)))


def merges_and_deletions(diary: Diary) -> None:
    person(diary, "case-lead-survivor", "thiago", 80, "Vera Dupla")
    person(diary, "case-lead-merged", "thiago", 70, "Vera  Dupla", merged_into="case-lead-survivor")
    person(diary, "case-lead-merged-twice", "rohan", 60, "V. Dupla", merged_into="case-lead-merged")
    person(diary, "case-contact-survivor", "ana", 250, "Dora Doble", is_lead=False)
    person(diary, "case-contact-merged", "ana", 240, "Dora D.", is_lead=False, merged_into="case-contact-survivor")
    person(diary, "case-lead-deleted", "ana", 30, "Del Eted", deleted=True)
    person(diary, "case-contact-deleted", "ana", 300, "Con Deleted", is_lead=False, deleted=True)
    for key in ("case-lead-survivor", "case-lead-merged", "case-lead-merged-twice", "case-lead-deleted"):
        diary.write(Visit(key, diary.now - timedelta(days=9), "https://aurora.example/pricing"))
        diary.write(Submission(key, "Newsletter", diary.now - timedelta(days=8)))


def conversions(diary: Diary) -> None:
    """With a deal, without, two on one deal, to a deal that was deleted since, at once, and found unfit."""
    now, ago = diary.now, timedelta
    person(
        diary,
        "case-lead-converted-without-deal",
        "ana",
        50,
        "Sol Odeal",
        status="qualified",
        qualified=now - ago(days=45),
        converted=now - ago(days=40),
    )
    for key, days in (("case-lead-first-on-deal", 75), ("case-lead-second-on-deal", 70)):
        person(
            diary,
            key,
            "lucia",
            days,
            f"Dos {days}",
            status="qualified",
            qualified=now - ago(days=66),
            converted=now - ago(days=62),
            deal="case-deal-of-two-leads",
        )
    person(
        diary,
        "case-lead-of-deleted-deal",
        "zoe",
        44,
        "Lost Trace",
        status="qualified",
        converted=now - ago(days=40),
        deal="case-deal-deleted-with-lead",
    )
    made = now - ago(days=18)
    person(
        diary,
        "case-lead-converted-at-once",
        "rohan",
        18,
        "Ya Mismo",
        status="qualified",
        qualified=made,
        converted=made,
    )
    person(diary, "case-lead-unqualified", "ana", 20, "Una Fit", status="unqualified")
    person(diary, "case-lead-qualified", "ana", 22, "Cal Ificada", status="qualified", qualified=now - ago(days=19))
    for key, owner, stage in (
        ("case-deal-of-two-leads", "lucia", "won"),
        ("case-deal-deleted-with-lead", "zoe", "won"),
    ):
        _deal_of_leads(diary, key, owner, stage)


def _deal_of_leads(diary: Diary, key: str, owner: str, stage: str) -> None:
    people = tuple(lead.key for lead in diary.page(Prospect) if lead.deal == key)
    created = max(lead.converted for lead in diary.page(Prospect) if lead.deal == key and lead.converted)
    closed_at = created + timedelta(days=30, hours=1)
    day = diary.day(owner, closed_at)
    diary.write(
        Sale(
            key,
            "Casos Raros · Platform",
            ((created, owner),),
            created,
            stage,
            day,
            closed_at,
            Decimal(8000),
            "EUR",
            "Casos Raros",
            "Referrals",
            people=people,
            deleted="deleted" in key,
        )
    )


def names(diary: Diary) -> None:
    """Text that breaks careless quoting, escaping and encoding."""
    person(diary, "case-name-quotes", "ana", 33, 'Sinéad O\'Hara "Sin"', company="Pérez & Hijos, S.L.")
    person(diary, "case-name-han", "rohan", 32, "李伟", company="北京 AND 上海")
    person(diary, "case-name-emoji", "thiago", 31, "José 🚀 Núñez", company="Línea 1\nLínea 2; C:\\ventas")
    person(diary, "case-name-right-to-left", "noor", 0.5, "نور الأمين", company="شركة <b>مثال</b>")


def interest(diary: Diary) -> None:
    """Leads whose interest comes just within 30 times 24 hours of creation, or just after; who only call, or whose
    mailbox answers for them."""
    for key, hours in (("case-interest-in-time", 30 * 24 - 1), ("case-interest-too-late", 30 * 24 + 1)):
        lead = person(diary, key, "inigo", 40, key.replace("case-", "").title())
        diary.write(Submission(key, "Request a demo", lead.created + timedelta(hours=hours)))
    eager = person(diary, "case-lead-engaged", "ana", 10, "Ea Ger", channel="Paid search")
    for day in range(1, 6):
        diary.write(Submission(eager.key, "Request a demo", eager.created + timedelta(days=day)))
        for minute in range(14):
            seen = eager.created + timedelta(days=day, minutes=minute)
            diary.write(Visit(eager.key, seen, "https://aurora.example/pricing"))
    caller = person(diary, "case-lead-who-called", "ana", 15, "Calla Back", channel="Offline")
    rang = caller.created + timedelta(days=2)
    diary.write(Call("case-call-of-lead", "ana", (caller.key,), (), rang, "in", "Left voicemail", 20))
    away = person(diary, "case-lead-with-only-a-machine", "ana", 14, "Auto Mata", channel="Email marketing")
    for direction, subject, minutes in (("out", "Hello", 5), ("in", "Respuesta automática: Hello", 6)):
        key, at = f"case-mail-machine-only-{direction}", away.created + timedelta(minutes=minutes)
        thread, message = "case-thread-machine-only", f"<{key}@mail.example.com>"
        diary.write(Email(key, "ana", (away.key,), (), direction, at, subject, thread, message))
