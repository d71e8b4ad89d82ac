"""A person lets us into their CRM in a browser, and ends it again: what the CRMs have in common of that.

A `Question` goes with the browser to the CRM's page; the CRM sends the browser back to an address of this machine, with
a code that only whoever asked the question can exchange (PKCE). What comes of it is a refresh token.
"""

import base64
import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from connectors.errors import NotAllowed

Secrets = Callable[[str], str | None]
"""A secret of this connection by its name (CLIENT_SECRET, REFRESH_TOKEN), None where nobody stored it."""


@dataclass(frozen=True)
class Question:
    """What is asked of a person, once: `state` comes back with the answer, `verifier` proves that we asked."""

    redirect_uri: str
    state: str = field(repr=False)
    verifier: str = field(repr=False)

    @property
    def challenge(self) -> str:
        """What the CRM is shown of the verifier beforehand (S256)."""
        return base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).decode().rstrip("=")


def question(redirect_uri: str) -> Question:
    """A new question; nobody can guess its state or its verifier."""
    return Question(redirect_uri, state=secrets.token_urlsafe(32), verifier=secrets.token_urlsafe(64))


@dataclass(frozen=True)
class Joined:
    """What the CRM granted.

    organisation   whose CRM it is, by the id that the CRM gives it
    person         who agreed, as far as the CRM tells
    lacking        the scopes that were asked for and not granted; what needs them is left out
    """

    refresh_token: str = field(repr=False)
    organisation: str
    person: str
    lacking: tuple[str, ...] = ()


class Ended(StrEnum):
    """What became of our access when we asked the CRM to end it.

    REVOKED   the CRM ended it
    GONE      the CRM did not know it any more
    NOTHING   this way of signing in leaves nothing behind that could be ended from here
    """

    REVOKED = "revoked"
    GONE = "gone"
    NOTHING = "nothing"


class Consent(Protocol):
    """How one CRM is asked. Every call that goes over the network may raise the errors of `connectors.errors`."""

    def page(self, asked: Question) -> str:
        """Where the person has to go."""
        ...

    def refusal(self, error: str, description: str) -> NotAllowed:
        """What it means that the CRM sent the browser back with this error."""
        ...

    def exchange(self, asked: Question, code: str) -> Joined:
        """The code for what it stands for. A code is good once, so a lost answer means asking the person again."""
        ...

    def revoke(self) -> Ended:
        """End our access at the CRM. It changes no record there; afterwards only asking a person lets us in again."""
        ...

    def close(self) -> None:
        """Let go of the network."""
        ...


def spelled(error: str) -> str:
    """An error's name out of an address, which anybody could have written: its letters, or nothing."""
    return error if re.fullmatch(r"[A-Za-z0-9_.-]{1,60}", error) else "an error without a name"
