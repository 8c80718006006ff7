"""Command state as a person meets it: V.250 lines in, V.250 and 27.007 results out (docs/protocol.md, section 1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fob_protocol.at.command import Command, Verb
from fob_protocol.at.console import (
    BasicCommand,
    CmeError,
    LineAssembler,
    LineCommand,
    Result,
    ResultWriter,
    parse_body,
)
from fob_protocol.errors import AtSyntaxError
from fob_protocol.limits import COMMAND_LINE_LIMIT
from support.footprint import octets_held


def lines(octets: bytes, assembler: LineAssembler | None = None) -> list[bytes]:
    """The bodies that these octets complete."""
    assembler = assembler or LineAssembler()
    bodies = [assembler.feed(octet) for octet in octets]
    return [body for body in bodies if body is not None]


def commands(body: bytes) -> list[LineCommand]:
    """All commands of a body."""
    return list(parse_body(body))


@pytest.mark.parametrize(
    ("octets", "bodies"),
    [
        (b"AT\r", [b""]),
        (b"at\r", [b""]),
        (b"aT\r", [b""]),
        (b"AT\r\nATE0\r\n", [b"", b"E0"]),
        (b"ATE0V1\r", [b"E0V1"]),
        (b"\0\x07\x04+++FOB\xffg\0\rAT\r", [b""]),
        (b"noise AT+GMI\r", [b"+GMI"]),
        (b"NO CARRIER\r", []),
        (b"\r\r\r", []),
        (b"ATX\x08I\r", [b"I"]),
        (b"\x08\x08ATI\r", [b"I"]),
        (b"AQ\x08TI\r", [b"I"]),
        (b"A\nT\nI\r", [b"I"]),
        (b"ATI\rA/", [b"I", b"I"]),
        (b"ATI\ra/A/", [b"I", b"I", b"I"]),
        (b"A/", [b""]),
        (b"ATI\rATA/\r", [b"I", b"A/"]),
        (b"ATI", []),
    ],
)
def test_octets_become_lines(octets: bytes, bodies: list[bytes]) -> None:
    assert lines(octets) == bodies


def test_a_line_at_its_limit_is_taken() -> None:
    body = b"I" * (COMMAND_LINE_LIMIT - 2)
    assert lines(b"AT" + body + b"\r") == [body]


def test_an_overlong_line_is_told_once_at_its_end_and_the_next_line_works() -> None:
    assembler = LineAssembler()
    assert lines(b"AT" + b"x" * 100_000, assembler) == []
    with pytest.raises(AtSyntaxError, match="over 512 octets"):
        assembler.feed(0x0D)
    assert lines(b"ATI\r", assembler) == [b"I"]


def test_an_overlong_line_is_not_what_repeats() -> None:
    assembler = LineAssembler()
    lines(b"ATI\rAT" + b"x" * 600, assembler)
    with pytest.raises(AtSyntaxError):
        assembler.feed(0x0D)
    assert lines(b"A/", assembler) == [b"I"]


def test_a_line_without_end_holds_no_more_than_the_limit() -> None:
    assembler = LineAssembler()
    lines(b"AT" + b"x" * 50_000, assembler)
    assert octets_held(assembler) <= COMMAND_LINE_LIMIT


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", []),
        (b"E", [BasicCommand("E", 0)]),
        (b"E1V0q1", [BasicCommand("E", 1), BasicCommand("V", 0), BasicCommand("Q", 1)]),
        (b"I", [BasicCommand("I")]),
        (b"I3", [BasicCommand("I", 3)]),
        (b"&F", [BasicCommand("&F")]),
        (b"z&f0", [BasicCommand("Z"), BasicCommand("&F", 0)]),
        (b"+GMI", [Command("+GMI")]),
        (b"+gmi;+GMM", [Command("+GMI"), Command("+GMM")]),
        (b"+GMI;", [Command("+GMI")]),
        (b"E0+CMEE=2;+CMEE?", [BasicCommand("E", 0), Command("+CMEE", Verb.SET, (2,)), Command("+CMEE", Verb.READ)]),
        (b"+GMI;E0", [Command("+GMI"), BasicCommand("E", 0)]),
        (b"+FOBOPEN=?", [Command("+FOBOPEN", Verb.TEST)]),
        (b'+X="a;b",,3', [Command("+X", Verb.SET, ("a;b", None, 3))]),
        (
            b" E0 V1 +X = 1 , 2 ; +GMI ",
            [*map(BasicCommand, "EV", (0, 1)), Command("+X", Verb.SET, (1, 2)), Command("+GMI")],
        ),
        (b'+X="a  b" ', [Command("+X", Verb.SET, ("a  b",))]),
    ],
)
def test_a_body_becomes_commands(body: bytes, expected: list[LineCommand]) -> None:
    assert commands(body) == expected


@pytest.mark.parametrize(
    ("body", "before", "why"),
    [
        (b"E0?", [BasicCommand("E", 0)], "letter and perhaps a number"),
        (b"E0\xff", [BasicCommand("E", 0)], "letter and perhaps a number"),
        (b"&", [], "letter and perhaps a number"),
        (b"&&F", [], "letter and perhaps a number"),
        (b"S3=13", [BasicCommand("S", 3)], "letter and perhaps a number"),
        (b"E0+GMI+GMM", [BasicCommand("E", 0)], "separated by ;"),
        (b"+GMI;+CMEE=2x", [Command("+GMI")], "separated by ;"),
        (b"+CMEE=-1", [], "separated by ;"),
        (b'+X="', [], "closing quote"),
        (b"+X=#13abc", [], "data state"),
        (b"+", [], "a name is"),
        (b"+1", [], "a name is"),
        (b"I" + b"9" * 21, [], "digits"),
    ],
)
def test_a_fault_stops_the_rest_of_the_line(body: bytes, before: list[LineCommand], why: str) -> None:
    parsed = parse_body(body)
    for command in before:
        assert next(parsed) == command
    with pytest.raises(AtSyntaxError, match=why):
        next(parsed)


@given(st.lists(st.binary(max_size=80), max_size=10))
def test_whatever_was_typed_the_next_line_is_read(noise: list[bytes]) -> None:
    assembler = LineAssembler()
    for octet in b"".join(noise) + b"\r":
        try:
            body = assembler.feed(octet)
            if body is not None:
                commands(body)
        except AtSyntaxError:
            continue
    assert lines(b"AT+GMI\r", assembler) == [b"+GMI"]


@pytest.mark.parametrize(
    ("writer", "result", "octets"),
    [
        (ResultWriter(), Result.OK, b"\r\nOK\r\n"),
        (ResultWriter(), Result.CONNECT, b"\r\nCONNECT\r\n"),
        (ResultWriter(), Result.NO_CARRIER, b"\r\nNO CARRIER\r\n"),
        (ResultWriter(), Result.ERROR, b"\r\nERROR\r\n"),
        (ResultWriter(verbose=False), Result.OK, b"0\r"),
        (ResultWriter(verbose=False), Result.CONNECT, b"1\r"),
        (ResultWriter(verbose=False), Result.NO_CARRIER, b"3\r"),
        (ResultWriter(verbose=False), Result.ERROR, b"4\r"),
        (ResultWriter(quiet=True), Result.OK, b""),
        (ResultWriter(verbose=False, quiet=True), Result.ERROR, b""),
    ],
)
def test_result_codes(writer: ResultWriter, result: Result, octets: bytes) -> None:
    assert writer.result(result) == octets


def test_information_text() -> None:
    assert ResultWriter().text("Fob") == b"\r\nFob\r\n"
    assert ResultWriter(verbose=False).text("Fob") == b"Fob\r\n"
    assert ResultWriter().text("\xe9") == b"\r\n\\xe9\r\n"


@pytest.mark.parametrize(
    ("writer", "octets"),
    [
        (ResultWriter(cmee=0), b"\r\nERROR\r\n"),
        (ResultWriter(cmee=1), b"\r\n+CME ERROR: 3\r\n"),
        (ResultWriter(cmee=2), b"\r\n+CME ERROR: operation not allowed\r\n"),
        (ResultWriter(cmee=0, verbose=False), b"4\r"),
        (ResultWriter(cmee=1, verbose=False), b"+CME ERROR: 3\r\n"),
        (ResultWriter(cmee=2, quiet=True), b""),
    ],
)
def test_the_three_forms_of_an_error(writer: ResultWriter, octets: bytes) -> None:
    assert writer.error(CmeError.NOT_ALLOWED) == octets


def test_the_error_numbers_of_27007() -> None:
    assert {error.value[0]: error.value[1] for error in CmeError} == {
        3: "operation not allowed",
        4: "operation not supported",
        24: "text string too long",
        50: "incorrect parameters",
        100: "unknown",
    }
