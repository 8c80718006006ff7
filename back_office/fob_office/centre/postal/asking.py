"""The post asks the data centre: a meter box about the token, the database server about its past (M26, M27)."""

from asyncio import timeout
from collections import Counter
from collections.abc import Callable
from typing import Final, Protocol

from fob_office.centre.bus.commands import Command, ReplyT
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.database import NO_REQUEST, Fetch, FetchLost, FetchTransactions, Scan
from fob_office.centre.commands.meter import Made, TokensVerified, VerifyTokens
from fob_office.centre.postal.verifying import (
    Known,
    OnPiece,
    Verdict,
    judge_past,
    judge_piece,
    judge_token,
    unknown_meter,
)
from fob_office.centre.words import Word
from fob_protocol.cose.cbor import encode
from fob_protocol.metering.indicium import Indicium
from fob_protocol.metering.kinds import Deed
from fob_protocol.metering.transaction import unverified_transaction
from fob_protocol.metering.values import Indicated
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.hashing import digest
from fob_protocol.office.message import read

# Seconds for the meter's own box.
OWNER_TIME: Final = 1.0


class Asked(Protocol):
    """Any process of a kind, or the owner of a meter."""

    async def any(self, kind: Kind, command: Command[ReplyT]) -> ReplyT:
        """Raises BusRefusedError, UNAVAILABLE when none answers."""

    async def owner(self, serial: str, command: Command[ReplyT]) -> ReplyT:
        """Of the meter box. Raises BusRefusedError."""


class Post:
    """One run of the verifier. Where nothing is noted, a piece that comes twice in the same run is still found.

    `run` names it: the same pictures under the same name are answered as they were, if it was cut off.
    """

    def __init__(self, centre: Asked, clock: Callable[[], int], *, is_noted: bool, run: bytes) -> None:
        self._centre = centre
        self._clock = clock
        self._is_noted = is_noted
        self._run = run
        self._scans: Counter[bytes] = Counter()
        # Not again in this run, once one was away: there may be thousands of pieces.
        self._is_owner_asked = True
        self._seen: dict[bytes, int] = {}

    async def verify(self, indicated: Indicated, on_piece: OnPiece, where: bytes = b"") -> Verdict:
        """Only what is right in all else is noted: whoever shows a copy makes the piece itself no reused one.

        `where` it was seen: H of a picture, and the place on it.
        Raises BusRefusedError, ValueError for an address without a letter.
        """
        indicium = read(Indicium, indicated.indicium)
        record = (await self._centre.any(Kind.DATABASE, Fetch(NO_REQUEST, indicium.serial))).meter
        if record is None:
            return unknown_meter(indicium)
        known = await self._known(record, indicium, indicated)
        judged = judge_token(indicium, known) or judge_piece(indicium, on_piece)
        return judged or await self._past(indicium, where, is_lost=known.is_lost)

    async def _known(self, record: bytes, indicium: Indicium, indicated: Indicated) -> Known:
        """What the database says was issued counts only with its token."""
        issued = await self._issued(indicium)
        shown = [Made(each.indicium, each.token) for each in (indicated, issued) if each is not None]
        told = await self._verified(indicium.serial, VerifyTokens(record, tuple(shown)))
        is_issued = issued is not None and told.genuine[1]
        return Known(
            is_right=told.genuine[0],
            is_given_back=told.given_back[0],
            issued=read(Indicium, issued.indicium) if issued is not None and is_issued else None,
            is_lost=issued is None and told.genuine[0] and await self._is_lost(indicium),
        )

    async def _is_lost(self, indicium: Indicium) -> bool:
        return (await self._centre.any(Kind.DATABASE, FetchLost(indicium.serial, indicium.counter))).is_lost

    async def _verified(self, serial: str, command: VerifyTokens) -> TokensVerified:
        """By the owner, who knows what was given back; while that is away, by any meter box."""
        if self._is_owner_asked:
            try:
                async with timeout(OWNER_TIME):
                    return await self._centre.owner(serial, command)
            except TimeoutError:
                self._is_owner_asked = False
            except BusRefusedError as refused:
                if refused.word != Word.UNAVAILABLE:
                    raise
        return await self._centre.any(Kind.METER, command)

    async def _issued(self, indicium: Indicium) -> Indicated | None:
        """What the database has as made under this serial, counter and piece, unchecked."""
        if indicium.counter == 0:
            return None
        asked = FetchTransactions(indicium.serial, indicium.counter - 1, 1)
        for signed in (await self._centre.any(Kind.DATABASE, asked)).transactions:
            try:
                transaction = unverified_transaction(signed)
            except OfficeError:
                # Staff wrote there: nothing was issued by that.
                return None
            is_it = (transaction.counter, transaction.deed) == (indicium.counter, Deed.FRANK)
            if is_it and indicium.piece < len(transaction.indicia):
                return transaction.indicia[indicium.piece]
        return None

    async def _past(self, indicium: Indicium, where: bytes, *, is_lost: bool) -> Verdict:
        octets = indicium.octets()
        scan = Scan(
            indicium.serial, indicium.counter, indicium.piece, octets, self._clock(), self._is_noted,
            self._scan_id(octets, where),
        )  # fmt: skip
        scanned = await self._centre.any(Kind.DATABASE, scan)
        here = self._seen.get(digest(octets), 0)
        if not self._is_noted:
            self._seen[digest(octets)] = here + 1
        is_given_back = scanned.given_back or scanned.is_reserved
        return judge_past(indicium, scanned.seen + here, is_given_back=is_given_back, is_lost=is_lost)

    def _scan_id(self, octets: bytes, where: bytes) -> bytes:
        """16 octets; what is shown twice in a run has two."""
        seen = encode(["fob/1 scan", self._run, where, octets])
        self._scans[seen] += 1
        return digest(encode([seen, self._scans[seen]]))[:16]
