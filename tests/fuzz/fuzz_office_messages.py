"""What device and office read of each other: any octets are a message, or refused by OfficeError or CoseError."""

import importlib
import inspect
import pkgutil
import sys

import atheris

with atheris.instrument_imports(include=["fob_protocol"]):
    import fob_protocol.integrity
    import fob_protocol.office
    from fob_protocol.cose import cbor, hpke, sign1
    from fob_protocol.cose.errors import CborError, CoseError
    from fob_protocol.cose.labels import Label
    from fob_protocol.office.envelope import Refused
    from fob_protocol.office.errors import OfficeError
    from fob_protocol.office.message import Message, read
    from fob_protocol.office.trust import Trust

    MODULES = [
        importlib.import_module(module.name)
        for package in (fob_protocol.office, fob_protocol.integrity)
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}.")
    ]

KINDS = [
    kind
    for module in MODULES
    for _, kind in inspect.getmembers(module, inspect.isclass)
    if issubclass(kind, Message) and kind is not Message and kind.__module__ == module.__name__
]
KEY = bytes(range(32))


def read_message(kind: type[Message], data: bytes) -> None:
    """It is what was sent, or nothing."""
    try:
        message = read(kind, data)
    except OfficeError:
        return
    assert message.octets() == data
    repr(message)


def read_value(data: bytes) -> None:
    """Every value has one encoding."""
    try:
        value = cbor.decode(data)
    except CborError:
        return
    assert cbor.encode(value) == data


def read_objects(data: bytes) -> None:
    """Nothing here is signed, so nothing is believed."""
    for look in (hpke.receiver_of, sign1.signer_of, sign1.unverified_payload):
        try:
            look(data)
        except CoseError:
            continue
    try:
        sign1.verify(KEY, Label.ANSWER, [], data)
        raise AssertionError("forged")
    except CoseError:
        pass
    try:
        Trust(KEY).with_list(data)
        raise AssertionError("forged")
    except OfficeError:
        pass


def test_one_input(data: bytes) -> None:
    """One case of the fuzzer; its first octet chooses the kind of message."""
    if not data:
        return
    read_message(KINDS[data[0] % len(KINDS)], data[1:])
    read_message(Refused, data)
    read_value(data)
    read_objects(data)
    # Behind the head of a signed object, and of a sealed one.
    read_objects(b"\xd2\x84" + data)
    read_objects(b"\xd0\x83" + data)


if __name__ == "__main__":
    atheris.Setup(sys.argv, test_one_input)
    atheris.Fuzz()
