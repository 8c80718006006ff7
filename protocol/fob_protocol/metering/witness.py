"""A device as a witness of the data centre's log: whatever it was shown once is part of all that it is shown later."""

from collections.abc import Collection, Sequence

from fob_protocol.cose import sign1
from fob_protocol.metering.faults import MeterError, MeterFault
from fob_protocol.metering.log.checkpoint import Checkpoint, origin_of, read_checkpoint
from fob_protocol.metering.log.errors import LogError, ProofError
from fob_protocol.metering.log.hashes import EMPTY_ROOT
from fob_protocol.metering.log.proofs import TreeHead, verify_consistency
from fob_protocol.office.message import read


def witness(
    manufacturing: bytes, keys: Collection[bytes], held: bytes | None, shown: bytes | None, proof: Sequence[bytes]
) -> bytes | None:
    """The checkpoint to keep. `keys` of the boxes that may sign it (raw); `held` was kept, and checked, before.

    Raises MeterError LOG_REWRITTEN, WRONG_SIGNATURE.
    """
    if shown is None:
        if held is None:
            return None
        raise MeterError(MeterFault.LOG_REWRITTEN, "there is no log any more")
    later = _read(manufacturing, keys, shown)
    earlier = log_head(held)
    if later.size < earlier.size:
        raise MeterError(MeterFault.LOG_REWRITTEN, f"the log had {earlier.size} entries, and has {later.size}")
    if held is None:
        return shown
    try:
        verify_consistency(earlier, later.head, proof)
    except ProofError as error:
        raise MeterError(MeterFault.LOG_REWRITTEN, str(error)) from None
    return shown


def log_head(held: bytes | None) -> TreeHead:
    """Of what `witness` gave, which is not checked again."""
    if held is None:
        return TreeHead(0, EMPTY_ROOT)
    return read(Checkpoint, sign1.unverified_payload(held)).head


def _read(manufacturing: bytes, keys: Collection[bytes], signed: bytes) -> Checkpoint:
    try:
        return read_checkpoint(keys, origin_of(manufacturing), signed)
    except LogError as error:
        raise MeterError(MeterFault.WRONG_SIGNATURE, str(error)) from None
