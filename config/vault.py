"""Where secrets live: the environment, an encrypted file, or the operating system's keyring. Nowhere else.

The order is the environment (containers, CI), then the encrypted file if its key is in the environment (servers without
a keyring), then the keyring (people). A secret is stored in the file if there is a key, else in the keyring.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path

import keyring
import keyring.errors
from cryptography.fernet import Fernet, InvalidToken

from config.errors import SecretMissing, VaultError

FILE_NAME = "kpisync.vault"
KEY_VARIABLE = "KPISYNC_VAULT_KEY"
SERVICE = "kpisync"


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
        if from_environment:
            return from_environment
        if self._fernet() is not None:
            return self._stored().get(variable(connection, name))
        return self._from_keyring(connection, name)

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
        fernet = self._fernet()
        if fernet is None:
            self._to_keyring(connection, name, secret)
            return
        stored = {**self._stored(), variable(connection, name): secret}
        sealed = fernet.encrypt(json.dumps(stored).encode())
        fresh = self._file.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_bytes(sealed)
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
