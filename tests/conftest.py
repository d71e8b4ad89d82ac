"""What every test may count on."""

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def log_as_it_was() -> Iterator[None]:
    """The command line sends the product's log to its own stderr for good; a test must not do so to the next one."""
    log = logging.getLogger("kpisync")
    handlers, level, propagate = log.handlers[:], log.level, log.propagate
    yield
    log.handlers[:], log.level, log.propagate = handlers, level, propagate
