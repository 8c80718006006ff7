"""The lines of the meter's commands as views. What the protocol does not allow ends in CKR_DEVICE_ERROR."""

from typing import Final

from fob_daemon.device.answers import one_line, padded, reading
from fob_daemon.metering.views import Joined, MeterAbout, MeterState, MeterTerms, Result
from fob_protocol.at.answer import Answer
from fob_protocol.at.values import Value, Values
from fob_protocol.errors import AtSyntaxError
from fob_protocol.metering.limits import HISTORY_LIMIT, KINDS_LIMIT, ORIGINS_LIMIT
from fob_protocol.names import plain_name
from fob_protocol.office.limits import ID_LIMIT, REFUSAL_LIMIT

# Values of each line.
_STATE: Final = 18
_ABOUT: Final = 11


def read_state(answer: Answer) -> MeterState:
    """+FOBMETER. Raises CkrError."""
    with reading():
        match padded(one_line(answer), _STATE):
            case (
                ("none" | "joining" | "ready") as stage, (str() | None) as name, bytes() | None,
                (str() | None) as serial, (str() | None) as kind,
                int(counter), int(ascending), int(descending), int(pieces), int(loads), int(owed),
                int(state), int(payment), (bytes() | None) as order, (str() | None) as word,
                (str() | None) as fault, (int() | None) as fee, (int() | None) as ahead,
            ):  # fmt: skip
                return MeterState(
                    str(stage), plain_name(name or ""), _word(serial), _word(kind),
                    counter, ascending, descending, pieces, loads, owed, state, payment,
                    (order or b"").hex(), _word(word), _word(fault), fee or 0, ahead or 0,
                )  # fmt: skip
        raise AtSyntaxError("eighteen values tell what a device has of a meter")


def read_terms(answer: Answer) -> MeterTerms:
    """+FOBMETERTERMS. Raises CkrError."""
    with reading():
        match answer.lines:
            case ((int(deposit), int(fee)), *kinds) if len(kinds) <= KINDS_LIMIT:
                return MeterTerms(deposit, fee, tuple(_text(line) for line in kinds))
        raise AtSyntaxError("terms begin with least deposit and fee")


def read_joined(answer: Answer) -> Joined:
    """+FOBMETERSIGNUP and +FOBMETERSIGNON. Raises CkrError."""
    with reading():
        match one_line(answer):
            case (bytes(account), str(serial)):
                return Joined(account.hex(), _word(serial))
        raise AtSyntaxError("account and serial are due")


def read_about(answer: Answer) -> MeterAbout:
    """+FOBMETERABOUT. Raises CkrError."""
    with reading():
        match answer.lines:
            case (head, *origins) if len(origins) <= ORIGINS_LIMIT:
                match padded(head, _ABOUT):
                    case (
                        int(state), int(payment), int(piece), int(daily), int(credit), int(spent), int(day),
                        (int() | None) as below, (int() | None) as amount, int(size), (bytes() | None) as checkpoint,
                    ):  # fmt: skip
                        places = tuple(_text(line) for line in origins)
                        numbers = (state, payment, piece, daily, credit, spent, day)
                        return MeterAbout(*numbers, below, amount, size, (checkpoint or b"").hex(), places)
        raise AtSyntaxError("eleven values tell what a data centre says of a meter, and a line for each origin")


def read_rates(answer: Answer, count: int) -> list[int | str]:
    """+FOBMETERRATE, for so many. Raises CkrError."""
    with reading():
        rates = [_rate(value) for value in one_line(answer)]
        if len(rates) != count:
            raise AtSyntaxError(f"{count} rates are due")
        return rates


def _rate(value: Value) -> int | str:
    match value:
        case int(amount) if amount > 0:
            return amount
        case str(why):
            return plain_name(why, REFUSAL_LIMIT)
    raise AtSyntaxError("a rate is an amount, or says why there is none")


def read_result(answer: Answer) -> Result:
    """Of an order. Raises CkrError."""
    with reading():
        match one_line(answer):
            case (
                int(counter), int(ascending), int(descending), int(pieces), int(loads), int(owed), bytes(transaction)
            ):  # fmt: skip
                return Result(counter, ascending, descending, pieces, loads, owed, transaction)
        raise AtSyntaxError("a result is six registers and a transaction")


def read_transactions(answer: Answer) -> tuple[bytes, ...]:
    """+FOBMETERHISTORY. Raises CkrError."""
    with reading():
        blocks = [value for line in answer.lines for value in line if isinstance(value, bytes)]
        if len(blocks) != len(answer.lines) or len(blocks) > HISTORY_LIMIT:
            raise AtSyntaxError(f"at most {HISTORY_LIMIT} transactions, one a line")
        return tuple(blocks)


def _text(line: Values) -> str:
    match line:
        case (str(text),):
            return _word(text)
    raise AtSyntaxError("a text is due")


def _word(text: str | None) -> str:
    """A name, place or serial as it can be shown."""
    return plain_name(text or "", ID_LIMIT)
