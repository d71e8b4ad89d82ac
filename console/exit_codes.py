"""What the command line leaves behind in `$?`."""

from enum import IntEnum


class Exit(IntEnum):
    """The exit codes; scripts rely on them."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    REFUSED = 3
    NOT_ALLOWED = 4
    GUARD = 5
    LOCKED = 6
