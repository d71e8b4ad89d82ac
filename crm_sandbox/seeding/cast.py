"""Who is in the demo company: sellers on four continents, their managers, and the names of customers."""

from datetime import datetime, timedelta
from random import Random

from crm_sandbox.world import Seller

COMPANY = "Aurora Remote Sales"
HOME_ZONE = "Europe/Madrid"
HOME_CURRENCY = "EUR"

_PEOPLE: tuple[tuple[str, str, str | None, str, str], ...] = (
    # key, name, manager, team, time zone
    ("elena", "Elena Vargas Montes", None, "Leadership", "Europe/Madrid"),
    ("carmen", "Carmen Ortiz Lozano", "elena", "EMEA", "Europe/Madrid"),
    ("marcus", "Marcus Webb", "elena", "Americas", "America/New_York"),
    ("priya", "Priya Nair", "carmen", "Asia Pacific", "Asia/Kolkata"),
    ("ana", "Ana Ruiz", "carmen", "EMEA", "Europe/Madrid"),
    ("inigo", "Íñigo Sáenz de Heredia", "carmen", "EMEA", "Atlantic/Canary"),
    ("zoe", "Zoë O'Brien", "carmen", "EMEA", "Europe/Dublin"),
    ("jordan", "Jordan Lee", "marcus", "Americas", "America/New_York"),
    ("lucia", "Lucía Fernández", "marcus", "Americas", "America/Mexico_City"),
    ("thiago", "Thiago Gonçalves", "marcus", "Americas", "America/Sao_Paulo"),
    ("rohan", "Rohan Iyer", "priya", "Asia Pacific", "Asia/Kolkata"),
    ("aroha", "Aroha Ngata", "priya", "Asia Pacific", "Pacific/Auckland"),
    ("noor", "Noor El-Amin", "carmen", "EMEA", "Europe/Madrid"),
)

SELLING = ("ana", "inigo", "zoe", "jordan", "lucia", "thiago", "rohan", "aroha", "priya", "marcus")
"""Those with everyday work. Managers of few people sell as well; `noor` has only just begun."""

LEFT = "gael"
"""Left the company a few months ago; his won deals stayed his."""

QUEUE, ROBOT = "queue", "robot"

CURRENCIES = {
    "ana": "EUR",
    "inigo": "EUR",
    "zoe": "GBP",
    "jordan": "USD",
    "lucia": "USD",
    "thiago": "BRL",
    "rohan": "INR",
    "aroha": "USD",
    "priya": "INR",
    "marcus": "USD",
    LEFT: "EUR",
}

RATES = {"USD": "1.0850", "GBP": "0.8540", "BRL": "5.9100", "INR": "91.250000"}
"""About what one euro buys; the dated rates move around these."""

CHANNELS = (
    ("Organic search", 22),
    ("Paid search", 16),
    ("Referrals", 14),
    ("Social media", 14),
    ("Email marketing", 12),
    ("Direct traffic", 8),
    ("Offline", 6),
    (None, 8),
)
"""Where leads come from, with weights. None: nobody noted it."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_FIRST = _words(
    "Alba Álvaro Amélie Andrea Arjun Beatriz Bruno Camila Chloé Daniel Diego Eduardo Emily Fatima Fernanda "
    "Gabriel Grace Héctor Hiroshi Ines Iker Jack James Javier Jorge Julia Kavita Laura Leire Liam Luis Mariana "
    "Marta Mateo Megan Miguel Nerea Olivia Omar Paula Pedro Rahul Raquel Rocío Sara Sergio Sofía Søren Thomas "
    "Valentina Víctor Wei Ximena Yusuf Zara"
)
_LAST = _words(
    "Acosta Álvarez Anderson Baker Becker Blanco Bose Brown Castillo Chen Costa Díaz Domínguez Evans Fischer "
    "Flores Gallego García Gómez Hughes Ibáñez Iglesias Jensen Johnson Kapoor Kelly Khan López Martín Mehta "
    "Molina Moreno Müller Navarro Núñez Ortega Patel Peña Pérez Ramírez Ramos Reid Rojas Santos Silva Singh "
    "Smith Suárez Taylor Torres Vega Walker Young"
)
_FRONT = _words(
    "Alta Atlas Blue Boreal Bright Cantábrica Cedar Clara Copper Delta Ebro Ember Faro Fjord Granite Harbour "
    "Ibérica Iris Jade Kestrel Lumen Mar Meridian Mesa Nova Norte Oak Olmo Pampa Pine Prisma Quartz Río Sierra "
    "Sol Summit Tajo Terra Vela Zenit"
)
_BACK = _words(
    "Alimentos Analytics Bank Clinics Consulting Energía Energy Foods Freight Gestión Health Hotels Insurance "
    "Labs Legal Logística Logistics Media Motors Pharma Químicas Retail Seguros Software Soluciones Systems "
    "Telecom Textil Travel Works"
)

OFFERS = ("Platform", "Renewal", "Onboarding", "Expansion", "Piloto", "Renovación", "Licencias", "Soporte anual")
SUBJECTS = (
    "Quick question about {company}",
    "A demo next week?",
    "Propuesta para {company}",
    "¿Hablamos esta semana?",
    "Pricing, as promised",
    "Notes from our call",
    "Siguientes pasos con {company}",
    "Your trial is ready",
)


def sellers(now: datetime) -> tuple[Seller, ...]:
    """Everyone with a user in the CRM."""
    since = now - timedelta(days=900)
    people = [
        Seller(key, name, f"{key}@example.com", manager, team, zone, created=since)
        for key, name, manager, team, zone in _PEOPLE
    ]
    return (
        *people,
        Seller(LEFT, "Gaël Martín", "gael@example.com", "carmen", "EMEA", "Europe/Madrid", active=False, created=since),
        Seller(QUEUE, "Inbound queue", "inbound@example.com", time_zone=HOME_ZONE, kind="queue", created=since),
        Seller(ROBOT, "CRM Integration", "robot@example.com", time_zone="UTC", kind="robot", created=since),
    )


def person_name(chance: Random) -> str:
    return f"{chance.choice(_FIRST)} {chance.choice(_LAST)}"


def company_name(chance: Random) -> str:
    return f"{chance.choice(_FRONT)} {chance.choice(_BACK)}"


def channel(chance: Random) -> str | None:
    names, weights = zip(*CHANNELS, strict=True)
    picked: str | None = chance.choices(names, weights)[0]
    return picked
