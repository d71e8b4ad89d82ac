"""The ordinary run of things: somebody comes in, is worked on, and becomes a customer or does not."""

from datetime import date, datetime, timedelta
from decimal import Decimal

from crm_sandbox.addresses import address
from crm_sandbox.seeding.activity import Topic, correspond, meet, ring, text, touch
from crm_sandbox.seeding.cast import CURRENCIES, OFFERS, RATES, SELLING, channel, company_name, person_name
from crm_sandbox.seeding.diary import Diary, working_day
from crm_sandbox.world import Prospect, Sale, Submission, Visit

HISTORY_DAYS = 548
WON_SHARE = 0.46


def journey(diary: Diary) -> None:
    """One company from first contact to wherever it stands now. The last months see the most of them."""
    seller = diary.chance.choice(SELLING)
    age = int(HISTORY_DAYS * diary.chance.random() ** 1.6)
    start = diary.at_work(seller, working_day(diary.today(seller) - timedelta(days=age)))
    if not diary.happened(start):
        start = diary.earlier_today(seller)
    company = company_name(diary.chance)
    lead = new_lead(diary, seller, company, start)
    browse(diary, lead)
    if diary.chance.random() < 0.5:
        convert(diary, lead)
    else:
        work(diary, lead)


def new_lead(diary: Diary, seller: str, company: str, created: datetime) -> Prospect:
    key, name = diary.key("prospect"), person_name(diary.chance)
    mail = address(name, company, diary.numbers["prospect"])
    return diary.write(Prospect(key, name, mail, company, seller, created, channel=channel(diary.chance)))


def browse(diary: Diary, lead: Prospect) -> None:
    """Page views before and after; those from the web leave a form behind, mostly the one that made them a lead."""
    online = lead.channel not in {"Offline", "Referrals", None}
    for _ in range(diary.chance.randrange(0, 5 if online else 2)):
        seen = lead.created + timedelta(minutes=diary.chance.randrange(-90, 60 * 24 * 20))
        page = diary.chance.choice(("/pricing", "/demo", "/blog/remote-sales", "/casos-de-éxito", "/security"))
        if diary.happened(seen):
            diary.write(Visit(lead.key, seen, f"https://aurora.example{page}"))
    if online and diary.chance.random() < 0.55:
        form = diary.chance.choice(("Request a demo", "Newsletter", "Descarga: guía de ventas"))
        diary.write(Submission(lead.key, form, lead.created))


def work(diary: Diary, lead: Prospect) -> None:
    """A lead that is still one, or was found unfit, or was converted without a deal."""
    assert lead.owner is not None
    topic = Topic(lead.owner, (lead.key,), (), lead.company)
    span = min(diary.now - lead.created, timedelta(days=45))
    for _ in range(diary.chance.randrange(1, 7)):
        touch(diary, topic, _at_work_within(diary, lead.owner, lead.created, span))
    step = lead.created + timedelta(days=diary.chance.randrange(1, 30), minutes=5)
    fate = diary.chance.choices(("working", "new", "qualified", "unqualified", "alone"), (34, 18, 16, 24, 8))[0]
    if fate == "alone":
        if diary.happened(step):
            diary.rewrite(lead, status="qualified", qualified=step, converted=step)
    elif fate == "qualified":
        if diary.happened(step):
            diary.rewrite(lead, status=fate, qualified=step)
    else:
        diary.rewrite(lead, status=fate)


def convert(diary: Diary, lead: Prospect) -> None:
    """A lead that becomes a deal, with colleagues; a good customer buys again."""
    assert lead.owner is not None
    first = Topic(lead.owner, (lead.key,), (), lead.company)
    wait = timedelta(days=diary.chance.randrange(0, 21), hours=diary.chance.randrange(1, 8))
    for _ in range(diary.chance.randrange(1, 4)):
        touch(diary, first, _at_work_within(diary, lead.owner, lead.created, wait))
    created = lead.created + wait
    if not diary.happened(created):
        diary.rewrite(lead, status="working")
        return
    people = (lead.key, *(_colleague(diary, lead, created) for _ in range(diary.chance.choice((0, 0, 1, 2)))))
    deal = sell(diary, lead.owner, lead.company, people, created, lead.channel)
    diary.rewrite(lead, status="qualified", qualified=created - wait / 2, converted=created, deal=deal.key)
    while deal.stage == "won" and diary.chance.random() < 0.55:
        again = diary.at_work(lead.owner, working_day(deal.closed + timedelta(days=diary.chance.randrange(15, 90))))
        if not diary.happened(again):
            return
        deal = sell(diary, lead.owner, lead.company, people, again, lead.channel, wins=0.75)


def sell(
    diary: Diary,
    seller: str,
    company: str,
    people: tuple[str, ...],
    created: datetime,
    source: str | None,
    *,
    wins: float = WON_SHARE,
) -> Sale:
    """A deal with its activity up to its close or to now."""
    key = diary.key("sale")
    cycle = timedelta(days=max(1, int(diary.chance.lognormvariate(3.2, 0.7))))
    closed_at = diary.at_work(seller, working_day(diary.day(seller, created + cycle)))
    over = diary.happened(closed_at)
    stage = ("won" if diary.chance.random() < wins else "lost") if over else "open"
    topic = Topic(seller, people, (key,), company)
    lasted = (closed_at if over else diary.now) - created
    for _ in range(diary.chance.randrange(2, 11)):
        touch(diary, _about(diary, topic), _at_work_within(diary, seller, created, lasted))
    return diary.write(
        Sale(
            key,
            f"{company} · {diary.chance.choice(OFFERS)}",
            ((created, seller),),
            created,
            stage,
            diary.day(seller, closed_at),
            closed_at if over else None,
            price(diary, seller),
            CURRENCIES[seller],
            company,
            source,
            people=people,
        )
    )


def price(diary: Diary, seller: str) -> Decimal | None:
    """An amount in the seller's currency; a few are round, a few unknown."""
    if diary.chance.random() < 0.02:
        return None
    euros = Decimal(int(diary.chance.lognormvariate(9.0, 0.9)))
    amount = euros * Decimal(RATES.get(CURRENCIES[seller], "1"))
    return amount.quantize(Decimal(1 if diary.chance.random() < 0.6 else "0.01"))


def lately(diary: Diary, seller: str, days: int) -> None:
    """What the seller has been doing these days, today included, so that the current periods are never empty."""
    open_leads = [lead for lead in diary.page(Prospect) if lead.owner == seller and lead.is_lead and not lead.converted]
    month_ago = diary.now - timedelta(days=30)
    leads = open_leads or [new_lead(diary, seller, company_name(diary.chance), month_ago)]
    for ago in range(days):
        day = diary.today(seller) - timedelta(days=ago)
        if ago and day.weekday() > 4:
            continue
        usual = diary.chance.sample((ring, ring, ring, correspond, text, meet), k=diary.chance.randrange(2, 5))
        for act in (ring, correspond, *usual):
            lead = diary.chance.choice(leads)
            at = diary.at_work(seller, day) if ago else diary.earlier_today(seller)
            act(diary, Topic(seller, (lead.key,), (), lead.company), at)


def win_now(diary: Diary, seller: str, ago: int) -> Sale:
    """A deal won so many days ago on the seller's calendar, after three weeks of work."""
    closed_at = diary.earlier_today(seller) - timedelta(days=ago)
    created = closed_at - timedelta(days=21, hours=3)
    company = company_name(diary.chance)
    lead = new_lead(diary, seller, company, created - timedelta(days=2))
    key = diary.key("sale")
    topic = Topic(seller, (lead.key,), (key,), company)
    for _ in range(6):
        touch(diary, topic, _at_work_within(diary, seller, created, closed_at - created))
    diary.rewrite(lead, status="qualified", qualified=created, converted=created, deal=key)
    day = diary.day(seller, closed_at)
    name = f"{company} · {diary.chance.choice(OFFERS)}"
    owners = ((created, seller),)
    amount = price(diary, seller) or Decimal(9600)
    currency = CURRENCIES[seller]
    return diary.write(
        Sale(
            key,
            name,
            owners,
            created,
            "won",
            day,
            closed_at,
            amount,
            currency,
            company,
            lead.channel,
            people=(lead.key,),
        )
    )


def _about(diary: Diary, topic: Topic) -> Topic:
    """Some activities are noted on the people only, not on the deal."""
    if diary.chance.random() < 0.3:
        return Topic(topic.seller, topic.people, (), topic.company)
    return topic


def _colleague(diary: Diary, lead: Prospect, created: datetime) -> str:
    key, name = diary.key("prospect"), person_name(diary.chance)
    mail = address(name, lead.company, diary.numbers["prospect"])
    return diary.write(Prospect(key, name, mail, lead.company, lead.owner, created, is_lead=False)).key


def _at_work_within(diary: Diary, seller: str, since: datetime, span: timedelta) -> datetime:
    """Some working moment in that span (it may end up a little after it: the caller's diary drops the future)."""
    day: date = diary.day(seller, since + span * diary.chance.random())
    moment = diary.at_work(seller, working_day(day))
    return moment if moment > since else since + timedelta(minutes=diary.chance.randrange(1, 40))
