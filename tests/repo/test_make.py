"""The Makefile and the scripts behind it, with stand-ins for the programs that would change the machine."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / "tools"


def run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run as a person would, not as a part of the make that runs these tests."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        command, cwd=ROOT, env=inherited | environment, capture_output=True, text=True, timeout=30, check=False
    )


class StandIns:
    """A folder of small shell programs that alone is the PATH, with the tools that the scripts may really use."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log"
        for name in ("sh", "tr"):
            (folder / name).symlink_to(shutil.which(name) or name)

    def add(self, name: str, body: str) -> None:
        path = self.folder / name
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        return run(*command, PATH=str(self.folder))


@pytest.fixture
def stand_ins(tmp_path: Path) -> StandIns:
    (tmp_path / "bin").mkdir()
    return StandIns(tmp_path / "bin")


@pytest.fixture
def packages(stand_ins: StandIns, tmp_path: Path) -> Path:
    """A list of packages; dpkg-query knows git and b as installed, and c as removed with its configuration kept."""
    stand_ins.add("dpkg-query", 'case "$3" in git|b) printf installed;; c) printf config-files;; *) exit 1;; esac')
    stand_ins.add("apt-get", f'echo "$DEBIAN_FRONTEND $*" >>{stand_ins.log}')
    path = tmp_path / "packages.txt"
    path.write_text("# why\ngit\n\na | b\nc  # and why\nd | e\n")
    return path


def test_help_names_every_target() -> None:
    text = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    assert phony
    result = run("make", "--no-print-directory")
    assert [line.split()[1] for line in result.stdout.splitlines()] == phony[1].split()
    assert {"setup", "demo", "test", "check", "clauses", "bench", "fuzz", "clean"} <= set(phony[1].split())


def test_soak_asks_for_all_repetitions_that_tests_can_make() -> None:
    texts = [path.read_text() for path in (ROOT / "tests").rglob("*.py")]
    switches = {name for text in texts for name in re.findall(r'get\("(FOB_\w+)"\) == "all"', text)}
    lines = run("make", "--no-print-directory", "--dry-run", "soak", "ARGS=-x").stdout.splitlines()
    (told,) = (line for line in lines if "pytest" in line)
    assert set(re.findall(r"(FOB_\w+)=all", told)) == switches >= {"FOB_REPLAYS", "FOB_LOST", "FOB_POWER_CUTS"}
    assert told.endswith(" -x")
    paths = re.findall(r"tests/\S+", told)
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_missing_packages_are_installed_by_root(stand_ins: StandIns, packages: Path) -> None:
    stand_ins.add("id", "echo 0")
    result = stand_ins.run(TOOLS / "system-packages", packages)
    assert (result.returncode, result.stdout) == (0, "installing: c d\n")
    assert stand_ins.log.read_text().splitlines() == [
        "noninteractive update --quiet --quiet",
        "noninteractive install --quiet --quiet --yes --no-install-recommends c d",
    ]


def test_missing_packages_are_one_line_to_run_for_everybody_else(stand_ins: StandIns, packages: Path) -> None:
    stand_ins.add("id", "echo 1000")
    result = stand_ins.run(TOOLS / "system-packages", packages)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.splitlines()[-1] == "Run: sudo apt-get install --no-install-recommends c d"
    assert not stand_ins.log.exists()


def test_nothing_missing_is_silent(stand_ins: StandIns, packages: Path) -> None:
    packages.write_text("git\na | b\n")
    result = stand_ins.run(TOOLS / "system-packages", packages)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_another_system_than_debian_is_told_so(stand_ins: StandIns, packages: Path) -> None:
    (stand_ins.folder / "dpkg-query").unlink()
    result = stand_ins.run(TOOLS / "system-packages", packages)
    assert result.returncode == 1
    assert "no Debian system" in result.stderr


def test_the_package_list_is_well_formed() -> None:
    lines = (TOOLS / "debian-packages.txt").read_text().splitlines()
    named = [line for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9.+-]+( \| [a-z0-9][a-z0-9.+-]+)*", line) for line in named)
    assert len(named) == len(set(named)) > 10


def test_the_first_python_that_can_is_taken(stand_ins: StandIns, tmp_path: Path) -> None:
    stand_ins.add("python3.13", "exit 127")  # a shim that runs nothing
    stand_ins.add("python3.12", 'case "$2" in *ensurepip*) exit 1;; esac')  # no venv module
    stand_ins.add("python3.11", f'echo "$*" >>{stand_ins.log}')
    target = tmp_path / "venv"

    result = stand_ins.run(TOOLS / "make-venv", target)

    assert result.returncode == 0, result.stderr
    assert stand_ins.log.read_text().splitlines()[-1] == f"-m venv --clear {target}"


def test_without_the_venv_module_the_package_is_named(stand_ins: StandIns, tmp_path: Path) -> None:
    stand_ins.add("python3.11", 'case "$2" in *ensurepip*) exit 1;; esac')
    result = stand_ins.run(TOOLS / "make-venv", tmp_path / "venv")
    assert result.returncode == 1
    assert result.stderr.splitlines() == [
        "make-venv: python3.11 has no venv module (Debian and Ubuntu package it apart).",
        "Run: sudo apt-get install python3-venv",
    ]


def test_without_a_recent_python_the_versions_are_named(stand_ins: StandIns, tmp_path: Path) -> None:
    stand_ins.add("python3", "exit 1")  # 3.10
    result = stand_ins.run(TOOLS / "make-venv", tmp_path / "venv")
    assert result.returncode == 1
    assert "no Python 3.11 or newer" in result.stderr


def test_a_folder_that_works_is_kept(stand_ins: StandIns, tmp_path: Path) -> None:
    python = tmp_path / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to("/bin/true")
    result = stand_ins.run(TOOLS / "make-venv", tmp_path / "venv")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_each_file_is_run_until_one_fails(stand_ins: StandIns, tmp_path: Path) -> None:
    stand_ins.add("try", f'echo "$*" >>{stand_ins.log}; case "$1" in *_2.py) exit 7;; esac')
    for number in (1, 2, 3):
        (tmp_path / f"fuzz_{number}.py").touch()

    result = stand_ins.run(TOOLS / "run-each", "try", f"{tmp_path}/fuzz_*.py", "-runs=1")

    assert result.returncode == 7
    assert stand_ins.log.read_text().splitlines() == [f"{tmp_path}/fuzz_{number}.py -runs=1" for number in (1, 2)]


def test_nothing_to_run_is_an_error(stand_ins: StandIns, tmp_path: Path) -> None:
    result = stand_ins.run(TOOLS / "run-each", "try", f"{tmp_path}/none_*.py")
    assert (result.returncode, result.stderr) == (1, f"run-each: nothing matches {tmp_path}/none_*.py\n")


@pytest.mark.parametrize(
    ("first", "second", "status"),
    [("true", "true", 0), ("exit 3", "true", 3), ("true", "exit 4", 4), ("exit 3", "exit 4", 4)],
)
def test_two_commands_at_the_same_time(first: str, second: str, status: int) -> None:
    ended = run(TOOLS / "together", f"echo checked; {first}", f"echo tested; {second}")
    assert (ended.returncode, ended.stdout) == (status, "tested\nchecked\n")


def test_two_commands_are_named() -> None:
    ended = run(TOOLS / "together", "true")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "usage: together COMMAND COMMAND" in ended.stderr
