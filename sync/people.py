"""Finds the people whom the settings name: targets speak of e-mails and names, the engine of the CRM's own ids."""

from collections.abc import Iterable, Sequence

import msgspec

from kpi_engine.records import Company, Rep, Target


def with_known_people(company: Company, reps: Iterable[Rep]) -> tuple[Company, Sequence[str]]:
    """The company with its targets and days off on ids; and a sentence for each name that nobody has."""
    people = [rep for rep in reps if rep.known and not rep.deleted]
    unknown: list[str] = []
    targets = [_aimed(target, people, unknown) for target in company.targets]
    off = {name: _id_of(name, people) for name in company.days_off}
    unknown += [f"days_off names {name!r}, whom the CRM does not know." for name, id_ in off.items() if id_ is None]
    found = {id_: company.days_off[name] for name, id_ in off.items() if id_ is not None}
    known = tuple(target for target in targets if target is not None)
    return msgspec.structs.replace(company, targets=known, days_off=found), tuple(dict.fromkeys(unknown))


def _aimed(target: Target, people: Sequence[Rep], unknown: list[str]) -> Target | None:
    kind, _, name = target.scope.partition(":")
    if kind == "everyone":
        return target
    id_ = _id_of(name, people)
    if id_ is None:
        unknown.append(f"A target for {target.kpi} names {name!r}, whom the CRM does not know; it is left out.")
        return None
    return msgspec.structs.replace(target, scope=f"{kind}:{id_}")


def _id_of(name: str, people: Sequence[Rep]) -> str | None:
    """The person with this id, e-mail or name; nobody where two people share it."""
    wanted = name.strip().casefold()
    for called in (
        {rep.id: rep.id for rep in people},
        {rep.id: rep.email or "" for rep in people},
        {rep.id: rep.name for rep in people},
    ):
        found = [id_ for id_, text in called.items() if text.strip().casefold() == wanted]
        if found:
            return found[0] if len(found) == 1 else None
    return None
