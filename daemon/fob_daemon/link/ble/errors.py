"""What a Bluetooth stack raises, in words for a person."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakCharacteristicNotFoundError,
    BleakDBusError,
    BleakDeviceNotFoundError,
    BleakError,
)
from bleak_retry_connector import BleakAbortedError, BleakConnectionError, BleakNotFoundError
from dbus_fast.errors import AuthError, DBusError, DBusFastError, InvalidAddressError

from fob_daemon.link.transport import CLOSED_A_WHILE, BondRefusedError, LineUnavailableError

# bleak lets its D-Bus library's errors through, and asserts what a lost connection breaks.
STACK_ERRORS: Final = (BleakError, DBusFastError, OSError, EOFError, AssertionError)

NOT_NEAR: Final = "the device is not near, or its Bluetooth is off"
NO_BLUEZ: Final = "the Bluetooth service is not running"
NO_BUS: Final = "there is no D-Bus system bus to reach the Bluetooth service by"
NO_ADAPTER: Final = "this computer has no Bluetooth adapter, or it is not plugged in"
ADAPTER_OFF: Final = "the Bluetooth adapter is off"
DENIED: Final = "the daemon's user may not use Bluetooth"
BOND_REFUSED: Final = f"the phone did not accept the Bluetooth bond; is pairing open there? {CLOSED_A_WHILE}"
NO_SERVICE: Final = "the device offers no Fob service by Bluetooth"

_REMEDIES: Final = {
    NO_BUS: "sudo systemctl start dbus",
    NO_ADAPTER: "sudo dmesg | grep -i bluetooth",
    NO_BLUEZ: "sudo systemctl start bluetooth",
    ADAPTER_OFF: "bluetoothctl power on",
    DENIED: 'sudo usermod --append --groups bluetooth "$USER"',
}

_BY_DBUS_NAME: Final = {
    "org.freedesktop.DBus.Error.ServiceUnknown": NO_BLUEZ,
    "org.freedesktop.DBus.Error.NameHasNoOwner": NO_BLUEZ,
    "org.freedesktop.DBus.Error.NoReply": "the Bluetooth service does not answer, or has just ended",
    "org.freedesktop.DBus.Error.AccessDenied": DENIED,
    "org.freedesktop.DBus.Error.UnknownObject": NOT_NEAR,
    "org.bluez.Error.NotReady": ADAPTER_OFF,
    "org.bluez.Error.DoesNotExist": NOT_NEAR,
    "org.bluez.Error.AuthenticationFailed": BOND_REFUSED,
    "org.bluez.Error.AuthenticationRejected": BOND_REFUSED,
    "org.bluez.Error.AuthenticationCanceled": BOND_REFUSED,
    "org.bluez.Error.AuthenticationTimeout": BOND_REFUSED,
}

_BY_REASON: Final = {
    BleakBluetoothNotAvailableReason.NO_BLUETOOTH: NO_ADAPTER,
    BleakBluetoothNotAvailableReason.POWERED_OFF: ADAPTER_OFF,
    BleakBluetoothNotAvailableReason.DENIED_BY_USER: DENIED,
    BleakBluetoothNotAvailableReason.DENIED_BY_SYSTEM: DENIED,
    BleakBluetoothNotAvailableReason.DENIED_BY_UNKNOWN: DENIED,
}


class NotNearError(LineUnavailableError):
    """The device was not heard."""

    def __init__(self) -> None:
        super().__init__(NOT_NEAR)


class NotConnectedError(LineUnavailableError):
    """No connection with the device came about, though it was heard."""


def words_for(error: BaseException) -> str:
    """Why it failed."""
    match error:
        case BleakBluetoothNotAvailableError():
            return _BY_REASON.get(error.reason) or str(error.args[0])
        case BleakDBusError():
            return _BY_DBUS_NAME.get(error.dbus_error) or str(error)
        case DBusError():
            return _BY_DBUS_NAME.get(error.type) or error.text
        case AuthError():
            return DENIED
        case FileNotFoundError() | ConnectionRefusedError() | InvalidAddressError():
            return NO_BUS
        case BleakCharacteristicNotFoundError():
            return NO_SERVICE
        case BleakDeviceNotFoundError() | BleakNotFoundError():
            return NOT_NEAR
        case BleakAbortedError() | BleakConnectionError() if error.__cause__ is not None:
            # bleak-retry-connector puts its advice around the cause.
            return words_for(error.__cause__)
    return str(error) or type(error).__name__


@contextmanager
def explained() -> Iterator[None]:
    """Turn what a stack raises into LineUnavailableError, or the BondRefusedError that it means."""
    try:
        yield
    except LineUnavailableError:
        raise
    except (*STACK_ERRORS, TimeoutError) as error:
        why, remedy = why_and_remedy(error)
        kind = BondRefusedError if why == BOND_REFUSED else LineUnavailableError
        raise kind(why, remedy) from error


def why_and_remedy(error: BaseException) -> tuple[str, str]:
    """Words, and a command that may help, or nothing."""
    why = words_for(error)
    return why, _REMEDIES.get(why, "")
