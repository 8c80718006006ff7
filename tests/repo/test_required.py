"""What the tests need is installed before them or missed aloud: nothing is skipped for want of a package."""

import ast
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from support import required
from support.required import FONTS, LIBRARIES, PROGRAMS, SOFTHSM, check_program, library, program

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"

# Who may skip or expect to fail, how often, and why. A missing package is no reason.
ALLOWED = {
    "centre/test_folder.py": (1, "only root may give a file to another user"),
    "daemon/test_pairing.py": (2, "only root may mount a small disk, and in some containers not even root"),
    "phone/test_state.py": (1, "only root may make a disk read-only, and in some containers not even root"),
    "repo/test_units.py": (1, "only root may give folders to a group"),
}
MARKERS = {"skip", "skipif", "importorskip", "xfail", "skipTest", "SkipTest", "skipIf", "skipUnless"}


def skips(source: str) -> int:
    """How often a module skips tests, or could."""
    nodes = list(ast.walk(ast.parse(source)))
    names = [node.attr for node in nodes if isinstance(node, ast.Attribute)]
    names += [alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names]
    return sum(name in MARKERS for name in names)


def test_nothing_is_skipped_but_what_has_a_reason() -> None:
    counted = {str(path.relative_to(TESTS)): skips(path.read_text(encoding="utf-8")) for path in TESTS.rglob("*.py")}
    assert {name: count for name, count in counted.items() if count} == {name: n for name, (n, _) in ALLOWED.items()}


@pytest.mark.parametrize(
    "line",
    [
        'pytest.skip("no")',
        '@pytest.mark.skip(reason="no")\ndef test(): ...',
        'needs = pytest.mark.skipif(True, reason="no")',
        'item.add_marker(pytest.mark.skip(reason="no"))',
        'pytest.importorskip("bumble")',
        "pytestmark = pytest.mark.xfail",
        "from pytest import skip",
    ],
)
def test_every_way_to_skip_is_counted(line: str) -> None:
    assert skips(line) == 1
    assert skips(f"# {line!r}\nprint({line!r})") == 0


def test_every_package_is_installed_before_the_tests_and_is_needed() -> None:
    lines = (ROOT / "tools" / "debian-packages.txt").read_text(encoding="utf-8").splitlines()
    installed = [line.split("|")[0].strip() for line in lines if line and not line.startswith("#")]
    assert sorted(installed) == sorted({*PROGRAMS.values(), *LIBRARIES.values(), *FONTS.values()})


def test_what_is_there_is_found() -> None:
    assert program("openssl") == shutil.which("openssl")
    assert library(SOFTHSM).name == "libsofthsm2.so"


def test_a_missing_program_fails_its_test_and_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(required, "SERVER_FOLDERS", "/nowhere")
    for look in (program, check_program):
        assert_fails(look, "pkcs11-tool", "pkcs11-tool is missing: apt install opensc,")
    check_program("fob")


def test_a_missing_library_fails_its_test_and_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(required, "LIBRARY_FOLDERS", ("/nowhere",))
    assert_fails(library, SOFTHSM, "softhsm/libsofthsm2.so is missing: apt install softhsm2,")


def assert_fails(look: Callable[[str], object], name: str, words: str) -> None:
    with pytest.raises(pytest.fail.Exception, match=re.escape(words)):
        look(name)
