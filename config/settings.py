"""`kpisync.toml`, read and checked whole: every mistake is named at once, with its place and what would be right."""

import difflib
import ipaddress
import re
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails

from config.errors import SettingsError
from config.own_kpis import CustomKpi, own_kpis
from kpi_engine.catalog import BY_KEY, HEADLINE
from kpi_engine.registry import register

FILE_NAME = "kpisync.toml"

SECRETS = {
    "client_credentials": ("CLIENT_SECRET",),
    "jwt": ("PRIVATE_KEY",),
    "refresh_token": ("CLIENT_SECRET", "REFRESH_TOKEN"),
    "access_token": ("ACCESS_TOKEN",),
    "token": ("TOKEN",),
    "oauth": ("CLIENT_SECRET", "REFRESH_TOKEN"),
}
"""What each way to sign in has to know."""

BY_BROWSER = frozenset({"refresh_token", "oauth"})
"""The ways in which a person agrees in a browser."""

Grain = Literal["day", "week", "month", "quarter", "year"]
Switch = Literal["auto"] | bool


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"there is no time zone {name!r}; use a name such as Europe/Madrid")
    return name


def _known_kpi(key: str) -> str:
    known = list(BY_KEY)
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
    """A part of the settings: frozen, and an unknown key is a mistake.

    What a key means stands below it; docs/settings.md is made of these lines.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, use_attribute_docstrings=True)


class PublicHolidays(Section):
    """The public holidays of a country, and of a part of it."""

    country: str
    """ISO code of the country, such as ES."""
    subdivision: str | None = None
    """Its region, such as MD."""


class CompanySection(Section):
    """Who we are; what is left out is taken from the CRM."""

    time_zone: TimeZone | None = None
    """The organisation's time zone, for whatever belongs to no rep in particular. Default: the CRM's own."""
    fiscal_year_start: Annotated[int, Field(ge=1, le=12)] | None = None
    """The month in which the fiscal year begins, 1 to 12. Default: the CRM's own."""
    home_currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    """The currency in which money is added up, such as EUR. Default: the CRM's own."""
    holidays: list[date] | PublicHolidays = Field(default_factory=list)
    """Days on which nobody works: dates, or `{ country = "ES", subdivision = "MD" }` for the public ones."""
    days_off: dict[str, list[date]] = Field(default_factory=dict)
    """A rep's own days off, by e-mail; they are no working days when a target's pace is judged."""
    deal_size_limits: tuple[float, float] | None = None
    """Below the first a deal is small, from the second on large. Default: the terciles of the fiscal year before."""


class SalesforceSection(Section):
    """A Salesforce organisation."""

    crm: Literal["salesforce"]
    """Which CRM it is."""
    login_url: Url = "https://login.salesforce.com"
    """Where to sign in: the My Domain address, `https://acme.my.salesforce.com`."""
    auth: Literal["client_credentials", "jwt", "refresh_token", "access_token"] = "client_credentials"
    """The way to sign in. It decides which secrets are needed: `CLIENT_SECRET`; `PRIVATE_KEY`; `CLIENT_SECRET` (unless
    the app does without) and the `REFRESH_TOKEN` that `kpisync connect` gets; or `ACCESS_TOKEN`."""
    client_id: str = ""
    """The consumer key of the External Client App."""
    username: str = ""
    """The user to sign in as; only with `jwt`."""
    api_version: Annotated[str, Field(pattern=r"^\d{2,3}\.0$")] = "66.0"
    """The version of Salesforce's API."""
    instance_url: Annotated[str, AfterValidator(lambda url: _safe_url(url) if url else url)] = ""
    """Where the API answers; only with `access_token`, because every other way is told it when signing in."""
    mappings: dict[str, Any] = Field(default_factory=dict)
    """How this company uses its CRM, where companies differ: see below."""


class HubSpotSection(Section):
    """A HubSpot portal."""

    crm: Literal["hubspot"]
    """Which CRM it is."""
    base_url: Url = "https://api.hubapi.com"
    """Where the API answers."""
    login_url: Url = "https://app.hubspot.com"
    """Where a person signs in when the app is connected (`kpisync connect`)."""
    auth: Literal["token", "oauth"] = "token"
    """`token`: a service key or a private app's token (secret `TOKEN`); `oauth`: an app (`CLIENT_SECRET`; `kpisync
    connect` gets the `REFRESH_TOKEN`)."""
    client_id: str = ""
    """The app's client id; only with `oauth`."""
    api_version: Annotated[str, Field(pattern=r"^(\d{4}-\d{2}|v3)$")] = "2026-09"
    """The version of HubSpot's API: a year and the month 03 or 09, or v3 for the paths of before."""
    api_versions: dict[str, str] = Field(default_factory=dict)
    """Another version for a part of it, as in `{ writing = "2026-03" }`: `records`, `writing`, `associations`,
    `properties`, `pipelines`, `owners`, `schemas`, `account`, `currencies`, `campaigns`, `events`, `deal_splits`,
    `forms`."""
    mappings: dict[str, Any] = Field(default_factory=dict)
    """How this company uses its CRM, where companies differ: see below."""


def _crm_of(section: Any) -> str | None:
    return section.get("crm") if isinstance(section, Mapping) else getattr(section, "crm", None)


ConnectionSection = Annotated[
    Annotated[SalesforceSection, Tag("salesforce")] | Annotated[HubSpotSection, Tag("hubspot")],
    Discriminator(_crm_of),
]


class CacheSection(Section):
    """Where the local copy lives; a relative SQLite path is relative to the workspace."""

    url: Annotated[str, Field(pattern=r"^(sqlite:///|postgresql\+psycopg://).+")] = "sqlite:///kpisync.db"
    """The database: `sqlite:///FILE`, or `postgresql+psycopg://…` with the driver psycopg installed beside kpisync."""


class EngineSection(Section):
    """What computes everything, when all of it is to be computed; what changed is always computed here."""

    kind: Literal["polars", "spark"] = "polars"
    """`polars`: this machine; `spark`: a cluster, with `kpisync[spark]` and Java installed: see docs/spark.md."""
    master: str = "local[*]"
    """Where Spark works: `local[*]`, `spark://host:7077`, `yarn`, `k8s://https://host:443`."""
    folder: str | None = None
    """A folder that this machine and all executors reach; the records lie there while they are computed. Relative to
    the workspace. Default: this machine's own for temporary files, which suits a `local` master alone."""
    python: str | None = None
    """The executors' Python, with the same kpisync installed. Default: the path of ours."""
    records_a_task: Annotated[int, Field(ge=1)] = 250_000
    """About so many records make a task; records that hang together are never divided."""
    options: dict[str, str] = Field(default_factory=dict)
    """Whatever else Spark is told, by its own names: `{ "spark.executor.memory" = "4g" }`."""

    @model_validator(mode="after")
    def _all_reach_the_folder(self) -> Self:
        if self.kind == "spark" and self.folder is None and not self.master.startswith("local"):
            raise ValueError(f"the executors at {self.master} need a `folder` that they and this machine reach")
        return self


class KpisSection(Section):
    """Which numbers are written to the CRM, and from when on they are computed."""

    track: list[KpiKey] = Field(default_factory=lambda: [kpi.key for kpi in HEADLINE])
    """The KPIs that are written to the CRM, by key; all of them are computed. Default: the eight headline KPIs."""
    write_grains: tuple[Grain, ...] = ("week", "month", "quarter")
    """The kinds of periods that get KPI records in the CRM."""
    since: date | None = None
    """From when on values are computed. Default: the first record."""
    keep_months: Annotated[int, Field(ge=1)] | None = None
    """How many months before the current one keep their KPI records in the CRM; older ones are removed there, which
    frees storage. Default: all of them stay."""
    file: str | None = None
    """A Python file with KPIs of our own, relative to the workspace: see docs/custom-kpis.md. It is run as a program,
    so only admins should be able to write it."""
    custom: list[CustomKpi] = Field(default_factory=list)
    """KPIs of our own, composed of parts that there are: see `[[kpis.custom]]`."""


class TargetSection(Section):
    """What is wanted of a KPI, from a date on."""

    kpi: KpiKey
    """The KPI's key."""
    scope: Scope = "everyone"
    """Whom it is for: `everyone`, `team:<manager's e-mail or name>` or `rep:<e-mail>`. The narrowest decides."""
    grain: Grain
    """The kind of period that `value` is meant for."""
    value: float
    """What is wanted, in the KPI's own unit: 0.3 is 30 %."""
    from_: date = Field(alias="from")
    """From which day on it holds, until a later one takes its place."""


class ScheduleSection(Section):
    """When `kpisync serve` works."""

    pull: When = "15m"
    """When the CRM is read: an interval (`15m`, `1h`, `1d`) or a cron line of five fields."""
    write: When = "1h"
    """When everything is done: pull, compute, plan, push."""
    full: When = "0 3 * * sun"
    """When everything is read again from the beginning, to find what the CRM forgot to mention."""
    time_zone: TimeZone | None = None
    """Whose clock the cron lines mean. Default: the company's."""


class SurfacesSection(Section):
    """Where numbers are shown in the CRM; auto: wherever the CRM permits it."""

    kpi_records: Switch = "auto"
    """Records of our own object, for reports and dashboards: one for each rep, KPI and period."""
    person_fields: Switch = "auto"
    """Fields on the user: the current month's value of each tracked KPI."""
    lead_scores: Switch = "auto"
    """Engagement score and level on leads and contacts."""


class GuardsSection(Section):
    """What stops a run before it writes."""

    max_changed_share: Annotated[float, Field(gt=0, le=1)] = 0.3
    """Which share of the values shown last time may be corrected in a period that was over, or emptied."""
    max_reps_losing_share: Annotated[float, Field(gt=0, le=1)] = 0.2
    """Which share of the reps that show a number may lose one."""
    api_budget_share: Annotated[float, Field(gt=0, le=1)] = 0.25
    """Which share of the CRM's daily API calls kpisync may use."""
    api_day_share: Annotated[float, Field(gt=0, le=1)] = 0.8
    """Once everybody together has used this share of the CRM's daily API calls, the rest is left to others."""
    max_refused: Annotated[int, Field(ge=1)] = 1000
    """After so many refused records nothing more is sent."""
    overwrite_drift: bool = False
    """Whether to write over what someone changed by hand in our fields; else it is left alone and told."""


class AlertsSection(Section):
    """Who is told when a run was stopped by a guard or failed; the log and `kpisync status` always tell."""

    command: list[str] = Field(default_factory=list)
    """A program and its words, such as `["mail", "-s", "kpisync", "ops@example.com"]`. It gets the sentence on its
    stdin and `KPISYNC_ALERT_CONNECTION`, `_STATE`, `_CODE` and `_ADVICE` in its environment; once for each trouble,
    not once for each run."""


class Settings(Section):
    """Everything in `kpisync.toml`."""

    company: CompanySection = CompanySection()
    connections: dict[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")], ConnectionSection] = Field(
        default_factory=dict
    )
    cache: CacheSection = CacheSection()
    engine: EngineSection = EngineSection()
    kpis: KpisSection = KpisSection()
    targets: list[TargetSection] = Field(default_factory=list)
    schedule: ScheduleSection = ScheduleSection()
    surfaces: SurfacesSection = SurfacesSection()
    guards: GuardsSection = GuardsSection()
    alerts: AlertsSection = AlertsSection()


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
    return parse(text, workspace)


def make_own_kpis_known(workspace: Path) -> None:
    """What has to happen before any command speaks of KPIs; other mistakes in the file are told when it is read."""
    document: dict[str, Any] = {}
    with suppress(OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        document = tomllib.loads((workspace / FILE_NAME).read_text(encoding="utf-8"))
    register(own_kpis(document, workspace))


def parse(text: str, workspace: Path | None = None) -> Settings:
    """The settings in a TOML text. The company's own KPIs are known from here on, in the place of those before."""
    try:
        document = tomllib.loads(text)
        register(own_kpis(document, workspace))
        return Settings.model_validate(document)
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
