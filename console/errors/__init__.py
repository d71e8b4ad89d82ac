"""Every error code of the product: what happened, why, what to do. docs/errors.md and docs/errors.es.md are made of it.

A message on the command line is short and names the thing; here is what it has no room for. A test holds that every
code in the source is here and that nothing here is unknown to the source.
"""

from console.errors.connecting import CONNECTING
from console.errors.engine import ENGINE
from console.errors.entry import Entry
from console.errors.hubspot import HUBSPOT
from console.errors.ours import OURS
from console.errors.salesforce import SALESFORCE

ENTRIES: tuple[Entry, ...] = (*OURS, *ENGINE, *SALESFORCE, *HUBSPOT, *CONNECTING)
BY_CODE: dict[str, Entry] = {entry.code: entry for entry in ENTRIES}

__all__ = ["BY_CODE", "CONNECTING", "ENGINE", "ENTRIES", "HUBSPOT", "OURS", "SALESFORCE", "Entry"]
