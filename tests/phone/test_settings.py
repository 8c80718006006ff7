"""What the person chose stands in the phone's file, sealed: each setting to its key, and to this phone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fob_device.settings import AUTO_LOCK, AUTO_LOCK_CHOICES, ONCE_MAX, ONCE_MIN, Ask, KeySetting
from fob_device.store.errors import TokenFileError
from fob_protocol.pkcs11.ckr import Ckr
from support.token_bench import SO_PIN, Bench, make_ec, refused

NEVER = KeySetting(Ask.NEVER)
ONCE = KeySetting(Ask.ONCE, 300)


@pytest.fixture
def phone(tmp_path: Path) -> Iterator[Bench]:
    """A phone with two keys: 2 and 4."""
    bench = Bench(tmp_path / "token.db")
    session = bench.user()
    assert [make_ec(session)[1].handle for _ in range(2)] == [2, 4]
    yield bench
    bench.memory.close()


def test_a_key_asks_always_until_the_person_says_otherwise_and_that_is_remembered(phone: Bench) -> None:
    assert phone.memory.settings.of_key(2) == KeySetting()
    phone.memory.settings.set_key(2, NEVER)
    phone.memory.settings.set_key(4, ONCE)
    phone.restart()
    assert [phone.memory.settings.of_key(key) for key in (2, 4)] == [NEVER, ONCE]
    phone.memory.settings.set_key(2, KeySetting())
    phone.restart()
    assert phone.memory.settings.of_key(2) == KeySetting()


@pytest.mark.parametrize(
    ("ask", "seconds"),
    [(Ask.ALWAYS, 1), (Ask.NEVER, 60), (Ask.ONCE, 0), (Ask.ONCE, ONCE_MIN - 1), (Ask.ONCE, ONCE_MAX + 1)],
)
def test_a_setting_that_makes_no_sense_is_refused(ask: Ask, seconds: int) -> None:
    with pytest.raises(ValueError, match="a key that asks"):
        KeySetting(ask, seconds)


@given(st.sampled_from([KeySetting(), NEVER]) | st.integers(ONCE_MIN, ONCE_MAX).map(lambda s: KeySetting(Ask.ONCE, s)))
def test_every_setting_is_read_as_it_was_written(setting: KeySetting) -> None:
    assert KeySetting.from_bytes(setting.to_bytes()) == setting


def test_a_setting_goes_with_its_key(phone: Bench) -> None:
    phone.memory.settings.set_key(2, NEVER)
    phone.memory.settings.set_key(4, NEVER)
    phone.user().destroy_object(2)
    assert [phone.memory.settings.of_key(key) for key in (2, 4)] == [KeySetting(), NEVER]
    phone.token.init_token(SO_PIN, "new")
    assert phone.memory.settings.of_key(4) == KeySetting()


def test_a_copy_of_a_key_asks_always(phone: Bench) -> None:
    phone.memory.settings.set_key(2, NEVER)
    copy = phone.user().copy_object(2, {})
    assert phone.memory.settings.of_key(copy.handle) == KeySetting()


def test_there_is_no_setting_of_a_key_that_never_was(phone: Bench) -> None:
    with refused(Ckr.DEVICE_ERROR):
        phone.memory.settings.set_key(99, NEVER)


def test_a_setting_that_somebody_else_wrote_is_refused(phone: Bench) -> None:
    phone.memory.settings.set_key(2, NEVER)
    phone.alter("UPDATE key_setting SET sealed = x'00' WHERE handle = 2")
    with pytest.raises(TokenFileError, match="the setting of key 2 was altered"):
        phone.open_file()


def test_a_setting_is_not_moved_to_another_key(phone: Bench) -> None:
    phone.memory.settings.set_key(2, NEVER)
    phone.alter("UPDATE key_setting SET handle = 4 WHERE handle = 2")
    with pytest.raises(TokenFileError, match="the setting of key 4 was altered"):
        phone.open_file()


def test_who_takes_a_setting_away_makes_the_key_ask(phone: Bench) -> None:
    phone.memory.settings.set_key(2, NEVER)
    phone.alter("DELETE FROM key_setting")
    phone.memory = phone.open_file()
    assert phone.memory.settings.of_key(2) == KeySetting()


def test_the_time_until_the_phone_locks_itself_is_remembered_and_sealed(phone: Bench) -> None:
    assert phone.memory.settings.auto_lock() == AUTO_LOCK
    for seconds in AUTO_LOCK_CHOICES:
        phone.memory.settings.set_auto_lock(seconds)
        phone.restart()
        assert phone.memory.settings.auto_lock() == seconds
    with pytest.raises(ValueError, match="a phone locks itself after one of"):
        phone.memory.settings.set_auto_lock(1)
    phone.alter("UPDATE phone_setting SET sealed = x'00'")
    with pytest.raises(TokenFileError, match="the auto-lock was altered"):
        phone.open_file()
