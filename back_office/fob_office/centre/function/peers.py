"""Whom a function server asks: any process of a kind, one after another until one answers; of a meter its owner."""

import asyncio
from typing import Final, Protocol

from fob_office.centre.boxes.views import View
from fob_office.centre.bus.asking import Links
from fob_office.centre.bus.commands import Command, ReplyT
from fob_office.centre.bus.errors import AwayError, BusRefusedError, DirectoryError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.function.refusing import PASSING
from fob_office.centre.rotation import Rotation
from fob_office.centre.words import Word
from fob_protocol.cose import hpke
from fob_protocol.cose.errors import CoseError
from fob_protocol.cose.headers import key_id

# A box that ended is started again within a second, and who asks need not notice. Where its second has to take over the
# device is told `unavailable`, and asks again.
TRIES: Final = 20
PAUSE: Final = 0.15


class Peers(Protocol):
    """The other processes. Every command may be asked again: what it did is done once."""

    async def any(self, kind: Kind, command: Command[ReplyT]) -> ReplyT:
        """Raises BusRefusedError, UNAVAILABLE when none answers."""

    async def opener(self, kind: Kind, sealed: bytes, command: Command[ReplyT]) -> ReplyT:
        """The one that octets are sealed to (HPKE). Raises BusRefusedError, UNAVAILABLE when it does not answer."""

    async def owner(self, serial: str, command: Command[ReplyT]) -> ReplyT:
        """Of the meter box. Raises BusRefusedError."""


class Views(Protocol):
    """The newest view that this process has heard of."""

    def newest(self) -> View:
        """Raises DirectoryError: there is none."""


class LinkedPeers:
    """Over the bus; processes of a kind are asked first by turns."""

    def __init__(self, links: Links, views: Views) -> None:
        self._links = links
        self._views = views
        self._rotation = Rotation()

    async def any(self, kind: Kind, command: Command[ReplyT]) -> ReplyT:
        """As Peers says."""
        why = f"there is no process of kind {kind.word}"
        for name in self._names(kind):
            try:
                return await self._links.to(name).ask(command)
            except AwayError as error:
                why = str(error)
            except BusRefusedError as refused:
                if refused.word not in PASSING:
                    raise
                why = str(refused)
        raise BusRefusedError(Word.UNAVAILABLE, why)

    async def opener(self, kind: Kind, sealed: bytes, command: Command[ReplyT]) -> ReplyT:
        """As Peers says."""
        try:
            receiver = hpke.receiver_of(sealed)
            directory = self._links.directory
            for entry in directory.of_kind(kind):
                if key_id(directory.pass_of(entry.name).sealing) == receiver:
                    return await self._links.to(entry.name).ask(command)
        except CoseError as error:
            raise BusRefusedError(Word.MALFORMED, str(error)) from None
        except (AwayError, DirectoryError) as error:
            raise BusRefusedError(Word.UNAVAILABLE, str(error)) from None
        raise BusRefusedError(Word.UNAVAILABLE, f"it is sealed to no process of kind {kind.word} that is known here")

    async def owner(self, serial: str, command: Command[ReplyT]) -> ReplyT:
        """As Peers says."""
        why = ""
        for _ in range(TRIES):
            try:
                return await self._links.to(self._views.newest().of(serial).owner).ask(command)
            except (AwayError, DirectoryError) as error:
                why = str(error)
            except BusRefusedError as refused:
                if refused.word not in PASSING:
                    raise
                why = str(refused)
            await asyncio.sleep(PAUSE)
        raise BusRefusedError(Word.UNAVAILABLE, f"{serial}: {why}")

    def _names(self, kind: Kind) -> list[str]:
        try:
            names = [entry.name for entry in self._links.directory.of_kind(kind)]
        except DirectoryError as error:
            raise BusRefusedError(Word.UNAVAILABLE, str(error)) from None
        return self._rotation.of(names)
