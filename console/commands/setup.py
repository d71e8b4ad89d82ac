"""Set up: init, doctor, provision, unprovision."""

import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import msgspec
import tomlkit
import typer
from cryptography.fernet import Fernet
from rich.table import Table

from config import settings as config
from config.errors import SecretMissing, SettingsError, VaultError
from config.vault import KEY_VARIABLE, Vault, variable
from connectors.contract import ApiVersion, KpiField, NotProvisioned, Provisioned
from connectors.errors import CrmError
from console.commands.everyday import ConnectionName
from console.commands.sandbox import CrmName
from console.errors import BY_CODE
from console.exit_codes import Exit
from console.i18n import Speaker
from console.session import Session
from console.workspace import Workspace
from kpi_engine.catalog import every_kpi, places
from sync.lock import only_run
from sync.spark import look_for_parts

SOON = timedelta(days=180)
ADDRESS = {CrmName.SALESFORCE: "login_url", CrmName.HUBSPOT: "base_url"}


class Finding(msgspec.Struct, frozen=True):
    """One thing that `doctor` looked at. state: ok | note | wrong."""

    connection: str | None
    what: str
    state: str
    detail: str
    fix: str = ""


def init_command(
    context: typer.Context,
    non_interactive: Annotated[
        bool, typer.Option("--non-interactive", help="Ask nothing; secrets come from the environment.")
    ] = False,
    name: Annotated[str | None, typer.Option("--name", help="The connection's name; yours to choose.")] = None,
    crm: Annotated[CrmName | None, typer.Option("--crm", help="Which CRM.")] = None,
    login_url: Annotated[str | None, typer.Option("--login-url", help="Salesforce: your My Domain address.")] = None,
    base_url: Annotated[str | None, typer.Option("--base-url", help="HubSpot: the API's address.")] = None,
    auth: Annotated[str | None, typer.Option("--auth", help="The way to sign in.")] = None,
    client_id: Annotated[str | None, typer.Option("--client-id", help="The app's client id or consumer key.")] = None,
    new_vault_key: Annotated[
        bool, typer.Option("--new-vault-key", help="Only print a new key for the encrypted file of secrets.")
    ] = False,
) -> None:
    """Write kpisync.toml and store the secrets."""
    session: Session = context.obj
    if new_vault_key:
        session.result({KEY_VARIABLE: (key := Fernet.generate_key().decode())}, f"export {KEY_VARIABLE}={key}")
        return
    asking = not non_interactive and sys.stdin.isatty()
    chosen = crm or _ask_crm(session, asking)
    address = login_url if chosen is CrmName.SALESFORCE else base_url
    said = {
        "crm": chosen.value,
        ADDRESS[chosen]: address or _ask(session, asking, "The CRM's address", _address(chosen)),
        "auth": auth or ("client_credentials" if chosen is CrmName.SALESFORCE else "token"),
        "client_id": client_id or "",
    }
    if said["auth"] != "token" and said["auth"] != "access_token" and not said["client_id"]:
        said["client_id"] = _ask(session, asking, "The app's client id (consumer key)", None)
    connection = name or _ask(session, asking, "A name for this connection", "acme")
    _add_connection(session.folder / config.FILE_NAME, connection, {key: value for key, value in said.items() if value})
    by_browser = said["auth"] in config.BY_BROWSER
    needed = () if by_browser else config.SECRETS[said["auth"]]
    _store_secrets(session, Vault(session.folder), connection, needed, asking)
    sentences = {
        True: "{file} has the connection {name}. Next: kpisync connect",
        False: "{file} has the connection {name}. Next: kpisync doctor",
    }
    session.tell(sentences[by_browser], file=config.FILE_NAME, name=connection)
    session.result({"file": config.FILE_NAME, "connection": connection})


def _address(crm: CrmName) -> str | None:
    return "https://api.hubapi.com" if crm is CrmName.HUBSPOT else None


def _ask_crm(session: Session, asking: bool) -> CrmName:
    answer = _ask(session, asking, "Which CRM (salesforce or hubspot)", "salesforce")
    try:
        return CrmName(answer)
    except ValueError:
        raise SettingsError([f"{answer!r} is neither salesforce nor hubspot."]) from None


def _ask(session: Session, asking: bool, what: str, default: str | None) -> str:
    """An answer from the terminal; without one the default, or what is missing."""
    if asking:
        return str(typer.prompt(session.say(what), default=default, err=True))
    if default is None:
        raise SettingsError([f"{what} is missing; give it as an option (see `kpisync init --help`)."])
    return default


def _add_connection(file: Path, name: str, said: dict[str, str]) -> None:
    """Write a connection into the settings, keeping everything else as it is; nothing is written unless it is valid."""
    document = tomlkit.parse(file.read_text(encoding="utf-8")) if file.exists() else tomlkit.document()
    connections = document.setdefault("connections", tomlkit.table(is_super_table=True))
    if name in connections:
        raise SettingsError([f"{config.FILE_NAME} has a connection {name!r} already; choose another name."])
    section = tomlkit.table()
    section.update(said)
    connections[name] = section
    text = tomlkit.dumps(document)
    config.parse(text)
    file.write_text(text, encoding="utf-8")


def _store_secrets(session: Session, vault: Vault, connection: str, names: Sequence[str], asking: bool) -> None:
    for name in names:
        if vault.find(connection, name):
            continue
        if not asking:
            session.tell("Still needed: the environment variable {name}.", name=variable(connection, name))
            continue
        vault.store(connection, name, str(typer.prompt(name, hide_input=True, err=True)))


def doctor_command(context: typer.Context, connection: ConnectionName = None) -> None:
    """Everything that can be wrong, each with its fix."""
    session: Session = context.obj
    workspace = Workspace(session.folder)
    today = datetime.now(UTC).date()
    findings = [
        *examine_engine(workspace, session.say),
        *(
            finding
            for name in workspace.connections(connection)
            for finding in examine(workspace, name, session.say, today)
        ),
    ]
    table = Table(title=session.say("What was looked at"), title_justify="left")
    for column in ("connection", "what", "state", "detail", "fix"):
        table.add_column(session.say(column), overflow="fold")
    for found in findings:
        table.add_row(
            found.connection or "", session.say.word(found.what), session.say.word(found.state), found.detail, found.fix
        )
    session.result(findings, table)
    if any(found.state == "wrong" for found in findings):
        raise typer.Exit(Exit.FAILED)


def examine_engine(workspace: Workspace, say: Speaker) -> Iterator[Finding]:
    """Whether what Spark needs on this machine is there, if Spark computes. Executors are not asked."""
    if workspace.spark is None:
        return
    try:
        look_for_parts()
    except CrmError as error:
        yield Finding(None, error.code, "wrong", error.message, _fix(error, say))
    else:
        yield Finding(None, "engine", "ok", f"Spark: {workspace.spark.master}")


def _fix(error: CrmError, say: Speaker) -> str:
    return BY_CODE[error.code].fix.said(say.language) if say.language != "en" else error.advice


def examine(workspace: Workspace, name: str, say: Speaker, today: date) -> Iterator[Finding]:
    """What can be said of one connection."""
    try:
        with workspace.cache(name) as cache:
            damage = cache.integrity()
            records = sum(cache.counts().values())
            unread = cache.unread()
        if damage:
            yield Finding(name, "cache", "wrong", damage, say("Move the file away and run `kpisync pull --full`."))
        else:
            yield Finding(name, "cache", "ok", say("{n} records", n=records))
        for one in unread:
            yield Finding(name, f"{one.stream} {one.id}", "note", one.reason, say("Correct the record in the CRM."))
        yield from no_place_for_tokens(workspace, name, say)
        with workspace.job(name, afresh=True) as job:
            found = job.connector.capabilities()
    except SecretMissing as error:
        yield Finding(name, error.code, "wrong", error.problems[0], BY_CODE[error.code].fix.said(say.language))
        return
    except CrmError as error:
        yield Finding(name, error.code, "wrong", error.message, _fix(error, say))
        return
    yield Finding(name, "sign-in", "ok", found.organisation)
    yield Finding(name, "time zone", "ok", found.time_zone or "–")
    if found.daily_calls is not None:
        yield Finding(
            name,
            "API calls today",
            "ok",
            say("{left} of {all} left", left=found.daily_calls_left, all=found.daily_calls),
        )
    yield from (ending(name, version, say, today) for version in found.api_versions)
    for surface in sorted(found.surfaces):
        yield Finding(name, surface.value, "ok", say("can be written"))
    for gap in found.gaps:
        yield Finding(name, gap.source, "note", gap.reason, gap.advice)


def no_place_for_tokens(workspace: Workspace, name: str, say: Speaker) -> Iterator[Finding]:
    """A CRM may replace a refresh token at any use: what it hands out must find a place here."""
    if workspace.settings.connections[name].auth in config.BY_BROWSER:
        try:
            workspace.vault.ready()
        except VaultError as error:
            yield Finding(name, error.code, "note", error.problems[0], BY_CODE[error.code].fix.said(say.language))


def ending(name: str, version: ApiVersion, say: Speaker, today: date) -> Finding:
    """Until when a version of the CRM's API is supported; worth a note half a year before."""
    detail = say(
        "{version} is supported until {day}: {uses}",
        version=version.name,
        day=version.ends.isoformat(),
        uses=", ".join(version.used_for),
    )
    if version.ends - today > SOON:
        return Finding(name, "API version", "ok", detail)
    fix = say("Before that day update kpisync, or choose a newer version in kpisync.toml.")
    return Finding(name, "API version", "note", detail, fix)


def provision_command(
    context: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be made.")] = False,
    connection: ConnectionName = None,
) -> None:
    """Make our object, fields, permission sets, reports and dashboards in the CRM."""
    _provide(context.obj, connection, make=True, dry_run=dry_run)


def unprovision_command(
    context: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be removed.")] = False,
    connection: ConnectionName = None,
) -> None:
    """Remove exactly what `provision` made."""
    _provide(context.obj, connection, make=False, dry_run=dry_run)


def kpi_fields(track: Sequence[str]) -> list[KpiField]:
    """What provisioning has to know of the tracked KPIs."""
    tracked = [kpi for kpi in every_kpi() if kpi.key in set(track)]
    return [KpiField(kpi.key, kpi.label.en, kpi.unit.value, places(kpi)) for kpi in tracked]


def _provide(session: Session, connection: str | None, *, make: bool, dry_run: bool) -> None:
    workspace = Workspace(session.folder)
    told: dict[str, list[Provisioned | NotProvisioned]] = {}
    with only_run(workspace.folder):
        for name in workspace.connections(connection):
            with workspace.job(name) as job:
                work = job.connector.provision if make else job.connector.unprovision
                # A KPI that is no longer tracked has left its field behind: it is ours too.
                kpis = job.options.track if make else [kpi.key for kpi in every_kpi()]
                told[name] = list(work(kpi_fields(kpis), dry_run=dry_run))
    for name, things in told.items():
        _tell_provided(session, name, things, make=make, dry_run=dry_run)
    session.result(told)
    if any(isinstance(thing, NotProvisioned) for things in told.values() for thing in things):
        raise typer.Exit(Exit.REFUSED)


def _tell_provided(
    session: Session, name: str, things: Sequence[Provisioned | NotProvisioned], *, make: bool, dry_run: bool
) -> None:
    done = [thing for thing in things if isinstance(thing, Provisioned) and thing.made]
    sentences = {
        (True, False): "{name}: {n} things made, {rest} were there.",
        (True, True): "{name}: {n} things would be made, {rest} are there.",
        (False, False): "{name}: {n} things removed, {rest} were not there.",
        (False, True): "{name}: {n} things would be removed, {rest} are not there.",
    }
    refused = [thing for thing in things if isinstance(thing, NotProvisioned)]
    rest = len(things) - len(done) - len(refused)
    session.tell(sentences[make, dry_run], name=name, n=len(done), rest=rest)
    for thing in done if dry_run else ():
        session.tell("  {what}", what=thing.what)
    tell_not_provisioned(session, refused)


def tell_not_provisioned(session: Session, refused: Sequence[NotProvisioned]) -> None:
    """What the CRM would not have."""
    for thing in refused:
        session.tell("Refused: {what}: {reason} {advice}", what=thing.what, reason=thing.reason, advice=thing.advice)
