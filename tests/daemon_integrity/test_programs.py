"""fobd, the phone and the office as programs: a letter, a changed installation found by name, healed; a ticket."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import fob_daemon
import fob_protocol
from fob_daemon.version import own_version
from fob_office.tls import CA_FILE
from support.live import Live, live_phone
from support.office_process import RunningOffice, fob_office, running_office
from support.required import check_program
from support.trio import short_folder

SIGN = ("--sign", "--mechanism", "ECDSA", "--id", "02", "--input-file", "digest", "--output-file", "signature")
INVALID = "what is installed is not what the office gave out (invalid)"
PACKAGES = (fob_daemon, fob_protocol)


@dataclass
class Scene:
    """`installed` is where fobd runs from."""

    live: Live
    office: RunningOffice
    installed: Path

    def fob(self, *arguments: str, stdin: str = "") -> tuple[int, str]:
        """Exit code and data."""
        done = self.live.run("fob", *arguments, stdin=stdin.encode(), check=False)
        return done.returncode, done.stdout.decode() or done.stderr.decode()

    def own(self) -> Any:
        """As `fob integrity status` has it."""
        return json.loads(self.fob("integrity", "status", "--json")[1])["own"]

    def signs(self) -> bool:
        """Whether pkcs11-tool gets a signature of the phone."""
        return self.live.pkcs11_tool(*SIGN, check=False).returncode == 0

    def refusal(self) -> str:
        """What a program hears."""
        return self.live.pkcs11_tool(*SIGN, check=False).stderr.decode()

    def states(self) -> list[str]:
        """Of all copies, as the office has them."""
        return [copy["state"] for copy in json.loads(fob_office(self.office.state, "copy", "list", "--json"))]


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    check_program("pkcs11-tool")
    installed, state = tmp_path / "installed", tmp_path / "office"
    folders = [_copied(Path(str(package.__file__)).parent, installed) for package in PACKAGES]
    fob_office(state, "init")
    fob_office(
        state, "program", "add", *(f"--folder={folder}" for folder in folders), "fobd", own_version(),
    )  # fmt: skip
    fob_office(state, "server", "certificate", "configuration", "--output", str(tmp_path / "configuration"))
    issuer = json.loads(fob_office(state, "issuer", "show", "--json"))["public_key"]
    monkeypatch.setenv("PYTHONPATH", str(installed))
    with running_office(state) as office, short_folder() as folder, live_phone(folder) as live:
        with live.scratch.config.open("a") as file:
            file.write(
                f"[office]\nurl = {json.dumps(office.url)}\nca_file = {json.dumps(str(state / CA_FILE))}\n"
                f'issuer = "{issuer}"\ncertificate = {json.dumps(str(tmp_path / "configuration"))}\n'
            )
        (live.folder / "digest").write_bytes(bytes(32))
        live.restart_daemon()
        live.await_state("ready")
        yield Scene(live, office, installed)


def _copied(package: Path, folder: Path) -> Path:
    """With what was compiled, whose times still fit."""
    shutil.copytree(package, folder / package.name)
    return folder / package.name


@pytest.fixture
def restart(scene: Scene) -> Callable[[], None]:
    def again() -> None:
        scene.live.restart_daemon()
        scene.live.await_state("ready")

    return again


@pytest.mark.clause("V2", "V5", "V12", "V15", "V16", "V17", "V18")
def test_a_changed_installation_is_refused_by_name_and_healed(scene: Scene, restart: Callable[[], None]) -> None:
    assert (scene.signs(), scene.own()["enrolled"]) == (True, False)
    letter = fob_office(scene.office.state, "copy", "letter", "fobd", own_version())
    code, told = scene.fob("integrity", "enrol", stdin=letter)
    assert (code, f"fobd {own_version()} on this computer: valid" in told) == (0, True)
    assert (scene.signs(), scene.states()) == (True, ["valid"])

    changed = scene.installed / "fob_daemon" / "version.py"
    clean, times = changed.read_bytes(), changed.stat()
    changed.write_bytes(clean + b"# and more\n")
    restart()
    # CKR_FUNCTION_REJECTED, which OpenSC has no name for.
    assert "(0x200)" in scene.refusal()
    assert f"fobd uses no key of any phone: {INVALID}" in scene.fob("status")[1]
    findings = json.loads(scene.fob("doctor", "--json")[1])["findings"]
    assert [(one["outcome"], one["why"]) for one in findings if one["what"] == "fobd uses no key of any phone"] == [
        ("fail", INVALID)
    ]
    assert scene.states() == ["invalid"]

    changed.write_bytes(clean)
    os.utime(changed, ns=(times.st_atime_ns, times.st_mtime_ns))
    restart()
    assert (scene.signs(), scene.own()["state"]) == (True, "valid")
    assert scene.states() == ["invalid", "valid"]

    certificate = str(scene.installed / "validation")
    fob_office(scene.office.state, "server", "certificate", "integrity", "--output", certificate)
    ticket = scene.fob("ticket", "get", "fobd")[1]
    asked = ("--certificate", certificate, "--max-age", "1min", "--program", f"fobd>={own_version()}")
    assert scene.fob("ticket", "verify", "-", *asked, stdin=ticket)[0] == 0
    assert scene.fob("ticket", "verify", "-", "--certificate", certificate, "--program", "other", stdin=ticket)[0] == 1
