"""docs/errors.md: every error code that a message may carry."""

from console.errors import ENTRIES, Entry
from console.i18n import Language
from console.pages.markdown import OTHER_LANGUAGE, page
from kpi_engine.declaring import Text

HEAD = Text(
    """# The errors

Every message of kpisync carries a code. Here is what each means: why it comes, and what to do. A record that the
CRM refused is told with the CRM's own code, which is not listed here, and our advice.""",
    """# Los errores

Cada mensaje de kpisync lleva un código; los mensajes están en inglés. Aquí está lo que significa cada uno: por qué
aparece y qué hacer. Un registro que el CRM rechazó se indica con el código del propio CRM, que no figura aquí, y
nuestro consejo.""",
)
AREAS = {
    "CFG": Text("Settings and secrets", "Configuración y claves"),
    "GUARD": Text("Guards: nothing was written", "Protecciones: no se ha escrito nada"),
    "RUN": Text("Runs and plans", "Ejecuciones y planes"),
    "ENGINE": Text("Computing on a cluster", "Calcular en un clúster"),
    "LOCK": Text("Lock", "Bloqueo"),
    "CACHE": Text("Cache", "Caché"),
    "NET": Text("Network", "Red"),
    "MEM": Text("CRM in memory", "CRM en memoria"),
    "SF": Text("Salesforce", "Salesforce"),
    "HS": Text("HubSpot", "HubSpot"),
}
WHY, FIX = Text("Why", "Por qué"), Text("What to do", "Qué hacer")


def errors_page(language: Language) -> str:
    """The page in one language."""
    parts = [OTHER_LANGUAGE[language].format(name="errors"), HEAD.said(language)]
    for area, name in AREAS.items():
        parts.append(f"## {name.said(language)}")
        parts += [_section(entry, language) for entry in ENTRIES if entry.code.split("-")[1] == area]
    return page(*parts)


def _section(entry: Entry, language: Language) -> str:
    return (
        f"### {entry.code}\n\n**{entry.title.said(language)}.**\n\n"
        f"*{WHY.said(language)}.* {entry.why.said(language)}\n\n*{FIX.said(language)}.* {entry.fix.said(language)}"
    )
