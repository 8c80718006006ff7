"""`fob doctor` on folders and secrets with which the daemon does not start: found and mended, running or not."""

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from cli.fob_program import FobProgram
from fob_daemon.cli.checks.finding import Finding, Machine, Outcome
from fob_daemon.cli.checks.permissions import SECRETS, check_permissions
from fob_daemon.daemon import IDENTITY_FILE
from fob_daemon.integrity.files import KEY_FILE, STATE_FILE
from fob_daemon.link.ble.hci.bonds_file import BONDS_FILE
from fob_daemon.p11_kit import module_path, module_text
from fob_daemon.permissions import PermissionsError, require_own_folder
from fob_daemon.state_folder import StateFolder

RUNS = {"version": "0.1.0", "pid": 77, "agent_logged_in": False, "hci": "", "devices": []}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Sockets in one folder, the state in another, all as fobd makes it; it does not run."""
    run, state = tmp_path / "run", tmp_path / "state"
    run.mkdir(mode=0o700)
    StateFolder(state).close()
    for name in SECRETS:
        (state / name).write_bytes(bytes(32))
        (state / name).chmod(0o600)
    sockets = (run / "control.sock", run / "provider.sock", run / "agent.sock")
    return Machine({"HOME": str(tmp_path)}, 1000, tmp_path, *sockets, None, state=state)


def only(machine: Machine) -> Finding:
    (finding,) = check_permissions(machine)
    return finding


def test_the_daemon_s_secrets_are_those() -> None:
    assert SECRETS == (IDENTITY_FILE, BONDS_FILE, KEY_FILE, STATE_FILE)


def test_nothing_is_said_of_what_is_well_or_not_there(machine: Machine, tmp_path: Path) -> None:
    assert list(check_permissions(machine)) == []
    nowhere = replace(machine, control=tmp_path / "none/control.sock", state=tmp_path / "none")
    assert list(check_permissions(nowhere)) == []


@pytest.mark.parametrize("status", [None, RUNS])
@pytest.mark.parametrize(("name", "mode"), [("run", 0o777), ("run", 0o770), ("state", 0o702)])
def test_a_folder_that_others_may_write_to(
    machine: Machine, tmp_path: Path, name: str, mode: int, status: dict[str, object] | None
) -> None:
    folder = tmp_path / name
    folder.chmod(mode)
    with pytest.raises(PermissionsError):
        require_own_folder(folder)
    looked_at = replace(machine, status=status)
    found = only(looked_at)
    assert (found.outcome, found.what) == (Outcome.FAIL, f"{folder} is open to other users")
    assert found.why == f"other users may write to {folder}; fobd does not start with that"
    assert found.next == f"chmod go-w {folder}"
    assert found.fix is not None
    found.fix.apply()
    require_own_folder(folder)
    assert list(check_permissions(looked_at)) == []


@pytest.mark.parametrize("status", [None, RUNS])
@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_that_others_may_read(machine: Machine, name: str, status: dict[str, object] | None) -> None:
    looked_at = replace(machine, status=status)
    assert looked_at.state is not None
    path = looked_at.state / name
    path.chmod(0o644)
    found = only(looked_at)
    why = f"{path} is a secret, and mode 0644 opens it to other users; fobd does not start with that"
    assert (found.outcome, found.why, found.next) == (Outcome.FAIL, why, f"chmod 600 {path}")
    assert found.fix is not None
    found.fix.apply()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(check_permissions(looked_at)) == []


def test_a_folder_of_everybody_s_is_left_to_a_person(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "run").chmod(0o1777)
    found = only(machine)
    assert (found.next, found.fix) == (f"mkdir -m 700 {tmp_path}/run/fob", None)


def test_a_socket_that_is_no_file_has_no_folder(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    here = machine.root / "here"
    here.mkdir()
    here.chmod(0o777)
    monkeypatch.chdir(here)
    assert list(check_permissions(replace(machine, agent=Path("@fob-agent")))) == []


def test_another_user_s_are_for_a_daemon_of_theirs(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "run").chmod(0o777)
    monkeypatch.setattr(os, "getuid", lambda: tmp_path.stat().st_uid + 1)
    assert list(check_permissions(machine)) == []


async def test_the_program_finds_and_mends_both_before_anything_else(lonely_fob: FobProgram) -> None:
    state = lonely_fob.folder / "state"
    lonely_fob.environment["XDG_STATE_HOME"] = str(state)
    key = state / "fob" / IDENTITY_FILE
    key.parent.mkdir(mode=0o700, parents=True)
    key.write_bytes(bytes(32))
    key.chmod(0o644)
    folder = lonely_fob.control.parent
    mode = stat.S_IMODE(folder.stat().st_mode)
    folder.chmod(0o777)
    wrong = [f"{folder} is open to other users", f"{key} is open to other users"]
    assert [finding["what"] for finding in (await lonely_fob("doctor", "--json")).json["findings"][:2]] == wrong
    mended = (await lonely_fob.mended()).json
    assert mended["fixed"][:2] == wrong
    assert (stat.S_IMODE(folder.stat().st_mode), stat.S_IMODE(key.stat().st_mode)) == (0o755, 0o600)
    assert not [finding for finding in mended["findings"] if "open to other users" in finding["what"]]
    folder.chmod(mode)


async def test_what_is_mended_here_is_not_the_machine_s(lonely_fob: FobProgram) -> None:
    """Root's module file would be, and tests may run as root."""
    of_the_machine = module_path(0, {})
    before = text_of(of_the_machine)
    written = lonely_fob.folder / "modules/fob.module" if os.getuid() == 0 else module_path(1, lonely_fob.variables())
    ended = await lonely_fob.mended()
    assert "p11-kit does not lead programs to the daemon" in ended.json["fixed"]
    assert written.read_text() == module_text(str(lonely_fob.folder / "fob/provider.sock"))
    assert text_of(of_the_machine) == before


def text_of(path: Path) -> str | None:
    return path.read_text() if path.exists() else None
