"""What can go wrong with a CRM, sorted by what its reader has to do about it.

Every error carries a code that has a page in `docs/errors.md`, a sentence that names the thing, and an advice.
"""


class CrmError(Exception):
    """Something is broken and nothing more can work. `code` is stable (KPI-SF-001), `advice` says what to do."""

    def __init__(self, code: str, message: str, advice: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.code}: {self.message} {self.advice}"


class NotAllowed(CrmError):
    """The CRM does not let us in, or not do this: sign-in, licence, permission. Retrying does not help."""


class Unreachable(CrmError):
    """The CRM cannot be reached or answers nonsense, after the retries of the transport. Later may help."""


class Throttled(CrmError):
    """The CRM's allowance is used up. The next scheduled run goes on from the last cursor."""


class GuardStopped(CrmError):
    """One of our own guards stopped the run before anything was written."""


class Unreadable(CrmError):
    """The CRM answered something that contradicts its own contract; the place is in the message."""
