"""What a function server was told, where it cannot be used: in three lines, and no fault of the program."""

import os
from pathlib import Path

import pytest

from fob_office.centre.boxes.folder import BoxFolder, create_folder
from fob_office.centre.function.settings import FILE, read_told
from fob_office.errors import OperatorError

NAME = "function-1"


@pytest.fixture
def folder(tmp_path: Path) -> BoxFolder:
    return create_folder(tmp_path / NAME, NAME, os.urandom)


def test_a_server_that_was_never_told_is_named(folder: BoxFolder) -> None:
    with pytest.raises(OperatorError, match="function-1 does not serve") as caught:
        read_told(folder)
    assert caught.value.why == "it was not told who it is to devices"


@pytest.mark.parametrize("octets", [b"", b"told", bytes.fromhex("8101")])
def test_what_another_version_wrote_is_named_with_the_command_that_helps(folder: BoxFolder, octets: bytes) -> None:
    folder.write(FILE, octets)
    with pytest.raises(OperatorError, match="function-1 does not serve") as caught:
        read_told(folder)
    assert caught.value.why.startswith("what it was told cannot be read: ")
    assert caught.value.command == "fob-office centre box add function    (and box remove function-1)"
