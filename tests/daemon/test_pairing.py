"""`fob pair` and `fob unpair` with real programs: lines that are the daemon's own, phones that go, full disks."""

import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.asking import asking
from support.live import Live, live_phone
from support.ready_program import installed, running

pytestmark = pytest.mark.clause("P7")

# Longer than whatever is waited for here takes, shorter than any time limit of a pairing.
SOON = 5.0

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live_phone(tmp_path_factory.mktemp("pairing")) as live:
        yield live


def ended(process: "subprocess.Popen[bytes]") -> tuple[int, list[str]]:
    """Exit status and the last words of a pairing that ends by itself."""
    assert process.stderr is not None
    words = process.stderr.read()
    return process.wait(SOON), words.decode().splitlines()


def failed(live: Live, *arguments: str) -> tuple[int, list[str]]:
    """Exit status and the three lines of a `fob` that fails."""
    done = live.run("fob", *arguments, check=False)
    return done.returncode, done.stderr.decode().splitlines()[-3:]


def test_a_phone_that_is_killed_while_the_person_compares_is_back_at_once(live: Live) -> None:
    url = f"serial:{live.scratch.line}"
    with asking(live, url) as process:
        began = time.monotonic()
        live.kill_phone()

        code, words = ended(process)

        assert time.monotonic() - began < SOON
        assert code == 4
        assert words == [
            "withdrawn, no answer is needed",
            "error: not paired",
            "why:   the pairing was broken off: the line ended",
            f"try:   fob pair {url}",
        ]
    live.start_phone()
    live.pkcs11_tool("--sign", "--mechanism", "ECDSA", "--id", "02", "--input-file", digest(live), "-o", "/dev/null")


def test_a_phone_that_is_killed_after_the_person_said_yes_is_back_at_once(live: Live) -> None:
    # Nobody on the phone ever answers: it is frozen as soon as it has asked.
    with asking(live, f"serial:{live.scratch.line}") as process:
        live.processes.freeze_phone()
        assert process.stdin is not None
        process.stdin.write(b"y\n")
        live.kill_phone()
        code, words = ended(process)
        assert (code, words[-2]) == (4, "why:   the pairing was broken off: the line ended")
    live.start_phone()


def test_a_line_of_the_daemon_s_own_is_paired_on_whatever_its_speed(live: Live) -> None:
    url = f"serial:{live.scratch.line}"
    live.run("fob", "pair", f"{url}?baud=9600", "--yes")
    live.await_state("ready")
    assert live.device()["url"] == f"{url}?baud=9600"
    live.run("fob", "pair", url, "--yes")
    live.await_state("ready")
    assert live.device()["url"] == url


def test_the_phone_s_program_says_the_code_that_fob_shows(live: Live) -> None:
    said = live.run("fob", "pair", f"serial:{live.scratch.line}", "--yes").stderr.decode()
    code = re.search(r"│   (\d{3})   (\d{3})   │", said)
    assert code is not None, said

    words = (live.folder / "phone.log").read_text().splitlines()
    assert f"pairing: code {code[1]} {code[2]} (the rule file says yes)" in words
    assert any(re.fullmatch(r"paired with '.+@.+'", line) for line in words)
    live.await_state("ready")


def test_a_phone_that_is_paired_again_goes_by_the_name_that_it_is_given(live: Live) -> None:
    url, slot = f"serial:{live.scratch.line}", live.device()["slot"]
    live.run("fob", "unlock")
    said = live.run("fob", "pair", url, "--yes", "--name", "my pixel").stderr.decode()
    live.await_state("ready")

    assert f"Paired. It is called 'my pixel' here, in slot {slot}." in said
    assert [device["name"] for device in live.status()["devices"]] == ["my pixel"]
    assert b"my pixel" in live.pkcs11_tool("--list-slots", login=False).stdout
    assert live.run("fob", "lock").stderr == b"Locked: my pixel.\n", "who was logged in goes on"
    live.run("fob", "unlock", "--device", "my pixel")
    assert live.run("fob", "lock").stderr == b"Locked: my pixel.\n"

    live.run("fob", "pair", url, "--yes")
    assert live.device()["name"] == "my pixel", "no new name is wanted"


def test_what_is_counted_goes_on_when_a_phone_is_paired_again(live: Live) -> None:
    before, started = live.device(), live.device()["name"]
    for name in ("another name", started):
        live.run("fob", "pair", f"serial:{live.scratch.line}", "--yes", "--name", name)
        after = live.device()
        assert [after["name"], after["state"]] == [name, "ready"]
        assert after["reconnects"] == before["reconnects"] + 1
        assert after["bytes_sent"] > before["bytes_sent"] > 0
        assert after["bytes_received"] > before["bytes_received"] > 0
        assert after["round_trips"] >= before["round_trips"] > 0
        metrics = live.run("fob", "metrics").stdout.decode()
        assert f'fob_link_reconnects_total{{device="{name}"}} {after["reconnects"]}.0' in metrics
        before = after


def test_a_phone_that_is_paired_again_keeps_its_place_among_the_others(live: Live, tmp_path: Path) -> None:
    def names() -> list[str]:
        return [device["name"] for device in live.status()["devices"]]

    with another_phone(tmp_path) as other:
        live.run("fob", "pair", f"serial:{live.scratch.line}", "--yes", "--name", "first")
        live.run("fob", "pair", other, "--yes", "--name", "second")
        live.run("fob", "pair", f"serial:{live.scratch.line}", "--yes")
        assert names() == ["first", "second"]
        live.run("fob", "pair", f"serial:{live.scratch.line}", "--yes", "--name", "zebra")
        assert names() == ["zebra", "second"]
        live.restart_daemon()
        assert names() == ["zebra", "second"]
        live.run("fob", "unpair", "second")
    live.await_state("ready")


@contextmanager
def another_phone(folder: Path) -> Iterator[str]:
    """Its URL."""
    device, state, line = installed("fob-device"), folder / "phone", folder / "line"
    subprocess.run((device, "init", f"--state={state}", "--pins=-"), input=b"123456\n12345678\n", check=True)
    with running(device, "run", f"--state={state}", f"--port=pty:{line}"):
        yield f"serial:{line}"


def test_a_second_pairing_on_the_line_is_told_of_the_first(live: Live) -> None:
    url = f"serial:{live.scratch.line}"
    with asking(live, url) as first:
        second = f"{url}?baud=9600"
        assert failed(live, "pair", second) == (
            1,
            [
                "error: not paired",
                f"why:   a pairing with this device is under way already, on {url}",
                f"try:   fob pair '{second}'    (when that one has ended)",
            ],
        )
        assert first.stdin is not None
        first.stdin.write(b"y\n")
        assert ended(first)[0] == 0
    live.await_state("ready")


@pytest.mark.parametrize("query", ["bad=7", "baud=", "baud=9600&baud=9600", "baud=99999999999"])
def test_a_line_that_cannot_be_is_a_usage_error(live: Live, query: str) -> None:
    code, (what, why, command) = failed(live, "pair", f"serial:{live.scratch.line}?{query}")
    assert (code, what, command) == (2, "error: no such line", "try:   fob pair --help")
    assert query.partition("=")[0] in why.rpartition("'serial:")[2].partition("': ")[2]
    assert live.device()["state"] == "ready"


@needs_root
def test_a_full_disk_leaves_both_sides_as_they_were(live: Live) -> None:
    with small_disk(live) as state:
        live.processes.start_daemon()
        live.await_state("ready")
        name = live.device()["name"]
        filler = fill(state)
        why = f"why:   {state / 'devices.json'} cannot be written: No space left on device"

        assert failed(live, "unpair", name) == (1, ["error: not unpaired", why, f"try:   df -h {state}"])
        again = ("pair", f"serial:{live.scratch.line}", "--yes")
        assert failed(live, *again) == (1, ["error: not paired", why, f"try:   df -h {state}"])
        live.await_state("ready")
        live.restart_daemon()
        live.await_state("ready")

        filler.unlink()
        live.run("fob", "unpair", name)
        assert live.status()["devices"] == []
        live.run("fob", *again)
        live.await_state("ready")
        live.processes.stop_daemon()
    live.processes.start_daemon()
    live.await_state("ready")


@contextmanager
def small_disk(live: Live) -> Iterator[Path]:
    """The daemon's state on a disk of its own, while no daemon runs."""
    live.processes.stop_daemon()
    state, kept = live.folder / "daemon", live.folder / "kept"
    state.rename(kept)
    state.mkdir(0o700)
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k,mode=0700", "none", str(state)]
    is_mounted = subprocess.run(mount, check=False).returncode == 0
    try:
        if not is_mounted:
            pytest.skip("this machine lets nobody mount a disk")
        subprocess.run(["cp", "-a", f"{kept}/.", state], check=True)
        yield state
    finally:
        if is_mounted:
            subprocess.run(["umount", "--lazy", state], check=True)
        state.rmdir()
        kept.rename(state)


def fill(folder: Path) -> Path:
    """A file that takes all the room there is."""
    path = folder / "filler"
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return path


def digest(live: Live) -> str:
    """A file to sign."""
    path = live.folder / "digest"
    path.write_bytes(bytes(32))
    return str(path)
