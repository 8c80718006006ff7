"""Command state: whatever is typed is bounded, refused only by AtSyntaxError, and the next line is read."""

import sys

import atheris

with atheris.instrument_imports(include=["fob_protocol"]):
    from fob_protocol.at.console import LineAssembler, parse_body
    from fob_protocol.errors import AtSyntaxError
    from fob_protocol.limits import COMMAND_LINE_LIMIT


def type_in(assembler: LineAssembler, data: bytes) -> list[bytes]:
    """The lines that these octets complete; their commands are parsed too."""
    bodies = []
    for octet in data:
        try:
            body = assembler.feed(octet)
            if body is not None:
                bodies.append(body)
                list(parse_body(body))
        except AtSyntaxError:
            continue
        finally:
            assert len(assembler.buffer) <= COMMAND_LINE_LIMIT
    return bodies


def test_one_input(data: bytes) -> None:
    """One case of the fuzzer."""
    assembler = LineAssembler()
    for octets in (data, b"\rAT" + data, b"\rAT+C_GETTOKENINFO" + data):
        type_in(assembler, octets)
    type_in(assembler, b"\r")
    assert type_in(assembler, b"AT+GMI\rA/") == [b"+GMI", b"+GMI"]


if __name__ == "__main__":
    atheris.Setup(sys.argv, test_one_input)
    atheris.Fuzz()
