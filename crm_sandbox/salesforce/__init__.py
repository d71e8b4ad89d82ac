"""A pretend Salesforce organisation over real HTTP: `with Sandbox(Org(world)) as sandbox: … sandbox.url`."""

from crm_sandbox.salesforce.actions import (
    change,
    clock_ahead,
    delete,
    forbid,
    insert,
    lock,
    merge,
    security,
    undelete,
    unshare,
)
from crm_sandbox.salesforce.auth import App
from crm_sandbox.salesforce.control import fingerprint
from crm_sandbox.salesforce.ids import canonical, record_id
from crm_sandbox.salesforce.org import CLIENT_ID, CLIENT_SECRET, Org
from crm_sandbox.salesforce.schema import EVERYTHING, Features

__all__ = [
    "CLIENT_ID",
    "CLIENT_SECRET",
    "EVERYTHING",
    "App",
    "Features",
    "Org",
    "canonical",
    "change",
    "clock_ahead",
    "delete",
    "fingerprint",
    "forbid",
    "insert",
    "lock",
    "merge",
    "record_id",
    "security",
    "undelete",
    "unshare",
]
