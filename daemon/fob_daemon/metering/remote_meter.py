"""What a device is asked about its meter: one typed coroutine for each command of docs/protocol.md, section 4.4.

Each is one link round trip (an order a second one when the device forgot whom a caller's number stands for), and raises
CkrError as `RemoteToken` does; a refusal is FUNCTION_REJECTED or GENERAL_ERROR with its name for its reason.
"""

from collections.abc import Sequence

from fob_daemon.device.commands import Commands, accepted
from fob_daemon.device.remote_token import RemoteToken
from fob_daemon.device.timeouts import Timeouts
from fob_daemon.metering.answers import (
    read_about,
    read_joined,
    read_rates,
    read_result,
    read_state,
    read_terms,
    read_transactions,
)
from fob_daemon.metering.pieces import values_of
from fob_daemon.metering.views import Joined, MeterAbout, MeterState, MeterTerms, Piece, Result, SignUp, Weighed
from fob_protocol import catalogue
from fob_protocol.at.values import Values
from fob_protocol.caller import Caller
from fob_protocol.catalogue import CommandSpec


class RemoteMeter:
    """The commands of one device; `token` numbers the callers of all its commands."""

    def __init__(self, token: RemoteToken, timeouts: Timeouts | None = None) -> None:
        self._token = token
        self._commands = Commands(token.link)
        self._timeouts = timeouts or Timeouts()

    async def state(self) -> MeterState:
        """What the device keeps; nobody is asked."""
        return read_state(await self._commands.ask(self._timeouts.query, catalogue.METER))

    async def terms(self) -> MeterTerms:
        """What may be had."""
        return read_terms(await self._commands.ask(self._timeouts.office, catalogue.METER_TERMS))

    async def sign_up(self, wanted: SignUp) -> Joined:
        """Returns when the data centre has answered; the person types the password on the device."""
        values = (wanted.name, wanted.value_kind, wanted.payment, wanted.below, wanted.amount, *wanted.origins)
        return read_joined(await self._commands.ask(self._timeouts.password, catalogue.METER_SIGN_UP, *values))

    async def sign_on(self, name: str) -> Joined:
        """As `sign_up`."""
        return read_joined(await self._commands.ask(self._timeouts.password, catalogue.METER_SIGN_ON, name))

    async def about(self) -> MeterAbout:
        """What the data centre says now."""
        return read_about(await self._commands.ask(self._timeouts.office, catalogue.METER_ABOUT))

    async def frank(
        self, order: bytes, command: str, serial: str, pieces: Sequence[Piece], caller: Caller | None
    ) -> Result:
        """Indicia for these pieces, all or none; GENERAL_ERROR `other-meter` where the device has another one."""
        rest = tuple(value for piece in pieces for value in values_of(piece))
        return await self._order(catalogue.METER_FRANK, (order, command, serial or None), caller, rest)

    async def rates(self, command: str, weighed: Sequence[Weighed]) -> list[int | str]:
        """Of each its postage, or in words why there is none; nothing is franked, and nobody is asked."""
        values = tuple(value for one in weighed for value in one)
        answer = await self._commands.ask(self._timeouts.office, catalogue.METER_RATE, command, *values)
        return read_rates(answer, len(weighed))

    async def load(self, order: bytes, amount: int, caller: Caller | None) -> Result:
        """Money onto the meter."""
        return await self._order(catalogue.METER_LOAD, (order, amount), caller)

    async def refund(
        self, order: bytes, amount: int | None, indicium: bytes | None, token: bytes | None, caller: Caller | None
    ) -> Result:
        """Money back, or an indicium that was not used."""
        return await self._order(catalogue.METER_REFUND, (order, amount, indicium, token), caller)

    async def result(self, order: bytes) -> Result:
        """Of an order that the device keeps; ARGUMENTS_BAD where it keeps none of this id."""
        return read_result(await self._commands.ask(self._timeouts.office, catalogue.METER_RESULT, order))

    async def taken(self, order: bytes) -> None:
        """Its result is on this computer's disk."""
        await self._commands.ask(self._timeouts.query, catalogue.METER_TAKEN, order)

    async def history(self, after: int) -> tuple[bytes, ...]:
        """Transactions above a counter, as they were signed."""
        return read_transactions(await self._commands.ask(self._timeouts.office, catalogue.METER_HISTORY, after))

    async def _order(self, spec: CommandSpec, values: Values, caller: Caller | None, rest: Values = ()) -> Result:
        return read_result(accepted(await self._token.named(self._timeouts.office, spec, values, caller, rest)))
