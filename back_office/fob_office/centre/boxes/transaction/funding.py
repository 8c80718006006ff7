"""Fund records: this money is the meter's, or will be paid (M29)."""

from fob_office.centre.boxes import codes
from fob_office.centre.boxes.alarm import Alarm
from fob_office.centre.boxes.separation import Purpose
from fob_office.centre.boxes.transaction.dues import check_rule, fresh_due, fresh_permission, unpermitted
from fob_office.centre.boxes.vault import Vault
from fob_office.centre.bus.directory import Directory
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Kind, Pass, Trust
from fob_office.centre.bus.signers import Signers
from fob_office.centre.commands.transaction import Funded, FundOwed, FundPaid
from fob_office.centre.words import Word
from fob_office.surroundings import Surroundings
from fob_protocol.cose import sign1
from fob_protocol.cose.errors import CoseError
from fob_protocol.cose.labels import Label
from fob_protocol.metering.epochs import epoch_of
from fob_protocol.metering.kinds import Deed
from fob_protocol.metering.limits import RECORD_LIMIT
from fob_protocol.metering.vouchers import FundRecord, Receipt, read_receipt
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.hashing import digest


class Providers:
    """The payment providers whose passes stand in the directory."""

    def __init__(self, directory: Directory, trust: Trust) -> None:
        self._signers = Signers(directory, trust, Kind.PAYMENT)

    def read(self, signed: bytes) -> Receipt:
        """Raises BusRefusedError TAMPERING for one that none of them signed, UNAVAILABLE without a directory."""
        if len(signed) > RECORD_LIMIT:
            raise BusRefusedError(Word.TAMPERING, f"a receipt over {RECORD_LIMIT} octets")
        try:
            return read_receipt(self._signers.key(sign1.signer_of(signed)), signed)
        except (CoseError, OfficeError) as error:
            raise BusRefusedError(Word.TAMPERING, f"the receipt: {error}") from None


class Funding:
    """Answers function servers."""

    def __init__(self, vault: Vault, providers: Providers, surroundings: Surroundings, alarm: Alarm) -> None:
        self._vault = vault
        self._providers = providers
        self._surroundings = surroundings
        self._alarm = alarm

    async def fund_paid(self, peer: Pass, command: FundPaid) -> Funded:
        """As the command says; the same receipt as often as it comes: the meter box takes its number once."""
        now = self._surroundings.clock()
        receipt = self._providers.read(command.receipt)
        if receipt.amount < 0 or receipt.amount + receipt.fee == 0:
            raise BusRefusedError(Word.TAMPERING, "a receipt of money that went back")
        fund = FundRecord(
            request_digest=receipt.request_digest,
            serial=receipt.serial,
            number=receipt.number,
            amount=receipt.amount,
            receipt=digest(command.receipt),
            is_settlement=receipt.is_settlement,
            time=now,
            epoch=epoch_of(now),
            account=receipt.account,
            fee=receipt.fee,
        )
        return self._funded(fund)

    async def fund_owed(self, peer: Pass, command: FundOwed) -> Funded:
        """As the command says; how much may be owed is for the meter box to say."""
        try:
            return self._funded(self._owed(command))
        except BusRefusedError as error:
            if error.word == Word.TAMPERING:
                await self._alarm.warn(peer, error)
            raise

    def _owed(self, command: FundOwed) -> FundRecord:
        now = self._surroundings.clock()
        due = fresh_due(self._vault, command.due, now)
        permission = fresh_permission(self._vault, command.permission, due, now)
        if permission.deed != Deed.LOAD:
            raise unpermitted("the permission is for something else than a load")
        check_rule(permission, due, command.below)
        return FundRecord(
            request_digest=permission.request_digest,
            serial=permission.serial,
            number=due.counter,
            amount=permission.amount,
            receipt=None,
            is_settlement=False,
            time=now,
            epoch=epoch_of(now),
            account=permission.account,
        )

    def _funded(self, fund: FundRecord) -> Funded:
        context = (fund.serial, fund.epoch)
        return Funded(codes.sign_checked(self._vault, fund, Label.FUND_RECORD, Purpose.FUND, *context))
