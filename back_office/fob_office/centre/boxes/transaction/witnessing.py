"""Checkpoints: the box signs that the log goes on from the newest one that it signed, and never anything else (M4)."""

import asyncio
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fob_office.centre.boxes.box import Box
from fob_office.centre.boxes.orders import read_order
from fob_office.centre.boxes.rows import Row
from fob_office.centre.boxes.store import Store
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Pass
from fob_office.centre.commands.transaction import (
    CheckpointHeld,
    CheckpointSigned,
    GoOn,
    HeldCheckpoint,
    SignCheckpoint,
)
from fob_office.centre.words import Word
from fob_protocol.cose import sign1
from fob_protocol.metering.log.checkpoint import Checkpoint, origin_of
from fob_protocol.metering.log.entry import Entry, Kind
from fob_protocol.metering.log.errors import ProofError
from fob_protocol.metering.log.hashes import EMPTY_ROOT
from fob_protocol.metering.log.proofs import TreeHead, verify_consistency
from fob_protocol.metering.log.tree import Frontier
from fob_protocol.metering.vouchers import LogOrder
from fob_protocol.office.message import read

_TABLE: Final = "checkpoint"
_KEY: Final = b""
_EMPTY: Final = TreeHead(0, EMPTY_ROOT)


class Witnessing:
    """Answers database servers, one after another."""

    def __init__(self, box: Box, store: Store, key: Ed25519PrivateKey) -> None:
        self._origin = origin_of(box.manufacturing)
        self._name = box.name
        self._vault = box.vault
        self._store = store
        self._key = key
        self._surroundings = box.surroundings
        self._turn = asyncio.Lock()

    async def sign_checkpoint(self, peer: Pass, command: SignCheckpoint) -> CheckpointSigned:
        """As the command says. The proof is from the newest checkpoint of the box."""
        async with self._turn:
            signed = self._store.get(_TABLE, _KEY)
            self._check(_head(signed), command, signed)
            return await self._signed(TreeHead(command.size, command.root))

    async def held_checkpoint(self, peer: Pass, command: HeldCheckpoint) -> CheckpointHeld:
        """As the command says."""
        return CheckpointHeld(self._store.get(_TABLE, _KEY))

    async def go_on(self, peer: Pass, command: GoOn) -> CheckpointSigned:
        """As the command says: whoever reads the log after that finds the order in it."""
        order = read_order(self._vault, LogOrder, command.order)
        try:
            frontier = Frontier(order.size, command.hashes)
            is_it = frontier.root == order.root
            after, _ = frontier.append(Entry(Kind.NOTE, command.order).hash())
        except ValueError as error:
            raise BusRefusedError(Word.TAMPERING, f"no frontier of the log: {error}") from None
        if order.box != self._name or not is_it:
            raise BusRefusedError(Word.TAMPERING, "the order is for another box, or for another log")
        async with self._turn:
            signed = self._store.get(_TABLE, _KEY)
            if _head(signed) != TreeHead(order.before, order.root_before):
                raise BusRefusedError(Word.OTHER_SIZE, "the order names another checkpoint", signed)
            return await self._signed(TreeHead(after.size, after.root))

    async def _signed(self, head: TreeHead) -> CheckpointSigned:
        checkpoint = Checkpoint(self._origin, head.size, head.root, self._surroundings.clock()).signed(self._key)
        # Before it is given out: of this size nothing else is ever signed.
        await self._store.put_all((Row(_TABLE, _KEY, checkpoint),))
        return CheckpointSigned(checkpoint)

    def _check(self, newest: TreeHead, command: SignCheckpoint, signed: bytes | None) -> None:
        """Raises BusRefusedError OTHER_SIZE, TAMPERING."""
        if command.earlier != newest.size or command.size < newest.size:
            raise BusRefusedError(Word.OTHER_SIZE, f"this box signed {newest.size} entries", signed)
        try:
            verify_consistency(newest, TreeHead(command.size, command.root), command.proof)
        except ProofError as error:
            raise BusRefusedError(Word.TAMPERING, f"the log is another one: {error}") from None


def _head(signed: bytes | None) -> TreeHead:
    return _EMPTY if signed is None else read(Checkpoint, sign1.unverified_payload(signed)).head
