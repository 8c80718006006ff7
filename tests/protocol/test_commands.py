"""One extended command per request: its octets, its refusals, and the catalogue that all commands stand in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fob_protocol import catalogue
from fob_protocol.at.command import BARE, Command, Verb, decode_command, encode_command
from fob_protocol.at.values import Values
from fob_protocol.catalogue import COMMANDS, CommandSpec
from fob_protocol.errors import AtSyntaxError

NAME = st.from_regex(r"\+[A-Z][A-Z0-9!%\-./:_]{0,15}", fullmatch=True)
VALUES = st.lists(st.integers(0, 2**64 - 1) | st.text(max_size=20) | st.binary(max_size=80), min_size=1, max_size=8)


@pytest.mark.clause("P7")
def test_a_cryptoki_function_is_an_at_command() -> None:
    digest = b"\xa5" * 32
    octets = encode_command(catalogue.SIGN.build(12, None, digest))
    assert octets == b"AT+C_SIGN=12,,#232" + digest
    command = decode_command(octets)
    assert command == Command("+C_SIGN", Verb.SET, (12, None, digest))
    assert COMMANDS[command.name].function == "C_Sign"


@pytest.mark.parametrize(
    ("octets", "command"),
    [
        (b"AT", BARE),
        (b"at", BARE),
        (b"AT+C_GETMECHLIST", Command("+C_GETMECHLIST")),
        (b"At+c_getmechlist", Command("+C_GETMECHLIST")),
        (b"AT+X?", Command("+X", Verb.READ)),
        (b"AT+X=?", Command("+X", Verb.TEST)),
        (b"AT+X=", Command("+X", Verb.SET, (None,))),
        (b"AT+ABCDEFGHIJKLMNOP", Command("+ABCDEFGHIJKLMNOP")),
    ],
)
def test_forms_of_a_command(octets: bytes, command: Command) -> None:
    assert decode_command(octets) == command


@given(NAME, VALUES)
def test_what_is_encoded_decodes_to_the_same(name: str, values: list[int | str | bytes]) -> None:
    command = Command(name, Verb.SET, tuple(values))
    assert decode_command(encode_command(command)) == command


@given(NAME, st.sampled_from([Verb.EXECUTE, Verb.READ, Verb.TEST]))
def test_a_command_without_values_comes_back(name: str, verb: Verb) -> None:
    assert decode_command(encode_command(Command(name, verb))) == Command(name, verb)


@given(st.binary(max_size=60))
def test_any_octets_are_a_command_or_a_syntax_error(octets: bytes) -> None:
    for text in (octets, b"AT+" + octets, b"AT+X=" + octets):
        try:
            command = decode_command(text)
        except AtSyntaxError:
            continue
        again = decode_command(encode_command(command))
        assert (again.name, again.verb, again.values[:1]) == (command.name, command.verb, command.values[:1])


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"", "starts with AT"),
        (b"A", "starts with AT"),
        (b"X+C_SIGN", "starts with AT"),
        (b"ATX", "a name is"),
        (b"AT+", "a name is"),
        (b"AT+1X", "a name is"),
        (b"AT+ABCDEFGHIJKLMNOPQ", "unexpected octet after"),
        (b"AT+X\r", "unexpected octet after"),
        (b"AT+X=1;+Y", "unexpected octet after"),
        (b"AT+X=1\r\n", "unexpected octet after"),
        (b"AT+X?1", "unexpected octet after"),
        (b"AT+X=#19x", "longer than its text"),
    ],
)
def test_each_fault_is_named(octets: bytes, why: str) -> None:
    with pytest.raises(AtSyntaxError, match=why):
        decode_command(octets)


def test_a_command_shows_no_secret() -> None:
    assert repr(Command("+C_LOGIN", Verb.SET, (1, b"1234"))) == "Command(+C_LOGIN=)"


def test_every_name_fits_v250() -> None:
    assert {len(name) <= 17 and name.startswith("+") for name in COMMANDS} == {True}
    assert {decode_command(b"AT" + name.encode()).name == name for name in COMMANDS} == {True}


def test_only_the_token_info_is_for_anyone() -> None:
    assert [spec.name for spec in COMMANDS.values() if spec.public] == ["+C_GETTOKENINFO"]


@pytest.mark.parametrize("spec", COMMANDS.values(), ids=lambda spec: spec.name)
def test_the_needed_values_of_each_command_are_needed(spec: CommandSpec) -> None:
    full: Values = tuple(parameter.kind() for parameter in spec.parameters)
    assert spec.check(full) == full
    for place, parameter in enumerate(spec.parameters):
        without = (*full[:place], None, *full[place + 1 :])
        if parameter.optional:
            assert spec.check(without) == without
        else:
            with pytest.raises(AtSyntaxError, match=f"needs its {parameter.name}"):
                spec.check(without)


@pytest.mark.parametrize("spec", COMMANDS.values(), ids=lambda spec: spec.name)
def test_values_of_the_wrong_kind_and_too_many_are_refused(spec: CommandSpec) -> None:
    full: Values = tuple(parameter.kind() for parameter in spec.parameters)
    for place, parameter in enumerate(spec.parameters):
        wrong: int | str = "x" if parameter.kind is not str else 1
        with pytest.raises(AtSyntaxError, match="wrong kind"):
            spec.build(*full[:place], wrong, *full[place + 1 :])
    if spec.rest:
        assert spec.check((*full, 1, b"x")) == (*full, 1, b"x")
    else:
        with pytest.raises(AtSyntaxError, match=f"takes {len(full)} values"):
            spec.check((*full, 1))
