"""Where secrets live: the environment, an encrypted file, or the operating system's keyring. Nowhere else.

The order is the environment (containers, CI), then the encrypted file if its key is in the environment (servers without
a keyring), then the keyring (people). A secret is stored in the file if there is a key, else in the keyring.

A CRM may replace a refresh token whenever it is used. One that came from the environment is then dead, and what was
stored in its place goes before it, until the environment says something new.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import keyring
import keyring.errors
from cryptography.fernet import Fernet, InvalidToken
from filelock import FileLock

from config.errors import SecretMissing, VaultError

FILE_NAME = "kpisync.vault"
KEY_VARIABLE = "KPISYNC_VAULT_KEY"
SERVICE = "kpisync"
REPLACED = "REFRESH_TOKEN"
"""The secret that a CRM may replace."""

INSTEAD_OF = "REFRESH_TOKEN_INSTEAD_OF"
"""What is kept of the one that was replaced: its digest."""


NAMES = ("CLIENT_SECRET", "PRIVATE_KEY", "REFRESH_TOKEN", "ACCESS_TOKEN", "TOKEN")
"""Every secret that some way of signing in has."""


def variable(connection: str, name: str) -> str:
    """The environment variable of a secret: acme-hs, TOKEN → KPISYNC_ACME_HS_TOKEN."""
    return f"KPISYNC_{connection.upper().replace('-', '_')}_{name}"


class Vault:
    """The secrets of one workspace."""

    def __init__(self, workspace: Path, environment: Mapping[str, str] = os.environ) -> None:
        self._file = workspace / FILE_NAME
        self._environment = environment

    def find(self, connection: str, name: str) -> str | None:
        """A secret, or None where nobody stored it."""
        from_environment = self._environment.get(variable(connection, name))
        if not from_environment:
            return self._kept(connection, name)
        if name == REPLACED and self._kept(connection, INSTEAD_OF) == _digest(from_environment):
            return self._kept(connection, name) or from_environment
        return from_environment

    def need(self, connection: str, name: str) -> str:
        """A secret that must be there. Raises `SecretMissing`."""
        secret = self.find(connection, name)
        if secret is None:
            raise SecretMissing(
                [
                    f"The connection {connection!r} needs a secret that is not stored: {name}. "
                    f"Set the environment variable {variable(connection, name)}, or run `kpisync init`."
                ]
            )
        return secret

    def store(self, connection: str, name: str, secret: str) -> None:
        """Keep a secret. Raises `VaultError` where this machine has no place for it."""
        replaced = self._environment.get(variable(connection, name))
        if replaced and name == REPLACED:
            self._keep(connection, INSTEAD_OF, _digest(replaced))
        self._keep(connection, name, secret)

    def ready(self) -> None:
        """See that a secret could be kept, before one is fetched that cannot be fetched twice. Raises `VaultError`."""
        try:
            self._keep("ready", "ready", "?")
        except VaultError:
            if self._fernet() is not None:
                raise
            raise VaultError(
                [
                    "This machine has no place for the refresh tokens that a CRM hands out: it has no keyring. "
                    f"Set {KEY_VARIABLE} (`kpisync init --new-vault-key` makes one) to keep them in {FILE_NAME}."
                ]
            ) from None
        self._drop("ready", ["ready"])

    def forget(self, connection: str) -> list[str]:
        """Keep nothing of a connection any more. What is in the environment is not ours to take away: comes back."""
        self._drop(connection, [*NAMES, INSTEAD_OF])
        return [one for name in NAMES if self._environment.get(one := variable(connection, name))]

    def _keep(self, connection: str, name: str, secret: str) -> None:
        if self._fernet() is None:
            self._to_keyring(connection, name, secret)
        else:
            with self._alone():
                self._seal({**self._stored(), variable(connection, name): secret})

    def _kept(self, connection: str, name: str) -> str | None:
        if self._fernet() is not None:
            return self._stored().get(variable(connection, name))
        return self._from_keyring(connection, name)

    def _drop(self, connection: str, names: Sequence[str]) -> None:
        if self._fernet() is None:
            for name in names:
                self._out_of_keyring(connection, name)
        elif self._file.exists():
            gone = {variable(connection, name) for name in names}
            with self._alone():
                self._seal({known: secret for known, secret in self._stored().items() if known not in gone})

    def _alone(self) -> FileLock:
        """While another process writes the file, wait: it would be written back without what that one adds."""
        return FileLock(self._file.with_suffix(".vault-lock"))

    def _seal(self, secrets: Mapping[str, str]) -> None:
        """Write the whole file anew, beside the old one first, so that a crash leaves one of the two; it is on the disk
        before anything goes on, for the CRM may have forgotten what it replaces."""
        fernet = self._fernet()
        assert fernet is not None
        fresh = self._file.with_suffix(".new")
        fresh.touch(mode=0o600)
        with fresh.open("wb") as out:
            out.write(fernet.encrypt(json.dumps(dict(secrets)).encode()))
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(self._file)

    def _fernet(self) -> Fernet | None:
        key = self._environment.get(KEY_VARIABLE)
        if not key:
            return None
        try:
            return Fernet(key)
        except ValueError:
            raise VaultError(
                [
                    f"{KEY_VARIABLE} is not a key. Make one with `kpisync init --new-vault-key` "
                    "and keep it in the environment."
                ]
            ) from None

    def _stored(self) -> dict[str, str]:
        fernet = self._fernet()
        if fernet is None or not self._file.exists():
            return {}
        try:
            stored: dict[str, str] = json.loads(fernet.decrypt(self._file.read_bytes()))
        except InvalidToken:
            raise VaultError(
                [f"{self._file.name} was sealed with another key. Set {KEY_VARIABLE} to the key it was made with."]
            ) from None
        return stored

    def _from_keyring(self, connection: str, name: str) -> str | None:
        try:
            return keyring.get_password(SERVICE, variable(connection, name))
        except keyring.errors.KeyringError:
            return None  # no keyring on this machine: the environment is the only place, and it had nothing

    def _out_of_keyring(self, connection: str, name: str) -> None:
        if self._from_keyring(connection, name) is None:
            return
        try:
            keyring.delete_password(SERVICE, variable(connection, name))
        except keyring.errors.KeyringError:
            raise VaultError(
                [f"{variable(connection, name)} could not be taken out of this machine's keyring; take it out there."]
            ) from None

    def _to_keyring(self, connection: str, name: str, secret: str) -> None:
        try:
            keyring.set_password(SERVICE, variable(connection, name), secret)
        except keyring.errors.KeyringError:
            raise VaultError(
                [
                    f"This machine has no keyring to store {name} in. "
                    f"Set {variable(connection, name)} in the environment, "
                    f"or set {KEY_VARIABLE} so that secrets are kept in the encrypted file {FILE_NAME}."
                ]
            ) from None


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
