"""What surrounds the selling: exchange rates, quotas and campaigns."""

from datetime import date, timedelta
from decimal import Decimal

from crm_sandbox.seeding.cast import LEFT, RATES
from crm_sandbox.seeding.diary import Diary
from crm_sandbox.world import Allotment, ExchangeRate, Promotion, Prospect

MONTHLY = {"ana": 30000, "inigo": 24000, "zoe": 26000, "jordan": 32000, "lucia": 22000}
QUARTERLY = {"thiago": 60000, "rohan": 54000, "jordan": 99000}
"""Rohan's and Thiago's quotas come by the quarter; Jordan has both, and they disagree: the finest row counts."""
YEARLY = {"aroha": 210000}
OWN = {"marcus": 20000}
"""A manager's own quota. Noor and Priya have none at all."""

GAP_MONTHS_AGO = 4
"""So many months ago nobody wrote down a quota for Zoe."""


def market(diary: Diary) -> None:
    exchange(diary)
    quotas(diary)
    campaigns(diary)


def exchange(diary: Diary) -> None:
    """A rate for each month, and for each currency an old one, so that no deal is without."""
    this_month = diary.now.date().replace(day=1)
    for currency, text in RATES.items():
        rate = Decimal(text)
        diary.rates.append(ExchangeRate(currency, date(2015, 1, 1), rate))
        for ago in range(18, -1, -1):
            drift = Decimal(diary.chance.randrange(-250, 251)) / 10000
            starts = _months(this_month, -ago)
            diary.rates.append(ExchangeRate(currency, starts, (rate * (1 + drift)).quantize(rate)))


def quotas(diary: Diary) -> None:
    """Monthly, quarterly and yearly ones to the end of this quarter or year; some are missing."""
    today = diary.now.date()
    month, year = today.replace(day=1), today.replace(month=1, day=1)
    quarter = _months(year, 3 * ((today.month - 1) // 3))
    for seller, amount in (MONTHLY | OWN).items():
        for ago in range(18, -3, -1):
            if seller == "zoe" and ago == GAP_MONTHS_AGO:
                continue
            _allot(diary, seller, _months(month, -ago), 1, amount)
    for seller, amount in QUARTERLY.items():
        for ago in range(6, -1, -1):
            _allot(diary, seller, _months(quarter, -3 * ago), 3, amount)
    for seller, amount in YEARLY.items():
        for ago in (1, 0):
            _allot(diary, seller, _months(year, -12 * ago), 12, amount)
    for ago in range(18, 5, -1):
        _allot(diary, LEFT, _months(month, -ago), 1, 18000)


def campaigns(diary: Diary) -> None:
    """With a cost in several currencies, with none, with cost 0, of somebody who left, and one still to come."""
    for key, name, owner, days_ago, cost, currency in (
        ("promo-webinar", "Webinar: selling remotely", "ana", 200, "4000", "EUR"),
        ("promo-fair", "Feria de Barcelona", "inigo", 150, "18500.50", "EUR"),
        ("promo-dollars", "US search ads", "jordan", 120, "12000", "USD"),
        ("promo-rupees", "Mumbai breakfast", "rohan", 95, "350000", "INR"),
        ("promo-free", "Partner newsletter", "zoe", 80, "0", "GBP"),
        ("promo-unknown-cost", "Conference talk", "lucia", 70, None, None),
        ("promo-loss", "Roadside posters", "ana", 60, "2500", "EUR"),
        ("promo-left", "Vuelta al cole", LEFT, 300, "1500", "EUR"),
        ("promo-nobody", "Old adverts", None, 210, "900", "EUR"),
        ("promo-this-month", "Autoworkshop ✨", "ana", 0, "600", "EUR"),
        ("promo-this-month-us", "Product hunt", "jordan", 0, "750", "USD"),
        ("promo-later", "Next year's roadshow", "marcus", -40, "30000", "USD"),
    ):
        starts = diary.now.date() - timedelta(days=days_ago)
        starts = starts.replace(day=1) if days_ago == 0 else starts
        diary.write(Promotion(key, name, owner, starts, Decimal(cost) if cost else None, currency))


def answers_to_campaigns(diary: Diary) -> None:
    """Who responded: people that were there when it ran."""
    prospects = [person for person in diary.page(Prospect) if not person.deleted and not person.merged_into]
    for promotion in tuple(diary.page(Promotion)):
        runs = diary.moment(promotion.owner, promotion.starts, 9)
        there = [person for person in prospects if person.created < runs + timedelta(days=20)]
        picked = diary.chance.sample(there, k=min(len(there), diary.chance.randrange(4, 25)))
        moments = [max(runs, person.created) + timedelta(hours=diary.chance.randrange(1, 400)) for person in picked]
        responses = tuple(
            (person.key, moment) for person, moment in zip(picked, moments, strict=True) if diary.happened(moment)
        )
        diary.rewrite(promotion, responses=responses)


def _allot(diary: Diary, seller: str, starts: date, months: int, amount: int) -> None:
    diary.write(Allotment(seller, starts, _months(starts, months), Decimal(amount)))


def _months(day: date, count: int) -> date:
    """The first of the month so many months on."""
    years, month = divmod(day.month - 1 + count, 12)
    return date(day.year + years, month + 1, 1)
