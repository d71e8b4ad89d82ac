"""A command loads what it needs: starting is most of what a pull with nothing new takes."""

import subprocess
import sys

import pytest

LOADED = """
import sys
from console.cli import program
from console.i18n import Speaker
program(Speaker("en"), "{command}")
print(*sorted({{name.partition(".")[0] for name in sys.modules}}))
"""


@pytest.mark.parametrize("command", ["pull", "values", "target"])
def test_neither_pretend_crms_nor_a_web_server_nor_a_vendors_client_are_loaded_before_they_are_needed(command: str):
    asked = [sys.executable, "-c", LOADED.format(command=command)]
    loaded = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()
    assert "sqlalchemy" in loaded  # it is the command that was loaded, not nothing
    assert {"aiohttp", "crm_sandbox", "fastapi", "apscheduler", "holidays", "simple_salesforce"}.isdisjoint(loaded)
