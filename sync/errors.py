"""What can go wrong on our own side: the cache, the ledger, the lock. Each says what its reader has to do."""

from connectors.errors import CrmError


class CacheUnusable(CrmError):
    """The cache or the ledger cannot be opened, read or written; nothing was half-written."""


class LockHeld(CrmError):
    """Another run works in this workspace; this one did nothing."""


class PlanUnknown(CrmError):
    """There is no such plan or run in the ledger."""


class NothingComputed(CrmError):
    """There are no values yet."""


class EngineMissing(CrmError):
    """The engine that the settings name is not installed on this machine; nothing was computed."""


class EngineStopped(CrmError):
    """The distributed engine could not be reached, or gave up; what was computed before is still there."""
