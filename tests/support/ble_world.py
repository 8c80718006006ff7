"""A phone with nothing but a radio, and a bare central that pairs with it as a computer would."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fob_daemon.link.begin import begin_session
from fob_daemon.link.data_line import DataLine, open_data_line
from fob_daemon.link.pair import pair
from fob_daemon.link.session import PcSession
from fob_daemon.link.transport import Line, LineUrl
from fob_device.approval.questions import YES, Decision, Prompt, Question
from fob_device.line.phone_lines import PhoneLines
from fob_device.memory import Memory
from fob_device.phone import Phone
from fob_device.ports.ble.station import Station, static_address
from fob_device.radio.radio import Radio
from fob_device.token.kdf import KdfCost
from fob_protocol.at.answer import Answer, decode_answer
from fob_protocol.at.command import Command, encode_command
from fob_protocol.link.gatt import value_size
from fob_protocol.noise.keys import KeyPair
from fob_protocol.pairing.pc import PairedDevice
from fob_protocol.session.pace import Pace
from fob_protocol.session.requester import Counters
from support.central import Central
from support.no_pin_pad import NoPinPad
from support.session import seeded

# The line's opener is the central; nobody looks at the address.
URL: Final = LineUrl.parse("ble:C0:00:00:00:00:01")

ROOT_KEY: Final = bytes(range(32))
USER_PIN: Final = b"123456"
SO_PIN: Final = b"12345678"
CHEAP: Final = KdfCost(iterations=1, lanes=1, memory_kib=8)

NAME: Final = "phone"
GREETING: Final = b"AT\r"
OK: Final = b"OK\r\n"


@dataclass
class Person(NoPinPad):
    """The phone's person, who opens and closes pairing; says yes to every code."""

    pairing_open: bool = True

    def is_silent(self, question: Question) -> bool:
        """Keys may be used without asking."""
        return True

    async def decide(self, prompt: Prompt) -> Decision:
        """Yes."""
        return YES

    async def compare(self, code: str) -> bool:
        """The codes are equal."""
        return True


class Handset:
    """A phone's file, and the phone while it is switched on."""

    def __init__(self, folder: Path, seed: int = 1) -> None:
        self.person = Person()
        self._path = folder / "token.db"
        self._random = seeded(seed)
        self._memory = Memory.create(
            self._path, root_key=ROOT_KEY, label="Ann's phone", so_pin=SO_PIN, user_pin=USER_PIN,
            random=self._random, clock=self._clock, kdf=CHEAP,
        )  # fmt: skip
        self.phone = self._switch_on()

    def restart(self) -> None:
        """Off and on again, with what is on the disk."""
        self.switch_off()
        self._memory = Memory.open(self._path, root_key=ROOT_KEY, random=self._random, clock=self._clock)
        self.phone = self._switch_on()

    def switch_off(self) -> None:
        """Off."""
        self._memory.close()

    def _switch_on(self) -> Phone:
        return Phone(self._memory, self.person, self._random, self._clock)

    @staticmethod
    def _clock() -> float:
        return 1_800_000_000.0


@asynccontextmanager
async def on_the_air(phone: Phone, radio: Radio, *, asks: bool = False) -> AsyncIterator[str]:
    """The phone's port, on a controller called NAME; the phone's address. Switched off politely at the end.

    With `asks` it asks for the connection intervals that it likes.
    """
    opened = asyncio.Event()
    async with radio.attach(NAME) as transport:
        station = asyncio.create_task(Station(transport, PhoneLines(phone), asks=asks).serve(opened.set))
        await opened.wait()
        try:
            yield static_address(phone.identity.public)
        finally:
            station.cancel()
            await asyncio.gather(station, return_exceptions=True)


class CentralLine:
    """The daemon's Line over a central that is connected and bonded."""

    def __init__(self, central: Central, on_data: Callable[[bytes], None]) -> None:
        self.lost = asyncio.Event()
        self.octets_sent = 0
        self.octets_received = 0
        self._central = central
        self._on_data = on_data
        self._values: asyncio.Queue[bytes] = asyncio.Queue()
        self._sender = asyncio.create_task(self._send())
        central.on_value = self._take

    @property
    def pace(self) -> Pace:
        """As fast as the radio."""
        return Pace()

    def took(self, seconds: float) -> None:
        """No news."""

    def write(self, data: bytes) -> None:
        """Octets to the phone."""
        self.octets_sent += len(data)
        size = value_size(self._central.connection.att_mtu)
        for start in range(0, len(data), size):
            self._values.put_nowait(data[start : start + size])

    def close(self) -> None:
        """The connection stays."""
        self._sender.cancel()
        self._central.on_value = None

    async def _send(self) -> None:
        while True:
            await self._central.send(await self._values.get())

    def _take(self, value: bytes) -> None:
        self.octets_received += len(value)
        self._on_data(value)


def identity_of(seed: int) -> KeyPair:
    """A computer's static key pair."""
    return KeyPair.generate(seeded(seed))


async def pair_over(central: Central, seed: int = 1) -> bytes:
    """Section 5 over a central that is bonded and subscribed; the computer's static key."""
    data_line, _ = await _paired_line(central, seed)
    data_line.line.close()
    return identity_of(seed).public


async def session_over(central: Central, seed: int = 1) -> PcSession:
    """Sections 5 and 6 over a central that is bonded and subscribed."""
    data_line, device_key = await _paired_line(central, seed)
    return await begin_session(
        data_line, identity_of(seed), device_key, seeded(seed + 2000), on_event=lambda event: None, counters=Counters()
    )


async def ask(session: PcSession, command: Command) -> Answer:
    """One request, and its answer. Raises CkrError."""
    answer = decode_answer(await session.request(encode_command(command)))
    answer.raise_for_ckr()
    return answer


async def _paired_line(central: Central, seed: int) -> tuple[DataLine, bytes]:
    async def equal(code: str, device: PairedDevice) -> bool:
        return True

    async def open_over(url: LineUrl, on_data: Callable[[bytes], None]) -> Line:
        return CentralLine(central, on_data)

    data_line = await open_data_line(URL, open_over)
    device = await pair(data_line, identity_of(seed), seeded(seed + 1000), pc_name=f"pc {seed}", compare=equal)
    return data_line, device.key


async def greet(central: Central) -> bytes:
    """A sign of life of the line: AT, with its echo and its OK."""
    await central.send(GREETING)
    return await central.receive_until(OK)
