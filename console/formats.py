"""How a number looks to a person: by its unit, with a dash and its reason where there is none."""

from kpi_engine.catalog import Kpi, Unit, places

BLANK = "–"


def shown(value: float | None, kpi: Kpi) -> str:
    """A value in its unit: `1,234`, `56.7 %`, `12.50`."""
    if value is None:
        return BLANK
    if kpi.unit is Unit.RATIO:
        return f"{value * 100:,.2f} %"
    return f"{value:,.{places(kpi)}f}"


def shown_share(share: float | None) -> str:
    """An attainment: `104 %`."""
    return BLANK if share is None else f"{share * 100:,.0f} %"
