"""Sends a zip of metadata to Salesforce and waits for what becomes of it."""

from collections.abc import Mapping
from typing import Any

import msgspec

from connectors.errors import Unreachable
from connectors.salesforce.answers import garbled
from connectors.salesforce.org import Org

POLLS = 300
"""How often to look; with the waits below about an hour."""

SLOWEST_POLL = 15.0


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """One component that Salesforce would not take."""

    componentType: str | None = None
    fullName: str | None = None
    fileName: str | None = None
    problem: str | None = None


class _Details(msgspec.Struct):
    componentFailures: list[Failure] | Failure = []


class Deployment(msgspec.Struct, kw_only=True):
    """How a deployment stands. Salesforce sends some booleans as text."""

    status: str = ""
    done: bool | str = False
    success: bool | str = False
    errorMessage: str | None = None
    details: _Details | None = None

    @property
    def finished(self) -> bool:
        return str(self.done).lower() == "true"

    @property
    def succeeded(self) -> bool:
        return str(self.success).lower() == "true"

    @property
    def failures(self) -> list[Failure]:
        """What was refused; one alone comes without its list."""
        found = self.details.componentFailures if self.details else []
        return found if isinstance(found, list) else [found]


class _Started(msgspec.Struct):
    id: str


class _Status(msgspec.Struct):
    deployResult: Deployment


def deploy(org: Org, zipped: bytes, *, check_only: bool) -> Deployment:
    """Deploy all or nothing; `check_only` makes Salesforce say what it would do, and do nothing."""
    options: Mapping[str, Any] = {
        "allowMissingFiles": False,
        "autoUpdatePackage": False,
        "checkOnly": check_only,
        "ignoreWarnings": True,
        "performRetrieve": False,
        "purgeOnDelete": False,
        "rollbackOnError": True,
        "runTests": [],
        "singlePackage": True,
        "testLevel": "NoTestRun",
    }
    what = "the deployment of our objects and fields"
    form = {
        "json": (None, msgspec.json.encode({"deployOptions": options}), "application/json"),
        "file": ("deploy.zip", zipped, "application/zip"),
    }
    # Deploying the same zip twice changes nothing, so it may be repeated.
    started = org.call("POST", "/metadata/deployRequest", what, files=form, safe=True)
    try:
        number = msgspec.json.decode(started.content, type=_Started).id
    except msgspec.MsgspecError:
        raise garbled(what) from None
    return _watched(org, number, what)


def _watched(org: Org, number: str, what: str) -> Deployment:
    wait = 0.5
    for _ in range(POLLS):
        answer = org.call("GET", f"/metadata/deployRequest/{number}", what, params={"includeDetails": "true"})
        try:
            deployment = msgspec.json.decode(answer.content, type=_Status).deployResult
        except msgspec.MsgspecError:
            raise garbled(what) from None
        if deployment.finished:
            return deployment
        org.sleep(wait)
        wait = min(wait * 1.5, SLOWEST_POLL)
    raise Unreachable(
        "KPI-SF-005",
        "Salesforce has not finished the deployment of our objects and fields.",
        "See Setup › Deployment Status; run `kpisync provision` again when it is through.",
    )
