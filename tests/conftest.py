"""What every test may count on."""

import logging

import pytest


@pytest.fixture(autouse=True)
def nobody_listens_yet() -> None:
    """The command line sends the product's log to its own stderr for good; a test must not do so to the next one."""
    log = logging.getLogger("kpisync")
    log.handlers[:], log.propagate = [], True
    log.setLevel(logging.NOTSET)
