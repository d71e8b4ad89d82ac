"""Fields that Salesforce itself sets when others change: closed tasks, deal stages, names, campaign answers."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from crm_sandbox.salesforce.objects.selling import STAGES
from crm_sandbox.salesforce.settling.deals import FORECAST_LABEL, fiscal
from crm_sandbox.salesforce.store import Row, Store


def derived(store: Store, thing: str, old: Row, values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` and what follows from them for a row that was `old` (empty: a new one)."""
    follows = {
        "Task": _task,
        "Event": _event,
        "Opportunity": _deal,
        "Lead": _person,
        "Contact": _person,
        "User": _person,
        "CampaignMember": _member,
    }.get(thing)
    return {**values, **(follows(store, {**old, **values}, values) if follows else {})}


def _task(store: Store, row: Row, values: Mapping[str, Any]) -> dict[str, Any]:
    status = row.get("Status", "Not Started")
    closed = any(one["MasterLabel"] == status and one["IsClosed"] for one in store.rows("TaskStatus"))
    more: dict[str, Any] = {"Status": status, "IsClosed": closed, "TaskSubtype": row.get("TaskSubtype", "Task")}
    if closed and not row.get("CompletedDateTime"):
        more["CompletedDateTime"] = store.now()
    if not closed:
        more["CompletedDateTime"] = None
    return {**more, "Priority": row.get("Priority", "Normal"), **_links(row)}


def _event(store: Store, row: Row, values: Mapping[str, Any]) -> dict[str, Any]:
    start = row.get("StartDateTime") or row.get("ActivityDateTime")
    more: dict[str, Any] = {"ActivityDateTime": start, "ActivityDate": start[:10] if start else row.get("ActivityDate")}
    return {**more, "EventSubtype": "Event", **_links(row)}


def _links(row: Row) -> dict[str, Any]:
    return {"WhoCount": int(row.get("WhoId") is not None), "WhatCount": int(row.get("WhatId") is not None)}


def _deal(store: Store, row: Row, values: Mapping[str, Any]) -> dict[str, Any]:
    more: dict[str, Any] = {}
    if "StageName" in values:
        known = {stage[0]: stage for stage in STAGES}.get(values["StageName"])
        _, chance, closed, won, forecast = known or (values["StageName"], 50, False, False, "Pipeline")
        more = {"IsClosed": closed, "IsWon": won, "ForecastCategory": forecast, "LastStageChangeDate": store.now()}
        more |= {"ForecastCategoryName": FORECAST_LABEL.get(forecast, forecast)}
        more |= {"Probability": values.get("Probability", Decimal(f"{chance}.0"))}
    if "CloseDate" in values:
        organisation = next(iter(store.rows("Organization")))
        year, quarter = fiscal(date.fromisoformat(values["CloseDate"]), organisation["FiscalYearStartMonth"])
        more |= {"FiscalYear": year, "FiscalQuarter": quarter}
    return more


def _person(store: Store, row: Row, values: Mapping[str, Any]) -> dict[str, Any]:
    if not {"FirstName", "LastName"} & values.keys():
        return {}
    return {"Name": " ".join(part for part in (row.get("FirstName"), row.get("LastName")) if part)}


def _member(store: Store, row: Row, values: Mapping[str, Any]) -> dict[str, Any]:
    statuses = [one for one in store.rows("CampaignMemberStatus") if one["CampaignId"] == row.get("CampaignId")]
    status = row.get("Status") or next((one["Label"] for one in statuses if one["IsDefault"]), None)
    answered = any(one["Label"] == status and one["HasResponded"] for one in statuses)
    first = row.get("FirstRespondedDate") or store.now()[:10]
    return {
        "Status": status,
        "HasResponded": answered,
        "FirstRespondedDate": first if answered else None,
        "LeadOrContactId": row.get("ContactId") or row.get("LeadId"),
        "Type": "Contact" if row.get("ContactId") else "Lead",
    }
