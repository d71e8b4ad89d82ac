"""The command line as a person uses it: a workspace folder, words, and what comes out."""

import contextlib
import io
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

from console.cli import main
from crm_sandbox.hubspot import SANDBOX_TOKEN, Portal
from crm_sandbox.salesforce import CLIENT_ID, CLIENT_SECRET, Org
from crm_sandbox.serving import Crm, Sandbox
from crm_sandbox.world import World

SECRETS = {"KPISYNC_ACME_CLIENT_SECRET": CLIENT_SECRET, "KPISYNC_ACME_TOKEN": SANDBOX_TOKEN}
CRMS = ("salesforce", "hubspot")


@dataclass(frozen=True)
class Said:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """stdout as the one JSON document that it must be."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[dict[str, Any]]:
        """stdout as JSON Lines."""
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(frozen=True)
class Office:
    """A workspace that is connected to a pretend CRM."""

    folder: Path
    crm: str
    sandbox: Sandbox

    def kpisync(self, *words: str, secrets: dict[str, str] = SECRETS) -> Said:
        """Run a command in this workspace."""
        return kpisync(self.folder, *words, secrets=secrets)

    def settings(self, more: str = "", **connection: str) -> None:
        """Write kpisync.toml; `more` follows the connection."""
        (self.folder / "kpisync.toml").write_text(settings(self.crm, self.sandbox.url, more, **connection))

    def shown(self) -> dict[str, Any]:
        """External key → value of the KPI records that the CRM shows."""
        return kpi_records(self.sandbox.crm)

    def writes(self, since: int = 0) -> list[str]:
        """The requests that could change the CRM, from its own log."""
        return [f"{entry.method} {entry.path}" for entry in self.sandbox.log[since:] if entry.writes]


def kpisync(folder: Path, *words: str, secrets: dict[str, str] = SECRETS) -> Said:
    """Run a command as the program would, with stdout and stderr apart."""
    out, err = io.StringIO(), io.StringIO()
    with (
        patch.dict("os.environ", {"KPISYNC_WORKSPACE": str(folder), "KPISYNC_LANG": "en", **secrets}),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main(words)
        except SystemExit as left:
            code = int(left.code or 0)
    return Said(code, out.getvalue(), err.getvalue())


def settings(crm: str, url: str, more: str = "", **connection: str) -> str:
    """A kpisync.toml with one connection, `acme`."""
    address = "login_url" if crm == "salesforce" else "base_url"
    said = {"crm": crm, address: url, **({"client_id": CLIENT_ID} if crm == "salesforce" else {}), **connection}
    return "\n".join(["[connections.acme]", *(f'{key} = "{value}"' for key, value in said.items()), more, ""])


def pretend(crm: str, world: World) -> Crm:
    """The pretend CRM with this company; HubSpot's limits are for the tests that are about them."""
    return Org(world) if crm == "salesforce" else Portal(world, enforce_limits=False)


def kpi_records(crm: Crm) -> dict[str, Any]:
    """What the KPI records in a pretend CRM show: external key → value (a number, or None for a blank)."""
    if isinstance(crm, Org):
        return {row["External_Key__c"]: row.get("Value__c") for row in crm.rows("Sales_KPI__c")}
    assert isinstance(crm, Portal)
    rows = [row["properties"] for row in crm.records("sales_kpi")]
    return {row["external_key"]: float(row["value"]) if row.get("value") else None for row in rows}


def at(text: str) -> datetime:
    """A moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
