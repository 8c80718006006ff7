"""A data centre whose masters are in a PKCS#11 module: boxes that are added, and removed with what they have there."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fob_office.centre.boxes.identity import IDENTITY, MASTERS, MODULE
from fob_office.centre.boxes.separation import held_by
from fob_office.centre.bus.passes import Kind
from fob_office.centre.places import FILE, load_centre
from support.office_process import PROGRAM, fob_office
from support.required import SOFTHSM, library, program
from support.running_centre import RunningCentre, until

# Begun before others: programs, or a whole data centre.
pytestmark = pytest.mark.slow

PIN = "471147"
SMALL = ("--authentication-boxes", "1", "--transaction-boxes", "1", "--function-servers", "1")


def told(state: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own: the module is loaded once, with the token of this test."""
    command = [*PROGRAM, "centre", *arguments, "--state", str(state)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def labels() -> set[str]:
    """As a stock program sees the token."""
    tool = [
        program("pkcs11-tool"),
        "--module",
        str(library(SOFTHSM)),
        "--token-label",
        "boxes",
        "--login",
        "--pin",
        PIN,
    ]
    listed = subprocess.run([*tool, "--list-objects"], capture_output=True, text=True, check=True, timeout=60).stdout
    return set(re.findall(r"label: +(fob .*)", listed))


def of(name: str, kind: Kind) -> set[str]:
    return {f"fob {name} {purpose}" for purpose in held_by(kind)}


@pytest.fixture(scope="module")
def pin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("pin") / "pin"
    file.touch(0o600)
    file.write_text(PIN)
    return file


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory, pin: Path) -> Iterator[RunningCentre]:
    folder = tmp_path_factory.mktemp("c")
    (folder / "tokens").mkdir()
    configuration = folder / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "SOFTHSM2_CONF", str(configuration))
        begin = ["--init-token", "--free", "--label", "boxes", "--pin", PIN, "--so-pin", "081508"]
        subprocess.run([program("softhsm2-util"), *begin], check=True, capture_output=True, timeout=60)
        fob_office(folder / "o", "init")
        module = ("--pkcs11", str(library(SOFTHSM)), "--pkcs11-token", "boxes", "--pkcs11-pin-file", str(pin))
        made = told(folder / "o", "init", *SMALL, *module)
        assert made.returncode == 0, made.stderr
        running = RunningCentre(folder / "o")
        running.start()
        try:
            yield running
        finally:
            running.stop()


def is_ready(centre: RunningCentre, name: str) -> bool:
    return centre.has(name) and centre.of(name).state == "ready" and centre.status().is_ready


@pytest.mark.clause("M12")
def test_a_box_that_is_added_has_its_masters_in_the_module_and_leaves_none_there(centre: RunningCentre) -> None:
    before = labels()
    assert PIN not in (centre.folder / FILE).read_text()
    added = told(centre.state, "box", "add", "meter")
    assert (added.returncode, added.stderr) == (0, "added meter-3\n")
    until(lambda: is_ready(centre, "meter-3"))
    assert labels() - before == of("meter-3", Kind.METER)
    assert (centre.folder / "meter-3" / MODULE).exists()
    assert not (centre.folder / "meter-3" / MASTERS).exists()
    removed = told(centre.state, "box", "remove", "meter-3")
    assert (removed.returncode, removed.stderr) == (0, "removed meter-3\n")
    assert labels() == before


def tamper(centre: RunningCentre, name: str) -> None:
    (centre.folder / name / IDENTITY).write_bytes(b"changed")
    centre.kill(name)
    until(lambda: centre.of(name).state == "tampered")


@pytest.mark.clause("M3", "M12")
def test_what_a_box_that_was_tampered_with_has_in_the_module_is_destroyed_too(centre: RunningCentre) -> None:
    before = labels()
    tamper(centre, "steel-1")
    assert told(centre.state, "box", "add", "steel").returncode == 0
    until(lambda: is_ready(centre, "steel-2"))
    assert told(centre.state, "box", "remove", "steel-1").stderr == "removed steel-1\n"
    assert labels() == before - of("steel-1", Kind.STEEL) | of("steel-2", Kind.STEEL)


@pytest.mark.clause("M12")
def test_without_the_pin_nothing_is_added_and_what_stays_in_the_token_is_said(centre: RunningCentre, pin: Path) -> None:
    assert told(centre.state, "box", "add", "steel").returncode == 0
    until(lambda: is_ready(centre, "steel-3"))
    before = labels()
    tamper(centre, "steel-3")
    away = pin.rename(pin.with_name("away"))
    refused = told(centre.state, "box", "add", "meter")
    assert (refused.returncode, str(pin) in refused.stderr) == (1, True)
    assert not (centre.folder / "meter-4").exists()
    removed = told(centre.state, "box", "remove", "steel-3")
    assert removed.returncode == 0
    first, warning, *commands = removed.stderr.splitlines()
    assert first == "removed steel-3"
    assert warning.startswith("warning: its masters are in the PKCS#11 token still: ")
    assert labels() == before
    for command in commands:
        line = f"{command.removeprefix('next:  ')} --pin {PIN}"
        subprocess.run(line, shell=True, check=True, capture_output=True, timeout=60)  # noqa: S602 - as it is said
    assert before - labels() == of("steel-3", Kind.STEEL)
    away.rename(pin)


@pytest.mark.clause("M12")
def test_a_data_centre_that_does_not_know_its_module_puts_no_master_into_a_file(centre: RunningCentre) -> None:
    settings = centre.folder / FILE
    text = settings.read_text()
    kept = load_centre(centre.folder).module
    assert kept is not None
    settings.write_text(re.sub(r'"module": \{[^}]*\}', '"module": null', text))
    refused = told(centre.state, "box", "add", "meter")
    assert refused.returncode == 2
    assert "why:   masters of others are in a PKCS#11 module, and it is not said which" in refused.stderr
    said = ("--pkcs11", kept.library, "--pkcs11-token", kept.token, "--pkcs11-pin-file", kept.pin_file)
    assert told(centre.state, "box", "add", "transaction", *said).returncode == 0
    assert of("transaction-2", Kind.TRANSACTION) <= labels()
    settings.write_text(text)
