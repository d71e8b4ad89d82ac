"""Where the makers of a world write down what happened, each thing with a key of its own, nothing later than now."""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import TypeVar
from zoneinfo import ZoneInfo

from crm_sandbox.world import (
    Allotment,
    Call,
    Email,
    ExchangeRate,
    Meeting,
    Message,
    Promotion,
    Prospect,
    Sale,
    Seller,
    Submission,
    Todo,
    Visit,
    World,
)

Kept = TypeVar("Kept", Prospect, Email, Call, Message, Meeting, Todo, Sale, Promotion, Allotment, Submission, Visit)


@dataclass
class Diary:
    """The world while it is being made. `now` is a whole second in UTC."""

    now: datetime
    chance: Random
    sellers: dict[str, Seller]
    pages: dict[type, list[object]] = field(default_factory=dict)
    rates: list[ExchangeRate] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)

    def key(self, kind: str) -> str:
        """The next free key of a kind: call-1, call-2 …"""
        self.numbers[kind] = self.numbers.get(kind, 0) + 1
        return f"{kind}-{self.numbers[kind]}"

    def write(self, thing: Kept) -> Kept:
        self.pages.setdefault(type(thing), []).append(thing)
        return thing

    def rewrite(self, old: Kept, **changes: object) -> Kept:
        """The same thing as it stands now."""
        new = replace(old, **changes)  # type: ignore[arg-type]  # the field names are the caller's
        page = self.pages[type(old)]
        page[_last_index(page, old)] = new
        return new

    def page(self, kind: type[Kept]) -> list[Kept]:
        return self.pages.setdefault(kind, [])  # type: ignore[return-value]  # a page holds one kind

    @property
    def size(self) -> int:
        return sum(map(len, self.pages.values())) + len(self.rates) + len(self.sellers)

    def zone(self, seller: str | None) -> ZoneInfo:
        return ZoneInfo(self.sellers[seller].time_zone if seller else "UTC")

    def today(self, seller: str | None) -> date:
        """The day it is where the seller lives."""
        return self.now.astimezone(self.zone(seller)).date()

    def day(self, seller: str | None, moment: datetime) -> date:
        return moment.astimezone(self.zone(seller)).date()

    def moment(self, seller: str | None, day: date, hour: int, minute: int = 0, second: int = 0) -> datetime:
        """That time on the seller's clock, in UTC."""
        return datetime.combine(day, time(hour, minute, second), self.zone(seller)).astimezone(UTC)

    def at_work(self, seller: str, day: date) -> datetime:
        """Some moment of that day's working hours where the seller lives."""
        seconds = self.chance.randrange(9 * 3600, 18 * 3600)
        return self.moment(seller, day, seconds // 3600, seconds // 60 % 60, seconds % 60)

    def earlier_today(self, seller: str) -> datetime:
        """Some moment between the seller's midnight (or morning, once there was one) and now."""
        today = self.today(seller)
        morning = self.moment(seller, today, 8)
        since = morning if morning < self.now - timedelta(hours=1) else self.moment(seller, today, 0)
        return since + timedelta(seconds=self.chance.randrange(int((self.now - since).total_seconds()) or 1))

    def happened(self, moment: datetime) -> bool:
        return moment <= self.now

    def world(self, name: str, time_zone: str, currency: str) -> World:
        return World(
            name,
            self.now,
            time_zone,
            currency,
            sellers=tuple(self.sellers.values()),
            prospects=tuple(self.page(Prospect)),
            emails=tuple(self.page(Email)),
            calls=tuple(self.page(Call)),
            messages=tuple(self.page(Message)),
            meetings=tuple(self.page(Meeting)),
            todos=tuple(self.page(Todo)),
            sales=tuple(self.page(Sale)),
            promotions=tuple(self.page(Promotion)),
            allotments=tuple(self.page(Allotment)),
            submissions=tuple(self.page(Submission)),
            visits=tuple(self.page(Visit)),
            rates=tuple(self.rates),
        )


def working_day(day: date, ahead: int = 0) -> date:
    """The day itself or the Monday after it, then so many working days further on."""
    while day.weekday() > 4:
        day += timedelta(days=1)
    for _ in range(ahead):
        day += timedelta(days=3 if day.weekday() == 4 else 1)
    return day


def _last_index(page: list[object], thing: object) -> int:
    return next(number for number in range(len(page) - 1, -1, -1) if page[number] is thing)
