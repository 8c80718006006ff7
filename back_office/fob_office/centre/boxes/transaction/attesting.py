"""Transaction records: a meter box did it, and somebody who may want it wanted it (M6)."""

from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fob_office.centre.boxes import codes
from fob_office.centre.boxes.alarm import Alarm
from fob_office.centre.boxes.orders import read_order
from fob_office.centre.boxes.vault import Vault
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Pass
from fob_office.centre.commands.transaction import Attest, Attested
from fob_office.centre.pieces import pieces_octets
from fob_office.centre.words import Word
from fob_protocol.metering.indicium import Indicium
from fob_protocol.metering.kinds import Deed
from fob_protocol.metering.limits import CLOCK_SKEW, PERMISSION_TIME
from fob_protocol.metering.requests import Piece
from fob_protocol.metering.transaction import TransactionRecord
from fob_protocol.metering.vouchers import KeyOrder, MeterOrder
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.hashing import digest
from fob_protocol.office.message import read

_FIRST_COUNTER: Final = 1


class Attesting:
    """Answers function servers. Every disagreement is `tampering`, and the box itself warns of it."""

    def __init__(self, vault: Vault, key: Ed25519PrivateKey, alarm: Alarm) -> None:
        """`key`: the one whose public half stands in the box's pass."""
        self._vault = vault
        self._key = key
        self._alarm = alarm

    async def attest(self, peer: Pass, command: Attest) -> Attested:
        """As the command says."""
        try:
            return self._attested(command)
        except BusRefusedError as error:
            # Whoever asks for this is the last one to tell of it.
            await self._alarm.warn(peer, error)
            raise

    def _attested(self, command: Attest) -> Attested:
        draft = codes.read_change(self._vault, command.change)
        if draft.ascending + draft.descending != draft.loads:
            raise _disagree("its registers break the law of meters")
        if draft.fee and draft.deed not in (Deed.LOAD, Deed.SETTLE):
            raise _disagree("for signing up is paid with a payment alone")
        # It is done, and by whose clock is no question any more: one that was ahead holds up nothing.
        self._check_voucher(draft, command.voucher)
        return Attested(draft.signed(self._key))

    def _check_voucher(self, draft: TransactionRecord, voucher: bytes) -> None:
        """However old: a request that comes again has a later time than what was done for it."""
        match draft.deed:
            case Deed.CREATE:
                self._created(draft, voucher)
            case Deed.LOAD | Deed.SETTLE:
                self._loaded(draft, voucher)
            case Deed.FRANK | Deed.REFUND | Deed.CREDIT:
                self._permitted(draft, voucher)
            case Deed.STOP | Deed.RESUME | Deed.WITHDRAW | Deed.CHANGE:
                self._ordered(draft, voucher)

    def _created(self, draft: TransactionRecord, voucher: bytes) -> None:
        order = read_order(self._vault, MeterOrder, voucher)
        is_new = (draft.counter, draft.loads, draft.pieces, draft.before) == (_FIRST_COUNTER, 0, 0, None)
        _check(draft, order.serial, 0)
        if not is_new or draft.indicia:
            raise _disagree("a new meter has done nothing")

    def _loaded(self, draft: TransactionRecord, voucher: bytes) -> None:
        fund = codes.read_fund(self._vault, voucher)
        _check(draft, fund.serial, fund.amount)
        if fund.is_settlement != (draft.deed is Deed.SETTLE) or draft.indicia:
            raise _disagree("a load, or a settlement")
        if fund.fee != draft.fee:
            raise _disagree("another fee")

    def _permitted(self, draft: TransactionRecord, voucher: bytes) -> None:
        permission = codes.read_permission(self._vault, voucher)
        _check(draft, permission.serial, permission.amount)
        if permission.deed != draft.deed or permission.pieces != _shown(draft):
            raise _disagree("another deed, or other pieces")
        if permission.time < draft.time - PERMISSION_TIME - CLOCK_SKEW:
            raise _disagree("the permission was over")

    def _ordered(self, draft: TransactionRecord, voucher: bytes) -> None:
        order = read_order(self._vault, KeyOrder, voucher)
        _check(draft, order.serial, 0)
        if (order.deed, order.counter + 1) != (draft.deed, draft.counter) or draft.indicia:
            raise _disagree("another deed, or of another record")


def _check(draft: TransactionRecord, serial: str, amount: int) -> None:
    if (draft.serial, draft.amount) != (serial, amount):
        raise _disagree("another meter, or another amount")


def _shown(draft: TransactionRecord) -> bytes | None:
    """H of what the mailer asked for, as it follows from the indicia."""
    match draft.deed:
        case Deed.FRANK:
            return digest(pieces_octets(tuple(_piece(draft, n, each.indicium) for n, each in enumerate(draft.indicia))))
        case Deed.CREDIT if len(draft.indicia) == 1:
            return digest(draft.indicia[0].octets())
        case _ if draft.indicia:
            raise _disagree("indicia, where nothing was franked")
        case _:
            return None


def _piece(draft: TransactionRecord, number: int, octets: bytes) -> Piece:
    try:
        indicium = read(Indicium, octets)
    except OfficeError as error:
        raise _disagree(f"no indicium: {error.why}") from None
    if (indicium.serial, indicium.counter, indicium.piece) != (draft.serial, draft.counter, number):
        raise _disagree("an indicium of another transaction")
    return Piece(indicium.amount, indicium.destination, indicium.addressee, indicium.origin, indicium.mail_class)


def _disagree(why: str) -> BusRefusedError:
    return BusRefusedError(Word.TAMPERING, f"the transaction and its voucher disagree: {why}")
