"""Money back (M29): out of the meter first, then to the mailer; or an indicium that was not used, onto the meter."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import structlog

from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.database import FetchPayouts, OpenPayout, PaidOut, Release, Reserve
from fob_office.centre.commands.meter import Act, Changed, Credit, Look, Made, Refund
from fob_office.centre.commands.payment import PayBack
from fob_office.centre.function.changing import Changing
from fob_office.centre.function.held import Held
from fob_office.centre.function.patience import LONGEST_PAYOUT_PAUSE, Patience
from fob_office.centre.function.paying import Paying
from fob_office.centre.function.peers import Peers
from fob_office.centre.function.permitting import Asked, permission_of
from fob_office.centre.function.refusing import PASSING, is_final, is_strange, refused, said_by
from fob_office.centre.rising import check_rising
from fob_office.centre.words import Word
from fob_protocol.metering.requests import RefundRequest
from fob_protocol.metering.transaction import unverified_transaction
from fob_protocol.office.errors import OfficeError, RefusedError
from fob_protocol.office.refusals import Refusal

log = structlog.get_logger(__name__)

# Seconds between looks at what is to be paid back.
PAUSE: Final = 2.0
# Looks in a row that nobody answered, before it is said.
_MISSED: Final = 5
# Seconds at most before a payout is tried again whose provider was away.
_AWAY_PAUSE: Final = 32
# What a meter box says when it has given nothing back, and did not before.
_UNDONE: Final = frozenset({Word.NO_REFUND, Word.STOPPED, Word.OVER_LIMIT})


@dataclass(frozen=True, slots=True)
class Refunding:
    """Of one function server."""

    peers: Peers
    changing: Changing
    paying: Paying
    clock: Callable[[], int]
    _patience: Patience = field(default_factory=Patience, init=False)

    async def refund(self, asked: Asked[RefundRequest]) -> bytes:
        """The answer. Raises BusRefusedError, RuleBrokenError."""
        wanted = asked.wanted
        if (wanted.amount is None) == (wanted.unused is None):
            raise refused(Refusal.MALFORMED, "an amount or an indicium, one of both")
        try:
            return await self.changing.change(asked.request, lambda held: self._refund(asked, held))
        except (BusRefusedError, RefusedError) as error:
            is_over = is_final(error) and not is_strange(error) and said_by(error) is not Refusal.ID_USED
            if wanted.unused is not None and is_over:
                # It was not done, and is not asked for again: the letter may be posted.
                release = Release(asked.request.id, wanted.unused.indicium, self.clock())
                await self.peers.any(Kind.DATABASE, release)
            raise

    async def pay_out(self) -> None:
        """For as long as the server runs: what went out of meters goes back to mailers, until the provider says yes."""
        missed = 0
        while True:
            try:
                await self._pay_all()
                missed = 0
            except BusRefusedError as error:
                missed += 1
                # Who starts with all the others meets nobody at first. Once is enough.
                if missed == _MISSED:
                    log.warning("payouts wait", why=error.why)
            await asyncio.sleep(PAUSE)

    async def _refund(self, asked: Asked[RefundRequest], held: Held) -> Changed:
        act = Act(asked.request.digest, asked.request.id, None)
        permission = await permission_of(self.peers, held, asked)
        unused = asked.wanted.unused
        if unused is None:
            # What was taken and cut off can go back too.
            if (brought := await self.paying.brought_in(held)) is not None:
                return brought
            return await self.peers.owner(asked.request.serial, Refund(held.meter, permission, act))
        return await self._credit(held, permission, Made(unused.indicium, unused.token), act)

    async def _credit(self, held: Held, permission: bytes, made: Made, act: Act) -> Changed:
        """First the post hears of it: what it has seen is not given back, nor taken while that is under way."""
        serial = held.record.serial
        if not all((await self.peers.owner(serial, Look(held.meter, (made,)))).genuine):
            raise refused(Refusal.NO_REFUND, "this meter made no such indicium")
        now = self.clock()
        await self.peers.any(Kind.DATABASE, Reserve(act.request_id, made.indicium, now))
        try:
            return await self.peers.owner(serial, Credit(held.meter, permission, made, act))
        except BusRefusedError as error:
            if error.word in _UNDONE:
                await self.peers.any(Kind.DATABASE, Release(act.request_id, made.indicium, now))
            raise

    async def _pay_all(self) -> None:
        """Each that is due, whatever is refused before it. Raises BusRefusedError: the database cannot be asked."""
        after = 0
        while payouts := (await self.peers.any(Kind.DATABASE, FetchPayouts(after))).payouts:
            check_rising("refunds of the database", after, (payout.id for payout in payouts))
            for payout in payouts:
                if self._patience.is_due(payout.id, self.clock()):
                    await self._pay(payout)
            after = payouts[-1].id

    async def _pay(self, payout: OpenPayout) -> None:
        try:
            back = _pay_back(payout)
            receipt = (await self.peers.any(Kind.PAYMENT, back)).receipt
            await self.peers.any(Kind.DATABASE, PaidOut(payout.serial, payout.number, receipt))
        except BusRefusedError as error:
            await self._waits(payout, error)
        else:
            self._patience.done(payout.id)

    async def _waits(self, payout: OpenPayout, error: BusRefusedError) -> None:
        """Said once of each trouble: it lasts, and the log keeps what is warned of for ever."""
        # Who is away was not asked, and says why in many ways.
        is_away = error.word in PASSING
        trouble, longest = (error.word, _AWAY_PAUSE) if is_away else (str(error), LONGEST_PAYOUT_PAUSE)
        if self._patience.refused(payout.id, trouble, self.clock(), longest):
            log.warning("a payout waits", serial=payout.serial, number=payout.number, why=str(error), clause="M29")
            await self.changing.warnings.warn(payout.serial, error)


def _pay_back(payout: OpenPayout) -> PayBack:
    """Raises BusRefusedError TAMPERING."""
    try:
        request_id = unverified_transaction(payout.transaction).request_id
    except OfficeError as error:
        raise BusRefusedError(Word.TAMPERING, f"a payout for no transaction: {error.why}") from None
    return PayBack(
        account=payout.account,
        serial=payout.serial,
        number=payout.number,
        amount=payout.amount,
        request_digest=payout.request_digest,
        request_id=request_id,
        transaction=payout.transaction,
        record=payout.record or b"",
    )
