"""Who is who: whose a record is, who lives in which zone and is in whose team, and which records are one person."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import TypeVar, cast

from kpi_engine.records import UNASSIGNED, Company, Lead, Person, Record, Rep

from .days import day_of, plain

Kind = TypeVar("Kind", bound=Record)


class Records:
    """The records of a company, by kind and id."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._of: dict[type[Record], dict[str, Record]] = defaultdict(dict)
        for record in records:
            self._of[type(record)][record.id] = record

    def all(self, kind: type[Kind]) -> list[Kind]:
        """Every record of a kind, deleted ones included."""
        return cast("list[Kind]", list(self._of[kind].values()))

    def get(self, kind: type[Kind], id: str | None) -> Kind | None:
        """The record with this id, None if there is none."""
        return cast("Kind | None", self._of[kind].get(id)) if id is not None else None


@dataclass(frozen=True)
class Opting:
    """A person's dated opt-out and whom it is held against."""

    rep: str
    day: date


class Staff:
    """The reps. A rep key is a known rep's id or `unassigned`."""

    def __init__(self, records: Records, company: Company, as_of: int) -> None:
        self._reps = {rep.id: rep for rep in records.all(Rep)}
        self._company = company
        self._as_of = as_of
        self._holidays = {plain(day) for day in company.holidays}
        self._days_off = {rep: {plain(day) for day in days} for rep, days in company.days_off.items()}
        self.known = sorted(rep.id for rep in self._reps.values() if rep.known)

    def key(self, rep: str | None) -> str:
        """Whose a record is. Nobody's, a queue's and an unknown user's are collected under `unassigned`."""
        return rep if rep is not None and rep in self._reps and self._reps[rep].known else UNASSIGNED

    def active(self, key: str) -> bool:
        """Whether the rep sells today.

        Silent: a deleted rep is one who left: inactive, but what he or she did stays theirs.
        """
        return key != UNASSIGNED and self._reps[key].active and not self._reps[key].deleted

    def zone(self, key: str) -> str:
        """The rep's own time zone, else the organisation's, else UTC.

        Silent: `unassigned` is no rep, so even a queue with a time zone lives in the organisation's.
        """
        own = None if key == UNASSIGNED else self._reps[key].time_zone
        return own or self._company.time_zone or "UTC"

    def day(self, key: str, moment: int) -> date:
        """The day of a moment for this rep."""
        return day_of(moment, self.zone(key))

    def today(self, key: str) -> date:
        """The day of `as_of` for this rep."""
        return self.day(key, self._as_of)

    def works(self, key: str, day: date) -> bool:
        """Monday to Friday, less holidays and the rep's days off."""
        return day.weekday() < 5 and day not in self._holidays and day not in self._days_off.get(key, ())

    def managers_above(self, rep: str) -> list[str]:
        """The manager chain, nearest first.

        Silent: it runs through unknown users too; a circle ends where it would come back.
        """
        chain: list[str] = []
        above = self._reps[rep].manager
        while above is not None and above in self._reps and above not in chain:
            chain.append(above)
            above = self._reps[above].manager
        return chain

    def below(self, manager: str) -> list[str]:
        """The known reps who report to this one, directly or not."""
        return [rep for rep in self.known if rep != manager and manager in self.managers_above(rep)]

    @cache  # noqa: B019  # a staff lives as long as its oracle
    def teams(self) -> dict[str, list[str]]:
        """Manager → members, the manager included. Silent: only a known rep with a known rep below has a team."""
        return {manager: [manager, *self.below(manager)] for manager in self.known if self.below(manager)}


class People:
    """Which contacts and leads are one person with one history, and what is known of that person."""

    def __init__(self, records: Records, staff: Staff, as_of: int) -> None:
        self._joined: dict[str, str] = {}
        self._staff = staff
        self._as_of = as_of
        # Silent: a record stays the same person when it is deleted or merged away.
        for lead in records.all(Lead):
            self._join(lead.id, lead.person)
            self._join(lead.id, lead.merged_into)
        for contact in records.all(Person):
            self._join(contact.id, contact.merged_into)
        self._files: dict[str, list[Person | Lead]] = defaultdict(list)
        everyone: list[Person | Lead] = [*records.all(Person), *records.all(Lead)]
        for record in everyone:
            # Silent: a merged record's activities belong to the survivor, its flags do not: the survivor has its own.
            if record.merged_into is None and not record.deleted:
                self._files[self.who(record.id)].append(record)

    def _join(self, one: str, other: str | None) -> None:
        if other is not None and self.who(one) != self.who(other):
            self._joined[self.who(one)] = self.who(other)

    def who(self, id: str) -> str:
        """The person behind a contact's or lead's id."""
        while id in self._joined:
            id = self._joined[id]
        return id

    def opted_out_or_bounced_by(self, person: str, day: date, owner: str) -> bool:
        """Whether the score is 0 on that day; an opt-out without a date holds for every period."""
        for file in self._files[person]:
            if file.opted_out and file.opted_out_at is None:
                return True
            for moment in (file.opted_out_at, file.bounced_at):
                if moment is not None and moment <= self._as_of and self._staff.day(owner, moment) <= day:
                    return True
        return False

    def opt_outs(self) -> list[Opting]:
        """The dated opt-outs, one a person.

        Silent: at the earliest date of the person's records, for the contact's owner, else for the lead's.
        """
        found = []
        for files in self._files.values():
            moments = [file.opted_out_at for file in files if file.opted_out_at is not None]
            if not moments or min(moments) > self._as_of:
                continue
            owned = min(files, key=lambda file: (isinstance(file, Lead), file.id))
            rep = self._staff.key(owned.owner)
            found.append(Opting(rep, self._staff.day(rep, min(moments))))
        return found
