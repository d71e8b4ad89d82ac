"""How an account is set up before anything happens in it: object types, pipelines, currencies, its contents."""

from collections.abc import Iterable

from crm_sandbox.hubspot import catalog
from crm_sandbox.hubspot.activity_rows import activities
from crm_sandbox.hubspot.deal_rows import campaigns, deals, goals, web
from crm_sandbox.hubspot.marketing import Marketing
from crm_sandbox.hubspot.money import Rates
from crm_sandbox.hubspot.people_rows import people
from crm_sandbox.hubspot.pipelines import pipelines
from crm_sandbox.hubspot.registry import Registry
from crm_sandbox.hubspot.splits import Splits
from crm_sandbox.hubspot.store import Store, Table
from crm_sandbox.hubspot.values import DAY, millis
from crm_sandbox.world import World

ACCOUNT_AGE = 900 * DAY
FIRST_IDS = {
    "0-1": 101_000_001_207,
    "0-2": 9_100_000_411,
    "0-3": 84_092_605_666_800_013,
    "0-136": 6_400_000_101,
    "0-48": 71_000_000_033,
    "0-49": 72_000_000_059,
    "0-47": 73_000_000_087,
    "0-18": 74_000_000_119,
    "0-27": 75_000_000_151,
    "0-46": 76_000_000_197,
    "0-115": 207_838_823_235,
    "0-74": 88_000_000_207,
    "0-35": 391_000_017,
}
"""Where the ids of each object begin. Those of deals have 17 digits: more than a float can hold."""


def furnish(store: Store, rates: Rates, world: World) -> None:
    """Everything that an account has from the start."""
    made = millis(world.now) - ACCOUNT_AGE
    for kind in catalog.STANDARD_TYPES:
        table = Table(kind, catalog.standard_properties(kind.plural), FIRST_IDS[kind.type_id])
        for definition in table.properties.values():
            definition.created = definition.updated = made
        store.add_table(table)
    store.pipelines = pipelines(made)
    _offer_stages(store, "0-3", "pipeline", "dealstage")
    _offer_stages(store, "0-136", "hs_pipeline", "hs_pipeline_stage")
    _keep_stage_dates(store)
    _offer_currencies(store, rates, world)


def populate(
    store: Store, marketing: Marketing, splits: Splits, world: World, without_user_record: Iterable[str]
) -> None:
    """Everything that the world holds, in the order in which one thing needs the other."""
    registry = Registry(world, store)
    people(registry, without_user_record)
    campaigns(registry, marketing)
    deals(registry, splits)
    activities(registry)
    goals(registry)
    web(registry, marketing)
    registry.finish()


def _offer_stages(store: Store, type_id: str, pipeline_property: str, stage_property: str) -> None:
    table, known = store.tables[type_id], store.pipelines[type_id]
    stages = [stage for pipeline in known for stage in pipeline["stages"]]
    table.properties[pipeline_property].offer([(pipeline["id"], pipeline["label"]) for pipeline in known])
    table.properties[stage_property].offer([(stage["id"], stage["label"]) for stage in stages])


def _keep_stage_dates(store: Store) -> None:
    """A deal has a date for every stage it was ever in."""
    table = store.tables["0-3"]
    for stage in (stage for pipeline in store.pipelines["0-3"] for stage in pipeline["stages"]):
        store.deal_stages[stage["id"]] = stage["metadata"]
        for name in (f"hs_v2_date_entered_{stage['id']}", f"hs_date_entered_{stage['id']}"):
            table.properties[name] = catalog.parsed_line(f"{name} datetime ro", "dealsinformation")


def _offer_currencies(store: Store, rates: Rates, world: World) -> None:
    currencies = dict.fromkeys([store.currency, *rates.foreign, *(sale.currency for sale in world.sales)])
    deal = store.tables["0-3"].properties
    deal["deal_currency_code"].offer([(name, name) for name in currencies if name])
    deal["amount"].extras = {"showCurrencySymbol": True, "currencyPropertyName": "deal_currency_code"}
