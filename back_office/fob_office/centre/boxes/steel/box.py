"""What the steel box answers (fob_office.centre.commands.steel)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from fob_office.centre.boxes.box import Box
from fob_office.centre.boxes.orders import sign_order
from fob_office.centre.boxes.steel.beginnings import Beginnings
from fob_office.centre.boxes.steel.owners import Owners
from fob_office.centre.boxes.steel.serials import Serials
from fob_office.centre.boxes.store import Store, open_store
from fob_office.centre.boxes.wrapping import KEY_SIZE, wrap_token_key, wrap_user_key
from fob_office.centre.bus.answering import Table, row
from fob_office.centre.bus.commands import Done
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Kind, Pass
from fob_office.centre.commands.steel import (
    GiveKey,
    HeldNumbers,
    NumbersHeld,
    Ordered,
    OrderKey,
    OrderLog,
    OrderMailer,
    OrderMeter,
    OrderUser,
    SetNewMeters,
    UserOrdered,
)
from fob_office.centre.words import Word
from fob_protocol.cose import hpke
from fob_protocol.cose.errors import SealError
from fob_protocol.cose.labels import Label
from fob_protocol.metering.kinds import Deed
from fob_protocol.metering.records import Limits
from fob_protocol.metering.requests import account_of
from fob_protocol.metering.vouchers import KeyOrder, LogOrder, MailerOrder, MeterOrder, UserOrder
from fob_protocol.noise.keys import KeyPair
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.message import read

# What an operator may want of a meter (M31).
_OPERATORS_DEEDS: Final = frozenset((Deed.STOP, Deed.RESUME, Deed.WITHDRAW, Deed.CHANGE))


class SteelBox:
    """Answers function servers and operators."""

    def __init__(self, box: Box, store: Store) -> None:
        """Raises TamperedError, OperatorError for a name that gives no number."""
        self._box = box
        self._random = box.surroundings.random
        self._serials = Serials(box.name, store)
        self._owners = Owners(box.folder, KeyPair.from_private_bytes(box.identity.sealing).private)
        self._beginnings = Beginnings(box.folder)

    @property
    def table(self) -> Table:
        """Who may ask what."""
        return {
            OrderMeter: row([Kind.FUNCTION], self._order_meter),
            OrderUser: row([Kind.FUNCTION], self._order_user),
            OrderKey: row([Kind.OPERATOR], self._order_key),
            OrderLog: row([Kind.OPERATOR], self._order_log),
            OrderMailer: row([Kind.OPERATOR], self._order_mailer),
            GiveKey: row([Kind.OPERATOR], self._give_key),
            SetNewMeters: row([Kind.OPERATOR], self._set_new_meters),
            HeldNumbers: row([Kind.OPERATOR], self._held_numbers),
        }

    async def _order_meter(self, peer: Pass, command: OrderMeter) -> Ordered:
        version = self._owners.newest(command.value_kind)
        serial = await self._serials.next()
        key = self._owners.token_key(command.value_kind, version, serial)
        beginning = self._beginnings.of(command.value_kind)
        order = MeterOrder(
            serial=serial,
            account=command.account,
            value_kind=command.value_kind,
            freshness=beginning.freshness,
            limits=beginning.limits,
            key_version=version,
            token_key=wrap_token_key(
                self._box.vault, self._random, serial, version, key, is_public=beginning.is_public
            ),
            request_digest=command.request_digest,
            time=self._box.surroundings.clock(),
            fee=command.fee,
        )
        return Ordered(sign_order(self._box.vault, order))

    async def _order_user(self, peer: Pass, command: OrderUser) -> UserOrdered:
        account = account_of(command.request_digest) if command.account is None else command.account
        key = self._random(KEY_SIZE)
        try:
            sealed = hpke.seal_to(command.sealing_key, Label.USER_AUTHENTICATION_KEY, [account], key)
        except SealError as error:
            raise BusRefusedError(Word.MALFORMED, str(error)) from None
        order = UserOrder(
            account=account,
            key=wrap_user_key(self._box.vault, self._random, account, key),
            sealing_key=command.sealing_key,
            request_digest=command.request_digest,
            time=self._box.surroundings.clock(),
        )
        return UserOrdered(sign_order(self._box.vault, order), sealed)

    async def _order_key(self, peer: Pass, command: OrderKey) -> Ordered:
        if command.deed not in _OPERATORS_DEEDS or (command.limits is not None) != (command.deed == Deed.CHANGE):
            raise BusRefusedError(Word.MALFORMED, "no operator's order: limits go with a change, and nothing else")
        now = self._box.surroundings.clock()
        order = KeyOrder(Deed(command.deed), command.serial, command.counter, _limits(command.limits), now)
        return Ordered(sign_order(self._box.vault, order))

    async def _order_log(self, peer: Pass, command: OrderLog) -> Ordered:
        now = self._box.surroundings.clock()
        order = LogOrder(command.box, command.before, command.root_before, command.size, command.root, now)
        return Ordered(sign_order(self._box.vault, order))

    async def _order_mailer(self, peer: Pass, command: OrderMailer) -> Ordered:
        now = self._box.surroundings.clock()
        key = wrap_user_key(self._box.vault, self._random, command.account, self._random(KEY_SIZE))
        order = MailerOrder(command.account, command.record, command.counter, key, now)
        return Ordered(sign_order(self._box.vault, order))

    async def _give_key(self, peer: Pass, command: GiveKey) -> Done:
        self._owners.give(command.owner, command.value_kind, command.version, command.sealed)
        return Done()

    async def _set_new_meters(self, peer: Pass, command: SetNewMeters) -> Done:
        self._beginnings.set(command.value_kind, command.freshness, command.limits, is_public=command.is_public)
        return Done()

    async def _held_numbers(self, peer: Pass, command: HeldNumbers) -> NumbersHeld:
        return NumbersHeld(self._serials.last, self._owners.versions)


def _limits(octets: bytes | None) -> Limits | None:
    if octets is None:
        return None
    try:
        return read(Limits, octets)
    except OfficeError as error:
        raise BusRefusedError(Word.MALFORMED, f"no limits: {error}") from None


@asynccontextmanager
async def steel_box(box: Box) -> AsyncIterator[Table]:
    """Its Factory."""
    with open_store(box.folder) as store:
        yield SteelBox(box, store).table
