"""PINs: tries that outlive a kill, locking, unlocking by the SO."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fob_device.token.kdf import KdfCost
from fob_device.token.pins import check_pin_size
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cku
from fob_protocol.pkcs11.flags import TokenFlag
from fob_protocol.pkcs11.mechanisms import Mechanism
from support.token_bench import ROOT_KEY, SO_PIN, USER_PIN, WRONG_PIN, Bench, make_ec, refused

COUNT_FLAGS = TokenFlag.USER_PIN_COUNT_LOW | TokenFlag.USER_PIN_FINAL_TRY | TokenFlag.USER_PIN_LOCKED


def user_flags(bench: Bench) -> TokenFlag:
    return bench.token.info().flags & COUNT_FLAGS


@pytest.mark.clause("P6")
def test_three_wrong_pins_lock_the_user_out_and_the_flags_say_how_it_stands(bench: Bench) -> None:
    session = bench.session()
    assert user_flags(bench) == TokenFlag(0)
    expected = [
        TokenFlag.USER_PIN_COUNT_LOW,
        TokenFlag.USER_PIN_COUNT_LOW | TokenFlag.USER_PIN_FINAL_TRY,
        TokenFlag.USER_PIN_LOCKED,
    ]
    for flags in expected:
        with refused(Ckr.PIN_INCORRECT):
            session.login(Cku.USER, WRONG_PIN)
        assert user_flags(bench) == flags
    for pin in (WRONG_PIN, USER_PIN):
        with refused(Ckr.PIN_LOCKED):
            session.login(Cku.USER, pin)
    assert session.logged_in == set()


def test_the_right_pin_gives_all_tries_back(bench: Bench) -> None:
    session = bench.session()
    for _ in range(5):
        for _ in range(2):
            with refused(Ckr.PIN_INCORRECT):
                session.login(Cku.USER, WRONG_PIN)
        session.login(Cku.USER, USER_PIN)
        assert user_flags(bench) == TokenFlag(0)


def test_the_so_has_ten_tries_of_its_own(bench: Bench) -> None:
    session = bench.session()
    for _ in range(10):
        with refused(Ckr.PIN_INCORRECT):
            session.login(Cku.SO, WRONG_PIN)
    with refused(Ckr.PIN_LOCKED):
        session.login(Cku.SO, SO_PIN)
    assert TokenFlag.SO_PIN_LOCKED in bench.token.info().flags
    session.login(Cku.USER, USER_PIN)


def test_the_so_unlocks_the_user_and_the_keys_are_still_there(bench: Bench) -> None:
    _, private = make_ec(bench.user())
    session = bench.session()
    for _ in range(3):
        with refused(Ckr.PIN_INCORRECT):
            session.login(Cku.USER, WRONG_PIN)
    session.login(Cku.SO, SO_PIN)
    session.init_pin(b"new-pin")
    assert user_flags(bench) == TokenFlag(0)
    with refused(Ckr.PIN_INCORRECT):
        session.login(Cku.USER, USER_PIN)
    session.login(Cku.USER, b"new-pin")
    assert len(session.sign(private.handle, Mechanism(Ckm.ECDSA), bytes(32))) == 64


def test_only_the_so_sets_the_users_pin(bench: Bench) -> None:
    for session in (bench.session(), bench.user()):
        with refused(Ckr.USER_NOT_LOGGED_IN):
            session.init_pin(b"new-pin")


def test_a_token_without_user_pin_says_so(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "new.db", user_pin=None)
    assert TokenFlag.USER_PIN_INITIALIZED not in bench.token.info().flags
    session = bench.session()
    with refused(Ckr.USER_PIN_NOT_INITIALIZED):
        session.login(Cku.USER, USER_PIN)
    session.login(Cku.SO, SO_PIN)
    session.init_pin(USER_PIN)
    session.login(Cku.USER, USER_PIN)
    assert TokenFlag.USER_PIN_INITIALIZED in bench.token.info().flags
    bench.token.close()


@pytest.mark.parametrize("size", [0, 3, 65, 10_000])
def test_a_pin_of_impossible_length_costs_no_try(bench: Bench, size: int) -> None:
    session = bench.session(Cku.SO)
    for user in (Cku.USER, Cku.SO):
        with refused(Ckr.PIN_LEN_RANGE):
            session.login(user, bytes(size))
    with refused(Ckr.PIN_LEN_RANGE):
        session.set_pin(Cku.USER, USER_PIN, bytes(size))
    with refused(Ckr.PIN_LEN_RANGE):
        session.init_pin(bytes(size))
    assert user_flags(bench) == TokenFlag(0)


@given(st.integers(4, 64))
def test_pins_of_4_to_64_octets_are_possible(size: int) -> None:
    check_pin_size(bytes(size))


def test_changing_a_pin_asks_for_the_old_one_and_counts(bench: Bench) -> None:
    session = bench.session()
    with refused(Ckr.PIN_INCORRECT):
        session.set_pin(Cku.USER, WRONG_PIN, b"new-pin")
    assert TokenFlag.USER_PIN_COUNT_LOW in bench.token.info().flags
    session.set_pin(Cku.USER, USER_PIN, b"new-pin")
    with refused(Ckr.PIN_INCORRECT):
        session.login(Cku.USER, USER_PIN)
    session.login(Cku.USER, b"new-pin")
    session.set_pin(Cku.SO, SO_PIN, b"new-so-pin")
    session.login(Cku.SO, b"new-so-pin")


def test_a_context_specific_user_has_no_pin_of_its_own(bench: Bench) -> None:
    session = bench.session()
    with refused(Ckr.USER_TYPE_INVALID):
        session.login(Cku.CONTEXT_SPECIFIC, USER_PIN)
    with refused(Ckr.USER_TYPE_INVALID):
        session.set_pin(Cku.CONTEXT_SPECIFIC, USER_PIN, b"new-pin")


class PowerCutError(BaseException):
    """The power went off: nothing in the program may handle it."""


def test_a_fault_between_spending_the_try_and_the_check_costs_the_try(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*args: object) -> bytes:
        raise PowerCutError

    for remaining in (TokenFlag.USER_PIN_COUNT_LOW, TokenFlag.USER_PIN_FINAL_TRY, TokenFlag.USER_PIN_LOCKED):
        with monkeypatch.context() as patch:
            patch.setattr("fob_device.token.device_root.pin_key", cut)
            with pytest.raises(PowerCutError):
                bench.session().login(Cku.USER, USER_PIN)
        bench.restart()
        assert remaining in bench.token.info().flags
    with refused(Ckr.PIN_LOCKED):
        bench.session().login(Cku.USER, USER_PIN)


KILLED = textwrap.dedent("""
    import os, signal, sys, time
    from pathlib import Path
    import fob_device.token.device_root as device_root
    from fob_device.memory import Memory
    from fob_protocol.pkcs11.constants import Cku

    def killed(*args):
        os.kill(os.getpid(), signal.SIGKILL)

    device_root.pin_key = killed
    phone = Memory.open(Path(sys.argv[1]), root_key=bytes.fromhex(sys.argv[2]), random=os.urandom, clock=time.time)
    phone.token.open_session().login(Cku.USER, b"wrong-pin")
""")


def test_killing_the_device_while_it_checks_gives_no_further_tries(bench: Bench) -> None:
    for _ in range(3):
        bench.token.close()
        command = [sys.executable, "-c", KILLED, str(bench.path), ROOT_KEY.hex()]
        done = subprocess.run(command, env={"PATH": os.environ["PATH"]}, check=False, timeout=60)
        assert done.returncode == -9
        bench.restart()
    with refused(Ckr.PIN_LOCKED):
        bench.session().login(Cku.USER, USER_PIN)


@pytest.mark.parametrize("cost", [(0, 8, 1), (65, 8, 1), (1, 7, 1), (1, 1 << 21, 1), (1, 8, 0), (1, 1024, 17)])
def test_a_cost_that_would_stop_the_phone_is_refused(cost: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="Argon2id"):
        KdfCost(*cost)
