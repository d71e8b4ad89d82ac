"""docs/settings.md: every key of kpisync.toml, from the models that read it."""

import re
from collections.abc import Iterable, Iterator
from inspect import cleandoc
from typing import Any, get_args

from annotated_types import Ge, Gt, Le
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from config import own_kpis, settings
from connectors.hubspot import HubSpotMappings
from connectors.salesforce import Mappings
from console.pages.markdown import page, table

HEAD = """# The settings

`kpisync.toml` in the workspace. A key that nobody knows is an error that names the nearest one, so a typo never goes
unnoticed. [config/example.toml](../config/example.toml) is a file with all of them.

Secrets are never in this file. They come from the environment, `KPISYNC_<CONNECTION>_<NAME>` (the connection's name in
capitals, `-` as `_`: `KPISYNC_ACME_CLIENT_SECRET`), else from the file that `KPISYNC_VAULT_KEY` opens, else from the
system's keyring. `kpisync init` stores them."""

SECTIONS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("[company]", settings.CompanySection),
    ("[company] holidays = { … }", settings.PublicHolidays),
    ("[connections.NAME] of Salesforce", settings.SalesforceSection),
    ("[connections.NAME] of HubSpot", settings.HubSpotSection),
    ("[cache]", settings.CacheSection),
    ("[engine]", settings.EngineSection),
    ("[kpis]", settings.KpisSection),
    ("[[kpis.custom]]", own_kpis.CustomKpi),
    ("[[kpis.custom]] numerator, denominator", own_kpis.PartOfOwn),
    ("[[targets]]", settings.TargetSection),
    ("[schedule]", settings.ScheduleSection),
    ("[surfaces]", settings.SurfacesSection),
    ("[guards]", settings.GuardsSection),
    ("[alerts]", settings.AlertsSection),
)
MAPPINGS: dict[type[BaseModel], type] = {
    settings.SalesforceSection: Mappings,
    settings.HubSpotSection: HubSpotMappings,
}


def settings_page() -> str:
    """docs/settings.md: every key of kpisync.toml."""
    parts = [HEAD]
    for name, section in SECTIONS:
        rows = (_setting(key, field) for key, field in section.model_fields.items())
        parts += [f"## {name}", cleandoc(section.__doc__ or ""), table(("key", "what it means", "default"), rows)]
        if section in MAPPINGS:
            parts.append(_mappings(MAPPINGS[section]))
    return page(*parts)


def _setting(key: str, field: FieldInfo) -> tuple[str, str, str]:
    limits = _limits(field)
    described = " ".join((field.description or "").split())
    return f"`{field.alias or key}`", f"{described} {limits}".strip(), _default(field)


def _limits(field: FieldInfo) -> str:
    """The choices or bounds of a value, where there are some."""
    choices = [choice for choice in get_args(field.annotation) if isinstance(choice, str)]
    bounds = [f"{sign} {bound}" for sign, bound in _bounds(field.metadata)]
    told = " · ".join(f"`{choice}`" for choice in choices) or " and ".join(bounds)
    return f"({told})" if told else ""


def _bounds(metadata: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    for limit in metadata:
        match limit:
            case Gt(gt=bound):
                yield ">", bound
            case Ge(ge=bound):
                yield "≥", bound
            case Le(le=bound):
                yield "≤", bound


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "needed"
    if field.default_factory is not None or field.default in (None, ""):
        return ""
    value = field.default
    if isinstance(value, tuple):
        return f"`[{', '.join(_toml(one) for one in value)}]`"
    return f"`{_toml(value)}`"


def _toml(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return f'"{value}"'
        case _:
            return str(value)


def _mappings(kind: type) -> str:
    """The keys of `mappings`, from the docstring of what they become: a line for each, after two spaces or more."""
    told = cleandoc(kind.__doc__ or "").split("\n\n", 1)[1]
    lines = re.sub(r"\n\s+", " ", told).splitlines()
    rows = [re.split(r"\s{2,}", line, maxsplit=1) for line in lines]
    return table(("`mappings.…`", "what it means"), ((f"`{key}`", meaning) for key, meaning in rows))
