"""Checkpoints: the box signs that the log goes on from the newest one that it signed, and never anything else (M4)."""

import asyncio
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fob_office.centre.boxes.rows import Row
from fob_office.centre.boxes.store import Store
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Pass
from fob_office.centre.commands.transaction import CheckpointSigned, SignCheckpoint
from fob_office.centre.words import Word
from fob_office.surroundings import Surroundings
from fob_protocol.cose import sign1
from fob_protocol.metering.log.checkpoint import Checkpoint, origin_of
from fob_protocol.metering.log.errors import ProofError
from fob_protocol.metering.log.hashes import EMPTY_ROOT
from fob_protocol.metering.log.proofs import TreeHead, verify_consistency
from fob_protocol.office.message import read

_TABLE: Final = "checkpoint"
_KEY: Final = b""
_EMPTY: Final = TreeHead(0, EMPTY_ROOT)


class Witnessing:
    """Answers database servers, one after another."""

    def __init__(self, manufacturing: bytes, store: Store, key: Ed25519PrivateKey, surroundings: Surroundings) -> None:
        self._origin = origin_of(manufacturing)
        self._store = store
        self._key = key
        self._surroundings = surroundings
        self._turn = asyncio.Lock()

    async def sign_checkpoint(self, peer: Pass, command: SignCheckpoint) -> CheckpointSigned:
        """As the command says. The proof is from the newest checkpoint of the box."""
        async with self._turn:
            signed = self._store.get(_TABLE, _KEY)
            newest = _EMPTY if signed is None else read(Checkpoint, sign1.unverified_payload(signed)).head
            self._check(newest, command, signed)
            now = self._surroundings.clock()
            checkpoint = Checkpoint(self._origin, command.size, command.root, now).signed(self._key)
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
