"""Values, attribute lists and commands: any octets are read or refused by AtSyntaxError, and read the same again."""

import sys

import atheris

with atheris.instrument_imports(include=["fob_protocol"]):
    from fob_protocol.at.attribute_list import attributes_to_values, block_to_mechanism, values_to_attributes
    from fob_protocol.at.command import decode_command, encode_command
    from fob_protocol.at.values import Values, decode_values, encode_values
    from fob_protocol.catalogue import COMMANDS
    from fob_protocol.errors import AtSyntaxError
    from fob_protocol.pkcs11.ckm import Ckm

MECHANISMS = (Ckm.RSA_PKCS_PSS, Ckm.RSA_PKCS_OAEP, Ckm.ECDH1_DERIVE, Ckm.ECDSA)


def read_values(data: bytes) -> None:
    """A value list, and what may stand in one."""
    try:
        values = decode_values(data)
    except AtSyntaxError:
        return
    assert stripped(decode_values(encode_values(values))) == stripped(values)
    try:
        attributes = values_to_attributes(values)
    except AtSyntaxError:
        return
    assert values_to_attributes(attributes_to_values(attributes)) == attributes


def stripped(values: Values) -> Values:
    """Without trailing absent values, which are not written."""
    while values and values[-1] is None:
        values = values[:-1]
    return values


def read_command(data: bytes) -> None:
    """A request's text and its check against the catalogue."""
    try:
        command = decode_command(data)
        if command.name in COMMANDS:
            COMMANDS[command.name].check(command.values)
    except AtSyntaxError:
        return
    again = decode_command(encode_command(command))
    assert (again.name, again.verb, stripped(again.values)) == (command.name, command.verb, stripped(command.values))


def read_parameter(data: bytes) -> None:
    """A mechanism parameter's block."""
    for mechanism in MECHANISMS:
        try:
            block_to_mechanism(mechanism, data)
        except AtSyntaxError:
            continue


def test_one_input(data: bytes) -> None:
    """One case of the fuzzer."""
    read_values(data)
    read_parameter(data)
    for text in (data, b"AT+" + data, b"AT+C_SIGN=" + data, b"AT+C_CREATEOBJECT=" + data):
        read_command(text)


if __name__ == "__main__":
    atheris.Setup(sys.argv, test_one_input)
    atheris.Fuzz()
