"""`fob demo -- COMMAND`: the command's surroundings, its exit status, and nothing left behind."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from fob_daemon.demo.commands import exit_status, running
from fob_daemon.demo.errors import DemoError
from fob_daemon.demo.run import run_command
from fob_daemon.demo.scratch import Scratch
from support.base_install import without

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
# States in the kernel's tables: a TCP socket that listens, a UDP socket without a peer.
WAITING = ("0A", "07")
# `make soak` has both lines for both tours; what is carried is the same, and the signing one has both always.
IS_ALL = os.environ.get("FOB_TOURS") == "all"
METERED = ("serial", "ble") if IS_ALL else ("serial",)
CONFIGURED = ("serial", "ble") if IS_ALL else ("ble",)
# By radio there is one program more; the others are the same.
KILLED = ("serial", "ble") if IS_ALL else ("ble",)
# What runs beside phone and daemon.
RADIO = {"serial": (), "ble": ("fob-device radio",)}


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A short one: it is part of the paths of sockets, which have 107 octets."""
    with TemporaryDirectory(prefix="fob-") as folder:
        yield Path(folder)


def surroundings(tmp_path: Path) -> dict[str, str]:
    scratch = tmp_path / "scratch"
    scratch.mkdir(exist_ok=True, parents=True)
    scratch.chmod(0o777)
    return {"PATH": os.environ["PATH"], "TMPDIR": str(scratch), "HOME": str(scratch)}


def start(
    environment: Mapping[str, str],
    *command: str,
    before: Sequence[str] = (),
    link: str = "serial",
    tour: str = "signing",
) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [*before, FOB, "demo", "--link", link, "--tour", tour, *(("--", *command) if command else ())],
        env=environment, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True,
    )  # fmt: skip


def finish(demo: "subprocess.Popen[bytes]", timeout: float = 90) -> tuple[int, str, str]:
    out, err = demo.communicate(timeout=timeout)
    return demo.returncode, out.decode(), err.decode()


def until_said(demo: "subprocess.Popen[bytes]", beginning: str) -> str:
    """All lines up to one that begins so."""
    assert demo.stdout is not None
    said = ""
    while not (line := demo.stdout.readline().decode()).startswith(beginning):
        said += line
        assert line, said
    return said + line


def listeners(text: str, program: str) -> list[str]:
    """Addresses (as the kernel writes them) at which this program of a demo waits for others over IP."""
    found = []
    for pid, line in _mentioning(text):
        if program not in line:
            continue
        with suppress(OSError):
            sockets = {os.readlink(handle) for handle in Path(f"/proc/{pid}/fd").iterdir()}
            for table in ("tcp", "tcp6", "udp", "udp6"):
                rows = [row.split() for row in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]]
                found += [row[1] for row in rows if row[3] in WAITING and f"socket:[{row[9]}]" in sockets]
    return found


def processes_that_mention(text: str) -> list[str]:
    """In their command line, or in their environment."""
    return [line for _, line in _mentioning(text)]


def _mentioning(text: str) -> list[tuple[int, str]]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line, environment = (process / "cmdline").read_bytes(), (process / "environ").read_bytes()
        except OSError:
            continue
        if text.encode() in line + environment:
            found.append((int(process.name), line.replace(b"\0", b" ").decode(errors="replace")))
    return found


def assert_nothing_is_left(environment: Mapping[str, str]) -> None:
    assert list(Path(environment["TMPDIR"]).iterdir()) == []
    assert processes_that_mention(environment["TMPDIR"]) == []


def wait_until(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_two_at_once_do_not_meet(tmp_path: Path) -> None:
    environment = surroundings(tmp_path)
    demos = [start(environment, "sh", "-c", "ssh-add -L | sort; echo $PKCS11_PIN") for _ in range(2)]
    (first, second) = [finish(demo) for demo in demos]
    assert first[0] == second[0] == 0
    assert len(first[1].splitlines()) == len(second[1].splitlines()) == 4
    assert set(first[1].splitlines()).isdisjoint(second[1].splitlines())
    assert_nothing_is_left(environment)


@pytest.mark.parametrize(
    ("command", "why"), [("no-such-program", "no program is called 'no-such-program'"), ("/", "/: Permission denied")]
)
def test_a_command_that_cannot_be_run(tmp_path: Path, command: str, why: str) -> None:
    with pytest.raises(DemoError) as refused:
        run_command([command], Scratch.in_folder(tmp_path))
    assert (refused.value.what, refused.value.why, refused.value.next_command) == (
        "the command was not run", why, "fob demo -- COMMAND",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("packages", "why"),
    [
        (("bumble",), "it needs the package 'bumble', which is not installed"),
        (
            ("bleak", "bleak_retry_connector", "bumble", "dbus_fast"),
            "it needs the packages 'bleak', 'bleak_retry_connector', 'dbus_fast', 'bumble', which are not installed",
        ),
    ],
)
def test_a_base_installation_has_no_radio(tmp_path: Path, packages: tuple[str, ...], why: str) -> None:
    environment = surroundings(tmp_path) | {"PYTHONPATH": without(packages, tmp_path)["PYTHONPATH"]}
    status, out, err = finish(start(environment, "true", link="ble"))
    assert (status, out, err.splitlines()) == (
        1,
        "",
        ["error: the demo did not begin", f"why:   {why}", "try:   pip install 'fobd[bluetooth,radio]'"],
    )
    assert_nothing_is_left(environment)


def test_a_base_installation_has_a_cable(tmp_path: Path) -> None:
    packages = ("bleak", "bleak_retry_connector", "bumble", "dbus_fast")
    environment = surroundings(tmp_path) | {"PYTHONPATH": without(packages, tmp_path)["PYTHONPATH"]}
    assert finish(start(environment, "true"))[0] == 0


def test_a_scratch_folder_whose_name_is_too_long_for_a_socket(tmp_path: Path) -> None:
    environment = surroundings(tmp_path / ("x" * 100))
    status, _, err = finish(start(environment, "true"))
    assert status == 1
    assert [line[:7] for line in err.splitlines()[-3:]] == ["error: ", "why:   ", "try:   "]
    assert "the path of a socket would be too long" in err.splitlines()[-2]
    assert_nothing_is_left(environment)


def test_a_reader_that_has_seen_enough(tmp_path: Path) -> None:
    environment = surroundings(tmp_path)
    demo = start(environment)
    assert demo.stdout is not None
    demo.stdout.readline()
    demo.stdout.close()
    assert demo.wait(30) == 128 + signal.SIGPIPE
    assert demo.stderr is not None
    assert demo.stderr.read() == b""
    demo.stderr.close()
    assert_nothing_is_left(environment)


def test_a_demo_that_is_killed_politely_ends_all_that_its_command_has_started(tmp_path: Path) -> None:
    environment = surroundings(tmp_path)
    demo = start(environment, "sh", "-c", "(sleep 60; true) & echo ready; sleep 60; true")
    assert demo.stdout is not None
    assert demo.stdout.readline() == b"ready\n"
    demo.terminate()
    assert finish(demo)[0] == 128 + signal.SIGTERM
    assert_nothing_is_left(environment)


@pytest.mark.parametrize("link", KILLED)
def test_nothing_of_a_demo_that_is_killed_for_certain_goes_on(tmp_path: Path, link: str) -> None:
    environment = surroundings(tmp_path)
    demo = start(environment, "sh", "-c", "(sleep 60; true) & echo ready; sleep 60; true", link=link)
    assert demo.stdout is not None
    assert demo.stdout.readline() == b"ready\n"
    running = "\n".join(processes_that_mention(environment["TMPDIR"]))
    for program in ("fobd --config", "fob-device run", "sleep 60", "demo.watcher", *RADIO[link]):
        assert program in running

    demo.kill()

    # Its streams are those of its command and of what that has started: they end with the last of them.
    assert finish(demo)[0] == -signal.SIGKILL
    wait_until(lambda: not processes_that_mention(environment["TMPDIR"]))


def test_a_command_that_is_killed() -> None:
    with running(["sh", "-c", "kill -9 $$"], os.environ) as process:
        assert exit_status(process) == 128 + signal.SIGKILL


@pytest.mark.parametrize(
    ("stage", "number"),
    [
        ("Switching on", signal.SIGINT),
        ("Pairing", signal.SIGTERM),
        ("Making a key", signal.SIGHUP),
        ("   $ ", signal.SIGINT),
    ],
)
def test_whatever_a_demo_is_doing_it_ends_in_order(tmp_path: Path, stage: str, number: signal.Signals) -> None:
    environment = surroundings(tmp_path)
    demo = start(environment)
    assert demo.stdout is not None
    while not demo.stdout.readline().startswith(stage.encode()):
        assert demo.poll() is None

    # The whole group, as Ctrl-C and a closed terminal do it; impatiently.
    os.killpg(demo.pid, number)
    os.killpg(demo.pid, number)

    status, _, err = finish(demo)
    assert (status, err) == (128 + number, "")
    assert_nothing_is_left(environment)


@pytest.mark.slow
@pytest.mark.clause("P9")
@pytest.mark.parametrize("link", ["serial", pytest.param("ble", marks=pytest.mark.clause("P7"))])
def test_the_walk_signs_and_says_what_crossed_the_link(tmp_path: Path, link: str) -> None:
    environment = surroundings(tmp_path)
    status, out, err = finish(start(environment, link=link))
    assert status == 0, out + err
    assert "left out" not in out
    assert out.count("Verified OK") == 2
    assert 'Good "git" signature' in out
    assert [line.strip() for line in out.splitlines() if "link: 0 round trips" in line]
    assert_nothing_is_left(environment)


@pytest.mark.slow
@pytest.mark.clause("C13", "C17", "C19", "P7", "V12", "V15")
@pytest.mark.parametrize("link", CONFIGURED)
def test_a_generic_phone_becomes_what_was_ordered_without_a_key_press(tmp_path: Path, link: str) -> None:
    environment = surroundings(tmp_path)
    status, out, err = finish(start(environment, link=link, tour="office"))
    assert status == 0, out + err
    assert "left out" not in out
    assert "It runs 6 components." in out
    lines = [line.strip() for line in out.splitlines()]
    for answer in ("europe", "125  EUR", '"customer": "Example & Sons",', "Set 3 runs on 'demo-phone'."):
        assert answer in lines
    # A ticket that was verified, a component that was spoiled, refused and healed.
    for answer in (
        "server          integrity", "error: 'customer-profile' does not run on 'demo-phone'",
        "why:   what is here is not what the office gave out (invalid)",
    ):  # fmt: skip
        assert lines.count(answer) == 1
    assert "customer-profile 1.0.0 on 'demo-phone': valid" in out + err
    assert lines.count("error: +XZONE was not done") == 1
    assert_nothing_is_left(environment)


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.clause("M3", "M17", "M25", "M26", "M27", "M30", "M35")
@pytest.mark.parametrize("link", METERED)
def test_from_an_order_to_labels_that_the_post_finds_genuine(tmp_path: Path, link: str) -> None:
    environment = surroundings(tmp_path)
    demo = start(environment, link=link, tour="meter")
    said = until_said(demo, "3. ")
    # There is a meter. The office is listened for by nobody: who asks it begins, and so nothing comes in otherwise.
    assert listeners(environment["TMPDIR"], "fob-office run")
    assert listeners(environment["TMPDIR"], "fobd --config") == []
    assert listeners(environment["TMPDIR"], "fob-device run") == []
    status, out, err = finish(demo, timeout=180)
    assert status == 0, said + out + err
    assert "left out" not in out
    # The screen shows amount and approval.
    assert "Look at your phone: frank 1 letter, EUR 0.95, to 10115" in out
    (asked,) = [line for line in out.splitlines() if line.startswith("   asked: frank 1 letter, EUR 0.95, to 10115")]
    assert asked.endswith("(the rule file says yes after 0.5 s)")
    # One piece was too dear: its line is named, and nothing was paid.
    assert out.count("and a piece may cost at most EUR") == 1
    verdicts = [line.split()[2] for line in out.splitlines() if line.startswith("   labels/")]
    assert verdicts == ["genuine"] * 4 + ["reused", "altered"]
    # With a box that was killed between: what was loaded is what is left and what was used.
    for figure in ("left         EUR 14.65", "used         EUR 5.35 for 5 pieces", "loaded       EUR 20.00"):
        assert f"   {figure}\n" in out
    assert "agrees: all entries before it are as they were\n   all is well\n" in out
    labels = Path(out.splitlines()[-1].removeprefix("The labels are in "))
    assert sorted(label.name[-13:] for label in labels.iterdir() if label.name.startswith("FM")) == [
        "000003-01.png", "000004-01.png", "000004-02.png", "000004-03.png", "000005-01.png", "000005-01.svg",
    ]  # fmt: skip
    assert (labels / "page.pdf").read_bytes().startswith(b"%PDF")
    shutil.rmtree(labels)
    assert_nothing_is_left(environment)


def become_unprivileged() -> list[str]:
    """Another user where the interpreter lets others read it, else root without its powers, under another number."""
    if os.getuid() != 0:
        return []
    other = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    again = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import fob_device'], check=True)"
    readable = subprocess.run([*other, sys.executable, "-c", again], capture_output=True, check=False)
    return other if readable.returncode == 0 else ["unshare", "--user", f"--map-user={NOBODY}"]


def test_an_unprivileged_user_s_command_finds_its_surroundings_and_gives_the_exit_status() -> None:
    # pytest's own folders are closed to others.
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        environment = surroundings(Path(folder))
        script = "; ".join(f'echo "{name}=${name}"' for name in VARIABLES)
        command = ("sh", "-c", f"id -u; {script}; ssh-add -l; exit 7")
        status, out, err = finish(start(environment, *command, before=become_unprivileged()))
        assert status == 7, err
        lines = out.splitlines()
        assert lines[0] == str(os.getuid() or NOBODY)
        values = dict(line.split("=", 1) for line in lines[1:-3])
        assert list(values) == list(VARIABLES)
        assert all(values.values())
        assert_nothing_is_left(environment)
