"""Secrets come from the environment, an encrypted file or the keyring, and are in clear in none of our files."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keyring
import keyring.backend
import keyring.errors
import pytest
from cryptography.fernet import Fernet

from config.errors import SecretMissing, VaultError
from config.vault import Vault, variable


class RememberingKeyring(keyring.backend.KeyringBackend):
    """A keyring of this test's own, so that no test touches the machine's."""

    priority = 1.0

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


@pytest.fixture(autouse=True)
def ring() -> RememberingKeyring:
    keyring.set_keyring(ring := RememberingKeyring())
    return ring


def test_the_variable_of_a_secret_is_upper_case_with_underscores() -> None:
    assert variable("acme-hs", "TOKEN") == "KPISYNC_ACME_HS_TOKEN"


def test_the_environment_comes_first(tmp_path: Path, ring: RememberingKeyring) -> None:
    ring.set_password("kpisync", "KPISYNC_ACME_TOKEN", "from the keyring")
    vault = Vault(tmp_path, {"KPISYNC_ACME_TOKEN": "from the environment"})
    assert vault.find("acme", "TOKEN") == "from the environment"
    assert Vault(tmp_path, {}).find("acme", "TOKEN") == "from the keyring"


def test_with_a_key_in_the_environment_secrets_are_kept_in_an_encrypted_file(tmp_path: Path) -> None:
    environment = {"KPISYNC_VAULT_KEY": Fernet.generate_key().decode()}
    Vault(tmp_path, environment).store("acme", "TOKEN", "pat-very-secret")
    Vault(tmp_path, environment).store("acme", "CLIENT_SECRET", "another")
    assert Vault(tmp_path, environment).find("acme", "TOKEN") == "pat-very-secret"
    sealed = tmp_path / "kpisync.vault"
    assert b"pat-very-secret" not in sealed.read_bytes()
    assert sealed.stat().st_mode & 0o077 == 0


def test_another_key_does_not_open_the_file(tmp_path: Path) -> None:
    Vault(tmp_path, {"KPISYNC_VAULT_KEY": Fernet.generate_key().decode()}).store("acme", "TOKEN", "x")
    with pytest.raises(VaultError, match="sealed with another key"):
        Vault(tmp_path, {"KPISYNC_VAULT_KEY": Fernet.generate_key().decode()}).find("acme", "TOKEN")


def test_a_key_that_is_none_is_told_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(VaultError, match="new-vault-key"):
        Vault(tmp_path, {"KPISYNC_VAULT_KEY": "short"}).find("acme", "TOKEN")


def test_a_missing_secret_names_the_variable_to_set(tmp_path: Path) -> None:
    with pytest.raises(SecretMissing, match="KPISYNC_ACME_TOKEN"):
        Vault(tmp_path, {}).need("acme", "TOKEN")


KEY_NAME = "KPISYNC_VAULT_KEY"


@pytest.mark.parametrize("sealed", [True, False], ids=["encrypted file", "keyring"])
def test_forgetting_a_connection_leaves_the_others_and_names_what_the_environment_still_holds(
    tmp_path: Path, ring: RememberingKeyring, sealed: bool
) -> None:
    environment = {KEY_NAME: Fernet.generate_key().decode()} if sealed else {}
    vault = Vault(tmp_path, environment)
    for connection in ("acme", "other"):
        vault.store(connection, "CLIENT_SECRET", f"{connection} secret")
        vault.store(connection, "REFRESH_TOKEN", f"{connection} token")
    environment["KPISYNC_ACME_CLIENT_SECRET"] = "from outside"
    assert vault.forget("acme") == ["KPISYNC_ACME_CLIENT_SECRET"]
    assert (vault.find("acme", "REFRESH_TOKEN"), vault.find("acme", "CLIENT_SECRET")) == (None, "from outside")
    assert (vault.find("other", "REFRESH_TOKEN"), vault.find("other", "CLIENT_SECRET")) == (
        "other token",
        "other secret",
    )
    assert vault.forget("acme") == ["KPISYNC_ACME_CLIENT_SECRET"]  # a second time is no error


def test_a_refresh_token_of_the_environment_counts_until_it_is_replaced_and_again_once_it_is_new(
    tmp_path: Path, ring: RememberingKeyring
) -> None:
    environment = {"KPISYNC_ACME_REFRESH_TOKEN": "first"}
    assert Vault(tmp_path, environment).find("acme", "REFRESH_TOKEN") == "first"
    Vault(tmp_path, environment).store("acme", "REFRESH_TOKEN", "second")
    assert Vault(tmp_path, environment).find("acme", "REFRESH_TOKEN") == "second"
    environment["KPISYNC_ACME_REFRESH_TOKEN"] = "third"
    assert Vault(tmp_path, environment).find("acme", "REFRESH_TOKEN") == "third"
    del environment["KPISYNC_ACME_REFRESH_TOKEN"]
    assert Vault(tmp_path, environment).find("acme", "REFRESH_TOKEN") == "second"


def test_a_place_for_secrets_is_looked_for_beforehand_and_left_as_it_was(
    tmp_path: Path, ring: RememberingKeyring
) -> None:
    Vault(tmp_path, {}).ready()
    assert ring.kept == {}
    with pytest.raises(VaultError, match="not a key"):
        Vault(tmp_path, {KEY_NAME: "none"}).ready()


def test_a_keyring_that_keeps_what_it_should_forget_is_told(tmp_path: Path, ring: RememberingKeyring) -> None:
    vault = Vault(tmp_path, {})
    vault.store("acme", "TOKEN", "x")

    def locked(service: str, username: str) -> None:
        raise keyring.errors.PasswordDeleteError("locked")

    ring.delete_password = locked  # type: ignore[method-assign]
    with pytest.raises(VaultError, match="KPISYNC_ACME_TOKEN could not be taken out"):
        vault.forget("acme")


def test_processes_that_store_at_once_keep_what_each_of_them_stored(tmp_path: Path) -> None:
    environment = {KEY_NAME: Fernet.generate_key().decode()}

    def store(number: int) -> None:
        Vault(tmp_path, environment).store(f"acme-{number}", "TOKEN", str(number))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(store, range(24)))
    found = [Vault(tmp_path, environment).find(f"acme-{number}", "TOKEN") for number in range(24)]
    assert found == [str(number) for number in range(24)]


def test_without_keyring_and_key_there_is_no_place_and_it_is_said_how_to_make_one(
    tmp_path: Path, ring: RememberingKeyring
) -> None:
    def none(service: str, username: str, password: str) -> None:
        raise keyring.errors.NoKeyringError

    ring.set_password = none  # type: ignore[method-assign]
    with pytest.raises(VaultError, match=r"no keyring.*KPISYNC_VAULT_KEY"):
        Vault(tmp_path, {}).ready()
