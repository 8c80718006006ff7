"""`fob git` with the real git: every change shown, made once, and undone to the octet."""

import os
import stat
from pathlib import Path

import pytest

from cli.fob_program import FobProgram
from control.fake_phone import FakePhone
from support.git_signing import (
    CONFIG,
    EMAIL,
    OWN_FILES,
    data,
    files_of_fob,
    git,
    is_link,
    key_of_git,
    new_key,
    put,
    remove,
    replace_by_link,
    run_in,
    text,
)


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
    await new_key(fob, "other")
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
    await new_key(fob, "other")
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
