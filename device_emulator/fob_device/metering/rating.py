"""Postage by the device's own rate component: run here, and shown to the data centre as validated (X5, X6)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from fob_device.components.machine import Machine
from fob_device.components.runtime.errors import WrongParametersError
from fob_device.integrity.copies import Copies
from fob_device.integrity.standings import Standings
from fob_device.office.options import Command, Options
from fob_device.office.workshop import Workshop
from fob_protocol.at.values import Values
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError

# What the shipped rates are asked by, where nobody says otherwise.
RATE_COMMAND = "XRATE"
# Of what has a price of nothing.
FREE = "what costs nothing is not franked"


# A currency as rates say it (ISO 4217).
_CURRENCY: Final = re.compile(r"[A-Z]{3}")


def value_kind_of(unit: str) -> str:
    """What rates count: of a currency, as `EUR`, the cents; anything else is the name of a value kind."""
    return f"{unit.lower()}-cent" if _CURRENCY.fullmatch(unit) else unit


@dataclass(frozen=True, slots=True)
class Rated:
    """A component that rates: its name, its VAL_OK, and the integrity value by which it was validated."""

    program: str
    ticket: bytes
    integrity_value: bytes


@dataclass(frozen=True, slots=True)
class Weighed:
    """What a rate is asked for."""

    grams: int
    service: str
    zone: str


@dataclass(frozen=True, slots=True)
class Rates:
    """`calls`: where components run. Methods raise what admission raises."""

    machine: Machine
    options: Options
    calls: Workshop
    copies: Copies
    standings: Standings

    async def admitted(self, command: str) -> Rated:
        """The component with a command, now. Raises NotEnabledError; CkrError where no component has it."""
        component = self.machine.running.with_command(command)
        if component is None:
            raise CkrError(Ckr.ARGUMENTS_BAD, f"no component has {command}")
        program = component.release.id
        await self.copies.admit(program)
        return Rated(program, self.standings.ticket(program), self.standings.integrity_value(program))

    async def judged(self, command: str, pieces: Sequence[Weighed], value_kind: str) -> list[int | str]:
        """Of each the amount, or why there is none. Raises RunError, CkrError."""
        return await self.calls(partial(_judge, self._runnable(command), pieces, value_kind))

    async def amounts(self, command: str, pieces: Sequence[Weighed], value_kind: str) -> list[int]:
        """Of each, in the least unit of the value kind. Raises RunError, WrongParametersError, CkrError."""
        answers = await self.calls(partial(_run, self._runnable(command), pieces))
        return [_amount(answer, value_kind) for answer in answers]

    def _runnable(self, command: str) -> Command:
        """Raises CkrError."""
        runnable = self.options.command(f"+{command}")
        if runnable is None:
            raise CkrError(Ckr.GENERAL_ERROR, f"what has {command} does not run")
        return runnable


def _run(command: Command, pieces: Sequence[Weighed]) -> list[Values]:
    rated: dict[Weighed, Values] = {}
    for piece in pieces:
        if piece not in rated:
            rated[piece] = command.call((piece.grams, piece.service, piece.zone))
    return [rated[piece] for piece in pieces]


def _judge(command: Command, pieces: Sequence[Weighed], value_kind: str) -> list[int | str]:
    return [_judged(command, piece, value_kind) for piece in pieces]


def _judged(command: Command, piece: Weighed, value_kind: str) -> int | str:
    try:
        amount = _amount(command.call((piece.grams, piece.service, piece.zone)), value_kind)
    except WrongParametersError:
        return "the rates have no price for it"
    except CkrError as error:
        return error.reason
    return amount or FREE


def _amount(answer: Values, value_kind: str) -> int:
    """`95,"EUR"` of `eur-cent`; rates in another part of the same currency are not this meter's either."""
    match answer:
        case (int() as amount, str() as unit) if value_kind_of(unit) == value_kind:
            return amount
    raise CkrError(Ckr.ARGUMENTS_BAD, f"the rates are not in {value_kind}")
