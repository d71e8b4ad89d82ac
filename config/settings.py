"""`kpisync.toml`, read and checked whole: every mistake is named at once, with its place and what would be right."""

import difflib
import ipaddress
import re
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError
from pydantic_core import ErrorDetails

from config.errors import SettingsError
from kpi_engine.catalog import CATALOG, HEADLINE

FILE_NAME = "kpisync.toml"

Grain = Literal["day", "week", "month", "quarter", "year"]
Switch = Literal["auto"] | bool


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"there is no time zone {name!r}; use a name such as Europe/Madrid")
    return name


def _known_kpi(key: str) -> str:
    known = [kpi.key for kpi in CATALOG]
    if key not in known:
        raise ValueError(f"there is no KPI {key!r}{_did_you_mean(key, known)}; `kpisync kpis` lists them")
    return key


def _safe_url(url: str) -> str:
    """https anywhere, plain http only on this machine: a token must not travel in the clear."""
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return url.rstrip("/")
    if parts.scheme == "http" and parts.hostname and _is_loopback(parts.hostname):
        return url.rstrip("/")
    raise ValueError(f"{url!r} must begin with https:// (plain http:// is for this machine's own addresses only)")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _interval_or_cron(text: str) -> str:
    if not re.fullmatch(r"[1-9]\d*[smhd]", text) and len(text.split()) != 5:
        raise ValueError(f"{text!r} is neither an interval (15m, 1h, 1d) nor a cron line of five fields")
    return text


def _scope(text: str) -> str:
    if text != "everyone" and not re.fullmatch(r"(team|rep):.+", text):
        raise ValueError(f"{text!r} must be everyone, team:<manager> or rep:<e-mail>")
    return text


TimeZone = Annotated[str, AfterValidator(_known_zone)]
KpiKey = Annotated[str, AfterValidator(_known_kpi)]
Url = Annotated[str, AfterValidator(_safe_url)]
When = Annotated[str, AfterValidator(_interval_or_cron)]
Scope = Annotated[str, AfterValidator(_scope)]


class Section(BaseModel):
    """A part of the settings: frozen, and an unknown key is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class PublicHolidays(Section):
    """The public holidays of a country, and of a part of it."""

    country: str
    subdivision: str | None = None


class CompanySection(Section):
    """Who we are; what is left out is taken from the CRM."""

    time_zone: TimeZone | None = None
    fiscal_year_start: Annotated[int, Field(ge=1, le=12)] | None = None
    home_currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    holidays: list[date] | PublicHolidays = Field(default_factory=list)
    days_off: dict[str, list[date]] = Field(default_factory=dict)
    deal_size_limits: tuple[float, float] | None = None


class SalesforceSection(Section):
    """A Salesforce organisation."""

    crm: Literal["salesforce"]
    login_url: Url = "https://login.salesforce.com"
    auth: Literal["client_credentials", "jwt", "refresh_token", "access_token"] = "client_credentials"
    client_id: str = ""
    username: str = ""
    api_version: Annotated[str, Field(pattern=r"^\d{2,3}\.0$")] = "66.0"
    instance_url: Annotated[str, AfterValidator(lambda url: _safe_url(url) if url else url)] = ""
    mappings: dict[str, Any] = Field(default_factory=dict)


class HubSpotSection(Section):
    """A HubSpot portal."""

    crm: Literal["hubspot"]
    base_url: Url = "https://api.hubapi.com"
    auth: Literal["token", "oauth"] = "token"
    client_id: str = ""
    api_version: Annotated[str, Field(pattern=r"^(\d{4}-\d{2}|v3)$")] = "2026-09"
    mappings: dict[str, Any] = Field(default_factory=dict)


def _crm_of(section: Any) -> str | None:
    return section.get("crm") if isinstance(section, Mapping) else getattr(section, "crm", None)


ConnectionSection = Annotated[
    Annotated[SalesforceSection, Tag("salesforce")] | Annotated[HubSpotSection, Tag("hubspot")],
    Discriminator(_crm_of),
]


class CacheSection(Section):
    """Where the local copy lives; a relative SQLite path is relative to the workspace."""

    url: Annotated[str, Field(pattern=r"^(sqlite:///|postgresql\+psycopg://).+")] = "sqlite:///kpisync.db"


class KpisSection(Section):
    """Which numbers are written to the CRM, and from when on they are computed."""

    track: list[KpiKey] = Field(default_factory=lambda: [kpi.key for kpi in HEADLINE])
    write_grains: tuple[Grain, ...] = ("week", "month", "quarter")
    since: date | None = None


class TargetSection(Section):
    """What is wanted of a KPI, from a date on."""

    kpi: KpiKey
    scope: Scope = "everyone"
    grain: Grain
    value: float
    from_: date = Field(alias="from")


class ScheduleSection(Section):
    """When `kpisync serve` works."""

    pull: When = "15m"
    write: When = "1h"
    full: When = "0 3 * * sun"
    time_zone: TimeZone | None = None


class SurfacesSection(Section):
    """Where numbers are shown in the CRM; auto: wherever the CRM permits it."""

    kpi_records: Switch = "auto"
    person_fields: Switch = "auto"
    lead_scores: Switch = "auto"


class GuardsSection(Section):
    """What stops a run before it writes."""

    max_changed_share: Annotated[float, Field(gt=0, le=1)] = 0.3
    max_reps_losing_share: Annotated[float, Field(gt=0, le=1)] = 0.2
    api_budget_share: Annotated[float, Field(gt=0, le=1)] = 0.25
    max_refused: Annotated[int, Field(ge=1)] = 1000
    overwrite_drift: bool = False


class Settings(Section):
    """Everything in `kpisync.toml`."""

    company: CompanySection = CompanySection()
    connections: dict[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")], ConnectionSection] = Field(
        default_factory=dict
    )
    cache: CacheSection = CacheSection()
    kpis: KpisSection = KpisSection()
    targets: list[TargetSection] = Field(default_factory=list)
    schedule: ScheduleSection = ScheduleSection()
    surfaces: SurfacesSection = SurfacesSection()
    guards: GuardsSection = GuardsSection()


def read(workspace: Path) -> Settings:
    """The settings of a workspace. Raises `SettingsError` with every problem found."""
    path = workspace / FILE_NAME
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SettingsError(
            [
                f"There is no {FILE_NAME} in {workspace}. Run `kpisync init` there, "
                "or name another folder with --workspace."
            ]
        ) from None
    return parse(text)


def parse(text: str) -> Settings:
    """The settings in a TOML text."""
    try:
        return Settings.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError([f"{FILE_NAME} is not valid TOML: {error}."]) from error
    except ValidationError as error:
        raise SettingsError([_sentence(problem) for problem in error.errors()]) from None


def _sentence(problem: ErrorDetails) -> str:
    """One problem as a sentence with its place, and the nearest valid name for an unknown key."""
    names = [str(part) for part in problem["loc"] if part not in {"salesforce", "hubspot"} or problem["loc"][0] == part]
    place = ".".join(names)
    if problem["type"] == "extra_forbidden":
        valid = _valid_names(problem["loc"][:-1])
        near = _did_you_mean(names[-1], valid)
        return f"{FILE_NAME} has an unknown setting {place}{near}. Known there: {', '.join(valid)}."
    if problem["type"] in {"union_tag_not_found", "union_tag_invalid"}:
        return f'{FILE_NAME}: {place} needs crm = "salesforce" or crm = "hubspot".'
    message = problem["msg"].removeprefix("Value error, ")
    return f"{FILE_NAME}: {place}: {message}."


def _valid_names(place: tuple[int | str, ...]) -> list[str]:
    """The keys that exist at a place in the settings."""
    section: type[BaseModel] = Settings
    match place:
        case ():
            pass
        case ("connections", _, "salesforce", *_):
            section = SalesforceSection
        case ("connections", _, "hubspot", *_):
            section = HubSpotSection
        case ("targets", *_):
            section = TargetSection
        case ("company", "holidays", *_):
            section = PublicHolidays
        case (str() as name, *_):
            section = type(getattr(Settings(), name))
    return [field.alias or name for name, field in section.model_fields.items()]


def _did_you_mean(name: str, valid: list[str]) -> str:
    near = difflib.get_close_matches(name, valid, n=1, cutoff=0.5)
    return f" (did you mean {near[0]}?)" if near else ""
