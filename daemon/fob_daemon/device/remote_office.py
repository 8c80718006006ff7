"""What a device is asked about its back office: one typed coroutine for each command of docs/protocol.md, section 4.3.

Each is one link round trip and raises CkrError as `RemoteToken` does; what the office or the device refuses by a name
is FUNCTION_REJECTED or GENERAL_ERROR with that name for its reason.
"""

from collections.abc import Mapping
from typing import Final

from fob_daemon.device.answers import read_block
from fob_daemon.device.commands import Commands
from fob_daemon.device.office_answers import (
    read_copies,
    read_entitled,
    read_office,
    read_option_page,
    read_options,
    read_servers,
    read_template,
    read_used,
    read_values,
    read_waiting,
)
from fob_daemon.device.office_views import (
    Copy,
    Entitled,
    OfficeState,
    Option,
    OptionPage,
    Purpose,
    Server,
    Template,
    Used,
)
from fob_daemon.device.timeouts import Timeouts
from fob_daemon.link.interface import Link
from fob_protocol import catalogue
from fob_protocol.at.values import Value, Values
from fob_protocol.catalogue import CommandSpec
from fob_protocol.relay import RelayStatus, Waiting

# What `+FOBREGISTER` is given to ask for the template.
NO_FIELDS: Final = 0


class RemoteOffice:
    """The commands of one device."""

    def __init__(self, link: Link, timeouts: Timeouts | None = None) -> None:
        self._commands = Commands(link)
        self._timeouts = timeouts or Timeouts()
        # How many components have a newer version, when they were last listed.
        self.newer = 0

    async def waiting(self) -> Waiting | None:
        """The question that is to be relayed."""
        return read_waiting(await self._commands.ask(self._timeouts.relay, catalogue.RELAY))

    async def relayed(
        self, number: int, status: RelayStatus, answer: bytes | None, seconds: int | None
    ) -> Waiting | None:
        """What became of a question; the one that is next."""
        values = (number, int(status), answer, seconds)
        return read_waiting(await self._commands.ask(self._timeouts.relay, catalogue.RELAYED, *values))

    async def office(self) -> OfficeState:
        """What the device is to its office."""
        return read_office(await self._commands.ask(self._timeouts.query, catalogue.OFFICE))

    async def configure(self, purpose: Purpose) -> None:
        """Returns when the office has answered, and what it sent runs."""
        await self._commands.ask(self._timeouts.configure, catalogue.CONFIGURE, int(purpose))

    async def servers(self) -> list[Server]:
        """Those that the device may register with."""
        return read_servers(await self._commands.ask(self._timeouts.query, catalogue.SERVERS))

    async def template(self, server: str) -> Template:
        """What a server wants to know."""
        return read_template(await self._commands.ask(self._timeouts.office, catalogue.REGISTER, server, NO_FIELDS))

    async def register(self, server: str, fields: Mapping[str, str]) -> None:
        """Returns when the device is registered."""
        flat = [text for field in fields.items() for text in field]
        await self._commands.ask(self._timeouts.office, catalogue.REGISTER, server, len(fields), *flat)

    async def entitled(self, server: str) -> Entitled:
        """What the device may do there, as it knows it."""
        return read_entitled(await self._commands.ask(self._timeouts.query, catalogue.ENTITLED, server))

    async def use(self, server: str, application: str, path: str, body: bytes) -> Used:
        """A request to an application behind a server."""
        values = (server, application, path, body)
        return read_used(await self._commands.ask(self._timeouts.office, catalogue.USE, *values))

    async def options(self) -> list[Option]:
        """The components that run."""
        found = read_options(await self._commands.ask(self._timeouts.query, catalogue.OPTIONS))
        self.newer = sum(option.newest != "" for option in found)
        return found

    async def option(self, component: str, start: int) -> OptionPage:
        """A part of a component's content, from octet `start` on."""
        return read_option_page(await self._commands.ask(self._timeouts.change, catalogue.OPTION, component, start))

    async def run(self, command: str, values: tuple[Value, ...]) -> tuple[Values, ...]:
        """A component's own command; the lines of its answer."""
        spec = CommandSpec(command, rest="the component's values")
        return read_values(await self._commands.ask(self._timeouts.option, spec, *values))

    async def copies(self) -> list[Copy]:
        """What there is of programs, and how their copies stand; nothing while nothing has to be validated."""
        return read_copies(await self._commands.ask(self._timeouts.query, catalogue.COPIES))

    async def validate(self, program: str) -> None:
        """Returns when the validation server has said VAL_OK."""
        await self._commands.ask(self._timeouts.office, catalogue.VALIDATE, program)

    async def ticket(self, program: str) -> bytes:
        """The last VAL_OK, which proves that the copy was valid then."""
        return read_block(await self._commands.ask(self._timeouts.query, catalogue.TICKET, program))

    async def present(self, program: str, audience: str, nonce: bytes) -> bytes:
        """The ticket with the proof that it is this device's, for one request of a relying party."""
        values = (program, audience, nonce)
        return read_block(await self._commands.ask(self._timeouts.office, catalogue.PRESENT, *values))

    async def enter_letter(self, program: str, letter: str) -> None:
        """Returns when the letter's copy is this device's, and validated. `letter` is a secret until it was used."""
        await self._commands.ask(self._timeouts.office, catalogue.LETTER, program, letter)
