"""What lies between a PC and a phone in a world: a cable, or the air. Tests of the link run over both."""

from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from fob_daemon.link.transport import Line, LineUrl
from fob_device.line.phone_lines import PhoneLines
from support.memory_line import Cable
from support.noise import Noise, Tap
from support.radio_cable import RadioCable


class Medium(Protocol):
    """One line between a PC and a phone, which may break, be noisy, and be overheard."""

    noise: Noise
    taps: list[Tap]

    @property
    def url(self) -> LineUrl:
        """Where the daemon finds the phone."""

    def switch_on(self, lines: PhoneLines) -> None:
        """A phone is at the other end from now on."""

    def switch_off(self) -> None:
        """The phone lost power."""

    def restart(self, lines: PhoneLines) -> None:
        """The phone's program restarts behind an open line, without a word."""

    def unplug(self) -> None:
        """PC and phone are parted."""

    def plug_in(self) -> None:
        """They are brought together again."""

    def hang_up(self) -> None:
        """The connection ends; another one can be made at once."""

    async def open(self, url: LineUrl, on_data: Callable[[bytes], None]) -> Line:
        """The LineOpener of this medium."""

    async def open_to_pair(self, url: LineUrl, on_data: Callable[[bytes], None]) -> Line:
        """The LineOpener for pairing."""

    def keep(self) -> None:
        """Pairing is done on the open line."""

    async def is_bonded(self) -> bool:
        """Whether the PC keeps something of the phone beside its key."""

    def say_to_device(self, octets: bytes) -> None:
        """Somebody else writes on the line."""

    def say_to_pc(self, octets: bytes) -> None:
        """Somebody else writes on the line, at the PC's end of it."""

    def trips(self, count: int) -> tuple[float, float]:
        """The least and the most seconds for so many questions and answers, one after the other."""

    async def close(self) -> None:
        """The PC ends."""


MakeMedium = Callable[[Path], Medium]

MEDIA: Final[dict[str, MakeMedium]] = {"serial": lambda folder: Cable(Noise()), "ble": RadioCable}
