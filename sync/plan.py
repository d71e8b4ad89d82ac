"""Works out what a write-back would change. Pure: it knows no network and no disk; the same input gives the same plan.

What should be shown is compared with what the CRM shows, rounded as its fields round. A value that is there already is
never sent, a blank and a missing field are the same, and a record that vanished from the CRM is new again.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from functools import cached_property
from math import ceil

import msgspec

from connectors.contract import Change, FieldValue, Surface
from connectors.errors import GuardStopped

PLACES = 4
"""The decimal places of the CRM's number fields: what differs only behind them is the same number."""

FEWEST = 10
"""Below this many surprising changes no share is taken: one corrected deal of a small team is no alarm."""

MANY_RECORDS = 20_000
"""From this many new records on, the plan says what they take of the CRM's storage."""

DAY_MS = 86_400_000

Fields = Mapping[str, FieldValue]
Place = tuple[Surface, str]
"""A record of the CRM: the surface and its key there."""


class Desired(msgspec.Struct, frozen=True, kw_only=True):
    """What one record of the CRM should show.

    makes        a record that is not there is made; False: only what exists is brought up to date
    gone         it should not be there at all
    starts, ends the first and last day of the period it speaks of, None where it speaks of today
    beside       told along when anything of `fields` changes, and never a reason to write: of when it is
    signature    a digest of `fields`: of what was found right under it nothing more is asked
    """

    surface: Surface
    key: str
    rep: str | None
    fields: Fields
    makes: bool = False
    gone: bool = False
    starts: int | None = None
    ends: int | None = None
    beside: Fields = {}
    signature: int | None = None

    @property
    def place(self) -> Place:
        return (self.surface, self.key)


class Confirmed(msgspec.Struct, frozen=True, dict=True):
    """What the CRM last confirmed to show, and when. `text` is the fields as `canonical` writes them."""

    text: bytes
    at: int

    @cached_property
    def fields(self) -> dict[str, FieldValue]:
        found: dict[str, FieldValue] = msgspec.json.decode(self.text)
        return found


class Drift(msgspec.Struct, frozen=True):
    """A field shows something else than the CRM last confirmed: someone, or something, changed it there."""

    surface: Surface
    key: str
    field: str
    confirmed: FieldValue
    shown: FieldValue


class Stop(msgspec.Struct, frozen=True):
    """A guard's objection to a plan. A person who has looked at the plan may overrule it by approving it."""

    code: str
    message: str
    advice: str


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What the guards hold a plan against.

    rows_a_call  how many records one API call writes
    calls_so_far the calls of this run up to now
    daily_calls  the CRM's allowance a day, and what is left of it; None where it does not say
    """

    max_changed_share: float = 1.0
    max_reps_losing_share: float = 1.0
    api_budget_share: float = 1.0
    rows_a_call: int = 100
    calls_so_far: int = 0
    daily_calls: int | None = None
    daily_calls_left: int | None = None


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a write-back would change, and what it would cost.

    id           the digest of the changes: the same changes have the same id
    unchanged    records that show the right values already
    calls        about how many API calls the changes need
    daily_share  these and the run's calls so far, of the CRM's daily allowance; None where the CRM does not say
    drift        fields that someone changed in the CRM, as far as this plan looked; they are left alone, unless the
                 settings say otherwise
    without      streams that were read before and that the CRM no longer gives
    stops        guards that object; `push` needs an approval then
    """

    id: str
    connection: str
    changes: tuple[Change, ...]
    unchanged: int = 0
    calls: int = 0
    daily_share: float | None = None
    warnings: tuple[str, ...] = ()
    drift: tuple[Drift, ...] = ()
    without: tuple[str, ...] = ()
    stops: tuple[Stop, ...] = ()

    def check(self) -> None:
        """Raises `GuardStopped` for the first objection."""
        for stop in self.stops:
            raise GuardStopped(stop.code, stop.message, stop.advice)


def in_question(desired: Iterable[Desired], confirmed: Mapping[Place, Confirmed]) -> Iterator[Desired]:
    """Those that the CRM was never confirmed to show, or not like this: the ones to look at before writing."""
    for wanted in desired:
        known = confirmed.get(wanted.place)
        if (
            known is None
            or wanted.gone
            or (canonical(wanted.fields) != known.text and _differing(wanted.fields, known.fields))
        ):
            yield wanted


def shown_already(asked: Iterable[Desired], shown_now: Mapping[Place, Fields]) -> Iterator[Desired]:
    """Those that the CRM shows rightly though we had no word of it."""
    for wanted in asked:
        now = shown_now.get(wanted.place)
        if now is not None and not _differing(wanted.fields, now):
            yield wanted


def plan(
    connection: str,
    desired: Sequence[Desired],
    shown_now: Mapping[Place, Fields],
    confirmed: Mapping[Place, Confirmed],
    *,
    asked: Set[Place],
    limits: Limits,
    warnings: Sequence[str] = (),
    overwrite_drift: bool = True,
    attempted: Mapping[Place, Fields] | None = None,
    without: Sequence[str] = (),
    settled: int = 0,
) -> Plan:
    """The changes that make the CRM show `desired`; what someone changed there by hand stays unless `overwrite_drift`.

    `asked` are the records that the CRM was asked for: all that are in question, and whatever else one wants checked.
    `shown_now` is its answer; a record that was asked for and is not in it is not there. The others are as confirmed.
    `attempted` is what refused records were sent: a CRM may have taken some of their fields, and those are ours.
    `without` are streams that can no longer be read; `settled` is how many more records are known to be right.
    """
    looked_at = [wanted for wanted in desired if wanted.place in asked]
    drift = tuple(_drift(looked_at, shown_now, confirmed, attempted or {}))
    kept = set() if overwrite_drift else {(one.surface, one.key, one.field) for one in drift}
    found = [_change(wanted, shown_now.get(wanted.place), kept) for wanted in looked_at]
    changes = tuple(change for change in found if change is not None)
    missing = sum(not wanted.makes and wanted.place not in shown_now for wanted in looked_at)
    new = sum(change.new for change in changes)
    calls = _calls(changes, limits.rows_a_call)
    spent = limits.calls_so_far + calls
    told = [*warnings]
    if kept:
        told.append(
            f"{len(kept)} fields were changed by hand in the CRM and stay as they are. "
            "[guards] overwrite_drift = true writes over them."
        )
    if missing:
        told.append(f"{missing} records that should show a number are not in the CRM (any more).")
    if new >= MANY_RECORDS:
        told.append(f"{new} records are new. In Salesforce each takes about 2 KB of storage; see [kpis] since.")
    return Plan(
        id=digest(connection, changes),
        connection=connection,
        changes=changes,
        unchanged=settled + len(desired) - len(changes) - missing,
        calls=calls,
        daily_share=spent / limits.daily_calls if limits.daily_calls else None,
        warnings=tuple(told),
        drift=drift,
        without=tuple(without),
        stops=(*_vanished(changes, without), *_stops(desired, changes, confirmed, limits, spent)),
    )


def digest(whose: str, changes: Iterable[Change]) -> str:
    """The id of a plan. Of when it is does not count: the same numbers found an hour later are the same plan."""
    told = [
        (one.surface, one.key, one.gone, _without_beside(one.before), _without_beside(one.after)) for one in changes
    ]
    return hashlib.sha256(msgspec.json.encode((whose, told))).hexdigest()[:12]


def _without_beside(fields: Fields) -> Fields:
    return {name: value for name, value in fields.items() if name not in BESIDE}


def _change(wanted: Desired, now: Fields | None, kept: Set[tuple[Surface, str, str]]) -> Change | None:
    """What has to change for the CRM to show `wanted`, None if nothing has to (or nothing can)."""
    if wanted.gone:
        there = {} if now is None else {**now}
        gone = Change(surface=wanted.surface, key=wanted.key, rep=wanted.rep, before=there, after={}, gone=True)
        return gone if there else None
    if now is None:
        after = {field: value for field, value in {**wanted.fields, **wanted.beside}.items() if not _blank(value)}
        if not wanted.makes:
            return None
        return Change(surface=wanted.surface, key=wanted.key, rep=wanted.rep, before={}, after=after, new=True)
    differing = _differing(wanted.fields, now)
    after = {field: wanted.fields[field] for field in differing if (*wanted.place, field) not in kept}
    if not after:
        return None
    after |= wanted.beside
    before = {field: now[field] for field in after if field in now}
    return Change(surface=wanted.surface, key=wanted.key, rep=wanted.rep, before=before, after=after)


def _calls(changes: Iterable[Change], rows_a_call: int) -> int:
    sizes = Counter(change.surface for change in changes)
    return sum(ceil(size / rows_a_call) for size in sizes.values())


def _drift(
    looked_at: Iterable[Desired],
    shown_now: Mapping[Place, Fields],
    confirmed: Mapping[Place, Confirmed],
    attempted: Mapping[Place, Fields],
) -> Iterator[Drift]:
    """Where the CRM shows something else than it confirmed, than we tried to write and than we want.

    A record that is gone is no drift but new.
    """
    for wanted in looked_at:
        known, now = confirmed.get(wanted.place), shown_now.get(wanted.place)
        if known is None or now is None:
            continue
        tried = attempted.get(wanted.place, {})
        for field, right in wanted.fields.items():
            shown, ours = now.get(field), [known.fields.get(field), right, *([tried[field]] if field in tried else [])]
            if not any(same(value, shown) for value in ours):
                yield Drift(wanted.surface, wanted.key, field, known.fields.get(field), shown)


def _vanished(changes: Sequence[Change], without: Sequence[str]) -> Iterator[Stop]:
    if changes and without:
        yield Stop(
            "KPI-GUARD-008",
            f"The CRM no longer gives us what it gave before: {', '.join(without)}. Numbers that are made of it would "
            "become blank.",
            "`kpisync doctor` says what is missing. If it is to stay so, look at `kpisync plan` and approve it with "
            "`kpisync push --approve` and its id.",
        )


def _stops(
    desired: Iterable[Desired],
    changes: Sequence[Change],
    confirmed: Mapping[Place, Confirmed],
    limits: Limits,
    spent: int,
) -> Iterator[Stop]:
    wanted = {one.place: one for one in desired} if changes else {}
    surprising = sum(_surprises(change, wanted, confirmed) for change in changes)
    shown = sum(_numbers(place, known) for place, known in confirmed.items()) if surprising >= FEWEST else 0
    if surprising >= FEWEST and surprising > limits.max_changed_share * shown:
        yield Stop(
            "KPI-GUARD-003",
            f"{surprising} of {shown} values shown last time would be corrected or emptied, more than "
            f"{limits.max_changed_share:.0%}.",
            "Look at `kpisync plan`. If it is right, `kpisync push --approve` with its id writes it; "
            "if not, see `kpisync doctor` for what the CRM no longer lets us read.",
        )
    losing, had = _reps_losing(changes, wanted, confirmed)
    if losing >= FEWEST and losing > limits.max_reps_losing_share * had:
        yield Stop(
            "KPI-GUARD-007",
            f"{losing} of {had} reps would lose a number that they show, more than {limits.max_reps_losing_share:.0%}.",
            "Look at `kpisync plan`. If it is right, `kpisync push --approve` with its id writes it; "
            "if not, see `kpisync doctor` for what the CRM no longer lets us read.",
        )
    if limits.daily_calls and spent > limits.api_budget_share * limits.daily_calls:
        yield Stop(
            "KPI-GUARD-004",
            f"This run would use {spent} of the CRM's {limits.daily_calls} API calls a day, more than "
            f"{limits.api_budget_share:.0%}.",
            "Write fewer grains or KPIs ([kpis] write_grains, track), or raise [guards] api_budget_share.",
        )
    elif limits.daily_calls_left is not None and spent - limits.calls_so_far > limits.daily_calls_left:
        yield Stop(
            "KPI-GUARD-005",
            f"The plan needs {spent - limits.calls_so_far} API calls; {limits.daily_calls_left} are left today.",
            "Wait until its allowance is renewed; the next run goes on from here.",
        )


def _surprises(change: Change, desired: Mapping[Place, Desired], confirmed: Mapping[Place, Confirmed]) -> int:
    """How many values change that had no reason to: a period that was over is corrected, or a number becomes nothing.

    A period that went on since the last time changes all its values without surprising anyone; so does a lead's score,
    which fades every day.
    """
    place = (change.surface, change.key)
    known, wanted = confirmed.get(place), desired.get(place)
    if change.new or known is None or wanted is None or wanted.starts is None or wanted.ends is None:
        return 0
    shown_on = known.at // DAY_MS
    was_over, is_another = shown_on > wanted.ends + 1, shown_on < wanted.starts  # a day of slack for time zones
    fields = [field for field in change.after if _is_number_field(change.surface, field)]
    if is_another:
        return 0
    return sum(was_over or _emptied(change.before.get(field), change.after[field]) for field in fields)


def _reps_losing(
    changes: Iterable[Change], desired: Mapping[Place, Desired], confirmed: Mapping[Place, Confirmed]
) -> tuple[int, int]:
    """How many reps lose a number in a period that they show one for, and how many reps show any."""
    losing: set[str | None] = set()
    for change in changes:
        fields = [field for field in change.after if _is_number_field(change.surface, field)]
        emptied = any(_emptied(change.before.get(field), change.after[field]) for field in fields)
        if emptied and _surprises(change, desired, confirmed):
            losing.add(change.rep)
    if len(losing) < FEWEST:
        return len(losing), 0
    showing = [(place, known) for place, known in confirmed.items() if _numbers(place, known)]
    on_records = {known.fields.get("rep") for (surface, _), known in showing if surface is Surface.KPI_RECORDS}
    on_people = {key for (surface, key), _ in showing if surface is Surface.PERSON_FIELDS}
    return len(losing), max(len(on_records), len(on_people), len(losing))


def _emptied(before: FieldValue, after: FieldValue) -> bool:
    return bool(before) and not after


def _numbers(place: Place, known: Confirmed) -> int:
    return sum(_is_number_field(place[0], field) and not _blank(value) for field, value in known.fields.items())


def _is_number_field(surface: Surface, field: str) -> bool:
    """Whether the field holds a KPI's value."""
    return surface is Surface.PERSON_FIELDS or (surface is Surface.KPI_RECORDS and field == "value")


BESIDE = frozenset({"as_of"})
"""Fields that are told along: two records that differ only in them show the same."""


def canonical(fields: Fields) -> bytes:
    """The fields as one text: blanks left out, sorted, numbers as the CRM rounds them. Equal texts show the same."""
    told = (field for field in sorted(fields) if field not in BESIDE and not _blank(fields[field]))
    return msgspec.json.encode({field: rounded(fields[field]) for field in told})


def rounded(value: FieldValue) -> FieldValue:
    """A number as the CRM's fields hold it; anything else as it is."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    near = round(value, PLACES)
    return int(near) if near == int(near) else near


def same(one: FieldValue, other: FieldValue) -> bool:
    """Whether two fields show the same. A blank is a blank, however it is written; a number may come as text."""
    if _blank(one) or _blank(other):
        return _blank(one) and _blank(other)
    if isinstance(one, str) and isinstance(other, str):
        return one.strip() == other.strip()
    left, right = _number(one), _number(other)
    return left == right if left is not None and right is not None else str(one) == str(other)


def _number(value: FieldValue) -> FieldValue:
    try:
        return rounded(float(str(value))) if not isinstance(value, bool) else None
    except (ValueError, OverflowError):
        return None


def _blank(value: FieldValue) -> bool:
    return value is None or value == ""


def _differing(wanted: Fields, shown: Fields) -> list[str]:
    return [field for field, value in wanted.items() if not same(value, shown.get(field))]
