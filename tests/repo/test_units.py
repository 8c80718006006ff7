"""The systemd units, by systemd's own tools."""

import os
import re
import shutil
import subprocess
from configparser import ConfigParser
from pathlib import Path

import pytest

from support.required import check_program

SYSTEMD = Path(__file__).parents[2] / "systemd"
PURPOSES = ("provider", "agent", "control")

# Exposure in tenths: at most 1.5.
THRESHOLD = 15

# KEY or KEY{attribute}, an operator, a value in quotes: udev(7).
UDEV_ITEM = re.compile(r'(?P<key>[A-Z]+)(?:\{\w+\})?(?:==|!=|\+=|-=|:=|=)"[^"]*"')
UDEV_KEYS = {"ACTION", "SUBSYSTEM", "SUBSYSTEMS", "DRIVER", "ATTR", "ATTRS", "ENV", "TAG", "GOTO", "LABEL"}


def run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    check_program(str(command[0]))
    return subprocess.run(
        command,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=30,
        check=False,
    )


def program(path: Path) -> Path:
    """Something executable in fobd's place: systemd-analyze wants to see it."""
    path.parent.mkdir(parents=True)
    path.touch(mode=0o755)
    return path


class Unit(ConfigParser):
    """A unit file: keys keep their case, may repeat, and % is systemd's."""

    def __init__(self, path: Path) -> None:
        super().__init__(strict=False, interpolation=None)
        self.read(path)

    def optionxform(self, optionstr: str) -> str:
        return optionstr


def test_system_units_are_sound(tmp_path: Path) -> None:
    fobd = program(tmp_path / "bin" / "fobd")
    units = shutil.copytree(SYSTEMD / "system", tmp_path / "units")
    service = units / "fobd.service"
    service.write_text(service.read_text().replace("ExecStart=fobd ", f"ExecStart={fobd} "))

    result = run("systemd-analyze", "verify", *sorted(units.iterdir()))

    assert (result.returncode, result.stdout) == (0, "")


def test_the_office_s_units_are_sound(tmp_path: Path) -> None:
    office = program(tmp_path / "bin" / "fob-office")
    units = shutil.copytree(SYSTEMD / "office", tmp_path / "units")
    for service in units.glob("*.service"):
        service.write_text(service.read_text().replace("ExecStart=fob-office ", f"ExecStart={office} "))

    result = run("systemd-analyze", "verify", *sorted(units.iterdir()))

    assert (result.returncode, result.stdout) == (0, "")


def test_user_units_are_sound(tmp_path: Path) -> None:
    program(tmp_path / ".local" / "bin" / "fobd")
    units = sorted((SYSTEMD / "user").iterdir())

    result = run("systemd-analyze", "verify", "--user", *units, HOME=str(tmp_path), XDG_RUNTIME_DIR=str(tmp_path))

    assert (result.returncode, result.stdout) == (0, "")


@pytest.mark.parametrize(
    "name", ["system/fobd.service", "office/fob-office.service", "office/fob-office-audit.service"]
)
def test_a_service_is_hardened(name: str) -> None:
    service = SYSTEMD / name
    result = run("systemd-analyze", "security", "--offline=true", f"--threshold={THRESHOLD}", "--no-pager", service)
    assert result.returncode == 0, result.stdout


def test_whoever_audits_is_who_the_office_is() -> None:
    office, audit = (
        Unit(SYSTEMD / "office" / f"{name}.service")["Service"] for name in ("fob-office", "fob-office-audit")
    )
    its_own = {"Type", "ExecStart", "Nice", "IOSchedulingClass"}
    the_daemon_s = {"Type", "ExecStart", "Restart", "RestartSec"}
    assert {name: value for name, value in audit.items() if name not in its_own} == {
        name: value for name, value in office.items() if name not in the_daemon_s
    }


@pytest.mark.parametrize("instance", ["user", "system"])
def test_one_socket_a_purpose(instance: str) -> None:
    names = [f"fobd-{purpose}.socket" for purpose in PURPOSES]
    assert sorted(path.name for path in (SYSTEMD / instance).iterdir()) == sorted(["fobd.service", *names])
    service = Unit(SYSTEMD / instance / "fobd.service")
    assert service["Service"]["Sockets"].split() == names
    assert service["Service"]["Type"] == "notify"

    directory = {"user": "%t/fob", "system": "/run/fob"}[instance]
    mode = {"user": "0600", "system": "0660"}[instance]
    for purpose, name in zip(PURPOSES, names, strict=True):
        socket = Unit(SYSTEMD / instance / name)["Socket"]
        assert socket["ListenStream"] == f"{directory}/{purpose}.sock"
        assert socket["FileDescriptorName"] == purpose
        assert socket["Service"] == "fobd.service"
        assert socket["SocketMode"] == mode
        assert socket.get("SocketGroup") == {"user": None, "system": "fob"}[instance]


def test_only_the_owner_enters_the_folder_of_the_user_sockets() -> None:
    assert {Unit(SYSTEMD / "user" / f"fobd-{purpose}.socket")["Socket"]["DirectoryMode"] for purpose in PURPOSES} == {
        "0700"
    }


def test_the_system_user_reaches_serial_lines(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()

    result = run("systemd-sysusers", f"--root={tmp_path}", SYSTEMD / "sysusers.d" / "fob.conf")

    assert result.returncode == 0, result.stdout
    assert ":/var/lib/fob:/usr/sbin/nologin" in (tmp_path / "etc" / "passwd").read_text()
    assert re.search(r"^dialout:x:\d+:fob$", (tmp_path / "etc" / "group").read_text(), re.MULTILINE)


@pytest.mark.skipif(os.geteuid() != 0, reason="giving folders to a group needs root")
def test_configuration_and_sockets_have_their_folders(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    run("systemd-sysusers", f"--root={tmp_path}", SYSTEMD / "sysusers.d" / "fob.conf")

    result = run("systemd-tmpfiles", f"--root={tmp_path}", "--create", SYSTEMD / "tmpfiles.d" / "fob.conf")

    assert result.returncode == 0, result.stdout
    modes = {
        name: oct((tmp_path / name).stat().st_mode & 0o7777) for name in ("etc/fob", "etc/fob/fobd.toml", "run/fob")
    }
    assert modes == {"etc/fob": "0o750", "etc/fob/fobd.toml": "0o640", "run/fob": "0o750"}
    assert (tmp_path / "run/fob").stat().st_gid != 0


def test_udev_rules_are_well_formed() -> None:
    for line in (SYSTEMD / "udev" / "60-fob.rules").read_text().splitlines():
        if line and not line.startswith("#"):
            items = [UDEV_ITEM.fullmatch(item) for item in line.split(", ")]
            assert all(items), line
            assert {item["key"] for item in items if item} <= UDEV_KEYS, line
