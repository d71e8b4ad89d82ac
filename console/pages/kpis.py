"""docs/kpis.md: every KPI with its sentence and formula."""

from console.i18n import Language, Speaker
from console.pages.markdown import OTHER_LANGUAGE, page, table
from kpi_engine.catalog import CATALOG, Direction, Family, Kpi
from kpi_engine.declaring import Text
from kpi_engine.wording import part_text

HEAD = Text(
    """# The KPIs

A value is its numerator divided by its denominator, or, where there is none, the numerator itself. What cannot be
known is blank with a reason, never 0: *no data* (nothing happened that could be divided) or *not available* (this
CRM, edition or permission does not tell). `kpisync explain KPI REP` lists the records behind a number and those
that a rule left out.

★ marks the eight headline KPIs, one for each family: they are written to the CRM unless `[kpis] track` in
`kpisync.toml` names others. All of them are computed for every rep and every team, for every day, week, month,
quarter and year; those of the channels for everyone together too.""",
    """# Los KPI

Un valor es su numerador dividido por su denominador o, si no lo hay, el propio numerador. Lo que no se puede saber
queda en blanco con su motivo, nunca 0: *sin datos* (no ocurrió nada que dividir) o *no disponible* (este CRM,
edición o permiso no lo dice). `kpisync explain KPI COMERCIAL` enumera los registros que hay detrás de un número y
los que excluyó una regla.

★ señala los ocho KPI principales, uno por familia: se escriben en el CRM salvo que `[kpis] track` en `kpisync.toml`
nombre otros. Todos se calculan por comercial y por equipo, por día, semana, mes, trimestre y año; los de los
canales, también para todos juntos.""",
)
COLUMNS: dict[Language, tuple[str, ...]] = {
    "en": ("key", "what it says", "formula", "unit", "better", "also by"),
    "es": ("clave", "qué dice", "fórmula", "unidad", "mejor", "también por"),
}


def kpis_page(language: Language) -> str:
    """The page in one language."""
    families: dict[Family, list[Kpi]] = {}
    for kpi in CATALOG:
        families.setdefault(kpi.family, []).append(kpi)
    parts = [OTHER_LANGUAGE[language].format(name="kpis"), HEAD.said(language)]
    for family, kpis in families.items():
        parts.append(f"## {family.number} · {family.name.said(language)}")
        parts.append(table(COLUMNS[language], (_row(kpi, language) for kpi in kpis)))
    return page(*parts)


def _row(kpi: Kpi, language: Language) -> tuple[str, ...]:
    word = Speaker(language).word
    star = " ★" if kpi.headline else ""
    said = f"**{kpi.label.said(language)}.** {kpi.sentence.said(language)}"
    formula = " ÷ ".join(part_text(part.name).said(language) for part in kpi.parts)
    better = "–" if kpi.direction is Direction.NEITHER else word(kpi.direction.value)
    return f"`{kpi.key}`{star}", said, formula, word(kpi.unit.value), better, ", ".join(map(word, kpi.dimensions))
