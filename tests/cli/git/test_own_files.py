"""The files that `fob git` writes: damaged, of an earlier fob, of somebody else."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from cli.fob_program import Ended, FobProgram
from fob_daemon.cli.git_signing.record import digest, octets_of
from support.git_signing import CONFIG, OWN_FILES, data, files_of_fob, git, key_of_git, new_key, put, remove, text

DAMAGES: dict[str, Callable[[str], str]] = {
    "emptied": lambda text: "",
    "blank": lambda text: "\n",
    "garbage": lambda text: "\udcff garbage\n",
    "cut": lambda text: text[: len(text) // 2],
}


async def test_a_file_of_somebody_else_is_not_put_away(fob: FobProgram, config: Path, key: str) -> None:
    program = data(fob) / "fob-ssh-keygen"
    put(program, "#!/bin/sh\necho mine\n")
    ended = await fob("git", "enable", "--yes")
    assert (ended.code, ended.error[0]) == (1, "nothing was changed")
    assert (text(program), text(config)) == ("#!/bin/sh\necho mine\n", CONFIG)


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
    await new_key(fob, "other")
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
    await new_key(fob, "other")
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
