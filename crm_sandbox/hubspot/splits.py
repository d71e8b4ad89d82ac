"""Deal splits: how the credit for a deal is divided, in an endpoint family of its own (Enterprise)."""

from decimal import Decimal, InvalidOperation
from typing import Any

from crm_sandbox.hubspot import errors
from crm_sandbox.hubspot.call import Call, limited
from crm_sandbox.hubspot.errors import answer
from crm_sandbox.hubspot.reading import batch_answer, not_found_error
from crm_sandbox.hubspot.shapes import DealBatch, SharedDeals
from crm_sandbox.hubspot.store import Store
from crm_sandbox.hubspot.values import is_number, iso, plain
from crm_sandbox.serving import Response

FIRST_SPLIT = 55_100_000_003


class Splits:
    """All splits by deal: owner id and share of the whole."""

    def __init__(self) -> None:
        self._shares: dict[int, list[tuple[int, str, Decimal]]] = {}
        self._next_id = FIRST_SPLIT

    def add(self, deal: int, owner: str, share: Decimal) -> None:
        """One more owner of a deal."""
        self._shares.setdefault(deal, []).append((self._next_id, owner, share))
        self._next_id += 1

    def replace(self, deal: int, shares: list[tuple[str, Decimal]]) -> None:
        """Divide a deal anew."""
        self._shares.pop(deal, None)
        for owner, share in shares:
            self.add(deal, owner, share)

    def of(self, deal: int) -> list[tuple[int, str, Decimal]]:
        """Split id, owner id and share."""
        return self._shares.get(deal, [])


def answer_splits(store: Store, splits: Splits, call: Call) -> Response:
    """/deal-splits/{version}/batch/{read|upsert}."""
    call.demand("crm.dealsplits.read_write")
    if store.rules.tier != "enterprise":
        raise errors.not_in_this_tier("deal splits", "Sales Hub Enterprise")
    match call.method, *call.rest:
        case "POST", "batch", "read":
            return _read(store, splits, call)
        case "POST", "batch", "upsert":
            return _upsert(store, splits, call)
        case _:
            raise errors.not_found()


def _read(store: Store, splits: Splits, call: Call) -> Response:
    table = store.tables["0-3"]
    results: list[dict[str, Any]] = []
    missing: list[str] = []
    for wanted in limited(call.body(DealBatch)["inputs"]):
        deal_id = str(wanted["id"])
        deal = table.find(int(deal_id)) if is_number(deal_id) else None
        if deal is None or deal.archived_at is not None:
            missing.append(deal_id)
        else:
            results.append(_shown(store, splits, deal.id))
    return batch_answer(store, results, [not_found_error(table, missing)] if missing else [])


def _shown(store: Store, splits: Splits, deal: int) -> dict[str, Any]:
    row = store.tables["0-3"].rows[deal]
    return {
        "id": str(deal),
        "splits": [
            {
                "id": str(number),
                "properties": {
                    "hs_object_id": str(number),
                    "hubspot_owner_id": owner,
                    "hs_deal_split_percentage": plain(share),
                    "hs_createdate": iso(row.created),
                    "hs_lastmodifieddate": iso(row.modified),
                },
                "createdAt": iso(row.created),
                "updatedAt": iso(row.modified),
                "archived": False,
            }
            for number, owner, share in splits.of(deal)
        ],
    }


def _upsert(store: Store, splits: Splits, call: Call) -> Response:
    plans: list[tuple[int, list[tuple[str, Decimal]]]] = []
    for entry in limited(call.body(SharedDeals)["inputs"]):
        deal_id = str(entry["id"])
        deal = store.tables["0-3"].find(int(deal_id)) if is_number(deal_id) else None
        if deal is None or deal.archived_at is not None:
            raise errors.not_found()
        shares = [(str(part["ownerId"]), _share(part["percentage"])) for part in entry["splits"]]
        if sum((share for _, share in shares), Decimal(0)) != 1:
            raise errors.invalid("The percentages of a deal's splits must add up to 1")
        plans.append((deal.id, shares))
    for number, shares in plans:
        splits.replace(number, shares)
        store.write(store.tables["0-3"], store.tables["0-3"].rows[number], {"hs_is_deal_split": "true"})
    return answer(200, {"status": "COMPLETE", "results": [_shown(store, splits, number) for number, _ in plans]})


def _share(percentage: float | str) -> Decimal:
    try:
        return Decimal(str(percentage))
    except InvalidOperation as error:
        raise errors.invalid(f"{percentage} is not a share of a deal") from error
