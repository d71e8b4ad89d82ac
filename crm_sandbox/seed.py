"""Ready-made worlds: the demo company with every awkward case a CRM can hold, and plain volume for measurements."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

from crm_sandbox.seeding import cases
from crm_sandbox.seeding.cast import COMPANY, HOME_CURRENCY, HOME_ZONE, SELLING, sellers
from crm_sandbox.seeding.diary import Diary
from crm_sandbox.seeding.journeys import journey, lately, win_now
from crm_sandbox.seeding.market import answers_to_campaigns, market
from crm_sandbox.world import Call, Sale, Seller, World

SIZES = {"small": 3000, "demo": 7500, "large": 60000}
"""About how many records a world has."""


def demo_world(now: datetime, *, seed: int = 7, size: str | int = "demo") -> World:
    """A remote sales company on four continents with 18 months of history that ends at `now` (aware).

    `size` is a name in `SIZES` or about how many records there are to be (the awkward cases, some 2,000 records, are
    always all there). The same `now`, `seed` and `size` give the same world.
    """
    if now.tzinfo is None:
        raise ValueError("`now` has no time zone: pass an aware datetime, for example datetime.now(UTC).")
    wanted = SIZES[size] if isinstance(size, str) else size
    chance = Random(seed)  # noqa: S311 - a believable world, not a secret
    moment = now.astimezone(UTC).replace(microsecond=0)
    diary = Diary(moment, chance, {seller.key: seller for seller in sellers(moment)})
    for number, seller in enumerate(SELLING):
        win_now(diary, seller, ago=min(number % 4, diary.today(seller).day - 1))
    market(diary)
    cases.everything(diary)
    while diary.size < wanted * 0.7:
        journey(diary)
    for seller in SELLING:
        lately(diary, seller, days=min(60, wanted // 200))
    while diary.size < wanted:
        journey(diary)
    answers_to_campaigns(diary)
    return diary.world(COMPANY, HOME_ZONE, HOME_CURRENCY)


def volume_world(now: datetime, *, deals: int, calls: int, reps: int = 20) -> World:
    """Plain deals and answered calls of the last year, spread evenly, for measurements; every call is about a deal.

    Three deals of five are won, one is lost, one is open. There are no people and no odd cases.
    """
    moment = now.astimezone(UTC).replace(microsecond=0)
    since = moment - timedelta(days=365)
    sellers = tuple(Seller(f"rep-{n}", f"Rep {n}", f"rep{n}@example.com", created=since) for n in range(reps))
    return World(
        "Plain volume",
        moment,
        sellers=sellers,
        sales=tuple(_plain_deal(number, since, deals, reps) for number in range(deals)),
        calls=tuple(_plain_call(number, since, calls, deals, reps) for number in range(calls)),
    )


def _plain_deal(number: int, since: datetime, deals: int, reps: int) -> Sale:
    created = since + timedelta(seconds=number * 28_000_000 // deals)
    stage = ("won", "won", "lost", "won", "open")[number % 5]
    closed_at = created + timedelta(days=number % 30 + 1)
    seller = f"rep-{number % reps}"
    return Sale(
        f"sale-{number}",
        f"Deal {number}",
        ((created, seller),),
        created,
        stage,
        closed_at.date(),
        None if stage == "open" else closed_at,
        Decimal(1000 + number % 9000),
        "USD",
    )


def _plain_call(number: int, since: datetime, calls: int, deals: int, reps: int) -> Call:
    at = since + timedelta(seconds=number * 31_000_000 // calls)
    about = (f"sale-{number % deals}",) if deals else ()
    return Call(f"call-{number}", f"rep-{number % reps}", (), about, at, "out", "Connected", 30 + number % 600)
