"""The device's own program as one octet string (docs/integrity-protocol.md, section 7)."""

from pathlib import Path

import pytest

from fob_device.integrity.own_program import (
    NAME,
    UnreadableProgramError,
    own_program,
    own_version,
    package_folders,
    read_installation,
)
from fob_protocol.cose.cbor import encode


def a_package(folder: Path) -> Path:
    package = folder / "fob_thing"
    (package / "inner" / "__pycache__").mkdir(parents=True)
    (package / "main.py").write_bytes(b"run()")
    (package / "inner" / "a.html").write_bytes(b"")
    (package / "inner" / "__pycache__" / "a.pyc").write_bytes(b"compiled")
    return package


@pytest.mark.clause("V5")
def test_every_file_by_its_name_and_nothing_that_was_compiled(tmp_path: Path) -> None:
    expected = encode(["fob_thing/inner/a.html", 0]) + encode(["fob_thing/main.py", 5]) + b"run()"
    assert read_installation([a_package(tmp_path)]) == expected


@pytest.mark.clause("V5")
def test_another_place_another_order_and_another_time_make_no_difference(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    assert read_installation([a_package(tmp_path / "one")]) == read_installation([a_package(tmp_path / "two")])


def test_a_link_is_refused_by_name(tmp_path: Path) -> None:
    package = a_package(tmp_path)
    (package / "other.py").symlink_to(package / "main.py")
    with pytest.raises(UnreadableProgramError, match=r"fob_thing/other\.py is no plain file"):
        read_installation([package])


def test_what_runs_here() -> None:
    program = own_program()
    assert (program.name, program.version, program.released) == (NAME, own_version(), None)
    octets = program.find()
    assert octets == read_installation(list(reversed(package_folders())))
    assert b"fob_device/integrity/own_program.py" in octets
    assert b"fob_protocol/integrity/measure.py" in octets
