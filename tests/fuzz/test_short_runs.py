"""Every fuzz target, a short run of each; `make fuzz` runs them for long."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

RUNS = 1_000
FOLDER = Path(__file__).parent
TARGETS = sorted(path.name for path in FOLDER.glob("fuzz_*.py"))


def test_there_is_a_target_for_every_door() -> None:
    doors = {
        "fuzz_rpc.py",
        "fuzz_agent.py",
        "fuzz_control.py",
        "fuzz_console.py",
        "fuzz_data_state.py",
        "fuzz_frames.py",
        "fuzz_integrity.py",
        "fuzz_office_messages.py",
    }
    assert doors <= set(TARGETS)


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_short_run(target: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(FOLDER / target), f"-runs={RUNS}", "-seed=1"],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(FOLDER.parent)},
        capture_output=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-3000:]
    assert b"Done" in done.stderr
