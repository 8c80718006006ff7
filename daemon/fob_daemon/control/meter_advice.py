"""What helps a person whom a data centre refused something: by the refusal's name, and by what was asked."""

from enum import Enum, auto
from typing import Final

from fob_daemon.metering.limits import GIVE_UP, RESUME
from fob_protocol.office.refusal_words import MEANINGS
from fob_protocol.office.refusals import Refusal

_STATUS: Final = "fob meter status"
_OPERATOR: Final = "ask who runs the data centre"
_OTHER_AMOUNT: Final = "the same command with another AMOUNT"
_AGAIN: Final = "the same command again; it goes on where it was"
_GO_ON: Final = f"{RESUME}    (or --give-up)"


class Doing(Enum):
    """What is asked of a meter for a person."""

    LOOK = auto()
    SIGN_UP = auto()
    SIGN_ON = auto()
    LOAD = auto()
    PAY_BACK = auto()
    GIVE_BACK = auto()
    FRANK = auto()


# How what was begun goes on, once what was in its way is mended.
GOES_ON: Final = {
    Doing.FRANK: RESUME,
    **dict.fromkeys((Doing.SIGN_UP, Doing.SIGN_ON, Doing.LOAD, Doing.PAY_BACK, Doing.GIVE_BACK), _AGAIN),
}
# Where a device does not take the values: what begins otherwise.
OTHERWISE: Final = {
    Doing.FRANK: f"{GIVE_UP}, and then the batch anew with what is wrong mended",
    Doing.SIGN_UP: "fob meter sign-up --help",
    **dict.fromkeys((Doing.LOAD, Doing.PAY_BACK), _OTHER_AMOUNT),
}
# The device's ticket is good, and of a component that does not count for what the meter counts.
NOT_ADMITTED: Final = (
    "the data centre does not admit the component that says the amounts", f"fob office configure, or {_OPERATOR}",
)  # fmt: skip
# Whatever was asked.
_HELPS: Final[dict[str, str]] = {
    Refusal.STOPPED: _OPERATOR,
    Refusal.TAMPERING: _OPERATOR,
    Refusal.OVER_LIMIT: _OTHER_AMOUNT,
    Refusal.INSUFFICIENT_FUNDS: _OTHER_AMOUNT,
    Refusal.PAYMENT_REFUSED: f"{_OTHER_AMOUNT}, or ask who pays for the meter",
    Refusal.NO_REFUND: "fob meter history",
    Refusal.WRONG_ORIGIN: "fob meter status --ask    (it has the places)",
    Refusal.NAME_TAKEN: "the same command with another NAME, or where it is yours: fob meter sign-on NAME",
    Refusal.NO_ACCOUNT: "fob meter sign-up NAME --origin POSTCODE, or fob meter sign-on NAME",
    Refusal.NOT_AUTHENTICATED: "fob meter sign-on NAME",
}
_HELPS_WITH: Final[dict[tuple[Doing, str], str]] = {
    (Doing.FRANK, Refusal.STOPPED): f"{_OPERATOR}, and then: {_GO_ON}",
    (Doing.FRANK, Refusal.TAMPERING): f"{_OPERATOR}, and then: {_GO_ON}",
    (Doing.FRANK, Refusal.OVER_LIMIT): f"{_OPERATOR}, and then: {_GO_ON}",
    (Doing.FRANK, Refusal.INSUFFICIENT_FUNDS): f"fob meter refill AMOUNT, and then: {RESUME}",
    (Doing.FRANK, Refusal.PAYMENT_REFUSED): f"ask who pays for the meter, and then: {_GO_ON}",
    (Doing.FRANK, Refusal.WRONG_ORIGIN): f"{GIVE_UP}, and then the batch anew with other origins",
    (Doing.SIGN_UP, Refusal.WRONG_ORIGIN): "the same command with another --origin",
    (Doing.SIGN_UP, Refusal.PAYMENT_REFUSED): "fob meter terms, and then the same command again",
    (Doing.SIGN_ON, Refusal.NOT_AUTHENTICATED): "the same command with the right NAME and password",
    (Doing.GIVE_BACK, Refusal.PAYMENT_REFUSED): _OPERATOR,
}
_WORDS_WITH: Final[dict[tuple[Doing, str], str]] = {
    (Doing.PAY_BACK, Refusal.INSUFFICIENT_FUNDS): "so much was not paid, or is not left",
    (Doing.LOAD, Refusal.OVER_LIMIT): "so much may not be owed",
}


def helped(doing: Doing, name: str) -> tuple[str, str] | None:
    """What is the matter, and the next command; None for what is no refusal of a data centre about this meter."""
    helps = _HELPS_WITH.get((doing, name)) or _HELPS.get(name)
    if helps is None:
        return None
    return _WORDS_WITH.get((doing, name)) or MEANINGS[name][0], helps
