"""What holds for every file of the house."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = (
    ".ci",
    "back_office",
    "bench",
    "daemon",
    "device_emulator",
    "docs",
    "examples",
    "log_verifier",
    "protocol",
    "systemd",
    "tests",
    "tools",
)

# Past this a file has more than one idea.
MAX_LINES = 700

# A home folder of some machine, or the host of a package registry.
FOREIGN = re.compile(r"(?<![\w.%}])/(?:root|home|Users)/\w|\b(?:pypi\.org|pythonhosted\.org|deb\.debian\.org)\b")


def files() -> Iterator[Path]:
    """Every file that a person wrote."""
    yield from (path for path in ROOT.iterdir() if path.is_file())
    for folder in FOLDERS:
        yield from (path for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def texts() -> Iterator[tuple[str, str]]:
    """Name and text of every file that is text."""
    for path in files():
        content = path.read_bytes()
        if b"\0" not in content:
            yield str(path.relative_to(ROOT)), content.decode("utf-8", errors="replace")


def test_no_source_file_is_too_long() -> None:
    lengths = {name: text.count("\n") for name, text in texts() if name.endswith(".py")}
    assert {name: length for name, length in lengths.items() if length > MAX_LINES} == {}


def test_no_file_names_a_machine_or_a_registry() -> None:
    found = {name: match[0] for name, text in texts() if (match := FOREIGN.search(text))}
    assert found == {}


def test_no_file_names_the_folder_it_lies_in() -> None:
    # A checkout right under / has a name too common to look for.
    here = re.compile(re.escape(str(ROOT)) + r"\b")
    assert {name for name, text in texts() if len(ROOT.parts) > 2 and here.search(text)} == set()


def test_the_wheel_holds_the_five_packages_and_they_are_typed() -> None:
    configuration = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = configuration["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert {Path(package).name for package in packages} == {
        "fob_protocol",
        "fob_daemon",
        "fob_device",
        "fob_office",
        "fob_log_verify",
    }
    for package in packages:
        assert (ROOT / package / "__init__.py").is_file()
        assert (ROOT / package / "py.typed").is_file()
        assert not (ROOT / package).with_name("__init__.py").exists()
