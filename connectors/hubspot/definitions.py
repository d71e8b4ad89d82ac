"""Our definitions as HubSpot's API takes them, checked by HubSpot's own client models before anything is sent."""

from importlib import import_module
from typing import Any

from connectors.hubspot import ours
from connectors.hubspot.ours import Property


def group() -> dict[str, Any]:
    return {"name": ours.GROUP, "label": ours.GROUP_LABEL, "displayOrder": -1}


def property_of(each: Property, group_name: str | None) -> dict[str, Any]:
    """One property; without a group of ours it joins the KPI object's own."""
    vendor: Any = import_module("hubspot.crm.properties")  # takes 0.4 s, and only provisioning needs it
    kind, field = each.vendor_types
    model = vendor.PropertyCreate(
        name=each.name,
        label=each.label,
        type=kind,
        field_type=field,
        group_name=group_name or f"{ours.OBJECT}_information",
        description=ours.MARK,
        has_unique_value=each.unique,
        form_field=False,
        display_order=-1,
    )
    body: dict[str, Any] = vendor.ApiClient().sanitize_for_serialization(model)
    return {**body, "numberDisplayHint": each.hint} if each.hint else body


def schema() -> dict[str, Any]:
    """The custom object of KPI records."""
    vendor: Any = import_module("hubspot.crm.schemas")
    properties = [
        vendor.ObjectTypePropertyCreate(
            name=each.name,
            label=each.label,
            type=each.vendor_types[0],
            field_type=each.vendor_types[1],
            has_unique_value=each.unique,
            description=ours.MARK,
        )
        for each in ours.record_properties()
    ]
    model = vendor.ObjectSchemaEgg(
        name=ours.OBJECT,
        labels=vendor.ObjectTypeDefinitionLabels(singular="Sales KPI", plural="Sales KPIs"),
        description=ours.MARK,
        primary_display_property="name",
        secondary_display_properties=["kpi", "period_start"],
        searchable_properties=["name"],
        required_properties=[ours.KEY],
        associated_objects=[],
        properties=properties,
    )
    body: dict[str, Any] = vendor.ApiClient().sanitize_for_serialization(model)
    return body
