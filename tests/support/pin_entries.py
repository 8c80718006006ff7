"""PINs that are asked for, and a check that says what it was given."""

from fob_device.approval.asking import Asking
from fob_device.pad.entry import PinEntry, PinUse
from fob_protocol.pkcs11.constants import Cku

LOGIN = PinEntry(PinUse.LOGIN, Cku.USER, "me@pc")
SO_LOGIN = PinEntry(PinUse.LOGIN, Cku.SO, "me@pc")
NEW_PIN = PinEntry(PinUse.RESET, Cku.USER, "me@pc", is_new=True)


def asking(pc_name: str = "me@pc", what: str = "log in", until: float = 60.0) -> Asking:
    """A request that nobody listens for."""
    return Asking(pc_name, what, until, lambda words: None)


async def taken(pin: bytes) -> bytes:
    """A check that every PIN passes."""
    return pin
