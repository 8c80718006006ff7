"""The lines of an answer as views. A line that the protocol does not allow ends in CKR_DEVICE_ERROR."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from fob_daemon.device.views import DeviceObject, HistoryPage, Page
from fob_protocol.at.answer import Answer
from fob_protocol.at.attribute_list import values_to_attributes
from fob_protocol.at.values import Value, Values
from fob_protocol.errors import AtSyntaxError
from fob_protocol.history.head import Head
from fob_protocol.history.record import SignedRecord
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.flags import MechanismFlag, TokenFlag
from fob_protocol.pkcs11.infos import MechanismInfo, TokenDescription, Version


@contextmanager
def reading() -> Iterator[None]:
    """Raises CkrError DEVICE_ERROR for an answer that does not parse; names the rule, never the values."""
    try:
        yield
    except AtSyntaxError as error:
        raise CkrError(Ckr.DEVICE_ERROR, f"the device's answer: {error}") from None


def one_line(answer: Answer) -> Values:
    """Raises AtSyntaxError for more, and for none."""
    if len(answer.lines) != 1:
        raise AtSyntaxError("one line is due")
    return answer.lines[0]


def padded(line: Values, count: int) -> Values:
    """Absent values at the end of a line are not written."""
    return line + (None,) * (count - len(line))


def read_block(answer: Answer) -> bytes:
    """The answer that is one block. Raises CkrError."""
    match answer.lines:
        case ((bytes(block),),):
            return block
    raise CkrError(Ckr.DEVICE_ERROR, "the device's answer: one block is due")


def read_login(answer: Answer) -> tuple[int, bytes]:
    """Login and ticket. Raises CkrError."""
    match answer.lines:
        case ((int(login), bytes(ticket)),):
            return login, ticket
    raise CkrError(Ckr.DEVICE_ERROR, "the device's answer: login and ticket are due")


def read_token(answer: Answer) -> TokenDescription:
    """C_GetTokenInfo. Raises CkrError."""
    with reading():
        match answer.lines:
            case ((label, maker, model, serial, int(flags), int(min_pin), int(max_pin), hardware, firmware),):
                names = (_text(label), _text(maker), _text(model), _text(serial))
                versions = (_version(hardware), _version(firmware))
                return TokenDescription(*names, TokenFlag(flags), min_pin, max_pin, *versions)
        raise AtSyntaxError("nine values describe a token")


def read_mechanisms(answer: Answer) -> dict[int, MechanismInfo]:
    """C_GetMechanismList with C_GetMechanismInfo. Raises CkrError."""
    mechanisms = {}
    with reading():
        for line in answer.lines:
            match line:
                case (int(mechanism), int(smallest), int(largest), int(flags)):
                    mechanisms[mechanism] = MechanismInfo(smallest, largest, MechanismFlag(flags))
                case _:
                    raise AtSyntaxError("mechanism, sizes and flags are due")
    return mechanisms


def read_page(answer: Answer) -> Page:
    """The page of C_FINDOBJECTS and of every command that changes objects. Raises CkrError."""
    with reading():
        match answer.lines:
            case ((int(generation), 0 | 1 as full, 0 | 1 as more), *lines):
                return Page(generation, bool(full), bool(more), _objects(lines), _gone(lines))
        raise AtSyntaxError("a page starts with generation, full and more")


def read_history(answer: Answer) -> HistoryPage:
    """A page of +FOBHISTORY. Raises CkrError."""
    with reading():
        match answer.lines:
            case ((int(following), 0 | 1 as more), *lines):
                return HistoryPage(following, bool(more), tuple(SignedRecord.from_values(line) for line in lines))
        raise AtSyntaxError("a page of the history starts with next and more")


def read_head(answer: Answer, nonce: bytes) -> Head:
    """The head that +FOBHISTHEAD asked for with `nonce`. Raises CkrError."""
    with reading():
        match answer.lines:
            case (line,):
                return Head.from_values(line, nonce)
        raise AtSyntaxError("one line is due")


def _objects(lines: Sequence[Values]) -> tuple[DeviceObject, ...]:
    return tuple(_object(line) for line in lines if not _is_gone(line))


def _object(line: Values) -> DeviceObject:
    match line:
        case (int(handle), int(generation), *attributes) if handle > 0:
            return DeviceObject(handle, generation, values_to_attributes(attributes))
    raise AtSyntaxError("handle, generation and attributes are due")


def _gone(lines: Sequence[Values]) -> tuple[int, ...]:
    return tuple(_gone_handle(line) for line in lines if _is_gone(line))


def _gone_handle(line: Values) -> int:
    match line:
        case (int(handle), 0) if handle > 0:
            return handle
    raise AtSyntaxError("the handle of an object that is gone is due")


def _is_gone(line: Values) -> bool:
    return len(line) == 2 and line[1] == 0


def _text(value: Value) -> str:
    """A name: a string, or a block of UTF-8."""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    raise AtSyntaxError("a name is due")


def _version(value: Value) -> Version:
    """`major.minor`, an octet each."""
    major, dot, minor = _text(value).partition(".")
    if not (dot and major.isdecimal() and minor.isdecimal()):
        raise AtSyntaxError("a version is major.minor")
    return min(int(major), 255), min(int(minor), 255)
