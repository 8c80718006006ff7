"""Answers and events: any octets are read or refused by AtSyntaxError, and read the same again."""

import sys

import atheris

with atheris.instrument_imports(include=["fob_protocol"]):
    from fob_protocol.at.answer import decode_answer, decode_event, encode_answer, encode_event, single
    from fob_protocol.errors import AtSyntaxError, ProtocolError
    from fob_protocol.pkcs11.errors import CkrError
    from fob_protocol.session.handshake import Greeting
    from fob_protocol.versions import choose


def read_answer(data: bytes) -> None:
    """An answer's text."""
    try:
        answer = decode_answer(data)
    except AtSyntaxError:
        return
    again = decode_answer(encode_answer(answer))
    assert (len(again.lines), again.ckr, again.words) == (len(answer.lines), answer.ckr, answer.words)
    try:
        single(answer, int, bytes)
    except (AtSyntaxError, CkrError):
        return


def read_event(data: bytes) -> None:
    """An event's text."""
    try:
        event = decode_event(data)
    except AtSyntaxError:
        return
    assert decode_event(encode_event(event)).name == event.name


def test_one_input(data: bytes) -> None:
    """One case of the fuzzer."""
    for text in (data, data + b"0\r", data + b"\r\n0\r", b"+CKR: " + data + b"\r\n"):
        read_answer(text)
    for text in (data, b"+FOBASK: " + data):
        read_event(text)
    choose(data)
    try:
        Greeting.decode(data)
    except ProtocolError:
        return


if __name__ == "__main__":
    atheris.Setup(sys.argv, test_one_input)
    atheris.Fuzz()
