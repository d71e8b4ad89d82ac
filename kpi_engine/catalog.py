"""The KPIs. This is the file one edits: a KPI is a block, made of the parts declared above its family.

A part counts the records of a population (kpi_engine/populations) or adds up an amount of theirs. `where` and `amount`
speak of the population's columns. The file is long because the catalogue is one: whoever adds a KPI looks nowhere else.
"""

from kpi_engine.declaring import (
    Dimension,
    Direction,
    Family,
    Kpi,
    Part,
    Text,
    Unit,
    col,
    count,
    median,
    places,
    total,
)
from kpi_engine.records import Company
from kpi_engine.sources import NO_SHOWS_UNKNOWN

__all__ = [
    "BY_KEY",
    "CATALOG",
    "HEADLINE",
    "Dimension",
    "Direction",
    "Family",
    "Kpi",
    "Part",
    "Text",
    "Unit",
    "direction",
    "every_kpi",
    "places",
]

EMAIL = Family(1, Text("E-mail", "Correo"))
CALLS = Family(2, Text("Calls", "Llamadas"))
TOUCHES = Family(3, Text("Touchpoints and follow-ups", "Contactos y seguimiento"))
LEADS = Family(4, Text("Lead engagement", "Interés de los leads"))
REVENUE = Family(5, Text("Revenue", "Ingresos"))
VALUE = Family(6, Text("Deal value", "Valor de los negocios"))
CLOSED = Family(7, Text("Deals closed", "Negocios cerrados"))
CHANNELS = Family(8, Text("Channels", "Canales"))

# ── Parts that several families share ────────────────────────────────────────────────────────────────────────────────

LOST = "it was lost"
UNANSWERED = "nobody answered it"
LOST_OR_WITHOUT_AMOUNT = "it was lost, or has no amount"

emails_sent = count("emails_sent", "emails")
calls_made = count("calls_made", "calls")
touchpoints = count("touchpoints", "touchpoints")
deals_won = count("deals_won", "closed_deals", where=col("won"), otherwise=LOST)
revenue = total("revenue", "revenue", col("amount"), "money")
quota = Part("quota", "quota", stuff="money", how="quota")

# ── 1 · E-mail: is the conversation two-way? ─────────────────────────────────────────────────────────────────────────

delivered = count("emails_delivered", "emails", where=col("delivered"), otherwise="it bounced")
tracked = count(
    "emails_tracked", "emails", where=col("tracked") & col("delivered"), otherwise="it was not tracked, or it bounced"
)
threads_opened = count("threads_opened", "threads")
campaign_cost = total("campaign_cost", "campaigns", col("cost"), "money")

FAMILY_1 = (
    Kpi(
        key="emails_sent",
        family=EMAIL,
        label=Text("E-mails sent", "Correos enviados"),
        unit=Unit.COUNT,
        sentence=Text("E-mails that the rep sent.", "Correos que envió el comercial."),
        numerator=emails_sent,
        needs=("emails",),
    ),
    Kpi(
        key="email_bounce_rate",
        family=EMAIL,
        label=Text("E-mail bounce rate", "Tasa de rebote de correos"),
        unit=Unit.RATIO,
        direction=Direction.LESS,
        sentence=Text("Share of the e-mails sent that bounced.", "Proporción de los correos enviados que rebotaron."),
        numerator=count("emails_bounced", "emails", where=col("bounced")),
        denominator=emails_sent,
        needs=("emails", "bounces"),
        share_of_cases=True,
    ),
    Kpi(
        key="email_open_rate",
        family=EMAIL,
        label=Text("E-mail open rate", "Tasa de apertura de correos"),
        unit=Unit.RATIO,
        sentence=Text(
            "Share of the tracked and delivered e-mails that were opened.",
            "Proporción de los correos entregados con seguimiento que se abrieron.",
        ),
        numerator=count("emails_opened", "emails", where=col("tracked") & col("delivered") & col("opened")),
        denominator=tracked,
        needs=("emails", "opens"),
        share_of_cases=True,
    ),
    Kpi(
        key="email_click_rate",
        family=EMAIL,
        label=Text("E-mail click rate", "Tasa de clics en correos"),
        unit=Unit.RATIO,
        sentence=Text(
            "Share of the tracked and delivered e-mails in which a link was clicked.",
            "Proporción de los correos entregados con seguimiento en los que se pulsó un enlace.",
        ),
        numerator=count("emails_clicked", "emails", where=col("tracked") & col("delivered") & col("clicked")),
        denominator=tracked,
        needs=("emails", "clicks"),
        share_of_cases=True,
    ),
    Kpi(
        key="email_reply_rate",
        family=EMAIL,
        label=Text("E-mail reply rate", "Tasa de respuesta a correos"),
        unit=Unit.RATIO,
        sentence=Text(
            "Share of the threads opened by the rep that got at least one reply. Automatic replies do not count.",
            "Proporción de los hilos abiertos por el comercial con al menos una respuesta. Las automáticas no cuentan.",
        ),
        numerator=count("threads_replied", "threads", where=col("replied")),
        denominator=threads_opened,
        headline=True,
        needs=("emails", "replies"),
        share_of_cases=True,
    ),
    Kpi(
        key="email_unsubscribe_rate",
        family=EMAIL,
        label=Text("E-mail unsubscribe rate", "Tasa de baja de correos"),
        unit=Unit.RATIO,
        direction=Direction.LESS,
        sentence=Text(
            "People owned by the rep who opted out, for each e-mail delivered.",
            "Personas del comercial que se dieron de baja, por cada correo entregado.",
        ),
        numerator=count("opt_outs", "opt_outs"),
        denominator=delivered,
        needs=("emails", "opt_out_dates"),
    ),
    Kpi(
        key="campaign_roi",
        family=EMAIL,
        label=Text("Campaign return", "Retorno de campañas"),
        unit=Unit.RATIO,
        sentence=Text(
            "Won amount of the campaigns that started in the period, less their cost, for each unit of cost.",
            "Importe ganado de las campañas que empezaron en el periodo, menos su coste, por unidad de coste.",
        ),
        numerator=total("campaign_return", "campaign_returns", col("amount"), "money"),
        denominator=campaign_cost,
        needs=("campaigns", "campaign_costs", "deals"),
    ),
)

# ── 2 · Calls ────────────────────────────────────────────────────────────────────────────────────────────────────────

calls_answered = count("calls_answered", "calls", where=col("answered"), otherwise=UNANSWERED)

FAMILY_2 = (
    Kpi(
        key="calls_made",
        family=CALLS,
        label=Text("Calls made", "Llamadas realizadas"),
        unit=Unit.COUNT,
        sentence=Text(
            "Outbound calls, whatever their result: busy and no answer are calls too.",
            "Llamadas salientes, sea cual sea el resultado: ocupado y sin respuesta también son llamadas.",
        ),
        numerator=calls_made,
        headline=True,
        needs=("calls",),
    ),
    Kpi(
        key="calls_answered",
        family=CALLS,
        label=Text("Calls answered", "Llamadas atendidas"),
        unit=Unit.COUNT,
        sentence=Text(
            "Of the calls made, those that somebody answered.", "De las llamadas realizadas, las que alguien atendió."
        ),
        numerator=calls_answered,
        needs=("calls", "answers"),
    ),
    Kpi(
        key="call_answer_rate",
        family=CALLS,
        label=Text("Call answer rate", "Tasa de llamadas atendidas"),
        unit=Unit.RATIO,
        sentence=Text(
            "Share of the calls made that somebody answered.",
            "Proporción de las llamadas realizadas que atendieron.",
        ),
        numerator=calls_answered,
        denominator=calls_made,
        needs=("calls", "answers"),
        share_of_cases=True,
    ),
    Kpi(
        key="talk_minutes",
        family=CALLS,
        label=Text("Talk time", "Tiempo de conversación"),
        unit=Unit.MINUTES,
        sentence=Text("Minutes of the answered calls.", "Minutos de las llamadas atendidas."),
        numerator=total("talk_time", "calls", col("duration_ms").fill_null(0), "millis", col("answered"), UNANSWERED),
        needs=("calls", "answers"),
    ),
    Kpi(
        key="average_call_minutes",
        family=CALLS,
        label=Text("Average call length", "Duración media de llamada"),
        unit=Unit.MINUTES,
        sentence=Text(
            "Minutes of an answered call, on average, where the duration is known.",
            "Minutos de una llamada atendida, de media, cuando se conoce la duración.",
        ),
        numerator=total("timed_talk", "calls", col("duration_ms"), "millis", where=col("answered") & col("timed")),
        denominator=count(
            "calls_timed",
            "calls",
            where=col("answered") & col("timed"),
            otherwise="nobody answered it, or its duration is not known",
        ),
        needs=("calls", "answers"),
    ),
    Kpi(
        key="call_follow_up_rate",
        family=CALLS,
        label=Text("Call follow-up rate", "Tasa de seguimiento de llamadas"),
        unit=Unit.RATIO,
        sentence=Text(
            "Share of the answered calls after which the rep took a next step by the end of the second working day.",
            "Proporción de las llamadas atendidas tras las que el comercial dio un paso antes de acabar el segundo día "
            "laborable.",
        ),
        numerator=count("calls_followed", "calls", where=col("answered") & col("due") & col("followed")),
        denominator=count(
            "calls_due",
            "calls",
            where=col("answered") & col("due"),
            otherwise="nobody answered it, or its second working day is not over yet",
        ),
        needs=("calls", "answers", "tasks", "meetings", "emails", "email_people"),
        share_of_cases=True,
    ),
    Kpi(
        key="revenue_per_call",
        family=CALLS,
        label=Text("Revenue per call", "Ingresos por llamada"),
        unit=Unit.MONEY,
        sentence=Text("Revenue for each call made.", "Ingresos por cada llamada realizada."),
        numerator=revenue,
        denominator=calls_made,
        needs=("calls", "deals"),
    ),
)

# ── 3 · Touchpoints and follow-ups ───────────────────────────────────────────────────────────────────────────────────

all_touches = ("emails", "calls", "meetings")
cycle_days = col("cycle_days")

FAMILY_3 = (
    Kpi(
        key="touchpoints",
        family=TOUCHES,
        label=Text("Touchpoints", "Contactos"),
        unit=Unit.COUNT,
        direction=Direction.NEITHER,
        sentence=Text(
            "Delivered e-mails, calls made, messages and meetings held by the rep.",
            "Correos entregados, llamadas, mensajes y reuniones celebradas del comercial.",
        ),
        numerator=touchpoints,
        needs=all_touches,
        clouded_by=(NO_SHOWS_UNKNOWN,),
    ),
    Kpi(
        key="touchpoints_per_won_deal",
        family=TOUCHES,
        label=Text("Touchpoints per won deal", "Contactos por negocio ganado"),
        unit=Unit.COUNT,
        direction=Direction.NEITHER,
        sentence=Text(
            "Touchpoints that a won deal took, by any rep, on average.",
            "Contactos que necesitó un negocio ganado, de cualquier comercial, de media.",
        ),
        numerator=count("deal_touches", "deal_touches"),
        denominator=deals_won,
        dimensions=(Dimension.BAND,),
        headline=True,
        needs=(*all_touches, "deals"),
        clouded_by=(NO_SHOWS_UNKNOWN,),
    ),
    Kpi(
        key="follow_ups_per_won_deal",
        family=TOUCHES,
        label=Text("Follow-ups per won deal", "Seguimientos por negocio ganado"),
        unit=Unit.COUNT,
        direction=Direction.NEITHER,
        sentence=Text(
            "Touchpoints after the first one that a won deal took, on average over the deals that had any.",
            "Contactos posteriores al primero que necesitó un negocio ganado, de media entre los que tuvieron alguno.",
        ),
        numerator=count(
            "deal_follow_ups",
            "deal_touches",
            where=~col("first"),
            otherwise="it is the first touchpoint of its deal",
        ),
        denominator=count(
            "deals_touched",
            "closed_deals",
            where=col("won") & col("touched"),
            otherwise="it was lost, or took no touchpoint",
        ),
        dimensions=(Dimension.BAND,),
        needs=(*all_touches, "deals"),
        clouded_by=(NO_SHOWS_UNKNOWN,),
    ),
    Kpi(
        key="effort_per_won_deal",
        family=TOUCHES,
        label=Text("Effort per won deal", "Esfuerzo por negocio ganado"),
        unit=Unit.COUNT,
        direction=Direction.LESS,
        sentence=Text(
            "All touchpoints by the rep in the period for each deal won.",
            "Todos los contactos del comercial en el periodo por cada negocio ganado.",
        ),
        numerator=touchpoints,
        denominator=deals_won,
        needs=(*all_touches, "deals"),
        clouded_by=(NO_SHOWS_UNKNOWN,),
    ),
    Kpi(
        key="response_rate",
        family=TOUCHES,
        label=Text("Response rate", "Tasa de respuesta"),
        unit=Unit.RATIO,
        sentence=Text(
            "Share of the calls, delivered e-mails and meetings that were answered, replied to or held.",
            "Proporción de llamadas, correos entregados y reuniones que se atendieron, respondieron o celebraron.",
        ),
        numerator=count("responses", "approaches", where=col("responded")),
        denominator=count("approaches", "approaches"),
        needs=(*all_touches, "answers", "replies"),
        clouded_by=(NO_SHOWS_UNKNOWN,),
        share_of_cases=True,
    ),
    Kpi(
        key="sales_cycle_days",
        family=TOUCHES,
        label=Text("Sales cycle", "Ciclo de venta"),
        unit=Unit.DAYS,
        direction=Direction.LESS,
        sentence=Text(
            "Days from creation to close of the deals won, on average.",
            "Días desde la creación hasta el cierre de los negocios ganados, de media.",
        ),
        numerator=total("cycle_days", "closed_deals", cycle_days, "days", where=col("won")),
        denominator=deals_won,
        dimensions=(Dimension.BAND,),
        needs=("deals",),
    ),
    Kpi(
        key="median_sales_cycle_days",
        family=TOUCHES,
        label=Text("Median sales cycle", "Ciclo de venta mediano"),
        unit=Unit.DAYS,
        direction=Direction.LESS,
        sentence=Text(
            "Half of the deals won took no more days than this from creation to close.",
            "La mitad de los negocios ganados no tardó más días que estos desde la creación hasta el cierre.",
        ),
        numerator=median("median_cycle_days", "closed_deals", cycle_days, "days", col("won"), LOST),
        dimensions=(Dimension.BAND,),
        needs=("deals",),
    ),
)

# ── 4 · Lead engagement ──────────────────────────────────────────────────────────────────────────────────────────────

open_leads = count("open_leads", "open_leads")
engaged_leads = count("engaged_leads", "open_leads", where=col("engaged"), otherwise="its score is below 50")

FAMILY_4 = (
    Kpi(
        key="open_leads",
        family=LEADS,
        label=Text("Open leads", "Leads abiertos"),
        unit=Unit.COUNT,
        direction=Direction.NEITHER,
        sentence=Text(
            "Leads of the rep that are neither converted nor disqualified at the period's end.",
            "Leads del comercial ni convertidos ni descartados al final del periodo.",
        ),
        numerator=open_leads,
        needs=("leads",),
        snapshot=True,
    ),
    Kpi(
        key="engaged_leads",
        family=LEADS,
        label=Text("Engaged leads", "Leads comprometidos"),
        unit=Unit.COUNT,
        sentence=Text(
            "Open leads with an engagement score of 50 or more at the period's end.",
            "Leads abiertos con una puntuación de interés de 50 o más al final del periodo.",
        ),
        numerator=engaged_leads,
        headline=True,
        needs=("leads", "opt_outs"),
        clouded_by=(NO_SHOWS_UNKNOWN,),
        snapshot=True,
    ),
    Kpi(
        key="engagement_rate",
        family=LEADS,
        label=Text("Engagement rate", "Tasa de interés activo"),
        unit=Unit.RATIO,
        sentence=Text(
            "Share of the open leads that are engaged at the period's end.",
            "Proporción de los leads abiertos que están comprometidos al final del periodo.",
        ),
        numerator=engaged_leads,
        denominator=open_leads,
        needs=("leads", "opt_outs"),
        clouded_by=(NO_SHOWS_UNKNOWN,),
        share_of_cases=True,
        snapshot=True,
    ),
    Kpi(
        key="average_engagement",
        family=LEADS,
        label=Text("Average engagement", "Interés medio"),
        unit=Unit.SCORE,
        sentence=Text(
            "Engagement score of an open lead at the period's end, on average.",
            "Puntuación de interés de un lead abierto al final del periodo, de media.",
        ),
        numerator=total("engagement", "open_leads", col("score"), "score"),
        denominator=open_leads,
        needs=("leads", "opt_outs"),
        clouded_by=(NO_SHOWS_UNKNOWN,),
        snapshot=True,
    ),
)

# ── 5 · Revenue ──────────────────────────────────────────────────────────────────────────────────────────────────────

FAMILY_5 = (
    Kpi(
        key="revenue",
        family=REVENUE,
        label=Text("Revenue", "Ingresos"),
        unit=Unit.MONEY,
        sentence=Text("Amount of the deals won.", "Importe de los negocios ganados."),
        numerator=revenue,
        headline=True,
        needs=("deals",),
    ),
    Kpi(
        key="revenue_share",
        family=REVENUE,
        label=Text("Revenue share", "Cuota de ingresos"),
        unit=Unit.RATIO,
        sentence=Text("The rep's part of everyone's revenue.", "La parte del comercial en los ingresos de todos."),
        numerator=revenue,
        denominator=Part("everyones_revenue", "revenue", amount=col("amount"), stuff="money", how="everyone"),
        needs=("deals",),
    ),
    Kpi(
        key="large_deal_share",
        family=REVENUE,
        label=Text("Large deal share", "Peso de los negocios grandes"),
        unit=Unit.RATIO,
        direction=Direction.NEITHER,
        sentence=Text(
            "Share of the revenue that comes from large deals.",
            "Proporción de los ingresos que viene de negocios grandes.",
        ),
        numerator=total("large_revenue", "revenue", col("amount"), "money", where=col("band") == "large"),
        denominator=revenue,
        needs=("deals", "deal_sizes"),
    ),
)

# ── 6 · Deal value ───────────────────────────────────────────────────────────────────────────────────────────────────

FAMILY_6 = (
    Kpi(
        key="average_deal_value",
        family=VALUE,
        label=Text("Average deal value", "Valor medio de negocio"),
        unit=Unit.MONEY,
        sentence=Text(
            "Amount of a deal won, on average over those that have one.",
            "Importe de un negocio ganado, de media entre los que lo tienen.",
        ),
        numerator=total("valued_amount", "closed_deals", col("amount"), "money", where=col("won") & col("valued")),
        denominator=count(
            "deals_valued", "closed_deals", where=col("won") & col("valued"), otherwise=LOST_OR_WITHOUT_AMOUNT
        ),
        headline=True,
        needs=("deals",),
    ),
    Kpi(
        key="median_deal_value",
        family=VALUE,
        label=Text("Median deal value", "Valor mediano de negocio"),
        unit=Unit.MONEY,
        sentence=Text(
            "Half of the deals won that have an amount are not larger than this.",
            "La mitad de los negocios ganados con importe no supera este valor.",
        ),
        numerator=median(
            "median_amount", "closed_deals", col("amount"), "money", col("won") & col("valued"), LOST_OR_WITHOUT_AMOUNT
        ),
        needs=("deals",),
    ),
)

# ── 7 · Deals closed, against quota and against effort ───────────────────────────────────────────────────────────────

FAMILY_7 = (
    Kpi(
        key="deals_won",
        family=CLOSED,
        label=Text("Deals won", "Negocios ganados"),
        unit=Unit.COUNT,
        sentence=Text("Deals that the rep won.", "Negocios que ganó el comercial."),
        numerator=deals_won,
        needs=("deals",),
    ),
    Kpi(
        key="deals_lost",
        family=CLOSED,
        label=Text("Deals lost", "Negocios perdidos"),
        unit=Unit.COUNT,
        direction=Direction.LESS,
        sentence=Text("Deals that the rep lost.", "Negocios que perdió el comercial."),
        numerator=count("deals_lost", "closed_deals", where=~col("won"), otherwise="it was won"),
        needs=("deals",),
    ),
    Kpi(
        key="win_rate",
        family=CLOSED,
        label=Text("Win rate", "Tasa de éxito"),
        unit=Unit.RATIO,
        sentence=Text("Share of the closed deals that were won.", "Proporción de negocios cerrados que se ganaron."),
        numerator=deals_won,
        denominator=count("deals_closed", "closed_deals"),
        needs=("deals",),
        share_of_cases=True,
    ),
    Kpi(
        key="quota",
        family=CLOSED,
        label=Text("Quota", "Objetivo de ventas"),
        unit=Unit.MONEY,
        direction=Direction.NEITHER,
        sentence=Text("The revenue agreed for the period.", "Los ingresos acordados para el periodo."),
        numerator=quota,
    ),
    Kpi(
        key="quota_attainment",
        family=CLOSED,
        label=Text("Quota attainment", "Cumplimiento del objetivo"),
        unit=Unit.RATIO,
        sentence=Text("Revenue as a share of the quota.", "Ingresos como proporción del objetivo de ventas."),
        numerator=revenue,
        denominator=quota,
        headline=True,
        needs=("deals",),
    ),
    Kpi(
        key="calls_per_won_deal",
        family=CLOSED,
        label=Text("Calls per won deal", "Llamadas por negocio ganado"),
        unit=Unit.COUNT,
        direction=Direction.LESS,
        sentence=Text("Calls made for each deal won.", "Llamadas realizadas por cada negocio ganado."),
        numerator=calls_made,
        denominator=deals_won,
        needs=("calls", "deals"),
    ),
    Kpi(
        key="emails_per_won_deal",
        family=CLOSED,
        label=Text("E-mails per won deal", "Correos por negocio ganado"),
        unit=Unit.COUNT,
        direction=Direction.LESS,
        sentence=Text("E-mails sent for each deal won.", "Correos enviados por cada negocio ganado."),
        numerator=emails_sent,
        denominator=deals_won,
        needs=("emails", "deals"),
    ),
)

# ── 8 · Channels that bring leads ────────────────────────────────────────────────────────────────────────────────────

leads_created = count("leads_created", "leads_created")
interested_leads = count(
    "interested_leads",
    "leads_created",
    where=col("interested"),
    otherwise="it showed no interest within 30 days of its creation",
)

FAMILY_8 = (
    Kpi(
        key="leads_created",
        family=CHANNELS,
        label=Text("Leads created", "Leads creados"),
        unit=Unit.COUNT,
        sentence=Text("Leads that came in.", "Leads que entraron."),
        numerator=leads_created,
        dimensions=(Dimension.CHANNEL,),
        needs=("leads",),
    ),
    Kpi(
        key="interested_leads",
        family=CHANNELS,
        label=Text("Interested leads", "Leads interesados"),
        unit=Unit.COUNT,
        sentence=Text(
            "Leads that showed interest within 30 days of coming in.",
            "Leads que mostraron interés en los 30 días siguientes a su entrada.",
        ),
        numerator=interested_leads,
        dimensions=(Dimension.CHANNEL,),
        headline=True,
        needs=("leads",),
        clouded_by=(NO_SHOWS_UNKNOWN,),
    ),
    Kpi(
        key="interest_rate",
        family=CHANNELS,
        label=Text("Interest rate", "Tasa de leads interesados"),
        unit=Unit.RATIO,
        sentence=Text(
            "Share of the leads that showed interest within 30 days of coming in.",
            "Proporción de los leads que mostraron interés en los 30 días siguientes a su entrada.",
        ),
        numerator=interested_leads,
        denominator=leads_created,
        dimensions=(Dimension.CHANNEL,),
        needs=("leads",),
        clouded_by=(NO_SHOWS_UNKNOWN,),
        share_of_cases=True,
    ),
    Kpi(
        key="lead_win_rate",
        family=CHANNELS,
        label=Text("Lead win rate", "Tasa de leads ganados"),
        unit=Unit.RATIO,
        sentence=Text(
            "Share of the leads that came in whose deal has been won since.",
            "Proporción de los leads que entraron cuyo negocio ya se ganó.",
        ),
        numerator=count("leads_won", "leads_created", where=col("won")),
        denominator=leads_created,
        dimensions=(Dimension.CHANNEL,),
        needs=("leads", "deals"),
        share_of_cases=True,
    ),
    Kpi(
        key="revenue_per_lead",
        family=CHANNELS,
        label=Text("Revenue per lead", "Ingresos por lead"),
        unit=Unit.MONEY,
        sentence=Text(
            "Won amount of the leads that came in, for each of them.",
            "Importe ganado de los leads que entraron, por cada uno de ellos.",
        ),
        numerator=total("lead_revenue", "leads_created", col("won_amount"), "money"),
        denominator=leads_created,
        dimensions=(Dimension.CHANNEL,),
        needs=("leads", "deals"),
    ),
)

CATALOG: tuple[Kpi, ...] = (
    *FAMILY_1, *FAMILY_2, *FAMILY_3, *FAMILY_4, *FAMILY_5, *FAMILY_6, *FAMILY_7, *FAMILY_8
)  # fmt: skip
"""Every KPI of ours, in the order in which people read them."""

BY_KEY: dict[str, Kpi] = {kpi.key: kpi for kpi in CATALOG}
"""Every KPI of this company by key: ours, and after them those that its admin declared (`kpi_engine.registry`)."""


def every_kpi() -> tuple[Kpi, ...]:
    """Ours, and those of this company."""
    return tuple(BY_KEY.values())


def direction(kpi: Kpi, company: Company) -> Direction:
    """Which way is better for this company."""
    return Direction(company.directions.get(kpi.key, kpi.direction))


HEADLINE: tuple[Kpi, ...] = tuple(kpi for kpi in CATALOG if kpi.headline)
"""One for each family: what is tracked unless an admin chooses otherwise."""
