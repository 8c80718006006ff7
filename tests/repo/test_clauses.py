"""The clause marker and the table that is made from it, tried on a small tree of their own."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

TESTS = """
import pytest

@pytest.mark.clause("P9", "VA-7")
@pytest.mark.parametrize("number", [1, 2])
def test_split(number): pass

@pytest.mark.clause("P9")
class TestSplit:
    def test_more(self): pass
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    parts = ("tests/support/memory_disk.py", "tests/support/run_order.py")
    for name in ("tools/clauses.py", "tests/conftest.py", "tests/clauses.toml", *parts):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n  clause(*ids)\n")
    return tmp_path


def clauses(tree: Path, tests: str, *options: str) -> subprocess.CompletedProcess[str]:
    (tree / "tests" / "test_it.py").write_text(tests)
    return subprocess.run(
        [sys.executable, "tools/clauses.py", *options],
        cwd=tree,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_tests_stand_under_their_clause_and_the_gaps_at_the_end(tree: Path) -> None:
    result = clauses(tree, TESTS)

    lines = result.stdout.splitlines()
    place = lines.index("  P9    Split work: the PC does what it can and forwards the rest")
    assert lines[place + 1 : place + 3] == [
        "          tests/test_it.py::TestSplit::test_more",
        "          tests/test_it.py::test_split",
    ]
    assert lines[-2] == "2 of 147 clauses have tests."
    assert lines[-1].startswith("Gaps: C1 C2 ")
    assert " P8 P10 " in lines[-1]


def test_json(tree: Path) -> None:
    found = {clause["id"]: clause for clause in json.loads(clauses(tree, TESTS, "--json").stdout)}
    assert len(found) == 28 + 36 + 28 + 25 + 7 + 15 + 8
    assert found["VA-7"] == {
        "section": "Operational variants of the integrity value",
        "id": "VA-7",
        "text": "Variant 6 with an initialisation value",
        "tests": ["tests/test_it.py::test_split"],
    }
    assert found["P10"]["tests"] == []


def test_an_unknown_clause_is_named(tree: Path) -> None:
    result = clauses(tree, '\nimport pytest\n@pytest.mark.clause("P99")\ndef test_it(): pass\n')
    assert result.returncode == pytest.ExitCode.USAGE_ERROR
    assert result.stdout == ""
    assert "tests/test_it.py::test_it: unknown clause 'P99'; tests/clauses.toml lists the ids" in result.stderr


def test_a_test_that_does_not_load_is_named(tree: Path) -> None:
    result = clauses(tree, "import no_such_module\n")
    assert result.returncode == pytest.ExitCode.INTERRUPTED
    assert "No module named 'no_such_module'" in result.stderr
