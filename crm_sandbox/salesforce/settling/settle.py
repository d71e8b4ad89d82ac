"""A neutral world becomes the rows of an organisation."""

from dataclasses import replace

from crm_sandbox.salesforce.fields import pick
from crm_sandbox.salesforce.schema import Features
from crm_sandbox.salesforce.settling import activities, deals, people
from crm_sandbox.salesforce.settling.register import Register
from crm_sandbox.salesforce.store import Store
from crm_sandbox.world import World


def needed(world: World, features: Features) -> Features:
    """The features with everything decided that was left to the world's needs."""
    foreign = any(sale.currency not in {None, world.currency} for sale in world.sales)

    def decided(wish: bool | None, need: bool) -> bool:
        return need if wish is None else wish

    several = decided(features.multi_currency, bool(world.rates) or foreign)
    return replace(
        features,
        multi_currency=several,
        dated_rates=decided(features.dated_rates, several and bool(world.rates)),
        splits=decided(features.splits, any(sale.splits for sale in world.sales)),
    )


def fill(store: Store, world: World) -> Register:
    """Move the world in; who got which id is in the register."""
    features = store.schema.features
    register = Register(store, world, bool(features.multi_currency))
    if features.outcome_field:
        outcome = replace(pick(features.outcome_field), custom=True, required=True)
        store.schema.put(store.schema.things["event"].with_fields(outcome))
    people.company(register)
    people.sellers(register)
    deals.reserve(register)
    people.prospects(register)
    deals.stages(register)
    deals.sales(register, splits=bool(features.splits))
    deals.campaigns(register)
    deals.quotas(register)
    deals.currencies(register)
    activities.emails(register, messages=features.email_messages)
    activities.calls(register, voice=features.voice_calls)
    activities.messages(register, sessions=features.messaging_sessions)
    activities.todos(register)
    activities.meetings(register, features.outcome_field)
    register.deliver()
    return register
