"""`fob-office`: one command makes an office that works; every error is three lines; data is JSON where asked for."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import pytest

from fob_office.cli.context import Cli, default_state
from fob_office.cli.main import COMMANDS, error_for, run
from fob_office.office import open_office
from fob_office.operators.service import make_token
from fob_office.settings import Settings, load_settings
from fob_office.surroundings import Surroundings
from fob_protocol.office.certificate import read_certificate
from support.office import NOW, seeded
from support.postgresql import Cluster
from support.required import program


@dataclass
class Shell:
    """Runs `fob-office` in this process, as a person does with FOB_OFFICE_STATE set."""

    state: Path
    capsys: pytest.CaptureFixture[str]
    environment: dict[str, str]

    def __call__(self, line: str, status: int = 0) -> str:
        """What it prints: data, or the error. The exit status has to be this one."""
        cli = Cli(self.environment, Surroundings(lambda: NOW, Random(line).randbytes))
        ended = run(shlex.split(line), cli)
        out, err = self.capsys.readouterr()
        assert ended == status, err
        return err if status else out

    def json(self, line: str) -> Any:
        """The value that it prints for a script."""
        return json.loads(self(f"{line} --json"))

    def error(self, line: str, status: int = 1) -> tuple[str, str, str]:
        """What, why, and the command that helps."""
        said = self(line, status).splitlines()
        assert [text[:7] for text in said] == ["error: ", "why:   ", "try:   "]
        what, why, command = (text[7:] for text in said)
        return what, why, command


@pytest.fixture
def shell(state: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    for name in ("FOB_OFFICE_DATABASE", "FOB_OFFICE_LISTEN", "CREDENTIALS_DIRECTORY", "STATE_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FOB_OFFICE_STATE", str(state))
    return Shell(state, capsys, {})


@pytest.fixture
def made(shell: Shell, database_url: str | None) -> Shell:
    shell("init" if database_url is None else f"init --database '{database_url}'")
    return shell


def test_one_command_makes_all_that_a_first_start_needs(shell: Shell) -> None:
    said = shell.json("init")
    names = ["registration", "configuration", "release", "integrity"]
    assert (said["servers"], said["url"]) == (names, "https://localhost:8443")
    assert said["issuer"] == shell.json("issuer show")["public_key"]
    assert Path(said["ca_file"]).read_text().startswith("-----BEGIN CERTIFICATE-----")
    files = {str(path.relative_to(shell.state)) for path in shell.state.rglob("*") if path.is_file()}
    assert files == {
        "office.toml", "office.db", "master.key", "issuer.key", "tls/ca.pem", "tls/certificate.pem", "tls/key.pem",
    }  # fmt: skip
    assert {path.stat().st_mode & 0o077 for path in (shell.state, *shell.state.rglob("*"))} == {0}


def test_a_person_is_told_what_it_made_and_what_is_next(shell: Shell) -> None:
    assert run(["init"], Cli({}, Surroundings(lambda: NOW, Random(1).randbytes))) == 0
    out, err = shell.capsys.readouterr()
    assert [line.split("  ")[0] for line in out.splitlines()] == ["office", "database", "issuer", "servers", "CA file"]
    assert err == f"next:  fob-office run --state {shell.state}\n"


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "office.example"])
def test_the_certificate_is_for_this_machine_and_no_other(shell: Shell, name: str) -> None:
    said = shell.json("init --host office.example")
    verify = [program("openssl"), "verify", "-x509_strict", "-CAfile", said["ca_file"], "-attime", str(NOW)]
    option = "-verify_ip" if name[0].isdigit() else "-verify_hostname"
    certificate = str(shell.state / "tls/certificate.pem")
    assert subprocess.run([*verify, option, name, certificate], check=False).returncode == 0
    other = "127.0.0.2" if name[0].isdigit() else "other.example"
    assert subprocess.run([*verify, option, other, certificate], check=False, capture_output=True).returncode == 2


def test_an_office_is_not_made_twice(made: Shell) -> None:
    before = {path: path.read_bytes() for path in made.state.rglob("*") if path.is_file()}
    what, why, command = made.error("init")
    assert (what, why) == ("no office was made", f"there is one in {made.state}")
    assert command == f"fob-office run --state {made.state}"
    assert {path: path.read_bytes() for path in made.state.rglob("*") if path.is_file()} == before


def test_a_folder_with_something_in_it_is_not_filled(shell: Shell) -> None:
    (shell.state / "letter").write_text("dear")
    assert shell.error("init")[:2] == ("no office was made", f"{shell.state} is not empty")


def test_the_database_of_another_office_is_not_taken(shell: Shell, cluster: Cluster, tmp_path: Path) -> None:
    url = cluster.shared_database()
    shell(f"init --database '{url}'")
    what, why, _ = shell.error(f"init --state {tmp_path / 'other'} --database '{url}'")
    assert what == "no office was made"
    assert why.endswith("is the database of another one")


def test_the_issuer_s_key_may_stay_elsewhere(shell: Shell, tmp_path: Path) -> None:
    key = tmp_path / "issuer.pem"
    subprocess.run([program("openssl"), "genpkey", "-algorithm", "ed25519", "-out", str(key)], check=True)
    key.chmod(0o600)
    shell(f"init --issuer-key {key}")
    assert not (shell.state / "issuer.key").exists()
    what, _, command = shell.error("issuer renew-list")
    assert (what, command) == ("the issuer's key cannot be read", "the same command with --issuer-key FILE")
    shell(f"issuer renew-list --issuer-key {key} --days 3")
    assert shell.json("issuer show")["until"] == NOW + 3 * 86_400

    subprocess.run([program("openssl"), "genpkey", "-algorithm", "ed25519", "-out", str(key)], check=True)
    assert shell.error(f"issuer renew-list --issuer-key {key}")[0] == "that is not this office's issuer key"
    key.chmod(0o644)
    assert shell.error(f"issuer renew-list --issuer-key {key}")[0] == "the issuer's key is no secret"


def test_a_factory_is_given_the_certificate_of_a_server(made: Shell, tmp_path: Path) -> None:
    issuer = bytes.fromhex(made.json("issuer show")["public_key"])
    signed = bytes.fromhex(made("server certificate configuration"))
    assert read_certificate(issuer, signed).server == "configuration"
    made(f"server certificate configuration --output {tmp_path / 'certificate'}")
    assert (tmp_path / "certificate").read_bytes() == signed


def test_servers_come_change_and_go(made: Shell) -> None:
    made("server add bank --title 'The bank' --usage registration --usage entitlement")
    made("server change-keys bank")
    made("server revoke bank --old")
    shown = made.json("server show bank")
    assert (shown["title"], shown["usages"], shown["epoch"], shown["least_epoch"], shown["state"]) == (
        "The bank", ["registration", "entitlement"], 2, 2, "here",
    )  # fmt: skip
    assert [server["name"] for server in made.json("server list")] == [
        "bank", "configuration", "integrity", "registration", "release",
    ]  # fmt: skip
    made("server revoke bank --all")
    assert made.json("server show bank")["state"] == "revoked"
    assert made.json("issuer show")["list"] == 3
    assert [(event["who"], event["what"], event["about"]) for event in made.json("event list --after 5")] == [
        ("operator", "server added", "bank"),
        ("operator", "keys changed to epoch 2", "bank"),
        ("operator", "revoked below epoch 2", "bank"),
        ("operator", "revoked below epoch 3", "bank"),
    ]


@pytest.mark.clause("C8", "C25")
def test_a_component_is_built_away_from_the_office_and_imported(made: Shell, tmp_path: Path) -> None:
    keys, directory, bundle = tmp_path / "release.pem", tmp_path / "directory", tmp_path / "rates.bundle"
    made(f"server change-keys release --keys-file {keys}")
    made(f"server directory {directory}")
    (tmp_path / "rates").write_bytes(b"1 letter 95")
    issuer = made.json("issuer show")["public_key"]
    build = f"component build --keys-file {keys} --directory {directory} --id rates --version 1.0.0 --hardware meter-1"
    made(f"{build} --issuer {issuer} --output {bundle} {tmp_path / 'rates'}")
    assert bundle.stat().st_mode & 0o777 == 0o600
    made(f"component import --staged {bundle}")
    (shown,) = made.json("component show rates")
    assert (shown["state"], shown["epoch"], shown["digest"]) == ("staged", 2, sha256(b"1 letter 95").hexdigest())
    assert made.error(f"component import {bundle}")[0] == "there is rates 1.0.0 already"
    again = made.error(f"{build} --issuer {issuer} --output {bundle} {tmp_path / 'rates'}")
    assert again == ("no bundle was built", f"{bundle}: File exists", "another --output")
    other = made.error(f"{build} --issuer {'00' * 32} --output {tmp_path / 'other'} {tmp_path / 'rates'}")
    assert other[1].startswith("the directory is not to be trusted: wrong-issuer")
    assert not (tmp_path / "other").exists()
    assert made.error(f"{build} --issuer 00 --output {bundle} {tmp_path / 'rates'}", 2)[0].startswith("--issuer has 64")


@pytest.mark.clause("R27")
def test_a_release_server_s_keys_change_in_three_steps(made: Shell, tmp_path: Path) -> None:
    (tmp_path / "rates").write_bytes(b"1 letter 95")
    made(f"component add --id rates --version 1.0.0 --hardware meter-1 {tmp_path / 'rates'}")
    made("server change-keys release")
    assert made.error("server revoke release --old") == (
        "release was not revoked",
        "no device would be given the releases any more that these keys signed, 1 in number",
        "fob-office component resign --signer release; or --anyway",
    )
    made("component resign")
    made("server revoke release --old")
    assert made.json("component ends") == []
    made("server revoke release --all --anyway")
    assert made.json("server show release")["state"] == "revoked"
    # Nobody has ordered it.
    assert made("component ends") == ""


def test_events_are_the_newest_and_say_that_there_are_more(made: Shell) -> None:
    office = open_office(load_settings(made.state, made.environment), {}, seeded(1))
    for number in range(97):
        make_token(office, f"desk-{number}", may_change=True)
    office.close()

    def told(line: str) -> tuple[list[int], str]:
        assert run(["event", "list", *line.split(), "--json"], Cli(made.environment, seeded(1))) == 0
        out, err = made.capsys.readouterr()
        return [event["id"] for event in json.loads(out)], err

    assert told("") == (list(range(3, 103)), "more:  fob-office event list --before 3\n")
    assert told("--before 3") == ([1, 2], "")
    assert told("--count 2") == ([101, 102], "more:  fob-office event list --before 101 --count 2\n")
    assert told("--after 0 --count 2") == ([1, 2], "more:  fob-office event list --after 2 --count 2\n")
    assert told(f"--state {made.state}")[1] == f"more:  fob-office event list --before 3 --state {made.state}\n"
    assert told("--after 2") == (list(range(3, 103)), "")
    assert made.error("event list --after 1 --before 2", 2)[0] == "say --after or --before"


def test_a_token_is_shown_once(made: Shell) -> None:
    token = made("token add desk").strip()
    assert token.startswith("fob_office_")
    assert made.json("token list") == [{"name": "desk", "may_change": True, "created": NOW}]
    assert token not in made("token list")
    assert made.error("token add desk")[0] == "there is a token 'desk' already"
    made("token revoke desk")
    assert made.json("token list") == []
    assert made.error("token revoke desk")[0] == "there is no token 'desk'"


def test_lists_are_tables_for_people(made: Shell) -> None:
    header, *rows = made("server list").splitlines()
    assert header.split() == ["name", "title", "usages", "epoch", "least_epoch", "not_before", "not_after", "state"]
    assert [row.split()[0] for row in rows] == ["configuration", "integrity", "registration", "release"]
    assert made("token list") == ""


def test_migrating_twice_does_nothing(made: Shell) -> None:
    assert made.json("migrate") == {"migrations": []}


@pytest.mark.parametrize(
    ("line", "status", "what"),
    [
        ("frob", 2, "No such command 'frob'."),
        ("server show", 2, "Missing argument 'NAME'."),
        ("server add x --usage registration", 2, "who registers there could use nothing: say --usage entitlement too"),
        ("server add x --usage everything", 2, "Invalid value for '--usage': 'everything' is not one of"),
        ("server revoke release", 2, "say --old or --all"),
        ("server show nobody", 1, "there is no server nobody"),
        ("server add Bank --usage release", 2, "no device would read this certificate"),
        ("run --listen nowhere", 2, "it is not known where to listen"),
        ("run --listen 127.0.0.1:70000", 2, "it is not known where to listen"),
        ("run --listen 192.0.2.1:1", 1, "it cannot listen at 192.0.2.1:1"),
        ("init --listen x", 2, "it is not known where to listen"),
        ("init --database mysql://x", 2, "the database is not known"),
    ],
)
def test_every_error_is_three_lines(shell: Shell, line: str, status: int, what: str) -> None:
    if not line.startswith("init"):
        shell("init")
    assert shell.error(line, status)[0].startswith(what)


@pytest.mark.parametrize("line", [f"{command} --json" for command in ("migrate", "server list", "token list")])
def test_without_an_office_each_command_says_how_to_make_one(shell: Shell, line: str) -> None:
    what, _, command = shell.error(line, 2)
    assert (what, command) == ("there is no office here", f"fob-office init --state {shell.state}")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("listen = 8443", "'listen': Expected `str`, got `int`"),
        ("lisen = 'x'", "Object contains unknown field `lisen`; known are database, listen, trusted_proxies,"),
        ("[log]\nlevel = 'loud'", "'log.level': Invalid enum value 'loud'; known are debug, info, warning, error"),
        ("[limits]\nin_hand = 0", "'limits.in_hand': Expected `int` >= 1"),
        ("= ", "Invalid statement (at line 1, column 1)"),
        ("roles = ['nothing']", "there are directory"),
        ("#" * 70_000, "has more than 65536 octets"),
    ],
)
def test_what_is_wrong_in_the_settings_is_named_with_its_place(shell: Shell, text: str, why: str) -> None:
    shell("init")
    (shell.state / "office.toml").write_text(text)
    assert why in shell.error("run", 2)[1]


def test_the_environment_goes_before_the_file(shell: Shell) -> None:
    shell("init")
    environment = {"FOB_OFFICE_LISTEN": "0.0.0.0:1", "FOB_OFFICE_DATABASE": "postgresql://db/fob"}
    settings = load_settings(shell.state, environment)
    assert (settings.listen, settings.database) == ("0.0.0.0:1", "postgresql://db/fob")
    assert load_settings(shell.state, {}) == Settings(state=shell.state, listen="127.0.0.1:8443")


def test_a_master_key_of_systemd_is_not_written_down(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "fob-office.key").write_bytes(bytes(range(32)))
    (tmp_path / "fob-office.key").chmod(0o400)
    shell.environment["CREDENTIALS_DIRECTORY"] = str(tmp_path)
    shell("init")
    assert not (shell.state / "master.key").exists()
    assert len(shell.json("server list")) == 4
    del shell.environment["CREDENTIALS_DIRECTORY"]
    assert shell.error("server list")[0] == "the master key cannot be read"


def test_a_fault_of_the_program_is_told_by_its_place_and_no_value() -> None:
    def fail(secret: str) -> None:
        raise ZeroDivisionError(secret)

    fault = caught(lambda: fail("hunter2"))
    error = error_for(fault)
    assert "hunter2" not in error.lines
    assert error.why.startswith("a fault in this program: ZeroDivisionError in test_command_line.py, line ")


def caught(act: Callable[[], None]) -> Exception:
    try:
        act()
    except Exception as fault:
        return fault
    raise AssertionError("nothing was raised")


def test_every_command_has_help(shell: Shell) -> None:
    for name in COMMANDS:
        assert f"Usage: fob-office {name} " in shell(f"{name} --help")


def test_the_folder_is_systemd_s_or_the_person_s() -> None:
    assert default_state({"STATE_DIRECTORY": "/var/lib/fob-office"}) == Path("/var/lib/fob-office")
    assert default_state({"XDG_STATE_HOME": "/x"}) == Path("/x/fob-office")


@pytest.fixture
def closed_output() -> Iterator[int]:
    read_end, write_end = os.pipe()
    os.close(read_end)
    yield write_end
    os.close(write_end)


def test_who_reads_no_more_ends_it_quietly(shell: Shell, closed_output: int) -> None:
    shell("init")
    done = subprocess.run(
        [sys.executable, "-m", "fob_office.main", "server", "list", "--state", str(shell.state)],
        stdout=closed_output, stderr=subprocess.PIPE, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, b"")
