"""What an operator adds is asked for by the version that it says itself; an office tells who runs one that it lacks."""

from pathlib import Path
from zipfile import ZipFile

import pytest
from structlog.testing import capture_logs

from fob_office.cli.context import Cli
from fob_office.cli.main import run
from fob_office.events.service import events_after
from fob_office.surroundings import Surroundings
from fob_protocol.cose.headers import key_id
from fob_protocol.office.message import Version
from support.office import OfficeScene
from support.office_holders import add_program, holder_of, rates_holder
from support.office_shop import ordered_device

METADATA = "Metadata-Version: 2.4\nName: fobd\nVersion: {}\n\nWhat it is.\n"


@pytest.fixture
def scene(sqlite_scene: OfficeScene) -> OfficeScene:
    (sqlite_scene.office.settings.state / "office.toml").write_text("")
    return sqlite_scene


def added(scene: OfficeScene, *arguments: str) -> int:
    """The status of `program add`."""
    state = str(scene.office.settings.state)
    return run(["program", "add", "--state", state, *arguments], Cli({}, Surroundings(lambda: scene.clock.time, bytes)))


def wheel(folder: Path, version: str) -> Path:
    path = folder / f"fobd-{version}-py3-none-any.whl"
    with ZipFile(path, "w") as archive:
        archive.writestr("fob_example/__init__.py", b"")
        archive.writestr(f"fobd-{version}.dist-info/METADATA", METADATA.format(version))
    return path


def package(folder: Path) -> Path:
    made = folder / "fob_example"
    made.mkdir(parents=True)
    (made / "__init__.py").write_bytes(b"")
    return made


def installed(folder: Path, version: str) -> Path:
    """As an installer leaves it, beside what is another distribution's."""
    for name, its, lists in (("fobd", version, "fob_example"), ("other", "7.7.7", "other_example")):
        about = folder / f"{name}-{its}.dist-info"
        about.mkdir(parents=True)
        (about / "METADATA").write_text(METADATA.format(its).replace("fobd", name))
        (about / "RECORD").write_text(f"{lists}/__init__.py,,\n{about.name}/METADATA,,\n")
    return package(folder)


def in_a_tree(folder: Path, version: str) -> Path:
    """As a clone has it."""
    made = package(folder / "protocol")
    (folder / "pyproject.toml").write_text(f'[project]\nname = "fobd"\nversion = "{version}"\n')
    return made


def given(folder: Path, kind: str, version: str) -> list[str]:
    if kind == "wheel":
        return ["--wheel", str(wheel(folder, version))]
    return ["--folder", str({"installed": installed, "tree": in_a_tree}[kind](folder, version))]


@pytest.mark.clause("V5")
@pytest.mark.parametrize("kind", ["wheel", "installed", "tree"])
@pytest.mark.parametrize("version", ["0.1.0", "0.1.0.dev3"])
def test_a_version_that_is_not_its_own_is_refused(
    scene: OfficeScene, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str, version: str
) -> None:
    source = given(tmp_path, kind, version)
    assert added(scene, *source, "fobd", "1.0.1") == 1
    error, why, remedy = capsys.readouterr().err.splitlines()
    assert error == "error: fobd 1.0.1 was not added"
    assert why.endswith(f" is version {version}, and who runs it asks for a copy of 0.1.0")
    assert remedy == "try:   the same command with 0.1.0"
    assert added(scene, *source, "fobd", "0.1.0") == 0


@pytest.mark.parametrize("version", ["2", "later"])
def test_who_says_no_version_of_three_numbers_is_believed(
    scene: OfficeScene, tmp_path: Path, version: str
) -> None:  # fmt: skip
    assert added(scene, *given(tmp_path, "wheel", version), "tables", "1.0.1") == 0
    assert added(scene, "--folder", str(package(tmp_path / "bare")), "fobd", "1.0.1") == 0


def held(scene: OfficeScene, serial: str, name: str, version: Version) -> str:
    """A device asks for a copy of what it runs; its key id."""
    holder = holder_of(scene, ordered_device(scene, serial=serial).system_key)
    holder.fetch({name: b"the program"}, version)
    return key_id(holder.public_key).hex()


def events(scene: OfficeScene) -> list[tuple[str, str]]:
    with scene.office.database.read() as session:
        found = [(event.what, event.about) for event in events_after(session, 0)]
    return [one for one in found if one[0] == "held, and never added"]


@pytest.mark.clause("V5", "V20")
def test_an_operator_hears_of_versions_that_are_held_and_were_never_added(scene: OfficeScene) -> None:
    add_program(scene, "fob-device", b"the program", (0, 1, 0))
    with capture_logs() as told:
        holders = [held(scene, f"M-{number:04}", "fob-device", (0, 2, 0)) for number in range(3)]
        # Of what this office has no version at all it has nothing to say.
        held(scene, "M-0004", "another", (0, 2, 0))
    lines = [line for line in told if line["event"] == "version was never added"]
    assert [(line["program"], line["version"], line["holder"]) for line in lines] == [
        ("fob-device", "0.2.0", holder) for holder in holders
    ]
    # One event, however many devices have it and whatever versions one of them makes up.
    held(scene, "M-0005", "fob-device", (9, 9, 9))
    assert events(scene) == [("held, and never added", "fob-device 0.2.0")]


# What differs, by name.


def with_files(path: Path, **files: bytes) -> Path:
    for name, content in files.items():
        target = path / name.replace("__", "/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return path


def ran(scene: OfficeScene, *arguments: str) -> int:
    command = ["program", "compare", "--state", str(scene.office.settings.state), *arguments]
    return run(command, Cli({}, Surroundings(lambda: scene.clock.time, bytes)))


@pytest.mark.clause("V5")
def test_what_differs_from_an_installation_is_named(
    scene: OfficeScene, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    long = "x" * 200
    added_files = {"a": b"1", "b": b"2" * 300_000, "systemd__fobd": b"unit", long: b""}
    first = with_files(tmp_path / "one" / "fob_example", **added_files)
    assert added(scene, "--folder", str(first), "fobd", "0.1.0") == 0
    capsys.readouterr()
    assert ran(scene, "--folder", str(first), "fobd", "0.1.0") == 0
    assert capsys.readouterr().err == "the same: 4 files\n"
    here = {"a": b"1", "b": b"2" * 299_999 + b"3", "new__c": b"", long: b""}
    other = with_files(tmp_path / "other" / "fob_example", **here)
    assert ran(scene, "--folder", str(other), "fobd", "0.1.0") == 1
    out, err = capsys.readouterr()
    assert [line.split(maxsplit=1) for line in out.splitlines()[1:]] == [
        ["fob_example/b", "other octets"],
        ["fob_example/new/c", "only here"],
        ["fob_example/systemd/fobd", "only in the office"],
    ]
    assert [line.split(":")[0] for line in err.splitlines()] == ["error", "why", "try"]
    assert "3 of 5 files differ" in err


def test_a_component_is_not_compared(scene: OfficeScene, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rates_holder(scene)
    assert ran(scene, "--folder", str(package(tmp_path)), "rates", "1.0.0") == 1
    assert "it is a component" in capsys.readouterr().err
    assert ran(scene, "fobd", "1.0.0") == 2
    assert ran(scene, "--folder", str(package(tmp_path / "x")), "fobd", "1.0.0") == 1
