"""A person with a terminal at the phone's line (docs/protocol.md, section 1): exact octets."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fob_device.line.command_state import CommandState, Product
from fob_protocol.catalogue import COMMANDS

PRODUCT = Product("Fob", "Fob phone", "0.1", "0011223344556677", "My phone", 1037)


def console(*, echo: bool = False) -> CommandState:
    state = CommandState(lambda: PRODUCT)
    if not echo:
        say(state, b"ATE0\r")
    return state


def say(state: CommandState, octets: bytes) -> bytes:
    return b"".join(state.feed(octet) for octet in octets)


def test_at_is_answered_ok() -> None:
    assert say(console(), b"AT\r") == b"\r\nOK\r\n"


def test_echo_is_on_until_it_is_switched_off() -> None:
    state = CommandState(lambda: PRODUCT)
    assert say(state, b"ATE0\r") == b"ATE0\r\r\nOK\r\n"
    assert say(state, b"AT\r") == b"\r\nOK\r\n"


def test_terse_answers() -> None:
    state = console()
    assert say(state, b"ATV0\r") == b"0\r"
    assert say(state, b"AT+GMI\r") == b"Fob\r\n0\r"
    assert say(state, b"AT+NONE\r") == b"+CME ERROR: 4\r\n"
    assert say(state, b"ATZ\r") == b"\r\nOK\r\n"


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (b"ATI\r", b"Fob Fob phone 0.1"),
        (b"AT+GMM\r", b"Fob phone"),
        (b"AT+CGMR\r", b"0.1"),
        (b"AT+CGSN\r", b"0011223344556677"),
        (b"at+gcap\r", b"+GCAP: +FOB"),
        (b"AT+FOBOPEN=?\r", b"+FOBOPEN: (1)"),
        (b"AT+CMEE?\r", b"+CMEE: 1"),
        (b"AT+C_GETTOKENINFO\r", b'+C_GETTOKENINFO: "My phone","Fob","Fob phone","0011223344556677",1037'),
    ],
)
def test_anyone_may_ask(line: bytes, text: bytes) -> None:
    assert say(console(), line) == b"\r\n" + text + b"\r\n\r\nOK\r\n"


def test_a_label_with_a_quote_stays_inside_its_string() -> None:
    state = CommandState(lambda: replace(PRODUCT, label='Ann"s é'), echo=False)
    text = b'+C_GETTOKENINFO: "Ann\\22s \\C3\\A9","Fob","Fob phone","0011223344556677",1037'
    assert say(state, b"AT+C_GETTOKENINFO\r") == b"\r\n" + text + b"\r\n\r\nOK\r\n"


@pytest.mark.clause("P6")
@pytest.mark.parametrize("name", sorted(set(COMMANDS) - {"+C_GETTOKENINFO"}))
def test_nothing_private_is_answered(name: str) -> None:
    assert say(console(), f"AT{name}\r".encode()) == b"\r\n+CME ERROR: 3\r\n"
    assert say(console(), f"AT{name}=1,2\r".encode()) == b"\r\n+CME ERROR: 3\r\n"


def test_error_forms() -> None:
    state = console()
    assert say(state, b"AT+CMEE=2;+NONE\r") == b"\r\n+CME ERROR: operation not supported\r\n"
    assert say(state, b"AT+CMEE=0;+NONE\r") == b"\r\nERROR\r\n"
    assert say(state, b"AT+CMEE=7\r") == b"\r\nERROR\r\n"


def test_the_first_failure_ends_the_line() -> None:
    assert say(console(), b"AT+GMI;+NONE;+GMM\r") == b"\r\nFob\r\n\r\n+CME ERROR: 4\r\n"


def test_a_block_is_refused() -> None:
    assert say(console(), b"AT+CMEE=#11x\r") == b"\r\n+CME ERROR: 50\r\n"


def test_a_version_that_nobody_speaks_does_not_open() -> None:
    state = console()
    assert say(state, b"AT+FOBOPEN=2\r") == b"\r\n+CME ERROR: 50\r\n"
    assert state.opened is None


def test_open_goes_to_data_state() -> None:
    state = console()
    assert say(state, b"AT+FOBOPEN=1\r") == b"\r\nCONNECT\r\n"
    assert state.opened == 1


@given(st.binary(max_size=2000))
def test_rubbish_is_answered_or_ignored_and_the_next_line_works(rubbish: bytes) -> None:
    state = console()
    say(state, rubbish.replace(b"+FOBOPEN", b"") + b"\r")
    if state.opened is None:
        say(state, b"AT&F\r")
        assert say(state, b"ATE0\r").endswith(b"\r\nOK\r\n")
