"""What this computer has seen of a phone's history: kept on its disk, and never less than before."""

import errno
from pathlib import Path
from typing import cast

import pytest

from fob_daemon.control.device_history import SeenError
from fob_daemon.device.history import History, history_name
from fob_daemon.device.registry import PairedDeviceEntry
from fob_daemon.device.remote_token import RemoteToken
from fob_protocol.history.verify import Anchor
from support.history import LOG_KEY, OTHER_KEY, chain

HASHES = [record.hash for record in chain(5)]


def seen(length: int, key: bytes = LOG_KEY.public) -> Anchor:
    return Anchor(key, length, HASHES[length - 1])


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(1, bytes(32), cast(RemoteToken, None), tmp_path / "history-00.json")


def test_nothing_was_seen_at_first(history: History) -> None:
    assert history.seen() is None


def test_what_was_seen_outlives_the_daemon_for_its_user_alone(history: History) -> None:
    history.keep(seen(3))
    again = History(1, bytes(32), history.remote, history.path)
    assert again.seen() == seen(3)
    assert history.path.stat().st_mode & 0o777 == 0o600


def test_more_takes_the_place_of_less(history: History) -> None:
    for length in (1, 3, 3, 5):
        history.keep(seen(length))
        assert history.seen() == seen(length)


@pytest.mark.parametrize("other", [seen(2), Anchor(LOG_KEY.public, 3, bytes(32)), seen(5, OTHER_KEY.public)])
def test_less_or_something_else_never_does(history: History, other: Anchor) -> None:
    history.keep(seen(3))
    with pytest.raises(SeenError, match="were seen already"):
        history.keep(other)
    assert history.seen() == seen(3)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[" * 100_000,
        b'{"format":2,"key":"%s","length":3,"hash":"%s"}' % (b"00" * 32, b"00" * 32),
        b'{"format":1,"key":"00","length":3,"hash":"%s"}' % (b"00" * 32),
        b'{"format":1,"key":"%s","length":-3,"hash":"%s"}' % (b"00" * 32, b"00" * 32),
    ],
)
def test_a_damaged_file_is_no_fresh_start(history: History, content: bytes) -> None:
    """Whoever changed the history would like that."""
    history.path.write_bytes(content)
    for look in (history.seen, lambda: history.keep(seen(5))):
        with pytest.raises(SeenError, match="is damaged") as damaged:
            look()
        assert damaged.value.next_command == f"mv {history.path} {history.path}.damaged"
    assert history.path.read_bytes() == content


def test_a_file_that_cannot_be_read_or_written_is_said(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("fob_daemon.device.history.write_durably", full)
    with pytest.raises(SeenError, match="cannot be written: No space left on device"):
        history.keep(seen(3))
    history.path.mkdir()
    with pytest.raises(SeenError, match="Is a directory"):
        history.seen()


def test_each_phone_has_a_file_of_its_own() -> None:
    names = {
        history_name(PairedDeviceEntry("pixel", key * 32, "1", ("tcp:127.0.0.1:1",), 1, 0.0)) for key in ("00", "01")
    }
    assert names == {"history-0000000000000000.json", "history-0101010101010101.json"}
