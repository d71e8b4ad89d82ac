"""The pipelines of a portal: two for deals, of which the second has numeric stage ids, and one for leads."""

from typing import Any

from crm_sandbox.hubspot.values import iso

PARTNER_PIPELINE = "38214907"
DEFAULT_OPEN = (
    "appointmentscheduled",
    "qualifiedtobuy",
    "presentationscheduled",
    "decisionmakerboughtin",
    "contractsent",
)
PARTNER_OPEN = ("81730245", "81730246", "81730247")
WON = {"default": "closedwon", PARTNER_PIPELINE: "81730250"}
LOST = {"default": "closedlost", PARTNER_PIPELINE: "81730251"}

_SALES = (
    ("appointmentscheduled", "Appointment Scheduled", "0.2", False),
    ("qualifiedtobuy", "Qualified To Buy", "0.4", False),
    ("presentationscheduled", "Presentation Scheduled", "0.6", False),
    ("decisionmakerboughtin", "Decision Maker Bought-In", "0.8", False),
    ("contractsent", "Contract Sent", "0.9", False),
    ("closedwon", "Closed Won", "1.0", True),
    ("closedlost", "Closed Lost", "0.0", True),
)
_PARTNERS = (
    ("81730245", "Socio identificado", "0.1", False),
    ("81730246", "Propuesta enviada", "0.5", False),
    ("81730247", "En negociación", "0.75", False),
    ("81730250", "Ganado", "1.0", True),
    ("81730251", "Perdido", "0.0", True),
)
_LEADS = (
    ("new-stage-id", "New", "0.0", False),
    ("attempting-stage-id", "Attempting", "0.0", False),
    ("connected-stage-id", "Connected", "0.0", False),
    ("qualified-stage-id", "Qualified", "1.0", True),
    ("unqualified-stage-id", "Disqualified", "0.0", True),
)
LEAD_STAGES = {
    "new": "new-stage-id",
    "working": "attempting-stage-id",
    "qualified": "qualified-stage-id",
    "unqualified": "unqualified-stage-id",
}
"""Where a lead of that status stands."""


def pipelines(created: int) -> dict[str, list[dict[str, Any]]]:
    """All pipelines by object type."""
    return {
        "0-3": [
            _pipeline("default", "Sales Pipeline", 0, _SALES, created),
            _pipeline(PARTNER_PIPELINE, "Partner Pipeline", 1, _PARTNERS, created),
        ],
        "0-136": [_pipeline("lead-pipeline-id", "Lead pipeline", 0, _LEADS, created)],
    }


def _pipeline(
    pipeline_id: str, label: str, place: int, stages: tuple[tuple[str, str, str, bool], ...], created: int
) -> dict[str, Any]:
    return {
        "id": pipeline_id,
        "label": label,
        "displayOrder": place,
        "archived": False,
        "createdAt": iso(created),
        "updatedAt": iso(created),
        "stages": [
            {
                "id": stage_id,
                "label": name,
                "displayOrder": order,
                "metadata": {"isClosed": "true" if closed else "false", "probability": probability},
                "createdAt": iso(created),
                "updatedAt": iso(created),
                "archived": False,
                "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
            }
            for order, (stage_id, name, probability, closed) in enumerate(stages)
        ],
    }
