"""Has the phone forgotten the bond? BlueZ seldom says: mostly a connection ends or hangs, or bluetoothd crashes."""

from collections import Counter
from typing import Final

from bleak.exc import BleakDBusError, BleakGATTProtocolError, BleakGATTProtocolErrorCode

# So many failures in a row, each right after the device was heard, are no bad reception.
DOUBTS_LIMIT: Final = 3

_SAYS_SO: Final = frozenset(
    {
        "org.bluez.Error.AuthenticationFailed",
        "org.bluez.Error.AuthenticationRejected",
        # "Not paired"
        "org.bluez.Error.NotPermitted",
    }
)
_ATT_SAYS_SO: Final = frozenset(
    {
        BleakGATTProtocolErrorCode.INSUFFICIENT_AUTHENTICATION,
        BleakGATTProtocolErrorCode.INSUFFICIENT_ENCRYPTION,
    }
)


class Doubts:
    """Failures in a row, by device."""

    def __init__(self) -> None:
        self._failures: Counter[str] = Counter()

    def is_lost(self, address: str, error: BaseException) -> bool:
        """Take a failure; whether the bond counts as lost now."""
        self._failures[address] += 1
        return _says_so(error) or self._failures[address] >= DOUBTS_LIMIT

    def clear(self, address: str) -> None:
        """The bond was proved, or it is made anew."""
        self._failures.pop(address, None)


def _says_so(error: BaseException | None) -> bool:
    while error is not None:
        match error:
            case BleakGATTProtocolError(code=code) if code in _ATT_SAYS_SO:
                return True
            case BleakDBusError() if error.dbus_error in _SAYS_SO:
                return True
        error = error.__cause__
    return False
