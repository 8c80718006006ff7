"""Which package may import which: the protocol none of ours, the programs only the protocol, the verifier nothing."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "fob_protocol": ROOT / "protocol" / "fob_protocol",
    "fob_daemon": ROOT / "daemon" / "fob_daemon",
    "fob_device": ROOT / "device_emulator" / "fob_device",
    "fob_office": ROOT / "back_office" / "fob_office",
    "fob_log_verify": ROOT / "log_verifier" / "fob_log_verify",
}


def imported(source: str) -> Iterator[str]:
    """The top-level name of every absolute import, also of those inside functions."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("package", PACKAGES)
def test_direction_of_imports(package: str) -> None:
    # Who verifies what the others did shares no mistake with them.
    allowed = {package} if package == "fob_log_verify" else {"fob_protocol", package}
    wrong = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in PACKAGES[package].rglob("*.py")
        for name in imported(path.read_text(encoding="utf-8"))
        if name in PACKAGES.keys() - allowed
    }
    assert wrong == set()


def test_imports_are_found_wherever_they_stand() -> None:
    source = "import a.b\ndef f():\n    from c.d import e\n    from . import g\n"
    assert list(imported(source)) == ["a", "c"]
