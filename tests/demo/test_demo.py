"""`fob demo -- COMMAND`: the command's surroundings, its exit status, and nothing left behind."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

FOB = str(Path(sys.executable).parent / "fob")
VARIABLES = (
    "P11_KIT_SERVER_ADDRESS",
    "PKCS11_MODULE",
    "PKCS11_TOKEN_LABEL",
    "PKCS11_PIN",
    "PKCS11_SO_PIN",
    "SSH_AUTH_SOCK",
    "FOB_CONTROL_SOCKET",
)
NOBODY = 65534


def surroundings(tmp_path: Path) -> dict[str, str]:
    scratch = tmp_path / "scratch"
    scratch.mkdir(exist_ok=True, mode=0o777)
    scratch.chmod(0o777)
    return {"PATH": os.environ["PATH"], "TMPDIR": str(scratch), "HOME": str(scratch)}


def start(environment: Mapping[str, str], *command: str, before: Sequence[str] = ()) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [*before, FOB, "demo", *(("--", *command) if command else ())],
        env=environment, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def finish(demo: "subprocess.Popen[bytes]") -> tuple[int, str, str]:
    out, err = demo.communicate(timeout=90)
    return demo.returncode, out.decode(), err.decode()


def processes_that_mention(text: str) -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if text in line:
            found.append(line)
    return found


def assert_nothing_is_left(environment: Mapping[str, str]) -> None:
    assert list(Path(environment["TMPDIR"]).iterdir()) == []
    assert processes_that_mention(environment["TMPDIR"]) == []


def test_the_command_finds_its_surroundings_and_gives_the_exit_status(tmp_path: Path) -> None:
    environment = surroundings(tmp_path)
    script = "; ".join(f'echo "{name}=${name}"' for name in VARIABLES) + "; exit 7"
    status, out, _ = finish(start(environment, "sh", "-c", script))
    assert status == 7
    values = dict(line.split("=", 1) for line in out.splitlines())
    assert set(values) == set(VARIABLES)
    assert all(values.values())
    assert_nothing_is_left(environment)


def test_two_at_once_do_not_meet(tmp_path: Path) -> None:
    environment = surroundings(tmp_path)
    demos = [start(environment, "sh", "-c", "ssh-add -L | sort; echo $PKCS11_PIN") for _ in range(2)]
    (first, second) = [finish(demo) for demo in demos]
    assert first[0] == second[0] == 0
    assert len(first[1].splitlines()) == len(second[1].splitlines()) == 4
    assert set(first[1].splitlines()).isdisjoint(second[1].splitlines())
    assert_nothing_is_left(environment)


def test_a_program_that_does_not_exist(tmp_path: Path) -> None:
    environment = surroundings(tmp_path)
    status, _, err = finish(start(environment, "no-such-program"))
    assert status == 1
    assert [line.split(":")[0] for line in err.splitlines()[-3:]] == ["error", "why", "try"]
    assert_nothing_is_left(environment)


def test_a_demo_that_is_killed_politely_cleans_up(tmp_path: Path) -> None:
    environment = surroundings(tmp_path)
    demo = start(environment, "sh", "-c", "echo ready; exec sleep 60")
    assert demo.stdout is not None
    assert demo.stdout.readline() == b"ready\n"
    demo.terminate()
    assert finish(demo)[0] == 128 + 15
    assert_nothing_is_left(environment)


@pytest.mark.clause("P9")
def test_the_walk_signs_and_says_what_crossed_the_link(tmp_path: Path) -> None:
    environment = surroundings(tmp_path)
    status, out, err = finish(start(environment))
    assert status == 0, out + err
    assert "left out" not in out
    assert out.count("Verified OK") == 2
    assert 'Good "git" signature' in out
    assert [line.strip() for line in out.splitlines() if "link: 0 round trips" in line]
    assert_nothing_is_left(environment)


def become_unprivileged() -> list[str]:
    """Another user where the interpreter lets others read it, else root without its powers, under another number."""
    other = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    again = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import fob_device'], check=True)"
    readable = subprocess.run([*other, sys.executable, "-c", again], capture_output=True, check=False)
    return other if readable.returncode == 0 else ["unshare", "--user", f"--map-user={NOBODY}"]


@pytest.mark.skipif(os.getuid() != 0, reason="everybody else is unprivileged already")
def test_an_unprivileged_user_can_run_it(tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(0o755)
    environment = surroundings(tmp_path)
    status, out, err = finish(start(environment, "sh", "-c", "id -u; ssh-add -l", before=become_unprivileged()))
    assert status == 0, err
    assert out.splitlines()[0] == str(NOBODY)
    assert len(out.splitlines()) == 4
    assert_nothing_is_left(environment)
