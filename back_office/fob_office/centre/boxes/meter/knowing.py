"""What a box knows of the meters that it owns: whether a record is the newest, and what was made last (M22, M33)."""

import msgspec
import structlog

from fob_office.centre.boxes.meter import tokens
from fob_office.centre.boxes.meter.changes import change_of
from fob_office.centre.boxes.meter.freshness import Found, compare
from fob_office.centre.boxes.meter.keeping import Keeper
from fob_office.centre.boxes.meter.shelf import Shelf
from fob_office.centre.boxes.meter.standing import (
    CREDITS,
    STANDINGS,
    Standing,
    credit_key,
    read_standing,
    standing_key,
)
from fob_office.centre.boxes.meter.tokens import TokenKey
from fob_office.centre.boxes.meter.verifying import Verified, Verifier
from fob_office.centre.boxes.turns import Turns
from fob_office.centre.boxes.vault import Vault
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.commands.meter import Changed
from fob_office.centre.words import Word
from fob_protocol.metering.indicium import Indicium
from fob_protocol.metering.records import MeterRecord
from fob_protocol.office.message import read

log = structlog.get_logger(__name__)


class Knowing:
    """Of one box. `turns`: one at a time for each serial."""

    def __init__(self, vault: Vault, verifier: Verifier, store: Shelf, keeper: Keeper) -> None:
        self._vault = vault
        self._verifier = verifier
        self._store = store
        self._keeper = keeper
        self.turns = Turns()

    def standing(self, serial: str) -> Standing | None:
        """None: it was never begun here."""
        octets = self._store.get(STANDINGS, standing_key(serial))
        return read_standing(octets) if octets else None

    async def check_newest(self, standing: Standing | None, given: Verified) -> None:
        """Step b. Raises BusRefusedError BEHIND, TAMPERING; EPOCH_ROLLBACK: by the key of a month before (M11)."""
        serial = given.record.serial
        if standing is None:
            await self._keeper.confirm_unseen(serial)
            raise await self.tampering(serial, "this box has never seen the meter")
        match compare(standing, given):
            case Found.BEFORE:
                changed = await self.again(serial, standing)
                data = msgspec.msgpack.encode(changed)
                raise BusRefusedError(Word.BEHIND, "the change after this record is not stored", data)
            case Found.WRONG:
                told = f"record {given.record.registers.counter}, where {standing.counter} is the newest"
                is_rolled_back = given.record.epoch < read(MeterRecord, standing.record).epoch
                raise await self.tampering(serial, told, Word.EPOCH_ROLLBACK if is_rolled_back else Word.TAMPERING)

    def made(self, standing: Standing, after: MeterRecord, indicia: tuple[Indicium, ...], key: TokenKey) -> Changed:
        """Steps f and g: always the same of one standing."""
        record = self._verifier.sign(standing.record, after.serial, after.epoch)
        made = tokens.with_tokens(key, indicia, standing.indicia)
        return Changed(
            act=standing.act,
            deed=standing.deed,
            amount=standing.amount,
            before=standing.before,
            record=record,
            indicia=made,
            time=standing.time,
            voucher=standing.voucher,
            change=change_of(self._vault, standing, after, record, made),
        )

    async def again(self, serial: str, standing: Standing) -> Changed:
        """What was answered, or would have been."""
        await self._keeper.confirm(serial)
        after = read(MeterRecord, standing.record)
        indicia = tuple(read(Indicium, octets) for octets in standing.indicia)
        return self.made(standing, after, indicia, tokens.unwrap(self._vault, after))

    async def tampering(self, serial: str, why: str, word: Word = Word.TAMPERING) -> BusRefusedError:
        """Unless this box has lost the meter to another one, and cannot know."""
        await self._keeper.confirm(serial)
        log.warning("a record that should not have come", serial=serial, why=why)
        return BusRefusedError(word, f"{serial}: {why}")

    def is_given_back(self, indicium: Indicium | None) -> bool:
        """By a credit; None: no indicium of a meter."""
        if indicium is None:
            return False
        # An empty row is of a credit that was taken back.
        return bool(self._store.get(CREDITS, credit_key(indicium.serial, indicium.counter, indicium.piece)))
