"""The pretend CRMs talked to by clients of the JavaScript world: jsforce, and HubSpot's own.

Their packages (tests/crm_sandbox/js/package.json) are installed once into a folder of the run. Without Node and npm
these tests say so; on a build server (the variable CI) they fail then.
"""

import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hubspot_company import WORLD
from salesforce_company import COMPANY, NOW, TOKEN, Client

from crm_sandbox.hubspot import SANDBOX_TOKEN, Portal
from crm_sandbox.salesforce import Org
from crm_sandbox.serving import Sandbox
from crm_sandbox.world import Todo

SCRIPTS = Path(__file__).parent / "js"
INSTALL = ("npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the packages are."""
    folder = tmp_path_factory.mktemp("javascript")
    shutil.copy(SCRIPTS / "package.json", folder)
    try:
        subprocess.run(INSTALL, cwd=folder, check=True, capture_output=True, timeout=240)
    except (OSError, subprocess.SubprocessError) as failure:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"npm could not install the clients: {failure}")
    return folder / "node_modules"


def said(packages: Path, script: str, url: str, token: str) -> dict[str, Any]:
    """What a script saw."""
    environment = {**os.environ, "NODE_PATH": str(packages)}
    command = ["node", str(SCRIPTS / script), url, token]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


def test_jsforce_queries_describes_writes_and_loads_in_bulk(packages: Path) -> None:
    todos = tuple(Todo(f"t{n}", "ana", (), (), NOW) for n in range(3000))
    org = Org(replace(COMPANY, todos=todos), clock=lambda: NOW, access_token=TOKEN)
    Client(org).provision()
    tasks = 3000 + 8  # with those of the company's own that are neither deleted nor archived
    with Sandbox(org) as box:
        seen = said(packages, "salesforce.cjs", box.url, TOKEN)
    assert seen["pages"] == [2000, tasks - 2000, tasks]
    assert seen["distinct"] == tasks
    assert (seen["company"], seen["objects"]) == ("string", True)
    assert seen["upserts"] == [[True, True, True], [False, False]]
    assert seen["single"] == [True, True]
    assert seen["created"] == [[True, None], [False, "REQUIRED_FIELD_MISSING"]]
    assert (seen["changed"], seen["gone"]) == ([True, "Other"], True)
    assert seen["bulkQuery"] == [tasks, ["Id", "Subject"]]
    assert seen["bulkIngest"] == [2, 1, 0]
    assert seen["value"] == 11
    assert seen["errors"] == ["INVALID_FIELD", "INVALID_TYPE", "NOT_FOUND"]
    assert seen["stranger"] == "INVALID_SESSION_ID"


def test_hubspots_own_client_lists_searches_writes_and_links(packages: Path) -> None:
    with Sandbox(Portal(WORLD, enforce_limits=False)) as box:
        seen = said(packages, "hubspot.cjs", box.url, SANDBOX_TOKEN)
    assert seen["pages"] == [2, 4, True]
    assert seen["search"] == [2, True]
    assert seen["batch"] == ["COMPLETE", 1, "Va", 1]
    assert seen["upsert"] == [False, True]
    assert seen["linked"]
    assert seen["property"] == "number"
    assert (seen["pipelines"], seen["owners"], seen["schemas"]) == (True, [1, "string"], True)
    assert (seen["custom"], seen["user"]) == (["Second"], True)
    assert seen["dated"] == [207, "crm.associations.NO_ASSOCIATIONS_FOUND"]
    assert seen["account"] == "Europe/Madrid"
    assert [code for code, _ in seen["errors"]] == [404, 400, 401]
    assert seen["errors"][1][1] == "VALIDATION_ERROR"
