"""The words in which a number is explained, in the languages of the product: the rules that leave records out, and the
parts of a formula.

Rules are written in English where they are applied, because they read there as the reason of the line; their Spanish
twins stand here. A test holds that every rule and every part has one.
"""

import re

from kpi_engine.declaring import Text

RULES: dict[str, str] = {
    "it was deleted": "se eliminó",
    "it has no date": "no tiene fecha",
    "it did not take place": "no tuvo lugar",
    "it is not done: planned, cancelled, failed or a draft": (
        "no está hecha: prevista, cancelada, fallida o en borrador"
    ),
    "the CRM does not say that it was sent": "el CRM no dice que se enviara",
    "it is later than the day of this value": "es posterior al día de este valor",
    "it has not ended yet": "aún no ha terminado",
    "it came in": "es entrante",
    "it did not go out to a customer": "no salió hacia un cliente",
    "it bounced": "rebotó",
    "it was not tracked, or it bounced": "no tenía seguimiento, o rebotó",
    "another message opened its thread": "otro mensaje abrió su hilo",
    "nobody came": "no acudió nadie",
    "nobody answered it": "nadie la atendió",
    "nobody answered it, or its duration is not known": "nadie la atendió, o no se conoce su duración",
    "nobody answered it, or its second working day is not over yet": (
        "nadie la atendió, o aún no ha acabado su segundo día laborable"
    ),
    "it is the first touchpoint of its deal": "es el primer contacto de su negocio",
    "it lies more than 90 days before the deal's creation, or after its close date": (
        "queda más de 90 días antes de la creación del negocio, o después de su fecha de cierre"
    ),
    "it belongs to another deal of the same person, or to none at that time": (
        "pertenece a otro negocio de la misma persona, o a ninguno en ese momento"
    ),
    "it has no start date": "no tiene fecha de inicio",
    "it starts later than the day of this value": "empieza después del día de este valor",
    "it has no cost": "no tiene coste",
    "it was merged into another deal, which counts": "se fusionó con otro negocio, que es el que cuenta",
    "it was created after the day of this value": "se creó después del día de este valor",
    "it is closed but has no close date": "está cerrado pero no tiene fecha de cierre",
    "its close date is still to come": "su fecha de cierre aún no ha llegado",
    "it is still open": "sigue abierto",
    "it was won": "se ganó",
    "it was lost": "se perdió",
    "it was lost, or has no amount": "se perdió, o no tiene importe",
    "it was lost, or took no touchpoint": "se perdió, o no necesitó ningún contacto",
    "its revenue is split among others": "sus ingresos se reparten entre otros",
    "it was merged into another lead, which counts": "se fusionó con otro lead, que es el que cuenta",
    "it was created later": "se creó después",
    "it is disqualified": "está descartado",
    "it was converted by then": "ya estaba convertido",
    "its score is below 50": "su puntuación es inferior a 50",
    "it showed no interest within 30 days of its creation": "no mostró interés en los 30 días desde su creación",
    "it is the quota of someone who manages others": "es el objetivo de alguien que dirige a otros",
}
"""Rule → its Spanish twin."""

SAME = re.compile(r"it is the same as (?P<id>.+), which counts")
UNMET = re.compile(r"it does not meet (?P<condition>.+)")
"""What a condition of the company's own leaves out."""

PARTS: dict[str, str] = {
    "approaches": "acercamientos",
    "calls_answered": "llamadas atendidas",
    "calls_due": "llamadas con plazo cumplido",
    "calls_followed": "llamadas con seguimiento",
    "calls_made": "llamadas realizadas",
    "calls_timed": "llamadas con duración",
    "campaign_cost": "coste de campañas",
    "campaign_return": "retorno de campañas",
    "cycle_days": "días de ciclo",
    "deal_follow_ups": "seguimientos de negocios",
    "deal_touches": "contactos de negocios",
    "deals_closed": "negocios cerrados",
    "deals_lost": "negocios perdidos",
    "deals_touched": "negocios con contactos",
    "deals_valued": "negocios con importe",
    "deals_won": "negocios ganados",
    "emails_bounced": "correos rebotados",
    "emails_clicked": "correos con clic",
    "emails_delivered": "correos entregados",
    "emails_opened": "correos abiertos",
    "emails_sent": "correos enviados",
    "emails_tracked": "correos con seguimiento",
    "engaged_leads": "leads comprometidos",
    "engagement": "interés",
    "everyones_revenue": "ingresos de todos",
    "interested_leads": "leads interesados",
    "large_revenue": "ingresos de negocios grandes",
    "lead_revenue": "ingresos de los leads",
    "leads_created": "leads creados",
    "leads_won": "leads ganados",
    "median_amount": "importe mediano",
    "median_cycle_days": "días de ciclo medianos",
    "open_leads": "leads abiertos",
    "opt_outs": "bajas",
    "quota": "objetivo de ventas",
    "responses": "respuestas",
    "revenue": "ingresos",
    "talk_time": "tiempo de conversación",
    "threads_opened": "hilos abiertos",
    "threads_replied": "hilos respondidos",
    "timed_talk": "conversación con duración",
    "touchpoints": "contactos",
    "valued_amount": "importe de los negocios",
}
"""A part's name → its Spanish twin; the English one is the name itself."""

REASONS: dict[str, Text] = {
    "no_data": Text("no data", "sin datos"),
    "not_available": Text("not available", "no disponible"),
}
"""Why a value is blank."""


def unmet_rule(condition: str) -> str:
    """The rule of those that a condition of the company's own leaves out."""
    return f"it does not meet {condition}"


def rule_text(words: str) -> Text:
    """A rule in both languages."""
    same = SAME.fullmatch(words)
    if same:
        return Text(words, f"es el mismo que {same['id']}, que es el que cuenta")
    unmet = UNMET.fullmatch(words)
    if unmet:
        return Text(words, f"no cumple {unmet['condition']}")
    return Text(words, RULES.get(words, words))


def part_text(name: str) -> Text:
    """A part of a formula in both languages."""
    spoken = name.replace("_", " ")
    return Text(spoken, PARTS.get(name, spoken))
