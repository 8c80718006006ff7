"""What fobd keeps of its own copy: secret, whole, and written before anything is sent."""

import errno
from pathlib import Path

import pytest
from msgspec.structs import replace

from daemon_integrity.computer import Computer, validated
from fob_daemon.integrity import enrolled
from fob_daemon.permissions import PermissionsError


@pytest.mark.clause("V13")
async def test_what_is_secret_is_its_owners_alone(computer: Computer, capsys: pytest.CaptureFixture[str]) -> None:
    letter = computer.letter()
    async with computer.switched_on() as own:
        await own.enrol(letter, None, None)
        assert {path.name: path.stat().st_mode & 0o777 for path in computer.state.iterdir()} == {
            "integrity.key": 0o600, "integrity.state": 0o600,
        }  # fmt: skip
        kept = own._validating.keeper.kept if own._validating else None
        assert kept is not None
        identifier = kept.copy.identifier
        assert identifier is not None
        shown = repr(kept) + repr(kept.copy) + "".join(capsys.readouterr())
    assert (identifier.hex() in shown, str(identifier) in shown, letter in shown) == (False, False, False)
    assert not any(identifier in octets for octets in computer.line.seen)


async def test_a_damaged_file_is_no_start_and_says_so(computer: Computer) -> None:
    await computer.enrol()
    kept = computer.state / "integrity.state"
    for content in (b"", b"garbage", kept.read_bytes()[:-1]):
        kept.write_bytes(content)
        with pytest.raises(ValueError, match=r"integrity\.state is damaged"):
            async with computer.switched_on():
                pass


async def test_what_is_read_out_of_it_later_is_looked_at_before_the_start(computer: Computer) -> None:
    await computer.enrol()
    kept = enrolled.load(computer.state)
    for damaged in (replace(kept, known=b"garbage"), replace(kept, copy=replace(kept.copy, record=b"garbage"))):
        enrolled.keep(computer.state, damaged)
        with pytest.raises(ValueError, match=r"integrity\.state is damaged"):
            async with computer.switched_on():
                pass


async def test_a_key_that_others_can_read_is_no_start(computer: Computer) -> None:
    await computer.enrol()
    (computer.state / "integrity.key").chmod(0o644)
    with pytest.raises(PermissionsError, match=r"integrity\.key"):
        async with computer.switched_on():
            pass


async def test_a_disk_that_takes_nothing_more(computer: Computer, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not kept is not sent."""
    await computer.enrol()

    def full(path: Path, content: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    async with computer.switched_on() as own:
        assert await validated(own) == "valid"
        before = computer.line.asked.count("validation")
        monkeypatch.setattr("fob_daemon.integrity.enrolled.write_durably", full)
        assert await validated(own) == "what has to be kept could not be written: No space left on device (not-kept)"
        # No request.
        assert computer.line.asked.count("validation") == before
        monkeypatch.undo()
