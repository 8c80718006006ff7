"""Where the daemon listens and where `fob` looks for it: the same place, whatever a user's session has or lacks."""

import os
from pathlib import Path

import pytest

from fob_daemon.paths import Paths, daemon_paths, default_paths

# Nobody has this user id, so nobody has its /run/user.
STRANGER = 2**31 - 5


@pytest.fixture
def stranger(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: STRANGER)


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 0)


def sockets(paths: Paths) -> list[str]:
    return [str(path) for path in (paths.provider, paths.agent, paths.control)]


def beneath(folder: Path | str) -> list[str]:
    return [f"{folder}/{name}.sock" for name in ("provider", "agent", "control")]


@pytest.mark.usefixtures("stranger")
def test_a_session_has_a_runtime_folder(tmp_path: Path) -> None:
    paths = default_paths({"HOME": "/nowhere", "XDG_RUNTIME_DIR": str(tmp_path), "XDG_STATE_HOME": "/state"})
    assert (sockets(paths), paths.state) == (beneath(tmp_path / "fob"), Path("/state/fob"))


@pytest.mark.usefixtures("stranger")
@pytest.mark.parametrize("given", [{}, {"XDG_RUNTIME_DIR": ""}, {"XDG_RUNTIME_DIR": "/run/user/no-such-user"}])
def test_without_one_the_sockets_are_beside_the_state(given: dict[str, str]) -> None:
    environment = {"XDG_STATE_HOME": "/state", **given}
    assert sockets(default_paths(environment)) == beneath("/state/fob/run")
    assert daemon_paths(environment) == default_paths(environment)


@pytest.mark.usefixtures("stranger")
def test_so_they_are_where_su_left_another_user_s_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Root may write everywhere: the kernel's answer is stood in for.
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path)
    environment = {"XDG_RUNTIME_DIR": str(tmp_path), "XDG_STATE_HOME": "/state"}
    assert sockets(default_paths(environment)) == beneath("/state/fob/run")


@pytest.mark.usefixtures("stranger")
def test_a_daemon_that_started_before_the_session_had_its_folder_is_found(tmp_path: Path) -> None:
    before = {"XDG_STATE_HOME": str(tmp_path / "state")}
    (tmp_path / "session").mkdir()
    now = before | {"XDG_RUNTIME_DIR": str(tmp_path / "session")}
    started = default_paths(before)
    started.control.parent.mkdir(parents=True)
    started.control.touch()

    assert daemon_paths(now) == started
    assert sockets(default_paths(now)) == beneath(tmp_path / "session/fob")

    default_paths(now).control.parent.mkdir()
    default_paths(now).control.touch()
    assert daemon_paths(now) == default_paths(now)


@pytest.mark.usefixtures("root")
def test_root_has_a_place_of_its_own(tmp_path: Path) -> None:
    assert sockets(default_paths({})) == beneath("/run/fob")
    assert default_paths({}).state == Path("/var/lib/fob")
    assert sockets(default_paths({"XDG_RUNTIME_DIR": str(tmp_path)})) == beneath(tmp_path / "fob")


def test_systemd_and_the_control_variable_say_it_themselves() -> None:
    given = {"RUNTIME_DIRECTORY": "/run/r", "STATE_DIRECTORY": "/s", "FOB_CONTROL_SOCKET": "/c", "XDG_RUNTIME_DIR": "/"}
    assert default_paths(given) == Paths(
        Path("/s"), Path("/run/r/provider.sock"), Path("/run/r/agent.sock"), Path("/c")
    )


@pytest.mark.usefixtures("stranger")
def test_no_home_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME", raising=False)
    with pytest.raises(RuntimeError):
        default_paths({})
