"""Deals with odd amounts, dates, owners, splits and people, and one with hundreds of touchpoints."""

from datetime import date, datetime, timedelta
from decimal import Decimal

from crm_sandbox.seeding.activity import Topic, touch
from crm_sandbox.seeding.cases.people import KNOWN, person
from crm_sandbox.seeding.cast import LEFT, QUEUE, ROBOT
from crm_sandbox.seeding.diary import Diary
from crm_sandbox.world import Call, Sale

MANY = 400
"""So many activities hang on `case-deal-many-touchpoints` alone."""


def deal(diary: Diary, key: str, days_ago: float, stage: str = "won", **more: object) -> Sale:
    """A deal of Ana's that was made 40 days before it closed, unless `more` says otherwise."""
    owner = more.pop("owner", "ana")
    seller = owner if isinstance(owner, str) else None
    over = diary.now - timedelta(days=days_ago)
    facts: dict[str, object] = {
        "name": key.removeprefix("case-").replace("-", " ").capitalize(),
        "created": over - timedelta(days=40),
        "closed": diary.day(seller, over),
        "closed_at": over if stage != "open" else None,
        "amount": Decimal(10000),
        "currency": "EUR",
        "account": "Casos Raros",
        "channel": "Referrals",
        **more,
    }
    facts.setdefault("owners", ((facts["created"], owner),))
    return diary.write(Sale(key=key, stage=stage, **facts))  # type: ignore[arg-type]


def deals_that_need_a_rule(diary: Diary) -> None:
    amounts(diary)
    dates(diary)
    owners(diary)
    splits(diary)
    people(diary)
    touchpoint_windows(diary)
    rival_claims(diary)
    campaigns(diary)
    many_touchpoints(diary)


def amounts(diary: Diary) -> None:
    deal(diary, "case-deal-without-amount", 3, amount=None)
    deal(diary, "case-deal-amount-zero", 4, amount=Decimal(0))
    deal(diary, "case-deal-cents", 5, owner="zoe", amount=Decimal("1234.565"))
    deal(diary, "case-deal-negative", 6, owner="inigo", amount=Decimal("-250.00"))
    deal(diary, "case-deal-huge-rupees", 400, owner="rohan", amount=Decimal("98765432.10"), currency="INR")
    deal(diary, "case-deal-huge-open", -30, "open", owner="marcus", amount=Decimal("9999999999.99"), currency="USD")
    deal(diary, "case-deal-no-currency", 8, owner="zoe", currency=None)
    deal(diary, "case-deal-dollars-this-month", 0, owner="jordan", amount=Decimal("5425.00"), currency="USD")
    deal(diary, "case-deal-dollars-last-year", 366, owner="jordan", amount=Decimal("5425.00"), currency="USD")


def dates(diary: Diary) -> None:
    """Backdated, still to come, overdue, closed on the day it was made, and just before midnight."""
    now = diary.now
    deal(diary, "case-deal-backdated", 50, created=now - timedelta(days=20))
    soon = now + timedelta(days=12)
    deal(diary, "case-deal-won-in-the-future", -12, created=now - timedelta(days=9), closed_at=soon)
    deal(diary, "case-deal-overdue", 33, "open", owner="thiago")
    deal(
        diary,
        "case-deal-reopened",
        15,
        "open",
        owner="lucia",
        created=now - timedelta(days=260),
        name="Reopened: lost in the spring",
    )
    deal(diary, "case-deal-lost", 10, "lost")
    deal(diary, "case-deal-lost-without-amount", 11, "lost", amount=None)
    deal(diary, "case-deal-won-at-once", 18, owner="lucia", created=now - timedelta(days=18))
    for seller in ("aroha", "lucia"):
        first = diary.today(seller).replace(day=1)
        last_moment = diary.moment(seller, first, 0) - timedelta(minutes=5)
        _closed_at(diary, f"case-deal-last-minute-of-month-{seller}", seller, last_moment, first - timedelta(days=1))
    deal(diary, "case-deal-deleted", 9, deleted=True)


def owners(diary: Diary) -> None:
    """Handed over before the close, after it, twice, and those of nobody, a queue, a robot and one who left."""
    now = diary.now
    made = now - timedelta(days=70)
    before, after = now - timedelta(days=45), now - timedelta(days=5)
    deal(diary, "case-deal-handed-over-before-close", 30, created=made, owners=((made, "zoe"), (before, "ana")))
    deal(diary, "case-deal-handed-over-after-close", 30, created=made, owners=((made, "ana"), (after, "zoe")))
    deal(
        diary,
        "case-deal-handed-over-twice",
        30,
        created=made,
        owners=((made, "zoe"), (before, "ana"), (after, "inigo")),
    )
    deal(diary, "case-deal-inherited", 190, created=made - timedelta(days=200), owners=_inherited(diary))
    for ago in (200, 230, 260, 320):
        deal(diary, f"case-deal-of-one-who-left-{ago}", ago, owner=LEFT, amount=Decimal(7000 + ago))
    deal(diary, "case-deal-of-nobody", 13, owner=None)
    deal(diary, "case-deal-of-queue", 14, owner=QUEUE)
    deal(diary, "case-deal-of-robot", 16, owner=ROBOT)


def splits(diary: Diary) -> None:
    deal(diary, "case-deal-split-half", 12, splits=(("ana", Decimal(50)), ("inigo", Decimal(50))))
    thirds = (("ana", Decimal("33.33")), ("zoe", Decimal("33.33")), ("inigo", Decimal("33.34")))
    deal(diary, "case-deal-split-thirds", 13, owner="zoe", amount=Decimal("10000.01"), splits=thirds)
    others = (("jordan", Decimal(70)), (LEFT, Decimal(30)))
    deal(diary, "case-deal-split-among-others", 210, owner="jordan", currency="USD", splits=others)
    deal(diary, "case-deal-split-whole", 20, owner="inigo", splits=(("inigo", Decimal(100)),))


def people(diary: Diary) -> None:
    """None, merged ones, and one person on two deals at once whose calls name only the person."""
    deal(diary, "case-deal-without-people", 21)
    deal(diary, "case-deal-of-merged-contact", 22, owner="inigo", people=("case-contact-merged", KNOWN))
    shared = person(diary, "case-person-on-two-deals", "inigo", 200, "Doble Trato", is_lead=False).key
    now = diary.now
    for name, made, over in (("older", 100, 30), ("younger", 60, 10)):
        key = f"case-deal-shared-person-{name}"
        deal(diary, key, over, owner="inigo", created=now - timedelta(days=made), people=(shared,))
    for days in (250, 110, 80, 50, 20, 5):
        at = now - timedelta(days=days)
        diary.write(Call(f"case-call-shared-person-{days}", "inigo", (shared,), (), at, "out", "Connected", 120))


def touchpoint_windows(diary: Diary) -> None:
    """Calls that name the deal, 91 and 90 days before it was made, late on its last day, and the day after."""
    key = "case-deal-touchpoint-window"
    made, closes = diary.today("zoe") - timedelta(days=60), diary.today("zoe") - timedelta(days=25)
    created, closed_at = diary.moment("zoe", made, 10), diary.moment("zoe", closes, 12)
    _closed_at(diary, key, "zoe", closed_at, closes, created)
    for name, day, hour in (
        ("91-days-before", made - timedelta(days=91), 23),
        ("90-days-before", made - timedelta(days=90), 0),
        ("last-day", closes, 23),
        ("day-after", closes + timedelta(days=1), 0),
    ):
        at = diary.moment("zoe", day, hour, 30)
        diary.write(Call(f"case-call-window-{name}", "zoe", (), (key,), at, "out", "Connected", 90))


def rival_claims(diary: Diary) -> None:
    """A call to a person of several deals belongs to the youngest that was open, lost ones too, deleted ones never."""
    shared = person(diary, "case-person-of-rival-deals", "lucia", 300, "Riva Les", is_lead=False).key
    now = diary.now
    for name, stage, made, over, deleted in (
        ("won", "won", 120, 20, False),
        ("lost", "lost", 80, 40, False),
        ("deleted", "won", 70, 35, True),
    ):
        created = now - timedelta(days=made)
        key = f"case-deal-rival-{name}"
        deal(diary, key, over, stage, owner="lucia", created=created, people=(shared,), deleted=deleted, currency="USD")
    for days in (100, 60, 30):
        at = now - timedelta(days=days)
        diary.write(Call(f"case-call-rival-{days}", "lucia", (shared,), (), at, "out", "Connected", 60))


def campaigns(diary: Diary) -> None:
    for number, (campaign, owner, amount, currency) in enumerate(
        (
            ("promo-webinar", "ana", "9000", "EUR"),
            ("promo-webinar", "zoe", "4300.40", "GBP"),
            ("promo-fair", "inigo", "61000", "EUR"),
            ("promo-dollars", "jordan", "25000", "USD"),
            ("promo-rupees", "rohan", "900000", "INR"),
            ("promo-free", "zoe", "2000", "GBP"),
            ("promo-unknown-cost", "lucia", "3000", "USD"),
            ("promo-left", LEFT, "5200", "EUR"),
            ("promo-this-month", "ana", "2400", "EUR"),
        )
    ):
        days = 0.2 if campaign == "promo-this-month" else 24 + 2 * number
        amount_paid = Decimal(amount)
        key = f"case-deal-{campaign}-{number}"
        deal(diary, key, days, owner=owner, amount=amount_paid, currency=currency, campaign=campaign)
    deal(diary, "case-deal-promo-lost", 26, "lost", campaign="promo-webinar")
    deal(diary, "case-deal-promo-open", -26, "open", campaign="promo-loss")


def many_touchpoints(diary: Diary) -> None:
    who = person(diary, "case-person-many-touchpoints", "thiago", 200, "Muchas Llamadas", is_lead=False).key
    created = diary.now - timedelta(days=220)
    key = "case-deal-many-touchpoints"
    deal(diary, key, 65, owner="thiago", created=created, people=(who,), amount=Decimal(480000), currency="BRL")
    topic = Topic("thiago", (who,), (key,), "Casos Raros")
    for number in range(MANY):
        touch(diary, topic, created + timedelta(hours=9 * number, minutes=number % 60))


def _closed_at(
    diary: Diary, key: str, seller: str, moment: datetime, day: date, created: datetime | None = None
) -> None:
    ago = (diary.now - moment) / timedelta(days=1)
    begun = created or moment - timedelta(days=30)
    deal(diary, key, ago, owner=seller, closed=day, closed_at=moment, created=begun)


def _inherited(diary: Diary) -> tuple[tuple[datetime, str | None], ...]:
    made = diary.now - timedelta(days=270)
    return ((made, LEFT), (diary.now - timedelta(days=180), "carmen"))
