"""The lines of the back office's commands as views. What the protocol does not allow ends in CKR_DEVICE_ERROR."""

from collections.abc import Sequence
from typing import Final

from fob_daemon.device.answers import one_line, padded, reading
from fob_daemon.device.office_views import (
    Copy,
    Entitled,
    OfficeState,
    Option,
    OptionPage,
    Server,
    Template,
    TemplateField,
    Used,
)
from fob_protocol.at.answer import Answer
from fob_protocol.at.values import Values
from fob_protocol.errors import AtSyntaxError
from fob_protocol.integrity.limits import HOLDINGS_LIMIT
from fob_protocol.office.limits import COMPONENTS_LIMIT, ENTITLEMENTS_LIMIT, FIELDS_LIMIT
from fob_protocol.relay import Waiting

# A person picks one of them.
SERVERS_LIMIT: Final = 64
# The state of entitlements; the other one is 2, revoked.
_ACTIVE: Final = 1


def read_waiting(answer: Answer) -> Waiting | None:
    """What is to be relayed, None when nothing is. Raises CkrError."""
    with reading():
        if not answer.lines:
            return None
        return Waiting.from_values(one_line(answer))


def read_announced(values: Values) -> Waiting | None:
    """The question that came with its announcement, None where it has to be asked for."""
    try:
        return Waiting.from_values(values)
    except AtSyntaxError:
        return None


def read_office(answer: Answer) -> OfficeState:
    """The answer of +FOBOFFICE. Raises CkrError."""
    with reading():
        match one_line(answer):
            case (
                str(serial), str(hardware), int(number), int(counter), str(state), str(words), int(done), int(total)
            ):  # fmt: skip
                return OfficeState(serial, hardware, number, counter, state, words, done, total)
        raise AtSyntaxError("eight values tell what a device is to its office")


def read_servers(answer: Answer) -> list[Server]:
    """The answer of +FOBSERVERS. Raises CkrError."""
    with reading():
        return [_server(line) for line in _bounded(answer.lines, SERVERS_LIMIT, "servers")]


def read_template(answer: Answer) -> Template:
    """The answer of +FOBREGISTER without fields. Raises CkrError."""
    with reading():
        match answer.lines:
            case ((str(title), int(form)), *fields):
                found = tuple(_field(line) for line in _bounded(fields, FIELDS_LIMIT, "fields"))
                return Template(title, form, found)
        raise AtSyntaxError("a template begins with title and form")


def read_entitled(answer: Answer) -> Entitled:
    """The answer of +FOBENTITLED. Raises CkrError."""
    with reading():
        match answer.lines:
            case (head, *lines):
                match padded(head, 4):
                    case (int(version), 1 | 2 as state, int(until), (int() | None) as told):
                        levels = dict(_level(line) for line in _bounded(lines, ENTITLEMENTS_LIMIT, "applications"))
                        return Entitled(version, state == _ACTIVE, until, levels, told)
        raise AtSyntaxError("entitlements begin with version, state, until and when they were told")


def read_used(answer: Answer) -> Used:
    """The answer of +FOBUSE. Raises CkrError."""
    with reading():
        match one_line(answer):
            case (int(status), bytes(body)):
                return Used(status, body)
        raise AtSyntaxError("an application answers with a status and a block")


def read_options(answer: Answer) -> list[Option]:
    """The answer of +FOBOPTIONS. Raises CkrError."""
    with reading():
        return [_option(line) for line in _bounded(answer.lines, COMPONENTS_LIMIT, "components")]


def read_option_page(answer: Answer) -> OptionPage:
    """The answer of +FOBOPTION. Raises CkrError."""
    with reading():
        match one_line(answer):
            case (int(size), bytes(octets)):
                return OptionPage(size, octets)
        raise AtSyntaxError("a part of a component is its size and a block")


def read_copies(answer: Answer) -> list[Copy]:
    """The answer of +FOBCOPIES. Raises CkrError."""
    with reading():
        return [_copy(line) for line in _bounded(answer.lines, HOLDINGS_LIMIT, "programs")]


def read_values(answer: Answer) -> tuple[Values, ...]:
    """What a component answered: numbers, texts and octets. Raises CkrError."""
    with reading():
        if any(value is None for line in answer.lines for value in line):
            raise AtSyntaxError("a component answered with nothing in a value's place")
        return answer.lines


def _bounded(lines: Sequence[Values], limit: int, what: str) -> Sequence[Values]:
    if len(lines) > limit:
        raise AtSyntaxError(f"more than {limit} {what}")
    return lines


def _server(line: Values) -> Server:
    match padded(line, 5):
        case (str(id_), str(title), str(application), 0 | 1 as registered, (str() | None) as name):
            return Server(id_, title, application, bool(registered), name or "")
    raise AtSyntaxError("a server is id, title, application, registered and name")


def _field(line: Values) -> TemplateField:
    match line:
        case (str(name), str(label), int(limit), 0 | 1 as required):
            return TemplateField(name, label, limit, bool(required))
    raise AtSyntaxError("a field is name, label, most octets and required")


def _level(line: Values) -> tuple[str, int]:
    match line:
        case (str(application), int(level)):
            return application, level
    raise AtSyntaxError("an entitlement is application and level")


def _option(line: Values) -> Option:
    match padded(line, 7):
        case (
            str(id_), str(version), int(kind), str(title), int(octets),
            (str() | None) as newest, (str() | None) as commands,
        ):  # fmt: skip
            return Option(id_, version, kind, title, octets, newest or "", tuple((commands or "").split()))
    raise AtSyntaxError("a component is id, version, kind, title, octets, newest and commands")


def _copy(line: Values) -> Copy:
    match padded(line, 7):
        case (
            str(program), str(version), (bytes() | None) as number, str(state), (str() | None) as reason,
            (int() | None) as validated, (int() | None) as until,
        ):  # fmt: skip
            return Copy(program, version, (number or b"").hex(), state, reason or "", validated, until)
    raise AtSyntaxError("a copy is program, version, number, state, reason, DT and until")
