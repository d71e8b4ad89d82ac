"""A workspace whose CRM wants a person in a browser, and that person, played by a thread."""

import re
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import httpx
from command_line import Office, Said
from cryptography.fernet import Fernet

from config.vault import Vault
from console.session import Session
from crm_sandbox.hubspot import SANDBOX_CLIENT, SANDBOX_REFRESH_TOKEN, Portal
from crm_sandbox.salesforce import CLIENT_ID, CLIENT_SECRET, Org
from crm_sandbox.world import Seller, World

KEY = Fernet.generate_key().decode()
PAGE = re.compile(r"http://\S+/oauth\S*authorize\?\S+")


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@dataclass
class Person:
    """`does(client, page)` with the page that kpisync names. `seen` are the pages that were shown."""

    does: Callable[[httpx.Client, str], httpx.Response]
    language: str = "en-GB,en;q=0.8"
    seen: list[httpx.Response] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)
    failure: BaseException | None = None

    def watches(self, monkeypatch: Any) -> None:
        """Sees what kpisync says on the terminal, and acts once the page is named."""
        tell = Session.tell

        def told(session: Session, sentence: str, /, **values: object) -> None:
            tell(session, sentence, **values)
            page = PAGE.fullmatch(str(values.get("text", "")))
            if page:
                self.pages.append(page[0])
                threading.Thread(target=self._act, args=(page[0],), daemon=True).start()

        monkeypatch.setattr(Session, "tell", told)

    def _act(self, page: str) -> None:
        headers = {"Accept-Language": self.language}
        try:
            with httpx.Client(follow_redirects=True, headers=headers, timeout=20, trust_env=False) as client:
                self.seen.append(self.does(client, page))
        except BaseException as failure:  # looked at by the test
            self.failure = failure

    def has_seen(self) -> httpx.Response:
        """The page at the end."""
        for _ in range(600):
            if self.seen or self.failure:
                break
            time.sleep(0.05)
        assert self.failure is None, self.failure
        return self.seen[0]


def agrees(client: httpx.Client, page: str) -> httpx.Response:
    """Goes wherever the browser is sent."""
    return client.get(page)


WORLD = World("Small", datetime(2026, 11, 20, 12, tzinfo=UTC), sellers=(Seller("ana", "Ana Ruiz", "ana@acme.example"),))
WAYS = {"salesforce": ("refresh_token", CLIENT_ID, CLIENT_SECRET), "hubspot": ("oauth", *SANDBOX_CLIENT)}
TOKEN = {"salesforce": "/services/oauth2/token", "hubspot": "/oauth/2026-09/token"}
REVOKE = {"salesforce": "/services/oauth2/revoke", "hubspot": "/oauth/2026-09/token/revoke"}


@dataclass
class Hall:
    """A workspace whose connection wants a person in a browser, and the secrets of its environment."""

    office: Office
    port: int
    secrets: dict[str, str] = field(default_factory=dict)

    @property
    def crm(self) -> str:
        return self.office.crm

    def kpisync(self, *words: str) -> Said:
        nothing = {"KPISYNC_ACME_CLIENT_SECRET": "", "KPISYNC_ACME_TOKEN": "", "KPISYNC_ACME_REFRESH_TOKEN": ""}
        return self.office.kpisync(*words, secrets={**nothing, "KPISYNC_VAULT_KEY": KEY, **self.secrets})

    def connect(self, *words: str) -> Said:
        return self.kpisync("connect", "--no-browser", "--port", str(self.port), *words)

    def refresh_tokens(self) -> list[str]:
        """Those that the CRM takes, but for the one that its sandbox was born with."""
        crm = self.office.sandbox.crm
        if isinstance(crm, Org):
            return list(crm.auth.refresh_tokens)
        assert isinstance(crm, Portal)
        return [token for token in crm.gate.refresh_tokens if token != SANDBOX_REFRESH_TOKEN]

    def access_tokens(self) -> list[str]:
        """Those that the CRM gave and that have not ended."""
        crm = self.office.sandbox.crm
        if isinstance(crm, Org):
            return list(crm.auth.tokens)
        assert isinstance(crm, Portal)
        return [token for token, known in crm.gate.credentials.items() if known.kind == "oauth"]

    def stored(self, name: str = "REFRESH_TOKEN") -> str | None:
        """What the encrypted file holds."""
        return Vault(self.office.folder, {"KPISYNC_VAULT_KEY": KEY}).find("acme", name)

    def asked(self, path: str) -> int:
        return sum(entry.path == path for entry in self.office.sandbox.log)

    def let(self, **rules: object) -> None:
        """Have the CRM behave so."""
        crm = self.office.sandbox.crm
        if isinstance(crm, Org):
            crm.auth.apps[CLIENT_ID] = replace(crm.auth.apps[CLIENT_ID], **rules)  # type: ignore[arg-type]
        else:
            assert isinstance(crm, Portal)
            crm.desk.change(rules)


def opened(crm: str, office: Callable[[str, World], Office]) -> Hall:
    made, port = office(crm, WORLD), free_port()
    auth, client_id, secret = WAYS[crm]
    back = (f"http://localhost:{port}/connected",)
    if isinstance(made.sandbox.crm, Org):
        apps = made.sandbox.crm.auth.apps
        apps[CLIENT_ID] = replace(apps[CLIENT_ID], callbacks=back)
        made.settings(auth=auth)
    else:
        assert isinstance(made.sandbox.crm, Portal)
        made.sandbox.crm.gate.callbacks = back
        made.settings(auth=auth, client_id=client_id, login_url=made.sandbox.url)
    return Hall(made, port, {"KPISYNC_ACME_CLIENT_SECRET": secret})
