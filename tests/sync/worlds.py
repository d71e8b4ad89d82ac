"""Small records for the sync's tests; every one says only what its test is about."""

from datetime import UTC, datetime

from kpi_engine.records import Deal, Interaction, Lead, Link, Micros, Millis, Rep


def at(moment: str) -> Millis:
    """`2026-03-02T23:30` in UTC, as milliseconds."""
    return Millis(int(datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp() * 1000))


def rep(id: str, *, modified: int = 1, zone: str | None = None, **more: object) -> Rep:
    fields = {"name": f"Rep {id}", "email": f"{id}@example.com", "active": True, "known": True, "person_record": id}
    return Rep(id=id, modified=Millis(modified), time_zone=zone, **{**fields, **more})  # type: ignore[arg-type]


def call(id: str, by: str | None, when: str, *, modified: int = 1, **more: object) -> Interaction:
    fields = {"kind": "call", "direction": "out", "outcome": "done", "disposition": "connected", "at": at(when)}
    return Interaction(id=id, modified=Millis(modified), rep=by, **{**fields, **more})  # type: ignore[arg-type]


def lead(id: str, owner: str | None, *, modified: int = 1, **more: object) -> Lead:
    fields = {"created_at": at("2026-01-05T09:00")}
    return Lead(id=id, modified=Millis(modified), owner=owner, **{**fields, **more})  # type: ignore[arg-type]


def won(id: str, owner: str, amount: int, when: str, *, modified: int = 1, **more: object) -> Deal:
    fields = {"created_at": at("2026-01-05T09:00"), "closed": True, "won": True, "closed_at": at(when)}
    return Deal(
        id=id,
        modified=Millis(modified),
        owner=owner,
        amount=Micros(amount * 1_000_000),
        **{**fields, **more},  # type: ignore[arg-type]
    )


def link(from_kind: str, from_id: str, to_kind: str, to_id: str, *, modified: int = 1) -> Link:
    return Link(
        id=f"{from_kind}:{from_id}:{to_kind}:{to_id}",
        modified=Millis(modified),
        from_kind=from_kind,
        from_id=from_id,
        to_kind=to_kind,
        to_id=to_id,
    )
