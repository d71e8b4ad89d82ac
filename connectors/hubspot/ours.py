"""What we own inside a portal: names, types and labels of the KPI object and of the properties on users and contacts.

Everything of ours carries the mark in its description, so that removing it never takes something of the company's.
"""

from collections.abc import Sequence

import msgspec

from connectors.contract import KPI_RECORD_FIELDS, KpiField

OBJECT = "sales_kpi"
KEY = "external_key"
GROUP = "sales_kpis"
GROUP_LABEL = "Sales KPIs"
PREFIX = "kpi_"
MARK = "Written by kpisync."

SCORE = "kpi_engagement_score"
LEVEL = "kpi_engagement_level"
LEAD_FIELDS = {"score": SCORE, "level": LEVEL}

NUMBERS = frozenset({"value", "numerator", "denominator", "n", "target", "attainment", "previous", "change"})
DATES = frozenset({"period_start", "period_end"})
LONG_TEXTS = frozenset({"evidence"})

RECORD_LABELS = {
    "name": "Name",
    "rep": "Rep id",
    "kpi": "KPI",
    "label": "KPI label",
    "n": "Records counted",
    "reason": "Reason without value",
    "change": "Change to the previous period",
    "previous": "Previous period",
    "evidence": "Records behind the number",
}


class Property(msgspec.Struct, frozen=True):
    """A property of ours. `type` is text, long text, number or date; `hint` tells HubSpot how to show a number."""

    name: str
    label: str
    type: str
    hint: str | None = None
    unique: bool = False

    @property
    def vendor_types(self) -> tuple[str, str]:
        """HubSpot's type and fieldType."""
        return {
            "text": ("string", "text"),
            "long text": ("string", "textarea"),
            "number": ("number", "number"),
            "date": ("date", "date"),
        }[self.type]


def record_properties() -> tuple[Property, ...]:
    """The properties of a KPI record."""
    key = Property(KEY, "External key", "text", unique=True)
    return (key, *(Property(name, _record_label(name), _record_type(name)) for name in KPI_RECORD_FIELDS))


def _record_type(name: str) -> str:
    if name in NUMBERS:
        return "number"
    if name in LONG_TEXTS:
        return "long text"
    return "date" if name in DATES else "text"


def _record_label(name: str) -> str:
    return RECORD_LABELS.get(name) or name.replace("_", " ").capitalize()


def person_properties(kpis: Sequence[KpiField]) -> tuple[Property, ...]:
    """One number for each KPI on the user."""
    return tuple(
        Property(person_property(kpi.key), kpi.label, "number", "percentage" if kpi.unit == "ratio" else None)
        for kpi in kpis
    )


def person_property(kpi: str) -> str:
    return PREFIX + kpi


def lead_properties() -> tuple[Property, ...]:
    """What the lead itself shows."""
    return (Property(SCORE, "Engagement score", "number"), Property(LEVEL, "Engagement level", "text"))
