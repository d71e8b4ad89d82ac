"""How a number looks to a person: by its unit and language, with a dash and its reason where there is none."""

from console.i18n import Language
from kpi_engine.catalog import Kpi, Unit, places

BLANK = "–"
SPANISH_MARKS = str.maketrans(",.", ".,")


def shown(value: float | None, kpi: Kpi, language: Language) -> str:
    """A value in its unit: `1,234`, `56.70 %`, `12.50`; in Spanish `1.234`, `56,70 %`, `12,50`."""
    if value is None:
        return BLANK
    if kpi.unit is Unit.RATIO:
        return _marked(f"{value * 100:,.2f} %", language)
    return _marked(f"{value:,.{places(kpi)}f}", language)


def shown_share(share: float | None, language: Language) -> str:
    """An attainment: `104 %`."""
    return BLANK if share is None else _marked(f"{share * 100:,.0f} %", language)


def _marked(number: str, language: Language) -> str:
    return number.translate(SPANISH_MARKS) if language == "es" else number
