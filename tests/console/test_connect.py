"""Connecting a CRM in the browser and disconnecting it, with the real program, the real connectors and pretend CRMs."""

import fcntl
import json
import os
import select
import socket
import subprocess
import sys
import termios
import textwrap
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import keyring
import keyring.backends.fail
import pytest
from browser import KEY, TOKEN, WAYS, Hall, Person, opened
from command_line import Office

from console.cli import program
from console.i18n import Speaker
from crm_sandbox.salesforce import CLIENT_ID, CLIENT_SECRET, Org
from crm_sandbox.serving import Fault
from crm_sandbox.world import World


def test_whoever_agrees_in_the_browser_connects_the_crm(hall: Hall, person: Person) -> None:
    said = hall.connect("--json")
    assert (said.code, said.document["connection"]) == (0, "acme"), said.err
    assert hall.stored() in hall.refresh_tokens()
    shown = person.has_seen()
    assert (shown.status_code, "is connected" in shown.text) == (200, True)
    assert said.document["person"] in shown.text
    assert hall.kpisync("doctor").code == 0
    assert hall.kpisync("pull").code == 0


def test_the_page_that_the_browser_is_sent_to_carries_state_and_challenge_and_no_secret(
    hall: Hall, person: Person
) -> None:
    hall.connect()
    asked = {name: values[0] for name, values in parse_qs(urlsplit(person.pages[0]).query).items()}
    assert asked["redirect_uri"] == f"http://localhost:{hall.port}/connected"
    assert (len(asked["state"]) >= 43, len(asked["code_challenge"])) == (True, 43)
    assert asked["code_challenge_method"] == "S256"
    assert {"client_secret", "code_verifier"}.isdisjoint(asked)


def test_no_secret_is_told_logged_or_left_in_a_file(hall: Hall, person: Person) -> None:
    said = [hall.connect("-v"), hall.kpisync("doctor", "-v"), hall.kpisync("pull", "-v")]
    code = parse_qs(urlsplit(str(person.has_seen().url)).query)["code"][0]
    secrets = [WAYS[hall.crm][2], hall.stored() or "none", code, *hall.access_tokens()]
    said.append(hall.kpisync("disconnect", "-v"))
    assert [one.code for one in said] == [0, 0, 0, 0]
    told = "".join(one.out + one.err for one in said) + person.seen[0].text
    files = b"".join(file.read_bytes() for file in hall.office.folder.rglob("*") if file.is_file())
    log = json.dumps([vars(entry) for entry in hall.office.sandbox.log])
    assert len(secrets) >= 6  # three sign-ins gave three access tokens
    for secret in secrets:
        assert secret not in told
        assert secret.encode() not in files
        assert secret not in log


@pytest.mark.parametrize(
    ("language", "heading"), [("es-MX,es;q=0.9", "está conectado"), ("de,en;q=0.5", "is connected")]
)
def test_the_page_at_the_end_speaks_the_browser_s_language(
    hall: Hall, person: Person, language: str, heading: str
) -> None:
    person.language = language
    hall.connect()
    assert heading in person.has_seen().text


def test_whoever_says_no_is_believed_and_told_what_to_do(hall: Hall, person: Person) -> None:
    person.language = "es"
    httpx.post(f"{hall.office.sandbox.url}/_control/consent", json={"denies": True})
    if hall.crm == "hubspot":
        hall.let(consent_denied=True)
    said = hall.connect()
    code = {"salesforce": "KPI-SF-050", "hubspot": "KPI-HS-050"}[hall.crm]
    assert (said.code, f"{code}: " in said.err, "access_denied" in said.err) == (4, True, True)
    assert f"Sin conexión ({code})" in person.has_seen().text
    assert (hall.stored(), hall.asked(TOKEN[hall.crm])) == (None, 0)


def test_an_answer_to_another_question_is_turned_away_and_the_right_one_still_taken(hall: Hall, person: Person) -> None:
    turned_away: list[httpx.Response] = []

    def meddles(client: httpx.Client, page: str) -> httpx.Response:
        back = f"http://127.0.0.1:{hall.port}/connected"
        turned_away.extend(
            client.get(f"{back}{query}") for query in ("?code=stolen", "?code=stolen&state=guessed", "?error=x&state=é")
        )
        turned_away.append(client.get(f"http://127.0.0.1:{hall.port}/favicon.ico"))
        return client.get(page)

    person.does = meddles
    assert hall.connect().code == 0
    assert [one.status_code for one in turned_away] == [400, 400, 400, 404]
    assert "is connected" in person.has_seen().text


def test_an_answer_is_taken_once_and_then_nobody_listens(hall: Hall, person: Person) -> None:
    assert hall.connect().code == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(str(person.has_seen().url))
    assert hall.asked(TOKEN[hall.crm]) == 1


def test_an_answer_that_comes_twice_counts_once_and_the_second_browser_is_told(hall: Hall, person: Person) -> None:
    hall.office.sandbox.faults.append(Fault(f"POST {TOKEN[hall.crm]}", "delay", seconds=1.0))

    def comes_twice(client: httpx.Client, page: str) -> httpx.Response:
        back = client.get(page, follow_redirects=False).headers["Location"]
        with ThreadPoolExecutor(2) as pool:
            first, second = sorted(pool.map(client.get, [back, back]), key=lambda shown: shown.status_code)
        assert (second.status_code, "It works once" in second.text) == (410, True)
        return first

    person.does = comes_twice
    assert hall.connect().code == 0
    assert "is connected" in person.has_seen().text
    assert hall.asked(TOKEN[hall.crm]) == 1


def test_a_code_that_expired_on_the_way_is_told_in_browser_and_terminal(hall: Hall, person: Person) -> None:
    crm = hall.office.sandbox.crm
    if isinstance(crm, Org):
        crm.auth.code_seconds = -1.0
    else:
        hall.let(code_seconds=0)
    said = hall.connect()
    code, advice = {
        "salesforce": ("KPI-SF-018", "Run `kpisync connect` again"),
        "hubspot": ("KPI-HS-015", "Run kpisync connect again"),
    }[hall.crm]
    assert (said.code, code in said.err, advice in said.err) == (4, True, True)
    assert code in person.has_seen().text
    assert hall.stored() is None


def test_a_code_is_exchanged_once_even_where_the_answer_is_lost(hall: Hall, person: Person) -> None:
    hall.office.sandbox.faults.append(Fault(f"POST {TOKEN[hall.crm]}", "commit_then_drop", times=None))
    said = hall.connect()
    assert (said.code, hall.asked(TOKEN[hall.crm])) == (1, 1)
    assert hall.stored() is None


def test_nobody_who_comes_back_ends_the_wait_with_advice(hall: Hall) -> None:
    said = hall.connect("--wait", "1")
    assert (said.code, "KPI-NET-002" in said.err, "redirect address" in said.err) == (4, True, True)


def test_a_port_that_is_taken_is_told_before_anyone_is_sent_anywhere(hall: Hall, person: Person) -> None:
    with socket.create_server(("127.0.0.1", hall.port)):
        said = hall.connect()
    assert (said.code, "KPI-NET-003" in said.err, person.pages) == (4, True, [])


def test_where_nothing_can_be_kept_nobody_is_asked(hall: Hall, person: Person) -> None:
    hall.secrets["KPISYNC_VAULT_KEY"] = "no key"
    said = hall.connect()
    assert (said.code, "KPI-CFG-003" in said.err, person.pages) == (2, True, [])


def test_a_connection_that_needs_no_person_is_told_apart(hall: Hall, person: Person) -> None:
    way = {"salesforce": "client_credentials", "hubspot": "token"}[hall.crm]
    hall.office.settings(auth=way)
    said = hall.connect()
    assert (said.code, f"'{way}' needs no person" in said.err, person.pages) == (2, True, [])


def test_a_new_token_goes_before_an_old_one_in_the_environment(hall: Hall, person: Person) -> None:
    hall.secrets["KPISYNC_ACME_REFRESH_TOKEN"] = "an old one that the CRM forgot"
    assert hall.kpisync("pull").code == 4
    assert hall.connect().code == 0
    assert hall.kpisync("pull").code == 0


def test_the_program_itself_asks_for_the_app_s_secret_unseen_and_opens_the_browser(
    office: Callable[[str, World], Office], tmp_path: Path
) -> None:
    hall = opened("salesforce", office)
    script = tmp_path / "browser.py"
    script.write_text(
        textwrap.dedent(
            f"""\
            import sys, httpx, pathlib
            shown = httpx.get(sys.argv[1], follow_redirects=True, timeout=60)
            pathlib.Path({str(tmp_path / "shown.html")!r}).write_text(shown.text)
            """
        )
    )
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("KPISYNC_")},
        "KPISYNC_VAULT_KEY": KEY,
        "KPISYNC_WORKSPACE": str(hall.office.folder),
        "BROWSER": f"{sys.executable} {script} %s",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    program_of_ours = [sys.executable, "-c", "from console.cli import main; main()"]
    out, typed_and_shown = at_a_terminal(
        [*program_of_ours, "connect", "--port", str(hall.port)], environment, "client secret", CLIENT_SECRET
    )
    assert out == ""  # the result, with --json; people read the terminal
    assert "acme is connected" in typed_and_shown
    assert CLIENT_SECRET not in typed_and_shown
    assert "is connected" in (tmp_path / "shown.html").read_text()
    assert (hall.stored("CLIENT_SECRET"), hall.stored() in hall.refresh_tokens()) == (CLIENT_SECRET, True)


def _said(terminal: int) -> str | None:
    """What came within a moment; None when the terminal is gone with its program."""
    if not select.select([terminal], [], [], 0.1)[0]:
        return ""
    with suppress(OSError):
        return os.read(terminal, 4096).decode() or None
    return None


def at_a_terminal(words: list[str], environment: dict[str, str], prompt: str, answer: str) -> tuple[str, str]:
    """stdout of a program, and all that its terminal showed: what it said and what was typed where it echoed."""
    ours, its = os.openpty()

    def own_terminal() -> None:
        os.setsid()
        fcntl.ioctl(its, termios.TIOCSCTTY, 0)

    with subprocess.Popen(
        words, env=environment, stdin=its, stderr=its, stdout=subprocess.PIPE, text=True, preexec_fn=own_terminal
    ) as running:
        os.close(its)
        shown, typed, until = "", False, monotonic() + 120
        while (part := _said(ours)) is not None:
            shown += part
            # What is typed before the echo is off, the program throws away.
            if not typed and prompt in shown and not termios.tcgetattr(ours)[3] & termios.ECHO:
                typed = os.write(ours, f"{answer}\n".encode()) > 0
            if monotonic() > until:
                running.kill()
        out = running.stdout.read() if running.stdout else ""
        assert running.wait(60) == 0, shown
    os.close(ours)
    return out, " ".join(shown.split())


def test_a_scope_that_is_not_granted_is_told_and_doctor_names_what_does_without_it(
    office: Callable[[str, World], Office], person: Person
) -> None:
    hall = opened("hubspot", office)
    hall.let(withheld_scopes=["sales-email-read"])
    said = hall.connect("--json")
    assert (said.code, said.document["not_granted"]) == (0, ["sales-email-read"])
    assert "Not granted: sales-email-read" in said.err
    looked = hall.kpisync("doctor", "--json")
    assert looked.code == 0
    without = [one["what"] for one in looked.document if "sales-email-read" in one["detail"] + one["fix"]]
    assert {"emails", "opens", "clicks", "replies"} <= set(without)
    assert {"calls", "deals", "interactions"}.isdisjoint(without)
    assert hall.kpisync("pull").code == 0


def test_no_command_takes_a_secret_as_an_option() -> None:
    def options(command: Any) -> list[str]:
        below = getattr(command, "commands", {}).values()
        return [name for param in command.params for name in param.opts] + [n for one in below for n in options(one)]

    found = options(program(Speaker()))
    assert {"--client-id", "--no-browser", "--forget-anyway"} <= set(found)
    assert [name for name in found if any(word in name for word in ("secret", "token", "password", "code"))] == []


def test_a_replaced_refresh_token_is_kept_before_it_is_used_and_the_next_run_signs_in_with_it(
    hall: Hall, person: Person
) -> None:
    assert hall.connect().code == 0
    hall.let(**{"salesforce": {"rotates": True}, "hubspot": {"rotate_refresh_tokens": True}}[hall.crm])
    first = hall.stored()
    for _ in range(2):
        assert hall.kpisync("pull").code == 0
        assert [hall.stored()] == hall.refresh_tokens()
    assert hall.stored() != first


def test_a_token_of_the_environment_that_was_replaced_is_not_used_again(hall: Hall, person: Person) -> None:
    assert hall.connect().code == 0
    hall.let(**{"salesforce": {"rotates": True}, "hubspot": {"rotate_refresh_tokens": True}}[hall.crm])
    hall.secrets["KPISYNC_ACME_REFRESH_TOKEN"] = str(hall.stored())
    (hall.office.folder / "kpisync.vault").unlink()
    assert [hall.kpisync("pull").code for _ in range(3)] == [0, 0, 0]


def test_from_nothing_to_connected_takes_two_commands(office: Callable[[str, World], Office], person: Person) -> None:
    hall = opened("salesforce", office)
    (hall.office.folder / "kpisync.toml").unlink()
    where = ("--login-url", hall.office.sandbox.url, "--client-id", CLIENT_ID)
    begun = hall.kpisync("init", "--name", "acme", "--crm", "salesforce", "--auth", "refresh_token", *where)
    assert (begun.code, "Next: kpisync connect" in begun.err, "REFRESH_TOKEN" in begun.err) == (0, True, False)
    assert hall.connect().code == 0
    assert hall.kpisync("doctor").code == 0


def test_of_two_that_want_a_person_one_has_to_be_named(hall: Hall, person: Person) -> None:
    settings = hall.office.folder / "kpisync.toml"
    one = settings.read_text()
    settings.write_text(one + one.replace("[connections.acme]", "[connections.other]"))
    said = hall.connect()
    assert (said.code, "--connection acme or other" in said.err, person.pages) == (2, True, [])
    assert hall.connect("--connection", "acme").code == 0


def test_an_app_without_a_client_id_is_not_asked_for(hall: Hall, person: Person) -> None:
    hall.office.settings(auth=WAYS[hall.crm][0], client_id="")
    said = hall.connect()
    assert (said.code, "connections.acme.client_id" in said.err, person.pages) == (2, True, [])


def test_hubspot_takes_no_code_without_the_client_secret_so_it_is_missed_before_anyone_is_asked(
    office: Callable[[str, World], Office], person: Person
) -> None:
    hall = opened("hubspot", office)
    del hall.secrets["KPISYNC_ACME_CLIENT_SECRET"]
    said = hall.connect()
    assert (said.code, "KPISYNC_ACME_CLIENT_SECRET" in said.err, person.pages) == (2, True, [])


def test_salesforce_connects_an_app_that_has_no_secret(office: Callable[[str, World], Office], person: Person) -> None:
    hall = opened("salesforce", office)
    hall.let(public=True)
    del hall.secrets["KPISYNC_ACME_CLIENT_SECRET"]
    assert hall.connect().code == 0
    assert hall.kpisync("pull").code == 0


@pytest.mark.parametrize(
    ("rules", "page"),
    [
        ({"installed": False}, "app must be installed"),
        ({"callbacks": ("http://localhost:1/x",)}, "redirect_uri_mismatch"),
    ],
)
def test_a_page_of_the_crm_that_sends_nobody_back_ends_in_advice_to_look_at_the_app(
    office: Callable[[str, World], Office], person: Person, rules: dict[str, Any], page: str
) -> None:
    hall = opened("salesforce", office)
    hall.let(**rules)
    said = hall.connect("--wait", "2")
    assert page in person.has_seen().text
    assert (said.code, "compare the app's redirect address" in said.err) == (4, True)


def test_what_salesforce_says_in_the_address_is_told_in_our_words(
    office: Callable[[str, World], Office], person: Person
) -> None:
    hall = opened("salesforce", office)

    def scolds(client: httpx.Client, page: str) -> httpx.Response:
        state = httpx.URL(page).params["state"]
        told = {"error": "<b>bad", "error_description": "ana@acme.example may not", "state": state}
        return client.get(f"http://127.0.0.1:{hall.port}/connected", params=told)

    person.does = scolds
    said = hall.connect()
    assert (said.code, "KPI-SF-050" in said.err) == (4, True)
    for text in (said.err, person.has_seen().text):
        assert "an error without a name" in text
        assert {word in text for word in ("<b>bad", "ana@acme.example")} == {False}


def test_the_page_at_the_end_loads_nothing_and_is_kept_nowhere(hall: Hall, person: Person) -> None:
    hall.connect()
    shown = person.has_seen()
    assert shown.headers["Cache-Control"] == "no-store"
    assert shown.headers["Referrer-Policy"] == "no-referrer"
    assert shown.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "<script" not in shown.text


def test_doctor_says_where_a_replaced_token_could_not_be_kept(hall: Hall, person: Person) -> None:
    assert hall.connect().code == 0
    assert [one for one in hall.kpisync("doctor", "--json").document if one["what"] == "KPI-CFG-003"] == []
    hall.secrets["KPISYNC_ACME_REFRESH_TOKEN"] = str(hall.stored())
    hall.secrets["KPISYNC_VAULT_KEY"] = ""
    before = keyring.get_keyring()
    keyring.set_keyring(keyring.backends.fail.Keyring())
    try:
        looked = hall.kpisync("doctor", "--json")
    finally:
        keyring.set_keyring(before)
    noted = [one for one in looked.document if one["what"] == "KPI-CFG-003"]
    assert [(one["state"], "no keyring" in one["detail"]) for one in noted] == [("note", True)]
    assert looked.code == 0
