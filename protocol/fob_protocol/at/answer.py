"""The text of an answer record and of an event record (docs/protocol.md, section 3.1).

An answer is V.250's terse form (`V0`): information lines closed by CR LF, then the result.
"""

from dataclasses import dataclass

from fob_protocol.at.command import NAME
from fob_protocol.at.values import ValueReader, Values, checked, decode_values, encode_values
from fob_protocol.errors import AtSyntaxError
from fob_protocol.limits import LINES_LIMIT
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError

CRLF = b"\r\n"
OK = b"0\r"
CKR = b"+CKR: "


@dataclass(frozen=True, slots=True)
class Answer:
    """Information lines and the result: `ckr` is Ckr.OK's number or why the command was refused."""

    lines: tuple[Values, ...] = ()
    ckr: int = Ckr.OK
    words: str = ""

    @classmethod
    def refusal(cls, error: CkrError) -> "Answer":
        """The answer that carries a CkrError to the other side."""
        return cls(ckr=error.ckr, words=error.reason)

    def raise_for_ckr(self) -> None:
        """Raises CkrError unless the result is OK; a number this side does not know becomes CKR_DEVICE_ERROR."""
        if self.ckr == Ckr.OK:
            return
        try:
            ckr = Ckr(self.ckr)
        except ValueError:
            raise CkrError(Ckr.DEVICE_ERROR, f"return value {self.ckr}") from None
        raise CkrError(ckr, self.words)

    def __repr__(self) -> str:
        """Names the result only: lines may be plaintext."""
        return f"Answer({len(self.lines)} lines, ckr={self.ckr})"


@dataclass(frozen=True, slots=True)
class Event:
    """An unsolicited result code."""

    name: str
    values: Values = ()


def encode_answer(answer: Answer) -> bytes:
    """The octets of an answer."""
    text = b"".join(encode_values(line) + CRLF for line in answer.lines)
    if answer.ckr == Ckr.OK:
        return text + OK
    words = (answer.words,) if answer.words else ()
    return text + CKR + encode_values((answer.ckr, *words)) + CRLF


def decode_answer(text: bytes) -> Answer:
    """An answer's octets back to lines and result. Raises AtSyntaxError."""
    lines: list[Values] = []
    reader = ValueReader(text)
    while not _at_result(reader):
        if len(lines) == LINES_LIMIT:
            raise AtSyntaxError(f"an answer of more than {LINES_LIMIT} lines")
        lines.append(_read_line(reader))
    if text.startswith(OK, reader.position):
        reader.position += len(OK)
        ckr, words = int(Ckr.OK), ""
    else:
        reader.position += len(CKR)
        ckr, words = _read_refusal(reader)
    if reader.position != len(text):
        raise AtSyntaxError("octets after an answer's result")
    return Answer(tuple(lines), ckr, words)


def _at_result(reader: ValueReader) -> bool:
    """Tells the result `0` CR from an information line `0` CR LF."""
    text, place = reader.data, reader.position
    return text.startswith(CKR, place) or (text.startswith(OK, place) and text[place + 2 : place + 3] != b"\n")


def _read_line(reader: ValueReader) -> Values:
    values = reader.read_list()
    if not reader.data.startswith(CRLF, reader.position):
        raise AtSyntaxError("an information line ends with CR LF")
    reader.position += 2
    return values


def _read_refusal(reader: ValueReader) -> tuple[int, str]:
    values = _read_line(reader)
    match values:
        case (int(ckr),) if ckr != Ckr.OK:
            return ckr, ""
        case (int(ckr), str(words)) if ckr != Ckr.OK:
            return ckr, words
        case _:
            raise AtSyntaxError("+CKR: has a number that is not 0, and perhaps words")


def encode_event(event: Event) -> bytes:
    """The octets of an unsolicited result code: `+NAME: values`."""
    return b"%b: %b" % (event.name.encode(), encode_values(event.values))


def decode_event(text: bytes) -> Event:
    """An event's octets back to name and values. Raises AtSyntaxError."""
    name, separator, rest = text.partition(b": ")  # a name may hold a colon, never a space
    if not separator or NAME.fullmatch(name) is None:
        raise AtSyntaxError("an event is +NAME: and values")
    values = decode_values(rest)
    return Event(name.decode().upper(), () if values == (None,) else values)


def single(answer: Answer, *kinds: type) -> Values:
    """The values of an OK answer's only line, each of its kind or absent. Raises CkrError or AtSyntaxError."""
    answer.raise_for_ckr()
    if len(answer.lines) != 1:
        raise AtSyntaxError(f"an answer of {len(answer.lines)} lines where one is due")
    return checked(answer.lines[0], kinds)
