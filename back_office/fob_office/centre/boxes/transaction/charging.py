"""Charge orders: money is taken of a mailer for what he permitted, and of nobody else (M29, M30)."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fob_office.centre.boxes.alarm import Alarm
from fob_office.centre.boxes.transaction.dues import check_rule, fresh_due, fresh_permission, unpermitted
from fob_office.centre.boxes.vault import Vault
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Pass
from fob_office.centre.commands.transaction import ChargeOrdered, OrderCharge
from fob_office.centre.following import ID_SIZE, PER_USE, SETTLEMENT, derived_digest
from fob_office.centre.words import Word
from fob_office.surroundings import Surroundings
from fob_protocol.metering.kinds import Deed
from fob_protocol.metering.vouchers import ChargeOrder, Due


class Charging:
    """Answers function servers. What they should not have asked for, the box itself warns of."""

    def __init__(self, vault: Vault, key: Ed25519PrivateKey, surroundings: Surroundings, alarm: Alarm) -> None:
        """`key`: the one whose public half stands in the box's pass."""
        self._vault = vault
        self._key = key
        self._surroundings = surroundings
        self._alarm = alarm

    async def order_charge(self, peer: Pass, command: OrderCharge) -> ChargeOrdered:
        """As the command says."""
        try:
            return ChargeOrdered(self._ordered(command).signed(self._key))
        except BusRefusedError as error:
            if error.word == Word.TAMPERING:
                await self._alarm.warn(peer, error)
            raise

    def _ordered(self, command: OrderCharge) -> ChargeOrder:
        now = self._surroundings.clock()
        due = fresh_due(self._vault, command.due, now)
        if command.permission is None:
            amount, request_digest = due.owed, derived_digest(SETTLEMENT, due.serial, due.counter)
        else:
            amount, request_digest = self._permitted(command, due, command.permission, now)
        if amount + due.fee <= 0:
            raise unpermitted("nothing is to be taken")
        request_id = command.request_id if command.request_id is not None else request_digest[:ID_SIZE]
        if len(request_id) != ID_SIZE:
            raise BusRefusedError(Word.MALFORMED, f"a request id has {ID_SIZE} octets")
        return ChargeOrder(
            account=due.account,
            serial=due.serial,
            number=due.number,
            amount=amount,
            request_digest=request_digest,
            request_id=request_id,
            is_settlement=command.permission is None,
            time=now,
            fee=due.fee,
        )

    def _permitted(self, command: OrderCharge, due: Due, signed: bytes, now: int) -> tuple[int, bytes]:
        """How much, and H of the request that it is for."""
        permission = fresh_permission(self._vault, signed, due, now)
        match permission.deed:
            case Deed.LOAD:
                check_rule(permission, due, command.below)
                return permission.amount, permission.request_digest
            case Deed.FRANK:
                # What is missing for it, if its meter would take it then.
                if due.pieces is None or due.pieces != permission.pieces:
                    raise unpermitted("pieces that no meter box has judged")
                request_digest = derived_digest(PER_USE, due.serial, [permission.request_digest, due.counter])
                return permission.amount - due.descending, request_digest
        raise unpermitted("a permission for something else")
