"""Let a person connect a CRM in the browser, and disconnect it again."""

import sys
import threading
import webbrowser
from dataclasses import dataclass
from typing import Annotated

import typer

from config import settings as config
from config.errors import SettingsError
from config.vault import Vault
from connectors.consent import Consent, Ended, Joined, Question, question
from connectors.errors import CrmError
from console.commands.everyday import ConnectionName
from console.errors import BY_CODE
from console.i18n import Speaker
from console.redirect import PORT, Answer, Redirect, address
from console.session import Session
from console.workspace import Workspace
from sync.lock import only_run

WAIT_FOR_A_RUN = 60.0
"""Seconds that a new token waits for the end of a run, which could store a successor of the old one over it."""

CRMS = {"salesforce": "Salesforce", "hubspot": "HubSpot"}

LEFT = {
    "client_credentials": "The External Client App stays in Salesforce; block or delete it there.",
    "jwt": "The External Client App stays in Salesforce; block or delete it there.",
    "refresh_token": "The External Client App stays in Salesforce; block or delete it there.",
    "access_token": "Nothing of the sign-in is left in Salesforce.",
    "token": "HubSpot lets nobody end a service key from outside: delete it there (Development › Keys).",
    "oauth": "The app stays installed in HubSpot; uninstall it there (Settings › Integrations › Connected apps).",
}
"""What is left in the CRM, by the way of signing in."""


def connect_command(
    context: typer.Context,
    connection: ConnectionName = None,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Only print the address; it is opened by hand.")
    ] = False,
    port: Annotated[
        int, typer.Option("--port", min=1, max=65535, help="Port of this machine that the CRM sends the browser to.")
    ] = PORT,
    wait: Annotated[float, typer.Option("--wait", min=1, metavar="SECONDS", help="How long to wait.")] = 300.0,
) -> None:
    """Sign in to the CRM in a browser and store what it grants (auth = refresh_token or oauth)."""
    session: Session = context.obj
    workspace = Workspace(session.folder)
    name, section = _chosen(workspace, connection, by_browser=True)
    workspace.vault.ready()
    _client_secret(session, workspace.vault, name, section)
    asked = question(address(port))
    with workspace.consent(name) as consent, Redirect(port, asked.state, session.say) as back:
        _send(session, consent.page(asked), CRMS[section.crm], port, open_it=not no_browser)
        answer = back.wait(wait)
        try:
            with only_run(workspace.folder, wait_seconds=WAIT_FOR_A_RUN):
                joined = _joined(consent, asked, answer)
                workspace.vault.store(name, "REFRESH_TOKEN", joined.refresh_token)
        except (CrmError, SettingsError) as error:
            back.show(Failed(error))
            raise
        back.show(Connected(name, CRMS[section.crm], joined))
    _tell(session, name, CRMS[section.crm], joined)


def disconnect_command(
    context: typer.Context,
    connection: ConnectionName = None,
    forget_anyway: Annotated[
        bool, typer.Option("--forget-anyway", help="Forget the secrets even if the CRM cannot be told.")
    ] = False,
) -> None:
    """End our access at the CRM, then forget the secrets; no record, setting or cached number is touched."""
    session: Session = context.obj
    workspace = Workspace(session.folder)
    name, section = _chosen(workspace, connection, by_browser=False)
    with only_run(workspace.folder):
        ended = _ended(session, workspace, name, forget_anyway=forget_anyway)
        still_set = workspace.vault.forget(name)
    sentences = {
        Ended.REVOKED: "{crm} ended the access of {name}.",
        Ended.GONE: "{crm} did not know the access of {name} any more.",
        Ended.NOTHING: "For {name} there is nothing to end at {crm} from here.",
        None: "The access of {name} may still be good at {crm}.",
    }
    session.tell(sentences[ended], name=name, crm=CRMS[section.crm])
    session.tell("Its secrets are forgotten here. Settings, cache and the CRM's records are as they were.")
    session.tell(LEFT[section.auth])
    for variable in still_set:
        session.tell("Still set in the environment: {name}. Take it away there.", name=variable)
    session.result({"connection": name, "revoked": ended.value if ended else None, "still_set": still_set})


def _chosen(workspace: Workspace, connection: str | None, *, by_browser: bool) -> tuple[str, config.ConnectionSection]:
    """The one connection that is meant, and its settings."""
    sections = workspace.settings.connections
    names = workspace.connections(connection)
    fitting = [name for name in names if not by_browser or sections[name].auth in config.BY_BROWSER]
    if len(fitting) == 1:
        name = fitting[0]
        if by_browser and not sections[name].client_id:
            raise SettingsError([f"kpisync.toml: connections.{name}.client_id: say which app of yours is to sign in."])
        return name, sections[name]
    if fitting:
        raise SettingsError([f"Say which connection is meant: --connection {' or '.join(fitting)}."])
    raise SettingsError(
        [
            f'kpisync.toml: connections.{name}.auth: {sections[name].auth!r} needs no person in a browser; set auth = "'
            f'{"refresh_token" if sections[name].crm == "salesforce" else "oauth"}" to connect one.'
            for name in names
        ]
    )


def _client_secret(session: Session, vault: Vault, name: str, section: config.ConnectionSection) -> None:
    """The app's secret, asked for on a terminal where it is not stored. A Salesforce app may do without one."""
    if vault.find(name, "CLIENT_SECRET"):
        return
    if sys.stdin.isatty():
        prompt = session.say("The app's client secret (empty: it has none)")
        if given := str(typer.prompt(prompt, default="", show_default=False, hide_input=True, err=True)).strip():
            vault.store(name, "CLIENT_SECRET", given)
            return
    if section.crm == "hubspot":
        vault.need(name, "CLIENT_SECRET")


def _send(session: Session, page: str, crm: str, port: int, *, open_it: bool) -> None:
    """Send the person to the CRM's page."""
    session.tell("Agree on this page of {crm}:", crm=crm)
    session.tell("{text}", text=page)
    session.tell("{crm} comes back to {address}; the app must name exactly this.", crm=crm, address=address(port))
    if open_it:  # beside us, for a browser in the terminal keeps its caller waiting until it is left
        threading.Thread(target=webbrowser.open, args=(page,), name="browser", daemon=True).start()


def _joined(consent: Consent, asked: Question, answer: Answer) -> Joined:
    if answer.error:
        raise consent.refusal(answer.error, answer.description)
    return consent.exchange(asked, answer.code)


@dataclass(frozen=True)
class Connected:
    """The page of a sign-in that worked."""

    name: str
    crm: str
    joined: Joined

    def __call__(self, say: Speaker) -> tuple[str, str]:
        return (
            say("{crm} is connected", crm=self.crm),
            say("kpisync may sign in as {name}. You can close this page.", name=self.joined.person or self.name),
        )


@dataclass(frozen=True)
class Failed:
    """The page of a sign-in that did not."""

    error: CrmError | SettingsError

    def __call__(self, say: Speaker) -> tuple[str, str]:
        known = BY_CODE[self.error.code]
        heading = say("Not connected ({code})", code=self.error.code)
        if say.language != "en" or isinstance(self.error, SettingsError):
            return heading, f"{known.title.said(say.language)}. {known.fix.said(say.language)}"
        return heading, f"{self.error.message} {self.error.advice}"


def _tell(session: Session, name: str, crm: str, joined: Joined) -> None:
    session.tell(
        "{name} is connected to {crm} {organisation} as {person}. Next: kpisync doctor",
        name=name,
        crm=crm,
        organisation=joined.organisation,
        person=joined.person,
    )
    for scope in joined.lacking:
        session.tell("Not granted: {scope}. `kpisync doctor` says what does without it.", scope=scope)
    session.result(
        {
            "connection": name,
            "organisation": joined.organisation,
            "person": joined.person,
            "not_granted": joined.lacking,
        }
    )


def _ended(session: Session, workspace: Workspace, name: str, *, forget_anyway: bool) -> Ended | None:
    """What the CRM made of the end; None where it could not be told and that is to be no hindrance."""
    try:
        with workspace.consent(name) as consent:
            return consent.revoke()
    except CrmError as error:
        if not forget_anyway:
            session.tell("Nothing was forgotten, so that it can be tried again.")
            raise
        session.tell("{text}", text=error)
        return None
