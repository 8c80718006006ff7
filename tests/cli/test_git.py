"""`fob git` with the real git: every change shown, made once, and undone to the octet."""

import asyncio
import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from cli.fob_program import Ended, FobProgram
from control.fake_daemon import FakeDaemon, log_entry
from control.fake_phone import PIN, FakePhone
from fob_daemon.cli.git_signing.proof import parted
from fob_daemon.cli.git_signing.record import digest, octets_of
from fob_daemon.control.interface import DeviceState
from support.required import check_program

EMAIL = "ada@example.org"
OWN_FILES = ("fob-ssh-keygen", "fob-allowed-signers", "fob-signing-key.pub")
CONFIG = f"# Ada's\n[user]\n    email={EMAIL}   # at work\n\tname = Ada Lovelace\n[core]\n  editor = vi"


@pytest.fixture(autouse=True)
def git_is_there() -> None:
    check_program("git")
    check_program("ssh-keygen")


@pytest.fixture
def config(fob: FobProgram) -> Path:
    """A person's own configuration, with spaces, comments and no last line end."""
    fob.environment |= {"GIT_CONFIG_NOSYSTEM": "1", "XDG_STATE_HOME": str(fob.folder / "state")}
    path = fob.folder / ".gitconfig"
    path.write_text(CONFIG)
    return path


@pytest.fixture
async def key(fob: FobProgram, phone: FakePhone) -> str:
    """The phone's only key, as git gets it."""
    made = await fob("keys", "new", "--label", "git", "--type", "ed25519", "--pin-file", "-", stdin=PIN.decode())
    assert made.code == 0, made.err
    line = (await fob("keys", "show", "git", "--ssh")).out
    return " ".join(line.split()[:2])


def git(fob: FobProgram, *arguments: str, folder: Path | None = None) -> str:
    done = subprocess.run(
        ("git", *arguments), env=fob.variables(), cwd=folder or fob.folder, capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


def text(path: Path) -> str | None:
    return path.read_text() if path.exists() else None


def put(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def remove(path: Path) -> None:
    path.unlink()


def replace_by_link(path: Path, real: Path) -> None:
    path.rename(real)
    path.symlink_to(real)


def is_link(path: Path) -> bool:
    return path.is_symlink()


def files_of_fob(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*fob-*") if path.is_file()]


def key_of_git(fob: FobProgram) -> str:
    """In the file that git's settings name."""
    return Path(git(fob, "config", "user.signingkey")).read_text().splitlines()[-1]


def data(fob: FobProgram) -> Path:
    return fob.folder / ".local/share/fob"


async def test_each_change_is_shown_before_it_is_made(fob: FobProgram, config: Path, key: str) -> None:
    ended = await fob("git", "enable")
    assert (ended.code, ended.out) == (2, "")
    assert ended.error[0] == "nothing was changed"
    assert text(config) == CONFIG
    assert not data(fob).exists()
    program, signers, public = (data(fob) / name for name in OWN_FILES)
    for line in (
        f"write {program} (a program)",
        f"    SSH_AUTH_SOCK={fob.folder}/agent.sock",
        f"write {signers}",
        f'    "{EMAIL}" namespaces="git" {key}',
        f"git config --global ({config})",
        "    git config --global gpg.format ssh",
        f"write {public}",
        f"    {key}",
        f"    git config --global user.signingKey {public}",
        f"    git config --global gpg.ssh.program {program}",
        f"    git config --global gpg.ssh.allowedSignersFile {signers}",
        "    git config --global commit.gpgSign true",
    ):
        assert line in ended.err.splitlines()


async def test_made_once_and_undone_to_the_octet(fob: FobProgram, config: Path, key: str) -> None:
    assert (await fob("git", "enable", stdin="y\n")).code == 0
    public = data(fob) / "fob-signing-key.pub"
    assert git(fob, "config", "user.signingkey") == str(public)
    assert str(text(public)).splitlines()[1:] == [key]
    assert stat.S_IMODE(public.stat().st_mode) == 0o644
    assert git(fob, "config", "commit.gpgsign") == "true"
    assert stat.S_IMODE((data(fob) / "fob-ssh-keygen").stat().st_mode) == 0o755
    ended = await fob("git", "enable", "--yes")
    assert (ended.code, ended.error[1]) == (7, "git signs with this key already")

    assert (await fob("git", "disable")).code == 0
    assert text(config) == CONFIG
    assert files_of_fob(fob.folder) == []
    assert not (fob.folder / "state").exists()
    assert not (fob.folder / ".local").exists()
    assert (await fob("git", "disable")).code == 7


async def test_a_no_changes_nothing(fob: FobProgram, config: Path, key: str) -> None:
    assert (await fob("git", "enable", stdin="n\n")).code == 7
    assert text(config) == CONFIG


async def test_values_of_the_person_s_own_come_back(fob: FobProgram, config: Path, key: str) -> None:
    own = CONFIG + "\n[gpg]\nformat=openpgp # as ever\n[user]\nsigningKey = 0xABCD\n[commit]\n gpgsign=false\n"
    put(config, own)
    ended = await fob("git", "enable", "--yes")
    assert "    git config --global gpg.format ssh    (instead of openpgp)" in ended.err.splitlines()
    assert git(fob, "config", "gpg.format") == "ssh"
    await fob("git", "disable")
    assert text(config) == own


async def test_edits_that_came_later_stay(fob: FobProgram, config: Path, key: str) -> None:
    put(config, CONFIG + "\n[user]\nsigningKey = 0xABCD\n")
    await fob("git", "enable", "--yes")
    git(fob, "config", "--global", "alias.st", "status")
    git(fob, "config", "--global", "gpg.format", "x509")
    assert (await fob("git", "disable")).code == 0
    assert git(fob, "config", "alias.st") == "status"
    assert git(fob, "config", "user.signingkey") == "0xABCD"
    assert git(fob, "config", "gpg.format") == "x509", "what is fob's no more is not touched"
    assert git(fob, "config", "gpg.ssh.program") == ""
    assert git(fob, "config", "commit.gpgsign") == ""


async def test_another_key_later_and_back_to_what_was_before_both(
    fob: FobProgram, config: Path, key: str, phone: FakePhone
) -> None:
    await fob("git", "enable", "--yes")
    await fob("keys", "new", "--label", "other", "--pin-file", "-", stdin=PIN.decode())
    assert (await fob("git", "enable", "--yes")).code == 2, "which key?"
    assert (await fob("git", "enable", "--yes", "--key", "other", "--asked")).code == 0
    assert key_of_git(fob).startswith("ecdsa-sha2-nistp256 ")
    signers = str(text(data(fob) / "fob-allowed-signers")).splitlines()[1:]
    assert len(signers) == 2, "commits of the first key still have good signatures"
    assert signers[0] == f'"{EMAIL}" namespaces="git" {key}'
    await fob("git", "disable")
    assert text(config) == CONFIG


async def test_asked_after_all_signs_no_commit_unasked(fob: FobProgram, config: Path, key: str) -> None:
    await fob("git", "enable", "--yes")
    ended = await fob("git", "enable", "--asked", "--yes")
    assert ended.code == 0, ended.err
    assert git(fob, "config", "--type=bool", "commit.gpgsign") == "false"
    assert (await fob("git", "enable", "--asked", "--yes")).code == 7
    assert (await fob("git", "enable", "--yes")).code == 0
    assert git(fob, "config", "--type=bool", "commit.gpgsign") == "true"
    await fob("git", "disable")
    assert text(config) == CONFIG


@pytest.mark.parametrize("spelled", [" = yes", "=on", " = 1", " = TRUE", ""])
async def test_a_yes_in_other_words_is_the_same_yes(fob: FobProgram, config: Path, key: str, spelled: str) -> None:
    other = fob.folder / "other"
    put(other, f"[commit]\n\tgpgSign{spelled}\n")
    put(config, f"{CONFIG}\n[commit]\n\tgpgsign{spelled}\n[include]\n\tpath = other\n")
    before = text(config)
    ended = await fob("git", "enable", "--yes")
    assert ended.code == 0, ended.err
    assert "commit.gpgSign" not in ended.err
    assert f"gpgsign{spelled}\n" in str(text(config))
    assert (await fob("git", "enable", "--yes")).code == 7, "it is set so already"
    await fob("git", "disable")
    assert text(config) == before


async def test_a_no_in_other_words_is_no_yes(fob: FobProgram, config: Path, key: str) -> None:
    put(config, f"{CONFIG}\n[commit]\n\tgpgsign = off\n")
    ended = await fob("git", "enable", "--yes")
    assert "    git config --global commit.gpgSign true    (instead of off)" in ended.err.splitlines()
    assert git(fob, "config", "commit.gpgsign") == "true"


@pytest.mark.parametrize("where", ["include", "worktree"])
async def test_what_git_would_not_go_by_is_no_success(
    fob: FobProgram, config: Path, key: str, repository: Path, where: str
) -> None:
    other = fob.folder / "other"
    if where == "include":
        put(config, f"{CONFIG}\n[include]\n\tpath = {other}\n")
    else:
        git(fob, "config", "extensions.worktreeConfig", "true", folder=repository)
        other = repository / ".git/config.worktree"
    put(other, "[user]\n\tsigningkey = key::ssh-ed25519 AAAA\n")
    before = text(config), text(repository / ".git/config")
    ended = await run_in(fob, repository, f"git enable {'--local' if where == 'worktree' else '--global'} --yes")
    assert (ended.code, ended.error[0]) == (1, "git would not sign with this key")
    assert str(other.name) in ended.error[1]
    assert "user.signingKey" in ended.error[1]
    assert ended.error[2].startswith("git config --file ")
    assert (text(config), text(repository / ".git/config")) == before, "nothing is left half done"
    assert files_of_fob(fob.folder) == []


async def test_no_configuration_before_none_after(fob: FobProgram, config: Path, key: str) -> None:
    remove(config)
    ended = await fob("git", "enable", "--yes")
    assert (ended.code, ended.error[2]) == (1, "git config --global user.email YOU@EXAMPLE.ORG")
    fob.environment |= {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "user.email", "GIT_CONFIG_VALUE_0": EMAIL}
    assert (await fob("git", "enable", "--yes")).code == 0
    await fob("git", "disable")
    assert text(config) is None


@pytest.mark.parametrize("email", ["*", 'ada" *', "ada,bob"])
async def test_an_email_that_would_be_a_pattern(fob: FobProgram, config: Path, key: str, email: str) -> None:
    git(fob, "config", "--global", "user.email", email)
    ended = await fob("git", "enable", "--yes")
    assert (ended.code, ended.error[0]) == (1, "git was not configured")


async def test_a_linked_configuration_stays_a_link(fob: FobProgram, config: Path, key: str) -> None:
    real = fob.folder / "dotfiles"
    replace_by_link(config, real)
    await fob("git", "enable", "--yes")
    assert is_link(config)
    assert "gpgSign = true" in str(text(real))
    await fob("git", "disable")
    assert (is_link(config), text(real)) == (True, CONFIG)


async def test_a_list_of_signers_that_is_in_use_gets_a_line_more(fob: FobProgram, config: Path, key: str) -> None:
    signers = fob.folder / "signers"
    put(signers, "bob@example.org ssh-ed25519 AAAA")
    git(fob, "config", "--global", "gpg.ssh.allowedSignersFile", "~/signers")
    before = text(config)
    ended = await fob("git", "enable", "--yes")
    assert f"add to the beginning of {signers}" in ended.err
    assert str(text(signers)).endswith("bob@example.org ssh-ed25519 AAAA")
    assert f'"{EMAIL}" namespaces="git" {key}\n' in str(text(signers))
    assert git(fob, "config", "gpg.ssh.allowedSignersFile") == "~/signers"
    await fob("git", "disable")
    assert (text(signers), text(config)) == ("bob@example.org ssh-ed25519 AAAA", before)


async def test_a_list_of_the_person_s_own_keeps_the_signers_of_earlier_keys(
    fob: FobProgram, config: Path, key: str
) -> None:
    signers = fob.folder / "signers"
    put(signers, "bob@example.org ssh-ed25519 AAAA\n")
    git(fob, "config", "--global", "gpg.ssh.allowedSignersFile", str(signers))
    await fob("git", "enable", "--yes")
    await fob("keys", "new", "--label", "other", "--pin-file", "-", stdin=PIN.decode())
    assert (await fob("git", "enable", "--yes", "--key", "other")).code == 0
    other = key_of_git(fob)
    assert str(text(signers)).splitlines() == [
        "# >>> fob >>>",
        f'"{EMAIL}" namespaces="git" {key}',
        f'"{EMAIL}" namespaces="git" {other}',
        "# <<< fob <<<",
        "bob@example.org ssh-ed25519 AAAA",
    ]
    before = text(signers)
    assert (await fob("git", "enable", "--yes", "--key", "git")).code == 0, "and back"
    assert text(signers) == before
    await fob("git", "disable")
    assert text(signers) == "bob@example.org ssh-ed25519 AAAA\n"


async def test_a_setup_that_git_would_not_go_by_leaves_nothing(fob: FobProgram, config: Path, key: str) -> None:
    other = fob.folder / "other"
    put(other, "[user]\n\tsigningkey = 0xABCD\n")
    put(config, f"{CONFIG}\n[include]\n\tpath = other\n")
    before = every_path(fob.folder)
    # The module file of root, as whom the tests may run, would be the machine's.
    ended = await fob("setup", "--git", "--yes", "--without", "p11-kit")
    why = f"{other} has another user.signingKey, 0xABCD, which counts; what was written before it is taken back"
    remedy = f"git config --file {other} --unset-all user.signingKey    (then the same command)"
    assert (ended.code, ended.error) == (1, ["git would not sign with this key", why, remedy])
    assert every_path(fob.folder) == before


def every_path(folder: Path) -> dict[Path, str | None]:
    return {path: path.read_text() if path.is_file() else None for path in folder.rglob("*")}


async def test_a_file_of_somebody_else_is_not_put_away(fob: FobProgram, config: Path, key: str) -> None:
    program = data(fob) / "fob-ssh-keygen"
    put(program, "#!/bin/sh\necho mine\n")
    ended = await fob("git", "enable", "--yes")
    assert (ended.code, ended.error[0]) == (1, "nothing was changed")
    assert (text(program), text(config)) == ("#!/bin/sh\necho mine\n", CONFIG)


DAMAGES: dict[str, Callable[[str], str]] = {
    "emptied": lambda text: "",
    "blank": lambda text: "\n",
    "garbage": lambda text: "\udcff garbage\n",
    "cut": lambda text: text[: len(text) // 2],
}


@pytest.mark.parametrize("damage", DAMAGES)
async def test_files_of_fob_s_that_were_damaged_are_written_again(
    fob: FobProgram, config: Path, key: str, damage: str
) -> None:
    await fob("git", "enable", "--yes")
    before = own_texts(fob)
    damage_own_files(fob, damage)
    ended = await fob("git", "enable", "--yes")
    assert (ended.code, own_texts(fob)) == (0, before), ended.err
    assert (await fob("git", "enable", "--yes")).code == 7


@pytest.mark.parametrize("damage", DAMAGES)
async def test_the_doctor_writes_them_again_too(fob: FobProgram, config: Path, key: str, damage: str) -> None:
    await fob("git", "enable", "--yes")
    before = own_texts(fob)
    for names in (OWN_FILES[:2], OWN_FILES[2:]):  # key and signers: one is known by the other
        damage_own_files(fob, damage, names)
        await fob.mended()
        assert own_texts(fob) == before
    assert (await fob("git", "enable", "--yes")).code == 7


@pytest.mark.parametrize("damage", DAMAGES)
async def test_damaged_files_of_fob_s_do_not_outlive_it(fob: FobProgram, config: Path, key: str, damage: str) -> None:
    await fob("git", "enable", "--yes")
    damage_own_files(fob, damage)
    assert (await fob("git", "disable")).code == 0
    assert (text(config), files_of_fob(fob.folder)) == (CONFIG, [])
    assert (await fob("git", "enable", "--yes")).code == 0


async def as_an_earlier_fob_set_it(fob: FobProgram, config: Path, key: str) -> None:
    """With the key itself in git's settings, and so noted."""
    await fob("git", "enable", "--yes")
    remove(data(fob) / "fob-signing-key.pub")
    git(fob, "config", "--global", "user.signingkey", f"key::{key}")
    note = fob.folder / "state/fob/git-before-fob.json"
    noted = json.loads(note.read_text())
    noted[str(config)]["ours"]["user.signingKey"] = f"key::{key}"
    noted[str(config)]["after"] = digest(octets_of(config))
    note.write_text(json.dumps(noted))


async def test_settings_of_an_earlier_fob_are_fob_s(fob: FobProgram, config: Path, key: str) -> None:
    await as_an_earlier_fob_set_it(fob, config, key)
    found = (await fob("doctor", "--json")).json["findings"]
    assert [each["outcome"] for each in found if each["what"] in ("git", "git's signers")] == ["ok", "ok"]
    assert (await fob("git", "disable")).code == 0
    assert (text(config), files_of_fob(fob.folder)) == (CONFIG, [])


async def test_settings_of_an_earlier_fob_are_taken_over(fob: FobProgram, config: Path, key: str) -> None:
    await as_an_earlier_fob_set_it(fob, config, key)
    assert (await fob("git", "enable", "--yes")).code == 0
    assert key_of_git(fob) == key
    assert (await fob("git", "enable", "--yes")).code == 7
    await fob("git", "disable")
    assert (text(config), files_of_fob(fob.folder)) == (CONFIG, [])


async def test_a_key_that_was_cut_is_told_from_a_whole_one(fob: FobProgram, config: Path, key: str) -> None:
    await fob("git", "enable", "--yes")
    public = data(fob) / "fob-signing-key.pub"
    before = str(text(public))
    put(public, before[:-9])
    assert (
        trouble(await fob("doctor", "--json"), public) == f"{public} holds no public key, and user.signingKey names it"
    )
    remove(public)
    assert trouble(await fob("doctor", "--json"), public) == f"{public} is not there, and user.signingKey names it"
    ended = await fob("git", "test")
    assert ended.error[1:] == [f"{public} holds no public key, and user.signingKey names it", "fob git enable"]
    await fob.mended()
    assert text(public) == before


async def test_which_of_two_keys_it_was_is_not_guessed(fob: FobProgram, config: Path, key: str) -> None:
    await fob("git", "enable", "--yes")
    await fob("keys", "new", "--label", "other", "--pin-file", "-", stdin=PIN.decode())
    await fob("git", "enable", "--yes", "--key", "other")
    public = data(fob) / "fob-signing-key.pub"
    before = text(public)
    remove(public)
    await fob.mended()
    assert text(public) is None
    assert (await fob("git", "enable", "--yes", "--key", "other")).code == 0
    assert text(public) == before


def trouble(ended: Ended, path: Path) -> str:
    """Why the one finding about this file is one."""
    (why,) = (each["why"] for each in ended.json["findings"] if str(path) in each["why"])
    return str(why)


async def test_an_empty_file_that_an_earlier_fob_left_is_no_hindrance(fob: FobProgram, config: Path, key: str) -> None:
    put(data(fob) / "fob-allowed-signers", "")
    assert (await fob("git", "enable", "--yes")).code == 0


async def test_signers_that_are_whole_stay_when_the_list_is_damaged(fob: FobProgram, config: Path, key: str) -> None:
    await fob("git", "enable", "--yes")
    await fob("keys", "new", "--label", "other", "--pin-file", "-", stdin=PIN.decode())
    await fob("git", "enable", "--yes", "--key", "other")
    signers = data(fob) / "fob-allowed-signers"
    before = str(text(signers))
    put(signers, before.replace("# Fob: ", "") + "garbage\n")
    assert (await fob("git", "enable", "--yes", "--key", "other")).code == 0
    assert text(signers) == before


async def test_what_somebody_else_wrote_is_named_and_no_success(fob: FobProgram, config: Path, key: str) -> None:
    """Of settings that are as fob would set them, and that fob has not noted."""
    await fob("git", "enable", "--yes")
    (fob.folder / "state/fob/git-before-fob.json").unlink()
    signers = data(fob) / "fob-allowed-signers"
    put(signers, "bob@example.org ssh-ed25519 AAAA\n")
    ended = await fob("git", "enable", "--yes")
    assert (ended.code, ended.error[2]) == (1, "move it away, and then the same command")
    assert text(signers) == "bob@example.org ssh-ed25519 AAAA\n"


def own_texts(fob: FobProgram) -> dict[str, str]:
    return {name: (data(fob) / name).read_text(errors="surrogateescape") for name in OWN_FILES}


def damage_own_files(fob: FobProgram, damage: str, names: Sequence[str] = OWN_FILES) -> None:
    for name in names:
        (data(fob) / name).write_text(DAMAGES[damage](own_texts(fob)[name]), errors="surrogateescape")


async def run_in(fob: FobProgram, folder: Path, *arguments: str) -> Ended:
    """`fob` in a folder of its own, as the tests' program knows none."""
    return await fob("-c", f"cd '{folder}' && exec fob {' '.join(arguments)}", program=("sh",))


@pytest.fixture
def tools(fob: FobProgram) -> None:
    """`fob` in the path."""
    fob.environment["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"


@pytest.fixture
def repository(fob: FobProgram, config: Path, tools: None) -> Path:
    path = fob.folder / "a repository"
    git(fob, "init", "-q", str(path))
    return path


async def test_one_repository_alone(fob: FobProgram, config: Path, key: str, repository: Path) -> None:
    before = text(repository / ".git/config")
    below = repository / "below"
    below.mkdir()
    ended = await run_in(fob, below, "git enable --local --yes --json")
    assert (ended.code, ended.json["scope"], len(ended.json["changes"])) == (0, "--local", 4)
    assert text(config) == CONFIG
    assert git(fob, "config", "gpg.ssh.program", folder=repository) == f"{repository}/.git/fob-ssh-keygen"
    assert git(fob, "status", "--porcelain", folder=repository) == ""
    assert (await run_in(fob, below, "git disable --global")).code == 7
    assert (await run_in(fob, below, "git disable --local")).code == 0
    assert text(repository / ".git/config") == before
    assert files_of_fob(repository) == []
    ended = await run_in(fob, fob.folder, "git enable --local --yes")
    assert (ended.code, ended.error[0]) == (2, "git was not configured")


async def test_no_key_no_daemon_no_git(fob: FobProgram, config: Path, phone: FakePhone, tmp_path: Path) -> None:
    ended = await fob("git", "enable", "--yes")
    assert (ended.code, ended.error[2]) == (1, "fob keys new --type ed25519 --label git")
    fob.environment["PATH"] = str(tmp_path)
    assert (await fob("git", "enable", "--yes")).error[2] == "apt install git"
    fob.environment |= {"PATH": os.environ["PATH"], "FOB_CONTROL_SOCKET": str(tmp_path / "nowhere")}
    assert (await fob("git", "enable", "--yes")).code == 3


@pytest.fixture
def agent(fob: FobProgram, tmp_path: Path) -> Iterator[str]:
    """An agent with a key where the fake daemon says that the phone's is; the key's public half."""
    check_program("ssh-agent")
    path = tmp_path / "agent.sock"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "id")], check=True)
    with subprocess.Popen(["ssh-agent", "-D", "-a", str(path)], stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        running.stdout.readline()
        subprocess.run(
            ["ssh-add", "-q", str(tmp_path / "id")], env=os.environ | {"SSH_AUTH_SOCK": str(path)}, check=True
        )
        (tmp_path / "id").unlink()
        yield " ".join((tmp_path / "id.pub").read_text().split()[:2])
        running.terminate()


async def test_the_proof(fob: FobProgram, config: Path, key: str, agent: str, daemon: FakeDaemon) -> None:
    ended = await fob("git", "test")
    assert (ended.code, ended.error) == (
        1, ["git does not sign with the phone", "gpg.format is not 'ssh'", "fob git enable"]
    )  # fmt: skip
    await fob("git", "enable", "--yes")
    assert (await fob("git", "test")).error[0] == "the commit was not signed", "the agent has another key"

    git(fob, "config", "--global", "user.signingKey", f"key::{agent}")
    ended = await fob("git", "test")
    assert (ended.code, ended.error[0]) == (1, "the proof failed"), "nobody's signature, as the list has it"
    signers = data(fob) / "fob-allowed-signers"
    put(signers, str(text(signers)).replace(key, agent))
    ended = await fob("git", "test")
    assert ended.code == 0, ended.err
    assert ended.out.startswith(f'Good "git" signature for {EMAIL} with ED25519 key SHA256:')
    assert ended.err.startswith("Look at your phone")
    found = (await fob("git", "test", "--json")).json
    assert (len(found["commit"]), found["said"]) == (40, ended.out.rstrip("\n"))


async def test_the_phone_that_has_the_key_is_the_one_that_is_blamed(
    fob: FobProgram, config: Path, key: str, phone: FakePhone, daemon: FakeDaemon
) -> None:
    await fob("git", "enable", "--yes")
    daemon.add_phone("other", FakePhone("Bob's token", "FOB-0002"))
    daemon.add_phone("never here", FakePhone("Carol's token", "FOB-0003"))
    assert (await fob("git", "test")).error == [
        "the commit was not signed", "'pixel' has no PIN pad, and is not unlocked", "fob unlock --device pixel"
    ]  # fmt: skip
    daemon.change_device("pixel", DeviceState.AWAY, "the line ended")
    ended = await fob("git", "test")
    assert (ended.code, ended.error) == (4, [
        "the commit was not signed",
        "'pixel' has the key, and is away: the line ended",
        "switch it on, or bring it near, and then the same command",
    ])  # fmt: skip
    daemon.change_device("pixel", DeviceState.REFUSED, "the device is not paired with this computer", "fob pair URL")
    assert (await fob("git", "test")).error[2] == "fob pair URL"

    phone.objects.clear()
    assert (await fob("git", "test")).error == [
        "the commit was not signed",
        "no phone that is paired has the key that git signs with (user.signingKey)",
        "fob git enable",
    ]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
async def test_a_proof_that_is_ended_leaves_nothing(
    fob: FobProgram, config: Path, key: str, tmp_path: Path, number: signal.Signals
) -> None:
    await fob("git", "enable", "--yes")
    waits, ends = tmp_path / "waits", tmp_path / "ends"
    put(data(fob) / "fob-ssh-keygen", f"#!/bin/sh\necho >{waits}\nexec cat {ends}\n")
    os.mkfifo(waits)
    os.mkfifo(ends)
    signer = os.open(ends, os.O_RDWR)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    fob.environment["TMPDIR"] = str(scratch)
    process = await fob.start("git", "test")
    await asyncio.to_thread(waits.read_text)
    assert list(scratch.glob("fob-git-*"))
    process.send_signal(number)
    async with asyncio.timeout(20):
        _, words = await process.communicate()
    os.close(signer)
    assert process.returncode == 130, words
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize(
    ("device", "why"), [("pixel", "the person said no on the phone (CKR_FUNCTION_REJECTED)"), ("other", "git: ")]
)
async def test_what_another_phone_refused_meanwhile_is_not_told(
    fob: FobProgram, config: Path, key: str, phone: FakePhone, daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch,
    device: str, why: str,
) -> None:  # fmt: skip
    await fob("git", "enable", "--yes")
    phone.has_pin_pad = True
    daemon.add_phone("pixel", phone)
    refused = replace(log_entry(1, "CKR_FUNCTION_REJECTED"), device=device)
    monkeypatch.setattr(daemon, "log", lambda limit, since: [] if limit == 1 else [refused])
    assert (await fob("git", "test")).error[1].startswith(why)


def test_the_signature_is_parted_from_what_it_is_over() -> None:
    commit = "tree 1\nauthor A\ngpgsig -----BEGIN\n one\n \n -----END\nencoding x\n\nWords\n gpgsig no\n"
    assert parted(commit) == ("tree 1\nauthor A\nencoding x\n\nWords\n gpgsig no\n", "-----BEGIN\none\n\n-----END\n")
