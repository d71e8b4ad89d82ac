"""What every test may count on."""

import gc
import logging
import os

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:  # one process a core: each needs but one thread for its small frames
    os.environ.setdefault("POLARS_MAX_THREADS", "1")
gc.set_threshold(100_000)  # thousands of small frames come and go: looking for circles among them costs a tenth


@pytest.fixture(autouse=True)
def nobody_listens_yet() -> None:
    """The command line sends the product's log to its own stderr for good; a test must not do so to the next one."""
    log = logging.getLogger("kpisync")
    log.handlers[:], log.propagate = [], True
    log.setLevel(logging.NOTSET)
