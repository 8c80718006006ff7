"""Which servers there are, and whose keys are revoked: asked when it counts, and when something went wrong."""

from functools import partial
from typing import Final

from fob_device.components.equipment import Equipment
from fob_device.office.progress import Told
from fob_device.office.talker import Talker
from fob_device.office.trouble import may_be_of_other_keys
from fob_protocol.noise.keys import Random
from fob_protocol.office.certificate import read_certificate
from fob_protocol.office.conversation import Speaker
from fob_protocol.office.directory import ask_directory
from fob_protocol.office.retries import Pauses

WORDS: Final = "asking which servers there are"
# Seconds for which a directory is good enough for what is said in a session that is open,
DIRECTORY_AGE: Final = 600
# and for what one deed of a person comes to: a registration with its first session.
MOMENT: Final = 10


class Directory:
    """Methods that ask raise what `Talker.hold` raises."""

    def __init__(self, device: Equipment, talker: Talker, random: Random) -> None:
        self._device = device
        self._talker = talker
        self._random = random
        self._asked: int | None = None
        # Whether something went wrong since, as it does with keys that have changed.
        self.is_doubted = False

    @property
    def signed_certificate(self) -> bytes:
        """The configuration server's newest."""
        return self._talker.known.certificates.get(self._device.server, self._device.server_certificate)

    async def ask(self, pauses: Pauses) -> None:
        """Of the configuration server; it does not matter whether its certificate still holds."""
        speaker = Speaker(read_certificate(self._device.issuer, self.signed_certificate), self._random)
        successor = partial(self._talker.known.successor, self._device.server, self._talker.now)
        servers = await self._talker.hold(ask_directory(speaker, successor), Told(WORDS), pauses)
        self._talker.learn(self._talker.known.with_directory(servers, self._talker.now))
        self._asked, self.is_doubted = self._talker.now, False

    async def refresh(self, pauses: Pauses, age: int = MOMENT) -> None:
        """Unless it was asked in the last `age` seconds."""
        if self.is_doubted or self._asked is None or not 0 <= self._talker.now - self._asked < age:
            await self.ask(pauses)

    def doubt(self, error: Exception) -> None:
        """Whatever comes next asks first, if an error may come from keys that have changed."""
        if may_be_of_other_keys(error):
            self.is_doubted = True
