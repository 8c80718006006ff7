"""The pairing desk of a line: one pairing at a time, tries counted (docs/protocol.md, section 5)."""

import asyncio
from collections.abc import Callable

from fob_device.pairings import PairingsFullError
from fob_device.phone import Phone
from fob_protocol.errors import ProtocolError
from fob_protocol.limits import PAIRING_TIME
from fob_protocol.link.frames import Frame, Kind, Reason
from fob_protocol.pairing.device import DevicePairing, DeviceState
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.versions import VERSIONS_LINE

# Told the static key of a computer that this line was paired with, when it is stored.
Paired = Callable[[bytes], None]


class PairingDesk:
    """Takes PAIR frames, shows the code to the device's person, and stores the PC when both agreed."""

    def __init__(
        self,
        phone: Phone,
        version: int,
        send: Callable[[Frame | bytes], None],
        clock: Callable[[], float],
        paired: Paired,
    ) -> None:
        self._phone = phone
        self._paired = paired
        self._version = version
        self._send = send
        self._clock = clock
        self._pairing: DevicePairing | None = None
        self._person: asyncio.Task[None] | None = None
        self._deadline: asyncio.TimerHandle | None = None

    def receive(self, frame: Frame) -> None:
        """Take a PAIR frame."""
        if frame.fields == (1,) and self._is_new(frame):
            self._begin()
        if self._pairing is None:
            return
        before = self._pairing.state
        try:
            answer = self._pairing.receive(frame)
        except ProtocolError:
            self._fail(Reason.BAD_MESSAGE)
            return
        if self._pairing.state is DeviceState.COMPARING and before is not DeviceState.COMPARING:
            self._person = asyncio.get_running_loop().create_task(self._ask(self._pairing))
        self._reply(answer)

    def close(self) -> None:
        """The line hung up, or another pairing begins: one under way is over, and counts."""
        if self._deadline is not None:
            self._phone.pairing_failed(self._clock())
        self._stop_waiting()
        self._pairing = None

    def _is_new(self, frame: Frame) -> bool:
        return self._pairing is None or not self._pairing.was_begun_by(frame)

    def _begin(self) -> None:
        self.close()
        if not self._phone.is_pairing_open(self._clock()):
            self._send(Frame(Kind.REFUSE, (Reason.PAIRING_CLOSED,)))
            return
        product = self._phone.product()
        self._pairing = DevicePairing(
            self._phone.identity,
            VERSIONS_LINE,
            self._version,
            self._phone.random,
            name=product.label,
            serial=product.serial,
        )
        self._deadline = asyncio.get_running_loop().call_later(PAIRING_TIME, self._fail, Reason.OUT_OF_TIME)

    async def _ask(self, pairing: DevicePairing) -> None:
        equal = await self._phone.decider.compare(pairing.code)
        self._reply(pairing.decide(equal))

    def _reply(self, answer: Frame | None) -> None:
        pairing = self._pairing
        if pairing is None or answer is None:
            return
        if pairing.state in (DeviceState.PAIRED, DeviceState.REFUSED) and self._deadline is not None:
            self._stop_waiting()
            if not self._conclude(pairing):
                return
        self._send(answer)

    def _conclude(self, pairing: DevicePairing) -> bool:
        if pairing.state is DeviceState.REFUSED:
            self._phone.pairing_failed(self._clock())
            return True
        try:
            self._phone.pair(pairing.pc_key, pairing.pc_name)
        except (PairingsFullError, CkrError):
            self._fail(Reason.BUSY)
            return False
        self._paired(pairing.pc_key)
        self._phone.pairing_tries.succeeded()
        return True

    def _fail(self, reason: Reason) -> None:
        self.close()
        self._send(Frame(Kind.REFUSE, (reason,)))

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if self._person is not None and self._person is not asyncio.current_task():
            self._person.cancel()
        self._person = None
