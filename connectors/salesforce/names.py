"""What our own things are called inside Salesforce. Whoever writes, shows or provisions them looks here."""

KPI_OBJECT = "Sales_KPI__c"
KEY_FIELD = "External_Key__c"
PERMISSION_SET = "Sales_KPI_Writer"
VIEWER_SET = "Sales_KPI_Viewer"
REPORT_TYPE = "Sales_KPIs"
FOLDER = "Sales_KPIs"
REPORT = "KPIs_by_Rep"
ATTAINMENT_REPORT = "Attainment_by_Rep"
DASHBOARD = "Sales_KPI"

KPI_FIELDS: dict[str, str] = {
    "name": "Name",
    "rep": "Rep__c",
    "kpi": "KPI__c",
    "label": "Label__c",
    "family": "Family__c",
    "unit": "Unit__c",
    "direction": "Direction__c",
    "grain": "Grain__c",
    "period_start": "Period_Start__c",
    "period_end": "Period_End__c",
    "dimension": "Dimension__c",
    "value": "Value__c",
    "numerator": "Numerator__c",
    "denominator": "Denominator__c",
    "n": "Sample_Size__c",
    "reason": "Reason__c",
    "target": "Target__c",
    "attainment": "Attainment__c",
    "previous": "Previous__c",
    "change": "Change__c",
    "state": "State__c",
    "trend": "Trend__c",
    "evidence": "Evidence__c",
    "as_of": "As_Of__c",
}
"""A field of a KPI record → its API name."""

SCORE_FIELDS: dict[str, str] = {"score": "KPI_Engagement_Score__c", "level": "KPI_Engagement_Level__c"}
"""The engagement score on a Lead or a Contact."""


def person_field(kpi: str) -> str:
    """The field of User that shows a KPI: `calls_made` → `KPI_Calls_Made__c`."""
    return "KPI_" + "_".join(word.capitalize() for word in kpi.split("_")) + "__c"
