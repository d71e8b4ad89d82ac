"""The pretend CRM as a server, for trying things and for other programs' tests."""

import signal
import threading
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from config.errors import SettingsError
from console.session import Session
from crm_sandbox import hubspot, loader, salesforce, seed
from crm_sandbox.serving import Crm, Fault, Sandbox
from crm_sandbox.world import World


class CrmName(StrEnum):
    """The CRMs that there are."""

    SALESFORCE = "salesforce"
    HUBSPOT = "hubspot"


def sandbox_command(
    context: typer.Context,
    crm: Annotated[CrmName, typer.Option("--crm", help="Which CRM to pretend to be.")] = CrmName.SALESFORCE,
    port: Annotated[int, typer.Option("--port", metavar="N", help="Port on this machine; 0: any free one.")] = 0,
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="DIR", help="A folder of files to load instead of the demo company."),
    ] = None,
    latency: Annotated[float, typer.Option("--latency", metavar="SECONDS", help="How long each answer takes.")] = 0.0,
    faults: Annotated[
        Path | None, typer.Option("--faults", metavar="FILE", help="A JSON list of faults to strike with.")
    ] = None,
    limits: Annotated[bool, typer.Option("--limits/--no-limits", help="Enforce the CRM's request limits.")] = True,
) -> None:
    """A pretend Salesforce or HubSpot on a loopback port, until it is interrupted."""
    session: Session = context.obj
    world = load_world(data)
    with Sandbox(pretend(crm, world, limits=limits), port=port, latency=latency, faults=read_faults(faults)) as sandbox:
        session.result(
            {"crm": crm.value, "url": sandbox.url, "company": world.name, **credentials(crm)},
            *told(session, crm, sandbox.url),
        )
        session.out.file.flush()
        stopped = threading.Event()
        for signal_number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(signal_number, lambda *_: stopped.set())
        stopped.wait()


def load_world(folder: Path | None) -> World:
    """The demo company, or the one in a folder of files."""
    now = datetime.now(UTC)
    if folder is None:
        return seed.demo_world(now)
    try:
        return loader.load(folder, now)
    except loader.UnreadableFolder as error:
        raise SettingsError([str(error)]) from error


def pretend(crm: CrmName, world: World, *, limits: bool) -> Crm:
    """The pretend CRM with this company inside."""
    match crm:
        case CrmName.SALESFORCE:
            return salesforce.Org(world)
        case CrmName.HUBSPOT:
            return hubspot.Portal(world, enforce_limits=limits)


def credentials(crm: CrmName) -> dict[str, str]:
    """What the pretend CRM lets in. Made up; they open nothing else."""
    match crm:
        case CrmName.SALESFORCE:
            return {"client_id": salesforce.CLIENT_ID, "client_secret": salesforce.CLIENT_SECRET}
        case CrmName.HUBSPOT:
            return {"token": hubspot.SANDBOX_TOKEN}


def told(session: Session, crm: CrmName, url: str) -> list[str]:
    """For people: where it is and how to connect to it."""
    key = "login_url" if crm is CrmName.SALESFORCE else "base_url"
    lines = [f"{session.say('A pretend {crm} listens on {url}; stop it with Ctrl+C.', crm=crm.value, url=url)}", ""]
    lines += ["[connections.sandbox]", f'crm = "{crm.value}"', f'{key} = "{url}"']
    for name, value in credentials(crm).items():
        lines.append(
            f'client_id = "{value}"' if name == "client_id" else f"# export KPISYNC_SANDBOX_{name.upper()}={value}"
        )
    return lines


def read_faults(file: Path | None) -> list[Fault]:
    """The faults in a file. Raises `SettingsError` where they cannot be understood."""
    if file is None:
        return []
    try:
        rules: list[dict[str, Any]] = msgspec.json.decode(file.read_bytes(), type=list[dict[str, Any]])
        return [msgspec.convert(rule, Fault) for rule in rules]
    except (OSError, msgspec.MsgspecError) as error:
        raise SettingsError([f"{file} is not a list of faults: {error}."]) from error
