"""What HubSpot fills in by itself when a record changes: team, lifecycle dates, the completion of a task."""

from crm_sandbox.hubspot.money import Rates
from crm_sandbox.hubspot.store import Row, Store, Values
from crm_sandbox.hubspot.values import iso


def install(store: Store, rates: Rates) -> None:
    """Attach the calculated properties to their objects."""
    for type_id in store.tables:
        store.hooks[type_id] = (assignment,)
    store.hooks["0-1"] = (assignment, lifecycle)
    store.hooks["0-27"] = (assignment, completion)
    store.hooks["0-3"] = (assignment, rates.deal_figures)
    store.hooks["0-115"] = store.hooks["0-35"] = ()


def assignment(store: Store, row: Row, changes: Values) -> Values:
    """Team and date follow the owner."""
    if "hubspot_owner_id" not in changes or changes["hubspot_owner_id"] == row.values.get("hubspot_owner_id"):
        return {}
    owner = store.owners.get(changes["hubspot_owner_id"] or "")
    if owner is None:
        return {"hubspot_team_id": None, "hs_all_owner_ids": None, "hubspot_owner_assigneddate": None}
    followed: Values = {"hubspot_team_id": next(iter(owner.teams), None), "hs_all_owner_ids": owner.id}
    if "hubspot_owner_assigneddate" not in changes:  # a row that is being seeded may bring its own
        followed["hubspot_owner_assigneddate"] = iso(store.now() if row.values else row.created)
    return followed


def lifecycle(store: Store, row: Row, changes: Values) -> Values:
    """A stage keeps the date on which it was first reached. A row that is being seeded brings its own dates."""
    stage = changes.get("lifecyclestage")
    name = f"hs_lifecyclestage_{stage}_date"
    if stage is None or name in changes or row.values.get(name) is not None:
        return {}
    return {name: iso(store.now())}


def completion(store: Store, row: Row, changes: Values) -> Values:
    """A task knows when it was ticked off."""
    if "hs_task_status" not in changes or "hs_task_completion_date" in changes:
        return {}
    done, was_done = (status == "COMPLETED" for status in (changes["hs_task_status"], row.values.get("hs_task_status")))
    if done == was_done:
        return {}
    return {"hs_task_completion_date": iso(store.now()) if done else None}
