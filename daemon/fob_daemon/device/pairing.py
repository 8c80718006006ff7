"""Pairing and unpairing as the control socket asks for them."""

import os
import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from fob_daemon.control.errors import ControlError, ExitCode
from fob_daemon.control.interface import Compare
from fob_daemon.device.device import Device
from fob_daemon.device.registry import ENTRY_ROOM, PairedDeviceEntry, Registry, RegistryError
from fob_daemon.link.begin import RefusedError
from fob_daemon.link.data_line import DataLine, open_data_line
from fob_daemon.link.lines import Lines
from fob_daemon.link.opening import NotADeviceError, VersionError
from fob_daemon.link.pair import pair
from fob_daemon.link.transport import BondRefusedError, LineUnavailableError, LineUrl, LineUrlError
from fob_protocol import catalogue
from fob_protocol.link.frames import Reason
from fob_protocol.noise.keys import KeyPair
from fob_protocol.pairing.pc import PairedDevice
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError

FAREWELL_TIME: Final = 3.0

# The person on the phone wants no pairing, or not this one; None: the codes were not equal.
_REJECTIONS: Final = (Reason.PAIRING_CLOSED, Reason.PERSON_SAID_NO, None)


class PairingDesk:
    """One pairing at a time for each line."""

    def __init__(self, identity: KeyPair, registry: Registry, pc_name: str, lines: Lines) -> None:
        self._identity = identity
        self._registry = registry
        self._pc_name = pc_name
        self._lines = lines
        self._places: set[tuple[str, str]] = set()

    def is_at(self, line: LineUrl) -> bool:
        """True while a pairing is under way on this line."""
        return line.place in self._places

    @contextmanager
    def at(self, line: LineUrl) -> Iterator[None]:
        """The line is the pairing's in the `with` block. Raises ControlError when another pairing has it."""
        if self.is_at(line):
            why = f"a pairing is under way on {line.text} already"
            raise ControlError("not paired", why, f"fob pair {shlex.quote(line.text)}    (when that one has ended)")
        self._places.add(line.place)
        try:
            yield
        finally:
            self._places.discard(line.place)

    async def pair(
        self, url: LineUrl, name: str | None, compare: Compare, say: Callable[[str], None]
    ) -> PairedDeviceEntry:
        """Pair, and store the device. Raises ControlError."""
        self._require_room("not paired", ENTRY_ROOM)
        say(f"Connecting to {url.text} ...")
        data_line = await self._open(url)
        again = f"fob pair {shlex.quote(url.text)}"
        try:
            device = await self._converse(data_line, compare, say)
            entry = self._keep(device, name, url)
            self._lines.keep(url)
            return entry
        except RefusedError as error:
            code = ExitCode.REJECTED if error.reason in _REJECTIONS else ExitCode.FAILED
            raise ControlError("not paired", str(error), again, code) from None
        except ConnectionError as error:
            why = f"the pairing was broken off: {error}"
            raise ControlError("not paired", why, again, ExitCode.NO_DEVICE) from None
        except TimeoutError as error:
            why = str(error) or "nobody answered in time"
            raise ControlError("not paired", why, again, ExitCode.TIMEOUT) from None
        except RegistryError as error:
            raise ControlError("not paired", str(error), "fob devices") from None
        finally:
            data_line.line.close()

    async def unpair(self, device: Device) -> None:
        """Forget a device, on both sides when it is there. Raises ControlError."""
        name = device.entry.name
        self._require_room("not unpaired", 0)
        is_told = await self._say_farewell(device)
        try:
            self._registry.remove(name)
        except RegistryError as error:
            why = f"the phone has forgotten this computer, which still lists it: {error}" if is_told else str(error)
            raise ControlError("not unpaired", why, f"fob unpair {shlex.quote(name)}") from None

    @staticmethod
    async def _say_farewell(device: Device) -> bool:
        """Tell a device that is here to forget this PC; one that is away learns it when it next meets a stranger."""
        try:
            answer = await device.link.request(catalogue.UNPAIR.build(), timeout=FAREWELL_TIME)
        except CkrError:
            return False
        if answer.ckr != Ckr.OK:
            why = answer.words or "the device refused"
            raise ControlError("not unpaired", why, f"fob unpair {shlex.quote(device.entry.name)}")
        return True

    def _require_room(self, what: str, more: int) -> None:
        """Neither side is told of what cannot be stored. Raises ControlError."""
        try:
            self._registry.require_room(more)
        except RegistryError as error:
            raise ControlError(what, str(error), f"df -h {shlex.quote(str(self._registry.path.parent))}") from None

    def _keep(self, device: PairedDevice, name: str | None, url: LineUrl) -> PairedDeviceEntry:
        try:
            return self._registry.add(device.name, device.key, device.serial, url, time.time(), wanted=name)
        except RegistryError as error:
            why = str(error)
            if self._registry.known(device.key) is None:
                why = f"the phone has stored this computer, but not this computer the phone: {error}"
            raise ControlError("not paired", why, f"fob pair {shlex.quote(url.text)}") from None

    async def _open(self, url: LineUrl) -> DataLine:
        try:
            return await open_data_line(url, self._lines.open_to_pair)
        except BondRefusedError as error:
            again = f"fob pair {shlex.quote(url.text)}"
            raise ControlError("not paired", error.why, again, ExitCode.REJECTED) from None
        except LineUnavailableError as error:
            remedy = error.remedy or "fob doctor"
            raise ControlError("no device", error.why, remedy, ExitCode.NO_DEVICE) from None
        except (NotADeviceError, ConnectionError) as error:
            raise ControlError("no device", str(error), "fob doctor", ExitCode.NO_DEVICE) from None
        except VersionError as error:
            raise ControlError("not paired", str(error), "fob doctor") from None

    async def _converse(self, data_line: DataLine, compare: Compare, say: Callable[[str], None]) -> PairedDevice:
        async def equal(code: str, device: PairedDevice) -> bool:
            # Before either side has stored anything.
            self._registry.require_slot(device.key)
            answer = await compare(code, device.name, device.serial)
            if answer:
                say("Look at your phone: confirm the same code there ...")
            return answer

        return await pair(
            data_line,
            self._identity,
            os.urandom,
            pc_name=self._pc_name,
            compare=equal,
        )


def line_url(text: str) -> LineUrl:
    """The line that a person names. Raises ControlError."""
    try:
        return LineUrl.parse(text)
    except LineUrlError as error:
        raise ControlError("no such line", str(error), "fob pair --help", ExitCode.USAGE) from None


def no_such_device(name: str) -> ControlError:
    """The error for a name that is not paired."""
    return ControlError("no such device", f"no paired device is called '{name}'", "fob devices", ExitCode.NO_DEVICE)
