"""The description of the HTTP API is true: schemathesis sends what it allows and what it forbids, and finds nothing.

All phases on PostgreSQL, whose types are the stricter ones; on SQLite the examples alone. With FOB_OPENAPI=all
(`make soak`) it has them all too, and either has more of each.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fob_office.settings import LimitSettings
from fob_office.tls import CA_FILE
from support.office import office_scene
from support.office_http import served

TESTS = Path(__file__).parents[1]
PROGRAM = Path(sys.executable).with_name("schemathesis")
PHASES = "examples,coverage,fuzzing,stateful"
IS_WHOLE = os.environ.get("FOB_OPENAPI") == "all"
QUICK_PHASES = PHASES if IS_WHOLE else "examples"
EXAMPLES = 10 if IS_WHOLE else 4
CONFIGURATION = TESTS / "support" / "schemathesis.toml"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_schemathesis_finds_nothing(state: Path, database_url: str | None, tmp_path: Path) -> None:
    unlimited = LimitSettings(rate=0)
    with office_scene(state, database_url, limits=unlimited) as scene, served(scene) as office:
        command = [
            str(PROGRAM), "--config-file", str(CONFIGURATION), "run", "--no-color",
            "--phases", PHASES if database_url is not None else QUICK_PHASES,
            "--max-examples", str(EXAMPLES), "--generation-deterministic", "--suppress-health-check", "all",
            "--tls-verify", str(state / CA_FILE), "-H", f"Authorization: {office.token()['Authorization']}",
            f"https://localhost:{office.port}/v1/openapi.json",
        ]  # fmt: skip
        environment = os.environ | {"SCHEMATHESIS_HOOKS": "support.schemathesis_hooks", "PYTHONPATH": str(TESTS)}
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=280, check=False
        )
    assert done.returncode == 0, done.stdout
