"""What a box says of meters without a change: money, refunds and the post's judgement go by it."""

from fob_office.centre.boxes.meter import accounting, tokens
from fob_office.centre.boxes.meter.keeping import Keeper
from fob_office.centre.boxes.meter.knowing import Knowing
from fob_office.centre.boxes.meter.verifying import Verified, Verifier
from fob_office.centre.boxes.vault import Vault
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Pass
from fob_office.centre.commands.meter import (
    Changed,
    DueSaid,
    LastChange,
    Look,
    Looked,
    SayDue,
    TokensVerified,
    VerifyTokens,
)
from fob_office.centre.words import Word
from fob_office.surroundings import Surroundings
from fob_protocol.metering.records import MeterRecord


class Looking:
    """Answers function servers, post and operators."""

    def __init__(
        self, vault: Vault, verifier: Verifier, keeper: Keeper, knowing: Knowing, surroundings: Surroundings
    ) -> None:
        self._vault = vault
        self._verifier = verifier
        self._keeper = keeper
        self._knowing = knowing
        self._surroundings = surroundings

    async def look(self, peer: Pass, command: Look) -> Looked:
        """Whether a record is the newest, and whose tokens are its meter's (M26)."""
        given = self._verifier.record(command.record)
        record = given.record
        async with self._knowing.turns.of(record.serial):
            await self._check_newest(given)
            key = tokens.unwrap(self._vault, record)
            return Looked(tuple(tokens.genuine(key, record, made) is not None for made in command.tokens))

    async def say_due(self, peer: Pass, command: SayDue) -> DueSaid:
        """For a transaction box: so nothing is charged but by the newest record, of a meter that is active.

        Nor for pieces that this meter would not frank, had it the money.
        """
        given, now = self._verifier.record(command.record), self._surroundings.clock()
        record = given.record
        async with self._knowing.turns.of(record.serial):
            await self._check_newest(given)
            accounting.check_active(record)
            if command.pieces is not None:
                _check_pieces(record, command.pieces, now)
            return DueSaid(self._verifier.due(record, command.pieces, now))

    async def verify_tokens(self, peer: Pass, command: VerifyTokens) -> TokensVerified:
        """Whose tokens are a meter's, owned here or not (M15, M26)."""
        record = self._verifier.record(command.record).record
        key = tokens.unwrap(self._vault, record)
        indicia = [tokens.genuine(key, record, made) for made in command.tokens]
        return TokensVerified(
            tuple(each is not None for each in indicia), tuple(map(self._knowing.is_given_back, indicia))
        )

    async def last_change(self, peer: Pass, command: LastChange) -> Changed:
        """The standing of a meter."""
        async with self._knowing.turns.of(command.serial):
            await self._keeper.ready(command.serial)
            standing = self._knowing.standing(command.serial)
            if standing is None:
                await self._keeper.confirm_unseen(command.serial)
                raise BusRefusedError(Word.NO_METER, f"{command.serial} was never begun")
            return await self._knowing.again(command.serial, standing)

    async def _check_newest(self, given: Verified) -> None:
        """In the serial's turn. Raises as `Knowing.check_newest`."""
        serial = given.record.serial
        await self._keeper.ready(serial)
        await self._knowing.check_newest(self._knowing.standing(serial), given)
        await self._keeper.confirm(serial)


def _check_pieces(record: MeterRecord, octets: bytes, now: int) -> None:
    """But for the money they could be franked. Raises BusRefusedError OVER_LIMIT, MALFORMED."""
    pieces = tokens.read_pieces(octets)
    accounting.limits_after(record, [piece.amount for piece in pieces], now)
    tokens.indicia_of(pieces, record, record, now)
