"""Pairing and unpairing as the control socket asks for them."""

import os
import shlex
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from fob_daemon.control.errors import ControlError, ExitCode
from fob_daemon.control.interface import Compare, UnpairReport
from fob_daemon.device.device import Device
from fob_daemon.device.farewell import say_farewell
from fob_daemon.device.registry import ENTRY_ROOM, PairedDeviceEntry, Registry, RegistryError
from fob_daemon.link.begin import RefusedError
from fob_daemon.link.data_line import DataLine, open_data_line
from fob_daemon.link.lines import Lines
from fob_daemon.link.opening import NotADeviceError, VersionError
from fob_daemon.link.pair import pair
from fob_daemon.link.transport import BondRefusedError, LineUnavailableError, LineUrl, LineUrlError
from fob_protocol.link.frames import Reason
from fob_protocol.noise.keys import KeyPair
from fob_protocol.pairing.pc import PairedDevice

# The person on the phone wants no pairing, or not this one; None: the codes were not equal.
_REJECTIONS: Final = (Reason.PAIRING_CLOSED, Reason.PERSON_SAID_NO, None)

OPEN_FIRST: Final = "open pairing on the phone (Computers), then: "


class PairingDesk:
    """One pairing at a time for each line."""

    def __init__(self, identity: KeyPair, registry: Registry, pc_name: str, lines: Lines) -> None:
        self._identity = identity
        self._registry = registry
        self._pc_name = pc_name
        self._lines = lines
        # The line that each pairing under way was asked for on, by the places that are its own meanwhile, and by the
        # key of the device once that is known.
        self._by_place: dict[tuple[str, str], LineUrl] = {}
        self._by_key: dict[bytes, LineUrl] = {}

    def is_at(self, line: LineUrl) -> bool:
        """True while a pairing is under way on this line, or on another one of the same device."""
        return line.place in self._by_place

    @contextmanager
    def at(self, line: LineUrl) -> Iterator[None]:
        """The line and all others of its device are the pairing's in the `with` block.

        Raises ControlError when another pairing has one of them.
        """
        entry = self._registry.at(line)
        places = {own.place for own in (line, *(entry.lines if entry is not None else ()))}
        self._require_free(places, "not paired", _again(line))
        self._by_place |= dict.fromkeys(places, line)
        try:
            yield
        finally:
            for place in places:
                del self._by_place[place]

    async def pair(
        self, url: LineUrl, name: str | None, compare: Compare, say: Callable[[str], None]
    ) -> PairedDeviceEntry:
        """Pair, and store the device. Raises ControlError."""
        self._require_room("not paired", ENTRY_ROOM)
        say(f"Connecting to {url.text} ...")
        at_stake = await self._bond_at_stake(url)
        if at_stake is None:
            return await self._pair(url, name, compare, say)
        say(f"This replaces the Bluetooth bond with '{at_stake}'. If you stop, or the phone refuses: {_again(url)}")
        try:
            return await self._pair(url, name, compare, say)
        except ControlError as error:
            if await self._is_still_bonded(url):
                raise
            why = f"{error.why}; the earlier Bluetooth bond with '{at_stake}' is gone"
            raise ControlError(error.what, why, _again(url), error.exit_code) from None

    async def _pair(
        self, url: LineUrl, name: str | None, compare: Compare, say: Callable[[str], None]
    ) -> PairedDeviceEntry:
        data_line = await self._open(url)
        again = _again(url)
        try:
            device = await self._converse(data_line, compare, say)
            entry = self._keep(device, name, url)
            self._keep_bond(url, say)
            return entry
        except RefusedError as error:
            code = ExitCode.REJECTED if error.reason in _REJECTIONS else ExitCode.FAILED
            remedy = OPEN_FIRST + again if error.reason is Reason.PAIRING_CLOSED else again
            raise ControlError("not paired", str(error), remedy, code) from None
        except ConnectionError as error:
            why = f"the pairing was broken off: {error}"
            raise ControlError("not paired", why, again, ExitCode.NO_DEVICE) from None
        except TimeoutError as error:
            why = str(error) or "nobody answered in time"
            raise ControlError("not paired", why, again, ExitCode.TIMEOUT) from None
        except RegistryError as error:
            raise ControlError("not paired", str(error), "fob devices") from None
        finally:
            self._by_key = {key: line for key, line in self._by_key.items() if line != url}
            data_line.line.close()

    async def unpair(self, device: Device) -> UnpairReport:
        """Forget a device, which forgets this PC too when it is there and willing. Raises ControlError."""
        name = device.entry.name
        self._require_free({line.place for line in device.entry.lines}, "not unpaired", _unpair(name))
        self._require_room("not unpaired", 0)
        why = await say_farewell(device.link)
        try:
            self._registry.remove(name)
        except RegistryError as error:
            said = str(error) if why else f"the phone has forgotten this computer, which still lists it: {error}"
            raise ControlError("not unpaired", said, _unpair(name)) from None
        again = f"{_again(device.entry.lines[0])} --name {shlex.quote(name)} && {_unpair(name)}"
        remedy = f"remove '{self._pc_name}' on the phone    (or, when it is near: {again})" if why else ""
        return UnpairReport(name, phone_forgot=not why, why=why, next=remedy)

    async def _bond_at_stake(self, url: LineUrl) -> str | None:
        """The name of the paired device whose bond is gone as soon as pairing begins. Raises ControlError."""
        entry = self._registry.at(url)
        try:
            return entry.name if entry is not None and await self._lines.stakes_bond(url) else None
        except LineUnavailableError as error:
            raise _no_device(error) from None

    async def _is_still_bonded(self, url: LineUrl) -> bool:
        try:
            return await self._lines.is_still_bonded(url)
        except LineUnavailableError:
            return False

    def _keep_bond(self, url: LineUrl, say: Callable[[str], None]) -> None:
        try:
            self._lines.keep(url)
        except LineUnavailableError as error:
            say(f"The Bluetooth bond was not stored: {error.why}. When there is room: {_again(url)}")

    def _require_free(self, places: Iterable[tuple[str, str]], what: str, command: str) -> None:
        """No pairing has one of the places. Raises ControlError."""
        busy = next((self._by_place[place] for place in places if place in self._by_place), None)
        if busy is not None:
            raise _under_way(busy, what, command)

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
            raise ControlError("not paired", why, _again(url)) from None

    async def _open(self, url: LineUrl) -> DataLine:
        try:
            return await open_data_line(url, self._lines.open_to_pair)
        except BondRefusedError as error:
            raise ControlError("not paired", error.why, OPEN_FIRST + _again(url), ExitCode.REJECTED) from None
        except LineUnavailableError as error:
            raise _no_device(error) from None
        except (NotADeviceError, ConnectionError) as error:
            raise ControlError("no device", str(error), "fob doctor", ExitCode.NO_DEVICE) from None
        except VersionError as error:
            raise ControlError("not paired", str(error), "fob doctor") from None

    async def _converse(self, data_line: DataLine, compare: Compare, say: Callable[[str], None]) -> PairedDevice:
        async def equal(code: str, device: PairedDevice) -> bool:
            # Before either side has stored anything.
            self._registry.require_slot(device.key)
            if device.key in self._by_key:
                raise _under_way(self._by_key[device.key], "not paired", _again(data_line.url))
            self._by_key[device.key] = data_line.url
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


def _no_device(error: LineUnavailableError) -> ControlError:
    return ControlError("no device", error.why, error.remedy or "fob doctor", ExitCode.NO_DEVICE)


def _under_way(line: LineUrl, what: str, command: str) -> ControlError:
    why = f"a pairing with this device is under way already, on {line.text}"
    return ControlError(what, why, f"{command}    (when that one has ended)")


def _again(url: LineUrl) -> str:
    return f"fob pair {shlex.quote(url.text)}"


def _unpair(name: str) -> str:
    return f"fob unpair {shlex.quote(name)}"


def line_url(text: str) -> LineUrl:
    """The line that a person names. Raises ControlError."""
    try:
        return LineUrl.parse(text)
    except LineUrlError as error:
        raise ControlError("no such line", str(error), "fob pair --help", ExitCode.USAGE) from None


def no_such_device(name: str) -> ControlError:
    """The error for a name that is not paired."""
    return ControlError("no such device", f"no paired device is called '{name}'", "fob devices", ExitCode.NO_DEVICE)
