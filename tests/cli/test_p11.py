"""`fob p11` and `fob ssh`: the module file, the real p11-kit client, what shells and ssh are told."""

import json
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cli.fob_program import FobProgram
from control.fake_daemon import FakeDaemon
from control.fake_phone import PIN, FakePhone
from fob_daemon.cli.context import Fob
from fob_daemon.cli.main import run
from fob_daemon.p11_kit import address, module_path, module_text
from fob_daemon.rpc.server import ProviderServer
from rpc.fake_application import FakeApplication


@pytest.fixture
async def provider(daemon: FakeDaemon) -> AsyncIterator[Path]:
    """A provider socket where the fake daemon says it is."""
    path = daemon.folder / "provider.sock"
    server = ProviderServer(lambda peer: FakeApplication(), allowed_uids={os.getuid()})
    await server.listen(path)
    yield path
    await server.close()


def test_the_module_file_of_a_user_and_of_root() -> None:
    home = {"HOME": "/home-of-ada"}
    assert str(module_path(1000, home)) == "/home-of-ada/.config/pkcs11/modules/fob.module"
    assert str(module_path(1000, home | {"XDG_CONFIG_HOME": "/c"})) == "/c/pkcs11/modules/fob.module"
    assert str(module_path(0, home)) == "/usr/share/p11-kit/modules/fob.module"


def test_a_path_with_other_characters_is_escaped_as_p11_kit_wants() -> None:
    assert address("/run/a b;c,d") == "unix:path=/run/a%20b%3Bc%2Cd"
    assert module_text("/run/fob/provider.sock").splitlines()[1] == "remote: unix:path=/run/fob/provider.sock"


async def test_the_stock_client_lists_the_objects(fob: FobProgram, provider: Path) -> None:
    ended = await fob("p11", "test")

    assert ended.code == 0, ended.err
    assert "Fake phone" in ended.out
    assert "label:      p256" in ended.out
    assert ended.err.startswith(f"$ P11_KIT_SERVER_ADDRESS=unix:path={provider} ")


async def test_without_a_daemon_there_is_no_test(lonely_fob: FobProgram) -> None:
    ended = await lonely_fob("p11", "test")

    assert (ended.code, ended.error[0]) == (3, "the daemon is not reachable")


async def test_what_the_client_program_says_when_nobody_serves_it(fob: FobProgram) -> None:
    ended = await fob("p11", "test")

    assert (ended.code, ended.error) == (
        1,
        ["the test failed", f"{shutil.which('pkcs11-tool')}: No slots.", "fob doctor"],
    )


async def test_no_client_program(fob: FobProgram, tmp_path: Path) -> None:
    fob.environment["PATH"] = str(tmp_path)

    ended = await fob("p11", "test")

    assert ended.code == 1
    assert ended.error[0] == "the test did not run"


def test_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """In this process: root's module file would be the machine's."""
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    environment = {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)}
    path = tmp_path / ".config/pkcs11/modules/fob.module"

    assert run(["p11", "install"], Fob(environment)) == 0
    assert capsys.readouterr() == ("", f"Wrote {path}.\ntry:   fob p11 test\n")
    assert path.read_text() == module_text(f"{tmp_path}/fob/provider.sock")

    assert run(["p11", "install"], Fob(environment)) == 7
    assert "is as it should be" in capsys.readouterr().err

    path.write_text(module_text("/elsewhere"))
    assert run(["--json", "p11", "install"], Fob(environment)) == 0
    assert json.loads(capsys.readouterr().out) == {
        "path": str(path),
        "remote": f"unix:path={tmp_path}/fob/provider.sock",
    }


@pytest.mark.parametrize(("there", "code"), [("", 0), ("\n", 0), ("garbage", 1), ("module: other.so\n", 1)])
def test_what_somebody_else_wrote_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], there: str, code: int
) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    path = tmp_path / ".config/pkcs11/modules/fob.module"
    path.parent.mkdir(parents=True)
    path.write_text(there)

    assert run(["p11", "install"], Fob({"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)})) == code

    if code:
        assert capsys.readouterr().err.splitlines() == [
            "error: nothing was written",
            f"why:   fob would write {path}, and did not write what is there",
            "try:   move it away, and then the same command",
        ]
        assert path.read_text() == there


def test_install_where_nothing_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    (tmp_path / ".config").write_text("a file")

    assert run(["p11", "install"], Fob({"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)})) == 1


async def test_ssh_env_is_for_eval(fob: FobProgram, tmp_path: Path) -> None:
    agent = tmp_path / "agent.sock"

    assert (await fob("ssh", "env")).out == f"export SSH_AUTH_SOCK={agent}\n"
    assert (await fob("ssh", "env", "--json")).json == {"SSH_AUTH_SOCK": str(agent)}


@pytest.mark.parametrize("command", ["env", "config"])
async def test_without_a_pin_pad_ssh_needs_the_phone_unlocked(
    fob: FobProgram, daemon: FakeDaemon, phone: FakePhone, command: str
) -> None:
    ended = await fob("ssh", command)
    assert ended.code == 0
    assert ended.err.splitlines()[-2:] == [
        "ssh and git cannot use 'pixel' yet: it has no PIN pad, and they ask for no PIN.",
        "try:   fob unlock --device pixel",
    ]
    assert "unlock" not in ended.out
    assert (await fob("ssh", command, "--json")).err == ""

    await fob("unlock", "--pin-file", "-", stdin=PIN.decode())
    assert "unlock" not in (await fob("ssh", command)).err


@pytest.mark.parametrize("command", ["env", "config"])
async def test_with_a_pin_pad_there_is_nothing_to_say(fob: FobProgram, daemon: FakeDaemon, command: str) -> None:
    daemon.add_phone("pixel", FakePhone("Ada's token", "FOB-0001", has_pin_pad=True))

    assert "unlock" not in (await fob("ssh", command)).err


async def test_a_login_shell_comes_before_the_daemon(lonely_fob: FobProgram, tmp_path: Path) -> None:
    ended = await lonely_fob("ssh", "env")

    assert (ended.code, ended.out) == (0, f"export SSH_AUTH_SOCK={tmp_path}/fob/agent.sock\n")


async def test_ssh_takes_the_snippet(fob: FobProgram, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text((await fob("ssh", "config")).out)

    process = await fob.start("-G", "-F", str(config), "build.example", program=("ssh",))
    out, _ = await process.communicate()

    assert f"identityagent {tmp_path}/agent.sock" in out.decode().splitlines()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
async def test_completion(lonely_fob: FobProgram, shell: str) -> None:
    ended = await lonely_fob("completion", shell)

    assert (ended.code, ended.err) == (0, "")
    assert "_FOB_COMPLETE" in ended.out


async def test_completion_completes(lonely_fob: FobProgram) -> None:
    lonely_fob.environment |= {"_FOB_COMPLETE": "bash_complete", "COMP_WORDS": "fob sta", "COMP_CWORD": "1"}

    assert (await lonely_fob()).out == "plain,status\n"
