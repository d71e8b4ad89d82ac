"""Workspaces that are connected to a pretend CRM."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from browser import Hall, Person, agrees, opened
from command_line import CRMS, Office, pretend

from crm_sandbox.serving import Sandbox
from crm_sandbox.world import World


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Callable[[str, World], Office]]:
    """`office(crm, world)`: a pretend CRM with this company, and a workspace that is connected to it."""
    with ExitStack() as stack:

        def opened(crm: str, world: World) -> Office:
            sandbox = stack.enter_context(Sandbox(pretend(crm, world)))
            made = Office(tmp_path, crm, sandbox)
            made.settings()
            return made

        yield opened


@pytest.fixture(params=CRMS)
def hall(request: pytest.FixtureRequest, office: Callable[[str, World], Office]) -> Hall:
    """A workspace whose CRM wants a person in a browser, for each CRM."""
    return opened(request.param, office)


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch) -> Person:
    """Someone who watches the terminal and agrees to whatever page it names."""
    made = Person(agrees)
    made.watches(monkeypatch)
    return made
