"""`fob-device run --screen` as a program."""

import re
import socket
import subprocess
from pathlib import Path

import pytest

from support.ready_program import PATIENCE, installed, running

PINS = b"123456\n87654321\n"


@pytest.fixture(scope="module")
def phone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a phone that is off."""
    folder = tmp_path_factory.mktemp("screen") / "phone"
    command = (installed("fob-device"), "init", "--state", str(folder), "--pins", "-")
    subprocess.run(command, input=PINS, check=True, capture_output=True)
    return folder


def command(phone: Path, *arguments: str) -> tuple[str, ...]:
    port = f"pty:{phone.parent / 'line'}"
    return (installed("fob-device"), "run", "--state", str(phone), "--port", port, *arguments)


def refused(phone: Path, *arguments: str) -> list[str]:
    """The three lines of a phone that does not start."""
    done = subprocess.run(command(phone, *arguments), capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 1
    return done.stderr.splitlines()[-3:]


def test_the_address_is_printed_once_and_is_another_one_each_time(phone: Path) -> None:
    addresses = []
    for place in ("--screen", "--screen=127.0.0.1:0"):
        with running(*command(phone, place)) as program:
            pass
        addresses += re.findall(r"http://\S+", program.words)
    assert [re.sub(r":\d+/[\w-]{43}/$", "", address) for address in addresses] == ["http://127.0.0.1"] * 2
    assert addresses[0].rsplit("/", 2)[1] != addresses[1].rsplit("/", 2)[1]


@pytest.mark.parametrize("place", ["192.0.2.1", "localhost", "127.0.0.1:99999"])
def test_the_screen_is_for_this_machine_alone(phone: Path, place: str) -> None:
    what, why, look = refused(phone, "--screen", place)
    assert what == "error: the phone did not start"
    assert place in why
    assert look == "try:   fob-device run --help"


def test_one_person_is_enough(phone: Path) -> None:
    rules = phone.parent / "rules.toml"
    rules.write_text("")
    assert "a rule file, or whoever is at its screen" in refused(phone, "--rules", str(rules), "--screen")[1]


def test_a_place_that_is_taken_is_named(phone: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        place = f"127.0.0.1:{other.getsockname()[1]}"
        what, why, look = refused(phone, "--screen", place)
    assert what == f"error: the screen cannot be served at {place}"
    assert "in use" in why
    assert look == f"try:   ss -ltnp 'sport = :{place.rpartition(':')[2]}'"
