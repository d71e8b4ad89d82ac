"""The KPIs that a company declared itself, beside ours: told once, before anything is computed.

Whatever goes through the catalogue (`catalog.BY_KEY`, `rolling.PARTS_OF`) then sees them as if they stood there.
"""

from collections.abc import Iterable

from kpi_engine.catalog import BY_KEY, CATALOG, every_kpi
from kpi_engine.declaring import Kpi
from kpi_engine.rolling import PARTS_OF, parts_by_population


def register(own: Iterable[Kpi]) -> None:
    """Makes ours and these the KPIs of this process, in the place of those that were told before."""
    kpis = (*CATALOG, *own)
    if repr(kpis) == repr(every_kpi()):
        return  # several threads may read the same settings while others compute
    BY_KEY.clear()
    BY_KEY.update({kpi.key: kpi for kpi in kpis})
    PARTS_OF.clear()
    PARTS_OF.update(parts_by_population(kpis))


def own_kpis() -> tuple[Kpi, ...]:
    """Those of this company."""
    return every_kpi()[len(CATALOG) :]
